# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of an OAuth sign-in with the CLI."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .._api.access_key import AccessKey, digest, parse_issued_key
from .._errors import CredentialsError
from .._http.endpoint import Endpoint
from .._http.transport import Transport
from .cloud_sso import TOKEN_REFUSED, with_token
from .provider import CachedProvider, Context, fetch_json


@dataclass(frozen=True)
class OAuthSignIn:
    """An OAuth sign-in as the CLI stores it. Each end is in seconds since the epoch, 0 where there is none.

    `command` is what signs in again.
    """

    url: str
    command: str
    stored: AccessKey | None
    stored_end: int
    access_token: str = field(repr=False)
    access_token_end: int


class OAuthProvider:
    """Keys of an OAuth sign-in with the CLI: those that it has stored, else others for its access token.

    An access token that has expired is not renewed. The refresh token changes with that, and unless the new one were
    written to the CLI's file, the user would be signed out.
    """

    def __init__(self, context: Context, sign_in: OAuthSignIn, where: str) -> None:
        self._context = context
        self._sign_in = sign_in
        self._what = f"the OAuth sign-in of {where}"
        self._account = digest("oauth", where)

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the keys; raises CredentialsError where the user has to sign in again."""
        sign_in, now = self._sign_in, self._context.clock.now()
        stored = sign_in.stored and replace(sign_in.stored, account=self._account)
        if stored and expired and stored.is_same_credential(expired):
            stored = None
        if stored and now < stored.renew_at:
            return stored
        if sign_in.access_token and now < sign_in.access_token_end:
            parts = ("oauth", sign_in.url, sign_in.access_token)
            return CachedProvider(self._context, parts, self._exchange, self._account).keys(expired)
        if stored and now < sign_in.stored_end:
            return replace(stored, renew_at=sign_in.stored_end)
        raise self._unusable("it has expired")

    def _exchange(self) -> AccessKey:
        """Return the keys that the access token is exchanged for."""
        endpoint = Endpoint.parse(self._sign_in.url)
        transport = Transport(self._context.settings._replace(endpoint=endpoint))
        headers = with_token(self._sign_in.access_token, self._what)
        try:
            answer = fetch_json(transport, f"OAuth at {endpoint.host}", "POST", "v1/exchange", headers)
        except CredentialsError as error:
            if error.http_status in TOKEN_REFUSED:
                raise self._unusable("its access token was refused", error.http_status) from None
            raise
        fields = answer if isinstance(answer, dict) else {}
        # The CLI takes the names with a small first letter as well.
        content = {name[:1].upper() + name[1:]: value for name, value in fields.items()}
        return parse_issued_key(content, self._what, self._context.clock.now())

    def _unusable(self, why: str, http_status: int | None = None) -> CredentialsError:
        return CredentialsError(
            f"No keys from {self._what}: {why}, and only the CLI can renew it",
            f"Run a command of the CLI with that profile, or sign in again with: {self._sign_in.command}.",
            http_status=http_status,
        )
