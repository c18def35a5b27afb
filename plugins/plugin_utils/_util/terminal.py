# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal of ansible-playbook, whose descriptors are copied when this module is loaded.

That is in the main process. Workers have no terminal from ansible-core 2.19 on: they run in a session of their own, and
their standard output is replaced.
"""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress

_NOBODY_WATCHES = ("CI", "AWX_ISOLATED_DATA_DIR", "RUNNER_OMIT_EVENTS")  # set where a pseudo-terminal is recorded
_DEFAULT_WIDTH = 80


def _copy(descriptor: int) -> int | None:
    with suppress(OSError):
        return os.dup(descriptor)
    return None


_IS_TERMINAL = bool(sys.stdout and not sys.stdout.closed and sys.stdout.isatty())
_OUTPUT, _ERRORS = _copy(1), _copy(2)


def is_terminal(environ: Mapping[str, str]) -> bool:
    """Return whether the output is a terminal that a person watches, and that can show a moving line."""
    if any(environ.get(name) for name in _NOBODY_WATCHES):
        return False
    return _IS_TERMINAL and environ.get("TERM", "dumb") != "dumb"


def width() -> int:
    """Return the current number of columns; the terminal may have been resized."""
    with suppress(OSError):
        return os.get_terminal_size(_OUTPUT if _OUTPUT is not None else 1).columns or _DEFAULT_WIDTH
    return _DEFAULT_WIDTH


def has_reader() -> bool:
    """Return whether the output can be written: not to a pipe without a reader, nor to a file on a full disk.

    Otherwise displaying a line would end the thread of ansible-playbook that receives results, and the run would hang.
    """
    if _OUTPUT is None or _is_on_full_disk(_OUTPUT):
        return False
    poller = select.poll()
    poller.register(_OUTPUT, 0)
    return not any(event & (select.POLLERR | select.POLLNVAL) for _descriptor, event in poller.poll(0))


def _is_on_full_disk(descriptor: int) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.fstatvfs(descriptor).f_bavail == 0
    return True


def write_last_words(lines: list[str]) -> None:
    """Write lines directly to the standard error, because ansible-playbook displays nothing once it is interrupted."""
    erase = "\r\x1b[J" if _IS_TERMINAL else ""  # a moving line may be shown
    if _ERRORS is not None:
        with suppress(OSError):
            os.write(_ERRORS, (erase + "\n".join(["", *lines, ""])).encode(errors="replace"))
