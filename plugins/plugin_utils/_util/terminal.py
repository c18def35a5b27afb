# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal of ansible-playbook, as it was when this was loaded in its process.

The worker that runs a task cannot ask for it: ansible-core 2.19 and later give it a session of its own, without a
terminal, and replace its standard output. Copies of the descriptors stay with it.
"""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress

_NEVER = ("CI", "AWX_ISOLATED_DATA_DIR", "RUNNER_OMIT_EVENTS")  # set where a pseudo-terminal has no person before it
_DEFAULT_WIDTH = 80


def _copy(descriptor: int) -> int | None:
    with suppress(OSError):
        return os.dup(descriptor)
    return None


_IS_TERMINAL = bool(sys.stdout and not sys.stdout.closed and sys.stdout.isatty())
_OUTPUT, _ERRORS = _copy(1), _copy(2)


def is_terminal(environ: Mapping[str, str]) -> bool:
    """Return whether a person looks at a terminal that can show a moving line."""
    return _IS_TERMINAL and environ.get("TERM", "dumb") != "dumb" and not any(environ.get(name) for name in _NEVER)


def width() -> int:
    """Return the columns of the terminal as it is now; it may have been resized."""
    with suppress(OSError):
        return os.get_terminal_size(_OUTPUT if _OUTPUT is not None else 1).columns or _DEFAULT_WIDTH
    return _DEFAULT_WIDTH


def has_reader() -> bool:
    """Return whether the output still goes somewhere: not to a pipe whose reader has gone, nor to a full disk.

    What is displayed then ends the thread of ansible-playbook that takes the results of its workers, and the run hangs.
    """
    if _OUTPUT is None or _is_on_a_full_disk(_OUTPUT):
        return False
    waiting = select.poll()
    waiting.register(_OUTPUT, 0)
    return not any(event & (select.POLLERR | select.POLLNVAL) for _descriptor, event in waiting.poll(0))


def _is_on_a_full_disk(descriptor: int) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.fstatvfs(descriptor).f_bavail == 0
    return True


def write_last_words(lines: list[str]) -> None:
    """Write lines past ansible-playbook, which displays nothing any more once it has been interrupted."""
    erase = "\r\x1b[J" if _IS_TERMINAL else ""  # a moving line may stand there
    if _ERRORS is not None:
        with suppress(OSError):
            os.write(_ERRORS, (erase + "\n".join(["", *lines, ""])).encode(errors="replace"))
