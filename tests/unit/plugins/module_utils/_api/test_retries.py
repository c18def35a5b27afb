# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent again after which failure: the rules as a table, for every operation, against a server by script."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api import operations
from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey, Credentials
from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import (
    ApiError,
    ClockWrong,
    CredentialsError,
    EndpointUnusable,
    LiveError,
    NotSent,
    OutcomeUnknown,
    ResponseLost,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._http import transport
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from support.client import make_client, make_credentials
from support.clock import NOON, FakeClock
from support.scripted import ScriptedServer, answer, reset, silence, truncated

NAMES = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "stream"}
OK = answer(200, json.dumps({"RequestId": "OK"}))
HTML = "<html>a page of something in between</html>"


def refuse(code, status=400, **headers):
    return answer(status, json.dumps({"RequestId": "NO", "Code": code, "Message": "m"}), **headers)


class Call(NamedTuple):
    """An operation as it is called, and whether it may be sent again although it may have taken effect."""

    operation: operations.Operation
    command: str | None
    repeatable: bool

    @property
    def parameters(self):
        return {**NAMES, **({"Command": self.command} if self.command else {})}

    def __str__(self):
        return self.command or self.operation.action


COMMANDS = [
    Call(operations.RECORD_COMMAND, name, name != "restart") for name in ("start", "stop", "cancel_delay", "restart")
]
OTHERS = [
    Call(row, None, not row.action.startswith(("Add", "Delete")))
    for row in vars(operations).values()
    if isinstance(row, operations.Operation) and row != operations.RECORD_COMMAND
]
CALLS = [*COMMANDS, *OTHERS]


class Failure(NamedTuple):
    """What comes in place of an answer, and what is known of the call then."""

    step: object
    unknown: bool
    waits: bool = True


DATE = format_datetime(datetime.fromtimestamp(NOON + 3600, timezone.utc), usegmt=True)
FAILURES = {
    # The call may have taken effect.
    "read time-out": Failure(silence, True),
    "reset": Failure(reset, True),
    "truncated": Failure(truncated('{"RequestId": "OK"}'), True),
    "half of it": Failure(answer(200, '{"RequestId": "O'), True),
    "nothing": Failure(answer(200, ""), True),
    "a captive portal": Failure(answer(200, HTML, content_type="text/html"), True),
    "somebody else's JSON": Failure(answer(200, '{"status": "ok"}'), True),
    "InternalError": Failure(refuse("InternalError", 500), True),
    "InternalError.Timeout": Failure(refuse("InternalError.Timeout", 400), True),
    "ServiceUnavailable": Failure(refuse("ServiceUnavailable", 503), True),
    "UnknownError": Failure(refuse("UnknownError", 400), True),
    "a new code": Failure(refuse("SomethingNew", 502), True),
    "bad gateway": Failure(answer(502, HTML), True),
    "gateway time-out": Failure(answer(504, ""), True),
    "request time-out": Failure(answer(408, HTML), True),
    "nonce used": Failure(refuse("SignatureNonceUsed"), True),
    # The call had no effect.
    "throttled": Failure(refuse("Throttling.User"), False),
    "throttled, 429": Failure(refuse("Throttling.Api", 429), False),
    "throttled, 200": Failure(refuse("Throttling", 200), False),
    "throttled, 503": Failure(refuse("Throttling", 503), False),
    "throttled by a new name": Failure(refuse("Flow.Limited", 429), False),
    "throttled on the way": Failure(answer(429, HTML), False),
    "not sent": Failure(None, False),
    "wrong clock": Failure(refuse("InvalidTimeStamp.Expired", date=DATE), False, waits=False),
    "expired keys": Failure(refuse("InvalidSecurityToken.Expired"), False, waits=False),
}  # fmt: skip
FINAL = {
    "refused": (refuse("Forbidden.RAM", 403), ApiError),
    "refused with a status of the server's": (refuse("InvalidDomain.NotFound", 500), ApiError),
    "refused with success": (refuse("InvalidParameter", 200), ApiError),
    "a proxy": (answer(403, HTML), EndpointUnusable),
    "a redirect": (answer(307, "", location="http://127.0.0.1:9/"), EndpointUnusable),
}


def make_retrying_client(url, retry_timeout=60, read_timeout=2):
    keys = [AccessKey(f"{name}-id", f"{name}-secret", f"{name}-token", "a test") for name in ("first", "other")]
    credentials = make_credentials(*keys)
    times = {"retry_timeout": retry_timeout, "read_timeout": read_timeout}
    return make_client(url, FakeClock(is_running=True), credentials=credentials, **times)


def call_and_catch(client, call):
    """The reply, or the error."""
    try:
        return client.call(call.operation, call.parameters)
    except LiveError as error:
        return error


def attempt(call, *steps, **settings):
    """Reply or error, the client, and the requests that arrived."""
    with ScriptedServer(*steps) as server:
        client = make_retrying_client(server.url, **settings)
        return call_and_catch(client, call), client, server.requests


def not_sent_once(monkeypatch):
    """The first connection fails before a request leaves."""
    post = transport.Transport.post
    left = [NotSent("it does not accept a connection", "Check.")]

    def fail_once(self, *arguments):
        if left:
            raise left.pop()
        return post(self, *arguments)

    monkeypatch.setattr(transport.Transport, "post", fail_once)


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_calls_are_retried_as_their_rules_say(monkeypatch, failure):
    calls = COMMANDS if failure.step is silence else CALLS
    steps = [step for call in calls for step in script(call, failure)]
    with ScriptedServer(*steps) as server:
        for call in calls:
            if failure.step is None:
                not_sent_once(monkeypatch)
            before = len(server.requests)
            read_timeout = 0.3 if failure.step is silence else 2
            client = make_retrying_client(server.url, read_timeout=read_timeout)
            check_result(call, failure, call_and_catch(client, call), client)
            requests = server.requests[before:]
            assert len(requests) == len(script(call, failure)) == client.traffic.api_calls, call
            check_requests(requests, call)


READS = [call for call in OTHERS if call.operation.items or call.operation.field]


@pytest.mark.parametrize("call", READS, ids=str)
def test_a_response_without_its_required_field_is_retried(call):
    assert call.operation.action.startswith("Describe")
    good = answer(200, json.dumps(success(call.operation)))
    result, client, requests = attempt(call, OK, good)
    assert result.content == success(call.operation) and len(requests) == 2 and client.clock.slept
    result, client, _requests = attempt(call, OK, retry_timeout=0)
    assert isinstance(result, ResponseLost) and "no usable" in str(result)
    assert result.request_id == "OK" and client.traffic.request_ids == ["OK"]


def test_every_reading_operation_names_its_required_field():
    assert {call.operation for call in OTHERS if call.operation.action.startswith("Describe")} == {
        call.operation for call in READS
    }


@pytest.mark.parametrize("state", ["paused", "", None, 7, ["online"], {}])
def test_an_unknown_stream_state_is_not_taken_for_offline(state):
    call = next(call for call in READS if call.operation is operations.STREAM_STATE)
    steps = [answer(200, json.dumps({"RequestId": "OK", "StreamState": state}))]
    result, _client, _requests = attempt(call, *steps, retry_timeout=0)
    assert isinstance(result, ResponseLost) and "does not tell StreamState" in str(result)


@pytest.mark.parametrize(("state", "online"), [("ONLINE", True), ("Online", True), ("OFFLINE", False)])
def test_stream_states_are_read_in_any_case_of_letters(state, online):
    with ScriptedServer(answer(200, json.dumps({"RequestId": "OK", "StreamState": state}))) as server:
        assert Live(make_retrying_client(server.url)).is_online(Stream(*NAMES.values())) is online


def script(call, failure):
    """The failure, and success for the second try where there must be one."""
    again = call.repeatable or not failure.unknown
    good = answer(200, json.dumps(success(call.operation)))
    return [failure.step] * bool(failure.step) + [good] * again


def success(operation):
    """The least that an answer of an operation must hold."""
    content = {"RequestId": "OK"}
    if operation.page:
        content["TotalNum"] = 0
    elif operation.items:
        content[operation.items.partition(".")[0]] = {}
    if operation.field:
        content[operation.field] = min(operation.values, default={})
    return content


def check_result(call, failure, result, client):
    again = call.repeatable or not failure.unknown
    if again:
        assert getattr(result, "content", result) == success(call.operation), call
        assert result.after_lost_response is failure.unknown, call
    else:
        assert isinstance(result, OutcomeUnknown), call
        assert "Outcome unknown" in str(result) and call.operation.repeat_warning in result.advice, call
    assert bool(client.clock.slept) is (again and failure.waits), call


def check_requests(requests, call):
    """The same call each time, with a nonce, a time and a signature of its own."""
    assert {(request.method, request.body) for request in requests} == {("POST", b"")}
    assert len({request.target for request in requests}) == 1
    assert {request.headers["x-acs-action"] for request in requests} == {call.operation.action}
    for name in ("x-acs-signature-nonce", "Authorization"):
        assert len({request.headers[name] for request in requests}) == len(requests)


@pytest.mark.parametrize(("step", "kind"), FINAL.values(), ids=FINAL)
@pytest.mark.parametrize("call", COMMANDS, ids=str)
def test_final_failures_are_not_retried(call, step, kind):
    result, client, requests = attempt(call, step)
    assert result.__class__ is kind and not result.after_lost_response
    assert len(requests) == 1 and not client.clock.slept


@pytest.mark.parametrize("step", [step for step, _kind in FINAL.values()], ids=FINAL)
def test_a_refusal_after_a_lost_response_says_that_the_call_may_have_taken_effect(step):
    result, _client, _requests = attempt(COMMANDS[0], reset, step)
    assert result.after_lost_response


def test_a_lost_response_is_remembered_over_all_attempts():
    steps = [
        reset,
        refuse("Throttling"),
        refuse("InvalidTimeStamp.Expired", date=DATE),
        refuse("ServiceUnavailable", 503),
        OK,
    ]
    result, client, requests = attempt(COMMANDS[1], *steps)
    assert result.after_lost_response and len(requests) == 5
    assert client.traffic.throttled == 1


def test_a_restart_that_was_dropped_and_then_lost_is_lost():
    result, client, requests = attempt(COMMANDS[3], refuse("Throttling"), refuse("Throttling"), reset)
    assert isinstance(result, OutcomeUnknown)
    assert len(requests) == 3 and client.traffic.throttled == 2


def test_lost_at_is_the_time_of_the_first_lost_attempt():
    steps = [refuse("Throttling"), reset, reset, refuse("TaskAlreadyStarted", 409)]
    with ScriptedServer(*steps) as server:
        client = make_retrying_client(server.url)
        found = Live(client).record_command(Stream(*NAMES.values()), "start")
    assert found.after_lost_response and found.lost_at == NOON + client.clock.slept[0]
    with ScriptedServer(refuse("Throttling"), refuse("TaskAlreadyStarted", 409)) as server:
        found = Live(make_retrying_client(server.url)).record_command(Stream(*NAMES.values()), "start")
    assert found.lost_at is None and not found.after_lost_response


def test_a_lost_restart_tells_when_it_was_sent():
    result, client, _requests = attempt(COMMANDS[3], refuse("Throttling"), reset)
    assert isinstance(result, OutcomeUnknown) and result.lost_at == NOON + client.clock.slept[0]


def test_every_attempt_has_its_own_date():
    _result, client, requests = attempt(COMMANDS[0], refuse("Throttling"), reset, OK)
    times = [request.headers["x-acs-date"] for request in requests]
    first, second = client.clock.slept
    moments = (NOON, NOON + first, NOON + first + second)
    assert times == [datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments]


@pytest.mark.parametrize("name", [name for name, failure in FAILURES.items() if failure.waits and failure.step])
def test_without_time_for_retries_there_is_one_attempt(name):
    result, client, requests = attempt(COMMANDS[0], FAILURES[name].step, retry_timeout=0)
    assert isinstance(result, LiveError) and result.retryable
    assert len(requests) == 1 and not client.clock.slept


@pytest.mark.parametrize("seconds", [0.001, 1, 7.5, 30])
def test_the_calls_of_a_task_share_the_time_for_retries(seconds):
    with ScriptedServer(*[refuse("Throttling")] * 500) as server:
        client = make_retrying_client(server.url, retry_timeout=seconds)
        for _call in range(3):
            with pytest.raises(ApiError):
                client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "start"})
        assert sum(client.clock.slept) < seconds
        assert len(server.requests) == len(client.clock.slept) + 3, "each call is tried once in any case"
        server.stop_early()


def test_retries_without_a_limit_go_on():
    steps = [refuse("ServiceUnavailable", 503), refuse("Throttling"), reset] * 10
    result, client, requests = attempt(COMMANDS[0], *steps, OK, retry_timeout=-1)
    assert result.after_lost_response and len(requests) == 31
    assert sum(client.clock.slept) > 20 and max(client.clock.slept) <= 8


def test_a_retry_after_of_days_is_cut_to_half_a_minute():
    _result, client, _requests = attempt(
        COMMANDS[0], refuse("Throttling", x_acs_retry_after="999999999"), OK, retry_timeout=90
    )
    assert 30 <= client.clock.slept[0] <= 31


# --- clocks and keys -------------------------------------------------------------------------------------------------


def refuse_clock(ahead, **headers):
    date = format_datetime(datetime.fromtimestamp(NOON + ahead, timezone.utc), usegmt=True)
    return refuse("InvalidTimeStamp.Expired", **{"date": date, **headers})


def read_dates(requests):
    """The times of requests, in seconds from noon."""
    texts = [request.headers["x-acs-date"] for request in requests]
    return [
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp() - NOON for text in texts
    ]


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (1200, "20 minutes behind the cloud's"),
        (-1200, "20 minutes ahead of the cloud's"),
        (8 * 3600, "8 hours behind the cloud's"),
        (86_400, "24 hours behind the cloud's"),
        (0, "0 seconds"),
    ],
)
def test_a_wrong_clock_is_corrected_for_the_whole_task(ahead, words):
    with ScriptedServer(refuse_clock(ahead), OK, OK) as server:
        client = make_retrying_client(server.url, retry_timeout=0)
        for command in ("restart", "stop"):
            assert not client.call(operations.RECORD_COMMAND, {**NAMES, "Command": command}).after_lost_response
    assert read_dates(server.requests) == [0, ahead, ahead]
    (warning,) = client.warnings()
    assert words in warning and "NTP" in warning


def test_a_clock_that_is_set_during_the_task_is_corrected_again():
    with ScriptedServer(refuse_clock(3600), OK, refuse_clock(3600), OK) as server:
        client = make_retrying_client(server.url)
        client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "start"})
        client.clock.wall += 3600
        client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "stop"})
    assert read_dates(server.requests) == [0, 3600, 7200, 3600]
    assert "0 seconds" in client.warnings()[0]


NO_DATES = {
    "beyond a day": {"date": "Sat, 03 Jan 2026 12:00:01 GMT"},
    "long ago": {"date": "Thu, 01 Jan 1970 00:00:00 GMT"},
    "at the end of time": {"date": "Fri, 31 Dec 9999 23:59:59 GMT"},
    "of no month": {"date": "Fri, 02 Foo 2026 12:20:00 GMT"},
    "of no day": {"date": "Fri, 99 Jan 2026 12:20:00 GMT"},
    "in another zone": {"date": "Fri, 02 Jan 2026 12:20:00 +0800"},
    "in another form": {"date": "2026-01-02T12:20:00Z"},
    "words": {"date": "soon"},
    "nothing": {"date": ""},
    "huge": {"date": "9" * 5000},
    "two": {"date": "Fri, 02 Jan 2026 12:20:00 GMT, Fri, 02 Jan 2026 12:20:00 GMT"},
}


@pytest.mark.parametrize("headers", NO_DATES.values(), ids=NO_DATES)
def test_an_invalid_date_is_ignored(headers):
    result, client, requests = attempt(COMMANDS[0], refuse_clock(0, **headers))
    assert isinstance(result, ClockWrong) and "NTP" in str(result)
    assert len(requests) == 1 and client.warnings() == []


def test_a_clock_is_corrected_once_for_each_call():
    result, _client, requests = attempt(COMMANDS[0], refuse_clock(1200), refuse_clock(2400))
    assert isinstance(result, ClockWrong) and read_dates(requests) == [0, 1200]


def test_credentials_and_clock_are_both_corrected():
    steps = [refuse_clock(1200), refuse("InvalidSecurityToken.Expired"), OK]
    _result, _client, requests = attempt(COMMANDS[3], *steps, retry_timeout=0)
    assert read_dates(requests) == [0, 1200, 1200]
    assert [request.headers["x-acs-security-token"] for request in requests] == ["first-token"] * 2 + ["other-token"]


def test_failed_renewal_after_a_lost_response_says_that_the_call_may_have_taken_effect():
    def find(expired):
        if expired:
            raise CredentialsError("The place of the keys is gone", "Look for it.")
        return AccessKey("first-id", "first-secret", "first-token", "a test")

    with ScriptedServer(reset, refuse("InvalidSecurityToken.Expired")) as server:
        client = make_client(server.url, FakeClock(), credentials=Credentials(find))
        with pytest.raises(CredentialsError) as caught:
            client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "start"})
    assert caught.value.after_lost_response, "the first try may have taken effect"


# --- how a request travels -------------------------------------------------------------------------------------------


def drip(head, drop):
    """An answer that never stops coming, a bit at a time."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with suppress(OSError):
            handler.wfile.write(head)
            for number in range(1000):
                handler.wfile.write(drop.replace(b"N", b"%d" % number))
                time.sleep(0.05)

    return step


DRIPS = {
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "head": drip(b"HTTP/1.1 200 OK\r\n", b"x-N: y\r\n"),
    "promises": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("step", DRIPS.values(), ids=DRIPS)
def test_a_response_that_drips_is_abandoned(step):
    began = time.monotonic()
    with ScriptedServer(step) as server:
        client = make_retrying_client(server.url, retry_timeout=0, read_timeout=0.2)
        with pytest.raises(ResponseLost):
            client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "start"})
    assert 1 < time.monotonic() - began < 20


@pytest.mark.parametrize("step", [silence, DRIPS["body"]], ids=["silence", "drip"])
def test_the_time_of_attempts_counts_like_that_of_waits(step):
    """One attempt takes at most six times `read_timeout`; none begins when both together have taken `retry_timeout`."""
    with ScriptedServer(*[step] * 50) as server:
        client = make_retrying_client(server.url, retry_timeout=4, read_timeout=0.2)
        began = time.monotonic()
        with pytest.raises(ResponseLost):
            client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "start"})
        attempts = time.monotonic() - began  # waits take no time here
        server.stop_early()
    longest = 1.2 if step is not silence else 0.2
    assert len(server.requests) > 2
    assert attempts + sum(client.clock.slept) < 4 + longest + 1
    assert attempts > 0.15 * len(server.requests)


@pytest.mark.parametrize("close", [False, True])
def test_an_unsolicited_response_is_not_taken_for_that_to_the_next_request(close):
    def twice(handler):
        for name in ("ONE", "TWO"):
            body = json.dumps({"RequestId": name}).encode()
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        handler.close_connection = close

    with ScriptedServer(twice, OK) as server:
        client = make_retrying_client(server.url)
        replies = [client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "start"})]
        time.sleep(0.3)  # what arrives even later nobody can tell from an answer
        replies.append(client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "stop"}))
    assert [reply.content["RequestId"] for reply in replies] == ["ONE", "OK"]


def test_a_connection_serves_several_calls():
    peers = []

    def ok(handler):
        peers.append(handler.client_address)
        OK(handler)

    with ScriptedServer(ok, ok) as server:
        client = make_retrying_client(server.url)
        for command in ("stop", "cancel_delay"):
            client.call(operations.RECORD_COMMAND, {**NAMES, "Command": command})
    assert len(set(peers)) == 1


def test_a_compressed_response_is_not_decompressed():
    import gzip

    bomb = gzip.compress(b'{"RequestId": "R"' + b" " * 50_000_000 + b"}")
    result, _client, _requests = attempt(COMMANDS[0], answer(200, bomb, content_encoding="gzip"), retry_timeout=0)
    assert isinstance(result, ResponseLost) and f"{len(bomb)} bytes" in str(result)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(status):
    with ScriptedServer() as elsewhere:
        step = answer(status, "", location=f"{elsewhere.url}/?Command=start")
        result, _client, _requests = attempt(COMMANDS[0], step)
    assert isinstance(result, EndpointUnusable) and "redirects elsewhere" in str(result)
    assert elsewhere.requests == []


@pytest.fixture(name="proxied")
def endpoint_beyond_a_proxy(monkeypatch):
    """Makes clients whose calls go through the proxy at an address."""

    def through(url, **settings):
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, url)
        for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        client = make_retrying_client("http://127.0.0.1", **settings)
        endpoint = Endpoint.parse("http://live.example.net", allow_http=True)
        client.account.transport = transport.Transport(Settings(endpoint, read_timeout=2))
        return client

    return through


def test_a_reset_behind_a_proxy_is_a_lost_response(proxied):
    with ScriptedServer(reset) as server:
        client = proxied(server.url)
        with pytest.raises(OutcomeUnknown):
            client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "restart"})
    (request,) = server.requests
    assert request.target.startswith("http://live.example.net/?")
    assert client.traffic.api_calls == 1


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("http://127.0.0.1:9", NotSent, "the proxy on the way"),
        ("http://user:hidden@127.0.0.1:9", NotSent, "the proxy on the way"),
        ("http://user:hidden@127.0.0.1:port", EndpointUnusable, "the setting of the proxy"),
        ("hidden://127.0.0.1:9", EndpointUnusable, "the setting of the proxy"),
    ],
)
def test_a_broken_proxy_is_named(proxied, url, kind, words):
    client = proxied(url, retry_timeout=0)
    with pytest.raises(kind, match=words) as caught:
        client.call(operations.RECORD_COMMAND, {**NAMES, "Command": "restart"})
    assert "hidden" not in str(caught.value) and client.traffic.api_calls == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_calls_to_this_machine_never_go_through_a_proxy(proxied, host):
    with ScriptedServer() as proxy, ScriptedServer(OK) as server:
        proxied(proxy.url)
        make_retrying_client(server.url.replace("127.0.0.1", host)).call(
            operations.RECORD_COMMAND, {**NAMES, "Command": "start"}
        )
    assert proxy.requests == [] and len(server.requests) == 1


def test_operations_that_must_not_be_repeated_say_why():
    """Every operation that makes or removes something names what to look at when its outcome is unknown."""
    for call in CALLS:
        assert call.operation.may_repeat(call.parameters) is call.repeatable
        assert call.repeatable or re.search("look at", call.operation.repeat_warning)
