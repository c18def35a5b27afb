# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the inventory files that Ansible has not read yet, and merge inventories."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from ansible import context
from ansible.inventory.data import InventoryData
from ansible.inventory.manager import IGNORED
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader

_STATIC = ("host_list", "yaml", "ini", "toml")  # plugins that read names a user wrote, in the order Ansible tries them
_SET_PER_SOURCE = ("inventory_file", "inventory_dir")  # variables that Ansible sets itself


def list_sources() -> list[str]:
    """Return the inventory sources of this run."""
    given = context.CLIARGS.get("inventory") or ()
    return [given] if isinstance(given, str) else list(given)


def read_static(paths: Iterable[str], loader: DataLoader | None, done: Collection[str] = ()) -> InventoryData:
    """Return the hosts and groups that inventory files name, but for the files that Ansible has already `done`.

    No program or other plugin is run. Ansible itself reports the errors of a file when it reads it later.
    """
    found = InventoryData()
    for path in (path for path in chain.from_iterable(map(_list_files, paths)) if path not in done):
        for name in _STATIC:
            part = InventoryData()
            plugin = inventory_loader.get(f"ansible.builtin.{name}")
            try:
                if plugin.verify_file(path):
                    plugin.parse(part, loader, path, cache=False)
                    merge(part, found)
                    break
            except Exception:  # Ansible ignores whatever a plugin raises as well, and tries the next one.
                continue
    return found


def _list_files(path: str) -> Iterator[str]:
    if os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            if not IGNORED.search(os.fsencode(name)):
                yield from _list_files(os.path.join(path, name))
    elif "," in path or (os.path.isfile(path) and not os.access(path, os.X_OK)):
        yield path


def merge(part: InventoryData, into: InventoryData, left_out: Collection[str] = ()) -> None:
    """Add the hosts, variables and groups of an inventory to another one, except for the groups in `left_out`."""
    groups = [group for group in part.groups.values() if group.name not in left_out]
    for group in groups:
        into.add_group(group.name)
        for variable, value in group.vars.items():
            into.groups[group.name].set_variable(variable, value)
    for name, host in part.hosts.items():
        into.add_host(name)
        # InventoryData.set_variable would inspect each value for templates, which takes several times as long.
        target = into.hosts[name]
        for variable, value in host.vars.items():
            if variable not in _SET_PER_SOURCE:
                target.set_variable(variable, value)
    for group in groups:
        for child in group.child_groups:
            if child.name not in left_out:
                into.add_child(group.name, child.name)
        for host in group.hosts:
            into.add_host(host.name, group.name)
