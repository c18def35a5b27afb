# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The difference between this machine's clock and the cloud's."""

from __future__ import annotations

from dataclasses import dataclass

# Seconds; a wrong time zone is off by less. Whoever gets a request dated far into the future could send it again then.
LARGEST_SKEW = 86_400


@dataclass
class Skew:
    """By how many seconds the cloud's clock is ahead of this machine's: at least, and at most."""

    least: float = float("-inf")
    most: float = float("inf")

    @property
    def known(self) -> bool:
        """Whether any answer had a Date."""
        return self.least > float("-inf")

    @property
    def likely(self) -> float:
        """0 where no answer contradicts it, because a Date has whole seconds only; else what is nearest to that."""
        return min(max(0.0, self.least), self.most)

    def learn(self, date: float | None, departure: float, arrival: float) -> None:
        """From an answer's Date, which has whole seconds and was written between its request's departure and now.

        One that is further off than any clock to go by says nothing.
        """
        if date is not None and abs(date - arrival) <= LARGEST_SKEW:
            self.least = max(self.least, date - arrival)
            self.most = min(self.most, date + 1 - departure)
