# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window in which the notify log is read: it must not end before what is to be seen, however the clocks are set."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import ApiError
from support.client import make_client
from support.clock import FakeClock
from support.scripted import ScriptedServer, answer

NOW = datetime(2026, 1, 2, 12, tzinfo=timezone.utc).timestamp()
STREAM = Stream("live.example.com", "app", "stream")
MINUTES = 60
HOURS = 3600
DAYS = 86_400


def date(ahead):
    return format_datetime(datetime.fromtimestamp(NOW + ahead, timezone.utc), usegmt=True)


def log(ahead=0):
    return answer(200, json.dumps({"RequestId": "R", "TotalPage": 1, "CallbackList": []}), date=date(ahead))


def refuse(code, ahead=0):
    return answer(400, json.dumps({"RequestId": "R", "Code": code, "Message": "m"}), date=date(ahead))


def windows(*script):
    """Begin and end of each window that was asked for, in seconds from noon by this machine's clock."""
    with ScriptedServer(*script) as server:
        client = make_client(server.url, FakeClock(NOW))
        try:
            Live(client).notify_events(STREAM)
        finally:
            queries = [dict(parse_qsl(urlsplit(request.target).query)) for request in server.requests]
            asked = [[seconds(query[name]) for name in ("StartTime", "EndTime")] for query in queries]
    return asked


def seconds(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp() - NOW


USUAL = [-7 * DAYS + 15 * MINUTES, 15 * MINUTES]


@pytest.mark.parametrize("ahead", [0, -5 * HOURS, 15 * MINUTES])
def test_the_window_ends_in_the_future_so_that_no_event_is_missed_while_the_call_waits(ahead):
    assert windows(log(ahead)) == [USUAL]


def test_a_clock_that_is_further_behind_is_detected_by_the_response():
    later = [USUAL[0] + HOURS, USUAL[1] + HOURS]
    assert windows(log(HOURS), log(HOURS)) == [USUAL, later]


@pytest.mark.parametrize("code", ["InvalidEndTime.Malformed", "MalformedParam", "InvalidParameter", "InvalidTime"])
def test_a_window_that_ends_now_is_read_if_one_in_the_future_is_refused(code):
    assert windows(refuse(code), log()) == [USUAL, [USUAL[0], 0]]


def test_a_clock_that_is_behind_is_detected_though_the_future_is_refused():
    asked = windows(refuse("MalformedParam"), log(5 * MINUTES), log(5 * MINUTES))
    assert asked == [USUAL, [USUAL[0], 0], [USUAL[0] + 5 * MINUTES, 5 * MINUTES]]


def test_a_new_window_is_made_after_a_wrong_clock_was_corrected():
    hours = 5 * HOURS
    script = [refuse("InvalidTimeStamp.Expired", hours), refuse("MalformedParam", hours), log(hours)]
    assert windows(*script) == [USUAL, USUAL, [USUAL[0] + hours, USUAL[1] + hours]]


@pytest.mark.parametrize("code", ["InvalidDomain.NotFound", "Forbidden.RAM"])
def test_another_refusal_is_final(code):
    with pytest.raises(ApiError, match=code):
        windows(refuse(code))


def test_a_window_that_is_refused_in_any_form_is_an_error():
    with pytest.raises(ApiError, match="MalformedParam"):
        windows(refuse("MalformedParam"), refuse("MalformedParam"))


@pytest.mark.parametrize("nonsense", ["Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "soon"])
def test_an_implausible_date_is_ignored(nonsense):
    body = json.dumps({"RequestId": "R", "CallbackList": []})
    assert windows(answer(200, body, date=nonsense)) == [USUAL]
