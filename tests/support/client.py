# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of the API for tests, by default without a limit of calls per second."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey, Credentials
from ansible_collections.apsaravideo.live.plugins.module_utils._api.account import Limits
from ansible_collections.apsaravideo.live.plugins.module_utils._api.client import Client
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock
from support.clock import FakeClock

ACCESS_KEY = AccessKey("the-id", "the-secret", "the-token/+=", "a test")
UNLIMITED = 1e9  # calls per second


def make_credentials(*keys: AccessKey) -> Credentials:
    """Return credentials that go on to the next of these keys when one has expired, and stay with the last."""
    order = list(keys or [ACCESS_KEY])

    def find(expired: AccessKey | None) -> AccessKey:
        if expired and len(order) > 1:
            order.pop(0)
        return order[0]

    return Credentials(find)


def make_client(
    url: str,
    clock: Clock | None = None,
    *,
    credentials: Credentials | None = None,
    retry_timeout: float = 60,
    rate_limit: float | None = UNLIMITED,
    slot_directory: str | None = None,
    read_timeout: float = 2,
    **settings: Any,
) -> Client:
    """Return a client that signs, by default with ACCESS_KEY, and by default sleeps in no time."""
    return Client(
        Settings(Endpoint.parse(url), connect_timeout=2, read_timeout=read_timeout, **settings),
        Limits(retry_timeout, rate_limit, slot_directory),
        credentials or make_credentials(),
        clock or FakeClock(time.time()),
    )
