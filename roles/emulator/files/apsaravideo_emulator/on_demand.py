# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On-demand recording by callback: the request at the beginning of a push, and the meaning of its response."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

from .record_model import RecordConfig

MAX_RESPONSE_BYTES = 2048
HEADERS = {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"}  # as in the documented sample
MIN_CYCLE, MAX_CYCLE = 5, 21600


def build_url(url: str, key: tuple[str, str, str]) -> str:
    """Return the URL to request for a stream."""
    stream = dict(zip(("domain", "app", "stream"), key))
    return add_query(url, {**stream, "codec": "h264", "vbitrate": "2000"})


def add_query(url: str, parameters: dict[str, str]) -> str:
    """Add parameters to a callback URL, which may already have a query."""
    address, mark, query = url.partition("?")
    return f"{address}?{query}{'&' if mark and query else ''}{urlencode(parameters)}"


def decide(config: RecordConfig, body: bytes) -> RecordConfig | None:
    """Return the configuration to record with, or None for no recording; raise ValueError if the response is not valid.

    Only the first 2048 bytes of the body are read.
    """
    response = json.loads(body[:MAX_RESPONSE_BYTES])
    if not isinstance(response, dict) or not isinstance(response.get("NeedRecord"), bool):
        raise ValueError("NeedRecord is neither true nor false")
    requested, cycles = response.get("Format"), response.get("Interval", {})
    if not isinstance(requested, (list, type(None))) or not isinstance(cycles, dict):
        raise ValueError("Format is not a list, or Interval not an object")
    kinds = {item.kind for item in config.formats} if requested is None else {str(kind).lower() for kind in requested}
    by_kind = {kind.lower(): _parse_cycle(cycle) for kind, cycle in cycles.items()}
    formats = tuple(
        replace(item, cycle=by_kind.get(item.kind, item.cycle)) for item in config.formats if item.kind in kinds
    )
    return replace(config, formats=formats) if response["NeedRecord"] and formats else None


def _parse_cycle(value: object) -> int:
    if not isinstance(value, int) or not MIN_CYCLE <= value <= MAX_CYCLE:
        raise ValueError(f"an Interval is from {MIN_CYCLE} to {MAX_CYCLE} s, not {value!r}")
    return value
