# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress of a run, shown as one moving line on a terminal, and as a line every ten seconds elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

BAR, LINES, NONE = "bar", "lines", "none"
BAR_SECONDS, LINES_SECONDS = 0.25, 10.0  # between updates
_BAR_WIDTH = 20
_RATE_SECONDS = 5.0  # over which the rate of calls is averaged
_ERASE_LINE, _ERASE_BELOW, _UP = "\x1b[K", "\x1b[J", "\x1b[A"


class Numbers(NamedTuple):
    """The numbers of streams and calls so far; `quota` is in calls per second, None if there are several accounts."""

    total: int
    done: int
    changed: int
    failed: int
    waiting: int
    calls: int
    quota: float | None = None


class Progress:
    """The display of a run's numbers, through `display(text, ends_line)`."""

    def __init__(self, kind: str, title: str, display: Callable[[str, bool], None], width: Callable[[], int]) -> None:
        self._kind = kind
        self._title = title
        self._display = display
        self._width = width
        self._next = 0.0 if kind == BAR else LINES_SECONDS
        self._began: float | None = None
        self._is_shown = False
        self._calls: list[tuple[float, int]] = []  # times, and the numbers of calls until then

    def show(self, now: float, numbers: Callable[[], Numbers]) -> None:
        """Show the numbers if the last update is long enough ago; `now` is in monotonic seconds."""
        if self._kind == NONE:
            return
        if self._began is None:
            self._began = now
            self._calls.append((now, 0))
        passed = now - self._began
        if passed < self._next:
            return
        self._next = passed + (BAR_SECONDS if self._kind == BAR else LINES_SECONDS)
        found = numbers()
        text = format_line(self._title, found, self._rate(now, found.calls), passed)
        if self._kind == LINES:
            self._display(text, True)
            return
        moving = f"[{'#' * (_BAR_WIDTH * found.done // max(1, found.total)):<{_BAR_WIDTH}}] {text}"
        # The cursor stays on the empty line above, where Ansible may display something else.
        self._display(f"{_ERASE_BELOW}\n{moving[: self._width() - 1]}{_ERASE_LINE}\r{_UP}", False)
        self._is_shown = True

    def clear(self) -> None:
        """Erase the moving line, before anything else is displayed."""
        if self._is_shown:
            self._is_shown = False
            self._display(f"\r{_ERASE_BELOW}", False)

    def _rate(self, now: float, calls: int) -> float:
        self._calls.append((now, calls))
        while len(self._calls) > 1 and now - self._calls[1][0] >= _RATE_SECONDS:
            self._calls.pop(0)
        began, before = self._calls[0]
        return (calls - before) / (now - began) if now > began else 0.0


def format_line(title: str, numbers: Numbers, rate: float, passed: float) -> str:
    """Return the numbers as text; `rate` is in calls per second, `passed` in seconds."""
    parts = [f"{numbers.done}/{numbers.total}", f"{numbers.changed} changed", f"{numbers.failed} failed"]
    if numbers.waiting:
        parts.append(f"{numbers.waiting} waiting")
    quota = f" of {numbers.quota:g}" if numbers.quota else ""
    parts.append(f"{rate:.0f}{quota} calls/s")
    if numbers.done and numbers.done < numbers.total and not numbers.waiting:
        parts.append(f"{_format_duration(passed / numbers.done * (numbers.total - numbers.done))} left")
    return f"{title}: {', '.join(parts)}"


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
