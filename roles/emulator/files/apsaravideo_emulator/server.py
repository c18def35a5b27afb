# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener: HTTP/1.1 with keep-alive, optionally over TLS, one thread per connection.

The TLS handshake happens in the thread of the connection, so that a slow client does not delay the others.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import socketserver
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .control import PREFIX, Control, ControlError, parse_json
from .file_host import PREFIX as FILES_PREFIX
from .file_host import FileHost
from .gateway import Gateway, HttpResponse, parse_request
from .world import World

IDLE_TIMEOUT = 120
BACKLOG = 2048
MAX_BODY_BYTES = 1 << 24
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def check_loopback(host: str) -> None:
    """Raise ValueError unless the address is a loopback address, because the emulator has no access control."""
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is not a loopback address")


def is_loopback_url(url: str) -> bool:
    """Return whether the host of a URL is a loopback address; names other than `localhost` are not resolved."""
    try:
        check_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return True


class Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A server on a loopback address; its construction raises OSError if the port is in use."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = BACKLOG

    def __init__(self, host: str, port: int, world: World, tls: ssl.SSLContext | None = None) -> None:
        check_loopback(host)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.tls = tls
        self.world = world
        self.gateway = Gateway(world)
        self.control = Control(world)
        self.files = FileHost(world)
        super().__init__((host, port), _Connection)
        world.set_endpoint(self.endpoint)

    @property
    def port(self) -> int:
        """Return the port that clients use."""
        return int(self.server_address[1])

    @property
    def endpoint(self) -> str:
        """Return the URL that clients use."""
        host = "[::1]" if self.address_family == socket.AF_INET6 else str(self.server_address[0])
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def stop(self) -> None:
        """End `serve_forever` soon; callable from any thread, and from a signal handler."""
        threading.Thread(target=self.shutdown, daemon=True).start()

    def shutdown_request(self, request: Any) -> None:
        """Do nothing: the connection closes its own socket, which for TLS is not the accepted one."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an exception unless it only means that a client disconnected."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_TIMEOUT
    _with_reset = False

    def setup(self) -> None:
        if self.server.tls is not None:
            self.request.settimeout(IDLE_TIMEOUT)
            try:
                self.request = self.server.tls.wrap_socket(
                    self.request, server_side=True, do_handshake_on_connect=False
                )
                self.request.do_handshake()
            except (OSError, ValueError):
                self.request.close()
                raise ConnectionAbortedError("the TLS handshake failed") from None
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass
        finally:
            self._close()

    def _close(self) -> None:
        if not self._with_reset:
            with contextlib.suppress(OSError):
                self.request.shutdown(socket.SHUT_WR)
        self.request.close()

    def _reset(self) -> None:
        """Make the connection end with a TCP reset, as a failing middlebox does."""
        self._with_reset = self.close_connection = True
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        if self.path.startswith(PREFIX):
            self._serve_control(body)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path.startswith(FILES_PREFIX):
            self._send(self.server.files.respond(self.command, self.path, headers))
        else:
            request = parse_request(self.command, self.path, headers, body)
            self._send(self.server.gateway.respond(request, secure=self.server.tls is not None))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _serve

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._send(HttpResponse(411, b"", "text/plain"))
            return None
        return self.rfile.read(int(length))

    def _serve_control(self, body: bytes) -> None:
        path, _mark, query = self.path[len(PREFIX) :].partition("?")
        try:
            self._require_local()
            response = self.server.control.handle(self.command, path, dict(parse_qsl(query)), parse_json(body))
            status = 200
        except ControlError as error:
            status, response = error.status, {"error": error.message}
        self._send(HttpResponse(status, json.dumps(response).encode(), "application/json"))
        if self.server.control.stopping:
            self.wfile.flush()
            self.server.stop()

    def _require_local(self) -> None:
        """Raise ControlError for a request that a web page in a browser on this machine may have sent.

        A page's own name may resolve to a loopback address (DNS rebinding), and only JSON makes a browser send a
        preflight request first.
        """
        if not is_loopback_url(f"//{self.headers.get('Host', '')}"):
            raise ControlError(403, "the Host is not a loopback address")
        if not is_loopback_url(self.headers.get("Origin", "//localhost")):
            raise ControlError(403, "the Origin is not on a loopback address")
        if self.command not in ("GET", "HEAD", "DELETE") and self.headers.get_content_type() != "application/json":
            raise ControlError(415, "the Content-Type is not application/json")

    def _send(self, response: HttpResponse) -> None:
        if response.disruption == "reset":
            self._reset()
            return
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string(self.server.world.gateway_time()))
        self.send_header("Content-Type", response.content_type)
        if response.stream is None:
            self.send_header("Content-Length", str(len(response.body)))
        elif response.length is None:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(response.length))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.disruption == "truncate":
            self.close_connection = True
            response.body = response.body[: len(response.body) // 2]
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
            for chunk in response.stream or ():
                self.wfile.write(chunk)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(int(timestamp or 0))

    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing: the call log replaces access logs, which would expose signatures."""
