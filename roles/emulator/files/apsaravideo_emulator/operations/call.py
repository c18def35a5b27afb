# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation needs: the call, the table's rows, pages and common parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import urlsplit

from ..behaviour import Behaviour
from ..callbacks import is_private
from ..cloud import Cloud, Domain, Stream
from ..errors import ErrorTable
from ..identity import AccessKey
from ..limits import Limit
from ..parameters import Integer, Moment, Parameter, Text

DAY = 86400

DOMAIN = Text("DomainName", required=True)
STREAM = (DOMAIN, Text("AppName", required=True), Text("StreamName", required=True))
SOME_STREAM = (DOMAIN, Text("AppName"), Text("StreamName"))
WINDOW = (Moment("StartTime", required=True), Moment("EndTime", required=True))
ORDER = Text("Order", default="asc", choices=("asc", "desc"))
SHORT_PAGES = (Integer("PageNum", default=1), Integer("PageSize", default=10, minimum=5, maximum=30))


@dataclass(frozen=True)
class Call:
    """One authenticated, checked request."""

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
        """The calling account."""
        return self.key.principal.account

    @property
    def behaviour(self) -> Behaviour:
        """The emulator's switches."""
        return self.cloud.behaviour

    def streaming_domain(self) -> Domain:
        """The streaming domain in DomainName; it must be the calling account's."""
        domain = self.cloud.streaming_domain(self["DomainName"], self.account)
        if domain is None:
            raise self.errors.domain_absent()
        return domain

    def either_domain(self) -> Domain:
        """The streaming domain behind DomainName, which may name its ingest domain."""
        domain = self.cloud.either_domain(self["DomainName"], self.account)
        if domain is None:
            raise self.errors.domain_absent()
        return domain

    def ingest_domain(self) -> str:
        """The ingest domain in DomainName, or a streaming domain without one; it must be the calling account's."""
        name: str = self["DomainName"]
        domain = self.cloud.either_domain(name, self.account)
        if domain is None or name not in domain.ingest_or_own:
            raise self.errors.domain_absent()
        return name

    def check_callback_urls(self, *names: str) -> None:
        """Refuse callback URLs that are malformed or, unless they are accepted, private; an absent one is fine."""
        for name in names:
            if self[name] is None:
                continue
            if not _is_callback_url(self[name]):
                raise self.errors.malformed_url(name)
            if self.behaviour.private_callbacks == "refused" and is_private(self[name]):
                raise self.errors.unsafe_url(name)

    def stream(self) -> Stream | None:
        """The stream of the three names, if it was ever pushed."""
        domain = self.streaming_domain()
        return self.cloud.streams.get((domain.name, self["AppName"], self["StreamName"]))

    def window(self, retention: float | None = None, span: float | None = None) -> tuple[float, float]:
        """StartTime and EndTime as internal instants, checked against retention and longest span (seconds)."""
        start, end = (self.cloud.clock.instant(self[name]) for name in ("StartTime", "EndTime"))
        if end <= start:
            raise self.errors.malformed("EndTime", "It must be later than StartTime.")
        if span is not None and end - start > span:
            raise self.errors.malformed("EndTime", f"It must be at most {span / DAY:.0f} days after StartTime.")
        if retention is not None:
            start = self._within_retention(start, retention)
        return start, end

    def _within_retention(self, start: float, retention: float) -> float:
        oldest = self.cloud.clock.second(self.now) - retention
        if start < oldest and self.behaviour.past_window == "error":
            raise self.errors.malformed("StartTime", f"Only {retention / DAY:.0f} days can be queried.")
        return max(start, oldest)

    def within(self, instant: float, start: float, end: float) -> bool:
        """Whether an instant, as the API shows it, lies between two others (both included)."""
        return start <= self.cloud.clock.second(instant) <= end


def _is_callback_url(url: str) -> bool:
    """http or https with a host; anything but printable ASCII must have been percent-encoded."""
    if not url.startswith(("http://", "https://")) or any(not "!" <= character <= "~" for character in url):
        return False
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


@dataclass(frozen=True)
class Operation:
    """An operation of the API; ``signed`` says whether the caller has to prove who it is with a key."""

    name: str
    parameters: tuple[Parameter, ...]
    carry_out: Callable[[Call], dict[str, Any]]
    limit: Limit
    permission: str
    signed: bool = True


def operation(
    name: str, carry_out: Callable[[Call], dict[str, Any]], calls: int, *parameters: Parameter, seconds: float = 1
) -> Operation:
    """A row of a table; at most so many calls are answered in so many seconds."""
    return Operation(name, parameters, carry_out, Limit(calls, seconds), f"live:{name}")


def page_of(
    call: Call, rows: list[Any], number: int, size: int, number_name: str = "PageNum"
) -> tuple[list[Any], dict[str, int]]:
    """One page of the rows, and the counts that go with it."""
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
