# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A notify log that is delayed, has another clock than the gateway, or is of two storage types."""

from __future__ import annotations

import os

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._module import argspec, record, record_info
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.playbook import STREAM, environment

COMMAND, LOG = "RealTimeRecordCommand", "DescribeLiveRecordNotifyRecords"
DOMAIN = "live.example.com"
# What a stream is like, the options of its stop, and what that must report: changed, previous_state, state_source.
HIDDEN, FINALIZED, PAUSED, RUNS = "begun just now", "finalized", "paused", "recording"
STOPS = {
    "hidden": (HIDDEN, {}, (True, "recording", "command")),
    "hidden-finalize": (HIDDEN, {"finalize": True}, (True, "recording", "command")),
    "hidden-wait": (HIDDEN, {"wait": True}, (True, "recording", "notify_log")),
    "hidden-all": (HIDDEN, {"finalize": True, "wait": True}, (True, "recording", "notify_log")),
    "done": (FINALIZED, {}, (False, "stopped", "command")),
    "done-all": (FINALIZED, {"finalize": True, "wait": True}, (False, "stopped", "notify_log")),
    "paused-all": (PAUSED, {"finalize": True, "wait": True}, (True, "stopped", "notify_log")),
    "runs": (RUNS, {}, (True, "recording", "command")),
    "runs-all": (RUNS, {"finalize": True, "wait": True}, (True, "recording", "notify_log")),
}
STARTS = [f"s{number}" for number in range(6)]


def run(cloud, operation, **options):
    given = {name: option.get("default") for name, option in operation.SPEC.options.items()}
    names = dict(zip(argspec.STREAM, STREAM.split("/")))
    return execute(operation.operate, Task({**given, **names, **options}, {**os.environ, **environment(cloud)}))


def prepare(cloud):
    """Give the streams their histories, which are at least a minute old except for those that have just begun."""
    cloud.push(*(f"{DOMAIN}/app/{name}" for name in [*STOPS, *STARTS]))
    for state, options, kinds in [
        ("started", {}, (HIDDEN, FINALIZED, PAUSED, RUNS)),
        ("stopped", {"finalize": True}, (HIDDEN, FINALIZED)),
        ("stopped", {}, (PAUSED,)),
        ("started", {}, (HIDDEN,)),
    ]:
        cloud.advance(60)
        if (state, kinds) == ("started", (HIDDEN,)):
            cloud.behave(notify_lag=4, notify_lag_spread=2)
        for name in (name for name, row in STOPS.items() if row[0] in kinds):
            result = run(cloud, record, app_name="app", stream_name=name, state=state, **options)
            assert result["changed"], result
    cloud.clear_calls()


def names(name):
    return {"domain_name": DOMAIN, "app_name": "app", "stream_name": name}


def play(ansible, streams, task, **keywords):
    """Run a task for all streams at once, each with its own variables of the role."""
    hosts = {
        name: {**names(name), **{f"record_{option}": value for option, value in options.items()}}
        for name, options in streams.items()
    }
    inventory = ansible.inventory(hosts, ansible_connection="local")
    return ansible.play([task], "-i", str(inventory), "-f", "20", **keywords)


def by_module(ansible, state, streams):
    task = {
        "apsaravideo.live.apsaravideo_record": {
            **{name: f"{{{{ {name} }}}}" for name in names("")},
            **{name: f"{{{{ record_{name} | default(false) }}}}" for name in ("finalize", "wait")},
            "state": state,
            "wait_timeout": 30,
        }
    }
    return {row["host"]: row["result"] for row in play(ansible, streams, task, hosts="streams").rows}


def by_role(ansible, state, streams):
    variables = {"record_state": state, "record_wait_timeout": 30}
    task = {"ansible.builtin.import_role": {"name": "apsaravideo.live.record"}, "vars": variables}
    return play(ansible, streams, task, hosts="streams").results("Set the recording to the desired state")


def by_fleet(ansible, state, streams):
    options = {"state": state, "hosts": "streams", "fail": False, "wait_timeout": 30, "watch_interval": 1}
    (row,) = play(ansible, streams, {"apsaravideo.live.apsaravideo_record_fleet": options}).rows
    return {entry["host"]: entry for entry in row["result"]["streams"]}


def verdicts(results):
    return {
        name: tuple(result.get(field) for field in ("changed", "previous_state", "state_source"))
        for name, result in results.items()
    }


in_each_way = pytest.mark.parametrize("way", [by_module, by_role, by_fleet], ids=lambda way: way.__name__)


@in_each_way
def test_a_stop_is_judged_by_the_log_when_it_is_complete(cloud, ansible, way):
    prepare(cloud)
    results = way(ansible, "stopped", {name: row[1] for name, row in STOPS.items()})
    assert verdicts(results) == {name: row[2] for name, row in STOPS.items()}, results
    for name, row in STOPS.items():
        stream = cloud.stream(names(name))
        assert stream["recording"] != "recording"
        assert stream["ledger"]["pauses"] == (2 if row[0] == HIDDEN else 1), "each verdict is about what was done"


@pytest.mark.parametrize(("way", "skew"), [(by_module, -1), (by_fleet, -0.3)], ids=["module", "fleet"])
def test_a_wait_ends_although_the_clock_of_the_log_differs(cloud, ansible, way, skew):
    cloud.behave(notify_skew=skew)
    cloud.push(*(names(name) for name in STARTS))
    for state in ("started", "stopped"):
        results = way(ansible, state, dict.fromkeys(STARTS, {"wait": True, "finalize": True}))
        expected = (True, "stopped" if state == "started" else "recording", "notify_log")
        assert verdicts(results) == dict.fromkeys(STARTS, expected), results
        assert not any(result.get("warnings") for result in results.values())


@pytest.mark.parametrize("way", [by_module, by_fleet], ids=lambda way: way.__name__)
def test_a_late_event_of_an_earlier_recording_does_not_end_a_wait(cloud, ansible, way):
    """The streams were started and stopped just before, and the log shows that only during the wait."""
    cloud.push(*(names(name) for name in STARTS))
    cloud.behave(notify_lag=5, notify_skew=-1)
    for state in ("started", "stopped"):
        for name in STARTS:
            run(cloud, record, app_name="app", stream_name=name, state=state)
    cloud.clear_calls()
    results = way(ansible, "started", dict.fromkeys(STARTS, {"wait": True}))
    assert verdicts(results) == dict.fromkeys(STARTS, (True, "stopped", "notify_log")), results
    calls = cloud.calls()
    first = min(call["time"] for call in calls if call["action"] == COMMAND)
    assert max(call["time"] for call in calls if call["action"] == LOG) >= first + 5


def test_a_late_end_of_a_recording_to_another_storage_type_is_ignored(cloud):
    """A stream was recorded to VOD and is now recorded to OSS; the end of the old recording is reported last."""
    cloud.push(STREAM)
    event = {**dict(zip(argspec.STREAM, STREAM.split("/"))), "storage_type": "vod"}
    cloud.add_events({**event, "notify_type": "record_started", "age": 60})
    assert run(cloud, record, state="started")["changed"]
    cloud.advance(60)
    cloud.add_events({**event, "notify_type": "record_paused"})
    (found,) = run(cloud, record_info, gather=["state"])["streams"]
    assert (found["recording"], found["state_source"]) == ("recording", "notify_log")
    stopped = run(cloud, record, state="stopped", wait=True, finalize=True, wait_timeout=20)
    assert (stopped["changed"], stopped["previous_state"]) == (True, "recording")
    cloud.add_events({**event, "notify_type": "file_created"})
    (found,) = run(cloud, record_info, gather=["state"])["streams"]
    assert found["recording"] == "stopped"
