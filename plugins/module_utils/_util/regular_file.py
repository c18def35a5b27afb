# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read files that options name, and nothing that would hold up a run or never end."""

from __future__ import annotations

import errno
import os
import stat

_MAX_SIZE = 4 * 1024 * 1024  # bytes; of credentials and tokens a few thousand


def require_file(path: str) -> None:
    """Raise OSError for what is not a file, or a link to one: a pipe would wait for its other end."""
    _require(os.stat(path))


def open_file(path: str) -> int:
    """Return the descriptor of a file to read, which a link may lead to; raise OSError for anything else."""
    require_file(path)  # before it is opened, which has an effect on some devices
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _require(os.fstat(file))
    except OSError:
        os.close(file)
        raise
    return file


def _require(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, and not a file")
    if found.st_size > _MAX_SIZE:
        raise OSError(errno.EFBIG, f"it is larger than {_MAX_SIZE // (1024 * 1024)} MiB")
