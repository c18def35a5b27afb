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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_NICENESS = 10
_POLL = 0.02  # seconds between looks whether a command has ended
_MEMORY_POLL = 1.0  # seconds between looks at the memory: a look costs some milliseconds


class Command(threading.Thread):
    """A command that runs beside this program, with a lower priority; `join` waits for its end.

    Then `began` and `ended` are moments, `cpu` is the user and system time of the process and all that it has waited
    for, and `peak_memory` is the largest sum of the proportional set sizes (PSS) of the process tree that was seen.
    """

    def __init__(self, arguments: Sequence[str | Path], environ: Mapping[str, str], directory: Path) -> None:
        super().__init__(daemon=True)
        directory.mkdir(parents=True, exist_ok=True)
        self.output = directory / "output"
        self.ended = 0.0
        self.cpu = 0.0
        self.peak_memory = 0
        self.exit_code = 0
        self.began = time.time()
        with open(self.output, "w", encoding="utf-8") as output:
            self._process = subprocess.Popen(
                ["nice", "-n", str(_NICENESS), *map(str, arguments)],
                cwd=directory,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.start()

    @property
    def seconds(self) -> float:
        """How long the command took."""
        return self.ended - self.began

    def children(self) -> list[int]:
        """The process ids of the command's own children."""
        return _children(self._process.pid)

    def end(self, seconds: float) -> None:
        """Wait so long for the end, and bring it about if need be."""
        self.join(seconds)
        if self.is_alive():
            self._process.terminate()
            self.join()

    def run(self) -> None:
        looked = 0.0
        while True:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - looked >= _MEMORY_POLL:
                looked = time.monotonic()
                self.peak_memory = max(self.peak_memory, sum(map(_memory, _tree(self._process.pid))))
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


def _memory(pid: int) -> int:
    """The proportional set size of a process in bytes; 0 when it has ended meanwhile."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
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
        """How many of them were dropped."""
        return sum(bool(row["throttled"]) for row in self.rows)

    @property
    def rate(self) -> float:
        """Calls per second between the first and the last; 0 for fewer than two."""
        return (len(self) - 1) / (self.times[-1] - self.times[0]) if len(self) > 1 else 0.0

    @property
    def densest_second(self) -> int:
        """The most calls in any span of one second."""
        return max((bisect.bisect_left(self.times, time + 1) - at for at, time in enumerate(self.times)), default=0)

    def between(self, begin: float, end: float) -> Calls:
        """Those that arrived in this span of time."""
        return Calls([row for row in self.rows if begin <= row["time"] < end])

    def of(self, **values: str) -> Calls:
        """Those whose row or parameters have these values."""
        return Calls([row for row in self.rows if values.items() <= {**row, **row["params"]}.items()])
