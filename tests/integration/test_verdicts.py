# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table of cases, run by the module, by the role, and by one fleet for all."""

from __future__ import annotations

import re

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._module.argspec import CONNECTION
from ansible_collections.apsaravideo.live.plugins.module_utils._module.record import SPEC, operate
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task
from support.emulator import ACCOUNT

DOMAIN, BARE, QUIET = "live.example.com", "bare.example.com", "quiet.example.com"
ROLE_TASK = "Set the recording to the desired state"
# The wanted state, further options, what the cloud's stream is like, and the verdict: changed, state, previous_state,
# state_source, error.code, and the commands with the codes of their answers.
RUNS, PAUSED, IDLE, AWAY = "recording", "stopped again", "pushed", "not pushed"
# Pulled on trigger: nobody has watched, somebody watches, and the last viewer of a recording has left or come back.
UNWATCHED, WATCHED, LEFT, BACK = "unwatched", "watched", "recorded until the last viewer left", "and watched again"
OFFLINE = "StreamNotFound"
RUNNING = "TaskAlreadyStarted"
NO_TASK = "TaskNotStarted"
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
        {"domain_name": QUIET},
        IDLE,
        (True, "recording", "unknown", "command"),
        None,
        [("start", None), ("start", RUNNING)],
    ),
    "lost while it runs": (
        "started",
        {},
        RUNS,
        (False, "recording", "recording", "command"),
        None,
        [("start", None), ("start", RUNNING)],
    ),
    "lost after a stop": (
        "started",
        {},
        PAUSED,
        (True, "recording", "stopped", "command"),
        None,
        [("start", None), ("start", RUNNING)],
    ),
    "lost stop": (
        "stopped",
        {},
        RUNS,
        (True, "stopped", "recording", "command"),
        None,
        [("stop", None), ("stop", NO_TASK)],
    ),
    "lost stop after a stop": (
        "stopped",
        {},
        PAUSED,
        (False, "stopped", "stopped", "command"),
        None,
        [("stop", None), ("stop", NO_TASK)],
    ),
    "lost stop of what is not known": (
        "stopped",
        {"domain_name": QUIET},
        IDLE,
        (True, "stopped", "unknown", "command"),
        None,
        [("stop", None), ("stop", NO_TASK)],
    ),
    "lost finalize": (
        "stopped",
        {"domain_name": QUIET, "finalize": True},
        IDLE,
        (True, "stopped", "stopped", "command"),
        None,
        [("stop", NO_TASK), ("cancel_delay", None), ("cancel_delay", NO_TASK)],
    ),
    "lost split": ("restarted", {}, RUNS, (True, "recording", "unknown", "notify_log"), None, [("restart", None)]),
    "stopped": ("stopped", {}, RUNS, (True, "stopped", "recording", "command"), None, [("stop", None)]),
    "idle": ("stopped", {}, IDLE, (True, "stopped", "unknown", "command"), None, [("stop", None)]),
    "away": ("stopped", {}, AWAY, (False, "offline", "offline", "command"), None, [("stop", OFFLINE)]),
    "unwatched": ("started", {}, UNWATCHED, (False, *NOTHING), OFFLINE, [("start", OFFLINE)]),
    "watched": ("started", {}, WATCHED, (True, "recording", "stopped", "command"), None, [("start", None)]),
    "back": ("started", {}, BACK, (True, "recording", "stopped", "command"), None, [("start", None)]),
    "alone": ("stopped", {}, UNWATCHED, (False, "offline", "offline", "command"), None, [("stop", OFFLINE)]),
    "left": ("stopped", {}, LEFT, (False, "offline", "offline", "command"), None, [("stop", OFFLINE)]),
    "finalized": (
        "stopped",
        {"finalize": True},
        RUNS,
        (True, "stopped", "recording", "command"),
        None,
        [("stop", None), ("cancel_delay", None)],
    ),
    "split": ("restarted", {}, RUNS, (True, "recording", "unknown", "command"), None, [("restart", None)]),
    "unknown": ("restarted", {"domain_name": QUIET}, RUNS, (True, *NOTHING), None, [("restart", None)]),
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
MESSAGES |= dict.fromkeys(("absent", "unwatched"), "a triggered pull needs a viewer")


def names(case):
    own = {"domain_name": DOMAIN, "app_name": "app", "stream_name": case}
    return {**own, **{name: value for name, value in CASES[case][1].items() if name in own}}


def options(case):
    return {name: value for name, value in CASES[case][1].items() if name not in names(case)}


def prepare(cloud, environ):
    """Give the cloud the streams, histories and faults of the cases."""
    cloud.reset()
    recorded = {"DomainName": QUIET, "AppName": "*", "OssBucket": "b", "OssEndpoint": "oss-cn-shanghai.aliyuncs.com"}
    formats = [{"Format": "mp4", "OssObjectPrefix": "{AppName}/{StreamName}/{StartTime}_{EndTime}"}]
    cloud.add_accounts(
        {
            "id": ACCOUNT,
            "domains": [{"name": BARE, "ingest": ["push.bare.example.com"]}, {"name": QUIET}],
            "record_configs": [{**recorded, "OnDemand": 7, "RecordFormat": formats}],
        }
    )

    def those(*histories):
        return [names(case) for case, row in CASES.items() if row[2] in histories]

    cloud.push(*those(RUNS, PAUSED, IDLE))
    cloud.set_viewers(0, *those(UNWATCHED))
    cloud.set_viewers(1, *those(WATCHED, LEFT, BACK))
    for state, there in (("started", (RUNS, PAUSED, LEFT, BACK)), ("stopped", (PAUSED,))):
        for case in (case for case, row in CASES.items() if row[2] in there):
            given = {**names(case), "endpoint": cloud.endpoint, "state": state}
            assert operate(Task(SPEC.fill(given), environ))["changed"]
        cloud.advance(60)
    cloud.set_viewers(0, *those(LEFT, BACK))
    cloud.set_viewers(1, *those(BACK))
    cloud.clear_calls()
    fault = {"action": "RealTimeRecordCommand"}
    for case in (case for case in CASES if case.startswith("lost")):
        lose(cloud, case)
    cloud.fault("throttle", parameters={"StreamName": "throttled"}, **fault)
    cloud.fault("reset_after", parameters={"StreamName": "unknown"}, times=1, **fault)


def lose(cloud, case):
    """Lose the response to a command, and respond to the next one as the case defines."""
    sent = CASES[case][-1]
    named = {"StreamName": case, "Command": sent[-1][0]}
    fault = {"action": "RealTimeRecordCommand", "parameters": named, "times": 1}
    cloud.fault("reset_after", **fault)
    for command in dict.fromkeys(command for command, code in sent if code == NO_TASK):
        refusal = {"parameters": {**named, "Command": command}, "code": NO_TASK, "http_status": 409}
        cloud.fault("error", **{**fault, **refusal})


def by_module(ansible):
    tasks = [
        {
            "name": f"case {case}",
            "apsaravideo.live.apsaravideo_record": {**names(case), "state": row[0], **options(case)},
            "ignore_errors": True,
        }
        for case, row in CASES.items()
    ]
    rows = ansible.play(tasks).rows
    return [row["result"] for row in rows], count_doubts(rows)


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
    return [row["result"] for row in rows if row["task"].endswith(ROLE_TASK)], count_doubts(rows)


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
    return [by_case[case] for case in CASES], count_doubts(run.rows)


# Where a change is assumed with a warning, and where the notify log is read because an answer was lost.
ASSUMED = ("lost", "lost stop of what is not known", "lost finalize", "idle")
DOUBTFUL = ("lost", "lost while it runs", "lost after a stop", "lost split", "unknown")


def count_doubts(rows):
    """Return the number of streams whose warning is that a change is assumed; a fleet has one warning for all."""
    found = [re.search(r"A change is assumed\.(?: \((\d+) streams\))?$", text) for text in warnings_of(rows)]
    return sum(int(match[1] or 1) for match in found if match)


def warnings_of(rows):
    return [text for row in rows for text in row["result"].get("warnings", [])]


@pytest.mark.parametrize("way", [by_module, by_role, by_fleet], ids=lambda way: way.__name__)
def test_module_role_and_fleet_return_the_same_verdicts(cloud, ansible, way):
    prepare(cloud, ansible.environ)
    found, doubts = way(ansible)
    results = dict(zip(CASES, found))
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
    assert doubts == len(ASSUMED)
    reads = cloud.calls("DescribeLiveRecordNotifyRecords")
    if way is by_fleet:
        assert {call["params"]["DomainName"] for call in reads} == {DOMAIN, QUIET}
        assert not any("StreamName" in call["params"] for call in reads)
    else:
        reading = [case for case, row in CASES.items() if row[-1] and (row[0] == "stopped" or case in DOUBTFUL)]
        reading.append("lost stop after a stop")
        again = "each of them once, and again where it may have been late"
        assert sorted(call["params"]["StreamName"] for call in reads) == sorted(reading), again
