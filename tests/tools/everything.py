# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of all checks: lanes of steps beside each other, a line about each step, and the totals."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import jobs
import steps
from environments import CACHE
from totals import count, summary

LOG = CACHE / "log"
TAIL = 60  # lines of the log of a step that failed


@dataclass
class Run:
    """Steps that are run beside each other, and those that failed."""

    failed: list[str] = field(default_factory=list)
    jobs: set[jobs.Job] = field(default_factory=set)

    def steps(self, *lanes: list[str]) -> None:
        """Run the steps of each lane one after the other, and the lanes beside each other."""
        running: dict[int, tuple[Started, list[str]]] = {}

        def go_on(waiting: list[str]) -> None:
            if waiting:
                started = Started(waiting[0])
                self.jobs.add(started.job)
                running[started.job.process.pid] = started, waiting[1:]

        for lane in lanes:
            go_on(lane)
        while running:
            process, status, usage = os.wait4(-1, 0)
            if process in running:
                started, waiting = running.pop(process)
                self.finish(started, status, usage.ru_utime + usage.ru_stime)
                go_on(waiting)

    def finish(self, started: Started, status: int, cpu: float) -> None:
        """Print a line about a step, and the end of its log if it failed."""
        seconds = f"{time.monotonic() - started.time:4.0f} s {cpu:4.0f} s CPU"
        started.job.process.returncode = os.waitstatus_to_exitcode(status)
        result, reason = steps.verdict(started.file("json"))
        about = [reason] if result == "skipped" else started.about()
        if not started.is_clean() or result not in ("success", "skipped"):
            result = "failed"
            self.failed.append(started.name)
        word = {"success": "ok", "skipped": "skip"}.get(result, "FAIL")
        print(f"{word:4}  {started.name:25} {seconds}  {'; '.join(about)}".rstrip(), flush=True)
        if word == "FAIL":
            lines = started.file("log").read_text(errors="replace").splitlines()
            print(*(f"      {line}" for line in lines[-TAIL:]), sep="\n", flush=True)

    def totals(self) -> str:
        """Sum up all tests; a step that failed without a failed test counts as one."""
        reports = {path.stem: path for path in (LOG / "junit").glob("*.xml")}
        total = count(*reports.values())
        total["failed"] += sum(name not in reports or not count(reports[name])["failed"] for name in self.failed)
        return summary(total)


class Started:
    """A step at work, with files in the directory of the logs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.time = time.monotonic()
        variables = {**os.environ, "TEST_LOG": str(LOG), "TEST_PREPARED": "yes", "TEST_SAME_EXAMPLES": "yes"}
        with self.file("log").open("w") as log:
            self.job = jobs.Job(steps.command(name, self.file("json"), []), variables, log)

    def file(self, ending: str) -> Path:
        return LOG / f"{self.name}.{ending}"

    def about(self) -> list[str]:
        """Return the totals of its tests and its notes."""
        report, notes = LOG / "junit" / f"{self.name}.xml", self.file("note")
        tests = [summary(count(report))] if report.exists() else []
        return tests + (notes.read_text().splitlines() if notes.exists() else [])

    def is_clean(self) -> bool:
        """Return whether it has left no process behind; its log says which."""
        if self.job.is_gone():
            return True
        with self.file("log").open("a") as log:
            log.write("Left behind:\n")
            for process in self.job.members():
                words = Path(f"/proc/{process}/cmdline")
                named = words.read_bytes().replace(b"\0", b" ").decode(errors="replace") if words.exists() else ""
                log.write(f"{process} {named}\n")
        return False


def main(*lanes: list[str]) -> None:
    """Run all checks, and exit with the verdict as the last line, which nox would write another one after."""
    run = Run()
    shutil.rmtree(LOG, ignore_errors=True)
    (LOG / "junit").mkdir(parents=True)
    with jobs.ended(run.jobs):
        run.steps(["setup"])
        if not run.failed:
            run.steps(["sync"])
        if not run.failed:
            run.steps(*lanes)
        (LOG / "totals").write_text(f"{run.totals()}\n")
    print(run.totals(), flush=True)
    sys.exit(bool(run.failed))
