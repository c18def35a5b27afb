# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of ApsaraVideo Live as typed calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ._answer import parsed_json, whole_number
from ._client import Attempts, Client
from ._errors import ACCEPTED, CONFIG_ABSENT, ApiError, InvalidOption, LiveError, meaning
from ._operations import (
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

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# Characters. How long a name may be is not documented; one of a URL that is pushed to cannot be longer than this.
_LONGEST_NAME = 1024
_LONGEST_DOMAIN = 253
# What no name may hold: C0, C1 and line ends. All else can be pushed, so that it can be started and stopped, too.
_CONTROL = re.compile("[\x00-\x1f\x80-\x9f\u2028\u2029]")
_CLOCK_SLACK = timedelta(minutes=15)  # by which a clock may be wrong without a call being refused for it
# As far back as DescribeLiveRecordNotifyRecords answers, by whatever clock.
NOTIFY_LOG_KEPT = timedelta(days=7) - _CLOCK_SLACK
_BAD_WINDOW = re.compile("(Invalid|Malformed)(Param|StartTime|EndTime|Time|Date)")
# As far back as DescribeLiveStreamRecordContent and -IndexFiles answer: 6 months, and no six are shorter than 181 days.
RECORDINGS_KEPT = timedelta(days=180)
LONGEST_WINDOW = timedelta(days=4)  # of these two operations
_MAX_CONTENT_VALUES = 200  # of the body of a callback, which documentation shows with ten
_LEAST_SKEW = 1.0  # seconds; times of the API have whole ones
_EARLIEST, _LATEST = (moment.replace(tzinfo=timezone.utc) for moment in (datetime.min, datetime.max))


class Stream(NamedTuple):
    """A live stream: main streaming domain, application and stream name, exactly as pushed."""

    domain_name: str
    app_name: str
    stream_name: str

    @classmethod
    def checked(cls, domain_name: str | None, app_name: str | None, stream_name: str | None) -> Stream:
        """Raises InvalidOption for a name that is missing, empty or a wildcard, or that no URL should carry."""
        stream = cls(domain_name or "", app_name or "", stream_name or "")
        for option, name in stream._asdict().items():
            _check_name(option, name)
        check_domain(stream.domain_name)
        return stream

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Stream:
        """Return the stream that variables name, as YAML may have read them; raises InvalidOption like `checked`."""
        return cls.checked(*(name_as_text(name, values.get(name)) for name in cls._fields))

    def parameters(self) -> dict[str, str]:
        """The names as the API spells them."""
        return {"DomainName": self.domain_name, "AppName": self.app_name, "StreamName": self.stream_name}

    def __str__(self) -> str:
        return "/".join(self)


def name_as_text(option: str, value: Any) -> str:
    """Return a name as text, that of an integer included; raises InvalidOption for what YAML may have changed.

    What was written as yes, 1.10 or 1e3 would be another name.
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    advice = f'Quote the name, as in {option}: "1.10".'
    if not isinstance(value, (bool, float)):
        raise InvalidOption(f"The option {option} is neither text nor a number in YAML", advice)
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    kind = "a boolean" if isinstance(value, bool) else "a floating-point number"
    raise InvalidOption(f"The option {option} is {shown}, which is {kind} in YAML", advice)


def has_control(name: str) -> bool:
    """Return whether a text holds a control character or a line end, which no name of a stream has."""
    return bool(_CONTROL.search(name))


def _check_name(option: str, name: str) -> None:
    if not name.strip(" "):
        raise InvalidOption(f"The option {option} is empty", "Name exactly one stream.")
    if not name.strip("*"):
        raise InvalidOption(
            f"The option {option} is {name[:_LONGEST_NAME]}, and a record command takes no wildcard",
            "Name exactly one stream; to act on many, make each a host of the inventory.",
        )
    _check_letters(option, name)


def _check_letters(option: str, name: str) -> None:
    if has_control(name):
        raise InvalidOption(f"The option {option} holds a line end or another control character", "Correct the name.")
    if len(name) > _LONGEST_NAME:
        raise InvalidOption(
            f"The option {option} has {len(name)} characters, and no name is longer than {_LONGEST_NAME}",
            "Correct the name.",
        )


def check_domain(name: str) -> None:
    """Raises InvalidOption for a `domain_name` that is empty or no domain."""
    bad = not name.strip() or not name.isprintable() or any(mark in name for mark in "*/:@ ")
    if bad or len(name) > _LONGEST_DOMAIN:
        raise InvalidOption(
            "The option domain_name is empty, or a text which is no domain",
            "Give the main streaming domain, such as live.example.com, without scheme, port or path.",
        )


class Scope(NamedTuple):
    """Which streams to look at: one, those of an application, or those of a domain; None stands for all."""

    domain_name: str
    app_name: str | None = None
    stream_name: str | None = None

    @classmethod
    def checked(cls, domain_name: str, app_name: str | None, stream_name: str | None) -> Scope:
        """Raises InvalidOption for a name that is empty or a wildcard, or that no URL should carry."""
        check_domain(domain_name)
        for option, name in (("app_name", app_name), ("stream_name", stream_name)):
            if name is not None and not name.strip(" *"):
                raise InvalidOption(
                    f"The option {option} is {name[:_LONGEST_NAME]!r}, which is no name",
                    "Give the name exactly, or leave the option out to look at all.",
                )
            _check_letters(option, name or "")
        return cls(domain_name, app_name, stream_name)

    @property
    def stream(self) -> Stream | None:
        """The stream where it is one."""
        return Stream(self.domain_name, self.app_name, self.stream_name) if self.app_name and self.stream_name else None

    def parameters(self) -> dict[str, str]:
        """The names as the API spells them."""
        names = {"DomainName": self.domain_name, "AppName": self.app_name, "StreamName": self.stream_name}
        return {name: value for name, value in names.items() if value is not None}


class Window(NamedTuple):
    """A stretch of time, in whole seconds of UTC; both ends belong to it."""

    start: datetime
    end: datetime

    def parameters(self) -> dict[str, str]:
        """The times as the API spells them."""
        return {"StartTime": iso(self.start), "EndTime": iso(self.end)}

    def parts(self, longest: timedelta) -> Iterator[Window]:
        """The same in parts of at most this length, in order. Neighbours share a second, so nothing falls between."""
        start = self.start
        while start < self.end:
            end = min(self.end, start + longest)
            yield Window(start, end)
            start = end

    def holds(self, moment: datetime | None) -> bool:
        """Whether a moment is known and in it."""
        return moment is not None and self.start <= moment <= self.end


def iso(moment: datetime) -> str:
    """A moment of UTC as the API writes it."""
    return moment.strftime(TIME_FORMAT)


def moment(text: Any) -> datetime | None:
    """What the API wrote as a moment; None for anything else."""
    try:
        return datetime.strptime(str(text), TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


class CommandAnswer(NamedTuple):
    """What became of a record command.

    `meaning` is ACCEPTED or one of the meanings of `_errors`, and `error` the answer that carried it. `lost_at`: when
    the first earlier attempt left that may have taken effect already, by this machine's clock in seconds since the
    epoch, None where no response was lost. `sent`, where it was accepted: a time that the cloud's clock had reached
    when it was first sent. What came of it is not older.
    """

    meaning: str
    error: ApiError | None
    lost_at: float | None
    sent: datetime = _EARLIEST

    @property
    def after_lost_answer(self) -> bool:
        """Return whether an earlier attempt of the same command may have taken effect already."""
        return self.lost_at is not None


class NotifyEvent(NamedTuple):
    """A row of the notify log, which says when the cloud made a callback of which type about which stream.

    `time` is None where that cannot be read. `delivered`: whether the callback reached its receiver, which does not
    matter for what it says. `body` is JSON, and may take twenty times its length in memory once it is read.
    """

    type: str
    time: datetime | None
    stream: Stream | None = None
    storage_type: str | None = None
    delivered: bool | None = None
    body: str | None = None

    @property
    def content(self) -> dict[str, Any] | None:
        """Read the body; None where that cannot be done."""
        try:
            content = parsed_json(self.body, _MAX_CONTENT_VALUES) if self.body is not None else None
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None


class RecordTask(NamedTuple):
    """A recording task of the record contents. `runs`: its end, if it has one, is not older than the response."""

    start: datetime
    end: datetime | None
    runs: bool


class NotifyConfig(NamedTuple):
    """The recording callback of a domain.

    `settings` are what may be shown: `domain_name`, `notify_url`, `on_demand_url` (null for none), `status_events` and
    `signed`. `auth_key` is the key of a signed one, None where it is not known.
    """

    settings: dict[str, Any]
    auth_key: str | None

    def __repr__(self) -> str:
        return f"NotifyConfig({self.settings})"


class CommandAttempts:
    """The attempts of one RealTimeRecordCommand."""

    def __init__(self, client: Client, parameters: dict[str, str]) -> None:
        self._client = client
        self._attempts = Attempts(client, RECORD_COMMAND, parameters)
        self._began: float | None = None

    def run(self) -> CommandAnswer:
        """Make attempts, and wait between them, until there is an answer; raises the LiveError of the last one."""
        while True:
            try:
                return self.make()
            except LiveError as error:
                self._client.wait(self.pause_after(error))

    def make(self) -> CommandAnswer:
        """Make one attempt; raises its LiveError, unless its code says something about the recording."""
        if self._began is None:
            self._began = max(self._client.clock.now(), self._client.not_before)
        try:
            self._attempts.make()
        except LiveError as error:
            said = meaning(error.code)
            error.may_have_changed = error.outcome_unknown or error.after_lost_answer
            if not isinstance(error, ApiError) or not said:
                raise
            return CommandAnswer(said, error, self._attempts.lost_at)
        # The Date of the response tells how the clocks differ.
        sent = _utc(self._client.cloud_time_at_least(self._began))
        return CommandAnswer(ACCEPTED, None, self._attempts.lost_at, sent)

    @property
    def was_lost(self) -> bool:
        """Return whether an attempt may have taken effect whose response was lost."""
        return self._attempts.was_lost

    def pause_after(self, error: LiveError) -> float:
        """Return the seconds to wait before the next attempt; raises the error where there is none."""
        try:
            return self._attempts.pause_after(error)
        except LiveError as final:
            final.may_have_changed = final.outcome_unknown or final.after_lost_answer
            raise


class Live:
    """Calls for the streams of one account.

    Each method makes one API call, but for pages, retries, and windows that are longer than an operation allows.
    """

    def __init__(self, client: Client, region_id: str | None = None) -> None:
        self.client = client
        self._common = {"RegionId": region_id} if region_id else {}

    def record_command(self, stream: Stream, command: str) -> CommandAnswer:
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
        """DescribeLiveStreamState: how a stream comes in, see the function `ingest_type`."""
        reply = self.client.call(STREAM_STATE, {**self._common, **stream.parameters()})
        return ingest_type(reply.content.get("Type"))

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
        return _utc(self.client.cloud_time())

    def cloud_seconds(self, moment: float) -> Window:
        """Return the seconds of the cloud's clock of which one was that of a moment of this machine's clock."""
        times = self.client.cloud_time_between(moment)
        return Window(_utc(times[0]), _utc(times[1])) if times else Window(_EARLIEST, _LATEST)

    def notify_events(self, where: Scope | Stream, window: Window | None = None) -> list[NotifyEvent]:
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
            made, ahead = self.now(), self.client.ahead
            try:
                events = self._notify_events(where, Window(made - NOTIFY_LOG_KEPT, made + slack))
                if self.now() <= made + slack or (not slack and self.client.ahead < ahead + _LEAST_SKEW):
                    return events
            except ApiError as error:
                if not slack or not _BAD_WINDOW.match(error.code or ""):
                    raise
                if abs(self.client.ahead - ahead) < slack.total_seconds():
                    slack = timedelta(0)

    def _notify_events(self, where: Scope | Stream, window: Window) -> list[NotifyEvent]:
        """The filters of the operation are not documented as exact, so rows of other streams are left out here."""
        parameters = {**self._common, **where.parameters(), **window.parameters()}
        events = self.client.pages(NOTIFY_RECORDS, parameters, lambda row: _notify_event(where.domain_name, row))
        return [event for event in events if event.stream and _covers(where, event.stream)]

    def record_tasks(self, stream: Stream, window: Window) -> list[dict[str, Any]]:
        """DescribeLiveStreamRecordContent: a stream's recording tasks, in the names of `_TASK_FIELDS`.

        It is not documented whether a task that still runs is among them, and with which end. What is in two parts of
        the window is there once, as the later part has it.
        """
        found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for part in window.parts(LONGEST_WINDOW):
            rows: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
            parameters = {**self._common, **stream.parameters(), **part.parameters()}
            for row in _renamed(self.client.pages(RECORD_CONTENTS, parameters), _TASK_FIELDS):
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
        rows = self.record_tasks(stream, Window(end - LONGEST_WINDOW, end))
        earliest = self.cloud_seconds(asked).start
        spans = [(moment(row["start_time"]), moment(row["end_time"])) for row in rows]
        return [RecordTask(start, end, end is None or end >= earliest) for start, end in spans if start]

    def index_files(self, stream: Stream, window: Window) -> list[dict[str, Any]]:
        """DescribeLiveStreamRecordIndexFiles: a stream's M3U8 index files, in the names of `_FILE_FIELDS`.

        What the window selects by, the time of recording or of creation, is not documented.
        """
        found: dict[Any, dict[str, Any]] = {}
        for part in window.parts(LONGEST_WINDOW):
            parameters = {**self._common, **stream.parameters(), **part.parameters()}
            found.update(
                {row["record_id"]: row for row in _renamed(self.client.pages(INDEX_FILES, parameters), _FILE_FIELDS)}
            )
        return sorted(found.values(), key=lambda row: (str(row["start_time"]), str(row["record_id"])))

    def record_configs(self, domain_name: str) -> list[dict[str, Any]]:
        """DescribeLiveRecordConfig: all recording configurations of a domain, as `record_config` returns them.

        Whether the operation's filters take a wildcard literally is not documented, so there are none.
        """
        configs = self.client.pages(RECORD_CONFIGS, {**self._common, "DomainName": domain_name}, record_config)
        return [{**config, "domain_name": config["domain_name"] or domain_name} for config in configs]

    def add_record_config(self, config: dict[str, Any]) -> None:
        """AddLiveAppRecordConfig with a configuration in the form of `record_config`."""
        self.client.call(ADD_RECORD_CONFIG, {**self._common, **_config_parameters(config)})

    def update_record_config(self, config: dict[str, Any]) -> None:
        """UpdateLiveAppRecordConfig with a whole configuration; bucket and prefixes stay as they are."""
        parameters = _config_parameters(config, without=UNCHANGEABLE)
        self.client.call(UPDATE_RECORD_CONFIG, {**self._common, **parameters})

    def delete_record_config(self, config: dict[str, Any]) -> None:
        """DeleteLiveAppRecordConfig for the names in a configuration."""
        names = {_CONFIG_FIELDS[name]: config[name] for name in ("domain_name", "app_name", "stream_name")}
        self.client.call(DELETE_RECORD_CONFIG, {**self._common, **names})

    def notify_config(self, domain_name: str) -> NotifyConfig | None:
        """DescribeLiveRecordNotifyConfig: the recording callback of a domain, None where there is none.

        What the API answers to a domain without one is not documented: an error, or an empty object.
        """
        try:
            reply = self.client.call(NOTIFY_CONFIG, {**self._common, "DomainName": domain_name})
        except ApiError as error:
            if meaning(error.code) == CONFIG_ABSENT:
                return None
            raise
        return _notify_config(domain_name, reply.content["LiveRecordNotifyConfig"])

    def add_notify_config(self, config: NotifyConfig) -> None:
        """AddLiveRecordNotifyConfig."""
        self._send_notify_config(ADD_NOTIFY_CONFIG, config)

    def update_notify_config(self, config: NotifyConfig) -> None:
        """UpdateLiveRecordNotifyConfig with a whole configuration: what is not named may be reset, or stay."""
        self._send_notify_config(UPDATE_NOTIFY_CONFIG, config)

    def _send_notify_config(self, operation: Operation, config: NotifyConfig) -> None:
        try:
            self.client.call(operation, {**self._common, **_notify_parameters(config)})
        except LiveError as error:
            if config.auth_key:  # the cloud may quote it
                error.happened = error.happened.replace(config.auth_key, "********")
            raise

    def delete_notify_config(self, config: NotifyConfig) -> None:
        """DeleteLiveRecordNotifyConfig."""
        names = {"DomainName": config.settings["domain_name"]}
        self.client.call(DELETE_NOTIFY_CONFIG, {**self._common, **names})


def _text(value: Any) -> str | None:
    """What the API documents as a text, None where it is empty or something else."""
    return value if value and isinstance(value, str) else None


def _scalar(value: Any) -> str | float | None:
    """What the API documents as a text, a number or a truth value, None where it is something else."""
    return value if isinstance(value, (str, int, float)) else None


# The ingest URL is left out: it may hold the key that lets its holder push.
_ONLINE_FIELDS = {
    "DomainName": "domain_name",
    "AppName": "app_name",
    "StreamName": "stream_name",
    "PublishTime": "publish_time",
    "PublishType": "publish_type",
    "PublishDomain": "publish_domain",
    "Transcoded": "transcoded",
    "ClientIp": "client_ip",
    "ServerIp": "server_ip",
    "Width": "width",
    "Height": "height",
    "FrameRate": "frame_rate",
    "VideoDataRate": "video_data_rate",
    "AudioDataRate": "audio_data_rate",
    "VideoCodecId": "video_codec_id",
    "AudioCodecId": "audio_codec_id",
}


def stored_stream(row: Any) -> dict[str, Any]:
    """Return what `online_stream` can have returned of a row that was stored, and that somebody may have changed."""
    fields = row if isinstance(row, dict) else {}
    return online_stream({theirs: fields.get(ours) for theirs, ours in _ONLINE_FIELDS.items()})


def online_stream(row: dict[str, Any]) -> dict[str, Any]:
    """An entry of the online list as the modules and the inventory return it; what the API left out is missing."""
    found = {ours: _scalar(row.get(theirs)) for theirs, ours in _ONLINE_FIELDS.items()}
    names = {ours: _text(found[ours]) for ours in Stream._fields}
    return {ours: value for ours, value in {**found, **names}.items() if value is not None}


def ingest_type(value: Any) -> str | None:
    """Return how a stream comes in: `push`, or `pull` for one that is pulled on trigger; None for any other value."""
    found = str(value).lower()
    return found if found in ("push", "pull") else None


RECORD_MODES = {"automatic": 0, "callback": 1, "ingest_parameter": 2, "manual": 7}
SLICED_FORMATS = ("m3u8", "cmaf")  # a recording in one of these is a list of slices
UNCHANGEABLE = frozenset({"oss_bucket", "oss_object_prefix", "slice_oss_object_prefix"})  # by an update
_CONFIG_FIELDS = {
    "domain_name": "DomainName",
    "app_name": "AppName",
    "stream_name": "StreamName",
    "oss_bucket": "OssBucket",
    "oss_endpoint": "OssEndpoint",
    "delay_time": "DelayTime",
    "start_time": "StartTime",
    "end_time": "EndTime",
}
_FORMAT_FIELDS = {
    "format": "Format",
    "cycle_duration": "CycleDuration",
    "slice_duration": "SliceDuration",
    "oss_object_prefix": "OssObjectPrefix",
    "slice_oss_object_prefix": "SliceOssObjectPrefix",
}


def record_config(row: dict[str, Any]) -> dict[str, Any]:
    """A recording configuration as the modules return it and take it; null stands for what the API left empty.

    Whole numbers may come as texts, format names in either case. The API answers `OnDemond` for the `OnDemand` of its
    requests.
    """
    config = {ours: _text(row.get(theirs)) for ours, theirs in _CONFIG_FIELDS.items()}
    number = whole_number(row.get("OnDemond", row.get("OnDemand")))
    modes = {value: name for name, value in RECORD_MODES.items()}
    return {
        **config,
        "app_name": config["app_name"] or "*",
        "stream_name": config["stream_name"] or "*",
        "mode": None if number is None else modes.get(number, str(number)),
        "delay_time": whole_number(row.get("DelayTime")) or None,
        "formats": _record_formats(row, "RecordFormatList"),
        "transcode_formats": _record_formats(row, "TranscodeRecordFormatList"),
        "transcode_templates": [name for name in _listed(row, "TranscodeTemplates", "Templates") if _text(name)],
        "create_time": _text(row.get("CreateTime")),
    }


def _record_formats(row: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [_record_format(item) for item in _listed(row, name, "RecordFormat") if isinstance(item, dict)]


def _record_format(item: dict[str, Any]) -> dict[str, Any]:
    """A format of a configuration; what is said about slices of a format that has none means nothing."""
    name = (_text(item.get("Format")) or "").lower()
    sliced = name in SLICED_FORMATS
    return {
        "format": name,
        "cycle_duration": whole_number(item.get("CycleDuration")) or None,
        "slice_duration": whole_number(item.get("SliceDuration")) or None if sliced else None,
        "oss_object_prefix": _text(item.get("OssObjectPrefix")),
        "slice_oss_object_prefix": _text(item.get("SliceOssObjectPrefix")) if sliced else None,
    }


def _listed(row: dict[str, Any], outer: str, inner: str) -> list[Any]:
    """The API wraps a list in an object."""
    found = row.get(outer)
    if isinstance(found, dict):
        found = found.get(inner)
    return found if isinstance(found, list) else []


def _config_parameters(config: dict[str, Any], without: frozenset[str] = frozenset()) -> dict[str, str]:
    """A configuration as parameters, but for some fields."""
    given: dict[str, Any] = {theirs: config[ours] for ours, theirs in _CONFIG_FIELDS.items() if ours not in without}
    given["OnDemand"] = RECORD_MODES.get(config["mode"])
    for list_name, items in (
        ("RecordFormat", config["formats"]),
        ("TranscodeRecordFormat", config["transcode_formats"]),
    ):
        for number, item in enumerate(items, 1):
            fields = {theirs: item[ours] for ours, theirs in _FORMAT_FIELDS.items() if ours not in without}
            given.update({f"{list_name}.{number}.{name}": value for name, value in fields.items()})
    for number, template in enumerate(config["transcode_templates"], 1):
        given[f"TranscodeTemplates.{number}"] = template
    return {name: str(value) for name, value in given.items() if value is not None}


AUTH_KEY = re.compile("[0-9A-Za-z]{16,32}")


def _notify_config(domain_name: str, found: dict[str, Any] | None) -> NotifyConfig | None:
    """From the API's object; its `NotifyReqAuth` is documented as a boolean, and as yes or no."""
    if not found or not _text(found.get("NotifyUrl")):
        return None
    settings = {
        "domain_name": domain_name,
        "notify_url": found["NotifyUrl"],
        "on_demand_url": _text(found.get("OnDemandUrl")),
        "status_events": _flag(found.get("NeedStatusNotify")),
        "signed": _flag(found.get("NotifyReqAuth")),
    }
    key = str(found.get("NotifyAuthKey"))
    # Whether the API shows a key is not documented. What cannot be one is a mask.
    return NotifyConfig(settings, key if settings["signed"] and AUTH_KEY.fullmatch(key) else None)


def _flag(value: Any) -> bool:
    return str(value).lower() in ("true", "yes", "on", "1")


def _notify_parameters(config: NotifyConfig) -> dict[str, str]:
    settings = config.settings
    given = {
        "DomainName": settings["domain_name"],
        "NotifyUrl": settings["notify_url"],
        "OnDemandUrl": settings["on_demand_url"],
        "NeedStatusNotify": str(settings["status_events"]).lower(),
        "NotifyReqAuth": str(settings["signed"]).lower(),
        "NotifyAuthKey": config.auth_key if settings["signed"] else None,
    }
    return {name: value for name, value in given.items() if value}


_TASK_FIELDS = {
    "StartTime": "start_time",
    "EndTime": "end_time",
    "Duration": "duration",
    "OssBucket": "oss_bucket",
    "OssEndpoint": "oss_endpoint",
    "OssObjectPrefix": "oss_object_prefix",
}
_FILE_FIELDS = {
    "RecordId": "record_id",
    "RecordUrl": "record_url",
    "Format": "format",
    "StartTime": "start_time",
    "EndTime": "end_time",
    "CreateTime": "create_time",
    "Duration": "duration",
    "Width": "width",
    "Height": "height",
    "OssBucket": "oss_bucket",
    "OssEndpoint": "oss_endpoint",
    "OssObject": "oss_object",
}


def _renamed(rows: Iterable[dict[str, Any]], fields: dict[str, str]) -> list[dict[str, Any]]:
    """Objects of the API with our names; what the API left out is None."""
    return [{ours: _scalar(row.get(theirs)) for theirs, ours in fields.items()} for row in rows]


def _covers(where: Scope | Stream, stream: Stream) -> bool:
    return all(wanted in (None, name) for wanted, name in zip(where, stream))


def _notify_event(domain_name: str, row: dict[str, Any]) -> NotifyEvent:
    """The URL and the headers of the callback are left out: they may hold a key or a signature."""
    app_name, stream_name = _text(row.get("AppName")), _text(row.get("StreamName"))
    result, body = row.get("NotifyResult"), row.get("NotifyContent")
    return NotifyEvent(
        type=str(row.get("NotifyType")).lower(),
        time=moment(row.get("NotifyTime")),
        stream=Stream(domain_name, app_name, stream_name) if app_name and stream_name else None,
        storage_type=_text(row.get("StorageType")),
        delivered=None if result is None else str(result).lower() == "success",
        body=body if isinstance(body, str) else None,
    )


def _utc(seconds: float) -> datetime:
    """Seconds since the epoch as a moment, in whole seconds as all times of the API."""
    return datetime.fromtimestamp(int(seconds), timezone.utc)
