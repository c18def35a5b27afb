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
from .shared_reads import SharedReads
from .steps import CheckFiles, ReadFiles
from .watch import LogWatch, PushWatch

MIN_PROBE_PAUSE, MAX_PROBE_PAUSE = 0.25, 8.0  # seconds between attempts to reach an endpoint that is down

MAX_FILE_LISTS = 45  # read at the same time, enough for 15 a second whose responses take three seconds each
MAX_FILE_CHECKS = 20  # streams of one account whose files are checked at the same time

Command = tuple[Member, CommandAttempts, str]
ContentsRead = tuple[Member, ReadContents, Callable[..., None]]


class CallQueue:
    """Steps of members that wait for a thread, of which at most `limit` are carried out at the same time."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.waiting: deque[tuple[Member, ReadFiles | CheckFiles, Callable[..., None]]] = deque()
        self.running = 0


class Lane:
    """The members of one account, queued for its quota, and what is known of its endpoint.

    While the endpoint is down, one command at a time probes it on behalf of all. `new_live` returns a client for calls
    that serve a whole domain, with short retries unless it `is_patient`.
    """

    def __init__(self, new_live: Callable[..., Live], retry_timeout: float) -> None:
        self.new_live = new_live
        self.retry_timeout = retry_timeout if retry_timeout >= 0 else float("inf")
        self.pending: deque[Member] = deque()  # whose programs have not begun
        self.ready: deque[Command] = deque()
        self.unsent = 0  # commands in the pool that have not been sent
        self.contents_reads: deque[ContentsRead] = deque()
        self.running_reads = 0  # of record contents
        self.queues: dict[type, CallQueue] = {
            ReadFiles: CallQueue(MAX_FILE_LISTS),
            CheckFiles: CallQueue(MAX_FILE_CHECKS),
        }
        self.shared = SharedReads()
        self.unreachable: LiveError | None = None  # the error of a file list, until another one is read
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

    def count_queued(self) -> int:
        """Return how many members have calls to make that were not submitted to the pool."""
        return len(self.ready) + sum(len(queue.waiting) for queue in self.queues.values())

    def count_log_readers(self) -> int:
        """Return how many members read the notify log before their first command."""
        return sum(watch.count_readers() for watch in self.log_watches.values())
