# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Injected faults: failures that networks, proxies and overloaded services cause.

Chance is a function of the seed, of the call (operation and parameters, without times) and of the number of equal calls
before. With one seed the same calls meet the same faults, in whatever order many clients make them.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .calls import business_parameters
from .state import Stateful, storable

# The value says whether the call takes effect although the client gets no proper response.
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
    "bare": True,
    "push_ends": True,
}
MAX_SECONDS = 3600.0
_TOLERANCE = 1e-9
_STATUSES = range(200, 600)
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "fault": str,
    "action": (str, type(None)),
    "parameters": dict,
    "times": (int, type(None)),
    "code": str,
    "http_status": int,
    "message": str,
    "location": str,
    "stream": str,
}


@storable
@dataclass
class Fault:
    """One kind of failure, with the calls it applies to and its probability.

    `action` and `parameters` limit it to some calls, `times` is the number of calls that it may affect (None: no
    limit), `probability` the chance for each call. `seconds` is the length of a delay or stall, or a pair of minimum
    and maximum. `processed` says whether the call takes effect; the default depends on the kind. `code`, `http_status`
    and `message` are for the kind `error`, `location` for `redirect`, `stream` for `push_ends`. `struck` counts the
    affected calls.
    """

    fault: str
    action: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    times: int | None = None
    probability: float = 1.0
    seconds: float | list[float] = 1.0
    processed: bool | None = None
    code: str = "InternalError"
    http_status: int = 500
    message: str = "The request processing has failed due to some unknown error."
    location: str = "/elsewhere"
    stream: str = ""
    struck: int = 0

    def __post_init__(self) -> None:
        for name, kind in _FIELDS.items():
            if not isinstance(getattr(self, name), kind):
                raise ValueError(f"{name} is of the wrong type")
        if not self.location.isprintable() or self.http_status not in _STATUSES:
            raise ValueError("location is printable, and http_status from 200 to 599")
        if self.fault not in KINDS:
            raise ValueError(f"there is no fault {self.fault!r}; known: {', '.join(KINDS)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a probability is from 0 to 1, not {self.probability!r}")
        if self.times is not None and self.times < 1:
            raise ValueError("times is at least 1, or null for ever")
        shortest, longest = self.range
        if not 0 <= shortest <= longest <= MAX_SECONDS:
            raise ValueError(
                f"seconds is not negative and at most {MAX_SECONDS:.0f}; of two, the second is not smaller"
            )
        if self.fault == "push_ends" and self.stream.count("/") < len(("domain/", "app/")):
            raise ValueError("stream is domain/app/stream")
        if self.processed is None:
            self.processed = KINDS[self.fault]

    @property
    def range(self) -> tuple[float, float]:
        """Return the minimum and the maximum duration in seconds."""
        if isinstance(self.seconds, (int, float)):
            return self.seconds, self.seconds
        shortest, longest = self.seconds
        return shortest, longest

    def matches(self, action: str, parameters: Mapping[str, str]) -> bool:
        """Return whether the fault applies to a call with this action and these parameters."""
        return self.action in (None, action) and all(
            parameters.get(name) == value for name, value in self.parameters.items()
        )

    def strike(self) -> bool:
        """Use up one of the fault's calls and return True; return False if it has no call left."""
        if self.times is not None and self.struck >= self.times:
            return False
        self.struck += 1
        return True


@storable
@dataclass
class Mixture:
    """A set of faults with one seed; a call may meet several delays, but at most one of the other faults."""

    seed: int
    faults: list[Fault]

    def __post_init__(self) -> None:
        if not isinstance(self.seed, int):
            raise ValueError(f"a seed is a whole number, not {self.seed!r}")
        others = [fault for fault in self.faults if fault.fault != "delay"]
        for action in {fault.action for fault in others}:
            total = sum(fault.probability for fault in others if fault.action in (None, action))
            if total > 1 + _TOLERANCE:
                raise ValueError(f"only one of these faults can strike, but their probabilities add up to {total}")


@dataclass(frozen=True)
class Strike:
    """The outcome for one call: a delay in seconds, then a fault that lasts `seconds`."""

    delay: float = 0.0
    fault: Fault | None = None
    seconds: float = 0.0

    @property
    def name(self) -> str | None:
        """Return the kind of fault for the log, or None."""
        if self.fault is not None:
            return self.fault.fault
        return "delay" if self.delay else None


NO_STRIKE = Strike()


class Faults(Stateful):
    """All active faults, oldest first."""

    STATE_FIELDS = ("_mixtures", "_call_counts")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mixtures: list[Mixture] = []
        self._call_counts: dict[str, int] = {}

    def add(self, faults: list[dict[str, Any]], seed: int | None = None, **common: Any) -> dict[str, Any]:
        """Add faults from untrusted fields, with `common` fields for all; raise ValueError if one is not valid."""
        try:
            parsed = [Fault(**{**common, **fields}) for fields in faults]
        except TypeError as error:
            raise ValueError(f"not a fault: {error}") from None
        mixture = Mixture(secrets.randbelow(1 << 32) if seed is None else seed, parsed)
        with self._lock:
            self._mixtures.append(mixture)
        return asdict(mixture)

    def report(self) -> dict[str, Any]:
        """Return the active faults and the number of calls that each kind has affected."""
        struck: Counter[str] = Counter()
        with self._lock:
            for mixture in self._mixtures:
                for fault in mixture.faults:
                    struck[fault.fault] += fault.struck
            return {"mixtures": [asdict(mixture) for mixture in self._mixtures], "struck": dict(struck)}

    def clear(self) -> None:
        """Remove all faults, and reset the counts of calls on which chance depends."""
        with self._lock:
            self._mixtures.clear()
            self._call_counts.clear()

    def pick(self, action: str, parameters: Mapping[str, str]) -> Strike:
        """Return the delay and the fault for this call."""
        if not self._mixtures:
            return NO_STRIKE
        own = sorted(business_parameters(parameters).items())
        call = repr((action, [pair for pair in own if pair[0] not in ("StartTime", "EndTime")]))
        with self._lock:
            self._call_counts[call] = self._call_counts.get(call, 0) + 1
            dice = _Dice(f"{self._call_counts[call]} {call}")
            delay, chosen = 0.0, None
            for number, mixture in enumerate(self._mixtures):
                candidates = [fault for fault in mixture.faults if fault.matches(action, parameters)]
                delay += _total_delay(mixture, candidates, dice, number)
                if chosen is None:
                    chosen = _choose_fault(mixture, candidates, dice, number)
            return Strike(delay, chosen, dice.between(*chosen.range, "length") if chosen else 0.0)


class _Dice:
    """A generator of random numbers that are the same whenever the same call is repeated with the same seed."""

    def __init__(self, call: str) -> None:
        self._call = call

    def roll(self, *about: object) -> float:
        """Return a number from 0 to below 1 that depends only on the call and on `about`, the purpose of the roll."""
        digest = hashlib.blake2b(f"{about} {self._call}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / (1 << 64)

    def between(self, low: float, high: float, *about: object) -> float:
        """Return a number from `low` to `high`, likewise."""
        return low + (high - low) * self.roll(*about)


def _total_delay(mixture: Mixture, faults: list[Fault], dice: _Dice, number: int) -> float:
    total = 0.0
    for position, fault in enumerate(faults):
        about = (mixture.seed, number, position)
        if fault.fault == "delay" and dice.roll(*about, "delay") < fault.probability and fault.strike():
            total += dice.between(*fault.range, *about)
    return total


def _choose_fault(mixture: Mixture, faults: list[Fault], dice: _Dice, number: int) -> Fault | None:
    remaining = dice.roll(mixture.seed, number, "fault")
    for fault in faults:
        if fault.fault == "delay":
            continue
        if remaining < fault.probability:
            return fault if fault.strike() else None
        remaining -= fault.probability
    return None
