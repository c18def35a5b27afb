# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that happen to streams at given times: pushes that begin and end, and recording commands."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .recording import COMMANDS
from .state import Stateful, storable

ACTIONS = ("push", "drop", "resume", *COMMANDS, "record_error", "transformat_error")
MAX_AFTER = 1e8  # seconds


@storable
@dataclass(frozen=True, order=True)
class Step:
    """One step for one stream; steps of the same instant happen in the order in which they were added."""

    time: float
    number: int
    action: str
    domain: str
    app: str
    stream: str
    need_record: bool = False
    query: str = ""
    content: str = "{}"

    @property
    def names(self) -> tuple[str, str, str]:
        """Return the names of the stream."""
        return self.domain, self.app, self.stream


class Timeline(Stateful):
    """The steps that have not happened yet."""

    STATE_FIELDS = ("_steps", "_last")

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._last = 0

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, now: float, plan: list[tuple[tuple[str, str, str], Mapping[str, Any]]]) -> None:
        """Add steps for streams, each `after` seconds from now; raise ValueError, and add none, if one is not valid."""
        steps = [self._read(now, names, fields) for names, fields in plan]
        for step in steps:
            heapq.heappush(self._steps, step)

    def _read(self, now: float, names: tuple[str, str, str], fields: Mapping[str, Any]) -> Step:
        after, action, content = float(fields["after"]), fields["do"], fields.get("content") or {}
        if not isinstance(content, dict):
            raise ValueError(f"the content of a step is an object, not {content!r}")
        if not 0 <= after <= MAX_AFTER:
            raise ValueError(f"a step happens after 0 to {MAX_AFTER:.0f} seconds, not {fields['after']!r}")
        if action not in ACTIONS:
            raise ValueError(f"a step is one of {', '.join(ACTIONS)}, not {action!r}")
        self._last += 1
        return Step(
            now + after,
            self._last,
            action,
            *names,
            need_record=bool(fields.get("need_record")),
            query=str(fields.get("query", "")),
            content=json.dumps(content),
        )

    def next_due(self) -> float:
        """Return the instant of the next step; infinity if there is none."""
        return self._steps[0].time if self._steps else math.inf

    def pop(self) -> Step:
        """Remove the next step and return it."""
        return heapq.heappop(self._steps)
