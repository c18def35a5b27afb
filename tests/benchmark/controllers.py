# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure several controllers that share one quota through a server, each with a home and a runtime directory.

The server is a real one on this machine, see support.store. Figures of calls come from the emulator's log.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import ACTION, Bench, bench, finish, hosts, names
from measure import Calls, Command
from report import Table, Target, targets_table

from support.emulator import ACCOUNT, KEY
from support.store import PROGRAM, Store

SECOND_KEY = ("secondAccessKeyId", "secondAccessKeySecret")
SECOND_USER = {
    "id": ACCOUNT,
    "users": [{"name": "second", "allow": ["live:*"]}],
    "access_keys": [{"id": SECOND_KEY[0], "secret": SECOND_KEY[1], "user": "second"}],
}
COUNT = 3  # controllers
WHOLE = 46  # calls per second at the least
HEAD = ["", "recording", "calls/s", "calls/s while all ran", "most calls in a second", "throttled", "shares %"]


def controller(at: Bench, streams: list[str], key: tuple[str, str] = KEY, **environ: str) -> Command:
    """Start a controller that shares nothing with others but what the environment names."""
    own = {"XDG_RUNTIME_DIR": str(at.new_directory()), "APSARAVIDEO_STS_ENDPOINT": at.emulator.endpoint, **environ}
    return at.start(streams, key=key, environ=own)


def split(streams: list[str], count: int = COUNT) -> list[list[str]]:
    return [streams[number::count] for number in range(count)]


def measure(at: Bench, label: str, streams: list[str], count: int = COUNT) -> tuple[list[Any], Calls, list[float]]:
    """Return a row of figures, the calls while all controllers ran, and their shares of those in percent."""
    calls = at.calls()
    parts = [calls.where(lambda row, part=set(part): _name(row) in part) for part in split(streams, count)]
    begin, end = max(part.times[0] for part in parts), min(part.times[-1] for part in parts)
    busy = calls.between(begin, end)
    shares = [100 * count * len(part.between(begin, end)) / len(busy) for part in parts]
    shown = " ".join(f"{share:.1f}" for share in shares)
    row = [label, at.recording(), calls.rate, busy.rate, calls.densest_second, calls.throttled, shown]
    return row, busy, shares


def _name(row: Mapping[str, Any]) -> str:
    return "/".join(str(row["params"][name]) for name in ("DomainName", "AppName", "StreamName"))


def together(options: argparse.Namespace) -> list[Table]:
    """Run three controllers on one account: each on its own, with a share, with a server, with two access keys."""
    streams = names(options.streams)
    rows, targets = [], []
    with bench(options.forks) as at, Store() as store:
        url = {"APSARAVIDEO_RATE_LIMIT_STORE": store.url}
        ways: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
            "nothing set": ({}, 3 * [KEY]),
            "server": (url, 3 * [KEY]),
            "server, two access keys": (url, [KEY, SECOND_KEY, KEY]),
        }
        for label, (environ, keys) in ways.items():
            at.fresh(streams)
            at.emulator.add_accounts(SECOND_USER)
            before = store.count("evalsha")
            finish(*[controller(at, part, key, **environ) for part, key in zip(split(streams), keys)])
            row, busy, shares = measure(at, label, streams)
            asked = store.count("evalsha") - before
            rows.append([*row, asked / len(at.calls()) if asked else None])
            if environ:
                targets += [
                    Target(f"{label}: calls/s while all ran", busy.rate, WHOLE),
                    Target(f"{label}: most calls in a second", row[4], at_most=50),
                    Target(f"{label}: throttled calls", row[5], at_most=0),
                    Target(f"{label}: smallest share, 100 % is an equal one", min(shares), 95),
                    Target(f"{label}: largest share", max(shares), at_most=105),
                    Target(f"{label}: round trips of each call", asked / len(at.calls()), at_most=1.05),
                ]
    title = f"{COUNT} controllers on one account, {options.streams} streams"
    return [Table(title, [*HEAD, "round trips of each call"], rows, targets=targets)]


def kill(store: Store) -> None:
    store.kill()
    time.sleep(4)
    store.start()


def freeze(store: Store) -> None:
    store.freeze()
    time.sleep(4)
    store.thaw()


def flush(store: Store) -> None:
    store.command("FLUSHALL")


def restart(store: Store) -> None:
    store.restart()


def change_password(store: Store) -> None:
    """Change the password, end all connections, and restore the password after some seconds."""
    store.set_password("another-password")
    time.sleep(4)
    store.set_password("the-password")


FAULTS = {
    "killed for 4 s": kill,
    "frozen for 4 s": freeze,
    "flushed": flush,
    "restarted": restart,
    "another password for 4 s": change_password,
}


def faults(options: argparse.Namespace) -> list[Table]:
    """Make the server fail while three controllers work, each of which has a share of a third."""
    streams = names(options.streams)
    rows, targets = [], []
    with bench(options.forks) as at:
        for label, fault in FAULTS.items():
            at.fresh(streams)
            with Store(requirepass="the-password") as store:
                environ = {
                    "APSARAVIDEO_RATE_LIMIT_STORE": store.url,
                    "APSARAVIDEO_RATE_LIMIT_STORE_PASSWORD": "the-password",
                }
                shared = {"apsaravideo_rate_limit_share": round(1 / COUNT, 3)}
                commands = [
                    at.start(
                        part,
                        environ={
                            **environ,
                            "XDG_RUNTIME_DIR": str(at.new_directory()),
                            "APSARAVIDEO_STS_ENDPOINT": at.emulator.endpoint,
                        },
                        **shared,
                    )
                    for part in split(streams)
                ]
                while len(at.emulator.calls(ACTION)) < options.streams / 6:
                    time.sleep(0.2)
                fault(store)
                back = time.time()
                finish(*commands)
            row, busy, _shares = measure(at, label, streams)
            after = busy.between(back + 15, float("inf"))
            warned = [sum("rate_limit_store could" in line for line in command.lines()) for command in commands]
            secret = sum("the-password" in line for command in commands for line in command.lines())
            extra = 100 * (len(at.calls()) - len(streams)) / len(streams)
            shown = " ".join(map(str, warned))
            rows.append([label, row[1], row[2], row[4], row[5], extra, after.rate, shown])
            targets += [
                Target(f"{label}: recording", row[1], len(streams)),
                Target(f"{label}: more calls in %", extra, at_most=5),
                Target(f"{label}: calls/s from 15 s after its return", after.rate, WHOLE),
                Target(f"{label}: most warnings of a run", max(warned), at_most=1),
                Target(f"{label}: passwords in the output", secret, at_most=0),
            ]
    head = ["", "recording", "calls/s", "most calls in a second", "throttled", "more calls, %"]
    title = f"A server that fails while {COUNT} controllers start {options.streams} streams"
    return [Table(title, [*head, "calls/s from 15 s after", "warnings of each"], rows, targets=targets)]


def slices(options: argparse.Namespace) -> list[Table]:
    """Start 5,000 streams in four slices as AWX does: by ansible-runner, each with a private data directory."""
    count = 4
    streams = names(options.sliced)
    with bench(options.forks) as at, Store() as store:
        at.fresh(streams)
        commands, reports = [], []
        for part in split(streams, count):
            data = at.new_directory()
            for name in ("inventory", "env", "project"):
                (data / name).mkdir()
            group = {"streams": {"hosts": hosts(part)}}
            (data / "inventory" / "hosts.json").write_text(json.dumps({"all": {"children": group}}), encoding="utf-8")
            environ = {
                "APSARAVIDEO_RATE_LIMIT_STORE": store.url,
                "APSARAVIDEO_STS_ENDPOINT": at.emulator.endpoint,
                "XDG_RUNTIME_DIR": str(data),
            }
            (data / "env" / "envvars").write_text(json.dumps(environ), encoding="utf-8")
            runner = Path(sys.executable).with_name("ansible-runner")
            arguments = f"--forks {options.forks} -e report={data}/report.json"
            words = [runner, "run", data, "-p", "apsaravideo.live.start", "--cmdline", arguments]
            reports.append(f"{data}/report.json")
            commands.append(Command(words, {**at.environ(data, KEY), "PATH": _path()}, at.new_directory()))
        finish(*commands)
        merged = at.new_directory() / "all.json"
        given = json.dumps({"reports": reports, "report": [str(merged)]})
        finish(at.playbook("apsaravideo.live.merge_reports", {}, "-e", given))
        counts = json.loads(merged.read_text(encoding="utf-8"))["counts"]
        row, busy, shares = measure(at, f"{count} slices", streams, count)
        asked = store.count("evalsha") / len(at.calls())
    title = f"{len(streams)} streams in {count} slices with ansible-runner"
    targets = [
        Target(f"{title}: recording", row[1], len(streams)),
        Target(f"{title}: changed according to the merged report", counts["changed"], len(streams)),
        Target(f"{title}: calls/s", row[2], WHOLE),
        Target(f"{title}: most calls in a second", row[4], at_most=50),
        Target(f"{title}: throttled calls", row[5], at_most=0),
        Target(f"{title}: round trips of each call", asked, at_most=1.05),
    ]
    longest = max(command.seconds for command in commands)
    cpu = sum(command.cpu for command in commands)
    return [
        Table(
            title,
            [*HEAD, "round trips of each call", "seconds", "CPU seconds"],
            [[*row, asked, longest, cpu]],
            targets=targets,
        )
    ]


def _path() -> str:
    """Return a PATH on which ansible-runner finds ansible-playbook."""
    return f"{Path(sys.executable).parent}:{Path(shutil.which('nice') or '/usr/bin/nice').parent}:/usr/bin:/bin"


SCENARIOS: dict[str, Callable[[argparse.Namespace], list[Table]]] = {
    "together": together,
    "faults": faults,
    "slices": slices,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}; default: all")
    parser.add_argument("--forks", type=int, default=10, help="of ansible-playbook (default: %(default)s)")
    parser.add_argument("--streams", type=int, default=1500, help="of three controllers (default: %(default)s)")
    parser.add_argument("--sliced", type=int, default=5000, help="streams of four slices (default: %(default)s)")
    options = parser.parse_args()
    if not PROGRAM:
        sys.exit("Neither redis-server nor valkey-server is installed.")
    if unknown := set(options.scenario) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    tables: list[Table] = []
    for name in options.scenario or SCENARIOS:
        for table in SCENARIOS[name](options):
            tables.append(table)
            print(table.markdown(), flush=True)
    print(targets_table("Targets", tables).markdown())


if __name__ == "__main__":
    main()
