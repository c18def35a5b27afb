# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the cloud, of gateways and of proxies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api import response
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import (
    ApiError,
    EndpointUnusable,
    LiveError,
    ResponseLost,
    Throttled,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._http.response import HttpResponse

ACTION = "RealTimeRecordCommand"


def read(status, body, **headers):
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return response.read(HttpResponse(status, headers, body), ACTION, "start of d/a/s", now=1767323045.0)


@pytest.mark.parametrize(
    "body",
    [
        {"RequestId": "R1"},
        {"RealTimeRecordCommandResponse": {"RequestId": "R1"}},
        "<RealTimeRecordCommandResponse><RequestId>R1</RequestId></RealTimeRecordCommandResponse>",
        '\ufeff<?xml version="1.0"?>\n<X><RequestId>R1</RequestId></X>',
    ],
)
def test_a_successful_response_is_returned(body):
    assert response.get_request_id(read(200, body)) == "R1"


@pytest.mark.parametrize(
    "body",
    [
        {"RequestId": "R1", "HostId": "live.aliyuncs.com", "Code": "TaskAlreadyStarted", "Message": "m"},
        {"requestId": "R1", "code": "TaskAlreadyStarted", "message": "m"},
        {"RealTimeRecordCommandResponse": {"RequestId": "R1", "Code": "TaskAlreadyStarted"}},
        "<Error><RequestId>R1</RequestId><HostId>h</HostId><Code>TaskAlreadyStarted</Code><Message>m</Message></Error>",
        "<Error><RequestId>R1</RequestId><Code>TaskAlreadyStarted</Code><More><Deep>x</Deep></More></Error>",
    ],
)
@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_an_error_code_counts_whatever_the_status_is(body, status):
    with pytest.raises(ApiError) as caught:
        read(status, body)
    assert (caught.value.code, caught.value.request_id, caught.value.http_status) == (
        "TaskAlreadyStarted",
        "R1",
        status,
    )
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("250", 0.25), ("2000", 2.0), ("", None), ("soon", None), ("-1", None), ("1e9", None), ("9" * 99, None)],
)
def test_retry_after_is_in_milliseconds(header, seconds):
    with pytest.raises(Throttled) as caught:
        read(429, {"RequestId": "R", "Code": "Throttling.User"}, x_acs_retry_after=header)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [
        "<html><body>hi</body></html>",
        "",
        "{}",
        "[1]",
        "null",
        '"text"',
        "7",
        '{"RequestId": 7}',
        '{"RequestId": "R"',
        b"\xff\xfe",
    ],
)
def test_an_unusable_success_leaves_the_outcome_unknown(body):
    with pytest.raises(ResponseLost) as caught:
        read(200, body, content_type="text/html; charset=utf-8")
    assert caught.value.code is None


@pytest.mark.parametrize("body", ["<html>bad gateway</html>", "", "oops", {"error": "x"}])
def test_a_server_error_without_a_code_leaves_the_outcome_unknown(body):
    with pytest.raises(ResponseLost):
        read(502, body)


@pytest.mark.parametrize("status", [301, 302, 307, 403, 404, 407, 418])
def test_a_refusal_by_something_else_is_not_retried(status):
    with pytest.raises(EndpointUnusable) as caught:
        read(status, "<html>no</html>", content_type="text/html")
    assert not caught.value.retryable
    assert str(status) in caught.value.happened


def test_an_entity_bomb_is_not_expanded():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Error><Code>&b;</Code></Error>'
    with pytest.raises(EndpointUnusable):
        read(400, bomb)


def test_deeply_nested_json_is_an_error():
    with pytest.raises(ResponseLost):
        read(200, "[" * 100_000)


def test_the_echo_of_the_string_to_sign_is_cut():
    message = (
        "Specified signature is not matched with our calculation. server string to sign is:POST&%2F&AccessKeyId%3DLTAI"
    )
    with pytest.raises(ApiError) as caught:
        read(400, {"RequestId": "R", "Code": "SomeSignatureCode", "Message": message})
    assert "LTAI" not in str(caught.value)
    assert "not matched" in str(caught.value)


def test_the_server_s_message_is_one_short_line():
    with pytest.raises(ApiError) as caught:
        read(400, {"RequestId": "R", "Code": "New", "Message": "a\nb\t" + "x" * 5000})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("Fri, 02 Jan 2026 03:24:05 GMT", "20 minutes behind"),
        ("Fri, 02 Jan 2026 02:44:05 GMT", "20 minutes ahead"),
        ("nonsense", "differs"),
        ("", "differs"),
    ],
)
def test_a_wrong_clock_is_described(date, words):
    with pytest.raises(ApiError) as caught:
        read(400, {"RequestId": "R", "Code": "InvalidTimeStamp.Expired", "Message": "expired"}, date=date)
    assert words in str(caught.value)


@given(st.integers(100, 599), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_response_is_a_result_or_a_live_error(status, body):
    try:
        assert isinstance(read(status, body), dict)
    except LiveError as error:
        assert str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Code", "RequestId", "Message", f"{ACTION}Response"]), inner, max_size=4)
    ),
)


@given(st.sampled_from([200, 302, 400, 500]), JSON)
def test_any_json_is_a_result_or_a_live_error(status, body):
    try:
        assert response.get_request_id(read(status, body))
    except LiveError as error:
        assert str(error)
