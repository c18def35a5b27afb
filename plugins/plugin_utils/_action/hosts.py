# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the variables of many hosts in one task, as a task of each host would see them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.inventory.manager import split_host_pattern
from ansible.plugins.action import ActionBase
from ansible.template import Templar

from ...module_utils._errors import InvalidOption
from .._inventory.names import FOUND_STREAM, join_names
from .._util.external_process import may_set
from .._util.plain import to_plain
from .._util.template_errors import describe_failure
from .variable_names import find_misspelt

# Variables that are the same for all hosts of a play. Ansible computes the lists for each host unless it is given some.
_PLAY_LISTS = ("ansible_play_batch", "ansible_play_hosts", "ansible_play_hosts_all", "play_hosts")
_COMMON = (*_PLAY_LISTS, "ansible_search_path", "hostvars")
_NO_LIST = ["none"]
_TEMPLATE = re.compile(r"\{[{%#]")
_SUBSCRIPT = re.compile(r"\[[-0-9:]*\]$")


class HostVariables:
    """The variables of the hosts of an inventory, with the precedence that they have in this task.

    Reading a host takes 0.2 to 0.3 ms, and 0.2 to 0.4 ms more for each variable that is a template.
    """

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any]) -> None:
        hostvars = task_vars["hostvars"]
        self._inventory = hostvars._inventory
        self._manager = hostvars._variable_manager
        self._task = action._task
        self._batch = task_vars["ansible_play_batch"]
        self._play = task_vars["ansible_play_hosts_all"]
        self._common = {name: task_vars[name] for name in _COMMON if name in task_vars}
        self._loader = action._loader
        self._templar = Templar(loader=action._loader)
        self._seen: set[str] = set()

    def list_hosts(self, pattern: str | None) -> list[str]:
        """Return the hosts of a pattern within --limit, including failed ones; the play's batch without a pattern."""
        if pattern is None:
            return list(self._batch)
        return [host.name for host in self._inventory.get_hosts(pattern, ignore_restrictions=True)]

    def list_play_hosts(self, pattern: str | None) -> list[str]:
        """Return the same, but without a pattern all hosts of the play, including those of earlier batches."""
        return self.list_hosts(pattern) if pattern else list(self._play)

    def list_all_hosts(self, pattern: str) -> list[str]:
        """Return the hosts of a pattern in the whole inventory, regardless of --limit."""
        hosts = self._inventory.get_hosts(pattern, ignore_limits=True, ignore_restrictions=True)
        return [host.name for host in hosts]

    def find_stranger_named(self, pattern: str) -> set[str]:
        """Return the hosts that a pattern matches only by a name which the sender of the stream chose.

        A user chose the names of the host's groups, so a host that a group of the pattern contains is not one of them.
        """
        parts = [part for part in split_host_pattern(pattern) if not part.startswith("!")]
        members = {part: self._members(part.removeprefix("&")) for part in parts}
        found = {name for name in self.list_all_hosts(pattern) if FOUND_STREAM in self._inventory.hosts[name].vars}
        return {name for name in found if not _is_member(name, members)}

    def _members(self, part: str) -> set[str]:
        """Return the hosts of the groups that a part of a pattern matches."""
        bare = _SUBSCRIPT.sub("", part)
        matches = re.compile(part[1:] if part.startswith("~") else fnmatch.translate(bare)).match
        groups = [group for name, group in self._inventory.groups.items() if matches(name)]
        return {host.name for group in groups for host in group.get_hosts()}

    def read(self, host: str, names: Iterable[str]) -> dict[str, Any]:
        """Return the variables of a host that are set and not null, as values of Python's own types.

        Raises InvalidOption naming the first one that cannot be evaluated, and for a host that stands for different
        streams in two sources.
        """
        _refuse_two_streams(host, self._inventory.hosts.get(host))
        context = self._context(host)
        self._seen.update(context)
        self._templar.available_variables = context
        omit = context.get("omit")
        given = {name: context[name] for name in names if context.get(name) is not None}
        values = {name: evaluate(self._templar, name, value, omit) for name, value in given.items()}
        return {
            name: value for name, value in values.items() if value is not None and may_set(name, value, self._loader)
        }

    def read_plain(self, host: str, names: Iterable[str]) -> dict[str, str]:
        """Return the variables of a host that are plain texts or numbers; nothing is evaluated, and nothing raised."""
        try:
            context = self._context(host)
        except InvalidOption:
            return {}
        found = {name: to_plain(context.get(name)) for name in names}
        return {
            name: str(value)
            for name, value in found.items()
            if isinstance(value, (str, int)) and not isinstance(value, bool) and not _TEMPLATE.search(str(value))
        }

    def warnings(self) -> list[str]:
        """Return warnings about variables that look misspelt, of the hosts that were read."""
        return find_misspelt(self._seen)

    def _context(self, host: str) -> dict[str, Any]:
        try:
            variables = self._manager.get_vars(
                play=self._task.get_play(),
                host=self._inventory.get_host(host),
                task=self._task,
                include_hostvars=False,
                _hosts=_NO_LIST,
                _hosts_all=_NO_LIST,
            )
        except Exception as error:  # whatever a vars plugin or a file of variables raises
            raise InvalidOption(
                f"The variables of this host cannot be read: {describe_failure(error)}",
                "Correct the file that sets them.",
            ) from None
        return {**variables, **self._common}


def _is_member(name: str, members: Mapping[str, set[str]]) -> bool:
    """Return whether a pattern matches a host by its groups; `members` are the hosts of the groups of each part."""
    optional = [hosts for part, hosts in members.items() if not part.startswith("&")]
    required = [hosts for part, hosts in members.items() if part.startswith("&")]
    return (not optional or any(name in hosts for hosts in optional)) and all(name in hosts for hosts in required)


def _refuse_two_streams(name: str, host: Any) -> None:
    """Raise InvalidOption for a host that apsaravideo_streams found, and that another source made a different stream.

    Ansible merges hosts of the same name, and the source that is read last sets the variables.
    """
    found = host.vars.get(FOUND_STREAM) if host else None
    current = join_names(host.vars) if found is not None else None
    if found != current:
        raise InvalidOption(
            f"The host {name} is the stream {found}, which somebody pushes, and by another source of the inventory "
            f"{current}",
            "Read the source of apsaravideo_streams last, or leave out its option hostnames.",
        )


def evaluate(templar: Templar, name: str, value: Any, omit: str | None) -> Any:
    """Return the value of a variable in Python's own types, None if it is omitted; raises InvalidOption.

    `omit` is the placeholder of ansible-core up to 2.18, None for newer versions.
    """
    try:
        # In a mapping, because newer versions refuse to omit a value anywhere else.
        return _remove_omitted(to_plain(templar.template({name: value}, fail_on_undefined=True)), omit).get(name)
    except Exception as error:  # a template can raise anything
        raise InvalidOption(
            f"The variable {name} of this host cannot be evaluated: {describe_failure(error)}",
            "Change its template or the variables in it, or leave it out.",
        ) from None


def _remove_omitted(value: Any, omit: str | None) -> Any:
    """Return a value without the placeholder `omit`, which newer versions of ansible-core remove themselves."""
    if omit is None:
        return value
    if isinstance(value, Mapping):
        return {key: _remove_omitted(item, omit) for key, item in value.items() if item != omit}
    if isinstance(value, (list, tuple)):
        return [_remove_omitted(item, omit) for item in value if item != omit]
    return value.replace(omit, "") if isinstance(value, str) else value
