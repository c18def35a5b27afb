# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time and durations as written in options."""

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
_MIN_EPOCH = 1e9  # seconds; 2001. A smaller number is a date or a time of day without its punctuation.
_MAX_SECONDS = 366 * 86400.0  # from now, or in length; more is a slip, such as milliseconds
_UNITS = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_CLOCK = re.compile(r"()(\d{1,9}):([0-5]\d):([0-5]\d)", re.ASCII)
_PLAIN = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)


class Instant(NamedTuple):
    """A point in time: in seconds since the epoch, and as ISO 8601 text in the zone that was given."""

    epoch: float
    text: str

    @classmethod
    def parse(cls, option: str, value: str, now: float) -> Instant:
        """Parse ISO 8601 with a zone, or seconds since the epoch; raises InvalidOption, which names the option."""
        text = value.strip()
        moment = _parse_epoch(text) if _EPOCH.fullmatch(text) else _parse_iso(text)
        if moment is None or not _MIN_EPOCH <= moment.timestamp() <= now + _MAX_SECONDS:
            raise InvalidOption(
                f"The option {option} is {value}, which is not a time with a zone between 2001 and a year from now",
                "Give it with its zone, such as 2026-01-02T20:00:00+08:00, or in seconds since 1970.",
            )
        return cls(moment.timestamp(), moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds"))


def _parse_epoch(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(text), timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


def _parse_iso(text: str) -> datetime | None:
    parts = _ISO.fullmatch(text)
    if not parts:
        return None
    zone = "+0000" if parts["utc"] else f"{parts['sign']}{parts['hours']}{parts['rest'] or '00'}"
    seconds = f"{parts['seconds'] or '00'}.{parts['fraction'] or '0'}"
    try:
        return datetime.strptime(f"{parts['date']} {parts['minutes']}:{seconds} {zone}", "%Y-%m-%d %H:%M:%S.%f %z")
    except ValueError:
        return None


def parse_duration(option: str, value: Any) -> float:
    """Return the seconds of a number or a text such as 2h, 1h30m, 90m, 45s or 01:30:00; raises InvalidOption."""
    seconds = _parse_seconds("" if isinstance(value, bool) else str(value).strip())
    if not 0 < seconds <= _MAX_SECONDS:
        raise InvalidOption(
            f"The option {option} is {value}, which is not a duration of at most a year",
            "Give it as 2h, 1h30m, 90m, 01:30:00 (hours, minutes, seconds) or in seconds, more than 0.",
        )
    return seconds


def _parse_seconds(text: str) -> float:
    """Return the seconds that a text stands for; 0 for a text of any other form."""
    if _PLAIN.fullmatch(text):
        return float(text)
    parts = _UNITS.fullmatch(text) or _CLOCK.fullmatch(text)
    numbers = parts.groups() if parts else ()
    return float(sum(int(number or 0) * unit for number, unit in zip(numbers, (86400, 3600, 60, 1))))
