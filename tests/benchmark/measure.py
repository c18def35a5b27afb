# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements of commands on this machine and of calls at the server.

Durations are in seconds, times in seconds since the epoch as in the emulator's log, memory in bytes.
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
_POLL_SECONDS = 0.02  # between checks for the end of a command
_MEMORY_POLL_SECONDS = 1.0  # between reads of the memory, which take some milliseconds


class Command(threading.Thread):
    """A command that runs beside this program with a lower priority; `join` waits for its end.

    Afterwards, `cpu` is the user and system time of the process and its finished children, `peak_memory` the largest
    sum of the proportional set sizes (PSS) of the process tree, and `largest_process` the peak resident set size
    (VmHWM) of its largest process.
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
        """Return the duration of the command."""
        return self.ended - self.began

    def kill(self) -> float:
        """Kill the command's own process, but not its children, and return the time."""
        moment = time.time()
        self._process.kill()
        return moment

    def lines(self) -> list[str]:
        """Return the lines of the output."""
        return self.output.read_text(encoding="utf-8").splitlines()

    def run(self) -> None:
        last_read = 0.0
        while True:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - last_read >= _MEMORY_POLL_SECONDS:
                last_read = time.monotonic()
                tree = _tree(self._process.pid)
                self.peak_memory = max(self.peak_memory, sum(_memory(pid, "smaps_rollup", "Pss:") for pid in tree))
                self.largest_process = max(self.largest_process, *(_memory(pid, "status", "VmHWM:") for pid in tree))
            time.sleep(_POLL_SECONDS)
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
    """Return a memory size of a process in bytes, 0 if it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


class Calls:
    """Calls that the server received, which are rows of the emulator's log."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = sorted(rows, key=lambda row: row["time"])
        self.times = [float(row["time"]) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def throttled(self) -> int:
        """Return the number of throttled calls."""
        return sum(bool(row["throttled"]) for row in self.rows)

    @property
    def rate(self) -> float:
        """Return the calls per second between the first and the last call; 0 for fewer than two calls."""
        return (len(self) - 1) / (self.times[-1] - self.times[0]) if len(self) > 1 else 0.0

    @property
    def densest_second(self) -> int:
        """Return the largest number of calls within one second."""
        return max((bisect.bisect_left(self.times, time + 1) - at for at, time in enumerate(self.times)), default=0)

    def between(self, begin: float, end: float) -> Calls:
        """Return the calls that arrived between two times."""
        return self.where(lambda row: begin <= row["time"] < end)

    def of(self, **values: str) -> Calls:
        """Return the calls whose row or parameters have these values."""
        return self.where(lambda row: values.items() <= {**row, **row["params"]}.items())

    def where(self, wanted: Callable[[Mapping[str, Any]], bool]) -> Calls:
        """Return the calls that meet a condition."""
        return Calls([row for row in self.rows if wanted(row)])
