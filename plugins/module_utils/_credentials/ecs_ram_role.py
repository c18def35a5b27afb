# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of the RAM role of an ECS instance."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from .._api.access_key import AccessKey, parse_issued_key
from .._errors import CredentialsError, InvalidOption, NotSent, ResponseLost
from .._http.endpoint import Endpoint, is_loopback
from .._http.response import HttpResponse
from .._http.transport import Transport
from .provider import STATUS_OK, CachedProvider, Context, load_json

_METADATA_URL = "http://100.100.100.200"
_SERVICE = "the ECS metadata service"
_TIMEOUT = 1.0  # seconds, for connecting and for each part of a response
_TOKEN_LIFETIME = 21600  # seconds
_ROLE_PATH = "latest/meta-data/ram/security-credentials/"
_STATUS_NOT_FOUND = 404


class EcsRamRoleProvider:
    """A provider of the credentials of the ECS instance's role: the one named `role`, or whichever it has.

    The metadata service has a fixed address inside the instance, so no proxy is used, and only a loopback address, for
    tests, may replace it. Version 2 of the service, which needs a token, is tried first.
    """

    def __init__(self, context: Context, role: str | None, required: bool) -> None:
        self._context = context
        self._role = role
        self._required = required
        self._v1_allowed = not context.is_true("ALIBABA_CLOUD_IMDSV1_DISABLED")

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key of the role; None if the role is not required and this machine has none."""
        context = self._context
        if context.is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED"):
            if self._required:
                raise _error(
                    "it is disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED", "Unset that, or use other credentials."
                )
            return None
        url = context.environ.get("APSARAVIDEO_METADATA_ENDPOINT") or _METADATA_URL
        endpoint = Endpoint.parse(url, allow_http=True, name="metadata endpoint")
        if url != _METADATA_URL and not is_loopback(str(urlsplit(url).hostname)):
            raise InvalidOption(
                f"The metadata endpoint {url} is neither {_METADATA_URL} nor on this machine",
                "Unset APSARAVIDEO_METADATA_ENDPOINT.",
            )
        settings = context.settings._replace(
            endpoint=endpoint, connect_timeout=_TIMEOUT, read_timeout=_TIMEOUT, use_proxies=False
        )
        parts = ("ecs", url, self._role, str(self._required))
        return CachedProvider(context, parts, lambda: self._fetch(Transport(settings))).get_access_key(expired)

    def _fetch(self, transport: Transport) -> AccessKey | None:
        try:
            token = self._fetch_token(transport)
            role = self._role or self._fetch_role(transport, token)
            response = self._get(transport, role, token) if role else None
        except NotSent as error:
            return self._return_none(error.happened)
        except ResponseLost:
            raise _error("it did not answer in time", "Run again.") from None
        if response is None:
            return self._return_none("the instance has no role")
        if response.status != STATUS_OK:
            raise _error(
                f"it answered with HTTP status {response.status} about the role {role}",
                "Check that the role is attached to the instance, and ecs_role_name.",
            )
        return parse_issued_key(load_json(response.body, _SERVICE), _SERVICE, self._context.clock.now())

    def _return_none(self, reason: str) -> AccessKey | None:
        """Return None; raises CredentialsError with the reason if the role is required."""
        if self._required:
            raise _error(reason, "Run on an ECS instance that has the role, or use other credentials.")
        return None

    def _fetch_token(self, transport: Transport) -> str | None:
        """Return a token for version 2 of the metadata service; None if it gives none and version 1 may be used.

        Raise CredentialsError if it gives none and version 1 is disabled.
        """
        headers = {"x-aliyun-ecs-metadata-token-ttl-seconds": str(_TOKEN_LIFETIME)}
        try:
            response = transport.send("PUT", "latest/api/token", headers)
        except ResponseLost:
            response = HttpResponse(0, {}, b"")
        token = response.body.decode("ascii", errors="replace").strip()
        if response.status == STATUS_OK and re.fullmatch(r"[!-~]+", token):
            return token
        if not self._v1_allowed:
            raise _error(
                "it gave no token, and its first version, which needs none, is disabled",
                "Unset ALIBABA_CLOUD_IMDSV1_DISABLED, or look at the instance's metadata options.",
            )
        return None

    def _fetch_role(self, transport: Transport, token: str | None) -> str | None:
        """Return the name of the instance's role, None if it has none."""
        response = self._get(transport, "", token)
        if response.status == _STATUS_NOT_FOUND:
            return None
        if response.status != STATUS_OK:
            raise _error(f"it answered with HTTP status {response.status}", "Look at the instance's metadata options.")
        return response.body.decode("utf-8", errors="replace").strip()

    def _get(self, transport: Transport, role: str, token: str | None) -> HttpResponse:
        """Get the credentials of a role, with the token if there is one; if that fails, without it where allowed."""
        path = _ROLE_PATH + quote(role, safe="", errors="replace")
        response = transport.send("GET", path, {"x-aliyun-ecs-metadata-token": token} if token else {})
        if response.status != STATUS_OK and token and self._v1_allowed:
            return transport.send("GET", path, {})
        return response


def _error(reason: str, advice: str) -> CredentialsError:
    return CredentialsError(f"No credentials from {_SERVICE}: {reason}", advice)
