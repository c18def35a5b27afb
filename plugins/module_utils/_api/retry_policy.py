# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit of retries, and the pauses between attempts."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from .._errors import LiveError, Throttled
from .traffic import Traffic

_MAX_DOUBLINGS = 10  # of the back-off, which has reached its maximum by then


@dataclass(frozen=True)
class RetryPolicy:
    """The retry rules of one client: an exponential back-off with full jitter, in seconds.

    `timeout` limits the time that failed attempts and the waits between them take in one task; it may be infinite.
    """

    timeout: float
    first_back_off: float = 0.25
    max_back_off: float = 8.0

    @classmethod
    def from_option(cls, retry_timeout: float) -> RetryPolicy:
        """Return the policy for a value of the option `retry_timeout`, where -1 means no limit."""
        return cls(retry_timeout if retry_timeout >= 0 else math.inf)

    def may_retry(self, traffic: Traffic) -> bool:
        """Return whether there is time left for another attempt."""
        return traffic.retry_seconds < self.timeout

    def back_off(self, error: LiveError, attempts: int, traffic: Traffic) -> float | None:
        """Return the seconds to wait before the next attempt, and count them; None if `timeout` would pass before."""
        longest = self.first_back_off * 2 ** min(attempts, _MAX_DOUBLINGS)
        delay = random.uniform(0, min(self.max_back_off, longest))
        if isinstance(error, Throttled) and error.retry_after is not None:
            delay += error.retry_after
        if traffic.retry_seconds + delay >= self.timeout:
            return None
        traffic.retry_seconds += delay
        return delay
