# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing callbacks, to a receiver in the test."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from signing_client import now_text

ONE = "live.example.com/app/one"
STREAM = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "one"}


class Receiver:
    """Notes what it is sent, and answers with the given statuses, the last one for ever."""

    def __init__(self, *statuses):
        received = self.received = queue.Queue()
        left = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((json.loads(body), {name.upper(): value for name, value in self.headers.items()}))
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"thanks")

            def log_message(self, format, *args):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/recordings"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._server.shutdown()
        self._server.server_close()


def listed(client):
    window = {"StartTime": now_text(-3600), "EndTime": now_text(60)}
    paged = {"DomainName": "live.example.com", "PageNumber": 1, "PageSize": 10}
    return client.call("DescribeLiveRecordNotifyRecords", **paged, **window).json["CallbackList"]


def eventually_listed(client, count):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        rows = listed(client)
        if len(rows) == count:
            return rows
        time.sleep(0.02)
    raise AssertionError(f"{rows} does not become {count} rows")


def listen(cloud, client, url, **more):
    cloud.behave(notify_result="deliver")
    answer = client.call(
        "UpdateLiveRecordNotifyConfig",
        DomainName="live.example.com",
        NotifyUrl=url,
        NeedStatusNotify="true",
        **more,
    )
    assert answer.status == 200
    cloud.push(ONE)


def command(client, *names):
    for name in names:
        assert client.call("RealTimeRecordCommand", Command=name, **STREAM).status == 200


def test_delivery(cloud, client):
    with Receiver(200) as receiver:
        listen(cloud, client, receiver.url)
        command(client, "start")
        body, headers = receiver.received.get(timeout=5)
        (row,) = eventually_listed(client, 1)
    assert body == {"domain": "live.example.com", "app": "app", "stream": "one", "event": "record_started"}
    assert headers["CONTENT-TYPE"] == "application/json"
    assert json.loads(row["NotifyContent"]) == body
    assert (row["NotifyResult"], row["NotifyResponse"]) == ("success", "thanks")


def test_signed_delivery(cloud, client):
    key = "0123456789abcdef"
    with Receiver(200) as receiver:
        listen(cloud, client, receiver.url, NotifyReqAuth="true", NotifyAuthKey=key)
        command(client, "start")
        _body, headers = receiver.received.get(timeout=5)
    stamp = headers["ALI-LIVE-TIMESTAMP"]
    assert abs(int(stamp) - time.time()) < 5
    assert headers["ALI-LIVE-SIGNATURE"] == hashlib.md5(f"127.0.0.1|{stamp}|{key}".encode()).hexdigest()


def test_failed_delivery_is_repeated(cloud, client):
    with Receiver(503, 200) as receiver:
        listen(cloud, client, receiver.url)
        begun = time.monotonic()
        command(client, "start")
        first, second = (receiver.received.get(timeout=5)[0] for _number in range(2))
        assert first == second
        assert time.monotonic() - begun >= 1
        assert eventually_listed(client, 1)[0]["NotifyResult"] == "success"


def test_what_becomes_due_is_sent_although_nobody_asks(cloud, client):
    with Receiver(200) as receiver:
        cloud.behave(stop_delay="fixed")
        listen(cloud, client, receiver.url)
        command(client, "start", "stop")
        cloud.advance(179)
        events = [receiver.received.get(timeout=5)[0].get("event") for _number in range(2)]
        assert sorted(events) == ["record_paused", "record_started"]
        file, _headers = receiver.received.get(timeout=5)
    assert "event" not in file
    assert file["uri"].startswith("record/app/one/")


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "http://callback.example.com/"])
def test_receivers_elsewhere_are_never_called(cloud, client, url):
    listen(cloud, client, url)
    begun = time.monotonic()
    command(client, "start")
    (row,) = eventually_listed(client, 1)
    assert row["NotifyResult"] == "failed"
    assert time.monotonic() - begun < 1
