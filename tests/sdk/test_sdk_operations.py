# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operation that the official SDKs have, succeeding and failing, in both error generations."""

from __future__ import annotations

import json
import time

import pytest
from official_clients import CLIENTS, CurrentSdk, LegacySdk, Refusal

from support.emulator import INACTIVE_KEY, KEY, OIDC_PROVIDER, OIDC_TOKEN, POWERLESS_KEY, ROLE, ROOT_KEY, Emulator

DOMAIN, INGEST, ABSENT = "live.example.com", "push.example.com", "live.example.org"
STREAM = {"DomainName": DOMAIN, "AppName": "app", "StreamName": "one"}
ONE = f"{DOMAIN}/app/one"
PREFIX = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
SLICES = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
CLIP = {"OssEndpoint": "oss.example.com", "OssBucket": "clips", "OssObject": "{AppName}/{StreamName}.m3u8"}
STRANGE = "a b*~/+&=%中文"


def moment(offset):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))


def window():
    return {"StartTime": moment(-3600), "EndTime": moment(60)}


def refused(client, operation, **parameters):
    with pytest.raises(Refusal) as caught:
        client.call(operation, **parameters)
    return caught.value


@pytest.fixture
def codes(cloud):
    """The codes of the generation that is running."""
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


def test_record_command(cloud, client):
    cloud.push(ONE)
    record(client, "start", "restart", "stop", "cancel_delay", "start")
    error = refused(client, "RealTimeRecordCommand", Command="start", **STREAM)
    assert outcome(error) == ("TaskAlreadyStarted", 409)
    calls = cloud.calls("RealTimeRecordCommand")
    assert {call["signature"] for call in calls} == {client.scheme}
    assert calls[-1]["request_id"] == error.request_id
    assert cloud.stream(ONE)["ledger"]["splits"] == 1


@pytest.mark.parametrize("command", ["start", "stop", "cancel_delay", "restart"])
def test_record_command_without_its_conditions(cloud, client, codes, command):
    assert outcome(refused(client, "RealTimeRecordCommand", Command=command, **STREAM)) == codes["stream"]
    client.call("DeleteLiveAppRecordConfig", DomainName=DOMAIN, AppName="*")
    cloud.push(ONE)
    assert outcome(refused(client, "RealTimeRecordCommand", Command=command, **STREAM)) == codes["config"]


@pytest.mark.parametrize("command", ["stop", "cancel_delay", "restart"])
def test_record_command_without_a_task(cloud, client, command):
    cloud.push(ONE)
    error = refused(client, "RealTimeRecordCommand", Command=command, **STREAM)
    assert outcome(error) == ("CodeTaskNotStarted", 400)


def test_record_command_with_wrong_parameters(client, codes):
    error = refused(client, "RealTimeRecordCommand", Command="pause", **STREAM)
    assert outcome(error) == codes["malformed"]("Command")
    for name in ("Command", "AppName", "StreamName", "DomainName"):
        parameters = {"Command": "start", **STREAM}
        del parameters[name]
        assert outcome(refused(client, "RealTimeRecordCommand", **parameters)) == codes["missing"](name)


def test_strange_names(cloud, client):
    cloud.push((DOMAIN, "my app", STRANGE))
    names = {"DomainName": DOMAIN, "AppName": "my app", "StreamName": STRANGE}
    client.call("RealTimeRecordCommand", Command="start", **names)
    assert client.call("DescribeLiveStreamState", **names)["StreamState"] == "online"
    assert cloud.calls("RealTimeRecordCommand")[-1]["params"]["StreamName"] == STRANGE


# Every operation refuses a domain that is not the account's

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
def test_domain_of_another_account(client, operation):
    error = refused(client, operation, **{**MINIMAL[operation](), "DomainName": ABSENT})
    assert outcome(error) == ("InvalidDomain.NotFound", 404)


# Streams


def test_stream_state(cloud, client):
    assert client.call("DescribeLiveStreamState", **STREAM) == {"StreamState": "offline", "Type": "push"}
    cloud.push(ONE)
    state = client.call("DescribeLiveStreamState", **{**STREAM, "DomainName": INGEST})
    assert state == {"StreamState": "online", "Type": "push"}


def test_a_stream_that_is_pulled_on_trigger(cloud, client, codes):
    cloud.behave(pull_publish_type="pull")
    cloud.watch(1, ONE)
    record(client, "start")
    assert client.call("DescribeLiveStreamState", **STREAM) == {"StreamState": "online", "Type": "pull"}
    online = client.call("DescribeLiveStreamsOnlineList", DomainName=DOMAIN)["OnlineInfo"]["LiveStreamOnlineInfo"]
    published = client.call("DescribeLiveStreamsPublishList", DomainName=DOMAIN, **window())["PublishInfo"]
    assert [row["PublishType"] for row in (*online, *published["LiveStreamPublishInfo"])] == ["pull", "pull"]
    cloud.watch(0, ONE)
    assert client.call("DescribeLiveStreamState", **STREAM) == {"StreamState": "offline", "Type": "pull"}
    assert outcome(refused(client, "RealTimeRecordCommand", Command="start", **STREAM)) == codes["stream"]
    assert cloud.stream(ONE)["recording"] == "paused"


def test_online_list(cloud, client, codes):
    cloud.push(*(f"{DOMAIN}/app/{number}" for number in range(5)))
    parameters = {"DomainName": DOMAIN, "QueryType": "strict", "StreamType": "raw", "PageNum": 2, "PageSize": 2}
    answer = client.call("DescribeLiveStreamsOnlineList", **parameters)
    rows = answer["OnlineInfo"]["LiveStreamOnlineInfo"]
    assert (answer["TotalNum"], answer["TotalPage"], [row["StreamName"] for row in rows]) == (5, 3, ["2", "3"])
    assert (rows[0]["PublishDomain"], rows[0]["Width"]) == (INGEST, 1280)
    error = refused(client, "DescribeLiveStreamsOnlineList", DomainName=DOMAIN, PageSize=3001)
    assert outcome(error) == codes["malformed"]("PageSize")


def test_publish_list(cloud, client, codes):
    cloud.push(ONE)
    cloud.advance(60)
    cloud.drop(ONE)
    answer = client.call("DescribeLiveStreamsPublishList", DomainName=DOMAIN, OrderBy="stream_name_desc", **window())
    (row,) = answer["PublishInfo"]["LiveStreamPublishInfo"]
    assert (row["StreamName"], row["PublishDomain"]) == ("one", INGEST)
    assert moment(-70) <= row["PublishTime"] < row["StopTime"]
    times = {"StartTime": moment(-31 * 86400), "EndTime": moment(0)}
    error = refused(client, "DescribeLiveStreamsPublishList", DomainName=DOMAIN, **times)
    assert outcome(error) == codes["malformed"]("EndTime")


# What was recorded


def test_record_content(cloud, client, codes):
    cloud.push(ONE)
    record(client, "start")
    cloud.advance(100)
    record(client, "stop", "cancel_delay")
    answer = client.call("DescribeLiveStreamRecordContent", **STREAM, **window())
    (row,) = answer["RecordContentInfoList"]["RecordContentInfo"]
    assert (round(row["Duration"]), row["OssBucket"], row["OssObjectPrefix"]) == (100, "recordings", PREFIX)
    times = {"StartTime": moment(-5 * 86400), "EndTime": moment(0)}
    error = refused(client, "DescribeLiveStreamRecordContent", **STREAM, **times)
    assert outcome(error) == codes["malformed"]("EndTime")


def test_index_files(cloud, client, codes):
    cloud.push(ONE)
    record(client, "start")
    cloud.advance(100)
    record(client, "restart", "stop", "cancel_delay")
    parameters = {**STREAM, **window(), "PageNum": 1, "PageSize": 5, "Order": "asc"}
    answer = client.call("DescribeLiveStreamRecordIndexFiles", **parameters)
    rows = answer["RecordIndexInfoList"]["RecordIndexInfo"]
    assert (answer["TotalNum"], answer["Order"], len(rows)) == (2, "asc", 2)
    assert (round(rows[0]["Duration"]), rows[0]["Format"], rows[0]["Height"]) == (100, "m3u8", 720)
    one = client.call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=rows[0]["RecordId"])
    assert one["RecordIndexInfo"] == rows[0]
    error = refused(client, "DescribeLiveStreamRecordIndexFile", **STREAM, RecordId="unknown")
    assert outcome(error) == codes["malformed"]("RecordId")
    error = refused(client, "DescribeLiveStreamRecordIndexFiles", **{**parameters, "PageSize": 4})
    assert outcome(error) == codes["malformed"]("PageSize")


def test_created_index_file(cloud, client, codes):
    cloud.push(ONE)
    record(client, "start")
    cloud.advance(100)
    parameters = {**STREAM, **CLIP, **window(), "EndTimeIncluded": True}
    info = client.call("CreateLiveStreamRecordIndexFiles", **parameters)["RecordInfo"]
    assert (info["Duration"], info["OssObject"], info["OssBucket"]) == (90, "app/one.m3u8", "clips")
    one = client.call("DescribeLiveStreamRecordIndexFile", **STREAM, RecordId=info["RecordId"])["RecordIndexInfo"]
    assert one == {**info, "Format": "m3u8"}
    error = refused(client, "CreateLiveStreamRecordIndexFiles", **{**parameters, "StreamName": "absent"})
    assert outcome(error) == ("InvalidStream.NotFound", 404)
    times = {"StartTime": moment(-10), "EndTime": moment(5)}
    error = refused(client, "CreateLiveStreamRecordIndexFiles", **{**parameters, **times})
    assert outcome(error) == codes["malformed"]("EndTime")


def test_control_history(cloud, client, codes):
    cloud.behave(control_history="commands")
    cloud.push(ONE)
    record(client, "start")
    parameters = {"DomainName": DOMAIN, "AppName": "app", **window()}
    answer = client.call("DescribeLiveStreamsControlHistory", **parameters)
    (row,) = answer["ControlInfo"]["LiveStreamControlInfo"]
    assert (row["StreamName"], row["Action"]) == ("one", "RealTimeRecordCommand")
    parameters["StartTime"] = moment(-8 * 86400)
    error = refused(client, "DescribeLiveStreamsControlHistory", **parameters)
    assert outcome(error) == codes["malformed"]("EndTime")


def test_notify_records(cloud, client, codes):
    cloud.push(ONE)
    record(client, "start")
    parameters = {"DomainName": DOMAIN, **window(), "PageNumber": 1, "PageSize": 20}
    filters = {"AppName": "app", "StreamName": "one", "Status": "success"}
    answer = client.call("DescribeLiveRecordNotifyRecords", **parameters, **filters)
    (row,) = answer["CallbackList"]
    assert (answer["Code"], answer["TotalNum"], row["NotifyType"]) == (0, 1, "record_started")
    assert json.loads(row["NotifyContent"])["event"] == "record_started"
    parameters["StartTime"] = moment(-8 * 86400)
    error = refused(client, "DescribeLiveRecordNotifyRecords", **parameters)
    assert outcome(error) == codes["malformed"]("StartTime")


def test_failed_notify_records(cloud, client):
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


def test_record_configurations(client, codes):
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
    answer = client.call("DescribeLiveRecordConfig", **names, PageNum=1, PageSize=10, Order="desc")
    (row,) = answer["LiveAppRecordList"]["LiveAppRecord"]
    assert row["OnDemond"] == 7
    assert row["RecordFormatList"]["RecordFormat"] == [formats[0], {**formats[1], "CycleDuration": 3600}]
    assert row["TranscodeRecordFormatList"]["RecordFormat"][0]["Format"] == "flv"
    assert row["TranscodeTemplates"] == {"Templates": ["sd", "hd"]}
    assert outcome(refused(client, "AddLiveAppRecordConfig", **add)) == ("CodeConfigAlreadyExists", 400)
    assert client.call("DeleteLiveAppRecordConfig", **names) == {}
    assert outcome(refused(client, "DeleteLiveAppRecordConfig", **names)) == codes["config"]


def test_updated_record_configuration(client, codes):
    change = {"DomainName": DOMAIN, "AppName": "*", "OssEndpoint": "new", "DelayTime": 20, "OnDemand": 0}
    assert client.call("UpdateLiveAppRecordConfig", **change) == {}
    (row,) = client.call("DescribeLiveRecordConfig", DomainName=DOMAIN)["LiveAppRecordList"]["LiveAppRecord"]
    assert (row["OssEndpoint"], row["DelayTime"], row["OnDemond"]) == ("new", 20, 0)
    assert outcome(refused(client, "UpdateLiveAppRecordConfig", **{**change, "AppName": "x"})) == codes["config"]
    error = refused(client, "UpdateLiveAppRecordConfig", **{**change, "DelayTime": 14})
    assert outcome(error) == codes["malformed"]("DelayTime")
    error = refused(client, "DescribeLiveRecordConfig", DomainName=DOMAIN, PageSize=31)
    assert outcome(error) == codes["malformed"]("PageSize")


def test_period_of_a_record_configuration(cloud, client, codes):
    names = {"DomainName": DOMAIN, "AppName": "app", "StreamName": "one"}
    formats = [{"Format": "mp4", "OssObjectPrefix": PREFIX}]
    storage = {"OssBucket": "b", "OssEndpoint": "e", "OnDemand": 0, "RecordFormat": formats}
    error = refused(client, "AddLiveAppRecordConfig", **{**names, "StreamName": "*"}, **storage, StartTime=moment(60))
    assert outcome(error) == codes["malformed"]("StartTime")
    period = {"StartTime": moment(600), "EndTime": moment(1200)}
    assert client.call("AddLiveAppRecordConfig", **names, **storage, **period) == {}
    (row,) = client.call("DescribeLiveRecordConfig", **names)["LiveAppRecordList"]["LiveAppRecord"]
    assert {name: row[name] for name in period} == period
    cloud.push(ONE)
    states = []
    for _step in range(3):
        states.append(cloud.stream(ONE)["recording"])
        cloud.advance(650)
    assert states == ["idle", "recording", "paused"]


def test_callback_configuration(client, codes):
    assert client.call("DeleteLiveRecordNotifyConfig", DomainName=DOMAIN) == {}
    assert outcome(refused(client, "DescribeLiveRecordNotifyConfig", DomainName=DOMAIN)) == codes["config"]
    absent = refused(client, "DeleteLiveRecordNotifyConfig", DomainName=DOMAIN)
    assert outcome(absent) == ("InvalidConfig.NotFound", 404), "in either generation"
    config = {
        "DomainName": DOMAIN,
        "NotifyUrl": "http://x.example.com/%20",
        "OnDemandUrl": "https://x.example.com/d",
        "NeedStatusNotify": True,
        "NotifyReqAuth": False,
    }
    assert outcome(refused(client, "UpdateLiveRecordNotifyConfig", **config)) == codes["config"]
    assert client.call("AddLiveRecordNotifyConfig", **config) == {}
    assert outcome(refused(client, "AddLiveRecordNotifyConfig", **config)) == ("CodeConfigAlreadyExists", 400)
    found = client.call("DescribeLiveRecordNotifyConfig", DomainName=DOMAIN)["LiveRecordNotifyConfig"]
    assert found == {**config, "NotifyAuthKey": ""}
    changed = {**config, "NotifyReqAuth": True, "NotifyAuthKey": "0123456789abcdef"}
    assert client.call("UpdateLiveRecordNotifyConfig", **changed) == {}
    found = client.call("DescribeLiveRecordNotifyConfig", DomainName=DOMAIN)["LiveRecordNotifyConfig"]
    assert found == changed
    for operation in ("AddLiveRecordNotifyConfig", "UpdateLiveRecordNotifyConfig"):
        error = refused(client, operation, **{**config, "NotifyUrl": "x"})
        assert outcome(error) == ("InvalidNotifyUrl.Malformed", 400)


def test_ingest_callback_configuration(client, codes):
    names = {"DomainName": INGEST}
    for operation in ("DescribeLiveStreamsNotifyUrlConfig", "DeleteLiveStreamsNotifyUrlConfig"):
        assert outcome(refused(client, operation, **names)) == codes["config"]
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
        error = refused(client, "SetLiveStreamsNotifyUrlConfig", **{**config, name: value})
        assert outcome(error) == codes["malformed"](name)
    without_key = {**names, "NotifyReqAuth": "yes"}
    assert outcome(refused(client, "SetLiveStreamsNotifyUrlConfig", **without_key)) == codes["missing"]("NotifyAuthKey")
    error = refused(client, "SetLiveStreamsNotifyUrlConfig", **{**config, "NotifyUrl": "x"})
    assert outcome(error) == ("InvalidNotifyUrl.Malformed", 400)
    assert client.call("DeleteLiveStreamsNotifyUrlConfig", **names) == {}


def test_log_of_pushes(cloud, client, codes):
    client.call("SetLiveStreamsNotifyUrlConfig", DomainName=INGEST, NotifyUrl="http://x.example.com/p")
    cloud.push(ONE)
    cloud.advance(2)
    cloud.drop(ONE)
    parameters = {"DomainName": INGEST, **window()}
    filters = {"AppName": "app", "StreamName": "one", "Status": "success", "PageNumber": 1, "PageSize": 20}
    answer = client.call("DescribeLiveStreamsNotifyRecords", **parameters, **filters)
    rows = answer["NotifyRecordsInfo"]["LiveStreamNotifyRecordsInfo"]
    assert (answer["PageNum"], answer["PageSize"], answer["TotalNum"], answer["TotalPage"]) == (1, 20, 2, 1)
    assert [(row["NotifyType"], row["NotifyResponse"]) for row in rows] == [("publish", "ok"), ("publish_done", "ok")]
    assert json.loads(rows[0]["NotifyContent"])["app"] == rows[0]["DomainName"] == INGEST
    assert client.call("DescribeLiveStreamsNotifyRecords", **parameters) == answer
    parameters["StartTime"] = moment(-8 * 86400)
    error = refused(client, "DescribeLiveStreamsNotifyRecords", **parameters)
    assert outcome(error) == codes["malformed"]("StartTime")


def test_private_callback_url(cloud, client):
    cloud.behave(private_callbacks="refused")
    config = {"DomainName": DOMAIN, "NotifyUrl": "http://127.0.0.1/"}
    error = refused(client, "UpdateLiveRecordNotifyConfig", **config)
    assert outcome(error) == ("InvalidNotifyUrl.Unsafe", 400)


def test_storage_types(cloud, client):
    names = dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/")))
    cloud.add_events({**names, "notify_type": "record_started", "storage_type": "vod"})
    parameters = {"DomainName": DOMAIN, **window(), "PageNumber": 1, "PageSize": 20}
    for storage, count in (("oss", 0), ("vod", 1), ("all", 1)):
        answer = client.call("DescribeLiveRecordNotifyRecords", **parameters, StorageType=storage)
        assert [row["StorageType"] for row in answer["CallbackList"]] == ["vod"] * count


# Domains


def test_user_domains(client, codes):
    answer = client.call("DescribeLiveUserDomains", PageNumber=1, PageSize=50)
    rows = answer["Domains"]["PageData"]
    assert [(row["DomainName"], row["LiveDomainType"]) for row in rows] == [
        (DOMAIN, "liveVideo"),
        (INGEST, "liveEdge"),
    ]
    assert answer["TotalCount"] == 2
    error = refused(client, "DescribeLiveUserDomains", PageSize=51)
    assert outcome(error) == codes["malformed"]("PageSize")


def test_domain_mapping(client):
    answer = client.call("DescribeLiveDomainMapping", DomainName=INGEST)
    assert answer["LiveDomainModels"]["LiveDomainModel"] == [
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
def test_refused_keys(client, key, code, status):
    error = refused(client.with_key(key), "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == (code, status)


def test_wrong_secret(client):
    """The legacy SDK sees that the string to sign is its own, and blames the key."""
    error = refused(client.with_key((KEY[0], "wrong")), "DescribeLiveStreamState", **STREAM)
    expected = "InvalidAccessKeySecret" if client.label == "legacy" else "SignatureDoesNotMatch"
    assert outcome(error) == (expected, 400)


@pytest.mark.parametrize("skew", [1000, -1000])
def test_clock_that_is_wrong(cloud, client, skew):
    cloud.behave(clock_skew=skew)
    error = refused(client, "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("InvalidTimeStamp.Expired", 400)


@pytest.mark.parametrize("status", [400, 429])
def test_throttling(cloud, client, status):
    cloud.behave(throttle_status=status, limits={"DescribeLiveStreamState": "1/60"})
    client.call("DescribeLiveStreamState", **STREAM)
    error = refused(client, "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("Throttling.User", status)


def test_hint_with_throttling(cloud):
    cloud.behave(retry_after="on", limits={"DescribeLiveStreamState": "1/60"})
    client = CurrentSdk(cloud)
    client.call("DescribeLiveStreamState", **STREAM)
    error = refused(client, "DescribeLiveStreamState", **STREAM)
    assert type(error.__cause__).__name__ == "ThrottlingException"
    assert 50_000 < error.__cause__.retry_after <= 60_000


def test_server_error(cloud, client):
    cloud.fault("status_503")
    error = refused(client, "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("ServiceUnavailable", 503)


# Temporary keys


@pytest.fixture
def credentials(cloud):
    answer = LegacySdk(cloud).call("AssumeRole", RoleArn=ROLE, RoleSessionName="test", DurationSeconds=900)
    assert answer["AssumedRoleUser"]["Arn"] == f"{ROLE}/test"
    return answer["Credentials"]


def test_temporary_key(cloud, client, credentials):
    key = (credentials["AccessKeyId"], credentials["AccessKeySecret"])
    temporary = client.with_key(key, credentials["SecurityToken"])
    assert temporary.call("DescribeLiveStreamState", **STREAM)["StreamState"] == "offline"
    assert cloud.calls("DescribeLiveStreamState")[-1]["signature"] == client.scheme
    error = refused(client.with_key(key), "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("MissingSecurityToken", 400)
    error = refused(client.with_key(key, "made-up"), "DescribeLiveStreamState", **STREAM)
    assert outcome(error) == ("InvalidSecurityToken.Malformed", 400)


def test_refused_sessions(cloud):
    good = {"RoleArn": ROLE, "RoleSessionName": "test"}
    legacy = LegacySdk(cloud)
    cases = [
        (legacy, {**good, "RoleArn": f"{ROLE}x"}, ("EntityNotExist.Role", 404)),
        (legacy, {**good, "DurationSeconds": 100}, ("InvalidParameter.DurationSeconds", 400)),
        (legacy.with_key(ROOT_KEY), good, ("NoPermission", 403)),
        (legacy.with_key(POWERLESS_KEY), good, ("Forbidden.RAM", 403)),
    ]
    for client, parameters, expected in cases:
        assert outcome(refused(client, "AssumeRole", **parameters)) == expected


# TLS


@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.label)
def test_over_tls(secure, kind):
    secure.reset()
    assert kind(secure).call("DescribeLiveStreamState", **STREAM)["StreamState"] == "offline"


def test_credentials_package_assumes_the_role(secure):
    """The provider that the current SDK uses for roles; it speaks HTTPS only, and must be told our CA."""
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


def test_credentials_package_uses_an_identity_token(secure, tmp_path):
    """Its provider sends the token without a signature, in the query of a GET request."""
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


def test_wrong_protocol():
    """A plain HTTP listener that demands TLS says so."""
    with Emulator(require_tls=True) as plain:
        error = refused(CurrentSdk(plain), "DescribeLiveStreamState", **STREAM)
        assert outcome(error) == ("InvalidProtocol.NeedSsl", 404)
