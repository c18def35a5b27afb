# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole state of the emulator, shared by the gateway and the control API."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import Any, Callable

from . import scenario
from .behaviour import Behaviour
from .callbacks import Deliverer
from .calls import CallLog
from .clock import Clock
from .cloud import Cloud
from .errors import GatewayError
from .faults import Faults
from .gate import Gate, GateClosed
from .limits import Windows
from .state import Stateful

MAX_DATE_DIFFERENCE = 900
NONCE_LIFETIME = 2 * MAX_DATE_DIFFERENCE + 60


class Nonces(Stateful):
    """The nonces of the last half hour, per account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[tuple[str, str]] = set()
        self._order: deque[tuple[float, tuple[str, str]]] = deque()

    def use(self, account: str, nonce: str, wall: float) -> None:
        """Record a nonce; raise SignatureNonceUsed if the account has used it already."""
        entry = (account, nonce)
        with self._lock:
            while self._order and self._order[0][0] < wall - NONCE_LIFETIME:
                self._known.discard(self._order.popleft()[1])
            if entry in self._known:
                raise GatewayError("SignatureNonceUsed", 400, "Specified signature nonce was used already.")
            self._known.add(entry)
            self._order.append((wall, entry))

    def snapshot(self) -> dict[str, Any]:
        with self._lock:
            return {"order": list(self._order)}

    def restore(self, content: dict[str, Any]) -> None:
        with self._lock:
            self._order = deque(content["order"])
            self._known = {entry for _wall, entry in self._order}


class World(Stateful):
    """The whole state of the emulator: everything that a reset restores and a state file contains.

    A thread must enter `gate` before it reads or changes the state, and for most of it hold `lock` as well.
    """

    STATE_FIELDS = ("cloud", "faults", "calls", "windows", "nonces")

    def __init__(self, plan: dict[str, Any], behaviour: dict[str, Any], clock: Clock | None = None) -> None:
        self._plan = plan
        self._initial_behaviour = behaviour
        self._clock = clock
        self._deliverer = Deliverer(self._execute)
        self._endpoint = ""
        self.gate = Gate()
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Restore the initial state: scenario, switches and clock of the start, without calls and faults."""
        with self.lock:
            self.behaviour = Behaviour()
            self.behaviour.update(self._initial_behaviour)
            clock = self._clock or Clock()
            clock.advanced = 0.0
            clock.skew = lambda: self.behaviour.clock_skew
            self._deliverer.clear()
            self.cloud = Cloud(clock, self.behaviour, self._deliverer)
            self.cloud.content.endpoint = self._endpoint
            self.faults = Faults()
            self.calls = CallLog()
            self.windows = Windows()
            self.nonces = Nonces()
            scenario.apply(self._plan, self.cloud)

    def set_endpoint(self, endpoint: str) -> None:
        """Set the URL under which files are served."""
        with self.lock:
            self._endpoint = self.cloud.content.endpoint = endpoint

    def run_clock(self) -> None:
        """Apply due changes every 0.1 s while callbacks are really sent; return when the program ends."""
        with contextlib.suppress(GateClosed):
            while True:
                time.sleep(0.1)
                with self.gate, self.lock:
                    if self.behaviour.notify_result == "deliver":
                        self.cloud.settle()

    def _execute(self, action: Callable[[], None]) -> None:
        with contextlib.suppress(GateClosed), self.gate, self.lock:
            action()

    def snapshot(self) -> dict[str, Any]:
        """Return the state, including those switches that were changed since the start."""
        with self.lock:
            initial = Behaviour()
            initial.update(self._initial_behaviour)
            before, now = initial.as_dict(), self.behaviour.as_dict()
            changed = {name: value for name, value in now.items() if value != before[name]}
            return {**super().snapshot(), "behaviour": changed}

    def restore(self, content: dict[str, Any]) -> None:
        with self.lock:
            self.behaviour.update(content["behaviour"])
            super().restore(content)

    def gateway_time(self) -> float:
        """Return the cloud's present time in epoch seconds."""
        return self.cloud.clock.wall()
