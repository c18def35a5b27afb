# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module in playbooks, over HTTP and HTTPS, on this machine and on one with another Python."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.playbook import STREAM, Ansible, environment, streams

RECORD = "apsaravideo.live.apsaravideo_record"
NAMES = streams([STREAM])["stream01"]


def task(name, **options):
    return {"name": name, RECORD: {**NAMES, **options}}


def recording(cloud):
    return cloud.stream(STREAM)["recording"]


LADDER = [
    {**task("check start"), "check_mode": True},
    task("start"),
    task("start again"),
    {**task("check stop", state="stopped"), "check_mode": True},
    task("split", state="restarted"),
    task("stop", state="stopped", finalize=True),
]


@pytest.fixture(params=["http", "https"])
def place(request, tmp_path):
    """Return a cloud, and an Ansible that reaches it."""
    cloud = request.getfixturevalue({"http": "cloud", "https": "tls_cloud"}[request.param])
    cloud.push(STREAM)
    return cloud, Ansible(tmp_path, environment(cloud))


def test_start_split_and_stop_report_changed_correctly(place):
    cloud, ansible = place
    run = ansible.play(LADDER, "--diff")
    assert run.exit_code == 0, run.output
    changed = {row["task"]: row["result"]["changed"] for row in run.rows}
    assert changed == {
        "check start": True,
        "start": True,
        "start again": False,
        "check stop": True,
        "split": True,
        "stop": True,
    }
    sent = [call["params"]["Command"] for call in cloud.calls("RealTimeRecordCommand")]
    assert sent == ["start", "start", "restart", "stop", "cancel_delay"]
    assert recording(cloud) == "idle"
    assert '-    "state": "stopped"' in run.output and '+    "state": "recording"' in run.output
    assert sum(row["result"]["api_calls"] for row in run.rows) == len(cloud.calls())


def test_every_documented_value_is_returned(place):
    _cloud, ansible = place
    result = ansible.play([task("start")]).result("start")
    assert result["stream"] == NAMES
    assert result["commands"] == ["start"]
    assert (result["state"], result["previous_state"], result["state_source"]) == ("recording", "stopped", "command")
    assert (result["api_calls"], result["throttled"], result["waited_seconds"]) == (1, 0, 0)
    assert len(result["request_ids"]) == 1


def test_a_failure_returns_its_error_code(cloud, ansible):
    run = ansible.play([task("start")])
    assert run.exit_code != 0
    error = run.result("start")["error"]
    call = cloud.calls()[0]
    assert error["code"] == call["code"] == "StreamNotFound"
    assert error["request_id"] == call["request_id"]
    assert error["http_status"] == call["http_status"]
    assert error["action"] == "RealTimeRecordCommand"
    assert "Traceback" not in run.output


def test_aliases_and_module_defaults_of_the_action_group_apply(cloud, ansible):
    cloud.push(STREAM)
    names = {"domain": NAMES["domain_name"], "app": NAMES["app_name"], "stream": NAMES["stream_name"]}
    defaults = {
        "group/apsaravideo.live.all": {
            "endpoint": cloud.endpoint,
            "access_key": "groupKeyId",
            "secret_key": "groupSecret",
        }
    }
    run = ansible.play(
        [{"name": "start", RECORD: names}], module_defaults=defaults, environ={"APSARAVIDEO_ENDPOINT": ""}
    )
    assert run.result("start")["error"]["code"] == "InvalidAccessKeyId.NotFound", "the group's keys came first"


GROUP = {"group/apsaravideo.live.all": {"domain_name": "live.example.com", "retry_timeout": 30}}


def test_domain_in_the_defaults_of_the_group_is_for_each_module(cloud, ansible):
    cloud.push(STREAM)
    app, stream = {"app_name": NAMES["app_name"]}, {"stream_name": NAMES["stream_name"]}
    tasks = [
        {"name": "fleet", f"{RECORD}_fleet": {"streams": [{**app, **stream}]}},
        {"name": "one", RECORD: {**app, **stream}},
        {"name": "info", f"{RECORD}_info": {}},
        {"name": "config", f"{RECORD}_config": {"state": "absent"}, "check_mode": True},
        {"name": "notify", f"{RECORD}_notify": {"state": "absent"}, "check_mode": True},
        {"name": "status", f"{RECORD}_status": {}},
        {"name": "fleet of hosts", f"{RECORD}_fleet": {"state": "stopped"}},
    ]
    inventory = ansible.inventory({"studio1": {**app, **stream}})
    run = ansible.play(tasks, "-i", str(inventory), hosts="streams", connection="local", module_defaults=GROUP)
    assert run.exit_code == 0, run.output
    assert {call["params"]["DomainName"] for call in cloud.calls()} == {"live.example.com"}
    assert not run.result("one")["changed"], "the fleet has started it"
    (row,) = run.result("status")["streams"]
    assert (row["domain_name"], row["recording"]) == ("live.example.com", "recording")
    assert recording(cloud) != "recording", "the fleet of hosts has stopped it"


def test_domain_of_a_host_or_an_entry_comes_before_that_of_the_task(cloud, ansible):
    cloud.push(STREAM)
    elsewhere = {"module_defaults": {"group/apsaravideo.live.all": {"domain": "other.example.com"}}}
    tasks = [
        {"name": "entry", f"{RECORD}_fleet": {"streams": [NAMES]}},
        {"name": "hosts", f"{RECORD}_fleet": {}},
        {"name": "status", f"{RECORD}_status": {}},
    ]
    inventory = ansible.inventory({"stream01": NAMES})
    run = ansible.play(tasks, "-i", str(inventory), hosts="streams", connection="local", **elsewhere)
    assert run.exit_code == 0, run.output
    assert {call["params"]["DomainName"] for call in cloud.calls()} == {"live.example.com"}
    assert [row["recording"] for row in run.result("status")["streams"]] == ["recording"]


def test_the_environment_of_the_task_is_used(cloud, tmp_path):
    cloud.push(STREAM)
    play = Ansible(tmp_path, {}).play([{**task("start"), "environment": environment(cloud)}])
    assert play.result("start")["changed"]


def test_the_module_runs_with_another_python(cloud, ansible):
    python = os.environ.get("OLDEST_PYTHON")
    if not python:
        pytest.skip("no other Python here")
    cloud.push(STREAM)
    inventory = ansible.inventory({"elsewhere": {}}, ansible_connection="elsewhere", ansible_python_interpreter=python)
    run = ansible.play([{**task("start"), "delegate_to": "elsewhere"}], "-vvv", "-i", str(inventory))
    assert run.result("start")["changed"], run.output
    assert f"EXEC /bin/sh -c '{python}" in run.output, "it is that Python that ran the module"
    assert recording(cloud) == "recording"


def test_a_missing_library_is_named(cloud, ansible, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    inventory = ansible.inventory({"elsewhere": {}}, ansible_connection="elsewhere", ansible_python_interpreter=python)
    run = ansible.play([{**task("start"), "delegate_to": "elsewhere"}], "-i", str(inventory))
    assert run.result("start")["msg"].startswith(f"{python} does not find requests and jmespath. Run: {python} -m pip ")
    assert not cloud.calls()


def test_an_asynchronous_task_returns_its_result(cloud, ansible):
    cloud.push(STREAM)
    run = ansible.play([{**task("start"), "async": 30, "poll": 1}])
    assert run.exit_code == 0, run.output
    assert recording(cloud) == "recording"
