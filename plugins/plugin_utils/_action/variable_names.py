# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find misspelt variables by the names of all that playbooks and roles of the collection read."""

from __future__ import annotations

import re
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
# Variables of playbooks without such a prefix, which the comments at their top list.
SHORT = frozenset(
    {
        "accept_interrupted",
        "accept_unknown",
        "all",
        "allow_empty",
        "allow_private_addresses",
        "batch",
        "check_files",
        "cloud_count",
        "dest",
        "ffprobe",
        "ffprobe_path",
        "file_delay",
        "finalize",
        "ingest_domain",
        "ingest_types",
        "keep",
        "max_duration",
        "max_fail",
        "order",
        "progress",
        "report",
        "reports",
        "retry_file",
        "since",
        "start_at",
        "stop_unknown",
        "strays",
        "target",
        "till",
        "tolerance",
        "until",
        "wanted",
        "watch_interval",
    }
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
# A name without a prefix may well be that of a user's own variable, the more so the shorter it is.
_MIN_SLIP_LENGTH = 5  # of a short name; in one with fewer letters only two swapped ones are a slip
_MAX_SLIPS = 2
_MIN_MAX_SLIPS_LENGTH = 9  # of a short name in which so many are looked for, and one in others


def refuse_misspelt(extra: Iterable[str]) -> list[str]:
    """Return warnings about extra variables that nothing reads; raise InvalidOption if one looks like a known one."""
    names = sorted(map(str, extra))
    unknown = list(_list_unknown(names))
    for name in names:
        meant = _find_match(name, _MIN_RATIO_EXTRA) if name in unknown else _find_short(name)
        if meant:
            raise InvalidOption(
                f"There is no variable {name}", f"Did you mean {meant}? Call a variable of your own something else."
            )
    warnings = [f"There is no variable {printable(name)} in the playbooks of apsaravideo.live." for name in unknown]
    if "reports" in names and "report" not in names:
        warnings.append("The variable reports is one of the playbook merge_reports; the others take report.")
    return warnings


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


def _find_short(name: str) -> str | None:
    """Return the short name from which a name without a known prefix is a slip or two away."""
    # A name with a digit, such as batch2, is the user's own.
    if name in SHORT or name.startswith(PREFIXES) or not re.fullmatch("[A-Za-z_-]+", name):
        return None
    return next((known for known in sorted(SHORT) if _is_slip(name, known)), None)


def _is_slip(name: str, known: str) -> bool:
    """Return whether a name may be a misspelt known one; other words, such as targets and match, are not."""
    if len(known) < _MIN_SLIP_LENGTH:
        return sorted(name) == sorted(known) and _count_slips(name, known) == 1
    if len(known) >= _MIN_MAX_SLIPS_LENGTH:
        return _count_slips(name, known) <= _MAX_SLIPS
    is_plural = name == f"{known}s" and "_" not in known
    begins_alike = name[0] == known[0] or sorted(name[:2]) == sorted(known[:2])
    return begins_alike and not is_plural and _count_slips(name, known) == 1


def _count_slips(one: str, other: str) -> int:
    """Return how many letters were added, left out, replaced or swapped with the next one to make a name of another."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            slips = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                slips = min(slips, last[j - 2] + 1)
            row.append(slips)
    return row[-1]
