# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callbacks delivered to a receiver in the test."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from apsaravideo_emulator import callbacks, scenario
from apsaravideo_emulator.callbacks import Callback, Deliverer
from apsaravideo_emulator.on_demand import build_url, decide
from apsaravideo_emulator.record_model import RecordConfig, RecordFormat
from apsaravideo_emulator.state import dumps, loads
from apsaravideo_emulator.world import World
from signing_client import now_text

ONE = "live.example.com/app/one"
STREAM = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "one"}


class Receiver:
    """A receiver that queues every request and responds with the given statuses, repeating the last one.

    A GET request is queued as its path and its query parameters.
    """

    def __init__(self, *statuses, response=b"thanks", wait=0.0, hold=None, encoding=None):
        received = self.received = queue.Queue()
        get_headers = self.get_headers = []
        remaining = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((json.loads(body), {name.upper(): value for name, value in self.headers.items()}))
                self.reply()

            def do_GET(self):
                get_headers.append({name.upper(): value for name, value in self.headers.items()})
                url = urlsplit(self.path)
                received.put((url.path, dict(parse_qsl(url.query, keep_blank_values=True))))
                self.reply()

            def reply(self):
                time.sleep(wait)
                if hold:
                    hold.wait(30)
                self.send_response(remaining.pop(0) if len(remaining) > 1 else remaining[0])
                self.send_header("Content-Length", str(len(response)))
                if encoding:
                    self.send_header("Content-Encoding", encoding)
                self.end_headers()
                self.wfile.write(response)

            def log_message(self, format, *args):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                """Ignore clients that disconnect before the response."""
                if not isinstance(sys.exc_info()[1], BrokenPipeError):
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/recordings"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._server.shutdown()
        self._server.server_close()


def list_events(client):
    window = {"StartTime": now_text(-3600), "EndTime": now_text(60)}
    paged = {"DomainName": "live.example.com", "PageNumber": 1, "PageSize": 10}
    return client.call("DescribeLiveRecordNotifyRecords", **paged, **window).json["CallbackList"]


def wait_for_events(client, count):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        rows = list_events(client)
        if len(rows) == count:
            return rows
        time.sleep(0.02)
    raise AssertionError(f"{rows} does not become {count} rows")


def push_with_callback(cloud, client, url, **more):
    cloud.behave(notify_result="deliver")
    response = client.call(
        "UpdateLiveRecordNotifyConfig",
        DomainName="live.example.com",
        NotifyUrl=url,
        NeedStatusNotify="true",
        **more,
    )
    assert response.status == 200
    cloud.push(ONE)


def send_commands(client, *names):
    for name in names:
        assert client.call("RealTimeRecordCommand", Command=name, **STREAM).status == 200


def test_delivered_callback_is_listed_with_its_response(cloud, client):
    with Receiver(200) as receiver:
        push_with_callback(cloud, client, receiver.url)
        send_commands(client, "start")
        body, headers = receiver.received.get(timeout=5)
        (row,) = wait_for_events(client, 1)
    assert body == {"domain": "live.example.com", "app": "app", "stream": "one", "event": "record_started"}
    assert headers["CONTENT-TYPE"] == "application/json; charset=utf-8"
    assert json.loads(row["NotifyHeader"]) == {"Content-Type": ["application/json; charset=utf-8"]}
    assert json.loads(row["NotifyContent"]) == body
    assert (row["NotifyResult"], row["NotifyResponse"]) == ("success", "thanks")


@pytest.mark.parametrize("host", ["without-port", "with-port"])
@pytest.mark.parametrize("case", ["lower", "upper"])
def test_signature_covers_host_time_and_key(cloud, client, host, case):
    key = "0123456789abcdef"
    with Receiver(200) as receiver:
        cloud.behave(callback_host=host, callback_case=case)
        push_with_callback(cloud, client, receiver.url, NotifyReqAuth="true", NotifyAuthKey=key)
        send_commands(client, "start")
        _body, headers = receiver.received.get(timeout=5)
        (row,) = wait_for_events(client, 1)
    stamp, signature = headers["ALI-LIVE-TIMESTAMP"], headers["ALI-LIVE-SIGNATURE"]
    assert abs(int(stamp) - time.time()) < 30
    signed = "127.0.0.1" if host == "without-port" else urlsplit(receiver.url).netloc
    expected = hashlib.md5(f"{signed}|{stamp}|{key}".encode()).hexdigest()
    assert signature == (expected if case == "lower" else expected.upper())
    assert json.loads(row["NotifyHeader"]) == {
        "Content-Type": ["application/json; charset=utf-8"],
        "ALI-LIVE-TIMESTAMP": [stamp],
        "ALI-LIVE-SIGNATURE": [signature],
    }


def test_changed_auth_key_applies_from_the_next_push(cloud, client):
    old, new = "0123456789abcdef", "fedcba9876543210"

    def find_key(headers):
        signed = {
            hashlib.md5(f"127.0.0.1|{headers['ALI-LIVE-TIMESTAMP']}|{key}".encode()).hexdigest(): key
            for key in (old, new)
        }
        return signed[headers["ALI-LIVE-SIGNATURE"]]

    with Receiver(200) as receiver:
        push_with_callback(cloud, client, receiver.url, NotifyReqAuth="true", NotifyAuthKey=old)
        push_with_callback(cloud, client, receiver.url, NotifyReqAuth="true", NotifyAuthKey=new)
        send_commands(client, "start")
        assert find_key(receiver.received.get(timeout=5)[1]) == old
        cloud.drop(ONE)
        cloud.push(ONE)
        send_commands(client, "start")
        assert new in [find_key(receiver.received.get(timeout=5)[1]) for _number in range(2)]


def test_signature_uses_the_time_of_sending(cloud, client):
    with Receiver(200) as receiver:
        push_with_callback(cloud, client, receiver.url, NotifyReqAuth="true", NotifyAuthKey="0123456789abcdef")
        send_commands(client, "start", "stop")
        cloud.advance(10_000)
        stamps = [int(receiver.received.get(timeout=5)[1]["ALI-LIVE-TIMESTAMP"]) for _number in range(4)]
    assert all(abs(stamp - time.time()) < 30 for stamp in stamps)


def test_failed_delivery_is_retried_if_configured(cloud, client):
    cloud.behave(callback_retries="any")
    with Receiver(503, 200) as receiver:
        push_with_callback(cloud, client, receiver.url)
        started = time.monotonic()
        send_commands(client, "start")
        first, second = (receiver.received.get(timeout=5)[0] for _number in range(2))
        assert first == second
        assert time.monotonic() - started >= 1
        assert wait_for_events(client, 1)[0]["NotifyResult"] == "success"


def test_response_other_than_200_is_final(cloud, client):
    with Receiver(503, 200) as receiver:
        push_with_callback(cloud, client, receiver.url)
        send_commands(client, "start")
        (row,) = wait_for_events(client, 1)
        assert (row["NotifyResult"], row["Description"]) == ("failed", "status 503")
        time.sleep(1.5)
        assert receiver.received.qsize() == 1


def test_due_events_are_sent_without_any_request(cloud, client):
    with Receiver(200) as receiver:
        cloud.behave(stop_delay="fixed")
        push_with_callback(cloud, client, receiver.url)
        send_commands(client, "start", "stop")
        cloud.advance(179)
        events = [receiver.received.get(timeout=5)[0].get("event") for _number in range(2)]
        assert sorted(events) == ["record_paused", "record_started"]
        file, _headers = receiver.received.get(timeout=5)
    assert "event" not in file
    assert file["uri"].startswith("record/app/one/")


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "http://callback.example.com/"])
def test_receivers_on_other_machines_are_never_called(cloud, client, url):
    push_with_callback(cloud, client, url)
    started = time.monotonic()
    send_commands(client, "start")
    (row,) = wait_for_events(client, 1)
    assert (row["NotifyResult"], row["NotifyResponse"]) == ("failed", "")
    assert row["Description"] == "receivers on other machines are not called"
    assert time.monotonic() - started < 4, "less than a receiver may take"


# Delivery


@pytest.fixture
def quick_retries(monkeypatch):
    monkeypatch.setattr(callbacks, "RETRY_DELAY", 0.02)


def deliver_all(*made):
    """Deliver (URL, body) pairs and return (URL, outcome) pairs in the order of completion."""
    ended, deliverer = queue.Queue(), Deliverer()
    for url, body in made:
        done = functools.partial(lambda url, outcome: ended.put((url, outcome)), url)
        deliverer.put(Callback(url, done, body, retry_any_failure=True))
    return [ended.get(timeout=10) for _pair in made]


def test_delivery_fails_after_all_attempts(quick_retries):
    with Receiver(500) as receiver:
        ((_url, outcome),) = deliver_all((receiver.url, b"{}"))
        assert (outcome.body, outcome.reason) == (None, "status 500")
        assert receiver.received.qsize() == 6


def test_last_attempt_may_succeed(quick_retries):
    with Receiver(500, 404, 302, 201, 503, 200) as receiver:
        ((_url, outcome),) = deliver_all((receiver.url, None))
        assert outcome.body == b"thanks"


def test_refused_connection_and_timeout_fail(quick_retries, monkeypatch):
    monkeypatch.setattr(callbacks, "RESPONSE_TIMEOUT", 0.1)
    with Receiver(200) as gone:
        pass
    with Receiver(200, wait=0.5) as slow:
        outcomes = dict(deliver_all((gone.url, b"{}"), (slow.url, b"{}")))
    assert "refused" in outcomes[gone.url].reason
    assert "timed out" in outcomes[slow.url].reason


def test_only_timeouts_are_retried_by_default(quick_retries, monkeypatch):
    monkeypatch.setattr(callbacks, "RESPONSE_TIMEOUT", 0.1)
    deliverer, ended = Deliverer(), queue.Queue()
    with Receiver(200, wait=0.5) as slow, Receiver(500) as refusing:
        for receiver in (slow, refusing):
            deliverer.put(Callback(receiver.url, ended.put, b"{}"))
        reasons = {ended.get(timeout=10).reason for _number in range(2)}
        assert (slow.received.qsize(), refusing.received.qsize()) == (6, 1)
    assert reasons == {"timed out", "status 500"}


def test_failing_receivers_do_not_delay_others():
    with Receiver(500) as failing, Receiver(200) as good:
        deliverer, ended = Deliverer(), queue.Queue()
        for _number in range(40):
            deliverer.put(Callback(failing.url, ended.put, b"{}", retry_any_failure=True))
        started = time.monotonic()
        deliverer.put(Callback(good.url, ended.put, b"{}"))
        assert ended.get(timeout=5).body == b"thanks"
        assert time.monotonic() - started < 4


def test_cleared_callbacks_are_not_sent(quick_retries):
    hold = threading.Event()
    with Receiver(500, hold=hold) as receiver:
        deliverer, ended = Deliverer(), queue.Queue()
        for _number in range(callbacks.WORKERS + 5):
            deliverer.put(Callback(receiver.url, ended.put, b"{}", retry_any_failure=True))
        for _number in range(callbacks.WORKERS):
            receiver.received.get(timeout=5)
        deliverer.clear()
        hold.set()
        time.sleep(0.3)
        assert (receiver.received.qsize(), ended.qsize()) == (0, 0)
        deliverer.put(Callback(receiver.url, ended.put, b"{}", retries_left=0))
        assert ended.get(timeout=5).reason == "status 500"


def test_slow_receivers_do_not_delay_the_api(cloud, client):
    with Receiver(200, wait=1) as receiver:
        push_with_callback(cloud, client, receiver.url)
        cloud.push(*(f"live.example.com/app/s{number}" for number in range(20)))
        started = time.monotonic()
        for number in range(20):
            parameters = {**STREAM, "StreamName": f"s{number}"}
            assert client.call("RealTimeRecordCommand", Command="start", **parameters).status == 200
        # Waiting for each delivery would take 20 s.
        assert time.monotonic() - started < 8
        cloud.reset()


def test_pending_callbacks_are_sent_again_after_a_restart():
    with Receiver(200, response=b'{"NeedRecord": true}') as receiver:
        config = {"DomainName": "live.example.com", "OnDemandUrl": receiver.url, "NeedStatusNotify": True}
        account = {**scenario.DEFAULT["accounts"][0], "notify_configs": [{**config, "NotifyUrl": receiver.url}]}
        config = {**account["record_configs"][0], "OnDemand": 1}
        plan = {"accounts": [{**account, "record_configs": [config]}]}
        ended, started = (World(plan, {"notify_result": "deliver"}) for _number in range(2))
        ended.gate.close(0)
        ended.cloud.begin_push("live.example.com", "app", "one")
        ended.cloud.add_event(("live.example.com", "app", "one"), "record_error", 0)
        first = [receiver.received.get(timeout=5)[0] for _number in range(2)]
        started.restore(loads(dumps(ended.snapshot())))
        again = [receiver.received.get(timeout=5)[0] for _number in range(3)]
        assert {str(body) for body in again} > {str(body) for body in first}
        assert started.cloud.streams["live.example.com", "app", "one"].recorder.state == "recording"


# On-demand recording


def enable_on_demand(cloud, client, receiver):
    """Let the receiver decide on recordings of the domain."""
    client.call("UpdateLiveAppRecordConfig", DomainName="live.example.com", AppName="*", OssEndpoint="e", OnDemand=1)
    push_with_callback(cloud, client, "http://192.0.2.1/", OnDemandUrl=receiver.url)


def wait_for_decision(cloud):
    """Return the stream once the response to the on-demand request has been processed."""
    deadline = time.monotonic() + 10
    while (stream := cloud.stream(ONE))["asked"] == "waiting":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return stream


def test_on_demand_response_selects_the_recorded_formats(cloud, client):
    response = {"ApiVersion": "1.0", "NeedRecord": True, "Interval": {"Mp4": 300, "Flv": 120}, "Format": ["mp4", "flv"]}
    with Receiver(200, response=json.dumps(response).encode()) as receiver:
        enable_on_demand(cloud, client, receiver)
        assert receiver.received.get(timeout=5) == (
            "/recordings",
            {"domain": "live.example.com", "app": "app", "stream": "one", "codec": "h264", "vbitrate": "2000"},
        )
        stream = wait_for_decision(cloud)
    (headers,) = receiver.get_headers
    assert (headers["USER-AGENT"], headers["ACCEPT-ENCODING"]) == ("Go-http-client/1.1", "gzip")
    assert (stream["asked"], stream["recording"]) == ("record", "recording")
    cloud.advance(700)
    files = [(file["format"], file["duration"]) for file in cloud.stream(ONE)["files"]]
    assert files == [("mp4", 300), ("mp4", 300)]


@pytest.mark.parametrize(
    ("status", "response", "decision"),
    [
        (200, {"NeedRecord": False}, "leave"),
        (200, {"NeedRecord": True, "Format": ["flv"]}, "leave"),
        (200, {"NeedRecord": "yes"}, "failed"),
        (500, {"NeedRecord": True}, "failed"),
    ],
)
def test_negative_or_invalid_response_starts_no_recording(cloud, client, status, response, decision):
    cloud.behave(on_demand_retries="off")
    with Receiver(status, response=json.dumps(response).encode()) as receiver:
        enable_on_demand(cloud, client, receiver)
        stream = wait_for_decision(cloud)
    assert (stream["asked"], stream["recording"]) == (decision, "idle")
    send_commands(client, "start")
    assert cloud.stream(ONE)["recording"] == "recording"


GZIPPED = gzip.compress(b'{"NeedRecord": true}', mtime=0)  # the same bytes, and so the same test id, in each worker


@pytest.mark.parametrize(("response", "decision"), [(GZIPPED, "record"), (b"x", "failed")])
def test_gzip_response_is_decompressed(cloud, client, response, decision):
    cloud.behave(on_demand_retries="off")
    with Receiver(200, response=response, encoding="gzip") as receiver:
        enable_on_demand(cloud, client, receiver)
        receiver.received.get(timeout=5)
        deadline = time.monotonic() + 10
        while cloud.stream(ONE)["asked"] == "waiting" and time.monotonic() < deadline:
            time.sleep(0.02)
    assert cloud.stream(ONE)["asked"] == decision


def test_on_demand_request_is_retried(cloud, client):
    cloud.behave(callback_retries="any")
    with Receiver(503, 200, response=b'{"NeedRecord": true}') as receiver:
        enable_on_demand(cloud, client, receiver)
        assert wait_for_decision(cloud)["recording"] == "recording"


def test_response_after_the_end_of_the_push_is_ignored(cloud, client):
    with Receiver(200, response=b'{"NeedRecord": true}', wait=0.3) as receiver:
        enable_on_demand(cloud, client, receiver)
        receiver.received.get(timeout=5)
        cloud.drop(ONE)
        time.sleep(0.5)
        assert cloud.stream(ONE)["recording"] == "idle"
        cloud.push(ONE)
        assert wait_for_decision(cloud)["recording"] == "recording"


FORMATS = tuple(RecordFormat(name, 3600, "p") for name in ("m3u8", "MP4"))
CONFIG = RecordConfig(1, "d", "*", "*", 1, "b", "e", 0.0, 180, FORMATS)


@pytest.mark.parametrize(
    ("response", "formats"),
    [
        ({"NeedRecord": True}, [("m3u8", 3600), ("MP4", 3600)]),
        ({"NeedRecord": True, "Format": ["M3U8", "FLV"]}, [("m3u8", 3600)]),
        ({"NeedRecord": True, "Interval": {"Mp4": 5, "Flv": 21600}}, [("m3u8", 3600), ("MP4", 5)]),
        ({"NeedRecord": True, "Format": []}, None),
        ({"NeedRecord": False, "Format": ["mp4"]}, None),
    ],
)
def test_decide_selects_formats_and_cycles(response, formats):
    decision = decide(CONFIG, json.dumps(response).encode())
    assert (decision and [(item.name, item.cycle) for item in decision.formats]) == formats


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"true",
        b"{}",
        b'{"NeedRecord": 1}',
        b'{"NeedRecord": true, "Format": "mp4"}',
        b'{"NeedRecord": true, "Interval": [300]}',
        b'{"NeedRecord": true, "Interval": {"Mp4": 4}}',
        b'{"NeedRecord": true, "Interval": {"Mp4": 21601}}',
        b'{"NeedRecord": true, "Interval": {"Mp4": "300"}}',
        b'{"NeedRecord": true, "more": "' + b"x" * 2048 + b'"}',
    ],
)
def test_decide_refuses_invalid_responses(body):
    with pytest.raises(ValueError, match=r"."):
        decide(CONFIG, body)


@pytest.mark.parametrize(
    ("url", "start"), [("http://h/p", "?"), ("http://h/p?", "?"), ("http://h/p?a=%20b", "?a=%20b&")]
)
def test_request_url_keeps_its_own_query(url, start):
    request_url = build_url(url, ("d", "a", "a b*~/+&=%中文"))
    assert request_url.startswith(f"http://h/p{start}domain=d&app=a&stream=a+b")
    assert dict(parse_qsl(urlsplit(request_url).query))["stream"] == "a b*~/+&=%中文"


# Push events


def test_push_events_are_sent_to_the_status_url(cloud):
    with Receiver(200) as receiver:
        domain = {"name": "play.example.net", "ingest": ["in.example.net"], "status_url": f"{receiver.url}?token=x"}
        cloud.add_accounts({"id": "3", "domains": [domain]})
        cloud.behave(notify_result="deliver")
        stream = "in.example.net/app/one"
        cloud.push(stream)
        cloud.drop(stream)
        cloud.push(stream)
        cloud.advance(2)
        path, started = receiver.received.get(timeout=5)
        cloud.drop(stream)
        _path, ended = receiver.received.get(timeout=5)
        assert receiver.received.empty()
    shared = {
        "token": "x",
        "ip": "192.0.2.1",
        "id": "one",
        "app": "in.example.net",
        "appname": "app",
        "node": "192.0.2.2",
        "usrargs": "vhost=in.example.net",
    }
    assert path == "/recordings"
    assert abs(int(started.pop("time")) - time.time()) < 30
    assert started == {**shared, "action": "publish", "height": "720", "width": "1280"}
    assert abs(int(ended.pop("time")) - time.time()) < 30
    assert ended == {**shared, "action": "publish_done"}
    assert "ALI-LIVE-SIGNATURE" not in receiver.get_headers[0]


def set_ingest_callback(client, url, **more):
    response = client.call(
        "SetLiveStreamsNotifyUrlConfig", DomainName="push.example.com", NotifyUrl=url, NotifyReqAuth="yes", **more
    )
    assert response.status == 200


def test_ingest_signature_uses_the_ingest_domain_and_the_key_at_the_push(cloud, client):
    old, new = "0123456789abcdef", "f" * 64

    def is_signed_with(headers, key):
        signed = f"push.example.com|{headers['ALI-LIVE-TIMESTAMP']}|{key}"
        return headers["ALI-LIVE-SIGNATURE"] == hashlib.md5(signed.encode()).hexdigest()

    with Receiver(200) as receiver:
        cloud.behave(notify_result="deliver")
        set_ingest_callback(client, receiver.url, NotifyAuthKey=old)
        cloud.push(ONE)
        cloud.advance(2)
        receiver.received.get(timeout=5)
        set_ingest_callback(client, receiver.url, NotifyAuthKey=new)
        cloud.drop(ONE)
        receiver.received.get(timeout=5)
        cloud.push(ONE)
        cloud.advance(2)
        receiver.received.get(timeout=5)
    assert [is_signed_with(headers, old) for headers in receiver.get_headers] == [True, True, False]
    assert is_signed_with(receiver.get_headers[2], new)


def test_ingest_parameters_survive_url_encoding(cloud, client):
    query = "auth_key=1-2-3&callback_a=%2Fx"
    with Receiver(200) as receiver:
        cloud.behave(notify_result="deliver")
        set_ingest_callback(client, f"{receiver.url}?token=x", NotifyAuthKey="0123456789abcdef")
        cloud.push({**dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/"))), "query": query})
        cloud.drop(ONE)
        cloud.resume(ONE)
        cloud.advance(2)
        _path, started = receiver.received.get(timeout=5)
        cloud.push(ONE)
    assert started["usrargs"] == f"vhost=push.example.com&{query}"
    assert receiver.received.empty()


def test_pending_publish_event_is_sent_after_a_restart():
    with Receiver(200) as receiver:
        domain = {"name": "play.example.net", "ingest": ["in.example.net"], "status_url": receiver.url}
        ended, started = (World({"accounts": [{"id": "3", "domains": [domain]}]}, {}) for _number in range(2))
        ended.cloud.begin_push("in.example.net", "app", "one")
        started.restore(loads(dumps(ended.snapshot())))
        started.behaviour.update({"notify_result": "deliver"})
        started.cloud.advance(2)
        assert receiver.received.get(timeout=5)[1]["action"] == "publish"
