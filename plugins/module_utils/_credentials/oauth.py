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
from .cloud_sso import TOKEN_REJECTED, build_headers
from .provider import CachedProvider, Context, fetch_json


@dataclass(frozen=True)
class OAuthSignIn:
    """An OAuth sign-in as the CLI stores it. Times of expiry are in seconds since the epoch, 0 if unknown.

    `stored` is the access key that the CLI has obtained last, and `command` the one with which the user signs in again.
    """

    url: str
    command: str
    stored: AccessKey | None
    stored_expires_at: int
    access_token: str = field(repr=False)
    access_token_expires_at: int


class OAuthProvider:
    """A provider of the credentials that the CLI has stored, or else of new ones for its access token.

    An expired access token is not renewed: this would change the refresh token as well, and unless the new one were
    written to the CLI's file, the user would be signed out.
    """

    def __init__(self, context: Context, sign_in: OAuthSignIn, origin: str) -> None:
        self._context = context
        self._sign_in = sign_in
        self._name = f"the OAuth sign-in of {origin}"
        self._account = digest("oauth", origin)

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return a temporary access key; raises CredentialsError if the user has to sign in again."""
        sign_in, now = self._sign_in, self._context.clock.now()
        stored = sign_in.stored and replace(sign_in.stored, account=self._account)
        if stored and expired and stored.is_same_credential(expired):
            stored = None
        if stored and now < stored.renew_at:
            return stored
        if sign_in.access_token and now < sign_in.access_token_expires_at:
            parts = ("oauth", sign_in.url, sign_in.access_token)
            return CachedProvider(self._context, parts, self._exchange, self._account).get_access_key(expired)
        if stored and now < sign_in.stored_expires_at:
            return replace(stored, renew_at=sign_in.stored_expires_at)
        raise self._error("it has expired")

    def _exchange(self) -> AccessKey:
        """Exchange the access token for a temporary access key."""
        endpoint = Endpoint.parse(self._sign_in.url)
        transport = Transport(self._context.settings._replace(endpoint=endpoint))
        headers = build_headers(self._sign_in.access_token, self._name)
        try:
            response = fetch_json(transport, f"OAuth at {endpoint.host}", "POST", "v1/exchange", headers)
        except CredentialsError as error:
            if error.http_status in TOKEN_REJECTED:
                raise self._error("its access token was refused", error.http_status) from None
            raise
        fields = response if isinstance(response, dict) else {}
        # The CLI accepts names that begin with a small letter as well.
        content = {name[:1].upper() + name[1:]: value for name, value in fields.items()}
        return parse_issued_key(content, self._name, self._context.clock.now())

    def _error(self, reason: str, http_status: int | None = None) -> CredentialsError:
        return CredentialsError(
            f"No credentials from {self._name}: {reason}, and only the CLI can renew it",
            f"Run a command of the CLI with that profile, or sign in again with: {self._sign_in.command}.",
            http_status=http_status,
        )
