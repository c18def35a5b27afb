# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Value types of the API: streams, scopes, spans of time, events and configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from .._errors import ApiError, InvalidOption
from .._util.strict_json import parse_json

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# Characters. How long a name may be is not documented; one of a URL that is pushed to cannot be longer than this.
_LONGEST_NAME = 1024
_LONGEST_DOMAIN = 253
# What no name may hold: C0, C1 and line ends. All else can be pushed, so that it can be started and stopped, too.
_CONTROL = re.compile("[\x00-\x1f\x80-\x9f\u2028\u2029]")
_MAX_CONTENT_VALUES = 200  # of the body of a callback, which documentation shows with ten
EARLIEST, LATEST = (moment.replace(tzinfo=timezone.utc) for moment in (datetime.min, datetime.max))


class Stream(NamedTuple):
    """A live stream: main streaming domain, application and stream name, exactly as pushed."""

    domain_name: str
    app_name: str
    stream_name: str

    @classmethod
    def from_names(cls, domain_name: str | None, app_name: str | None, stream_name: str | None) -> Stream:
        """Raises InvalidOption for a name that is missing, empty or a wildcard, or that no URL should carry."""
        stream = cls(domain_name or "", app_name or "", stream_name or "")
        for option, name in stream._asdict().items():
            _check_name(option, name)
        check_domain(stream.domain_name)
        return stream

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Stream:
        """Return the stream that variables name, as YAML may have read them; raises InvalidOption like `from_names`."""
        return cls.from_names(*(name_as_text(name, values.get(name)) for name in cls._fields))

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
    def from_names(cls, domain_name: str, app_name: str | None, stream_name: str | None) -> Scope:
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


class TimeWindow(NamedTuple):
    """A stretch of time, in whole seconds of UTC; both ends belong to it."""

    start: datetime
    end: datetime

    def parameters(self) -> dict[str, str]:
        """The times as the API spells them."""
        return {"StartTime": format_time(self.start), "EndTime": format_time(self.end)}

    def parts(self, longest: timedelta) -> Iterator[TimeWindow]:
        """The same in parts of at most this length, in order. Neighbours share a second, so nothing falls between."""
        start = self.start
        while start < self.end:
            end = min(self.end, start + longest)
            yield TimeWindow(start, end)
            start = end

    def contains(self, moment: datetime | None) -> bool:
        """Whether a moment is known and in it."""
        return moment is not None and self.start <= moment <= self.end


def format_time(moment: datetime) -> str:
    """A moment of UTC as the API writes it."""
    return moment.strftime(TIME_FORMAT)


def parse_time(text: Any) -> datetime | None:
    """What the API wrote as a moment; None for anything else."""
    try:
        return datetime.strptime(str(text), TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


class CommandResponse(NamedTuple):
    """What became of a record command.

    `meaning` is ACCEPTED or one of the meanings of `_errors`, and `error` the answer that carried it. `lost_at`: when
    the first earlier attempt left that may have taken effect already, by this machine's clock in seconds since the
    epoch, None where no response was lost. `sent`, where it was accepted: a time that the cloud's clock had reached
    when it was first sent. What came of it is not older.
    """

    meaning: str
    error: ApiError | None
    lost_at: float | None
    sent: datetime = EARLIEST

    @property
    def after_lost_response(self) -> bool:
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
            content = parse_json(self.body, _MAX_CONTENT_VALUES) if self.body is not None else None
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


AUTH_KEY = re.compile("[0-9A-Za-z]{16,32}")
