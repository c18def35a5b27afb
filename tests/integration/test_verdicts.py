# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table of cases, carried out by the module, by the role, and by a fleet that has them all at once."""

from __future__ import annotations

import pytest
from emulator import ACCOUNT

from ansible_collections.apsaravideo.live.plugins.module_utils._argspec import CONNECTION
from ansible_collections.apsaravideo.live.plugins.module_utils._record import SPEC, operate
from ansible_collections.apsaravideo.live.plugins.module_utils._task import Task

DOMAIN, BARE = "live.example.com", "bare.example.com"
ROLE_TASK = "Bring the recording to the wanted state"
# The wanted state, further options, what the cloud's stream is like, and the verdict: changed, state, previous_state,
# state_source, error.code, and the commands with the codes of their answers.
RUNS, IDLE, AWAY = "recording", "pushed", "not pushed"
OFFLINE = "StreamNotFound"
RUNNING = "TaskAlreadyStarted"
NOTHING = (None, None, None)
CASES = {
    # The first of all, so that it is the first of its account, too.
    "stubborn": ("started", {"retry_timeout": -2}, IDLE, (False, *NOTHING), None, []),
    "fresh": ("started", {}, IDLE, (True, "recording", "stopped", "command"), None, [("start", None)]),
    "absent": ("started", {}, AWAY, (False, *NOTHING), OFFLINE, [("start", OFFLINE)]),
    "unconfigured": (
        "started",
        {"domain_name": BARE},
        IDLE,
        (False, *NOTHING),
        "CodeConfigNotFound",
        [("start", "CodeConfigNotFound")],
    ),
    "already": ("started", {}, RUNS, (False, "recording", "recording", "command"), None, [("start", RUNNING)]),
    "throttled": (
        "started",
        {"retry_timeout": 0},
        IDLE,
        (False, *NOTHING),
        "Throttling.User",
        [("start", "Throttling.User")],
    ),
    "lost": (
        "started",
        {},
        IDLE,
        (True, "recording", "unknown", "command"),
        None,
        [("start", None), ("start", RUNNING)],
    ),
    "stopped": ("stopped", {}, RUNS, (True, "stopped", "recording", "command"), None, [("stop", None)]),
    "idle": ("stopped", {}, IDLE, (True, "stopped", "unknown", "command"), None, [("stop", None)]),
    "away": ("stopped", {}, AWAY, (False, "offline", "offline", "command"), None, [("stop", OFFLINE)]),
    "finalized": (
        "stopped",
        {"finalize": True},
        RUNS,
        (True, "stopped", "recording", "command"),
        None,
        [("stop", None), ("cancel_delay", None)],
    ),
    "split": ("restarted", {}, RUNS, (True, "recording", "unknown", "command"), None, [("restart", None)]),
    "unknown": ("restarted", {}, RUNS, (True, *NOTHING), None, [("restart", None)]),
    "late": ("restarted", {}, AWAY, (False, *NOTHING), OFFLINE, [("restart", OFFLINE)]),
    "wildcard": ("started", {"stream_name": "*"}, AWAY, (False, *NOTHING), None, []),
    "empty": ("stopped", {"app_name": ""}, AWAY, (False, *NOTHING), None, []),
    "no domain": ("restarted", {"domain_name": "*.example.com"}, AWAY, (False, *NOTHING), None, []),
    "impatient": ("started", {"wait_timeout": 0}, IDLE, (False, *NOTHING), None, []),
    "nowhere": ("restarted", {"region_id": "no region"}, RUNS, (False, *NOTHING), None, []),
    "hasty": ("stopped", {"read_timeout": 0}, RUNS, (False, *NOTHING), None, []),
}
MESSAGES = {"unknown": "Outcome unknown", "wildcard": "stream_name", "empty": "app_name", "no domain": "domain_name"}
MESSAGES |= {"impatient": "wait_timeout", "hasty": "read_timeout", "stubborn": "retry_timeout"}
MESSAGES["nowhere"] = "region_id"


def names(case):
    own = {"domain_name": DOMAIN, "app_name": "app", "stream_name": case}
    return {**own, **{name: value for name, value in CASES[case][1].items() if name in own}}


def options(case):
    return {name: value for name, value in CASES[case][1].items() if name not in names(case)}


def prepare(cloud, environ):
    """Make the cloud what the cases say it is."""
    cloud.reset()
    cloud.add_accounts({"id": ACCOUNT, "domains": [{"name": BARE, "ingest": ["push.bare.example.com"]}]})
    cloud.push(*(names(case) for case, row in CASES.items() if row[2] != AWAY))
    for case in (case for case, row in CASES.items() if row[2] == RUNS):
        given = {**names(case), "endpoint": cloud.endpoint}
        assert operate(Task(SPEC.filled(given), environ))["changed"]
    cloud.advance(60)
    cloud.clear_calls()
    fault = {"action": "RealTimeRecordCommand"}
    cloud.fault("throttle", parameters={"StreamName": "throttled"}, **fault)
    cloud.fault("reset_after", parameters={"StreamName": "lost"}, times=1, **fault)
    cloud.fault("reset_after", parameters={"StreamName": "unknown"}, times=1, **fault)


def by_module(ansible):
    tasks = [
        {
            "name": f"case {case}",
            "apsaravideo.live.apsaravideo_record": {**names(case), "state": row[0], **options(case)},
            "ignore_errors": True,
        }
        for case, row in CASES.items()
    ]
    return [row["result"] for row in ansible.play(tasks).rows]


def by_role(ansible):
    def variables(case, state):
        found = {f"apsaravideo_{name}" if name in CONNECTION else f"record_{name}": value
                 for name, value in options(case).items()}  # fmt: skip
        return {**names(case), "record_state": state, **found}

    tasks = [
        {
            "ansible.builtin.import_role": {"name": "apsaravideo.live.record"},
            "vars": variables(case, row[0]),
            "ignore_errors": True,
        }
        for case, row in CASES.items()
    ]
    rows = ansible.play(tasks).rows
    return [row["result"] for row in rows if row["task"].endswith(ROLE_TASK)]


def by_fleet(ansible):
    def fleet(state):
        streams = [{**names(case), **options(case)} for case, row in CASES.items() if row[0] == state]
        return {"apsaravideo.live.apsaravideo_record_fleet": {"state": state, "streams": streams, "fail": False}}

    states = list(dict.fromkeys(row[0] for row in CASES.values()))
    run = ansible.play([fleet(state) for state in states])
    assert run.exit_code == 0, run.output
    found = [row for result in run.rows for row in result["result"]["streams"]]
    order = [case for state in states for case, row in CASES.items() if row[0] == state]
    by_case = dict(zip(order, found))
    return [by_case[case] for case in CASES]


@pytest.mark.parametrize("way", [by_module, by_role, by_fleet], ids=lambda way: way.__name__)
def test_the_verdicts_are_the_same_in_each_way(cloud, ansible, way):
    prepare(cloud, ansible.environ)
    results = dict(zip(CASES, way(ansible)))
    assert len(results) == len(CASES)
    sent = {case: [] for case in CASES}
    for call in cloud.calls("RealTimeRecordCommand"):
        sent[call["params"]["StreamName"]].append((call["params"]["Command"], call["code"]))
    assert sent == {case: row[-1] for case, row in CASES.items()}
    fields = ("changed", "state", "previous_state", "state_source")
    verdicts = {case: tuple(result.get(name) for name in fields) for case, result in results.items()}
    assert verdicts == {case: row[3] for case, row in CASES.items()}
    codes = {case: (result.get("error") or {}).get("code") for case, result in results.items()}
    assert codes == {case: row[4] for case, row in CASES.items()}
    for case, words in MESSAGES.items():
        assert words in results[case]["msg"]
