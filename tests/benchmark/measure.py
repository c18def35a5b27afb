# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command costs on this machine, and what a list of calls looks like at the server.

Times are seconds; moments are seconds of the real epoch, as in the emulator's log; memory is bytes.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

NICENESS = 10
_POLL = 0.02  # seconds between looks whether a command has ended
_MEMORY_POLL = 1.0  # seconds between looks at the memory: a look costs some milliseconds


class Command(threading.Thread):
    """A command that runs beside this program, with a lower priority; `join` waits for its end.

    Then `began` and `ended` are moments, `cpu` is the user and system time of the process and all that it has waited
    for, `peak_memory` is the largest sum of the proportional set sizes (PSS) of the process tree that was seen, and
    `largest_process` the peak resident set size (VmHWM) of the largest process in it.
    """

    def __init__(self, arguments: Sequence[str | Path], environ: Mapping[str, str], directory: Path) -> None:
        super().__init__(daemon=True)
        directory.mkdir(parents=True, exist_ok=True)
        self.output = directory / "output"
        self.ended = 0.0
        self.cpu = 0.0
        self.peak_memory = 0
        self.largest_process = 0
        self.exit_code = 0
        self.began = time.time()
        with open(self.output, "w", encoding="utf-8") as output:
            self._process = subprocess.Popen(
                ["nice", "-n", str(NICENESS), *map(str, arguments)],
                cwd=directory,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.start()

    @property
    def seconds(self) -> float:
        """Return how long the command took."""
        return self.ended - self.began

    def kill(self) -> float:
        """End the command's own process without mercy, and return the moment; its children are left alone."""
        moment = time.time()
        self._process.kill()
        return moment

    def lines(self) -> list[str]:
        """Return the lines of its output."""
        return self.output.read_text(encoding="utf-8").splitlines()

    def run(self) -> None:
        looked = 0.0
        while True:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - looked >= _MEMORY_POLL:
                looked = time.monotonic()
                tree = _tree(self._process.pid)
                self.peak_memory = max(self.peak_memory, sum(_memory(pid, "smaps_rollup", "Pss:") for pid in tree))
                self.largest_process = max(self.largest_process, *(_memory(pid, "status", "VmHWM:") for pid in tree))
            time.sleep(_POLL)
        self.ended = time.time()
        self.cpu = usage.ru_utime + usage.ru_stime
        self.exit_code = self._process.returncode = os.waitstatus_to_exitcode(status)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, file.read_text().split())
    return found


def _tree(pid: int) -> list[int]:
    return [pid, *(member for child in _children(pid) for member in _tree(child))]


def _memory(pid: int, file: str, name: str) -> int:
    """Return a size of a process in bytes; 0 when it has ended meanwhile."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


class Calls:
    """Calls as the server saw them: rows of the emulator's log."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = sorted(rows, key=lambda row: row["time"])
        self.times = [float(row["time"]) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def throttled(self) -> int:
        """Return how many of them were dropped."""
        return sum(bool(row["throttled"]) for row in self.rows)

    @property
    def rate(self) -> float:
        """Return the calls per second between the first and the last; 0 for fewer than two."""
        return (len(self) - 1) / (self.times[-1] - self.times[0]) if len(self) > 1 else 0.0

    @property
    def densest_second(self) -> int:
        """Return the most calls in any span of one second."""
        return max((bisect.bisect_left(self.times, time + 1) - at for at, time in enumerate(self.times)), default=0)

    def between(self, begin: float, end: float) -> Calls:
        """Return those that arrived in this span of time."""
        return self.where(lambda row: begin <= row["time"] < end)

    def of(self, **values: str) -> Calls:
        """Return those whose row or parameters have these values."""
        return self.where(lambda row: values.items() <= {**row, **row["params"]}.items())

    def where(self, wanted: Callable[[Mapping[str, Any]], bool]) -> Calls:
        """Return those that a condition holds for."""
        return Calls([row for row in self.rows if wanted(row)])
