# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cache of temporary credentials that the processes of one run share.

Without it, a run over 1,000 hosts would request credentials 1,000 times. The first process requests credentials under a
lock; the others wait and reuse the result, errors included. The files lie in the temporary directory of
`ansible-playbook` and are encrypted, because a run that is killed does not remove them.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, NamedTuple

from .._api.access_key import AccessKey
from .._errors import CredentialsError
from .._util.file_lock import lock_file
from .seal import decrypt, derive_name, encrypt

_LOCK_TIMEOUT = 300.0  # seconds to wait for the process that requests credentials, which may retry for minutes
_MAX_LOCK_PAUSE = 0.05  # seconds
_MAX_FILE_SIZE = 64 * 1024  # bytes
_ACCESS_BY_OTHERS = 0o077
_ERROR_FIELDS = ("happened", "advice", "code", "request_id", "http_status", "action")

Fetch = Callable[[], "AccessKey | None"]


class _Entry(NamedTuple):
    """The result of one request for credentials: an access key, an error, or neither where there are none.

    `fetched_at` is in seconds since the epoch.
    """

    fetched_at: float
    access_key: AccessKey | None = None
    error: CredentialsError | None = None

    @classmethod
    def fetch(cls, fetch: Fetch, now: Callable[[], float]) -> _Entry:
        """Request credentials and return the result as an entry."""
        try:
            return cls(now(), fetch())
        except CredentialsError as error:
            return cls(now(), error=error)

    @classmethod
    def read(cls, file: int) -> _Entry | None:
        """Read the entry of a file; return None if the file is empty or cannot be understood."""
        try:
            content: dict[str, Any] = json.loads(decrypt(os.pread(file, _MAX_FILE_SIZE, 0)))
            access_key, error = content["access_key"], content["error"]
            return cls(
                float(content["fetched_at"]),
                AccessKey(**{**access_key, "renew_at": float(access_key["renew_at"])}) if access_key else None,
                CredentialsError(**error) if error else None,
            )
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, CredentialsError):
            return None

    def write(self, file: int) -> None:
        """Write the entry to a file; if that fails, the next process requests credentials again."""
        content = {
            "fetched_at": self.fetched_at,
            "access_key": asdict(self.access_key) if self.access_key else None,
            "error": {name: getattr(self.error, name) for name in _ERROR_FIELDS} if self.error else None,
        }
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, encrypt(json.dumps(content).encode()), 0)

    def is_usable(self, requested_at: float, now: float, expired: AccessKey | None) -> bool:
        """Return whether a process that has waited for credentials since `requested_at` may use this entry.

        An error is shared only with processes that were waiting when it happened.
        """
        if self.error:
            return requested_at < self.fetched_at <= now
        if not self.access_key:
            return True
        return now < self.access_key.renew_at and not (expired and self.access_key.is_same_credential(expired))

    def unwrap(self) -> AccessKey | None:
        """Return the access key, if any, or raise the CredentialsError of the entry."""
        if self.error:
            raise self.error
        return self.access_key


class CredentialsCache:
    """The cache of a run. Without a usable `directory`, each task requests credentials of its own.

    `now` returns seconds since the epoch, and `warn` takes a warning for the user.
    """

    def __init__(self, directory: str | None, now: Callable[[], float], warn: Callable[[str], None]) -> None:
        self._directory = directory
        self._now = now
        self._warn = warn

    def get_or_fetch(self, identity: str, fetch: Fetch, expired: AccessKey | None) -> AccessKey | None:
        """Return the cached access key of an identity; fetch and cache one if there is none, or if it is `expired`.

        Return None if `fetch` does.
        """
        if not self._directory:
            return fetch()
        requested_at = self._now()
        try:
            path = os.path.join(self._directory, f"apsaravideo-keys-{derive_name(identity)}")
            with lock_file(path, _LOCK_TIMEOUT, _MAX_LOCK_PAUSE) as file:
                if os.fstat(file).st_mode & _ACCESS_BY_OTHERS:
                    raise OSError(errno.EPERM, "others can use the file")
                entry = _Entry.read(file)
                if entry is None or not entry.is_usable(requested_at, self._now(), expired):
                    entry = _Entry.fetch(fetch, self._now)
                    entry.write(file)
        except OSError as error:
            self._warn(
                f"Temporary credentials are obtained for each host, because they cannot be kept: {error.strerror}. "
                f"Check the directory {self._directory}."
            )
            return fetch()
        return entry.unwrap()
