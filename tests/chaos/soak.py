# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run chaos scenarios for many seeds, each with its own faults, open questions and clocks; stop at a wrong report.

Each seed has a scenario of several controllers that act on the same streams, and one of a single controller, whose
reports must be exact.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

LIVE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(LIVE.parents[2]), str(LIVE / "tests")]

from support.chaos import LonePlaybookScenario, LoneScenario, PlaybookScenario, Report, Scenario
from support.emulator import Emulator


def main() -> None:
    """Run all seeds and print which faults occurred."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int, help="default: 20 seeds, 1 to 20")
    parser.add_argument("--streams", type=int, default=0, help="default: each tenth seed 1000, the others 100")
    parser.add_argument("--haste", type=float, default=3, help="by how much the clients' waits are shortened")
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all", help="default: all")
    given = parser.parse_args()
    survived: Counter[str] = Counter()
    tasks = 0
    parts = PARTS if given.part == "all" else {given.part: PARTS[given.part]}
    for seed in given.seeds or range(1, 21):
        for part in parts.values():
            report = run_part(part, seed, given.streams or (100 if seed % 10 else 1000), given.haste)
            survived.update(report.faults)
            tasks += report.tasks
            if report.wrong:
                sys.exit("\n".join([f"Seed {seed}: {len(report.wrong)} reports are wrong.", *report.wrong[:10]]))
    print(f"{tasks} tasks, no report wrong. Survived: {format_counts(survived)}")


def crowd(cloud: Emulator, directory: str, seed: int, streams: int, haste: float) -> Report:
    """Run two controllers at the same time, with a tenth of the streams in playbooks as well."""
    operations = Scenario(cloud, directory, seed, streams, haste).long()
    return operations.with_more(PlaybookScenario(cloud, directory, seed, streams // 10).long())


def alone(cloud: Emulator, directory: str, seed: int, streams: int, haste: float) -> Report:
    """Run one controller, with some streams in playbooks as well, by module, role and fleet."""
    operations = LoneScenario(cloud, directory, seed, streams, haste).long()
    return operations.with_more(LonePlaybookScenario(cloud, directory, seed, max(18, streams // 4)).long())


PARTS: dict[str, Callable[..., Report]] = {"crowd": crowd, "alone": alone}


def run_part(part: Callable[..., Report], seed: int, streams: int, haste: float) -> Report:
    """Run one part of a seed and print its figures; even seeds use TLS."""
    began = time.monotonic()
    with Emulator(tls=seed % 2 == 0) as cloud, tempfile.TemporaryDirectory() as directory:
        report = part(cloud, directory, seed, streams, haste)
        if cloud.error_output():
            sys.exit(cloud.error_output())
    seconds = time.monotonic() - began
    print(
        f"seed {seed}, {part.__name__}, {streams} streams, {seconds:.0f} s: "
        f"{report.tasks} tasks, {report.calls} calls; "
        f"{report.lost} tasks lost a response, {len(report.wrong)} wrong; "
        f"{report.failed_splits} splits of unknown outcome, {report.unseen} of them took effect; "
        f"{report.assumed} changes assumed that were none, {report.overtaken} begun after the read of the log, "
        f"{report.attributed} splits of other clients claimed; {format_counts(report.faults)}",
        flush=True,
    )
    return report


def format_counts(counts: Counter[str]) -> str:
    """Return counts as text, the most frequent first."""
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


if __name__ == "__main__":
    main()
