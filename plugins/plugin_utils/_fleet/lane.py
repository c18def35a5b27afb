# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The streams of one account."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ...module_utils._api.live import CommandAttempts, Live
from ...module_utils._domain.steps import ReadContents
from ...module_utils._errors import LiveError
from .member import Member
from .watch import LogWatch, PushWatch

MIN_PROBE_PAUSE, MAX_PROBE_PAUSE = 0.25, 8.0  # seconds between attempts to reach an endpoint that is down

Command = tuple[Member, CommandAttempts, str]
ContentsRead = tuple[Member, ReadContents, Callable[..., None]]


class Lane:
    """The members of one account, queued for its quota, and what is known of its endpoint.

    While the endpoint is down, one command at a time probes it on behalf of all. `new_live` returns a client for calls
    that serve a whole domain.
    """

    def __init__(self, new_live: Callable[[], Live], retry_timeout: float) -> None:
        self.new_live = new_live
        self.retry_timeout = retry_timeout if retry_timeout >= 0 else float("inf")
        self.pending: deque[Member] = deque()  # whose programs have not begun
        self.ready: deque[Command] = deque()
        self.unsent = 0  # commands in the pool that have not been sent
        self.contents_reads: deque[ContentsRead] = deque()
        self.running_reads = 0  # of record contents
        self.in_doubt: set[Member] = set()  # that read what became of a command
        self.delayed: set[Member] = set()  # that will read the notify log when it is complete
        self.push_watches: dict[str, PushWatch] = {}  # by domain
        self.log_watches: dict[str, LogWatch] = {}  # by domain
        self.was_reached = False
        self.down_since: float | None = None  # monotonic seconds
        self.cause: tuple[LiveError, str] | None = (
            None  # the last failed attempt to reach it, and the command it was of
        )
        self.last_failure = float("-inf")  # monotonic seconds
        self.probe_at = 0.0  # monotonic seconds
        self.probe_pause = MIN_PROBE_PAUSE

    def mark_up(self) -> None:
        """Record that the endpoint was reached."""
        self.down_since, self.cause, self.probe_pause, self.was_reached = None, None, MIN_PROBE_PAUSE, True

    def count_log_readers(self) -> int:
        """Return how many members read the notify log before their first command."""
        return sum(watch.count_readers() for watch in self.log_watches.values())
