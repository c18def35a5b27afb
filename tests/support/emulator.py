# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the emulator and control it from Python tests.

with Emulator(idle_stop="error", limit={"RealTimeRecordCommand": 5}) as cloud:
    cloud.push("live.example.com/app/stream")
    ...  # use cloud.endpoint with the access keys below
    assert cloud.calls("RealTimeRecordCommand")[0]["code"] is None
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Union

PROGRAM = Path(__file__).resolve().parents[2] / "roles" / "emulator" / "files" / "emulator.py"

# Access keys of the built-in scenario
ACCOUNT = "1000000000000001"
KEY = ("testAccessKeyId", "testAccessKeySecret")
ROOT_KEY = ("rootAccessKeyId", "rootAccessKeySecret")
POWERLESS_KEY = ("powerlessAccessKeyId", "powerlessAccessKeySecret")
INACTIVE_KEY = ("inactiveAccessKeyId", "inactiveAccessKeySecret")
OTHER_ACCOUNT_KEY = ("otherAccessKeyId", "otherAccessKeySecret")
ROLE = "acs:ram::1000000000000001:role/recorder"
OIDC_PROVIDER = "acs:ram::1000000000000001:oidc-provider/ci"
OIDC_TOKEN = "testOidcToken"

MAX_END_SECONDS = 30  # includes writing the state
MAX_START_ATTEMPTS = 20  # another connection may use the port for a moment

StreamLike = Union[str, tuple[str, ...], Mapping[str, Any]]


class EmulatorError(Exception):
    """A failed start of the emulator, or a control request that it refused."""


def stream_fields(stream: StreamLike) -> dict[str, Any]:
    """Return the control API's form of a stream given as `domain/app/stream`, a triple or a mapping."""
    if isinstance(stream, Mapping):
        return dict(stream)
    parts = stream.split("/", 2) if isinstance(stream, str) else list(stream)
    if len(parts) != 3:
        raise ValueError(f"a stream is domain/app/stream, not {stream!r}")
    return dict(zip(("domain_name", "app_name", "stream_name"), parts))


def switches(options: Mapping[str, Any]) -> list[str]:
    """Return keyword arguments as command-line switches.

    `idle_stop="error"` becomes `--idle-stop=error`, True a bare switch (`require_tls=True`), None and False are
    omitted, and a mapping repeats its switch (`limit={"A": 5}` becomes `--limit A=5`).
    """
    arguments: list[str] = []
    for name, value in options.items():
        switch = f"--{name.replace('_', '-')}"
        if value is True:
            arguments.append(switch)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                arguments += [switch, f"{key}={item}"]
        elif value is not None and value is not False:
            arguments.append(f"{switch}={value}")
    return arguments


class Emulator:
    """A running emulator; a context manager that stops it.

    Keyword arguments are switches of the program, see `switches`. `scenario` may also be a mapping, and `tls=True`
    generates a certificate in a temporary directory, whose CA is `ca_path`. For `restart`, the state of the program is
    saved in a temporary directory unless `state_file` names another file.
    """

    def __init__(self, *, tls: bool = False, python: str = sys.executable, **options: Any) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="emulator-")
        self._process: subprocess.Popen[str] | None = None
        self.endpoint = ""
        self.port = 0
        self.pid = 0
        self.ca_path: str | None = None
        if tls:
            options["tls_generate"] = os.path.join(self._directory.name, "tls")
        options.setdefault("state_file", os.path.join(self._directory.name, "state.json"))
        if isinstance(options.get("scenario"), Mapping):
            options["scenario"] = self._write("scenario.json", options["scenario"])
        self._command = [python, str(PROGRAM), "--parent", str(os.getpid()), *switches(options)]

    def _write(self, name: str, content: Any) -> str:
        path = os.path.join(self._directory.name, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
        return path

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Emulator:
        """Start the program and wait until it listens; raise EmulatorError with its error output if it does not."""
        with open(os.path.join(self._directory.name, "stderr"), "a+", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
            )
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            if not line:
                self._process.wait()
                self._process.stdout.close()
                self._process = None
                errors.seek(0)
                raise EmulatorError(f"the emulator did not start: {errors.read().strip()}")
        ready = json.loads(line)
        self.endpoint, self.port, self.pid = ready["endpoint"], ready["port"], ready["pid"]
        self.ca_path = ready["ca_path"]
        # Without an explicit context the opener would load the machine's certificates, which takes long.
        context = (
            ssl.create_default_context(cafile=self.ca_path) if self.ca_path else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        return self

    def stop(self) -> None:
        """Stop the program, if it is running."""
        self._end()
        self._directory.cleanup()

    def restart(self, down: float = 0.0) -> None:
        """Stop the program, and start it at the same address after `down` seconds; it continues with its saved state.

        Streams, recordings, ledgers, configurations, callbacks, calls, accounts, temporary credentials and switches
        stay.
        """
        code = self._end(MAX_END_SECONDS)
        if code:
            raise EmulatorError(
                f"the emulator did not save its state (exit code {code}): {self.error_output().strip()}"
            )
        time.sleep(down)
        self._command += [f"--port={self.port}"]
        for attempt in range(MAX_START_ATTEMPTS, 0, -1):
            try:
                self.start()
            except EmulatorError as error:
                if attempt == 1 or "in use" not in str(error):
                    raise
                time.sleep(0.1)
            else:
                break

    def _end(self, patience: float = 5) -> int:
        """Terminate the program, or kill it after `patience` seconds; return its exit code, 0 if it was not running."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return code

    def error_output(self) -> str:
        """Return the error output of the running program, which is empty unless the program has a bug."""
        with open(os.path.join(self._directory.name, "stderr"), encoding="utf-8") as file:
            return file.read()

    def control(self, method: str, path: str, content: Any = None, **query: Any) -> Any:
        """Send a request to the control API; raise EmulatorError with the emulator's message if it is refused."""
        url = f"{self.endpoint}/_emulator/{path}"
        given = {name: value for name, value in query.items() if value is not None}
        if given:
            url += "?" + urllib.parse.urlencode(given)
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
        try:
            with self._opener.open(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise EmulatorError(f"{method} {path}: {error.read().decode()}") from None

    def push(self, *streams: StreamLike, **options: Any) -> None:
        """Bring streams online; `mode="pull"`, `viewers=0` and `need_record=True` apply to all of them."""
        self.control("POST", "streams/push", {"streams": [{**options, **stream_fields(item)} for item in streams]})

    def set_viewers(self, viewers: int, *streams: StreamLike) -> None:
        """Set the number of viewers of streams pulled on trigger, which are online while they have at least one."""
        rows = [{**stream_fields(item), "viewers": viewers} for item in streams]
        self.control("POST", "streams/viewers", {"streams": rows})

    def drop(self, *streams: StreamLike) -> None:
        """Take streams offline."""
        self.control("POST", "streams/drop", {"streams": [stream_fields(item) for item in streams]})

    def resume(self, *streams: StreamLike) -> None:
        """Push or pull streams again with the parameters of their last ingest."""
        self.control("POST", "streams/resume", {"streams": [stream_fields(item) for item in streams]})

    def script(self, stream: StreamLike, *steps: tuple[float, str] | Mapping[str, Any]) -> None:
        """Let things happen to a stream, each so many seconds from now: `(0, "push"), (600, "drop"), (630, "resume")`.

        A mapping is a step of the control API (`{"after": 5, "do": "record_error", "content": {...}}`).
        """
        rows = [step if isinstance(step, Mapping) else dict(zip(("after", "do"), step)) for step in steps]
        self.control("POST", "streams/steps", {"streams": [{**stream_fields(stream), "steps": rows}]})

    def mark_files(self, **fields: Any) -> None:
        """Mark files: properties that select them, and `state`, `listed` or `seconds`, see the role's README."""
        self.control("POST", "files", {"files": [fields]})

    def file_calls(self) -> list[dict[str, Any]]:
        """Return the log of requests for files."""
        return [call for call in self.calls() if call["action"] in ("GetObject", "HeadObject")]

    def advance(self, seconds: float) -> None:
        """Make everything that has happened so far `seconds` older."""
        self.control("POST", "clock/advance", {"seconds": seconds})

    def calls(self, action: str | None = None, since: int | None = None) -> list[dict[str, Any]]:
        """Return the call log."""
        rows: list[dict[str, Any]] = self.control("GET", "calls", action=action, since=since)["calls"]
        return rows

    def clear_calls(self) -> None:
        """Empty the call log."""
        self.control("DELETE", "calls")

    def state(self, stream: StreamLike | None = None, **query: Any) -> dict[str, Any]:
        """Return the state of the cloud, of one stream or filtered by domain_name, app_name, stream_name."""
        if stream is not None:
            query.update(stream_fields(stream))
        state: dict[str, Any] = self.control("GET", "state", **query)
        return state

    def stream(self, stream: StreamLike) -> dict[str, Any]:
        """Return the state of one stream: online, recording, ledger, tasks, files."""
        found: list[dict[str, Any]] = self.state(stream)["streams"]
        if not found:
            raise EmulatorError(f"the stream {stream!r} was never pushed")
        return found[0]

    def fault(self, fault: str, **fields: Any) -> None:
        """Inject a fault; the role's README describes its fields."""
        self.control("POST", "faults", {"fault": fault, **fields})

    def disturb(
        self, seed: int | None = None, *, action: str | None = None, **faults: float | Mapping[str, Any]
    ) -> None:
        """Inject several kinds of fault, each with its probability or with its fields.

        `disturb(7, reset_after=0.05, status_503=0.03, delay={"seconds": [0.005, 0.5]})`
        """
        rows = [
            {"fault": kind, **(fields if isinstance(fields, Mapping) else {"probability": fields})}
            for kind, fields in faults.items()
        ]
        self.control("POST", "faults", {"seed": seed, "action": action, "faults": rows})

    def fault_counts(self) -> dict[str, int]:
        """Return the number of calls that each kind of fault has affected since the faults were last cleared."""
        counts: dict[str, int] = self.control("GET", "faults")["struck"]
        return counts

    def clear_faults(self) -> dict[str, int]:
        """Remove all faults; return the number of calls that each kind has affected."""
        counts: dict[str, int] = self.control("DELETE", "faults")["struck"]
        return counts

    def behave(self, **fields: Any) -> dict[str, Any]:
        """Change switches at run time, by their field names (`idle_stop="error"`)."""
        behaviour: dict[str, Any] = self.control("POST", "behaviour", fields)
        return behaviour

    def add_accounts(self, *accounts: Mapping[str, Any]) -> None:
        """Add accounts, or add access keys, users, domains and configurations to accounts."""
        self.control("POST", "accounts", {"accounts": list(accounts)})

    def add_events(self, *events: Mapping[str, Any]) -> None:
        """Add callbacks of any kind to the notify log."""
        self.control("POST", "events", {"events": list(events)})

    def add_controls(self, *entries: Mapping[str, Any]) -> None:
        """Add entries to the history of stream control: `action` and the names of a stream, `age` in seconds."""
        self.control("POST", "controls", {"controls": list(entries)})

    def reset(self) -> None:
        """Restore the initial state, switches and clock, without calls and faults."""
        self.control("POST", "reset", {})
