# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: what networks, proxies and overloaded services do to a request."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The value says whether the call takes effect although the client does not get a proper answer.
KINDS = {
    "reset_before": False,
    "reset_after": True,
    "truncate": True,
    "half_json": True,
    "empty": True,
    "delay": True,
    "stall": False,
    "html": False,
    "redirect": False,
    "throttle": False,
    "status_500": False,
    "status_502": False,
    "status_503": False,
    "status_504": False,
    "error": False,
}


@dataclass
class Fault:
    """One rule.

    ``action`` and ``parameters`` limit it to some calls, ``times`` is how often it still strikes (None: always),
    ``probability`` how likely each time.  ``seconds`` is the length of a delay or stall.  ``processed`` says whether
    the call takes effect; the default depends on the kind.  ``code``, ``http_status`` and ``message`` are for the kind
    ``error``, ``location`` for ``redirect``.
    """

    fault: str
    action: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    times: int | None = None
    probability: float = 1.0
    seconds: float = 1.0
    seed: int | None = None
    processed: bool | None = None
    code: str = "InternalError"
    http_status: int = 500
    message: str = "The request processing has failed due to some unknown error."
    location: str = "/elsewhere"
    struck: int = 0

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"there is no fault {self.fault!r}; known: {', '.join(KINDS)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a probability is from 0 to 1, not {self.probability!r}")
        if self.times is not None and self.times < 1:
            raise ValueError("times is at least 1, or null for ever")
        if self.seconds < 0:
            raise ValueError("seconds is not negative")
        if self.processed is None:
            self.processed = KINDS[self.fault]
        self._random = random.Random(self.seed)

    def strikes(self, action: str, parameters: Mapping[str, str]) -> bool:
        """Decide, and count, whether this rule disturbs a call."""
        if self.action not in (None, action) or (self.times is not None and self.struck >= self.times):
            return False
        if any(parameters.get(name) != value for name, value in self.parameters.items()):
            return False
        if self._random.random() >= self.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, fields: dict[str, Any]) -> Fault:
        """Add a rule from untrusted fields; ValueError says what is wrong."""
        try:
            rule = Fault(**fields)
        except TypeError as error:
            raise ValueError(f"not a fault: {error}") from None
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules.clear()

    def pick(self, action: str, parameters: Mapping[str, str]) -> Fault | None:
        """The first rule that disturbs this call."""
        with self._lock:
            return next((rule for rule in self._rules if rule.strikes(action, parameters)), None)
