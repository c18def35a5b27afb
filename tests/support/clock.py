# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks for tests: one that only sleep() moves, and one that is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock

NOON = 1_767_355_200.0  # 2026-01-02T12:00:00Z


class FakeClock(Clock):
    """A clock that only sleep() moves.

    `wall` and `time` are what the wall clock and the monotonic clock show. After each sleep, the wall clock is set
    forward by the next of `jumps`. `slept` and `woke_at` hold the length of each sleep and the wall clock after it.
    `step`: seconds that pass at each read of the monotonic clock, as on a machine that is too slow. `is_running`: real
    time moves the monotonic clock, too.
    """

    def __init__(
        self, wall: float = NOON, jumps: Iterable[float] = (), step: float = 0.0, is_running: bool = False
    ) -> None:
        self.wall = wall
        self.time = 1000.0
        self.slept: list[float] = []
        self.woke_at: list[float] = []
        self._jumps = iter(jumps)
        self._step = step
        self._began = time.monotonic() if is_running else None

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        self.time += self._step
        return self.time + (0.0 if self._began is None else time.monotonic() - self._began)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        self.wall += seconds + next(self._jumps, 0)
        self.woke_at.append(self.wall)


class WrongClock(Clock):
    """The clock of a machine that is `ahead` by so many seconds, and that sleeps `haste` times too short."""

    def __init__(self, ahead: float, haste: float = 1.0) -> None:
        self._ahead, self._haste = ahead, haste

    def now(self) -> float:
        return time.time() + self._ahead

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / self._haste)
