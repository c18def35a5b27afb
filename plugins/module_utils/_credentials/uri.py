# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials from a URI."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from .._api.access_key import AccessKey, parse_issued_key
from .._errors import InvalidOption
from .._http.endpoint import Endpoint
from .._http.transport import Transport
from .provider import CachedProvider, Context, disabled, fetch_json

_KEPT_IN_URLS = "!$%&'()*+,/:;=?@[]~"  # what RFC 3986 gives a meaning to, or has already been quoted


class UriProvider:
    """Keys that a server gives on request, such as one beside a container."""

    def __init__(self, context: Context, uri: str, where: str) -> None:
        if context.is_set("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"):
            raise disabled("A credentials URI", where)
        self._context = context
        self._uri = uri

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The keys."""
        return CachedProvider(self._context, ("uri", self._uri), self._issue).keys(expired)

    def _issue(self) -> AccessKey:
        context = self._context
        allow_http = context.options.get("allow_http", False)
        endpoint, target = split_url(self._uri, "credentials URI", allow_http)
        what = f"the credentials URI at {endpoint.host}"
        transport = Transport(context.settings._replace(endpoint=endpoint))
        return parse_issued_key(fetch_json(transport, what, "GET", target, {}), what, context.clock.now())


def split_url(url: str, name: str, allow_http: bool = False) -> tuple[Endpoint, str]:
    """Where a URL leads, and its path and query, which may be secret; raises InvalidOption, which shows neither."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidOption(f"The {name} is no URL", "Correct it.") from None
    target = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    endpoint = Endpoint.parse(f"{parts.scheme}://{parts.netloc}", allow_http, name)
    return endpoint, quote(target, safe=_KEPT_IN_URLS, errors="replace")
