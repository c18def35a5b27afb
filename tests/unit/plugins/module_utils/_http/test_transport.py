# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to the endpoint: when they are reused, how threads share them, and which certificates they trust."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import EndpointUnusable, NotSent, ResponseLost
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._http.transport import Transport
from support.certificates import Authority, server_context
from support.scripted import ScriptedServer, answer

OK = answer(200, "{}")
ROOT = Path(__file__).parents[8]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(name="ports")
def ports_of_the_clients():
    """Return the client ports of the requests, one per connection, and a function that makes a step record its port."""
    seen = []

    def record(step=OK, closes=False):
        def play(handler):
            seen.append(handler.client_address[1])
            step(handler)
            handler.close_connection = handler.close_connection or closes

        return play

    return seen, record


def transport(url, **settings):
    return Transport(Settings(Endpoint.parse(url), **{"connect_timeout": 5, "read_timeout": 5, **settings}))


def get(client, **options):
    return client.send("GET", "it", {}, **options)


def test_a_connection_is_reused(ports):
    seen, record = ports
    with ScriptedServer(record(), record(answer(404, "no")), record()) as server:
        client = transport(server.url)
        assert [get(client).status for _number in range(3)] == [200, 404, 200]
        client.close()
    assert len(set(seen)) == 1


@pytest.mark.parametrize("said", [{}, {"connection": "close"}], ids=["unasked", "as it said"])
def test_a_connection_closed_by_the_server_is_opened_again(ports, said):
    seen, record = ports
    with ScriptedServer(record(answer(200, "{}", **said), closes=True), record()) as server:
        client = transport(server.url)
        get(client)
        (kept,) = (connection.sock for connection in client._pool.pool.queue if connection)
        assert (kept is None) == bool(said)
        if kept:
            select.select([kept], [], [], 10)  # until its end has come
        get(client)
        client.close()
    assert len(set(seen)) == 2


def test_a_connection_is_not_reused_after_a_response_was_cut(ports):
    seen, record = ports
    with ScriptedServer(record(answer(200, "x" * 1_000_000)), record()) as server:
        client = transport(server.url)
        assert get(client, max_size=10).body == b"x" * 10
        assert get(client).body == b"{}"
        client.close()
    assert len(set(seen)) == 2


def test_a_stopped_server_is_reported_as_not_sent():
    with ScriptedServer(OK) as server:
        client = transport(server.url)
        get(client)
        client.close()
    for _number in range(2):
        with pytest.raises(NotSent, match="does not accept a connection"):
            get(client)


def test_before_send_is_called_once_the_connection_is_open():
    before_sending = []
    with ScriptedServer(OK) as server:
        client = transport(server.url)

        def before_send():
            deadline = time.monotonic() + 10
            while not server.open and time.monotonic() < deadline:
                time.sleep(0.01)
            before_sending.append((server.open, len(server.requests)))

        get(client, before_send=before_send)
        client.close()
    assert before_sending == [(1, 0)]


def test_a_stale_connection_is_replaced_before_the_request_is_sent(ports):
    seen, record = ports
    before_sending = []
    with ScriptedServer(record(closes=True), record()) as server:
        client = transport(server.url)
        get(client)
        (kept,) = (connection.sock for connection in client._pool.pool.queue if connection)
        select.select([kept], [], [], 10)  # until its end has come

        def before_send():
            deadline = time.monotonic() + 10
            while not server.open and time.monotonic() < deadline:
                time.sleep(0.01)
            before_sending.append((server.open, len(server.requests)))

        get(client, before_send=before_send)
        client.close()
    assert before_sending == [(1, 1)], "the new connection was open, and only the first request sent"
    assert len(set(seen)) == 2


THREADS = 50
ROUNDS = 4


def test_threads_share_connections_but_no_state(ports):
    """Each request has to be sent after its own callback, in its own thread, and to get its own response."""
    seen, record = ports

    def echo(handler):
        answer(200, handler.path, echoed=handler.headers["x-name"])(handler)

    together = threading.Barrier(THREADS, timeout=30)
    with ScriptedServer(*[record(echo)] * THREADS * ROUNDS) as server:
        client = transport(server.url)

        def wait_for_all(name, calls):
            calls.append((threading.get_ident(), any(name in request.target for request in server.requests)))
            together.wait()  # Now all have a connection of their own, and none has sent yet.

        def send_all(number):
            for turn in range(ROUNDS):
                name = f"{number}-{turn}"
                calls = []
                before_send = partial(wait_for_all, name, calls)
                got = client.send("GET", name, {"x-name": name}, before_send=before_send)
                assert (got.body.decode(), got.headers["echoed"]) == (f"/{name}", name)
                assert calls == [(threading.get_ident(), False)]

        with ThreadPoolExecutor(THREADS) as threads:
            for future in [threads.submit(send_all, number) for number in range(THREADS)]:
                future.result()
        client.close()
    assert len(set(seen)) == THREADS, "one connection for each thread, reused in each round"


def test_a_failure_is_classified_for_each_thread():
    """A request that one thread has sent does not make that of another count as sent."""
    sent, refused = threading.Event(), threading.Event()

    def end(handler):
        sent.set()
        refused.wait(10)
        handler.close_connection = True

    def fail():
        sent.wait(10)
        raise OSError("before it was sent")

    with ScriptedServer(end) as server, ThreadPoolExecutor(2) as threads:
        client = transport(server.url)
        lost, unsent = threads.submit(get, client), threads.submit(get, client, before_send=fail)
        assert isinstance(unsent.exception(), NotSent)
        refused.set()
        assert isinstance(lost.exception(), ResponseLost)
        client.close()


def test_a_password_in_netrc_is_ignored(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password word\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with ScriptedServer(OK, OK) as server:
        client = transport(server.url)
        client.send("POST", "it", {"Authorization": "ours"})
        client.send("GET", "it", {})
        client.close()
    assert [request.headers.get_all("authorization") for request in server.requests] == [["ours"], None]


def test_only_required_headers_are_added():
    with ScriptedServer(OK) as server:
        client = transport(server.url)
        client.post("a=b", {"host": f"127.0.0.1:{server.port}", "x-acs-date": "now"}, before_send=lambda: None)
        client.close()
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
        client = transport(server.url)
        assert get(client).status == 307
        client.close()


def test_an_ipv6_endpoint_is_connected_to():
    with socket.socket(socket.AF_INET6) as listener:
        try:
            listener.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        listener.listen()
        port = listener.getsockname()[1]
        client = transport(f"http://[::1]:{port}", read_timeout=0.1)

        def end():
            raise NotSent("enough", "Go on.")

        with pytest.raises(NotSent, match="enough"):
            get(client, before_send=end)
        client.close()


@pytest.fixture(name="authority", scope="module")
def authority_of_the_endpoint(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="named")
def server_of_a_name(authority, monkeypatch):
    """Yield a TLS server that all names resolve to, the path of its CA, and the names and ports that were resolved."""
    resolved_names = []
    with ScriptedServer(OK, tls=authority.context("live.example.net")) as server:

        def resolve(host, port, *_hints):
            resolved_names.append((host, port))
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        yield server, authority.ca_path, resolved_names


@pytest.mark.parametrize(
    "endpoint, address, host",
    [
        ("https://live.example.net", ("live.example.net", 443), "live.example.net"),
        ("https://live.example.net:8443", ("live.example.net", 8443), "live.example.net:8443"),
        ("https://live.example.net.", ("live.example.net.", 443), "live.example.net."),
    ],
)
def test_name_port_and_host_header_of_a_request(named, endpoint, address, host):
    server, ca_path, resolved_names = named
    client = transport(endpoint, ca_path=ca_path)
    assert get(client).status == 200
    client.close()
    assert resolved_names == [address]
    assert server.requests[0].headers["host"] == host
    assert server.requests[0].headers["user-agent"] == "ansible-collection/apsaravideo.live"


@pytest.mark.parametrize("endpoint", ["https://other.example.net", "https://127.0.0.1"])
def test_a_certificate_for_another_name_is_not_trusted(named, endpoint):
    server, ca_path, _asked = named
    server.stop_early()
    client = transport(endpoint, ca_path=ca_path)
    with pytest.raises(EndpointUnusable, match="is not trusted"):
        get(client)
    client.close()
    assert server.requests == []


@pytest.mark.parametrize("uri", ["", "https://live.example.net/"])
def test_a_name_in_the_subject_only_is_not_trusted(authority, monkeypatch, uri):
    context = server_context(authority.issue_without_names("live.example.net", uri))
    with ScriptedServer(tls=context) as server:
        address = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked: address)
        client = transport("https://live.example.net", ca_path=authority.ca_path)
        with pytest.raises(EndpointUnusable, match="is not trusted"):
            get(client)
        client.close()
    assert server.requests == []


@pytest.fixture(name="names")
def names_that_are_not_always_resolved(monkeypatch):
    """Return the list of the results of the next look-ups: a port, or None for an unknown name."""
    found = []

    def resolve(_host, _port, *_hints):
        port = found.pop(0)
        if port is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return found


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_a_host_reached_before_in_the_run_is_retried_when_unresolved(names, authority, tmp_path, shared, secure):
    """Another process of the run sees the flag in the directory that they share."""
    url, directory = f"http{'s' * secure}://live.example.net", str(tmp_path) if shared else None
    context = authority.context("live.example.net")

    def make_transport():
        endpoint = Endpoint.parse(url, allow_http=True)
        return Transport(Settings(endpoint, 5, 5, ca_path=authority.ca_path, run_directory=directory))

    with ScriptedServer(OK, tls=context if secure else None) as server:
        names += [None, server.port, None, None]
        first = make_transport()
        with pytest.raises(EndpointUnusable, match="cannot be resolved"):
            get(first)
        assert get(first).status == 200
        first.close()
        with pytest.raises(NotSent, match="cannot be resolved"):
            get(first)
        with pytest.raises(NotSent if shared else EndpointUnusable, match="cannot be resolved"):
            get(make_transport())
    assert names == []


def test_a_missing_run_directory_does_not_prevent_a_call(names, tmp_path):
    endpoint = Endpoint.parse("http://live.example.net", allow_http=True)
    client = Transport(Settings(endpoint, 5, 5, run_directory=str(tmp_path / "gone")))
    with ScriptedServer(OK) as server:
        names += [server.port]
        assert get(client).status == 200
    client.close()


def run_python(program, environ):
    """Return the output of a Python program that can import the collection."""
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
def test_a_missing_library_is_recorded(hidden, missing):
    # Some distributions have requests without certifi: its module certs names the system's certificates.
    certs = "sys.modules['requests.certs'] = type(sys)('certs')\nsys.modules['requests.certs'].where = lambda: ''\n"
    hide = f"{certs if hidden == 'certifi' else ''}sys.modules['{hidden}'] = None\n"
    program = f"{hide}{IMPORT}transport.preload_certificates()\nprint(list(transport.MISSING_LIBRARIES))"
    assert run_python(program, {}) == missing
