# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to start recordings that are compared."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench import LOCAL, QUOTA, Bench, bench, finish, hosts, names
from measure import Calls, Command
from plain_client import sign_calls
from report import Figures, Table, Target, compare_table, median, plot

from support.emulator import KEY

SMALL, LARGE = 100, 1000  # streams of the slow ways, and of the others
ROUNDS = 3
FLEET, ROLE, MODULE = "the collection's playbook `start`", "its role", "the role as an ordinary module"


def fleet(bench: Bench, streams: list[str]) -> Command:
    """Run the playbook of this collection, one task for all streams."""
    return bench.start(streams)


def role(bench: Bench, streams: list[str]) -> Command:
    """Run the role of this collection, a task for each stream in the workers of ansible-playbook."""
    return bench.playbook(_role("local"), hosts(streams))


def module(bench: Bench, streams: list[str]) -> Command:
    """Run the role with the ordinary module instead of the action plugin."""
    return bench.playbook(_role("elsewhere"), hosts(streams), ansible_python_interpreter=sys.executable)


def _role(connection: str) -> list[dict[str, object]]:
    return [{"hosts": "streams", **LOCAL, "connection": connection, "roles": ["apsaravideo.live.record"]}]


def uri(bench: Bench, streams: list[str]) -> Command:
    """Run ansible.builtin.uri with calls that were signed beforehand."""
    ready = sign_calls(bench.emulator.endpoint, KEY, streams)
    given = {
        stream.split("/")[2]: {"url": f"{bench.emulator.endpoint}/?{call['query']}", "headers": call["headers"]}
        for stream, call in zip(streams, ready)
    }
    arguments = {"url": "{{ url }}", "method": "POST", "headers": "{{ headers }}", "ca_path": str(bench.ca_path)}
    play = {"hosts": "streams", **LOCAL, "tasks": [{"ansible.builtin.uri": arguments}]}
    return bench.playbook([play], given, ansible_python_interpreter=sys.executable)


def sdk_loop(bench: Bench, streams: list[str]) -> Command:
    """Run the official SDK, one call after the other."""
    return _sdk(bench, "loop", streams)


def sdk_pool(bench: Bench, streams: list[str]) -> Command:
    """Run the official SDK in a thread pool with an ideal limiter."""
    return _sdk(bench, "pool", streams)


def _sdk(bench: Bench, way: str, streams: list[str]) -> Command:
    file = bench.new_directory() / "streams"
    file.write_text("\n".join(streams), encoding="utf-8")
    return bench.python("sdk_client.py", way, file)


Way = Callable[[Bench, list[str]], Command]
# label, function, and whether it is fast enough for many streams
WAYS: list[tuple[str, Way, bool]] = [
    (FLEET, fleet, True),
    (ROLE, role, True),
    (MODULE, module, False),
    ("`ansible.builtin.uri`", uri, False),
    ("SDK, loop", sdk_loop, False),
    ("SDK, thread pool", sdk_pool, True),
]


def compare(options: argparse.Namespace) -> list[Table]:
    """Compare all ways, for 100 and 1,000 streams; slow ways run once, and are extrapolated from 100.

    They take turns, so that a slow time of the machine affects all of them.
    """
    sizes = [SMALL, LARGE]
    rounds: dict[tuple[str, int], list[Figures]] = {}
    with bench(options.forks) as at:
        for size in sizes:
            for number in range(ROUNDS):
                for label, way, fast in WAYS:
                    if fast or (size == SMALL and number == 0):
                        rounds.setdefault((label, size), []).append(run(at, label, way, size))
    found: list[Figures] = []
    for label, _way, _fast in WAYS:
        measured = [median(rounds[label, size]) for size in sizes if (label, size) in rounds]
        found += measured + [measured[0].extrapolate(size) for size in sizes[len(measured) :]]
    if options.output and not options.scenario:
        options.output.mkdir(exist_ok=True)
        plot(found, QUOTA, options.output / "benchmark.svg")
    return [compare_table(found, size, QUOTA, _targets(found, size)) for size in sizes]


def _targets(found: list[Figures], size: int) -> list[Target]:
    ours, slow, slowest = (
        next(figures for figures in found if figures.streams == size and figures.label == label)
        for label in (FLEET, ROLE, MODULE)
    )
    ratio = Target(
        f"{size} streams: the role's rate by that of the ordinary module", slow.call_rate / slowest.call_rate, 8
    )
    if size == SMALL:
        return [ratio]
    return [
        Target(f"{size} streams: calls/s", ours.call_rate, 47.5),
        Target(f"{size} streams: most calls in a second", ours.densest_second or 0, at_most=QUOTA),
        Target(f"{size} streams: throttled calls", ours.throttled or 0, at_most=0),
        Target(f"{size} streams: CPU seconds of the whole command", ours.cpu, at_most=6),
    ]


def run(bench: Bench, label: str, way: Way, count: int) -> Figures:
    """Start the recording of `count` streams in one way, and return the figures."""
    streams = names(count)
    bench.fresh(streams)
    command = way(bench, streams)
    finish(command)
    return figures(label, count, command, bench.calls(), bench.recording())


def figures(label: str, count: int, command: Command, calls: Calls, recording: int) -> Figures:
    """Return the figures of one finished command."""
    return Figures(
        label=label,
        streams=count,
        call_rate=calls.rate,
        seconds=command.seconds,
        first_call=calls.times[0] - command.began,
        densest_second=calls.densest_second,
        calls=len(calls),
        throttled=calls.throttled,
        cpu=command.cpu,
        peak_memory=command.peak_memory,
        recording=recording,
    )
