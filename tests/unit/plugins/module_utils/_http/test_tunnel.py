# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls over TLS through a proxy, as most enterprises have it: CONNECT, then TLS with the endpoint itself."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.operations import RECORD_COMMAND
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import (
    EndpointUnusable,
    NotSent,
    OutcomeUnknown,
    ResponseLost,
)
from support.certificates import Authority
from support.client import make_client
from support.scripted import ScriptedServer, answer, reset
from support.tunnel import Tunnel

NAMES = {"DomainName": "live.example.com", "AppName": "myapp", "StreamName": "stream01"}
OK = answer(200, json.dumps({"RequestId": "OK"}))


@pytest.fixture(name="authority", scope="module")
def authority_of_the_endpoint(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="tls", scope="module")
def context_of_the_endpoint(authority):
    return authority.context("live.example.net")


@pytest.fixture(name="client")
def client_behind_a_proxy(monkeypatch):
    def make(proxy, ca_path, retry_timeout=0, read_timeout=2):
        for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("https_proxy", proxy.url)
        times = {"retry_timeout": retry_timeout, "read_timeout": read_timeout}
        return make_client("https://live.example.net", ca_path=ca_path, **times)

    return make


def call(client, command="start"):
    return client.call(RECORD_COMMAND, {**NAMES, "Command": command})


def test_calls_share_one_tunnel_and_the_proxy_cannot_read_them(authority, tls, client):
    with ScriptedServer(OK, OK, tls=tls) as server, Tunnel(server.port) as proxy:
        caller = client(proxy, authority.ca_path)
        call(caller)
        call(caller, "stop")
    (head,) = proxy.heads
    assert head.startswith("CONNECT live.example.net:443 HTTP/1.")
    assert "proxy-authorization: basic dxnlcjp3b3jk" in head.lower()
    assert "Signature" not in head and "myapp" not in head
    for request in server.requests:
        assert request.target.startswith("/?") and request.headers["host"] == "live.example.net"
        assert "proxy-authorization" not in request.headers
    assert caller.traffic.api_calls == 2


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"502 Bad Gateway", b"nonsense"])
def test_a_refusal_by_the_proxy_is_not_sent(authority, client, status):
    with Tunnel(0, b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as proxy:
        caller = client(proxy, authority.ca_path)
        with pytest.raises(NotSent) as caught:
            call(caller, "restart")
    assert "word" not in str(caught.value) and caller.traffic.api_calls == 0


def test_an_unresolved_proxy_is_not_reported_as_the_endpoint(authority, client):
    class Nowhere:
        url = "http://proxy.invalid:3128"

    with pytest.raises(NotSent) as caught:
        call(client(Nowhere, authority.ca_path))
    assert "the proxy on the way to live.example.net did not connect" in str(caught.value)


def test_a_reset_behind_the_proxy_leaves_the_outcome_unknown(authority, tls, client):
    with ScriptedServer(reset, tls=tls) as server, Tunnel(server.port) as proxy:
        caller = client(proxy, authority.ca_path)
        with pytest.raises(OutcomeUnknown):
            call(caller, "restart")
    assert caller.traffic.api_calls == 1


def test_an_untrusted_endpoint_behind_the_proxy_gets_no_request(tmp_path, tls, client):
    other = Authority(tmp_path, "other")
    with ScriptedServer(tls=tls) as server, Tunnel(server.port) as proxy, pytest.raises(EndpointUnusable) as caught:
        call(client(proxy, other.ca_path))
    assert "is not trusted" in str(caught.value)
    assert not server.requests


def test_a_dripping_response_through_a_tunnel_is_given_up(authority, tls, client):
    def drip(handler):
        handler.close_connection = True
        with suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _number in range(1000):
                handler.wfile.write(b"x")
                time.sleep(0.05)

    began = time.monotonic()
    with ScriptedServer(drip, tls=tls) as server, Tunnel(server.port) as proxy, pytest.raises(ResponseLost):
        call(client(proxy, authority.ca_path, read_timeout=0.2))
    assert 1 < time.monotonic() - began < 20
