# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots on a Redis or Valkey server that several machines share."""

from __future__ import annotations

import hashlib
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from .._errors import InvalidOption, LiveError
from .slot_script import SCRIPT, ScriptRequest
from .store_address import StoreAddress

_TIMEOUT = 1.0  # seconds to wait for a connection, and for a response
_LEAVE_ALONE = 10.0  # seconds after a failure until the server is asked again
# Seconds after its return until the server has the only slots: machines that failed together ask again together.
_JOINING = 5.0
_MIN_VERSION = (4, 5)  # of the library
_SCRIPT_HASH = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # the server's name of the script
_CHECK_KEY = "apsaravideo-live:{check}"
# Errors of the library, by their names, and what they mean. The first one that fits counts.
_MEANINGS = (
    ("AuthenticationError", "it refused the user or the password"),
    ("NoPermissionError", "the user may not run the script or use its key"),
    ("ReadOnlyError", "it is a read-only replica"),
    ("BusyLoadingError", "it is still loading its data"),
    ("MovedError", "it is a node of a cluster, another node of which has the key"),
    ("ClusterDownError", "its cluster is down"),
    ("OutOfMemoryError", "it is out of memory"),
    ("TimeoutError", f"it did not respond within {_TIMEOUT:.0f} s"),
)


class SlotServer:
    """A Redis or Valkey server with slots, which is left alone for a while after each failure.

    Threads share it and its connections. `share` is the share of the rate that is used locally without the server.
    """

    def __init__(self, address: StoreAddress, share: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Prepare to connect; raise InvalidOption if the library is missing or refuses the URL."""
        self._address = address
        self._share = share
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._retry_at: float | None = None  # set while the server is left alone
        self._is_probing = False
        self._returned_at = float("-inf")
        self._problem: str | None = None
        self._client = _create_client(address)

    def is_usable(self) -> bool:
        """Return whether a call would ask the server."""
        with self._lock:
            return self._may_ask()

    def run(self, key: str, request: ScriptRequest) -> tuple[float, float] | None:
        """Run the script; return the seconds until the slot and between slots, or None without a response."""
        with self._lock:
            if not self._may_ask():
                return None
            self._is_probing = self._retry_at is not None
        try:
            found = request.parse(self._evaluate(key, *request.arguments()))
        except Exception as error:
            # The library raises errors of its own, of the system and of TLS, and for a strange response any.
            self._leave_alone(_explain(error))
            return None
        with self._lock:
            if self._retry_at is not None:
                self._returned_at = self._monotonic()
            self._retry_at, self._is_probing = None, False
        return found

    def is_settled(self) -> bool:
        """Return whether the server has responded for so long that all machines have noticed."""
        return self._retry_at is None and self._monotonic() - self._returned_at >= _JOINING

    def require(self) -> None:
        """Raise LiveError if no slot can be reserved now."""
        if self.run(_CHECK_KEY, ScriptRequest(rate=1e6, slots=1)) is None:
            raise LiveError(
                f"The server {self._address.name} of rate_limit_store cannot be used: {self._problem}",
                "Check the server and the URL, or set rate_limit_store_required to false to go on without it.",
            )

    @property
    def warning(self) -> str | None:
        """Return a warning that the server could not be used all the time, with the first reason; None if it could."""
        if not self._problem:
            return None
        share = f"{100 * self._share:.3g} % of the rate limit" if self._share < 1 else "the whole rate limit"
        return (
            f"The server {self._address.name} of rate_limit_store could not be used all the time: {self._problem}. "
            f"Meanwhile this machine used {share} without regard to others, and asked the server again every "
            f"{_LEAVE_ALONE:.0f} s. Check the server, and set rate_limit_share to the part of one machine, such as 0.5 "
            f"for two."
        )

    def _may_ask(self) -> bool:
        if self._retry_at is None:
            return True
        return not self._is_probing and self._monotonic() >= self._retry_at

    def _leave_alone(self, problem: str) -> None:
        with self._lock:
            self._problem = self._problem or problem
            self._retry_at, self._is_probing = self._monotonic() + _LEAVE_ALONE, False

    def _evaluate(self, key: str, *arguments: Any) -> Any:
        try:
            return self._client.evalsha(_SCRIPT_HASH, 1, key, *arguments)
        except Exception as error:
            if type(error).__name__ != "NoScriptError":
                raise
            return self._client.eval(SCRIPT, 1, key, *arguments)


_servers: dict[tuple[int, StoreAddress, float], SlotServer] = {}
_servers_lock = threading.Lock()


def find_server(address: StoreAddress, share: float) -> SlotServer:
    """Return the server that all accounts and tasks of this process share; raises InvalidOption like SlotServer."""
    with _servers_lock:
        key = (os.getpid(), address, share)
        if key not in _servers:
            _servers[key] = SlotServer(address, share)
        return _servers[key]


class ServerSlots:
    """The slots of one operation on one account, on a server. Times are in seconds of the monotonic clock.

    Methods return None if the server is left alone or does not respond.
    """

    def __init__(
        self, server: SlotServer, account: str, action: str, rate: float, monotonic: Callable[[], float]
    ) -> None:
        self.server = server
        name = hashlib.sha256(f"{account}\n{action}".encode()).hexdigest()[:32]
        self._key = f"apsaravideo-live:{{{name}}}"  # The braces keep all of the key on one node of a cluster.
        self._rate = rate
        self._monotonic = monotonic
        self.free = 0.0  # the time of the next free slot, as far as responses tell
        self._was_asked = False
        self._round_trip = float("inf")  # seconds, the shortest so far
        self._lock = threading.Lock()

    def reserve(self, after: float | None = None) -> float | None:
        """Reserve the next slot, for all machines not before a time, and return its time, which may be now."""
        return self._ask(slots=1, after=after)

    def measure_backlog(self) -> float | None:
        """Return the seconds until the next free slot; only the first call asks the server."""
        with self._lock:
            if not self._was_asked:
                self._ask()
        return max(0.0, self.free - self._monotonic()) if self._was_asked and self.server.is_usable() else None

    def slow_down(self) -> bool:
        """Lower the rate for all after a call was dropped; return whether the server has done so."""
        return self._ask(dropped=True) is not None

    def _ask(self, slots: int = 0, dropped: bool = False, after: float | None = None) -> float | None:
        sent = self._monotonic()
        # What is known of the queue is uncertain by a round trip, which would add up if each call pushed it further.
        ahead = max(0.0, max(self.free, after or 0.0) - sent - (self._round_trip if self._was_asked else 0.0))
        found = self.server.run(self._key, ScriptRequest(self._rate, slots, ahead, dropped, after is not None))
        if found is None:
            return None
        wait, gap = found
        received = self._monotonic()
        # The server has measured the wait some time before. The shortest round trip is the one without a handshake, and
        # without a thread that had to wait for its turn.
        self._round_trip = min(self._round_trip, received - sent)
        slot = received + max(0.0, wait - self._round_trip / 2)
        self.free, self._was_asked = max(self.free, slot + slots * gap), True
        return slot


def _create_client(address: StoreAddress) -> Any:
    """Create the library's client, without connecting yet; its own retries would only lengthen each timeout."""
    redis = _import_library()
    options = {
        "socket_timeout": _TIMEOUT,
        # Older libraries know no timeout of the connection to a socket, which takes no time.
        **({} if address.url.startswith("unix:") else {"socket_connect_timeout": _TIMEOUT}),
        "retry": import_module("redis.retry").Retry(import_module("redis.backoff").NoBackoff(), 0),
        **address.connection_options(),
    }
    try:
        return redis.Redis.from_url(address.url, **options)
    except (ValueError, TypeError):
        raise InvalidOption(
            "The library redis cannot use the URL in rate_limit_store", "Check the database, and what follows a ?."
        ) from None


def _import_library() -> Any:
    """Import the library, which is needed only here; raises InvalidOption without a new enough one."""
    advice = "Run pip install 'redis>=4.5' for the Python that runs the task, or remove the option."
    try:
        redis = import_module("redis")
    except ImportError:
        raise InvalidOption("The option rate_limit_store needs the Python library redis", advice) from None
    version = getattr(redis, "__version__", "0")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _MIN_VERSION:
        raise InvalidOption(
            f"The option rate_limit_store needs the Python library redis 4.5 or newer, not {version}", advice
        )
    return redis


def _explain(error: BaseException) -> str:
    """Return what an error means in words of ours: those of the library and of the server may quote secrets."""
    causes = list(_list_causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        trust = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes)
        return "its certificate is not trusted" if trust else "it does not speak TLS, or in another way"
    names = {base.__name__ for base in type(error).__mro__}
    for name, meaning in _MEANINGS:
        if name in names:
            return meaning
    if isinstance(error, (ValueError, TypeError)):
        return "it responded with something else than a slot"
    if "ResponseError" in names:
        return _explain_response(str(error))
    reasons = (cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror)
    return f"it cannot be reached: {next(reasons, type(error).__name__)}"


def _explain_response(text: str) -> str:
    """Return the meaning of an error of the server that older libraries and servers do not tell apart."""
    meanings = {
        "WRONGPASS": "it refused the user or the password",
        "read only replica": "it is a read-only replica",
        "MISCONF": "it cannot save its data and accepts no writes",
        "used memory": "it is out of memory",
        "MOVED": "it is a node of a cluster, another node of which has the key",
        "CLUSTERDOWN": "its cluster is down",
    }
    return next((meanings[mark] for mark in meanings if mark in text), "it responded with an error, and may be too old")


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
