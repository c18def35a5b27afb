# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path of a request, against a server that answers by script."""

from __future__ import annotations

import gc
import json
import re
import socket
import time
import tracemalloc
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api import paging
from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey
from ansible_collections.apsaravideo.live.plugins.module_utils._api.account import Limits
from ansible_collections.apsaravideo.live.plugins.module_utils._api.client import Client
from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._api.operations import (
    ASSUME_ROLE_WITH_OIDC,
    NOTIFY_RECORDS,
    RECORD_COMMAND,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._api.send_timing import SendTiming
from ansible_collections.apsaravideo.live.plugins.module_utils._api.signature import sign_headers
from ansible_collections.apsaravideo.live.plugins.module_utils._api.traffic import ApiResponse, Traffic
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import (
    ApiError,
    EndpointUnusable,
    InvalidOption,
    NotSent,
    OutcomeUnknown,
    ResponseLost,
    Throttled,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._module import record
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.client import ACCESS_KEY, make_client, make_credentials
from support.clock import FakeClock
from support.scripted import ScriptedServer, answer, reset, silence, truncated

STREAM = Stream("live.example.com", "my app", "a b*~/+&=%中文")
OK = answer(200, json.dumps({"RequestId": "OK-1"}))


def refuse(code, status=400, message="", **headers):
    return answer(status, json.dumps({"RequestId": f"R-{code}", "Code": code, "Message": message}), **headers)


def send(server, command="start", **settings):
    caller = make_client(server.url, **settings)
    return caller, caller.call(RECORD_COMMAND, {**STREAM.parameters(), "Command": command})


def call_and_fail(server, kind, command="start", **settings):
    caller = make_client(server.url, **settings)
    with pytest.raises(kind) as caught:
        caller.call(RECORD_COMMAND, {**STREAM.parameters(), "Command": command})
    return caller, caught.value


def test_a_call_is_one_signed_post():
    with ScriptedServer(OK) as server:
        send(server)
    (request,) = server.requests
    target = urlsplit(request.target)
    assert (request.method, target.path, request.body) == ("POST", "/", b"")
    query = dict(parse_qsl(target.query, keep_blank_values=True, strict_parsing=True))
    assert query == {**STREAM.parameters(), "Command": "start"}
    headers = request.headers
    expected = sign_headers(
        method="POST",
        host=headers["host"],
        action="RealTimeRecordCommand",
        version="2016-11-01",
        query=query,
        access_key_id=ACCESS_KEY.access_key_id,
        access_key_secret=ACCESS_KEY.access_key_secret,
        security_token=ACCESS_KEY.security_token,
        date=headers["x-acs-date"],
        nonce=headers["x-acs-signature-nonce"],
    )
    assert {name: headers[name] for name in expected} == expected
    assert headers["host"] == server.url.removeprefix("http://")
    assert headers["accept"] == "application/json"


def test_a_successful_call_counts_in_the_traffic():
    with ScriptedServer(OK) as server:
        caller, reply = send(server)
    assert not reply.after_lost_response
    assert caller.traffic.as_result() == {
        "api_calls": 1,
        "throttled": 0,
        "waited_seconds": 0.0,
        "request_ids": ["OK-1"],
    }


def test_throttled_calls_are_retried_after_the_pause_that_the_server_requests():
    with ScriptedServer(refuse("Throttling.User", x_acs_retry_after="1500"), OK) as server:
        caller, reply = send(server)
    assert caller.clock.slept[0] >= 1.5
    assert not reply.after_lost_response, "a dropped call has no effect"
    assert caller.traffic.throttled == 1
    assert caller.traffic.api_calls == 2
    assert caller.traffic.request_ids == ["R-Throttling.User", "OK-1"]
    assert caller.traffic.waited_seconds == pytest.approx(sum(caller.clock.slept))


def test_each_attempt_has_a_nonce_of_its_own():
    with ScriptedServer(refuse("Throttling"), refuse("Throttling"), OK) as server:
        send(server)
    assert len({request.headers["x-acs-signature-nonce"] for request in server.requests}) == 3


RENEWED = AccessKey("new-id", "new-secret", "new-token", "a test")
EXPIRED = refuse("InvalidSecurityToken.Expired")


def test_expired_credentials_are_renewed_once_and_the_call_is_retried():
    with ScriptedServer(EXPIRED, OK) as server:
        caller = make_client(
            server.url, FakeClock(), credentials=make_credentials(ACCESS_KEY, RENEWED), retry_timeout=0
        )
        reply = caller.call(RECORD_COMMAND, {"Command": "restart"})
    first, second = (request.headers for request in server.requests)
    assert (first["x-acs-security-token"], second["x-acs-security-token"]) == ("the-token/+=", "new-token")
    assert "Credential=new-id," in second["Authorization"]
    assert not reply.after_lost_response
    assert caller.traffic.api_calls == 2


@pytest.mark.parametrize(("keys", "tries"), [([ACCESS_KEY], 1), ([ACCESS_KEY, RENEWED, ACCESS_KEY], 2)])
def test_credentials_that_stay_expired_are_an_error(keys, tries):
    with ScriptedServer(*[refuse("InvalidSecurityToken.Expired", message="new-token")] * tries) as server:
        caller = make_client(server.url, FakeClock(), credentials=make_credentials(*keys))
        with pytest.raises(ApiError) as caught:
            caller.call(RECORD_COMMAND, {"Command": "start"})
    assert caught.value.code == "InvalidSecurityToken.Expired"
    assert caller.traffic.api_calls == tries


def test_an_unsigned_operation_sends_its_parameters_in_the_body():
    with ScriptedServer(OK) as server:
        caller = Client(Settings(Endpoint.parse(server.url)), Limits(), None, FakeClock())
        caller.call(ASSUME_ROLE_WITH_OIDC, {"OIDCToken": "a.b+c", "RoleArn": "acs:ram::1:role/r"})
    (request,) = server.requests
    query = dict(parse_qsl(urlsplit(request.target).query))
    assert set(query) == {"Action", "Version", "Format", "Timestamp", "SignatureNonce"}
    assert (query["Action"], query["Version"]) == ("AssumeRoleWithOIDC", "2015-04-01")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(request.body.decode())) == {"OIDCToken": "a.b+c", "RoleArn": "acs:ram::1:role/r"}
    assert request.headers["authorization"] is None


LOSSES = [
    reset,
    truncated('{"RequestId": "OK'),
    answer(200, "<html>", content_type="text/html"),
    answer(502, "<html>bad gateway</html>"),
    answer(503, ""),
    refuse("InternalError", 500),
    refuse("ServiceUnavailable", 503),
    refuse("SignatureNonceUsed"),
]
LOSS_NAMES = ["reset", "truncated", "html", "502", "empty 503", "InternalError", "ServiceUnavailable", "nonce used"]


@pytest.mark.parametrize("loss", LOSSES, ids=LOSS_NAMES)
@pytest.mark.parametrize("command", ["start", "stop", "cancel_delay"])
def test_a_call_is_retried_after_a_lost_response_and_the_result_says_so(loss, command):
    with ScriptedServer(loss, OK) as server:
        caller, reply = send(server, command)
    assert reply.after_lost_response
    assert caller.traffic.api_calls == 2
    with ScriptedServer(loss, refuse("TaskAlreadyStarted", 409)) as server:
        _caller, error = call_and_fail(server, ApiError, command)
    assert error.after_lost_response


@pytest.mark.parametrize("loss", LOSSES, ids=LOSS_NAMES)
def test_a_restart_is_not_retried_after_a_lost_response(loss):
    with ScriptedServer(loss) as server:
        caller, error = call_and_fail(server, OutcomeUnknown, "restart")
    assert "Outcome unknown" in str(error)
    assert "split" in error.advice
    assert caller.traffic.api_calls == 1


def test_a_restart_is_retried_if_it_cannot_have_taken_effect():
    with ScriptedServer(refuse("Throttling.User"), OK) as server:
        _caller, reply = send(server, "restart")
    assert not reply.after_lost_response


def test_a_read_time_out_leaves_the_outcome_unknown():
    with ScriptedServer(silence) as server:
        _caller, error = call_and_fail(server, ResponseLost, read_timeout=0.2, retry_timeout=0)
    assert "may or may not" in str(error)


@pytest.mark.parametrize(
    "code", ["TaskAlreadyStarted", "StreamNotFound", "SignatureDoesNotMatch", "Forbidden.RAM", "New"]
)
def test_a_refusal_is_final(code):
    with ScriptedServer(refuse(code)) as server:
        caller, error = call_and_fail(server, ApiError)
    assert error.code == code
    assert error.request_id == f"R-{code}"
    assert caller.traffic.request_ids == [f"R-{code}"]


def test_a_retry_timeout_of_0_permits_one_attempt():
    with ScriptedServer(refuse("Throttling")) as server:
        caller, _error = call_and_fail(server, Throttled, retry_timeout=0)
    assert caller.clock.slept == []


def test_waits_never_exceed_retry_timeout():
    throttled_for_long = [refuse("Throttling", x_acs_retry_after="1000")] * 3
    with ScriptedServer(*throttled_for_long) as server:
        caller, _error = call_and_fail(server, Throttled, retry_timeout=3.5)
    assert sum(caller.clock.slept) <= 3.5


def test_a_retry_timeout_of_minus_1_has_no_limit():
    with ScriptedServer(*[refuse("Throttling", x_acs_retry_after="60000")] * 5, OK) as server:
        caller, _reply = send(server, retry_timeout=-1)
    assert sum(caller.clock.slept) >= 150


def call_in_slots(server, clock, rate, directory, calls):
    for _call in range(calls):
        caller = make_client(server.url, clock, rate_limit=rate, slot_directory=str(directory))
        caller.call(RECORD_COMMAND, {"Command": "start"})
    return caller


def test_calls_of_several_clients_are_sent_in_slots(tmp_path):
    clock = FakeClock()
    with ScriptedServer(*[OK] * 5) as server:
        last = call_in_slots(server, clock, 50, tmp_path, 5)
    assert clock.slept == pytest.approx([0.02] * 4)
    assert last.traffic.waited_seconds == pytest.approx(0.02)


def test_a_long_queue_is_waited_for_without_a_connection(tmp_path):
    clock = FakeClock()
    with ScriptedServer(OK, OK) as server:
        call_in_slots(server, clock, 0.1, tmp_path, 2)
    assert clock.slept == pytest.approx([9.0, 1.0])


@pytest.mark.parametrize("late", [0.039, 0.041])
def test_a_missed_slot_is_not_used(late):
    clock = FakeClock()
    slots = iter([clock.time - late, clock.time + 7])
    SendTiming(clock, Traffic()).before_send(SimpleNamespace(reserve=lambda: next(slots)), None)
    assert clock.slept == ([7] if late > 0.04 else [])


def test_a_machine_too_slow_for_any_slot_sends_all_the_same(tmp_path):
    with ScriptedServer(OK) as server:
        call_in_slots(server, FakeClock(step=1.0), 50, tmp_path, 1)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_a_refused_connection_was_not_sent():
    caller = make_client(f"http://127.0.0.1:{free_port()}", retry_timeout=1)
    with pytest.raises(NotSent) as caught:
        caller.call(RECORD_COMMAND, {**STREAM.parameters(), "Command": "restart"})
    assert "was not sent" in str(caught.value)
    assert caller.traffic.api_calls == 0
    assert caller.clock.slept, "it is safe to try again, even a restart"


def test_an_endpoint_without_tls_is_named_as_such():
    with ScriptedServer() as server:
        caller = make_client(server.url.replace("http:", "https:"))
        with pytest.raises(EndpointUnusable) as caught:
            caller.call(RECORD_COMMAND, {"Command": "start"})
    assert "does not speak TLS" in str(caught.value)


def test_a_redirect_is_not_followed():
    with ScriptedServer(answer(302, "", location="http://127.0.0.1:9/")) as server:
        _caller, error = call_and_fail(server, EndpointUnusable)
    assert "redirects" in str(error)


def test_a_task_leaves_no_connection_open(tmp_path):
    """Nor does it leave that to the garbage collection, which may be long in coming."""
    tasks = 20
    given = {"access_key_id": "id", "access_key_secret": "secret", "allow_http": True, "rate_limit": 1e6}
    names = {"domain_name": "live.example.com", "app_name": "myapp", "stream_name": "stream01"}
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    gc.disable()
    try:
        with ScriptedServer(*[OK] * tasks) as server:
            for _task in range(tasks):
                task = Task(record.SPEC.fill({**given, **names, "endpoint": server.url}), environ)
                assert execute(record.operate, task)["changed"]
            deadline = time.monotonic() + 10
            while server.open and time.monotonic() < deadline:
                time.sleep(0.02)
            assert server.open == 0
    finally:
        gc.enable()


def test_netrc_does_not_replace_the_signature(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedServer(OK) as server:
        send(server)
    assert server.requests[0].headers["Authorization"].startswith("ACS3-HMAC-SHA256 ")


def test_secrets_echoed_by_the_server_are_masked():
    message = f"bad: {ACCESS_KEY.access_key_id} {ACCESS_KEY.access_key_secret} {ACCESS_KEY.security_token}"
    with ScriptedServer(refuse("New", message=message)) as server:
        _caller, error = call_and_fail(server, ApiError)
    assert not [secret for secret in (*ACCESS_KEY.secrets(), ACCESS_KEY.access_key_id) if secret in str(error)]


def test_no_part_of_a_secret_is_shown_if_the_message_is_cut():
    message = f"{'x' * 295} {ACCESS_KEY.access_key_secret}"
    with ScriptedServer(refuse("New", message=message)) as server:
        _caller, error = call_and_fail(server, ApiError)
    assert f"{'x' * 295} ****" in str(error)
    assert ACCESS_KEY.access_key_secret[:4] not in str(error)


@pytest.mark.parametrize(("operation", "mebibytes"), [(RECORD_COMMAND, 1), (NOTIFY_RECORDS, 8)])
def test_an_endless_response_is_cut(operation, mebibytes):
    body = json.dumps({"RequestId": "R", "x": "y" * (mebibytes << 20)})
    with ScriptedServer(answer(200, body)) as server, pytest.raises(ResponseLost) as caught:
        make_client(server.url, retry_timeout=0).call(operation, {"DomainName": "d"})
    assert f"{mebibytes << 20} bytes" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://live.aliyuncs.com", "live.aliyuncs.com"),
        ("https://live.aliyuncs.com/", "live.aliyuncs.com"),
        ("https://live.aliyuncs.com:443", "live.aliyuncs.com"),
        ("https://LIVE.aliyuncs.com:8443", "live.aliyuncs.com:8443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost", "localhost"),
        ("http://[::1]:80", "[::1]"),
    ],
)
def test_the_host_of_an_endpoint_has_no_default_port(url, host):
    assert Endpoint.parse(url).host == host


@pytest.mark.parametrize(
    "url",
    [
        "live.aliyuncs.com",
        "ftp://live.aliyuncs.com",
        "https://",
        "https://live.aliyuncs.com/path",
        "https://live.aliyuncs.com?x=y",
        "https://user:pass@live.aliyuncs.com",
        "https://live.aliyuncs.com:port",
        "https://[::1",
        "http://live.aliyuncs.com",
        "http://127.0.0.1.example.com",
        "",
    ],
)
def test_invalid_endpoints_are_refused(url):
    with pytest.raises(InvalidOption) as caught:
        Endpoint.parse(url)
    assert "pass" not in str(caught.value)


def test_plain_http_to_other_machines_is_refused_unless_allowed():
    assert Endpoint.parse("http://gateway.example.com", allow_http=True).url == "http://gateway.example.com/"


def make_page(number, total, names):
    listed = [
        {"AppName": "a", "StreamName": name, "NotifyType": "record_started", "NotifyTime": "2026-01-02T03:04:05Z"}
        for name in names
    ]
    return answer(200, json.dumps({"RequestId": f"P{number}", "TotalPage": total, "CallbackList": listed}))


def test_pages_are_read_to_the_end():
    with ScriptedServer(make_page(1, 3, "ab"), make_page(2, 3, "cd"), make_page(3, 3, "e")) as server:
        found = [row["StreamName"] for row in make_client(server.url).pages(NOTIFY_RECORDS, {"DomainName": "d"})]
    assert found == list("abcde")
    pages = [dict(parse_qsl(urlsplit(request.target).query)) for request in server.requests]
    assert [page["PageNumber"] for page in pages] == ["1", "2", "3"]
    assert {page["PageSize"] for page in pages} == {"500"}


def test_notify_events_of_other_streams_are_left_out():
    with ScriptedServer(make_page(1, 1, ["s", "s2", "s"])) as server:
        assert len(Live(make_client(server.url)).notify_events(Stream("d.example", "a", "s"))) == 2


EMPTY = [
    {"TotalNum": 0},
    {"TotalNum": "0", "CallbackList": None},
    {"CallbackList": []},
    {"CallbackList": [None]},
    {"CallbackList": [], "TotalNum": 0, "TotalPage": 0},
    {"RecordNotifyRecordList": {"RecordNotifyRecord": []}},
]
NO_LISTS = [
    {},
    {"TotalPage": None},
    {"TotalPage": "x"},
    {"TotalNum": None},
    {"CallbackList": {}},
    {"CallbackList": [3]},
    {"CallbackList": ["a"]},
    {"CallbackList": [[]]},
    {"CallbackList": "many"},
    {"CallbackList": {"one": 1}},
    {"CallbackList": 7},
    {"TotalNum": 7},
    {"TotalNum": "7", "CallbackList": None},
]


@pytest.mark.parametrize("content", EMPTY)
def test_an_empty_list_is_recognised(content):
    with ScriptedServer(answer(200, json.dumps({"RequestId": "R", **content}))) as server:
        assert Live(make_client(server.url)).notify_events(Stream("d.example", "a", "s")) == []


@pytest.mark.parametrize("content", NO_LISTS)
def test_a_response_without_a_list_is_not_taken_for_an_empty_list(content):
    step = answer(200, json.dumps({"RequestId": "R", **content}))
    with ScriptedServer(step) as server, pytest.raises(ResponseLost, match="page 1 is not a list"):
        make_client(server.url, retry_timeout=0).pages(NOTIFY_RECORDS, {"DomainName": "d"})


def test_a_full_page_is_followed_by_another_without_a_number_of_pages():
    """Without a number of pages, a page that is full is followed by another."""
    full = make_page(1, None, ["s"] * 500)
    with ScriptedServer(full, make_page(2, "soon", ["t"] * 499)) as server:
        assert len(list(make_client(server.url).pages(NOTIFY_RECORDS, {"DomainName": "d"}))) == 999


@pytest.mark.parametrize("total", [3, "3", 10**15, "9" * 4000, 1e300, -1, True, [3], None])
def test_pages_end_whatever_the_total_is(total):
    steps = [make_page(1, total, "ab"), make_page(2, total, "cd"), make_page(3, total, "")]
    wanted = len(steps) if total in (3, "3", 10**15) else 1
    with ScriptedServer(*steps[:wanted]) as server:
        assert len(list(make_client(server.url).pages(NOTIFY_RECORDS, {"DomainName": "d"}))) == (4 if wanted > 1 else 2)


def read_endless_list(monkeypatch, content, **limits):
    """The calls made, and the error of a list whose pages never end."""
    for name, value in limits.items():
        monkeypatch.setattr(paging, name, value)
    caller = make_client("http://127.0.0.1")
    numbers = []

    def call(operation, parameters):
        numbers.append(parameters["PageNumber"])
        return ApiResponse(content(len(numbers)), False, 1000)

    monkeypatch.setattr(caller, "call", call)
    with pytest.raises(ResponseLost) as caught:
        caller.pages(NOTIFY_RECORDS, {"DomainName": "d"})
    return numbers, str(caught.value)


def test_endless_pages_are_an_error(monkeypatch):
    numbers, text = read_endless_list(monkeypatch, lambda number: {"TotalPage": 10**9, "CallbackList": [{"n": number}]})
    assert len(numbers) == 10_000 and "no end" in text


def test_pages_that_exceed_the_memory_limit_are_an_error(monkeypatch):
    numbers, text = read_endless_list(
        monkeypatch, lambda n: {"TotalPage": 10**9, "CallbackList": [{"n": n}]}, _MAX_LIST_SIZE=9999
    )
    assert len(numbers) == 7 and "no end" in text, "a page of 1,000 bytes with an object counts as 1,500"


def test_endless_streams_take_bounded_memory():
    """The shortest names take the most memory for each byte that is sent."""
    server = make_client("http://127.0.0.1")

    def call(_operation, parameters):
        rows = [{"AppName": "a", "StreamName": f"{parameters['PageNum']}-{number}"} for number in range(3000)]
        content = {"TotalNum": 10**9, "TotalPage": 10**6, "OnlineInfo": {"LiveStreamOnlineInfo": rows}}
        return ApiResponse(content, False, len(json.dumps(content)))

    server.call = call
    tracemalloc.start()
    try:
        with pytest.raises(ResponseLost, match="no end"):
            Live(server).online_streams("live.example.com")
        assert tracemalloc.get_traced_memory()[1] < 100 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_page_that_comes_twice_is_an_error(monkeypatch):
    numbers, text = read_endless_list(monkeypatch, lambda _number: {"TotalPage": 3, "CallbackList": [{"n": 1}]})
    assert numbers == ["1", "2"] and "page 2 comes twice" in text


def make_online_page(number, total, names, **counts):
    listed = [{"AppName": "a", "StreamName": name} for name in names]
    content = {"TotalNum": total, "TotalPage": 2, **counts, "OnlineInfo": {"LiveStreamOnlineInfo": listed}}
    return answer(200, json.dumps({"RequestId": f"P{number}", **content}))


def read_online_names(server):
    return [row["stream_name"] for row in Live(make_client(server.url)).online_streams("d.example")]


def test_a_list_that_moved_while_it_was_read_is_read_again():
    """A stream of the first page ended, so that the first of the second page is on the first by then."""
    moved = [make_online_page(1, 4, "ab"), make_online_page(2, 3, "d")]
    with ScriptedServer(*moved, make_online_page(1, 3, "bc"), make_online_page(2, 3, "d")) as server:
        assert read_online_names(server) == list("bcd")


def test_a_list_with_fewer_objects_than_its_total_is_read_again():
    with ScriptedServer(make_online_page(1, 3, "ab", TotalPage=1), make_online_page(1, 2, "ab", TotalPage=1)) as server:
        assert read_online_names(server) == list("ab")


def test_a_list_that_always_has_fewer_objects_than_its_total_is_an_error():
    steps = [make_online_page(1, 3, "ab", TotalPage=1)] * 5
    with (
        ScriptedServer(*steps) as server,
        pytest.raises(ResponseLost, match="its pages hold fewer objects than they say"),
    ):
        read_online_names(server)


def test_a_list_that_only_grows_is_read_once():
    """The notify log of a run in progress, which grows all the time, could otherwise never be read."""
    with ScriptedServer(make_online_page(1, 3, "ab"), make_online_page(2, 4, "cd")) as server:
        assert read_online_names(server) == list("abcd")


@pytest.mark.parametrize(
    "row", [None, {}, {"AppName": "a"}, {"AppName": "a", "StreamName": ""}, {"AppName": "a", "StreamName": 7}]
)
def test_a_stream_without_its_names_makes_the_list_unusable(row):
    content = {"RequestId": "R", "TotalNum": 1, "OnlineInfo": {"LiveStreamOnlineInfo": [row]}}
    step = answer(200, json.dumps(content))
    with ScriptedServer(step) as server, pytest.raises(ResponseLost, match="page 1 is not a list"):
        Live(make_client(server.url, retry_timeout=0)).online_streams("d.example")


@pytest.mark.parametrize(
    "names",
    [
        ("", "a", "s"),
        ("d.example", " ", "s"),
        ("d.example", "a", None),
        ("d.example", "*", "s"),
        ("d.example", "a", "**"),
        ("*.example", "a", "s"),
        ("https://d.example", "a", "s"),
        ("d.example:80", "a", "s"),
        ("d.example", "a", "s\n"),
        ("d.example", "a\0", "s"),
    ],
)
def test_invalid_names_of_streams_are_refused(names):
    with pytest.raises(InvalidOption) as caught:
        Stream.from_names(*names)
    assert re.search("domain_name|app_name|stream_name", str(caught.value))


def test_unusual_names_of_streams_are_accepted():
    assert Stream.from_names("live.example.com", "my app", "a b*~/+&=%中文")
