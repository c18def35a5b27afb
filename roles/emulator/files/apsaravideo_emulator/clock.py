# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The movable clock of the emulated cloud.

Advancing the clock by N seconds makes everything that has happened so far N seconds *older*; the present stays the
present.  A client with an ordinary clock therefore always agrees with the emulator on what "now" is, and a query
window such as "the last hour" means the same on both sides.

The cloud's clock may also be ahead of (or behind) that of its clients, by ``skew`` seconds: then all times that it
shows and takes are.

Internally an instant is ``real time + all seconds advanced so far``, which only ever grows.  Every instant crosses the
border to the client through :meth:`Clock.show` and :meth:`Clock.read`.
"""

from __future__ import annotations

import calendar
import re
import time
from typing import Callable

from .state import Kept

ISO_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
MAX_ADVANCE = 1e8  # seconds in all, more than three years
_ISO_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def parse_iso(text: str) -> float:
    """The epoch seconds of ``yyyy-MM-ddTHH:mm:ssZ``; any other form raises ValueError."""
    if not _ISO_PATTERN.fullmatch(text):
        raise ValueError(f"{text!r} is not in the form yyyy-MM-ddTHH:mm:ssZ")
    return float(calendar.timegm(time.strptime(text, ISO_FORMAT)))


def format_iso(epoch: float) -> str:
    """The UTC text ``yyyy-MM-ddTHH:mm:ssZ`` of an epoch, rounded down to the second."""
    return time.strftime(ISO_FORMAT, time.gmtime(epoch // 1))


class Clock(Kept):
    """Cloud time in seconds; see the module's description."""

    KEPT = ("advanced",)

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.advanced = 0.0
        self.skew: Callable[[], float] = lambda: 0.0

    def now(self) -> float:
        """The present instant, in internal time."""
        return self._wall() + self.advanced

    def wall(self) -> float:
        """The present instant as the cloud's clock shows it, in epoch seconds (signatures and temporary keys)."""
        return self._wall() + self.skew()

    def advance(self, seconds: float) -> None:
        """Make the past ``seconds`` older; a negative number raises ValueError."""
        if not 0 <= seconds <= MAX_ADVANCE - self.advanced:
            raise ValueError(f"the clock only moves forward, by at most {MAX_ADVANCE:.0f} seconds in all")
        self.advanced += seconds

    def epoch(self, instant: float) -> float:
        """The epoch seconds at which this internal instant happened (or will happen) by the cloud's clock."""
        return instant - self.advanced + self.skew()

    def instant(self, epoch: float) -> float:
        """The internal instant that the cloud's clock shows so."""
        return epoch + self.advanced - self.skew()

    def second(self, instant: float) -> float:
        """The beginning of the second in which this instant happened; the API's times are that coarse."""
        return self.instant(self.epoch(instant) // 1)

    def show(self, instant: float) -> str:
        """An internal instant as the API's UTC text."""
        return format_iso(self.epoch(instant))

    def read(self, text: str) -> float:
        """The API's UTC text as an internal instant; a wrong form raises ValueError."""
        return self.instant(parse_iso(text))
