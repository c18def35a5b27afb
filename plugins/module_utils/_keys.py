# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access keys, and the keys of one task, which may have to be renewed while it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ._errors import CredentialsError


@dataclass(frozen=True)
class Keys:
    """An access key pair, with `security_token` where it is temporary. `source` says where it was found.

    `identity` is what stays the same when the keys are renewed, and `account` what stands for the account whose quota
    their calls use up; both are the access key id where nothing better is known. From `renew_at` on, in seconds since
    the epoch, others are to be used.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(repr=False)
    source: str
    identity: str = ""
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
        for name in ("identity", "account"):
            if not getattr(self, name):
                object.__setattr__(self, name, self.access_key_id)

    def secrets(self) -> list[str]:
        """The texts that must never be shown."""
        return [secret for secret in (self.access_key_secret, self.security_token) if secret]


class Credentials:
    """The keys of one task. `find` gives keys, others than those that it is handed, which have expired."""

    def __init__(self, find: Callable[[Keys | None], Keys], now: Callable[[], float] = time.time) -> None:
        self._find = find
        self._now = now
        self._keys: Keys | None = None

    def keys(self) -> Keys:
        """The keys to sign the next call with. Raises CredentialsError where there are none."""
        if self._keys is None or self._now() >= self._keys.renew_at:
            self._keys = self._find(None)
        return self._keys

    def renewed(self, expired: Keys) -> bool:
        """Whether there are other keys now than these, which the cloud has called expired."""
        self._keys = self._find(expired)
        return self._keys.security_token != expired.security_token
