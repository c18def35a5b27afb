# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps: interruptions of a push at given times, as they appear in every list, log and file."""

from __future__ import annotations

import calendar
import json
import time

import pytest

from support.emulator import EmulatorError

ONE = "live.example.com/app/one"
STREAM = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "one"}
INTERRUPTED = ((0, "push"), (5, "start"), (600, "drop"), (630, "resume"), (640, "start"), (3600, "stop"))


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def window():
    now = time.time()
    start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + offset)) for offset in (-86000, 60))
    return {"StartTime": start, "EndTime": end}


def offsets(times):
    """Return times as seconds since the first of them."""
    return [round(instant - times[0]) for instant in times]


@pytest.fixture
def played(cloud):
    """Play the interrupted push, with callbacks of its ingest domain, until its files have appeared."""
    account = {
        "id": "1000000000000001",
        "ingest_notify_configs": [{"DomainName": "push.example.com", "NotifyUrl": "http://callback.example.com/"}],
    }
    cloud.add_accounts(account)
    cloud.script(ONE, *INTERRUPTED)
    cloud.advance(3600 + 180 + 60)
    return cloud


def near(expected):
    # The API has whole seconds, so that a difference may be off by one.
    return pytest.approx(expected, abs=1)


def test_interruption_appears_in_the_publish_list(played, client):
    response = client.call("DescribeLiveStreamsPublishList", **STREAM, **window())
    first, second = response.json["PublishInfo"]["LiveStreamPublishInfo"]
    times = [seconds(first["PublishTime"]), seconds(first["StopTime"]), seconds(second["PublishTime"])]
    assert offsets(times) == near([0, 600, 630])
    assert second["StopTime"] == ""


def test_interruption_appears_in_the_log_of_push_callbacks(played, client):
    response = client.call(
        "DescribeLiveStreamsNotifyRecords", DomainName="push.example.com", **window(), PageNumber=1, PageSize=30
    )
    rows = response.json["NotifyRecordsInfo"]["LiveStreamNotifyRecordsInfo"]
    assert [row["NotifyType"] for row in rows] == ["publish", "publish_done", "publish"]
    assert offsets([seconds(row["NotifyTime"]) for row in rows]) == near([0, 598, 630])


def test_interruption_appears_in_the_log_of_recording_callbacks(played, client):
    response = client.call(
        "DescribeLiveRecordNotifyRecords", DomainName="live.example.com", **window(), PageNumber=1, PageSize=100
    )
    rows = response.json["CallbackList"]
    kinds = [row["NotifyType"] for row in rows]
    assert kinds == [
        "record_started",
        "record_paused",
        "record_resumed",
        "record_paused",
        "file_created",
        "file_created",
    ]
    assert offsets([seconds(row["NotifyTime"]) for row in rows]) == near([0, 595, 635, 3595, 3775, 3775])
    assert json.loads(rows[-1]["NotifyContent"])["duration"] == pytest.approx(595 + 2960, abs=0.01)


def test_file_continues_over_an_interruption_shorter_than_the_delay(played):
    assert [file["duration"] for file in played.stream(ONE)["files"]] == pytest.approx([3555, 3555], abs=0.01)


def test_interruption_longer_than_the_delay_ends_the_file(cloud):
    cloud.script(ONE, (0, "push"), (0, "start"), (600, "drop"), (900, "resume"), (900, "start"), (1000, "stop"))
    cloud.advance(2000)
    files = [file for file in cloud.stream(ONE)["files"] if file["format"] == "m3u8"]
    assert [file["duration"] for file in files] == pytest.approx([600, 100], abs=0.01)
    assert seconds(files[1]["started"]) - seconds(files[0]["stopped"]) == near(300)
    assert seconds(files[0]["created"]) - seconds(files[0]["stopped"]) == near(180)


def test_cycle_ends_a_file_in_the_middle_of_the_steps(cloud):
    cloud.script(ONE, (0, "push"), (0, "start"), (3000, "drop"), (3060, "resume"), (3060, "start"), (5000, "stop"))
    cloud.advance(6000)
    files = [file for file in cloud.stream(ONE)["files"] if file["format"] == "mp4"]
    assert [file["duration"] for file in files] == pytest.approx([3600, 1340], abs=0.01)
    assert seconds(files[0]["stopped"]) - seconds(files[0]["started"]) == near(3660)


def test_steps_happen_in_the_order_of_their_times(cloud):
    cloud.script(ONE, (30, "stop"), (0, "push"), (10, "start"))
    assert cloud.state()["pending_steps"] == 2
    assert cloud.stream(ONE)["online"]
    cloud.advance(60)
    ledger = cloud.stream(ONE)["ledger"]
    assert [change["command"] for change in ledger["changes"]] == ["start", "stop"]
    assert ledger["changes"][1]["time"] - ledger["changes"][0]["time"] == pytest.approx(20)


def test_refused_command_changes_nothing(cloud):
    cloud.script(ONE, (0, "start"), (1, "push"))
    cloud.advance(10)
    assert cloud.stream(ONE)["ledger"]["starts"] == 0


def test_errors_of_a_recording_appear_in_the_log_at_their_times(cloud):
    content = {"error_info": {"code": "BucketNotFound", "message": "Bucket not found"}}
    cloud.script(ONE, (0, "push"), (10, "start"), {"after": 20, "do": "record_error", "content": content})
    cloud.advance(60)
    started, error = cloud.state(ONE)["notify_events"]
    assert (started["notify_type"], error["notify_type"]) == ("record_started", "record_error")
    assert error["time"] - started["time"] == pytest.approx(10)


def test_error_of_a_conversion_names_the_file_also_after_the_clock_has_moved(cloud, client):
    cloud.script(ONE, (0, "push"), (0, "start"), (60, "restart"), (70, "transformat_error"), (80, "record_error"))
    cloud.advance(100)
    cloud.advance(1000)
    (file,) = [file for file in cloud.stream(ONE)["files"] if file["format"] == "mp4"]
    response = client.call(
        "DescribeLiveRecordNotifyRecords", DomainName="live.example.com", **window(), PageNumber=1, PageSize=100
    )
    bodies = {row["NotifyType"]: json.loads(row["NotifyContent"]) for row in response.json["CallbackList"]}
    body = bodies["transformat_error"]
    assert body["event"] == "transformat_error"
    assert body["error_info"]["code"] == "InvalidParameter.ResourceContentBad"
    assert body["file_info"] == {
        "uri": file["object"],
        "start_time": seconds(file["started"]),
        "stop_time": seconds(file["stopped"]),
    }
    assert bodies["record_error"]["error_info"]["code"] == "BucketNotFound"
    assert "file_info" not in bodies["record_error"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ((1, "explode"), "a step is one of"),
        ((-1, "push"), "a step happens after"),
        ((float("1e12"), "push"), "a step happens after"),
        ({"do": "push"}, "the field 'after' is missing"),
        ({"after": 1, "do": "record_error", "content": [1]}, "the content of a step is an object"),
    ],
)
def test_invalid_step_is_refused_with_all_others_of_its_request(cloud, step, message):
    with pytest.raises(EmulatorError, match=message):
        cloud.script(ONE, (0, "push"), step)
    assert cloud.state()["streams"] == []
    with pytest.raises(EmulatorError, match="there is no domain"):
        cloud.script("nowhere.example.com/app/one", (0, "push"))
