# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the source apsaravideo_events with an engine of the test's, and sends it callbacks as the cloud does."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import importlib.util
import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from support.rulebook import INGEST_KEY, RECORDING_KEY, free_port, wait_until

PLUGINS = Path(__file__).resolve().parents[2] / "extensions" / "eda" / "plugins"
HOST = "callback.example.com"
DOMAINS = {"push.example.com": "live.example.com"}


def load_plugin(kind: str, name: str) -> Any:
    """Load a source or a filter by its path; runpy would not, where Ansible's own loader of collections is at work."""
    spec = importlib.util.spec_from_file_location(f"eda_{name}", PLUGINS / kind / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Engine:
    """A queue like that of ansible-rulebook, and whatever it does while its actions run: `busy(event)`."""

    def __init__(self, busy: Any = None) -> None:
        self.events: list[dict[str, Any]] = []
        self._busy = busy

    async def put(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if self._busy:
            await self._busy(event)

    def count(self, kind: str = "stream_online") -> int:
        """Return how many events of a type have come, in batches or alone."""
        return sum(event["counts"].get(kind, 0) for event in self.events)

    def streams(self, kind: str = "stream_online") -> set[str]:
        return {name for event in self.events for name in event["streams"].get(kind, ())}


class Source:
    """The source in a loop of its own thread; a context manager that cancels it as ansible-rulebook does."""

    def __init__(self, engine: Engine, name: str = "apsaravideo_events", **arguments: Any) -> None:
        self.port = free_port()
        defaults: dict[str, Any] = {
            "port": self.port,
            "path": "/events",
            "recording_auth_keys": [RECORDING_KEY],
            "ingest_auth_keys": [INGEST_KEY],
            "callback_hosts": [HOST],
            "ingest_domains": DOMAINS,
        }
        self._arguments = {**defaults, **arguments}
        self._main = load_plugin("event_source", name).main
        self._engine = engine
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.ended: BaseException | None = None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._main(self._engine, self._arguments))
        try:
            self._loop.run_until_complete(self._task)
        except BaseException as error:
            self.ended = error

    def __enter__(self) -> Source:
        self._thread.start()
        wait_until(lambda: self.ended or self._listens(), 20, "the source listens")
        assert self.ended is None, self.ended
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(30)

    def _listens(self) -> bool:
        try:
            return self.send("GET", "/health")[0] == 200
        except OSError:
            return False

    def send(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Send a request on a connection of its own, and return status and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.send("GET", "/health")[1])
        return found

    def push(self, stream: str, action: str = "publish", **changes: Any) -> tuple[int, str]:
        """Send a callback of a push; `stamp`, `key`, `domain` and `signature` change its signature."""
        at = int(changes.get("at", time.time()))
        query = {"action": action, "app": "push.example.com", "appname": "app", "id": stream, "time": str(at)}
        target = f"{changes.get('path', '/events')}?{urlencode({**query, 'usrargs': 'auth_key=s3cret'})}"
        headers = sign_headers(changes.get("domain", "push.example.com"), changes.get("key", INGEST_KEY), changes)
        return self.send("GET", target, None, headers)

    def record(self, stream: str, kind: str = "record_started", **changes: Any) -> tuple[int, str]:
        """Send a callback of a recording."""
        content = {"domain": "live.example.com", "app": "app", "stream": stream, "event": kind}
        headers = sign_headers(changes.get("domain", HOST), changes.get("key", RECORDING_KEY), changes)
        body = json.dumps({**content, **changes.get("content", {})}).encode()
        return self.send("POST", changes.get("path", "/events"), body, headers)


def sign_headers(domain: str, key: str, changes: dict[str, Any]) -> dict[str, str]:
    """Return the headers of a callback, signed without any code of the collection."""
    stamp = str(changes.get("stamp", int(time.time())))
    signature = hashlib.md5(f"{domain}|{stamp}|{key}".encode()).hexdigest()
    return {"ALI-LIVE-TIMESTAMP": stamp, "ALI-LIVE-SIGNATURE": changes.get("signature", signature)}
