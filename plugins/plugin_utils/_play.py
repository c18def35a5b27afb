# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an action plugin needs that looks at all hosts of a play in one task of one host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible import constants as C
from ansible.utils.display import Display


def hosts_of(pattern: str | None, variables: Mapping[str, Any]) -> list[str]:
    """The hosts of a pattern within --limit, those included that have failed; without one, those of the play."""
    if not pattern:
        return list(variables["ansible_play_hosts_all"])
    # No variable tells this in another play than the one that had the pattern.
    inventory = variables["hostvars"]._inventory
    return [host.name for host in inventory.get_hosts(pattern, ignore_restrictions=True)]


def show(lines: Iterable[str], bad: bool) -> None:
    """For human eyes; callbacks that write for programs have the lines in the result."""
    setting = C.config.get_config_value
    if "json" not in setting("DEFAULT_STDOUT_CALLBACK"):
        Display().display("\n".join(lines), color=setting("COLOR_ERROR" if bad else "COLOR_OK"))
