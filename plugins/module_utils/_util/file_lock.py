# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and directories of this user alone, which processes share."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PRIVATE_FILE = 0o600


@contextmanager
def locked(path: str, patience: float, look: float) -> Iterator[int]:
    """The descriptor of a file, made if need be, in which no other process is meanwhile.

    Waits up to `patience` seconds for a process that holds the file, and looks at it every `look` seconds at most. The
    file of a process that was killed is free. Raises OSError where the file cannot be used or is somebody else's.
    """
    # A pipe that somebody has put there would otherwise make this wait for its other end.
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    file = os.open(path, flags, _PRIVATE_FILE)
    try:
        found = os.fstat(file)
        # A file that has another name elsewhere is somebody's, and nothing to write into.
        require_own(found, stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
        _lock(file, patience, look)
        yield file
    finally:
        os.close(file)


def _lock(file: int, patience: float, look: float) -> None:
    """Wait for the file, but not for a process that was stopped while it held it."""
    end = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise OSError(errno.EWOULDBLOCK, "another process holds it and does not let go") from None
            time.sleep(random.uniform(0, look))


def require_own(found: os.stat_result, is_kind: bool) -> None:
    """Raises OSError for what is not of the right kind, or another user's."""
    if not is_kind or found.st_uid != os.getuid():
        raise OSError(errno.EPERM, "somebody else has put something there")
