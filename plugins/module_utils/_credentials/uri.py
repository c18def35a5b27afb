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
from .provider import CachedProvider, Context, disabled_error, fetch_json

_UNQUOTED = "!$%&'()*+,/:;=?@[]~"  # characters with a meaning in RFC 3986, and the sign of those quoted already


class UriProvider:
    """A provider of credentials that a server returns, such as one beside a container.

    `origin` names the profile or variable that has the URI, for error messages.
    """

    def __init__(self, context: Context, uri: str, origin: str) -> None:
        if context.is_true("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"):
            raise disabled_error("A credentials URI", origin)
        self._context = context
        self._uri = uri

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key that the server returns."""
        return CachedProvider(self._context, ("uri", self._uri), self._fetch).get_access_key(expired)

    def _fetch(self) -> AccessKey:
        context = self._context
        allow_http = context.options.get("allow_http", False)
        endpoint, target = split_url(self._uri, "credentials URI", allow_http)
        service = f"the credentials URI at {endpoint.host}"
        transport = Transport(context.settings._replace(endpoint=endpoint))
        return parse_issued_key(fetch_json(transport, service, "GET", target, {}), service, context.clock.now())


def split_url(url: str, name: str, allow_http: bool = False) -> tuple[Endpoint, str]:
    """Split a URL into its endpoint, and its path and query, without the leading slash.

    Raises InvalidOption, which calls the URL by `name` and does not quote it, because it may contain secrets.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidOption(f"The {name} is not a URL", "Check its host and port.") from None
    target = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    endpoint = Endpoint.parse(f"{parts.scheme}://{parts.netloc}", allow_http, name)
    return endpoint, quote(target, safe=_UNQUOTED, errors="replace")
