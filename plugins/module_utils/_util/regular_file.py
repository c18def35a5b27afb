# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open files that options name, and refuse pipes, devices and huge files, which could block a run."""

from __future__ import annotations

import errno
import os
import stat

_MAX_SIZE = 4 * 1024 * 1024  # bytes; files of credentials and tokens have a few thousand


def require_file(path: str) -> None:
    """Raise OSError if the path does not lead to a regular file of moderate size; links are followed."""
    _require_regular(os.stat(path))


def open_file(path: str) -> int:
    """Open a file as `require_file` accepts it and return its descriptor; raises OSError."""
    require_file(path)  # Checked before the file is opened, because opening some devices has an effect.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _require_regular(os.fstat(file))
    except OSError:
        os.close(file)
        raise
    return file


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, and not a file")
    if status.st_size > _MAX_SIZE:
        raise OSError(errno.EFBIG, f"it is larger than {_MAX_SIZE // (1024 * 1024)} MiB")
