# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of the API: attempts until there is a response, and lists page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._errors import LiveError
from .._http.endpoint import Settings
from .._util.clock import Clock
from . import paging
from .access_key import Credentials
from .account import Account, Limits
from .attempts import Attempts
from .operations import Operation
from .redactor import Redactor
from .requester import Requester
from .retry_policy import RetryPolicy
from .traffic import ApiResponse, Traffic


class Client(Requester):
    """Makes the calls of one task to one endpoint, one at a time, each in as many attempts as its retry policy allows.

    Several clients may share an `account`.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        credentials: Credentials | None,
        clock: Clock | None = None,
        traffic: Traffic | None = None,
        account: Account | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        clock = clock or Clock()
        super().__init__(
            account or Account(settings, limits, credentials, clock),
            clock,
            traffic or Traffic(),
            RetryPolicy.from_option(limits.retry_timeout),
            redactor or Redactor(),
        )

    def call(self, operation: Operation, parameters: Mapping[str, str]) -> ApiResponse:
        """Return the response to one operation, retried as its rules allow within the policy's timeout.

        Raises the LiveError of the last attempt, see Attempts.
        """
        attempts = Attempts(self, operation, parameters)
        while True:
            try:
                return attempts.make()
            except LiveError as error:
                self.wait(attempts.pause_after(error))

    def pages(
        self,
        operation: Operation,
        parameters: Mapping[str, str],
        convert: Callable[[dict[str, Any]], Any] = dict,
    ) -> list[Any]:
        """Return every listed object of an operation, each converted; see `paging.read_list`."""
        return paging.read_list(self.call, operation, parameters, convert)

    def may_retry(self) -> bool:
        """Return whether `retry_timeout` leaves time for another attempt."""
        return self.policy.may_retry(self.traffic)

    def wait(self, seconds: float) -> None:
        """Wait, and count the seconds."""
        self.timing.wait(seconds)

    @property
    def ahead(self) -> float:
        """Return the seconds by which the cloud's clock is ahead of this machine's, as far as responses tell."""
        return self.account.cloud_clock.ahead

    def warnings(self) -> list[str]:
        """Return non-fatal warnings about the calls so far."""
        return self.account.warnings()

    def close(self) -> None:
        """Close the connections that are kept for further calls."""
        self.account.close()
