# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test that no report is wrong while calls and processes fail, for a few seeds of what `make soak` runs for long."""

from __future__ import annotations

import pytest

from support.chaos import (
    FAULTS,
    LOSSES,
    Evidence,
    Job,
    Known,
    LonePlaybookScenario,
    LoneScenario,
    Outcome,
    PlaybookScenario,
    Scenario,
    judge,
)


def test_two_controllers_report_no_wrong_result(cloud, tmp_path):
    report = Scenario(cloud, str(tmp_path), seed=1, streams=100, haste=8).short()
    assert report.wrong == []
    assert report.tasks == 6 * 100
    assert set(report.faults) == {*FAULTS, "outage"}


def test_playbooks_of_two_controllers_report_no_wrong_result_when_one_is_killed(cloud, tmp_path):
    scenario = PlaybookScenario(cloud, str(tmp_path), seed=1, streams=20)
    report = scenario.short()
    assert report.wrong == []
    assert set(report.faults) == {*FAULTS, "outage", "killed run"}
    assert scenario.killed >= 5
    assert report.tasks == 3 * 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_single_client_reports_exactly_what_can_be_known(cloud, tmp_path, seed):
    report = LoneScenario(cloud, str(tmp_path), seed, streams=36, haste=20).long()
    assert report.wrong == []
    assert report.tasks == 3 * 36
    assert set(report.faults) == {*FAULTS, *LOSSES}
    assert report.lost >= 25


def test_module_role_and_fleet_report_exactly_what_can_be_known(cloud, tmp_path):
    report = LonePlaybookScenario(cloud, str(tmp_path), seed=1, streams=12).long()
    assert report.wrong == []
    assert report.tasks == 3 * 12
    assert report.lost >= 6


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


def judge_case(job, calls, changes, state, result, known=None, after=None):
    """Return the judge's verdict on one report; values that `result` leaves out are right."""
    answered = [row for row in calls if row["fault"] not in ("reset_before", "reset_after")]
    right = {
        "api_calls": len(calls),
        "throttled": sum(row["throttled"] for row in calls),
        "request_ids": [row["request_id"] for row in answered],
        "changed": False,
    }
    earlier = [] if state == "new" else [change(-9, "start")]
    before = {STREAM: {"recording": "idle" if state == "new" else state, "ledger": {"changes": earlier}}}
    became = {STREAM: {"recording": after or state, "ledger": {"changes": [*earlier, *changes]}}}
    seen = Evidence(before, became, {(job.name, STREAM): calls})
    return judge(Outcome(job, STREAM, {**right, **result}), seen, known=known)


LOST = [call(1, "start", fault="reset_after"), call(2, "start", "TaskAlreadyStarted")]
SAW_STOPPED = [call(1), call(4, "stop")]
UNKNOWN = {"failed": True, "changed": True, "msg": "Outcome unknown: ..."}
WRONG = {
    "a denied change": (START, [call(1, "start")], [change(1, "start")], "idle", {}),
    "a change that was none": (START, [call(1, "start", "TaskAlreadyStarted")], [], "recording", {"changed": True}),
    "a denied change whose response was lost": (START, LOST, [change(1, "start")], "idle", {}),
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
    "an unknown outcome although the response came": (
        SPLIT,
        [call(1, "restart")],
        [change(1, "restart")],
        "recording",
        UNKNOWN,
    ),
    "a failure": (START, [call(1, "start", "StreamNotFound")], [], "idle", {"failed": True, "msg": "No."}),
    "a stop that stopped what was seen": (STOP, SAW_STOPPED, [change(4, "stop")], "recording", {}),
    "a reported change without one, by a stop": (STOP, SAW_STOPPED, [], "idle", {"changed": True}),
    "a call that is not counted": (
        START,
        [call(1, "start")],
        [change(1, "start")],
        "idle",
        {"changed": True, "api_calls": 0},
    ),
    "a throttled call that is not counted": (
        START,
        [call(1, "start", "Throttling", throttled=True), call(2, "start")],
        [change(2, "start")],
        "idle",
        {"changed": True, "throttled": 0},
    ),
    "an unknown request ID": (
        START,
        [call(1, "start")],
        [change(1, "start")],
        "idle",
        {"changed": True, "request_ids": ["X"]},
    ),
    "a split by another client long before": (
        SPLIT,
        [call(5, "restart", fault="reset_before")],
        [{**change(1, "restart"), "request_id": "X"}],
        "recording",
        {"changed": True, "state_source": "notify_log"},
    ),
    "a split by another client although a response came": (
        SPLIT,
        [call(1, "restart", "Throttling")],
        [{**change(1, "restart"), "request_id": "X"}],
        "recording",
        {"changed": True, "state_source": "notify_log"},
    ),
    "a split by another client that no list shows": (
        SPLIT,
        [call(1, "restart", fault="reset_before")],
        [{**change(1, "restart"), "request_id": "X"}],
        "recording",
        {"changed": True, "state_source": "command"},
    ),
    "too many calls": (
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
    "a change whose response was lost": (START, LOST, [change(1, "start")], "idle", {"changed": True}),
    "an assumed change after a lost response": (START, LOST, [], "recording", {"changed": True}),
    "a split": (SPLIT, [call(1, "restart")], [change(1, "restart")], "recording", {"changed": True}),
    "a split of unknown outcome": (
        SPLIT,
        [call(1, "restart", fault="reset_after")],
        [change(1, "restart")],
        "recording",
        UNKNOWN,
    ),
    "a split by another client that looks like its own": (
        SPLIT,
        [call(1, "restart", fault="reset_before")],
        [{**change(1, "restart"), "request_id": "X"}],
        "recording",
        {"changed": True, "state_source": "notify_log"},
    ),
    "a stop": (STOP, SAW_STOPPED, [change(4, "stop")], "recording", {"changed": True}),
    "a stop of nothing": (STOP, SAW_STOPPED, [], "idle", {}),
    "a stop after that of another client": (STOP, SAW_STOPPED, [change(2, "stop")], "recording", {"changed": True}),
    "a stop of a recording that began after the read": (
        STOP,
        SAW_STOPPED,
        [change(2, "start"), change(4, "stop")],
        "idle",
        {},
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_the_judge_refuses_wrong_reports(case):
    assert judge_case(*case).wrong


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
def test_the_judge_accepts_right_reports(case):
    assert judge_case(*case).wrong == []


@pytest.mark.parametrize(("calls", "wrong"), [(2, False), (1, True)])
def test_only_a_split_lost_in_an_outage_may_claim_the_split_of_another_client(calls, wrong):
    other = {**change(1, "restart"), "request_id": "X"}
    before, after = ({STREAM: {"recording": "recording", "ledger": {"changes": rows}}} for rows in ([], [other]))
    report = {"api_calls": calls, "throttled": 0, "request_ids": ["R2"], "changed": True, "state_source": "notify_log"}
    found = judge(Outcome(SPLIT, STREAM, report), Evidence(before, after, {("a-1", STREAM): [call(2)]}), outage=True)
    assert bool(found.wrong) is wrong
    assert found.attributed is not wrong


LOUD, QUIET, LISTED = Known(True, False), Known(False, False), Known(False, True)
ASSUMED = {"warnings": ["The previous state is unknown: ... A change is assumed."]}
STARTED = {"state": "recording", "previous_state": "stopped", "changed": True}
RAN = {"state": "recording", "previous_state": "recording", "changed": False}
STOPPED = {"state": "stopped", "previous_state": "recording", "changed": True}
RUNS, IDLE = {"state": "recording", "after": "recording"}, {"state": "idle", "after": "recording"}
NEW, OPEN = {"state": "new", "after": "recording"}, {**STARTED, "previous_state": "unknown", **ASSUMED}
LOOKED = [*LOST, call(3)]
MADE = [change(1, "start")]
LOST_SPLIT = [call(1, "restart", fault="reset_after"), call(2)]
CONTENTS = {**call(3), "action": "DescribeLiveStreamRecordContent"}
SPLIT_ONCE = [change(1, "restart")]
SHOWN = {"state": "recording", "previous_state": "unknown", "changed": True, "state_source": "notify_log"}
# Each case: what can be known, the job, its calls, the changes, the recording before and after, and the report.
LONE_WRONG = {
    "a change that was none": (LOUD, START, LOOKED, [], RUNS, {**STARTED, "previous_state": "recording"}),
    "a change that was none, with a warning": (LOUD, START, LOOKED, [], RUNS, {**RAN, "changed": True, **ASSUMED}),
    "a change that is assumed silently": (QUIET, START, LOOKED, [], RUNS, {**STARTED, "previous_state": "unknown"}),
    "an unnecessary doubt": (QUIET, START, [call(1, "start")], MADE, IDLE, {**STARTED, **ASSUMED}),
    "a doubt although the log has the event": (LOUD, START, LOOKED, MADE, IDLE, {**STARTED, **ASSUMED}),
    "a doubt although the log has earlier events": (LOUD, START, LOOKED, MADE, IDLE, OPEN),
    "a wrong state before": (LOUD, START, [call(1, "start")], MADE, IDLE, {**STARTED, "previous_state": "recording"}),
    "a wrong state": (LOUD, START, [call(1, "start")], MADE, IDLE, {**STARTED, "state": "stopped"}),
    "a state other than the cloud's": (LOUD, START, [call(1, "start")], MADE, {**IDLE, "after": "paused"}, STARTED),
    "an unnecessary read": (LOUD, START, [call(1, "start"), call(2)], MADE, IDLE, STARTED),
    "two reads": (LOUD, START, [*LOOKED, call(4)], MADE, IDLE, STARTED),
    "a missing read": (LOUD, START, LOST, MADE, IDLE, STARTED),
    "two commands": (LOUD, START, [call(1, "start"), call(2, "start", "TaskAlreadyStarted")], MADE, IDLE, STARTED),
    "an unnecessary read of the contents": (LOUD, SPLIT, [*LOST_SPLIT, CONTENTS], SPLIT_ONCE, RUNS, SHOWN),
    "a missing read of the contents": (LOUD, SPLIT, LOST_SPLIT, [], RUNS, UNKNOWN),
    "an unknown outcome that the log shows": (LOUD, SPLIT, [*LOST_SPLIT, CONTENTS], SPLIT_ONCE, RUNS, UNKNOWN),
    "an unknown outcome that contents show": (LISTED, SPLIT, [*LOST_SPLIT, CONTENTS], SPLIT_ONCE, RUNS, UNKNOWN),
    "a stop that is assumed silently": (QUIET, STOP, [call(1), call(2, "stop")], [], {"state": "idle"}, STOPPED),
}
LONE_RIGHT = {
    "a change": (LOUD, START, LOOKED, MADE, IDLE, STARTED),
    "no change": (LOUD, START, LOOKED, [], RUNS, RAN),
    "an assumed change": (QUIET, START, LOOKED, [], RUNS, {**STARTED, "previous_state": "unknown", **ASSUMED}),
    "a doubt about what was before the first event": (LOUD, START, LOOKED, MADE, NEW, OPEN),
    "a split that the log shows": (LOUD, SPLIT, LOST_SPLIT, SPLIT_ONCE, RUNS, SHOWN),
    "a split that contents show": (
        LISTED,
        SPLIT,
        [*LOST_SPLIT, CONTENTS],
        SPLIT_ONCE,
        RUNS,
        {**SHOWN, "state_source": "record_contents"},
    ),
    "an unknown outcome that no list shows": (QUIET, SPLIT, [*LOST_SPLIT, CONTENTS], SPLIT_ONCE, RUNS, UNKNOWN),
    "an unknown outcome of a split that failed": (LOUD, SPLIT, [*LOST_SPLIT, CONTENTS], [], RUNS, UNKNOWN),
    "a stop": (LOUD, STOP, SAW_STOPPED, [change(4, "stop")], {"state": "recording", "after": "paused"}, STOPPED),
    "an assumed stop": (
        QUIET,
        STOP,
        SAW_STOPPED,
        [],
        {"state": "idle"},
        {**STOPPED, "previous_state": "unknown", **ASSUMED},
    ),
}


def judge_single_client(known, job, calls, changes, states, result):
    return judge_case(job, calls, changes, states["state"], result, known, states.get("after")).wrong


@pytest.mark.parametrize("case", LONE_WRONG.values(), ids=LONE_WRONG)
def test_the_judge_refuses_inexact_reports_of_a_single_client(case):
    assert judge_single_client(*case)


@pytest.mark.parametrize("case", LONE_RIGHT.values(), ids=LONE_RIGHT)
def test_the_judge_accepts_exact_reports_of_a_single_client(case):
    assert judge_single_client(*case) == []
