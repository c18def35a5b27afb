# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server that follows a script, to test a client with responses that the emulator does not send."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Step = Callable[[BaseHTTPRequestHandler], None]


class Request(NamedTuple):
    """A request as the server received it."""

    method: str
    target: str
    headers: Message
    body: bytes


def answer(status: int, body: str | bytes, **headers: str) -> Step:
    """Return a step that sends a valid response; header names have `_` for `-`, and `date` replaces the true date."""
    content = body.encode() if isinstance(body, str) else body

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(status)
        true = {"date": handler.date_time_string()}
        for name, value in {**true, "content_type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return step


def truncated(body: str) -> Step:
    """Return a step that announces twice the length of the body, sends it once, and closes the connection."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2 * len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())
        handler.close_connection = True

    return step


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Read the request and reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()
    handler.wfile = _Nowhere()  # type: ignore[assignment]


def silence(handler: BaseHTTPRequestHandler) -> None:
    """Send nothing until the client closes the connection."""
    handler.connection.settimeout(10)
    handler.connection.recv(1)
    handler.close_connection = True


class _Nowhere:
    closed = False

    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None


class ScriptedServer:
    """A server that plays one step per request, over TLS if it has a context for that.

    On exit it fails if a step was not played or a request had none.
    """

    def __init__(self, *steps: Step, tls: ssl.SSLContext | None = None) -> None:
        self._steps = list(steps)
        self._tls = tls
        self.requests: list[Request] = []
        self.open = 0  # connections
        self._unexpected = 0

    def __enter__(self) -> ScriptedServer:
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                script.play(self)

            do_GET = do_PUT = do_POST

            def setup(self) -> None:
                script.open += 1
                super().setup()

            def finish(self) -> None:
                super().finish()
                script.open -= 1

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.port = self._server.server_port
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    def play(self, handler: BaseHTTPRequestHandler) -> None:
        """Record a request and take the next step."""
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(handler.command, handler.path, handler.headers, handler.rfile.read(length))
        self.requests.append(request)
        if self._steps:
            self._steps.pop(0)(handler)
        else:
            self._unexpected += 1
            answer(500, "unexpected")(handler)

    def stop_early(self) -> None:
        """Skip the rest of the script."""
        self._steps.clear()

    def __exit__(self, kind: object, *rest: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        if kind is None:
            assert not self._steps, f"{len(self._steps)} steps of the script were not reached"
            assert not self._unexpected, f"{self._unexpected} requests came after the end of the script"
