# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather events into batches: one event for all streams of a moment."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from .event import Event, make_host

MAX_EVENTS = 1000  # in a batch
MAX_HOSTS_CHARACTERS = 100_000  # of --limit: Linux accepts 131,072 bytes in an argument
MAX_WINDOW_FACTOR = 4
QUIET_PART = 0.15  # of the window, in which nothing must come for a batch to end early

_NAMESPACE = uuid.UUID("0d6f3f0c-6b38-5b0e-8b51-8a0c7f3a2f64")


class Window:
    """The time in which events are gathered.

    It ends a seventh of the window after the last event, or with the window. If events still came then, the next one
    is twice as long, up to four times: a crowd of streams is answered with few batches, and one stream at once.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._factor = 1
        self._first: float | None = None
        self._last = 0.0

    def add(self, now: float) -> None:
        """Take account of an event at `now`."""
        self._first = now if self._first is None else self._first
        self._last = now

    def ends_at(self) -> float | None:
        """Return when the batch ends, None without an event."""
        if self._first is None:
            return None
        return min(self._last + self._seconds * QUIET_PART, self._first + self._seconds * self._factor)

    def close(self) -> None:
        """Begin another window."""
        is_crowd = self._first is not None and self._last - self._first > self._seconds * (self._factor - QUIET_PART)
        self._factor = min(2 * self._factor, MAX_WINDOW_FACTOR) if is_crowd else 1
        self._first = None


def count_fitting(events: Iterable[Event]) -> int:
    """Return how many of the first events fit in a batch."""
    count, characters = 0, 0
    for event in events:
        characters += sum(len(host.encode()) + 1 for host in event["meta"].get("hosts", ()))
        if count and (count == MAX_EVENTS or characters > MAX_HOSTS_CHARACTERS):
            break
        count += 1
    return count


def make_batch(events: list[Event], keep: list[str], details: bool, hosts: bool) -> Event:
    """Return one event for all these events; `keep` are the streams to start again."""
    counts: dict[str, int] = {}
    streams: dict[str, dict[str, None]] = {}
    for event in events:
        counts[event["type"]] = counts.get(event["type"], 0) + 1
        streams.setdefault(event["type"], {})[event["stream_id"]] = None
    meta: dict[str, Any] = {"uuid": _make_uuid(events, keep)}
    names = {host: None for event in events for host in event["meta"].get("hosts", ())}
    names.update((make_host(stream_id), None) for stream_id in keep)
    if hosts and names:
        meta["hosts"] = list(names)
    return {
        "type": "batch",
        "time": max((event["time"] for event in events), default=None),
        "counts": counts,
        "streams": {kind: list(found) for kind, found in streams.items()},
        "keep": keep,
        **({"events": events} if details else {}),
        "meta": meta,
    }


def _make_uuid(events: list[Event], keep: list[str]) -> str:
    parts = [event["meta"]["uuid"] for event in events] + ([] if events else keep)
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))
