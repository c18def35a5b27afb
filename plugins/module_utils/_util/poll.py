# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments at which to poll for something awaited."""

from __future__ import annotations

import math
import random

from .clock import Clock

_FIRST_POLL = 0.5  # seconds
_LONGEST_POLL = 10.0  # seconds


class Poll:
    """The moments at which to look for something that is awaited for so many seconds.

    The first comes after half a second, the others ever later and not in step with those of other processes, and the
    last one at the end. `until` is the end, by the monotonic clock.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._pause = _FIRST_POLL
        self._moment = math.inf
        self.until = clock.monotonic() + seconds

    def include(self, moment: float) -> None:
        """Have one of the looks at this moment, by the monotonic clock."""
        self._moment = moment

    def pause(self) -> float | None:
        """Return the seconds before the next look; None where there is none."""
        now = self._clock.monotonic()
        left = self.until - now
        if left <= 0:
            return None
        pause = min(left, self._pause * random.uniform(0.75, 1.25))
        if now < self._moment:
            pause = min(pause, self._moment - now)
        self._pause = min(_LONGEST_POLL, self._pause * 1.5)
        return pause
