# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unusual inventories, environments and command lines with the playbooks start, stop, split and window."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from support.emulator import Emulator
from support.playbook import FLEET

DOMAIN = "live.example.com"
VERDICT = "Fail the host of each failed stream"


def inventory(ansible, hosts, groups=None, **group):
    """Write an inventory in which streams have the names of their hosts by default."""
    variables = {"domain_name": DOMAIN, "app_name": "app", "stream_name": "{{ inventory_hostname }}", **group}
    file = ansible.directory / "streams.json"
    content = {"streams": {"hosts": hosts, "vars": variables}, **(groups or {})}
    file.write_text(json.dumps({"all": {"children": content}}), encoding="utf-8")
    return str(file)


def push(cloud, *names):
    cloud.push(*((DOMAIN, "app", name) for name in names))


def play(ansible, name, source, *arguments, environ=None, **variables):
    return ansible.playbook(
        f"apsaravideo.live.{name}", "-i", source, "-e", json.dumps(variables), *arguments, environ=environ
    )


def sent(cloud):
    """Return the commands that were sent, with the names of their streams."""
    calls = cloud.calls("RealTimeRecordCommand")
    return [(call["params"]["Command"], call["params"]["StreamName"]) for call in calls]


def recording(cloud):
    return {row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"}


def moment(seconds):
    return datetime.fromtimestamp(seconds, timezone(timedelta(hours=8))).isoformat()


def retry_file(ansible, name="start.retry"):
    file = ansible.directory / name
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else None


def test_integer_names_are_used_as_text(cloud, ansible):
    cloud.push((DOMAIN, "2026", "12345"), (DOMAIN, "app", "0"), (DOMAIN, "app", "s1"))
    hosts = {
        "cam": {"app_name": 2026, "stream_name": 12345},
        "zero": {"stream_name": 0},
        "s1": {},
        "yes": {"stream_name": True},
        "version": {"stream_name": 1.1},
    }
    run = play(ansible, "start", inventory(ansible, hosts))
    assert run.exit_code == 2
    assert run.changed() == {"cam", "zero", "s1"}
    assert run.entries()["cam"]["stream"] == {"domain_name": DOMAIN, "app_name": "2026", "stream_name": "12345"}
    assert sorted(name for _command, name in sent(cloud)) == ["0", "12345", "s1"]
    assert run.failed() == {"yes", "version"}
    assert all("Quote the name" in run.entries()[host]["msg"] for host in ("yes", "version"))


def test_ambiguous_yaml_names_are_reported_as_read(cloud, ansible):
    file = ansible.directory / "streams.yml"
    file.write_text(
        """
        streams:
          vars: {domain_name: live.example.com, app_name: app}
          hosts:
            octal: {stream_name: 00123}
            sexagesimal: {stream_name: 1:30}
            boolean: {stream_name: yes}
            float: {stream_name: 1.10}
            quoted: {stream_name: "1.10"}
        """
    )
    push(cloud, "1.10")
    run = play(ansible, "start", str(file))
    assert run.exit_code == 2
    assert recording(cloud) == {"1.10"}
    found = run.entries()
    assert (
        "live.example.com/app/83" in found["octal"]["msg"] and "live.example.com/app/90" in found["sexagesimal"]["msg"]
    )
    assert "a boolean" in found["boolean"]["msg"] and "number in YAML" in found["float"]["msg"]
    assert sorted(name for _command, name in sent(cloud)) == ["1.10", "83", "90"]


def test_a_failing_template_fails_only_its_host(cloud, ansible):
    push(cloud, "s1", "s2")
    vault = {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n6162"}
    broken = {
        "timeout": {"apsaravideo_read_timeout": "{{ nowhere2 }}"},
        "undefined": {"stream_name": "{{ nowhere }}"},
        "filter": {"stream_name": "{{ 'a' | nofilter }}"},
        "vault": {"stream_name": vault},
    }
    run = play(ansible, "start", inventory(ansible, {**broken, "s1": {}, "s2": {}}))
    assert run.exit_code == 2
    assert recording(cloud) == {"s1", "s2"}
    assert run.failed() == set(broken) == set(retry_file(ansible))
    messages = {host: row["msg"] for host, row in run.entries().items() if row["status"] == "failed"}
    assert "apsaravideo_read_timeout" in messages["timeout"] and "nowhere2" in messages["timeout"]
    assert "'nowhere' is undefined" in messages["undefined"]
    assert "nofilter" in messages["filter"]
    assert "vault password" in messages["vault"]
    assert run.summary()[0].startswith("start: 6 streams, 2 recording, 4 failed.")
    assert sorted(sent(cloud)) == [("start", "s1"), ("start", "s2")]


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["run", "check"])
def test_streams_without_a_window_are_not_changed(cloud, ansible, arguments):
    push(cloud, "s1", "s2")
    run = play(ansible, "window", inventory(ansible, {"s1": {}, "s2": {}}), *arguments, record_windows=[])
    assert run.exit_code == 0, run.output
    assert "2 left alone. 0 changed" in run.summary()[0]
    assert cloud.calls() == []


def test_later_plays_run_for_the_healthy_hosts(cloud, ansible):
    push(cloud, "s1", "s2")
    follow = {"hosts": "streams", "gather_facts": False, "tasks": [{"name": "follow", "ansible.builtin.debug": {}}]}
    book = [
        {"ansible.builtin.import_playbook": "apsaravideo.live.start"},
        {"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {}}]},
        follow,
        {"ansible.builtin.import_playbook": "apsaravideo.live.stop"},
    ]
    file = ansible.directory / "site.json"
    file.write_text(json.dumps(book), encoding="utf-8")
    source = inventory(ansible, {"s1": {}, "s2": {}, "s3": {}})
    run = ansible.playbook(str(file), "-i", source)
    assert run.exit_code == 2
    assert set(run.results("follow")) == {"s1", "s2"}
    assert recording(cloud) == set()
    assert sorted(sent(cloud)) == [("start", name) for name in ("s1", "s2", "s3")] + [("stop", "s1"), ("stop", "s2")]

    cloud.reset()
    run = ansible.playbook(str(file), "-i", source)
    assert run.exit_code == 2, "of which none is healthy"


@pytest.mark.parametrize("where", ["one", "all"])
def test_the_playbooks_never_log_in_to_a_host(cloud, ansible, where):
    push(cloud, "s1", "s2", "s3")
    elsewhere = {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": 9,
        "ansible_become": True,
        "ansible_become_password": "x",
        "ansible_shell_executable": "/nowhere",
    }
    hosts = {"s1": {}, "s2": elsewhere if where == "one" else {}, "s3": {}}
    run = play(ansible, "start", inventory(ansible, hosts, **(elsewhere if where == "all" else {})), batch=1)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"s1", "s2", "s3"}


def test_a_task_timeout_does_not_end_requested_waits(cloud, ansible):
    push(cloud, "s1", "s2")
    source = inventory(ansible, {"s1": {}, "s2": {}})
    start_at = time.time() + 5
    run = play(ansible, "start", source, environ={"ANSIBLE_TASK_TIMEOUT": "2"}, start_at=f"{start_at:.3f}")
    assert run.exit_code == 0, run.output
    assert min(call["time"] for call in cloud.calls("RealTimeRecordCommand")) >= start_at
    stop = time.time() + 5
    window = {"window_start": moment(stop - 10), "window_stop": moment(stop)}
    run = play(ansible, "window", source, environ={"ANSIBLE_TASK_TIMEOUT": "2"}, **window)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == set()
    assert all(call["time"] >= stop for call in cloud.calls() if call["params"].get("Command") == "stop")


def test_host_variables_with_short_names_are_ignored(cloud, ansible):
    push(cloud, "s1", "s2")
    others = {
        "wanted": True,
        "target": "prod",
        "dest": "backup",
        "finalize": True,
        "start_at": "20:00",
        "retry_file": "other.retry",
        "max_duration": "1s",
        "strays": True,
        "batch": 1,
        "max_fail": 0,
        "order": "reverse_sorted",
        "keep": True,
        "progress": "none",
        "allow_empty": True,
        "watch_interval": 0.1,
        "window_over": "stop",
        "window_grace": 0,
        "record_state": "stopped",
        "record_playbook": "other",
        "record_fail_each": 0,
        "record_limits": [False],
        "record_each": True,
        "record_failed": [],
        "record_healthy": [],
        "record_entry": {"status": "ok"},
        "record_outcome": {"failed": [], "healthy": None, "summary": []},
    }
    source = inventory(ansible, {"s0": {}, "s1": {}, "s2": {}}, **others)
    run = play(ansible, "start", source)
    assert run.exit_code == 2
    assert run.summary()[0] == "start: 3 streams, 2 recording, 1 failed. 2 changed. 3 calls, 0 throttled."
    assert run.failed() == {"s0"}
    assert retry_file(ansible) == ["s0"] and retry_file(ansible, "other.retry") is None
    assert recording(cloud) == {"s1", "s2"}
    cloud.clear_calls()
    run = play(ansible, "stop", source, "--limit", "s1,s2")
    assert run.exit_code == 0, run.output
    assert sorted(sent(cloud)) == [("stop", "s1"), ("stop", "s2")], "the files are not asked for"
    assert not (ansible.directory / "backup").exists()


def test_an_omitted_variable_counts_as_not_set(cloud, ansible):
    push(cloud, "s1")
    omitted = "{{ nothing_of_that_name | default(omit) }}"
    names = ("apsaravideo_profile", "apsaravideo_rate_limit", "record_start_at", "record_wait", "record_finalize")
    run = play(ansible, "start", inventory(ansible, {"s1": {}}, **dict.fromkeys(names, omitted)))
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"s1"}


@pytest.mark.parametrize("name", ["start", "stop", "split", "window", "sweep"])
def test_a_pattern_without_a_host_is_an_error(cloud, ansible, name):
    source = inventory(ansible, {"s1": {}})
    run = play(ansible, name, source, target="strems")
    assert run.exit_code != 0
    assert "No host matches strems" in " ".join(run.output.split())
    if name in ("start", "sweep"):
        run = play(ansible, name, source, target="strems", allow_empty=True)
        assert run.exit_code == 0, run.output
    assert cloud.calls() == []


def test_a_failed_source_without_a_host_is_an_error(cloud, ansible):
    source = ansible.directory / "live.apsaravideo_streams.yml"
    source.write_text(json.dumps({"plugin": "apsaravideo.live.apsaravideo_streams", "domains": [DOMAIN]}))
    run = play(ansible, "start", str(source), environ={"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong"})
    assert run.exit_code != 0
    assert "No host matches streams" in " ".join(run.output.split())
    assert sent(cloud) == []


def test_sweep_never_stops_a_wanted_stream(cloud, ansible):
    push(cloud, "s1", "s2", "s3", "other", "stray")
    groups = {"wanted": {"hosts": {"s1": {}, "s2": {}}}}
    source = inventory(ansible, {"s1": {}, "s2": {}, "other": {}}, groups)
    # Wanted in a second file, outside of `target`, by another name, and with variables of its own.
    second = ansible.directory / "second.json"
    more = {"third": {"domain_name": DOMAIN, "app_name": "app", "stream_name": "s3"}}
    second.write_text(json.dumps({"wanted": {"hosts": more}}), encoding="utf-8")
    everything = {"s1": {}, "s2": {}, "s3": {}, "other": {}, "stray": {}}
    run = play(ansible, "start", inventory(ansible, everything), retry_file="")
    assert recording(cloud) == set(everything)
    source = inventory(ansible, {"s1": {}, "s2": {}, "other": {}}, groups)
    cloud.advance(60)
    cloud.clear_calls()
    run = play(ansible, "sweep", source, "-i", str(second), "--limit", "!s2:!third")
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"s1", "s2", "s3"}
    assert run.changed("Stop unwanted and overdue recordings") == {"other", "stray"}
    assert sorted(sent(cloud)) == [("stop", "other"), ("stop", "stray")]


def test_a_stream_without_a_host_that_cannot_be_stopped_is_named(cloud, ansible):
    push(cloud, "s1", "stray")
    play(ansible, "start", inventory(ansible, {"s1": {}, "stray": {}}), retry_file="")
    source = inventory(ansible, {"s1": {}, "idle": {}}, {"wanted": {"hosts": {"s1": {}}}})
    cloud.advance(60)
    refusal = {"code": "Forbidden.RAM", "http_status": 403}
    cloud.fault("error", action="RealTimeRecordCommand", parameters={"StreamName": "stray"}, **refusal)
    run = play(ansible, "sweep", source)
    assert run.exit_code != 0
    assert recording(cloud) == {"s1", "stray"}
    assert f"{DOMAIN}/app/stray" in "\n".join(run.summary("Stop unwanted and overdue recordings"))
    assert retry_file(ansible, "sweep.retry") is None, "no host is left"


def test_past_windows_stop_nothing(cloud, ansible):
    push(cloud, "s1", "s2")
    source = inventory(ansible, {"s1": {}, "s2": {}})
    play(ansible, "start", source, retry_file="")
    cloud.advance(60)
    cloud.clear_calls()
    over = {"window_start": "2025-01-02T20:00+08:00", "window_duration": "2h"}
    run = play(ansible, "window", source, **over)
    assert run.exit_code == 2
    assert recording(cloud) == {"s1", "s2"}
    assert cloud.calls() == []
    message = run.entries()["s1"]["msg"]
    assert (
        "from 2025-01-02T20:00:00+08:00 to 2025-01-02T22:00:00+08:00" in message
        and "ended" in message
        and "window_over=stop" in message
    )
    run = play(ansible, "window", source, window_over="stop", **over)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == set()


def test_a_first_run_after_its_window_reports_that_nothing_was_recorded(cloud, ansible):
    push(cloud, "s1")
    now = time.time()
    short = {"window_start": moment(now - 60), "window_stop": moment(now - 30)}
    run = play(ansible, "window", inventory(ansible, {"s1": {}}), **short)
    assert run.exit_code == 2
    assert "was over when the run began: not recorded, and stopped now" in run.entries()["s1"]["msg"]
    assert run.failed() == {"s1"}


def test_a_start_at_in_the_past_is_refused(cloud, ansible):
    push(cloud, "s1")
    run = play(ansible, "start", inventory(ansible, {"s1": {}}), start_at="2020-01-01T00:00:00Z")
    assert run.exit_code == 2
    assert "The option start_at is 2020-01-01T00:00:00Z, which was" in run.entries()["s1"]["msg"]
    assert cloud.calls() == []


def test_an_unreachable_endpoint_is_tried_once_for_all_streams(cloud, ansible):
    hosts = {f"s{number}": {} for number in range(9)}
    began = time.monotonic()
    environ = {"APSARAVIDEO_ENDPOINT": "http://127.0.0.1:9"}
    run = play(ansible, "start", inventory(ansible, hosts, apsaravideo_retry_timeout=4), environ=environ)
    assert run.exit_code == 2
    assert 4 <= time.monotonic() - began < 15, "not nine times as long"
    assert run.failed() == set(hosts) == set(retry_file(ansible))
    causes = [line for line in run.summary() if " x " in line]
    assert len(causes) == 1 and causes[0].startswith("9 x start was not sent: "), causes
    assert "127.0.0.1" in causes[0]


def test_an_endpoint_that_recovers_in_time_serves_all_streams(ansible):
    names = [f"s{number:02}" for number in range(60)]
    with Emulator() as own:
        push(own, *names)
        source = inventory(ansible, dict.fromkeys(names, {}))
        process = ansible.begin("apsaravideo.live.start", "-i", source, environ={"APSARAVIDEO_ENDPOINT": own.endpoint})
        while not own.calls():
            time.sleep(0.02)
        own.restart(down=3)
        run = ansible.end(process)
        assert run.exit_code == 0, run.output
        assert recording(own) == set(names)
        assert {row["ledger"]["starts"] for row in own.state()["streams"]} == {1}


def test_other_callback_plugins_receive_each_failure_once(cloud, ansible):
    names = [f"s{number:02}" for number in range(17)]
    push(cloud, *names[8:])
    environ = {
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit,results_file",
        "JUNIT_OUTPUT_DIR": str(ansible.directory / "junit"),
    }
    run = play(ansible, "start", inventory(ansible, dict.fromkeys(names, {})), environ=environ)
    assert run.exit_code == 2
    assert len(run.failed()) == 8
    (report,) = (ansible.directory / "junit").glob("*.xml")
    root = ElementTree.parse(report).getroot()
    assert [int(root.get("errors")), int(root.get("failures"))] in ([0, 8], [8, 0])
    assert len(root.findall(".//failure") + root.findall(".//error")) == 8


def test_host_names_with_pattern_characters_work_in_retry_files(cloud, ansible):
    # Each beside a healthy host that its name, taken for a pattern, would match.
    strange = {"news:s1": {}, "s1,s2": {}, "s 1": {}, "s\u00a01": {}, "s*": {}}
    push(cloud, "s1", "s2")
    hosts = {name: {"stream_name": f"x{number}"} for number, name in enumerate(strange)}
    source = inventory(ansible, {**hosts, "s1": {}, "s2": {}})
    run = play(ansible, "start", source)
    assert run.exit_code == 2
    assert recording(cloud) == {"s1", "s2"}
    assert run.fleets()[0]["failed_hosts"] == list(strange)
    assert {row["host"] for row in run.rows if row["status"] == "failed"} == set(strange)
    assert run.summary()[0].startswith("start: 7 streams, 2 recording, 5 failed.")
    assert len(retry_file(ansible)) == 5
    push(cloud, *(f"x{number}" for number in range(5)))
    cloud.clear_calls()
    run = play(ansible, "start", source, "--limit", "@start.retry")
    assert run.exit_code == 0, run.output
    assert sorted(sent(cloud)) == [("start", f"x{number}") for number in range(5)]
    hosts["news:s1"].update(window_start="2025-01-02T20:00+08:00", window_duration="2h")
    run = play(ansible, "window", inventory(ansible, {**hosts, "s1": {}, "s2": {}}, record_windows=[]))
    assert run.exit_code == 2
    assert run.fleets()[0]["failed_hosts"] == ["news:s1"]
    assert retry_file(ansible, "window.retry") == ["news:s1"]


def test_hanging_streams_do_not_delay_others(cloud, ansible):
    names = [f"s{number:02}" for number in range(20)]
    push(cloud, *names)
    for name in names[:10]:
        cloud.fault("stall", action="RealTimeRecordCommand", parameters={"StreamName": name}, seconds=60)
    limits = {"apsaravideo_read_timeout": 2, "apsaravideo_retry_timeout": 5}
    began = time.monotonic()
    run = play(ansible, "start", inventory(ansible, dict.fromkeys(names, {}), **limits))
    assert time.monotonic() - began < 25
    assert run.exit_code == 2
    assert recording(cloud) == set(names[10:])
    assert set(run.fleets()[0]["failed_hosts"]) == set(names[:10])
    first = {}
    for call in cloud.calls("RealTimeRecordCommand"):
        first.setdefault(call["params"]["StreamName"], call["time"])
    healthy = [first[name] for name in names[10:]]
    assert max(healthy) - min(first.values()) < 3, "at full rate, and not after those that hang"


def test_a_window_ends_on_time_although_another_stream_hangs(cloud, ansible):
    push(cloud, "hangs", "s1")
    cloud.fault("delay", action="RealTimeRecordCommand", parameters={"StreamName": "hangs"}, seconds=8)
    stop = time.time() + 7
    source = inventory(ansible, {"hangs": {}, "s1": {}}, apsaravideo_read_timeout=3, apsaravideo_retry_timeout=0)
    run = play(ansible, "window", source, window_start=moment(stop - 60), window_stop=moment(stop))
    assert run.exit_code == 2
    assert run.failed() == {"hangs"}
    (at,) = [call["time"] for call in cloud.calls() if call["params"].get("Command") == "stop" and is_for(call, "s1")]
    assert stop <= at < stop + 1.5


def is_for(call, name):
    return call["params"]["StreamName"] == name


def test_the_fleet_returns_one_result_for_each_batch(cloud, ansible):
    push(cloud, "s1", "s2", "s3")
    run = play(ansible, "start", inventory(ansible, {"s1": {}, "s2": {}, "s3": {}}), batch=2)
    assert [list(run.results(FLEET)), len(run.fleets())] == [["s1", "s3"], 2]
    assert run.results(VERDICT)["s1"].get("skipped", True)
