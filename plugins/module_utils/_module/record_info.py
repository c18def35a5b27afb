# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation of the module apsaravideo_record_info: what is known about the recording of streams."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from .._api.error_codes import STREAM_ABSENT, recording_meaning
from .._api.live import NOTIFY_LOG_KEPT, RECORDINGS_KEPT, Live
from .._api.models import NotifyEvent, Scope, Stream, TimeWindow, format_time, parse_time
from .._api.rows import parse_ingest_type
from .._domain import record_config, recording_state
from .._domain.recording_state import Evidence
from .._errors import ApiError, InvalidOption, ResponseLost
from .._util.instant import Instant
from .._util.query import Query
from . import argspec
from .task import Task

STATE, INGEST_TYPE, CONFIG, TASKS, FILES, EVENTS = "state", "ingest_type", "config", "tasks", "files", "events"

SPEC = argspec.Spec(
    {
        "domain_name": argspec.STREAM["domain_name"],
        "app_name": {**argspec.STREAM["app_name"], "required": False},
        "stream_name": {**argspec.STREAM["stream_name"], "required": False},
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": [STATE, INGEST_TYPE, CONFIG, TASKS, FILES, EVENTS],
            "default": [STATE],
        },
        "start_time": {"type": "str"},
        "end_time": {"type": "str"},
        "query": {"type": "str"},
        **argspec.CONNECTION,
    },
    {"required_by": {"stream_name": ["app_name"]}},
)

_DEFAULT_SPAN = timedelta(hours=24)


def operate(task: Task) -> dict[str, Any]:
    """The result of one run; raises LiveError where what was asked for cannot be read."""
    options = task.options
    scope = Scope.from_names(options["domain_name"], options["app_name"], options["stream_name"])
    query = None if options["query"] is None else Query("query", options["query"])
    gather = _Gather.of(task)
    streams = _streams(task, task.live(), scope, gather)
    result = {} if query is None else {"result": query.search(streams)}
    return {"changed": False, "streams": streams, **result}


class _Gather(NamedTuple):
    """What to gather, and of which time: callbacks, and tasks and files. `to_now`: that ends with the present."""

    wanted: frozenset[str]
    events: TimeWindow
    recordings: TimeWindow
    to_now: bool

    @classmethod
    def of(cls, task: Task) -> _Gather:
        """Raises InvalidOption for times that cannot be asked for; warns of those that are no longer kept."""
        wanted = frozenset(task.options["gather"])
        now = _moment(task.clock.now())
        window = _window(task, now)
        events = recordings = window
        if EVENTS in wanted:
            events = _kept(task, window, now - NOTIFY_LOG_KEPT, "the notify log goes back 7 days")
        if wanted & {TASKS, FILES}:
            recordings = _kept(task, window, now - RECORDINGS_KEPT, "what was recorded is listed for about 6 months")
        return cls(wanted, events, recordings, window.end == now)

    def until(self, now: datetime) -> _Gather:
        """The same by the cloud's clock."""
        if not self.to_now:
            return self
        return self._replace(events=self.events._replace(end=now), recordings=self.recordings._replace(end=now))


class _Log(NamedTuple):
    """Callbacks by stream, or why they could not be read."""

    events: dict[Stream, list[NotifyEvent]]
    problem: str = ""


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(int(epoch), timezone.utc)


def _window(task: Task, now: datetime) -> TimeWindow:
    """From `start_time` to `end_time`, or to now where that is earlier: nothing that is asked for lies ahead."""
    start, end = (_given(task, option) for option in ("start_time", "end_time"))
    last, name = (end, f"end_time, {format_time(end)}") if end and end < now else (now, "now")
    if start and start >= last:
        raise InvalidOption(
            f"The option start_time is {format_time(start)}, which is not before {name}",
            "Give a start_time that is earlier.",
        )
    return TimeWindow(start or last - _DEFAULT_SPAN, last)


def _given(task: Task, option: str) -> datetime | None:
    text = task.options[option]
    return None if text is None else _moment(Instant.parse(option, text, task.clock.now()).epoch)


def _kept(task: Task, window: TimeWindow, oldest: datetime, why: str) -> TimeWindow:
    """The part of a window of which there can be something."""
    if window.end <= oldest:
        raise InvalidOption(f"The option end_time is {format_time(window.end)}, and {why}", "Ask for a later time.")
    if window.start >= oldest:
        return window
    task.warnings.append(f"Nothing from before {format_time(oldest)} is returned: {why}.")
    return window._replace(start=oldest)


def _streams(task: Task, live: Live, scope: Scope, gather: _Gather) -> list[dict[str, Any]]:
    """What was gathered, in the order of the names."""
    # This first: the Date of the answer tells up to when to read the log.
    online = _online(live, scope)
    gather = gather.until(live.now())
    log = _log(task, live, scope, gather, bool(online))
    configs = live.record_configs(scope.domain_name) if CONFIG in gather.wanted else []
    recent = _recent(log, gather.events) if EVENTS in gather.wanted else {}
    names = {*online, *recent, *([scope.stream] if scope.stream else [])}
    gatherers: dict[str, Callable[[Stream], Any]] = {
        INGEST_TYPE: lambda stream: (
            _ingest_type(online.get(stream)) or (live.ingest_type(stream) if stream in online else None)
        ),
        CONFIG: lambda stream: record_config.find_best_config(configs, stream),
        TASKS: lambda stream: _of_stream(live.record_tasks, stream, gather.recordings),
        FILES: lambda stream: _of_stream(live.index_files, stream, gather.recordings),
        EVENTS: lambda stream: recent.get(stream, []),
    }
    return [
        {
            **_state(stream, online.get(stream), log, gather),
            **{name: gatherer(stream) for name, gatherer in gatherers.items() if name in gather.wanted},
        }
        for stream in sorted(names)
    ]


def _online(live: Live, scope: Scope) -> dict[Stream, dict[str, Any]]:
    """The streams that are being pushed; of one that is listed twice, the newest push."""
    rows = live.online_streams(*scope)
    rows.sort(key=lambda row: str(row.get("publish_time")))
    return {
        Stream(scope.domain_name, row["app_name"], row["stream_name"]): row
        for row in rows
        if row.get("app_name") and row.get("stream_name")
    }


def _log(task: Task, live: Live, scope: Scope, gather: _Gather, any_online: bool) -> _Log:
    """The notify log, as far as it is needed: whole to tell states, which is a hint, else the events asked for."""
    tells_states = STATE in gather.wanted and any_online
    if not tells_states and EVENTS not in gather.wanted:
        return _Log({})
    try:
        events = live.notify_events(scope, None if tells_states else gather.events)
    except (ApiError, ResponseLost) as error:
        if EVENTS in gather.wanted:
            raise
        task.warnings.append(f"The notify log could not be read: {error}")
        return _Log({}, f"the notify log could not be read: {error.happened}")
    found: dict[Stream, list[NotifyEvent]] = {}
    for event in events:
        if event.stream:
            found.setdefault(event.stream, []).append(event)
    return _Log(found)


def _recent(log: _Log, window: TimeWindow) -> dict[Stream, list[dict[str, Any]]]:
    """The callbacks of a window by stream, in an order that does not depend on that of the log."""
    found: dict[Stream, list[dict[str, Any]]] = {}
    for stream, events in log.events.items():
        rows = [_event(event) for event in events if window.contains(event.time)]
        if rows:
            found[stream] = sorted(rows, key=lambda row: (row["time"], str(row)))
    return found


def _state(stream: Stream, online: dict[str, Any] | None, log: _Log, gather: _Gather) -> dict[str, Any]:
    published = (online or {}).get("publish_time")
    if STATE not in gather.wanted:
        seen = Evidence(recording_state.UNKNOWN, "state was not gathered")
    elif log.problem:
        seen = Evidence(recording_state.UNKNOWN, log.problem)
    else:
        seen = recording_state.infer_state(log.events.get(stream, []), parse_time(published))
    found = recording_state.override_if_offline(online is not None, seen)
    return {
        **stream._asdict(),
        "online": online is not None,
        "publish_time": published,
        "ingest_type": _ingest_type(online),
        "recording": found.state,
        "state_source": found.source,
        "recording_since": format_time(found.since)
        if found.since and found.state == recording_state.RECORDING
        else None,
        "reason": found.reason or None,
    }


def _ingest_type(online: dict[str, Any] | None) -> str | None:
    """Return how a stream comes in as far as the list of what is online says; which values it has is not documented."""
    return parse_ingest_type((online or {}).get("publish_type"))


def _of_stream(
    read: Callable[[Stream, TimeWindow], list[dict[str, Any]]], stream: Stream, window: TimeWindow
) -> list[dict[str, Any]]:
    """What was recorded of a stream: nothing where the cloud knows no such stream."""
    try:
        return read(stream, window)
    except ApiError as error:
        if recording_meaning(error.code) == STREAM_ABSENT:
            return []
        raise


def _event(event: NotifyEvent) -> dict[str, Any]:
    return {
        "time": format_time(event.time) if event.time else None,
        "type": event.type,
        "storage_type": event.storage_type,
        "delivered": event.delivered,
        "content": event.content,
    }
