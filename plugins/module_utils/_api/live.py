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
from .client import Client
from .error_codes import ACCEPTED, CONFIG_ABSENT, recording_meaning
from .models import (
    EARLIEST,
    LATEST,
    CommandResponse,
    NotifyConfig,
    NotifyEvent,
    RecordTask,
    Scope,
    Stream,
    TimeWindow,
    parse_time,
)
from .operations import (
    ADD_NOTIFY_CONFIG,
    ADD_RECORD_CONFIG,
    DELETE_NOTIFY_CONFIG,
    DELETE_RECORD_CONFIG,
    INDEX_FILES,
    NOTIFY_CONFIG,
    NOTIFY_RECORDS,
    ONLINE_STREAMS,
    RECORD_COMMAND,
    RECORD_CONFIGS,
    RECORD_CONTENTS,
    STREAM_STATE,
    UPDATE_NOTIFY_CONFIG,
    UPDATE_RECORD_CONFIG,
    Operation,
)
from .rows import (
    CONFIG_FIELDS,
    FILE_FIELDS,
    TASK_FIELDS,
    UNCHANGEABLE,
    config_parameters,
    notify_config,
    notify_event,
    notify_parameters,
    online_stream,
    parse_ingest_type,
    parse_record_config,
    renamed_rows,
)

_CLOCK_SLACK = timedelta(minutes=15)  # by which a clock may be wrong without a call being refused for it
# As far back as DescribeLiveRecordNotifyRecords answers, by whatever clock.
NOTIFY_LOG_KEPT = timedelta(days=7) - _CLOCK_SLACK
_BAD_WINDOW = re.compile("(Invalid|Malformed)(Param|StartTime|EndTime|Time|Date)")
# As far back as DescribeLiveStreamRecordContent and -IndexFiles answer: 6 months, and no six are shorter than 181 days.
RECORDINGS_KEPT = timedelta(days=180)
LONGEST_WINDOW = timedelta(days=4)  # of these two operations
_LEAST_SKEW = 1.0  # seconds; times of the API have whole ones


class CommandAttempts:
    """The attempts of one RealTimeRecordCommand."""

    def __init__(self, client: Client, parameters: dict[str, str]) -> None:
        self._client = client
        self._attempts = Attempts(client, RECORD_COMMAND, parameters)
        self._began: float | None = None

    def run(self) -> CommandResponse:
        """Make attempts, and wait between them, until there is an answer; raises the LiveError of the last one."""
        while True:
            try:
                return self.make()
            except LiveError as error:
                self._client.wait(self.pause_after(error))

    def make(self) -> CommandResponse:
        """Make one attempt; raises its LiveError, unless its code says something about the recording."""
        if self._began is None:
            self._began = max(self._client.clock.now(), self._client.timing.not_before)
        try:
            self._attempts.make()
        except LiveError as error:
            failure = _with_effect(error)
            said = recording_meaning(failure.code)
            if not isinstance(failure, ApiError) or not said:
                raise failure from error.__cause__
            return CommandResponse(said, failure, self._attempts.lost_at)
        # The Date of the response tells how the clocks differ.
        sent = _utc(self._client.account.cloud_clock.at_least(self._began))
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
    """Return the error of a command with whether it, or an earlier attempt, may have taken effect."""
    return error.with_context(may_have_changed=error.outcome_unknown or error.after_lost_response)


class Live:
    """Calls for the streams of one account.

    Each method makes one API call, but for pages, retries, and windows that are longer than an operation allows.
    """

    def __init__(self, client: Client, region_id: str | None = None) -> None:
        self.client = client
        self._cloud_clock = client.account.cloud_clock
        self._common = {"RegionId": region_id} if region_id else {}

    def record_command(self, stream: Stream, command: str) -> CommandResponse:
        """RealTimeRecordCommand with `start`, `stop`, `cancel_delay` or `restart`.

        An error code that says something about the recording is an answer; any other is raised.
        """
        return self.command_attempts(stream, command).run()

    def command_attempts(self, stream: Stream, command: str) -> CommandAttempts:
        """Return the attempts of a record command, for a caller that does something else between them."""
        return CommandAttempts(self.client, {**self._common, **stream.parameters(), "Command": command})

    def is_online(self, stream: Stream) -> bool:
        """DescribeLiveStreamState: whether the stream is being pushed or pulled right now."""
        reply = self.client.call(STREAM_STATE, {**self._common, **stream.parameters()})
        return str(reply.content["StreamState"]).lower() == "online"

    def ingest_type(self, stream: Stream) -> str | None:
        """DescribeLiveStreamState: how a stream comes in, see the function `parse_ingest_type`."""
        reply = self.client.call(STREAM_STATE, {**self._common, **stream.parameters()})
        return parse_ingest_type(reply.content.get("Type"))

    def online_streams(
        self,
        domain_name: str,
        app_name: str | None = None,
        stream_name: str | None = None,
        transcoded: bool = False,
    ) -> list[dict[str, Any]]:
        """DescribeLiveStreamsOnlineList: what is being pushed, as `online_stream` returns it, in no sure order.

        `transcoded`: also the streams that the service makes of others. Names match exactly.
        """
        parameters = {
            **self._common,
            "DomainName": domain_name,
            "QueryType": "strict",
            "StreamType": "all" if transcoded else "raw",
        }
        names = {"AppName": app_name, "StreamName": stream_name}
        parameters.update({name: value for name, value in names.items() if value})
        rows = self.client.pages(ONLINE_STREAMS, parameters, online_stream)
        return [
            row
            for row in rows
            if row["app_name"] == (app_name or row["app_name"])
            and row["stream_name"] == (stream_name or row["stream_name"])
        ]

    def now(self) -> datetime:
        """The cloud's time, as far as it is known."""
        return _utc(self._cloud_clock.now())

    def cloud_seconds(self, moment: float) -> TimeWindow:
        """Return the seconds of the cloud's clock of which one was that of a moment of this machine's clock."""
        times = self._cloud_clock.between(moment)
        return TimeWindow(_utc(times[0]), _utc(times[1])) if times else TimeWindow(EARLIEST, LATEST)

    def notify_events(self, where: Scope | Stream, window: TimeWindow | None = None) -> list[NotifyEvent]:
        """DescribeLiveRecordNotifyRecords: recording callbacks in no sure order, all that are kept without a window."""
        return self._notify_events(where, window) if window else self._whole_log(where)

    def _whole_log(self, where: Scope | Stream) -> list[NotifyEvent]:
        """The log to the moment of the answer. A window that ends when it is made would miss what comes later.

        The call may wait for its turn, or be tried again, and the machine's clock may be behind. So the window ends
        ahead. Nothing documented forbids that; where it is refused all the same, the present has to do, unless what
        made it bad was a clock that has been put right since.
        """
        slack = _CLOCK_SLACK
        while True:
            made, ahead = self.now(), self._cloud_clock.ahead
            try:
                events = self._notify_events(where, TimeWindow(made - NOTIFY_LOG_KEPT, made + slack))
                if self.now() <= made + slack or (not slack and self._cloud_clock.ahead < ahead + _LEAST_SKEW):
                    return events
            except ApiError as error:
                if not slack or not _BAD_WINDOW.match(error.code or ""):
                    raise
                if abs(self._cloud_clock.ahead - ahead) < slack.total_seconds():
                    slack = timedelta(0)

    def _notify_events(self, where: Scope | Stream, window: TimeWindow) -> list[NotifyEvent]:
        """The filters of the operation are not documented as exact, so rows of other streams are left out here."""
        parameters = {**self._common, **where.parameters(), **window.parameters()}
        events = self.client.pages(NOTIFY_RECORDS, parameters, lambda row: notify_event(where.domain_name, row))
        return [event for event in events if event.stream and _covers(where, event.stream)]

    def record_tasks(self, stream: Stream, window: TimeWindow) -> list[dict[str, Any]]:
        """DescribeLiveStreamRecordContent: a stream's recording tasks, in the names of `TASK_FIELDS`.

        It is not documented whether a task that still runs is among them, and with which end. What is in two parts of
        the window is there once, as the later part has it.
        """
        found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for part in window.parts(LONGEST_WINDOW):
            rows: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
            parameters = {**self._common, **stream.parameters(), **part.parameters()}
            for row in renamed_rows(self.client.pages(RECORD_CONTENTS, parameters), TASK_FIELDS):
                same = (row["start_time"], row["oss_bucket"], row["oss_object_prefix"])
                rows.setdefault(same, []).append(row)
            found.update({same: tasks for same, tasks in rows.items() if len(tasks) >= len(found.get(same, []))})
        return sorted((row for tasks in found.values() for row in tasks), key=lambda row: str(row["start_time"]))

    def recent_tasks(self, stream: Stream) -> list[RecordTask]:
        """DescribeLiveStreamRecordContent of the last four days, which is one call: the recording tasks of a stream.

        Where a running task is listed, its end may be missing, the time of the response, or the end of the window.
        """
        asked = self.client.clock.now()
        end = min(self.cloud_seconds(asked).end, self.now() + _CLOCK_SLACK)
        rows = self.record_tasks(stream, TimeWindow(end - LONGEST_WINDOW, end))
        earliest = self.cloud_seconds(asked).start
        spans = [(parse_time(row["start_time"]), parse_time(row["end_time"])) for row in rows]
        return [RecordTask(start, end, end is None or end >= earliest) for start, end in spans if start]

    def index_files(self, stream: Stream, window: TimeWindow) -> list[dict[str, Any]]:
        """DescribeLiveStreamRecordIndexFiles: a stream's M3U8 index files, in the names of `FILE_FIELDS`.

        What the window selects by, the time of recording or of creation, is not documented.
        """
        found: dict[Any, dict[str, Any]] = {}
        for part in window.parts(LONGEST_WINDOW):
            parameters = {**self._common, **stream.parameters(), **part.parameters()}
            found.update(
                {row["record_id"]: row for row in renamed_rows(self.client.pages(INDEX_FILES, parameters), FILE_FIELDS)}
            )
        return sorted(found.values(), key=lambda row: (str(row["start_time"]), str(row["record_id"])))

    def record_configs(self, domain_name: str) -> list[dict[str, Any]]:
        """DescribeLiveRecordConfig: all recording configurations of a domain, as `parse_record_config` returns them.

        Whether the operation's filters take a wildcard literally is not documented, so there are none.
        """
        configs = self.client.pages(RECORD_CONFIGS, {**self._common, "DomainName": domain_name}, parse_record_config)
        return [{**config, "domain_name": config["domain_name"] or domain_name} for config in configs]

    def add_record_config(self, config: dict[str, Any]) -> None:
        """AddLiveAppRecordConfig with a configuration in the form of `parse_record_config`."""
        self.client.call(ADD_RECORD_CONFIG, {**self._common, **config_parameters(config)})

    def update_record_config(self, config: dict[str, Any]) -> None:
        """UpdateLiveAppRecordConfig with a whole configuration; bucket and prefixes stay as they are."""
        parameters = config_parameters(config, without=UNCHANGEABLE)
        self.client.call(UPDATE_RECORD_CONFIG, {**self._common, **parameters})

    def delete_record_config(self, config: dict[str, Any]) -> None:
        """DeleteLiveAppRecordConfig for the names in a configuration."""
        names = {CONFIG_FIELDS[name]: config[name] for name in ("domain_name", "app_name", "stream_name")}
        self.client.call(DELETE_RECORD_CONFIG, {**self._common, **names})

    def notify_config(self, domain_name: str) -> NotifyConfig | None:
        """DescribeLiveRecordNotifyConfig: the recording callback of a domain, None where there is none.

        What the API answers to a domain without one is not documented: an error, or an empty object.
        """
        try:
            reply = self.client.call(NOTIFY_CONFIG, {**self._common, "DomainName": domain_name})
        except ApiError as error:
            if recording_meaning(error.code) == CONFIG_ABSENT:
                return None
            raise
        return notify_config(domain_name, reply.content["LiveRecordNotifyConfig"])

    def add_notify_config(self, config: NotifyConfig) -> None:
        """AddLiveRecordNotifyConfig."""
        self._send_notify_config(ADD_NOTIFY_CONFIG, config)

    def update_notify_config(self, config: NotifyConfig) -> None:
        """UpdateLiveRecordNotifyConfig with a whole configuration: what is not named may be reset, or stay."""
        self._send_notify_config(UPDATE_NOTIFY_CONFIG, config)

    def _send_notify_config(self, operation: Operation, config: NotifyConfig) -> None:
        if config.auth_key:
            self.client.redactor.learn(config.auth_key)  # The cloud may quote the one that it has.
        self.client.call(operation, {**self._common, **notify_parameters(config)})

    def delete_notify_config(self, config: NotifyConfig) -> None:
        """DeleteLiveRecordNotifyConfig."""
        names = {"DomainName": config.settings["domain_name"]}
        self.client.call(DELETE_NOTIFY_CONFIG, {**self._common, **names})


def _covers(where: Scope | Stream, stream: Stream) -> bool:
    return all(wanted in (None, name) for wanted, name in zip(where, stream))


def _utc(seconds: float) -> datetime:
    """Seconds since the epoch as a moment, in whole seconds as all times of the API."""
    return datetime.fromtimestamp(int(seconds), timezone.utc)
