# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wall clock and the monotonic clock."""

from __future__ import annotations

import time

_MAX_SLEEP = 1.0  # seconds; a change of the wall clock is noticed within this time


class Clock:
    """The clock that all waiting goes through, so that tests can replace it."""

    def now(self) -> float:
        """Return the wall-clock time in seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back, comparable between the processes of one machine."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for this many seconds."""
        time.sleep(seconds)

    def check(self) -> None:
        """Raise ParentExited if the run has ended, so that no request may be sent any more; here, do nothing."""

    def sleep_until(self, moment: float) -> None:
        """Sleep until the wall clock shows `moment`, rereading it in case it is set meanwhile."""
        while (left := moment - self.now()) > 0:
            self.sleep(min(left, _MAX_SLEEP))
