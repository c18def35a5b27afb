# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate of calls of many processes, measured at the emulator.

Quotas are a quarter above the rate limit, so that the load of the machine does not matter; the benchmark measures how
close to the quota the rate is.
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


def test_a_run_above_the_quota_is_throttled_and_completes(narrow, ansible):
    narrow.behave(limits={"RealTimeRecordCommand": 5})
    run = start(ansible, NAMES, record_rate_limit=1000)
    assert run.exit_code == 0, run.output
    assert throttled(narrow)
    assert len(recording(narrow)) == 60
    assert run.fleets()[0]["throttled"] == len(throttled(narrow))


def run_simultaneously(*runs):
    """Run functions in threads at the same time, and return their results."""
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


def make_runs(cloud, tmp_path, count):
    for number in range(count):
        (tmp_path / str(number)).mkdir()
        yield Ansible(tmp_path / str(number), {**environment(cloud), "XDG_RUNTIME_DIR": str(tmp_path)})


@pytest.mark.parametrize("count", [2, 4])
def test_simultaneous_runs_share_the_quota(narrow, tmp_path, count):
    parts = [NAMES[number::count] for number in range(count)]
    ways = zip(make_runs(narrow, tmp_path, count), parts)
    runs = run_simultaneously(*(lambda ansible=ansible, part=part: start(ansible, part) for ansible, part in ways))
    assert [run.exit_code for run in runs] == [0] * count
    assert len(recording(narrow)) == len(narrow.calls()) == 60
    assert throttled(narrow) == []


def test_another_client_of_the_account_slows_the_run_without_failures(narrow, ansible):
    narrow.behave(other_client={"RealTimeRecordCommand": 12})
    run = start(ansible, NAMES)
    assert run.exit_code == 0, run.output
    assert len(recording(narrow)) == 60
    assert {row["changed"] for row in run.fleets()[0]["streams"]} == {True}


@pytest.mark.parametrize("retry_after", ["on", "off"])
@pytest.mark.parametrize("status", ["400", "429"])
def test_throttled_calls_are_repeated(narrow, ansible, retry_after, status):
    narrow.behave(retry_after=retry_after, throttle_status=status, limits={"RealTimeRecordCommand": 5})
    run = start(ansible, NAMES[:30], record_rate_limit=100)
    assert run.exit_code == 0, run.output
    assert len(recording(narrow)) == 30
    assert throttled(narrow)


def test_retries_of_throttled_calls_end_at_the_retry_timeout(narrow, ansible):
    narrow.behave(limits={"RealTimeRecordCommand": 1}, other_client={"RealTimeRecordCommand": 1})
    run = start(ansible, NAMES[:1], apsaravideo_retry_timeout=1)
    (result,) = run.fleets()[0]["streams"]
    assert result["error"]["code"] == "Throttling.User"
    assert "retry_timeout" in result["msg"]
    assert result["throttled"] == result["api_calls"] > 1


def test_each_account_has_its_own_slots(narrow, tmp_path):
    narrow.add_accounts(OTHER_CONFIGURATION)
    narrow.push("live.example.org/app/other")
    ours, theirs = make_runs(narrow, tmp_path, 2)
    theirs.environ.update(environment(narrow, OTHER_ACCOUNT_KEY))
    slow = {"record_rate_limit": 0.125}
    assert start(ours, NAMES[:1], **slow).fleets()[0]["waited_seconds"] == 0
    run = start(ours, NAMES[1:2], **slow)
    assert run.fleets()[0]["waited_seconds"] > 0, "the next run did not wait for the account's next slot"
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


def test_an_unusable_shared_directory_is_a_warning(narrow, ansible, tmp_path):
    (tmp_path / "apsaravideo-live").write_text("in the way", encoding="utf-8")
    ansible.environ["XDG_RUNTIME_DIR"] = str(tmp_path)
    run = start(ansible, NAMES[:3])
    assert run.exit_code == 0, run.output
    assert len(recording(narrow)) == 3
    assert "in this run alone, so that several runs together may exceed the quota" in " ".join(run.output.split())
    assert "Set XDG_RUNTIME_DIR" in " ".join(run.output.split())


def test_a_rate_limit_of_zero_is_refused_before_any_call(narrow, ansible):
    run = start(ansible, NAMES[:1], record_rate_limit=0)
    assert "rate_limit is 0" in run.fleets()[0]["streams"][0]["msg"]
    assert narrow.calls() == []
