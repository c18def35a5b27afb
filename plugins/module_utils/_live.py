# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of ApsaraVideo Live as typed calls."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ._client import Client
from ._errors import ACCEPTED, ApiError, InvalidOption, LiveError, meaning
from ._operations import NOTIFY_RECORDS, ONLINE_STREAMS, RECORD_COMMAND, STREAM_STATE

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
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
        if any(mark in stream.domain_name for mark in "*/:@ "):
            raise InvalidOption(
                f"The option domain_name is {stream.domain_name}, which is no domain",
                "Give the main streaming domain, such as live.example.com, without scheme, port or path.",
            )
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
            f"The option {option} is {name}, and a record command takes no wildcard",
            "Name exactly one stream; to act on many, make each a host of the inventory.",
        )
    if not name.isprintable():
        raise InvalidOption(f"The option {option} holds a line end or another control character", "Correct the name.")


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


def _is_for(row: dict[str, Any], stream: Stream) -> bool:
    """The filters of the operation are not documented as exact, so rows of other streams are left out here."""
    return (row.get("AppName"), row.get("StreamName")) == (stream.app_name, stream.stream_name)


def _notify_event(row: dict[str, Any]) -> NotifyEvent:
    try:
        time = datetime.strptime(str(row.get("NotifyTime")), TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return NotifyEvent(str(row.get("NotifyType")), None)
    return NotifyEvent(str(row.get("NotifyType")), time)
