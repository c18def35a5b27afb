# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one path of every request: pace, sign, send, classify, retry, page."""

from __future__ import annotations

import math
import random
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, NamedTuple
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


def missing_libraries() -> str | None:
    """Return what to say where a library is missing that is required, None where none is."""
    if not MISSING_LIBRARIES:
        return None
    names = " and ".join(MISSING_LIBRARIES)
    return f"{sys.executable} does not find {names}. Run: {sys.executable} -m pip install {' '.join(MISSING_LIBRARIES)}"


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
_LONGEST_NAP = 1.0  # seconds after which a step of the wall clock is seen
# Seconds; a wrong time zone is off by less. Whoever gets a request dated far into the future could send it again then.
_LARGEST_SKEW = 86_400
_LONGEST_QUERY = 60_000  # bytes, which fits into the request line that servers usually accept
_LONGEST_NAME = 100  # letters of a name in a message
_MOST_PAGES = 10_000
_MAX_READS = 5  # of a list that moves while it is read
_LARGEST_LIST = 256 * 1024 * 1024  # bytes of memory, about, for all pages of one list
_LISTED_OBJECT = 500  # bytes that an object takes beside its texts
_SECRET_PARAMETERS = ("NotifyAuthKey", "OIDCToken")
_SHORTEST_SECRET = 6  # characters


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

    def check(self) -> None:
        """Raise RunEnded where the run has ended that this clock is for, so that nothing more may be sent."""

    def sleep_until(self, moment: float) -> None:
        """Wait for a moment of the wall clock, which is looked at again and again because it may be set meanwhile."""
        while (left := moment - self.now()) > 0:
            self.sleep(min(left, _LONGEST_NAP))


class Limits(NamedTuple):
    """What a client may spend.

    `retry_timeout`: seconds for failed attempts and the waits between them in one task, -1 for ever. `rate_limit`:
    calls per second for each operation, None for 96 % of its quota. `pacer_directory`: where processes share their
    slots, None for nowhere. `run_directory`: where the processes of this run do without it.
    """

    retry_timeout: float = 60
    rate_limit: float | None = None
    pacer_directory: str | None = None
    run_directory: str | None = None


@dataclass
class Traffic:
    """What a task cost: requests that may have reached the cloud, those it dropped, seconds waited, RequestIds.

    `retry_seconds` are those of failed attempts and of the waits between them, which `retry_timeout` limits.
    """

    api_calls: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    retry_seconds: float = 0.0
    request_ids: list[str] = field(default_factory=list)
    by_operation: Counter[str] = field(default_factory=Counter)

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


class Account:
    """Shares connections, credentials, pacers and the clocks' difference among calls with the same connection options.

    `credentials` None serves operations that are not signed. Many threads may use one account.
    """

    def __init__(self, settings: Settings, limits: Limits, credentials: Credentials | None, clock: Clock) -> None:
        self.settings = settings
        self.limits = limits
        self.endpoint = settings.endpoint
        self.transport = _http.Transport(settings)
        self.skew = Skew()
        self.ahead = 0.0  # seconds that are added to this machine's clock to date requests
        self.clock_warnings: list[str] = []
        self._credentials = credentials
        self._clock = clock
        self._pacers: dict[str, Pacer] = {}
        self._lock = threading.RLock()

    def keys(self) -> Keys | None:
        """Return the keys to sign the next call with; raises CredentialsError where there are none."""
        with self._lock:
            return self._credentials.keys() if self._credentials else None

    def renew(self, expired: Keys) -> bool:
        """Obtain other keys in place of those that have expired; return whether there are any."""
        with self._lock:
            return bool(self._credentials and self._credentials.renewed(expired))

    def pacer(self, operation: Operation) -> Pacer:
        """Return the pacer that the calls of this operation share."""
        with self._lock:
            if operation.action not in self._pacers:
                keys = self.keys()
                self._pacers[operation.action] = Pacer(
                    self.limits.pacer_directory,
                    f"{self.endpoint.host} {keys.account if keys else ''}",
                    operation.action,
                    self.limits.rate_limit or operation.calls_per_second * _QUOTA_SHARE,
                    self._clock.monotonic,
                    run_directory=self.limits.run_directory,
                )
            return self._pacers[operation.action]

    def warnings(self) -> list[str]:
        """Return warnings about what was not as it should be, though the calls went through."""
        with self._lock:
            unpaced = {unshared(pacer.problem, pacer.is_alone()) for pacer in self._pacers.values() if pacer.problem}
            return [*self.clock_warnings, *sorted(unpaced)]

    def close(self) -> None:
        """Close the connections that are kept for further calls."""
        self.transport.close()


class Client:
    """Calls of one task to one endpoint; a client makes one call at a time.

    The calls count in `traffic`, which clients of one task share. No request leaves before `not_before`; `left_at` is
    when the first one left, None before. Both are seconds since the epoch. `account` is given where several clients
    share one. `on_sent` is called each time that a request has left.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        credentials: Credentials | None,
        clock: Clock | None = None,
        traffic: Traffic | None = None,
        account: Account | None = None,
    ) -> None:
        self.traffic = traffic or Traffic()
        self.clock = clock or Clock()
        self.account = account or Account(settings, limits, credentials, self.clock)
        self.not_before = 0.0
        self.left_at: float | None = None
        self.on_sent: Callable[[], None] | None = None
        self._keys: Keys | None = None  # of the last request
        self._secrets: set[str] = set()  # of all requests
        self._retry_timeout = limits.retry_timeout if limits.retry_timeout >= 0 else float("inf")
        self.departure = 0.0  # of the last request, by this machine's clock
        self._sent: float | None = None  # when the last request left, by the monotonic clock

    def call(self, operation: Operation, parameters: Mapping[str, str]) -> Reply:
        """Return the response to one operation, retried as its rules allow within `retry_timeout`.

        Raises the LiveError of the last attempt, see Attempts.
        """
        attempts = Attempts(self, operation, parameters)
        while True:
            try:
                return attempts.make()
            except LiveError as error:
                self.wait(attempts.pause_after(error))

    def attempt(self, operation: Operation, parameters: Mapping[str, str], subject: str) -> Reply:
        """Send one request and return the response; `retry_timeout` counts the time that a failed one took."""
        started = self.clock.monotonic()
        self._sent = None
        try:
            return self._once(operation, parameters, subject)
        except LiveError as error:
            self.traffic.retry_seconds += self.clock.monotonic() - (self._sent or started)
            self._redact(error)
            raise

    def remedy(self, error: LiveError) -> bool:
        """Remove the cause of a refusal where that is in our hands; return whether that was done."""
        if isinstance(error, ClockWrong):
            return self._set_clock(error)
        return isinstance(error, KeysExpired) and self._renew_keys(error)

    def back_off(self, error: LiveError, attempts: int) -> float | None:
        """Return the seconds before the next attempt; None where `retry_timeout` does not reach that far."""
        delay = random.uniform(0, min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2 ** min(attempts, 10)))
        if isinstance(error, Throttled) and error.retry_after is not None:
            delay += error.retry_after
        if self.traffic.retry_seconds + delay >= self._retry_timeout:
            return None
        self.traffic.retry_seconds += delay
        return delay

    def pages(
        self,
        operation: Operation,
        parameters: Mapping[str, str],
        convert: Callable[[dict[str, Any]], Any] | None = None,
    ) -> list[Any]:
        """Return every listed object of an operation, each converted, page by page to the end.

        A list that moved while it was read is read again. Raises AnswerLost where it never holds as many objects as it
        says, where a page does not hold what it must, or where there is no end to them: a list that is only a part
        would be taken for the whole.
        """
        for _read in range(_MAX_READS):
            found = self._read_pages(operation, parameters, convert or dict)
            if found is not None:
                return found
        raise _no_list(
            _subject(operation, parameters),
            operation,
            f"its pages hold fewer objects than they say, in each of {_MAX_READS} readings",
        )

    def _read_pages(
        self, operation: Operation, parameters: Mapping[str, str], convert: Callable[[dict[str, Any]], Any]
    ) -> list[Any] | None:
        """Return the objects of all pages; None where some are missing.

        Where objects are removed meanwhile, those that follow move to pages that have been read, and the number that
        each page tells goes down. What is added moves nothing out of reach.
        """
        subject = _subject(operation, parameters)
        found: list[Any] = []
        before: list[Any] = []
        size = total = 0
        for number in range(1, _MOST_PAGES + 1):
            page = {operation.page: str(number), operation.page_size: str(operation.largest_page)}
            reply = self.call(operation, {**parameters, **{name: value for name, value in page.items() if name}})
            rows = _rows(operation, reply.content) or []
            if rows and rows == before:
                raise _no_list(subject, operation, f"page {number} comes twice")
            found += map(convert, rows)
            earlier, total = total, _total(reply.content) or 0
            if total < earlier:
                return None
            if _is_last(operation, reply.content, number, len(rows)):
                return found if len(found) >= total else None
            before = rows
            size += reply.size + len(rows) * _LISTED_OBJECT
            if size > (operation.largest_list or _LARGEST_LIST):
                break
        raise _no_list(subject, operation, f"page {number} is not the last, and there is no end to them")

    def close(self) -> None:
        """Close the connections that are kept for further calls."""
        self.account.close()

    def may_try_again(self) -> bool:
        """Whether `retry_timeout` leaves time for another try."""
        return self.traffic.retry_seconds < self._retry_timeout

    def wait(self, seconds: float) -> None:
        """Wait, and count it."""
        if seconds > 0:
            self.clock.sleep(seconds)
            self.traffic.waited_seconds += seconds

    @property
    def ahead(self) -> float:
        """Seconds that the cloud's clock is ahead of this machine's; 0 unless an answer says otherwise."""
        skew = self.account.skew
        return skew.likely if skew.known else self.account.ahead

    def cloud_time(self) -> float:
        """The cloud's time in seconds since the epoch, as far as it is known."""
        return self.clock.now() + self.ahead

    def cloud_time_at_least(self, moment: float) -> float:
        """A time that the cloud's clock had reached at a moment of this machine's; both in seconds since the epoch."""
        return moment + (self.account.skew.least if self.account.skew.known else 0)

    def cloud_time_between(self, moment: float) -> tuple[float, float] | None:
        """Return the first and the last time that the cloud's clock can have shown at a moment of this machine's.

        None where no response told how the clocks differ.
        """
        skew = self.account.skew
        if not skew.known:
            return None
        return moment + min(skew.least, skew.most), moment + max(skew.least, skew.most)

    def problems(self) -> list[str]:
        """Return warnings about what was not as it should be, though the calls went through."""
        return self.account.warnings()

    def _once(self, operation: Operation, parameters: Mapping[str, str], subject: str) -> Reply:
        pacer = self.account.pacer(operation)
        try:
            answer = self._send(operation, parameters, subject, pacer)
            content = _answer.read(answer, operation.action, subject, self.clock.now(), self.hidden)
            _require_usable(operation, parameters, content, subject)
        except LiveError as error:
            if error.request_id:
                self.traffic.request_ids.append(self.hidden(error.request_id))
            if isinstance(error, Throttled):
                self.traffic.throttled += 1
                pacer.dropped()
            raise
        self.traffic.request_ids.append(self.hidden(_answer.request_id(content)))
        self.account.skew.learn(_answer.server_time(answer.headers), self.departure, self.clock.now())
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
        self.traffic.by_operation[operation.action] += 1
        try:
            return self.account.transport.post(
                query, headers, lambda: self._depart(pacer, slot), body, operation.largest_answer
            )
        except LiveError as error:
            if not error.outcome_unknown:
                self.traffic.api_calls -= 1
                self.traffic.by_operation[operation.action] -= 1
            verdict = "may or may not have taken effect" if error.outcome_unknown else "was not sent"
            error.happened = f"{subject} {verdict}: {error.happened}"
            error.action = operation.action
            raise

    def _depart(self, pacer: Pacer, slot: float | None) -> None:
        self.clock.sleep_until(self.not_before)
        self._leave(pacer, slot)
        self.clock.check()
        self.left_at = self.left_at or self.clock.now()
        self._sent = self.clock.monotonic()
        if self.on_sent:
            self.on_sent()

    def _leave(self, pacer: Pacer, slot: float | None) -> None:
        """Wait for the slot; for another one where it has passed, but not for ever on a machine that is this slow."""
        for _missed in range(_MOST_MISSED):
            moment = pacer.reserve() if slot is None else slot
            self._wait_until(moment)
            self.departure = self.clock.now()
            if self.clock.monotonic() - moment <= _LATEST:
                return
            slot = None

    def _request(self, operation: Operation, parameters: Mapping[str, str]) -> tuple[str, dict[str, str], bytes]:
        """Query, headers and body. What is not signed goes into the body, because it holds a secret itself."""
        date = datetime.fromtimestamp(self.clock.now() + self.account.ahead, timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        nonce = uuid.uuid4().hex
        query = _signature.canonical_query(parameters)
        self._keep_secret(*(parameters[name] for name in _SECRET_PARAMETERS if parameters.get(name)))
        keys = self._keys = self.account.keys()
        if not keys:
            common = {"Action": operation.action, "Version": operation.version, "Format": "JSON", "Timestamp": date}
            signless = _signature.canonical_query({**common, "SignatureNonce": nonce})
            return signless, {"content-type": _FORM, **_ACCEPT}, query.encode()
        headers = _signature.signed_headers(
            method="POST",
            host=self.account.endpoint.host,
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

    def _renew_keys(self, error: KeysExpired) -> bool:
        """Obtain other keys in place of those that have expired."""
        try:
            return bool(self._keys and self.account.renew(self._keys))
        except LiveError as failure:
            failure.after_lost_answer = error.after_lost_answer
            raise

    def _set_clock(self, error: ClockWrong) -> bool:
        """Go by the cloud's clock from now on, unless what it says is beyond what a machine may be off."""
        ahead = error.ahead
        if ahead is None or abs(ahead) > _LARGEST_SKEW:
            return False
        self.account.ahead = ahead
        self.account.clock_warnings = [
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


class Poll:
    """The moments at which to look for something that is awaited for so many seconds.

    The first comes after half a second, the others ever later and not in step with those of other processes, and the
    last one at the end. `until` is the end, by the monotonic clock.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._pause = _FIRST_POLL
        self._moment = math.inf
        self.until = clock.monotonic() + seconds

    def include(self, moment: float) -> None:
        """Have one of the looks at this moment, by the monotonic clock."""
        self._moment = moment

    def pause(self) -> float | None:
        """Return the seconds before the next look; None where there is none."""
        now = self._clock.monotonic()
        left = self.until - now
        if left <= 0:
            return None
        pause = min(left, self._pause * random.uniform(0.75, 1.25))
        if now < self._moment:
            pause = min(pause, self._moment - now)
        self._pause = min(_LONGEST_POLL, self._pause * 1.5)
        return pause


class Attempts:
    """The attempts of one call, each with a time and a nonce of its own, until a response or a final error.

    What was not sent, was dropped, or was refused for a clock or keys that could be put right, had no effect and
    is sent again whatever it is. What may have had an effect is sent again only where `operation.may_repeat` it.
    `lost_at` is when the first one left that may have had an effect and lost its response, None where there is none.
    """

    def __init__(self, client: Client, operation: Operation, parameters: Mapping[str, str]) -> None:
        self._client = client
        self._operation = operation
        self._parameters = parameters
        self._subject = _subject(operation, parameters)
        _check(parameters, self._subject)
        self._made = 0
        self.lost_at: float | None = None
        self._remedied: set[type[LiveError]] = set()

    def make(self) -> Reply:
        """Make one attempt, or a second at once where the first was refused for what could be put right.

        Raises the LiveError of the attempt; its `after_lost_answer` tells whether an earlier one may have taken effect.
        """
        while True:
            self._made += 1
            try:
                reply = self._client.attempt(self._operation, self._parameters, self._subject)
                return reply._replace(after_lost_answer=self.was_lost)
            except LiveError as error:
                error.after_lost_answer = self.was_lost
                if error.outcome_unknown and self.lost_at is None:
                    self.lost_at = self._client.departure
                if type(error) in self._remedied or not self._client.remedy(error):
                    raise
                self._remedied.add(type(error))

    @property
    def was_lost(self) -> bool:
        """Return whether an attempt may have taken effect whose response was lost."""
        return self.lost_at is not None

    def pause_after(self, error: LiveError) -> float:
        """Return the seconds to wait before the next attempt; raises the error where there is none.

        Raises OutcomeUnknown where the call may have taken effect and must not be repeated.
        """
        if error.outcome_unknown and not self._operation.may_repeat(self._parameters):
            unknown = _outcome_unknown(error, self._operation)
            unknown.lost_at = self._client.departure
            raise unknown from error
        delay = self._client.back_off(error, self._made) if error.retryable else None
        if delay is None:
            raise error
        return delay


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


def _require_usable(operation: Operation, parameters: Mapping[str, str], content: dict[str, Any], subject: str) -> None:
    """Raises AnswerLost for an answer that lacks what it must hold, which must not be taken for "nothing"."""
    if operation.items and _rows(operation, content) is None:
        raise _no_list(subject, operation, f"page {parameters.get(operation.page or '', '1')} is no list", content)
    if not _has_field(operation, content):
        raise _unusable(f"{subject} got no usable answer: it does not tell {operation.field}", operation, content)


def _has_field(operation: Operation, content: dict[str, Any]) -> bool:
    if not operation.field:
        return True
    value = content.get(operation.field, "")
    if operation.values:
        return str(value).lower() in operation.values
    return value is None or isinstance(value, dict)


def _rows(operation: Operation, content: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the listed objects of a page; None where it holds something else, or none and does not say so."""
    rows = jmespath.search(operation.items, content)
    if rows is None:
        # An operation without pages tells no number of objects, and may leave an empty list out of its object.
        is_empty = _total(content) == 0 if operation.page else _has_empty_object(operation, content)
        return [] if is_empty else None
    if not isinstance(rows, list):
        return None
    found = [row for row in rows if row is not None or operation.names]
    return found if all(_is_object(row, operation.names) for row in found) else None


def _has_empty_object(operation: Operation, content: dict[str, Any]) -> bool:
    return content.get((operation.items or "").partition(".")[0]) == {}


def _is_object(row: Any, names: Iterable[str]) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(name), str) and row[name] for name in names)


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


def _no_list(
    subject: str, operation: Operation, why: str, content: Mapping[str, Any] = MappingProxyType({})
) -> AnswerLost:
    return _unusable(f"{subject} got no usable list: {why}", operation, content)


def _unusable(happened: str, operation: Operation, content: Mapping[str, Any]) -> AnswerLost:
    return AnswerLost(
        happened,
        "Check the option endpoint and any proxy in between, then run again.",
        request_id=_answer.request_id(content) or None,
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
