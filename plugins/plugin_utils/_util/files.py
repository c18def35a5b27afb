# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files on the controller whole or not at all, and to no other place than the one that was named."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PATIENCE = 0.5  # seconds


def require_regular_file(path: str) -> os.stat_result | None:
    """Return what is known of the file of this name, None where there is none; raises OSError for anything else.

    A pipe would hold up whoever opens it, and a link may lead to a file that nobody meant.
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
    """Keep other runs from updating a file of the same directory meanwhile, where the file system can do that.

    Raises OSError where there is no such directory. A run that was stopped while it had the directory holds nobody up.
    """
    directory = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        until = time.monotonic() + _PATIENCE
        while not _is_locked(directory) and time.monotonic() < until:
            time.sleep(0.01)
        yield
    finally:
        os.close(directory)


def _is_locked(directory: int) -> bool:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # this file system has no locks
        return True
    return True


def write_atomically(path: str, content: str) -> None:
    """Write a file beside the place and then put it there, with the permissions of the one that it replaces.

    Raises OSError, and leaves nothing behind then.
    """
    before = require_regular_file(path)
    umask = os.umask(0)
    os.umask(umask)
    mode = stat.S_IMODE(before.st_mode) if before else 0o666 & ~umask
    descriptor, beside = tempfile.mkstemp(prefix=".apsaravideo-", dir=os.path.dirname(os.path.abspath(path)))
    try:
        # What is no character has the same escape in Python and in JSON.
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.remove(beside)
        raise
