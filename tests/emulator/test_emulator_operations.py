# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes, ranges, pages and errors of each operation, over real HTTP."""

from __future__ import annotations

import hashlib
import json

import pytest
from signing_client import SigningClient, now_text

DOMAIN, INGEST, ABSENT = "live.example.com", "push.example.com", "live.example.org"
STREAM = {"DomainName": DOMAIN, "AppName": "app", "StreamName": "one"}
ONE = f"{DOMAIN}/app/one"
DAY = 86400
PREFIX = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
SLICES = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"


@pytest.fixture
def call(client):
    """Call an operation; ``call.code`` gives only the error code."""

    def do(action, **parameters):
        answer = client.call(action, **parameters)
        assert answer.status == 200, answer.body
        return answer.json

    def code(action, **parameters):
        return client.call(action, **parameters).code

    do.code = code
    return do


def window(start=-3600, end=60):
    return {"StartTime": now_text(start), "EndTime": now_text(end)}


def record(call, *commands):
    for command in commands:
        call("RealTimeRecordCommand", Command=command, **STREAM)


REQUIRED = {
    "RealTimeRecordCommand": {**STREAM, "Command": "start"},
    "DescribeLiveStreamState": STREAM,
    "DescribeLiveStreamsOnlineList": {"DomainName": DOMAIN},
    "DescribeLiveStreamsPublishList": {"DomainName": DOMAIN, "StartTime": "", "EndTime": ""},
    "DescribeLiveStreamRecordContent": {**STREAM, "StartTime": "", "EndTime": ""},
    "DescribeLiveStreamRecordIndexFiles": {**STREAM, "StartTime": "", "EndTime": ""},
    "DescribeLiveStreamRecordIndexFile": {**STREAM, "RecordId": "x"},
    "CreateLiveStreamRecordIndexFiles": {
        **STREAM,
        "OssEndpoint": "e",
        "OssBucket": "b",
        "OssObject": "o",
        "StartTime": "",
        "EndTime": "",
    },
    "DescribeLiveStreamsControlHistory": {"DomainName": DOMAIN, "StartTime": "", "EndTime": ""},
    "DescribeLiveRecordNotifyRecords": {
        "DomainName": DOMAIN,
        "StartTime": "",
        "EndTime": "",
        "PageNumber": 1,
        "PageSize": 5,
    },
    "DescribeLiveRecordConfig": {"DomainName": DOMAIN},
    "AddLiveAppRecordConfig": {
        "DomainName": DOMAIN,
        "AppName": "app",
        "OssBucket": "b",
        "OssEndpoint": "e",
        "RecordFormat.1.Format": "mp4",
        "RecordFormat.1.OssObjectPrefix": PREFIX,
    },
    "UpdateLiveAppRecordConfig": {"DomainName": DOMAIN, "AppName": "*", "OssEndpoint": "e"},
    "DeleteLiveAppRecordConfig": {"DomainName": DOMAIN, "AppName": "*"},
    "DescribeLiveRecordNotifyConfig": {"DomainName": DOMAIN},
    "AddLiveRecordNotifyConfig": {"DomainName": DOMAIN, "NotifyUrl": "http://x.example.com"},
    "UpdateLiveRecordNotifyConfig": {"DomainName": DOMAIN, "NotifyUrl": "http://x.example.com"},
    "DeleteLiveRecordNotifyConfig": {"DomainName": DOMAIN},
    "SetLiveStreamsNotifyUrlConfig": {"DomainName": INGEST},
    "DescribeLiveStreamsNotifyUrlConfig": {"DomainName": INGEST},
    "DeleteLiveStreamsNotifyUrlConfig": {"DomainName": INGEST},
    "DescribeLiveStreamsNotifyRecords": {"DomainName": INGEST, "StartTime": "", "EndTime": ""},
    "DescribeLiveDomainMapping": {"DomainName": DOMAIN},
}
MISSING = [(action, name) for action, names in REQUIRED.items() for name in names]


def complete(action):
    times = window()
    return {name: times.get(name, value) for name, value in REQUIRED[action].items()}


@pytest.mark.parametrize(("action", "name"), MISSING)
def test_required_parameters(cloud, call, action, name):
    cloud.behave(limits={action: 1000}, generations={})
    parameters = complete(action)
    for generation, code in (("new", "MissingParam"), ("old", f"Missing{name.partition('.')[0]}")):
        cloud.behave(generation=generation)
        assert call.code(action, **{**parameters, name: ""}) == code
        del parameters[name]
        if name != "RecordFormat.1.Format":
            assert call.code(action, **parameters) == code
        parameters = complete(action)


@pytest.mark.parametrize("action", [name for name in REQUIRED if name != "RealTimeRecordCommand"])
def test_nothing_but_the_required_parameters_is_needed(cloud, call, action):
    if action == "AddLiveRecordNotifyConfig":
        call("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN)
    if action in ("DescribeLiveStreamsNotifyUrlConfig", "DeleteLiveStreamsNotifyUrlConfig"):
        call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST)
    if action == "DescribeLiveStreamRecordIndexFile":
        cloud.push(ONE)
        record(call, "start", "stop", "cancel_delay")
        call(action, **STREAM, RecordId=cloud.stream(ONE)["files"][0]["record_id"])
    elif action == "CreateLiveStreamRecordIndexFiles":
        recorded(cloud, call, 100)
        assert call(action, **complete(action))["RecordInfo"]
    else:
        assert call(action, **complete(action))["RequestId"]


@pytest.mark.parametrize("action", REQUIRED)
def test_domain_of_another_account(call, action):
    parameters = {**complete(action), "DomainName": ABSENT}
    assert call.code(action, **parameters) == "InvalidDomain.NotFound"


INGEST_ALLOWED = ("DescribeLiveStreamState", "DescribeLiveStreamsPublishList", "DescribeLiveDomainMapping")


INGEST_ONLY = tuple(action for action, parameters in REQUIRED.items() if parameters["DomainName"] == INGEST)


@pytest.mark.parametrize("action", REQUIRED)
def test_ingest_domain(cloud, call, action):
    cloud.behave(delete_missing="ok", empty_notify_config="empty")
    allowed = action in (*INGEST_ALLOWED, *INGEST_ONLY)
    code = call.code(action, **{**complete(action), "DomainName": INGEST})
    assert code == (None if allowed else "InvalidDomain.NotFound")


@pytest.mark.parametrize("action", INGEST_ONLY)
def test_streaming_domain_is_no_ingest_domain_unless_it_has_none(cloud, call, action):
    cloud.behave(delete_missing="ok", empty_notify_config="empty")
    cloud.add_accounts({"id": "1000000000000001", "domains": [{"name": "alone.example.com"}]})
    assert call.code(action, **{**complete(action), "DomainName": DOMAIN}) == "InvalidDomain.NotFound"
    call(action, **{**complete(action), "DomainName": "alone.example.com"})


MALFORMED = [
    ("RealTimeRecordCommand", "Command", ["pause", "START", "1"]),
    ("DescribeLiveStreamsOnlineList", "PageSize", ["0", "3001", "x", "-1", "1.5"]),
    ("DescribeLiveStreamsOnlineList", "PageNum", ["0", "x"]),
    ("DescribeLiveStreamsOnlineList", "QueryType", ["exact"]),
    ("DescribeLiveStreamsOnlineList", "StreamType", ["live"]),
    ("DescribeLiveStreamsOnlineList", "OnlyStream", ["true"]),
    ("DescribeLiveStreamsPublishList", "PageSize", ["0", "3001"]),
    ("DescribeLiveStreamsPublishList", "OrderBy", ["asc"]),
    ("DescribeLiveStreamsPublishList", "StreamType", ["raw"]),
    ("DescribeLiveStreamRecordIndexFiles", "PageSize", ["4", "31"]),
    ("DescribeLiveStreamRecordIndexFiles", "Order", ["up"]),
    ("DescribeLiveRecordNotifyRecords", "PageSize", ["0", "501"]),
    ("DescribeLiveRecordNotifyRecords", "PageNumber", ["0", "100001"]),
    ("DescribeLiveRecordNotifyRecords", "Status", ["ok"]),
    ("DescribeLiveRecordNotifyRecords", "StorageType", ["s3"]),
    ("CreateLiveStreamRecordIndexFiles", "EndTimeIncluded", ["yes", "1"]),
    ("CreateLiveStreamRecordIndexFiles", "StartTime", ["today"]),
    ("DescribeLiveRecordConfig", "PageSize", ["4", "31"]),
    ("AddLiveAppRecordConfig", "OnDemand", ["3", "x"]),
    ("AddLiveAppRecordConfig", "DelayTime", ["14", "21601"]),
    ("AddLiveAppRecordConfig", "StartTime", ["2026-01-01T00:00:00Z", "today"]),
    ("AddLiveAppRecordConfig", "RecordFormat.1.Format", ["avi"]),
    ("AddLiveAppRecordConfig", "RecordFormat.1.SliceDuration", ["4", "31"]),
    ("AddLiveAppRecordConfig", "RecordFormat.1.CycleDuration", ["0"]),
    ("AddLiveAppRecordConfig", "RecordFormat.1.OssObjectPrefix", ["x", "{StartTime}", "{EndTime}", PREFIX + "x" * 256]),
    ("UpdateLiveAppRecordConfig", "DelayTime", ["14", "21601"]),
    ("AddLiveRecordNotifyConfig", "NeedStatusNotify", ["yes", "1"]),
    ("AddLiveRecordNotifyConfig", "NotifyAuthKey", ["short", "x" * 33, "0123456789abcde-"]),
    ("SetLiveStreamsNotifyUrlConfig", "NotifyReqAuth", ["true", "Yes", "1"]),
    ("SetLiveStreamsNotifyUrlConfig", "NotifyAuthKey", ["x" * 15, "x" * 65, "0123456789abcde-"]),
    ("DescribeLiveStreamsNotifyRecords", "PageSize", ["0", "501"]),
    ("DescribeLiveStreamsNotifyRecords", "PageNumber", ["0"]),
    ("DescribeLiveStreamsNotifyRecords", "Status", ["ok"]),
]
BAD_VALUES = [(action, name, value) for action, name, values in MALFORMED for value in values]


@pytest.mark.parametrize(("action", "name", "value"), BAD_VALUES)
def test_malformed_parameters(cloud, call, action, name, value):
    cloud.behave(limits={action: 1000})
    parameters = {**complete(action), name: value}
    assert call.code(action, **parameters) == "MalformedParam"
    cloud.behave(generation="old")
    assert call.code(action, **parameters) == f"Invalid{name.partition('.')[0]}"


SPANS = [
    ("DescribeLiveStreamsPublishList", 30, None),
    ("DescribeLiveStreamRecordContent", 4, 183),
    ("DescribeLiveStreamRecordIndexFiles", 4, None),
    ("DescribeLiveStreamsControlHistory", 7, None),
    ("DescribeLiveRecordNotifyRecords", None, 7),
    ("DescribeLiveStreamsNotifyRecords", None, 7),
]


@pytest.mark.parametrize(("action", "span", "retention"), SPANS)
def test_windows(cloud, call, action, span, retention):
    cloud.behave(limits={action: 1000})

    def outcome(start, end):
        return call.code(action, **{**complete(action), **window(start, end)})

    assert outcome(-60, -60) == "MalformedParam"
    assert outcome(-60, -61) == "MalformedParam"
    if retention:
        assert outcome(-retention * DAY + 60, -retention * DAY + 120) is None
        assert outcome(-retention * DAY - 60, -retention * DAY + 120) == "MalformedParam"
    else:
        assert outcome(-1000 * DAY, -1000 * DAY + 60) is None
    if span:
        assert outcome(-span * DAY, 0) is None
        assert outcome(-span * DAY - 5, 0) == "MalformedParam"
    for text in ("2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00", "٢٠٢٦-01-01T00:00:00Z"):
        assert call.code(action, **{**complete(action), "StartTime": text}) == "MalformedParam"


def test_window_before_the_retention_may_be_cut(cloud, call):
    cloud.push(ONE)
    record(call, "start", "stop", "cancel_delay")
    cloud.behave(past_window="cut")
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 10}
    assert call("DescribeLiveRecordNotifyRecords", **paged, **window(-30 * DAY))["TotalNum"] == 4
    cloud.advance(8 * DAY)
    assert call("DescribeLiveRecordNotifyRecords", **paged, **window(-30 * DAY))["TotalNum"] == 0


# RealTimeRecordCommand


@pytest.mark.parametrize(
    ("generation", "absent", "no_config"),
    [
        ("new", (409, "StreamNotFound"), (400, "CodeConfigNotFound")),
        ("old", (404, "InvalidStream.NotFound"), (404, "InvalidConfig.NotFound")),
    ],
)
def test_error_generations(cloud, client, generation, absent, no_config):
    cloud.behave(generation=generation)

    def outcome(command, name):
        answer = client.call("RealTimeRecordCommand", Command=command, **{**STREAM, "StreamName": name})
        return answer.status, answer.code

    assert outcome("start", "absent") == absent
    client.call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    cloud.push(f"{DOMAIN}/app/unconfigured")
    assert outcome("start", "unconfigured") == no_config


def test_the_generation_of_one_operation(cloud, client):
    def absent(action):
        answer = client.call(action, DomainName=DOMAIN)
        return answer.status, answer.code

    actions = ("DeleteLiveRecordNotifyConfig", "DescribeLiveRecordNotifyConfig")
    client.call(actions[0], DomainName=DOMAIN)
    assert [absent(action) for action in actions] == [(404, "InvalidConfig.NotFound"), (400, "CodeConfigNotFound")]
    cloud.behave(generations={"DescribeLiveRecordNotifyConfig": "old"})
    assert [absent(action) for action in actions] == [(400, "CodeConfigNotFound"), (404, "InvalidConfig.NotFound")]
    cloud.behave(generation="old", generations={"DeleteLiveRecordNotifyConfig": "new"})
    assert [absent(action) for action in actions] == [(400, "CodeConfigNotFound"), (404, "InvalidConfig.NotFound")]


def test_record_command(cloud, client, call):
    cloud.push(f"{INGEST}/app/one")
    assert list(call("RealTimeRecordCommand", Command="start", **STREAM)) == ["RequestId"]
    again = client.call("RealTimeRecordCommand", Command="start", **STREAM)
    assert (again.status, again.code) == (409, "TaskAlreadyStarted")


def test_no_task_code_is_a_choice(cloud, client):
    cloud.behave(idle_stop="error")
    cloud.push(ONE)
    answer = client.call("RealTimeRecordCommand", Command="stop", **STREAM)
    assert (answer.status, answer.code) == (400, "CodeTaskNotStarted")
    cloud.behave(no_task_code="TaskAlreadyStopped", no_task_status=409)
    answer = client.call("RealTimeRecordCommand", Command="stop", **STREAM)
    assert (answer.status, answer.code) == (409, "TaskAlreadyStopped")


def test_ledger_names_the_request(cloud, call):
    cloud.push(ONE)
    request_id = call("RealTimeRecordCommand", Command="start", **STREAM)["RequestId"]
    ledger = cloud.stream(ONE)["ledger"]
    assert [(change["command"], change["request_id"]) for change in ledger["changes"]] == [("start", request_id)]


# Streams


@pytest.mark.parametrize("domain", [DOMAIN, INGEST])
def test_stream_state(cloud, call, domain):
    def state():
        answer = call("DescribeLiveStreamState", **{**STREAM, "DomainName": domain})
        return answer["StreamState"], answer["Type"]

    assert state() == ("offline", "push")
    cloud.push(ONE, mode="pull")
    assert state() == ("online", "pull")
    cloud.watch(0, ONE)
    assert state() == ("offline", "pull")
    cloud.push(ONE)
    assert state() == ("online", "push")


@pytest.mark.parametrize("said", ["edge", "pull"])
def test_publish_type(cloud, call, said):
    cloud.behave(pull_publish_type=said)
    cloud.push(ONE)
    cloud.push(f"{DOMAIN}/app/two", mode="pull")
    online = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"]
    published = call("DescribeLiveStreamsPublishList", DomainName=DOMAIN, **window())["PublishInfo"]
    for rows in (online, published["LiveStreamPublishInfo"]):
        assert {row["StreamName"]: row["PublishType"] for row in rows} == {"one": "edge", "two": said}


def names(answer):
    return [row["StreamName"] for row in answer["OnlineInfo"]["LiveStreamOnlineInfo"]]


def test_online_list(cloud, call):
    cloud.push(ONE, f"{DOMAIN}/app/one-more", f"{DOMAIN}/other/one", f"{ABSENT}/app/one", f"{DOMAIN}/app/gone")
    cloud.drop(f"{DOMAIN}/app/gone")

    def listed(**filters):
        return names(call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN, **filters))

    assert sorted(listed()) == ["one", "one", "one-more"]
    assert sorted(listed(AppName="app")) == ["one", "one-more"]
    assert sorted(listed(AppName="app", StreamName="one")) == ["one", "one-more"]
    assert listed(AppName="app", StreamName="one", QueryType="strict") == ["one"]
    assert sorted(listed(StreamType="raw")) == ["one", "one", "one-more"]
    assert listed(StreamType="trans") == []


def test_online_rows(cloud, call):
    cloud.push(ONE)
    brief = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN, OnlyStream="yes")
    (row,) = brief["OnlineInfo"]["LiveStreamOnlineInfo"]
    assert set(row) == {"DomainName", "AppName", "StreamName", "PublishTime"}
    (row,) = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"]
    assert (row["PublishDomain"], row["PublishUrl"]) == (INGEST, f"rtmp://{INGEST}/app/one")
    assert isinstance(row["Width"], int)


def test_publish_time_is_the_current_push(cloud, call):
    cloud.push(ONE)
    cloud.advance(1000)
    cloud.drop(ONE)
    cloud.advance(100)
    cloud.resume(ONE)
    (row,) = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"]
    assert row["PublishTime"] >= now_text(-5)
    history = call("DescribeLiveStreamsPublishList", DomainName=INGEST, **window())
    first, second = history["PublishInfo"]["LiveStreamPublishInfo"]
    assert now_text(-1105) <= first["PublishTime"] <= now_text(-1100)
    assert now_text(-105) <= first["StopTime"] <= now_text(-100)
    assert (second["PublishTime"], second["StopTime"]) == (row["PublishTime"], "")


def test_pages(cloud, call):
    cloud.push(*(f"{DOMAIN}/app/{number:03d}" for number in range(25)))
    pages = [call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN, PageSize=10, PageNum=n) for n in (1, 2, 3, 4)]
    assert [name for page in pages for name in names(page)] == [f"{number:03d}" for number in range(25)]
    assert [len(names(page)) for page in pages] == [10, 10, 5, 0]
    assert [(page["PageNum"], page["PageSize"], page["TotalNum"], page["TotalPage"]) for page in pages] == [
        (number, 10, 25, 3) for number in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, ["b", "a", "c"]),
        ("publish_time_desc", ["c", "a", "b"]),
        ("stream_name_asc", ["a", "b", "c"]),
        ("stream_name_desc", ["c", "b", "a"]),
    ],
)
def test_order_of_the_ingest_history(cloud, call, order, expected):
    for name in ("b", "a", "c"):
        cloud.push(f"{DOMAIN}/app/{name}")
        cloud.advance(10)
    by = {"OrderBy": order} if order else {}
    history = call("DescribeLiveStreamsPublishList", DomainName=DOMAIN, **window(), **by)
    assert [row["StreamName"] for row in history["PublishInfo"]["LiveStreamPublishInfo"]] == expected


# What was recorded


def contents(call, **times):
    answer = call("DescribeLiveStreamRecordContent", **STREAM, **(times or window()))
    return answer["RecordContentInfoList"]["RecordContentInfo"]


def test_record_content(cloud, call):
    cloud.push(ONE)
    record(call, "start")
    cloud.advance(100)
    record(call, "restart")
    cloud.advance(50)
    record(call, "stop", "cancel_delay")
    rows = contents(call)
    assert [round(row["Duration"]) for row in rows] == [100, 50]
    assert now_text(-155) <= rows[0]["StartTime"] <= now_text(-149)
    assert rows[0]["EndTime"] == rows[1]["StartTime"]
    assert set(rows[0]) == {"StartTime", "EndTime", "Duration", "OssBucket", "OssEndpoint", "OssObjectPrefix"}
    assert contents(call, **window(-3600, -300)) == []


@pytest.mark.parametrize("end", ["now", "absent", "window-end"])
def test_running_task_in_record_content(cloud, call, end):
    cloud.push(ONE)
    record(call, "start")
    cloud.advance(100)
    assert contents(call) == []
    cloud.behave(running_content="listed", running_end=end)
    times = window()
    (row,) = contents(call, **times)
    if end == "absent":
        assert "EndTime" not in row
    elif end == "now":
        assert now_text(-5) <= row["EndTime"] <= now_text()
    else:
        assert row["EndTime"] == times["EndTime"]
    record(call, "stop")
    assert len(contents(call)) == 1


def index_files(call, **parameters):
    answer = call("DescribeLiveStreamRecordIndexFiles", **STREAM, **{**window(), **parameters})
    return answer, answer["RecordIndexInfoList"]["RecordIndexInfo"]


def test_index_files(cloud, call):
    cloud.push(ONE)
    record(call, "start")
    for _number in range(6):
        cloud.advance(100)
        record(call, "restart")
    answer, rows = index_files(call, PageSize=5)
    assert (answer["TotalNum"], answer["TotalPage"], answer["Order"], len(rows)) == (6, 2, "asc", 5)
    assert {row["Format"] for row in rows} == {"m3u8"}
    assert [row["CreateTime"] for row in rows] == sorted(row["CreateTime"] for row in rows)
    _answer, newest = index_files(call, PageSize=5, Order="desc")
    assert newest[0]["CreateTime"] > rows[-1]["CreateTime"]
    row = rows[0]
    assert row["RecordUrl"] == f"http://recordings.oss-cn-shanghai.aliyuncs.com/{row['OssObject']}"
    assert round(row["Duration"]) == 100
    one = call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=row["RecordId"])
    assert one["RecordIndexInfo"] == row


def test_index_file_window(cloud, call):
    cloud.push(ONE)
    record(call, "start")
    cloud.advance(600)
    record(call, "stop")
    cloud.advance(300)
    by_creation, by_recording = window(-130, 0), window(-1000, -800)
    assert [len(index_files(call, **times)[1]) for times in (by_creation, by_recording)] == [1, 0]
    cloud.behave(index_window="recorded")
    assert [len(index_files(call, **times)[1]) for times in (by_creation, by_recording)] == [0, 1]


def test_index_files_are_kept_for_six_months(cloud, call):
    cloud.push(ONE)
    record(call, "start", "stop", "cancel_delay")
    for days, count in ((182, 1), (184, 0)):
        cloud.advance(days * DAY - cloud.state()["advanced"])
        times = window(-(days + 1) * DAY, -(days - 1) * DAY)
        assert index_files(call, **times)[0]["TotalNum"] == count


@pytest.mark.parametrize(("generation", "code"), [("new", "MalformedParam"), ("old", "InvalidRecordId")])
def test_unknown_index_file(cloud, call, generation, code):
    cloud.behave(generation=generation)
    assert call.code("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId="x") == code


# Index files of one's own


def recorded(cloud, call, seconds):
    """Record a stream for some time; the recording goes on."""
    cloud.push(ONE)
    record(call, "start")
    cloud.advance(seconds)


CREATE = {**STREAM, "OssEndpoint": "oss.example.com", "OssBucket": "clips", "OssObject": "{AppName}/{StreamName}.m3u8"}


def create(call, start, end, **more):
    return call("CreateLiveStreamRecordIndexFiles", **{**CREATE, **window(start, end), **more})["RecordInfo"]


def test_created_index_file(cloud, call):
    recorded(cloud, call, 310)
    info = create(call, -300, 5)
    assert info["Duration"] == 300
    assert now_text(-320) <= info["StartTime"] <= now_text(-309)
    assert now_text(-20) <= info["EndTime"] <= now_text(-9)
    assert now_text(-5) <= info["CreateTime"] <= now_text()
    assert (info["OssObject"], info["OssBucket"], info["OssEndpoint"]) == ("app/one.m3u8", "clips", "oss.example.com")
    assert info["RecordUrl"] == "http://clips.oss.example.com/app/one.m3u8"
    assert "Format" not in info
    one = call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=info["RecordId"])
    assert one["RecordIndexInfo"] == {**info, "Format": "m3u8"}
    assert index_files(call)[0]["TotalNum"] == 1
    record(call, "restart")
    assert index_files(call)[0]["TotalNum"] == 2
    assert [file["format"] for file in cloud.stream(ONE)["files"]] == ["m3u8", "mp4"]


def test_segments_are_selected_by_their_upload(cloud, call):
    recorded(cloud, call, 315)
    assert create(call, -220, -130)["Duration"] == 90
    assert create(call, -220, -130, EndTimeIncluded="True")["Duration"] == 120
    assert create(call, -60, 10, EndTimeIncluded="true")["Duration"] == 60
    record(call, "stop")
    # The last segment is shorter, and uploaded with the end of the recording.
    assert 75 <= create(call, -60, 10)["Duration"] < 90
    cloud.advance(100)
    record(call, "start")
    cloud.advance(100)
    duration = create(call, -600, 0)["Duration"]
    assert 315 + 90 <= duration < 330 + 90


def test_names_of_index_files(cloud, call):
    recorded(cloud, call, 100)
    template = "{AppName}/{StreamName}/{Date}/{Hour}/{Minute}_{Second}.m3u8"
    info = create(call, -90, 0, OssObject=template)
    date, clock = info["StartTime"].rstrip("Z").split("T")
    hour, minute, second = clock.split(":")
    assert info["OssObject"] == f"app/one/{date}/{hour}/{minute}_{second}.m3u8"
    assert create(call, -90, 0, OssObject="as it is")["OssObject"] == "as it is"


@pytest.mark.parametrize("generation", ["new", "old"])
def test_index_files_of_nothing(cloud, client, call, generation):
    cloud.behave(generation=generation)

    def refused(start, end, **more):
        answer = client.call("CreateLiveStreamRecordIndexFiles", **{**CREATE, **window(start, end), **more})
        return answer.status, answer.code

    absent = (404, "InvalidStream.NotFound")
    malformed = (400, "MalformedParam" if generation == "new" else "InvalidEndTime")
    assert refused(-60, 0) == absent
    recorded(cloud, call, 100)
    assert refused(-600, -300) == absent
    assert refused(-60, 0, StreamName="*") == absent
    assert refused(-60, -31) == malformed
    assert refused(-5 * DAY, 0) == malformed
    assert refused(-60, -30)[0] == 200
    record(call, "restart", "stop")
    cloud.advance(600)
    assert refused(-300, 0) == absent
    cloud.behave(no_segments_code="InvalidTs.NotFound")
    assert refused(-300, 0) == (404, "InvalidTs.NotFound")


def test_index_files_need_an_m3u8_recording(cloud, call):
    call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    mp4 = {"RecordFormat.1.Format": "mp4", "RecordFormat.1.OssObjectPrefix": PREFIX}
    names = {"DomainName": DOMAIN, "AppName": "app", "OssBucket": "b", "OssEndpoint": "e", "OnDemand": 7}
    call("AddLiveAppRecordConfig", **names, **mp4)
    recorded(cloud, call, 100)
    assert call.code("CreateLiveStreamRecordIndexFiles", **CREATE, **window()) == "InvalidStream.NotFound"


def test_shortest_index_file_is_one_segment(cloud, call):
    call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    call("AddLiveAppRecordConfig", **ADD, AppName="app", OnDemand=7, **{"RecordFormat.1.SliceDuration": 10})
    recorded(cloud, call, 100)
    assert create(call, -50, -40)["Duration"] == 10
    assert call.code("CreateLiveStreamRecordIndexFiles", **CREATE, **window(-50, -41)) == "MalformedParam"


# The history of stream control


def history(call, **parameters):
    answer = call("DescribeLiveStreamsControlHistory", **{"DomainName": DOMAIN, **window(), **parameters})
    return [(row["StreamName"], row["Action"]) for row in answer["ControlInfo"]["LiveStreamControlInfo"]]


def test_control_history(cloud, call):
    cloud.push(ONE)
    record(call, "start", "stop")
    names = {"domain_name": INGEST, "app_name": "other", "stream_name": "two"}
    cloud.add_controls(
        {**names, "action": "resume"}, {**names, "action": "forbid", "age": 60, "client_ip": "192.0.2.9"}
    )
    assert history(call) == [("two", "forbid"), ("two", "resume")]
    assert history(call, AppName="app") == []
    assert history(call, **window(-3600, -30)) == [("two", "forbid")]
    cloud.behave(control_history="commands")
    assert history(call, AppName="app") == [("one", "RealTimeRecordCommand")] * 2
    assert call.code("RealTimeRecordCommand", **STREAM, Command="pause") == "MalformedParam"
    assert len(history(call)) == 4
    answer = call("DescribeLiveStreamsControlHistory", DomainName=DOMAIN, **window(-3600, -30))
    (row,) = answer["ControlInfo"]["LiveStreamControlInfo"]
    assert now_text(-65) <= row.pop("TimeStamp") <= now_text(-55)
    assert row == {"StreamName": "two", "ClientIP": "192.0.2.9", "Action": "forbid"}


# The notify log


def notify(call, **parameters):
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 100}
    return call("DescribeLiveRecordNotifyRecords", **{**paged, **window(), **parameters})


def kinds(answer):
    return [row["NotifyType"] for row in answer["CallbackList"]]


def test_notify_records(cloud, call):
    cloud.push(ONE, f"{DOMAIN}/app/two")
    record(call, "start")
    cloud.advance(10)
    record(call, "stop", "cancel_delay")
    answer = notify(call)
    assert (answer["Code"], answer["Msg"], answer["PageNum"], answer["TotalNum"]) == (0, "ok", 1, 4)
    assert kinds(answer) == ["record_started", "record_paused", "file_created", "file_created"]
    row = answer["CallbackList"][0]
    assert json.loads(row["NotifyContent"]) == {
        "domain": DOMAIN,
        "app": "app",
        "stream": "one",
        "event": "record_started",
    }
    assert row["NotifyResult"] == "success"
    assert now_text(-15) <= row["NotifyTime"] <= now_text(-9)
    assert "event" not in json.loads(answer["CallbackList"][2]["NotifyContent"])
    assert kinds(notify(call, AppName="app", StreamName="two")) == []
    assert kinds(notify(call, AppName="other")) == []
    assert kinds(notify(call, PageNumber=2, PageSize=3)) == ["file_created"]
    assert kinds(notify(call, StorageType="vod")) == []
    assert kinds(notify(call, Status="failed")) == []
    cloud.behave(notify_order="desc")
    assert kinds(notify(call))[-1] == "record_started"


def test_lag_of_the_notify_log(cloud, call):
    cloud.behave(notify_lag=30)
    cloud.push(ONE)
    record(call, "start")
    assert kinds(notify(call)) == []
    cloud.advance(30)
    assert kinds(notify(call)) == ["record_started"]


def test_events_may_be_late_by_different_times(cloud, call):
    cloud.behave(notify_lag=30, notify_lag_spread=30)
    cloud.push(ONE)
    for _number in range(20):
        record(call, "start")
        record(call, "stop")
    shown = []
    for seconds in (29, 16, 16):
        cloud.advance(seconds)
        shown.append(len(notify(call)["CallbackList"]))
    assert shown[0] == 0 < shown[1] < shown[2] == 40


@pytest.mark.parametrize("skew", [-90, 90])
def test_a_notify_log_with_a_clock_of_its_own(cloud, call, skew):
    cloud.push(ONE)
    cloud.behave(notify_skew=skew)
    earliest = now_text(skew)
    record(call, "start")
    latest = now_text(skew)
    (row,) = notify(call, EndTime=now_text(120))["CallbackList"]
    assert earliest <= row["NotifyTime"] <= latest
    assert kinds(notify(call, StartTime=earliest, EndTime=now_text(120))) == ["record_started"]
    assert kinds(notify(call, EndTime=now_text(skew - 5))) == []


@pytest.mark.parametrize("skew", [-600, 600])
def test_all_times_are_by_one_clock(cloud, call, skew):
    """Date, what happened, and windows agree, however far they are from the client's clock."""
    cloud.behave(clock_skew=skew)
    cloud.push(ONE)
    record(call, "start")
    (row,) = notify(call, **window(skew - 5, skew + 5))["CallbackList"]
    assert now_text(skew - 5) <= row["NotifyTime"] <= now_text(skew)
    published = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"][0]
    assert now_text(skew - 5) <= published["PublishTime"] <= now_text(skew)
    assert notify(call, **window(-60, 60))["CallbackList"] == []
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 100}
    past = {**paged, **window(skew - 7 * DAY - 60, skew)}
    assert call.code("DescribeLiveRecordNotifyRecords", **past) == "MalformedParam"
    cloud.advance(100)
    assert notify(call, **window(skew - 105, skew - 95))["CallbackList"]


def test_failed_deliveries(cloud, call):
    cloud.behave(notify_result="failed", notify_code=200)
    cloud.push(ONE)
    record(call, "start")
    answer = notify(call, Status="failed")
    assert (answer["Code"], kinds(answer)) == (200, ["record_started"])
    assert kinds(notify(call, Status="success")) == []


def test_paging_of_the_notify_log_may_have_defaults(cloud, call):
    cloud.behave(notify_paging="defaulted")
    answer = call("DescribeLiveRecordNotifyRecords", DomainName=DOMAIN, **window())
    assert (answer["PageNum"], answer["PageSize"]) == (1, 20)


def test_injected_events(cloud, call):
    cloud.push(ONE)
    record(call, "start")
    content = {"error_info": {"code": "BucketNotFound", "message": "Bucket not found"}}
    event = {"domain_name": DOMAIN, "app_name": "app", "stream_name": "one", "notify_type": "record_error"}
    cloud.add_events({**event, "age": 100, "content": content})
    answer = notify(call)
    assert kinds(answer) == ["record_error", "record_started"]
    assert kinds(notify(call, AppName="app", StreamName="one")) == ["record_error", "record_started"]
    assert json.loads(answer["CallbackList"][0]["NotifyContent"])["error_info"]["code"] == "BucketNotFound"


# Configurations

M3U8 = {
    "RecordFormat.1.Format": "m3u8",
    "RecordFormat.1.OssObjectPrefix": PREFIX,
    "RecordFormat.1.SliceOssObjectPrefix": SLICES,
}
ADD = {"DomainName": DOMAIN, "OssBucket": "b", "OssEndpoint": "oss.example.com", **M3U8}


def configs(call, **filters):
    answer = call("DescribeLiveRecordConfig", DomainName=DOMAIN, **filters)
    return answer["LiveAppRecordList"]["LiveAppRecord"]


def test_built_in_configuration(call):
    (row,) = configs(call)
    assert (row["AppName"], row["StreamName"], row["OnDemond"], row["DelayTime"]) == ("*", "*", 7, 180)
    formats = row["RecordFormatList"]["RecordFormat"]
    assert [(item["Format"], item["CycleDuration"]) for item in formats] == [("m3u8", 21600), ("mp4", 3600)]
    assert formats[0]["SliceDuration"] == 30
    assert row["TranscodeTemplates"] == {"Templates": []}


def test_add_configuration(call):
    call(
        "AddLiveAppRecordConfig",
        **ADD,
        AppName="app",
        StreamName="one",
        OnDemand=7,
        DelayTime=15,
        StartTime=now_text(60),
        EndTime=now_text(60 + 30 * DAY),
        **{"RecordFormat.2.Format": "flv", "RecordFormat.2.OssObjectPrefix": PREFIX, "TranscodeTemplates.1": "sd"},
        **{"TranscodeRecordFormat.1.Format": "mp4", "TranscodeRecordFormat.1.OssObjectPrefix": PREFIX},
    )
    (row,) = configs(call, AppName="app")
    assert (row["OnDemond"], row["DelayTime"], row["OssBucket"]) == (7, 15, "b")
    assert [item["Format"] for item in row["RecordFormatList"]["RecordFormat"]] == ["m3u8", "flv"]
    assert [item["Format"] for item in row["TranscodeRecordFormatList"]["RecordFormat"]] == ["mp4"]
    assert row["TranscodeTemplates"] == {"Templates": ["sd"]}
    assert now_text(7 * DAY + 55) <= row["EndTime"] <= now_text(7 * DAY + 60)


def test_period_of_a_configuration(cloud, call):
    key = {"DomainName": DOMAIN, "AppName": "app", "StreamName": "one"}
    call("AddLiveAppRecordConfig", **ADD, AppName="app", StreamName="one", StartTime=now_text(600))
    cloud.push(ONE)
    cloud.advance(300)
    (row,) = configs(call, AppName="app")
    assert now_text(290) <= row["StartTime"] <= now_text(300)
    assert "EndTime" not in row
    assert cloud.stream(ONE)["recording"] == "idle"
    cloud.advance(300)
    assert cloud.stream(ONE)["recording"] == "recording"
    update = {**key, "OssEndpoint": "e"}
    assert call.code("UpdateLiveAppRecordConfig", **update, EndTime=now_text(-3600)) == "MalformedParam"
    call("UpdateLiveAppRecordConfig", **update, EndTime=now_text(30 * DAY))
    (row,) = configs(call, AppName="app")
    assert now_text(7 * DAY - 90) <= row["EndTime"] <= now_text(7 * DAY)
    (config,) = [config for config in cloud.state()["record_configs"] if config["app"] == "app"]
    assert (config["start"], config["end"]) == (row["StartTime"], row["EndTime"])


@pytest.mark.parametrize("name", ["StartTime", "EndTime"])
def test_period_is_for_single_streams(call, name):
    assert call.code("AddLiveAppRecordConfig", **ADD, AppName="app", **{name: now_text(60)}) == "MalformedParam"
    update = {"DomainName": DOMAIN, "AppName": "*", "OssEndpoint": "e"}
    assert call.code("UpdateLiveAppRecordConfig", **update, **{name: now_text(60)}) == "MalformedParam"


def test_one_configuration_per_triple(call):
    call("AddLiveAppRecordConfig", **ADD, AppName="app")
    assert call.code("AddLiveAppRecordConfig", **ADD, AppName="app", StreamName="*") == "CodeConfigAlreadyExists"
    call("AddLiveAppRecordConfig", **ADD, AppName="app", StreamName="one")


def test_code_for_an_existing_configuration_is_a_choice(cloud, call):
    cloud.behave(config_exists_code="InvalidConfig.Exists")
    assert call.code("AddLiveAppRecordConfig", **ADD, AppName="*") == "InvalidConfig.Exists"


def test_added_configuration_defaults_to_automatic(cloud, call):
    call("AddLiveAppRecordConfig", **ADD, AppName="app")
    assert configs(call, AppName="app")[0]["OnDemond"] == 0
    cloud.push(ONE)
    assert call.code("RealTimeRecordCommand", Command="start", **STREAM) == "TaskAlreadyStarted"


@pytest.mark.parametrize("prefix", ["", "{Sequence}", "{UnixTimestamp}"])
def test_sliced_formats_need_a_slice_prefix(call, prefix):
    parameters = {**ADD, "AppName": "app", "RecordFormat.1.SliceOssObjectPrefix": prefix}
    code = call.code("AddLiveAppRecordConfig", **parameters)
    assert code == ("MalformedParam" if prefix else "MissingParam")


def test_formats_are_given_once(call):
    twice = {"RecordFormat.2.Format": "M3U8", **{key.replace("1", "2"): value for key, value in M3U8.items()}}
    assert call.code("AddLiveAppRecordConfig", **ADD, AppName="app", **twice) == "MalformedParam"


@pytest.mark.parametrize(("switch", "formats"), [("merge", ["m3u8", "mp4"]), ("replace", ["mp4"])])
def test_update_configuration(cloud, call, switch, formats):
    cloud.behave(update_formats=switch)
    changes = {"OnDemand": 0, "DelayTime": 20, "RecordFormat.1.Format": "mp4", "RecordFormat.1.CycleDuration": 600}
    call("UpdateLiveAppRecordConfig", DomainName=DOMAIN, AppName="*", OssEndpoint="new", OssBucket="ignored", **changes)
    (row,) = configs(call)
    assert (row["OnDemond"], row["DelayTime"], row["OssEndpoint"], row["OssBucket"]) == (0, 20, "new", "recordings")
    rows = row["RecordFormatList"]["RecordFormat"]
    assert [item["Format"] for item in rows] == formats
    assert (rows[-1]["CycleDuration"], rows[-1]["OssObjectPrefix"]) == (600, PREFIX)


@pytest.mark.parametrize(("generation", "code"), [("new", "CodeConfigNotFound"), ("old", "InvalidConfig.NotFound")])
def test_absent_configurations(cloud, call, generation, code):
    cloud.behave(generation=generation)
    app = {"DomainName": DOMAIN, "AppName": "app"}
    assert call.code("UpdateLiveAppRecordConfig", **app, OssEndpoint="e") == code
    assert call.code("DeleteLiveAppRecordConfig", **app) == code
    cloud.behave(delete_missing="ok")
    call("DeleteLiveAppRecordConfig", **app)


def test_delete_configuration(call):
    call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    assert configs(call) == []


@pytest.mark.parametrize(("switch", "found"), [("literal", 1), ("pattern", 3)])
def test_configuration_filters(cloud, call, switch, found):
    cloud.behave(config_filter=switch)
    call("AddLiveAppRecordConfig", **ADD, AppName="app")
    call("AddLiveAppRecordConfig", **ADD, AppName="app", StreamName="one")
    call("AddLiveAppRecordConfig", **ADD, AppName="other", StreamName="one")
    assert len(configs(call)) == 4
    assert len(configs(call, AppName="app", StreamName="one")) == found
    assert len(configs(call, AppName="other", StreamName="two")) == (0 if switch == "literal" else 1)


def test_configuration_pages_and_case(cloud, call):
    cloud.behave(record_format_case="upper")
    for number in range(6):
        call("AddLiveAppRecordConfig", **ADD, AppName=f"app{number}")
    answer = call("DescribeLiveRecordConfig", DomainName=DOMAIN, PageSize=5, PageNum=2, Order="desc")
    assert (answer["TotalNum"], answer["TotalPage"], answer["PageNum"]) == (7, 2, 2)
    rows = answer["LiveAppRecordList"]["LiveAppRecord"]
    assert [row["AppName"] for row in rows] == ["app0", "*"]
    assert rows[0]["RecordFormatList"]["RecordFormat"][0]["Format"] == "M3U8"


# Callback configurations


def notify_config(call):
    return call("DescribeLiveRecordNotifyConfig", DomainName=DOMAIN)["LiveRecordNotifyConfig"]


def test_notify_config(cloud, call):
    assert call.code("AddLiveRecordNotifyConfig", DomainName=DOMAIN, NotifyUrl="http://x.example.com") == (
        "CodeConfigAlreadyExists"
    )
    call("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN)
    call(
        "AddLiveRecordNotifyConfig",
        DomainName=DOMAIN,
        NotifyUrl="https://x.example.com/%E4%B8%AD",
        OnDemandUrl="http://x.example.com/d",
        NeedStatusNotify="True",
        NotifyReqAuth="true",
        NotifyAuthKey="0123456789abcdef",
    )
    expected = {
        "DomainName": DOMAIN,
        "NotifyUrl": "https://x.example.com/%E4%B8%AD",
        "OnDemandUrl": "http://x.example.com/d",
        "NeedStatusNotify": True,
        "NotifyReqAuth": True,
        "NotifyAuthKey": "0123456789abcdef",
    }
    assert notify_config(call) == expected
    cloud.behave(notify_auth_type="string")
    assert notify_config(call)["NotifyReqAuth"] == "yes"


@pytest.mark.parametrize(("switch", "kept"), [("reset", False), ("keep", True)])
def test_update_notify_config(cloud, call, switch, kept):
    cloud.behave(update_notify=switch)
    call("UpdateLiveRecordNotifyConfig", DomainName=DOMAIN, NotifyUrl="http://y.example.com")
    found = notify_config(call)
    assert (found["NotifyUrl"], found["NeedStatusNotify"]) == ("http://y.example.com", kept)


def test_absent_notify_config(cloud, call):
    call("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN)
    assert call.code("DescribeLiveRecordNotifyConfig", DomainName=DOMAIN) == "CodeConfigNotFound"
    assert call.code("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN) == "InvalidConfig.NotFound"
    assert call.code("UpdateLiveRecordNotifyConfig", DomainName=DOMAIN, NotifyUrl="http://y.example.com") == (
        "CodeConfigNotFound"
    )
    cloud.behave(empty_notify_config="empty")
    assert notify_config(call) == {}


@pytest.mark.parametrize("action", ["AddLiveRecordNotifyConfig", "UpdateLiveRecordNotifyConfig"])
@pytest.mark.parametrize("name", ["NotifyUrl", "OnDemandUrl"])
@pytest.mark.parametrize("url", ["x.example.com", "ftp://x.example.com", "http://", "http://x/a b", "http://x/中"])
def test_malformed_callback_urls(call, action, name, url):
    parameters = {"DomainName": DOMAIN, "NotifyUrl": "http://x.example.com", name: url}
    assert call.code(action, **parameters) == f"Invalid{name}.Malformed"


def test_callback_authentication_needs_a_key(call):
    code = call.code(
        "UpdateLiveRecordNotifyConfig", DomainName=DOMAIN, NotifyUrl="http://x.example.com", NotifyReqAuth="true"
    )
    assert code == "MissingParam"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/",
        "http://[::1]/",
        "http://localhost/",
        "http://10.1.2.3/x",
        "https://192.168.0.1/",
        "http://169.254.1.1/",
    ],
)
@pytest.mark.parametrize(
    ("action", "domain"), [("UpdateLiveRecordNotifyConfig", DOMAIN), ("SetLiveStreamsNotifyUrlConfig", INGEST)]
)
def test_private_callback_urls(cloud, call, action, domain, url):
    call(action, DomainName=domain, NotifyUrl=url)
    cloud.behave(private_callbacks="refused")
    assert call.code(action, DomainName=domain, NotifyUrl=url) == "InvalidNotifyUrl.Unsafe"
    for public in ("http://x.example.com/", "http://8.8.8.8/"):
        call(action, DomainName=domain, NotifyUrl=public)


def test_cycle_range(cloud, call):
    call("AddLiveAppRecordConfig", **{**ADD, "RecordFormat.1.CycleDuration": 899}, AppName="short")
    cloud.behave(cycle_range="bounded")
    for cycle, code in ((899, "MalformedParam"), (900, None), (21600, None), (21601, "MalformedParam")):
        parameters = {"DomainName": DOMAIN, "AppName": "short", "OssEndpoint": "e", "RecordFormat.1.Format": "m3u8"}
        changed = call.code("UpdateLiveAppRecordConfig", **parameters, **{"RecordFormat.1.CycleDuration": cycle})
        added = call.code("AddLiveAppRecordConfig", **{**ADD, "RecordFormat.1.CycleDuration": cycle}, AppName=cycle)
        assert (changed, added) == (code, code), cycle


def test_storage_types_of_the_notify_log(cloud, call):
    names = dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/")))
    for storage in ("oss", "vod"):
        cloud.add_events({**names, "notify_type": "record_started", "storage_type": storage})
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 10, **window()}

    def listed(**filters):
        rows = call("DescribeLiveRecordNotifyRecords", **paged, **filters)["CallbackList"]
        return sorted(row["StorageType"] for row in rows)

    assert [listed(StorageType=kind) for kind in ("oss", "vod", "all")] == [["oss"], ["vod"], ["oss", "vod"]]
    assert listed() == ["oss", "vod"]
    cloud.behave(notify_storage="oss")
    assert listed() == ["oss"]


# Callbacks of ingest domains

KEY = "0123456789abcdef"


def ingest_config(call, domain=INGEST):
    return call("DescribeLiveStreamsNotifyUrlConfig", DomainName=domain)["LiveStreamsNotifyConfig"]


def ingest_log(call, **parameters):
    wanted = {"DomainName": INGEST, **window(), **parameters}
    return call("DescribeLiveStreamsNotifyRecords", **wanted)["NotifyRecordsInfo"]["LiveStreamNotifyRecordsInfo"]


def test_ingest_notify_config(cloud, call):
    assert call.code("DescribeLiveStreamsNotifyUrlConfig", DomainName=INGEST) == "CodeConfigNotFound"
    assert call.code("DeleteLiveStreamsNotifyUrlConfig", DomainName=INGEST) == "CodeConfigNotFound"
    urls = {"NotifyUrl": "http://x.example.com/p", "ExceptionNotifyUrl": "https://x.example.com/e"}
    more = {"SwitchNotifyUrl": "http://x.example.com/s", "NotifyReqAuth": "yes", "NotifyAuthKey": KEY * 4}
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, **urls, **more)
    assert ingest_config(call) == {"DomainName": INGEST, **urls, "NotifyReqAuth": "yes", "NotifyAuthKey": KEY * 4}
    (logged,) = cloud.calls("SetLiveStreamsNotifyUrlConfig")
    assert logged["params"]["NotifyAuthKey"] == "***"
    cloud.behave(update_notify="keep")
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl="http://y.example.com")
    kept = {**urls, "NotifyUrl": "http://y.example.com", "NotifyReqAuth": "yes", "NotifyAuthKey": KEY * 4}
    assert ingest_config(call) == {"DomainName": INGEST, **kept}
    cloud.behave(update_notify="reset")
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl="http://z.example.com")
    reset = {"NotifyUrl": "http://z.example.com", "ExceptionNotifyUrl": "", "NotifyReqAuth": "no", "NotifyAuthKey": ""}
    assert ingest_config(call) == {"DomainName": INGEST, **reset}
    call("DeleteLiveStreamsNotifyUrlConfig", DomainName=INGEST)
    cloud.behave(empty_notify_config="empty", delete_missing="ok")
    assert ingest_config(call) == {}
    call("DeleteLiveStreamsNotifyUrlConfig", DomainName=INGEST)


def test_ingest_authentication_needs_a_key(call):
    assert call.code("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyReqAuth="yes") == "MissingParam"


@pytest.mark.parametrize("name", ["NotifyUrl", "ExceptionNotifyUrl", "SwitchNotifyUrl"])
def test_malformed_ingest_urls(call, name):
    answer = call.code("SetLiveStreamsNotifyUrlConfig", **{"DomainName": INGEST, name: "x.example.com"})
    assert answer == f"Invalid{name}.Malformed"


def test_log_of_pushes(cloud, call):
    url = "http://x.example.com/p"
    cloud.push(f"{DOMAIN}/app/before")
    cloud.advance(5)
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl=url, NotifyReqAuth="yes", NotifyAuthKey=KEY)
    cloud.push(f"{INGEST}/app/short")
    cloud.drop(f"{INGEST}/app/short")
    cloud.push({**dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/"))), "query": "auth_key=1-2"})
    cloud.advance(60)
    cloud.behave(notify_result="failed")
    cloud.drop(ONE)
    begun, ended = ingest_log(call)
    assert [row["NotifyType"] for row in (begun, ended)] == ["publish", "publish_done"]
    content = json.loads(begun["NotifyContent"])
    shared = {"ip": "192.0.2.1", "id": "one", "app": INGEST, "appname": "app", "node": "192.0.2.2"}
    shared["usrargs"] = f"vhost={INGEST}&auth_key=1-2"
    assert now_text(-60) <= begun["NotifyTime"] <= now_text(-57)
    assert now_text(-5) <= ended["NotifyTime"] <= now_text(0)
    assert {**content, "time": 0} == {**shared, "action": "publish", "time": 0, "height": "720", "width": "1280"}
    assert {**json.loads(ended["NotifyContent"]), "time": 0} == {**shared, "action": "publish_done", "time": 0}
    headers = json.loads(begun["NotifyHeader"])
    signed = f"{INGEST}|{headers['ALI-LIVE-TIMESTAMP'][0]}|{KEY}"
    assert headers["ALI-LIVE-SIGNATURE"] == [hashlib.md5(signed.encode()).hexdigest()]
    assert sorted(headers) == ["ALI-LIVE-SIGNATURE", "ALI-LIVE-TIMESTAMP"]
    assert [begun[name] for name in ("DomainName", "AppName", "StreamName", "NotifyUrl")] == [INGEST, "app", "one", url]
    assert [begun[name] for name in ("NotifyResult", "NotifyResponse", "Description")] == ["success", "ok", "success"]
    assert [ended[name] for name in ("NotifyResult", "NotifyResponse", "Description")] == ["failed", "", "failed"]
    (logged,) = [event for event in cloud.state(ONE)["ingest_events"] if event["notify_type"] == "publish"]
    assert logged["domain_name"] == INGEST


def test_filters_and_pages_of_the_log_of_pushes(cloud, call):
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl="http://x.example.com/")
    for number in range(3):
        cloud.push(f"{DOMAIN}/app{number}/one")
        cloud.advance(10)
    assert [row["AppName"] for row in ingest_log(call)] == ["app0", "app1", "app2"]
    assert [row["AppName"] for row in ingest_log(call, PageSize=2, PageNumber=2)] == ["app2"]
    assert [row["AppName"] for row in ingest_log(call, AppName="app1", StreamName="one")] == ["app1"]
    assert ingest_log(call, StreamName="two") == ingest_log(call, Status="failed") == []
    cloud.behave(notify_order="desc", notify_lag=15)
    assert [row["AppName"] for row in ingest_log(call)] == ["app1", "app0"]
    assert call("DescribeLiveStreamsNotifyRecords", DomainName=INGEST, **window())["TotalNum"] == 2


def test_domain_without_an_ingest_domain_is_the_app_of_its_callbacks(cloud, call):
    cloud.add_accounts({"id": "1000000000000001", "domains": [{"name": "alone.example.com"}]})
    call("SetLiveStreamsNotifyUrlConfig", DomainName="alone.example.com", NotifyUrl="http://x.example.com/")
    cloud.push("alone.example.com/app/one")
    cloud.advance(2)
    (row,) = ingest_log(call, DomainName="alone.example.com")
    assert json.loads(row["NotifyContent"])["app"] == row["DomainName"] == "alone.example.com"


def test_ingest_parameters_that_callbacks_of_files_repeat(cloud, call):
    names = dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/")))
    cloud.push({**names, "query": "callback_id=7&auth_key=1-2&callback_id=8&callback_no="})
    record(call, "start", "stop", "cancel_delay")
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 10, **window()}
    rows = call("DescribeLiveRecordNotifyRecords", **paged)["CallbackList"]
    arguments = [json.loads(row["NotifyContent"]).get("push_args") for row in rows]
    told = {"callback_id": "7", "callback_no": ""}
    assert arguments == [None if row["NotifyType"] != "file_created" else told for row in rows]
    assert told in arguments


# Domains


def test_user_domains(cloud, call):
    domain = {"name": "show.example.net", "ingest": ["push.example.net"], "region": "cn-beijing", "tags": {"k": "v"}}
    cloud.add_accounts({"id": "1000000000000001", "domains": [domain]})

    def listed(**filters):
        answer = call("DescribeLiveUserDomains", **filters)
        assert answer["TotalCount"] == len(answer["Domains"]["PageData"])
        return [row["DomainName"] for row in answer["Domains"]["PageData"]]

    assert listed() == [DOMAIN, INGEST, "show.example.net", "push.example.net"]
    assert listed(LiveDomainType="liveVideo") == [DOMAIN, "show.example.net"]
    assert listed(LiveDomainType="liveEdge", RegionName="cn-beijing") == ["push.example.net"]
    assert listed(DomainName="example.com") == [DOMAIN, INGEST]
    assert listed(DomainName="show", DomainSearchType="pre_match") == ["show.example.net"]
    assert listed(DomainName=".net", DomainSearchType="suf_match") == ["show.example.net", "push.example.net"]
    assert listed(DomainName=DOMAIN, DomainSearchType="full_match") == [DOMAIN]
    assert listed(DomainStatus="offline") == []
    assert listed(**{"Tag.1.Key": "k", "Tag.1.Value": "v"}) == ["show.example.net", "push.example.net"]
    paged = call("DescribeLiveUserDomains", PageSize=3, PageNumber=2)
    assert (paged["TotalCount"], paged["PageNumber"], len(paged["Domains"]["PageData"])) == (4, 2, 1)
    assert call.code("DescribeLiveUserDomains", PageSize=51) == "MalformedParam"


@pytest.mark.parametrize("domain", [DOMAIN, INGEST])
def test_domain_mapping(call, domain):
    models = call("DescribeLiveDomainMapping", DomainName=domain)["LiveDomainModels"]["LiveDomainModel"]
    assert models == [{"DomainName": DOMAIN, "Type": "vhost"}, {"DomainName": INGEST, "Type": "publish"}]


def test_parameters_in_a_form_body(cloud):
    cloud.push(f"{DOMAIN}/my app/a b*~/+&=%中文")
    answer = SigningClient(cloud.endpoint).call_v1(
        "RealTimeRecordCommand",
        form=True,
        Command="start",
        DomainName=DOMAIN,
        AppName="my app",
        StreamName="a b*~/+&=%中文",
    )
    assert answer.status == 200
