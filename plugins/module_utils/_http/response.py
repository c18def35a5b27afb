# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP responses."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from email.utils import parsedate_tz
from typing import NamedTuple

_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


class HttpResponse(NamedTuple):
    """An HTTP response; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def server_time(headers: Mapping[str, str]) -> float | None:
    """Return the `Date` header in seconds since the epoch; None if it is missing or malformed."""
    date = headers.get("date", "")
    parsed = parsedate_tz(date) if _DATE.fullmatch(date) else None
    try:
        return float(calendar.timegm(parsed[:9])) if parsed else None
    except ValueError:
        return None
