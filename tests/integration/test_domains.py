# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks status, sweep and configure with streams of two domains of two accounts."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._module.record import SPEC, operate
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task
from support.emulator import KEY, OTHER_ACCOUNT_KEY

HERE = [f"live.example.com/news/stream{number}" for number in range(4)]
THERE = [f"live.example.org/sport/match{number}" for number in range(2)]
OTHER_ACCOUNT = "2000000000000002"
EVIL = "{{ lookup('ansible.builtin.pipe', 'touch planted') }}"
CONFIG = {
    "oss_bucket": "recordings",
    "oss_endpoint": "oss-cn-shanghai.aliyuncs.com",
    "formats": [{"format": "mp4"}],
}
NOTIFY = {"notify_url": "http://callback.example.com/", "status_events": True}


def hosts(names):
    parts = [name.split("/") for name in names]
    return {part[2]: dict(zip(("domain_name", "app_name", "stream_name"), part)) for part in parts}


@pytest.fixture(name="inventory")
def write_inventory(ansible):
    """Write an inventory with streams of two accounts, of which those of the group `wanted` should be recorded."""
    other = {"apsaravideo_access_key_id": OTHER_ACCOUNT_KEY[0], "apsaravideo_access_key_secret": OTHER_ACCOUNT_KEY[1]}
    groups = {
        "here": {"hosts": hosts(HERE)},
        "there": {"hosts": hosts(THERE), "vars": other},
        "wanted": {"hosts": {"stream0": {}, "stream1": {}, "match0": {}}},
    }
    streams = {"children": {"here": {}, "there": {}}}
    file = ansible.directory / "inventory.json"
    file.write_text(json.dumps({"all": {"children": {**groups, "streams": streams}}}), encoding="utf-8")
    return str(file)


def play(ansible, name, inventory, *arguments, **variables):
    return ansible.playbook(f"apsaravideo.live.{name}", "-i", inventory, "-e", json.dumps(variables), *arguments)


def add_configurations(cloud):
    """Give the other account a configuration and a callback."""
    prefix = "{AppName}/{StreamName}/{StartTime}_{EndTime}"
    recorded = {"DomainName": "live.example.org", "AppName": "*", "StreamName": "*", "OnDemand": 7, "OssBucket": "b"}
    recorded |= {"OssEndpoint": "oss-cn-shanghai.aliyuncs.com"}
    recorded |= {"RecordFormat": [{"Format": "mp4", "OssObjectPrefix": prefix}]}
    notified = {"DomainName": "live.example.org", "NotifyUrl": NOTIFY["notify_url"], "NeedStatusNotify": True}
    cloud.add_accounts({"id": OTHER_ACCOUNT, "record_configs": [recorded], "notify_configs": [notified]})


def recording(cloud):
    return {row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"}


def start_and_settle(cloud, ansible, inventory, *names):
    run = play(ansible, "start", inventory, "--limit", ",".join(names), retry_file="")
    assert run.exit_code == 0, run.output
    cloud.advance(3600)
    cloud.clear_calls()


def forbid_reading(cloud, domain):
    refusal = {"code": "Forbidden.RAM", "http_status": 403}
    cloud.fault("error", action="DescribeLiveStreamsOnlineList", parameters={"DomainName": domain}, **refusal)


def verdict(run):
    """Return the message of the only failure of a run."""
    (said,) = (row["result"]["msg"] for row in run.rows if row["status"] == "failed")
    return said


def start(cloud, ansible, stream):
    """Start the recording of a stream whose name Ansible would take for a template."""
    options = dict(zip(("domain_name", "app_name", "stream_name"), stream))
    options |= {"access_key_id": OTHER_ACCOUNT_KEY[0], "access_key_secret": OTHER_ACCOUNT_KEY[1]}
    options["endpoint"] = cloud.endpoint
    assert operate(Task(SPEC.fill(options), ansible.environ))["changed"]


def test_status_reports_both_accounts_and_fails_for_missing_recordings(cloud, ansible, inventory):
    add_configurations(cloud)
    cloud.push(*HERE[:3], *THERE, "live.example.com/news/unlisted")
    start_and_settle(cloud, ansible, inventory, "stream0", "stream1", "match0")
    dest = ansible.directory / "status.json"
    run = play(ansible, "status", inventory, wanted="wanted", strays=True, max_duration="30m", dest=str(dest))
    assert run.exit_code == 0, run.output
    found = {row["stream_name"]: row for row in json.loads(dest.read_text(encoding="utf-8"))}
    assert {name: row["recording"] for name, row in found.items()} == {
        "stream0": "recording",
        "stream1": "recording",
        "stream2": "unknown",
        "stream3": "offline",
        "match0": "recording",
        "match1": "unknown",
        "unlisted": "unknown",
    }
    assert found["unlisted"]["host"] is None
    assert 3600 <= found["match0"]["recording_seconds"] < 3700
    assert {name for name, row in found.items() if row["overdue"]} == {"stream0", "stream1", "match0"}
    assert any("live.example.org/sport/match0" in line and "too long" in line for line in run.output.splitlines())
    now = time.gmtime()
    # In the first three hours of a month, the cloud's count of them is that of the month.
    usage_calls = 1 if now.tm_mday == 1 and now.tm_hour < 3 else 2
    per_domain = ["DescribeLiveDomainRecordUsageData"] * usage_calls
    per_domain += ["DescribeLiveRecordNotifyRecords", "DescribeLiveStreamsOnlineList"]
    actions = sorted((call["account"], call["action"]) for call in cloud.calls())
    accounts = sorted({account for account, _action in actions})
    assert actions == [(account, action) for account in accounts for action in per_domain]
    assert len(accounts) == 2

    run = play(ansible, "status", inventory)
    assert run.exit_code != 0
    said = verdict(run)
    assert "3 of 6" in said, said
    assert all(name in said for name in ("stream2", "stream3", "match1"))
    forbid_reading(cloud, "live.example.org")
    run = play(ansible, "status", inventory, "--limit", "wanted", accept_unknown=True)
    assert run.exit_code != 0
    assert "1 of 3 streams: match0" in verdict(run)


def test_sweep_stops_unwanted_recordings_of_both_accounts(cloud, ansible, inventory):
    add_configurations(cloud)
    stray = ("live.example.org", "sport", EVIL)
    cloud.push(*HERE, *THERE, stray)
    start_and_settle(cloud, ansible, inventory, "streams")
    start(cloud, ansible, stray)
    assert recording(cloud) == {*hosts(HERE), *hosts(THERE), EVIL}
    cloud.advance(60)
    cloud.clear_calls()

    run = play(ansible, "sweep", inventory, wanted="nobody")
    assert run.exit_code != 0
    assert "nobody" in run.result("Refuse to stop everything by mistake")["msg"]
    assert cloud.calls() == []

    run = play(ansible, "sweep", inventory, "--check")
    assert run.exit_code == 0, run.output
    assert cloud.calls("RealTimeRecordCommand") == []
    assert "match1" in run.output

    run = play(ansible, "sweep", inventory)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"stream0", "stream1", "match0"}
    assert {call["params"]["StreamName"] for call in cloud.calls("RealTimeRecordCommand")} == {
        "stream2",
        "stream3",
        "match1",
        EVIL,
    }
    assert not list(ansible.directory.rglob("planted")), "a name that somebody chose was taken for a template"
    cloud.clear_calls()
    assert play(ansible, "sweep", inventory).exit_code == 0
    assert cloud.calls("RealTimeRecordCommand") == []

    run = play(ansible, "sweep", inventory, max_duration="10m")
    assert run.exit_code == 0, run.output
    assert recording(cloud) == set()


def test_sweep_fails_for_a_domain_that_cannot_be_read(cloud, ansible, inventory):
    add_configurations(cloud)
    cloud.push(*HERE, *THERE)
    start_and_settle(cloud, ansible, inventory, "streams")
    forbid_reading(cloud, "live.example.org")
    run = play(ansible, "sweep", inventory)
    assert run.exit_code != 0
    assert recording(cloud) == {"stream0", "stream1", *hosts(THERE)}
    assert (
        "live.example.org"
        in run.result("Fail if a domain could not be read or a stream without a host could not be stopped")["msg"]
    )


def test_configure_acts_once_for_each_domain_and_is_idempotent(cloud, ansible, inventory):
    variables = {"record_config_present": [CONFIG], "record_config_notify": NOTIFY}

    def changes():
        return [call["action"] for call in cloud.calls() if not call["action"].startswith("Describe")]

    run = play(ansible, "configure", inventory, "--check", **variables)
    assert run.exit_code == 0, run.output
    assert changes() == []
    run = play(ansible, "configure", inventory, **variables)
    assert run.exit_code == 0, run.output
    assert "AddLiveAppRecordConfig" in changes()
    assert "AddLiveRecordNotifyConfig" in changes()
    reads = [call["params"]["DomainName"] for call in cloud.calls("DescribeLiveRecordNotifyConfig")]
    assert set(reads) == {"live.example.com", "live.example.org"}
    cloud.clear_calls()
    run = play(ansible, "configure", inventory, **variables)
    assert run.exit_code == 0, run.output
    assert changes() == []
    assert sorted(call["action"] for call in cloud.calls()) == sorted(
        ["DescribeLiveRecordConfig", "DescribeLiveRecordNotifyConfig"] * 2
    )
    removal = {"record_config_absent": [{}], "record_config_notify_absent": True}
    cloud.clear_calls()
    assert play(ansible, "configure", inventory, **removal).exit_code == 0
    assert sorted(changes()) == ["DeleteLiveAppRecordConfig"] * 2 + ["DeleteLiveRecordNotifyConfig"] * 2


@pytest.mark.parametrize("name", ["record_config_present", "record_config_absent"])
def test_configure_refuses_unknown_options(cloud, ansible, inventory, name):
    run = play(ansible, "configure", inventory, **{name: [{**CONFIG, "app_nam": "news"}]})
    assert run.exit_code == 2 and "app_nam" in run.output, run.output
    assert cloud.calls() == []


def test_the_role_acts_once_for_each_domain_with_any_batch(cloud, ansible, inventory):
    role = {"name": "apsaravideo.live.record_config"}
    tasks = [{"name": "configure", "ansible.builtin.import_role": role}]
    playbook = [
        {
            "hosts": "streams",
            "serial": 2,
            "gather_facts": False,
            "connection": "local",
            "vars": {"record_config_present": [CONFIG]},
            "tasks": tasks,
        }
    ]
    file = ansible.directory / "playbook.json"
    file.write_text(json.dumps(playbook), encoding="utf-8")
    run = ansible.playbook(str(file), "-i", inventory)
    assert run.exit_code == 0, run.output
    assert sorted(call["params"]["DomainName"] for call in cloud.calls("AddLiveAppRecordConfig")) == [
        "live.example.com",
        "live.example.org",
    ]
    assert KEY[1] not in run.output
