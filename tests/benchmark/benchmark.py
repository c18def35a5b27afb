# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast the collection starts recordings, beside other ways to do it, against the emulator on this machine.

Each scenario is a function of this file. Every figure is read from the emulator's log or from the operating system;
nothing here judges them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
COLLECTIONS = HERE.parents[4]
sys.path[:0] = [str(SUPPORT), str(COLLECTIONS)]

import certifi  # noqa: E402
from emulator import KEY, OTHER_ACCOUNT_KEY, Emulator  # noqa: E402
from measure import Calls, Command  # noqa: E402
from plain_client import signed_calls  # noqa: E402
from report import Figures, Table, compare_table, median, plot, seconds_table  # noqa: E402

ACTION = "RealTimeRecordCommand"
QUOTA = 50  # calls per second of an account
LATENCY = 30  # milliseconds before each answer
FORKS = 10
SMALL = 100  # streams of the slow ways
ROUNDS = 3
OTHER_ACCOUNT = {
    "id": "2000000000000002",
    "record_configs": [
        {
            "DomainName": "live.example.org",
            "AppName": "*",
            "StreamName": "*",
            "OnDemand": 7,
            "OssBucket": "recordings",
            "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
            "RecordFormat": [{"Format": "mp4", "OssObjectPrefix": "{AppName}/{StreamName}/{StartTime}_{EndTime}"}],
        }
    ],
}
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
LOCAL = {"connection": "local", "gather_facts": False}


class Bench:
    """An emulator in a process of its own, a directory, and ways to run things against it."""

    def __init__(self, emulator: Emulator, directory: Path, forks: int) -> None:
        self.emulator = emulator
        self.directory = directory
        self.forks = forks
        self._numbers = itertools.count(1)
        self._runtime = directory
        # Beside the emulator's certificate those that clients have to read otherwise, which takes them time.
        self.ca_path = directory / "ca.pem"
        emulators = Path(str(emulator.ca_path)).read_text(encoding="utf-8")
        self.ca_path.write_text(certifi.contents() + emulators, encoding="utf-8")

    def fresh(self, streams: list[str]) -> None:
        """Forget all calls and slots, and push these streams."""
        self.emulator.reset()
        self.emulator.add_accounts(OTHER_ACCOUNT)
        self.emulator.push(*streams)
        self._runtime = self.new_directory()

    def new_directory(self) -> Path:
        """A directory that nothing else uses."""
        made = self.directory / f"{next(self._numbers)}"
        made.mkdir(mode=0o700)
        (made / "ansible.cfg").touch()
        return made

    def calls(self) -> Calls:
        """The recording commands that have arrived."""
        return Calls(self.emulator.calls(ACTION))

    def recording(self) -> int:
        """How many streams are being recorded."""
        return sum(stream["recording"] == "recording" for stream in self.emulator.state()["streams"])

    def python(self, program: str, *arguments: str | Path) -> Command:
        """Start a program of this directory."""
        directory = self.new_directory()
        return Command([sys.executable, HERE / program, *arguments], self._environ(directory, KEY), directory)

    def playbook(
        self,
        playbook: str | list[dict[str, Any]],
        hosts: Mapping[str, Any],
        *arguments: str,
        key: tuple[str, str] = KEY,
        **variables: Any,
    ) -> Command:
        """Start ansible-playbook with a playbook, by name or as it is, over these hosts with these variables."""
        directory = self.new_directory()
        inventory = directory / "inventory.json"
        group = {"hosts": dict(hosts), "vars": variables}
        inventory.write_text(json.dumps({"all": {"children": {"streams": group}}}), encoding="utf-8")
        if not isinstance(playbook, str):
            (directory / "playbook.json").write_text(json.dumps(playbook), encoding="utf-8")
            playbook = "playbook.json"
        command: list[str | Path] = [PLAYBOOK, playbook, "-i", inventory, "--forks", str(self.forks), *arguments]
        return Command(command, self._environ(directory, key), directory)

    def start(self, streams: list[str], *arguments: str, key: tuple[str, str] = KEY, **variables: Any) -> Command:
        """Start `ansible-playbook apsaravideo.live.start` over these streams."""
        return self.playbook("apsaravideo.live.start", hosts(streams), *arguments, key=key, **variables)

    def _environ(self, directory: Path, key: tuple[str, str]) -> dict[str, str]:
        """Nothing of the user's; slots shared among all that runs since `fresh`."""
        return {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(directory),
            "XDG_RUNTIME_DIR": str(self._runtime),
            "ANSIBLE_HOME": str(directory / "ansible"),
            "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CONNECTION_PLUGINS": str(SUPPORT / "connection"),
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_NOCOLOR": "1",
            "APSARAVIDEO_ENDPOINT": self.emulator.endpoint,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": key[0],
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key[1],
            "REQUESTS_CA_BUNDLE": str(self.ca_path),
        }


@contextmanager
def bench(forks: int, **options: Any) -> Iterator[Bench]:
    """A bench whose emulator has these switches."""
    # under /tmp: the path to Ansible's sockets must not be long
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        Emulator(tls=True, latency=LATENCY, **options) as emulator,
    ):
        yield Bench(emulator, Path(directory), forks)
        if emulator.error_output():
            sys.exit(emulator.error_output())


def names(count: int, domain: str = "live.example.com") -> list[str]:
    """So many streams as `domain/app/stream`."""
    return [f"{domain}/myapp/stream{number:05}" for number in range(count)]


def hosts(streams: list[str]) -> dict[str, dict[str, Any]]:
    """A host for each stream."""
    parts = [stream.split("/") for stream in streams]
    return {part[2]: dict(zip(("domain_name", "app_name", "stream_name"), part)) for part in parts}


# --- the ways to start recordings ------------------------------------------------------------------------------------


def collection(bench: Bench, streams: list[str]) -> Command:
    """This collection, in the worker processes."""
    return bench.start(streams)


def module(bench: Bench, streams: list[str]) -> Command:
    """The same as an ordinary module."""
    return bench.start(streams, ansible_connection="elsewhere", ansible_python_interpreter=sys.executable)


def uri(bench: Bench, streams: list[str]) -> Command:
    """ansible.builtin.uri with a signature that was made beforehand."""
    ready = signed_calls(bench.emulator.endpoint, KEY, streams)
    given = {
        stream.split("/")[2]: {"url": f"{bench.emulator.endpoint}/?{call['query']}", "headers": call["headers"]}
        for stream, call in zip(streams, ready)
    }
    arguments = {"url": "{{ url }}", "method": "POST", "headers": "{{ headers }}", "ca_path": str(bench.ca_path)}
    play = {"hosts": "streams", **LOCAL, "tasks": [{"ansible.builtin.uri": arguments}]}
    return bench.playbook([play], given, ansible_python_interpreter=sys.executable)


def sdk_loop(bench: Bench, streams: list[str]) -> Command:
    """The official SDK, one call after the other."""
    return _sdk(bench, "loop", streams)


def sdk_pool(bench: Bench, streams: list[str]) -> Command:
    """The official SDK in a thread pool behind an ideal limiter."""
    return _sdk(bench, "pool", streams)


def _sdk(bench: Bench, way: str, streams: list[str]) -> Command:
    file = bench.new_directory() / "streams"
    file.write_text("\n".join(streams), encoding="utf-8")
    return bench.python("sdk_client.py", way, file)


Way = Callable[[Bench, list[str]], Command]
# label, how it is run, whether it is fast enough to be run for many streams
WAYS: list[tuple[str, Way, bool]] = [
    ("collection", collection, True),
    ("as a module", module, False),
    ("`ansible.builtin.uri`", uri, False),
    ("SDK, loop", sdk_loop, False),
    ("SDK, thread pool", sdk_pool, True),
]


def run(bench: Bench, label: str, way: Way, count: int) -> Figures:
    """Start the recording of so many streams in one way."""
    streams = names(count)
    bench.fresh(streams)
    command = way(bench, streams)
    command.join()
    require_success(command)
    return figures(label, count, command, bench.calls(), bench.recording())


def figures(label: str, count: int, command: Command, calls: Calls, recording: int) -> Figures:
    """What there is to say about one finished run."""
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


def require_success(command: Command) -> None:
    """Show the output of a command that failed, and end."""
    if command.exit_code:
        output = command.output.read_text(encoding="utf-8")
        sys.exit(f"exit code {command.exit_code}:\n{output[:2000]}\n...\n{output[-1000:]}")


# --- scenarios -------------------------------------------------------------------------------------------------------


def compare(options: argparse.Namespace) -> list[Table]:
    """All ways, for 100 and 1,000 streams, with --large 10,000; the slow ones are extrapolated from 100.

    They take turns, so that a time at which the machine is slow strikes all of them.
    """
    sizes = [SMALL, 1000, *([10_000] if options.large else [])]
    rounds: dict[tuple[str, int], list[Figures]] = {}
    with bench(options.forks) as at:
        for size in sizes:
            for _round in range(ROUNDS if size <= 1000 else 1):
                for label, way, fast in WAYS:
                    if fast or size == SMALL:
                        rounds.setdefault((label, size), []).append(run(at, label, way, size))
    found: list[Figures] = []
    for label, _way, _fast in WAYS:
        measured = [median(rounds[label, size]) for size in sizes if (label, size) in rounds]
        found += measured + [measured[0].extrapolated(size) for size in sizes[len(measured) :]]
    if options.output and not options.scenario:
        options.output.mkdir(exist_ok=True)
        plot(found, QUOTA, options.output / "benchmark.svg")
    return [compare_table(found, size, QUOTA) for size in sizes]


def ceiling(options: argparse.Namespace) -> list[Table]:
    """What the emulator itself can answer: plain clients without a limit, which share the machine with it."""
    clients, each = 4, 1000
    with bench(options.forks, limit={ACTION: 1_000_000}) as at:
        streams = names(clients * each)
        at.fresh(streams)
        commands = []
        for number in range(clients):
            calls = signed_calls(at.emulator.endpoint, KEY, streams[number::clients])
            file = at.new_directory() / "work.json"
            work = {"url": at.emulator.endpoint, "ca_path": str(at.ca_path), "calls": calls}
            file.write_text(json.dumps(work), encoding="utf-8")
            commands.append(at.python("plain_client.py", file))
        for command in commands:
            command.join()
            require_success(command)
        seen = at.calls()
        busy = seen.between(seen.times[len(seen) // 10], seen.times[-len(seen) // 10])
    return [
        Table(
            "The emulator by itself",
            ["clients", "calls", "calls/s", "most calls in a second", "CPU seconds of the clients"],
            [[clients, len(seen), busy.rate, seen.densest_second, sum(command.cpu for command in commands)]],
        )
    ]


def unpaced(options: argparse.Namespace) -> list[Table]:
    """How fast Ansible itself is on this machine, and the collection where neither it nor the server has a limit."""
    count = 300
    streams = names(count)
    debug = {"hosts": "streams", **LOCAL, "tasks": [{"ansible.builtin.debug": {"msg": "here"}}]}
    rows: dict[str, list[tuple[float, float]]] = {"`ansible.builtin.debug`": [], "collection": []}
    with bench(options.forks, limit={ACTION: 1_000_000}) as at:
        for _repetition in range(5):
            for label, found in rows.items():
                at.fresh(streams)
                if label == "collection":
                    command = at.start(streams, record_rate_limit=1_000_000)
                else:
                    command = at.playbook([debug], hosts(streams))
                command.join()
                require_success(command)
                found.append((count / command.seconds, 1000 * command.cpu / count))
    return [
        Table(
            f"Without a limit, {count} hosts, median of 5",
            ["", "hosts/s, whole command", "CPU milliseconds for each host"],
            [[label, *(statistics.median(column) for column in zip(*found))] for label, found in rows.items()],
        )
    ]


def together(options: argparse.Namespace, runs: int) -> list[Table]:
    """Several ansible-playbook at once on one account."""
    streams = names(1200)
    with bench(options.forks) as at:
        at.fresh(streams)
        commands = [at.start(streams[number::runs]) for number in range(runs)]
        for command in commands:
            command.join()
            require_success(command)
        calls, recording = at.calls(), at.recording()
    parts = [Calls([row for row in calls.rows if _number(row) % runs == number]) for number in range(runs)]
    begin, end = max(part.times[0] for part in parts), min(part.times[-1] for part in parts)
    all_busy = calls.between(begin, end)
    shares = sorted(100 * len(part.between(begin, end)) / len(all_busy) for part in parts)
    return [
        Table(
            f"{runs} ansible-playbook at once on one account",
            [
                "streams",
                "recording",
                "calls/s",
                "calls/s while all ran",
                "most calls in a second",
                "throttled",
                "shares %",
            ],
            [
                [
                    len(streams),
                    recording,
                    calls.rate,
                    all_busy.rate,
                    calls.densest_second,
                    calls.throttled,
                    " ".join(f"{share:.1f}" for share in shares),
                ]
            ],
        )
    ]


def _number(row: Mapping[str, Any]) -> int:
    return int(row["params"]["StreamName"].removeprefix("stream"))


def two(options: argparse.Namespace) -> list[Table]:
    """Two ansible-playbook at once on one account."""
    return together(options, 2)


def four(options: argparse.Namespace) -> list[Table]:
    """Four ansible-playbook at once on one account."""
    return together(options, 4)


def accounts(options: argparse.Namespace) -> list[Table]:
    """Two accounts, one after the other and at once; at once they share the CPUs, but no quota."""
    sides = [(KEY, names(400)), (OTHER_ACCOUNT_KEY, names(400, "live.example.org"))]
    rows: list[list[Any]] = []
    with bench(options.forks) as at:
        for way, groups in (("alone", [sides[:1], sides[1:]]), ("at once", [sides])):
            for group in groups:
                at.fresh([stream for _key, streams in group for stream in streams])
                commands = [at.start(streams, key=key) for key, streams in group]
                for command in commands:
                    command.join()
                    require_success(command)
                for (_key, streams), command in zip(group, commands):
                    calls = at.calls().of(DomainName=streams[0].split("/")[0])
                    rows.append(
                        [calls.rows[0]["account"], way, calls.rate, calls.densest_second, calls.throttled, command.cpu]
                    )
    return [
        Table(
            "Two accounts, 400 streams each",
            ["account", "", "calls/s", "most calls in a second", "throttled", "CPU seconds"],
            rows,
        )
    ]


def greedy(options: argparse.Namespace) -> list[Table]:
    """Another client takes half of the quota."""
    streams = names(600)
    with bench(options.forks, other_client={ACTION: QUOTA // 2}) as at:
        at.fresh(streams)
        command = at.start(streams)
        command.join()
        require_success(command)
        calls, recording = at.calls(), at.recording()
    accepted = Calls([row for row in calls.rows if not row["throttled"]])
    return [
        Table(
            f"Another client takes {QUOTA // 2} calls/s",
            ["streams", "recording", "calls/s", "accepted calls/s", "throttled", "retries % of calls", "seconds"],
            [
                [
                    len(streams),
                    recording,
                    calls.rate,
                    accepted.rate,
                    calls.throttled,
                    100 * (len(calls) - len(streams)) / len(calls),
                    command.seconds,
                ]
            ],
        )
    ]


def killed(options: argparse.Namespace) -> list[Table]:
    """A quarter of the workers of two ansible-playbook is killed, all of the same one; do the slots go on?"""
    streams = names(1200)
    with bench(options.forks) as at:
        at.fresh(streams)
        victim, survivor = at.start(streams[0::2]), at.start(streams[1::2])
        while len(at.calls()) < 300:
            time.sleep(0.2)
        workers = victim.children()
        everybody = len(workers) + len(survivor.children())
        chosen = random.sample(workers, min(len(workers), math.ceil(everybody / 4)))
        moment = time.time()
        for pid in chosen:
            os.kill(pid, 9)
        survivor.join()
        require_success(survivor)
        victim.end(10)  # ansible-core waits for ever for the results of workers that were killed
        calls = at.calls()
    seconds = [len(calls.between(moment + second, moment + second + 1)) for second in range(-3, 8)]
    return [
        seconds_table(
            f"{len(chosen)} of the {everybody} workers of two ansible-playbook killed at second 0",
            range(-3, 8),
            seconds,
        )
    ]


def start_up(options: argparse.Namespace) -> list[Table]:
    """The time until the first call, beside the time until a `debug` task first runs."""
    streams = names(SMALL)
    play = {"hosts": "streams", **LOCAL, "tasks": [{"ansible.builtin.debug": {"msg": "at {{ now().timestamp() }}"}}]}
    spent: list[tuple[float, float]] = []
    with bench(options.forks) as at:
        for _repetition in range(7):
            at.fresh(streams)
            ours, other = at.start(streams), None
            ours.join()
            require_success(ours)
            other = at.playbook([play], hosts(streams))
            other.join()
            require_success(other)
            words = other.output.read_text(encoding="utf-8").replace('"', " ").split()
            first = min(float(words[place + 1]) for place, word in enumerate(words) if word == "at")
            spent.append((at.calls().times[0] - ours.began, first - other.began))
    rows = [[*pair, pair[0] - pair[1]] for pair in spent]
    medians = [statistics.median(column) for column in zip(*rows)]
    return [
        Table(
            f"Seconds until something happens, {SMALL} streams, median of {len(rows)}",
            ["first call", "first `debug`", "difference", "smallest difference", "largest difference"],
            [[*medians, min(row[2] for row in rows), max(row[2] for row in rows)]],
        )
    ]


def long(options: argparse.Namespace) -> list[Table]:
    """10,000 streams in batches of 500."""
    streams, batch = names(10_000), 500
    with bench(options.forks) as at:
        at.fresh(streams)
        command = at.start(streams, "-e", f"batch={batch}")
        command.join()
        require_success(command)
        calls, recording = at.calls(), at.recording()
    first, last = Calls(calls.rows[:1000]), Calls(calls.rows[-1000:])
    return [
        Table(
            f"{len(streams)} streams in batches of {batch}",
            ["recording", "calls/s", "first 1000", "last 1000", "throttled", "CPU seconds", "peak memory MiB"],
            [
                [
                    recording,
                    calls.rate,
                    first.rate,
                    last.rate,
                    calls.throttled,
                    command.cpu,
                    command.peak_memory / 2**20,
                ]
            ],
        )
    ]


HEAD = """# Benchmark

Written by `make bench`. The quota is 50 calls/s, of which the collection uses 48.

![streams per second, and seconds for all streams, of each way](benchmark.svg)

"""
FACTS = """* This machine: {machine}.
* The emulator runs beside the clients in a process of its own, over HTTPS, with {latency} ms before each answer. It
  stands for a machine of its own, so all that calls it runs with a lower priority (`nice`): otherwise requests would
  queue up before it wherever the cores are busy.
* `ansible-playbook` has {forks} forks and `pipelining` on, which only the ordinary modules use. `ansible.builtin.uri`
  sends calls that were signed beforehand, without regard to the quota.
* The ways take turns, {rounds} times for 100 and 1,000 streams, once for 10,000. Shown is the round with the median
  rate.
* Calls, their rates and the most calls in any span of one second are those of {action} in the emulator's log.
  CPU is user and system time of the command and all its processes; memory is the sum of their proportional set sizes
  (PSS), looked at each second.
* The load average is that of the last minute, what runs here included. Where it is high before the start, others had a
  part of the machine. So they may have on a virtual machine without showing in it, and then a fixed piece of work in
  Python, timed before and after, takes longer.
"""

SCENARIOS: dict[str, Callable[[argparse.Namespace], list[Table]]] = {
    "compare": compare,
    "ceiling": ceiling,
    "unpaced": unpaced,
    "two": two,
    "four": four,
    "accounts": accounts,
    "greedy": greedy,
    "killed": killed,
    "start-up": start_up,
    "long": long,
}


def machine() -> str:
    """What the figures depend on."""
    rows = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((row.split(":")[1] for row in rows if row.startswith("model name")), "")
    return (
        f"{len(os.sched_getaffinity(0))} cores ({model.strip() or platform.machine()}), "
        f"Python {platform.python_version()}, ansible-core {version('ansible-core')}, "
        f"SDK {version('alibabacloud-live20161101')}"
    )


def state() -> str:
    """What the machine is up to: the load average of the last minute, and how long a fixed piece of work takes."""
    begin = time.perf_counter()
    sum(range(10_000_000))
    return f"load average {os.getloadavg()[0]:.1f}, fixed work {1000 * (time.perf_counter() - begin):.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}; default: all, long only with --large")
    parser.add_argument("--forks", type=int, default=FORKS, help="of ansible-playbook (default: %(default)s)")
    parser.add_argument("--large", action="store_true", help="10,000 streams, too: 210 s for each run")
    parser.add_argument("--output", type=Path, help="where to write benchmark.md and benchmark.svg of all scenarios")
    options = parser.parse_args()
    wanted = options.scenario or [name for name in SCENARIOS if options.large or name != "long"]
    if unknown := set(wanted) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    facts = FACTS.format(machine=machine(), forks=options.forks, latency=LATENCY, action=ACTION, rounds=ROUNDS)
    print(facts, flush=True)
    text = HEAD + facts
    for name in wanted:
        before = state()
        for table in SCENARIOS[name](options):
            part = f"{table.markdown()}\nAt the start {before}; at the end {state()}.\n"
            print(part, flush=True)
            text += part
    if options.output and not options.scenario:
        (options.output / "benchmark.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
