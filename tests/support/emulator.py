# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and steer the emulator from Python tests.

with Emulator(idle_stop="error", limit={"RealTimeRecordCommand": 5}) as cloud:
    cloud.push("live.example.com/app/stream")
    ...  # use cloud.endpoint with the keys below
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

# Keys of the built-in scenario
ACCOUNT = "1000000000000001"
KEY = ("testAccessKeyId", "testAccessKeySecret")
ROOT_KEY = ("rootAccessKeyId", "rootAccessKeySecret")
POWERLESS_KEY = ("powerlessAccessKeyId", "powerlessAccessKeySecret")
INACTIVE_KEY = ("inactiveAccessKeyId", "inactiveAccessKeySecret")
OTHER_ACCOUNT_KEY = ("otherAccessKeyId", "otherAccessKeySecret")
ROLE = "acs:ram::1000000000000001:role/recorder"
OIDC_PROVIDER = "acs:ram::1000000000000001:oidc-provider/ci"
OIDC_TOKEN = "testOidcToken"

RESTART_SECONDS = 30  # for writing the state
RESTARTS = 20  # attempts to get the same port again

StreamLike = Union[str, tuple[str, ...], Mapping[str, Any]]


class EmulatorError(Exception):
    """The emulator did not start, or refused a control request."""


def stream_fields(stream: StreamLike) -> dict[str, Any]:
    """The control API's form of a stream given as ``domain/app/stream``, a triple or a mapping."""
    if isinstance(stream, Mapping):
        return dict(stream)
    parts = stream.split("/", 2) if isinstance(stream, str) else list(stream)
    if len(parts) != 3:
        raise ValueError(f"a stream is domain/app/stream, not {stream!r}")
    return dict(zip(("domain_name", "app_name", "stream_name"), parts))


def switches(options: Mapping[str, Any]) -> list[str]:
    """Keyword arguments as command-line switches.

    ``idle_stop="error"`` is ``--idle-stop error``, True is a bare switch (``require_tls=True``), False and None leave
    the switch out, and a mapping is repeated (``limit={"A": 5}`` is ``--limit A=5``).
    """
    made: list[str] = []
    for name, value in options.items():
        switch = f"--{name.replace('_', '-')}"
        if value is True:
            made.append(switch)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                made += [switch, f"{key}={item}"]
        elif value is not None and value is not False:
            made.append(f"{switch}={value}")
    return made


class Emulator:
    """A running emulator; a context manager that stops it.

    Keyword arguments are switches of the program, see :func:`switches`.  ``scenario`` may also be a mapping, and
    ``tls=True`` makes a certificate in a temporary directory; ``ca_path`` then names its CA.  The state of the program
    is kept in a temporary directory too, for :meth:`restart`, unless ``state_file`` names another place.
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
        """Start the program and wait until it listens; EmulatorError with its own words when it does not."""
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
        # Without a context given, an opener would read the machine's certificates, which takes longer than the request.
        context = (
            ssl.create_default_context(cafile=self.ca_path) if self.ca_path else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        return self

    def stop(self) -> None:
        """Stop the program; does nothing when it has stopped."""
        self._end()
        self._directory.cleanup()

    def restart(self, down: float = 0.0) -> None:
        """Stop the program, and start it at the same address after ``down`` seconds; it goes on where it ended.

        Streams, recordings, ledgers, configurations, callbacks, calls, accounts, temporary keys and switches stay.
        """
        code = self._end(RESTART_SECONDS)
        if code:
            words = self.error_output().strip()
            raise EmulatorError(f"the emulator did not keep its state, and ended with {code}: {words}")
        time.sleep(down)
        self._command += [f"--port={self.port}"]
        for attempt in range(RESTARTS, 0, -1):
            try:
                self.start()
            except EmulatorError as error:
                # A connection of somebody else may have taken the port for a moment.
                if attempt == 1 or "in use" not in str(error):
                    raise
                time.sleep(0.1)
            else:
                break

    def _end(self, patience: float = 5) -> int:
        """End the program, after ``patience`` seconds without mercy; its exit code, 0 when it was not running."""
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
        """What the running program has written to its error output: nothing, unless it has a bug."""
        with open(os.path.join(self._directory.name, "stderr"), encoding="utf-8") as file:
            return file.read()

    def control(self, method: str, path: str, content: Any = None, **query: Any) -> Any:
        """One request to the control API; EmulatorError with the emulator's words when it refuses."""
        url = f"{self.endpoint}/_emulator/{path}"
        given = {name: value for name, value in query.items() if value is not None}
        if given:
            url += "?" + urllib.parse.urlencode(given)
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
        try:
            with self._opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise EmulatorError(f"{method} {path}: {error.read().decode()}") from None

    def push(self, *streams: StreamLike, **options: Any) -> None:
        """Bring streams online; ``mode="pull"``, ``viewers=0`` and ``need_record=True`` apply to all of them."""
        self.control("POST", "streams/push", {"streams": [{**options, **stream_fields(item)} for item in streams]})

    def watch(self, viewers: int, *streams: StreamLike) -> None:
        """Say how many watch streams that are pulled on trigger, which are online while somebody does."""
        rows = [{**stream_fields(item), "viewers": viewers} for item in streams]
        self.control("POST", "streams/viewers", {"streams": rows})

    def drop(self, *streams: StreamLike) -> None:
        """Take streams offline."""
        self.control("POST", "streams/drop", {"streams": [stream_fields(item) for item in streams]})

    def resume(self, *streams: StreamLike) -> None:
        """Bring streams online again, in the way of the last time."""
        self.control("POST", "streams/resume", {"streams": [stream_fields(item) for item in streams]})

    def advance(self, seconds: float) -> None:
        """Make everything that has happened so far ``seconds`` older."""
        self.control("POST", "clock/advance", {"seconds": seconds})

    def calls(self, action: str | None = None, since: int | None = None) -> list[dict[str, Any]]:
        """The log of API calls."""
        rows: list[dict[str, Any]] = self.control("GET", "calls", action=action, since=since)["calls"]
        return rows

    def clear_calls(self) -> None:
        """Empty the log of API calls."""
        self.control("DELETE", "calls")

    def state(self, stream: StreamLike | None = None, **query: Any) -> dict[str, Any]:
        """The state of the cloud, of one stream or filtered by domain_name, app_name, stream_name."""
        if stream is not None:
            query.update(stream_fields(stream))
        state: dict[str, Any] = self.control("GET", "state", **query)
        return state

    def stream(self, stream: StreamLike) -> dict[str, Any]:
        """The state of one stream: online, recording, ledger, tasks, files."""
        found: list[dict[str, Any]] = self.state(stream)["streams"]
        if not found:
            raise EmulatorError(f"the stream {stream!r} was never pushed")
        return found[0]

    def fault(self, fault: str, **fields: Any) -> None:
        """Disturb calls, see the role's README."""
        self.control("POST", "faults", {"fault": fault, **fields})

    def disturb(
        self, seed: int | None = None, *, action: str | None = None, **faults: float | Mapping[str, Any]
    ) -> None:
        """Disturb calls in several ways: kinds of fault with their probability, or with their fields.

        ``disturb(7, reset_after=0.05, status_503=0.03, delay={"seconds": [0.005, 0.5]})``
        """
        rows = [
            {"fault": kind, **(fields if isinstance(fields, Mapping) else {"probability": fields})}
            for kind, fields in faults.items()
        ]
        self.control("POST", "faults", {"seed": seed, "action": action, "faults": rows})

    def struck(self) -> dict[str, int]:
        """How often each kind of fault has struck since the faults were last cleared."""
        counts: dict[str, int] = self.control("GET", "faults")["struck"]
        return counts

    def clear_faults(self) -> dict[str, int]:
        """Stop disturbing calls; how often each kind of fault has struck."""
        counts: dict[str, int] = self.control("DELETE", "faults")["struck"]
        return counts

    def behave(self, **fields: Any) -> dict[str, Any]:
        """Change switches at run time, by their field names (``idle_stop="error"``)."""
        behaviour: dict[str, Any] = self.control("POST", "behaviour", fields)
        return behaviour

    def add_accounts(self, *accounts: Mapping[str, Any]) -> None:
        """Add accounts, or keys, users, domains and configurations to accounts."""
        self.control("POST", "accounts", {"accounts": list(accounts)})

    def add_events(self, *events: Mapping[str, Any]) -> None:
        """Write callbacks of any kind to the notify log."""
        self.control("POST", "events", {"events": list(events)})

    def add_controls(self, *entries: Mapping[str, Any]) -> None:
        """Write to the history of stream control: ``action`` and the names of a stream, ``age`` in seconds."""
        self.control("POST", "controls", {"controls": list(entries)})

    def reset(self) -> None:
        """Back to the state, behaviour and clock of the start; no calls, no faults."""
        self.control("POST", "reset", {})
