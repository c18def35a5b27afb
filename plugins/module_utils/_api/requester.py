# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one path of every request: pace, sign, send, read."""

from __future__ import annotations

from collections.abc import Mapping

from .._errors import ClockWrong, CredentialsExpired, LiveError, Throttled
from .._http.response import HttpResponse, server_time
from .._util.clock import Clock
from . import response
from .access_key import AccessKey
from .account import Account
from .operations import Operation
from .paging import require_usable
from .rate_limiter import RateLimiter
from .redactor import Redactor
from .request import Request, build_request, secret_parameters
from .retry_policy import RetryPolicy
from .send_timing import SendTiming
from .traffic import ApiResponse, Traffic


class Requester:
    """Sends requests of one task with an account, one at a time and each once.

    The calls count in `traffic`, which requesters of one task share, as they share the secrets in `redactor`.
    """

    def __init__(
        self, account: Account, clock: Clock, traffic: Traffic, policy: RetryPolicy, redactor: Redactor
    ) -> None:
        self.account = account
        self.clock = clock
        self.traffic = traffic
        self.policy = policy
        self.redactor = redactor
        self.timing = SendTiming(clock, traffic)
        self._key: AccessKey | None = None  # of the last request

    def attempt(self, operation: Operation, parameters: Mapping[str, str], subject: str) -> ApiResponse:
        """Send one request and return the response; raises a LiveError without secrets.

        The time that a failed request took counts as `retry_seconds`.
        """
        started = self.clock.monotonic()
        self.timing.sent_monotonic = None
        try:
            return self._request(operation, parameters, subject)
        except LiveError as error:
            self.traffic.retry_seconds += self.clock.monotonic() - (self.timing.sent_monotonic or started)
            failure = self._without_secrets(error)
        raise failure  # Outside of the handler, so that the error with the secrets is no part of its context.

    def remedy(self, error: LiveError) -> bool:
        """Remove the cause of a refusal where that is in our hands; return whether that was done."""
        if isinstance(error, ClockWrong):
            return self.account.cloud_clock.correct(error)
        return isinstance(error, CredentialsExpired) and self._renew_key(error)

    def _request(self, operation: Operation, parameters: Mapping[str, str], subject: str) -> ApiResponse:
        limiter = self.account.rate_limiter(operation)
        mask = self.redactor.mask
        try:
            received = self._send(operation, parameters, subject, limiter)
            content = response.read(received, operation.action, subject, self.clock.now(), mask)
            require_usable(operation, parameters, content, subject)
        except LiveError as error:
            if error.request_id:
                self.traffic.request_ids.append(mask(error.request_id))
            if isinstance(error, Throttled):
                self.traffic.throttled += 1
                limiter.slow_down()
            raise
        self.traffic.request_ids.append(mask(response.get_request_id(content)))
        self.account.cloud_clock.skew.learn(server_time(received.headers), self.timing.sent_at, self.clock.now())
        return ApiResponse(content, False, len(received.body))

    def _send(
        self, operation: Operation, parameters: Mapping[str, str], subject: str, limiter: RateLimiter
    ) -> HttpResponse:
        """Connect, wait for the slot, and send; the request counts unless it was certainly not sent."""
        slot = self.timing.queue(limiter)
        request = self._sign(operation, parameters)
        self.traffic.count(operation.action)
        try:
            return self.account.transport.post(
                request.query,
                request.headers,
                lambda: self.timing.before_send(limiter, slot),
                request.body,
                operation.max_response_size,
            )
        except LiveError as error:
            if not error.outcome_unknown:
                self.traffic.uncount(operation.action)
            verdict = "may or may not have taken effect" if error.outcome_unknown else "was not sent"
            happened = f"{subject} {verdict}: {error.happened}"
            raise error.with_context(happened=happened, action=operation.action) from error

    def _sign(self, operation: Operation, parameters: Mapping[str, str]) -> Request:
        """Return the request, signed with the current access key; everything secret in it is masked from now on."""
        self.redactor.learn(*secret_parameters(parameters))
        key = self._key = self.account.get_access_key()
        host, time = self.account.endpoint.host, self.account.cloud_clock.request_time()
        request = build_request(operation, parameters, host, key, time)
        if key:
            self.redactor.learn(*key.secrets(), key.access_key_id)
        if request.signature:
            self.redactor.learn_signature(request.signature)
        return request

    def _renew_key(self, error: CredentialsExpired) -> bool:
        """Obtain another access key in place of the expired one; return whether there is another."""
        try:
            return bool(self._key and self.account.renew(self._key))
        except LiveError as failure:
            raise failure.with_context(after_lost_response=error.after_lost_response) from failure

    def _without_secrets(self, error: LiveError) -> LiveError:
        """Return a copy in which the secrets are masked that the server may have echoed."""
        mask = self.redactor.mask
        return error.with_context(
            happened=mask(error.happened),
            code=error.code and mask(error.code),
            request_id=error.request_id and mask(error.request_id),
        )
