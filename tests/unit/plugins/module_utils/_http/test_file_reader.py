# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The beginning of a file at an address from outside: what is sent, what is refused, and what is read."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption, ResponseLost
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings, is_private
from ansible_collections.apsaravideo.live.plugins.module_utils._http.file_reader import BEGINNING_SIZE, read_beginning
from ansible_collections.apsaravideo.live.plugins.module_utils._http.transport import PrivateAddress
from support.scripted import ScriptedServer, answer

SETTINGS = Settings(Endpoint.parse("https://live.aliyuncs.com"), connect_timeout=2, read_timeout=0.3)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_request_is_for_a_range_and_without_anything_of_the_account():
    with ScriptedServer(answer(206, b"#EXTM3U", content_range="bytes 0-6/1234")) as server:
        found = read_beginning(f"{server.url}/a b/%C3%BC.m3u8?x=1", SETTINGS)
    assert (found.status, found.content, found.size) == (206, b"#EXTM3U", 1234)
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/a%20b/%C3%BC.m3u8?x=1")
    assert request.headers["range"] == f"bytes=0-{BEGINNING_SIZE - 1}"
    assert {name.lower() for name in request.headers} <= {"host", "user-agent", "range", "accept-encoding"}


@pytest.mark.parametrize(
    ("step", "status", "size"),
    [
        (answer(200, b"x" * 10_000), 200, 10_000),
        (answer(206, b"x", content_range="bytes 0-0/*"), 206, None),
        (answer(416, b"", content_range="bytes */0"), 416, 0),
        (answer(302, b"", location="http://127.0.0.1:1/other"), 302, None),
        (answer(404, b"gone"), 404, None),
    ],
)
def test_response_is_cut_and_redirects_are_not_followed(step, status, size):
    with ScriptedServer(step) as server:
        found = read_beginning(f"{server.url}/file", SETTINGS)
    assert (found.status, found.size) == (status, size)
    assert len(found.content) <= BEGINNING_SIZE
    assert len(server.requests) == 1


def test_response_without_an_end_is_given_up():
    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x")
                handler.wfile.flush()
        except OSError:
            handler.close_connection = True

    with ScriptedServer(drip) as server:
        found = read_beginning(f"{server.url}/file", SETTINGS)
    assert len(found.content) == BEGINNING_SIZE


def test_silent_server_is_given_up():
    def wait(handler):
        handler.connection.settimeout(3)
        handler.close_connection = True
        handler.rfile.read(1)

    with ScriptedServer(wait) as server, pytest.raises(ResponseLost):
        read_beginning(f"{server.url}/file", SETTINGS)


@pytest.mark.parametrize(
    "url", ["ftp://h/f", "file:///etc/passwd", "http://user@h/f", "http://[::1/f", "h/f", "http:///f"]
)
def test_other_addresses_are_refused(url):
    with pytest.raises(InvalidOption):
        read_beginning(url, SETTINGS)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "100.100.100.200", "[::1]"])
def test_private_address_is_refused_before_a_connection(host):
    with pytest.raises(PrivateAddress):
        read_beginning(f"http://{host}:9/f", SETTINGS._replace(refuse_private=True))


def test_name_of_a_private_address_is_refused_before_anything_is_sent(monkeypatch):
    with ScriptedServer(answer(200, b"secret")) as server:
        port = server.url.rsplit(":", 1)[1]
        real = __import__("socket").getaddrinfo
        monkeypatch.setattr("socket.getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named))
        with pytest.raises(PrivateAddress):
            read_beginning(f"http://files.example.com:{port}/f", SETTINGS._replace(refuse_private=True))
        assert read_beginning(f"http://files.example.com:{port}/f", SETTINGS).status == 200
    assert len(server.requests) == 1


def test_name_of_a_private_address_is_refused_before_a_tls_handshake(monkeypatch):
    real = socket.getaddrinfo
    monkeypatch.setattr("socket.getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named))
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://files.example.com:{server.getsockname()[1]}/f"
        with pytest.raises(PrivateAddress):
            read_beginning(url, SETTINGS._replace(refuse_private=True))
        connection, _address = server.accept()
        with connection:
            connection.settimeout(2)
            assert connection.recv(1) == b"", "closed without a byte"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("8.8.8.8", False),
        ("files.example.com", False),
        ("192.168.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("2002:0a00:0001::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("224.0.0.1", True),
        ("0.0.0.0", True),
        ("2001:4860:4860::8888", False),
    ],
)
def test_private_addresses(host, expected):
    assert is_private(host) is expected
