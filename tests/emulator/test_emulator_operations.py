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
    """Return a function that calls an operation; its attribute `code` returns only the error code."""

    def do(action, **parameters):
        response = client.call(action, **parameters)
        assert response.status == 200, response.body
        return response.json

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


def complete_parameters(action):
    times = window()
    return {name: times.get(name, value) for name, value in REQUIRED[action].items()}


@pytest.mark.parametrize(("action", "name"), MISSING)
def test_missing_required_parameter_is_refused(cloud, call, action, name):
    cloud.behave(limits={action: 1000}, generations={})
    parameters = complete_parameters(action)
    for generation, code in (("new", "MissingParam"), ("old", f"Missing{name.partition('.')[0]}")):
        cloud.behave(generation=generation)
        assert call.code(action, **{**parameters, name: ""}) == code
        del parameters[name]
        if name != "RecordFormat.1.Format":
            assert call.code(action, **parameters) == code
        parameters = complete_parameters(action)


@pytest.mark.parametrize("action", [name for name in REQUIRED if name != "RealTimeRecordCommand"])
def test_required_parameters_suffice(cloud, call, action):
    if action == "AddLiveRecordNotifyConfig":
        call("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN)
    if action in ("DescribeLiveStreamsNotifyUrlConfig", "DeleteLiveStreamsNotifyUrlConfig"):
        call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST)
    if action == "DescribeLiveStreamRecordIndexFile":
        cloud.push(ONE)
        record(call, "start", "stop", "cancel_delay")
        call(action, **STREAM, RecordId=cloud.stream(ONE)["files"][0]["record_id"])
    elif action == "CreateLiveStreamRecordIndexFiles":
        record_for(cloud, call, 100)
        assert call(action, **complete_parameters(action))["RecordInfo"]
    else:
        assert call(action, **complete_parameters(action))["RequestId"]


@pytest.mark.parametrize("action", REQUIRED)
def test_domain_of_another_account_is_not_found(call, action):
    parameters = {**complete_parameters(action), "DomainName": ABSENT}
    assert call.code(action, **parameters) == "InvalidDomain.NotFound"


INGEST_ALLOWED = ("DescribeLiveStreamState", "DescribeLiveStreamsPublishList", "DescribeLiveDomainMapping")


INGEST_ONLY = tuple(action for action, parameters in REQUIRED.items() if parameters["DomainName"] == INGEST)


@pytest.mark.parametrize("action", REQUIRED)
def test_ingest_domain_is_accepted_by_some_operations_only(cloud, call, action):
    cloud.behave(delete_missing="ok", empty_notify_config="empty")
    allowed = action in (*INGEST_ALLOWED, *INGEST_ONLY)
    code = call.code(action, **{**complete_parameters(action), "DomainName": INGEST})
    assert code == (None if allowed else "InvalidDomain.NotFound")


@pytest.mark.parametrize("action", INGEST_ONLY)
def test_streaming_domain_is_an_ingest_domain_only_if_it_has_none(cloud, call, action):
    cloud.behave(delete_missing="ok", empty_notify_config="empty")
    cloud.add_accounts({"id": "1000000000000001", "domains": [{"name": "alone.example.com"}]})
    assert call.code(action, **{**complete_parameters(action), "DomainName": DOMAIN}) == "InvalidDomain.NotFound"
    call(action, **{**complete_parameters(action), "DomainName": "alone.example.com"})


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
def test_malformed_parameters_are_refused(cloud, call, action, name, value):
    cloud.behave(limits={action: 1000})
    parameters = {**complete_parameters(action), name: value}
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
def test_windows_outside_span_or_retention_are_refused(cloud, call, action, span, retention):
    cloud.behave(limits={action: 1000})

    def outcome(start, end):
        return call.code(action, **{**complete_parameters(action), **window(start, end)})

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
        assert call.code(action, **{**complete_parameters(action), "StartTime": text}) == "MalformedParam"


def test_window_before_the_retention_is_cut_if_configured(cloud, call):
    cloud.push(ONE)
    record(call, "start", "stop", "cancel_delay")
    cloud.behave(past_window="cut")
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 10}
    assert call("DescribeLiveRecordNotifyRecords", **paged, **window(-30 * DAY))["TotalNum"] == 4
    cloud.advance(8 * DAY)
    assert call("DescribeLiveRecordNotifyRecords", **paged, **window(-30 * DAY))["TotalNum"] == 0


# RealTimeRecordCommand


@pytest.mark.parametrize(
    ("generation", "not_found", "no_config"),
    [
        ("new", (409, "StreamNotFound"), (400, "CodeConfigNotFound")),
        ("old", (404, "InvalidStream.NotFound"), (404, "InvalidConfig.NotFound")),
    ],
)
def test_error_codes_follow_the_generation(cloud, client, generation, not_found, no_config):
    cloud.behave(generation=generation)

    def outcome(command, name):
        response = client.call("RealTimeRecordCommand", Command=command, **{**STREAM, "StreamName": name})
        return response.status, response.code

    assert outcome("start", "absent") == not_found
    client.call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    cloud.push(f"{DOMAIN}/app/unconfigured")
    assert outcome("start", "unconfigured") == no_config


def test_one_operation_may_have_its_own_generation(cloud, client):
    def not_found(action):
        response = client.call(action, DomainName=DOMAIN)
        return response.status, response.code

    actions = ("DeleteLiveRecordNotifyConfig", "DescribeLiveRecordNotifyConfig")
    client.call(actions[0], DomainName=DOMAIN)
    assert [not_found(action) for action in actions] == [(404, "InvalidConfig.NotFound"), (400, "CodeConfigNotFound")]
    cloud.behave(generations={"DescribeLiveRecordNotifyConfig": "old"})
    assert [not_found(action) for action in actions] == [(400, "CodeConfigNotFound"), (404, "InvalidConfig.NotFound")]
    cloud.behave(generation="old", generations={"DeleteLiveRecordNotifyConfig": "new"})
    assert [not_found(action) for action in actions] == [(400, "CodeConfigNotFound"), (404, "InvalidConfig.NotFound")]


def test_second_start_is_refused(cloud, client, call):
    cloud.push(f"{INGEST}/app/one")
    assert list(call("RealTimeRecordCommand", Command="start", **STREAM)) == ["RequestId"]
    again = client.call("RealTimeRecordCommand", Command="start", **STREAM)
    assert (again.status, again.code) == (409, "TaskAlreadyStarted")


def test_error_without_a_task_may_be_selected(cloud, client):
    cloud.behave(idle_stop="error")
    cloud.push(ONE)
    response = client.call("RealTimeRecordCommand", Command="stop", **STREAM)
    assert (response.status, response.code) == (400, "CodeTaskNotStarted")
    cloud.behave(no_task_code="TaskAlreadyStopped", no_task_status=409)
    response = client.call("RealTimeRecordCommand", Command="stop", **STREAM)
    assert (response.status, response.code) == (409, "TaskAlreadyStopped")


def test_ledger_contains_the_request_id(cloud, call):
    cloud.push(ONE)
    request_id = call("RealTimeRecordCommand", Command="start", **STREAM)["RequestId"]
    ledger = cloud.stream(ONE)["ledger"]
    assert [(change["command"], change["request_id"]) for change in ledger["changes"]] == [("start", request_id)]


# Streams


@pytest.mark.parametrize("domain", [DOMAIN, INGEST])
def test_stream_state_follows_pushes_and_pulls(cloud, call, domain):
    def state():
        response = call("DescribeLiveStreamState", **{**STREAM, "DomainName": domain})
        return response["StreamState"], response["Type"]

    assert state() == ("offline", "push")
    cloud.push(ONE, mode="pull")
    assert state() == ("online", "pull")
    cloud.set_viewers(0, ONE)
    assert state() == ("offline", "pull")
    cloud.push(ONE)
    assert state() == ("online", "push")


@pytest.mark.parametrize("publish_type", ["edge", "pull"])
def test_publish_type_of_a_pull_may_be_selected(cloud, call, publish_type):
    cloud.behave(pull_publish_type=publish_type)
    cloud.push(ONE)
    cloud.push(f"{DOMAIN}/app/two", mode="pull")
    online = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"]
    published = call("DescribeLiveStreamsPublishList", DomainName=DOMAIN, **window())["PublishInfo"]
    for rows in (online, published["LiveStreamPublishInfo"]):
        assert {row["StreamName"]: row["PublishType"] for row in rows} == {"one": "edge", "two": publish_type}


def names_of(response):
    return [row["StreamName"] for row in response["OnlineInfo"]["LiveStreamOnlineInfo"]]


def test_online_list_is_filtered(cloud, call):
    cloud.push(ONE, f"{DOMAIN}/app/one-more", f"{DOMAIN}/other/one", f"{ABSENT}/app/one", f"{DOMAIN}/app/gone")
    cloud.drop(f"{DOMAIN}/app/gone")

    def list_filtered(**filters):
        return names_of(call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN, **filters))

    assert sorted(list_filtered()) == ["one", "one", "one-more"]
    assert sorted(list_filtered(AppName="app")) == ["one", "one-more"]
    assert sorted(list_filtered(AppName="app", StreamName="one")) == ["one", "one-more"]
    assert list_filtered(AppName="app", StreamName="one", QueryType="strict") == ["one"]
    assert sorted(list_filtered(StreamType="raw")) == ["one", "one", "one-more"]
    assert list_filtered(StreamType="trans") == []


def test_online_rows_have_the_documented_fields(cloud, call):
    cloud.push(ONE)
    brief = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN, OnlyStream="yes")
    (row,) = brief["OnlineInfo"]["LiveStreamOnlineInfo"]
    assert set(row) == {"DomainName", "AppName", "StreamName", "PublishTime"}
    (row,) = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"]
    assert (row["PublishDomain"], row["PublishUrl"]) == (INGEST, f"rtmp://{INGEST}/app/one")
    assert isinstance(row["Width"], int)


def test_publish_time_is_that_of_the_current_push(cloud, call):
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


def test_pages_contain_each_row_once(cloud, call):
    cloud.push(*(f"{DOMAIN}/app/{number:03d}" for number in range(25)))
    pages = [call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN, PageSize=10, PageNum=n) for n in (1, 2, 3, 4)]
    assert [name for page in pages for name in names_of(page)] == [f"{number:03d}" for number in range(25)]
    assert [len(names_of(page)) for page in pages] == [10, 10, 5, 0]
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
def test_ingest_history_is_ordered_as_requested(cloud, call, order, expected):
    for name in ("b", "a", "c"):
        cloud.push(f"{DOMAIN}/app/{name}")
        cloud.advance(10)
    by = {"OrderBy": order} if order else {}
    history = call("DescribeLiveStreamsPublishList", DomainName=DOMAIN, **window(), **by)
    assert [row["StreamName"] for row in history["PublishInfo"]["LiveStreamPublishInfo"]] == expected


# Recordings


def list_contents(call, **times):
    response = call("DescribeLiveStreamRecordContent", **STREAM, **(times or window()))
    return response["RecordContentInfoList"]["RecordContentInfo"]


def test_record_content_lists_finished_tasks(cloud, call):
    cloud.push(ONE)
    record(call, "start")
    cloud.advance(100)
    record(call, "restart")
    cloud.advance(50)
    record(call, "stop", "cancel_delay")
    rows = list_contents(call)
    assert [round(row["Duration"]) for row in rows] == [100, 50]
    assert now_text(-155) <= rows[0]["StartTime"] <= now_text(-149)
    assert rows[0]["EndTime"] == rows[1]["StartTime"]
    assert set(rows[0]) == {"StartTime", "EndTime", "Duration", "OssBucket", "OssEndpoint", "OssObjectPrefix"}
    assert list_contents(call, **window(-3600, -300)) == []


@pytest.mark.parametrize("end", ["now", "absent", "window-end"])
def test_running_task_is_listed_if_configured(cloud, call, end):
    cloud.push(ONE)
    record(call, "start")
    cloud.advance(100)
    assert list_contents(call) == []
    cloud.behave(running_content="listed", running_end=end)
    times = window()
    (row,) = list_contents(call, **times)
    if end == "absent":
        assert "EndTime" not in row
    elif end == "now":
        assert now_text(-5) <= row["EndTime"] <= now_text()
    else:
        assert row["EndTime"] == times["EndTime"]
    record(call, "stop")
    assert len(list_contents(call)) == 1


def list_index_files(call, **parameters):
    response = call("DescribeLiveStreamRecordIndexFiles", **STREAM, **{**window(), **parameters})
    return response, response["RecordIndexInfoList"]["RecordIndexInfo"]


def test_index_files_are_listed_in_pages(cloud, call):
    cloud.push(ONE)
    record(call, "start")
    for _number in range(6):
        cloud.advance(100)
        record(call, "restart")
    response, rows = list_index_files(call, PageSize=5)
    assert (response["TotalNum"], response["TotalPage"], response["Order"], len(rows)) == (6, 2, "asc", 5)
    assert {row["Format"] for row in rows} == {"m3u8"}
    assert [row["CreateTime"] for row in rows] == sorted(row["CreateTime"] for row in rows)
    _response, newest = list_index_files(call, PageSize=5, Order="desc")
    assert newest[0]["CreateTime"] > rows[-1]["CreateTime"]
    row = rows[0]
    assert row["RecordUrl"] == f"http://recordings.oss-cn-shanghai.aliyuncs.com/{row['OssObject']}"
    assert round(row["Duration"]) == 100
    one = call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=row["RecordId"])
    assert one["RecordIndexInfo"] == row


def test_index_window_selects_by_creation_or_recording(cloud, call):
    cloud.push(ONE)
    record(call, "start")
    cloud.advance(600)
    record(call, "stop")
    cloud.advance(300)
    by_creation, by_recording = window(-130, 0), window(-1000, -800)
    assert [len(list_index_files(call, **times)[1]) for times in (by_creation, by_recording)] == [1, 0]
    cloud.behave(index_window="recorded")
    assert [len(list_index_files(call, **times)[1]) for times in (by_creation, by_recording)] == [0, 1]


def test_index_files_are_kept_for_six_months(cloud, call):
    cloud.push(ONE)
    record(call, "start", "stop", "cancel_delay")
    for days, count in ((182, 1), (184, 0)):
        cloud.advance(days * DAY - cloud.state()["advanced"])
        times = window(-(days + 1) * DAY, -(days - 1) * DAY)
        assert list_index_files(call, **times)[0]["TotalNum"] == count


@pytest.mark.parametrize(("generation", "code"), [("new", "MalformedParam"), ("old", "InvalidRecordId")])
def test_unknown_index_file_is_refused(cloud, call, generation, code):
    cloud.behave(generation=generation)
    assert call.code("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId="x") == code


# Index files created on request


def record_for(cloud, call, seconds):
    """Record a stream for some seconds, without stopping."""
    cloud.push(ONE)
    record(call, "start")
    cloud.advance(seconds)


CREATE = {**STREAM, "OssEndpoint": "oss.example.com", "OssBucket": "clips", "OssObject": "{AppName}/{StreamName}.m3u8"}


def create_index_file(call, start, end, **more):
    return call("CreateLiveStreamRecordIndexFiles", **{**CREATE, **window(start, end), **more})["RecordInfo"]


def test_created_index_file_is_described_and_listed(cloud, call):
    record_for(cloud, call, 310)
    info = create_index_file(call, -300, 5)
    assert info["Duration"] == 300
    assert now_text(-320) <= info["StartTime"] <= now_text(-309)
    assert now_text(-20) <= info["EndTime"] <= now_text(-9)
    assert now_text(-5) <= info["CreateTime"] <= now_text()
    assert (info["OssObject"], info["OssBucket"], info["OssEndpoint"]) == ("app/one.m3u8", "clips", "oss.example.com")
    assert info["RecordUrl"] == "http://clips.oss.example.com/app/one.m3u8"
    assert "Format" not in info
    one = call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=info["RecordId"])
    assert one["RecordIndexInfo"] == {**info, "Format": "m3u8"}
    assert list_index_files(call)[0]["TotalNum"] == 1
    record(call, "restart")
    assert list_index_files(call)[0]["TotalNum"] == 2
    assert [file["format"] for file in cloud.stream(ONE)["files"]] == ["m3u8", "mp4"]


def test_segments_are_selected_by_their_upload_time(cloud, call):
    record_for(cloud, call, 315)
    assert create_index_file(call, -220, -130)["Duration"] == 90
    assert create_index_file(call, -220, -130, EndTimeIncluded="True")["Duration"] == 120
    assert create_index_file(call, -60, 10, EndTimeIncluded="true")["Duration"] == 60
    record(call, "stop")
    # The last segment is shorter, and is uploaded when the recording ends.
    assert 75 <= create_index_file(call, -60, 10)["Duration"] < 90
    cloud.advance(100)
    record(call, "start")
    cloud.advance(100)
    duration = create_index_file(call, -600, 0)["Duration"]
    assert 315 + 90 <= duration < 330 + 90


def test_variables_in_index_file_names_are_replaced(cloud, call):
    record_for(cloud, call, 100)
    template = "{AppName}/{StreamName}/{Date}/{Hour}/{Minute}_{Second}.m3u8"
    info = create_index_file(call, -90, 0, OssObject=template)
    date, clock = info["StartTime"].rstrip("Z").split("T")
    hour, minute, second = clock.split(":")
    assert info["OssObject"] == f"app/one/{date}/{hour}/{minute}_{second}.m3u8"
    assert create_index_file(call, -90, 0, OssObject="as it is")["OssObject"] == "as it is"


@pytest.mark.parametrize("generation", ["new", "old"])
def test_index_file_without_segments_is_refused(cloud, client, call, generation):
    cloud.behave(generation=generation)

    def try_create(start, end, **more):
        response = client.call("CreateLiveStreamRecordIndexFiles", **{**CREATE, **window(start, end), **more})
        return response.status, response.code

    not_found = (404, "InvalidStream.NotFound")
    malformed = (400, "MalformedParam" if generation == "new" else "InvalidEndTime")
    assert try_create(-60, 0) == not_found
    record_for(cloud, call, 100)
    assert try_create(-600, -300) == not_found
    assert try_create(-60, 0, StreamName="*") == not_found
    assert try_create(-60, -31) == malformed
    assert try_create(-5 * DAY, 0) == malformed
    assert try_create(-60, -30)[0] == 200
    record(call, "restart", "stop")
    cloud.advance(600)
    assert try_create(-300, 0) == not_found
    cloud.behave(no_segments_code="InvalidTs.NotFound")
    assert try_create(-300, 0) == (404, "InvalidTs.NotFound")


def test_index_file_requires_an_m3u8_recording(cloud, call):
    call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    mp4 = {"RecordFormat.1.Format": "mp4", "RecordFormat.1.OssObjectPrefix": PREFIX}
    names = {"DomainName": DOMAIN, "AppName": "app", "OssBucket": "b", "OssEndpoint": "e", "OnDemand": 7}
    call("AddLiveAppRecordConfig", **names, **mp4)
    record_for(cloud, call, 100)
    assert call.code("CreateLiveStreamRecordIndexFiles", **CREATE, **window()) == "InvalidStream.NotFound"


def test_shortest_index_file_is_one_segment(cloud, call):
    call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    call("AddLiveAppRecordConfig", **ADD, AppName="app", OnDemand=7, **{"RecordFormat.1.SliceDuration": 10})
    record_for(cloud, call, 100)
    assert create_index_file(call, -50, -40)["Duration"] == 10
    assert call.code("CreateLiveStreamRecordIndexFiles", **CREATE, **window(-50, -41)) == "MalformedParam"


# The history of stream control


def list_history(call, **parameters):
    response = call("DescribeLiveStreamsControlHistory", **{"DomainName": DOMAIN, **window(), **parameters})
    return [(row["StreamName"], row["Action"]) for row in response["ControlInfo"]["LiveStreamControlInfo"]]


def test_control_history_is_filtered(cloud, call):
    cloud.push(ONE)
    record(call, "start", "stop")
    names = {"domain_name": INGEST, "app_name": "other", "stream_name": "two"}
    cloud.add_controls(
        {**names, "action": "resume"}, {**names, "action": "forbid", "age": 60, "client_ip": "192.0.2.9"}
    )
    assert list_history(call) == [("two", "forbid"), ("two", "resume")]
    assert list_history(call, AppName="app") == []
    assert list_history(call, **window(-3600, -30)) == [("two", "forbid")]
    cloud.behave(control_history="commands")
    assert list_history(call, AppName="app") == [("one", "RealTimeRecordCommand")] * 2
    assert call.code("RealTimeRecordCommand", **STREAM, Command="pause") == "MalformedParam"
    assert len(list_history(call)) == 4
    response = call("DescribeLiveStreamsControlHistory", DomainName=DOMAIN, **window(-3600, -30))
    (row,) = response["ControlInfo"]["LiveStreamControlInfo"]
    assert now_text(-65) <= row.pop("TimeStamp") <= now_text(-55)
    assert row == {"StreamName": "two", "ClientIP": "192.0.2.9", "Action": "forbid"}


# The notify log


def list_events(call, **parameters):
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 100}
    return call("DescribeLiveRecordNotifyRecords", **{**paged, **window(), **parameters})


def kinds_of(response):
    return [row["NotifyType"] for row in response["CallbackList"]]


def test_notify_records_are_filtered_and_paged(cloud, call):
    cloud.push(ONE, f"{DOMAIN}/app/two")
    record(call, "start")
    cloud.advance(10)
    record(call, "stop", "cancel_delay")
    response = list_events(call)
    assert (response["Code"], response["Msg"], response["PageNum"], response["TotalNum"]) == (0, "ok", 1, 4)
    assert kinds_of(response) == ["record_started", "record_paused", "file_created", "file_created"]
    row = response["CallbackList"][0]
    assert json.loads(row["NotifyContent"]) == {
        "domain": DOMAIN,
        "app": "app",
        "stream": "one",
        "event": "record_started",
    }
    assert row["NotifyResult"] == "success"
    assert now_text(-15) <= row["NotifyTime"] <= now_text(-9)
    assert "event" not in json.loads(response["CallbackList"][2]["NotifyContent"])
    assert kinds_of(list_events(call, AppName="app", StreamName="two")) == []
    assert kinds_of(list_events(call, AppName="other")) == []
    assert kinds_of(list_events(call, PageNumber=2, PageSize=3)) == ["file_created"]
    assert kinds_of(list_events(call, StorageType="vod")) == []
    assert kinds_of(list_events(call, Status="failed")) == []
    cloud.behave(notify_order="desc")
    assert kinds_of(list_events(call))[-1] == "record_started"


def test_events_are_listed_after_the_lag(cloud, call):
    cloud.behave(notify_lag=30)
    cloud.push(ONE)
    record(call, "start")
    assert kinds_of(list_events(call)) == []
    cloud.advance(30)
    assert kinds_of(list_events(call)) == ["record_started"]


def test_lag_spread_delays_events_differently(cloud, call):
    cloud.behave(notify_lag=30, notify_lag_spread=30)
    cloud.push(ONE)
    for _number in range(20):
        record(call, "start")
        record(call, "stop")
    counts = []
    for seconds in (29, 16, 16):
        cloud.advance(seconds)
        counts.append(len(list_events(call)["CallbackList"]))
    assert counts[0] == 0 < counts[1] < counts[2] == 40


@pytest.mark.parametrize("skew", [-90, 90])
def test_notify_log_may_have_another_clock(cloud, call, skew):
    cloud.push(ONE)
    cloud.behave(notify_skew=skew)
    earliest = now_text(skew)
    record(call, "start")
    latest = now_text(skew)
    (row,) = list_events(call, EndTime=now_text(120))["CallbackList"]
    assert earliest <= row["NotifyTime"] <= latest
    assert kinds_of(list_events(call, StartTime=earliest, EndTime=now_text(120))) == ["record_started"]
    assert kinds_of(list_events(call, EndTime=now_text(skew - 5))) == []


@pytest.mark.parametrize("skew", [-600, 600])
def test_clock_skew_applies_to_all_times(cloud, call, skew):
    """Verify that events, publish times and query windows all follow the skewed clock."""
    cloud.behave(clock_skew=skew)
    cloud.push(ONE)
    record(call, "start")
    (row,) = list_events(call, **window(skew - 5, skew + 5))["CallbackList"]
    assert now_text(skew - 5) <= row["NotifyTime"] <= now_text(skew)
    published = call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"][0]
    assert now_text(skew - 5) <= published["PublishTime"] <= now_text(skew)
    assert list_events(call, **window(-60, 60))["CallbackList"] == []
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 100}
    past = {**paged, **window(skew - 7 * DAY - 60, skew)}
    assert call.code("DescribeLiveRecordNotifyRecords", **past) == "MalformedParam"
    cloud.advance(100)
    assert list_events(call, **window(skew - 105, skew - 95))["CallbackList"]


def test_failed_deliveries_are_listed_as_failed(cloud, call):
    cloud.behave(notify_result="failed", notify_code=200)
    cloud.push(ONE)
    record(call, "start")
    response = list_events(call, Status="failed")
    assert (response["Code"], kinds_of(response)) == (200, ["record_started"])
    assert kinds_of(list_events(call, Status="success")) == []


def test_page_parameters_have_defaults_if_configured(cloud, call):
    cloud.behave(notify_paging="defaulted")
    response = call("DescribeLiveRecordNotifyRecords", DomainName=DOMAIN, **window())
    assert (response["PageNum"], response["PageSize"]) == (1, 20)


def test_added_events_are_listed_by_age(cloud, call):
    cloud.push(ONE)
    record(call, "start")
    content = {"error_info": {"code": "BucketNotFound", "message": "Bucket not found"}}
    event = {"domain_name": DOMAIN, "app_name": "app", "stream_name": "one", "notify_type": "record_error"}
    cloud.add_events({**event, "age": 100, "content": content})
    response = list_events(call)
    assert kinds_of(response) == ["record_error", "record_started"]
    assert kinds_of(list_events(call, AppName="app", StreamName="one")) == ["record_error", "record_started"]
    assert json.loads(response["CallbackList"][0]["NotifyContent"])["error_info"]["code"] == "BucketNotFound"


# Configurations

M3U8 = {
    "RecordFormat.1.Format": "m3u8",
    "RecordFormat.1.OssObjectPrefix": PREFIX,
    "RecordFormat.1.SliceOssObjectPrefix": SLICES,
}
ADD = {"DomainName": DOMAIN, "OssBucket": "b", "OssEndpoint": "oss.example.com", **M3U8}


def list_configs(call, **filters):
    response = call("DescribeLiveRecordConfig", DomainName=DOMAIN, **filters)
    return response["LiveAppRecordList"]["LiveAppRecord"]


def test_built_in_configuration_is_listed(call):
    (row,) = list_configs(call)
    assert (row["AppName"], row["StreamName"], row["OnDemond"], row["DelayTime"]) == ("*", "*", 7, 180)
    formats = row["RecordFormatList"]["RecordFormat"]
    assert [(item["Format"], item["CycleDuration"]) for item in formats] == [("m3u8", 21600), ("mp4", 3600)]
    assert formats[0]["SliceDuration"] == 30
    assert row["TranscodeTemplates"] == {"Templates": []}


def test_added_configuration_is_listed(call):
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
    (row,) = list_configs(call, AppName="app")
    assert (row["OnDemond"], row["DelayTime"], row["OssBucket"]) == (7, 15, "b")
    assert [item["Format"] for item in row["RecordFormatList"]["RecordFormat"]] == ["m3u8", "flv"]
    assert [item["Format"] for item in row["TranscodeRecordFormatList"]["RecordFormat"]] == ["mp4"]
    assert row["TranscodeTemplates"] == {"Templates": ["sd"]}
    assert now_text(7 * DAY + 55) <= row["EndTime"] <= now_text(7 * DAY + 60)


def test_period_bounds_the_automatic_recording(cloud, call):
    key = {"DomainName": DOMAIN, "AppName": "app", "StreamName": "one"}
    call("AddLiveAppRecordConfig", **ADD, AppName="app", StreamName="one", StartTime=now_text(600))
    cloud.push(ONE)
    cloud.advance(300)
    (row,) = list_configs(call, AppName="app")
    assert now_text(290) <= row["StartTime"] <= now_text(300)
    assert "EndTime" not in row
    assert cloud.stream(ONE)["recording"] == "idle"
    cloud.advance(300)
    assert cloud.stream(ONE)["recording"] == "recording"
    update = {**key, "OssEndpoint": "e"}
    assert call.code("UpdateLiveAppRecordConfig", **update, EndTime=now_text(-3600)) == "MalformedParam"
    call("UpdateLiveAppRecordConfig", **update, EndTime=now_text(30 * DAY))
    (row,) = list_configs(call, AppName="app")
    assert now_text(7 * DAY - 90) <= row["EndTime"] <= now_text(7 * DAY)
    (config,) = [config for config in cloud.state()["record_configs"] if config["app"] == "app"]
    assert (config["start"], config["end"]) == (row["StartTime"], row["EndTime"])


@pytest.mark.parametrize("name", ["StartTime", "EndTime"])
def test_period_is_refused_for_more_than_one_stream(call, name):
    assert call.code("AddLiveAppRecordConfig", **ADD, AppName="app", **{name: now_text(60)}) == "MalformedParam"
    update = {"DomainName": DOMAIN, "AppName": "*", "OssEndpoint": "e"}
    assert call.code("UpdateLiveAppRecordConfig", **update, **{name: now_text(60)}) == "MalformedParam"


def test_second_configuration_of_a_triple_is_refused(call):
    call("AddLiveAppRecordConfig", **ADD, AppName="app")
    assert call.code("AddLiveAppRecordConfig", **ADD, AppName="app", StreamName="*") == "CodeConfigAlreadyExists"
    call("AddLiveAppRecordConfig", **ADD, AppName="app", StreamName="one")


def test_code_for_an_existing_configuration_may_be_selected(cloud, call):
    cloud.behave(config_exists_code="InvalidConfig.Exists")
    assert call.code("AddLiveAppRecordConfig", **ADD, AppName="*") == "InvalidConfig.Exists"


def test_added_configuration_is_automatic_by_default(cloud, call):
    call("AddLiveAppRecordConfig", **ADD, AppName="app")
    assert list_configs(call, AppName="app")[0]["OnDemond"] == 0
    cloud.push(ONE)
    assert call.code("RealTimeRecordCommand", Command="start", **STREAM) == "TaskAlreadyStarted"


@pytest.mark.parametrize("prefix", ["", "{Sequence}", "{UnixTimestamp}"])
def test_sliced_formats_require_a_slice_prefix(call, prefix):
    parameters = {**ADD, "AppName": "app", "RecordFormat.1.SliceOssObjectPrefix": prefix}
    code = call.code("AddLiveAppRecordConfig", **parameters)
    assert code == ("MalformedParam" if prefix else "MissingParam")


def test_repeated_format_is_refused(call):
    twice = {"RecordFormat.2.Format": "M3U8", **{key.replace("1", "2"): value for key, value in M3U8.items()}}
    assert call.code("AddLiveAppRecordConfig", **ADD, AppName="app", **twice) == "MalformedParam"


@pytest.mark.parametrize(("switch", "formats"), [("merge", ["m3u8", "mp4"]), ("replace", ["mp4"])])
def test_update_merges_or_replaces_formats(cloud, call, switch, formats):
    cloud.behave(update_formats=switch)
    changes = {"OnDemand": 0, "DelayTime": 20, "RecordFormat.1.Format": "mp4", "RecordFormat.1.CycleDuration": 600}
    call("UpdateLiveAppRecordConfig", DomainName=DOMAIN, AppName="*", OssEndpoint="new", OssBucket="ignored", **changes)
    (row,) = list_configs(call)
    assert (row["OnDemond"], row["DelayTime"], row["OssEndpoint"], row["OssBucket"]) == (0, 20, "new", "recordings")
    rows = row["RecordFormatList"]["RecordFormat"]
    assert [item["Format"] for item in rows] == formats
    assert (rows[-1]["CycleDuration"], rows[-1]["OssObjectPrefix"]) == (600, PREFIX)


@pytest.mark.parametrize(("generation", "code"), [("new", "CodeConfigNotFound"), ("old", "InvalidConfig.NotFound")])
def test_absent_configurations_are_not_found(cloud, call, generation, code):
    cloud.behave(generation=generation)
    app = {"DomainName": DOMAIN, "AppName": "app"}
    assert call.code("UpdateLiveAppRecordConfig", **app, OssEndpoint="e") == code
    assert call.code("DeleteLiveAppRecordConfig", **app) == code
    cloud.behave(delete_missing="ok")
    call("DeleteLiveAppRecordConfig", **app)


def test_deleted_configuration_is_not_listed(call):
    call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    assert list_configs(call) == []


@pytest.mark.parametrize(("switch", "found"), [("literal", 1), ("pattern", 3)])
def test_configuration_filters_are_literal_or_patterns(cloud, call, switch, found):
    cloud.behave(config_filter=switch)
    call("AddLiveAppRecordConfig", **ADD, AppName="app")
    call("AddLiveAppRecordConfig", **ADD, AppName="app", StreamName="one")
    call("AddLiveAppRecordConfig", **ADD, AppName="other", StreamName="one")
    assert len(list_configs(call)) == 4
    assert len(list_configs(call, AppName="app", StreamName="one")) == found
    assert len(list_configs(call, AppName="other", StreamName="two")) == (0 if switch == "literal" else 1)


def test_configurations_are_listed_in_pages_and_upper_case(cloud, call):
    cloud.behave(record_format_case="upper")
    for number in range(6):
        call("AddLiveAppRecordConfig", **ADD, AppName=f"app{number}")
    response = call("DescribeLiveRecordConfig", DomainName=DOMAIN, PageSize=5, PageNum=2, Order="desc")
    assert (response["TotalNum"], response["TotalPage"], response["PageNum"]) == (7, 2, 2)
    rows = response["LiveAppRecordList"]["LiveAppRecord"]
    assert [row["AppName"] for row in rows] == ["app0", "*"]
    assert rows[0]["RecordFormatList"]["RecordFormat"][0]["Format"] == "M3U8"


# Callback configurations


def read_notify_config(call):
    return call("DescribeLiveRecordNotifyConfig", DomainName=DOMAIN)["LiveRecordNotifyConfig"]


def test_added_notify_config_is_returned(cloud, call):
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
    assert read_notify_config(call) == expected
    cloud.behave(notify_auth_type="string")
    assert read_notify_config(call)["NotifyReqAuth"] == "yes"


@pytest.mark.parametrize(("switch", "kept"), [("reset", False), ("keep", True)])
def test_update_resets_or_keeps_absent_fields(cloud, call, switch, kept):
    cloud.behave(update_notify=switch)
    call("UpdateLiveRecordNotifyConfig", DomainName=DOMAIN, NotifyUrl="http://y.example.com")
    found = read_notify_config(call)
    assert (found["NotifyUrl"], found["NeedStatusNotify"]) == ("http://y.example.com", kept)


def test_absent_notify_config_is_not_found(cloud, call):
    call("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN)
    assert call.code("DescribeLiveRecordNotifyConfig", DomainName=DOMAIN) == "CodeConfigNotFound"
    assert call.code("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN) == "InvalidConfig.NotFound"
    assert call.code("UpdateLiveRecordNotifyConfig", DomainName=DOMAIN, NotifyUrl="http://y.example.com") == (
        "CodeConfigNotFound"
    )
    cloud.behave(empty_notify_config="empty")
    assert read_notify_config(call) == {}


@pytest.mark.parametrize("action", ["AddLiveRecordNotifyConfig", "UpdateLiveRecordNotifyConfig"])
@pytest.mark.parametrize("name", ["NotifyUrl", "OnDemandUrl"])
@pytest.mark.parametrize("url", ["x.example.com", "ftp://x.example.com", "http://", "http://x/a b", "http://x/中"])
def test_malformed_callback_urls_are_refused(call, action, name, url):
    parameters = {"DomainName": DOMAIN, "NotifyUrl": "http://x.example.com", name: url}
    assert call.code(action, **parameters) == f"Invalid{name}.Malformed"


def test_callback_authentication_requires_a_key(call):
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
def test_private_callback_urls_are_refused_if_configured(cloud, call, action, domain, url):
    call(action, DomainName=domain, NotifyUrl=url)
    cloud.behave(private_callbacks="refused")
    assert call.code(action, DomainName=domain, NotifyUrl=url) == "InvalidNotifyUrl.Unsafe"
    for public in ("http://x.example.com/", "http://8.8.8.8/"):
        call(action, DomainName=domain, NotifyUrl=public)


def test_cycles_out_of_range_are_refused_if_configured(cloud, call):
    call("AddLiveAppRecordConfig", **{**ADD, "RecordFormat.1.CycleDuration": 899}, AppName="short")
    cloud.behave(cycle_range="bounded")
    for cycle, code in ((899, "MalformedParam"), (900, None), (21600, None), (21601, "MalformedParam")):
        parameters = {"DomainName": DOMAIN, "AppName": "short", "OssEndpoint": "e", "RecordFormat.1.Format": "m3u8"}
        changed = call.code("UpdateLiveAppRecordConfig", **parameters, **{"RecordFormat.1.CycleDuration": cycle})
        added = call.code("AddLiveAppRecordConfig", **{**ADD, "RecordFormat.1.CycleDuration": cycle}, AppName=cycle)
        assert (changed, added) == (code, code), cycle


def test_notify_log_is_filtered_by_storage_type(cloud, call):
    names = dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/")))
    for storage in ("oss", "vod"):
        cloud.add_events({**names, "notify_type": "record_started", "storage_type": storage})
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 10, **window()}

    def list_filtered(**filters):
        rows = call("DescribeLiveRecordNotifyRecords", **paged, **filters)["CallbackList"]
        return sorted(row["StorageType"] for row in rows)

    assert [list_filtered(StorageType=kind) for kind in ("oss", "vod", "all")] == [["oss"], ["vod"], ["oss", "vod"]]
    assert list_filtered() == ["oss", "vod"]
    cloud.behave(notify_storage="oss")
    assert list_filtered() == ["oss"]


# Callbacks of ingest domains

KEY = "0123456789abcdef"


def read_ingest_config(call, domain=INGEST):
    return call("DescribeLiveStreamsNotifyUrlConfig", DomainName=domain)["LiveStreamsNotifyConfig"]


def list_ingest_events(call, **parameters):
    query = {"DomainName": INGEST, **window(), **parameters}
    return call("DescribeLiveStreamsNotifyRecords", **query)["NotifyRecordsInfo"]["LiveStreamNotifyRecordsInfo"]


def test_ingest_notify_config_is_set_updated_and_deleted(cloud, call):
    assert call.code("DescribeLiveStreamsNotifyUrlConfig", DomainName=INGEST) == "CodeConfigNotFound"
    assert call.code("DeleteLiveStreamsNotifyUrlConfig", DomainName=INGEST) == "CodeConfigNotFound"
    urls = {"NotifyUrl": "http://x.example.com/p", "ExceptionNotifyUrl": "https://x.example.com/e"}
    more = {"SwitchNotifyUrl": "http://x.example.com/s", "NotifyReqAuth": "yes", "NotifyAuthKey": KEY * 4}
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, **urls, **more)
    assert read_ingest_config(call) == {"DomainName": INGEST, **urls, "NotifyReqAuth": "yes", "NotifyAuthKey": KEY * 4}
    (logged,) = cloud.calls("SetLiveStreamsNotifyUrlConfig")
    assert logged["params"]["NotifyAuthKey"] == "***"
    cloud.behave(update_notify="keep")
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl="http://y.example.com")
    kept = {**urls, "NotifyUrl": "http://y.example.com", "NotifyReqAuth": "yes", "NotifyAuthKey": KEY * 4}
    assert read_ingest_config(call) == {"DomainName": INGEST, **kept}
    cloud.behave(update_notify="reset")
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl="http://z.example.com")
    reset = {"NotifyUrl": "http://z.example.com", "ExceptionNotifyUrl": "", "NotifyReqAuth": "no", "NotifyAuthKey": ""}
    assert read_ingest_config(call) == {"DomainName": INGEST, **reset}
    call("DeleteLiveStreamsNotifyUrlConfig", DomainName=INGEST)
    cloud.behave(empty_notify_config="empty", delete_missing="ok")
    assert read_ingest_config(call) == {}
    call("DeleteLiveStreamsNotifyUrlConfig", DomainName=INGEST)


def test_ingest_authentication_requires_a_key(call):
    assert call.code("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyReqAuth="yes") == "MissingParam"


@pytest.mark.parametrize("name", ["NotifyUrl", "ExceptionNotifyUrl", "SwitchNotifyUrl"])
def test_malformed_ingest_urls_are_refused(call, name):
    response = call.code("SetLiveStreamsNotifyUrlConfig", **{"DomainName": INGEST, name: "x.example.com"})
    assert response == f"Invalid{name}.Malformed"


def test_ingest_log_contains_the_events_of_pushes(cloud, call):
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
    started, ended = list_ingest_events(call)
    assert [row["NotifyType"] for row in (started, ended)] == ["publish", "publish_done"]
    content = json.loads(started["NotifyContent"])
    shared = {"ip": "192.0.2.1", "id": "one", "app": INGEST, "appname": "app", "node": "192.0.2.2"}
    shared["usrargs"] = f"vhost={INGEST}&auth_key=1-2"
    assert now_text(-60) <= started["NotifyTime"] <= now_text(-57)
    assert now_text(-5) <= ended["NotifyTime"] <= now_text(0)
    assert {**content, "time": 0} == {**shared, "action": "publish", "time": 0, "height": "720", "width": "1280"}
    assert {**json.loads(ended["NotifyContent"]), "time": 0} == {**shared, "action": "publish_done", "time": 0}
    headers = json.loads(started["NotifyHeader"])
    signed = f"{INGEST}|{headers['ALI-LIVE-TIMESTAMP'][0]}|{KEY}"
    assert headers["ALI-LIVE-SIGNATURE"] == [hashlib.md5(signed.encode()).hexdigest()]
    assert sorted(headers) == ["ALI-LIVE-SIGNATURE", "ALI-LIVE-TIMESTAMP"]
    assert [started[name] for name in ("DomainName", "AppName", "StreamName", "NotifyUrl")] == [
        INGEST,
        "app",
        "one",
        url,
    ]
    assert [started[name] for name in ("NotifyResult", "NotifyResponse", "Description")] == ["success", "ok", "success"]
    assert [ended[name] for name in ("NotifyResult", "NotifyResponse", "Description")] == ["failed", "", "failed"]
    (logged,) = [event for event in cloud.state(ONE)["ingest_events"] if event["notify_type"] == "publish"]
    assert logged["domain_name"] == INGEST


def test_ingest_log_is_filtered_and_paged(cloud, call):
    call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl="http://x.example.com/")
    for number in range(3):
        cloud.push(f"{DOMAIN}/app{number}/one")
        cloud.advance(10)
    assert [row["AppName"] for row in list_ingest_events(call)] == ["app0", "app1", "app2"]
    assert [row["AppName"] for row in list_ingest_events(call, PageSize=2, PageNumber=2)] == ["app2"]
    assert [row["AppName"] for row in list_ingest_events(call, AppName="app1", StreamName="one")] == ["app1"]
    assert list_ingest_events(call, StreamName="two") == list_ingest_events(call, Status="failed") == []
    cloud.behave(notify_order="desc", notify_lag=15)
    assert [row["AppName"] for row in list_ingest_events(call)] == ["app1", "app0"]
    assert call("DescribeLiveStreamsNotifyRecords", DomainName=INGEST, **window())["TotalNum"] == 2


def test_domain_without_ingest_domains_is_the_app_of_its_callbacks(cloud, call):
    cloud.add_accounts({"id": "1000000000000001", "domains": [{"name": "alone.example.com"}]})
    call("SetLiveStreamsNotifyUrlConfig", DomainName="alone.example.com", NotifyUrl="http://x.example.com/")
    cloud.push("alone.example.com/app/one")
    cloud.advance(2)
    (row,) = list_ingest_events(call, DomainName="alone.example.com")
    assert json.loads(row["NotifyContent"])["app"] == row["DomainName"] == "alone.example.com"


def test_file_callbacks_repeat_the_callback_parameters(cloud, call):
    names = dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/")))
    cloud.push({**names, "query": "callback_id=7&auth_key=1-2&callback_id=8&callback_no="})
    record(call, "start", "stop", "cancel_delay")
    paged = {"DomainName": DOMAIN, "PageNumber": 1, "PageSize": 10, **window()}
    rows = call("DescribeLiveRecordNotifyRecords", **paged)["CallbackList"]
    arguments = [json.loads(row["NotifyContent"]).get("push_args") for row in rows]
    push_args = {"callback_id": "7", "callback_no": ""}
    assert arguments == [None if row["NotifyType"] != "file_created" else push_args for row in rows]
    assert push_args in arguments


# Domains


def test_user_domains_are_filtered_and_paged(cloud, call):
    domain = {"name": "show.example.net", "ingest": ["push.example.net"], "region": "cn-beijing", "tags": {"k": "v"}}
    cloud.add_accounts({"id": "1000000000000001", "domains": [domain]})

    def list_filtered(**filters):
        response = call("DescribeLiveUserDomains", **filters)
        assert response["TotalCount"] == len(response["Domains"]["PageData"])
        return [row["DomainName"] for row in response["Domains"]["PageData"]]

    assert list_filtered() == [DOMAIN, INGEST, "show.example.net", "push.example.net"]
    assert list_filtered(LiveDomainType="liveVideo") == [DOMAIN, "show.example.net"]
    assert list_filtered(LiveDomainType="liveEdge", RegionName="cn-beijing") == ["push.example.net"]
    assert list_filtered(DomainName="example.com") == [DOMAIN, INGEST]
    assert list_filtered(DomainName="show", DomainSearchType="pre_match") == ["show.example.net"]
    assert list_filtered(DomainName=".net", DomainSearchType="suf_match") == ["show.example.net", "push.example.net"]
    assert list_filtered(DomainName=DOMAIN, DomainSearchType="full_match") == [DOMAIN]
    assert list_filtered(DomainStatus="offline") == []
    assert list_filtered(**{"Tag.1.Key": "k", "Tag.1.Value": "v"}) == ["show.example.net", "push.example.net"]
    paged = call("DescribeLiveUserDomains", PageSize=3, PageNumber=2)
    assert (paged["TotalCount"], paged["PageNumber"], len(paged["Domains"]["PageData"])) == (4, 2, 1)
    assert call.code("DescribeLiveUserDomains", PageSize=51) == "MalformedParam"


@pytest.mark.parametrize("domain", [DOMAIN, INGEST])
def test_domain_mapping_contains_all_domains(call, domain):
    models = call("DescribeLiveDomainMapping", DomainName=domain)["LiveDomainModels"]["LiveDomainModel"]
    assert models == [{"DomainName": DOMAIN, "Type": "vhost"}, {"DomainName": INGEST, "Type": "publish"}]


def test_parameters_may_be_in_a_form_body(cloud):
    cloud.push(f"{DOMAIN}/my app/a b*~/+&=%中文")
    response = SigningClient(cloud.endpoint).call_v1(
        "RealTimeRecordCommand",
        form=True,
        Command="start",
        DomainName=DOMAIN,
        AppName="my app",
        StreamName="a b*~/+&=%中文",
    )
    assert response.status == 200
