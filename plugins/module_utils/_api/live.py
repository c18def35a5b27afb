# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of ApsaraVideo Live as typed calls."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from .._errors import ApiError, LiveError
from .attempts import Attempts
from .callback_calls import CallbackCalls
from .client import Client
from .error_codes import ACCEPTED, recording_meaning
from .models import (
    EARLIEST,
    LATEST,
    CommandResponse,
    IngestEvent,
    NotifyEvent,
    Push,
    RecordTask,
    RecordUsage,
    Scope,
    Stream,
    TimeWindow,
    parse_time,
)
from .operations import (
    ADD_RECORD_CONFIG,
    DELETE_RECORD_CONFIG,
    INDEX_FILES,
    INGEST_RECORDS,
    NOTIFY_RECORDS,
    ONLINE_STREAMS,
    PUBLISH_LIST,
    RECORD_COMMAND,
    RECORD_CONFIGS,
    RECORD_CONTENTS,
    RECORD_USAGE,
    STREAM_STATE,
    UPDATE_RECORD_CONFIG,
)
from .rows import (
    CONFIG_FIELDS,
    FILE_FIELDS,
    TASK_FIELDS,
    UNCHANGEABLE,
    build_config_parameters,
    parse_ingest_event,
    parse_ingest_type,
    parse_notify_event,
    parse_online_stream,
    parse_push,
    parse_record_config,
    parse_record_usage,
    rename_fields,
)

_MAX_TOLERATED_SKEW = timedelta(minutes=15)  # with which the cloud still accepts requests
# As far back as DescribeLiveRecordNotifyRecords reads, whichever of the clocks is ahead.
NOTIFY_LOG_KEPT = timedelta(days=7) - _MAX_TOLERATED_SKEW
_BAD_WINDOW = re.compile("(Invalid|Malformed)(Param|StartTime|EndTime|Time|Date)")
# As far back as DescribeLiveStreamRecordContent and -IndexFiles read: 6 months, and no six are shorter than 181 days.
RECORDINGS_KEPT = timedelta(days=180)
MAX_WINDOW = timedelta(days=4)  # of these two operations
MAX_PUBLISH_WINDOW = timedelta(days=30)  # of DescribeLiveStreamsPublishList
_MIN_SKEW_CHANGE = 1.0  # seconds, because times of the API are whole seconds


class CommandAttempts:
    """The attempts of one RealTimeRecordCommand."""

    def __init__(self, client: Client, parameters: dict[str, str]) -> None:
        self._client = client
        self._attempts = Attempts(client, RECORD_COMMAND, parameters)
        self._began: float | None = None

    def run(self) -> CommandResponse:
        """Make attempts until there is a response, and wait between them; raises the LiveError of the last one."""
        while True:
            try:
                return self.make()
            except LiveError as error:
                self._client.wait(self.pause_after(error))

    def make(self) -> CommandResponse:
        """Make one attempt; raises its LiveError unless the error code has a meaning for the recording."""
        if self._began is None:
            self._began = max(self._client.clock.now(), self._client.timing.not_before)
        try:
            self._attempts.make()
        except LiveError as error:
            failure = _with_effect(error)
            meaning = recording_meaning(failure.code)
            if not isinstance(failure, ApiError) or not meaning:
                raise failure from error.__cause__
            return CommandResponse(meaning, failure, self._attempts.lost_at)
        # The Date of the response tells how the clocks differ.
        sent = _to_utc(self._client.account.cloud_clock.earliest_at(self._began))
        return CommandResponse(ACCEPTED, None, self._attempts.lost_at, sent)

    @property
    def was_lost(self) -> bool:
        """Return whether an attempt may have taken effect whose response was lost."""
        return self._attempts.was_lost

    def pause_after(self, error: LiveError) -> float:
        """Return the seconds to wait before the next attempt; raises the error where there is none."""
        try:
            return self._attempts.pause_after(error)
        except LiveError as final:
            raise _with_effect(final) from final.__cause__


def _with_effect(error: LiveError) -> LiveError:
    """Return the error with `may_have_changed` set if this or an earlier attempt may have taken effect."""
    return error.with_context(may_have_changed=error.outcome_unknown or error.after_lost_response)


class Live(CallbackCalls):
    """Calls for the streams of one account.

    Each method makes one API call, plus those for further pages, retries, and parts of a window that is longer than the
    operation allows.
    """

    def __init__(self, client: Client, region_id: str | None = None) -> None:
        super().__init__(client, region_id)
        self._cloud_clock = client.account.cloud_clock

    def record_command(self, stream: Stream, command: str) -> CommandResponse:
        """Send `start`, `stop`, `cancel_delay` or `restart` with RealTimeRecordCommand.

        An error code that has a meaning for the recording is returned as a response; any other is raised.
        """
        return self.command_attempts(stream, command).run()

    def command_attempts(self, stream: Stream, command: str) -> CommandAttempts:
        """Return the attempts of a record command, for a caller that does other work between them."""
        return CommandAttempts(self.client, {**self._common, **stream.parameters(), "Command": command})

    def is_online(self, stream: Stream) -> bool:
        """Return whether the stream is being pushed or pulled right now, read with DescribeLiveStreamState."""
        response = self.client.call(STREAM_STATE, {**self._common, **stream.parameters()})
        return str(response.content["StreamState"]).lower() == "online"

    def ingest_type(self, stream: Stream) -> str | None:
        """Return `push` or `pull`, read with DescribeLiveStreamState; None for another type."""
        response = self.client.call(STREAM_STATE, {**self._common, **stream.parameters()})
        return parse_ingest_type(response.content.get("Type"))

    def online_streams(
        self,
        domain_name: str,
        app_name: str | None = None,
        stream_name: str | None = None,
        transcoded: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the online streams in the form of `parse_online_stream`, read with DescribeLiveStreamsOnlineList.

        Names match exactly, and the order is undefined. With `transcoded`, streams are included that the service has
        transcoded from others.
        """
        parameters = {
            **self._common,
            "DomainName": domain_name,
            "QueryType": "strict",
            "StreamType": "all" if transcoded else "raw",
        }
        names = {"AppName": app_name, "StreamName": stream_name}
        parameters.update({name: value for name, value in names.items() if value})
        rows = self.client.pages(ONLINE_STREAMS, parameters, parse_online_stream)
        return [
            row
            for row in rows
            if row["app_name"] == (app_name or row["app_name"])
            and row["stream_name"] == (stream_name or row["stream_name"])
        ]

    def now(self) -> datetime:
        """Return the cloud's time, as far as it is known."""
        return _to_utc(self._cloud_clock.now())

    def cloud_seconds(self, local_time: float) -> TimeWindow:
        """Return the window in which the cloud's clock was at this local time, which is in seconds since the epoch."""
        times = self._cloud_clock.bounds_at(local_time)
        return TimeWindow(_to_utc(times[0]), _to_utc(times[1])) if times else TimeWindow(EARLIEST, LATEST)

    def notify_events(self, where: Scope | Stream, window: TimeWindow | None = None) -> list[NotifyEvent]:
        """Return recording callbacks, read with DescribeLiveRecordNotifyRecords; without a window, all in the log.

        The order is undefined.
        """
        return self._read_notify_log(where, window) if window else self._read_whole_log(where)

    def _read_whole_log(self, where: Scope | Stream) -> list[NotifyEvent]:
        """Return the events up to the response.

        The window ends in the future: the call may wait or be retried, and the local clock may be behind, so that one
        which ends now would miss the latest events. No documentation forbids that. If it is refused all the same, a
        window that ends now has to do, unless it was refused for a wrong clock that has been corrected since.
        """
        slack = _MAX_TOLERATED_SKEW
        while True:
            now, ahead = self.now(), self._cloud_clock.ahead
            try:
                events = self._read_notify_log(where, TimeWindow(now - NOTIFY_LOG_KEPT, now + slack))
                if self.now() <= now + slack or (not slack and self._cloud_clock.ahead < ahead + _MIN_SKEW_CHANGE):
                    return events
            except ApiError as error:
                if not slack or not _BAD_WINDOW.match(error.code or ""):
                    raise
                if abs(self._cloud_clock.ahead - ahead) < slack.total_seconds():
                    slack = timedelta(0)

    def _read_notify_log(self, where: Scope | Stream, window: TimeWindow) -> list[NotifyEvent]:
        """Return the events of a window, without other streams: the filters are not documented as exact."""
        parameters = {**self._common, **where.parameters(), **window.parameters()}
        events = self.client.pages(NOTIFY_RECORDS, parameters, lambda row: parse_notify_event(where.domain_name, row))
        return [event for event in events if event.stream and _covers(where, event.stream)]

    def record_tasks(self, stream: Stream, window: TimeWindow) -> list[dict[str, Any]]:
        """Return a stream's recording tasks in the form of `TASK_FIELDS`, read with DescribeLiveStreamRecordContent.

        The API does not document whether it lists a task that is still running, and with which end time. A window that
        is longer than the API allows is read in parts; a task in two of them is returned once, as in the later part.
        """
        merged: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for part in window.split(MAX_WINDOW):
            rows: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
            parameters = {**self._common, **stream.parameters(), **part.parameters()}
            for row in rename_fields(self.client.pages(RECORD_CONTENTS, parameters), TASK_FIELDS):
                key = (row["start_time"], row["oss_bucket"], row["oss_object_prefix"])
                rows.setdefault(key, []).append(row)
            merged.update({key: tasks for key, tasks in rows.items() if len(tasks) >= len(merged.get(key, []))})
        return sorted((row for tasks in merged.values() for row in tasks), key=lambda row: str(row["start_time"]))

    def recent_tasks(self, stream: Stream) -> list[RecordTask]:
        """Return a stream's recording tasks of the last four days, read with one DescribeLiveStreamRecordContent.

        The end of a running task may be missing, the time of the response, or the end of the window.
        """
        local_time = self.client.clock.now()
        end = min(self.cloud_seconds(local_time).end, self.now() + _MAX_TOLERATED_SKEW)
        rows = self.record_tasks(stream, TimeWindow(end - MAX_WINDOW, end))
        earliest = self.cloud_seconds(local_time).start
        spans = [(parse_time(row["start_time"]), parse_time(row["end_time"])) for row in rows]
        return [RecordTask(start, end, end is None or end >= earliest) for start, end in spans if start]

    def index_files(self, stream: Stream, window: TimeWindow) -> list[dict[str, Any]]:
        """Return a stream's index files in the form of `FILE_FIELDS`, read with DescribeLiveStreamRecordIndexFiles.

        It is not documented whether the window is one of recording or of creation.
        """
        merged: dict[Any, dict[str, Any]] = {}
        for part in window.split(MAX_WINDOW):
            parameters = {**self._common, **stream.parameters(), **part.parameters()}
            merged.update(
                {
                    row["record_id"]: row
                    for row in rename_fields(self.client.pages(INDEX_FILES, parameters), FILE_FIELDS)
                }
            )
        return sorted(merged.values(), key=lambda row: (str(row["start_time"]), str(row["record_id"])))

    def pushes(self, domain_name: str, window: TimeWindow) -> list[Push]:
        """Return the pushes of a domain's streams, read with DescribeLiveStreamsPublishList.

        It is not documented whether the window is that of the beginnings of pushes.
        """
        found: dict[tuple[Any, ...], Push] = {}
        for part in window.split(MAX_PUBLISH_WINDOW):
            parameters = {**self._common, "DomainName": domain_name, **part.parameters()}
            pushes = [push for push in self.client.pages(PUBLISH_LIST, parameters, parse_push) if push]
            found.update({push[:3]: push for push in pushes})
        return sorted(found.values(), key=lambda push: push.start)

    def ingest_events(self, ingest_domain: str, window: TimeWindow) -> list[IngestEvent]:
        """Return beginnings and ends of pushes, read with DescribeLiveStreamsNotifyRecords, in order."""
        parameters = {**self._common, "DomainName": ingest_domain, **window.parameters()}
        rows = self.client.pages(INGEST_RECORDS, parameters, parse_ingest_event)
        return sorted((event for event in rows if event), key=lambda event: event.time)

    def ingest_callbacks(self, ingest_domain: str, window: TimeWindow) -> list[NotifyEvent]:
        """Return the same with the bodies of the callbacks, in no order, and streams named with the ingest domain."""
        parameters = {**self._common, "DomainName": ingest_domain, **window.parameters()}
        rows = self.client.pages(INGEST_RECORDS, parameters, lambda row: parse_notify_event(ingest_domain, row))
        return [event for event in rows if event.stream]

    def record_usage(self, domain_name: str, window: TimeWindow, interval: int) -> list[RecordUsage]:
        """Return the recordings that the cloud counts, read with one DescribeLiveDomainRecordUsageData.

        There is one row per format and `interval` seconds, 60 or 3600. It is not documented how old the latest row is,
        and whether there are rows for times without recordings.
        """
        parameters = {
            **self._common,
            "DomainName": domain_name,
            **window.parameters(),
            "Interval": str(interval),
            "SplitBy": "domain,record_fmt",
        }
        rows = self.client.pages(RECORD_USAGE, parameters, parse_record_usage)
        return [row for row in rows if row]

    def record_configs(self, domain_name: str) -> list[dict[str, Any]]:
        """Return a domain's configurations in the form of `parse_record_config`, read with DescribeLiveRecordConfig.

        The operation's filters are not used, because it is not documented whether they take a wildcard literally.
        """
        configs = self.client.pages(RECORD_CONFIGS, {**self._common, "DomainName": domain_name}, parse_record_config)
        return [{**config, "domain_name": config["domain_name"] or domain_name} for config in configs]

    def add_record_config(self, config: dict[str, Any]) -> None:
        """Add a configuration in the form of `parse_record_config` with AddLiveAppRecordConfig."""
        self.client.call(ADD_RECORD_CONFIG, {**self._common, **build_config_parameters(config)})

    def update_record_config(self, config: dict[str, Any]) -> None:
        """Replace a configuration, except bucket and prefixes, with UpdateLiveAppRecordConfig."""
        parameters = build_config_parameters(config, without=UNCHANGEABLE)
        self.client.call(UPDATE_RECORD_CONFIG, {**self._common, **parameters})

    def delete_record_config(self, config: dict[str, Any]) -> None:
        """Delete the configuration of these names with DeleteLiveAppRecordConfig."""
        names = {CONFIG_FIELDS[name]: config[name] for name in ("domain_name", "app_name", "stream_name")}
        self.client.call(DELETE_RECORD_CONFIG, {**self._common, **names})


def _covers(where: Scope | Stream, stream: Stream) -> bool:
    return all(wanted in (None, name) for wanted, name in zip(where, stream))


def _to_utc(seconds: float) -> datetime:
    """Return seconds since the epoch as a time of UTC, cut to whole seconds like all times of the API."""
    return datetime.fromtimestamp(int(seconds), timezone.utc)
