# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in the background that leave no process behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

PATIENCE = 3.0  # seconds for the processes of a job to end


class Job:
    """A command in a process group of its own, and with a mark that also its processes outside the group inherit."""

    def __init__(self, command: Sequence[str | Path], variables: dict[str, str], output: IO[str] | None = None) -> None:
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.process = subprocess.Popen(
            command,
            env={**variables, "TEST_JOB": self.mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            process_group=0,
        )

    def members(self) -> list[int]:
        """Return the ids of all its processes."""
        if os.path.exists("/proc/self/environ"):
            return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if self.is_marked(path)]
        listed = subprocess.run(["ps", "-e", "-o", "pgid=,pid="], stdout=subprocess.PIPE, text=True, check=True).stdout
        pairs = (line.split() for line in listed.splitlines())
        return [int(process) for group, process in pairs if int(group) == self.process.pid]

    def is_marked(self, environ: Path) -> bool:
        with contextlib.suppress(OSError):
            return f"TEST_JOB={self.mark}".encode() in environ.read_bytes().split(b"\0")
        return False

    def is_gone(self) -> bool:
        """Return whether all its processes end in time."""
        until = time.monotonic() + PATIENCE
        while self.members():
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def end(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            for process in self.members():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, number)
            if self.is_gone():
                return


@contextlib.contextmanager
def ended(jobs: set[Job]) -> Iterator[None]:
    """End the jobs of a set, whatever happens; SIGTERM and SIGHUP count as Ctrl-C."""
    handle_signals(signal.default_int_handler)
    try:
        yield
    finally:
        handle_signals(signal.SIG_IGN)
        for job in jobs:
            job.end()


def handle_signals(handler: Any) -> None:
    # Also SIGINT, which a shell has its background commands ignore, and their children with them.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)
