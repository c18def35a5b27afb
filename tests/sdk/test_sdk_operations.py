# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operation of the official SDKs, succeeding and failing, in both error generations."""

from __future__ import annotations

import json
import time

import pytest
from official_clients import CLIENTS, CurrentSdk, LegacySdk, SdkError

from support.emulator import (
    ACCOUNT,
    INACTIVE_KEY,
    KEY,
    OIDC_PROVIDER,
    OIDC_TOKEN,
    POWERLESS_KEY,
    ROLE,
    ROOT_KEY,
    Emulator,
)

DOMAIN, INGEST, ABSENT = "live.example.com", "push.example.com", "live.example.org"
STREAM = {"DomainName": DOMAIN, "AppName": "app", "StreamName": "one"}
ONE = f"{DOMAIN}/app/one"
PREFIX = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
SLICES = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
CLIP = {"OssEndpoint": "oss.example.com", "OssBucket": "clips", "OssObject": "{AppName}/{StreamName}.m3u8"}
STRANGE = "a b*~/+&=%中文"


def utc_text(offset):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))


def window():
    return {"StartTime": utc_text(-3600), "EndTime": utc_text(60)}


def expect_error(client, operation, **parameters):
    with pytest.raises(SdkError) as caught:
        client.call(operation, **parameters)
    return caught.value


@pytest.fixture
def codes(cloud):
    """Return the error codes and statuses of the running generation."""
    new = cloud.control("GET", "behaviour")["generation"] == "new"
    return {
        "stream": ("StreamNotFound", 409) if new else ("InvalidStream.NotFound", 404),
        "config": ("CodeConfigNotFound", 400) if new else ("InvalidConfig.NotFound", 404),
        "malformed": lambda name: ("MalformedParam" if new else f"Invalid{name}", 400),
        "missing": lambda name: ("MissingParam" if new else f"Missing{name}", 400),
    }


def outcome(error):
    return error.code, error.http_status


def record(client, *commands):
    for command in commands:
        assert client.call("RealTimeRecordCommand", Command=command, **STREAM) == {}


# RealTimeRecordCommand


def test_second_start_is_refused(cloud, client):
    cloud.push(ONE)
    record(client, "start", "restart", "stop", "cancel_delay", "start")
    error = expect_error(client, "RealTimeRecordCommand", Command="start", **STREAM)
    assert outcome(error) == ("TaskAlreadyStarted", 409)
    calls = cloud.calls("RealTimeRecordCommand")
    assert {call["signature"] for call in calls} == {client.scheme}
    assert calls[-1]["request_id"] == error.request_id
    assert cloud.stream(ONE)["ledger"]["splits"] == 1


@pytest.mark.parametrize("command", ["start", "stop", "cancel_delay", "restart"])
def test_command_without_stream_or_configuration_is_refused(cloud, client, codes, command):
    assert outcome(expect_error(client, "RealTimeRecordCommand", Command=command, **STREAM)) == codes["stream"]
    client.call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    cloud.push(ONE)
    assert outcome(expect_error(client, "RealTimeRecordCommand", Command=command, **STREAM)) == codes["config"]


@pytest.mark.parametrize("command", ["stop", "cancel_delay", "restart"])
def test_command_without_a_task_is_refused(cloud, client, command):
    cloud.push(ONE)
    error = expect_error(client, "RealTimeRecordCommand", Command=command, **STREAM)
    assert outcome(error) == ("CodeTaskNotStarted", 400)


def test_malformed_and_missing_parameters_are_refused(client, codes):
    error = expect_error(client, "RealTimeRecordCommand", Command="pause", **STREAM)
    assert outcome(error) == codes["malformed"]("Command")
    for name in ("Command", "AppName", "StreamName", "DomainName"):
        parameters = {"Command": "start", **STREAM}
        del parameters[name]
        assert outcome(expect_error(client, "RealTimeRecordCommand", **parameters)) == codes["missing"](name)


def test_special_characters_in_names_are_accepted(cloud, client):
    cloud.push((DOMAIN, "my app", STRANGE))
    names = {"DomainName": DOMAIN, "AppName": "my app", "StreamName": STRANGE}
    client.call("RealTimeRecordCommand", Command="start", **names)
    assert client.call("DescribeLiveStreamState", **names)["StreamState"] == "online"
    assert cloud.calls("RealTimeRecordCommand")[-1]["params"]["StreamName"] == STRANGE


# Parameters with which every operation refuses a domain of another account

MINIMAL = {
    "RealTimeRecordCommand": lambda: {**STREAM, "Command": "start"},
    "DescribeLiveStreamState": lambda: STREAM,
    "DescribeLiveStreamsOnlineList": dict,
    "DescribeLiveStreamsPublishList": window,
    "DescribeLiveStreamRecordContent": lambda: {**STREAM, **window()},
    "DescribeLiveStreamRecordIndexFiles": lambda: {**STREAM, **window()},
    "DescribeLiveStreamRecordIndexFile": lambda: {**STREAM, "RecordId": "x"},
    "CreateLiveStreamRecordIndexFiles": lambda: {**STREAM, **window(), **CLIP},
    "DescribeLiveStreamsControlHistory": window,
    "DescribeLiveRecordNotifyRecords": lambda: {**window(), "PageNumber": 1, "PageSize": 5},
    "DescribeLiveRecordConfig": dict,
    "AddLiveAppRecordConfig": lambda: {
        "AppName": "app",
        "OssBucket": "b",
        "OssEndpoint": "e",
        "RecordFormat": [{"Format": "mp4", "OssObjectPrefix": PREFIX}],
    },
    "UpdateLiveAppRecordConfig": lambda: {"AppName": "*", "OssEndpoint": "e"},
    "DeleteLiveAppRecordConfig": lambda: {"AppName": "*"},
    "DescribeLiveRecordNotifyConfig": dict,
    "AddLiveRecordNotifyConfig": lambda: {"NotifyUrl": "http://x.example.com"},
    "UpdateLiveRecordNotifyConfig": lambda: {"NotifyUrl": "http://x.example.com"},
    "DeleteLiveRecordNotifyConfig": dict,
    "SetLiveStreamsNotifyUrlConfig": dict,
    "DescribeLiveStreamsNotifyUrlConfig": dict,
    "DeleteLiveStreamsNotifyUrlConfig": dict,
    "DescribeLiveStreamsNotifyRecords": window,
    "DescribeLiveDomainMapping": dict,
}


@pytest.mark.parametrize("operation", MINIMAL)
def test_domain_of_another_account_is_not_found(client, operation):
    error = expect_error(client, operation, **{**MINIMAL[operation](), "DomainName": ABSENT})
    assert outcome(error) == ("InvalidDomain.NotFound", 404)


# Streams


def test_stream_state_follows_the_push(cloud, client):
    assert client.call("DescribeLiveStreamState", **STREAM) == {"StreamState": "offline", "Type": "push"}
    cloud.push(ONE)
    state = client.call("DescribeLiveStreamState", **{**STREAM, "DomainName": INGEST})
    assert state == {"StreamState": "online", "Type": "push"}


def test_pulled_stream_is_online_while_it_has_viewers(cloud, client, codes):
    cloud.behave(pull_publish_type="pull")
    cloud.set_viewers(1, ONE)
    record(client, "start")
    assert client.call("DescribeLiveStreamState", **STREAM) == {"StreamState": "online", "Type": "pull"}
    online = client.call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"]
    published = client.call("DescribeLiveStreamsPublishList", DomainName=DOMAIN, **window())["PublishInfo"]
    assert [row["PublishType"] for row in (*online, *published["LiveStreamPublishInfo"])] == ["pull", "pull"]
    cloud.set_viewers(0, ONE)
    assert client.call("DescribeLiveStreamState", **STREAM) == {"StreamState": "offline", "Type": "pull"}
    assert outcome(expect_error(client, "RealTimeRecordCommand", Command="start", **STREAM)) == codes["stream"]
    assert cloud.stream(ONE)["recording"] == "paused"


def test_online_list_is_filtered_and_paged(cloud, client, codes):
    cloud.push(*(f"{DOMAIN}/app/{number}" for number in range(5)))
    parameters = {"DomainName": DOMAIN, "QueryType": "strict", "StreamType": "raw", "PageNum": 2, "PageSize": 2}
    response = client.call("DescribeLiveStreamsOnlineList", **parameters)
    rows = response["OnlineInfo"]["LiveStreamOnlineInfo"]
    assert (response["TotalNum"], response["TotalPage"], [row["StreamName"] for row in rows]) == (5, 3, ["2", "3"])
    assert (rows[0]["PublishDomain"], rows[0]["Width"]) == (INGEST, 1280)
    error = expect_error(client, "DescribeLiveStreamsOnlineList", DomainName=DOMAIN, PageSize=3001)
    assert outcome(error) == codes["malformed"]("PageSize")


def test_publish_list_contains_finished_pushes(cloud, client, codes):
    cloud.push(ONE)
    cloud.advance(60)
    cloud.drop(ONE)
    response = client.call("DescribeLiveStreamsPublishList", DomainName=DOMAIN, OrderBy="stream_name_desc", **window())
    (row,) = response["PublishInfo"]["LiveStreamPublishInfo"]
    assert (row["StreamName"], row["PublishDomain"]) == ("one", INGEST)
    assert utc_text(-70) <= row["PublishTime"] < row["StopTime"]
    times = {"StartTime": utc_text(-31 * 86400), "EndTime": utc_text(0)}
    error = expect_error(client, "DescribeLiveStreamsPublishList", DomainName=DOMAIN, **times)
    assert outcome(error) == codes["malformed"]("EndTime")


# Recordings


def test_record_content_lists_finished_tasks(cloud, client, codes):
    cloud.push(ONE)
    record(client, "start")
    cloud.advance(100)
    record(client, "stop", "cancel_delay")
    response = client.call("DescribeLiveStreamRecordContent", **STREAM, **window())
    (row,) = response["RecordContentInfoList"]["RecordContentInfo"]
    assert (round(row["Duration"]), row["OssBucket"], row["OssObjectPrefix"]) == (100, "recordings", PREFIX)
    times = {"StartTime": utc_text(-5 * 86400), "EndTime": utc_text(0)}
    error = expect_error(client, "DescribeLiveStreamRecordContent", **STREAM, **times)
    assert outcome(error) == codes["malformed"]("EndTime")


def test_index_files_are_listed_and_described(cloud, client, codes):
    cloud.push(ONE)
    record(client, "start")
    cloud.advance(100)
    record(client, "restart", "stop", "cancel_delay")
    parameters = {**STREAM, **window(), "PageNum": 1, "PageSize": 5, "Order": "asc"}
    response = client.call("DescribeLiveStreamRecordIndexFiles", **parameters)
    rows = response["RecordIndexInfoList"]["RecordIndexInfo"]
    assert (response["TotalNum"], response["Order"], len(rows)) == (2, "asc", 2)
    assert (round(rows[0]["Duration"]), rows[0]["Format"], rows[0]["Height"]) == (100, "m3u8", 720)
    one = client.call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=rows[0]["RecordId"])
    assert one["RecordIndexInfo"] == rows[0]
    error = expect_error(client, "DescribeLiveStreamRecordIndexFile", **STREAM, RecordId="unknown")
    assert outcome(error) == codes["malformed"]("RecordId")
    error = expect_error(client, "DescribeLiveStreamRecordIndexFiles", **{**parameters, "PageSize": 4})
    assert outcome(error) == codes["malformed"]("PageSize")


def test_created_index_file_is_described(cloud, client, codes):
    cloud.push(ONE)
    record(client, "start")
    cloud.advance(100)
    parameters = {**STREAM, **CLIP, **window(), "EndTimeIncluded": True}
    info = client.call("CreateLiveStreamRecordIndexFiles", **parameters)["RecordInfo"]
    assert (info["Duration"], info["OssObject"], info["OssBucket"]) == (90, "app/one.m3u8", "clips")
    one = client.call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=info["RecordId"])["RecordIndexInfo"]
    assert one == {**info, "Format": "m3u8"}
    error = expect_error(client, "CreateLiveStreamRecordIndexFiles", **{**parameters, "StreamName": "absent"})
    assert outcome(error) == ("InvalidStream.NotFound", 404)
    times = {"StartTime": utc_text(-10), "EndTime": utc_text(5)}
    error = expect_error(client, "CreateLiveStreamRecordIndexFiles", **{**parameters, **times})
    assert outcome(error) == codes["malformed"]("EndTime")


def test_control_history_is_listed(cloud, client, codes):
    cloud.behave(control_history="commands")
    cloud.push(ONE)
    record(client, "start")
    parameters = {"DomainName": DOMAIN, "AppName": "app", **window()}
    response = client.call("DescribeLiveStreamsControlHistory", **parameters)
    (row,) = response["ControlInfo"]["LiveStreamControlInfo"]
    assert (row["StreamName"], row["Action"]) == ("one", "RealTimeRecordCommand")
    parameters["StartTime"] = utc_text(-8 * 86400)
    error = expect_error(client, "DescribeLiveStreamsControlHistory", **parameters)
    assert outcome(error) == codes["malformed"]("EndTime")


def test_notify_records_are_filtered_and_paged(cloud, client, codes):
    cloud.push(ONE)
    record(client, "start")
    parameters = {"DomainName": DOMAIN, **window(), "PageNumber": 1, "PageSize": 20}
    filters = {"AppName": "app", "StreamName": "one", "Status": "success"}
    response = client.call("DescribeLiveRecordNotifyRecords", **parameters, **filters)
    (row,) = response["CallbackList"]
    assert (response["Code"], response["TotalNum"], row["NotifyType"]) == (0, 1, "record_started")
    assert json.loads(row["NotifyContent"])["event"] == "record_started"
    parameters["StartTime"] = utc_text(-8 * 86400)
    error = expect_error(client, "DescribeLiveRecordNotifyRecords", **parameters)
    assert outcome(error) == codes["malformed"]("StartTime")


def test_failed_notify_records_are_listed(cloud, client):
    cloud.behave(notify_result="deliver")
    cloud.push(ONE)
    record(client, "start")
    parameters = {"DomainName": DOMAIN, **window(), "PageNumber": 1, "PageSize": 20, "Status": "failed"}
    deadline = time.monotonic() + 10
    while not (rows := client.call("DescribeLiveRecordNotifyRecords", **parameters)["CallbackList"]):
        assert time.monotonic() < deadline
    assert (rows[0]["NotifyResult"], rows[0]["NotifyType"]) == ("failed", "record_started")
    assert "other machines" in rows[0]["Description"]


# Configurations


def test_added_record_configuration_is_listed(client, codes):
    names = {"DomainName": DOMAIN, "AppName": "app", "StreamName": "one"}
    formats = [
        {
            "Format": "m3u8",
            "CycleDuration": 600,
            "SliceDuration": 10,
            "OssObjectPrefix": PREFIX,
            "SliceOssObjectPrefix": SLICES,
        },
        {"Format": "mp4", "OssObjectPrefix": PREFIX},
    ]
    add = {
        **names,
        "OssBucket": "b",
        "OssEndpoint": "e",
        "OnDemand": 7,
        "DelayTime": 180,
        "RecordFormat": formats,
        "TranscodeRecordFormat": [{"Format": "flv", "OssObjectPrefix": PREFIX}],
        "TranscodeTemplates": ["sd", "hd"],
    }
    assert client.call("AddLiveAppRecordConfig", **add) == {}
    response = client.call("DescribeLiveRecordConfig", **names, PageNum=1, PageSize=10, Order="desc")
    (row,) = response["LiveAppRecordList"]["LiveAppRecord"]
    assert row["OnDemond"] == 7
    assert row["RecordFormatList"]["RecordFormat"] == [formats[0], {**formats[1], "CycleDuration": 3600}]
    assert row["TranscodeRecordFormatList"]["RecordFormat"][0]["Format"] == "flv"
    assert row["TranscodeTemplates"] == {"Templates": ["sd", "hd"]}
    assert outcome(expect_error(client, "AddLiveAppRecordConfig", **add)) == ("CodeConfigAlreadyExists", 400)
    assert client.call("DeleteLiveAppRecordConfig", **names) == {}
    assert outcome(expect_error(client, "DeleteLiveAppRecordConfig", **names)) == codes["config"]


def test_updated_record_configuration_is_listed(client, codes):
    change = {"DomainName": DOMAIN, "AppName": "*", "OssEndpoint": "new", "DelayTime": 20, "OnDemand": 0}
    assert client.call("UpdateLiveAppRecordConfig", **change) == {}
    (row,) = client.call("DescribeLiveRecordConfig", DomainName=DOMAIN)["LiveAppRecordList"]["LiveAppRecord"]
    assert (row["OssEndpoint"], row["DelayTime"], row["OnDemond"]) == ("new", 20, 0)
    assert outcome(expect_error(client, "UpdateLiveAppRecordConfig", **{**change, "AppName": "x"})) == codes["config"]
    error = expect_error(client, "UpdateLiveAppRecordConfig", **{**change, "DelayTime": 14})
    assert outcome(error) == codes["malformed"]("DelayTime")
    error = expect_error(client, "DescribeLiveRecordConfig", DomainName=DOMAIN, PageSize=31)
    assert outcome(error) == codes["malformed"]("PageSize")


def test_period_bounds_the_automatic_recording(cloud, client, codes):
    names = {"DomainName": DOMAIN, "AppName": "app", "StreamName": "one"}
    formats = [{"Format": "mp4", "OssObjectPrefix": PREFIX}]
    storage = {"OssBucket": "b", "OssEndpoint": "e", "OnDemand": 0, "RecordFormat": formats}
    error = expect_error(
        client, "AddLiveAppRecordConfig", **{**names, "StreamName": "*"}, **storage, StartTime=utc_text(60)
    )
    assert outcome(error) == codes["malformed"]("StartTime")
    period = {"StartTime": utc_text(600), "EndTime": utc_text(1200)}
    assert client.call("AddLiveAppRecordConfig", **names, **storage, **period) == {}
    (row,) = client.call("DescribeLiveRecordConfig", **names)["LiveAppRecordList"]["LiveAppRecord"]
    assert {name: row[name] for name in period} == period
    cloud.push(ONE)
    states = []
    for _step in range(3):
        states.append(cloud.stream(ONE)["recording"])
        cloud.advance(650)
    assert states == ["idle", "recording", "paused"]


def test_callback_configuration_is_added_updated_and_deleted(client, codes):
    assert client.call("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN) == {}
    assert outcome(expect_error(client, "DescribeLiveRecordNotifyConfig", DomainName=DOMAIN)) == codes["config"]
    absent = expect_error(client, "DeleteLiveRecordNotifyConfig", DomainName=DOMAIN)
    assert outcome(absent) == ("InvalidConfig.NotFound", 404), "in either generation"
    config = {
        "DomainName": DOMAIN,
        "NotifyUrl": "http://x.example.com/%20",
        "OnDemandUrl": "https://x.example.com/d",
        "NeedStatusNotify": True,
        "NotifyReqAuth": False,
    }
    assert outcome(expect_error(client, "UpdateLiveRecordNotifyConfig", **config)) == codes["config"]
    assert client.call("AddLiveRecordNotifyConfig", **config) == {}
    assert outcome(expect_error(client, "AddLiveRecordNotifyConfig", **config)) == ("CodeConfigAlreadyExists", 400)
    found = client.call("DescribeLiveRecordNotifyConfig", DomainName=DOMAIN)["LiveRecordNotifyConfig"]
    assert found == {**config, "NotifyAuthKey": ""}
    changed = {**config, "NotifyReqAuth": True, "NotifyAuthKey": "0123456789abcdef"}
    assert client.call("UpdateLiveRecordNotifyConfig", **changed) == {}
    found = client.call("DescribeLiveRecordNotifyConfig", DomainName=DOMAIN)["LiveRecordNotifyConfig"]
    assert found == changed
    for operation in ("AddLiveRecordNotifyConfig", "UpdateLiveRecordNotifyConfig"):
        error = expect_error(client, operation, **{**config, "NotifyUrl": "x"})
        assert outcome(error) == ("InvalidNotifyUrl.Malformed", 400)


def test_ingest_callback_configuration_is_set_and_deleted(client, codes):
    names = {"DomainName": INGEST}
    for operation in ("DescribeLiveStreamsNotifyUrlConfig", "DeleteLiveStreamsNotifyUrlConfig"):
        assert outcome(expect_error(client, operation, **names)) == codes["config"]
    config = {
        **names,
        "NotifyUrl": "http://x.example.com/%20",
        "ExceptionNotifyUrl": "https://x.example.com/e",
        "NotifyReqAuth": "yes",
        "NotifyAuthKey": "0123456789abcdef" * 4,
    }
    switch = {"SwitchNotifyUrl": "http://x.example.com/s"}
    assert client.call("SetLiveStreamsNotifyUrlConfig", **config, **switch) == {}
    assert client.call("DescribeLiveStreamsNotifyUrlConfig", **names) == {"LiveStreamsNotifyConfig": config}
    for name, value in (("NotifyReqAuth", "true"), ("NotifyAuthKey", "short")):
        error = expect_error(client, "SetLiveStreamsNotifyUrlConfig", **{**config, name: value})
        assert outcome(error) == codes["malformed"](name)
    without_key = {**names, "NotifyReqAuth": "yes"}
    assert outcome(expect_error(client, "SetLiveStreamsNotifyUrlConfig", **without_key)) == codes["missing"](
        "NotifyAuthKey"
    )
    error = expect_error(client, "SetLiveStreamsNotifyUrlConfig", **{**config, "NotifyUrl": "x"})
    assert outcome(error) == ("InvalidNotifyUrl.Malformed", 400)
    assert client.call("DeleteLiveStreamsNotifyUrlConfig", **names) == {}


def test_ingest_log_contains_the_events_of_pushes(cloud, client, codes):
    client.call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl="http://x.example.com/p")
    cloud.push(ONE)
    cloud.advance(2)
    cloud.drop(ONE)
    parameters = {"DomainName": INGEST, **window()}
    filters = {"AppName": "app", "StreamName": "one", "Status": "success", "PageNumber": 1, "PageSize": 20}
    response = client.call("DescribeLiveStreamsNotifyRecords", **parameters, **filters)
    rows = response["NotifyRecordsInfo"]["LiveStreamNotifyRecordsInfo"]
    assert (response["PageNum"], response["PageSize"], response["TotalNum"], response["TotalPage"]) == (1, 20, 2, 1)
    assert [(row["NotifyType"], row["NotifyResponse"]) for row in rows] == [("publish", "ok"), ("publish_done", "ok")]
    assert json.loads(rows[0]["NotifyContent"])["app"] == rows[0]["DomainName"] == INGEST
    assert client.call("DescribeLiveStreamsNotifyRecords", **parameters) == response
    parameters["StartTime"] = utc_text(-8 * 86400)
    error = expect_error(client, "DescribeLiveStreamsNotifyRecords", **parameters)
    assert outcome(error) == codes["malformed"]("StartTime")


def test_private_callback_url_is_refused_if_configured(cloud, client):
    cloud.behave(private_callbacks="refused")
    config = {"DomainName": DOMAIN, "NotifyUrl": "http://127.0.0.1/"}
    error = expect_error(client, "UpdateLiveRecordNotifyConfig", **config)
    assert outcome(error) == ("InvalidNotifyUrl.Unsafe", 400)


def test_notify_log_is_filtered_by_storage_type(cloud, client):
    names = dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/")))
    cloud.add_events({**names, "notify_type": "record_started", "storage_type": "vod"})
    parameters = {"DomainName": DOMAIN, **window(), "PageNumber": 1, "PageSize": 20}
    for storage, count in (("oss", 0), ("vod", 1), ("all", 1)):
        response = client.call("DescribeLiveRecordNotifyRecords", **parameters, StorageType=storage)
        assert [row["StorageType"] for row in response["CallbackList"]] == ["vod"] * count


# Domains


def test_user_domains_are_listed(client, codes):
    response = client.call("DescribeLiveUserDomains", PageNumber=1, PageSize=50)
    rows = response["Domains"]["PageData"]
    assert [(row["DomainName"], row["LiveDomainType"]) for row in rows] == [
        (DOMAIN, "liveVideo"),
        (INGEST, "liveEdge"),
    ]
    assert response["TotalCount"] == 2
    error = expect_error(client, "DescribeLiveUserDomains", PageSize=51)
    assert outcome(error) == codes["malformed"]("PageSize")


def test_domain_mapping_contains_all_domains(client):
    response = client.call("DescribeLiveDomainMapping", DomainName=INGEST)
    assert response["LiveDomainModels"]["LiveDomainModel"] == [
        {"DomainName": DOMAIN, "Type": "vhost"},
        {"DomainName": INGEST, "Type": "publish"},
    ]


# The gateway


@pytest.mark.parametrize(
    ("key", "code", "status"),
    [
        (("nobody", "x"), "InvalidAccessKeyId.NotFound", 404),
        (INACTIVE_KEY, "InvalidAccessKeyId.Inactive", 400),
        (POWERLESS_KEY, "Forbidden.RAM", 403),
    ],
)
def test_invalid_access_keys_are_refused(client, key, code, status):
    error = expect_error(client.with_key(key), "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == (code, status)


def test_wrong_secret_is_refused(client):
    """Expect another code of the legacy SDK, which recognises the string to sign as its own."""
    error = expect_error(client.with_key((KEY[0], "wrong")), "DescribeLiveStreamState", **STREAM)
    expected = "InvalidAccessKeySecret" if client.label == "legacy" else "SignatureDoesNotMatch"
    assert outcome(error) == (expected, 400)


@pytest.mark.parametrize("skew", [1000, -1000])
def test_wrong_clock_is_refused(cloud, client, skew):
    cloud.behave(clock_skew=skew)
    error = expect_error(client, "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("InvalidTimeStamp.Expired", 400)


@pytest.mark.parametrize("status", [400, 429])
def test_call_above_the_limit_is_throttled(cloud, client, status):
    cloud.behave(throttle_status=status, limits={"DescribeLiveStreamState": "1/60"})
    client.call("DescribeLiveStreamState", **STREAM)
    error = expect_error(client, "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("Throttling.User", status)


def test_retry_hint_is_sent_with_throttling(cloud):
    cloud.behave(retry_after="on", limits={"DescribeLiveStreamState": "1/60"})
    client = CurrentSdk(cloud)
    client.call("DescribeLiveStreamState", **STREAM)
    error = expect_error(client, "DescribeLiveStreamState", **STREAM)
    assert type(error.__cause__).__name__ == "ThrottlingException"
    assert 50_000 < error.__cause__.retry_after <= 60_000


def test_server_error_is_reported(cloud, client):
    cloud.fault("status_503")
    error = expect_error(client, "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("ServiceUnavailable", 503)


# Temporary credentials


@pytest.fixture
def credentials(cloud):
    response = LegacySdk(cloud).call("AssumeRole", RoleArn=ROLE, RoleSessionName="test", DurationSeconds=900)
    assert response["AssumedRoleUser"]["Arn"] == f"{ROLE}/test"
    return response["Credentials"]


@pytest.mark.parametrize(
    ("key", "kind", "arn"),
    [
        (KEY, "RAMUser", "user/operator"),
        (POWERLESS_KEY, "RAMUser", "user/powerless"),
        (ROOT_KEY, "Account", "root"),
    ],
)
def test_every_access_key_may_read_its_identity(cloud, key, kind, arn):
    found = LegacySdk(cloud).with_key(key).call("GetCallerIdentity")
    assert (found["AccountId"], found["IdentityType"]) == (ACCOUNT, kind)
    assert found["Arn"] == f"acs:ram::{ACCOUNT}:{arn}"
    assert found["UserId"] == found["PrincipalId"]
    assert "RoleId" not in found


def test_a_session_reads_the_identity_of_its_role(cloud, credentials):
    key = (credentials["AccessKeyId"], credentials["AccessKeySecret"])
    found = LegacySdk(cloud).with_key(key, credentials["SecurityToken"]).call("GetCallerIdentity")
    assert (found["AccountId"], found["IdentityType"]) == (ACCOUNT, "AssumedRoleUser")
    assert found["Arn"] == f"acs:ram::{ACCOUNT}:assumed-role/recorder/test"
    assert found["PrincipalId"] == f"{found['RoleId']}:test"
    assert "UserId" not in found


def test_temporary_key_requires_its_token(cloud, client, credentials):
    key = (credentials["AccessKeyId"], credentials["AccessKeySecret"])
    temporary = client.with_key(key, credentials["SecurityToken"])
    assert temporary.call("DescribeLiveStreamState", **STREAM)["StreamState"] == "offline"
    assert cloud.calls("DescribeLiveStreamState")[-1]["signature"] == client.scheme
    error = expect_error(client.with_key(key), "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("MissingSecurityToken", 400)
    error = expect_error(client.with_key(key, "made-up"), "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("InvalidSecurityToken.Malformed", 400)


def test_invalid_sessions_are_refused(cloud):
    good = {"RoleArn": ROLE, "RoleSessionName": "test"}
    legacy = LegacySdk(cloud)
    cases = [
        (legacy, {**good, "RoleArn": f"{ROLE}x"}, ("EntityNotExist.Role", 404)),
        (legacy, {**good, "DurationSeconds": 100}, ("InvalidParameter.DurationSeconds", 400)),
        (legacy.with_key(ROOT_KEY), good, ("NoPermission", 403)),
        (legacy.with_key(POWERLESS_KEY), good, ("Forbidden.RAM", 403)),
    ]
    for client, parameters, expected in cases:
        assert outcome(expect_error(client, "AssumeRole", **parameters)) == expected


# TLS


@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.label)
def test_clients_work_over_tls(secure, kind):
    secure.reset()
    assert kind(secure).call("DescribeLiveStreamState", **STREAM)["StreamState"] == "offline"


def test_credentials_package_assumes_the_role(secure):
    """Use the current SDK's provider for roles, which speaks HTTPS only and needs the emulator's CA."""
    from alibabacloud_credentials.provider.ram_role_arn import RamRoleArnCredentialsProvider

    secure.reset()
    provider = RamRoleArnCredentialsProvider(
        access_key_id=KEY[0],
        access_key_secret=KEY[1],
        role_arn=ROLE,
        role_session_name="test",
        sts_endpoint=f"127.0.0.1:{secure.port}",
    )
    provider._runtime_options["ca"] = secure.ca_path
    found = provider.get_credentials()
    temporary = CurrentSdk(
        secure, (found.get_access_key_id(), found.get_access_key_secret()), found.get_security_token()
    )
    assert temporary.call("DescribeLiveStreamState", **STREAM)["StreamState"] == "offline"
    assert [call["action"] for call in secure.calls()] == ["AssumeRole", "DescribeLiveStreamState"]


def test_credentials_package_assumes_the_role_with_an_identity_token(secure, tmp_path):
    """Use the provider that sends the token without a signature, in the query of a GET request."""
    from alibabacloud_credentials.exceptions import CredentialException
    from alibabacloud_credentials.provider.oidc import OIDCRoleArnCredentialsProvider

    secure.reset()
    file = tmp_path / "token"

    def provide(token):
        file.write_text(token)
        provider = OIDCRoleArnCredentialsProvider(
            role_arn=ROLE,
            oidc_provider_arn=OIDC_PROVIDER,
            oidc_token_file_path=str(file),
            role_session_name="test",
            sts_endpoint=f"127.0.0.1:{secure.port}",
        )
        provider._runtime_options["ca"] = secure.ca_path
        return provider.get_credentials()

    found = provide(OIDC_TOKEN)
    key = (found.get_access_key_id(), found.get_access_key_secret())
    temporary = CurrentSdk(secure, key, found.get_security_token())
    assert temporary.call("DescribeLiveStreamState", **STREAM)["StreamState"] == "offline"
    with pytest.raises(CredentialException, match=r"AuthenticationFail\.OIDCToken\.Invalid"):
        provide("something else")
    calls = [(call["action"], call["signature"]) for call in secure.calls()]
    assert calls == [("AssumeRoleWithOIDC", None), ("DescribeLiveStreamState", "acs3"), ("AssumeRoleWithOIDC", None)]


def test_plain_http_is_refused_if_tls_is_required():
    with Emulator(require_tls=True) as plain:
        error = expect_error(CurrentSdk(plain), "DescribeLiveStreamState", **STREAM)
        assert outcome(error) == ("InvalidProtocol.NeedSsl", 404)


# DescribeLiveDomainRecordUsageData


def test_usage_data(cloud, client):
    cloud.push(ONE)
    record(client, "start")
    cloud.advance(600)
    response = client.call(
        "DescribeLiveDomainRecordUsageData",
        DomainName=DOMAIN,
        StartTime=utc_text(-300),
        EndTime=utc_text(-120),
        Interval="60",
        Region="cn-shanghai",
        SplitBy="domain,record_fmt",
    )
    rows = response["RecordUsageData"]["DataModule"]
    assert {(row["Domain"], row["Region"], row["Type"], row["Count"], row["Duration"]) for row in rows} == {
        (DOMAIN, "cn-shanghai", kind, 1, 0) for kind in ("M3U8", "MP4")
    }
    assert all(response["StartTime"][:13] <= row["TimeStamp"] <= response["EndTime"] for row in rows)


def test_usage_data_of_another_account(client):
    error = expect_error(client, "DescribeLiveDomainRecordUsageData", DomainName=ABSENT)
    assert outcome(error) == ("InvalidDomain.NotFound", 404)


def test_usage_data_of_too_long_a_time(client, codes):
    error = expect_error(
        client,
        "DescribeLiveDomainRecordUsageData",
        DomainName=DOMAIN,
        StartTime=utc_text(-2 * 86400),
        EndTime=utc_text(0),
        Interval="60",
    )
    assert outcome(error) == codes["malformed"]("EndTime")
