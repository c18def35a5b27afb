# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios of the benchmark, each of which is a function that returns tables."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

from bench import (
    ACTION,
    DOMAIN,
    FAILED_HOSTS,
    LOCAL,
    QUOTA,
    Bench,
    bench,
    finish,
    hosts,
    names,
    record_config,
)
from measure import Calls, Command
from plain_client import sign_calls
from report import Table, Target, seconds_table
from ways import SMALL

from support.emulator import ACCOUNT, KEY, stream_fields

LIST = "DescribeLiveStreamsOnlineList"
FILES, FILES_QUOTA = "DescribeLiveStreamRecordIndexFiles", 15
INTERVAL = 5.0  # seconds between reads of a domain's list (watch_interval)
MIB = 2**20
UNLIMITED = {ACTION: 1_000_000}


def output(options: argparse.Namespace) -> list[Table]:
    """Measure the output of a run of 1,000 streams, of which 0, 5 and 500 are not being pushed."""
    count = 1000
    rows, targets = [], []
    with bench(options.forks) as at:
        for failed in (0, 5, 500):
            streams = names(count)
            absent = set(streams[:: count // failed] if failed else ())
            at.fresh([stream for stream in streams if stream not in absent])
            command = at.start(streams)
            finish(command, expected=FAILED_HOSTS if failed else 0)
            lines = command.lines()
            longest = max(map(len, lines))
            rows.append([failed, at.recording(), len(lines), longest, at.calls().rate, command.cpu])
            bound = 250 if failed > count // 10 else 120
            targets += [
                Target(f"{count} streams, {failed} of which fail: lines of output", len(lines), at_most=bound),
                Target(f"{count} streams, {failed} of which fail: longest line", longest, at_most=500),
            ]
    head = ["streams that fail", "recording", "lines of output", "longest line", "calls/s", "CPU seconds"]
    return [Table(f"Output without -v, {count} streams", head, rows, targets=targets)]


def ceiling(options: argparse.Namespace) -> list[Table]:
    """Measure the emulator itself: plain clients without a limit, on the same machine."""
    clients, each = 4, 1000
    with bench(options.forks, limit=UNLIMITED) as at:
        streams = names(clients * each)
        at.fresh(streams)
        commands = []
        for number in range(clients):
            calls = sign_calls(at.emulator.endpoint, KEY, streams[number::clients])
            file = at.new_directory() / "work.json"
            work = {"url": at.emulator.endpoint, "ca_path": str(at.ca_path), "calls": calls}
            file.write_text(json.dumps(work), encoding="utf-8")
            commands.append(at.python("plain_client.py", file))
        finish(*commands)
        seen = at.calls()
        busy = seen.between(seen.times[len(seen) // 10], seen.times[-len(seen) // 10])
    cpu = sum(command.cpu for command in commands)
    head = ["clients", "calls", "calls/s", "most calls in a second", "CPU seconds of the clients"]
    return [Table("The emulator by itself", head, [[clients, len(seen), busy.rate, seen.densest_second, cpu]])]


def unpaced(options: argparse.Namespace) -> list[Table]:
    """Compare Ansible's own speed with that of the collection, without a limit in the client or the server."""
    count, repetitions = 300, 3
    streams = names(count)
    debug = {"hosts": "streams", **LOCAL, "tasks": [{"ansible.builtin.debug": {"msg": "here"}}]}
    rows: dict[str, list[tuple[float, ...]]] = {"`ansible.builtin.debug`": [], "collection": []}
    with bench(options.forks, limit=UNLIMITED) as at:
        for _repetition in range(repetitions):
            for label, found in rows.items():
                at.fresh(streams)
                if label == "collection":
                    command = at.start(streams, record_rate_limit=1_000_000)
                else:
                    command = at.playbook([debug], hosts(streams))
                finish(command)
                found.append((count / command.seconds, 1000 * command.cpu / count, at.calls().rate))
    return [
        Table(
            f"Without a limit, {count} hosts, median of {repetitions}",
            ["", "hosts/s, whole command", "CPU milliseconds for each host", "calls/s"],
            [[label, *(statistics.median(column) for column in zip(*found))] for label, found in rows.items()],
        )
    ]


def two(options: argparse.Namespace) -> list[Table]:
    """Run two ansible-playbook at once on one account."""
    return _together(options, 2)


def four(options: argparse.Namespace) -> list[Table]:
    """Run four ansible-playbook at once on one account."""
    return _together(options, 4)


def _together(options: argparse.Namespace, runs: int) -> list[Table]:
    streams = names(1200)
    with bench(options.forks) as at:
        at.fresh(streams)
        finish(*[at.start(streams[number::runs]) for number in range(runs)])
        calls, recording = at.calls(), at.recording()
    parts = [calls.where(lambda row, number=number: _number(row) % runs == number) for number in range(runs)]
    begin, end = max(part.times[0] for part in parts), min(part.times[-1] for part in parts)
    all_busy = calls.between(begin, end)
    shares = sorted(100 * len(part.between(begin, end)) / len(all_busy) for part in parts)
    row = [len(streams), recording, calls.rate, all_busy.rate, calls.densest_second, calls.throttled]
    head = [
        "streams",
        "recording",
        "calls/s",
        "calls/s while all ran",
        "most calls in a second",
        "throttled",
        "shares %",
    ]
    shown = " ".join(f"{share:.1f}" for share in shares)
    return [Table(f"{runs} ansible-playbook at once on one account", head, [[*row, shown]])]


def _number(row: Mapping[str, Any]) -> int:
    return int(row["params"]["StreamName"].removeprefix("stream"))


def accounts(options: argparse.Namespace) -> list[Table]:
    """Compare four accounts in one run with four runs at once; they share the CPUs, but no quota."""
    count, each = 4, 300
    domains = [f"live{number}.example.com" for number in range(count)]
    keys = [(f"key{number}", f"secret{number}") for number in range(count)]
    cloud = [
        {
            "id": f"{number + 1}00000000000000{number + 1}",
            "users": [{"name": "operator", "allow": ["live:*"]}],
            "access_keys": [{"id": keys[number][0], "secret": keys[number][1], "user": "operator"}],
            "domains": [{"name": domain}],
            "record_configs": [record_config(domain)],
        }
        for number, domain in enumerate(domains)
    ]
    sides = [names(each, domain, f"account{number}-") for number, domain in enumerate(domains)]
    everything = [stream for streams in sides for stream in streams]
    rows, targets = [], []

    def in_one_run(at: Bench) -> list[Command]:
        every: dict[str, Any] = {}
        for streams, (key, secret) in zip(sides, keys):
            every |= hosts(streams, apsaravideo_access_key_id=key, apsaravideo_access_key_secret=secret)
        return [at.playbook("apsaravideo.live.start", every)]

    def in_four_runs(at: Bench) -> list[Command]:
        return [at.start(streams, key=key) for streams, key in zip(sides, keys)]

    ways: list[tuple[str, Callable[[Bench], list[Command]]]] = [("one run", in_one_run), ("four runs", in_four_runs)]
    with bench(options.forks, scenario={"accounts": cloud}) as at:
        for label, way in ways:
            at.fresh(everything)
            commands = way(at)
            finish(*commands)
            sums = [at.recording(), sum(command.cpu for command in commands), max(c.seconds for c in commands)]
            parts = [at.calls().of(DomainName=domain) for domain in domains]
            rates = [part.rate for part in parts]
            shown = " ".join(f"{rate:.1f}" for rate in rates)
            densest, throttled = max(part.densest_second for part in parts), sum(part.throttled for part in parts)
            rows.append([label, *sums, shown, densest, throttled])
            targets.append(Target(f"{count} accounts, {label}: calls/s of the slowest account", min(rates), 46))
    head = ["", "recording", "CPU seconds", "seconds", "calls/s of each", "most calls in a second", "throttled"]
    return [Table(f"{count} accounts, {each} streams each", head, rows, targets=targets)]


def absent(options: argparse.Namespace) -> list[Table]:
    """Start 30 streams of two domains, of which 10 are not being pushed at first, and 3 never."""
    other, patience = "live.example.net", 20
    streams = [stream for pair in zip(names(15), names(15, other, "other")) for stream in pair]
    present, late = streams[:20], streams[20:27]
    pushed: dict[str, float] = {}
    with bench(5) as at:  # Ansible's default of forks
        at.fresh([])
        account = {"id": ACCOUNT, "domains": [{"name": other}], "record_configs": [record_config(other)]}
        at.emulator.add_accounts(account)
        at.emulator.push(*present)
        command = at.start(streams, record_wait_for_stream=patience)
        while len(at.calls()) < len(streams):
            time.sleep(0.05)
        for stream in late:
            time.sleep(1.7)
            at.emulator.push(stream)
            pushed[stream] = time.time()
        finish(command, expected=FAILED_HOSTS)
        started = {
            "/".join(row["params"][name] for name in ("DomainName", "AppName", "StreamName")): row["time"]
            for row in at.calls().rows
            if not row["code"]
        }
        lists = {domain: at.calls(LIST).of(DomainName=domain) for domain in (DOMAIN, other)}
    span = max(started[stream] for stream in present) - min(started[stream] for stream in present)
    delays = [started[stream] - moment for stream, moment in pushed.items()]
    gap = min(later - earlier for calls in lists.values() for earlier, later in pairwise(calls.times))
    most = max(map(len, lists.values()))
    return [
        Table(
            f"{len(streams)} streams of two domains, {len(streams) - len(present)} of them not pushed, 5 forks, "
            f"record_wait_for_stream={patience}",
            [
                "started at once",
                "within s",
                "pushed later",
                "started after their push, s",
                "lists of a domain",
                "least s between two",
            ],
            [[len(present), span, len(late), " ".join(f"{delay:.1f}" for delay in sorted(delays)), most, gap]],
            targets=[
                Target("10 of 30 absent: seconds from the first to the last start of the others", span, at_most=2),
                Target("10 of 30 absent: seconds from push to start", max(delays), at_most=2 + INTERVAL),
                Target("10 of 30 absent: lists of a domain", most, at_most=1 + patience // INTERVAL),
            ],
        )
    ]


def slow(options: argparse.Namespace) -> list[Table]:
    """Delay 5 % of the commands by 8 s, and then all of them by 2 s.

    The emulator counts a call after its delay, so that evenly spaced calls may exceed the quota there. So it has no
    limit in this scenario, which is about the rate at which calls are sent.
    """
    streams = names(1000)
    rows, targets = [], []
    with bench(options.forks, limit=UNLIMITED) as at:
        for label in ("5 % take 8 s", "all take 2 s"):
            at.fresh(streams)
            if label.startswith("5"):
                at.emulator.fault("delay", action=ACTION, seconds=8, probability=0.05, seed=1)
            else:
                at.emulator.behave(latency=2000)
            command = at.start(streams)
            finish(command)
            calls = at.calls()
            others = calls.where(lambda row: not row["fault"])
            rows.append(
                [label, at.recording(), calls.rate, len(others), others.rate, calls.densest_second, command.cpu]
            )
            targets.append(Target(f"Commands of which {label}: calls/s of the others", others.rate, 45))
    head = ["", "recording", "calls/s", "others", "calls/s of the others", "most calls in a second", "CPU seconds"]
    note = "Without a limit at the emulator, which counts a call only after its delay."
    return [Table(f"Slow responses, {len(streams)} streams", head, rows, note, targets)]


def kept(options: argparse.Namespace) -> list[Table]:
    """Drop all streams of a running window with `keep`, and push them again at once."""
    streams, lasts = names(500), 60
    bound = INTERVAL + len(streams) / 48 + 2
    with bench(options.forks) as at:
        at.fresh(streams)
        begin = datetime.now(timezone.utc).isoformat(timespec="seconds")
        window = {"window_start": begin, "window_duration": f"{lasts}s"}
        command = at.playbook("apsaravideo.live.window", hosts(streams), "-e", "keep=true", **window)
        _wait_for(lambda: at.recording() == len(streams), lasts)
        time.sleep(INTERVAL)
        at.emulator.drop(*streams)
        at.emulator.resume(*streams)
        moment = time.time()
        _wait_for(lambda: at.recording() == len(streams), lasts)
        again = at.calls().between(moment, time.time()).where(lambda row: not row["code"])
        recording = at.recording()
        finish(command)
        lists = at.calls(LIST)
        throttled = at.calls().throttled
    seconds = again.times[-1] - moment
    gap = min(later - earlier for earlier, later in pairwise(lists.times))
    return [
        Table(
            f"{len(streams)} streams of a window with keep=true, dropped and pushed again at once",
            [
                "recording again",
                "the first after s",
                "the last after s",
                "calls/s",
                "throttled",
                "lists",
                "least s between two",
                "CPU seconds",
            ],
            [[recording, again.times[0] - moment, seconds, again.rate, throttled, len(lists), gap, command.cpu]],
            targets=[
                Target(f"{len(streams)} streams pushed anew: seconds until the last start", seconds, at_most=bound)
            ],
        )
    ]


def verify(options: argparse.Namespace) -> list[Table]:
    """Verify the recordings of 1,000 streams, each of which takes a list of its files, 15 in a second."""
    count, hour = 1000, 3600
    streams = names(count)
    steps = [{"after": 0, "do": "push"}, {"after": 1, "do": "start"}, {"after": hour, "do": "drop"}]
    with bench(options.forks) as at:
        at.fresh([])
        stories = [{**stream_fields(stream), "steps": steps} for stream in streams]
        at.emulator.control("POST", "streams/steps", {"streams": stories})
        at.emulator.advance(2 * hour)
        window = {"window_start": int(time.time()) - 2 * hour + 5, "window_duration": hour - 10}
        command = at.playbook("apsaravideo.live.verify", hosts(streams), **window)
        finish(command)
        calls = at.calls(FILES)
    bound = 1.1 * count / FILES_QUOTA
    head = ["file lists", "lists/s", "most in a second", "throttled", "seconds, whole command", "CPU seconds"]
    row = [len(calls), calls.rate, calls.densest_second, calls.throttled, command.seconds, command.cpu]
    targets = [
        Target(f"{count} streams verified: seconds of the whole command", command.seconds, at_most=bound),
        Target(f"{count} streams verified: throttled calls", calls.throttled, at_most=0),
    ]
    return [Table(f"The recordings of {count} streams verified", head, [row], targets=targets)]


def _wait_for(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.5)


def greedy(options: argparse.Namespace) -> list[Table]:
    """Share the quota with another client, which takes half of it."""
    streams = names(600)
    with bench(options.forks, other_client={ACTION: QUOTA // 2}) as at:
        at.fresh(streams)
        command = at.start(streams)
        finish(command)
        calls, recording = at.calls(), at.recording()
    accepted = calls.where(lambda row: not row["throttled"])
    retries = 100 * (len(calls) - len(streams)) / len(calls)
    row = [len(streams), recording, calls.rate, accepted.rate, calls.throttled, retries, command.seconds]
    head = ["streams", "recording", "calls/s", "accepted calls/s", "throttled", "retries % of calls", "seconds"]
    return [Table(f"Another client takes {QUOTA // 2} calls/s", head, [row])]


def killed(options: argparse.Namespace) -> list[Table]:
    """Kill one of two runs on one account, to see whether the other one gets its slots."""
    streams = names(1200)
    with bench(options.forks) as at:
        at.fresh(streams)
        victim, survivor = at.start(streams[0::2]), at.start(streams[1::2])
        while len(at.calls()) < 300:
            time.sleep(0.2)
        moment = victim.kill()
        finish(survivor)
        victim.join()
        calls = at.calls()
    seconds = [len(calls.between(moment + second, moment + second + 1)) for second in range(-3, 6)]
    left = calls.where(lambda row: _number(row) % 2 == 0).times[-1] - moment
    table = seconds_table("One of two ansible-playbook on one account killed at second 0", range(-3, 6), seconds)
    note = (
        f"The last call of the one that was killed arrived {abs(left):.2f} s {'after' if left > 0 else 'before'} that."
    )
    return [Table(table.title, table.head, table.rows, note)]


def instant(options: argparse.Namespace) -> list[Table]:
    """Run with start_at: no call is sent before that time, and then all of them as fast as the quota allows."""
    streams = names(500)
    with bench(options.forks) as at:
        at.fresh(streams)
        moment = int(time.time()) + 12
        command = at.start(streams, "-e", f"start_at={moment}")
        finish(command)
        calls, recording = at.calls(), at.recording()
    first, last = 1000 * (calls.times[0] - moment), calls.times[-1] - moment
    return [
        Table(
            f"{len(streams)} streams with start_at",
            ["recording", "first call, ms after it", "last call, s after it", "calls/s", "most calls in a second"],
            [[recording, first, last, calls.rate, calls.densest_second]],
            targets=[
                Target("start_at: milliseconds from the instant to the first call", first, at_least=0),
                Target(
                    f"start_at: seconds until the last of {len(streams)} calls", last, at_most=len(streams) / 48 + 1
                ),
            ],
        )
    ]


def start_up(options: argparse.Namespace) -> list[Table]:
    """Compare the time until the first call with the time until a `debug` task first runs."""
    streams, repetitions = names(SMALL), 5
    play = {"hosts": "streams", **LOCAL, "tasks": [{"ansible.builtin.debug": {"msg": "at {{ now().timestamp() }}"}}]}
    spent: list[tuple[float, float]] = []
    with bench(options.forks) as at:
        for _repetition in range(repetitions):
            at.fresh(streams)
            ours = at.start(streams)
            finish(ours)
            other = at.playbook([play], hosts(streams))
            finish(other)
            words = other.output.read_text(encoding="utf-8").replace('"', " ").split()
            first = min(float(words[place + 1]) for place, word in enumerate(words) if word == "at")
            spent.append((at.calls().times[0] - ours.began, first - other.began))
    rows = [[*pair, pair[0] - pair[1]] for pair in spent]
    medians = [statistics.median(column) for column in zip(*rows)]
    return [
        Table(
            f"Seconds until something happens, {SMALL} streams, median of {repetitions}",
            ["first call", "first `debug`", "difference", "smallest difference", "largest difference"],
            [[*medians, min(row[2] for row in rows), max(row[2] for row in rows)]],
        )
    ]


def long(options: argparse.Namespace) -> list[Table]:
    """Start 10,000 streams in one batch."""
    streams = names(10_000)
    with bench(options.forks) as at:
        at.fresh(streams)
        command = at.start(streams)
        finish(command)
        calls, recording = at.calls(), at.recording()
    first, last = Calls(calls.rows[:1000]), Calls(calls.rows[-1000:])
    ratio = 100 * last.rate / first.rate
    largest, together = command.largest_process / MIB, command.peak_memory / MIB
    return [
        Table(
            f"{len(streams)} streams in one batch",
            [
                "recording",
                "calls/s",
                "first 1000",
                "last 1000",
                "most calls in a second",
                "throttled",
                "until first call, s",
                "seconds",
                "CPU seconds",
                "peak RSS of the largest process, MiB",
                "peak sum of PSS, MiB",
            ],
            [
                [
                    recording,
                    calls.rate,
                    first.rate,
                    last.rate,
                    calls.densest_second,
                    calls.throttled,
                    calls.times[0] - command.began,
                    command.seconds,
                    command.cpu,
                    largest,
                    together,
                ]
            ],
            targets=[
                Target(f"{len(streams)} streams: calls/s", calls.rate, 47),
                Target(f"{len(streams)} streams: rate of the last 1000 in % of the first", ratio, 98),
                Target(f"{len(streams)} streams: throttled calls", calls.throttled, at_most=0),
                Target(f"{len(streams)} streams: CPU seconds of the whole command", command.cpu, at_most=60),
                Target(f"{len(streams)} streams: MiB of the largest process (RSS)", largest, at_most=350),
                Target(f"{len(streams)} streams: MiB of all processes (sum of PSS)", together, at_most=350),
            ],
        )
    ]
