# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one path of every request: pace, sign, send, classify, retry, page."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from . import _answer, _http, _signature
from ._endpoint import Settings
from ._errors import AnswerLost, ClockWrong, InvalidOption, KeysExpired, LiveError, OutcomeUnknown, Throttled
from ._keys import Credentials, Keys
from ._operations import Operation
from ._pacer import Pacer, unshared

MISSING_LIBRARIES = _http.MISSING_LIBRARIES
try:
    import jmespath
except ImportError as missing:
    MISSING_LIBRARIES["jmespath"] = missing

_FORM = "application/x-www-form-urlencoded"
_ACCEPT = {"accept": "application/json"}
_FIRST_BACK_OFF = 0.25  # seconds
_LONGEST_BACK_OFF = 8.0  # seconds
_FIRST_POLL = 0.5  # seconds
_LONGEST_POLL = 10.0  # seconds
_QUOTA_SHARE = 0.96
_LATEST = (
    0.04  # seconds after its slot that a call may leave; with the share above, no second holds more than the quota
)
_MOST_MISSED = 5  # slots
_LONGEST_IDLE = 5.0  # seconds that a connection may stand before its request
_AHEAD = 1.0  # seconds before its slot that a connection is made where the queue is longer than that
_LONGEST_NAP = 30.0  # seconds
# Seconds; a wrong time zone is off by less. Whoever gets a request dated far into the future could send it again then.
_LARGEST_SKEW = 86_400
_LONGEST_QUERY = 60_000  # bytes, which fits into the request line that servers usually accept
_LONGEST_NAME = 100  # letters of a name in a message
_MOST_PAGES = 10_000
_LARGEST_LIST = 256 * 1024 * 1024  # bytes of all pages of one list
_SECRET_PARAMETERS = ("NotifyAuthKey", "OIDCToken")
_SHORTEST_SECRET = 6  # characters

Found = TypeVar("Found")


class Clock:
    """Time as the client needs it; a test puts its own in."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back, the same in all processes of the machine."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        time.sleep(seconds)

    def sleep_until(self, moment: float) -> None:
        """Wait for a moment of the wall clock, which is looked at again and again because it may be set meanwhile."""
        while (left := moment - self.now()) > 0:
            self.sleep(min(left, _LONGEST_NAP))


class Limits(NamedTuple):
    """What a client may spend.

    `retry_timeout`: seconds spent waiting for retries in one task, -1 for ever. `rate_limit`: calls per second for each
    operation, None for 96 % of its quota. `pacer_directory`: where processes share their slots, None for nowhere.
    """

    retry_timeout: float = 60
    rate_limit: float | None = None
    pacer_directory: str | None = None


@dataclass
class Traffic:
    """What a task cost: requests that may have reached the cloud, those it dropped, seconds waited, RequestIds.

    `retry_seconds` are those of the wait that `retry_timeout` limits.
    """

    api_calls: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    retry_seconds: float = 0.0
    request_ids: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        """The entries that every result carries."""
        return {
            "api_calls": self.api_calls,
            "throttled": self.throttled,
            "waited_seconds": round(self.waited_seconds, 3),
            "request_ids": list(self.request_ids),
        }


@dataclass
class Skew:
    """By how many seconds the cloud's clock is ahead of this machine's: at least, and at most."""

    least: float = float("-inf")
    most: float = float("inf")

    @property
    def known(self) -> bool:
        """Whether any answer had a Date."""
        return self.least > float("-inf")

    @property
    def likely(self) -> float:
        """0 where no answer contradicts it, because a Date has whole seconds only; else what is nearest to that."""
        return min(max(0.0, self.least), self.most)

    def learn(self, date: float | None, departure: float, arrival: float) -> None:
        """From an answer's Date, which has whole seconds and was written between its request's departure and now.

        One that is further off than any clock to go by says nothing.
        """
        if date is not None and abs(date - arrival) <= _LARGEST_SKEW:
            self.least = max(self.least, date - arrival)
            self.most = min(self.most, date + 1 - departure)


class Reply(NamedTuple):
    """A successful answer. `after_lost_answer`: an earlier try of the same call may have taken effect already.

    `size` is that of the answer in bytes.
    """

    content: dict[str, Any]
    after_lost_answer: bool
    size: int = 0


class Client:
    """Calls to one endpoint, signed with the keys of `credentials`; None serves operations that are not signed.

    The calls count in `traffic`, which clients of one task share. No request leaves before `not_before`; `left_at` is
    when the first one left, None before. Both are seconds since the epoch.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        credentials: Credentials | None,
        clock: Clock | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self.traffic = traffic or Traffic()
        self.clock = clock or Clock()
        self.not_before = 0.0
        self.left_at: float | None = None
        self._endpoint = settings.endpoint
        self._transport = _http.Transport(settings)
        self._limits = limits
        self._credentials = credentials
        self._keys: Keys | None = None  # of the last request
        self._secrets: set[str] = set()  # of all requests
        self._ahead = 0.0  # seconds that are added to this machine's clock to date requests
        self._warnings: list[str] = []
        self._pacers: dict[str, Pacer] = {}
        self._retry_timeout = limits.retry_timeout if limits.retry_timeout >= 0 else float("inf")
        self._departure = 0.0  # of the last request, by this machine's clock
        self._skew = Skew()

    def call(self, operation: Operation, parameters: Mapping[str, str]) -> Reply:
        """The answer to one operation, retried as its rules allow within `retry_timeout`.

        What was not sent, was dropped, or was refused for a clock or keys that could be put right, had no effect and
        is sent again whatever it is. What may have had an effect is sent again only where `operation.may_repeat` it.
        Each try has a time and a nonce of its own.

        Raises the LiveError of the last try; its `after_lost_answer` tells whether an earlier one may have taken
        effect. Raises OutcomeUnknown where the call may have taken effect and must not be repeated.
        """
        subject = _subject(operation, parameters)
        _check(parameters, subject)
        remedies: dict[type[LiveError], Callable[[Any], bool]] = {
            ClockWrong: self._set_clock,
            KeysExpired: self._renew_keys,
        }
        tries = 0
        lost = False
        while True:
            tries += 1
            try:
                return self._once(operation, parameters, subject)._replace(after_lost_answer=lost)
            except LiveError as error:
                self._redact(error)
                error.after_lost_answer = lost
                remedy = remedies.pop(type(error), None)
                if remedy and remedy(error):
                    continue
                if error.outcome_unknown and not operation.may_repeat(parameters):
                    raise _outcome_unknown(error, operation) from error
                if not error.retryable or not self._waited(error, tries):
                    raise
                lost = lost or error.outcome_unknown

    def pages(self, operation: Operation, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Every listed object of an operation, page by page to the end; one without pages answers with all.

        Raises AnswerLost where a page does not hold what it must, or where there is no end to them: a list that is
        only a part would be taken for the whole.
        """
        subject = _subject(operation, parameters)
        before: list[Any] = []
        size = 0
        for number in range(1, _MOST_PAGES + 1):
            page = {operation.page: str(number), operation.page_size: str(operation.largest_page)}
            reply = self.call(operation, {**parameters, **{name: value for name, value in page.items() if name}})
            rows = _rows(operation, reply.content)
            if rows is None or (rows and rows == before):
                raise _no_list(subject, operation, "is no list" if rows is None else "comes twice", number)
            yield from (row for row in rows if row is not None)
            if _is_last(operation, reply.content, number, len(rows)):
                return
            before = rows
            size += reply.size
            if size > _LARGEST_LIST:
                break
        raise _no_list(subject, operation, "is not the last, and there is no end to them", number)

    def close(self) -> None:
        """Close the connections that are kept for further calls."""
        self._transport.close()

    def may_try_again(self) -> bool:
        """Whether `retry_timeout` leaves time for another try."""
        return self.traffic.retry_seconds < self._retry_timeout

    def wait(self, seconds: float) -> None:
        """Wait, and count it."""
        if seconds > 0:
            self.clock.sleep(seconds)
            self.traffic.waited_seconds += seconds

    def poll(self, look: Callable[[], Found | None], seconds: float) -> Found | None:
        """What `look` returns as soon as that is not None; None where it is not within so many seconds.

        The first look comes after half a second, the others ever later and not in step with those of other processes,
        and the last one at the end.
        """
        deadline = self.clock.monotonic() + seconds
        pause = _FIRST_POLL
        found = None
        while found is None and (left := deadline - self.clock.monotonic()) > 0:
            self.wait(min(left, pause * random.uniform(0.75, 1.25)))
            pause = min(_LONGEST_POLL, pause * 1.5)
            found = look()
        return found

    @property
    def ahead(self) -> float:
        """Seconds that the cloud's clock is ahead of this machine's; 0 unless an answer says otherwise."""
        return self._skew.likely if self._skew.known else self._ahead

    def cloud_time(self) -> float:
        """The cloud's time in seconds since the epoch, as far as it is known."""
        return self.clock.now() + self.ahead

    def cloud_time_at_least(self, moment: float) -> float:
        """A time that the cloud's clock had reached at a moment of this machine's; both in seconds since the epoch."""
        return moment + (self._skew.least if self._skew.known else 0)

    def problems(self) -> list[str]:
        """Warnings about what was not as it should be, though the calls went through."""
        unpaced = {pacer.problem for pacer in self._pacers.values() if pacer.problem}
        return [*self._warnings, *(unshared(problem) for problem in sorted(unpaced))]

    def _pacer(self, operation: Operation) -> Pacer:
        if operation.action not in self._pacers:
            self._pacers[operation.action] = Pacer(
                self._limits.pacer_directory,
                f"{self._endpoint.host} {self._credentials.keys().account if self._credentials else ''}",
                operation.action,
                self._limits.rate_limit or operation.calls_per_second * _QUOTA_SHARE,
                self.clock.monotonic,
            )
        return self._pacers[operation.action]

    def _once(self, operation: Operation, parameters: Mapping[str, str], subject: str) -> Reply:
        pacer = self._pacer(operation)
        try:
            answer = self._send(operation, parameters, subject, pacer)
            content = _answer.read(answer, operation.action, subject, self.clock.now())
        except LiveError as error:
            if error.request_id:
                self.traffic.request_ids.append(self.hidden(error.request_id))
            if isinstance(error, Throttled):
                self.traffic.throttled += 1
                pacer.dropped(error.retry_after or 0.0)
            raise
        self.traffic.request_ids.append(self.hidden(_answer.request_id(content)))
        self._skew.learn(_answer.server_time(answer.headers), self._departure, self.clock.now())
        return Reply(content, False, len(answer.body))

    def _send(
        self, operation: Operation, parameters: Mapping[str, str], subject: str, pacer: Pacer
    ) -> _answer.HttpAnswer:
        """Make the connection, take a slot, and have the request leave in it.

        Making a connection takes a time that nobody knows beforehand, so a slot taken earlier might be missed. It is
        taken earlier only where the queue is so long that the connection might not last.
        """
        slot = None
        if pacer.backlog() > _LONGEST_IDLE:
            slot = pacer.reserve()
            self._wait_until(slot - _AHEAD)
        query, headers, body = self._request(operation, parameters)
        self.traffic.api_calls += 1
        try:
            return self._transport.post(
                query, headers, lambda: self._depart(pacer, slot), body, operation.largest_answer
            )
        except LiveError as error:
            if not error.outcome_unknown:
                self.traffic.api_calls -= 1
            verdict = "may or may not have taken effect" if error.outcome_unknown else "was not sent"
            error.happened = f"{subject} {verdict}: {error.happened}"
            error.action = operation.action
            raise

    def _depart(self, pacer: Pacer, slot: float | None) -> None:
        self.clock.sleep_until(self.not_before)
        self._leave(pacer, slot)
        self.left_at = self.left_at or self.clock.now()

    def _leave(self, pacer: Pacer, slot: float | None) -> None:
        """Wait for the slot; for another one where it has passed, but not for ever on a machine that is this slow."""
        for _missed in range(_MOST_MISSED):
            moment = pacer.reserve() if slot is None else slot
            self._wait_until(moment)
            self._departure = self.clock.now()
            if self.clock.monotonic() - moment <= _LATEST:
                return
            slot = None

    def _request(self, operation: Operation, parameters: Mapping[str, str]) -> tuple[str, dict[str, str], bytes]:
        """Query, headers and body. What is not signed goes into the body, because it holds a secret itself."""
        date = datetime.fromtimestamp(self.clock.now() + self._ahead, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        nonce = uuid.uuid4().hex
        query = _signature.canonical_query(parameters)
        self._keep_secret(*(parameters[name] for name in _SECRET_PARAMETERS if parameters.get(name)))
        if not self._credentials:
            common = {"Action": operation.action, "Version": operation.version, "Format": "JSON", "Timestamp": date}
            signless = _signature.canonical_query({**common, "SignatureNonce": nonce})
            return signless, {"content-type": _FORM, **_ACCEPT}, query.encode()
        keys = self._keys = self._credentials.keys()
        headers = _signature.signed_headers(
            method="POST",
            host=self._endpoint.host,
            action=operation.action,
            version=operation.version,
            query=parameters,
            access_key_id=keys.access_key_id,
            access_key_secret=keys.access_key_secret,
            security_token=keys.security_token,
            date=date,
            nonce=nonce,
        )
        self._keep_secret(*keys.secrets(), keys.access_key_id, headers["Authorization"].rpartition("=")[2])
        return query, {**headers, **_ACCEPT}, b""

    def _wait_until(self, moment: float) -> None:
        self.wait(moment - self.clock.monotonic())

    def _waited(self, error: LiveError, tries: int) -> bool:
        """Wait before the next try; False where the task's time for retries does not reach that far."""
        delay = random.uniform(0, min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2 ** min(tries, 10)))
        if isinstance(error, Throttled) and error.retry_after is not None:
            delay += error.retry_after
        if self.traffic.retry_seconds + delay >= self._retry_timeout:
            return False
        self.traffic.retry_seconds += delay
        self.wait(delay)
        return True

    def _renew_keys(self, error: KeysExpired) -> bool:
        """Obtain other keys in place of those that have expired."""
        try:
            return bool(self._credentials and self._keys and self._credentials.renewed(self._keys))
        except LiveError as failure:
            failure.after_lost_answer = error.after_lost_answer
            raise

    def _set_clock(self, error: ClockWrong) -> bool:
        """Go by the cloud's clock from now on, unless what it says is beyond what a machine may be off."""
        ahead = error.ahead
        if ahead is None or abs(ahead) > _LARGEST_SKEW:
            return False
        self._ahead = ahead
        self._warnings = [
            f"The clock of this machine is {_answer.span(abs(ahead))} {'behind' if ahead > 0 else 'ahead of'} the "
            "cloud's. The calls of this task were dated by the cloud's; set the clock of the machine (NTP)."
        ]
        return True

    def _keep_secret(self, *secrets: str) -> None:
        self._secrets.update(secrets, (quote(secret, safe="") for secret in secrets))

    def hidden(self, text: str) -> str:
        """A text without the keys, tokens and signatures of the requests so far."""
        return masked(text, self._secrets)

    def _redact(self, error: LiveError) -> None:
        """Mask what the server may have echoed."""
        error.happened = self.hidden(error.happened)
        error.code = error.code and self.hidden(error.code)
        error.request_id = error.request_id and self.hidden(error.request_id)


def masked(text: str, secrets: Iterable[str]) -> str:
    """A text without these secrets, but for what is so short that it is none, and may be a part of any word."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "********")
    return text


def _check(parameters: Mapping[str, str], subject: str) -> None:
    """Raises InvalidOption for parameters that cannot be sent."""
    try:
        length = len(_signature.canonical_query(parameters))
    except UnicodeEncodeError:
        raise InvalidOption(
            f"{subject} cannot be sent: an option holds a character that is none", "Correct the option."
        ) from None
    if length > _LONGEST_QUERY:
        raise InvalidOption(
            f"{subject} cannot be sent: with {length} bytes, its options are too long", "Shorten the options."
        )


def _subject(operation: Operation, parameters: Mapping[str, str]) -> str:
    """What the call is about, such as `start of live.example.com/app/stream`."""
    names = [parameters[name] for name in ("DomainName", "AppName", "StreamName", "RoleArn") if name in parameters]
    shown = (f"{name[:_LONGEST_NAME]}..." if len(name) > _LONGEST_NAME else name for name in names)
    return parameters.get("Command", operation.action) + (f" of {'/'.join(shown)}" if names else "")


def _rows(operation: Operation, content: dict[str, Any]) -> list[dict[str, Any] | None] | None:
    """The listed objects of a page; None where it holds something else, or none although there are some."""
    rows = jmespath.search(operation.items, content)
    if rows is None:
        return None if _total(content) else []
    return rows if isinstance(rows, list) and all(row is None or isinstance(row, dict) for row in rows) else None


def _total(content: dict[str, Any]) -> int | None:
    return _answer.whole_number(content.get("TotalNum", content.get("TotalCount")))


def _is_last(operation: Operation, content: dict[str, Any], number: int, count: int) -> bool:
    """Whether a page is the last; where no number of pages is given, one that is not full is."""
    if not count or not operation.page:
        return True
    last = _answer.whole_number(content.get("TotalPage"))
    if last is not None:
        return number >= last
    size = _answer.whole_number(content.get("PageSize")) or operation.largest_page
    return count < min(size, operation.largest_page)


def _no_list(subject: str, operation: Operation, why: str, number: int) -> AnswerLost:
    return AnswerLost(
        f"{subject} got no usable list: page {number} {why}",
        "Check the option endpoint and any proxy in between, then run again.",
        action=operation.action,
    )


def _outcome_unknown(error: LiveError, operation: Operation) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Outcome unknown: {error.happened}",
        f"It was not repeated, because {operation.harm} before you run it again.",
        code=error.code,
        request_id=error.request_id,
        http_status=error.http_status,
        action=error.action,
    )
