# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how fast the collection and other clients start recordings, against the emulator on this machine.

All figures come from the emulator's log or from the operating system. Some have targets; missing one is not a failure.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import scenarios
from bench import ACTION, LATENCY
from measure import NICENESS
from report import Table, targets_table
from reports import reports
from ways import ROUNDS, compare

FORKS = 10
HEAD = """# Benchmark

Written by `make bench ARGS=--large`. The quota is 50 calls/s, of which the collection uses 48.

![streams per second, and seconds for all streams, of each way](benchmark.svg)

"""
FACTS = """* This machine: {machine}.
* The emulator runs on the same machine in its own process, over HTTPS, with {latency} ms before each response. It
  represents a separate machine, so all of its clients run with a lower priority: otherwise requests would wait for it
  while the cores are busy. Here, `nice` was {emulator} for the emulator and {clients} for the others.
* `ansible-playbook` has {forks} forks and `pipelining` on, which only the ordinary modules use. `ansible.builtin.uri`
  sends calls that were signed in advance, regardless of the quota. The SDK's threads share an ideal rate limiter of
  48 calls/s, and do not retry.
* The ways take turns, {rounds} times each. The tables show the round with the median rate. Those that are not run for
  1,000 streams run once.
* Calls, their rates and the most calls in any span of one second are those of {action} in the emulator's log.
  CPU is user and system time of the command and all its processes; memory is the sum of their proportional set sizes
  (PSS), read each second, unless the resident set size (RSS) of the largest process is named.
* The load average is that of the last minute, including the benchmark. If it is high before the start, other programs
  used the machine. On a virtual machine they may do so without showing in it; then a fixed piece of work in Python,
  timed before and after, takes longer.
"""

SCENARIOS: dict[str, Callable[[argparse.Namespace], list[Table]]] = {
    "compare": compare,
    "output": scenarios.output,
    "accounts": scenarios.accounts,
    "absent": scenarios.absent,
    "slow": scenarios.slow,
    "kept": scenarios.kept,
    "verify": scenarios.verify,
    "instant": scenarios.instant,
    "two": scenarios.two,
    "four": scenarios.four,
    "greedy": scenarios.greedy,
    "killed": scenarios.killed,
    "start-up": scenarios.start_up,
    "unpaced": scenarios.unpaced,
    "ceiling": scenarios.ceiling,
    "reports": reports,
    "long": scenarios.long,
}


def machine() -> str:
    """Return the cores and the software versions that the figures depend on."""
    rows = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((row.split(":")[1] for row in rows if row.startswith("model name")), "")
    return (
        f"{len(os.sched_getaffinity(0))} cores ({model.strip() or platform.machine()}), "
        f"Python {platform.python_version()}, ansible-core {version('ansible-core')}, "
        f"SDK {version('alibabacloud-live20161101')}"
    )


def state() -> str:
    """Return the load average of the last minute, and the duration of a fixed piece of work."""
    begin = time.perf_counter()
    sum(range(10_000_000))
    return f"load average {os.getloadavg()[0]:.1f}, fixed work {1000 * (time.perf_counter() - begin):.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}; default: all, long only with --large")
    parser.add_argument("--forks", type=int, default=FORKS, help="of ansible-playbook (default: %(default)s)")
    parser.add_argument("--large", action="store_true", help="10,000 streams, too, which take 210 s")
    parser.add_argument("--output", type=Path, help="where to write benchmark.md and benchmark.svg of all scenarios")
    options = parser.parse_args()
    wanted = options.scenario or [name for name in SCENARIOS if options.large or name != "long"]
    if unknown := set(wanted) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    facts = FACTS.format(
        machine=machine(),
        forks=options.forks,
        latency=LATENCY,
        action=ACTION,
        rounds=ROUNDS,
        emulator=os.nice(0),
        clients=os.nice(0) + NICENESS,
    )
    print(facts, flush=True)
    tables: list[Table] = []
    parts: list[str] = []
    for name in wanted:
        before = state()
        for table in SCENARIOS[name](options):
            tables.append(table)
            parts.append(f"{table.markdown()}\nAt the start {before}; at the end {state()}.\n")
            print(parts[-1], flush=True)
    targets = targets_table("Targets", tables).markdown()
    print(targets)
    if options.output and not options.scenario:
        (options.output / "benchmark.md").write_text(HEAD + facts + targets + "".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
