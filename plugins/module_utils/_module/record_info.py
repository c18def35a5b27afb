# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options and the operation of the module apsaravideo_record_info."""

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

DEFAULT_PERIOD = timedelta(hours=24)


def operate(task: Task) -> dict[str, Any]:
    """Gather information about streams, and return the result; raise LiveError if it cannot be read."""
    options = task.options
    scope = Scope.from_names(options["domain_name"], options["app_name"], options["stream_name"])
    query = None if options["query"] is None else Query("query", options["query"])
    plan = _make_plan(task)
    streams = _gather(task, task.open_live(), scope, plan)
    result = {} if query is None else {"result": query.search(streams)}
    return {"changed": False, "streams": streams, **result}


class _Plan(NamedTuple):
    """The parts to gather, and the windows of callbacks, and of tasks and files. `to_now`: the windows end now."""

    parts: frozenset[str]
    events: TimeWindow
    recordings: TimeWindow
    to_now: bool

    def until(self, now: datetime) -> _Plan:
        """Return the plan with windows that end now by the cloud's clock, if they end now."""
        if not self.to_now:
            return self
        return self._replace(events=self.events._replace(end=now), recordings=self.recordings._replace(end=now))


class _Log(NamedTuple):
    """Callbacks by stream, or the reason why they could not be read."""

    events: dict[Stream, list[NotifyEvent]]
    problem: str = ""


def _make_plan(task: Task) -> _Plan:
    """Return the plan for the options; raise InvalidOption for invalid times, and warn of those that are too old."""
    parts = frozenset(task.options["gather"])
    now = _to_datetime(task.clock.now())
    window = _parse_window(task, now)
    events = recordings = window
    if EVENTS in parts:
        events = _limit(task, window, now - NOTIFY_LOG_KEPT, "the notify log goes back 7 days")
    if parts & {TASKS, FILES}:
        recordings = _limit(task, window, now - RECORDINGS_KEPT, "what was recorded is listed for about 6 months")
    return _Plan(parts, events, recordings, window.end == now)


def _to_datetime(epoch: float) -> datetime:
    return datetime.fromtimestamp(int(epoch), timezone.utc)


def _parse_window(task: Task, now: datetime) -> TimeWindow:
    """Return the window from `start_time` to `end_time`, but not beyond now."""
    start, end = (_parse_time(task, option) for option in ("start_time", "end_time"))
    last, name = (end, f"end_time, {format_time(end)}") if end and end < now else (now, "now")
    if start and start >= last:
        raise InvalidOption(
            f"The option start_time is {format_time(start)}, which is not before {name}",
            "Give a start_time that is earlier.",
        )
    return TimeWindow(start or last - DEFAULT_PERIOD, last)


def _parse_time(task: Task, option: str) -> datetime | None:
    text = task.options[option]
    return None if text is None else _to_datetime(Instant.parse(option, text, task.clock.now()).epoch)


def _limit(task: Task, window: TimeWindow, oldest: datetime, reason: str) -> TimeWindow:
    """Return the part of a window for which the cloud still has data; warn if that is not all of it."""
    if window.end <= oldest:
        raise InvalidOption(f"The option end_time is {format_time(window.end)}, and {reason}", "Ask for a later time.")
    if window.start >= oldest:
        return window
    task.warnings.append(f"Nothing from before {format_time(oldest)} is returned: {reason}.")
    return window._replace(start=oldest)


def _gather(task: Task, live: Live, scope: Scope, plan: _Plan) -> list[dict[str, Any]]:
    """Read the parts of the plan, and return one entry for each stream, sorted by name."""
    # This call comes first because the Date of its response sets the time up to which the log is read.
    online = _read_online(live, scope)
    plan = plan.until(live.now())
    log = _read_log(task, live, scope, plan, bool(online))
    configs = live.record_configs(scope.domain_name) if CONFIG in plan.parts else []
    recent = _select_events(log, plan.events) if EVENTS in plan.parts else {}
    streams = {*online, *recent, *([scope.stream] if scope.stream else [])}
    gatherers: dict[str, Callable[[Stream], Any]] = {
        INGEST_TYPE: lambda stream: (
            _find_ingest_type(online.get(stream)) or (live.ingest_type(stream) if stream in online else None)
        ),
        CONFIG: lambda stream: record_config.find_best_config(configs, stream),
        TASKS: lambda stream: _read_if_present(live.record_tasks, stream, plan.recordings),
        FILES: lambda stream: _read_if_present(live.index_files, stream, plan.recordings),
        EVENTS: lambda stream: recent.get(stream, []),
    }
    return [
        {
            **_describe_state(stream, online.get(stream), log, plan),
            **{part: gatherer(stream) for part, gatherer in gatherers.items() if part in plan.parts},
        }
        for stream in sorted(streams)
    ]


def _read_online(live: Live, scope: Scope) -> dict[Stream, dict[str, Any]]:
    """Return the streams that are being pushed; if a stream is listed twice, its newest push counts."""
    rows = live.online_streams(*scope)
    rows.sort(key=lambda row: str(row.get("publish_time")))
    return {
        Stream(scope.domain_name, row["app_name"], row["stream_name"]): row
        for row in rows
        if row.get("app_name") and row.get("stream_name")
    }


def _read_log(task: Task, live: Live, scope: Scope, plan: _Plan, any_online: bool) -> _Log:
    """Return the notify log as far as it is needed: all of it for the states, else the window of the events.

    For the states it is only a hint, so a failure to read it is a warning.
    """
    shows_states = STATE in plan.parts and any_online
    if not shows_states and EVENTS not in plan.parts:
        return _Log({})
    try:
        events = live.notify_events(scope, None if shows_states else plan.events)
    except (ApiError, ResponseLost) as error:
        if EVENTS in plan.parts:
            raise
        task.warnings.append(f"The notify log could not be read: {error}")
        return _Log({}, f"the notify log could not be read: {error.happened}")
    found: dict[Stream, list[NotifyEvent]] = {}
    for event in events:
        if event.stream:
            found.setdefault(event.stream, []).append(event)
    return _Log(found)


def _select_events(log: _Log, window: TimeWindow) -> dict[Stream, list[dict[str, Any]]]:
    """Return the callbacks of a window by stream, sorted by time and then by content."""
    found: dict[Stream, list[dict[str, Any]]] = {}
    for stream, events in log.events.items():
        rows = [_format_event(event) for event in events if window.contains(event.time)]
        if rows:
            found[stream] = sorted(rows, key=lambda row: (row["time"], str(row)))
    return found


def _describe_state(stream: Stream, online: dict[str, Any] | None, log: _Log, plan: _Plan) -> dict[str, Any]:
    published = (online or {}).get("publish_time")
    if STATE not in plan.parts:
        evidence = Evidence(recording_state.UNKNOWN, "state was not gathered")
    elif log.problem:
        evidence = Evidence(recording_state.UNKNOWN, log.problem)
    else:
        evidence = recording_state.infer_state(log.events.get(stream, []), parse_time(published))
    found = recording_state.override_if_offline(online is not None, evidence)
    return {
        **stream._asdict(),
        "online": online is not None,
        "publish_time": published,
        "ingest_type": _find_ingest_type(online),
        "recording": found.state,
        "state_source": found.source,
        "recording_since": format_time(found.since)
        if found.since and found.state == recording_state.RECORDING
        else None,
        "reason": found.reason or None,
    }


def _find_ingest_type(online: dict[str, Any] | None) -> str | None:
    """Return the ingest type from the list of online streams, None if that has none; its values are not documented."""
    return parse_ingest_type((online or {}).get("publish_type"))


def _read_if_present(
    read: Callable[[Stream, TimeWindow], list[dict[str, Any]]], stream: Stream, window: TimeWindow
) -> list[dict[str, Any]]:
    """Return the recordings of a stream, none if the cloud does not know the stream."""
    try:
        return read(stream, window)
    except ApiError as error:
        if recording_meaning(error.code) == STREAM_ABSENT:
            return []
        raise


def _format_event(event: NotifyEvent) -> dict[str, Any]:
    return {
        "time": format_time(event.time) if event.time else None,
        "type": event.type,
        "storage_type": event.storage_type,
        "delivered": event.delivered,
        "content": event.content,
    }
