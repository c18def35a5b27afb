# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give each stream a name that nothing else in the inventory has, so that no stranger's stream takes a user's name."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, count
from typing import Any

from ansible.inventory.data import InventoryData
from ansible.inventory.helpers import get_group_vars
from ansible.inventory.manager import IGNORED
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader

from ...module_utils._api.models import Stream
from .streams import default_name

# On a host that the user has not named: its stream, for whoever must tell it from those that the user has named.
FOUND_STREAM = "apsaravideo_found_stream"
_STATIC = ("host_list", "yaml", "ini", "toml")  # plugins that read names which a user wrote, in Ansible's order
_OF_A_SOURCE = ("inventory_file", "inventory_dir")  # Ansible sets these variables itself


def stream_of(variables: Mapping[str, Any]) -> str:
    """Return the stream that the variables of a host name, to compare it with another one."""
    return "/".join(str(variables.get(field)) for field in Stream._fields)


class KnownHosts:
    """The hosts of inventories, and the streams that they stand for."""

    def __init__(self, inventories: Iterable[InventoryData], templar: Any) -> None:
        self._inventories = list(inventories)
        self._templar = templar

    def __contains__(self, name: str) -> bool:
        return any(name in inventory.hosts for inventory in self._inventories)

    def is_found(self, name: str) -> bool:
        """Return whether the user has not named the host, but another source of live streams found it."""
        return any(FOUND_STREAM in inventory.hosts[name].vars for inventory in self._having(name))

    def stream(self, name: str) -> Stream | None:
        """Return the stream of a host; None where the variables in its inventory do not tell."""
        return next(filter(None, (self._stream(inventory, name) for inventory in self._having(name))), None)

    def _having(self, name: str) -> list[InventoryData]:
        return [inventory for inventory in self._inventories if name in inventory.hosts]

    def _stream(self, inventory: InventoryData, name: str) -> Stream | None:
        host = inventory.hosts[name]
        variables = {**inventory.groups["all"].vars, **get_group_vars(host.get_groups()), **host.get_vars()}
        self._templar.available_variables = variables
        try:
            return Stream(*(str(self._templar.template(variables[field])) for field in Stream._fields))
        except Exception:  # whatever a template can come to, and variables that are not there
            return None


class Names:
    """The names of a source's hosts, none of which is that of a group or of a host for another stream."""

    def __init__(self, groups: Iterable[str], known: KnownHosts) -> None:
        self.groups = frozenset(groups)
        self.known = known
        self._given: dict[str, Stream] = {}

    def choose(self, preferred: str, stream: Stream, is_listed: bool) -> str:
        """Return the preferred name, or a longer one where the stream cannot have that; `give` makes it its own."""
        default = default_name(stream)
        longer = (f"{default}~{number}" for number in count(2))
        names = chain((preferred, default), longer)
        return next(name for name in names if self._is_free(name, stream, is_listed or name == default))

    def give(self, name: str, stream: Stream) -> None:
        """Give a stream its name."""
        self._given[name] = stream

    def _is_free(self, name: str, stream: Stream, is_meant: bool) -> bool:
        """Return whether a stream can have a name.

        `is_meant`: a host of another source, of which only the name is known, can mean no other stream.
        """
        if name in self.groups or self._given.get(name, stream) != stream:
            return False
        if name not in self.known:
            return True
        known = self.known.stream(name)
        return known == stream or (known is None and is_meant)


def merge(part: InventoryData, into: InventoryData, left_out: Collection[str] = ()) -> None:
    """Add the groups, but for those that are left out, hosts and variables of an inventory to another one."""
    groups = [group for group in part.groups.values() if group.name not in left_out]
    for group in groups:
        into.add_group(group.name)
        for variable, value in group.vars.items():
            into.groups[group.name].set_variable(variable, value)
    for name, host in part.hosts.items():
        into.add_host(name)
        # Through the inventory, each value would be inspected for templates, which takes several times as long.
        target = into.hosts[name]
        for variable, value in host.vars.items():
            if variable not in _OF_A_SOURCE:
                target.set_variable(variable, value)
    for group in groups:
        for child in group.child_groups:
            if child.name not in left_out:
                into.add_child(group.name, child.name)
        for host in group.hosts:
            into.add_host(host.name, group.name)


def read_static(paths: Iterable[str], loader: DataLoader | None, done: Collection[str] = ()) -> InventoryData:
    """Return what the files of inventory sources name that Ansible has not `done` yet and reads later.

    Programs and other plugins are not asked. What is wrong with a file is said when its turn comes.
    """
    found = InventoryData()
    for path in (path for path in chain.from_iterable(map(_files, paths)) if path not in done):
        for name in _STATIC:
            part = InventoryData()
            plugin = inventory_loader.get(f"ansible.builtin.{name}")
            try:
                if plugin.verify_file(path):
                    plugin.parse(part, loader, path, cache=False)
                    merge(part, found)
                    break
            except Exception:  # Ansible, too, passes over whatever a plugin raises, and tries the next one.
                continue
    return found


def _files(path: str) -> Iterator[str]:
    if os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            if not IGNORED.search(os.fsencode(name)):
                yield from _files(os.path.join(path, name))
    elif "," in path or (os.path.isfile(path) and not os.access(path, os.X_OK)):
        yield path
