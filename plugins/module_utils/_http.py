# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one request travels: connection, TLS, proxies, the moment it leaves, and what can go wrong on the way."""

from __future__ import annotations

import os
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ._answer import HttpAnswer
from ._errors import AnswerLost, EndpointUnusable, InvalidOption, LiveError, NotSent

MISSING_LIBRARIES: dict[str, ImportError] = {}
try:
    import requests
    from requests import exceptions as http
    from requests.adapters import HTTPAdapter
    from urllib3 import exceptions as http_core
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError as missing:
    MISSING_LIBRARIES["requests"] = missing
    HTTPAdapter = object  # type: ignore[assignment,misc]

DEFAULT_ENDPOINT = "https://live.aliyuncs.com"
_LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; 3,000 online streams, the largest page there is, take about 1.5 MB
_CHUNK = 64 * 1024


class Endpoint(NamedTuple):
    """Where the API is reached. `host` is the Host header as it is signed and sent."""

    url: str
    host: str

    @classmethod
    def parse(cls, text: str, allow_http: bool = False) -> Endpoint:
        """From a full URL such as `https://live.aliyuncs.com`; raises InvalidOption.

        Keys travel with each call, so plain http is taken only for loopback addresses, or with `allow_http`.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise _bad_endpoint(text, f"is no URL: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _bad_endpoint(text, "is no full URL")
        if parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
            raise _bad_endpoint(f"{parts.scheme}://{parts.hostname}", "holds more than scheme, host and port")
        if parts.scheme == "http" and not allow_http and not _is_loopback(parts.hostname):
            raise InvalidOption(
                f"The endpoint {text} is plain http, over which signed calls can be read and repeated",
                "Use https, or set allow_http if the way there is protected otherwise.",
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        if port and port != {"http": 80, "https": 443}[parts.scheme]:
            host = f"{host}:{port}"
        return cls(f"{parts.scheme}://{host}/", host)


def _bad_endpoint(text: str, why: str) -> InvalidOption:
    return InvalidOption(f"The endpoint {text} {why}", f"Give it as scheme, host and port, such as {DEFAULT_ENDPOINT}.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Settings(NamedTuple):
    """How to reach the endpoint; seconds for connecting and for each part of an answer."""

    endpoint: Endpoint
    connect_timeout: float = 5
    read_timeout: float = 10
    validate_certs: bool = True
    ca_path: str | None = None


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
    return given or requests.utils.DEFAULT_CA_BUNDLE_PATH


def prepare() -> None:
    """Load what every task needs, so that processes made from this one have it already."""
    if not MISSING_LIBRARIES:
        try:
            _trusting(_default_ca_path())
        except OSError:
            return  # the task that needs it reports it


class Transport:
    """Sends requests to one endpoint, through the environment's proxies if any.

    A session of requests would also take a password from the user's netrc and put it in place of the signature.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._adapter: _Adapter | None = None

    def post(self, query: str, headers: dict[str, str], leave: Callable[[], None], body: bytes = b"") -> HttpAnswer:
        """The answer to a POST of this query, at most 16 MiB of it.

        `leave` is called when the connection stands and the request is about to leave. Raises the LiveError that says
        what went wrong on the way.
        """
        settings = self._settings
        if self._adapter is None:
            self._adapter = _Adapter(_context(settings))
        self._adapter.depart = leave
        self._adapter.left = False
        request = requests.Request("POST", f"{settings.endpoint.url}?{query}", headers=headers, data=body).prepare()
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=(settings.connect_timeout, settings.read_timeout),
                verify=settings.validate_certs,
                proxies=requests.utils.get_environ_proxies(settings.endpoint.url),
            )
            with response:
                names = {name.lower(): value for name, value in response.headers.items()}
                return HttpAnswer(response.status_code, names, _body(response))
        except (http.RequestException, http_core.HTTPError, OSError) as error:
            raise _transport_error(error, settings.endpoint.host, self._adapter.left) from None


def _context(settings: Settings) -> ssl.SSLContext:
    if not settings.validate_certs:
        warnings.simplefilter("ignore", http_core.InsecureRequestWarning)  # whoever asked for it knows
        return _trusting_all()
    try:
        return _trusting(settings.ca_path or _default_ca_path())
    except OSError as error:
        raise EndpointUnusable(
            f"the file of CA certificates cannot be used: {error.strerror or error}",
            "Check the option ca_path, or REQUESTS_CA_BUNDLE on the machine that runs the task.",
        ) from None


class _Adapter(HTTPAdapter):
    """An adapter of requests that uses a ready TLS context, and calls `depart` before a request leaves."""

    depart: Callable[[], None]
    left = False

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        self._watch(manager)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the CA certificates to the context; requests would have them read again for each connection."""
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"
        conn.ca_certs = None
        conn.ca_cert_dir = None

    def _watch(self, manager: Any) -> None:
        """Have every connection of a pool manager call `depart` before it sends a request."""

        adapter = self

        def watched(pool: Any) -> Any:
            class Connection(pool.ConnectionCls):
                def request(self, *args: Any, **kwargs: Any) -> Any:
                    adapter.depart()
                    adapter.left = True
                    return super().request(*args, **kwargs)

            return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

        manager.pool_classes_by_scheme = {"http": watched(HTTPConnectionPool), "https": watched(HTTPSConnectionPool)}


def _body(response: requests.Response) -> bytes:
    """The body, at most `_LARGEST_ANSWER` bytes of it: a cut body is then found unreadable."""
    body = b""
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            break
    return body[:_LARGEST_ANSWER]


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

    if caused_by(ssl.SSLCertVerificationError):
        return EndpointUnusable(
            f"the certificate of {host} is not trusted",
            "Check the option endpoint; for an authority of your own, give its certificates in ca_path.",
        )
    if not left and _speaks_no_tls(causes):
        return EndpointUnusable(f"{host} does not speak TLS", "Check the scheme and the port in the option endpoint.")
    if caused_by(http.ProxyError, http_core.ProxyError):
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
    if not left or caused_by(http.ConnectTimeout, http_core.ConnectTimeoutError, http_core.NewConnectionError):
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
