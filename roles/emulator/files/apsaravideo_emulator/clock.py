# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The movable clock of the emulated cloud.

Advancing the clock by N seconds moves everything that has happened so far N seconds into the past; the present time
remains that of the real clock. A client with an ordinary clock therefore always agrees with the emulator on what "now"
is, and a query window such as "the last hour" means the same on both sides.

The cloud's clock may also be ahead of its clients' clocks, or behind them, by `skew` seconds; this shifts every time
that the cloud returns or accepts.

Internally an instant is `real time + all seconds advanced so far`, which only ever grows. `Clock.show` and `Clock.read`
convert between instants and the texts that clients see.
"""

from __future__ import annotations

import calendar
import re
import time
from typing import Callable

from .state import Stateful

ISO_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
MAX_ADVANCE = 1e8  # seconds in all, more than three years
_ISO_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def parse_iso(text: str) -> float:
    """Return the epoch seconds of `yyyy-MM-ddTHH:mm:ssZ`; raise ValueError for any other form."""
    if not _ISO_PATTERN.fullmatch(text):
        raise ValueError(f"{text!r} is not in the form yyyy-MM-ddTHH:mm:ssZ")
    return float(calendar.timegm(time.strptime(text, ISO_FORMAT)))


def format_iso(epoch: float) -> str:
    """Return epoch seconds as the UTC text `yyyy-MM-ddTHH:mm:ssZ`, rounded down to the second."""
    return time.strftime(ISO_FORMAT, time.gmtime(epoch // 1))


class Clock(Stateful):
    """Cloud time in seconds; see the module's description."""

    STATE_FIELDS = ("advanced",)

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.advanced = 0.0
        self.skew: Callable[[], float] = lambda: 0.0

    def now(self) -> float:
        """Return the present instant, in internal time."""
        return self._wall() + self.advanced

    def wall(self) -> float:
        """Return the cloud's present time in epoch seconds, as used for signatures and temporary credentials."""
        return self._wall() + self.skew()

    def advance(self, seconds: float) -> None:
        """Make the past `seconds` older; raise ValueError for a negative number or beyond `MAX_ADVANCE`."""
        if not 0 <= seconds <= MAX_ADVANCE - self.advanced:
            raise ValueError(f"the clock only moves forward, by at most {MAX_ADVANCE:.0f} seconds in all")
        self.advanced += seconds

    def epoch(self, instant: float) -> float:
        """Convert an internal instant into epoch seconds of the cloud's clock."""
        return instant - self.advanced + self.skew()

    def instant(self, epoch: float) -> float:
        """Convert epoch seconds of the cloud's clock into an internal instant."""
        return epoch + self.advanced - self.skew()

    def start_of_second(self, instant: float) -> float:
        """Round an instant down to a whole second of the cloud's clock, which is the precision of the API's times."""
        return self.instant(self.epoch(instant) // 1)

    def show(self, instant: float) -> str:
        """Format an instant of the emulator's clock as the API writes UTC times."""
        return format_iso(self.epoch(instant))

    def read(self, text: str) -> float:
        """Return the internal instant of one of the API's UTC texts; raise ValueError for any other form."""
        return self.instant(parse_iso(text))
