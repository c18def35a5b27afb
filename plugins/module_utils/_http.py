# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one request travels: connection, TLS, proxies, the moment it leaves, and what can go wrong on the way."""

from __future__ import annotations

import io
import os
import re
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.client import HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ._answer import HttpAnswer
from ._errors import AnswerLost, EndpointUnusable, InvalidOption, LiveError, NotSent

MISSING_LIBRARIES: dict[str, ImportError] = {}
try:
    from requests.adapters import HTTPAdapter
    from requests.exceptions import InvalidSchema
    from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, prepend_scheme_if_needed, select_proxy
    from urllib3 import connection_from_url
    from urllib3 import exceptions as http
    from urllib3.util import Timeout
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError as missing:
    MISSING_LIBRARIES["requests"] = missing

DEFAULT_ENDPOINT = "https://live.aliyuncs.com"
_CHUNK = 64 * 1024
_PARTS = 6  # times read_timeout for the whole of an answer, each part of which may take that long
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?!.{{254}}){_LABEL}(\.{_LABEL})*\.?")
_LONGEST_SHOWN = 100


class Endpoint(NamedTuple):
    """Where the API is reached. `host` is the Host header as it is signed and sent."""

    url: str
    host: str
    loopback: bool = False

    @classmethod
    def parse(cls, text: str, allow_http: bool = False, name: str = "endpoint") -> Endpoint:
        """From a full URL such as `https://live.aliyuncs.com`; raises InvalidOption, which calls it by `name`.

        Keys travel with each call, so plain http is taken only for loopback addresses, or with `allow_http`.
        """
        try:
            parts = urlsplit(text)
            host_name, port = parts.hostname or "", parts.port
        except ValueError:
            raise _bad_endpoint(name, text, "is no URL") from None
        if parts.scheme not in ("http", "https") or not host_name:
            raise _bad_endpoint(name, text, "is no full URL")
        if not text.isprintable() or port == 0 or not (_HOST.fullmatch(host_name) or _is_address(host_name)):
            raise _bad_endpoint(name, text, "names no host, or none in ASCII, or no port that there can be")
        if "@" in text or parts.path.strip("/") or parts.query or parts.fragment:
            raise _bad_endpoint(name, text, "holds more than scheme, host and port")
        if parts.scheme == "http" and not allow_http and not is_loopback(host_name):
            way_out = ", or set allow_http if the way there is protected otherwise" if name == "endpoint" else ""
            raise InvalidOption(
                f"The {name} {_shown(text)} is plain http, over which keys and signed calls can be read",
                f"Use https{way_out}.",
            )
        host = f"[{host_name}]" if ":" in host_name else host_name
        if port and port != {"http": 80, "https": 443}[parts.scheme]:
            host = f"{host}:{port}"
        return cls(f"{parts.scheme}://{host}/", host, is_loopback(host_name))


def _bad_endpoint(name: str, text: str, why: str) -> InvalidOption:
    return InvalidOption(
        f"The {name} {_shown(text)} {why}", f"Give it as scheme, host and port, such as {DEFAULT_ENDPOINT}."
    )


def _shown(text: str) -> str:
    """An endpoint for a message: without what stands before an @, which may be a password, and not at any length."""
    shown = re.sub(r"(?s).*@", "...@", text)
    shown = "".join(letter if letter.isprintable() else "?" for letter in shown)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."


def _is_address(host: str) -> bool:
    return ":" in host and "%" not in host and _address(host) is not None


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    address = _address(host)
    return address.is_loopback if address else host == "localhost"


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


class Settings(NamedTuple):
    """How to reach the endpoint; seconds for connecting and for each part of an answer."""

    endpoint: Endpoint
    connect_timeout: float = 5
    read_timeout: float = 10
    validate_certs: bool = True
    ca_path: str | None = None
    use_proxies: bool = True


@cache
def _trusting(ca_path: str) -> ssl.SSLContext:
    """A TLS context with these CA certificates. They are read once, which takes about 25 ms."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    if os.path.isdir(ca_path):
        context.load_verify_locations(capath=ca_path)
    else:
        context.load_verify_locations(cafile=ca_path)
    return context


@cache
def _trusting_all() -> ssl.SSLContext:
    return create_urllib3_context(cert_reqs=ssl.CERT_NONE)


def _default_ca_path() -> str:
    """Where requests would find its CA certificates."""
    given = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return given or DEFAULT_CA_BUNDLE_PATH


def prepare() -> None:
    """Load what every task needs, so that processes made from this one have it already."""
    if not MISSING_LIBRARIES:
        try:
            _trusting(_default_ca_path())
        except OSError:
            return  # the task that needs it reports it


def _at_once() -> None:
    """Leave without waiting."""


class Transport:
    """Sends requests to one endpoint, through the environment's proxies if any.

    It goes to the connections below requests: a session of that would also take a password from the user's netrc, put
    it in place of the signature, and read the CA certificates again for each connection.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: Any = None
        self._before_target = "/"
        self._departure = _Departure()

    def post(
        self, query: str, headers: dict[str, str], leave: Callable[[], None], body: bytes = b"", largest: int = _CHUNK
    ) -> HttpAnswer:
        """The answer to a call of the API: a POST of this query. The rest is as for `send`."""
        return self.send("POST", f"?{query}", headers, body, leave, largest)

    def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes = b"",
        leave: Callable[[], None] = _at_once,
        largest: int = _CHUNK,
    ) -> HttpAnswer:
        """The answer to a request, at most `largest` bytes of it: a cut body is then found unreadable.

        `target` is path and query, without the first slash.

        `leave` is called when the connection stands and the request is about to leave. Raises the LiveError that says
        what went wrong on the way.
        """
        settings, departure = self._settings, self._departure
        departure.leave, departure.left = leave, False
        try:
            if self._pool is None:
                self._pool = self._connections()
            response = self._pool.request(
                method,
                f"{self._before_target}{target}",
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=Timeout(connect=settings.connect_timeout, read=settings.read_timeout),
                preload_content=False,
                decode_content=False,
            )
            try:
                names = {name.lower(): value for name, value in response.headers.items()}
                return HttpAnswer(response.status, names, _body(response, largest))
            finally:
                response.close()  # and the connection, unless the answer has been read to its end
                response.release_conn()
        except (http.HTTPError, InvalidSchema, OSError) as error:
            raise _transport_error(error, settings.endpoint.host, departure.left) from None
        finally:
            departure.leave = _at_once

    def close(self) -> None:
        """Close the connections that are kept for further requests."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _connections(self) -> Any:
        settings, url = self._settings, self._settings.endpoint.url
        context = _context(settings)
        # Without the name of a file, urllib3 leaves the CA certificates to the context.
        tls = {"ssl_context": context, "cert_reqs": context.verify_mode}
        proxy = select_proxy(url, _proxies(settings))
        if proxy:
            manager = HTTPAdapter().proxy_manager_for(prepend_scheme_if_needed(proxy, "http"), **tls)
            pool = manager.connection_from_url(url)
        else:
            pool = connection_from_url(url, **(tls if url.startswith("https:") else {}))
        # A proxy that does not only pass TLS on is asked with the whole URL.
        self._before_target = url if proxy and url.startswith("http:") else "/"
        pool.ConnectionCls = partial(_watched(pool.ConnectionCls), self._departure, settings.read_timeout)
        return pool


class _Departure:
    """What to do before a request leaves on a connection that stands, and whether it has left."""

    def __init__(self) -> None:
        self.leave = _at_once
        self.left = False

    def now(self) -> None:
        """Called by the connection."""
        self.leave()
        self.left = True


@cache
def _watched(kind: Any) -> Any:
    """A kind of connection that says when a request is about to leave, and bounds the time that the answer takes."""

    class Connection(kind):
        def __init__(self, departure: _Departure, read_timeout: float, *args: Any, **kwargs: Any) -> None:
            self._departure = departure
            self._read_timeout = read_timeout
            super().__init__(*args, **kwargs)

        def request(self, *args: Any, **kwargs: Any) -> None:
            self._departure.now()
            super().request(*args, **kwargs)

        def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:
            bounded: Any = _Bounded(sock, self._read_timeout)
            return HTTPResponse(bounded, *args, **kwargs)

    return Connection


def _proxies(settings: Settings) -> dict[str, str]:
    """The environment's proxies; none for this machine itself, which a proxy would take for its own."""
    if settings.endpoint.loopback or not settings.use_proxies:
        return {}
    return get_environ_proxies(settings.endpoint.url)


def _context(settings: Settings) -> ssl.SSLContext:
    if not settings.validate_certs:
        warnings.simplefilter("ignore", http.InsecureRequestWarning)  # whoever asked for it knows
        return _trusting_all()
    try:
        return _trusting(settings.ca_path or _default_ca_path())
    except OSError as error:
        raise EndpointUnusable(
            f"the file of CA certificates cannot be used: {error.strerror or error}",
            "Check the option ca_path, or REQUESTS_CA_BUNDLE on the machine that runs the task.",
        ) from None


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


def _body(response: Any, largest: int) -> bytes:
    """The body as it came, at most so much of it. Nothing is unpacked: it was asked for as it is, and may be a bomb."""
    body = b""
    for chunk in response.stream(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > largest:
            return body[:largest]
    if response.length_remaining:  # older versions of urllib3 do not mind
        raise http.IncompleteRead(len(body), response.length_remaining)
    return body


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from; urllib3 keeps its cause in `reason` or among the arguments."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [getattr(current, "reason", None), current.__cause__, current.__context__, *current.args]


def _transport_error(error: BaseException, host: str, left: bool) -> LiveError:
    """The kind of failure. `left`: the request may have left; if it cannot be told, the outcome counts as unknown."""
    causes = list(_causes(error))

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    # A connection without TLS is made only when the request is about to leave.
    unconnected = not left or caused_by(http.ConnectTimeoutError, http.NewConnectionError)
    if caused_by(ssl.SSLCertVerificationError):
        return EndpointUnusable(
            f"the certificate of {host} is not trusted",
            "Check the option endpoint; for an authority of your own, give its certificates in ca_path.",
        )
    if not left and _speaks_no_tls(causes):
        return EndpointUnusable(f"{host} does not speak TLS", "Check the scheme and the port in the option endpoint.")
    bad_urls = (InvalidSchema, http.LocationValueError, http.ProxySchemeUnknown)
    if not left and caused_by(*bad_urls):
        return EndpointUnusable(
            f"the setting of the proxy on the way to {host} cannot be used",
            "Check HTTPS_PROXY and NO_PROXY on the machine that runs the task.",
        )
    # Older versions of urllib3 say so, too, of a connection that ended after the request had gone through the proxy.
    if unconnected and caused_by(http.ProxyError):
        return NotSent(
            f"the proxy on the way to {host} did not connect",
            "Check HTTPS_PROXY and NO_PROXY on the machine that runs the task.",
        )
    if caused_by(socket.gaierror):
        final = any(isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME for cause in causes)
        return (EndpointUnusable if final else NotSent)(
            f"the name {host} cannot be resolved",
            "Check the option endpoint, and DNS on the machine that runs the task.",
        )
    if unconnected:
        return NotSent(
            f"{host} does not accept a connection",
            "Check the option endpoint, and firewalls and proxies on the way there.",
        )
    return AnswerLost(
        f"the connection to {host} ended before the answer came",
        "Run again; check the network and proxies, or raise read_timeout if the network is slow.",
    )


def _speaks_no_tls(causes: list[BaseException]) -> bool:
    marks = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
    return any(mark in str(cause) for cause in causes for mark in marks)
