# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which streams should be recorded again: those whose push begins anew, unless somebody stopped their recording.

The cloud does not say why a recording paused. A recording pauses with its push; one that pauses while the push goes on
was stopped by a command, whoever sent it and from wherever.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from .event import OFFLINE, ONLINE, PAUSED, RESUMED, STARTED, STATUS, Event, parse_event_time

MAX_STREAMS = 50_000
# A push without data is cut after 10 s, and the two callbacks of its end come in any order.
END_SECONDS = 15.0
BURST = 10  # new pushes of one stream that are answered at once
REFILL_SECONDS = 20.0  # after which another one is
MIN_SPACING = 2.0


@dataclass
class _Stream:
    was_stopped: bool = False
    paused_at: float | None = None
    due: float | None = None  # when to start it, None if there is nothing to do
    tokens: float = BURST
    refilled_at: float = float("-inf")
    # When these last happened, by the times in the events, which come in any order.
    pushed: float = float("-inf")
    push_ended: float = float("-inf")
    recorded: float = float("-inf")
    paused: float = float("-inf")


class Keeper:
    """The state of each stream by the events of the last time."""

    def __init__(self, stopped: Iterable[str] = ()) -> None:
        self._streams: OrderedDict[str, _Stream] = OrderedDict()
        self._due: set[str] = set()
        for stream_id in stopped:
            self._find(stream_id).was_stopped = True

    def add(self, event: Event, now: float) -> None:
        """Take account of an event that was received at `now`."""
        kind, stream_id, time = event["type"], event["stream_id"], parse_event_time(event)
        if kind not in STATUS:
            return
        stream = self._find(stream_id)
        if kind == ONLINE and time >= stream.push_ended:
            stream.pushed = max(stream.pushed, time)
            self._begin(stream_id, now)
        elif kind == OFFLINE and time >= stream.pushed:
            stream.push_ended = max(stream.push_ended, time)
            self._end(stream_id, now)
        elif kind == PAUSED and time > stream.recorded:
            stream.paused = max(stream.paused, time)
            stream.paused_at = now
        elif kind in (STARTED, RESUMED) and time >= stream.paused:
            stream.recorded = max(stream.recorded, time)
            self._record(stream_id)

    def take_due(self, now: float) -> list[str]:
        """Return the streams to start now, each once."""
        due = sorted(stream_id for stream_id in self._due if (self._streams[stream_id].due or 0.0) <= now)
        for stream_id in due:
            stream = self._streams[stream_id]
            stream.tokens = max(0.0, stream.tokens - 1)
            self._cancel(stream_id)
        return due

    def next_due(self) -> float | None:
        """Return when the next stream is due, None if none is."""
        return min((self._streams[stream_id].due or 0.0 for stream_id in self._due), default=None)

    def stopped(self) -> list[str]:
        """Return the streams whose recording somebody has stopped, and nobody has started since."""
        return [stream_id for stream_id, stream in self._streams.items() if stream.was_stopped]

    def _begin(self, stream_id: str, now: float) -> None:
        stream = self._find(stream_id)
        stream.paused_at = None
        if stream.was_stopped:
            return
        passed = now - stream.refilled_at
        stream.tokens = min(BURST, stream.tokens + passed / REFILL_SECONDS)
        wait = 0.0 if passed > MIN_SPACING else MIN_SPACING
        stream.refilled_at = now
        stream.due = now + max(wait, (1 - stream.tokens) * REFILL_SECONDS)
        self._due.add(stream_id)

    def _end(self, stream_id: str, now: float) -> None:
        stream = self._find(stream_id)
        if stream.paused_at is not None and now - stream.paused_at > END_SECONDS:
            stream.was_stopped = True
        stream.paused_at = None
        self._cancel(stream_id)

    def _record(self, stream_id: str) -> None:
        stream = self._find(stream_id)
        stream.was_stopped, stream.paused_at = False, None
        self._cancel(stream_id)

    def _cancel(self, stream_id: str) -> None:
        self._streams[stream_id].due = None
        self._due.discard(stream_id)

    def _find(self, stream_id: str) -> _Stream:
        stream = self._streams.setdefault(stream_id, _Stream())
        self._streams.move_to_end(stream_id)
        while len(self._streams) > MAX_STREAMS:
            oldest, _stream = self._streams.popitem(last=False)
            self._due.discard(oldest)
        return stream
