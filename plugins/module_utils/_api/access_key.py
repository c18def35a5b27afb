# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access keys, and the credentials of one task, which supply a current one while it runs."""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .._errors import CredentialsError

RENEWAL_MARGIN = 300  # seconds before its expiration from which a temporary access key is not used any more
_MIN_USE = 60.0  # seconds for which a new access key is used in any case, whatever the clocks say


@dataclass(frozen=True)
class AccessKey:
    """An access key pair, with a `security_token` if it is temporary. `source` says where it was found.

    `identity` stays the same when the key is renewed, and `account` stands for the account whose quota its calls use.
    From `renew_at` on, in seconds since the epoch, another one is to be used.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(repr=False)
    source: str
    identity: str = field(default="", repr=False)
    account: str = ""
    renew_at: float = math.inf

    def __post_init__(self) -> None:
        """Refuse what cannot be part of an HTTP header: a stray line end, as from a file, would begin another one."""
        for name in ("access_key_id", "access_key_secret", "security_token"):
            value = getattr(self, name)
            if value and not (value.isascii() and value.isprintable() and " " not in value):
                raise CredentialsError(
                    f"The {name} from {self.source} holds a space, a line end or a character outside ASCII",
                    "Set it again without them.",
                )
        if not self.identity:
            object.__setattr__(self, "identity", digest(self.access_key_id, self.access_key_secret))
        if not self.account:
            object.__setattr__(self, "account", self.access_key_id)

    def secrets(self) -> list[str]:
        """Return the parts that must never be shown: the secret, and the security token if there is one."""
        return [secret for secret in (self.access_key_secret, self.security_token) if secret]

    def is_same_credential(self, other: AccessKey) -> bool:
        """Return whether the cloud takes both for the same, so that it refuses one if it refuses the other."""
        return (self.access_key_id, self.security_token) == (other.access_key_id, other.security_token)


def digest(*parts: str | None) -> str:
    """Return a SHA-256 identifier of texts that may be secret; it is safe to store."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def parse_issued_key(content: Any, source: str, now: float) -> AccessKey:
    """Return the temporary access key in a response of one of the cloud's services; raises CredentialsError.

    The response has an `Expiration` such as `2026-01-02T04:04:05Z`, and may have a `Code`, which is `Success`.
    """
    fields = content if isinstance(content, dict) else {}
    if fields.get("Code") not in (None, "Success"):
        raise CredentialsError(
            f"The response from {source} holds no credentials: its Code is not Success",
            "Check what it is that answers there.",
        )
    values = [fields.get(name) for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")]
    if not all(isinstance(value, str) and value for value in values):
        raise CredentialsError(
            f"The response from {source} holds no credentials", "Check what it is that answers there."
        )
    key_id, secret, token, expiration = (str(value) for value in values)
    return AccessKey(key_id, secret, token, source, renew_at=compute_renewal_time(expiration, source, now))


def compute_renewal_time(expiration: str, source: str, now: float) -> float:
    """Return when to renew an access key that expires at this ISO 8601 time; raises CredentialsError for another text.

    Times are in seconds since the epoch.
    """
    try:
        # Older Pythons read neither the Z nor every fraction of a second.
        expires = datetime.fromisoformat(re.sub(r"\.[0-9]+", "", expiration).replace("Z", "+00:00"))
    except ValueError:
        raise CredentialsError(
            f"The credentials from {source} expire at a time that cannot be read",
            "Check what it is that answers there.",
        ) from None
    if expires.tzinfo is None:
        expires = expires.replace(tzinfo=timezone.utc)
    return max(expires.timestamp() - RENEWAL_MARGIN, now + _MIN_USE)


class Credentials:
    """The current access key of one task. `find` returns one, and another than the expired one that it is given."""

    def __init__(
        self, find: Callable[[AccessKey | None], AccessKey | None], now: Callable[[], float] = time.time
    ) -> None:
        self._find = find
        self._now = now
        self._key: AccessKey | None = None

    def get_access_key(self) -> AccessKey:
        """Return the access key to sign the next call with; raises CredentialsError if there is none."""
        if self._key is None or self._now() >= self._key.renew_at:
            self._key = self._find_key(None)
        return self._key

    def renew(self, expired: AccessKey) -> bool:
        """Replace an access key that the cloud has called expired; return whether there is another one."""
        self._key = self._find_key(expired)
        return not self._key.is_same_credential(expired)

    def _find_key(self, expired: AccessKey | None) -> AccessKey:
        key = self._find(expired)
        if key:
            return key
        raise CredentialsError(
            "No access keys were found in the task's options, in variables of the environment, in the files of the "
            "Alibaba Cloud CLI and SDKs, or with the machine's ECS role",
            "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or the option profile.",
        )
