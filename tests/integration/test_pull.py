# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams that the cloud pulls on trigger, which are online only while somebody watches them."""

from __future__ import annotations

import json
import threading
import time

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._module import record as record_module
from ansible_collections.apsaravideo.live.plugins.module_utils._module import record_info
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.emulator import ACCOUNT
from support.playbook import STREAM, streams

NAMES = streams([STREAM])["stream01"]
DOMAIN = NAMES["domain_name"]
STATE, LOG, ONLINE = "DescribeLiveStreamState", "DescribeLiveRecordNotifyRecords", "DescribeLiveStreamsOnlineList"
VIEWER = "a triggered pull needs a viewer, because it runs only while somebody watches"
OTHER = f"{DOMAIN}/myapp/other"


def run(ansible, module, check_mode=False, **options):
    given = module.SPEC.fill({**NAMES, "retry_timeout": 0, **options})
    return execute(module.operate, Task(given, ansible.environ, check_mode))


def record(ansible, state="started", **options):
    return run(ansible, record_module, state=state, **options)


def info(ansible, **options):
    return run(ansible, record_info, **options)["streams"][0]


def verdict(result):
    return result["changed"], result["previous_state"], result["state"]


def commands(cloud, stream=STREAM):
    name = stream.rpartition("/")[2]
    calls = cloud.calls("RealTimeRecordCommand")
    return [(call["params"]["Command"], call["code"]) for call in calls if call["params"]["StreamName"] == name]


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_recording_ends_when_the_last_viewer_leaves(cloud, ansible):
    cloud.set_viewers(0, STREAM)
    for state in ("started", "restarted"):
        failed = record(ansible, state)
        assert failed["error"]["code"] == "StreamNotFound" and VIEWER in failed["msg"]
    assert verdict(record(ansible, "stopped")) == (False, "offline", "offline")
    cloud.set_viewers(2, STREAM)
    assert verdict(record(ansible)) == (True, "stopped", "recording")
    cloud.advance(60)
    cloud.set_viewers(1, STREAM)
    assert verdict(record(ansible)) == (False, "recording", "recording")
    cloud.set_viewers(0, STREAM)
    assert cloud.stream(STREAM)["recording"] == "paused"
    assert verdict(record(ansible, "stopped")) == (False, "offline", "offline")
    cloud.advance(200)
    (file, _other_format) = cloud.stream(STREAM)["files"]
    assert 60 <= file["duration"] < 90
    cloud.set_viewers(1, STREAM)
    assert cloud.stream(STREAM)["recording"] == "idle", "a manual recording does not begin again by itself"
    assert verdict(record(ansible)) == (True, "stopped", "recording")
    assert verdict(record(ansible, "stopped")) == (True, "recording", "stopped")


def test_an_automatic_recording_starts_and_ends_with_the_viewers(cloud, ansible):
    prefix = "{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
    config = {"DomainName": DOMAIN, "AppName": NAMES["app_name"], "OnDemand": 0, "OssBucket": "b", "OssEndpoint": "e"}
    config["RecordFormat"] = [{"Format": "mp4", "OssObjectPrefix": prefix}]
    cloud.add_accounts({"id": ACCOUNT, "record_configs": [config]})
    cloud.set_viewers(0, STREAM)
    assert VIEWER in record(ansible)["msg"]
    for _time in range(2):
        cloud.set_viewers(1, STREAM)
        assert verdict(record(ansible)) == (False, "recording", "recording")
        cloud.advance(5)
        cloud.set_viewers(0, STREAM)
        assert info(ansible)["recording"] == "offline"
        assert verdict(record(ansible, "stopped")) == (False, "offline", "offline")


def test_check_mode_predicts_the_state_with_and_without_viewers(cloud, ansible):
    def predicted(state="started", **options):
        return record(ansible, state, check_mode=True, **options)

    cloud.set_viewers(0, STREAM)
    for state in ("started", "restarted"):
        assert VIEWER in predicted(state)["msg"]
    assert verdict(predicted(wait_for_stream=5)) == (True, "offline", "recording")
    assert verdict(predicted("stopped")) == (False, "offline", "offline")
    cloud.set_viewers(1, STREAM)
    assert verdict(predicted())[0] and verdict(predicted())[2] == "recording"
    assert commands(cloud) == []
    record(ansible)
    assert verdict(predicted()) == (False, "recording", "recording")
    assert verdict(predicted("stopped")) == (True, "recording", "stopped")
    cloud.set_viewers(0, STREAM)
    assert verdict(predicted("stopped")) == (False, "offline", "offline")
    assert VIEWER in predicted()["msg"]


@pytest.mark.parametrize("generation", ["new", "old"])
def test_a_start_waits_for_a_viewer(cloud, ansible, generation):
    cloud.behave(generation=generation)
    cloud.set_viewers(0, STREAM)
    failed = record(ansible, wait_for_stream=1)
    assert "did not appear within 1 seconds" in failed["msg"] and VIEWER in failed["msg"]
    cloud.clear_calls()
    timer = threading.Timer(0.7, cloud.set_viewers, [1, STREAM])
    timer.start()
    assert verdict(record(ansible, wait_for_stream=20)) == (True, "stopped", "recording")
    timer.join()
    assert [code for _command, code in commands(cloud)][1:] == [None]


@pytest.mark.parametrize(
    ("said", "gather", "told", "calls"),
    [
        ("edge", ["state"], None, [ONLINE, LOG]),
        ("edge", ["state", "ingest_type"], "pull", [ONLINE, LOG, STATE]),
        ("edge", ["ingest_type"], "pull", [ONLINE, STATE]),
        ("pull", ["state"], "pull", [ONLINE, LOG]),
        ("Pull", ["ingest_type"], "pull", [ONLINE]),
    ],
)
def test_info_returns_the_ingest_type_with_the_fewest_calls(cloud, ansible, said, gather, told, calls):
    cloud.behave(pull_publish_type=said)
    cloud.set_viewers(1, STREAM)
    found = info(ansible, gather=gather)
    assert (found["online"], found["ingest_type"]) == (True, told)
    assert [call["action"] for call in cloud.calls()] == calls
    cloud.set_viewers(0, STREAM)
    found = info(ansible, gather=gather)
    assert (found["online"], found["recording"], found["ingest_type"]) == (False, "offline", None)
    assert STATE not in [call["action"] for call in cloud.calls()][len(calls) :]


def test_info_requests_the_ingest_type_of_each_online_stream_once(cloud, ansible):
    cloud.push(OTHER)
    cloud.set_viewers(1, STREAM)
    cloud.set_viewers(0, f"{DOMAIN}/myapp/alone")
    options = {"domain_name": DOMAIN, "gather": ["ingest_type"], "retry_timeout": 0}
    task = Task(record_info.SPEC.fill(options), ansible.environ, False)
    found = execute(record_info.operate, task)["streams"]
    assert {row["stream_name"]: row["ingest_type"] for row in found} == {"other": "push", NAMES["stream_name"]: "pull"}
    assert len(cloud.calls(STATE)) == 2


def test_events_before_the_last_viewer_left_leave_the_state_unknown(cloud, ansible):
    cloud.set_viewers(1, STREAM)
    record(ansible)
    assert info(ansible)["recording"] == "recording"
    cloud.advance(60)
    cloud.set_viewers(0, STREAM)
    cloud.advance(5)
    cloud.set_viewers(1, STREAM)
    found = info(ansible)
    assert (found["recording"], found["state_source"]) == ("unknown", "none")
    assert "older than the push" in found["reason"]


def status(ansible, *names, **variables):
    source = str(ansible.inventory(streams([STREAM, OTHER, *names])))
    return ansible.playbook("apsaravideo.live.status", "-i", source, "-e", json.dumps(variables))


def rows(run):
    """Return the first three cells of each row of the displayed table, by the name of the stream."""
    lines = run.output.splitlines()
    cells = [line.split()[:3] for line in lines if line.startswith(f"{DOMAIN}/")]
    return {name.rpartition("/")[2]: (online, state) for name, online, state in cells}


def test_status_marks_pulled_streams_and_reports_offline_ones_as_missing(cloud, ansible):
    cloud.push(OTHER)
    cloud.set_viewers(1, STREAM)
    for name in (STREAM, OTHER):
        record(ansible, stream_name=name.rpartition("/")[2])
    well = status(ansible)
    assert well.exit_code == 0, well.output
    assert rows(well) == {"stream01": ("yes", "recording"), "other": ("yes", "recording")}
    assert cloud.calls(STATE) == []
    asked = status(ansible, ingest_types=True)
    assert rows(asked) == {"stream01": ("pulled", "recording"), "other": ("yes", "recording")}
    assert len(cloud.calls(STATE)) == 2
    assert VIEWER not in well.output + asked.output
    cloud.behave(pull_publish_type="pull")
    assert rows(status(ansible)) == rows(asked)
    cloud.set_viewers(0, STREAM)
    away = status(ansible)
    assert away.exit_code != 0
    assert rows(away) == {"stream01": ("no", "offline"), "other": ("yes", "recording")}
    assert away.output.count(VIEWER) == 1
    entries = away.result("Read the state of all streams")["streams"]
    assert [(row["online"], row["ingest_type"]) for row in entries] == [(False, None), (True, None)]


def test_the_summary_of_a_fleet_mentions_viewers_once(cloud, ansible):
    names = [f"{DOMAIN}/myapp/pulled{number}" for number in range(3)]
    cloud.push(STREAM)
    cloud.set_viewers(0, *names)
    source = str(ansible.inventory(streams([STREAM, *names])))
    found = ansible.playbook("apsaravideo.live.start", "-i", source, "-e", json.dumps({"record_fail_each": 0}))
    assert found.exit_code != 0
    summary = found.summary()
    assert summary[1] == "3 x StreamNotFound: start was refused: the stream is not being pushed"
    assert [line for line in summary if VIEWER in line] == [summary[2]]
    assert found.changed() == {"stream01"}
    stopped = ansible.playbook("apsaravideo.live.stop", "-i", source)
    assert stopped.exit_code == 0 and stopped.changed() == {"stream01"}
    assert {row["state"] for name, row in stopped.entries().items() if name != "stream01"} == {"offline"}


def test_a_fleet_waits_for_viewers_and_restarts_when_they_return(cloud, ansible):
    late, left, steady = (f"{DOMAIN}/myapp/{name}" for name in ("late", "left", "steady"))
    cloud.set_viewers(0, late)
    cloud.set_viewers(1, left, steady)
    source = str(ansible.inventory(streams([late, left, steady])))
    options = {"keep": True, "wait_for_stream": 12, "watch_interval": 1}
    play = {"hosts": "streams", "gather_facts": False, "connection": "local"}
    play["tasks"] = [{"apsaravideo.live.apsaravideo_record_fleet": options, "run_once": True}]
    file = ansible.directory / "keep.json"
    file.write_text(json.dumps([play]), encoding="utf-8")
    with ansible.begin(str(file), "-i", source) as process:
        wait_until(lambda: all(commands(cloud, name) for name in (late, left, steady)))
        cloud.set_viewers(0, left)
        cloud.set_viewers(3, steady)
        time.sleep(1.5)
        cloud.set_viewers(1, late, left)
        cloud.set_viewers(1, steady)
        found = ansible.end(process)
    assert found.exit_code == 0, found.output
    starts = {name.rpartition("/")[2]: commands(cloud, name).count(("start", None)) for name in (late, left, steady)}
    assert starts == {"late": 1, "left": 2, "steady": 1}
    assert {row["recording"] for row in cloud.state()["streams"]} == {"recording"}
