# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of the program: nothing may be answered that is not in its state file."""

from __future__ import annotations

import threading
from types import TracebackType


class Closed(Exception):
    """The program is ending."""


class Gate:
    """Lets threads in (``with gate:``) until it is closed; then Closed is raised."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._open = True

    def __enter__(self) -> None:
        with self._changed:
            if not self._open:
                raise Closed
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def close(self, timeout: float) -> None:
        """Let nobody in any more, and wait until those inside have left, at most so many seconds."""
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: not self._inside, timeout)
