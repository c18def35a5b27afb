# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's count of concurrent recordings, from rows of usage."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import RecordUsage
from ansible_collections.apsaravideo.live.plugins.module_utils._api.rows import parse_record_usage
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.recording_count import (
    RecordingCount,
    find_count,
    read_count,
)
from support.client import make_client
from support.clock import FakeClock
from support.scripted import ScriptedServer, answer

MONTH = datetime(2026, 3, 1, tzinfo=timezone.utc)
NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


def usage(time, count, kind="m3u8"):
    return RecordUsage(time, kind, count)


def minutes(*counts, kind="m3u8"):
    return [usage(NOON + timedelta(minutes=number), count, kind) for number, count in enumerate(counts)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"TimeStamp": "2026-03-02T12:00:00Z", "Type": "MP4", "Count": 3}, usage(NOON, 3, "mp4")),
        ({"TimeStamp": "2026-03-02T12:00:00Z", "Type": "mp4", "Count": "3"}, usage(NOON, 3, "mp4")),
        ({"TimeStamp": "2026-03-02T12:00:00Z", "Count": 0}, usage(NOON, 0, "")),
        ({"TimeStamp": "2026-03-02T12:00:00Z", "Type": ["x"], "Count": 1}, usage(NOON, 1, "")),
        ({"TimeStamp": "yesterday", "Count": 3}, None),
        ({"TimeStamp": "2026-03-02T12:00:00Z"}, None),
        ({"TimeStamp": "2026-03-02T12:00:00Z", "Count": -1}, None),
        ({"TimeStamp": "2026-03-02T12:00:00Z", "Count": "many"}, None),
        ({}, None),
    ],
)
def test_rows_of_usage_are_parsed_tolerantly(row, expected):
    assert parse_record_usage(row) == expected


def test_latest_minute_is_the_count():
    count = find_count(minutes(5, 7, 6), [], MONTH)
    assert count == RecordingCount(6, "2026-03-02T12:02:00Z", 7, "2026-03-02T12:01:00Z")


def test_formats_are_not_added_up():
    rows = minutes(5, 5) + minutes(4, 6, kind="mp4")
    assert find_count(rows, [], MONTH)[:2] == (6, "2026-03-02T12:01:00Z")


def test_regions_of_a_format_are_added_up():
    assert find_count(minutes(5) + minutes(4), [], MONTH).counted == 9


def test_latest_hour_is_the_count_without_recent_minutes():
    hours = [usage(MONTH + timedelta(hours=number), count) for number, count in enumerate((1, 9, 2))]
    assert find_count([], hours, MONTH) == RecordingCount(2, "2026-03-01T02:00:00Z", 9, "2026-03-01T01:00:00Z")


def test_peak_is_the_maximum_of_hours_and_minutes_and_the_earliest_of_equal_ones():
    hours = [usage(MONTH, 7), usage(NOON, 3)]
    assert find_count(minutes(5, 7), hours, MONTH)[2:] == (7, "2026-03-01T00:00:00Z")


def test_minutes_before_the_month_are_no_peak():
    rows = [usage(MONTH - timedelta(minutes=1), 9), usage(MONTH, 4)]
    assert find_count(rows, [], MONTH) == RecordingCount(4, "2026-03-01T00:00:00Z", 4, "2026-03-01T00:00:00Z")
    assert find_count(rows[:1], [], MONTH) == RecordingCount(9, "2026-02-28T23:59:00Z", None, None)


def test_nothing_listed_is_no_count():
    assert find_count([], [], MONTH) == RecordingCount(None, None, None, None)


def read(*contents, now=NOON):
    date = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    responses = [answer(200, json.dumps({"RequestId": "1", **content}), date=date) for content in contents]
    with ScriptedServer(*responses) as server:
        live = Live(make_client(server.url, FakeClock(now.timestamp())))
        count = read_count(live, "live.example.com")
        return count, [dict(parse_qsl(urlsplit(request.target).query)) for request in server.requests]


def listed(*rows):
    return {"RecordUsageData": {"DataModule": [{"TimeStamp": time, "Type": "MP4", "Count": n} for time, n in rows]}}


def test_count_is_read_with_one_call_for_minutes_and_one_for_the_month():
    count, queries = read(listed(("2026-03-02T11:59:00Z", 2)), listed(("2026-03-01T20:00:00Z", 5)))
    assert count == RecordingCount(2, "2026-03-02T11:59:00Z", 5, "2026-03-01T20:00:00Z")
    asked = [{name: query[name] for name in ("StartTime", "EndTime", "Interval")} for query in queries]
    assert asked == [
        {"StartTime": "2026-03-02T09:00:00Z", "EndTime": "2026-03-02T12:00:00Z", "Interval": "60"},
        {"StartTime": "2026-03-01T00:00:00Z", "EndTime": "2026-03-02T12:00:00Z", "Interval": "3600"},
    ]
    assert {(query["DomainName"], query["SplitBy"]) for query in queries} == {("live.example.com", "domain,record_fmt")}


def test_count_early_in_the_month_takes_one_call():
    count, queries = read(listed(("2026-03-01T00:30:00Z", 2)), now=MONTH + timedelta(hours=1))
    assert (count.peak, len(queries)) == (2, 1)


@pytest.mark.parametrize("data", [{}, {"DataModule": []}, {"DataModule": [{"Count": None}]}])
def test_response_without_usable_rows_is_no_count(data):
    assert read({"RecordUsageData": data}, {"RecordUsageData": data})[0] == RecordingCount()
