# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold events between the callbacks, which must be answered at once, and the rule engine, which may be busy."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import islice

from .batch import count_fitting
from .event import Event
from .seen import Seen
from .spool import Entry, Spool

MAX_EVENTS = 10_000
ACCEPTED, REPEATED, FULL = "accepted", "duplicates", "full"


class Buffer:
    """A bounded queue between two threads, with a spool if there is one.

    `wake` is called from the thread that stores an event. Events are kept until `remove`.
    """

    def __init__(self, wake: Callable[[], None], spool: Spool | None = None, size: int = MAX_EVENTS) -> None:
        self._wake = wake
        self._spool = spool
        self._size = size
        self._seen = Seen()
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def replay(self, now: float) -> int:
        """Take over the events of an earlier process; return their number."""
        if not self._spool:
            return 0
        entries = self._spool.replay(now)
        for received, event in entries:
            self._seen.is_repeated(event, received)
            self._entries.append((received, event))
        return len(entries)

    def store(self, event: Event, now: float) -> str:
        """Store an event; return `accepted`, `duplicates` if it is a repeated one, or `full`."""
        with self._lock:
            if len(self._entries) >= self._size:
                return FULL
            if self._seen.is_repeated(event, now):
                return REPEATED
            if not self._write((now, event)):
                self._seen.forget(event)
                return FULL
            self._entries.append((now, event))
        self._wake()
        return ACCEPTED

    def peek(self) -> list[Entry]:
        """Return the next events, as many as fit in a batch."""
        with self._lock:
            count = count_fitting(event for _received, event in self._entries)
            return list(islice(self._entries, count))

    def remove(self, count: int, now: float) -> None:
        """Remove the first events, which have been forwarded."""
        with self._lock:
            for _number in range(count):
                self._entries.popleft()
            if self._spool:
                self._spool.mark_forwarded(count, now)
                self._spool.prune(now)

    def prune(self, now: float) -> None:
        """Delete files that are no longer needed."""
        if self._spool:
            with self._lock:
                self._spool.prune(now)

    def _write(self, entry: Entry) -> bool:
        if not self._spool:
            return True
        try:
            return self._spool.append(entry)
        except OSError:
            return False
