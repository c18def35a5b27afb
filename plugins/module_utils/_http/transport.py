# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pooled HTTP connections to one endpoint, directly or through a proxy, shared by any number of threads.

The pools come from requests, but not its sessions: these replace the signature by a password from the user's netrc and
read the CA certificates anew.
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
from .endpoint import Settings, is_private
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
_MAX_CONNECTIONS = 500  # kept open, one for each of the threads that may share a transport
_DEFAULT_MAX_SIZE = 64 * 1024  # bytes of a response's body
_CHUNK_SIZE = 64 * 1024
_TOTAL_TIMEOUT_FACTOR = 6  # The whole of a response may take this many times the read_timeout.


def preload_certificates() -> None:
    """Read the CA certificates before workers are forked, so that these inherit them."""
    if not MISSING_LIBRARIES:
        with suppress(OSError):  # The task that needs them reports the error.
            tls_module.load_default_certificates()


def _no_wait() -> None:
    """Do nothing before a request is sent."""


class Transport:
    """A connection pool for one endpoint, through the proxy of the environment if there is one; thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._pool: Any = None
        self._reached = _ReachedFlag(settings)

    def post(
        self,
        query: str,
        headers: dict[str, str],
        before_send: Callable[[], None],
        body: bytes = b"",
        max_size: int = _DEFAULT_MAX_SIZE,
    ) -> HttpResponse:
        """Send a POST request with this query; otherwise as `send`."""
        return self.send("POST", f"?{query}", headers, body, before_send, max_size)

    def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes = b"",
        before_send: Callable[[], None] = _no_wait,
        max_size: int = _DEFAULT_MAX_SIZE,
    ) -> HttpResponse:
        """Send a request and return the response, whatever its status; redirects are not followed.

        `target` is path and query, without the leading slash. `before_send` is called once the connection is open, just
        before the request is written. The body is cut after `max_size` bytes and is not decompressed. Raises NotSent,
        ResponseLost or EndpointUnusable.
        """
        attempt = _Attempt(before_send, self._settings.read_timeout, self._check_address, self._reached.set)
        try:
            return self._send(attempt, method, target, headers, body, max_size)
        except (exceptions.HTTPError, OSError, HTTPException) as error:
            raise _to_live_error(error, self._settings.endpoint.host, attempt.sent, self._reached.is_set) from None

    def close(self) -> None:
        """Close the idle connections; a further request opens a new one."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            pool.close()

    def _check_address(self, sock: Any) -> None:
        """Raise PrivateAddress if a socket, over which nothing was sent, is connected to an address to refuse."""
        # A name may resolve to any address. One that a proxy connects to is not known.
        if self._settings.refuse_private and not self._get_pool().proxy and is_private(sock.getpeername()[0]):
            raise PrivateAddress(
                f"{self._settings.endpoint.host} has a private address", "Allow such addresses if they are expected."
            )

    def _send(
        self, attempt: _Attempt, method: str, target: str, headers: dict[str, str], body: bytes, max_size: int
    ) -> HttpResponse:
        settings, pool = self._settings, self._get_pool()
        url = settings.endpoint.url
        # A proxy for plain HTTP needs the whole URL in the request line.
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
            content = _read_body(response, max_size)
            names = {name.lower(): value for name, value in response.headers.items()}
            return HttpResponse(response.status, names, content)
        finally:
            response.close()  # This closes the connection as well, unless the whole body was read.
            response.release_conn()

    def _get_pool(self) -> Any:
        with self._lock:
            if self._pool is None:
                self._pool = _create_pool(self._settings)
            return self._pool


def _create_pool(settings: Settings) -> Any:
    """Create a urllib3 connection pool; loopback addresses are never reached through a proxy."""
    url = settings.endpoint.url
    tls: dict[str, Any] = {}
    if url.startswith("https:"):
        # Without `ca_certs`, urllib3 uses the CA certificates of the context.
        context = tls_module.tls_context(settings)
        tls = {"ssl_context": context, "cert_reqs": context.verify_mode}
        if context.verify_mode == ssl.CERT_NONE:
            # The user has set validate_certs to false and need not be warned again.
            warnings.simplefilter("ignore", exceptions.InsecureRequestWarning)
    proxy = None
    if settings.use_proxies and not settings.endpoint.is_loopback:
        proxy = select_proxy(url, get_environ_proxies(url))
    adapter = HTTPAdapter(pool_maxsize=_MAX_CONNECTIONS)
    if proxy:
        manager = adapter.proxy_manager_for(prepend_scheme_if_needed(proxy, "http"), **tls)
    else:
        adapter.init_poolmanager(1, _MAX_CONNECTIONS, **tls)
        manager = adapter.poolmanager
    pool = manager.connection_from_url(url)
    pool.ConnectionCls = _reporting_connection(pool.ConnectionCls)
    return pool


class _ReachedFlag:
    """A flag that this endpoint was reached, shared by the processes of a run if they have a run directory.

    A host name that was resolved once is right, so a later failure to resolve it is temporary.
    """

    def __init__(self, settings: Settings) -> None:
        self._is_set = False
        name = hashlib.sha256(settings.endpoint.url.encode()).hexdigest()[:32]
        self._path = settings.run_directory and os.path.join(settings.run_directory, f"apsaravideo-reached-{name}")

    def set(self) -> None:
        """Set the flag; it stays within this process if the file cannot be created."""
        if not self._is_set and self._path:
            with suppress(OSError):
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        self._is_set = True

    def is_set(self) -> bool:
        """Return whether any process of the run has set the flag."""
        return self._is_set or bool(self._path and os.path.lexists(self._path))


class PrivateAddress(LiveError):
    """A connection that was closed before anything was sent, because its address is a private one."""


class _Attempt:
    """The state of one request, through which the pooled connection reports how far it has come."""

    def __init__(
        self,
        before_send: Callable[[], None],
        read_timeout: float,
        check_address: Callable[[Any], None],
        on_connected: Callable[[], None],
    ) -> None:
        self._before_send = before_send
        self.read_timeout = read_timeout
        self.check_address = check_address
        self.on_connected = on_connected
        self.target = ""
        self.sent = False

    def prepare_to_send(self) -> None:
        """Call back, then record that the request may have reached the server."""
        self._before_send()
        self.sent = True


# Holds the current attempt of each thread, because a pool cannot pass an argument to the connection that it chooses.
_thread = threading.local()


@cache
def _reporting_connection(connection_class: Any) -> Any:
    """Return a subclass of this urllib3 connection that reports to the attempt of its thread."""

    class ReportingConnection(connection_class):
        def _new_conn(self) -> Any:
            sock = super()._new_conn()
            try:
                _thread.attempt.check_address(sock)  # before the TLS handshake, which would name the host
            except BaseException:
                sock.close()
                raise
            return sock

        def connect(self) -> None:
            super().connect()
            tls_module.require_alternative_name(self.sock)
            _thread.attempt.on_connected()

        def request(self, method: str, _normalized: str, *args: Any, **kwargs: Any) -> None:
            if self.sock is None:
                self.connect()
            attempt = _thread.attempt
            attempt.prepare_to_send()
            # urllib3 has normalised the target, which would invalidate a signature.
            super().request(method, attempt.target, *args, **kwargs)

        def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:
            limited: Any = _DeadlineReader(sock, _thread.attempt.read_timeout)
            return HTTPResponse(limited, *args, **kwargs)

    return ReportingConnection


class _DeadlineReader(io.RawIOBase):
    """A reader of one response from a socket, with a deadline for the whole response.

    The timeout of the socket is for each part, so a response that drips byte by byte would never exceed it.
    """

    def __init__(self, sock: Any, read_timeout: float) -> None:
        super().__init__()
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._read_timeout = read_timeout
        self._deadline = time.monotonic() + _TOTAL_TIMEOUT_FACTOR * read_timeout

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return this reader, buffered, in place of the file of a socket that HTTPResponse would read."""
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


def _read_body(response: Any, max_size: int) -> bytes:
    """Read at most `max_size` bytes, without decompression, which a hostile server could make explode."""
    body = bytearray()
    while len(body) <= max_size and (chunk := response.read(_CHUNK_SIZE, decode_content=False)):
        body += chunk
    return bytes(body[:max_size])


def _to_live_error(error: BaseException, host: str, sent: bool, was_reached: Callable[[], bool]) -> LiveError:
    """Translate a connection error; `sent` tells whether the request may have reached the server.

    A host name that cannot be resolved is taken for wrong, unless the host `was_reached` before.
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
            f"the connection to {host} ended before the response came",
            "Run again; check the network and proxies, or raise read_timeout if the network is slow.",
        )
    if caused_by(InvalidSchema, exceptions.LocationValueError, exceptions.ProxySchemeUnknown):
        return EndpointUnusable(
            f"the setting of the proxy on the way to {host} cannot be used",
            "Check HTTPS_PROXY and NO_PROXY on the machine that runs the task.",
        )
    if _lacks_tls(causes):
        return EndpointUnusable(f"{host} does not speak TLS", "Check the scheme and the port in the option endpoint.")
    if caused_by(exceptions.ProxyError):
        return NotSent(
            f"the proxy on the way to {host} did not connect",
            "Check HTTPS_PROXY and NO_PROXY on the machine that runs the task.",
        )
    if caused_by(socket.gaierror):
        is_unknown = any(isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME for cause in causes)
        return _unresolved_error(host, is_final=is_unknown and not was_reached())
    return NotSent(
        f"{host} does not accept a connection",
        "Check the option endpoint, which differs inside a VPC, and firewalls and proxies on the way there.",
    )


def _unresolved_error(host: str, is_final: bool) -> LiveError:
    return (EndpointUnusable if is_final else NotSent)(
        f"the name {host} cannot be resolved",
        "Check the option endpoint, which differs inside a VPC, and DNS on the machine that runs the task.",
    )


def _lacks_tls(causes: list[BaseException]) -> bool:
    marks = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
    return any(mark in str(cause) for cause in causes for mark in marks)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes, which urllib3 keeps in `reason` or among the arguments as well."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop(0)
        # A LiveError belongs to an earlier attempt, in whose handler this attempt was made.
        if not isinstance(current, BaseException) or isinstance(current, LiveError) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [getattr(current, "reason", None), current.__cause__, current.__context__, *current.args]
