# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source apsaravideo_events over HTTP, with good, bad and hostile requests."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

import pytest

from support.receiver import HOST, PLUGINS, Engine, Source
from support.rulebook import INGEST_KEY, RECORDING_KEY, free_port, wait_until


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def source(engine):
    with Source(engine, batch_window=0.2) as running:
        yield running


def test_signed_callbacks_of_both_kinds_are_forwarded_once(source, engine):
    at = int(time.time())
    for _attempt in range(3):
        assert source.push("one", at=at, stamp=at) == (200, "ok\n")
        assert source.record("one", stamp=at) == (200, "ok\n")
    wait_until(lambda: engine.count() and engine.count("record_started"), 5, "both events")
    assert (engine.count(), engine.count("record_started")) == (1, 1)
    assert source.health()["duplicates"] == 4
    (event,) = [item for batch in engine.events for item in batch["events"] if item["type"] == "stream_online"]
    assert (event["domain_name"], event["stream_name"]) == ("live.example.com", "one")


def test_key_that_was_changed_is_accepted_with_the_old_one(engine):
    with Source(engine, ingest_auth_keys=["newKey0123456789", INGEST_KEY]) as source:
        assert source.push("one")[0] == 200
        assert source.push("two", key="newKey0123456789")[0] == 200
        assert source.push("three", key="olderKey0123456789")[0] == 403


@pytest.mark.parametrize("host", [HOST, f"{HOST}:8443"])
def test_signature_over_the_host_with_or_without_port_is_accepted(engine, host):
    with Source(engine, callback_hosts=[f"{HOST}:8443"]) as source:
        assert source.record("one", domain=host)[0] == 200


@pytest.mark.parametrize(
    "changes, status, kind",
    [
        ({"signature": "0" * 32}, 403, "signature"),
        ({"signature": "not hexadecimal"}, 403, "signature"),
        ({"signature": ""}, 403, "unsigned"),
        ({"key": "anotherKey0123456789"}, 403, "signature"),
        ({"domain": "live.example.com"}, 403, "signature"),
        ({"stamp": int(time.time()) - 4000}, 403, "stale"),
        ({"stamp": int(time.time()) + 4000}, 403, "stale"),
        ({"stamp": "9" * 40}, 403, "signature"),
        ({"path": "/other"}, 404, "path"),
        ({"path": "/"}, 404, "path"),
    ],
)
def test_forged_and_stale_requests_are_refused_and_counted(source, engine, changes, status, kind):
    assert source.push("one", **changes)[0] == status
    assert source.record("one", **changes)[0] == status
    assert source.health()["refused"] == {kind: 2}
    assert engine.events == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"domain": "d", "app": "a", "stream": "s"}',
        b'{"domain": "d", "app": "a", "stream": ["s"], "event": "x"}',
        b'{"domain": "d", "app": "a", "stream": "s", "event": {"x": 1}}',
        b'{"domain": "d", "app": "a", "stream": "s\\n", "event": "x"}',
        b'{"domain": "d", "domain": "e", "app": "a", "stream": "s", "event": "x"}',
        b'{"x": ' + b'["y"],' * 5000 + b"1}",
    ],
)
def test_malformed_bodies_are_refused_and_counted(source, engine, body):
    assert source.send("POST", "/events", body)[0] == 400
    assert source.health()["refused"] == {"malformed": 1}
    assert source.push("one")[0] == 200


def test_requests_of_other_kinds_are_refused(source):
    assert source.send("GET", "/events?domain=d&app=a&stream=s&codec=h264&vbitrate=2000")[0] == 501
    assert source.send("GET", "/events")[0] == 400
    assert source.send("DELETE", "/events")[0] == 405
    assert source.send("POST", "/events", b"x" * 70_000)[0] == 413
    refused = source.health()["refused"]
    assert refused == {"question": 1, "malformed": 1, "method": 1, "size": 1}


def test_chunked_body_that_is_too_large_is_refused(source):
    def chunks():
        for _number in range(100):
            yield b"x" * 10_000

    connection = __import__("http.client").client.HTTPConnection("127.0.0.1", source.port, timeout=10)
    try:
        connection.request("POST", "/events", chunks(), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # It was refused before it was sent.
    connection.close()
    assert source.health()["refused"] == {"size": 1}


def test_slow_requests_end_in_time_and_others_are_answered_meanwhile(engine):
    with Source(engine, read_timeout=1) as source:
        slow = [socket.create_connection(("127.0.0.1", source.port)) for _number in range(50)]
        for number, connection in enumerate(slow):
            connection.sendall(
                [b"", b"GET /events?act", b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"][number % 3]
            )
        began = time.monotonic()
        assert source.push("one")[0] == 200
        assert time.monotonic() - began < 1
        for connection in slow:
            connection.settimeout(10)
            try:
                while connection.recv(1000):
                    pass
            except ConnectionResetError:
                pass
            connection.close()
        assert time.monotonic() - began < 8
        health = source.health()
        assert health["refused"]["slow"] >= 16 and health["closed"] >= 30


def test_garbage_and_huge_headers_are_refused_without_a_crash(source):
    for garbage in (
        b"\0" * 1000,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 100_000,
        b"\x16\x03\x01\x02",
    ):
        with socket.create_connection(("127.0.0.1", source.port)) as connection:
            connection.settimeout(10)
            try:
                connection.sendall(garbage + b"\r\n\r\n")
                while connection.recv(1000):
                    pass
            except ConnectionError:
                pass
    assert source.push("one")[0] == 200


def test_requests_beyond_the_rate_are_refused(engine):
    with Source(engine, max_rate=10) as source:
        statuses = [source.push(str(number))[0] for number in range(60)]
        assert statuses.count(429) >= 30 and statuses[:15] == [200] * 15


def test_full_buffer_answers_503_and_accepts_the_callback_later(monkeypatch):
    monkeypatch.setattr(
        "ansible_collections.apsaravideo.live.plugins.plugin_utils._events.buffer.Buffer.__init__.__defaults__",
        (None, 3),
    )
    release = threading.Event()

    async def busy(_event):
        while not release.is_set():
            await asyncio.sleep(0.02)

    engine = Engine(busy)
    with Source(engine, batch_window=0.2) as source:
        statuses = [source.push(str(number))[0] for number in range(6)]
        assert statuses[:3] == [200] * 3 and statuses[-1] == 503
        release.set()
        wait_until(lambda: source.health()["buffered"] == 0, 5, "forwarded")
        assert source.push("5")[0] == 200
        wait_until(lambda: "live.example.com/app/5" in engine.streams(), 5, "the repetition")


@pytest.mark.parametrize("how", ["blocked", "computing"])
def test_stalled_engine_delays_no_answer_and_loses_nothing(how):
    async def busy(_event):
        end = time.monotonic() + 4
        while time.monotonic() < end:
            time.sleep(4) if how == "blocked" else json.dumps(list(range(1000)))

    engine = Engine(busy)
    with Source(engine) as source:
        source.push("first")
        wait_until(lambda: engine.events, 5, "stalled")

        def push(number):
            began = time.monotonic()
            assert source.push(str(number))[0] == 200
            return time.monotonic() - began

        with ThreadPoolExecutor(8) as pool:
            seconds = list(pool.map(push, range(200)))
        wait_until(lambda: engine.count() == 201, 20, "all events")
    # Each within 100 ms is measured on an idle machine; here, others use it.
    assert statistics.median(seconds) < 0.1 and max(seconds) < 2


def test_fault_of_the_engine_does_not_end_the_source():
    async def busy(_event):
        if len(engine.events) == 1:
            raise RuntimeError("a filter that fails once")

    engine = Engine(busy)
    with Source(engine, batch_window=0.1) as source:
        source.push("one")
        wait_until(lambda: len(engine.events) == 2, 5, "put again")
        source.push("two")
        wait_until(lambda: "live.example.com/app/two" in engine.streams(), 5, "the next one")
        assert source.ended is None


def test_secrets_are_in_no_event_log_line_or_file(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    engine = Engine()
    with Source(engine, batch_window=0.1, spool=str(tmp_path / "spool")) as source:
        source.push("one")
        source.push("one", signature="0" * 32)
        source.record("one", content={"usrargs": "auth_key=s3cret"})
        source.send("POST", "/events?auth_key=s3cret", b"s3cret")
        with socket.create_connection(("127.0.0.1", source.port)) as connection:
            connection.sendall(b"GET /events?auth_key=s3cret HTTP/1.1 s3cret\r\ns3cret\r\n\r\n")
            connection.recv(1000)
        wait_until(lambda: engine.count() and engine.count("record_started"), 5, "events")
        health = source.health()
    files = "".join(path.read_text() for path in tmp_path.iterdir())
    shown = caplog.text + json.dumps(engine.events) + json.dumps(health) + files
    assert "app/one" in shown and "live.example.com" in files
    for secret in ("s3cret", INGEST_KEY, RECORDING_KEY):
        assert secret not in shown


def test_source_serves_https(engine, tmp_path):
    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    port = free_port()
    arguments = {"port": port, "allow_unsigned": True}
    arguments.update(certfile=str(tmp_path / "cert.pem"), keyfile=str(tmp_path / "key.pem"))
    program = [sys.executable, str(PLUGINS / "event_source" / "apsaravideo_events.py"), json.dumps(arguments)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 20, "it listens")
            opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
            target = "?action=publish&app=live.example.com&appname=a&id=s&time=1"
            assert opener.open(f"https://localhost:{port}/{target}", timeout=10).read() == b"ok\n"
            assert json.loads(process.stdout.readline())["keep"] == ["live.example.com/a/s"]
        finally:
            process.kill()


def test_arguments_without_keys_are_refused_at_the_start():
    with pytest.raises(Exception, match="allow_unsigned"):
        asyncio.run(Source(Engine())._main(Engine(), {"port": free_port()}))


def test_killed_source_loses_nothing(tmp_path):
    port = free_port()
    arguments = {"port": port, "allow_unsigned": True, "spool": str(tmp_path / "spool")}
    program = [sys.executable, str(PLUGINS / "event_source" / "apsaravideo_events.py"), json.dumps(arguments)]
    helper = Source(Engine())
    helper.port = port
    seen = set()
    for round_number in range(2):
        process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        try:
            wait_until(helper._listens, 20, "it listens")
            if round_number == 0:
                assert {helper.push(str(number), path="/")[0] for number in range(100)} == {200}
            else:
                while len(seen) < 100:
                    batch = json.loads(process.stdout.readline())
                    seen |= set(batch["streams"]["stream_online"])
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
    assert seen == {f"push.example.com/app/{number}" for number in range(100)}
