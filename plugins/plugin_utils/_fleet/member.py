# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One stream of a fleet, from the beginning of its program to its result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from ...module_utils._api.live import Live
from ...module_utils._api.models import Stream, format_time
from .program import Program, Result

NOT_PUSHED = "not pushed"


class Member:
    """A stream of the fleet, its program, and the result or the failure that the program ended with."""

    def __init__(self, stream: Stream, live: Live, program: Program, on_finish: Callable[[Member], None]) -> None:
        self.stream = stream
        self.live = live
        self.program = program
        self.result: Result | None = None
        self.failure: BaseException | None = None
        self.is_done = False
        self.began: float | None = None  # monotonic seconds
        self.ended: float | None = None  # monotonic seconds
        self.awaits_response = False  # to a command that was sent
        self.deadline: float | None = None  # seconds since the epoch, after which no command is sent
        self.sent_at = 0.0  # when the last command was sent, by the local wall clock
        self.push: str | None = None  # when the current push began, NOT_PUSHED, or None before the first list
        self._on_finish = on_finish

    def cloud_sent_at(self) -> str:
        """Return when the last command was sent, converted to the cloud's clock as far as its offset is known."""
        return format_time(datetime.fromtimestamp(int(self.sent_at + self.live.client.ahead), timezone.utc))

    def finish(self, result: Result | None, failure: BaseException | None, now: float) -> None:
        """Save the result or the failure, and report the end of the program."""
        self.result, self.failure, self.is_done, self.ended = result, failure, True, now
        self.program.close()
        self._on_finish(self)
