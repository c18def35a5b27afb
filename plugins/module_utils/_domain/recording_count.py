# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's own count of concurrent recordings: the latest one, and the peak of the month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from .._api.live import Live
from .._api.models import RecordUsage, TimeWindow, format_time

MINUTE, HOUR = 60, 3600
RECENT = timedelta(hours=3)


class RecordingCount(NamedTuple):
    """The latest number of concurrent recordings with its time, and the peak of the month; None if not known."""

    counted: int | None = None
    at: str | None = None
    peak: int | None = None
    peak_at: str | None = None


def read_count(live: Live, domain_name: str) -> RecordingCount:
    """Return the count of a domain, read with at most two calls."""
    now = live.now()
    month = now.replace(day=1, hour=0, minute=0, second=0)
    minutes = live.record_usage(domain_name, TimeWindow(now - RECENT, now), MINUTE)
    # Early in the month, the minutes cover all of it.
    hours = live.record_usage(domain_name, TimeWindow(month, now), HOUR) if month < now - RECENT else []
    return find_count(minutes, hours, month)


def find_count(minutes: Iterable[RecordUsage], hours: Iterable[RecordUsage], month: datetime) -> RecordingCount:
    """Return the count that usage per minute and per hour shows; the peak is that since the beginning of the month.

    The latest minute counts or, if there is none, the latest hour.
    """
    recent, earlier = count_recordings(minutes), count_recordings(hours)
    latest = max(recent or earlier, default=None)
    if latest is None:
        return RecordingCount()
    counts = {time: max(earlier.get(time, 0), recent.get(time, 0)) for time in sorted({*earlier, *recent})}
    peak = max((time for time in counts if time >= month), key=lambda time: counts[time], default=None)
    return RecordingCount(
        (recent or earlier)[latest],
        format_time(latest),
        None if peak is None else counts[peak],
        None if peak is None else format_time(peak),
    )


def count_recordings(rows: Iterable[RecordUsage]) -> dict[datetime, int]:
    """Return the number of recordings at each time: that of the format with the most of them.

    It is not documented whether a recording in two formats counts twice, so the formats are not added up.
    """
    of_format: Counter[tuple[datetime, str]] = Counter()
    for row in rows:
        of_format[row.time, row.format] += row.recordings
    found: dict[datetime, int] = {}
    for (time, _format), count in of_format.items():
        found[time] = max(count, found.get(time, 0))
    return found
