# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API and the faults."""

from __future__ import annotations

import contextlib
import http.client
import json
import time

import pytest
from signing_client import SigningClient

from support.emulator import EmulatorError, stream_fields, switches

STREAM = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "one"}
ONE = "live.example.com/app/one"
STATE = "DescribeLiveStreamState"
COMMAND = "RealTimeRecordCommand"


def start(client):
    return client.call(COMMAND, Command="start", **STREAM)


# The call log


def test_call_log_contains_the_outcome_of_each_call(cloud, client):
    cloud.push(ONE)
    before = time.time()
    response = start(client)
    client.call_v1(STATE, **STREAM)
    first, second = cloud.calls()
    assert before <= first.pop("time") <= time.time()
    assert first == {
        "seq": 1,
        "action": COMMAND,
        "params": {**STREAM, "Command": "start"},
        "account": "1000000000000001",
        "http_status": 200,
        "code": None,
        "request_id": response.json["RequestId"],
        "signature": "acs3",
        "throttled": False,
        "fault": None,
    }
    assert (second["signature"], second["params"]) == ("hmac-sha1", STREAM)
    assert [call["seq"] for call in cloud.calls(since=1)] == [2]
    assert [call["seq"] for call in cloud.calls(COMMAND)] == [1]
    cloud.clear_calls()
    assert cloud.calls() == []


def test_call_log_contains_no_secrets(cloud, client):
    client.call("DeleteLiveRecordNotifyConfig", DomainName="live.example.com")
    secret = "0123456789abcdef"
    parameters = {"NotifyUrl": "http://x.example.com", "NotifyReqAuth": "true", "NotifyAuthKey": secret}
    client.call_v1("AddLiveRecordNotifyConfig", DomainName="live.example.com", **parameters)
    refused = client.call_v1("AssumeRole", Version="2015-04-01", RoleArn="x", SecurityToken="made-up-token")
    assert refused.code == "InvalidSecurityToken.Malformed"
    rows = cloud.calls()
    assert [set(row["params"]) for row in rows] == [{"DomainName"}, {"DomainName", *parameters}, {"RoleArn"}]
    text = json.dumps(rows) + json.dumps(cloud.state())
    for word in (secret, "made-up-token", "testAccessKey", "HMAC"):
        assert word not in text


def test_failed_calls_are_logged(cloud, client):
    start(client)
    SigningClient(cloud.endpoint, ("nobody", "x")).call(STATE, **STREAM)
    outcomes = [(call["http_status"], call["code"], call["account"]) for call in cloud.calls()]
    assert outcomes == [(409, "StreamNotFound", "1000000000000001"), (404, "InvalidAccessKeyId.NotFound", None)]


# Lists that change between two pages, and incomplete responses


ONLINE = "DescribeLiveStreamsOnlineList"


def get_page(client, number):
    response = client.call(ONLINE, DomainName="live.example.com", PageNum=str(number), PageSize="3000").json
    names = [row["StreamName"] for row in response["OnlineInfo"]["LiveStreamOnlineInfo"]]
    return names, response["PageSize"], response["TotalNum"], response["TotalPage"]


def test_push_that_ends_between_two_pages_shifts_the_rows(cloud, client):
    cloud.behave(page_cap=2)
    for name in "abcde":
        cloud.push(f"live.example.com/app/{name}")
    cloud.fault("push_ends", stream="live.example.com/app/a", action=ONLINE, parameters={"PageNum": "2"}, times=1)
    assert get_page(client, 1) == (["a", "b"], 2, 5, 3)
    assert get_page(client, 2) == (["d", "e"], 2, 4, 2)
    assert get_page(client, 1) == (["b", "c"], 2, 4, 2)
    assert [call["fault"] for call in cloud.calls()] == [None, "push_ends", None]


def test_total_excess_increases_total_num(cloud, client):
    cloud.behave(total_excess=1)
    cloud.push(ONE)
    assert get_page(client, 1) == (["one"], 3000, 2, 1)


def test_bare_response_contains_only_the_request_id(cloud, client):
    cloud.push(ONE)
    cloud.fault("bare")
    assert set(start(client).json) == {"RequestId"}
    assert set(client.call(STATE, **STREAM).json) == {"RequestId"}
    assert cloud.stream(ONE)["recording"] == "recording"


# Streams, clock, state, reset


def test_state_contains_streams_and_configurations(cloud, client):
    cloud.push(ONE, "push.example.com/app/two")
    start(client)
    cloud.advance(3601)
    state = cloud.state()
    assert [stream["stream_name"] for stream in state["streams"]] == ["one", "two"]
    assert state["advanced"] == 3601
    assert [config["mode"] for config in state["record_configs"]] == [7]
    assert state["notify_configs"]["live.example.com"]["status_events"] is True
    one = cloud.stream(ONE)
    assert (one["online"], one["recording"]) == (True, "recording")
    assert [(file["format"], file["duration"]) for file in one["files"]] == [("mp4", 3600)]
    assert one["ledger"]["cycles"] == 1
    assert len(cloud.state("live.example.com/app/two")["streams"]) == 1
    kinds = [event["notify_type"] for event in cloud.state(ONE)["notify_events"]]
    assert kinds == ["record_started", "file_created"]
    assert cloud.state(domain_name="live.example.org")["record_configs"] == []


def test_push_of_an_online_stream_changes_nothing(cloud, client):
    cloud.push(ONE)
    start(client)
    cloud.advance(100)
    cloud.push(ONE)
    assert cloud.stream(ONE)["recording"] == "recording"


def test_resume_repeats_the_last_push(cloud):
    cloud.push(ONE, mode="pull")
    cloud.drop(ONE)
    cloud.resume(ONE)
    assert cloud.stream(ONE)["online"] is True
    assert SigningClient(cloud.endpoint).call(STATE, **STREAM).json["Type"] == "pull"


def read_online(cloud):
    stream = cloud.stream(ONE)
    return stream["online"], stream["viewers"]


def test_pulled_stream_is_online_while_it_has_viewers(cloud):
    cloud.push(ONE, mode="pull", viewers=0)
    assert cloud.state(ONE)["streams"] == []
    cloud.set_viewers(2, ONE)
    assert read_online(cloud) == (True, 2)
    cloud.advance(60)
    began = cloud.stream(ONE)["publish_time"]
    cloud.set_viewers(1, ONE)
    assert read_online(cloud) == (True, 1)
    cloud.set_viewers(0, ONE)
    assert read_online(cloud) == (False, 0)
    cloud.set_viewers(1, ONE)
    assert read_online(cloud) == (True, 1)
    assert cloud.stream(ONE)["publish_time"] > began
    cloud.drop(ONE)
    assert read_online(cloud) == (False, 0)
    cloud.resume(ONE)
    assert read_online(cloud) == (True, 1)


def test_push_continues_without_viewers(cloud):
    cloud.push(ONE)
    assert read_online(cloud) == (True, None)
    for viewers in (1, 0):
        cloud.set_viewers(viewers, ONE)
        assert read_online(cloud) == (True, viewers)
        assert SigningClient(cloud.endpoint).call(STATE, **STREAM).json["Type"] == "push"


def test_reset_restores_the_initial_state(cloud, client):
    cloud.push(ONE)
    cloud.advance(50)
    cloud.behave(idle_stop="error")
    cloud.fault("status_500")
    cloud.reset()
    state = cloud.state()
    assert (state["streams"], state["advanced"]) == ([], 0)
    assert cloud.control("GET", "behaviour")["idle_stop"] == "ok"
    assert client.call(STATE, **STREAM).status == 200


def test_health_is_ok(cloud):
    assert cloud.control("GET", "health")["status"] == "ok"


@pytest.mark.parametrize(
    ("method", "path", "content", "message"),
    [
        ("POST", "nothing", {}, "there is no POST"),
        ("PUT", "reset", {}, "there is no PUT"),
        ("POST", "streams/push", {}, "'streams' is missing"),
        ("POST", "streams/push", {"streams": "x"}, "list of objects"),
        ("POST", "streams/push", {"streams": [{"domain_name": "live.example.com"}]}, "'app_name' is missing"),
        ("POST", "streams/push", {"streams": [stream_fields("nowhere/app/one")]}, "no domain nowhere"),
        ("POST", "streams/push", {"streams": [{**stream_fields(ONE), "mode": "fly"}]}, "push or pull"),
        ("POST", "streams/push", {"streams": [{**stream_fields(ONE), "mode": "pull", "viewers": -1}]}, "0 or more"),
        ("POST", "streams/viewers", {"streams": [stream_fields(ONE)]}, "'viewers' is missing"),
        ("POST", "streams/viewers", {"streams": [{**stream_fields(ONE), "viewers": True}]}, "0 or more"),
        ("POST", "streams/viewers", {"streams": [{**stream_fields("nowhere/app/one"), "viewers": 1}]}, "no domain"),
        ("POST", "clock/advance", {"seconds": -1}, "forward"),
        ("POST", "clock/advance", {"seconds": "soon"}, "could not convert"),
        ("POST", "behaviour", {"idle_stop": "perhaps"}, "must be one of ok, error"),
        ("POST", "behaviour", {"idle": "ok"}, "no behaviour 'idle'"),
        ("POST", "behaviour", {"latency": -5}, "must be a number"),
        ("POST", "behaviour", {"no_task_code": ""}, "non-empty text"),
        ("POST", "behaviour", {"limits": {"X": "y"}}, "a limit is"),
        ("POST", "behaviour", {"limits": 3}, "must map"),
        ("POST", "behaviour", {"other_client": {"X": -1}}, "a rate is"),
        ("POST", "faults", {"fault": "gremlins"}, "no fault 'gremlins'"),
        ("POST", "faults", {"fault": "delay", "probability": 2}, "from 0 to 1"),
        ("POST", "faults", {"fault": "delay", "times": 0}, "at least 1"),
        ("POST", "faults", {"fault": "delay", "seconds": -1}, "not negative"),
        ("POST", "faults", {"fault": "delay", "sleep": 1}, "not a fault"),
        ("POST", "faults", {"fault": "delay", "seconds": [2, 1]}, "not smaller"),
        ("POST", "faults", {"fault": "delay", "seconds": [1, 2, 3]}, "too many values"),
        ("POST", "faults", {"fault": "delay", "seconds": "12"}, "not supported"),
        ("POST", "faults", {"fault": "delay", "seed": "x"}, "whole number"),
        ("POST", "faults", {"faults": [{"probability": 1}]}, "missing"),
        (
            "POST",
            "faults",
            {"faults": [{"fault": "html", "probability": 0.6}, {"fault": "empty", "probability": 0.5}]},
            "add up to 1.1",
        ),
        ("POST", "faults", [], "must be a JSON object"),
        ("POST", "accounts", {"accounts": [{}]}, "'id' is missing"),
        ("POST", "controls", {"controls": [stream_fields("nowhere/app/one")]}, "no domain nowhere"),
        ("POST", "controls", {"controls": [stream_fields(ONE)]}, "'action' is missing"),
        ("POST", "accounts", {"accounts": [{"id": 1, "access_keys": [{"id": "a", "secret": "b", "user": "c"}]}]}, "c"),
    ],
)
def test_invalid_control_requests_are_refused(cloud, method, path, content, message):
    with pytest.raises(EmulatorError, match="error") as caught:
        cloud.control(method, path, content)
    assert message in str(caught.value)


def test_invalid_behaviour_changes_nothing(cloud):
    with pytest.raises(EmulatorError):
        cloud.behave(idle_cancel="error", idle_stop="perhaps")
    assert cloud.control("GET", "behaviour")["idle_cancel"] == "ok"


def test_body_that_is_not_json_is_refused(cloud):
    assert send_control(cloud, "reset", b"{") == 400


def send_control(cloud, path, body=b"{}", method="POST", **headers):
    """Send a control request and return its status; `_` in header names stands for `-`."""
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, f"/_emulator/{path}", body, {name: text for name, text in given.items() if text})
        return connection.getresponse().status


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "reset", {"Content_Type": "text/plain"}, 415),
        ("POST", "reset", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "shutdown", {"Content_Type": ""}, 415),
        ("POST", "reset", {"Origin": "https://evil.example.com"}, 403),
        ("POST", "reset", {"Origin": "null"}, 403),
        ("POST", "reset", {"Origin": "http://127.0.0.1.evil.example.com"}, 403),
        ("POST", "reset", {"Host": "evil.example.com"}, 403),
        ("GET", "state", {"Host": "evil.example.com:8080"}, 403),
        ("GET", "calls", {"Host": "localhost.evil.example.com"}, 403),
        ("GET", "calls", {"Host": "[::1"}, 403),
        ("DELETE", "calls", {"Origin": "https://evil.example.com"}, 403),
    ],
)
def test_requests_of_web_pages_are_refused(cloud, client, method, path, headers, status):
    cloud.push(ONE)
    start(client)
    assert send_control(cloud, path, method=method, **headers) == status
    assert len(cloud.calls()) == 1 and cloud.stream(ONE)["recording"] == "recording"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost"},
        {"Host": "localhost:1234"},
        {"Host": "127.0.0.1"},
        {"Host": "[::1]:80"},
        {"Origin": "http://localhost:3000"},
        {"Content_Type": "application/json; charset=utf-8"},
    ],
)
def test_requests_of_this_machine_are_accepted(cloud, headers):
    assert send_control(cloud, "reset", **headers) == 200


HOSTILE_CONTENTS = [
    ("clock/advance", {"seconds": 1e18}),
    ("clock/advance", {"seconds": 10**400}),
    ("clock/advance", {"seconds": [1]}),
    ("clock/advance", {}),
    ("faults", {"fault": "delay", "seconds": 1e18}),
    ("faults", {"fault": "delay", "seconds": [0, 1e18]}),
    ("faults", {"fault": "push_ends", "stream": "x"}),
    ("faults", {"fault": "push_ends", "stream": 7}),
    ("faults", {"fault": "delay", "parameters": []}),
    ("faults", {"fault": "error", "http_status": 7}),
    ("faults", {"fault": "redirect", "location": "/\r\nX: y"}),
    ("events", {"events": [{**stream_fields(ONE), "notify_type": "record_error", "content": 7}]}),
    ("events", {"events": [{**stream_fields(ONE), "notify_type": "record_error", "age": 1e18}]}),
    ("events", {"events": [{**stream_fields(ONE), "notify_type": "record_error", "age": -5}]}),
    ("events", {"events": ["x"]}),
    ("controls", {"controls": [{**stream_fields(ONE), "action": "forbid", "age": 1e300}]}),
    ("accounts", {"accounts": [7]}),
    ("accounts", {"accounts": [{"id": "1", "domains": ["x"]}]}),
    ("accounts", {"accounts": [{"id": "1", "domains": [{"name": "x.example.com", "tags": []}]}]}),
    ("behaviour", {"latency": 10**400}),
    ("behaviour", {"limits": []}),
    ("streams/push", {"streams": {}}),
    ("streams/push", {"streams": [{**stream_fields(ONE), "stream_name": "\ud800"}]}),
]


@pytest.mark.parametrize(("path", "content"), HOSTILE_CONTENTS)
def test_hostile_values_are_refused_and_leave_the_emulator_intact(cloud, client, path, content):
    assert send_control(cloud, path, json.dumps(content).encode()) == 400
    assert_intact(cloud, client)


@pytest.mark.parametrize("depth", [33, 900, 100_000])
@pytest.mark.parametrize("path", ["events", "faults", "clock/advance", "behaviour"])
def test_deeply_nested_json_is_refused(cloud, client, path, depth):
    row = json.dumps({**stream_fields(ONE), "notify_type": "record_error"})[:-1]
    deep = "[" * depth + "]" * depth
    assert send_control(cloud, path, f'{{"events": [{row}, "content": {{"a": {deep}}}}}]}}'.encode()) == 400
    assert_intact(cloud, client)


@pytest.mark.parametrize("body", [b'{"seconds": NaN}', b'{"seconds": Infinity}', b"\xff", b"[]", b'"x"', b"7"])
def test_bodies_of_another_type_are_refused(cloud, client, body):
    assert send_control(cloud, "clock/advance", body) == 400
    assert_intact(cloud, client)


def assert_intact(cloud, client):
    cloud.push(ONE)
    assert start(client).status == 200
    cloud.advance(60)
    assert cloud.stream(ONE)["recording"] == "recording"
    assert cloud.error_output() == ""


def test_clock_advances_by_years_at_once_but_no_further_than_its_maximum(cloud, client):
    cloud.push(ONE)
    start(client)
    cloud.advance(5e7)
    cloud.advance(5e7 - 61)
    assert send_control(cloud, "clock/advance", b'{"seconds": 62}') == 400
    assert cloud.stream(ONE)["ledger"]["cycles"] > 1000
    assert cloud.stream(ONE)["recording"] == "recording" and cloud.error_output() == ""


def test_added_account_may_call(cloud):
    cloud.add_accounts(
        {"id": "3", "access_keys": [{"id": "k", "secret": "s"}], "domains": [{"name": "third.example.net"}]}
    )
    third = SigningClient(cloud.endpoint, ("k", "s"))
    assert third.call(STATE, **{**STREAM, "DomainName": "third.example.net"}).status == 200
    assert third.call(STATE, **STREAM).code == "InvalidDomain.NotFound"


# Faults


@pytest.mark.parametrize(("fault", "effect"), [("reset_before", False), ("reset_after", True), ("stall", False)])
def test_reset_faults_reset_the_connection(cloud, client, fault, effect):
    cloud.push(ONE)
    cloud.fault(fault, times=1, seconds=0.05)
    with pytest.raises(ConnectionResetError) as caught:
        start(client)
    # RemoteDisconnected, a subclass, would mean an orderly end without a response.
    assert caught.type is ConnectionResetError
    assert (cloud.stream(ONE)["recording"] == "recording") is effect
    assert cloud.calls()[0]["fault"] == fault
    assert start(client).code == ("TaskAlreadyStarted" if effect else None)


def test_truncate_fault_ends_the_response_early(cloud, client):
    cloud.push(ONE)
    cloud.fault("truncate", times=1)
    with pytest.raises(http.client.IncompleteRead):
        start(client)
    assert cloud.stream(ONE)["recording"] == "recording"


@pytest.mark.parametrize("fault", ["half_json", "empty"])
def test_body_faults_return_invalid_json_with_status_200(cloud, client, fault):
    cloud.push(ONE)
    cloud.fault(fault)
    response = start(client)
    assert response.status == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        assert response.json
    assert cloud.stream(ONE)["recording"] == "recording"


def test_portal_faults_return_html_and_redirects(cloud, client):
    cloud.push(ONE)
    cloud.fault("html", times=1)
    assert start(client).headers["content-type"] == "text/html"
    cloud.fault("redirect", times=1, location="https://portal.example.com/")
    response = start(client)
    assert (response.status, response.headers["location"]) == (302, "https://portal.example.com/")
    assert cloud.stream(ONE)["recording"] == "idle"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("status_500", 500, "InternalError"),
        ("status_502", 502, "ServiceUnavailable"),
        ("status_503", 503, "ServiceUnavailable"),
        ("status_504", 504, "ServiceUnavailable"),
        ("throttle", 400, "Throttling.User"),
    ],
)
@pytest.mark.parametrize("processed", [False, True])
def test_error_faults_return_their_status_and_code(cloud, client, fault, status, code, processed):
    cloud.push(ONE)
    cloud.fault(fault, times=1, processed=processed)
    response = start(client)
    assert (response.status, response.code) == (status, code)
    assert (cloud.stream(ONE)["recording"] == "recording") is processed
    assert cloud.calls()[0]["throttled"] is (fault == "throttle")


def test_error_fault_returns_any_given_error(cloud, client):
    cloud.fault("error", code="UserDisable", http_status=403, message="In debt.")
    response = start(client)
    assert (response.status, response.code, response.json["Message"]) == (403, "UserDisable", "In debt.")


def test_throttle_fault_sends_the_retry_hint(cloud, client):
    cloud.behave(retry_after="on", throttle_status="429")
    cloud.fault("throttle", seconds=0.25)
    response = start(client)
    assert (response.status, response.headers["x-acs-retry-after"]) == (429, "250")


def test_delay_fault_delays_the_response(cloud, client):
    cloud.fault("delay", seconds=0.2, times=1)
    started = time.monotonic()
    assert start(client).code == "StreamNotFound"
    assert time.monotonic() - started >= 0.2


def test_faults_strike_only_matching_calls(cloud, client):
    cloud.fault("status_500", action=STATE, parameters={"StreamName": "two"}, times=2)
    assert start(client).code == "StreamNotFound"
    assert client.call(STATE, **STREAM).status == 200
    two = {**STREAM, "StreamName": "two"}
    assert [client.call(STATE, **two).status for _number in range(3)] == [500, 500, 200]


def test_same_seed_gives_the_same_outcomes(cloud, client):
    def outcomes():
        cloud.clear_faults()
        cloud.fault("status_500", probability=0.5, seed=7)
        return [client.call(STATE, **STREAM).status for _number in range(20)]

    first = outcomes()
    assert outcomes() == first
    assert set(first) == {200, 500}


def test_cleared_faults_no_longer_strike(cloud, client):
    cloud.fault("status_500")
    assert client.call(STATE, **STREAM).status == 500
    assert cloud.fault_counts() == {"status_500": 1}
    assert cloud.clear_faults() == {"status_500": 1}
    assert cloud.fault_counts() == {}
    assert client.call(STATE, **STREAM).status == 200


def test_delay_is_added_to_other_faults(cloud, client):
    cloud.fault("delay", seconds=[0.05, 0.3], seed=1)
    cloud.fault("throttle", times=2)
    lengths = []
    for _number in range(4):
        started = time.monotonic()
        client.call(STATE, **STREAM)
        lengths.append(time.monotonic() - started)
    assert min(lengths) >= 0.05
    assert [call["fault"] for call in cloud.calls()] == ["throttle", "throttle", "delay", "delay"]
    assert cloud.fault_counts() == {"delay": 4, "throttle": 2}


MIXTURE = {
    "reset_before": 0.05,
    "reset_after": 0.05,
    "status_503": 0.03,
    "throttle": {"probability": 0.1, "action": COMMAND},
}


def test_mixture_strikes_the_same_calls_in_any_order(cloud, client):
    streams = [{**STREAM, "StreamName": f"s{number}"} for number in range(60)]

    def collect_faults(order):
        cloud.clear_faults()
        cloud.clear_calls()
        cloud.disturb(3, **MIXTURE)
        for stream in order:
            for _attempt in range(3):
                with contextlib.suppress(ConnectionResetError):
                    client.call(COMMAND, Command="start", **stream)
        faults_of = {}
        for call in cloud.calls():
            faults_of.setdefault(call["params"]["StreamName"], []).append(call["fault"])
        return faults_of

    cloud.behave(limits={COMMAND: 10_000})
    first = collect_faults(streams)
    assert collect_faults(list(reversed(streams))) == first
    kinds = [fault for faults in first.values() for fault in faults if fault]
    assert set(kinds) == set(MIXTURE)
    assert cloud.fault_counts() == {kind: kinds.count(kind) for kind in MIXTURE}


def test_used_up_faults_of_a_mixture_no_longer_strike(cloud, client):
    cloud.control(
        "POST",
        "faults",
        {"action": STATE, "faults": [{"fault": "status_500", "times": 2}, {"fault": "status_502", "action": COMMAND}]},
    )
    assert [client.call(STATE, **STREAM).status for _number in range(3)] == [500, 500, 200]
    assert start(client).status == 502


# Keep-alive


def test_connection_is_reused(cloud, client):
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=5)
    for _number in range(3):
        query = "AppName=app&DomainName=live.example.com&StreamName=one"
        connection.request("POST", f"/?{query}", headers=client.headers(STATE, query=query))
        assert json.load(connection.getresponse())["StreamState"] == "offline"
    connection.close()


# The support class


def test_options_become_command_line_switches():
    arguments = switches(
        {"idle_stop": "error", "require_tls": True, "max_age": None, "a": False, "limit": {"X": 5, "Y": 6}}
    )
    assert arguments == ["--idle-stop=error", "--require-tls", "--limit", "X=5", "--limit", "Y=6"]


@pytest.mark.parametrize(
    "stream", ["d/a/s/t", ("d", "a", "s/t"), {"domain_name": "d", "app_name": "a", "stream_name": "s/t"}]
)
def test_all_forms_of_a_stream_are_accepted(stream):
    assert stream_fields(stream) == {"domain_name": "d", "app_name": "a", "stream_name": "s/t"}


def test_incomplete_stream_is_refused():
    with pytest.raises(ValueError, match="domain/app/stream"):
        stream_fields("d/a")
