# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Value types of the API: streams, scopes, time windows, events and configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from .._errors import ApiError, InvalidOption
from .._util.strict_json import parse_json

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# Characters. The limit of a name is not documented; a URL to push to cannot contain a longer one.
_MAX_NAME = 1024
_MAX_DOMAIN = 253
# C0, C1 and line ends, which no name may contain. A name with any other character can be pushed, started and stopped.
_CONTROL = re.compile("[\x00-\x1f\x80-\x9f\u2028\u2029]")
_MAX_CONTENT_VALUES = 200  # of the body of a callback, which documentation shows with ten
EARLIEST, LATEST = (time.replace(tzinfo=timezone.utc) for time in (datetime.min, datetime.max))


class Stream(NamedTuple):
    """A live stream: main streaming domain, application and stream name, exactly as pushed."""

    domain_name: str
    app_name: str
    stream_name: str

    @classmethod
    def from_names(cls, domain_name: str | None, app_name: str | None, stream_name: str | None) -> Stream:
        """Return the stream; raises InvalidOption for a name that is missing, empty, a wildcard or unfit for a URL."""
        stream = cls(domain_name or "", app_name or "", stream_name or "")
        for option, name in stream._asdict().items():
            _check_name(option, name)
        check_domain(stream.domain_name)
        return stream

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Stream:
        """Return the stream that is named by variables as YAML reads them; raises InvalidOption like `from_names`."""
        return cls.from_names(*(name_as_text(name, values.get(name)) for name in cls._fields))

    def parameters(self) -> dict[str, str]:
        """Return the names as parameters of the API."""
        return {"DomainName": self.domain_name, "AppName": self.app_name, "StreamName": self.stream_name}

    def __str__(self) -> str:
        return "/".join(self)


def name_as_text(option: str, value: Any) -> str:
    """Return a name as text, also one that is an integer; raises InvalidOption for a value of another type.

    YAML has changed a name such as yes, 1.10 or 1e3 when it reads it as a boolean or a floating-point number.
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
    """Return whether a text contains a control character or a line end, which no name of a stream does."""
    return bool(_CONTROL.search(name))


def _check_name(option: str, name: str) -> None:
    if not name.strip(" "):
        raise InvalidOption(f"The option {option} is empty", "Name exactly one stream.")
    if not name.strip("*"):
        raise InvalidOption(
            f"The option {option} is {name[:_MAX_NAME]}, and a record command takes no wildcard",
            "Name exactly one stream; to act on many, make each a host of the inventory.",
        )
    _check_letters(option, name)


def _check_letters(option: str, name: str) -> None:
    if has_control(name):
        raise InvalidOption(
            f"The option {option} holds a line end or another control character",
            "Give the name exactly as it is pushed.",
        )
    if len(name) > _MAX_NAME:
        raise InvalidOption(
            f"The option {option} has {len(name)} characters, and no name is longer than {_MAX_NAME}",
            "Give the name exactly as it is pushed.",
        )


STREAMING_DOMAIN = "main streaming domain, such as live.example.com"
INGEST_DOMAIN = "ingest domain, such as push.example.com"


def check_domain(name: str, kind: str = STREAMING_DOMAIN) -> None:
    """Raise InvalidOption for a `domain_name` that is empty or not a domain; `kind` says which one to give."""
    bad = not name.strip() or not name.isprintable() or any(mark in name for mark in "*/:@ ")
    if bad or len(name) > _MAX_DOMAIN:
        raise InvalidOption(
            "The option domain_name is empty, or is not a valid domain",
            f"Give the {kind}, without scheme, port or path.",
        )


class Scope(NamedTuple):
    """The streams of a query: one, those of an application, or those of a domain; None stands for all."""

    domain_name: str
    app_name: str | None = None
    stream_name: str | None = None

    @classmethod
    def from_names(cls, domain_name: str, app_name: str | None, stream_name: str | None) -> Scope:
        """Return the scope; raises InvalidOption for a name that is empty, a wildcard or unfit for a URL."""
        check_domain(domain_name)
        for option, name in (("app_name", app_name), ("stream_name", stream_name)):
            if name is not None and not name.strip(" *"):
                raise InvalidOption(
                    f"The option {option} is {name[:_MAX_NAME]!r}, which is not a valid name",
                    "Give the name exactly, or leave the option out to look at all.",
                )
            _check_letters(option, name or "")
        return cls(domain_name, app_name, stream_name)

    @property
    def stream(self) -> Stream | None:
        """Return the stream if the scope is a single one."""
        return Stream(self.domain_name, self.app_name, self.stream_name) if self.app_name and self.stream_name else None

    def parameters(self) -> dict[str, str]:
        """Return the names as parameters of the API."""
        names = {"DomainName": self.domain_name, "AppName": self.app_name, "StreamName": self.stream_name}
        return {name: value for name, value in names.items() if value is not None}


class TimeWindow(NamedTuple):
    """A time window in whole seconds of UTC; both ends are part of it."""

    start: datetime
    end: datetime

    def parameters(self) -> dict[str, str]:
        """Return the times as parameters of the API."""
        return {"StartTime": format_time(self.start), "EndTime": format_time(self.end)}

    def split(self, max_length: timedelta) -> Iterator[TimeWindow]:
        """Yield parts of at most this length, in order. Neighbours share a second, so nothing falls between them."""
        start = self.start
        while start < self.end:
            end = min(self.end, start + max_length)
            yield TimeWindow(start, end)
            start = end

    def contains(self, time: datetime | None) -> bool:
        """Return whether a time is known and in the window."""
        return time is not None and self.start <= time <= self.end


def format_time(time: datetime) -> str:
    """Return a time, which is in UTC, in the format of the API."""
    return time.strftime(TIME_FORMAT)


def parse_time(text: Any) -> datetime | None:
    """Parse a time in the format of the API; return None for anything else."""
    try:
        return datetime.strptime(str(text), TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


class CommandResponse(NamedTuple):
    """The response to a record command.

    `meaning` is ACCEPTED or another constant of `error_codes`, and `error` the response that it was read from.
    `lost_at`: when the first earlier attempt was sent that may have taken effect already, by this machine's clock in
    seconds since the epoch; None if no response was lost. `sent`, for an accepted command: a time that the cloud's
    clock had reached when it was first sent, so that no event of it is older.
    """

    meaning: str
    error: ApiError | None
    lost_at: float | None
    sent: datetime = EARLIEST

    @property
    def after_lost_response(self) -> bool:
        """Return whether an earlier attempt of the same command may have taken effect already."""
        return self.lost_at is not None


class RecordUsage(NamedTuple):
    """The number of concurrent recordings in a file format at a time."""

    time: datetime
    format: str
    recordings: int


class NotifyEvent(NamedTuple):
    """A row of the notify log: a callback of a type that the cloud made at a time about a stream.

    `time` is None if it cannot be read. `delivered` is whether the callback reached its receiver; the event
    happened either way. `body` is JSON, and may take twenty times its length in memory once it is parsed. `stamp` is
    the time in the signature of a signed callback, in seconds since the epoch.
    """

    type: str
    time: datetime | None
    stream: Stream | None = None
    storage_type: str | None = None
    delivered: bool | None = None
    body: str | None = None
    stamp: int | None = None

    @property
    def content(self) -> dict[str, Any] | None:
        """Return the parsed body, None if it is not a JSON object."""
        try:
            content = parse_json(self.body, _MAX_CONTENT_VALUES) if self.body is not None else None
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None


class IngestEvent(NamedTuple):
    """A row of the ingest log: a push of a stream began (`publish`) or ended (`publish_done`) at a time."""

    app_name: str
    stream_name: str
    type: str
    time: datetime


class Push(NamedTuple):
    """A push of the publish list; `stop` is None if it has not ended, or if its end is not known."""

    app_name: str
    stream_name: str
    start: datetime
    stop: datetime | None


class RecordTask(NamedTuple):
    """A recording task of the record contents. `runs` is False if it had ended when the cloud responded."""

    start: datetime
    end: datetime | None
    runs: bool


class NotifyConfig(NamedTuple):
    """The recording callback of a streaming domain, or the ingest callback of an ingest domain.

    `settings`, which may be shown, are `domain_name`, `notify_url`, `signed`, and either `on_demand_url` and
    `status_events` or `exception_notify_url`; a URL is null for none. `auth_key` is the secret key of a signed
    callback, None if it is not known.
    """

    settings: dict[str, Any]
    auth_key: str | None

    def __repr__(self) -> str:
        return f"NotifyConfig({self.settings})"


AUTH_KEY = re.compile("[0-9A-Za-z]{16,32}")  # of recording callbacks
STREAM_AUTH_KEY = re.compile("[0-9A-Za-z]{16,64}")  # of ingest callbacks
