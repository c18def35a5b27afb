# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments and durations as options give them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, NamedTuple

from .._errors import InvalidOption

_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<minutes>\d\d:\d\d)(?::(?P<seconds>\d\d))?(?:[.,](?P<fraction>\d{1,6}))?"
    r" ?(?:(?P<utc>Z)|(?P<sign>[+-])(?P<hours>\d\d):?(?P<rest>\d\d)?)",
    re.ASCII,
)
_EPOCH = re.compile(r"\d+(\.\d+)?", re.ASCII)
_EARLIEST = 1e9  # seconds; 2001. A smaller number is a date or a time of day without its punctuation.
_FARTHEST = 366 * 86400.0  # seconds from now, or long; what is more is a slip, such as milliseconds
_UNITS = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_CLOCK = re.compile(r"()(\d{1,9}):([0-5]\d):([0-5]\d)", re.ASCII)
_PLAIN = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)


class Instant(NamedTuple):
    """A moment: seconds since the epoch, and in ISO 8601 with the zone that was given, to milliseconds."""

    epoch: float
    text: str

    @classmethod
    def parse(cls, option: str, given: str, now: float) -> Instant:
        """From ISO 8601 with a zone or from seconds since the epoch; raises InvalidOption."""
        text = given.strip()
        moment = _from_epoch(text) if _EPOCH.fullmatch(text) else _from_iso(text)
        if moment is None or not _EARLIEST <= moment.timestamp() <= now + _FARTHEST:
            raise InvalidOption(
                f"The option {option} is {given}, which is no time with a zone between 2001 and a year from now",
                "Give it with its zone, such as 2026-01-02T20:00:00+08:00, or in seconds since 1970.",
            )
        return cls(moment.timestamp(), moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds"))


def _from_epoch(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(text), timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


def _from_iso(text: str) -> datetime | None:
    parts = _ISO.fullmatch(text)
    if not parts:
        return None
    zone = "+0000" if parts["utc"] else f"{parts['sign']}{parts['hours']}{parts['rest'] or '00'}"
    seconds = f"{parts['seconds'] or '00'}.{parts['fraction'] or '0'}"
    try:
        return datetime.strptime(f"{parts['date']} {parts['minutes']}:{seconds} {zone}", "%Y-%m-%d %H:%M:%S.%f %z")
    except ValueError:
        return None


def duration(option: str, given: Any) -> float:
    """Seconds, from a number of them, or from text such as 2h, 1h30m, 90m, 45s or 01:30:00; raises InvalidOption."""
    seconds = _seconds("" if isinstance(given, bool) else str(given).strip())
    if not 0 < seconds <= _FARTHEST:
        raise InvalidOption(
            f"The option {option} is {given}, which is no duration of at most a year",
            "Give it as 2h, 1h30m, 90m, 01:30:00 (hours, minutes, seconds) or in seconds, more than 0.",
        )
    return seconds


def _seconds(text: str) -> float:
    if _PLAIN.fullmatch(text):
        return float(text)
    parts = _UNITS.fullmatch(text) or _CLOCK.fullmatch(text)
    numbers = parts.groups() if parts else ()
    return float(sum(int(number or 0) * unit for number, unit in zip(numbers, (86400, 3600, 60, 1))))
