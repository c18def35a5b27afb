# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call limits: sliding windows per account and operation.

The documented limits count per operation and per account; RAM users and roles share the limit of their account, and
excess calls are dropped.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable

from .state import Stateful


@dataclass(frozen=True)
class Limit:
    """At most `calls` calls in any `seconds` seconds."""

    calls: int
    seconds: float = 1.0


class Windows(Stateful):
    """The calls of the recent past, by account and operation."""

    def __init__(self, time_source: Callable[[], float] = time.monotonic) -> None:
        self._time = time_source
        self._lock = threading.Lock()
        self._accepted: dict[tuple[str, str], deque[float]] = {}

    def admit(self, key: tuple[str, str], limit: Limit, taken: float = 0.0, count_dropped: bool = False) -> int:
        """Count one call against the limit; return 0 if it is admitted, else the milliseconds until a slot may be free.

        `taken` is the number of calls per second that other clients of the account make. The wait is at least 1 ms. A
        dropped call uses up a slot only if `count_dropped` is true.
        """
        now = self._time()
        capacity = limit.calls - taken * limit.seconds
        with self._lock:
            calls = self._accepted.setdefault(key, deque())
            while calls and calls[0] <= now - limit.seconds:
                calls.popleft()
            if len(calls) + 1 <= capacity:
                calls.append(now)
                return 0
            wait = calls[0] + limit.seconds - now if calls else limit.seconds
            if count_dropped:
                calls.append(now)
        return max(1, int(wait * 1000))

    def clear(self) -> None:
        """Delete every call."""
        with self._lock:
            self._accepted.clear()

    def snapshot(self) -> dict[str, Any]:
        """Return the state as ages of calls, because the next process has another time source."""
        now = self._time()
        with self._lock:
            ages = {key: [now - instant for instant in calls] for key, calls in self._accepted.items()}
        return {"wall": time.time(), "ages": ages}

    def restore(self, content: dict[str, Any]) -> None:
        base = self._time() - max(0.0, time.time() - content["wall"])
        with self._lock:
            self._accepted = {key: deque(base - age for age in ages) for key, ages in content["ages"].items()}
