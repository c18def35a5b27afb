# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Successful responses, and the cost of the calls of a task."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass
class Traffic:
    """The cost of a task: requests that may have reached the cloud, those it dropped, seconds waited, RequestIds.

    `retry_seconds`, which `retry_timeout` limits, are those of failed attempts and of the waits between attempts.
    """

    api_calls: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    retry_seconds: float = 0.0
    request_ids: list[str] = field(default_factory=list)
    by_operation: Counter[str] = field(default_factory=Counter)

    def count(self, action: str) -> None:
        """Count a request that is about to be sent."""
        self.api_calls += 1
        self.by_operation[action] += 1

    def uncount(self, action: str) -> None:
        """Take a request back that was not sent after all."""
        self.api_calls -= 1
        self.by_operation[action] -= 1

    def as_result(self) -> dict[str, Any]:
        """Return the entries that every result has."""
        return {
            "api_calls": self.api_calls,
            "throttled": self.throttled,
            "waited_seconds": round(self.waited_seconds, 3),
            "request_ids": list(self.request_ids),
        }


class ApiResponse(NamedTuple):
    """A successful response, whose body had `size` bytes.

    `after_lost_response`: an earlier attempt of the same call may have taken effect already.
    """

    content: dict[str, Any]
    after_lost_response: bool
    size: int = 0
