# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as a playbook gets them."""

from __future__ import annotations

import json

from ansible_collections.apsaravideo.live.plugins.filter.record_phases import FilterModule

record_phases = FilterModule().filters()["record_phases"]
NOW = 1767355200  # 2026-01-02T12:00:00Z
EVENING = {"window_start": "2026-01-02T20:30:00+08:00", "window_duration": "1h"}
OPEN = {"record_windows": [{"start": NOW - 60, "stop": "2026-01-02T12:30:00Z"}]}


def test_a_plan():
    plan = record_phases({"a": EVENING, "b": OPEN, "c": {"record_windows": []}, "d": {}}, ["b", "a", "c"], NOW)
    at_once = {"number": 0, "at": "2026-01-02T12:00:00+00:00", "due": True, "state": "started", "count": 1}
    begin = {"number": 1, "at": "2026-01-02T20:30:00+08:00", "due": False, "state": "started", "count": 1}
    end = {"number": 2, "at": "2026-01-02T12:30:00+00:00", "due": False, "state": "stopped", "count": 1}
    last = {"number": 3, "at": "2026-01-02T21:30:00+08:00", "due": False, "state": "stopped", "count": 1}
    assert plan == {
        "problems": [],
        "warnings": [],
        "phases": [at_once, begin, end, last],
        "hosts": [["b"], ["a"], ["b"], ["a"]],
        "own": {"b": [at_once, end], "a": [begin, last], "c": []},
    }
    assert json.loads(json.dumps(plan)) == plan


def test_all_problems_are_told_at_once_with_the_hosts_that_have_them():
    wrong = {"window_start": "20:00", "window_stop": "22:00"}
    streams = {"good": EVENING, "none": {}, **{f"wrong{number}": wrong for number in range(12)}}
    problems = record_phases(streams, list(streams), NOW)["problems"]
    assert len(problems) == 2
    assert problems[0].startswith("none: It has no window")
    assert problems[1].startswith("wrong0, wrong1,") and "2 more: The option window_start is 20:00" in problems[1]
    assert record_phases(streams, ["good"], NOW)["problems"] == []


def test_a_duration_that_yaml_may_have_changed_has_a_warning():
    streams = {"a": {**EVENING, "window_duration": 120}, "b": EVENING, "c": {**EVENING, "window_duration": 120}}
    (said,) = record_phases(streams, list(streams), NOW)["warnings"]
    assert said.startswith("a, c: window_duration is the number 120, and the window as many seconds long.")


def test_the_present_is_the_default():
    assert [phase["due"] for phase in record_phases({"a": EVENING}, ["a"])["phases"]] == [True]
