# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way through a proxy, which requests and urllib3 know: by CONNECT, over TLS, over SOCKS, and with passwords.

Loaded only where the environment names a proxy, because it takes time and memory that the direct way does without.
"""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator
from functools import cache, partial
from http.client import HTTPResponse
from typing import Any

from ._answer import HttpAnswer
from ._connection import FAILURES, Departure, Request, bounded_response, failure, lower_names, read_body
from ._endpoint import Settings
from ._errors import EndpointUnusable, LiveError, NotSent

MISSING_LIBRARY: ImportError | None = None
try:
    from requests.adapters import HTTPAdapter
    from requests.exceptions import InvalidSchema
    from requests.utils import get_environ_proxies, prepend_scheme_if_needed, select_proxy
    from urllib3 import exceptions as http
    from urllib3.util import Timeout
except ImportError as missing:
    MISSING_LIBRARY = missing


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for a URL, as requests reads it."""
    if MISSING_LIBRARY:
        raise EndpointUnusable(
            f"a proxy is set, and what goes through it cannot be loaded: {MISSING_LIBRARY}",
            "Install the Python library requests on the machine that runs the task.",
        )
    found: str | None = select_proxy(url, get_environ_proxies(url))
    return found


class Proxied:
    """A connection through a proxy.

    It goes to the connections below requests: a session of that would also take a password from the user's netrc, put
    it in place of the signature, and read the CA certificates again for each connection.
    """

    def __init__(self, settings: Settings, context: ssl.SSLContext, proxy: str) -> None:
        self._settings = settings
        self._context = context
        self._proxy = proxy
        self._pool: Any = None
        self._departure: Departure | None = None
        if context.verify_mode == ssl.CERT_NONE:
            warnings.simplefilter("ignore", http.InsecureRequestWarning)  # whoever asked for it knows

    def answer(self, request: Request, departure: Departure) -> HttpAnswer:
        """As Connection has it."""
        self._departure = departure
        try:
            self._pool = self._pool or self._connections()
            return self._answer(request)
        except (http.HTTPError, InvalidSchema, *FAILURES) as error:
            raise self._failure(error, departure.left) from None

    def close(self) -> None:
        """As Connection has it."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _answer(self, request: Request) -> HttpAnswer:
        settings, url = self._settings, self._settings.endpoint.url
        # A proxy that does not only pass TLS on is asked with the whole URL.
        before_target = url if url.startswith("http:") else "/"
        response = self._pool.request(
            request.method,
            f"{before_target}{request.target}",
            body=request.body,
            headers=request.headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=settings.connect_timeout, read=settings.read_timeout),
            preload_content=False,
            decode_content=False,
        )
        try:
            read = partial(response.read, decode_content=False)
            body = read_body(read, request.largest, lambda: response.length_remaining)
            return HttpAnswer(response.status, lower_names(response.headers), body)
        finally:
            response.close()  # and the connection, unless the answer has been read to its end
            response.release_conn()

    def _connections(self) -> Any:
        # Without the name of a file, urllib3 leaves the CA certificates to the context.
        tls = {"ssl_context": self._context, "cert_reqs": self._context.verify_mode}
        manager = HTTPAdapter().proxy_manager_for(prepend_scheme_if_needed(self._proxy, "http"), **tls)
        pool = manager.connection_from_url(self._settings.endpoint.url)
        pool.ConnectionCls = partial(_watched(pool.ConnectionCls), self)
        return pool

    def leave(self) -> None:
        """Called by the pool's connection when the request is about to leave."""
        if self._departure:
            self._departure.now()

    def response(self, *args: Any, **kwargs: Any) -> HTTPResponse:
        """What the pool's connection makes of its socket."""
        return bounded_response(self._settings.read_timeout)(*args, **kwargs)

    def _failure(self, error: BaseException, left: bool) -> LiveError:
        host = self._settings.endpoint.host
        causes = list(_causes(error))

        def caused_by(*kinds: type[BaseException]) -> bool:
            return any(isinstance(cause, kinds) for cause in causes)

        bad_urls = (InvalidSchema, http.LocationValueError, http.ProxySchemeUnknown)
        if not left and caused_by(*bad_urls):
            return EndpointUnusable(
                f"the setting of the proxy on the way to {host} cannot be used",
                "Check HTTPS_PROXY and NO_PROXY on the machine that runs the task.",
            )
        # A connection without TLS is made only when the request is about to leave.
        left = left and not caused_by(http.ConnectTimeoutError, http.NewConnectionError)
        found = failure(causes, host, left)
        # Where TLS fails, that is with the endpoint. A name that cannot be resolved is the proxy's. Older versions of
        # urllib3 say ProxyError, too, of a connection that ended after the request had gone through.
        of_the_endpoint = isinstance(found, EndpointUnusable) and not caused_by(socket.gaierror)
        if left or of_the_endpoint or not caused_by(http.ProxyError):
            return found
        return NotSent(
            f"the proxy on the way to {host} did not connect",
            "Check HTTPS_PROXY and NO_PROXY on the machine that runs the task.",
        )


@cache
def _watched(kind: Any) -> Any:
    """A kind of urllib3's connections that says when a request is about to leave, and bounds the time of the answer."""

    class Connection(kind):
        def __init__(self, proxied: Proxied, *args: Any, **kwargs: Any) -> None:
            self._proxied = proxied
            super().__init__(*args, **kwargs)

        def request(self, *args: Any, **kwargs: Any) -> None:
            self._proxied.leave()
            super().request(*args, **kwargs)

        def response_class(self, *args: Any, **kwargs: Any) -> HTTPResponse:
            return self._proxied.response(*args, **kwargs)

    return Connection


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
