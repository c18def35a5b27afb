# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost of reports, which a process of its own makes of entries that it already has, as a run does."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from report import Table, Target

from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.document import Measures, make_document, make_run
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.files import WRITERS
from support.run_entries import BEGAN, list_many_entries

STREAMS = 10_000
KIB = 1024


def reports(_options: argparse.Namespace) -> list[Table]:
    """Measure the document and each of its forms for 10,000 streams, one of ten of which failed."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, __file__, str(STREAMS)]
    found = json.loads(subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout)
    seconds = sum(took for took, _size in found["forms"].values())
    rows = [[form, took, size / KIB] for form, (took, size) in found["forms"].items()]
    rows.append(["all", seconds, None])
    targets = [
        Target(f"reports of {STREAMS} streams in all forms: seconds", seconds, at_most=3),
        Target(f"reports of {STREAMS} streams in all forms: MiB more", found["memory"] / KIB, at_most=300),
    ]
    note = f"The process grew by {found['memory'] / KIB:.0f} MiB."
    return [Table(f"Reports of {STREAMS} streams", ["form", "seconds", "KiB"], rows, note, targets)]


def measure(streams: int) -> None:
    """Print the seconds and the length of each form, and the growth of the process in KiB."""
    entries = list_many_entries(streams)
    before = read_peak()
    forms = {}
    begin = time.perf_counter()
    seconds = streams // 48 + 1
    by_second = [(int(BEGAN) + number, 48) for number in range(seconds)]
    measures = Measures(BEGAN, BEGAN + seconds, streams, by_second=by_second, first_call=BEGAN)
    document = make_document([make_run("start", False, "complete", entries, measures)], BEGAN + seconds)
    forms["document"] = (time.perf_counter() - begin, 0)
    for ending, write in WRITERS.items():
        begin = time.perf_counter()
        text = write(document)
        forms[ending] = (time.perf_counter() - begin, len(text))
    print(json.dumps({"forms": forms, "memory": read_peak() - before}))


def read_peak() -> int:
    """Return the peak of the resident set size in KiB; that of getrusage includes the parent's before exec."""
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return int(rows["VmHWM"].split()[0])


if __name__ == "__main__":
    measure(int(sys.argv[1]))
