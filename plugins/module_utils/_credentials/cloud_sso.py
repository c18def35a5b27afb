# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials from CloudSSO."""

from __future__ import annotations

import json
import re

from .._api.access_key import AccessKey, parse_issued_key
from .._errors import CredentialsError
from .._http.transport import Transport
from .provider import CachedProvider, Context, fetch_json
from .uri import split_url

TOKEN_REJECTED = (400, 401)  # HTTP statuses; which of them an expired token gets is not documented


class CloudSsoProvider:
    """A provider of CloudSSO credentials while the user of the CLI is signed in.

    `expires_at` is the end of the sign-in in seconds since the epoch, None if it is unknown.
    """

    def __init__(
        self,
        context: Context,
        sign_in_url: str,
        account: str,
        configuration: str,
        token: str,
        expires_at: int | None,
    ) -> None:
        self._context = context
        self._url = sign_in_url
        self._content = {"AccountId": account, "AccessConfigurationId": configuration}
        self._token = token
        self._expires_at = expires_at

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return a temporary access key; raises CredentialsError if the user has to sign in again."""
        parts = ("sso", self._url, *self._content.values())
        return CachedProvider(self._context, parts, self._fetch, self._content["AccountId"]).get_access_key(expired)

    def _fetch(self) -> AccessKey:
        now = self._context.clock.now()
        endpoint, _target = split_url(self._url, "sign-in URL of CloudSSO")
        service = f"CloudSSO at {endpoint.host}"
        if self._expires_at and self._expires_at <= now:
            raise CredentialsError(
                f"No credentials from {service}: the sign-in has ended", "Sign in again with the CLI."
            )
        transport = Transport(self._context.settings._replace(endpoint=endpoint))
        headers = build_headers(self._token, service)
        content = fetch_json(
            transport, service, "POST", "cloud-credentials", headers, json.dumps(self._content).encode()
        )
        return parse_issued_key(content.get("CloudCredential") if isinstance(content, dict) else None, service, now)


def build_headers(token: str, service: str) -> dict[str, str]:
    """Return headers with an access token; raises CredentialsError if a header cannot carry it."""
    if not re.fullmatch(r"[!-~]+", token):
        raise CredentialsError(
            f"No credentials from {service}: the access token holds a space, a line end or a character outside ASCII",
            "Sign in again with the CLI.",
        )
    return {"accept": "application/json", "content-type": "application/json", "authorization": f"Bearer {token}"}
