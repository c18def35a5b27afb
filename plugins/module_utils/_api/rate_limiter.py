# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rate limiter for the calls of an operation, shared by all that call with the same account.

The cloud counts calls per account and operation and drops those that exceed the quota. So the next of evenly spaced
slots is reserved for each call, first come, first served. The slots are in a file that the processes of a user share,
or on a server that several machines share. Without a response from the server, those of the file are used.

If the cloud drops a call all the same, because something else calls with the same account, the rate is lowered for all
at once and then rises again slowly.
"""

from __future__ import annotations

from .slot_file import SlotFile, local_pacing_warning
from .slot_server import ServerSlots


class RateLimiter:
    """The slots of one operation on one account. Times are in seconds of the monotonic clock."""

    def __init__(self, file: SlotFile, server: ServerSlots | None = None) -> None:
        self._file = file
        self._server = server

    def reserve(self) -> float:
        """Reserve the next slot and return its time, which may be now."""
        if not self._server:
            return self._file.reserve()
        if self._server.server.is_settled():
            slot = self._server.reserve()
            # Without a response, the calls that have slots of the server already are still to come.
            return self._file.reserve(self._server.free) if slot is None else slot
        # Other machines may still be on their own when the server is back, so this one keeps to its share for a while.
        own = self._file.reserve()
        slot = self._server.reserve(after=own)
        return own if slot is None else slot

    def measure_backlog(self) -> float:
        """Return the seconds from now until the next free slot, with a server as far as its last response tells."""
        backlog = self._server.measure_backlog() if self._server else None
        return self._file.measure_backlog() if backlog is None else backlog

    def slow_down(self) -> None:
        """Lower the rate for all that share it after a call was dropped.

        The `retry_after` of the call does not count here: it may have been dropped for a reason of its own.
        """
        if not self._server or not self._server.slow_down():
            self._file.slow_down()

    def warnings(self) -> list[str]:
        """Return why slots are shared with fewer others than they should be."""
        warnings = [self._server.server.warning] if self._server else []
        if self._file.problem:
            warnings.append(local_pacing_warning(self._file.problem, self._file.is_alone()))
        return [text for text in warnings if text]
