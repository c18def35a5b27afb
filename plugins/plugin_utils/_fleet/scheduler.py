# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scheduler that runs functions in the engine's thread when they are due."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from ...module_utils._util.clock import Clock
from .pool import Pool

MAX_IDLE_SECONDS = 0.5  # after which the clock is read again, and the run is checked for an interruption


class Scheduler:
    """Functions to run after a delay or at a time, with the clock and the pool that they use.

    `interval` is the least number of seconds between two reads of the same list.
    """

    def __init__(self, clock: Clock, pool: Pool, interval: float) -> None:
        self.clock = clock
        self.pool = pool
        self.interval = interval
        self._by_monotonic: list[tuple[float, int, Callable[[], None]]] = []
        self._by_wall_clock: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()  # keep functions that are due at the same time in order

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Run a function after a delay."""
        heapq.heappush(self._by_monotonic, (self.clock.monotonic() + seconds, next(self._numbers), call))

    def at(self, epoch: float, call: Callable[[], None]) -> None:
        """Run a function at a time of the wall clock, which may be set in the meantime."""
        heapq.heappush(self._by_wall_clock, (epoch, next(self._numbers), call))

    def seconds_to_next(self) -> float:
        """Return the seconds until the next function is due, at most MAX_IDLE_SECONDS."""
        left = [MAX_IDLE_SECONDS]
        if self._by_monotonic:
            left.append(self._by_monotonic[0][0] - self.clock.monotonic())
        if self._by_wall_clock:
            left.append(self._by_wall_clock[0][0] - self.clock.now())
        return max(0.0, min(left))

    def run_due(self) -> None:
        """Run the functions that are due, the earliest first."""
        while self._by_monotonic and self._by_monotonic[0][0] <= self.clock.monotonic():
            heapq.heappop(self._by_monotonic)[2]()
        while self._by_wall_clock and self._by_wall_clock[0][0] <= self.clock.now():
            heapq.heappop(self._by_wall_clock)[2]()
