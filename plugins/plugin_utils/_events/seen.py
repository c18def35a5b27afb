# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognize repeated callbacks."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from .event import STATUS, Event

MAX_SEEN = 50_000
REPEAT_SECONDS = 45  # the cloud tries six times, waits 5 s for each response, and 1 s between


class Seen:
    """The events of the last time, by which repeated ones are recognized.

    A status event without a time of its own has another one each time it is repeated. It counts as a repetition if the
    stream's last status event was of the same type and at most 45 seconds earlier: no recording begins twice without
    an end between.
    """

    def __init__(self, size: int = MAX_SEEN) -> None:
        self._size = size
        self._uuids: OrderedDict[str, None] = OrderedDict()
        self._last: OrderedDict[tuple[str, bool], tuple[str, float]] = OrderedDict()

    def is_repeated(self, event: Event, now: float) -> bool:
        """Return whether the event was seen before, and remember it."""
        key = event["meta"]["uuid"]
        repeated = key in self._uuids
        self._uuids[key] = None
        self._trim(self._uuids)
        return self._is_same_status(event, now) or repeated

    def forget(self, event: Event) -> None:
        """Forget an event that could not be stored, so that its repetition is accepted."""
        self._uuids.pop(event["meta"]["uuid"], None)
        self._last.pop(_subject(event), None)

    def _is_same_status(self, event: Event, now: float) -> bool:
        if event["type"] not in STATUS:
            return False
        subject = _subject(event)
        kind, at = self._last.get(subject, ("", 0.0))
        if kind == event["type"] and "time" not in event["raw"] and now - at <= REPEAT_SECONDS:
            return True
        self._last[subject] = (event["type"], now)
        self._last.move_to_end(subject)
        self._trim(self._last)
        return False

    def _trim(self, entries: OrderedDict[Any, Any]) -> None:
        while len(entries) > self._size:
            entries.popitem(last=False)


def _subject(event: Event) -> tuple[str, bool]:
    """Return what a status event is about: the recording or the push of a stream."""
    return event["stream_id"], event["type"].startswith("record_")
