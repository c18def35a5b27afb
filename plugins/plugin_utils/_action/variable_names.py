# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find misspelt variables by the names of all that playbooks and roles of the collection read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from ...module_utils._domain.windows import VARIABLES as WINDOWS
from ...module_utils._errors import InvalidOption, printable
from ...module_utils._module.argspec import CONNECTION, STREAM
from ...module_utils._module.record import SPEC as RECORD

PREFIXES = ("apsaravideo_", "record_", "window_")
_OF_PLAYBOOKS = {
    "record_config_absent",
    "record_config_notify",
    "record_config_notify_absent",
    "record_config_present",
    "record_fail_each",
    "record_rate_limit",
    "window_grace",
    "window_over",
    "window_recheck",
    "window_retry",
}
KNOWN = frozenset(
    _OF_PLAYBOOKS
    | set(WINDOWS)
    | {f"apsaravideo_{name}" for name in CONNECTION}
    | {f"record_{name}" for name in RECORD.options if name not in STREAM and name not in CONNECTION}
)
_ALIASES = {
    f"apsaravideo_{alias}": f"apsaravideo_{name}"
    for name, option in CONNECTION.items()
    for alias in option.get("aliases", ())
}
# Minimum similarity of names without their prefixes, 1 for equal ones. An extra variable is more likely meant for the
# playbook than a variable of the inventory, which may have any purpose.
_MIN_RATIO_EXTRA = 0.7
_MIN_RATIO_HOST = 0.85


def refuse_misspelt(extra: Iterable[str]) -> list[str]:
    """Return warnings about extra variables that nothing reads; raise InvalidOption if one looks like a known one."""
    unknown = list(_list_unknown(extra))
    for name in unknown:
        meant = _find_match(name, _MIN_RATIO_EXTRA)
        if meant:
            raise InvalidOption(
                f"There is no variable {name}", f"Did you mean {meant}? Call a variable of your own something else."
            )
    return [f"There is no variable {printable(name)} in the playbooks of apsaravideo.live." for name in unknown]


def find_misspelt(names: Iterable[str]) -> list[str]:
    """Return warnings about variables of hosts that nothing reads and that look like a known one."""
    meant = {name: _find_match(name, _MIN_RATIO_HOST) for name in _list_unknown(names)}
    return [f"Nothing reads the variable {name}. Did you mean {known}?" for name, known in meant.items() if known]


def _list_unknown(names: Iterable[str]) -> Iterator[str]:
    return (name for name in sorted(map(str, names)) if name.startswith(PREFIXES) and name not in KNOWN)


def _find_match(name: str, min_ratio: float) -> str | None:
    prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
    rest = {known.removeprefix(prefix): known for known in KNOWN if known.startswith(prefix)}
    close = get_close_matches(name.removeprefix(prefix), rest, 1, min_ratio)
    return _ALIASES.get(name) or (rest[close[0]] if close else None)
