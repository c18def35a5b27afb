# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate that keeps threads from changing the state once the program is about to save it."""

from __future__ import annotations

import threading
from types import TracebackType


class GateClosed(Exception):
    """An attempt to enter a closed gate; the program is ending."""


class Gate:
    """A context manager that many threads may enter (`with gate:`) until it is closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._open = True

    def __enter__(self) -> None:
        with self._changed:
            if not self._open:
                raise GateClosed
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def close(self, timeout: float) -> None:
        """Refuse further threads, and wait at most `timeout` seconds for those inside to leave."""
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: not self._inside, timeout)
