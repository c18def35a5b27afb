# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of the program: on a signal, with its parent process, or at its maximum age."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Callable

POLL_SECONDS = 0.25


def process_identity(pid: int) -> str | None:
    """Return a value that distinguishes a running process from a later one with the same id; None if it has ended.

    A zombie counts as ended. Without /proc the value is the same for every running process.
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


def stop_on_end(stop: Callable[[], None], parent: int | None, max_age: float | None) -> None:
    """Call `stop` on SIGTERM or SIGINT, on the end of the process `parent`, and after `max_age` seconds."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop())
    if parent is not None or max_age is not None:
        threading.Thread(target=_watch, args=(stop, parent, max_age), daemon=True).start()


def _watch(stop: Callable[[], None], parent: int | None, max_age: float | None) -> None:
    started = time.monotonic()
    identity = process_identity(parent) if parent is not None else None
    while True:
        if parent is not None and (identity is None or process_identity(parent) != identity):
            break
        if max_age is not None and time.monotonic() - started >= max_age:
            break
        time.sleep(POLL_SECONDS)
    stop()
