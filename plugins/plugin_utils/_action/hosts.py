# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the variables of many hosts from one task, as a task of each host would see them, without a process for each."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.inventory.manager import split_host_pattern
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase
from ansible.template import Templar
from ansible.utils.vars import load_extra_vars

from ...module_utils._errors import InvalidOption
from .._inventory.names import FOUND_STREAM, stream_of
from .._util.plain import plain
from .variable_names import misspelt_of_hosts

# What Ansible tells every host of a play alike. It works out the lists anew for each host unless it is given some.
_OF_THE_PLAY = ("ansible_play_batch", "ansible_play_hosts", "ansible_play_hosts_all", "play_hosts")
_COMMON = (*_OF_THE_PLAY, "ansible_search_path", "hostvars")
_NO_LIST = ["none"]
PROGRAMS = "apsaravideo_allow_external_process"
# All that may be quoted of an exception, because its text can hold that of a template, and so a secret.
_QUOTABLE = re.compile(
    r"'[\w.]{1,80}' is undefined"
    r"|'[\w. ]{1,80}' has no attribute '\w{1,80}'"
    r"|No (?:filter|test) named '[\w.]{1,80}'"
    r"|Could not load \"[\w.]{1,80}\""
)
_SUBSCRIPT = re.compile(r"\[[-0-9:]*\]$")
_MISSING_PLUGIN = re.compile(r'Could not load "(.*)"')
_RECURSIVE = re.compile("recursive loop|recursion depth", re.IGNORECASE)
_ENCRYPTED = re.compile("vault|decrypt", re.IGNORECASE)


class HostVariables:
    """The variables of the hosts of an inventory, with the precedence that they have in this task.

    Measured over 1,000 hosts, one costs 0.2 to 0.3 ms, and 0.2 to 0.4 ms more for each variable that is a template.
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

    def matching(self, pattern: str | None) -> list[str]:
        """Return the hosts of a pattern within --limit, also those that failed; without one, the play's batch."""
        if pattern is None:
            return list(self._batch)
        return [host.name for host in self._inventory.get_hosts(pattern, ignore_restrictions=True)]

    def of_play(self, pattern: str | None) -> list[str]:
        """Return the same; without a pattern, all hosts of the play, those included that failed in an earlier one."""
        return self.matching(pattern) if pattern else list(self._play)

    def known(self, pattern: str) -> list[str]:
        """Return the hosts of a pattern in the whole inventory, whatever --limit."""
        hosts = self._inventory.get_hosts(pattern, ignore_limits=True, ignore_restrictions=True)
        return [host.name for host in hosts]

    def named_by_strangers(self, pattern: str) -> set[str]:
        """Return the hosts that a pattern matches only by a name that whoever pushes the stream has chosen.

        The user has named the groups of such a host, but not the host.
        """
        parts = [part for part in split_host_pattern(pattern) if not part.startswith("!")]
        members = {part: self._members(part.removeprefix("&")) for part in parts}
        found = {name for name in self.known(pattern) if FOUND_STREAM in self._inventory.hosts[name].vars}
        return {name for name in found if not _is_member(name, members)}

    def _members(self, part: str) -> set[str]:
        """Return the hosts of the groups that a part of a pattern names."""
        bare = _SUBSCRIPT.sub("", part)
        fits = re.compile(part[1:] if part.startswith("~") else fnmatch.translate(bare)).match
        groups = [group for name, group in self._inventory.groups.items() if fits(name)]
        return {host.name for group in groups for host in group.get_hosts()}

    def read(self, host: str, names: Iterable[str]) -> dict[str, Any]:
        """Return those of the variables that are set for a host and not null, as values of Python's own types.

        Raises InvalidOption naming the first one that cannot be evaluated, and for a host that two sources mean
        different streams by.
        """
        _refuse_two_streams(host, self._inventory.hosts.get(host))
        context = self._context(host)
        self._seen.update(context)
        self._templar.available_variables = context
        omit = context.get("omit")
        given = {name: context[name] for name in names if context.get(name) is not None}
        values = {name: evaluated(self._templar, name, value, omit) for name, value in given.items()}
        return {
            name: value for name, value in values.items() if value is not None and counts(name, value, self._loader)
        }

    def warnings(self) -> list[str]:
        """Return warnings about variables that look misspelt, of the hosts that were read."""
        return misspelt_of_hosts(self._seen)

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
                f"The variables of this host cannot be read: {reason(error)}", "Correct its variables."
            ) from None
        return {**variables, **self._common}


def _is_member(name: str, members: Mapping[str, set[str]]) -> bool:
    """Return whether a host belongs to a pattern by its groups alone, whose hosts are given for each part of it."""
    plain = [hosts for part, hosts in members.items() if not part.startswith("&")]
    required = [hosts for part, hosts in members.items() if part.startswith("&")]
    return (not plain or any(name in hosts for hosts in plain)) and all(name in hosts for hosts in required)


def _refuse_two_streams(name: str, host: Any) -> None:
    """Raise InvalidOption for a host that an inventory source made of a stranger's stream, and another one of another.

    Ansible takes hosts of the same name for one, and the source that is read last decides about its variables.
    """
    found = host.vars.get(FOUND_STREAM) if host else None
    now = stream_of(host.vars) if found is not None else None
    if found != now:
        raise InvalidOption(
            f"The host {name} is the stream {found}, which somebody pushes, and by another source of the inventory "
            f"{now}",
            "Read the source of apsaravideo_streams last, or leave out its option hostnames.",
        )


def counts(name: str, value: Any, loader: DataLoader) -> bool:
    """Return whether a variable counts: programs are allowed to run by an extra variable (-e) alone.

    Inventories and files of variables come from many places, and none of them may decide to run a program with the
    credentials of the environment. They may decide against it.
    """
    return name != PROGRAMS or name in load_extra_vars(loader) or not boolean(value, strict=False)


def evaluated(templar: Templar, name: str, value: Any, omit: str | None) -> Any:
    """Return the value of a variable in Python's own types, None where it is omitted; raises InvalidOption.

    `omit` is the variable of that name, which only ansible-core up to 2.18 has.
    """
    try:
        # In a mapping, because newer versions refuse a value that is omitted anywhere else.
        return _without(plain(templar.template({name: value}, fail_on_undefined=True)), omit).get(name)
    except Exception as error:  # a template can raise anything
        raise InvalidOption(
            f"The variable {name} of this host cannot be evaluated: {reason(error)}", "Correct it, or leave it out."
        ) from None


def _without(value: Any, omit: str | None) -> Any:
    """Return a value without the placeholder that `omit` is up to ansible-core 2.18; later ones do this themselves."""
    if omit is None:
        return value
    if isinstance(value, Mapping):
        return {key: _without(item, omit) for key, item in value.items() if item != omit}
    if isinstance(value, (list, tuple)):
        return [_without(item, omit) for item in value if item != omit]
    return value.replace(omit, "") if isinstance(value, str) else value


def reason(error: Exception) -> str:
    """Return why a value cannot be evaluated, in words that hold no secret."""
    found = _QUOTABLE.search(str(error))
    if found:
        return _MISSING_PLUGIN.sub(r"No filter or test named '\1'", found[0])
    if _ENCRYPTED.search(f"{type(error).__name__} {error}"):
        return "it is encrypted, and no vault password of this run opens it"
    return "its template refers to itself" if _RECURSIVE.search(str(error)) else "its template fails"
