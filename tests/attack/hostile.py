# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on a loopback address that answers what no cloud would."""

from __future__ import annotations

import json
import random
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

LARGE = 8 * 1024 * 1024  # more is not read
PATIENCE = 60  # seconds for a client that says nothing

KNOWN: list[str] = []  # secrets that an answer may quote
Answer = Callable[[bytes], Iterator[Any]]  # request to pieces of the response: bytes, or seconds to wait
LISTS = {
    "OnlineInfo": "LiveStreamOnlineInfo",
    "LiveAppRecordList": "LiveAppRecord",
    "RecordContentInfoList": "RecordContentInfo",
    "RecordIndexInfoList": "RecordIndexInfo",
}
WRONG = [None, True, -1, 1e308, "", "{{ 7 * 7 }}", "\u202e\x1b[2J", [], {}, [[]], [None], ["x" * 9999], {"a": {}}]


def http(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    """Return a whole response."""
    return f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def sent(*pieces: Any) -> Answer:
    """Return the answer that consists of these pieces, whatever the request."""
    return lambda _request: iter(pieces)


def huge(begin: bytes, repeated: bytes, end: bytes = b"") -> Answer:
    """Return an answer of the largest size that is read; it is sent in parts, so that this program stays small."""
    count = (LARGE - len(begin) - len(end)) // len(repeated)
    length = len(begin) + count * len(repeated) + len(end)
    thousand, rest = divmod(count, 1000)

    def pieces(_request: bytes) -> Iterator[Any]:
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % length + begin
        for _part in range(thousand):
            yield repeated * 1000
        yield repeated * rest + end

    return pieces


def quoting(request: bytes) -> Iterator[Any]:
    """Quote the request and what no server should know."""
    text = f"{request.decode(errors='replace')} {' '.join(KNOWN)}"
    yield http(json.dumps({"RequestId": "R", "Code": "Forbidden.RAM", "Message": text}).encode(), "403 Forbidden")


def of_wrong_types(_request: bytes) -> Iterator[Any]:
    """Put wrong values in the places that are read, others each time."""
    names = [*LISTS, "CallbackList", "StreamState", "TotalNum", "PageNum", "Credentials", "LiveRecordNotifyConfig"]
    content = {"RequestId": random.choice(["R", *WRONG]), **{name: random.choice(WRONG) for name in names}}
    for name, inner in LISTS.items():
        content[name] = random.choice([content[name], {inner: random.choice(WRONG)}])
    yield http(json.dumps(content).encode())


def endless_pages(request: bytes) -> Iterator[Any]:
    """Answer each page of a list full of new streams, and say that there are always more.

    The notify log is left out: it may take more memory than the other lists, as docs/security.md says.
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
    "never": sent(3600.0),
    "nothing": sent(),
    "dripping body": sent(HEAD, *[b"x", 1.0] * 3600),
    "dripping head": sent(*[b"HTTP/1.1 200 OK\r\n", 1.0], *[b"X: y\r\n", 1.0] * 3600),
    "dripping chunks": sent(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n", 1.0] * 3600),
    "truncated": sent(HEAD, GOOD),
    "many objects": huge(PAGE, b"{},", b"0]}}"),
    "many texts": huge(PAGE, b'"a",', b"0]}}"),
    "deep lists": huge(b"", b"["),
    "deep objects": huge(b"", b'{"a":'),
    "long number": huge(b'{"RequestId":"R","TotalNum":', b"9", b"}"),
    "long text": huge(b'{"RequestId":"R","Message":"', b"\\u00e9", b'"}'),
    "no UTF-8": huge(b"", b"\xff"),
    "UTF-16": sent(http('{"RequestId":"R"}'.encode("utf-16"))),
    "gzip that is none": sent(http(b"\x1f\x8b" + GOOD, more="Content-Encoding: gzip\r\n")),
    "longer than any": sent(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", *[b" " * 65536] * 4000),
    "head without end": sent(b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 60000 + b"\r\n"] * 2000),
    "continued for ever": sent(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 100_000, 3600.0),
    "no HTTP": sent(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "TLS": sent(b"\x15\x03\x03\x00\x02\x02\x28"),
    "elsewhere": sent(http(b"", "307 Temporary Redirect", "Location: http://127.0.0.1:9/\r\n")),
    "file": sent(http(b"", "302 Found", "Location: file:///etc/passwd\r\n")),
    "come later": sent(
        http(b'{"Code":"Throttling"}', "503 Busy", "Retry-After: 1e9\r\nx-acs-retry-after: 60000000\r\n")
    ),
    "long ago": sent(http(GOOD, more="Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n")),
    "quoting": quoting,
    "wrong types": of_wrong_types,
    "endless pages": endless_pages,
}


class Server(socketserver.ThreadingTCPServer):
    """Gives one answer for each connection, and closes it."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        self.answer, self.over = answer, threading.Event()
        super().__init__(("127.0.0.1", 0), Connection)
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def server_close(self) -> None:
        """Stop, and let no answer go on."""
        self.over.set()
        self.shutdown()
        super().server_close()


class Connection(socketserver.StreamRequestHandler):
    """A connection of a client; one that has gone does not matter."""

    server: Server

    def handle(self) -> None:
        """Read a request without its body, which is in the query, and answer it."""
        self.request.settimeout(PATIENCE)
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
