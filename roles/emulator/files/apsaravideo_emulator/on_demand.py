# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On-demand recording by callback: what is asked when a push begins, and what the answer means."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

from .recording import RecordConfig

ANSWER_BYTES = 2048
HEADERS = {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"}  # of the documented sample
SHORTEST_CYCLE, LONGEST_CYCLE = 5, 21600


def question(url: str, key: tuple[str, str, str]) -> str:
    """The URL to get for a stream."""
    stream = dict(zip(("domain", "app", "stream"), key))
    return with_query(url, {**stream, "codec": "h264", "vbitrate": "2000"})


def with_query(url: str, parameters: dict[str, str]) -> str:
    """A callback URL with parameters added; it may have some of its own."""
    address, mark, query = url.partition("?")
    return f"{address}?{query}{'&' if mark and query else ''}{urlencode(parameters)}"


def decide(config: RecordConfig, body: bytes) -> RecordConfig | None:
    """The configuration to record with, None when nothing is to be recorded; ValueError for an unusable answer.

    Of a longer body only the beginning is read.
    """
    answer = json.loads(body[:ANSWER_BYTES])
    if not isinstance(answer, dict) or not isinstance(answer.get("NeedRecord"), bool):
        raise ValueError("NeedRecord is neither true nor false")
    wanted, cycles = answer.get("Format"), answer.get("Interval", {})
    if not isinstance(wanted, (list, type(None))) or not isinstance(cycles, dict):
        raise ValueError("Format is not a list, or Interval not an object")
    kinds = {item.kind for item in config.formats} if wanted is None else {str(kind).lower() for kind in wanted}
    by_kind = {kind.lower(): _cycle(cycle) for kind, cycle in cycles.items()}
    formats = tuple(
        replace(item, cycle=by_kind.get(item.kind, item.cycle)) for item in config.formats if item.kind in kinds
    )
    return replace(config, formats=formats) if answer["NeedRecord"] and formats else None


def _cycle(value: object) -> int:
    if not isinstance(value, int) or not SHORTEST_CYCLE <= value <= LONGEST_CYCLE:
        raise ValueError(f"an Interval is from {SHORTEST_CYCLE} to {LONGEST_CYCLE} s, not {value!r}")
    return value
