# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private files of one user that several processes share."""

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
def lock_file(path: str, timeout: float, max_pause: float) -> Iterator[int]:
    """Open a file, created if missing, lock it exclusively and yield its descriptor.

    While another process holds the lock, retry for up to `timeout` seconds at random pauses of up to `max_pause`
    seconds. Raises OSError if the lock stays held, or if the file is not a private one of this user.
    """
    # Without O_NONBLOCK, a pipe planted at this path would block until its other end is opened.
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    file = os.open(path, flags, _PRIVATE_FILE)
    try:
        status = os.fstat(file)
        # A hard link may lead to a file of some other purpose, which must not be overwritten.
        require_own(status, stat.S_ISREG(status.st_mode) and status.st_nlink == 1)
        _lock(file, timeout, max_pause)
        yield file
    finally:
        os.close(file)


def _lock(file: int, timeout: float, max_pause: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise OSError(errno.EWOULDBLOCK, "timed out waiting for the lock") from None
            time.sleep(random.uniform(0, max_pause))


def require_own(status: os.stat_result, is_kind: bool) -> None:
    """Raise OSError if the file is not of the expected kind, as `is_kind` tells, or belongs to another user."""
    if not is_kind or status.st_uid != os.getuid():
        raise OSError(errno.EPERM, "it is of another kind or belongs to another user")
