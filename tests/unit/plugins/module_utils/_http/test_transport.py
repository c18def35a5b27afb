# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to the endpoint itself: when they are kept, how threads share them, and whom they greet."""

from __future__ import annotations

import os
import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import EndpointUnusable, NotSent, ResponseLost
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._http.transport import Transport
from support.certificates import Authority
from support.scripted import ScriptedServer, answer

OK = answer(200, "{}")
ROOT = Path(__file__).parents[8]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(name="ports")
def ports_of_the_clients():
    """The ports that requests came from, one for each connection, and a step that notes one and answers."""
    seen = []

    def noted(step=OK, ends=False):
        def play(handler):
            seen.append(handler.client_address[1])
            step(handler)
            handler.close_connection = handler.close_connection or ends

        return play

    return seen, noted


def transport(url, **settings):
    return Transport(Settings(Endpoint.parse(url), **{"connect_timeout": 5, "read_timeout": 5, **settings}))


def get(way, **options):
    return way.send("GET", "it", {}, **options)


def test_a_connection_is_kept(ports):
    seen, noted = ports
    with ScriptedServer(noted(), noted(answer(404, "no")), noted()) as server:
        way = transport(server.url)
        assert [get(way).status for _number in range(3)] == [200, 404, 200]
        way.close()
    assert len(set(seen)) == 1


@pytest.mark.parametrize("said", [{}, {"connection": "close"}], ids=["unasked", "as it said"])
def test_one_that_the_server_ended_is_made_again(ports, said):
    seen, noted = ports
    with ScriptedServer(noted(answer(200, "{}", **said), ends=True), noted()) as server:
        way = transport(server.url)
        get(way)
        (kept,) = (connection.sock for connection in way._pool.pool.queue if connection)
        assert (kept is None) == bool(said)
        if kept:
            select.select([kept], [], [], 10)  # until its end has come
        get(way)
        way.close()
    assert len(set(seen)) == 2


def test_one_whose_answer_was_cut_is_not_used_again(ports):
    seen, noted = ports
    with ScriptedServer(noted(answer(200, "x" * 1_000_000)), noted()) as server:
        way = transport(server.url)
        assert get(way, max_size=10).body == b"x" * 10
        assert get(way).body == b"{}"
        way.close()
    assert len(set(seen)) == 2


def test_a_server_that_is_gone():
    with ScriptedServer(OK) as server:
        way = transport(server.url)
        get(way)
        way.close()
    for _number in range(2):
        with pytest.raises(NotSent, match="does not accept a connection"):
            get(way)


def test_a_request_leaves_when_the_connection_stands():
    at_departure = []
    with ScriptedServer(OK) as server:
        way = transport(server.url)

        def leave():
            deadline = time.monotonic() + 10
            while not server.open and time.monotonic() < deadline:
                time.sleep(0.01)
            at_departure.append((server.open, len(server.requests)))

        get(way, before_send=leave)
        way.close()
    assert at_departure == [(1, 0)]


def test_a_connection_that_went_stale_is_replaced_before_the_request_is_sent(ports):
    seen, noted = ports
    at_departure = []
    with ScriptedServer(noted(ends=True), noted()) as server:
        way = transport(server.url)
        get(way)
        (kept,) = (connection.sock for connection in way._pool.pool.queue if connection)
        select.select([kept], [], [], 10)  # until its end has come

        def leave():
            deadline = time.monotonic() + 10
            while not server.open and time.monotonic() < deadline:
                time.sleep(0.01)
            at_departure.append((server.open, len(server.requests)))

        get(way, before_send=leave)
        way.close()
    assert at_departure == [(1, 1)], "the new connection was open, and only the first request sent"
    assert len(set(seen)) == 2


THREADS = 50
ROUNDS = 4


def test_threads_share_connections_and_nothing_else(ports):
    """Each request has to be sent after its own callback, in its own thread, and to get its own response."""
    seen, noted = ports

    def echo(handler):
        answer(200, handler.path, echoed=handler.headers["x-name"])(handler)

    together = threading.Barrier(THREADS, timeout=30)
    with ScriptedServer(*[noted(echo)] * THREADS * ROUNDS) as server:
        way = transport(server.url)

        def ask(number):
            for turn in range(ROUNDS):
                name = f"{number}-{turn}"
                left = []
                note = left.append

                def leave(name=name, note=note):
                    note((threading.get_ident(), any(name in asked.target for asked in server.requests)))
                    together.wait()  # so that all have a connection of their own, and none has sent yet

                got = way.send("GET", name, {"x-name": name}, before_send=leave)
                assert (got.body.decode(), got.headers["echoed"]) == (f"/{name}", name)
                assert left == [(threading.get_ident(), False)]

        with ThreadPoolExecutor(THREADS) as threads:
            for asked in [threads.submit(ask, number) for number in range(THREADS)]:
                asked.result()
        way.close()
    assert len(set(seen)) == THREADS, "a connection for each thread, used again in each round"


def test_a_failure_is_told_apart_for_each_thread():
    """What one thread has sent says nothing of what another has not."""
    sent, refused = threading.Event(), threading.Event()

    def ends(handler):
        sent.set()
        refused.wait(10)
        handler.close_connection = True

    def fails():
        sent.wait(10)
        raise OSError("before it was sent")

    with ScriptedServer(ends) as server, ThreadPoolExecutor(2) as threads:
        way = transport(server.url)
        lost, unsent = threads.submit(get, way), threads.submit(get, way, before_send=fails)
        assert isinstance(unsent.exception(), NotSent)
        refused.set()
        assert isinstance(lost.exception(), ResponseLost)
        way.close()


def test_a_password_in_netrc_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password word\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with ScriptedServer(OK, OK) as server:
        way = transport(server.url)
        way.send("POST", "it", {"Authorization": "ours"})
        way.send("GET", "it", {})
        way.close()
    assert [request.headers.get_all("authorization") for request in server.requests] == [["ours"], None]


def test_no_header_is_added_but_those_that_a_request_needs():
    with ScriptedServer(OK) as server:
        way = transport(server.url)
        way.post("a=b", {"host": f"127.0.0.1:{server.port}", "x-acs-date": "now"}, before_send=lambda: None)
        way.close()
    assert {name.lower(): value for name, value in server.requests[0].headers.items()} == {
        "host": f"127.0.0.1:{server.port}",
        "x-acs-date": "now",
        "user-agent": "ansible-collection/apsaravideo.live",
        "accept-encoding": "identity",
        "content-length": "0",
    }
    assert len(server.requests[0].headers) == 5


def test_a_redirect_is_not_followed():
    with ScriptedServer(answer(307, "", location="/elsewhere")) as server:
        way = transport(server.url)
        assert get(way).status == 307
        way.close()


def test_an_endpoint_with_an_address_of_version_6():
    with socket.socket(socket.AF_INET6) as listener:
        try:
            listener.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        listener.listen()
        port = listener.getsockname()[1]
        way = transport(f"http://[::1]:{port}", read_timeout=0.1)

        def ends():
            raise NotSent("enough", "Go on.")

        with pytest.raises(NotSent, match="enough"):
            get(way, before_send=ends)
        way.close()


@pytest.fixture(name="authority", scope="module")
def authority_of_the_endpoint(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="named")
def server_of_a_name(authority, monkeypatch):
    """A server over TLS, on whatever name and port is asked for; and what was asked for."""
    issued = authority.issue(names="DNS:live.example.net")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    asked = []
    with ScriptedServer(OK, tls=context) as server:

        def resolved(host, port, *_hints):
            asked.append((host, port))
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        yield server, authority.ca_path, asked


@needs_openssl
@pytest.mark.parametrize(
    "endpoint, address, host",
    [
        ("https://live.example.net", ("live.example.net", 443), "live.example.net"),
        ("https://live.example.net:8443", ("live.example.net", 8443), "live.example.net:8443"),
        ("https://live.example.net.", ("live.example.net.", 443), "live.example.net."),
    ],
)
def test_whom_a_request_greets(named, endpoint, address, host):
    server, ca_path, asked = named
    way = transport(endpoint, ca_path=ca_path)
    assert get(way).status == 200
    way.close()
    assert asked == [address]
    assert server.requests[0].headers["host"] == host
    assert server.requests[0].headers["user-agent"] == "ansible-collection/apsaravideo.live"


@needs_openssl
@pytest.mark.parametrize("endpoint", ["https://other.example.net", "https://127.0.0.1"])
def test_a_certificate_for_another_name(named, endpoint):
    server, ca_path, _asked = named
    server.stop_early()
    way = transport(endpoint, ca_path=ca_path)
    with pytest.raises(EndpointUnusable, match="is not trusted"):
        get(way)
    way.close()
    assert server.requests == []


@needs_openssl
@pytest.mark.parametrize("names", ["", "URI:https://live.example.net/"])
def test_a_name_in_the_subject_only_is_not_trusted(authority, monkeypatch, names):
    issued = authority.issue("live.example.net", names=names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    with ScriptedServer(tls=context) as server:
        address = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked: address)
        way = transport("https://live.example.net", ca_path=authority.ca_path)
        with pytest.raises(EndpointUnusable, match="is not trusted"):
            get(way)
        way.close()
    assert server.requests == []


@pytest.fixture(name="names")
def names_that_are_not_always_resolved(monkeypatch):
    """What comes of each look-up: a port, or None where there is no such name."""
    found = []

    def resolve(_host, _port, *_hints):
        port = found.pop(0)
        if port is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return found


@needs_openssl
@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_a_name_that_was_resolved_before_in_the_run_is_right(names, authority, tmp_path, shared, secure):
    """Another process of the run knows it from the directory that they share."""
    url, directory = f"http{'s' * secure}://live.example.net", str(tmp_path) if shared else None
    issued = authority.issue(names="DNS:live.example.net")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)

    def made():
        endpoint = Endpoint.parse(url, allow_http=True)
        return Transport(Settings(endpoint, 5, 5, ca_path=authority.ca_path, run_directory=directory))

    with ScriptedServer(OK, tls=context if secure else None) as server:
        names += [None, server.port, None, None]
        first = made()
        with pytest.raises(EndpointUnusable, match="cannot be resolved"):
            get(first)
        assert get(first).status == 200
        first.close()
        with pytest.raises(NotSent, match="cannot be resolved"):
            get(first)
        with pytest.raises(NotSent if shared else EndpointUnusable, match="cannot be resolved"):
            get(made())
    assert names == []


def test_a_directory_that_is_gone_keeps_nobody_from_calling(names, tmp_path):
    endpoint = Endpoint.parse("http://live.example.net", allow_http=True)
    way = Transport(Settings(endpoint, 5, 5, run_directory=str(tmp_path / "gone")))
    with ScriptedServer(OK) as server:
        names += [server.port]
        assert get(way).status == 200
    way.close()


def told(program, environ):
    """What a program of Python says that finds the collection."""
    given = {name: value for name, value in os.environ.items() if name.lower() not in PROXIES}
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + program],
        env={**given, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


IMPORT = "from ansible_collections.apsaravideo.live.plugins.module_utils._http import transport\n"


@pytest.mark.parametrize(
    "hidden, missing",
    [
        ("requests", "['requests']"),
        ("urllib3", "['requests']"),
        ("certifi", "[]"),
    ],
)
def test_a_library_that_is_not_installed(hidden, missing):
    # Some distributions have requests without certifi: its module certs names the system's certificates.
    certs = "sys.modules['requests.certs'] = type(sys)('certs')\nsys.modules['requests.certs'].where = lambda: ''\n"
    hide = f"{certs if hidden == 'certifi' else ''}sys.modules['{hidden}'] = None\n"
    assert (
        told(f"{hide}{IMPORT}transport.preload_certificates()\nprint(list(transport.MISSING_LIBRARIES))", {}) == missing
    )
