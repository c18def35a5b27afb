# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one path of every request: pace, sign, send, classify, retry, page."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

from . import _answer, _http, _signature
from ._errors import LiveError, OutcomeUnknown, Throttled
from ._keys import Credentials, Keys
from ._operations import Operation
from ._pacer import Pacer

MISSING_LIBRARIES = _http.MISSING_LIBRARIES
try:
    import jmespath
except ImportError as missing:
    MISSING_LIBRARIES["jmespath"] = missing

_EXPIRED = "InvalidSecurityToken.Expired"  # the call had no effect
_FORM = "application/x-www-form-urlencoded"
_OUR_HEADERS = {"accept": "application/json", "user-agent": "ansible-collection/apsaravideo.live"}
_FIRST_BACK_OFF = 0.25  # seconds
_LONGEST_BACK_OFF = 8.0  # seconds
_QUOTA_SHARE = 0.96
_LATEST = (
    0.04  # seconds after its slot that a call may leave; with the share above, no second holds more than the quota
)
_MOST_MISSED = 5  # slots
_LONGEST_IDLE = 5.0  # seconds that a connection may stand before its request
_AHEAD = 1.0  # seconds before its slot that a connection is made where the queue is longer than that
_LONGEST_NAP = 30.0  # seconds


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
    """What a task cost: requests that may have reached the cloud, those it dropped, seconds waited, RequestIds."""

    api_calls: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    request_ids: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        """The entries that every result carries."""
        return {
            "api_calls": self.api_calls,
            "throttled": self.throttled,
            "waited_seconds": round(self.waited_seconds, 3),
            "request_ids": list(self.request_ids),
        }


class Reply(NamedTuple):
    """A successful answer. `after_lost_answer`: an earlier try of the same call may have taken effect already."""

    content: dict[str, Any]
    after_lost_answer: bool


class Client:
    """Calls to one endpoint, signed with the keys of `credentials`; None serves operations that are not signed.

    The calls count in `traffic`, which clients of one task share. No request leaves before `not_before`; `left_at` is
    when the first one left, None before. Both are seconds since the epoch.
    """

    def __init__(
        self,
        settings: _http.Settings,
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
        self._pacers: dict[str, Pacer] = {}
        self._retry_seconds_left = limits.retry_timeout if limits.retry_timeout >= 0 else float("inf")

    def call(self, operation: Operation, parameters: Mapping[str, str]) -> Reply:
        """The answer to one operation, retried as its rules allow within `retry_timeout`.

        Raises the LiveError of the last try; its `after_lost_answer` tells whether an earlier one may have taken
        effect. Raises OutcomeUnknown where the call may have taken effect and must not be repeated.
        """
        subject = _subject(operation, parameters)
        tries = 0
        lost = False
        renewed = False
        while True:
            tries += 1
            try:
                return Reply(self._once(operation, parameters, subject), lost)
            except LiveError as error:
                self._redact(error)
                error.after_lost_answer = lost
                if error.code == _EXPIRED and not renewed and self._renewed():
                    renewed = True
                    continue
                if error.outcome_unknown and not operation.may_repeat(parameters):
                    raise _outcome_unknown(error, operation) from error
                if not error.retryable or not self._waited(error, tries):
                    raise
                lost = lost or error.outcome_unknown

    def pages(self, operation: Operation, parameters: Mapping[str, str]) -> Iterator[Any]:
        """Every listed object of an operation, page by page to the end."""
        number, last = 1, 1
        while number <= last:
            page = {str(operation.page): str(number), str(operation.page_size): str(operation.largest_page)}
            content = self.call(operation, {**parameters, **page}).content
            yield from jmespath.search(operation.items, content) or []
            last = _answer.whole_number(content.get("TotalPage")) or 0
            number += 1

    def wait(self, seconds: float) -> None:
        """Wait, and count it."""
        if seconds > 0:
            self.clock.sleep(seconds)
            self.traffic.waited_seconds += seconds

    def problems(self) -> list[str]:
        """Why the calls could not be paced together with those of other processes."""
        return sorted({pacer.problem for pacer in self._pacers.values() if pacer.problem})

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

    def _once(self, operation: Operation, parameters: Mapping[str, str], subject: str) -> dict[str, Any]:
        pacer = self._pacer(operation)
        try:
            answer = self._send(operation, parameters, subject, pacer)
            content = _answer.read(answer, operation.action, subject, self.clock.now())
        except LiveError as error:
            if error.request_id:
                self.traffic.request_ids.append(error.request_id)
            if isinstance(error, Throttled):
                self.traffic.throttled += 1
                pacer.dropped(error.retry_after or 0.0)
            raise
        self.traffic.request_ids.append(_answer.request_id(content))
        return content

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
            return self._transport.post(query, headers, lambda: self._depart(pacer, slot), body)
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
            if self.clock.monotonic() - moment <= _LATEST:
                return
            slot = None

    def _request(self, operation: Operation, parameters: Mapping[str, str]) -> tuple[str, dict[str, str], bytes]:
        """Query, headers and body. What is not signed goes into the body, because it holds a secret itself."""
        date = datetime.fromtimestamp(self.clock.now(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        nonce = uuid.uuid4().hex
        query = _signature.canonical_query(parameters)
        if not self._credentials:
            common = {"Action": operation.action, "Version": operation.version, "Format": "JSON", "Timestamp": date}
            signless = _signature.canonical_query({**common, "SignatureNonce": nonce})
            return signless, {"content-type": _FORM, **_OUR_HEADERS}, query.encode()
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
        return query, {**headers, **_OUR_HEADERS}, b""

    def _wait_until(self, moment: float) -> None:
        self.wait(moment - self.clock.monotonic())

    def _waited(self, error: LiveError, tries: int) -> bool:
        """Wait before the next try; False where the task's time for retries does not reach that far."""
        delay = random.uniform(0, min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2 ** min(tries, 10)))
        if isinstance(error, Throttled) and error.retry_after is not None:
            delay += error.retry_after
        if delay >= self._retry_seconds_left:
            return False
        self._retry_seconds_left -= delay
        self.wait(delay)
        return True

    def _renewed(self) -> bool:
        return bool(self._credentials and self._keys and self._credentials.renewed(self._keys))

    def _redact(self, error: LiveError) -> None:
        for secret in (*self._keys.secrets(), self._keys.access_key_id) if self._keys else ():
            error.happened = error.happened.replace(secret, "********")


def _subject(operation: Operation, parameters: Mapping[str, str]) -> str:
    """What the call is about, such as `start of live.example.com/app/stream`."""
    names = [parameters[name] for name in ("DomainName", "AppName", "StreamName") if name in parameters]
    return f"{parameters.get('Command', operation.action)} of {'/'.join(names)}"


def _outcome_unknown(error: LiveError, operation: Operation) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Outcome unknown: {error.happened}",
        f"It was not repeated, because {operation.harm} before you run it again.",
        code=error.code,
        request_id=error.request_id,
        http_status=error.http_status,
        action=error.action,
    )
