# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bench: an emulator in a process of its own, and commands that are run against it."""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
COLLECTIONS = HERE.parents[4]
sys.path[:0] = [str(SUPPORT.parent), str(COLLECTIONS)]

import certifi  # noqa: E402
from measure import Calls, Command  # noqa: E402

from support.emulator import KEY, Emulator  # noqa: E402

ACTION = "RealTimeRecordCommand"
QUOTA = 50  # calls per second of an account
LATENCY = 30  # milliseconds before each response
DOMAIN = "live.example.com"
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
LOCAL = {"connection": "local", "gather_facts": False}
FAILED_HOSTS = 2  # exit code of ansible-playbook


class Bench:
    """An emulator, a directory, and methods that run commands against it."""

    def __init__(self, emulator: Emulator, directory: Path, forks: int) -> None:
        self.emulator = emulator
        self.directory = directory
        self.forks = forks
        self._numbers = itertools.count(1)
        self._runtime = directory
        # The usual certificates beside that of the emulator, because reading them takes clients time.
        self.ca_path = directory / "ca.pem"
        emulators = Path(str(emulator.ca_path)).read_text(encoding="utf-8")
        self.ca_path.write_text(certifi.contents() + emulators, encoding="utf-8")

    def fresh(self, streams: list[str]) -> None:
        """Clear all calls and slots, and push these streams."""
        self.emulator.reset()
        self.emulator.push(*streams)
        self._runtime = self.new_directory()

    def new_directory(self) -> Path:
        """Return a new directory."""
        made = self.directory / f"{next(self._numbers)}"
        made.mkdir(mode=0o700)
        (made / "ansible.cfg").touch()
        return made

    def calls(self, action: str = ACTION) -> Calls:
        """Return the calls of an API operation to which a response was sent."""
        return Calls(self.emulator.calls(action))

    def recording(self) -> int:
        """Return the number of streams that are being recorded."""
        return sum(stream["recording"] == "recording" for stream in self.emulator.state()["streams"])

    def python(self, program: str, *arguments: str | Path) -> Command:
        """Start a Python program of this directory."""
        directory = self.new_directory()
        return Command([sys.executable, HERE / program, *arguments], self.environ(directory, KEY), directory)

    def playbook(
        self,
        playbook: str | list[dict[str, Any]],
        hosts: Mapping[str, Any],
        *arguments: str,
        key: tuple[str, str] = KEY,
        environ: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Command:
        """Start ansible-playbook with a playbook, given by name or by content, for hosts with variables."""
        directory = self.new_directory()
        inventory = directory / "inventory.json"
        group = {"hosts": dict(hosts), "vars": variables}
        inventory.write_text(json.dumps({"all": {"children": {"streams": group}}}), encoding="utf-8")
        if not isinstance(playbook, str):
            (directory / "playbook.json").write_text(json.dumps(playbook), encoding="utf-8")
            playbook = "playbook.json"
        command: list[str | Path] = [PLAYBOOK, playbook, "-i", inventory, "--forks", str(self.forks), *arguments]
        return Command(command, {**self.environ(directory, key), **(environ or {})}, directory)

    def start(
        self,
        streams: list[str],
        *arguments: str,
        key: tuple[str, str] = KEY,
        environ: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Command:
        """Start `ansible-playbook apsaravideo.live.start` for these streams."""
        return self.playbook(
            "apsaravideo.live.start", hosts(streams), *arguments, key=key, environ=environ, **variables
        )

    def environ(self, directory: Path, key: tuple[str, str]) -> dict[str, str]:
        """Return an environment without the user's settings; commands since the last `fresh` share their slots."""
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
    """Yield a bench whose emulator has these options."""
    # Below /tmp, because paths of Ansible's sockets must be short.
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        Emulator(tls=True, **{"latency": LATENCY, **options}) as emulator,
    ):
        yield Bench(emulator, Path(directory), forks)
        if emulator.error_output():
            sys.exit(emulator.error_output())


def names(count: int, domain: str = DOMAIN, prefix: str = "stream") -> list[str]:
    """Return the names of `count` streams as `domain/app/stream`."""
    return [f"{domain}/myapp/{prefix}{number:05}" for number in range(count)]


def hosts(streams: list[str], **variables: Any) -> dict[str, dict[str, Any]]:
    """Return a host with its variables for each stream."""
    parts = [stream.split("/") for stream in streams]
    return {part[2]: {**dict(zip(("domain_name", "app_name", "stream_name"), part)), **variables} for part in parts}


def record_config(domain: str) -> dict[str, Any]:
    """Return a recording configuration for all streams of a domain."""
    return {
        "DomainName": domain,
        "AppName": "*",
        "StreamName": "*",
        "OnDemand": 7,
        "OssBucket": "recordings",
        "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
        "RecordFormat": [{"Format": "mp4", "OssObjectPrefix": "{AppName}/{StreamName}/{StartTime}_{EndTime}"}],
    }


def finish(*commands: Command, expected: int = 0) -> None:
    """Wait for commands; exit with the output of one that has another exit code than expected."""
    for command in commands:
        command.join()
        if command.exit_code != expected:
            output = command.output.read_text(encoding="utf-8")
            sys.exit(f"exit code {command.exit_code}:\n{output[:2000]}\n...\n{output[-1000:]}")
