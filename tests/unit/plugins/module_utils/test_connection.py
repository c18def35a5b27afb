# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to the endpoint itself: when they are kept, whom they greet, and what they do without."""

from __future__ import annotations

import os
import select
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from certificates import Authority
from scripted import ScriptedServer, answer

from ansible_collections.apsaravideo.live.plugins.module_utils import _proxied
from ansible_collections.apsaravideo.live.plugins.module_utils._endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import EndpointUnusable, NotSent
from ansible_collections.apsaravideo.live.plugins.module_utils._http import Transport

OK = answer(200, "{}")
ROOT = Path(__file__).parents[7]
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
        kept = way._connection._http.sock
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
        assert get(way, largest=10).body == b"x" * 10
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

        get(way, leave=leave)
        way.close()
    assert at_departure == [(1, 0)]


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
            get(way, leave=ends)
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
    connect = socket.create_connection
    with ScriptedServer(OK, tls=context) as server:

        def connected(address, timeout):
            asked.append(address)
            return connect(("127.0.0.1", server.port), timeout)

        monkeypatch.setattr(socket, "create_connection", connected)
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


def test_a_proxy_needs_a_library_and_says_so(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(_proxied, "MISSING_LIBRARY", ImportError("No module named 'requests'"))
    with pytest.raises(EndpointUnusable) as caught:
        get(transport("https://live.example.net"))
    assert "No module named 'requests'" in str(caught.value) and "Install" in str(caught.value)


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


IMPORT = "from ansible_collections.apsaravideo.live.plugins.module_utils import _http\n"


@pytest.mark.parametrize("environ, loaded", [({}, False), ({"no_proxy": "*"}, False), ({"https_proxy": "p:1"}, True)])
def test_what_goes_through_proxies_is_loaded_only_for_them(environ, loaded):
    assert told(f"{IMPORT}_http.prepare()\nprint('requests' in sys.modules)", environ) == str(loaded)


@pytest.mark.parametrize("hidden, missing", [("requests", "['requests']"), ("certifi", "[]")])
def test_a_library_that_is_not_installed(hidden, missing):
    program = f"sys.modules['{hidden}'] = None\n{IMPORT}_http.prepare()\nprint(list(_http.MISSING_LIBRARIES))"
    assert told(program, {}) == missing
