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

TOKEN_REFUSED = (400, 401)  # HTTP statuses; which one an expired token gets is not documented


class CloudSsoProvider:
    """Keys of CloudSSO, for as long as the CLI's user is signed in: until `end`, in seconds since the epoch."""

    def __init__(
        self, context: Context, sign_in_url: str, account: str, configuration: str, token: str, end: int | None
    ) -> None:
        self._context = context
        self._url = sign_in_url
        self._content = {"AccountId": account, "AccessConfigurationId": configuration}
        self._token = token
        self._end = end

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The keys."""
        parts = ("sso", self._url, *self._content.values())
        return CachedProvider(self._context, parts, self._issue, self._content["AccountId"]).keys(expired)

    def _issue(self) -> AccessKey:
        now = self._context.clock.now()
        endpoint, _target = split_url(self._url, "sign-in URL of CloudSSO")
        what = f"CloudSSO at {endpoint.host}"
        if self._end and self._end <= now:
            raise CredentialsError(f"No keys from {what}: the sign-in has ended", "Sign in again with the CLI.")
        transport = Transport(self._context.settings._replace(endpoint=endpoint))
        body = json.dumps(self._content).encode()
        answer = fetch_json(transport, what, "POST", "cloud-credentials", with_token(self._token, what), body)
        return parse_issued_key(answer.get("CloudCredential") if isinstance(answer, dict) else None, what, now)


def with_token(token: str, what: str) -> dict[str, str]:
    """Return headers with an access token; raises CredentialsError for one that no header can carry."""
    if not re.fullmatch(r"[!-~]+", token):
        raise CredentialsError(
            f"No keys from {what}: the access token holds a space, a line end or a character outside ASCII",
            "Sign in again with the CLI.",
        )
    return {"accept": "application/json", "content-type": "application/json", "authorization": f"Bearer {token}"}
