# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections, credentials and rate limiters that the calls of one account share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from .._http import transport
from .._http.endpoint import Settings
from .._util.clock import Clock
from .access_key import AccessKey, Credentials
from .clock_skew import CloudClock
from .operations import Operation
from .rate_limiter import RateLimiter
from .slot_file import SlotFile
from .slot_server import ServerSlots, SlotServer

_QUOTA_SHARE = 0.96  # the rest covers delays, see MAX_SLOT_DELAY
_MIN_OWN = 0.8  # of its share, at the least, that a machine uses
_CLOUD = ".aliyuncs.com"


def _limit_share(rate: float, share: float) -> float:
    """Return the rate of one machine of several, whose clocks and slots are not the same.

    In any second, each of them may have one call more than its rate, for which there must be room.
    """
    own = rate * share
    return own if share == 1 else max(own - 1, own * _MIN_OWN)


class Limits(NamedTuple):
    """Limits of a client.

    `retry_timeout`: seconds for failed attempts and the waits between them in one task, -1 for no limit.
    `rate_limit`: calls per second for each operation, None for 96 % of its quota.
    `slot_directory`: where all processes of the user share the slots of their calls; None if there is no such place.
    `run_directory`: where the processes of this run share them in that case.
    `share`: the share of the rate that this machine may use on its own.
    `store`: the server on which several machines share the whole rate; None if there is none.
    """

    retry_timeout: float = 60
    rate_limit: float | None = None
    slot_directory: str | None = None
    run_directory: str | None = None
    share: float = 1.0
    store: SlotServer | None = None


class Account:
    """The connections, credentials, rate limiters and cloud clock of calls with the same connection options.

    Many threads may share it. `credentials` are None for operations that are not signed. `find_owner` returns the ID of
    the account that an access key belongs to; without it, what the key itself tells is used.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        credentials: Credentials | None,
        clock: Clock,
        find_owner: Callable[[AccessKey], str] | None = None,
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.endpoint = settings.endpoint
        self.transport = transport.Transport(settings)
        self.cloud_clock = CloudClock(clock)
        self._credentials = credentials
        self._clock = clock
        self._find_owner = find_owner
        self._owner: str | None = None
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

    def get_owner(self) -> str:
        """Return whose quota the calls use: the ID of the account if it is known, else a name of the access key."""
        with self._lock:
            if self._owner is None:
                key = self.get_access_key()
                self._owner = (self._find_owner(key) if self._find_owner else key.account) if key else ""
            return self._owner

    def rate_limiter(self, operation: Operation) -> RateLimiter:
        """Return the rate limiter that the calls of this operation share."""
        with self._lock:
            if operation.action not in self._limiters:
                self._limiters[operation.action] = self._create_limiter(operation)
            return self._limiters[operation.action]

    def _create_limiter(self, operation: Operation) -> RateLimiter:
        limits, host = self.limits, self.endpoint.host
        # The quota is the same over the public and the internal addresses of the cloud.
        account = f"{_CLOUD if host.endswith(_CLOUD) else host} {self.get_owner()}"
        rate = self._get_common_rate(operation)
        monotonic = self._clock.monotonic
        file = SlotFile(
            limits.slot_directory,
            account,
            operation.action,
            _limit_share(rate, limits.share),
            monotonic,
            run_directory=limits.run_directory,
        )
        server = ServerSlots(limits.store, account, operation.action, rate, monotonic) if limits.store else None
        return RateLimiter(file, server)

    def _get_common_rate(self, operation: Operation) -> float:
        return self.limits.rate_limit or operation.calls_per_second * _QUOTA_SHARE

    def get_rate(self, operation: Operation) -> float:
        """Return how many calls of this operation may be made per second, with a server by all machines together."""
        rate = self._get_common_rate(operation)
        return rate if self.limits.store else _limit_share(rate, self.limits.share)

    def warnings(self) -> list[str]:
        """Return non-fatal warnings about the calls so far."""
        with self._lock:
            texts = {text for limiter in self._limiters.values() for text in limiter.warnings()}
            return [*self.cloud_clock.warnings, *sorted(texts)]

    def close(self) -> None:
        """Close the connections that are kept for further calls."""
        self.transport.close()
