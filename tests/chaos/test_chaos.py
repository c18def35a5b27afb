# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A short stretch of what `make soak` does for long: everything fails now and then, and no report is wrong."""

from __future__ import annotations

import pytest
from chaos import FAULTS, Evidence, Job, Outcome, PlaybookScenario, Scenario, judge


def test_operations_of_two_controllers(cloud, tmp_path):
    report = Scenario(cloud, str(tmp_path), seed=1, streams=100, haste=8).short()
    assert report.wrong == []
    assert report.tasks == 6 * 100
    assert set(report.faults) == {*FAULTS, "outage"}


def test_playbooks_of_two_controllers_one_of_which_is_killed(cloud, tmp_path):
    scenario = PlaybookScenario(cloud, str(tmp_path), seed=1, streams=20)
    report = scenario.short()
    assert report.wrong == []
    assert set(report.faults) == {*FAULTS, "outage", "killed run"}
    assert scenario.killed >= 5
    assert report.tasks == 3 * 20


STREAM = "live.example.com/chaos/stream0000"
START, SPLIT, STOP = Job("a-1", "started"), Job("a-1", "restarted"), Job("a-1", "stopped")


def call(number, command=None, code=None, fault=None, throttled=False):
    action = "RealTimeRecordCommand" if command else "DescribeLiveRecordNotifyRecords"
    params = {"Command": command} if command else {}
    return {
        "request_id": f"R{number}",
        "time": float(number),
        "action": action,
        "params": params,
        "code": code,
        "fault": fault,
        "throttled": throttled,
    }


def change(number, command):
    return {"request_id": f"R{number}", "time": number + 0.5, "command": command}


def verdict(job, calls, changes, state="idle", **result):
    """The verdict on a report of one stream; what it leaves out is as it should be."""
    answered = [row for row in calls if row["fault"] not in ("reset_before", "reset_after")]
    right = {
        "api_calls": len(calls),
        "throttled": sum(row["throttled"] for row in calls),
        "request_ids": [row["request_id"] for row in answered],
        "changed": False,
    }
    before = {STREAM: {"recording": state, "ledger": {"changes": []}}}
    after = {STREAM: {"recording": state, "ledger": {"changes": changes}}}
    seen = Evidence(before, after, {(job.name, STREAM): calls})
    return judge(Outcome(job, STREAM, {**right, **result}), seen)


LOST = [call(1, "start", fault="reset_after"), call(2, "start", "TaskAlreadyStarted")]
SAW_STOPPED = [call(1), call(4, "stop")]
UNKNOWN = {"failed": True, "changed": True, "msg": "Outcome unknown: ..."}
WRONG = {
    "a change that is denied": (START, [call(1, "start")], [change(1, "start")], "idle", {}),
    "a change that was none": (START, [call(1, "start", "TaskAlreadyStarted")], [], "recording", {"changed": True}),
    "a lost answer's change that is denied": (START, LOST, [change(1, "start")], "idle", {}),
    "a split in two": (
        SPLIT,
        [call(1, "restart", fault="reset_after"), call(2, "restart")],
        [change(1, "restart"), change(2, "restart")],
        "recording",
        {"changed": True},
    ),
    "a split that was none": (SPLIT, [call(1, "restart", "Throttling")], [], "recording", {"changed": True}),
    "a failed split in two": (
        SPLIT,
        [call(1, "restart", fault="reset_after"), call(2, "restart", fault="reset_after")],
        [change(1, "restart"), change(2, "restart")],
        "recording",
        UNKNOWN,
    ),
    "an outcome that was known": (SPLIT, [call(1, "restart")], [change(1, "restart")], "recording", UNKNOWN),
    "a failure": (START, [call(1, "start", "StreamNotFound")], [], "idle", {"failed": True, "msg": "No."}),
    "a stop that stopped what was seen": (STOP, SAW_STOPPED, [change(4, "stop")], "recording", {}),
    "a stop of nothing": (STOP, SAW_STOPPED, [], "idle", {"changed": True}),
    "a call that is not counted": (
        START,
        [call(1, "start")],
        [change(1, "start")],
        "idle",
        {"changed": True, "api_calls": 0},
    ),
    "a drop that is not counted": (
        START,
        [call(1, "start", "Throttling", throttled=True), call(2, "start")],
        [change(2, "start")],
        "idle",
        {"changed": True, "throttled": 0},
    ),
    "an answer to nobody": (
        START,
        [call(1, "start")],
        [change(1, "start")],
        "idle",
        {"changed": True, "request_ids": ["X"]},
    ),
    "calls without end": (
        START,
        [call(number, "start") for number in range(99)],
        [change(1, "start")],
        "idle",
        {"changed": True},
    ),
}
RIGHT = {
    "a change": (START, [call(1, "start")], [change(1, "start")], "idle", {"changed": True}),
    "no change": (START, [call(1, "start", "TaskAlreadyStarted")], [], "recording", {}),
    "a lost answer's change": (START, LOST, [change(1, "start")], "idle", {"changed": True}),
    "a lost answer": (START, LOST, [], "recording", {"changed": True}),
    "a split": (SPLIT, [call(1, "restart")], [change(1, "restart")], "recording", {"changed": True}),
    "a split of unknown outcome": (
        SPLIT,
        [call(1, "restart", fault="reset_after")],
        [change(1, "restart")],
        "recording",
        UNKNOWN,
    ),
    "a stop": (STOP, SAW_STOPPED, [change(4, "stop")], "recording", {"changed": True}),
    "a stop of nothing": (STOP, SAW_STOPPED, [], "idle", {}),
    "a stop that another one overtook": (STOP, SAW_STOPPED, [change(2, "stop")], "recording", {"changed": True}),
    "a stop of what began after the look": (STOP, SAW_STOPPED, [change(2, "start"), change(4, "stop")], "idle", {}),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_the_judge_finds(case):
    *rest, result = case
    assert verdict(*rest, **result).wrong


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
def test_the_judge_lets_pass(case):
    *rest, result = case
    assert verdict(*rest, **result).wrong == []
