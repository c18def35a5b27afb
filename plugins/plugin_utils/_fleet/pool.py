# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool of threads that make calls, and the inbox through which their results reach the engine's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

MAX_THREADS = 500  # enough for 48 calls a second whose responses take ten seconds each

Message = Callable[[], None]


class Inbox:
    """A thread-safe queue of functions that the engine's thread calls."""

    def __init__(self) -> None:
        self._messages: SimpleQueue[Message] = SimpleQueue()

    def put(self, message: Message) -> None:
        """Add a function, from any thread."""
        self._messages.put(message)

    def handle(self, seconds: float) -> None:
        """Wait at most so many seconds for a function, then call it and all others that are in the queue."""
        try:
            self._messages.get(timeout=seconds)() if seconds > 0 else self._messages.get_nowait()()
            while True:
                self._messages.get_nowait()()
        except Empty:
            return


class Pool:
    """Threads that make calls, as many as there are calls at the same time, up to a maximum.

    They are daemon threads, so that a call whose response never comes does not delay the end of the process.
    """

    def __init__(self, inbox: Inbox, size: int = MAX_THREADS) -> None:
        self._inbox = inbox
        self._size = size
        self._work: SimpleQueue[tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]]] = SimpleQueue()
        self._threads = 0
        self.busy = 0  # calls that were submitted and whose results were not handled yet

    @property
    def is_full(self) -> bool:
        """Return whether a further call would have to wait for a thread."""
        return self.busy >= self._size

    def submit(self, call: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        """Make a call in a thread; `done(result, error)` is then called in the engine's thread."""
        self.busy += 1
        if self.busy > self._threads and self._threads < self._size:
            self._add_thread()
        self._work.put((call, done))

    def _add_thread(self) -> None:
        """Start another thread; if the system refuses, go on with the existing ones, or raise RuntimeError."""
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
            except BaseException as failure:  # noqa: B036 - the engine's thread handles it, whatever it is
                error = failure
            self._inbox.put(self._make_message(done, result, error))
            del call, done, result, error  # An idle thread would keep them in memory until its next call.

    def _make_message(self, done: Callable[..., None], result: Any, error: BaseException | None) -> Message:
        def message() -> None:
            self.busy -= 1
            done(result, error)

        return message
