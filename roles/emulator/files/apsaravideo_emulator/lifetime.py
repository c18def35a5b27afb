# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the program ends: never later than its parent, its age limit or a signal allows."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Callable

POLL_SECONDS = 0.25


def process_mark(pid: int) -> str | None:
    """Something that tells a living process from a later one with the same number; None when it is gone.

    A zombie counts as gone.  Where there is no /proc the mark is the same for every living process.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return None if os.path.isdir("/proc/self") else "alive"
    except OSError:
        return "alive"
    return None if fields[0] in ("Z", "X") else fields[19]


def end_with(stop: Callable[[], None], parent: int | None, max_age: float | None) -> None:
    """Call ``stop`` on SIGTERM or SIGINT, when ``parent`` is gone, and after ``max_age`` seconds."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop())
    if parent is not None or max_age is not None:
        threading.Thread(target=_watch, args=(stop, parent, max_age), daemon=True).start()


def _watch(stop: Callable[[], None], parent: int | None, max_age: float | None) -> None:
    born = time.monotonic()
    mark = process_mark(parent) if parent is not None else None
    while True:
        if parent is not None and (mark is None or process_mark(parent) != mark):
            break
        if max_age is not None and time.monotonic() - born >= max_age:
            break
        time.sleep(POLL_SECONDS)
    stop()
