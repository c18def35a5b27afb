# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server of a receiver, in a thread of its own: the rule engine may block its loop for seconds."""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

try:
    from aiohttp import web
except ImportError:
    web = None  # type: ignore[assignment]

from ...module_utils._errors import InvalidOption
from .receiver import Receiver, Refused, Reply

MAX_CONNECTIONS = 1000
MAX_LINE = 16_384  # bytes of the request line, which has the percent-encoded parameters of an ingest URL
HEALTH_PATH = "/health"
KEEPALIVE_SECONDS = 15.0

# Its messages quote requests, in which there may be a key.
_silent = logging.getLogger("apsaravideo.live.events.http")
_silent.setLevel(logging.CRITICAL + 1)


class Server:
    """A server for the callbacks of a receiver; `forwarded` returns a counter for its page about health."""

    def __init__(self, options: Mapping[str, Any], receiver: Receiver, forwarded: Callable[[], int]) -> None:
        """Prepare the server; raise InvalidOption if there is no aiohttp."""
        if web is None:
            raise InvalidOption(
                f"{sys.executable} does not find aiohttp", f"Run: {sys.executable} -m pip install aiohttp"
            )
        self._options = options
        self._receiver = receiver
        self._forwarded = forwarded
        self._loop = asyncio.new_event_loop()
        self._runner = self._make_runner()
        self._busy: dict[Any, float] = {}
        self._idle: dict[Any, float] = {}
        self._thread = threading.Thread(target=self._run, name="apsaravideo-events", daemon=True)
        self._started = threading.Event()
        self._error: BaseException | None = None
        self.port = 0

    def start(self) -> None:
        """Listen; raises OSError or ssl.SSLError if that is not possible."""
        self._thread.start()
        self._started.wait()
        if self._error:
            raise self._error

    def stop(self) -> None:
        """Stop listening, and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._listen())
        except BaseException as error:
            self._error = error
            self._started.set()
            return
        self._started.set()
        watch = self._loop.create_task(self._watch_connections())
        self._loop.run_forever()
        watch.cancel()
        self._loop.run_until_complete(self._close_all())
        self._loop.close()

    async def _close_all(self) -> None:
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _make_runner(self) -> web.AppRunner:
        app = web.Application(client_max_size=int(self._options["max_body"]))
        app.router.add_route("*", "/{path:.*}", self._handle)
        return web.AppRunner(
            app,
            access_log=None,
            logger=_silent,
            handle_signals=False,
            keepalive_timeout=KEEPALIVE_SECONDS,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
        )

    async def _listen(self) -> None:
        await self._runner.setup()
        options = self._options
        site = web.TCPSite(
            self._runner, options["host"], int(options["port"]), ssl_context=_make_context(options), backlog=1024
        )
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._busy[request.protocol] = time.monotonic()
        try:
            return await self._respond(request)
        finally:
            self._busy.pop(request.protocol, None)
            self._idle[request.protocol] = time.monotonic()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        if request.path == HEALTH_PATH and request.method == "GET":
            return web.json_response(self._receiver.health(self._forwarded()))
        try:
            reply = await self._judge(request)
        except Refused as refusal:
            reply = self._receiver.refuse(refusal)
        response = web.Response(status=reply.status, text=f"{reply.text}\n")
        if reply.status != HTTPStatus.OK:
            response.force_close()
        return response

    async def _judge(self, request: web.Request) -> Reply:
        self._receiver.allow()
        if request.path != self._options["path"]:
            raise Refused("path", HTTPStatus.NOT_FOUND, "Nothing is received at this path.")
        if request.method not in ("GET", "POST"):
            raise Refused("method", HTTPStatus.METHOD_NOT_ALLOWED, "Callbacks are GET or POST requests.")
        body = await self._read(request) if request.method == "POST" else ""
        try:
            return self._receiver.receive(request.method, request.query, body, request.headers)
        except Refused:
            raise
        except Exception as error:
            # Its text might quote the request.
            raise Refused("fault", HTTPStatus.INTERNAL_SERVER_ERROR, f"Unexpected {type(error).__name__}.") from None

    async def _read(self, request: web.Request) -> str:
        try:
            content = await asyncio.wait_for(request.read(), self._options["read_timeout"])
        except asyncio.TimeoutError:
            raise Refused("slow", HTTPStatus.REQUEST_TIMEOUT, "The request did not come in time.") from None
        except web.HTTPRequestEntityTooLarge:
            raise Refused("size", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large.") from None
        except Exception:
            raise Refused("malformed", HTTPStatus.BAD_REQUEST, "The request cannot be read.") from None
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Refused("malformed", HTTPStatus.BAD_REQUEST, "This is a body that is not UTF-8.") from None

    async def _watch_connections(self) -> None:
        """Close connections that send no whole request in time, and the oldest of too many."""
        while True:
            await asyncio.sleep(min(1.0, self._options["read_timeout"] / 2))
            server = self._runner.server
            now, open_now = time.monotonic(), list(server.connections if server else [])
            self._idle = {handler: self._idle.get(handler, now) for handler in open_now}
            waiting = sorted(
                (at, id(handler), handler) for handler, at in self._idle.items() if handler not in self._busy
            )
            surplus = max(0, len(open_now) - MAX_CONNECTIONS)
            for number, (at, _id, handler) in enumerate(waiting):
                if number < surplus or now - at > max(self._options["read_timeout"], 1.0) + 1.0:
                    self._close(handler)

    def _close(self, handler: Any) -> None:
        if handler.transport is not None:
            self._receiver.counters["closed"] += 1
            handler.transport.abort()


def _make_context(options: Mapping[str, Any]) -> ssl.SSLContext | None:
    if not options["certfile"]:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options["certfile"], options["keyfile"])
    return context
