# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the rulebook keep_recording as a user would, with ansible-rulebook in a process group of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from support.emulator import Emulator
from support.playbook import environment

RECORDING_KEY = "recordingKey0123456789"
INGEST_KEY = "ingestKey0123456789abcdef"
RULEBOOK = "apsaravideo.live.keep_recording"
PROGRAM = Path(sys.executable).with_name("ansible-rulebook")


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true value of a condition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


def scenario(port: int, signed: bool = True) -> dict[str, Any]:
    """Return a cloud whose callbacks, of pushes and of recordings, go to this port."""
    url = f"http://127.0.0.1:{port}/events"
    domain = {"DomainName": "live.example.com", "NotifyUrl": url, "NeedStatusNotify": True}
    ingest = {"DomainName": "push.example.com", "NotifyUrl": url}
    if signed:
        domain.update(NotifyReqAuth=True, NotifyAuthKey=RECORDING_KEY)
        ingest.update(NotifyReqAuth="yes", NotifyAuthKey=INGEST_KEY)
    record = {
        "DomainName": "live.example.com",
        "AppName": "*",
        "StreamName": "*",
        "OnDemand": 7,
        "OssBucket": "recordings",
        "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
        "RecordFormat": [{"Format": "mp4", "OssObjectPrefix": "{AppName}/{StreamName}/{StartTime}_{EndTime}"}],
    }
    account = {
        "id": "1000000000000001",
        "users": [{"name": "operator", "allow": ["live:*"]}],
        "access_keys": [{"id": "testAccessKeyId", "secret": "testAccessKeySecret", "user": "operator"}],
        "domains": [{"name": "live.example.com", "ingest": ["push.example.com"]}],
        "record_configs": [record],
        "notify_configs": [domain],
        "ingest_notify_configs": [ingest],
    }
    return {"accounts": [account], "streams": []}


class Rulebook:
    """A running rulebook, or one to start; a context manager that kills it with its playbooks."""

    def __init__(self, directory: Path, emulator: Emulator, port: int, **variables: Any) -> None:
        self.directory = directory
        self.port = port
        self.log = directory / "rulebook.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._variables = directory / "variables.json"
        given = {
            "events_port": port,
            "events_path": "/events",
            "events_recording_auth_keys": [RECORDING_KEY],
            "events_ingest_auth_keys": [INGEST_KEY],
            "events_ingest_domains": {"push.example.com": "live.example.com"},
            **variables,
        }
        self._variables.write_text(json.dumps(given), encoding="utf-8")
        kept = ("PATH", "LANG", "LC_ALL", "ANSIBLE_COLLECTIONS_PATH", "JAVA_HOME")
        self.environ = {name: os.environ[name] for name in kept if name in os.environ}
        self.environ.update(
            environment(emulator),
            HOME=str(directory),
            ANSIBLE_CONFIG=str(directory / "ansible.cfg"),
            XDG_RUNTIME_DIR=str(directory),
            ANSIBLE_NOCOLOR="1",
        )
        (directory / "ansible.cfg").touch()

    def inventory(self, streams: Mapping[str, Any]) -> Path:
        """Write the inventory, whose group `streams` has these hosts."""
        file = self.directory / "inventory.json"
        file.write_text(json.dumps({"all": {"children": {"streams": {"hosts": dict(streams)}}}}), encoding="utf-8")
        return file

    def start(self, **environ: str) -> Rulebook:
        """Start it, and wait until it listens."""
        inventory = self.directory / "inventory.json"
        command: list[str | Path] = [PROGRAM, "--rulebook", RULEBOOK, "-i", inventory, "--vars", self._variables]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.directory,
                env={**self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._listens, 60, f"the rulebook listens; {self.log.read_text()[-2000:]}")
        return self

    def _listens(self) -> bool:
        assert self._process and self._process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """Kill the rule engine and the playbooks that it runs, which are sessions of their own."""
        if self._process:
            for number in [*_descendants(self._process.pid), self._process.pid]:
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def runs(self) -> int:
        """Return the number of playbooks that have begun."""
        return self.log.read_text(encoding="utf-8", errors="replace").count("PLAY [Keep recording]")

    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def health(self) -> dict[str, Any]:
        """Return the counters of the source."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.port}/health", timeout=10) as response:
            found: dict[str, Any] = json.load(response)
            return found

    def __enter__(self) -> Rulebook:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found += [*_descendants(child), child]
    return found
