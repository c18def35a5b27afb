# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one path of every request: pace, sign, send, classify, retry, page."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from .._errors import ClockWrong, CredentialsExpired, InvalidOption, LiveError, OutcomeUnknown, Throttled
from .._http.endpoint import Settings
from .._http.response import HttpResponse, server_time
from .._util import text
from .._util.clock import Clock
from . import response, signature
from .access_key import AccessKey, Credentials
from .account import Account, Limits
from .clock_skew import LARGEST_SKEW
from .operations import Operation
from .paging import is_last_page, listed_objects, require_usable, total_number, unusable_list
from .rate_limiter import RateLimiter
from .redactor import masked
from .traffic import ApiResponse, Traffic

_FORM = "application/x-www-form-urlencoded"
_ACCEPT = {"accept": "application/json"}
_FIRST_BACK_OFF = 0.25  # seconds
_LONGEST_BACK_OFF = 8.0  # seconds
_LATEST = (
    0.04  # seconds after its slot that a call may leave; with the share above, no second holds more than the quota
)
_MOST_MISSED = 5  # slots
_LONGEST_IDLE = 5.0  # seconds that a connection may stand before its request
_AHEAD = 1.0  # seconds before its slot that a connection is made where the queue is longer than that
_LONGEST_QUERY = 60_000  # bytes, which fits into the request line that servers usually accept
_LONGEST_NAME = 100  # letters of a name in a message
_MOST_PAGES = 10_000
_MAX_READS = 5  # of a list that moves while it is read
_LARGEST_LIST = 256 * 1024 * 1024  # bytes of memory, about, for all pages of one list
_LISTED_OBJECT = 500  # bytes that an object takes beside its texts
_SECRET_PARAMETERS = ("NotifyAuthKey", "OIDCToken")


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
        self._keys: AccessKey | None = None  # of the last request
        self._secrets: set[str] = set()  # of all requests
        self._retry_timeout = limits.retry_timeout if limits.retry_timeout >= 0 else float("inf")
        self.departure = 0.0  # of the last request, by this machine's clock
        self._sent: float | None = None  # when the last request left, by the monotonic clock

    def call(self, operation: Operation, parameters: Mapping[str, str]) -> ApiResponse:
        """Return the response to one operation, retried as its rules allow within `retry_timeout`.

        Raises the LiveError of the last attempt, see Attempts.
        """
        attempts = Attempts(self, operation, parameters)
        while True:
            try:
                return attempts.make()
            except LiveError as error:
                self.wait(attempts.pause_after(error))

    def attempt(self, operation: Operation, parameters: Mapping[str, str], subject: str) -> ApiResponse:
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
        return isinstance(error, CredentialsExpired) and self._renew_keys(error)

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
        raise unusable_list(
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
            rows = listed_objects(operation, reply.content) or []
            if rows and rows == before:
                raise unusable_list(subject, operation, f"page {number} comes twice")
            found += map(convert, rows)
            earlier, total = total, total_number(reply.content) or 0
            if total < earlier:
                return None
            if is_last_page(operation, reply.content, number, len(rows)):
                return found if len(found) >= total else None
            before = rows
            size += reply.size + len(rows) * _LISTED_OBJECT
            if size > (operation.largest_list or _LARGEST_LIST):
                break
        raise unusable_list(subject, operation, f"page {number} is not the last, and there is no end to them")

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

    def _once(self, operation: Operation, parameters: Mapping[str, str], subject: str) -> ApiResponse:
        pacer = self.account.pacer(operation)
        try:
            answer = self._send(operation, parameters, subject, pacer)
            content = response.read(answer, operation.action, subject, self.clock.now(), self.hidden)
            require_usable(operation, parameters, content, subject)
        except LiveError as error:
            if error.request_id:
                self.traffic.request_ids.append(self.hidden(error.request_id))
            if isinstance(error, Throttled):
                self.traffic.throttled += 1
                pacer.dropped()
            raise
        self.traffic.request_ids.append(self.hidden(response.request_id(content)))
        self.account.skew.learn(server_time(answer.headers), self.departure, self.clock.now())
        return ApiResponse(content, False, len(answer.body))

    def _send(
        self, operation: Operation, parameters: Mapping[str, str], subject: str, pacer: RateLimiter
    ) -> HttpResponse:
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

    def _depart(self, pacer: RateLimiter, slot: float | None) -> None:
        self.clock.sleep_until(self.not_before)
        self._leave(pacer, slot)
        self.clock.check()
        self.left_at = self.left_at or self.clock.now()
        self._sent = self.clock.monotonic()
        if self.on_sent:
            self.on_sent()

    def _leave(self, pacer: RateLimiter, slot: float | None) -> None:
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
        query = signature.canonical_query(parameters)
        self._keep_secret(*(parameters[name] for name in _SECRET_PARAMETERS if parameters.get(name)))
        keys = self._keys = self.account.keys()
        if not keys:
            common = {"Action": operation.action, "Version": operation.version, "Format": "JSON", "Timestamp": date}
            signless = signature.canonical_query({**common, "SignatureNonce": nonce})
            return signless, {"content-type": _FORM, **_ACCEPT}, query.encode()
        headers = signature.signed_headers(
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

    def _renew_keys(self, error: CredentialsExpired) -> bool:
        """Obtain other keys in place of those that have expired."""
        try:
            return bool(self._keys and self.account.renew(self._keys))
        except LiveError as failure:
            failure.after_lost_response = error.after_lost_response
            raise

    def _set_clock(self, error: ClockWrong) -> bool:
        """Go by the cloud's clock from now on, unless what it says is beyond what a machine may be off."""
        ahead = error.ahead
        if ahead is None or abs(ahead) > LARGEST_SKEW:
            return False
        self.account.ahead = ahead
        self.account.clock_warnings = [
            f"The clock of this machine is {text.format_duration(abs(ahead))} {'behind' if ahead > 0 else 'ahead of'} "
            "the cloud's. The calls of this task were dated by the cloud's; set the clock of the machine (NTP)."
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

    def make(self) -> ApiResponse:
        """Make one attempt, or a second at once where the first was refused for what could be put right.

        Raises the LiveError of the attempt; `after_lost_response` says whether an earlier one may have taken effect.
        """
        while True:
            self._made += 1
            try:
                reply = self._client.attempt(self._operation, self._parameters, self._subject)
                return reply._replace(after_lost_response=self.was_lost)
            except LiveError as error:
                error.after_lost_response = self.was_lost
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


def _check(parameters: Mapping[str, str], subject: str) -> None:
    """Raises InvalidOption for parameters that cannot be sent."""
    try:
        length = len(signature.canonical_query(parameters))
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


def _outcome_unknown(error: LiveError, operation: Operation) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Outcome unknown: {error.happened}",
        f"It was not repeated, because {operation.harm} before you run it again.",
        code=error.code,
        request_id=error.request_id,
        http_status=error.http_status,
        action=error.action,
    )
