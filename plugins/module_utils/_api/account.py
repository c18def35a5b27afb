# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections, credentials and rate limiters that the calls of one account share."""

from __future__ import annotations

import threading
from typing import NamedTuple

from .._http import transport
from .._http.endpoint import Settings
from .._util.clock import Clock
from .access_key import AccessKey, Credentials
from .clock_skew import CloudClock
from .operations import Operation
from .rate_limiter import RateLimiter, local_pacing_warning

_QUOTA_SHARE = 0.96  # the rest covers delays, see MAX_SLOT_DELAY


class Limits(NamedTuple):
    """Limits of a client.

    `retry_timeout`: seconds for failed attempts and the waits between them in one task, -1 for no limit.
    `rate_limit`: calls per second for each operation, None for 96 % of its quota.
    `slot_directory`: where all processes of the user share the slots of their calls; None if there is no such place.
    `run_directory`: where the processes of this run share them in that case.
    """

    retry_timeout: float = 60
    rate_limit: float | None = None
    slot_directory: str | None = None
    run_directory: str | None = None


class Account:
    """The connections, credentials, rate limiters and cloud clock of calls with the same connection options.

    Many threads may share it. `credentials` are None for operations that are not signed.
    """

    def __init__(self, settings: Settings, limits: Limits, credentials: Credentials | None, clock: Clock) -> None:
        self.settings = settings
        self.limits = limits
        self.endpoint = settings.endpoint
        self.transport = transport.Transport(settings)
        self.cloud_clock = CloudClock(clock)
        self._credentials = credentials
        self._clock = clock
        self._limiters: dict[str, RateLimiter] = {}
        self._lock = threading.RLock()

    def get_access_key(self) -> AccessKey | None:
        """Return the access key to sign the next call with, None for unsigned calls; raises CredentialsError."""
        with self._lock:
            return self._credentials.get_access_key() if self._credentials else None

    def renew(self, expired: AccessKey) -> bool:
        """Replace an expired access key; return whether there is another one."""
        with self._lock:
            return bool(self._credentials and self._credentials.renew(expired))

    def rate_limiter(self, operation: Operation) -> RateLimiter:
        """Return the rate limiter that the calls of this operation share."""
        with self._lock:
            if operation.action not in self._limiters:
                key = self.get_access_key()
                self._limiters[operation.action] = RateLimiter(
                    self.limits.slot_directory,
                    f"{self.endpoint.host} {key.account if key else ''}",
                    operation.action,
                    self.get_rate(operation),
                    self._clock.monotonic,
                    run_directory=self.limits.run_directory,
                )
            return self._limiters[operation.action]

    def get_rate(self, operation: Operation) -> float:
        """Return how many calls of this operation may be made per second."""
        return self.limits.rate_limit or operation.calls_per_second * _QUOTA_SHARE

    def warnings(self) -> list[str]:
        """Return non-fatal warnings about the calls so far."""
        with self._lock:
            problems = {(one.problem, one.is_alone()) for one in self._limiters.values() if one.problem}
            return [*self.cloud_clock.warnings, *sorted(local_pacing_warning(*problem) for problem in problems)]

    def close(self) -> None:
        """Close the connections that are kept for further calls."""
        self.transport.close()
