# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing callbacks to receivers on this machine.

Delivery follows the documentation: 5 s to respond, success is HTTP 200, and after a timeout up to 5 more attempts at
intervals of 1 s. Receivers on other machines are never called: every delivery to them fails.
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

RESPONSE_TIMEOUT = 5
MAX_RETRIES = 5
RETRY_DELAY = 1
WORKERS = 8
MAX_RESPONSE_BYTES = 4096
GZIP = 16  # added to zlib's window bits to select the gzip format
_TIMEOUT_ERRORS = (TimeoutError, socket.timeout)  # one class since Python 3.10


@dataclass(frozen=True)
class Outcome:
    """The result of a delivery: the body of a response with status 200, or None and the reason for the failure."""

    body: bytes | None = None
    reason: str = ""
    timed_out: bool = False


@dataclass
class Callback:
    """One callback to deliver: a POST of `body`, or a GET if there is none; `done` is called with the final outcome.

    A timeout leads to another attempt; with `retry_any_failure`, so does any other failure.
    """

    url: str
    done: Callable[[Outcome], None] = field(repr=False)
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    retries_left: int = MAX_RETRIES
    retry_any_failure: bool = False

    def may_retry(self, outcome: Outcome) -> bool:
        """Return whether another attempt is due after this outcome."""
        failed = outcome.body is None and (outcome.timed_out or self.retry_any_failure)
        return failed and self.retries_left > 0 and is_loopback(self.url)


def is_loopback(url: str) -> bool:
    """Return whether the host of a URL is `localhost` or a loopback address; names are not resolved."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(url: str) -> bool:
    """Return whether the host of a URL is an address unreachable from the internet; names are not resolved."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


class Deliverer:
    """A queue of callbacks and the daemon threads that deliver them.

    `execute` is called with a function without arguments that handles one outcome. A failing receiver does not delay
    the others: between two attempts a callback waits in the queue, not in a thread.
    """

    def __init__(self, execute: Callable[[Callable[[], None]], None] = lambda action: action()) -> None:
        self._execute = execute
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Callback]] = []
        self._numbers = itertools.count()
        self._first_valid_number = 0  # callbacks with a smaller number were cleared and are not retried
        self._started = False

    def put(self, callback: Callback, wait: float = 0.0) -> None:
        """Queue a callback for delivery in `wait` seconds."""
        with self._changed:
            if not self._started:
                self._started = True
                for _number in range(WORKERS):
                    threading.Thread(target=self._work, daemon=True).start()
            heapq.heappush(self._queue, (time.monotonic() + wait, next(self._numbers), callback))
            self._changed.notify()

    def clear(self) -> None:
        """Discard all callbacks that are not delivered yet."""
        with self._changed:
            self._queue.clear()
            self._first_valid_number = next(self._numbers)

    def _work(self) -> None:
        while True:
            number, callback = self._next()
            outcome = deliver(callback)
            if number < self._first_valid_number:
                continue
            if callback.may_retry(outcome):
                callback.retries_left -= 1
                self.put(callback, RETRY_DELAY)
            else:
                self._execute(functools.partial(callback.done, outcome))

    def _next(self) -> tuple[int, Callback]:
        with self._changed:
            while True:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)[1:]
                self._changed.wait(wait)


def deliver(callback: Callback) -> Outcome:
    """Make one delivery attempt."""
    if not is_loopback(callback.url):
        return Outcome(reason="receivers on other machines are not called")
    url = urlsplit(callback.url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=RESPONSE_TIMEOUT)
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        method = "GET" if callback.body is None else "POST"
        connection.request(method, target, callback.body, callback.headers)
        response = connection.getresponse()
        body = response.read(MAX_RESPONSE_BYTES)
        if response.getheader("Content-Encoding") == "gzip":
            body = zlib.decompressobj(zlib.MAX_WBITS | GZIP).decompress(body, MAX_RESPONSE_BYTES)
    except (OSError, http.client.HTTPException, zlib.error) as error:
        return Outcome(reason=str(error) or type(error).__name__, timed_out=isinstance(error, _TIMEOUT_ERRORS))
    finally:
        connection.close()
    return Outcome(body) if response.status == http.client.OK else Outcome(reason=f"status {response.status}")
