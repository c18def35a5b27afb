# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may call: accounts, RAM users, roles, identity providers, access keys and temporary sessions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .errors import GatewayError
from .oidc import Provider
from .state import Kept, stored

ROOT = "root"


@stored
@dataclass(frozen=True)
class Principal:
    """An account's root, a RAM user or a role; ``allow`` and ``deny`` are patterns such as ``live:Describe*``."""

    account: str
    name: str
    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ()

    def may(self, action: str) -> bool:
        """Whether the policy lets this principal carry out an action; a denial wins."""
        return _matches(action, self.allow) and not _matches(action, self.deny)


def _matches(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


@stored
@dataclass(frozen=True)
class Role:
    """A role that users of its account may assume, and those whom ``providers`` (names) know.

    ``max_seconds`` is the longest session.
    """

    principal: Principal
    max_seconds: int = 3600
    external_id: str | None = None
    providers: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """The role's name as AssumeRole takes it."""
        return f"acs:ram::{self.principal.account}:role/{self.principal.name}"


@stored
@dataclass(frozen=True)
class AccessKey:
    """A key pair; a temporary one has a token and an expiry in real epoch seconds."""

    key_id: str
    secret: str = field(repr=False)
    principal: Principal
    active: bool = True
    token: str | None = field(default=None, repr=False)
    expires: float = float("inf")


class Identities(Kept):
    """All keys, roles and identity providers."""

    KEPT = ("keys", "roles", "providers")

    def __init__(self) -> None:
        self.keys: dict[str, AccessKey] = {}
        self.roles: dict[str, Role] = {}
        self.providers: dict[str, Provider] = {}

    def add_key(self, key: AccessKey) -> None:
        """Add or replace a key pair."""
        self.keys[key.key_id] = key

    def add_role(self, role: Role) -> None:
        """Add or replace a role."""
        self.roles[role.arn] = role

    def add_provider(self, provider: Provider) -> None:
        """Add or replace an OIDC provider."""
        self.providers[provider.arn] = provider

    def key(self, key_id: str) -> AccessKey:
        """The key pair with this id, if it can be used at all."""
        key = self.keys.get(key_id)
        if key is None:
            raise GatewayError("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.")
        if not key.active:
            raise GatewayError("InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled.")
        return key

    def check_token(self, key: AccessKey, token: str | None, now: float) -> None:
        """Raise GatewayError unless the token is the one that belongs to the key and has not expired."""
        if token is None:
            if key.token is not None:
                raise GatewayError("MissingSecurityToken", 400, "SecurityToken is mandatory for this action.")
            return
        if token != key.token:
            known = any(other.token == token for other in list(self.keys.values()))
            kind = "MismatchWithAccessKey" if known else "Malformed"
            raise GatewayError(f"InvalidSecurityToken.{kind}", 400, "Specified SecurityToken is not valid.")
        if now >= key.expires:
            raise GatewayError("InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired.")

    def open_session(self, role: Role, seconds: float, now: float) -> AccessKey:
        """A new temporary key pair that acts as the role."""
        key = AccessKey(
            key_id=f"STS.{secrets.token_hex(12)}",
            secret=secrets.token_urlsafe(32),
            principal=role.principal,
            token=f"CAIS{secrets.token_urlsafe(64)}==",
            expires=now + seconds,
        )
        self.add_key(key)
        return key
