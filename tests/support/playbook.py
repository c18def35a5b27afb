# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks as a user would, with ansible-playbook in a process of its own, and reads what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import requests

from ansible_collections.apsaravideo.live.plugins.module_utils._api.signature import build_canonical_query, sign_headers
from support.emulator import KEY, ROLE, Emulator

STREAM = "live.example.com/myapp/stream01"
# Keywords of a play: the task runs in the worker process of ansible-playbook, or as a module elsewhere.
WAYS: dict[str, dict[str, Any]] = {
    "in process": {},
    "as a module": {"vars": {"ansible_connection": "elsewhere", "ansible_python_interpreter": sys.executable}},
}
# Of the playbooks that bring a fleet of streams to a state.
FLEET = "Set all streams to the desired state"
SUPPORT = Path(__file__).parent
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


@dataclass
class Run:
    """A finished run: exit code, all output, and a row for each host and task."""

    exit_code: int
    output: str
    rows: list[dict[str, Any]]

    def results(self, task: str) -> dict[str, dict[str, Any]]:
        """Host to result, for the tasks whose name ends so; Ansible leaves `failed` out of what callbacks see."""
        return {row["host"]: row["result"] for row in self.rows if row["task"].endswith(task)}

    def result(self, task: str) -> dict[str, Any]:
        """The result of a task that one host ran."""
        (found,) = self.results(task).values()
        return found

    def hosts(self, status: str) -> set[str]:
        """The hosts with a result of this status."""
        return {row["host"] for row in self.rows if row["status"] == status}

    def recap(self) -> dict[str, dict[str, int]]:
        """The counts that Ansible prints for each host in the end."""
        found = {}
        for row in filter(str.strip, self.output.split("PLAY RECAP")[1].splitlines()[1:]):
            if "failed=" in row:
                host, counts = row.split(" : ", 1)
                found[host.strip()] = {name: int(count) for name, count in (pair.split("=") for pair in counts.split())}
        return found

    def failed(self) -> set[str]:
        """The hosts that Ansible counts as failed."""
        return {host for host, counts in self.recap().items() if counts["failed"]}

    def fleets(self, task: str = FLEET) -> list[dict[str, Any]]:
        """The results of apsaravideo_record_fleet, one for each batch."""
        return [row["result"] for row in self.rows if row["task"].endswith(task) and row["status"] != "skipped"]

    def entries(self, task: str = FLEET) -> dict[str, dict[str, Any]]:
        """What became of each stream, by the host's name or, for one that is no host, by that of the stream."""
        rows = [row for fleet in self.fleets(task) for row in fleet["streams"]]
        return {row["host"] or row["stream"]["stream_name"]: row for row in rows}

    def changed(self, task: str = FLEET) -> set[str]:
        """The streams whose recording was changed."""
        return {name for name, row in self.entries(task).items() if row["changed"]}

    def summary(self, task: str = FLEET) -> list[str]:
        """The lines that sum up the run, which the user has seen just so above the recap."""
        lines: list[str] = self.fleets(task)[-1]["summary"]
        assert "\n".join(lines) in self.output.split("PLAY RECAP")[0], self.output
        return lines


class Ansible:
    """Runs things in a directory of its own, with the collection as the tests have it and no settings of the user's."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self.directory = directory
        self.results_file = directory / "results.jsonl"
        kept = ("PATH", "LANG", "LC_ALL", "ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH", "VIRTUAL_ENV")
        self.environ = {name: os.environ[name] for name in kept if name in os.environ}
        self.environ.update(
            HOME=str(directory),
            ANSIBLE_CONFIG=str(directory / "ansible.cfg"),
            # Slots of its own, so that no run slows down because of what another one met.
            XDG_RUNTIME_DIR=str(directory),
            ANSIBLE_HOME=str(directory / "ansible"),
            ANSIBLE_LOCAL_TEMP=str(directory / "tmp"),
            ANSIBLE_REMOTE_TMP=str(directory / "remote"),
            ANSIBLE_ASYNC_DIR=str(directory / "async"),
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_RETRY_FILES_ENABLED="0",
            ANSIBLE_CALLBACK_PLUGINS=str(SUPPORT / "callback"),
            ANSIBLE_CALLBACKS_ENABLED="results_file",
            ANSIBLE_CONNECTION_PLUGINS=str(SUPPORT / "connection"),
            RESULTS_FILE=str(self.results_file),
        )
        self.environ.update(environ)
        (directory / "ansible.cfg").touch()

    def inventory(self, streams: Mapping[str, Any], **variables: Any) -> Path:
        """An inventory whose group `streams` has these hosts with these variables."""
        file = self.directory / "inventory.json"
        group = {"hosts": dict(streams), "vars": variables}
        file.write_text(json.dumps({"all": {"children": {"streams": group}}}), encoding="utf-8")
        return file

    def play(
        self, tasks: list[dict[str, Any]], *arguments: str, environ: Mapping[str, str] | None = None, **keywords: Any
    ) -> Run:
        """Run tasks on this machine, in one play with these keywords."""
        play = {"name": "Test", "hosts": "localhost", "gather_facts": False, **keywords, "tasks": tasks}
        file = self.directory / "playbook.json"
        file.write_text(json.dumps([play]), encoding="utf-8")
        return self.playbook(str(file), *arguments, environ=environ)

    def playbook(self, name: str, *arguments: str, environ: Mapping[str, str] | None = None) -> Run:
        """Run a playbook by its path or its name in the collection."""
        with self.begin(name, *arguments, environ=environ) as process:
            return self.end(process)

    def begin(
        self, name: str, *arguments: str, environ: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Begin to run a playbook, with options of Popen; `end` waits for it."""
        self.results_file.unlink(missing_ok=True)
        settings: dict[str, Any] = {
            "cwd": self.directory,
            "env": {**self.environ, **(environ or {})},
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "encoding": "utf-8",
        }
        return subprocess.Popen([ANSIBLE_PLAYBOOK, name, *arguments], **{**settings, **options})

    def end(self, process: subprocess.Popen[str], timeout: float = 300) -> Run:
        """Wait for a run to end, however it does; one that takes too long is killed."""
        try:
            output, _errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
        lines = self.results_file.read_text(encoding="utf-8").splitlines() if self.results_file.exists() else []
        return Run(process.returncode, output or "", [json.loads(line) for line in lines])

    def kill_workers(self) -> None:
        """Kill the workers of a killed ansible-playbook: one may wait for a lock that another one held at its end."""
        mark = f"ANSIBLE_LOCAL_TEMP={self.environ['ANSIBLE_LOCAL_TEMP']}\0".encode()
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if mark in path.read_bytes():
                    os.kill(int(path.parent.name), signal.SIGKILL)


def streams(names: list[str]) -> dict[str, dict[str, str]]:
    """Hosts for streams given as `domain/app/stream`; the host is named by the last part."""
    hosts = {}
    for name in names:
        domain_name, app_name, stream_name = name.split("/", 2)
        hosts[stream_name] = {"domain_name": domain_name, "app_name": app_name, "stream_name": stream_name}
    return hosts


def environment(emulator: Emulator, key: tuple[str, str] = KEY) -> dict[str, str]:
    """What a user would set to reach this cloud."""
    return {
        "APSARAVIDEO_ENDPOINT": emulator.endpoint,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": key[0],
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key[1],
        **({"REQUESTS_CA_BUNDLE": emulator.ca_path} if emulator.ca_path else {}),
    }


def assumed(emulator: Emulator, key: tuple[str, str] = KEY, seconds: int = 900) -> dict[str, str]:
    """Keys of STS for the built-in role, as the service answers them."""
    query = {"RoleArn": ROLE, "RoleSessionName": "test", "DurationSeconds": str(seconds)}
    headers = sign_headers(
        method="POST",
        host=emulator.endpoint.split("//")[1],
        action="AssumeRole",
        version="2015-04-01",
        query=query,
        access_key_id=key[0],
        access_key_secret=key[1],
        security_token=None,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        nonce=uuid.uuid4().hex,
    )
    url = f"{emulator.endpoint}/?{build_canonical_query(query)}"
    found: dict[str, str] = requests.post(url, headers=headers, timeout=10, verify=emulator.ca_path or True).json()[
        "Credentials"
    ]
    return found


def temporary_keys(emulator: Emulator, key: tuple[str, str] = KEY, seconds: int = 900) -> dict[str, str]:
    """Keys of STS for the built-in role, as the module's options."""
    found = assumed(emulator, key, seconds)
    return {
        "access_key_id": found["AccessKeyId"],
        "access_key_secret": found["AccessKeySecret"],
        "security_token": found["SecurityToken"],
    }
