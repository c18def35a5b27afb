# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, RAM users, roles, identity providers, access keys and temporary sessions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .errors import GatewayError
from .oidc import Provider
from .state import Stateful, storable

ROOT = "root"


@storable
@dataclass(frozen=True)
class Principal:
    """An account's root, a RAM user or a role; `allow` and `deny` are patterns such as `live:Describe*`."""

    account: str
    name: str
    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ()

    def may(self, action: str) -> bool:
        """Return whether the policy allows an action; a denial takes precedence."""
        return _matches(action, self.allow) and not _matches(action, self.deny)


def _matches(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


@storable
@dataclass(frozen=True)
class Role:
    """A role that users of its account may assume, and anyone with a token of one of its `providers` (names).

    `max_seconds` is the maximum session duration.
    """

    principal: Principal
    max_seconds: int = 3600
    external_id: str | None = None
    providers: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """Return the role's ARN, as AssumeRole expects it."""
        return f"acs:ram::{self.principal.account}:role/{self.principal.name}"


@storable
@dataclass(frozen=True)
class AccessKey:
    """An access key; a temporary one has a security token and an expiry in real epoch seconds."""

    key_id: str
    secret: str = field(repr=False)
    principal: Principal
    active: bool = True
    token: str | None = field(default=None, repr=False)
    expires: float = float("inf")
    session_name: str = ""


class Identities(Stateful):
    """All access keys, roles and identity providers."""

    STATE_FIELDS = ("access_keys", "roles", "providers")

    def __init__(self) -> None:
        self.access_keys: dict[str, AccessKey] = {}
        self.roles: dict[str, Role] = {}
        self.providers: dict[str, Provider] = {}

    def add_key(self, key: AccessKey) -> None:
        """Add or replace an access key."""
        self.access_keys[key.key_id] = key

    def add_role(self, role: Role) -> None:
        """Add or replace a role."""
        self.roles[role.arn] = role

    def add_provider(self, provider: Provider) -> None:
        """Add or replace an OIDC provider."""
        self.providers[provider.arn] = provider

    def find_key(self, key_id: str) -> AccessKey:
        """Return the access key with this id; raise GatewayError if it is unknown or inactive."""
        key = self.access_keys.get(key_id)
        if key is None:
            raise GatewayError("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.")
        if not key.active:
            raise GatewayError("InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled.")
        return key

    def check_token(self, key: AccessKey, token: str | None, now: float) -> None:
        """Raise GatewayError unless the security token belongs to the access key and has not expired."""
        if token is None:
            if key.token is not None:
                raise GatewayError("MissingSecurityToken", 400, "SecurityToken is mandatory for this action.")
            return
        if token != key.token:
            known = any(other.token == token for other in list(self.access_keys.values()))
            kind = "MismatchWithAccessKey" if known else "Malformed"
            raise GatewayError(f"InvalidSecurityToken.{kind}", 400, "Specified SecurityToken is not valid.")
        if now >= key.expires:
            raise GatewayError("InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired.")

    def create_session(self, role: Role, seconds: float, now: float, name: str) -> AccessKey:
        """Create a temporary access key that acts as the role."""
        key = AccessKey(
            key_id=f"STS.{secrets.token_hex(12)}",
            secret=secrets.token_urlsafe(32),
            principal=role.principal,
            token=f"CAIS{secrets.token_urlsafe(64)}==",
            expires=now + seconds,
            session_name=name,
        )
        self.add_key(key)
        return key
