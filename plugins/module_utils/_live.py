# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of ApsaraVideo Live as typed calls."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ._answer import whole_number
from ._client import Client
from ._errors import ACCEPTED, ApiError, InvalidOption, LiveError, meaning
from ._operations import (
    ADD_RECORD_CONFIG,
    DELETE_RECORD_CONFIG,
    NOTIFY_RECORDS,
    ONLINE_STREAMS,
    RECORD_COMMAND,
    RECORD_CONFIGS,
    STREAM_STATE,
    UPDATE_RECORD_CONFIG,
)

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# Characters. How long a name may be is not documented; one of a URL that is pushed to cannot be longer than this.
_LONGEST_NAME = 1024
_LONGEST_DOMAIN = 253
NOTIFY_LOG_DAYS = 7  # as far back as DescribeLiveRecordNotifyRecords answers


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

    def parameters(self) -> dict[str, str]:
        """The names as the API spells them."""
        return {"DomainName": self.domain_name, "AppName": self.app_name, "StreamName": self.stream_name}

    def __str__(self) -> str:
        return "/".join(self)


def _check_name(option: str, name: str) -> None:
    if not name.strip():
        raise InvalidOption(f"The option {option} is empty", "Name exactly one stream.")
    if not name.strip("*"):
        raise InvalidOption(
            f"The option {option} is {name[:_LONGEST_NAME]}, and a record command takes no wildcard",
            "Name exactly one stream; to act on many, make each a host of the inventory.",
        )
    if not name.isprintable():
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
            f"The option domain_name is {name[:_LONGEST_DOMAIN]!r}, which is no domain",
            "Give the main streaming domain, such as live.example.com, without scheme, port or path.",
        )


class CommandAnswer(NamedTuple):
    """What became of a record command.

    `meaning` is ACCEPTED or one of the meanings of `_errors`, and `error` the answer that carried it.
    `after_lost_answer`: an earlier try of the same command may have taken effect already.
    """

    meaning: str
    error: ApiError | None
    after_lost_answer: bool


class NotifyEvent(NamedTuple):
    """A row of the notify log: the callback's type and its time, None where that cannot be read."""

    type: str
    time: datetime | None


class Live:
    """Calls for the streams of one account. Each method makes one API call, but for paging and retries."""

    def __init__(self, client: Client, region_id: str | None = None) -> None:
        self.client = client
        self._common = {"RegionId": region_id} if region_id else {}

    def record_command(self, stream: Stream, command: str) -> CommandAnswer:
        """RealTimeRecordCommand with `start`, `stop`, `cancel_delay` or `restart`.

        An error code that says something about the recording is an answer; any other is raised.
        """
        try:
            reply = self.client.call(RECORD_COMMAND, {**self._common, **stream.parameters(), "Command": command})
        except LiveError as error:
            said = meaning(error.code)
            error.may_have_changed = error.outcome_unknown or error.after_lost_answer
            if not isinstance(error, ApiError) or not said:
                raise
            return CommandAnswer(said, error, error.after_lost_answer)
        return CommandAnswer(ACCEPTED, None, reply.after_lost_answer)

    def is_online(self, stream: Stream) -> bool:
        """DescribeLiveStreamState: whether the stream is being pushed or pulled right now."""
        reply = self.client.call(STREAM_STATE, {**self._common, **stream.parameters()})
        return reply.content.get("StreamState") == "online"

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
        rows = (row for row in self.client.pages(ONLINE_STREAMS, parameters) if isinstance(row, dict))
        return [
            online_stream(row) for row in rows if all(row.get(name) == value for name, value in names.items() if value)
        ]

    def notify_events(self, stream: Stream) -> list[NotifyEvent]:
        """DescribeLiveRecordNotifyRecords: a stream's recording callbacks of the last 7 days, in no sure order."""
        now = datetime.fromtimestamp(self.client.clock.now(), timezone.utc)
        # A little inside the limit, so that a clock that is slightly off does not ask for too much.
        since = now - timedelta(days=NOTIFY_LOG_DAYS) + timedelta(minutes=5)
        parameters = {
            **self._common,
            **stream.parameters(),
            "StartTime": since.strftime(TIME_FORMAT),
            "EndTime": now.strftime(TIME_FORMAT),
        }
        rows = self.client.pages(NOTIFY_RECORDS, parameters)
        return [_notify_event(row) for row in rows if isinstance(row, dict) and _is_for(row, stream)]

    def record_configs(self, domain_name: str) -> list[dict[str, Any]]:
        """DescribeLiveRecordConfig: all recording configurations of a domain, as `record_config` returns them.

        Whether the operation's filters take a wildcard literally is not documented, so there are none.
        """
        rows = self.client.pages(RECORD_CONFIGS, {**self._common, "DomainName": domain_name})
        return [record_config(row) for row in rows if isinstance(row, dict)]

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


def online_stream(row: dict[str, Any]) -> dict[str, Any]:
    """An entry of the online list as the modules and the inventory return it; what the API left out is missing."""
    return {ours: row[theirs] for theirs, ours in _ONLINE_FIELDS.items() if theirs in row}


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
    config = {ours: row.get(theirs) or None for ours, theirs in _CONFIG_FIELDS.items()}
    number = whole_number(row.get("OnDemond", row.get("OnDemand")))
    modes = {value: name for name, value in RECORD_MODES.items()}
    return {
        **config,
        "app_name": config["app_name"] or "*",
        "stream_name": config["stream_name"] or "*",
        "mode": None if number is None else modes.get(number, str(number)),
        "delay_time": whole_number(config["delay_time"]),
        "formats": _record_formats(row, "RecordFormatList"),
        "transcode_formats": _record_formats(row, "TranscodeRecordFormatList"),
        "transcode_templates": [str(template) for template in _listed(row, "TranscodeTemplates", "Templates")],
        "create_time": row.get("CreateTime") or None,
    }


def _record_formats(row: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [_record_format(item) for item in _listed(row, name, "RecordFormat") if isinstance(item, dict)]


def _record_format(item: dict[str, Any]) -> dict[str, Any]:
    """A format of a configuration; what is said about slices of a format that has none means nothing."""
    name = str(item.get("Format")).lower()
    sliced = name in SLICED_FORMATS
    return {
        "format": name,
        "cycle_duration": whole_number(item.get("CycleDuration")) or None,
        "slice_duration": whole_number(item.get("SliceDuration")) or None if sliced else None,
        "oss_object_prefix": item.get("OssObjectPrefix") or None,
        "slice_oss_object_prefix": item.get("SliceOssObjectPrefix") or None if sliced else None,
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


def _is_for(row: dict[str, Any], stream: Stream) -> bool:
    """The filters of the operation are not documented as exact, so rows of other streams are left out here."""
    return (row.get("AppName"), row.get("StreamName")) == (stream.app_name, stream.stream_name)


def _notify_event(row: dict[str, Any]) -> NotifyEvent:
    try:
        time = datetime.strptime(str(row.get("NotifyTime")), TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return NotifyEvent(str(row.get("NotifyType")), None)
    return NotifyEvent(str(row.get("NotifyType")), time)
