# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access keys, and the keys of one task, which may have to be renewed while it runs."""

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

RENEWAL_MARGIN = 300  # seconds before their end from which temporary keys are not used any more
_SURE = 60.0  # seconds for which new keys are used in any case, whatever the clocks say


@dataclass(frozen=True)
class AccessKey:
    """An access key pair, with `security_token` where it is temporary. `source` says where it was found.

    `identity` is what stays the same when the keys are renewed, and `account` what stands for the account whose quota
    their calls use up. From `renew_at` on, in seconds since the epoch, others are to be used.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(repr=False)
    source: str
    identity: str = field(default="", repr=False)
    account: str = ""
    renew_at: float = math.inf

    def __post_init__(self) -> None:
        """Keys go into HTTP headers, so a stray line end, as from a file, would be a header of its own."""
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
        """The texts that must never be shown."""
        return [secret for secret in (self.access_key_secret, self.security_token) if secret]

    def is_same_credential(self, other: AccessKey) -> bool:
        """Whether a call signed with the one is refused where one signed with the other was."""
        return (self.access_key_id, self.security_token) == (other.access_key_id, other.security_token)


def digest(*parts: str | None) -> str:
    """A name for things that may be secret."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def parse_issued_key(content: Any, source: str, now: float) -> AccessKey:
    """Temporary keys as the cloud's services answer them; raises CredentialsError for anything else.

    They end at `Expiration`, in the form `2026-01-02T04:04:05Z`. A `Code`, where there is one, is `Success`.
    """
    fields = content if isinstance(content, dict) else {}
    if fields.get("Code") not in (None, "Success"):
        raise CredentialsError(
            f"The answer from {source} holds no keys: its Code is not Success", "Check what it is that answers there."
        )
    values = [fields.get(name) for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")]
    if not all(isinstance(value, str) and value for value in values):
        raise CredentialsError(f"The answer from {source} holds no keys", "Check what it is that answers there.")
    key_id, secret, token, end = (str(value) for value in values)
    return AccessKey(key_id, secret, token, source, renew_at=compute_renewal_time(end, source, now))


def compute_renewal_time(end: str, source: str, now: float) -> float:
    """When to renew keys that end at this ISO 8601 time; raises CredentialsError for what is no time."""
    try:
        # Older Pythons read neither the Z nor every fraction of a second.
        time_of_end = datetime.fromisoformat(re.sub(r"\.[0-9]+", "", end).replace("Z", "+00:00"))
    except ValueError:
        raise CredentialsError(
            f"The keys from {source} end at a time that cannot be read", "Check what it is that answers there."
        ) from None
    if time_of_end.tzinfo is None:
        time_of_end = time_of_end.replace(tzinfo=timezone.utc)
    return max(time_of_end.timestamp() - RENEWAL_MARGIN, now + _SURE)


class Credentials:
    """The keys of one task. `find` gives keys, others than those that it is handed, which have expired."""

    def __init__(
        self, find: Callable[[AccessKey | None], AccessKey | None], now: Callable[[], float] = time.time
    ) -> None:
        self._find = find
        self._now = now
        self._keys: AccessKey | None = None

    def get_access_key(self) -> AccessKey:
        """The keys to sign the next call with. Raises CredentialsError where there are none."""
        if self._keys is None or self._now() >= self._keys.renew_at:
            self._keys = self._found(None)
        return self._keys

    def renew(self, expired: AccessKey) -> bool:
        """Whether there are other keys now than these, which the cloud has called expired."""
        self._keys = self._found(expired)
        return not self._keys.is_same_credential(expired)

    def _found(self, expired: AccessKey | None) -> AccessKey:
        keys = self._find(expired)
        if keys:
            return keys
        raise CredentialsError(
            "No access keys were found in the task's options, in variables of the environment, in the files of the "
            "Alibaba Cloud CLI and SDKs, or with the machine's ECS role",
            "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or the option profile.",
        )
