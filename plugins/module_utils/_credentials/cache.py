# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary keys that were issued once, for all processes of one run.

A run over 1,000 hosts would otherwise ask for keys 1,000 times. The keys lie in a file of the directory that
`ansible-playbook` makes for itself and removes at its end, sealed because a run that is killed removes nothing. Whoever
finds none there asks for them while the others wait, and they take what came of it, be it a failure.
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
from .seal import name_of, sealed, unsealed

_PATIENCE = 300.0  # seconds to wait for the process that asks for keys; most time is taken by its retries
_LOOK = 0.05  # seconds
_LARGEST = 64 * 1024  # bytes
_OF_OTHERS = 0o077
_ERROR_FIELDS = ("happened", "advice", "code", "request_id", "http_status", "action")

Issue = Callable[[], "AccessKey | None"]


class _Entry(NamedTuple):
    """What came of asking, and when that was, in seconds since the epoch. No keys and no failure: there are none."""

    at: float
    keys: AccessKey | None = None
    failure: CredentialsError | None = None

    @classmethod
    def of(cls, issue: Issue, now: Callable[[], float]) -> _Entry:
        """Ask."""
        try:
            return cls(now(), issue())
        except CredentialsError as error:
            return cls(now(), failure=error)

    @classmethod
    def read(cls, file: int) -> _Entry | None:
        """From a file; None where there is none, or something else."""
        try:
            content: dict[str, Any] = json.loads(unsealed(os.pread(file, _LARGEST, 0)))
            keys, failure = content["keys"], content["failure"]
            return cls(
                float(content["at"]),
                AccessKey(**{**keys, "renew_at": float(keys["renew_at"])}) if keys else None,
                CredentialsError(**failure) if failure else None,
            )
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, CredentialsError):
            return None

    def write(self, file: int) -> None:
        """To a file. Where that fails, the next process asks again."""
        failure = {name: getattr(self.failure, name) for name in _ERROR_FIELDS} if self.failure else None
        content = {"at": self.at, "keys": asdict(self.keys) if self.keys else None, "failure": failure}
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, sealed(json.dumps(content).encode()), 0)

    def serves(self, asked: float, now: float, expired: AccessKey | None) -> bool:
        """Whether this answers a process that began to ask at the time `asked`."""
        if self.failure:
            return asked < self.at <= now
        return not self.keys or (now < self.keys.renew_at and not (expired and self.keys.is_same_credential(expired)))

    def result(self) -> AccessKey | None:
        """The keys, if any; raises the CredentialsError that came instead."""
        if self.failure:
            raise self.failure
        return self.keys


class CredentialsCache:
    """The keys of a run. `directory` None, or one that cannot be used, means that each task asks for its own.

    `now` tells seconds since the epoch, and `warn` takes what a user should know.
    """

    def __init__(self, directory: str | None, now: Callable[[], float], warn: Callable[[str], None]) -> None:
        self._directory = directory
        self._now = now
        self._warn = warn

    def keys(self, identity: str, issue: Issue, expired: AccessKey | None) -> AccessKey | None:
        """What `issue` gives, or has given to another process, for this identity; not the keys that have expired."""
        if not self._directory:
            return issue()
        asked = self._now()
        try:
            path = os.path.join(self._directory, f"apsaravideo-keys-{name_of(identity)}")
            with lock_file(path, _PATIENCE, _LOOK) as file:
                if os.fstat(file).st_mode & _OF_OTHERS:
                    raise OSError(errno.EPERM, "others can use the file")
                entry = _Entry.read(file)
                if entry is None or not entry.serves(asked, self._now(), expired):
                    entry = _Entry.of(issue, self._now)
                    entry.write(file)
        except OSError as error:
            self._warn(
                f"Temporary keys are obtained for each host, because they cannot be kept: {error.strerror}. "
                f"Check the directory {self._directory}."
            )
            return issue()
        return entry.result()
