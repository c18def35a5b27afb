# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of API calls, with secrets masked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .signatures import COMMON_PARAMETERS
from .state import Json, Stateful

MAX_CALLS = 200_000
_SECRET_PARAMETERS = frozenset({"NotifyAuthKey", "OIDCToken"})


@dataclass
class LoggedCall:
    """One call; `time` is its arrival in real epoch seconds."""

    seq: int
    time: float
    action: str
    params: dict[str, str]
    request_id: str
    account: str | None = None
    http_status: int = 0
    code: str | None = None
    signature: str | None = None
    throttled: bool = False
    fault: str | None = None


def business_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of the operation itself, without the common ones and with secret values masked."""
    return {
        name: "***" if name in _SECRET_PARAMETERS else value
        for name, value in parameters.items()
        if name not in COMMON_PARAMETERS
    }


class CallLog(Stateful):
    """The latest calls, in the order of their completion."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[LoggedCall] = deque(maxlen=MAX_CALLS)
        self._last = 0

    def add(self, time: float, action: str, parameters: dict[str, str], request_id: str, **outcome: Any) -> None:
        """Append one call."""
        with self._lock:
            self._last += 1
            self._calls.append(
                LoggedCall(self._last, time, action, business_parameters(parameters), request_id, **outcome)
            )

    def rows(self, action: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """Return the calls of one action (or all) whose `seq` is larger than `since`."""
        with self._lock:
            calls = list(self._calls)
        return [dict(vars(call)) for call in calls if action in (None, call.action) and call.seq > since]

    def clear(self) -> None:
        """Delete all calls; the numbering continues."""
        with self._lock:
            self._calls.clear()

    def snapshot(self) -> dict[str, Any]:
        """Return the state, as ready-made JSON because there can be very many calls."""
        with self._lock:
            return {"last": self._last, "calls": Json([vars(call) for call in self._calls])}

    def restore(self, content: dict[str, Any]) -> None:
        with self._lock:
            self._last = content["last"]
            self._calls = deque((LoggedCall(**row) for row in content["calls"].value), maxlen=MAX_CALLS)
