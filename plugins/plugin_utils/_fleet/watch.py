# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches of a domain's lists: one read of a list serves every stream that waits for something in it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ...module_utils._api.live import Live
from ...module_utils._api.models import NotifyEvent, Scope, Stream, TimeWindow
from ...module_utils._errors import EndpointUnusable, LiveError, NotSent
from .member import NOT_PUSHED, Member
from .scheduler import Scheduler

READ_OVERLAP = timedelta(minutes=1)  # between reads of the notify log, because events may be listed late
MAX_URGENT_INTERVAL = 5.0  # seconds between reads of the notify log that decide what became of a command

Callback = Callable[..., None]  # takes a result, or `error`


class _ListWatch:
    """A list that is read in the pool while somebody waits for it, at most once per interval."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._clock = scheduler.clock
        self._last_read = float("-inf")  # when the last read began, in monotonic seconds, as all times here
        self._fresh_until = float("-inf")
        self._next_read: float | None = None
        self._is_reading = False

    @property
    def _is_fresh(self) -> bool:
        return self._clock.monotonic() < self._fresh_until

    def _is_awaited(self) -> bool:
        raise NotImplementedError

    def _prepare(self) -> Callable[[], Any]:
        """Return the call to make in the pool; it must not touch state that the engine's thread changes."""
        raise NotImplementedError

    def _handle_result(self, result: Any) -> None:
        raise NotImplementedError

    def _handle_error(self, error: LiveError) -> None:
        raise NotImplementedError

    def _interval(self) -> float:
        return self._scheduler.interval

    def schedule_read(self) -> None:
        """Read as soon as the interval allows, unless a read is running or scheduled already."""
        now = self._clock.monotonic()
        at = max(now, self._last_read + self._interval())
        if not self._is_reading and (self._next_read is None or at < self._next_read):
            self._next_read = at
            self._scheduler.after(at - now, lambda: self._read_if_next(at))

    def _read_if_next(self, at: float) -> None:
        if at != self._next_read:
            return  # An earlier read was scheduled in its place.
        self._next_read = None
        if self._is_awaited():
            self._last_read = self._clock.monotonic()
            self._is_reading = True
            self._scheduler.pool.submit(self._prepare(), self._done)

    def _done(self, result: Any, error: BaseException | None) -> None:
        self._is_reading = False
        if error is None:
            self._fresh_until = self._last_read + self._scheduler.interval
            self._handle_result(result)
        elif isinstance(error, LiveError):
            self._handle_error(error)
        else:
            what = f"The list of a domain could not be read: {type(error).__name__}"
            self._handle_error(LiveError(what, "Report it as a bug of the collection."))
        if self._is_awaited():
            self.schedule_read()


class _Waiter(NamedTuple):
    """The wait of one stream's program for a change in the list of pushed streams.

    After each read of the list, `judge(push_time, is_pushed)` returns the result to call back with, or None to wait for
    the next list. If a read fails after `until`, in monotonic seconds, the error is called back.
    """

    stream: Stream
    callback: Callback
    judge: Callable[[str | None, bool], bool | None]
    until: float


class PushWatch(_ListWatch):
    """The streams of a domain that are being pushed, and the times at which their pushes began."""

    def __init__(self, scheduler: Scheduler, live: Live, domain: str) -> None:
        super().__init__(scheduler)
        self._live = live
        self._domain = domain
        self._waiters: dict[object, _Waiter] = {}
        self._pushes: dict[Stream, str] | None = None

    def read(self, stream: Stream, callback: Callback) -> None:
        """Call back with whether a stream is being pushed, from a list that is at most one interval old."""
        if self._pushes is not None and self._is_fresh:
            callback(stream in self._pushes)
            return
        self._add(_Waiter(stream, callback, lambda _pushed, online: online, until=float("-inf")))

    def await_push(self, stream: Stream, until: float, callback: Callback) -> None:
        """Call back with True once a stream is being pushed, or with False after the first list read after `until`.

        `until` is in monotonic seconds.
        """
        if until <= self._clock.monotonic():
            callback(False)
            return

        def judge(_push_time: str | None, is_pushed: bool) -> bool | None:
            return is_pushed if is_pushed or self._clock.monotonic() >= until else None

        self._add(_Waiter(stream, callback, judge, until))

    def await_new_push(self, member: Member, until: float, callback: Callback) -> None:
        """Call back with True once the member has a new push, or with False at `until`, in seconds since the epoch.

        A push is new if the member was not pushed before, or if it began at another time than the one seen before; if
        none was seen yet, it is new if it began after the last command.
        """

        def judge(push_time: str | None, is_pushed: bool) -> bool | None:
            known, member.push = member.push, push_time if is_pushed and push_time is not None else NOT_PUSHED
            is_new = (push_time or "") >= member.cloud_sent_at() if known is None else known != push_time
            return True if is_pushed and is_new else None

        key = self._add(_Waiter(member.stream, callback, judge, until=float("inf")))
        self._scheduler.at(until, lambda: self._give_up(key))

    def _add(self, waiter: _Waiter) -> object:
        key = object()
        self._waiters[key] = waiter
        self.schedule_read()
        return key

    def _give_up(self, key: object) -> None:
        waiter = self._waiters.pop(key, None)
        if waiter:
            waiter.callback(False)

    def _is_awaited(self) -> bool:
        return bool(self._waiters)

    def _prepare(self) -> Callable[[], dict[Stream, str]]:
        return self._read_pushes

    def _read_pushes(self) -> dict[Stream, str]:
        rows = self._live.online_streams(self._domain)
        return {
            Stream(self._domain, str(row["app_name"]), str(row["stream_name"])): str(row.get("publish_time") or "")
            for row in rows
            if row.get("app_name") and row.get("stream_name")
        }

    def _handle_result(self, result: dict[Stream, str]) -> None:
        self._pushes = result
        for key, waiter in list(self._waiters.items()):
            value = waiter.judge(result.get(waiter.stream), waiter.stream in result)
            if value is not None and key in self._waiters:
                del self._waiters[key]
                waiter.callback(value)

    def _handle_error(self, error: LiveError) -> None:
        """Pass the error to all waiters if it is final, otherwise to those that have no time left for another read."""
        self._pushes = None
        now = self._clock.monotonic()
        for key, waiter in list(self._waiters.items()):
            if (not error.retryable or waiter.until <= now) and key in self._waiters:
                del self._waiters[key]
                waiter.callback(error=copy.copy(error))


class _LogReader(NamedTuple):
    """A stream that waits for all of its events, from a read that begins at `not_before` or later."""

    stream: Stream
    not_before: float  # monotonic seconds
    callback: Callback


class _LogPoll(NamedTuple):
    """The wait of one stream's program for the next read of the log, of which it gets its events from `since` on."""

    stream: Stream
    since: datetime
    callback: Callback


class _LogRows(NamedTuple):
    """The notify log of a domain from `start` on, all of it if `start` is None, as it was at `read_at`."""

    start: datetime | None
    read_at: datetime
    events: list[NotifyEvent]


class LogWatch(_ListWatch):
    """The notify log of a domain, which is read completely once, and afterwards from the end of the last read.

    `patience` is the number of seconds for which a failed read is repeated for a stream that must have new events.
    """

    def __init__(self, scheduler: Scheduler, live: Live, domain: str, patience: float = 0.0) -> None:
        super().__init__(scheduler)
        self._live = live
        self._domain = domain
        self._patience = patience
        self._events: dict[Stream, list[NotifyEvent]] | None = None
        self._read_at: datetime | None = None
        self._unreachable: LiveError | None = None
        self._readers: list[_LogReader] = []
        self._polls: dict[object, _LogPoll] = {}

    def read(self, stream: Stream, callback: Callback, must_be_new: bool = False) -> None:
        """Call back once with the list of a stream's events.

        They are from the last read if that is at most one interval old and need not be new, else from the next read.
        """
        if self._is_fresh and not must_be_new:
            if self._unreachable:
                callback(error=copy.copy(self._unreachable))
                return
            if self._events is not None:
                callback(list(self._events.get(stream, ())))
                return
        not_before = self._clock.monotonic() if must_be_new else float("-inf")
        self._readers.append(_LogReader(stream, not_before, callback))
        self.schedule_read()

    def _interval(self) -> float:
        """Return the interval, shortened if a reader must have new events, because these hold up the end of a run."""
        is_urgent = any(reader.not_before > float("-inf") for reader in self._readers)
        interval = self._scheduler.interval
        return min(interval, MAX_URGENT_INTERVAL) if is_urgent else interval

    def count_readers(self) -> int:
        """Return how many streams wait for their events and accept those of a read that has begun."""
        return sum(reader.not_before == float("-inf") for reader in self._readers)

    def poll(self, stream: Stream, since: datetime, until: float, callback: Callback) -> None:
        """Call back with a stream's events since a time after the next read, or with None if `until` comes first.

        `until` is in monotonic seconds.
        """
        if until <= self._clock.monotonic():
            callback(None)
            return
        key = object()
        self._polls[key] = _LogPoll(stream, since, callback)
        self._scheduler.after(until - self._clock.monotonic(), lambda: self._give_up(key))
        self.schedule_read()

    def _give_up(self, key: object) -> None:
        poll = self._polls.pop(key, None)
        if poll:
            poll.callback(None)

    def _is_awaited(self) -> bool:
        return bool(self._readers or self._polls)

    def _prepare(self) -> Callable[[], _LogRows]:
        """Read from the earliest time that is needed, or the whole log if it was never read and a reader needs it."""
        needs_all = bool(self._readers) and self._read_at is None
        starts = [poll.since for poll in self._polls.values()]
        if self._read_at:
            starts.append(self._read_at - READ_OVERLAP)
        return lambda: self._read_log(None if needs_all else min(starts))

    def _read_log(self, start: datetime | None) -> _LogRows:
        scope, now = Scope(self._domain), self._live.now()
        return _LogRows(start, now, self._live.notify_events(scope, TimeWindow(start, now) if start else None))

    def _handle_result(self, result: _LogRows) -> None:
        self._merge(result)
        new_events: dict[Stream, list[NotifyEvent]] = {}
        for event in result.events:
            if event.stream:
                new_events.setdefault(event.stream, []).append(event)
        readers, self._readers = self._readers, []
        polls, self._polls = self._polls, {}
        for reader in readers:
            if self._events is None or self._last_read < reader.not_before:
                self._readers.append(reader)
            else:
                reader.callback(list(self._events.get(reader.stream, ())))
        for poll in polls.values():
            if result.start is not None and poll.since < result.start:
                self._polls[object()] = poll
            else:
                events = new_events.get(poll.stream, ())
                poll.callback([event for event in events if event.time is None or event.time >= poll.since])

    def _merge(self, result: _LogRows) -> None:
        """Replace the known events of the time that was read."""
        start = result.start
        if start is not None and self._events is None:
            return
        before = self._events or {}
        merged = {
            stream: kept
            for stream, events in before.items()
            if (kept := [event for event in events if start and event.time and event.time < start])
        }
        for event in result.events:
            if event.stream:
                merged.setdefault(event.stream, []).append(event)
        self._events, self._read_at, self._unreachable = merged, result.read_at, None

    def _handle_error(self, error: LiveError) -> None:
        """Pass the error to all polls, and to all readers but those that may wait for another read."""
        if isinstance(error, (NotSent, EndpointUnusable)):
            # Streams that read the log next need not wait for the same error.
            self._unreachable = error
            self._fresh_until = self._clock.monotonic() + self._scheduler.interval
        readers, self._readers = self._readers, []
        polls, self._polls = self._polls, {}
        for reader in readers:
            if error.retryable and self._clock.monotonic() < reader.not_before + self._patience:
                self._readers.append(reader)
            else:
                reader.callback(error=copy.copy(error))
        for poll in polls.values():
            poll.callback(error=copy.copy(error))
