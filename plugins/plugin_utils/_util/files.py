# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files on the controller atomically, and never through a link."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_MAX_LOCK_WAIT = 0.5  # seconds


def require_regular_file(path: str) -> os.stat_result | None:
    """Return the status of a file, None if it does not exist; raises OSError if it is not a regular file.

    Opening a pipe would block, and a link may lead to a file that the user did not mean.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a link, a directory, a pipe or a device, and not a file of its own")
    return found


@contextmanager
def lock_directory(path: str) -> Iterator[None]:
    """Lock the directory that contains the file `path`, against other runs that update a file in it.

    Go on without the lock if the file system does not support locks, or if another run, perhaps a suspended one, holds
    it for longer than half a second. Raise OSError if the directory does not exist.
    """
    directory = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + _MAX_LOCK_WAIT
        while not _try_lock(directory) and time.monotonic() < deadline:
            time.sleep(0.01)
        yield
    finally:
        os.close(directory)


def _try_lock(directory: int) -> bool:
    """Return whether there is nothing to wait for: the lock is taken, or the file system has none."""
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def write_atomically(path: str, content: str) -> None:
    """Replace a file by a new one with the same permissions; on OSError the old one stays."""
    before = require_regular_file(path)
    umask = os.umask(0)
    os.umask(umask)
    mode = stat.S_IMODE(before.st_mode) if before else 0o666 & ~umask
    descriptor, temporary = tempfile.mkstemp(prefix=".apsaravideo-", dir=os.path.dirname(os.path.abspath(path)))
    try:
        # Lone surrogates are escaped, in the form that JSON has, too.
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.remove(temporary)
        raise
