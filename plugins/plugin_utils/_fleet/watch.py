# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching by the domain: one read of a list serves every stream that waits for something in it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from ...module_utils._api.live import Live
from ...module_utils._api.models import NotifyEvent, Scope, Stream, TimeWindow
from ...module_utils._errors import EndpointUnusable, LiveError, NotSent

Answer = Callable[..., None]
AWAY = "away"
OVERLAP = timedelta(minutes=1)  # by which reads of the notify log overlap, because events may be shown late
MAX_INTERVAL = 5.0  # seconds between reads of the notify log where somebody needs to know what became of a command


class Scheduler(Protocol):
    """The engine, as a watch needs it."""

    clock: Any
    pool: Any
    interval: float

    def after(self, seconds: float, call: Callable[[], None]) -> None: ...

    def at(self, moment: float, call: Callable[[], None]) -> None: ...


class _Reader:
    """Reads something in a thread whenever somebody waits for it, at most once in each interval."""

    def __init__(self, engine: Scheduler) -> None:
        self._engine = engine
        self._last = float("-inf")
        self._fresh_until = float("-inf")
        self._planned: float | None = None  # when the next read is, None where none is planned
        self._reading = False

    @property
    def _is_fresh(self) -> bool:
        return self._engine.clock.monotonic() < self._fresh_until

    def _is_awaited(self) -> bool:
        raise NotImplementedError

    def _prepare(self) -> Callable[[], Any]:
        """Return what to do in a thread, which must touch nothing that the deciding thread changes."""
        raise NotImplementedError

    def _took(self, found: Any) -> None:
        raise NotImplementedError

    def _failed(self, error: LiveError) -> None:
        raise NotImplementedError

    def _interval(self) -> float:
        return self._engine.interval

    def plan(self) -> None:
        """Read as soon as the interval allows, unless that is planned already."""
        now = self._engine.clock.monotonic()
        at = max(now, self._last + self._interval())
        if not self._reading and (self._planned is None or at < self._planned):
            self._planned = at
            self._engine.after(at - now, lambda: self._go(at))

    def _go(self, at: float) -> None:
        if at != self._planned:
            return  # another read was planned in its place
        self._planned = None
        if self._is_awaited():
            self._last = self._engine.clock.monotonic()
            self._reading = True
            self._engine.pool.submit(self._prepare(), self._done)

    def _done(self, found: Any, error: BaseException | None) -> None:
        self._reading = False
        if error is None:
            self._fresh_until = self._last + self._engine.interval
            self._took(found)
        elif isinstance(error, LiveError):
            self._failed(error)
        else:
            what = f"The list of a domain could not be read: {type(error).__name__}"
            self._failed(LiveError(what, "Report it as a bug of the collection."))
        if self._is_awaited():
            self.plan()


class _Waiting(NamedTuple):
    """A stream that waits for a list of what is being pushed.

    `judge` is given the time of its push and whether there is one, and returns the answer, None to wait for the next
    list. After `until`, by the monotonic clock, the stream waits for no further list.
    """

    stream: Stream
    answer: Answer
    judge: Callable[[str | None, bool], bool | None]
    until: float


class PushWatch(_Reader):
    """Which streams of a domain are being pushed, and since when."""

    def __init__(self, engine: Scheduler, live: Live, domain: str) -> None:
        super().__init__(engine)
        self._live = live
        self._domain = domain
        self._waiting: dict[object, _Waiting] = {}
        self._pushes: dict[Stream, str] | None = None

    def read(self, stream: Stream, answer: Answer) -> None:
        """Answer with whether a stream is being pushed, as it was at most an interval ago."""
        if self._pushes is not None and self._is_fresh:
            answer(stream in self._pushes)
            return
        self._add(_Waiting(stream, answer, lambda _pushed, online: online, until=float("-inf")))

    def await_push(self, stream: Stream, until: float, answer: Answer) -> None:
        """Answer with True when a stream is being pushed, with False at the first list after a moment.

        The moment is one of the monotonic clock.
        """
        if until <= self._engine.clock.monotonic():
            answer(False)
            return

        def judge(_pushed: str | None, online: bool) -> bool | None:
            return online if online or self._engine.clock.monotonic() >= until else None

        self._add(_Waiting(stream, answer, judge, until))

    def await_new_push(self, member: Any, until: float, answer: Answer) -> None:
        """Answer with True when a push has begun anew, with False at a moment of the wall clock.

        A push is new to a stream that was away, one that began at another time than that which was seen before, and
        where none was seen, one that began after the last command.
        """

        def judge(pushed: str | None, online: bool) -> bool | None:
            known, member.push = member.push, pushed if online and pushed is not None else AWAY
            is_new = (pushed or "") >= member.commanded() if known is None else known != pushed
            return True if online and is_new else None

        key = self._add(_Waiting(member.stream, answer, judge, until=float("inf")))
        self._engine.at(until, lambda: self._give_up(key))

    def _add(self, waiting: _Waiting) -> object:
        key = object()
        self._waiting[key] = waiting
        self.plan()
        return key

    def _give_up(self, key: object) -> None:
        found = self._waiting.pop(key, None)
        if found:
            found.answer(False)

    def _is_awaited(self) -> bool:
        return bool(self._waiting)

    def _prepare(self) -> Callable[[], dict[Stream, str]]:
        return self._read

    def _read(self) -> dict[Stream, str]:
        rows = self._live.online_streams(self._domain)
        return {
            Stream(self._domain, str(row["app_name"]), str(row["stream_name"])): str(row.get("publish_time") or "")
            for row in rows
            if row.get("app_name") and row.get("stream_name")
        }

    def _took(self, found: dict[Stream, str]) -> None:
        self._pushes = found
        for key, waiting in list(self._waiting.items()):
            value = waiting.judge(found.get(waiting.stream), waiting.stream in found)
            if value is not None and key in self._waiting:
                del self._waiting[key]
                waiting.answer(value)

    def _failed(self, error: LiveError) -> None:
        """End the waiting of all where the list is refused, else of those that have no time left for another one."""
        self._pushes = None
        now = self._engine.clock.monotonic()
        for key, waiting in list(self._waiting.items()):
            if (not error.retryable or waiting.until <= now) and key in self._waiting:
                del self._waiting[key]
                waiting.answer(error=copy.copy(error))


class LogWatch(_Reader):
    """The notify log of a domain: all of it once, and from then on what came since.

    For so many seconds, `patience`, who needs to know what became of a command waits for a read that does not fail.
    """

    def __init__(self, engine: Scheduler, live: Live, domain: str, patience: float = 0.0) -> None:
        super().__init__(engine)
        self._live = live
        self._domain = domain
        self._patience = patience
        self._events: dict[Stream, list[NotifyEvent]] | None = None
        self._read_at: datetime | None = None
        self._unreachable: LiveError | None = None
        self.readers: list[tuple[Stream, float, Answer]] = []
        self._polls: dict[object, tuple[Stream, datetime, Answer]] = {}

    def read(self, stream: Stream, answer: Answer, fresh: bool = False) -> None:
        """Answer with all events of a stream, as they were at most an interval ago, or as they are from now on."""
        if self._is_fresh and not fresh:
            if self._unreachable:
                answer(error=copy.copy(self._unreachable))
                return
            if self._events is not None:
                answer(list(self._events.get(stream, ())))
                return
        self.readers.append((stream, self._engine.clock.monotonic() if fresh else float("-inf"), answer))
        self.plan()

    def _interval(self) -> float:
        """Return the interval; where somebody needs what is newer, a long one does not hold up the end of a run."""
        is_urgent = any(not_before > float("-inf") for _stream, not_before, _answer in self.readers)
        return min(self._engine.interval, MAX_INTERVAL) if is_urgent else self._engine.interval

    def count_readers(self) -> int:
        """Return how many streams wait for the events so far, without those that wait for what is newer."""
        return sum(not_before == float("-inf") for _stream, not_before, _answer in self.readers)

    def poll(self, stream: Stream, since: datetime, until: float, answer: Answer) -> None:
        """Answer with a stream's events of the next read from `since` on, with None at a moment that comes first."""
        if until <= self._engine.clock.monotonic():
            answer(None)
            return
        key = object()
        self._polls[key] = (stream, since, answer)
        self._engine.after(until - self._engine.clock.monotonic(), lambda: self._give_up(key))
        self.plan()

    def _give_up(self, key: object) -> None:
        found = self._polls.pop(key, None)
        if found:
            found[2](None)

    def _is_awaited(self) -> bool:
        return bool(self.readers or self._polls)

    def _prepare(self) -> Callable[[], tuple[datetime | None, datetime, list[NotifyEvent]]]:
        """Read from the earliest time that anybody asks for; all that is kept where it was never read."""
        whole = bool(self.readers) and self._read_at is None
        starts = [since for _stream, since, _answer in self._polls.values()]
        if self._read_at:
            starts.append(self._read_at - OVERLAP)
        return lambda: self._read(None if whole else min(starts))

    def _read(self, start: datetime | None) -> tuple[datetime | None, datetime, list[NotifyEvent]]:
        scope, now = Scope(self._domain), self._live.now()
        return start, now, self._live.notify_events(scope, TimeWindow(start, now) if start else None)

    def _took(self, found: tuple[datetime | None, datetime, list[NotifyEvent]]) -> None:
        start, read_at, rows = found
        self._merge(start, read_at, rows)
        fresh: dict[Stream, list[NotifyEvent]] = {}
        for row in rows:
            if row.stream:
                fresh.setdefault(row.stream, []).append(row)
        readers, self.readers = self.readers, []
        polls, self._polls = self._polls, {}
        for stream, not_before, answer in readers:
            if self._events is None or self._last < not_before:
                self.readers.append((stream, not_before, answer))
            else:
                answer(list(self._events.get(stream, ())))
        for stream, since, answer in polls.values():
            if start is not None and since < start:
                self._polls[object()] = (stream, since, answer)
            else:
                answer([row for row in fresh.get(stream, ()) if row.time is None or row.time >= since])

    def _merge(self, start: datetime | None, read_at: datetime, rows: list[NotifyEvent]) -> None:
        """Put what was read in the place of what was known of the same time."""
        if start is not None and self._events is None:
            return
        before = self._events or {}
        merged = {
            stream: kept
            for stream, events in before.items()
            if (kept := [row for row in events if start and row.time and row.time < start])
        }
        for row in rows:
            if row.stream:
                merged.setdefault(row.stream, []).append(row)
        self._events, self._read_at, self._unreachable = merged, read_at, None

    def _failed(self, error: LiveError) -> None:
        """Not being able to read the log is an answer for who asked once, and for who polls a look that failed.

        It is none yet for who needs what is newer, where another read may go well.
        """
        if isinstance(error, (NotSent, EndpointUnusable)):
            # Found once for all: those who ask next need not wait for the same.
            self._unreachable = error
            self._fresh_until = self._engine.clock.monotonic() + self._engine.interval
        readers, self.readers = self.readers, []
        polls, self._polls = self._polls, {}
        for stream, not_before, answer in readers:
            if error.retryable and self._engine.clock.monotonic() < not_before + self._patience:
                self.readers.append((stream, not_before, answer))
            else:
                answer(error=copy.copy(error))
        for _stream, _since, answer in polls.values():
            answer(error=copy.copy(error))
