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
from .provider import STATUS_OK, CachedProvider, Context, parsed

_METADATA_URL = "http://100.100.100.200"
_METADATA_SECONDS = 1.0  # for connecting, and for an answer
_METADATA_TOKEN_SECONDS = 21600
_ROLE_PATH = "latest/meta-data/ram/security-credentials/"
_STATUS_NOT_FOUND = 404


class EcsRamRoleProvider:
    """The role of the ECS instance that this runs on. Without a `name`, whichever it has, if any.

    The metadata service answers on a fixed address inside the instance only, so no proxy is used, and only a loopback
    address, as of a test, is taken in its place. It is asked with a token first, as its second version wants it.
    """

    def __init__(self, context: Context, name: str | None, required: bool) -> None:
        self._context = context
        self._name = name
        self._required = required
        self._v1_allowed = not context.is_set("ALIBABA_CLOUD_IMDSV1_DISABLED")
        self._what = "the ECS metadata service"

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The role's keys; None where this is no ECS instance, or one without a role, and none is required."""
        context = self._context
        if context.is_set("ALIBABA_CLOUD_ECS_METADATA_DISABLED"):
            if self._required:
                raise self._unusable(
                    "it is disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED", "Unset that, or use other keys."
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
            endpoint=endpoint,
            connect_timeout=_METADATA_SECONDS,
            read_timeout=_METADATA_SECONDS,
            use_proxies=False,
        )
        parts = ("ecs", url, self._name, str(self._required))
        return CachedProvider(context, parts, lambda: self._issue(Transport(settings))).keys(expired)

    def _issue(self, transport: Transport) -> AccessKey | None:
        try:
            token = self._token(transport)
            name = self._name or self._only_role(transport, token)
            answer = self._get(transport, name, token) if name else None
        except NotSent as error:
            return self._without(error.happened)
        except ResponseLost:
            raise self._unusable("it did not answer in time", "Run again.") from None
        if answer is None:
            return self._without("the instance has no role")
        if answer.status != STATUS_OK:
            raise self._unusable(
                f"it answered with HTTP status {answer.status} about the role {name}",
                "Check that the role is attached to the instance, and ecs_role_name.",
            )
        return parse_issued_key(parsed(answer.body, self._what), self._what, self._context.clock.now())

    def _without(self, why: str) -> AccessKey | None:
        """No keys; raises CredentialsError where there should be some."""
        if self._required:
            raise self._unusable(why, "Run on an ECS instance that has the role, or use other keys.")
        return None

    def _token(self, transport: Transport) -> str | None:
        """A token for the service's second version; None where only the first is spoken, and that may be used."""
        wanted = {"x-aliyun-ecs-metadata-token-ttl-seconds": str(_METADATA_TOKEN_SECONDS)}
        try:
            answer = transport.send("PUT", "latest/api/token", wanted)
        except ResponseLost:
            answer = HttpResponse(0, {}, b"")
        token = answer.body.decode("ascii", errors="replace").strip()
        if answer.status == STATUS_OK and re.fullmatch(r"[!-~]+", token):
            return token
        if not self._v1_allowed:
            raise self._unusable(
                "it gave no token, and its first version, which needs none, is disabled",
                "Unset ALIBABA_CLOUD_IMDSV1_DISABLED, or look at the instance's metadata options.",
            )
        return None

    def _only_role(self, transport: Transport, token: str | None) -> str | None:
        answer = self._get(transport, "", token)
        if answer.status == _STATUS_NOT_FOUND:
            return None
        if answer.status != STATUS_OK:
            raise self._unusable(
                f"it answered with HTTP status {answer.status}", "Look at the instance's metadata options."
            )
        return answer.body.decode("utf-8", errors="replace").strip()

    def _get(self, transport: Transport, name: str, token: str | None) -> HttpResponse:
        path = _ROLE_PATH + quote(name, safe="", errors="replace")
        answer = transport.send("GET", path, {"x-aliyun-ecs-metadata-token": token} if token else {})
        if answer.status != STATUS_OK and token and self._v1_allowed:
            return transport.send("GET", path, {})
        return answer

    def _unusable(self, why: str, advice: str) -> CredentialsError:
        return CredentialsError(f"No keys from {self._what}: {why}", advice)
