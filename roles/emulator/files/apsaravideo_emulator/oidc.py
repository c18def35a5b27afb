# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OIDC identity providers of an account, and their tokens.

A token is either registered with the provider as a literal text, or a JWT whose claims are checked. The signature of a
JWT is not checked, because the emulator fetches no signing keys.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from .errors import GatewayError
from .state import storable

MIN_TOKEN_LENGTH, MAX_TOKEN_LENGTH = 4, 20_000
ALGORITHM = "RS256"


@storable
@dataclass(frozen=True)
class Provider:
    """An OIDC identity provider registered with an account."""

    account: str
    name: str
    issuer: str
    client_ids: tuple[str, ...] = ()
    tokens: tuple[str, ...] = field(default=(), repr=False)

    @property
    def arn(self) -> str:
        """Return the provider's ARN, as AssumeRoleWithOIDC expects it."""
        return f"acs:ram::{self.account}:oidc-provider/{self.name}"

    def identify(self, token: str, now: float) -> dict[str, str]:
        """Return the owner of a token as the response's `OIDCTokenInfo`; raise GatewayError for an invalid token."""
        if not MIN_TOKEN_LENGTH <= len(token) <= MAX_TOKEN_LENGTH:
            raise token_error(
                "Invalid", f"The OIDCToken must have {MIN_TOKEN_LENGTH} to {MAX_TOKEN_LENGTH} characters."
            )
        if token in self.tokens:
            return self._info("registered", self.client_ids)
        claims = _claims(token)
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience
        if claims.get("iss") != self.issuer or not isinstance(claims.get("sub"), str):
            raise token_error("Invalid", "The Jwt content is invalid that cannot be recognized.")
        if not isinstance(audiences, list) or not set(map(str, audiences)) & set(self.client_ids):
            raise token_error("AudienceNotMatch", "Invalid audience.")
        if not isinstance(claims.get("exp"), (int, float)) or claims["exp"] <= now:
            raise token_error("Expired", "This JsonWebToken is expired.")
        return self._info(claims["sub"], tuple(map(str, audiences)))

    def _info(self, subject: str, audiences: tuple[str, ...]) -> dict[str, str]:
        return {"Subject": subject, "Issuer": self.issuer, "ClientIds": ",".join(audiences)}


def token_error(kind: str, message: str) -> GatewayError:
    """Return the error for a token that is not valid."""
    return GatewayError(f"AuthenticationFail.OIDCToken.{kind}", 401, message)


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != len(("header", "claims", "signature")) or not all(parts):
        raise token_error("Invalid", "The number of Jwt field should be divided into 3 parts with '.' .")
    header, claims = (_decode(part) for part in parts[:2])
    if header.get("alg") != ALGORITHM:
        raise token_error("Invalid", f"The algorithm {header.get('alg')} that be specified in Jwt header is unknown.")
    return claims


def _decode(part: str) -> dict[str, Any]:
    try:
        content = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        content = None
    if not isinstance(content, dict):
        raise token_error("Invalid", "The Jwt content is invalid that cannot be recognized.")
    return content
