# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that make calls. They decide nothing: what a call came to goes back to the thread that decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

MAX_THREADS = 500  # so many calls can be under way: 48 a second whose responses take ten seconds each

Message = Callable[[], None]


class Inbox:
    """Messages to the deciding thread, each of which is called there."""

    def __init__(self) -> None:
        self._messages: SimpleQueue[Message] = SimpleQueue()

    def put(self, message: Message) -> None:
        """Leave a message; any thread may do this."""
        self._messages.put(message)

    def handle(self, seconds: float) -> None:
        """Wait up to so many seconds for a message, then handle it and all that have come meanwhile."""
        try:
            self._messages.get(timeout=seconds)() if seconds > 0 else self._messages.get_nowait()()
            while True:
                self._messages.get_nowait()()
        except Empty:
            return


class Pool:
    """Threads that grow in number with the calls that are under way at once, up to a bound.

    They end with the process, so that a call whose response never comes holds nothing up.
    """

    def __init__(self, inbox: Inbox, size: int = MAX_THREADS) -> None:
        self._inbox = inbox
        self._size = size
        self._work: SimpleQueue[tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]]] = SimpleQueue()
        self._threads = 0
        self.busy = 0  # calls that were given here and have not come back

    @property
    def is_full(self) -> bool:
        """Return whether a further call would have to wait for a thread."""
        return self.busy >= self._size

    def submit(self, call: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        """Make a call in a thread, and have `done` called with its result or its exception in the deciding thread."""
        self.busy += 1
        if self.busy > self._threads and self._threads < self._size:
            self._add_thread()
        self._work.put((call, done))

    def _add_thread(self) -> None:
        """Add a thread; where the system allows no more, those that there are serve all. Raises RuntimeError."""
        try:
            threading.Thread(target=self._serve, daemon=True).start()
            self._threads += 1
        except RuntimeError:
            if not self._threads:
                raise
            self._size = self._threads

    def _serve(self) -> None:
        while True:
            call, done = self._work.get()
            result, error = None, None
            try:
                result = call()
            except BaseException as failure:  # noqa: B036 - whatever it is, the deciding thread reports it
                error = failure
            self._inbox.put(self._returned(done, result, error))
            del call, done, result, error

    def _returned(self, done: Callable[..., None], result: Any, error: BaseException | None) -> Message:
        def message() -> None:
            self.busy -= 1
            done(result, error)

        return message
