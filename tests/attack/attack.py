# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attack the collection from outside: run ansible-playbook against hostile servers, and with special or broken files.

Everything is on loopback addresses and below a temporary directory. A run must end within a minute, without a
traceback, without a secret in its output, with at most 100 MiB more memory than the same run against a healthy server
and, where it says so, with its streams recording. The exit code is 1 if one does not.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import re
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

LIVE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(LIVE.parents[2]), str(LIVE / "tests")]

import hostile

from support.emulator import KEY, OIDC_PROVIDER, ROLE, Emulator
from support.playbook import Ansible, streams

MAX_SECONDS = 60
MAX_MORE_MEMORY = 100  # MiB, of the largest process of a run
TOKEN, FILED = "plantedTokenOfTheEnvironment", "plantedSecretOfAFile"
SECRETS = (KEY[1], TOKEN, FILED)
FORMS = {form for text in SECRETS for form in (text, quote(text), base64.b64encode(text.encode()).decode().rstrip("="))}
DOMAIN = "live.example.com"
NAMES = [f"{DOMAIN}/app/s{number}" for number in range(5)]
STREAM = streams(NAMES)["s0"]
# A run takes at most retry_timeout and one more attempt, which takes at most six times read_timeout.
BOUNDS = {"retry_timeout": 5, "connect_timeout": 2, "read_timeout": 3}
WRONG = ("hangs", "tracebacks", "leaks", "over the memory", "untrue successes")
FAULTS = ["reset_before", "reset_after", "truncate", "half_json", "empty", "stall", "html", "redirect", "throttle"]
FAULTS += ["status_500", "status_503", "error", "bare"]

# The attacked tasks; other runs are of a playbook or of the inventory.
MODULES: dict[str, dict[str, Any]] = {
    "module": {"apsaravideo_record": {**STREAM, "wait": True, "wait_timeout": 5}},
    "info": {"apsaravideo_record_info": {"domain_name": DOMAIN, "gather": ["state", "config", "events"]}},
    "config": {
        "apsaravideo_record_config": {"domain_name": DOMAIN, "app_name": "app", "stream_name": "s0", "state": "absent"}
    },
    "role": {"apsaravideo_record": {**STREAM, "role_arn": ROLE}},
}
WAYS = [*MODULES, "fleet", "status", "inventory"]

# --- special and broken files ----------------------------------------------------------------------------------------

PROFILES = {"current": "p", "profiles": [{"name": "p", "mode": "AK", "access_key_id": "i", "access_key_secret": FILED}]}
CONTENT = json.dumps(PROFILES).encode()
FILES = ["pipe", "device", "directory", "link to a pipe", "link to itself", "socket", "5 MiB", "of another user"]
FILES += ["half", "noise", "deep", "empty", "without end", "missing"]
# Options of tasks, variables of hosts and of the environment, extra variables, and files with fixed names
PLACES = ["option credentials_file", "option ca_path", "fleet credentials_file", "fleet ca_path", "retry_file", "dest"]
PLACES += ["inventory credentials_file", "inventory ca_path", "inventory cache", "report"]
PLACES += ["ALICLOUD_SHARED_CREDENTIALS_FILE", "ALIBABA_CLOUD_CREDENTIALS_FILE", "ALIBABA_CLOUD_OIDC_TOKEN_FILE"]
PLACES += [
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "XDG_RUNTIME_DIR",
    ".aliyun/config.json",
    ".alibabacloud/credentials",
]


def make(kind: str, path: Path) -> Path:
    """Create a special or broken file, and return its path."""
    if kind == "device":
        return Path("/dev/zero")
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind.startswith("link"):
        target = path.with_name("the-pipe") if kind == "link to a pipe" else path
        if target != path:
            os.mkfifo(target)
        path.symlink_to(target)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind != "missing":
        contents = {"5 MiB": CONTENT + b" " * (5 << 20), "half": CONTENT[:-9], "noise": random.randbytes(9999)}
        contents.update({"deep": b"[" * 1_000_000, "empty": b""})
        path.write_bytes(contents.get(kind, CONTENT))
        path.chmod(0o600)
        if kind == "without end":
            os.truncate(path, 1 << 40)
        if kind == "of another user" and os.getuid() == 0:
            os.chown(path, 12345, 12345)
    return path


# --- runs ------------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """A call of the collection, with its options, environment, extra variables and further tasks."""

    way: str
    options: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    after: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Outcome:
    """The duration, the read_peak_memory memory in MiB, the exit code and the output of a run."""

    seconds: float
    memory: float
    exit_code: int
    output: str


def list_children(pid: int) -> list[int]:
    """Return the living child processes of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def read_peak_memory(pid: int) -> float:
    """Return the peak memory of a process in MiB; the rusage of a child would include this program's own memory."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def run(endpoint: str, directory: Path, what: Run) -> Outcome:
    """Run ansible-playbook, and kill it and its workers if it takes too long."""
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY[0], "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY[1]}
    where = {"APSARAVIDEO_ENDPOINT": endpoint, "APSARAVIDEO_STS_ENDPOINT": endpoint, "NO_PROXY": "127.0.0.1"}
    ansible = Ansible(directory, {**where, **keys, **what.environ})
    options = {**BOUNDS, **what.options}
    if what.way in ("fleet", "status"):
        variables = {f"apsaravideo_{name}": value for name, value in options.items()}
        source = ansible.inventory(streams(NAMES), **variables)
        playbook = "apsaravideo.live.start" if what.way == "fleet" else "apsaravideo.live.status"
    else:
        source, playbook = directory / "live.apsaravideo.yml", str(directory / "play.json")
        plugin = {"plugin": "apsaravideo.live.apsaravideo_streams", "domains": [DOMAIN], **options}
        source.write_text(json.dumps(plugin if what.way == "inventory" else {"all": {}}), encoding="utf-8")
        tasks = [{f"apsaravideo.live.{name}": {**options, **it}} for name, it in MODULES.get(what.way, {}).items()]
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [*tasks, *what.after]}
        Path(playbook).write_text(json.dumps([play]), encoding="utf-8")
    extra = json.dumps({"accept_unknown": True, **what.extra})
    began, memory = time.monotonic(), 0.0
    with open(directory / "output", "w+b") as output:
        process = ansible.begin(playbook, "-i", str(source), "-e", extra, "-vv", stdout=output, encoding=None)
        while process.poll() is None:
            family = [process.pid, *list_children(process.pid)]
            memory = max(memory, *map(read_peak_memory, family))
            if time.monotonic() - began > MAX_SECONDS:
                for member in family:
                    with suppress(ProcessLookupError):
                        os.kill(member, signal.SIGKILL)
            time.sleep(0.02)
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Outcome(time.monotonic() - began, memory, process.returncode, text)


def make_run(place: str, path: Path) -> Run:
    """Return a run that uses a file in one of the PLACES."""
    https = {"endpoint": "https://127.0.0.1:9", "retry_timeout": 0}
    no_keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}
    no_keys["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true"
    way, _space, name = place.partition(" ")
    if name in ("credentials_file", "ca_path"):
        options = {name: str(path), **(https if name == "ca_path" else {})}
        return Run({"option": "module"}.get(way, way), options)
    if place == "inventory cache":
        cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(path)}
        return Run("inventory", cache)
    if place == "retry_file":
        return Run("fleet", extra={"retry_file": str(path)})
    if place == "dest":
        return Run("status", extra={"dest": str(path)})
    if place == "report":
        return Run("module", after=[{"apsaravideo.live.apsaravideo_record_report": {"retry_file": str(path)}}])
    if "CA_BUNDLE" in place:
        return Run("fleet", https, {place: str(path)})
    environ = {} if place.startswith(".") or place == "XDG_RUNTIME_DIR" else {place: str(path)}
    if place == "XDG_RUNTIME_DIR":
        return Run("fleet", environ={place: str(path)})
    if "OIDC" in place:
        environ.update(ALIBABA_CLOUD_OIDC_PROVIDER_ARN=OIDC_PROVIDER, ALIBABA_CLOUD_ROLE_ARN=ROLE)
    return Run(random.choice(["module", "fleet", "status"]), environ={**environ, **no_keys})


# --- the attack ------------------------------------------------------------------------------------------------------


@dataclass
class Attack:
    """Cases that are run until the time is over, and the counts of what was wrong with them."""

    directory: Path
    until: float
    healthy: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    most: float = 0.0
    longest: float = 0.0

    def case(self, name: tuple[str, str, str]) -> None:
        """Run one case, unless the time is over."""
        if time.monotonic() > self.until:
            self.counts["left out"] += 1
            return
        kind, where, what = name
        directory = Path(tempfile.mkdtemp(dir=self.directory))
        if kind == "answer":
            token = {"ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN} if where != "role" else {}
            with hostile.Server(hostile.RAW[what]) as server:
                outcome = run(server.endpoint, directory, Run(where, environ=token))
            self.judge(name, where, outcome, recording=True)
            return
        with Emulator() as cloud:
            cloud.push(*NAMES)
            if kind == "fault":
                cloud.fault(what, seconds=3600 if what == "stall" else 30, location="http://127.0.0.1:9/")
                planned = Run(where)
            elif kind == "file":
                path = directory / (where if where.startswith(".") else "file")
                path.parent.mkdir(exist_ok=True)
                made = make(what, path)
                if made != path and where.startswith("."):
                    path.symlink_to(made)
                planned = make_run(where, made)
            else:
                planned = Run(where)
            outcome = run(cloud.endpoint, directory, planned)
            if kind == "healthy":
                self.healthy[where] = outcome.memory
                if outcome.exit_code:
                    sys.exit(f"Even a healthy run fails:\n{outcome.output}")
            wanted = {"module": NAMES[:1], "role": NAMES[:1], "fleet": NAMES}.get(planned.way, [])
            recording = all(cloud.stream(name)["recording"] == "recording" for name in wanted)
            self.judge(name, planned.way, outcome, recording)

    def judge(self, name: tuple[str, str, str], way: str, outcome: Outcome, recording: bool) -> None:
        """Count a run and its faults, and print them."""
        more = outcome.memory - self.healthy[way]
        self.most, self.longest = max(self.most, more), max(self.longest, outcome.seconds)
        self.counts["runs"] += 1
        traceback = "Traceback (most recent" in outcome.output or outcome.exit_code not in (0, 1, 2, 4, -signal.SIGKILL)
        leak = any(form in outcome.output for form in FORMS)
        untrue = outcome.exit_code == 0 and not recording
        found = (outcome.seconds > MAX_SECONDS, traceback, leak, more > MAX_MORE_MEMORY, untrue)
        said = [words for words, is_wrong in zip(WRONG, found) if is_wrong]
        self.counts.update(said)
        about = f"{outcome.seconds:5.1f} s  {more:+5.0f} MiB  rc {outcome.exit_code}  {', '.join(name)}"
        print(f"{about}  {' '.join(said).upper()}\n{outcome.output if said else ''}".rstrip(), flush=True)


def cases() -> Iterator[tuple[str, str, str]]:
    """Yield all cases, each of a kind, the attacked part, and what it is attacked with."""
    yield from (("answer", way, answer) for way in WAYS for answer in hostile.RAW)
    yield from (("fault", way, fault) for way in WAYS for fault in FAULTS)
    yield from (("file", place, kind) for place in PLACES for kind in FILES)


def main() -> None:
    """Attack for some minutes, and print totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=150, help="no run begins later; default: 150")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the order; default: any")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    given = parser.parse_args()
    random.seed(given.seed)
    hostile.KNOWN[:] = [KEY[1], TOKEN, quote(TOKEN)]
    chosen = [case for case in cases() if given.only in ", ".join(case)]
    random.shuffle(chosen)
    with tempfile.TemporaryDirectory(prefix="attack-") as directory, ThreadPoolExecutor(4) as pool:
        attack = Attack(Path(directory), time.monotonic() + given.seconds)
        for _done in pool.map(attack.case, [("healthy", way, "") for way in WAYS]):
            pass
        for _done in pool.map(attack.case, chosen):
            pass
    bad = {name: attack.counts[name] for name in WRONG}
    print(
        f"Seed {given.seed}: {attack.counts['runs']} runs, {attack.counts['left out']} of {len(chosen)} cases left out."
    )
    print(f"Longest {attack.longest:.0f} s, most memory {attack.most:+.0f} MiB.")
    print(", ".join(f"{count} {name}" for name, count in bad.items()))
    sys.exit(1 if any(bad.values()) else 0)


if __name__ == "__main__":
    main()
