# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many processes and one quota, as the cloud sees it.

The quotas here leave a quarter of room above the pace, so that a loaded machine does not decide; how close to the real
quota it goes is for the benchmark to say.
"""

from __future__ import annotations

import json
import threading

import pytest

from support.emulator import OTHER_ACCOUNT_KEY
from support.playbook import Ansible, environment, streams

NAMES = [f"live.example.com/app/stream{number:02}" for number in range(60)]
PACE = {"record_rate_limit": 20}


@pytest.fixture(name="narrow")
def cloud_with_a_small_quota(cloud):
    cloud.behave(limits={"RealTimeRecordCommand": 25})
    cloud.push(*NAMES)
    return cloud


def start(ansible, names, *arguments, **variables):
    inventory = str(ansible.inventory(streams(names)))
    return ansible.playbook(
        "apsaravideo.live.start", "-i", inventory, "-e", json.dumps({**PACE, **variables}), *arguments
    )


def recording(cloud):
    return {stream["stream_name"] for stream in cloud.state()["streams"] if stream["recording"] == "recording"}


def throttled(cloud):
    return [call for call in cloud.calls() if call["throttled"]]


def test_one_run_stays_below_the_quota(narrow, ansible):
    run = start(ansible, NAMES)
    assert run.exit_code == 0, run.output
    assert len(recording(narrow)) == len(narrow.calls()) == 60
    assert throttled(narrow) == []
    assert run.fleets()[0]["waited_seconds"] > 0


def test_a_run_without_a_pace_exceeds_a_quota(narrow, ansible):
    narrow.behave(limits={"RealTimeRecordCommand": 5})
    run = start(ansible, NAMES, record_rate_limit=1000)
    assert run.exit_code == 0, run.output
    assert throttled(narrow), "without a pace the same run exceeds it"
    assert len(recording(narrow)) == 60, "and still comes to its end"
    assert run.fleets()[0]["throttled"] == len(throttled(narrow))


def at_once(*runs):
    """The results of functions that run in threads at the same time."""
    results = {}
    threads = [
        threading.Thread(target=lambda number=number, run=run: results.update({number: run()}))
        for number, run in enumerate(runs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(runs))]


def several(cloud, tmp_path, count):
    for number in range(count):
        (tmp_path / str(number)).mkdir()
        yield Ansible(tmp_path / str(number), {**environment(cloud), "XDG_RUNTIME_DIR": str(tmp_path)})


@pytest.mark.parametrize("count", [2, 4])
def test_runs_at_once_share_the_quota(narrow, tmp_path, count):
    parts = [NAMES[number::count] for number in range(count)]
    ways = zip(several(narrow, tmp_path, count), parts)
    runs = at_once(*(lambda ansible=ansible, part=part: start(ansible, part) for ansible, part in ways))
    assert [run.exit_code for run in runs] == [0] * count
    assert len(recording(narrow)) == len(narrow.calls()) == 60
    assert throttled(narrow) == []


def test_another_client_of_the_account_only_slows_the_run(narrow, ansible):
    narrow.behave(other_client={"RealTimeRecordCommand": 12})
    run = start(ansible, NAMES)
    assert run.exit_code == 0, run.output
    assert len(recording(narrow)) == 60
    assert {row["changed"] for row in run.fleets()[0]["streams"]} == {True}


@pytest.mark.parametrize("retry_after", ["on", "off"])
@pytest.mark.parametrize("status", ["400", "429"])
def test_throttled_calls_come_through(narrow, ansible, retry_after, status):
    narrow.behave(retry_after=retry_after, throttle_status=status, limits={"RealTimeRecordCommand": 5})
    run = start(ansible, NAMES[:30], record_rate_limit=100)
    assert run.exit_code == 0, run.output
    assert len(recording(narrow)) == 30
    assert throttled(narrow)


def test_retries_end(narrow, ansible):
    narrow.behave(limits={"RealTimeRecordCommand": 1}, other_client={"RealTimeRecordCommand": 1})
    run = start(ansible, NAMES[:1], apsaravideo_retry_timeout=1)
    (result,) = run.fleets()[0]["streams"]
    assert result["error"]["code"] == "Throttling.User"
    assert "retry_timeout" in result["msg"]
    assert result["throttled"] == result["api_calls"] > 1


def test_another_account_does_not_wait(narrow, tmp_path):
    narrow.add_accounts(OTHER_CONFIGURATION)
    narrow.push("live.example.org/app/other")
    ours, theirs = several(narrow, tmp_path, 2)
    theirs.environ.update(environment(narrow, OTHER_ACCOUNT_KEY))
    slow = {"record_rate_limit": 0.125}
    assert start(ours, NAMES[:1], **slow).fleets()[0]["waited_seconds"] == 0
    run = start(ours, NAMES[1:2], **slow)
    assert run.fleets()[0]["waited_seconds"] > 0, "the account's next slot is known to the next run"
    run = start(theirs, ["live.example.org/app/other"], **slow)
    assert run.exit_code == 0, run.output
    assert run.fleets()[0]["waited_seconds"] == 0


OTHER_CONFIGURATION = {
    "id": "2000000000000002",
    "record_configs": [
        {
            "DomainName": "live.example.org",
            "AppName": "*",
            "OnDemand": 7,
            "OssBucket": "b",
            "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
            "RecordFormat": [{"Format": "mp4", "OssObjectPrefix": "{AppName}/{StartTime}_{EndTime}"}],
        }
    ],
}


def test_an_unusable_directory_is_a_warning(narrow, ansible, tmp_path):
    (tmp_path / "apsaravideo-live").write_text("in the way", encoding="utf-8")
    ansible.environ["XDG_RUNTIME_DIR"] = str(tmp_path)
    run = start(ansible, NAMES[:3])
    assert run.exit_code == 0, run.output
    assert len(recording(narrow)) == 3
    assert "in this run alone, so that several runs together may exceed the quota" in " ".join(run.output.split())
    assert "Set XDG_RUNTIME_DIR" in " ".join(run.output.split())


def test_the_rate_must_be_a_rate(narrow, ansible):
    run = start(ansible, NAMES[:1], record_rate_limit=0)
    assert "rate_limit is 0" in run.fleets()[0]["streams"][0]["msg"]
    assert narrow.calls() == []
