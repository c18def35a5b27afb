# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a server answers and whatever a task is given, a task ends in a result or in one clear failure, and soon."""

from __future__ import annotations

import copy
import gzip
import json
import os
import random
import re
import time
import tracemalloc
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from unittest import mock

import pytest
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption

from ansible_collections.apsaravideo.live.plugins.module_utils._api import response
from ansible_collections.apsaravideo.live.plugins.module_utils._api.operations import RECORD_COMMAND
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import LiveError
from ansible_collections.apsaravideo.live.plugins.module_utils._http.response import HttpResponse
from ansible_collections.apsaravideo.live.plugins.module_utils._http.transport import Transport
from ansible_collections.apsaravideo.live.plugins.module_utils._module import (
    record,
    record_config,
    record_info,
    record_notify,
    stream_notify,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.client import make_client
from support.clock import FakeClock
from support.scripted import ScriptedServer

NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z
NAMES = {"DomainName": "live.example.com", "AppName": "news", "StreamName": "studio1"}
OURS = {"domain_name": "live.example.com", "app_name": "news", "stream_name": "studio1"}


def at(seconds):
    return (datetime.fromtimestamp(NOW, timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def paged(name, inner, row):
    listing = {inner: [row, copy.deepcopy(row)]}
    return {"RequestId": "R", "PageNum": 1, "PageSize": 30, "TotalNum": 2, "TotalPage": 1, name: listing}


# As the documentation shows them. A dictionary in place of NotifyContent is sent as the JSON text that it is there.
ANSWERS = {
    "RealTimeRecordCommand": {"RequestId": "R"},
    "DescribeLiveStreamState": {"RequestId": "R", "StreamState": "online"},
    "DescribeLiveStreamsOnlineList": paged(
        "OnlineInfo", "LiveStreamOnlineInfo", {**NAMES, "PublishTime": at(-60), "PublishType": "edge", "Width": 1280}
    ),
    "DescribeLiveRecordNotifyRecords": {
        "RequestId": "R",
        "PageNum": 1,
        "PageSize": 500,
        "TotalNum": 1,
        "TotalPage": 1,
        "CallbackList": [
            {
                **NAMES,
                "NotifyType": "record_status",
                "NotifyTime": at(-30),
                "NotifyResult": "success",
                "StorageType": "oss",
                "NotifyContent": {"domain": "live.example.com", "app": "news", "stream": "studio1", "event": event},
            }
            for event in ("record_started", "record_paused")
        ],
    },
    "DescribeLiveStreamRecordContent": {
        "RequestId": "R",
        "RecordContentInfoList": {
            "RecordContentInfo": [
                {"StartTime": at(-90), "EndTime": at(-60), "Duration": 30.0, "OssBucket": "b", "OssObjectPrefix": "p"}
            ]
        },
    },
    "DescribeLiveStreamRecordIndexFiles": paged(
        "RecordIndexInfoList",
        "RecordIndexInfo",
        {**NAMES, "RecordId": "1", "StartTime": at(-90), "EndTime": at(-60), "Duration": 30.0, "OssObject": "o.m3u8"},
    ),
    "DescribeLiveRecordConfig": paged(
        "LiveAppRecordList",
        "LiveAppRecord",
        {
            **NAMES,
            "OnDemond": 7,
            "DelayTime": 180,
            "OssBucket": "bkt",
            "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
            "CreateTime": at(-900),
            "RecordFormatList": {
                "RecordFormat": [{"Format": "mp4", "CycleDuration": 3600, "OssObjectPrefix": "{StartTime}_{EndTime}"}]
            },
            "TranscodeTemplates": {"Templates": ["sd"]},
        },
    ),
    "DescribeLiveRecordNotifyConfig": {
        "RequestId": "R",
        "LiveRecordNotifyConfig": {
            "DomainName": "live.example.com",
            "NotifyUrl": "https://callback.example.com/",
            "OnDemandUrl": "",
            "NeedStatusNotify": True,
            "NotifyReqAuth": "yes",
            "NotifyAuthKey": "0123456789abcdef",
        },
    },
    "DescribeLiveStreamsNotifyUrlConfig": {
        "RequestId": "R",
        "LiveStreamsNotifyConfig": {
            "DomainName": "push.example.com",
            "NotifyUrl": "https://callback.example.com/",
            "ExceptionNotifyUrl": "",
            "NotifyReqAuth": "yes",
            "NotifyAuthKey": "0123456789abcdef",
        },
    },
    "AssumeRole": {
        "RequestId": "R",
        "Credentials": {
            "AccessKeyId": "STS.id",
            "AccessKeySecret": "issuedSecret",
            "SecurityToken": "issuedToken",
            "Expiration": at(3600),
        },
    },
}
FORMAT = {
    **dict.fromkeys(("cycle_duration", "slice_duration", "oss_object_prefix", "slice_oss_object_prefix")),
    "format": "mp4",
}
CHANGES = ("Add", "Update", "Set", "Delete")
JOBS = {
    "started": (record, {**OURS, "wait": True, "wait_timeout": 5}),
    "stopped": (record, {**OURS, "state": "stopped", "finalize": True, "wait": True, "wait_timeout": 5}),
    "restarted": (record, {**OURS, "state": "restarted"}),
    "info of a stream": (record_info, {**OURS, "gather": ["state", "config", "tasks", "files", "events"]}),
    "info of a domain": (
        record_info,
        {"domain_name": "live.example.com", "gather": ["state", "config", "events"], "query": "[].stream_name"},
    ),
    "config": (
        record_config,
        {**OURS, "oss_bucket": "other", "oss_endpoint": "oss-cn-shanghai.aliyuncs.com", "formats": [FORMAT]},
    ),
    "no config": (record_config, {**OURS, "state": "absent"}),
    "notify": (
        record_notify,
        {"domain_name": "live.example.com", "notify_url": "https://other.example.com/", "auth_key": "a" * 16},
    ),
    "stream notify": (
        stream_notify,
        {"domain_name": "push.example.com", "notify_url": "https://other.example.com/", "auth_key": "a" * 16},
    ),
    "no notify": (record_notify, {"domain_name": "live.example.com", "state": "absent"}),
}
KEYS = {"access_key_id": "theKeyId", "access_key_secret": "theSecret"}


SECONDS = 10  # of processor time, which is much for one task


class TooLong(BaseException):
    """A task waits as long as it was told to."""


class ImpatientClock(FakeClock):
    """A clock that goes on by itself while somebody waits, but not for as long as somebody might wish to wait."""

    def sleep(self, seconds):
        super().sleep(max(seconds, 0.001))
        if len(self.slept) > 1000:
            raise TooLong


def run(job, options, answers, check_mode=False, environ=()):
    """The result of a module whose calls are answered like this."""
    module, given = JOBS[job]

    def send(_self, _method, _target, headers, body=b"", before_send=lambda: None, max_size=0):
        before_send()
        action = headers.get("x-acs-action", "")
        content = {"RequestId": "R"} if action.startswith(CHANGES) else answers.get(action)
        if content is None:
            return HttpResponse(404, {}, b"")
        body = content if isinstance(content, bytes) else encode_body(content)
        return HttpResponse(200, {"date": "Fri, 02 Jan 2026 03:04:05 GMT"}, body[:max_size])

    task = Task(module.SPEC.fill({**KEYS, **given, **options}), dict(environ), check_mode, ImpatientClock(NOW))
    with mock.patch.object(Transport, "send", send):
        try:
            return execute(module.operate, task)
        except TooLong:
            reject()


def encode_body(content):
    """Bodies of callbacks are texts that hold JSON."""

    def text(found):
        if isinstance(found, dict):
            return {
                name: json.dumps(item) if name == "NotifyContent" and isinstance(item, dict) else text(item)
                for name, item in found.items()
            }
        return [text(item) for item in found] if isinstance(found, list) else found

    return json.dumps(text(content)).encode()


def places(content, before=()):
    """The paths to all that is in some JSON."""
    if before:
        yield before
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, item in items:
        yield from places(item, (*before, name))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["", "*", "{{ 7 * 7 }}", "9" * 30, "\ud800", "a\r\nb", "x" * 10_000, at(10), "record_paused"])
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@st.composite
def spoilt(draw):
    """All answers, some of which hold something else here and there."""
    answers = copy.deepcopy(ANSWERS)
    for _change in range(draw(st.integers(1, 4))):
        action = draw(st.sampled_from(sorted(answers)))
        path = draw(st.sampled_from([*places(answers[action]), (None,)]))
        junk = draw(JUNK)
        if path == (None,):
            answers[action] = junk
            continue
        found = answers[action]
        for name in path[:-1]:
            found = found[name]
        found[path[-1]] = junk
        answers[action] = answers[action] if isinstance(answers[action], dict) else {"RequestId": "R"}
    return answers


def require_clear(result):
    """A result is JSON; a failure is one line that says what to do, not without end, and shows no key."""
    shown = json.dumps(result, allow_nan=False)
    for secret in ("theSecret", "issuedSecret", "issuedToken"):
        assert secret not in shown
    if not result.get("failed"):
        assert isinstance(result["changed"], bool)
        return
    assert result["msg"].endswith(".") and len(result["msg"]) < 5000
    assert result["msg"].isprintable(), result["msg"]
    assert set(result["error"]) == {"code", "message", "request_id", "http_status", "action"}


@pytest.mark.parametrize("job", JOBS)
def test_documented_responses_give_a_result(job):
    result = run(job, {}, ANSWERS)
    assert not result.get("failed") or job in ("started", "stopped"), result["msg"]


@pytest.mark.parametrize("job", JOBS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(answers=spoilt(), check_mode=st.booleans())
def test_any_response_gives_a_result_or_a_clean_error(job, answers, check_mode):
    require_clear(run(job, {}, answers, check_mode))


def nested(depth, inner):
    for _level in range(depth):
        inner = [inner] if depth % 2 else {"a": inner}
    return inner


OTHER_VALUES = [
    *(None, True, False, 0, -1, 7, 10**17, 1.5, 1e308, "", " ", "7", "true", "ONLINE", "null", "*", "\ud800", "\u202e"),
    *([], {}, [None], [[]], [{}], {"": {}}, "x" * 5000, [0] * 5000, [{}] * 3001, nested(40, 1), nested(41, 1)),
]
ENCODINGS = ("utf-16", "utf-32", "utf-8-sig", "cp037", "shift_jis")
DAMAGES = (
    lambda dice, body: body[: dice.randrange(len(body) + 1)],
    lambda dice, body: body + dice.choice([b"}", b"\0", body, b"<html>"]),
    lambda dice, body: body.replace(b'"', b"'", dice.randrange(1, 9)),
    lambda dice, body: body.replace(b",", b',"RequestId":"S",', 1),
    lambda dice, body: body.decode().encode(dice.choice(ENCODINGS), errors="replace"),
    lambda dice, body: bytes(byte ^ (dice.random() < 0.01) for byte in body),
    lambda dice, body: b"[" * dice.choice([10, 900, 9000]) + body,
    lambda dice, body: b'{"a":' * dice.choice([10, 900, 9000]) + body,
    lambda dice, body: body[:-1] + b',"more":[' + b"{}," * 9000 + b"0]}",
    lambda dice, body: gzip.compress(body),
    lambda dice, body: b"",
)


def mutate(dice, content):
    """An answer with one to three changes: fields of another type, missing or renamed, or a damaged body."""
    content = copy.deepcopy(content)
    for _change in range(dice.choice([1, 1, 2, 3])):
        found = list(places(content)) if isinstance(content, dict) else []
        if not found:
            break
        path = dice.choice(found)
        inner = content
        for name in path[:-1]:
            inner = inner[name]
        change = dice.randrange(4)
        if change == 0:
            del inner[path[-1]]
        elif change == 1 and isinstance(inner, dict):
            inner[str(path[-1]).swapcase()] = inner.pop(path[-1])
        elif change == 2 and isinstance(inner, list):
            inner += [inner[path[-1]]] * dice.choice([1, 40, 3001])
        else:
            inner[path[-1]] = copy.deepcopy(dice.choice(OTHER_VALUES))
    body = encode_body(content)
    return dice.choice(DAMAGES)(dice, body) if dice.random() < 0.25 else body


# `make attack` tries others each time; what it was that failed is in the output.
MUTATIONS = int(os.environ.get("TEST_EXAMPLES", "250"))
SEED = os.environ.get("TEST_SEED", "hostile")


@pytest.mark.parametrize("job", JOBS)
def test_thousands_of_mutated_responses_give_a_result_or_a_clean_error(job):
    """A result or one clear failure each time, without a traceback, and never for long."""
    dice = random.Random(f"{SEED} {job}")
    kinds = set()
    for _run in range(MUTATIONS):
        number = dice.choice([1, 1, 2, len(ANSWERS)])
        answers = {**ANSWERS, **{name: mutate(dice, ANSWERS[name]) for name in dice.sample(sorted(ANSWERS), number)}}
        began = time.process_time()
        with suppress(UnsatisfiedAssumption):
            result = run(job, {"retry_timeout": dice.choice([0, 0, 0, 10])}, answers, dice.random() < 0.3)
            require_clear(result)
            kinds.add(bool(result.get("failed")))
        assert time.process_time() - began < SECONDS
    assert kinds == {True, False}


TEXT = st.text(max_size=30) | st.sampled_from(
    [
        "",
        " ",
        "a\nb",
        "a\r\nX-Injected: yes",
        "\x00",
        "\x1b[31m",
        "\u202e",
        "\ud800",
        "中文" * 200,
        "x" * 10_000,
        "../../etc/passwd",
        "{{ lookup('pipe', 'id') }}",
        "acs:ram::1:role/r",
        "https://user:pass@h/",
        "https://[::1",
        "1e999",
        "-1",
        "2026-01-02T03:04:05+99:00",
    ]
)
NUMBERS = st.integers(-(10**30), 10**30) | st.sampled_from([0, -1, 1, 60, 3600])
FLOATS = st.floats() | st.sampled_from([0.0, -1.0, 1e-300, 1e300, 60.0])
VALUES = {"str": TEXT, "path": TEXT, "json": TEXT, "int": NUMBERS, "float": FLOATS, "bool": st.booleans()}
OPEN = {"allow_external_process", "allow_http"}  # what would let a test leave this machine


def values(module):
    """Anything that Ansible would let through for the options of a module."""
    options = {
        name: st.sampled_from(option["choices"]) if "choices" in option else VALUES[option["type"]]
        for name, option in module.SPEC.options.items()
        if name not in OPEN and option["type"] in VALUES
    }
    return st.sets(st.sampled_from(sorted(options)), max_size=4).flatmap(
        lambda names: st.fixed_dictionaries({name: options[name] for name in sorted(names)})
    )


@pytest.mark.parametrize("job", JOBS)
@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data(), check_mode=st.booleans())
def test_any_option_gives_a_result_or_a_clean_error(tmp_path, job, data, check_mode):
    options = data.draw(values(JOBS[job][0]))
    require_clear(run(job, options, ANSWERS, check_mode, {"HOME": str(tmp_path)}))


VARIABLES = (
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABA_CLOUD_CREDENTIALS_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALIBABA_CLOUD_ECS_METADATA",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_REGION_ID",
    "ALIBABA_CLOUD_STS_ENDPOINT",
    "ALIBABA_CLOUD_EXTERNAL_ID",
    "ALIBABACLOUD_ACCESS_KEY_ID",
    "ALIBABACLOUD_ACCESS_KEY_SECRET",
    "ALIBABACLOUD_REGION_ID",
    "ALICLOUD_ACCESS_KEY_SECRET",
    "ALICLOUD_ACCESS_KEY",
    "ALICLOUD_SECRET_KEY",
    "ALICLOUD_ASSUME_ROLE_ARN",
    "ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION",
    "APSARAVIDEO_ENDPOINT",
    "APSARAVIDEO_STS_ENDPOINT",
    "XDG_RUNTIME_DIR",
)


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(environ=st.dictionaries(st.sampled_from(VARIABLES), TEXT.filter(lambda text: "\x00" not in text), max_size=5))
@example(environ={"ALIBABA_CLOUD_ECS_METADATA": "\ud800"})
def test_any_environment_gives_a_result_or_a_clean_error(tmp_path, environ):
    result = run("started", dict.fromkeys(KEYS), ANSWERS, environ={"HOME": str(tmp_path), **environ})
    require_clear(result)


LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 999 ?",
        b"HTTP/9.9 200 OK",
        b"HTTP/1.1 100 Continue",
        b"ICY 200 OK",
        b"\x16\x03\x01",
        b"Content-Length: 18",
        b"Content-Length: -1",
        b"Content-Length: 9999999999999999999999",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Content-Encoding: gzip",
        b"Connection: close",
        b"Set-Cookie: " + b"x" * 70_000,
        b"X: y\r\n" * 200 + b"X: z",
        b" folded",
        b"no colon",
        b"\xff: \xff",
        b"Location: https://elsewhere.example.net/",
        b"",
        b'{"RequestId":"R1"}',
        b"zz\r\n",
        b"5\r\nhello\r\n0\r\n",
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(lines=st.lists(LINES, max_size=8), rest=st.binary(max_size=40), good=st.booleans())
def test_anything_that_a_connection_may_send_is_a_response_or_an_error(lines, rest, good):
    sent = b"\r\n".join(([b"HTTP/1.1 200 OK"] if good else []) + lines) + rest

    def step(handler):
        handler.close_connection = True
        handler.wfile.write(sent)

    with ScriptedServer(step) as server:
        client = make_client(server.url, retry_timeout=0, read_timeout=1)
        try:
            reply = client.call(RECORD_COMMAND, {**NAMES, "Command": "start"})
        except LiveError as error:
            assert str(error).isprintable() and len(str(error)) < 1000
        else:
            assert re.fullmatch("[!-~]{1,128}", response.get_request_id(reply.content))


LARGE = 8 * 1024 * 1024
MIB = 1024 * 1024
LIST = b'{"RequestId":"R","TotalNum":1,"OnlineInfo":{"LiveStreamOnlineInfo":['
BODIES = {
    "many objects": LIST + b"{}," * (LARGE // 3) + b"0]}}",
    "many lists": LIST + b"[]," * (LARGE // 3) + b"0]}}",
    "many numbers": LIST + b"1.5," * (LARGE // 4 - 30) + b"0]}}",
    "many texts": LIST + b'"ab",' * (LARGE // 5 - 30) + b"0]}}",
    "many small objects": LIST + b'{"a":1},' * (LARGE // 8 - 30) + b"0]}}",
    "depth of lists": b"[" * LARGE,
    "depth of objects": b'{"a":' * (LARGE // 5),
    "a long number": b'{"RequestId":"R","TotalNum":' + b"9" * LARGE + b"}",
    "a long exponent": b'{"RequestId":"R","TotalNum":1e' + b"9" * LARGE + b"}",
    "many names": b"{" + b",".join(b'"%d":0' % number for number in range(700_000)) + b"}",
    "one name many times": b"{" + b'"RequestId":"R",' * 500_000 + b'"RequestId":"R"}',
    "a long text": b'{"RequestId":"' + b"R" * LARGE + b'"}',
    "escapes": b'{"RequestId":"R","Message":"' + b"\\ud800" * (LARGE // 6) + b'"}',
    "depth of XML": b"<a>" * (LARGE // 3),
    "much XML": b"<Error>" + b"<Code>x</Code>" * 500_000 + b"</Error>",
    "entities": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b'<!ENTITY b "&a;&a;&a;">' * 9999 + b"]><x>&b;</x>",
    "no UTF-8": b"\xff" * LARGE,
    "UTF-16": '{"RequestId": "R"}'.encode("utf-16") * 100_000,
    "zeros": b"\0" * LARGE,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", [200, 400])
def test_the_largest_response_takes_bounded_memory(body, status):
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(LiveError) as caught:
            response.read(HttpResponse(status, {}, body[:LARGE]), "RealTimeRecordCommand", "start of d/a/s", NOW)
        assert time.process_time() - began < SECONDS
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 1000
    assert most < 100 * MIB


def test_the_largest_list_of_streams_with_unusual_names_is_read():
    """Names that look like JSON do not make an answer too large; strangers choose them."""
    row = {**NAMES, "AppName": '{[,"' * 40, "StreamName": "\\" * 3 + ",{" * 130, "PublishTime": at(-60), "Width": 1280}
    rows = [{**row, **{f"More{number}": number for number in range(12)}}] * 3000
    content = {"RequestId": "R", "TotalNum": 3000, "OnlineInfo": {"LiveStreamOnlineInfo": rows}}
    body = json.dumps(content).encode()
    assert body.count(b",") > 500_000 and len(body) < LARGE
    assert response.read(HttpResponse(200, {}, body), "Any", "a list", NOW) == content


def test_bodies_of_callbacks_take_bounded_memory_together():
    """Each is a text that holds JSON itself, which the number of values of the page does not count."""
    row = {**NAMES, "NotifyType": "record_started", "NotifyContent": '{"a":[' + "{}," * 5000 + "0]}"}
    content = {**ANSWERS["DescribeLiveRecordNotifyRecords"], "TotalNum": 500, "CallbackList": [row] * 500}
    answers = {**ANSWERS, "DescribeLiveRecordNotifyRecords": json.dumps(content).encode()}
    tracemalloc.start()
    try:
        result = run("info of a domain", {}, answers)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not result.get("failed"), result
    assert most < 100 * MIB


def test_bodies_of_callbacks_that_are_not_needed_are_not_parsed():
    """Read, these take twenty times the memory; a log has many thousands of them."""
    row = {**NAMES, "NotifyType": "record_started", "NotifyContent": '{"a":[' + "{}," * 90 + "0]}"}
    content = {**ANSWERS["DescribeLiveRecordNotifyRecords"], "TotalNum": 2000, "CallbackList": [row] * 2000}
    answers = {**ANSWERS, "DescribeLiveRecordNotifyRecords": json.dumps(content).encode()}
    tracemalloc.start()
    try:
        result = run("stopped", {}, answers)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result["api_calls"] > 1
    assert most < 20 * MIB
