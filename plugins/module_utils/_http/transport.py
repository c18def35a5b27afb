# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP requests to one endpoint, directly or through a proxy, from any number of threads.

The connections are those of requests. They are used without its sessions, which would put a password from the user's
netrc in place of the signature, and read the CA certificates anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from http.client import HTTPException, HTTPResponse
from typing import Any

from .._errors import EndpointUnusable, LiveError, NotSent, ResponseLost
from .._util.libraries import MISSING_LIBRARIES
from . import tls as tls_module
from .endpoint import Settings
from .response import HttpResponse

try:
    from requests.adapters import HTTPAdapter
    from requests.exceptions import InvalidSchema
    from requests.utils import get_environ_proxies, prepend_scheme_if_needed, select_proxy
    from urllib3 import exceptions
    from urllib3.connection import CertificateError  # type: ignore[attr-defined, unused-ignore]
    from urllib3.util import Timeout
except ImportError as missing:
    MISSING_LIBRARIES["requests"] = missing

_USER_AGENT = "ansible-collection/apsaravideo.live"
_MAX_CONNECTIONS = 500  # that are kept open, as many as threads that share a transport
_DEFAULT_MAX_SIZE = 64 * 1024  # bytes of a response's body
_CHUNK_SIZE = 64 * 1024
_TOTAL_TIMEOUT_FACTOR = 6  # times read_timeout for the whole of a response, each part of which may take that long


def prepare() -> None:
    """Read the CA certificates, so that processes forked from this one have them already."""
    if not MISSING_LIBRARIES:
        with suppress(OSError):  # The task that needs them reports it.
            tls_module.load_default_certificates()


def _no_wait() -> None:
    """Send without waiting."""


class Transport:
    """Sends requests to one endpoint, through the environment's proxy if any. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._pool: Any = None
        self._reached = _ReachedMark(settings)

    def post(
        self,
        query: str,
        headers: dict[str, str],
        leave: Callable[[], None],
        body: bytes = b"",
        largest: int = _DEFAULT_MAX_SIZE,
    ) -> HttpResponse:
        """Call the API with a POST of this query. The rest is as for `send`."""
        return self.send("POST", f"?{query}", headers, body, leave, largest)

    def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes = b"",
        leave: Callable[[], None] = _no_wait,
        largest: int = _DEFAULT_MAX_SIZE,
    ) -> HttpResponse:
        """Send a request and return the response, whatever its status is; redirects are not followed.

        `target` is path and query, without the first slash. `leave` is called when the connection is open and the
        request is about to be sent. At most `largest` bytes of the body are read, and none are decompressed: a body
        that was cut is then found unreadable. Raises the LiveError that says what went wrong.
        """
        attempt = _Attempt(leave, self._settings.read_timeout, self._reached.set)
        try:
            return self._send(attempt, method, target, headers, body, largest)
        except (exceptions.HTTPError, OSError, HTTPException) as error:
            raise _failure(error, self._settings.endpoint.host, attempt.sent, self._reached.is_set) from None

    def close(self) -> None:
        """Close the connections that are kept for further requests."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            pool.close()

    def _send(
        self, attempt: _Attempt, method: str, target: str, headers: dict[str, str], body: bytes, largest: int
    ) -> HttpResponse:
        settings, pool = self._settings, self._connections()
        url = settings.endpoint.url
        # A proxy for plain HTTP is asked with the whole URL.
        attempt.target = f"{url if pool.proxy and url.startswith('http:') else '/'}{target}"
        _thread.attempt = attempt
        response = pool.request(
            method,
            attempt.target,
            body=body or None,
            headers={"host": settings.endpoint.host, "user-agent": _USER_AGENT, **headers},
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=settings.connect_timeout, read=settings.read_timeout),
            preload_content=False,
            decode_content=False,
            enforce_content_length=True,
        )
        try:
            content = _read_body(response, largest)
            names = {name.lower(): value for name, value in response.headers.items()}
            return HttpResponse(response.status, names, content)
        finally:
            response.close()  # It closes the connection, too, unless the body has been read to its end.
            response.release_conn()

    def _connections(self) -> Any:
        """Return the pool of connections to the endpoint."""
        with self._lock:
            if self._pool is None:
                self._pool = _connection_pool(self._settings)
            return self._pool


def _connection_pool(settings: Settings) -> Any:
    """Return a new pool of connections. This machine's own addresses are never asked of a proxy."""
    url = settings.endpoint.url
    tls: dict[str, Any] = {}
    if url.startswith("https:"):
        # Without the name of a file, urllib3 leaves the CA certificates to the context.
        context = tls_module.tls_context(settings)
        tls = {"ssl_context": context, "cert_reqs": context.verify_mode}
        if context.verify_mode == ssl.CERT_NONE:
            warnings.simplefilter("ignore", exceptions.InsecureRequestWarning)  # The user asked for it.
    proxy = None
    if settings.use_proxies and not settings.endpoint.loopback:
        proxy = select_proxy(url, get_environ_proxies(url))
    adapter = HTTPAdapter(pool_maxsize=_MAX_CONNECTIONS)
    if proxy:
        manager = adapter.proxy_manager_for(prepend_scheme_if_needed(proxy, "http"), **tls)
    else:
        adapter.init_poolmanager(1, _MAX_CONNECTIONS, **tls)
        manager = adapter.poolmanager
    pool = manager.connection_from_url(url)
    pool.ConnectionCls = _reporting(pool.ConnectionCls)
    return pool


class _ReachedMark:
    """Remembers that an endpoint was reached in this run, for all processes of the run if they share a directory.

    A name that was resolved once is right, so that one which cannot be resolved later is a matter of time.
    """

    def __init__(self, settings: Settings) -> None:
        self._is_set = False
        name = hashlib.sha256(settings.endpoint.url.encode()).hexdigest()[:32]
        self._path = settings.run_directory and os.path.join(settings.run_directory, f"apsaravideo-reached-{name}")

    def set(self) -> None:
        """Remember it; without a file where none can be made."""
        if not self._is_set and self._path:
            with suppress(OSError):
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        self._is_set = True

    def is_set(self) -> bool:
        """Return whether the endpoint was reached."""
        return self._is_set or bool(self._path and os.path.lexists(self._path))


class _Attempt:
    """One request: what to call before it is sent, what it asks for, and whether it may have been sent."""

    def __init__(self, leave: Callable[[], None], read_timeout: float, connected: Callable[[], None]) -> None:
        self._leave = leave
        self.read_timeout = read_timeout
        self.connected = connected
        self.target = ""
        self.sent = False

    def about_to_send(self) -> None:
        """Wait for the moment to send."""
        self._leave()
        self.sent = True


# The attempt that a thread makes: a pool has no other way to hand it to the connection that it chooses.
_thread = threading.local()


@cache
def _reporting(kind: Any) -> Any:
    """Return a subclass of one of urllib3's connections that reports to the thread's attempt."""

    class Connection(kind):
        def connect(self) -> None:
            super().connect()
            tls_module.require_alternative_name(self.sock)
            _thread.attempt.connected()

        def request(self, method: str, _normalized: str, *args: Any, **kwargs: Any) -> None:
            if self.sock is None:
                self.connect()
            attempt = _thread.attempt
            attempt.about_to_send()
            super().request(method, attempt.target, *args, **kwargs)  # as it was given, perhaps with a signature

        def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:
            limited: Any = _DeadlineReader(sock, _thread.attempt.read_timeout)
            return HTTPResponse(limited, *args, **kwargs)

    return Connection


class _DeadlineReader(io.RawIOBase):
    """A socket to read one response from, in limited time.

    The socket's own timeout is for each part of a response, and one that drips never exceeds it.
    """

    def __init__(self, sock: Any, read_timeout: float) -> None:
        super().__init__()
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._read_timeout = read_timeout
        self._deadline = time.monotonic() + _TOTAL_TIMEOUT_FACTOR * read_timeout

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the file that HTTPResponse asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("the response did not end in time")
        self._socket.settimeout(min(left, self._read_timeout))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _read_body(response: Any, largest: int) -> bytes:
    """Read at most so many bytes as they came; compressed ones may be a decompression bomb."""
    body = bytearray()
    while len(body) <= largest and (chunk := response.read(_CHUNK_SIZE, decode_content=False)):
        body += chunk
    return bytes(body[:largest])


def _failure(error: BaseException, host: str, sent: bool, was_reached: Callable[[], bool]) -> LiveError:
    """Return what an error means; where it cannot be told whether the request was `sent`, the outcome is unknown.

    A name that cannot be resolved is wrong, unless its host `was_reached` before.
    """
    causes = list(_causes(error))

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(ssl.SSLCertVerificationError, CertificateError):
        return EndpointUnusable(
            f"the certificate of {host} is not trusted",
            "Check the option endpoint; for an authority of your own, give its certificates in ca_path.",
        )
    if sent:
        return ResponseLost(
            f"the connection to {host} ended before the answer came",
            "Run again; check the network and proxies, or raise read_timeout if the network is slow.",
        )
    if caused_by(InvalidSchema, exceptions.LocationValueError, exceptions.ProxySchemeUnknown):
        return EndpointUnusable(
            f"the setting of the proxy on the way to {host} cannot be used",
            "Check HTTPS_PROXY and NO_PROXY on the machine that runs the task.",
        )
    if _speaks_no_tls(causes):
        return EndpointUnusable(f"{host} does not speak TLS", "Check the scheme and the port in the option endpoint.")
    if caused_by(exceptions.ProxyError):
        return NotSent(
            f"the proxy on the way to {host} did not connect",
            "Check HTTPS_PROXY and NO_PROXY on the machine that runs the task.",
        )
    if caused_by(socket.gaierror):
        final = any(isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME for cause in causes)
        return (EndpointUnusable if final and not was_reached() else NotSent)(
            f"the name {host} cannot be resolved",
            "Check the option endpoint, which differs inside a VPC, and DNS on the machine that runs the task.",
        )
    return NotSent(
        f"{host} does not accept a connection",
        "Check the option endpoint, which differs inside a VPC, and firewalls and proxies on the way there.",
    )


def _speaks_no_tls(causes: list[BaseException]) -> bool:
    marks = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
    return any(mark in str(cause) for cause in causes for mark in marks)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what caused it; urllib3 keeps the cause in `reason` or among the arguments."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop(0)
        # A LiveError is of an earlier attempt, which was being handled when this one was made.
        if not isinstance(current, BaseException) or isinstance(current, LiveError) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [getattr(current, "reason", None), current.__cause__, current.__context__, *current.args]
