# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing callbacks, for receivers on this machine.

The documented delivery: 5 s to answer, success is HTTP 200, and after a time-out up to 5 more tries at intervals of
1 s.  Receivers elsewhere are never called: to them every delivery fails.
"""

from __future__ import annotations

import functools
import heapq
import http.client
import ipaddress
import itertools
import socket
import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import Callable
from urllib.parse import urlsplit

ANSWER_SECONDS = 5
RETRIES = 5
RETRY_SECONDS = 1
WORKERS = 8
ANSWER_BYTES = 4096
GZIP = 16  # what zlib adds to its window bits for this format
_TIME_OUTS = (TimeoutError, socket.timeout)  # one class since Python 3.10


@dataclass(frozen=True)
class Outcome:
    """How a delivery ended: the body of the answer with status 200, or None and why there is none."""

    answer: bytes | None = None
    reason: str = ""
    timed_out: bool = False


@dataclass
class Callback:
    """One callback to deliver: a POST of ``body``, or a GET without one; ``done`` gets the outcome of the last try.

    A time-out leads to another try; with ``retries_refusals`` so does any other failure.
    """

    url: str
    done: Callable[[Outcome], None] = field(repr=False)
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    retries: int = RETRIES
    retries_refusals: bool = False

    def tries_again(self, outcome: Outcome) -> bool:
        """Return whether another attempt is due after this outcome."""
        failed = outcome.answer is None and (outcome.timed_out or self.retries_refusals)
        return failed and self.retries > 0 and is_loopback(self.url)


def is_loopback(url: str) -> bool:
    """Whether a URL certainly leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(url: str) -> bool:
    """Return whether the host of a URL is an address that the internet does not reach; names are not looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


class Deliverer:
    """Delivers callbacks in threads of its own; they end with the program.

    ``carry_out`` gets what is to be done with each outcome, as a function without arguments.  A receiver that fails
    does not hold up the others: between two tries a callback waits in the queue, not in a thread.
    """

    def __init__(self, carry_out: Callable[[Callable[[], None]], None] = lambda action: action()) -> None:
        self._carry_out = carry_out
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Callback]] = []
        self._numbers = itertools.count()
        self._forgotten = 0  # callbacks with a smaller number are not tried again
        self._started = False

    def put(self, callback: Callback, wait: float = 0.0) -> None:
        """Deliver a callback in ``wait`` seconds."""
        with self._changed:
            if not self._started:
                self._started = True
                for _number in range(WORKERS):
                    threading.Thread(target=self._work, daemon=True).start()
            heapq.heappush(self._queue, (time.monotonic() + wait, next(self._numbers), callback))
            self._changed.notify()

    def clear(self) -> None:
        """Forget all callbacks that are not delivered yet."""
        with self._changed:
            self._queue.clear()
            self._forgotten = next(self._numbers)

    def _work(self) -> None:
        while True:
            number, callback = self._next()
            outcome = deliver(callback)
            if number < self._forgotten:
                continue
            if callback.tries_again(outcome):
                callback.retries -= 1
                self.put(callback, RETRY_SECONDS)
            else:
                self._carry_out(functools.partial(callback.done, outcome))

    def _next(self) -> tuple[int, Callback]:
        with self._changed:
            while True:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)[1:]
                self._changed.wait(wait)


def deliver(callback: Callback) -> Outcome:
    """Try once."""
    if not is_loopback(callback.url):
        return Outcome(reason="receivers on other machines are not called")
    url = urlsplit(callback.url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=ANSWER_SECONDS)
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        method = "GET" if callback.body is None else "POST"
        connection.request(method, target, callback.body, callback.headers)
        answer = connection.getresponse()
        body = answer.read(ANSWER_BYTES)
        if answer.getheader("Content-Encoding") == "gzip":
            body = zlib.decompressobj(zlib.MAX_WBITS | GZIP).decompress(body, ANSWER_BYTES)
    except (OSError, http.client.HTTPException, zlib.error) as error:
        return Outcome(reason=str(error) or type(error).__name__, timed_out=isinstance(error, _TIME_OUTS))
    finally:
        connection.close()
    return Outcome(body) if answer.status == http.client.OK else Outcome(reason=f"status {answer.status}")
