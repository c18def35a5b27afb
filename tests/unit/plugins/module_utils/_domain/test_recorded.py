# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rows of the API and events of its logs say of a recording."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import IngestEvent, NotifyEvent, Push, Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._api.rows import FILE_FIELDS, rename_fields
from ansible_collections.apsaravideo.live.plugins.module_utils._domain import knowledge, recorded, verification
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.file_check import judge_beginning, judge_duration
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.knowledge import NotifyLog, Sources
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.verification import RecordedFile

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
START = NOON.timestamp()
STREAM = Stream("live.example.com", "news", "studio1")
HOUR = 3600
CONFIG = {
    "app_name": "*",
    "stream_name": "*",
    "mode": "manual",
    "delay_time": 300,
    "oss_bucket": "bkt",
    "oss_endpoint": "oss-cn-shanghai.aliyuncs.com",
    "create_time": "2026-01-01T00:00:00Z",
    "formats": [{"format": "m3u8", "cycle_duration": 900}, {"format": "mp4", "cycle_duration": 1800}],
    "transcode_formats": [],
}


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def make_row(**fields):
    row = {
        "RecordId": "1",
        "RecordUrl": "http://bkt.oss/a.m3u8",
        "Format": "m3u8",
        "StartTime": "2026-01-02T12:00:00Z",
        "EndTime": "2026-01-02T12:10:00Z",
        "Duration": 600.5,
        "OssObject": "a.m3u8",
    }
    return rename_fields([{**row, **fields}], FILE_FIELDS)[0]


def make_event(kind, seconds, **content):
    return NotifyEvent(kind, at(seconds), STREAM, body=json.dumps(content))


def created(name="a.mp4", start=0, stop=600, **content):
    times = {"start_time": int(START) + start, "stop_time": int(START) + stop, "duration": float(stop - start)}
    return make_event("file_created", stop, uri=name, **{**times, **content})


def failed(name, start=0, stop=600):
    info = {"uri": name, "start_time": int(START) + start, "stop_time": int(START) + stop}
    return make_event("transformat_error", stop, file_info=info, error_info={"code": "Denied"})


def test_file_of_both_lists_counts_once_and_an_error_of_the_log_remains():
    index = recorded.read_index_files([make_row()])
    logged = recorded.read_logged_files(
        [created("a.m3u8"), created("b c.mp4"), failed("a.m3u8"), failed("d.flv")], CONFIG
    )
    found = recorded.merge_files(index, logged).found
    assert [(file.object, file.status, file.note, file.url) for file in found] == [
        ("d.flv", "error", "Denied", "http://bkt.oss-cn-shanghai.aliyuncs.com/d.flv"),
        ("a.m3u8", "error", "Denied", "http://bkt.oss/a.m3u8"),
        ("b c.mp4", "unchecked", "", "http://bkt.oss-cn-shanghai.aliyuncs.com/b%20c.mp4"),
    ]


def test_address_in_a_callback_names_the_same_object():
    logged = recorded.read_logged_files([created("http://bkt.oss/x/a%20b.mp4"), created("http://[bad")], None)
    assert [(file.object, file.url) for file in logged.found] == [
        ("x/a b.mp4", "http://bkt.oss/x/a%20b.mp4"),
        ("http://[bad", None),
    ]


@pytest.mark.parametrize(
    "fields",
    [{"StartTime": "noon"}, {"EndTime": None}, {"EndTime": "2026-01-02T11:00:00Z"}, {"StartTime": 7}],
)
def test_row_without_valid_times_is_counted(fields):
    found = recorded.read_index_files([make_row(), make_row(RecordId="2", **fields)])
    assert (len(found.found), found.unreadable) == (1, 1)


@pytest.mark.parametrize("duration", [None, "600", True, -1, math.nan, math.inf])
def test_duration_that_is_no_number_is_unknown(duration):
    assert recorded.read_index_files([make_row(Duration=duration)]).found[0].duration is None


@pytest.mark.parametrize("content", [{}, {"uri": 3}, {"uri": "a", "start_time": "x"}, {"uri": "a", "start_time": 5}])
def test_callback_without_valid_times_is_counted(content):
    assert recorded.read_logged_files([make_event("file_created", 0, **content)], None).unreadable == 1


def test_course_of_a_recording():
    events = [
        make_event(kind, time)
        for kind, time in (
            ("record_paused", 100),
            ("record_started", 0),
            ("record_resumed", 150),
            ("record_paused", 400),
        )
    ]
    course = recorded.read_course(events, START - 10, START + 1000, HOUR)
    assert course.pauses == ((START + 100, START + 150),)
    assert course.closed_until == START + 1000
    assert recorded.read_course(events, None, START + 1000, HOUR).closed_until == START
    assert recorded.read_course(events, START - 10, START + 300, HOUR).closed_until == START


@pytest.mark.parametrize(("since", "closed"), [(-HOUR, True), (-HOUR + 1, False), (None, False)])
def test_stream_without_events_was_not_recorded_if_the_log_goes_back_a_cycle(since, closed):
    since = None if since is None else START + since
    assert (recorded.read_course([], since, START, HOUR).closed_until == START) is closed


def ingest(*events):
    return [IngestEvent("news", "studio1", kind, at(seconds)) for kind, seconds in events]


def shift(spans):
    return [(start - START, stop - START) for start, stop in spans]


@pytest.mark.parametrize(
    ("events", "on", "off_at"),
    [
        ([("publish", 10), ("publish_done", 50), ("publish", 70)], [(10, 50), (70, 100)], 5),
        ([("publish_done", 50)], [(0, 50)], 60),
        ([("publish", 10), ("publish", 50), ("publish_done", 60)], [(50, 60)], 70),
    ],
)
def test_pushes_of_the_ingest_log(events, on, off_at):
    found = recorded.read_push_events(ingest(*events), START, START + 100)
    assert shift(found.on) == on
    assert any(start <= START + off_at < stop for start, stop in found.off)
    assert all(start >= START and stop <= START + 100 for start, stop in found.off)


def test_time_between_two_beginnings_is_unknown():
    found = recorded.read_push_events(
        ingest(("publish", 10), ("publish", 50), ("publish_done", 60)), START, START + 100
    )
    assert (START + 10, START + 50) in found.unsure


@pytest.mark.parametrize(
    ("pushes", "online", "on", "off"),
    [
        ([(0, 50), (70, None)], 70, [(0, 50), (70, 100)], [(-100, 0), (50, 70)]),
        ([(0, None)], None, [], [(-100, 0)]),
        ([(0, None)], 50, [(50, 100)], [(-100, 0)]),
        ([], -500, [(-500, 100)], []),
        ([], None, [], [(-100, 100)]),
    ],
)
def test_pushes_of_the_publish_list(pushes, online, on, off):
    rows = [Push("news", "studio1", at(start), None if stop is None else at(stop)) for start, stop in pushes]
    since = None if online is None else at(online)
    found = recorded.read_push_list(rows, since, START - 100, START + 100)
    assert (shift(found.on), shift(found.off)) == (on, off)


# --- what the sources together say -----------------------------------------------------------------------------------

WINDOW = ((START, START + HOUR),)


def combine(**sources):
    return knowledge.combine(
        STREAM, WINDOW, Sources(START + 2 * HOUR, **{"listed": [], "configs": [CONFIG], **sources})
    )


def test_configuration_gives_delay_and_cycle():
    assert combine()[3:5] == (300, 1800)
    assert combine(delay=7.0).delay == 7


@pytest.mark.parametrize(
    "configs", [None, [], [{**CONFIG, "create_time": "2026-01-02T12:00:01Z"}], [{**CONFIG, "mode": "callback"}]]
)
def test_longest_times_apply_without_a_configuration_of_that_time(configs):
    known = combine(configs=configs)
    assert (known.delay, known.cycle, known.visible) == (21600, 21600, ())


def test_only_what_is_listed_or_logged_is_visible():
    mp4 = {**CONFIG, "formats": CONFIG["formats"][1:]}
    m3u8 = {**CONFIG, "formats": CONFIG["formats"][:1]}
    log = NotifyLog({}, START + 2 * HOUR, since=START + 60)
    assert combine(configs=[mp4]).visible == ()
    assert combine(configs=[mp4], log=log).visible == ((START + 60, START + 2 * HOUR),)
    assert combine(configs=[m3u8]).visible == combine(configs=[m3u8]).whole != ()
    assert (combine().visible != (), combine().whole) == (True, ())
    assert combine(listed=None).visible == ()
    old = knowledge.combine(STREAM, ((START - 200 * 86400, START),), Sources(START + HOUR, [], [CONFIG]))
    assert old.unseen == "files are listed for about 6 months, and the window is older"
    assert combine(listed=[make_row(StartTime="x")]).unseen == "some files are listed without valid times"
    assert combine(listed=None, problems=["the list could not be read (Forbidden)"]).unseen.endswith("(Forbidden)")


def test_errors_of_the_window_are_named_once():
    rows = [make_event("record_error", time, error_info={"code": "BucketNotFound"}) for time in (-5, 5, 6)]
    assert combine(log=NotifyLog({STREAM: rows}, START + 2 * HOUR)).errors == ["BucketNotFound"]
    assert combine(log=NotifyLog({STREAM: rows[:1]}, START + 2 * HOUR)).errors == []


# --- files at their addresses ----------------------------------------------------------------------------------------


def make_file(kind):
    return RecordedFile(START, START + 60, 60.0, kind, "a", "http://h/a")


@pytest.mark.parametrize(
    ("kind", "status", "content", "expected"),
    [
        ("m3u8", 206, b"#EXTM3U\n", verification.OK),
        ("m3u8", 206, b"\xef\xbb\xbf#EXTM3U", verification.OK),
        ("m3u8", 200, b"<html>", verification.DAMAGED),
        ("mp4", 206, b"\0\0\0\x20ftypisom", verification.OK),
        ("mp4", 206, b"\0" * 20, verification.DAMAGED),
        ("flv", 200, b"FLV\x01", verification.OK),
        ("ts", 200, b"\x47\x40", verification.OK),
        ("ts", 200, b"FLV", verification.DAMAGED),
        ("mov", 200, b"anything", verification.OK),
        ("mp4", 200, b"", verification.DAMAGED),
        ("mp4", 416, b"", verification.DAMAGED),
        ("mp4", 404, b"", verification.MISSING),
        ("mp4", 403, b"", verification.UNCHECKED),
        ("mp4", 302, b"", verification.UNCHECKED),
        ("mp4", 503, b"", verification.UNCHECKED),
    ],
)
def test_beginning_of_a_file(kind, status, content, expected):
    found = judge_beginning(make_file(kind), status, content, 7)
    assert (found.status, found.size) == (expected, 7)
    assert bool(found.note) == (expected != verification.OK)


def test_duration_of_a_file():
    assert judge_duration(make_file("mp4"), 51.0, 10.0).status == verification.UNCHECKED
    assert judge_duration(make_file("mp4"), 49.0, 10.0).status == verification.DAMAGED
