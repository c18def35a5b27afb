# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request on a connection: the moment it leaves, the time that its answer may take, and what can go wrong."""

from __future__ import annotations

import io
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from ._answer import HttpAnswer
from ._endpoint import Settings
from ._errors import AnswerLost, EndpointUnusable, LiveError, NotSent

FAILURES = (OSError, HTTPException)
_CHUNK = 64 * 1024
_PARTS = 6  # times read_timeout for the whole of an answer, each part of which may take that long


class Request(NamedTuple):
    """What to send. `target` is path and query, without the first slash; of the answer, `largest` bytes are read."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    largest: int


class Departure:
    """What to do before a request leaves on a connection that stands, and whether it has left."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self.left = False

    def now(self) -> None:
        """Called when the request is about to leave."""
        self._leave()
        self.left = True


class Connection(Protocol):
    """A way to the endpoint, which is kept for further requests."""

    def answer(self, request: Request, departure: Departure) -> HttpAnswer:
        """The answer, with names of headers in lower case, and a body that is cut where it is too large.

        A cut body is then found unreadable. Raises the LiveError that says what went wrong on the way, or one of
        FAILURES.
        """

    def close(self) -> None:
        """Close what is kept."""


class Direct:
    """A connection to the endpoint itself, made with Python's own client.

    Where each stream has a process of its own, every function that is called there for the first time costs it some
    pages of memory. A library on top of this client adds two hundred of them, for what none of these requests needs.
    """

    def __init__(self, settings: Settings, context: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._context = context
        parts = urlsplit(settings.endpoint.url)
        self._address = (str(parts.hostname), parts.port or (443 if context else 80))
        if context:
            self._http: HTTPConnection = HTTPSConnection(*self._address, context=context)
        else:
            self._http = HTTPConnection(*self._address)
        self._http.response_class = bounded_response(settings.read_timeout)

    def answer(self, request: Request, departure: Departure) -> HttpAnswer:
        """As Connection has it."""
        http, read_timeout = self._http, self._settings.read_timeout
        ended = False
        try:
            if http.sock is not None and _has_ended(http.sock):
                http.close()
            if http.sock is None:
                http.sock = self._connected()
            departure.now()
            http.sock.settimeout(read_timeout)
            http.request(request.method, f"/{request.target}", request.body or None, request.headers)
            with http.getresponse() as response:
                body = read_body(response.read, request.largest, lambda: response.length)
                ended = response.isclosed()
                return HttpAnswer(response.status, lower_names(response.headers), body)
        finally:
            if not ended:
                http.close()

    def close(self) -> None:
        """As Connection has it."""
        self._http.close()

    def _connected(self) -> socket.socket:
        sock = socket.create_connection(self._address, self._settings.connect_timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._context:
            return sock
        # A certificate is for a name without the dot that keeps a resolver from adding to it.
        return self._context.wrap_socket(sock, server_hostname=self._address[0].rstrip("."))


def _has_ended(sock: socket.socket) -> bool:
    """Whether something has come that nobody asked for, which is the end of the connection."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(0))


def bounded_response(read_timeout: float) -> Any:
    """What makes a response of a socket, so that reading it ends in time."""

    def response(sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:
        bounded: Any = _Bounded(sock, read_timeout)
        return HTTPResponse(bounded, *args, **kwargs)

    return response


class _Bounded(io.RawIOBase):
    """A socket to read one answer from, in at most `_PARTS` times its time-out.

    That time-out alone is for each part of an answer, and one that drips never exceeds it.
    """

    def __init__(self, sock: Any, read_timeout: float) -> None:
        super().__init__()
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._read_timeout = read_timeout
        self._end = time.monotonic() + _PARTS * read_timeout

    def makefile(self, mode: str) -> io.BufferedReader:
        """The file that HTTPResponse asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise socket.timeout("the answer did not end in time")
        self._socket.settimeout(min(left, self._read_timeout))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def read_body(read: Callable[[int], bytes], largest: int, missing: Callable[[], int | None]) -> bytes:
    """The body as it came, at most so much of it. Nothing is unpacked: it was asked for as it is, and may be a bomb.

    `missing` tells how many bytes there should still be, as far as that is known.
    """
    body = bytearray()
    while chunk := read(_CHUNK):
        body += chunk
        if len(body) > largest:
            return bytes(body[:largest])
    if still := missing():
        raise IncompleteRead(bytes(body), still)
    return bytes(body)


def lower_names(headers: Any) -> dict[str, str]:
    """The headers by their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def failure(causes: Sequence[BaseException], host: str, left: bool) -> LiveError:
    """What an error and those that it came from mean.

    `left`: the request may have left; if it cannot be told, the outcome counts as unknown.
    """

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(ssl.SSLCertVerificationError):
        return EndpointUnusable(
            f"the certificate of {host} is not trusted",
            "Check the option endpoint; for an authority of your own, give its certificates in ca_path.",
        )
    if not left and _speaks_no_tls(causes):
        return EndpointUnusable(f"{host} does not speak TLS", "Check the scheme and the port in the option endpoint.")
    if caused_by(socket.gaierror):
        final = any(isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME for cause in causes)
        return (EndpointUnusable if final else NotSent)(
            f"the name {host} cannot be resolved",
            "Check the option endpoint, and DNS on the machine that runs the task.",
        )
    if not left:
        return NotSent(
            f"{host} does not accept a connection",
            "Check the option endpoint, and firewalls and proxies on the way there.",
        )
    return AnswerLost(
        f"the connection to {host} ended before the answer came",
        "Run again; check the network and proxies, or raise read_timeout if the network is slow.",
    )


def _speaks_no_tls(causes: Sequence[BaseException]) -> bool:
    marks = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
    return any(mark in str(cause) for cause in causes for mark in marks)
