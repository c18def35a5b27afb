# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared parts of all operations: the call, the entries of the operation tables, pagination and common parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import urlsplit

from ..behaviour import Behaviour
from ..callbacks import is_private
from ..cloud import Cloud
from ..errors import ErrorTable
from ..identity import AccessKey
from ..limits import Limit
from ..parameters import Integer, Moment, Parameter, Text
from ..resources import Domain, Stream

DAY = 86400

DOMAIN = Text("DomainName", required=True)
STREAM = (DOMAIN, Text("AppName", required=True), Text("StreamName", required=True))
SOME_STREAM = (DOMAIN, Text("AppName"), Text("StreamName"))
WINDOW = (Moment("StartTime", required=True), Moment("EndTime", required=True))
ORDER = Text("Order", default="asc", choices=("asc", "desc"))
SHORT_PAGES = (Integer("PageNum", default=1), Integer("PageSize", default=10, minimum=5, maximum=30))


@dataclass(frozen=True)
class Call:
    """One authenticated request with checked parameters, which are read as `call["Name"]`."""

    cloud: Cloud
    key: AccessKey
    values: dict[str, Any]
    errors: ErrorTable
    request_id: str
    now: float

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def account(self) -> str:
        """Return the calling account."""
        return self.key.principal.account

    @property
    def behaviour(self) -> Behaviour:
        """Return the emulator's switches."""
        return self.cloud.behaviour

    def streaming_domain(self) -> Domain:
        """Return the streaming domain in DomainName, which must belong to the calling account."""
        domain = self.cloud.streaming_domain(self["DomainName"], self.account)
        if domain is None:
            raise self.errors.domain_not_found()
        return domain

    def resolve_domain(self) -> Domain:
        """Return the streaming domain for DomainName, which may also name one of its ingest domains."""
        domain = self.cloud.resolve_domain(self["DomainName"], self.account)
        if domain is None:
            raise self.errors.domain_not_found()
        return domain

    def ingest_domain(self) -> str:
        """Return DomainName, which must be an ingest domain of the account, or a streaming domain that has none."""
        name: str = self["DomainName"]
        domain = self.cloud.resolve_domain(name, self.account)
        if domain is None or name not in domain.push_domains:
            raise self.errors.domain_not_found()
        return name

    def check_callback_urls(self, *names: str) -> None:
        """Raise GatewayError for a callback URL that is malformed or, unless those are accepted, private."""
        for name in names:
            if self[name] is None:
                continue
            if not _is_callback_url(self[name]):
                raise self.errors.malformed_url(name)
            if self.behaviour.private_callbacks == "refused" and is_private(self[name]):
                raise self.errors.unsafe_url(name)

    def stream(self) -> Stream | None:
        """Return the stream of the three names, if it was ever pushed."""
        domain = self.streaming_domain()
        return self.cloud.streams.get((domain.name, self["AppName"], self["StreamName"]))

    def window(self, retention: float | None = None, span: float | None = None) -> tuple[float, float]:
        """Return StartTime and EndTime as internal instants, checked against retention and maximum span (seconds)."""
        start, end = (self.cloud.clock.instant(self[name]) for name in ("StartTime", "EndTime"))
        if end <= start:
            raise self.errors.malformed_parameter("EndTime", "It must be later than StartTime.")
        if span is not None and end - start > span:
            raise self.errors.malformed_parameter(
                "EndTime", f"It must be at most {span / DAY:.0f} days after StartTime."
            )
        if retention is not None:
            start = self._check_retention(start, retention)
        return start, end

    def _check_retention(self, start: float, retention: float) -> float:
        oldest = self.cloud.clock.start_of_second(self.now) - retention
        if start < oldest and self.behaviour.past_window == "error":
            raise self.errors.malformed_parameter("StartTime", f"Only {retention / DAY:.0f} days can be queried.")
        return max(start, oldest)

    def is_within(self, instant: float, start: float, end: float) -> bool:
        """Return whether an instant, in the API's whole seconds, lies from `start` to `end` (both included)."""
        return start <= self.cloud.clock.start_of_second(instant) <= end


def _is_callback_url(url: str) -> bool:
    """Return whether a URL is http or https with a host, and pure printable ASCII (anything else percent-encoded)."""
    if not url.startswith(("http://", "https://")) or any(not "!" <= character <= "~" for character in url):
        return False
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


@dataclass(frozen=True)
class Operation:
    """An operation of the API; `signed` says whether its requests must be signed with an access key.

    An empty `permission` means that every access key may call it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    execute: Callable[[Call], dict[str, Any]]
    limit: Limit
    permission: str
    signed: bool = True


def operation(
    name: str, execute: Callable[[Call], dict[str, Any]], calls: int, *parameters: Parameter, seconds: float = 1
) -> Operation:
    """Return a row of a table; at most `calls` calls are admitted in `seconds` seconds."""
    return Operation(name, parameters, execute, Limit(calls, seconds), f"live:{name}")


def paginate(
    call: Call, rows: list[Any], number: int, size: int, number_name: str = "PageNum"
) -> tuple[list[Any], dict[str, int]]:
    """Return one page of the rows, and the counts of pages and rows to report with it."""
    behaviour = call.behaviour
    size = min(size, int(behaviour.page_cap) or size)
    start = (number - 1) * size
    counts = {
        number_name: number,
        "PageSize": size,
        "TotalNum": len(rows) + int(behaviour.total_excess),
        "TotalPage": -(-len(rows) // size),
    }
    return rows[start : start + size], counts
