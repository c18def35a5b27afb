# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The difference between this machine's clock and the cloud's."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import ClockWrong
from .._util.clock import Clock
from .._util.text import format_duration

# Seconds; a wrong time zone is off by less. Whoever intercepts a request dated far ahead could replay it at that time.
MAX_SKEW = 86_400


@dataclass
class Skew:
    """Bounds of the seconds by which the cloud's clock is ahead of this machine's."""

    lower: float = float("-inf")
    upper: float = float("inf")

    @property
    def is_known(self) -> bool:
        """Return whether any response had a usable `Date`."""
        return self.lower > float("-inf")

    @property
    def estimate(self) -> float:
        """Return 0 if consistent with every `Date` header, otherwise the nearer bound."""
        return min(max(0.0, self.lower), self.upper)

    def learn(self, date: float | None, sent_at: float, received_at: float) -> None:
        """Narrow the bounds by the `Date` of a response, in whole seconds since the epoch, rounded down.

        The cloud wrote it between `sent_at` and `received_at`, which are times of this machine's clock. A `Date` that
        is off by more than MAX_SKEW is ignored.
        """
        if date is not None and abs(date - received_at) <= MAX_SKEW:
            self.lower = max(self.lower, date - received_at)
            self.upper = min(self.upper, date + 1 - sent_at)


class CloudClock:
    """The cloud's clock, as far as responses tell. All times are in seconds since the epoch."""

    def __init__(self, clock: Clock) -> None:
        self.skew = Skew()
        self.warnings: list[str] = []
        self._clock = clock
        self._correction = 0.0  # seconds that are added to this machine's clock to date requests

    @property
    def ahead(self) -> float:
        """Return the seconds by which the cloud's clock is ahead; 0 unless a response says otherwise."""
        return self.skew.estimate if self.skew.is_known else self._correction

    def now(self) -> float:
        """Return the cloud's time, as far as it is known."""
        return self._clock.now() + self.ahead

    def request_time(self) -> float:
        """Return the time to date a request with: this machine's, unless the cloud has refused that."""
        return self._clock.now() + self._correction

    def earliest_at(self, local_time: float) -> float:
        """Return a time that the cloud's clock had reached at this time of the local clock."""
        return local_time + (self.skew.lower if self.skew.is_known else 0)

    def bounds_at(self, local_time: float) -> tuple[float, float] | None:
        """Return the earliest and latest time that the cloud's clock can have shown at this time of the local clock.

        None if no response has told how the clocks differ.
        """
        skew = self.skew
        if not skew.is_known:
            return None
        return local_time + min(skew.lower, skew.upper), local_time + max(skew.lower, skew.upper)

    def correct(self, error: ClockWrong) -> bool:
        """Date further requests by the cloud's clock; return False if the error contains no plausible time."""
        ahead = error.ahead
        if ahead is None or abs(ahead) > MAX_SKEW:
            return False
        self._correction = ahead
        direction = "behind" if ahead > 0 else "ahead of"
        self.warnings = [
            f"The clock of this machine is {format_duration(abs(ahead))} {direction} the cloud's. The calls of this "
            "task were dated by the cloud's; set the clock of the machine (NTP)."
        ]
        return True
