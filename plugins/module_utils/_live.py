# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of ApsaraVideo Live as typed calls."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ._client import Client
from ._errors import ACCEPTED, ApiError, InvalidOption, LiveError, meaning
from ._operations import NOTIFY_RECORDS, RECORD_COMMAND, STREAM_STATE

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


def _is_for(row: dict[str, Any], stream: Stream) -> bool:
    """The filters of the operation are not documented as exact, so rows of other streams are left out here."""
    return (row.get("AppName"), row.get("StreamName")) == (stream.app_name, stream.stream_name)


def _notify_event(row: dict[str, Any]) -> NotifyEvent:
    try:
        time = datetime.strptime(str(row.get("NotifyTime")), TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return NotifyEvent(str(row.get("NotifyType")), None)
    return NotifyEvent(str(row.get("NotifyType")), time)
