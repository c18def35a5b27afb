# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give each stream a name that nothing else in the inventory has, so that no stranger's stream takes a user's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, count
from typing import Any

from ansible.inventory.data import InventoryData
from ansible.inventory.helpers import get_group_vars

from ...module_utils._api.models import Stream
from .host_name import default_name

# A variable of the hosts that no user has named: their stream, to tell them from the hosts that a user has named.
FOUND_STREAM = "apsaravideo_found_stream"


def join_names(variables: Mapping[str, Any]) -> str:
    """Return the stream that a host's variables name as one text, to compare it with another one."""
    return "/".join(str(variables.get(field)) for field in Stream._fields)


class KnownHosts:
    """The hosts of inventories, and the streams that they stand for."""

    def __init__(self, inventories: Iterable[InventoryData], templar: Any) -> None:
        self._inventories = list(inventories)
        self._templar = templar

    def __contains__(self, name: str) -> bool:
        return any(name in inventory.hosts for inventory in self._inventories)

    def is_found(self, name: str) -> bool:
        """Return whether no user named the host, but another source of live streams found it."""
        return any(FOUND_STREAM in inventory.hosts[name].vars for inventory in self._find_inventories(name))

    def find_stream(self, name: str) -> Stream | None:
        """Return the stream of a host, None if the variables in its inventory do not name one."""
        return next(filter(None, (self._read(inventory, name) for inventory in self._find_inventories(name))), None)

    def _find_inventories(self, name: str) -> list[InventoryData]:
        return [inventory for inventory in self._inventories if name in inventory.hosts]

    def _read(self, inventory: InventoryData, name: str) -> Stream | None:
        host = inventory.hosts[name]
        variables = {**inventory.groups["all"].vars, **get_group_vars(host.get_groups()), **host.get_vars()}
        self._templar.available_variables = variables
        try:
            return Stream(*(str(self._templar.template(variables[field])) for field in Stream._fields))
        except Exception:  # a template can raise anything, and variables may be missing
            return None


class Names:
    """The names of a source's hosts, none of which is that of a group or of a host of another stream."""

    def __init__(self, groups: Iterable[str], known: KnownHosts) -> None:
        self.groups = frozenset(groups)
        self.known = known
        self._assigned: dict[str, Stream] = {}

    def choose(self, preferred: str, stream: Stream, is_listed: bool) -> str:
        """Return the preferred name, or a longer one if that is taken; `assign` reserves it."""
        default = default_name(stream)
        longer = (f"{default}~{number}" for number in count(2))
        names = chain((preferred, default), longer)
        return next(name for name in names if self._is_free(name, stream, is_listed or name == default))

    def assign(self, name: str, stream: Stream) -> None:
        """Reserve a name for a stream."""
        self._assigned[name] = stream

    def _is_free(self, name: str, stream: Stream, is_intended: bool) -> bool:
        """Return whether a stream may have a name.

        A host of another source whose stream is unknown may be the same stream only if the user chose the name for it
        (`is_intended`).
        """
        if name in self.groups or self._assigned.get(name, stream) != stream:
            return False
        if name not in self.known:
            return True
        known = self.known.find_stream(name)
        return known == stream or (known is None and is_intended)
