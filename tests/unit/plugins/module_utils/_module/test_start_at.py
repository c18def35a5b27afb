# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks with start_at, on a clock that moves only when a task sleeps or the clock is set."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email.utils import formatdate
from typing import Any, NamedTuple

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey, Credentials
from ansible_collections.apsaravideo.live.plugins.module_utils._module.record import SPEC, operate
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.clock import FakeClock
from support.scripted import ScriptedServer, answer

START = datetime(2026, 1, 2, 12, tzinfo=timezone.utc).timestamp()
ISO = "2026-01-02T20:00:00+08:00"
KEYS = AccessKey("the-id", "the-secret", None, "a test")
OK = answer(200, json.dumps({"RequestId": "OK-1"}))
NOTHING_LOGGED = answer(200, json.dumps({"RequestId": "R", "TotalNum": 0, "CallbackList": []}))
NOT_PUSHED = answer(409, json.dumps({"RequestId": "R", "Code": "StreamNotFound", "Message": ""}))
OFFLINE = answer(200, json.dumps({"RequestId": "R", "StreamState": "offline"}))


def make_clock(before, jumps=()):
    """Return a clock that begins so many seconds before the start."""
    return FakeClock(START - before, jumps)


class Run(NamedTuple):
    """A result, and the times of requests and of reads of credentials, in seconds after the start."""

    result: dict[str, Any]
    requests: list[float]
    keys: list[float]


@pytest.fixture(name="record")
def recording_task(tmp_path, monkeypatch):
    """Return a function that runs a task against a server with scripted responses."""

    def run(clock, *script, check_mode=False, **options):
        requests, asked = [], []

        def seen(step):
            def play(handler):
                requests.append(round(clock.wall - START, 3))
                handler.date_time_string = lambda timestamp=None: formatdate(clock.wall, usegmt=True)
                step(handler)

            return play

        def keys(self):
            asked.append(round(clock.wall - START, 3))
            return KEYS

        monkeypatch.setattr(Credentials, "get_access_key", keys)
        names = {"domain_name": "d.example", "app_name": "a", "stream_name": "s"}
        with ScriptedServer(*[seen(step) for step in script]) as server:
            given = {"endpoint": server.url, "start_at": ISO, "rate_limit": 10, **names, **options}
            task = Task(SPEC.fill(given), {"XDG_RUNTIME_DIR": str(tmp_path)}, check_mode, clock)
            return Run(execute(operate, task), requests, asked)

    return run


def test_first_request_is_sent_at_the_time_and_not_before(record):
    clock = make_clock(3600)
    run = record(clock, OK)
    assert run.requests == [0]
    assert (run.result["start_at"], run.result["late_seconds"]) == (ISO, 0)
    assert run.result["waited_seconds"] == 0, "this wait is nothing to worry about"
    assert run.keys[0] == -3600, "what is wrong with the keys shows at once"
    assert -10 in run.keys, "keys that have expired meanwhile are renewed in time"
    assert -1 in [round(time - START, 3) for time in clock.woke_at], "the connection is made a second before"


def test_calls_of_several_tasks_are_evenly_spaced_from_then_on(record):
    with ScriptedServer(OK, OK, OK) as server:
        runs = [record(make_clock(20), endpoint=server.url) for _number in range(3)]
    assert [run.result["late_seconds"] for run in runs] == [0, 0.1, 0.2]


@pytest.mark.parametrize("jumps", [[5], [0, 0, 100], [-400]])
def test_clock_that_is_changed_while_waiting_is_noticed(record, jumps):
    run = record(make_clock(300, jumps), OK)
    assert run.requests == [run.result["late_seconds"]] == [0]


def test_clock_that_is_set_past_the_time_starts_at_once(record):
    run = record(make_clock(300, [1000]), OK)
    assert run.requests == [run.result["late_seconds"]] == [701], "a second after it was set"


def test_time_that_has_just_passed_starts_at_once(record):
    clock = make_clock(-599.5)
    run = record(clock, OK)
    assert run.requests == [run.result["late_seconds"]] == [599.5]
    assert clock.woke_at == []


def test_time_long_ago_is_refused_before_any_call(record):
    run = record(make_clock(-86400.5))
    assert run.requests == []
    assert "start_at" in run.result["msg"] and "24 hours ago" in run.result["msg"]


def test_stopped_waits_as_well(record):
    run = record(make_clock(60), NOTHING_LOGGED, OK, state="stopped")
    assert run.requests == [0, 0], "the notify log is not read earlier either"


def test_wait_for_the_stream_begins_at_the_time(record, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    clock = make_clock(600)
    looks = 5  # after 0.5, 1.25, 2.4, 4.1 and 5 seconds
    run = record(clock, NOT_PUSHED, *[OFFLINE] * looks, wait_for_stream=5, rate_limit=1e6)
    assert run.result["error"]["code"] == "StreamNotFound"
    assert clock.wall - START == pytest.approx(5, abs=0.01)
    assert (run.result["start_at"], run.result["late_seconds"]) == (ISO, 0), "a failure says it, too"


def test_check_mode_does_not_wait(record):
    clock = make_clock(3600)
    run = record(clock, OFFLINE, check_mode=True)
    assert run.requests == [-3600]
    assert clock.woke_at == []
    assert (run.result["start_at"], run.result["late_seconds"]) == (ISO, None)


def test_time_without_a_zone_is_refused_before_any_call(record):
    run = record(make_clock(3600), start_at="2026-01-02T20:00:00")
    assert run.result["failed"] and "start_at" in run.result["msg"] and "zone" in run.result["msg"]
    assert "late_seconds" not in run.result


@pytest.mark.parametrize("nothing", [None, ""])
def test_result_has_no_delay_without_the_option(record, nothing):
    run = record(make_clock(3600), OK, start_at=nothing)
    assert run.requests == [-3600]
    assert "start_at" not in run.result and "late_seconds" not in run.result
