# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on a loopback address that sends hostile responses."""

from __future__ import annotations

import json
import random
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

MAX_RESPONSE = 8 * 1024 * 1024  # bytes that the collection reads
CLIENT_TIMEOUT = 60  # seconds

KNOWN: list[str] = []  # secrets that a response may quote
Answer = Callable[[bytes], Iterator[Any]]  # request to pieces of the response: bytes, or seconds to wait
LISTS = {
    "OnlineInfo": "LiveStreamOnlineInfo",
    "LiveAppRecordList": "LiveAppRecord",
    "RecordContentInfoList": "RecordContentInfo",
    "RecordIndexInfoList": "RecordIndexInfo",
}
WRONG = [None, True, -1, 1e308, "", "{{ 7 * 7 }}", "\u202e\x1b[2J", [], {}, [[]], [None], ["x" * 9999], {"a": {}}]


def http(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    """Return a complete HTTP response."""
    return f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def send(*pieces: Any) -> Answer:
    """Return an answer of fixed pieces for any request."""
    return lambda _request: iter(pieces)


def send_huge(begin: bytes, repeated: bytes, end: bytes = b"") -> Answer:
    """Return an answer of the largest size that is read, sent in parts so that this program needs little memory."""
    count = (MAX_RESPONSE - len(begin) - len(end)) // len(repeated)
    length = len(begin) + count * len(repeated) + len(end)
    thousand, rest = divmod(count, 1000)

    def pieces(_request: bytes) -> Iterator[Any]:
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % length + begin
        for _part in range(thousand):
            yield repeated * 1000
        yield repeated * rest + end

    return pieces


def quote_secrets(request: bytes) -> Iterator[Any]:
    """Yield an error that quotes the request and secrets."""
    text = f"{request.decode(errors='replace')} {' '.join(KNOWN)}"
    yield http(json.dumps({"RequestId": "R", "Code": "Forbidden.RAM", "Message": text}).encode(), "403 Forbidden")


def send_wrong_types(_request: bytes) -> Iterator[Any]:
    """Yield a response with random values of wrong types in the fields that are read."""
    names = [*LISTS, "CallbackList", "StreamState", "TotalNum", "PageNum", "Credentials"]
    names += ["LiveRecordNotifyConfig", "LiveStreamsNotifyConfig"]
    content = {"RequestId": random.choice(["R", *WRONG]), **{name: random.choice(WRONG) for name in names}}
    for name, inner in LISTS.items():
        content[name] = random.choice([content[name], {inner: random.choice(WRONG)}])
    yield http(json.dumps(content).encode())


def send_endless_pages(request: bytes) -> Iterator[Any]:
    """Yield a page full of new streams that claims that there are more pages.

    The notify log is omitted, because it may take more memory than the other lists, as docs/security.md says.
    """
    found = re.search(rb"PageNum=(\d+)", request)
    page = int(found[1]) if found else 1
    row = {**dict(zip(("DomainName", "AppName"), ("live.example.com", "app"))), "PublishTime": "2026-01-02T03:04:05Z"}
    rows = [{**row, "StreamName": f"{page}-{number}-{'x' * random.choice([0, 200, 900])}"} for number in range(3000)]
    listing = {"RequestId": "R", "TotalNum": 10**9, "TotalPage": 10**6, "PageNum": page, "PageSize": 3000}
    yield http(json.dumps({**listing, "OnlineInfo": {"LiveStreamOnlineInfo": rows}}).encode())


GOOD = b'{"RequestId":"R"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
PAGE = b'{"RequestId":"R","TotalNum":1,"OnlineInfo":{"LiveStreamOnlineInfo":['
RAW: dict[str, Answer] = {
    "never": send(3600.0),
    "nothing": send(),
    "dripping body": send(HEAD, *[b"x", 1.0] * 3600),
    "dripping head": send(*[b"HTTP/1.1 200 OK\r\n", 1.0], *[b"X: y\r\n", 1.0] * 3600),
    "dripping chunks": send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n", 1.0] * 3600),
    "truncated": send(HEAD, GOOD),
    "many objects": send_huge(PAGE, b"{},", b"0]}}"),
    "many texts": send_huge(PAGE, b'"a",', b"0]}}"),
    "deep lists": send_huge(b"", b"["),
    "deep objects": send_huge(b"", b'{"a":'),
    "long number": send_huge(b'{"RequestId":"R","TotalNum":', b"9", b"}"),
    "long text": send_huge(b'{"RequestId":"R","Message":"', b"\\u00e9", b'"}'),
    "no UTF-8": send_huge(b"", b"\xff"),
    "UTF-16": send(http('{"RequestId":"R"}'.encode("utf-16"))),
    "gzip that is none": send(http(b"\x1f\x8b" + GOOD, more="Content-Encoding: gzip\r\n")),
    "longer than any": send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", *[b" " * 65536] * 4000),
    "head without end": send(b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 60000 + b"\r\n"] * 2000),
    "continued for ever": send(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 100_000, 3600.0),
    "no HTTP": send(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "TLS": send(b"\x15\x03\x03\x00\x02\x02\x28"),
    "elsewhere": send(http(b"", "307 Temporary Redirect", "Location: http://127.0.0.1:9/\r\n")),
    "file": send(http(b"", "302 Found", "Location: file:///etc/passwd\r\n")),
    "come later": send(
        http(b'{"Code":"Throttling"}', "503 Busy", "Retry-After: 1e9\r\nx-acs-retry-after: 60000000\r\n")
    ),
    "long ago": send(http(GOOD, more="Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n")),
    "quoting": quote_secrets,
    "wrong types": send_wrong_types,
    "endless pages": send_endless_pages,
}


class Server(socketserver.ThreadingTCPServer):
    """A server that gives one answer per connection and closes it."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        self.answer, self.over = answer, threading.Event()
        super().__init__(("127.0.0.1", 0), Connection)
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def server_close(self) -> None:
        """Stop the server and all answers."""
        self.over.set()
        self.shutdown()
        super().server_close()


class Connection(socketserver.StreamRequestHandler):
    """A connection of a client, which may close it at any time."""

    server: Server

    def handle(self) -> None:
        """Read the head of a request, whose parameters are in the query, and answer it."""
        self.request.settimeout(CLIENT_TIMEOUT)
        try:
            request = b"".join(iter(self.rfile.readline, b"\r\n"))
            for piece in self.server.answer(request):
                if isinstance(piece, float):
                    if self.server.over.wait(piece):
                        return
                else:
                    self.request.sendall(piece)
        except OSError:
            return
