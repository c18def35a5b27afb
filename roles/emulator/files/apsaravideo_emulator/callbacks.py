# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing callbacks, for receivers on this machine.

The documented delivery: POST with a JSON body, 5 s to answer, success is HTTP 200, and up to 5 more tries at
intervals of 1 s.  Receivers elsewhere are never called: to them every delivery fails.
"""

from __future__ import annotations

import functools
import http.client
import ipaddress
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Callable
from urllib.parse import urlsplit

ANSWER_SECONDS = 5
RETRIES = 5
RETRY_SECONDS = 1
WORKERS = 8


@dataclass
class Callback:
    """One callback to deliver; ``done`` gets the body of a successful answer, or None after the last failure."""

    url: str
    body: str
    headers: dict[str, str]
    done: Callable[[str | None], None] = field(repr=False)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is certainly this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Deliverer:
    """Delivers callbacks in threads of its own; they end with the program.

    ``carry_out`` gets what is to be done with each result, as a function without arguments.
    """

    def __init__(self, carry_out: Callable[[Callable[[], None]], None] = lambda action: action()) -> None:
        self._carry_out = carry_out
        self._queue: queue.Queue[Callback] = queue.Queue()
        self._lock = threading.Lock()
        self._started = False

    def put(self, callback: Callback) -> None:
        """Deliver a callback soon."""
        with self._lock:
            if not self._started:
                self._started = True
                for _number in range(WORKERS):
                    threading.Thread(target=self._work, daemon=True).start()
        self._queue.put(callback)

    def _work(self) -> None:
        while True:
            callback = self._queue.get()
            answer = deliver(callback)
            self._carry_out(functools.partial(callback.done, answer))


def deliver(callback: Callback) -> str | None:
    """Try until it works or the tries are used up; the body of the good answer, otherwise None."""
    if not is_loopback(urlsplit(callback.url).hostname or ""):
        return None
    for attempt in range(1 + RETRIES):
        if attempt:
            time.sleep(RETRY_SECONDS)
        answer = _post(callback)
        if answer is not None:
            return answer
    return None


def _post(callback: Callback) -> str | None:
    url = urlsplit(callback.url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=ANSWER_SECONDS)
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {"Content-Type": "application/json", **callback.headers}
        connection.request("POST", target, callback.body.encode(), headers)
        answer = connection.getresponse()
        body = answer.read(4096).decode("utf-8", "replace")
        return body if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
