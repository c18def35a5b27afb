# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Polling intervals that grow, with jitter."""

from __future__ import annotations

import math
import random

from .clock import Clock

_FIRST_PAUSE = 0.5  # seconds
_MAX_PAUSE = 10.0  # seconds
_GROWTH = 1.5


class Poll:
    """The pauses of one poll that lasts at most `seconds`.

    They begin at half a second and grow to ten, with jitter so that processes do not poll in step. The last one ends at
    `deadline`, a time of the monotonic clock.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._pause = _FIRST_PAUSE
        self._included = math.inf
        self.deadline = clock.monotonic() + seconds

    def include(self, moment: float) -> None:
        """Add a read at `moment` of the monotonic clock: the pause that would go beyond it ends at it."""
        self._included = moment

    def next_pause(self) -> float | None:
        """Return the seconds to wait before the next read; None once the deadline has passed."""
        now = self._clock.monotonic()
        left = self.deadline - now
        if left <= 0:
            return None
        pause = min(left, self._pause * random.uniform(0.75, 1.25))
        if now < self._included:
            pause = min(pause, self._included - now)
        self._pause = min(_MAX_PAUSE, self._pause * _GROWTH)
        return pause
