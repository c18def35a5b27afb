# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wall clock and the monotonic clock."""

from __future__ import annotations

import time

_LONGEST_NAP = 1.0  # seconds after which a step of the wall clock is seen


class Clock:
    """Time as the client needs it; a test puts its own in."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back, the same in all processes of the machine."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        time.sleep(seconds)

    def check(self) -> None:
        """Raise RunEnded where the run has ended that this clock is for, so that nothing more may be sent."""

    def sleep_until(self, moment: float) -> None:
        """Wait for a moment of the wall clock, which is looked at again and again because it may be set meanwhile."""
        while (left := moment - self.now()) > 0:
            self.sleep(min(left, _LONGEST_NAP))
