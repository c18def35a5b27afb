# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How requests reach the endpoint: whom they trust, and whether a proxy is in between."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import Any
from urllib.request import getproxies

from ._answer import HttpAnswer
from ._connection import FAILURES, Connection, Departure, Direct, Request, failure
from ._endpoint import Settings
from ._errors import EndpointUnusable

MISSING_LIBRARIES: dict[str, ImportError] = {}
if not find_spec("requests"):  # loaded only where it is used
    MISSING_LIBRARIES["requests"] = ImportError("No module named 'requests'")
try:
    from certifi import where as _certificates
except ImportError:  # some distributions have requests without it

    def _certificates() -> str:
        places = ssl.get_default_verify_paths()
        return places.cafile or places.capath or places.openssl_cafile


_USER_AGENT = "ansible-collection/apsaravideo.live"
_SMALL = 64 * 1024  # bytes of an answer


@cache
def _trusting(ca_path: str) -> ssl.SSLContext:
    """A TLS context with these CA certificates. They are read once, which takes about 25 ms."""
    is_directory = os.path.isdir(ca_path)
    context = ssl.create_default_context(
        cafile=None if is_directory else ca_path, capath=ca_path if is_directory else None
    )
    return _spoken_here(context)


@cache
def _trusting_all() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _spoken_here(context)


def _spoken_here(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _default_ca_path() -> str:
    """Where requests would find its CA certificates."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or _certificates()


def _context(settings: Settings) -> ssl.SSLContext:
    if not settings.validate_certs:
        return _trusting_all()
    try:
        return _trusting(settings.ca_path or _default_ca_path())
    except OSError as error:
        raise EndpointUnusable(
            f"the file of CA certificates cannot be used: {error.strerror or error}",
            "Check the option ca_path, or REQUESTS_CA_BUNDLE on the machine that runs the task.",
        ) from None


def _proxies_are_set() -> bool:
    return bool(set(getproxies()) - {"no"})


def _proxied() -> Any:
    from . import _proxied as loaded  # noqa: PLC0415 - only where there is a proxy

    return loaded


def prepare() -> None:
    """Load what every task needs, so that processes made from this one have it already."""
    with suppress(OSError):  # the task that needs it reports it
        _trusting(_default_ca_path())
    if _proxies_are_set():
        _proxied()


def _at_once() -> None:
    """Leave without waiting."""


class Transport:
    """Sends requests to one endpoint, through the environment's proxies if any."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: Connection | None = None

    def post(
        self, query: str, headers: dict[str, str], leave: Callable[[], None], body: bytes = b"", largest: int = _SMALL
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
        largest: int = _SMALL,
    ) -> HttpAnswer:
        """The answer to a request, at most `largest` bytes of it: a cut body is then found unreadable.

        `target` is path and query, without the first slash.

        `leave` is called when the connection stands and the request is about to leave. Raises the LiveError that says
        what went wrong on the way.
        """
        request = Request(method, target, {"user-agent": _USER_AGENT, **headers}, body, largest)
        departure = Departure(leave)
        try:
            self._connection = self._connection or _connection(self._settings)
            return self._connection.answer(request, departure)
        except FAILURES as error:
            raise failure([error], self._settings.endpoint.host, departure.left) from None

    def close(self) -> None:
        """Close the connection that is kept for further requests."""
        if self._connection:
            self._connection.close()


def _connection(settings: Settings) -> Connection:
    """The way to the endpoint: a proxy would take this machine for its own, so none is asked for that."""
    url = settings.endpoint.url
    if settings.use_proxies and not settings.endpoint.loopback and _proxies_are_set():
        proxy = _proxied().proxy_for(url)
        if proxy:
            through: Connection = _proxied().Proxied(settings, _context(settings), proxy)
            return through
    return Direct(settings, _context(settings) if url.startswith("https:") else None)
