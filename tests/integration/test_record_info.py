# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation of apsaravideo_record_info against the emulator: its results and its calls."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._module import argspec, record_info
from ansible_collections.apsaravideo.live.plugins.module_utils._module import record as record_module
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.clock import WrongClock
from support.emulator import ACCOUNT
from support.playbook import STREAM, environment

ONLINE, LOG = "DescribeLiveStreamsOnlineList", "DescribeLiveRecordNotifyRecords"
CONFIGS, CONTENTS, FILES = (
    "DescribeLiveRecordConfig",
    "DescribeLiveStreamRecordContent",
    "DescribeLiveStreamRecordIndexFiles",
)
PREFIX = "{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
M3U8 = {"Format": "m3u8", "OssObjectPrefix": PREFIX, "SliceOssObjectPrefix": "{UnixTimestamp}_{Sequence}"}
RECORDED = {"OssBucket": "b", "OssEndpoint": "oss-cn-shanghai.aliyuncs.com", "RecordFormat": [M3U8]}
ISO = "%Y-%m-%dT%H:%M:%SZ"


def run(cloud, module, options, clock=None, check_mode=False):
    defaults = {name: option.get("default") for name, option in module.SPEC.options.items()}
    given = {**defaults, "retry_timeout": 0, **options}
    return execute(module.operate, Task(given, {**os.environ, **environment(cloud)}, check_mode, clock))


def split_names(where):
    return dict(zip(argspec.STREAM, where.split("/", 2)))


def record(cloud, state="started", stream=STREAM, **options):
    return run(cloud, record_module, {**split_names(stream), "state": state, **options})


def info(cloud, where=STREAM, clock=None, **options):
    """Return the result, and the API operations that were called."""
    cloud.clear_calls()
    result = run(cloud, record_info, {**split_names(where), **options}, clock)
    called = [call["action"] for call in cloud.calls()]
    assert result["api_calls"] == len(called) and result.get("changed") is False
    return result, called


def get_single_stream(cloud, where=STREAM, **options):
    (stream,) = info(cloud, where, **options)[0]["streams"]
    return stream


def pick_state(stream):
    return stream["online"], stream["recording"], stream["state_source"]


def add_domain(cloud, name, mode=7, callbacks=True, configs=({"AppName": "*"},)):
    notify = {"DomainName": name, "NotifyUrl": "http://callback.example.com/", "NeedStatusNotify": True}
    rows = [{"DomainName": name, "OnDemand": mode, **RECORDED, **config} for config in configs]
    account = {"id": ACCOUNT, "domains": [{"name": name}], "record_configs": rows}
    cloud.add_accounts({**account, "notify_configs": [notify] if callbacks else []})


def format_past(**span):
    return (datetime.now(timezone.utc) - timedelta(**span)).strftime(ISO)


def test_thousands_of_streams_take_one_call_per_page(cloud):
    add_domain(cloud, "auto.example.com", mode=0)
    add_domain(cloud, "quiet.example.com", callbacks=False)
    cloud.push(*(f"auto.example.com/a/s{number:04}" for number in range(3000)))
    cloud.push(*(f"quiet.example.com/a/s{number:04}" for number in range(3001)))
    result, called = info(cloud, "auto.example.com")
    assert called == [ONLINE] + [LOG] * 6, "3,000 callbacks are 6 pages"
    assert [stream["stream_name"] for stream in result["streams"]] == [f"s{number:04}" for number in range(3000)]
    assert {pick_state(stream) for stream in result["streams"]} == {(True, "recording", "notify_log")}
    result, called = info(cloud, "quiet.example.com", query="length(@)")
    assert called == [ONLINE, ONLINE, LOG] and result["result"] == 3001
    assert {pick_state(stream) for stream in result["streams"]} == {(True, "unknown", "none")}
    assert len(result["request_ids"]) == 3


@pytest.mark.parametrize(("generation", "answers"), [("old", "wrapped"), ("new", "unwrapped")])
def test_the_state_follows_from_each_history(cloud, generation, answers):
    cloud.behave(generation=generation, answers=answers)
    names = ["absent", "error", "interrupted", "paused", "pushed", "recording", "resumed", "split"]
    streams = {name: f"live.example.com/app/{name}" for name in names}
    pushed = set(names) - {"absent"}
    cloud.push(*(streams[name] for name in pushed))
    for name in pushed - {"pushed"}:
        record(cloud, stream=streams[name])
    cloud.advance(100)
    cloud.drop(streams["interrupted"], streams["resumed"])
    record(cloud, "stopped", streams["paused"])
    record(cloud, "restarted", streams["split"])
    cloud.add_events({**split_names(streams["error"]), "notify_type": "record_error", "age": 0})
    cloud.advance(100)
    cloud.resume(streams["resumed"])
    expected = {
        "absent": (False, "offline", "stream_state"),
        "error": (True, "unknown", "none"),
        "interrupted": (False, "offline", "stream_state"),
        "paused": (True, "stopped", "notify_log"),
        "pushed": (True, "unknown", "none"),
        "recording": (True, "recording", "notify_log"),
        "resumed": (True, "unknown", "none"),
        "split": (True, "recording", "notify_log"),
    }
    found = {}
    for order in ("asc", "desc"):
        cloud.behave(notify_order=order)
        found[order] = {name: get_single_stream(cloud, stream) for name, stream in streams.items()}
        assert {name: pick_state(stream) for name, stream in found[order].items()} == expected
        listed = info(cloud, "live.example.com/app")[0]["streams"]
        online = {name for name, (is_online, *_rest) in expected.items() if is_online}
        assert listed == [found[order][name] for name in sorted(online)]
    assert found["asc"] == found["desc"]
    reasons = {name: stream["reason"] for name, stream in found["asc"].items() if stream["reason"]}
    assert set(reasons) == {"error", "pushed", "resumed"}
    assert "record_error" in reasons["error"] and "older than the push" in reasons["resumed"]
    assert "apsaravideo_record_notify" in reasons["pushed"]
    state = {row["stream_name"]: row for row in cloud.state()["streams"]}
    since = {name: stream["recording_since"] for name, stream in found["asc"].items() if stream["recording_since"]}
    assert since == {
        "recording": state["recording"]["tasks"][0]["started"],
        "split": state["split"]["tasks"][1]["started"],
    }
    for name, stream in found["asc"].items():
        assert stream["publish_time"] == (state[name]["publish_time"] if stream["online"] else None)


def test_an_offline_stream_is_returned_after_one_call(cloud):
    result, called = info(cloud)
    assert called == [ONLINE]
    assert [pick_state(stream) for stream in result["streams"]] == [(False, "offline", "stream_state")]
    assert cloud.calls()[0]["params"] == {
        "AppName": "myapp",
        "DomainName": "live.example.com",
        "PageNum": "1",
        "PageSize": "3000",
        "QueryType": "strict",
        "StreamName": "stream01",
        "StreamType": "raw",
    }


def test_the_state_is_unknown_before_the_log_shows_it(cloud):
    cloud.push(STREAM)
    cloud.behave(notify_lag=60)
    record(cloud)
    assert pick_state(get_single_stream(cloud)) == (True, "unknown", "none")
    cloud.advance(60)
    assert pick_state(get_single_stream(cloud)) == (True, "recording", "notify_log")


@pytest.mark.parametrize("ahead", [-300, 300, 3000])
def test_a_wrong_clock_hides_no_events(cloud, ahead):
    cloud.push(STREAM)
    record(cloud)
    stream = get_single_stream(cloud, clock=WrongClock(ahead), gather=["state", "events"])
    assert pick_state(stream) == (True, "recording", "notify_log")
    assert [event["type"] for event in stream["events"]] == ["record_started"]
    cloud.advance(100)
    record(cloud, "stopped")
    assert pick_state(get_single_stream(cloud, clock=WrongClock(ahead))) == (True, "stopped", "notify_log")


def test_a_log_that_cannot_be_read_leaves_states_unknown(cloud):
    cloud.push(STREAM)
    record(cloud)
    cloud.fault("error", action=LOG, code="Forbidden.RAM", http_status=403)
    result, called = info(cloud, "live.example.com")
    assert called == [ONLINE, LOG]
    (stream,) = result["streams"]
    assert pick_state(stream) == (True, "unknown", "none")
    assert "could not be read" in stream["reason"] and "may not call" in stream["reason"]
    assert len(result["warnings"]) == 1 and "RequestId" in result["warnings"][0]
    result = info(cloud, gather=["state", "events"])[0]
    assert result["failed"] and result["error"]["code"] == "Forbidden.RAM", "an empty list would be a claim"
    cloud.clear_faults()
    cloud.push(*(f"live.example.com/myapp/{number}" for number in range(501)))
    for number in range(501):
        cloud.add_events({**split_names(f"live.example.com/myapp/{number}"), "notify_type": "record_started"})
    cloud.fault("status_500", action=LOG, parameters={"PageNumber": "2"})
    result, called = info(cloud, "live.example.com")
    assert called == [ONLINE, LOG, LOG]
    assert {pick_state(stream) for stream in result["streams"]} == {(True, "unknown", "none")}, (
        "half a log says nothing"
    )


@pytest.mark.parametrize("config_filter", ["literal", "pattern"])
def test_the_most_specific_configuration_is_returned(cloud, config_filter):
    cloud.behave(config_filter=config_filter)
    some = [
        {"AppName": "a", "StreamName": "s"},
        {"AppName": "a"},
        {"AppName": "*", "StreamName": "t"},
        {"AppName": "*"},
    ]
    others = [{"AppName": f"b{number}"} for number in range(30)]
    add_domain(cloud, "many.example.com", configs=(*others, *some))
    add_domain(cloud, "bare.example.com", configs=())
    cloud.push(*(f"many.example.com/{name}" for name in ("a/s", "a/t", "c/t", "c/u", "b7/x")))
    cloud.push("bare.example.com/a/s")
    result, called = info(cloud, "many.example.com", gather=["config"])
    assert called == [ONLINE, CONFIGS, CONFIGS]
    assert {"AppName", "StreamName"}.isdisjoint(cloud.calls(CONFIGS)[0]["params"])
    fitting = {
        f"{row['app_name']}/{row['stream_name']}": (row["config"]["app_name"], row["config"]["stream_name"])
        for row in result["streams"]
    }
    assert fitting == {
        "a/s": ("a", "s"),
        "a/t": ("a", "*"),
        "c/t": ("*", "t"),
        "c/u": ("*", "*"),
        "b7/x": ("b7", "*"),
    }
    assert {row["reason"] for row in result["streams"]} == {"state was not gathered"}
    assert {row["recording"] for row in result["streams"]} == {"unknown"}
    assert get_single_stream(cloud, "many.example.com/a/s", gather=["config"])["config"]["mode"] == "manual"
    assert get_single_stream(cloud, "bare.example.com/a/s", gather=["config"])["config"] is None


def make_recordings(cloud):
    """Make 70 index files of two tasks within eight days, and a running task."""
    add_domain(
        cloud, "files.example.com", configs=({"AppName": "*", "RecordFormat": [{**M3U8, "CycleDuration": 9000}]},)
    )
    stream = "files.example.com/a/s"
    cloud.push(stream)
    record(cloud, stream=stream)
    cloud.advance(7 * 86400)
    record(cloud, "restarted", stream=stream)
    cloud.advance(9000)
    record(cloud, "stopped", stream=stream, finalize=True)
    cloud.advance(86400)
    record(cloud, stream=stream)
    cloud.advance(60)
    return stream


@pytest.mark.parametrize(
    ("index_window", "running", "end"),
    [("created", "unlisted", "now"), ("recorded", "listed", "now"), ("created", "listed", "absent")]
    + [("recorded", "listed", "window-end")],
)
def test_tasks_and_files_of_eight_days_are_returned_completely(cloud, index_window, running, end):
    cloud.behave(index_window=index_window, running_content=running, running_end=end)
    stream = make_recordings(cloud)
    found, called = info(cloud, stream, gather=["tasks", "files"], start_time=format_past(days=9, hours=1))
    assert [action for action in called if action != FILES] == [ONLINE] + [CONTENTS] * 3, "10 days are three spans"
    (row,) = found["streams"]
    (state,) = cloud.state(stream)["streams"]
    expected = [task["started"] for task in state["tasks"] if task["ended"] or running == "listed"]
    assert [task["start_time"] for task in row["tasks"]] == expected and len(expected) in (2, 3)
    assert [task["end_time"] for task in row["tasks"][:2]] == [task["ended"] for task in state["tasks"][:2]]
    assert {file["record_id"] for file in row["files"]} == {file["record_id"] for file in state["files"]}
    assert len(row["files"]) == len(state["files"]) > 60
    assert [file["start_time"] for file in row["files"]] == sorted(file["started"] for file in state["files"])
    windows = [[call["params"][name] for name in ("StartTime", "EndTime")] for call in cloud.calls(CONTENTS)]
    assert [start for start, _end in windows[1:]] == [finish for _start, finish in windows[:-1]]
    for start, finish in windows:
        assert timedelta(0) < datetime.strptime(finish, ISO) - datetime.strptime(start, ISO) <= timedelta(days=4)
    assert pick_state(row) == (True, "unknown", "none")


@pytest.mark.parametrize("code", ["StreamNotFound", "InvalidStream.NotFound"])
def test_an_unknown_stream_has_no_tasks_and_files(cloud, code):
    for action in (CONTENTS, FILES):
        cloud.fault("error", action=action, code=code, http_status=404)
    stream = get_single_stream(cloud, gather=["tasks", "files"])
    assert (stream["tasks"], stream["files"], *pick_state(stream)) == ([], [], False, "offline", "stream_state")
    cloud.clear_faults()
    cloud.fault("error", action=CONTENTS, code="Forbidden.RAM", http_status=403)
    assert info(cloud, gather=["tasks"])[0]["error"]["action"] == CONTENTS


@pytest.mark.parametrize("past_window", ["error", "cut"])
def test_times_beyond_the_retention_are_left_out_with_a_warning(cloud, past_window):
    cloud.behave(past_window=past_window)
    stream = make_recordings(cloud)
    result, _called = info(cloud, stream, gather=["state", "events", "tasks"], start_time=format_past(days=10))
    (row,) = result["streams"]
    assert pick_state(row) == (True, "recording", "notify_log")
    (warning,) = result["warnings"]
    assert "7 days" in warning and format_past(days=7)[:10] in warning
    assert len(row["tasks"]) == 2, "these are kept for longer"
    assert {event["time"] >= format_past(days=7) for event in row["events"]} == {True}
    assert len({event["type"] for event in row["events"]}) == 3
    assert [event["time"] for event in row["events"]] == sorted(event["time"] for event in row["events"])
    result, called = info(cloud, stream, gather=["tasks"], start_time=format_past(days=200))
    assert not result.get("failed") and "6 months" in result["warnings"][0]
    assert called == [ONLINE] + [CONTENTS] * 45


def test_events_include_streams_that_are_offline(cloud):
    names = [f"live.example.com/{app}/{stream}" for app in "ab" for stream in "xy"]
    cloud.push(*names)
    for name in names:
        record(cloud, stream=name)
    cloud.advance(1800)
    cloud.drop(*names[::2])
    cloud.advance(3600)
    listed = {tuple(row[key] for key in argspec.STREAM) for row in info(cloud, "live.example.com")[0]["streams"]}
    assert listed == {tuple(name.split("/")) for name in names[1::2]}
    result, called = info(cloud, "live.example.com", gather=["events"])
    assert called == [ONLINE, LOG]
    assert [f"{row['domain_name']}/{row['app_name']}/{row['stream_name']}" for row in result["streams"]] == names
    assert [row["recording"] for row in result["streams"]] == ["offline", "unknown"] * 2
    result = info(cloud, "live.example.com/b", gather=["state", "events"], start_time=format_past(minutes=70))[0]
    assert [row["stream_name"] for row in result["streams"]] == ["x", "y"]
    assert [[event["type"] for event in row["events"]] for row in result["streams"]] == [
        ["record_paused", "file_created", "file_created"],
        ["file_created"],
    ]
    assert result["streams"][1]["recording"] == "recording", "which began before the time of the events"
    (file_event,) = [event for event in result["streams"][0]["events"] if "m3u8" in str(event["content"])]
    assert file_event["delivered"] and file_event["storage_type"] == "oss" and file_event["content"]["stream"] == "x"
    result = info(
        cloud,
        "live.example.com",
        gather=["events"],
        start_time=format_past(minutes=50),
        end_time=format_past(minutes=10),
    )[0]
    assert [row["stream_name"] for row in result["streams"]] == ["y", "y"], "those that are online only"


def test_secrets_of_a_callback_are_not_returned(cloud):
    notify = {"DomainName": "signed.example.com", "NotifyUrl": "http://callback.example.com/?token=hidden-token"}
    notify.update(NeedStatusNotify=True, NotifyReqAuth=True, NotifyAuthKey="hiddenHiddenHidden")
    add_domain(cloud, "signed.example.com", callbacks=False)
    cloud.add_accounts({"id": ACCOUNT, "notify_configs": [notify]})
    cloud.push("signed.example.com/a/s")
    record(cloud, stream="signed.example.com/a/s")
    result = info(cloud, "signed.example.com", gather=["state", "events", "config"])[0]
    assert [event["type"] for event in result["streams"][0]["events"]] == ["record_started"]
    assert "hidden" not in str(result) and "SIGNATURE" not in str(result) and "rtmp:" not in str(result)


def test_operations_of_single_streams_keep_their_own_rate(cloud):
    names = [f"live.example.com/a/s{number:02}" for number in range(20)]
    cloud.push(*names)
    result, called = info(cloud, "live.example.com", gather=["files"])
    assert called == [ONLINE] + [FILES] * 20
    assert result["throttled"] == 0 and result["waited_seconds"] > 0.8
    assert {tuple(row["files"]) for row in result["streams"]} == {()}


BAD = [
    ({"start_time": "2026-01-02T03:04:05"}, "start_time is 2026-01-02T03:04:05, which is not a time with a zone"),
    ({"end_time": "yesterday"}, "end_time is yesterday"),
    ({"start_time": "2026-02-30T00:00:00Z"}, "which is not a time"),
    ({"start_time": format_past(hours=1), "end_time": format_past(hours=2)}, "which is not before end_time"),
    ({"start_time": format_past(hours=1), "end_time": format_past(hours=1)}, "which is not before end_time"),
    ({"start_time": format_past(hours=-1), "end_time": format_past(hours=-2)}, "which is not before now"),
    ({"end_time": format_past(days=8), "gather": ["events"]}, "the notify log goes back 7 days"),
    ({"end_time": format_past(days=190), "gather": ["files"]}, "about 6 months"),
    ({"query": "[?"}, "query cannot be used"),
    ({"query": ""}, "query cannot be used"),
    ({"query": "[?nothing(@)]"}, "nothing(), which is not a function"),
    ({"query": "[?length(@, `1`) > `2`]"}, "length() 2 arguments, and it takes 1"),
    ({"stream_name": ""}, "stream_name is ''"),
    ({"app_name": "*", "stream_name": None}, "leave the option out to look at all"),
    ({"app_name": "a\nb"}, "line end"),
    ({"domain_name": "https://live.example.com"}, "is not a valid domain"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_invalid_options_are_refused_before_any_call(cloud, options, words):
    result, called = info(cloud, **options)
    assert result["failed"] and words in result["msg"] and called == []
    assert "\n" not in result["msg"] and result["msg"].endswith(".")


def test_a_query_selects_from_the_result(cloud):
    cloud.push(STREAM, "live.example.com/other/x")
    record(cloud)
    query = "[?recording != 'recording'].{name: stream_name, why: reason}"
    result = info(cloud, "live.example.com", query=query)[0]
    assert [row["name"] for row in result["result"]] == ["x"] and len(result["streams"]) == 2
    assert info(cloud, query="nothing.here")[0]["result"] is None
    result, called = info(cloud, query="max_by(@, &online)")
    assert result["failed"] and "query cannot be used" in result["msg"], "that shows with the value only"
    assert "result" not in info(cloud)[0]


@pytest.mark.parametrize("generation", ["old", "new"])
def test_an_unknown_domain_fails(cloud, generation):
    cloud.behave(generation=generation)
    result, called = info(cloud, "nowhere.example.com")
    assert result["failed"] and called == [ONLINE]
    assert result["error"]["code"] == "InvalidDomain.NotFound"
