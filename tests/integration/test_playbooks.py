# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks by their names in the collection, with inventories whose hosts are streams."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from support.emulator import KEY, OTHER_ACCOUNT_KEY
from support.playbook import FLEET, streams

NAMES = [f"live.example.com/app{number % 3}/stream{number:02}" for number in range(9)]
COLLECTION = Path(__file__).resolve().parents[2]
ROLE = COLLECTION / "roles" / "record"
REPORT = COLLECTION / "plugins" / "modules" / "apsaravideo_record_report.py"
RECORD = "apsaravideo.live.apsaravideo_record"
RECORD_TASK = "Set the recording to the desired state"
ABSENT = "StreamNotFound: start was refused: the stream is not being pushed"
UNCONFIGURED = "CodeConfigNotFound: start was refused: no recording configuration is in effect for the stream"


def commands(cloud):
    return [call["params"]["Command"] for call in cloud.calls("RealTimeRecordCommand")]


def recording(cloud):
    return {stream["stream_name"] for stream in cloud.state()["streams"] if stream["recording"] == "recording"}


def play(ansible, name, inventory, *arguments, **variables):
    return ansible.playbook(f"apsaravideo.live.{name}", "-i", inventory, "-e", json.dumps(variables), *arguments)


def format_past_time():
    return datetime.fromtimestamp(int(time.time()) - 60, timezone(timedelta(hours=8))).isoformat()


def retry_file(ansible, name="start.retry"):
    """Return the hosts in a retry file, None if it does not exist."""
    file = ansible.directory / name
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else None


def test_start_split_and_stop_act_on_all_streams_idempotently(tls_cloud, tls_ansible):
    cloud, ansible = tls_cloud, tls_ansible
    cloud.push(*NAMES)
    inventory = str(ansible.inventory(streams(NAMES)))
    everything = {name.rsplit("/", 1)[1] for name in NAMES}
    run = play(ansible, "start", inventory)
    assert run.exit_code == 0, run.output
    assert run.changed() == recording(cloud) == everything
    assert run.summary() == ["start: 9 streams, 9 recording. 9 changed. 9 calls, 0 throttled."]
    (fleet,) = run.fleets()
    assert fleet["counts"] == {"streams": 9, "ok": 9, "failed": 0, "not_tried": 0, "changed": 9}
    assert fleet["calls"] == {"RealTimeRecordCommand": 9}
    assert fleet["failed_hosts"] == []
    sent = sorted(call["time"] for call in cloud.calls())
    assert [fleet["timing"][name] for name in ("first_call", "last_call")] == pytest.approx([sent[0], sent[-1]], abs=1)
    assert play(ansible, "start", inventory).changed() == set()
    assert commands(cloud) == ["start"] * 18
    cloud.advance(60)
    assert play(ansible, "split", inventory).changed() == everything
    assert {stream["ledger"]["splits"] for stream in cloud.state()["streams"]} == {1}
    cloud.advance(60)
    run = play(ansible, "stop", inventory, finalize=True)
    assert run.changed() == everything
    # The notify log is read once for all of them.
    assert run.summary() == ["stop: 9 streams, 9 stopped. 9 changed. 19 calls, 0 throttled."]
    assert run.fleets()[0]["calls"] == {"DescribeLiveRecordNotifyRecords": 1, "RealTimeRecordCommand": 18}
    assert run.entries()["stream00"]["commands"] == ["stop", "cancel_delay"]
    assert recording(cloud) == set()
    assert all(len(stream["files"]) == 4 for stream in cloud.state()["streams"]), "two formats, two parts"
    assert not list(ansible.directory.glob("*.retry"))


def test_stop_does_not_cancel_the_delay_without_finalize(cloud, ansible):
    cloud.push(*NAMES)
    inventory = str(ansible.inventory(streams(NAMES)))
    play(ansible, "stop", inventory)
    assert commands(cloud) == ["stop"] * 9


def test_check_mode_changes_nothing(cloud, ansible):
    cloud.push(*NAMES[1:])
    inventory = str(ansible.inventory(streams(NAMES)))
    run = play(ansible, "start", inventory, "--check", "--diff")
    assert run.exit_code == 2
    assert len(run.changed()) == 8
    assert run.failed() == {"stream00"}
    assert commands(cloud) == []
    assert "+stream01: recording" in run.output
    assert "stream00: " not in run.output.split("PLAY RECAP")[0].split("TASK [Note")[0].split("start, predicted")[0]
    assert run.summary()[0].startswith("start, predicted by check mode: 9 streams, 8 recording, 1 failed. 8 changed.")
    assert retry_file(ansible) is None


def test_target_limits_the_hosts(cloud, ansible):
    cloud.push(*NAMES)
    inventory = str(ansible.inventory(streams(NAMES)))
    play(ansible, "start", inventory, target="stream01:stream02")
    assert recording(cloud) == {"stream01", "stream02"}
    play(ansible, "start", inventory, "--limit", "stream03")
    assert recording(cloud) == {"stream01", "stream02", "stream03"}


def test_connection_options_come_from_variables(cloud, ansible):
    cloud.push(*NAMES)
    hosts = streams(NAMES[:2])
    hosts["stream01"].update(
        apsaravideo_access_key_id=OTHER_ACCOUNT_KEY[0], apsaravideo_access_key_secret="{{ wrong }}"
    )
    for name in ("APSARAVIDEO_ENDPOINT", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        del ansible.environ[name]
    inventory = ansible.inventory(
        hosts,
        apsaravideo_endpoint=cloud.endpoint,
        apsaravideo_access_key_id=KEY[0],
        apsaravideo_access_key_secret=KEY[1],
    )
    run = play(ansible, "start", str(inventory), "-vvv", wrong=OTHER_ACCOUNT_KEY[1])
    assert recording(cloud) == {"stream00"}
    assert run.entries()["stream01"]["error"]["code"] == "InvalidDomain.NotFound", "the host's own keys"
    assert KEY[1] not in run.output and OTHER_ACCOUNT_KEY[1] not in run.output


BARE = {"id": "1000000000000001", "domains": [{"name": "bare.example.com", "ingest": ["push.bare.example.com"]}]}
CONFIGURED = {
    "id": "1000000000000001",
    "record_configs": [
        {
            "DomainName": "bare.example.com",
            "AppName": "*",
            "OnDemand": 7,
            "OssBucket": "b",
            "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
            "RecordFormat": [{"Format": "mp4", "OssObjectPrefix": "{AppName}/{StartTime}_{EndTime}"}],
        }
    ],
}


def test_of_three_hundred_streams_exactly_those_four_fail(cloud, ansible):
    names = [f"live.example.com/app/stream{number:03}" for number in range(299)]
    bare = "bare.example.com/app/bare"
    offline = [names[number] for number in (7, 150, 298)]
    four = ["stream007", "stream150", "stream298", "bare"]
    cloud.add_accounts(BARE)
    cloud.push(*(name for name in [*names, bare] if name not in offline))
    inventory = str(ansible.inventory(streams([*names, bare])))

    run = play(ansible, "start", inventory)
    assert run.exit_code == 2
    assert run.failed() == set(four)
    assert len(run.changed()) == len(recording(cloud)) == 296
    assert len(cloud.calls()) == 300
    assert len(run.output.splitlines()) <= 120 and max(map(len, run.output.splitlines())) <= 500
    found = run.entries()
    assert len(found) == 300
    assert [found[host]["error"]["code"] for host in four] == ["StreamNotFound"] * 3 + ["CodeConfigNotFound"]
    assert all("the stream is not being pushed" in found[host]["msg"] for host in four[:3])
    assert "apsaravideo_record_config" in found["bare"]["msg"]
    assert found["bare"]["stream"] == {"domain_name": "bare.example.com", "app_name": "app", "stream_name": "bare"}
    assert run.fleets()[0]["failed_hosts"] == four
    lines = run.summary()
    assert lines[0] == "start: 300 streams, 296 recording, 4 failed. 296 changed. 300 calls, 0 throttled."
    assert [line for line in lines if " x " in line] == [f"3 x {ABSENT}", f"1 x {UNCONFIGURED}"]
    assert "    stream007, stream150, stream298" in lines and "    bare" in lines
    assert lines[-1] == "To go on with the 4 that are left: --limit @start.retry"
    assert retry_file(ansible) == four

    cloud.add_accounts(CONFIGURED)
    cloud.drop(bare)
    cloud.push(*offline, bare)
    run = play(ansible, "start", inventory)
    assert run.exit_code == 0, run.output
    assert run.changed() == set(four)
    assert len(recording(cloud)) == 300
    assert retry_file(ansible) is None


def test_many_failures_fail_one_host_with_the_summary(cloud, ansible):
    names = [f"live.example.com/app/stream{number:02}" for number in range(40)]
    cloud.push(*names[25:])
    run = play(ansible, "start", str(ansible.inventory(streams(names))), retry_file="")
    assert run.exit_code == 2
    assert len(run.fleets()[0]["failed_hosts"]) == 25
    assert len(run.failed()) == 1
    assert run.results("Fail the host of each failed stream")["stream00"]["msg"] == run.summary()[0]
    run = play(ansible, "start", str(ansible.inventory(streams(names))), record_fail_each=30, retry_file="")
    assert run.failed() == {f"stream{number:02}" for number in range(25)}
    assert "the stream is not being pushed" in run.results("Fail the host of each failed stream")["stream24"]["msg"]


@pytest.mark.parametrize(("batch", "first"), [(3, 3), ([1, 2, "34%"], 1)], ids=str)
def test_batches_run_one_after_the_other(cloud, ansible, batch, first):
    cloud.push(*NAMES)
    inventory = str(ansible.inventory(streams(NAMES)))
    run = play(ansible, "start", inventory, batch=batch)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {name.rsplit("/", 1)[1] for name in NAMES}
    sent = [call["params"]["StreamName"] for call in cloud.calls()]
    assert set(sent[:first]) == {f"stream{number:02}" for number in range(first)}
    assert set(sent[first : first + 2]) <= {f"stream{number:02}" for number in range(first, 6)}
    assert run.summary() == ["start: 9 streams, 9 recording. 9 changed. 9 calls, 0 throttled."], "of all batches"


@pytest.mark.parametrize("batch", ["1,34%,100%", '[1, "34%", "100%"]'])
def test_batch_and_order_are_accepted_as_text(cloud, ansible, batch):
    cloud.push(*NAMES)
    inventory = str(ansible.inventory(streams(NAMES)))
    run = play(ansible, "start", inventory, "-e", f"batch='{batch}'", "-e", "order=reverse_sorted", "-e", "max_fail=0%")
    assert run.exit_code == 0, run.output
    sent = [int(call["params"]["StreamName"][-2:]) for call in cloud.calls()]
    assert sent[0] == 8
    assert set(sent[1:4]) == {5, 6, 7}
    assert set(sent[4:]) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("given", "words"),
    [("batch=0", "batch is 0."), ("batch='[1, some]'", "batch is [1, some]."), ("max_fail=few", "max_fail is few.")],
)
def test_invalid_limits_are_refused_before_any_call(cloud, ansible, given, words):
    cloud.push(*NAMES)
    run = play(ansible, "start", str(ansible.inventory(streams(NAMES))), "-e", given)
    assert run.exit_code not in (0, 2)
    assert words in run.output
    assert "bug" not in run.output
    assert cloud.calls() == []


@pytest.mark.parametrize("batch", [1, 3])
def test_a_batch_in_which_all_streams_fail_does_not_end_the_run(cloud, ansible, batch):
    cloud.push(*NAMES[3:])
    run = play(ansible, "start", str(ansible.inventory(streams(NAMES))), batch=batch)
    assert run.exit_code == 2
    assert len(recording(cloud)) == 6
    assert run.failed() == {"stream00", "stream01", "stream02"}
    assert run.summary()[0].startswith("start: 9 streams, 6 recording, 3 failed.")


def test_more_failures_than_max_fail_skip_the_remaining_batches(cloud, ansible):
    cloud.push(*NAMES[2:])
    inventory = str(ansible.inventory(streams(NAMES)))
    run = play(ansible, "start", inventory, batch=3, max_fail=50)
    assert run.exit_code == 2
    assert len(cloud.calls()) == 3
    assert recording(cloud) == {"stream02"}
    assert run.failed() == {"stream00", "stream01"}
    lines = run.summary()
    assert lines[0] == "start: 9 streams, 1 recording, 2 failed, 6 not tried. 1 changed. 3 calls, 0 throttled."
    assert lines[1] == "max_fail ended the run: 6 were not tried."
    assert lines[2] == f"2 x {ABSENT}" and "    stream00, stream01" in lines
    assert lines[-1] == "To go on with the 8 that are left: --limit @start.retry"
    left = {name.rsplit("/", 1)[1] for name in NAMES} - {"stream02"}
    assert set(retry_file(ansible)) == left

    cloud.push(*NAMES[:2])
    cloud.clear_calls()
    run = play(ansible, "start", inventory, "--limit", "@start.retry", batch=3, max_fail=50)
    assert run.exit_code == 0, run.output
    assert run.changed() == {call["params"]["StreamName"] for call in cloud.calls()} == left
    assert len(cloud.calls()) == 8
    assert retry_file(ansible) is None


def test_one_failure_skips_the_remaining_batches_with_max_fail_0(cloud, ansible):
    cloud.push(*NAMES[:4], *NAMES[5:])
    run = play(ansible, "start", str(ansible.inventory(streams(NAMES))), batch=1, max_fail=0)
    assert run.exit_code == 2
    assert len(cloud.calls()) == 5
    assert run.failed() == {"stream04"}
    assert "4 recording, 1 failed, 4 not tried" in run.summary()[0]


def test_all_batches_run_if_max_fail_is_not_exceeded(cloud, ansible):
    cloud.push(*NAMES[1:])
    run = play(ansible, "start", str(ansible.inventory(streams(NAMES))), batch=2, max_fail=50)
    assert run.exit_code == 2
    assert len(recording(cloud)) == 8


def test_the_retry_file_is_updated_by_each_run(cloud, ansible):
    cloud.push(*NAMES[1:4], *NAMES[5:])
    inventory = str(ansible.inventory(streams(NAMES)))
    play(ansible, "start", inventory, retry_file="again.txt")
    assert retry_file(ansible, "again.txt") == ["stream00", "stream04"]
    cloud.push(NAMES[0])
    run = play(ansible, "start", inventory, "--limit", "stream00:stream01", retry_file="again.txt")
    assert run.exit_code == 0, run.output
    assert run.summary()[1:] == [], "nothing of this run is left"
    assert retry_file(ansible, "again.txt") == ["stream04"], "this run did not look at that one"
    assert retry_file(ansible) is None


def test_the_summary_excludes_results_of_an_earlier_playbook(cloud, ansible):
    cloud.push(*NAMES[:3])
    drop = {"url": f"{cloud.endpoint}/_emulator/streams/drop", "method": "POST", "body_format": "json"}
    drop["body"] = {"streams": [streams(NAMES)["stream00"]]}
    book = [
        {"ansible.builtin.import_playbook": "apsaravideo.live.start"},
        {"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.uri": drop}]},
        {"ansible.builtin.import_playbook": "apsaravideo.live.split", "vars": {"batch": 1, "max_fail": 0}},
    ]
    file = ansible.directory / "playbook.json"
    file.write_text(json.dumps(book), encoding="utf-8")
    run = ansible.playbook(str(file), "-i", str(ansible.inventory(streams(NAMES[:3]))))
    assert run.exit_code == 2
    assert commands(cloud) == ["start"] * 3 + ["restart"]
    assert run.summary()[0] == "split: 3 streams, 1 failed, 2 not tried. 0 changed. 1 call, 0 throttled."
    assert retry_file(ansible, "split.retry") == ["stream00", "stream01", "stream02"]


def test_no_call_is_sent_before_start_at_and_calls_are_spaced_after_it(tls_cloud, tls_ansible):
    tls_cloud.push(*NAMES)
    inventory = str(tls_ansible.inventory(streams(NAMES)))
    start_at = time.time() + 6
    run = play(tls_ansible, "start", inventory, start_at=f"{start_at:.3f}", record_rate_limit=10)
    assert run.exit_code == 0, run.output
    sent = sorted(call["time"] for call in tls_cloud.calls())
    assert sent[0] >= start_at
    assert sent[-1] - sent[0] > 0.7, "nine calls, ten a second"
    late = sorted(row["late_seconds"] for row in run.entries().values())
    assert late == pytest.approx([moment - start_at for moment in sent], abs=1)
    assert f"the first call left {late[0]:.3f} s after, the last stream's {late[-1]:.3f} s after." in run.summary()[1]


def test_a_recent_start_at_is_accepted_and_old_or_invalid_ones_are_refused(cloud, ansible):
    cloud.push(*NAMES)
    inventory = str(ansible.inventory(streams(NAMES)))
    for given, words in {
        "20:00": "9 x The option start_at is 20:00, which is not a time with a zone",
        "2020-01-01T00:00:00Z": "9 x The option start_at is 2020-01-01T00:00:00Z, which was ",
    }.items():
        run = play(ansible, "start", inventory, start_at=given, retry_file="")
        assert retry_file(ansible) is None
        assert run.failed() == {name.rsplit("/", 1)[1] for name in NAMES}
        assert cloud.calls() == []
        assert run.summary()[1].startswith(words)
    passed = format_past_time()
    run = play(ansible, "start", inventory, "--limit", "stream00", "-e", f"start_at='{passed}'")
    assert run.exit_code == 0, run.output
    assert run.summary()[1].startswith(f"start_at {passed}: late, the first call left ")


def test_tags_and_start_at_task_run_a_part_of_a_playbook(cloud, ansible):
    cloud.push(*NAMES[:3])
    inventory = str(ansible.inventory(streams(NAMES[:3])))
    book = [
        {"ansible.builtin.import_playbook": f"apsaravideo.live.{name}", "tags": name}
        for name in ("start", "split", "stop")
    ]
    file = ansible.directory / "playbook.json"
    file.write_text(json.dumps(book), encoding="utf-8")
    run = ansible.playbook(str(file), "-i", inventory, "--tags", "start,stop")
    assert run.exit_code == 0, run.output
    assert sorted(commands(cloud)) == ["start"] * 3 + ["stop"] * 3
    cloud.clear_calls()
    run = play(ansible, "start", inventory, "--start-at-task", FLEET)
    assert run.exit_code == 0, run.output
    assert commands(cloud) == ["start"] * 3


STRATEGIES = {
    "defended": {"serial": 3, "max_fail_percentage": 40},
    "free": {"strategy": "free"},
    "pinned": {"strategy": "ansible.builtin.host_pinned"},
    "throttled": {"throttle": 1},
    "single": {"serial": 1},
    "growing": {"serial": [1, "34%", "100%"]},
}


@pytest.mark.parametrize("forks", [1, 100])
def test_the_role_works_with_any_strategy_serial_and_throttle(cloud, ansible, forks):
    names = [f"live.example.com/app/{kind}{number}" for kind in STRATEGIES for number in range(3)]
    absent = {"free1", "pinned0", "defended0"}
    cloud.push(*(name for name in names if name.rsplit("/", 1)[1] not in absent))
    common = {"gather_facts": False, "connection": "local"}
    book = [
        {"hosts": f"{kind}*", **common, **keywords, "roles": ["apsaravideo.live.record"]}
        for kind, keywords in STRATEGIES.items()
    ]
    report = {"name": "Sum up", "apsaravideo.live.apsaravideo_record_report": {"title": "all"}, "run_once": True}
    book.append({"hosts": "streams", **common, "tasks": [report]})
    file = ansible.directory / "playbook.json"
    file.write_text(json.dumps(book), encoding="utf-8")
    run = ansible.playbook(str(file), "-i", str(ansible.inventory(streams(names))), "--forks", str(forks))
    assert run.exit_code == 2
    assert recording(cloud) == {name.rsplit("/", 1)[1] for name in names} - absent
    assert run.failed() == absent
    assert len(cloud.calls()) == len(names)
    assert "Validating arguments" not in run.output
    assert run.result("Sum up")["summary"] == [
        "all: 18 streams, 15 recording, 3 failed. 15 changed. 18 calls, 0 throttled.",
        "3 x StreamNotFound: start was refused: the stream is not being pushed",
        "    defended0, free1, pinned0",
    ]


def test_the_examples_of_the_role_and_the_report_work(cloud, ansible):
    (book,) = re.findall(r"```yaml\n# news.yml\n(.*?)```", (ROLE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (examples,) = re.findall(r'EXAMPLES = r"""\n(.*?)"""', REPORT.read_text(encoding="utf-8"), re.DOTALL)
    others = {"hosts": "news", "connection": "local", "gather_facts": False, "tasks": yaml.safe_load(examples)}
    plays = [*yaml.safe_load(book), others]
    file = ansible.directory / "news.yml"
    file.write_text(yaml.safe_dump(plays), encoding="utf-8")
    cloud.push("live.example.com/app/news", *(f"live.example.com/news/studio{number}" for number in (1, 2)))
    run = ansible.playbook(str(file), "-i", str(ansible.inventory(streams(["live.example.com/app/news"]))))
    assert run.exit_code == 0, run.output
    assert run.output.count("news: 1 stream, 1 recording. 1 changed. 1 call, 0 throttled.") == 2
    # The loop's own summary, and that of the merged reports.
    assert run.output.count("record: 2 streams, 2 recording. 2 changed. 2 calls, 0 throttled.") == 2
    assert {"slice1.json", "all.html", "all.json"} <= {path.name for path in ansible.directory.iterdir()}


def test_the_entry_point_checked_validates_the_variables(cloud, ansible):
    cloud.push(NAMES[0])
    role = {"name": "apsaravideo.live.record", "tasks_from": "checked"}
    tasks = [{"ansible.builtin.import_role": role}]
    host = streams(NAMES)["stream00"]
    run = ansible.play(tasks, vars={**host, "record_state": "paused"})
    assert "value of record_state must be one of" in run.output
    assert cloud.calls() == []
    run = ansible.play(tasks, vars={**host, "record_start_at": format_past_time()})
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"stream00"}
    assert run.result(RECORD_TASK)["late_seconds"] > 0


def test_the_role_passes_its_variables_to_the_module(cloud, ansible):
    cloud.push(NAMES[0])
    host = streams(NAMES)["stream00"]
    given = {
        "state": "stopped",
        "finalize": True,
        "wait_for_stream": 7,
        "start_at": format_past_time(),
        "wait": True,
        "wait_timeout": 8,
        "rate_limit": 9.5,
    }
    role = {"ansible.builtin.import_role": {"name": "apsaravideo.live.record"}}
    variables = {**host, **{f"record_{name}": value for name, value in given.items()}, "apsaravideo_read_timeout": 6}
    run = ansible.play([role], "--check", vars=variables, environ={"ANSIBLE_INJECT_INVOCATION": "yes"})
    assert run.exit_code == 0, run.output
    arguments = run.result(RECORD_TASK)["invocation"]["module_args"]
    expected = {**host, **given, "read_timeout": 6.0}
    assert {name: arguments[name] for name in expected} == expected
    run = ansible.play(
        [role], "--check", vars={**host, "apsaravideo_rate_limit": 5}, environ={"ANSIBLE_INJECT_INVOCATION": "yes"}
    )
    arguments = run.result(RECORD_TASK)["invocation"]["module_args"]
    defaults = {"state": "started", "finalize": False, "wait_for_stream": 0, "start_at": None, "wait": False}
    expected = {**host, **defaults, "wait_timeout": 300, "rate_limit": 5.0}
    assert {name: arguments[name] for name in expected} == expected


def test_a_host_without_a_stream_name_fails_in_the_role(cloud, ansible):
    role = {"ansible.builtin.import_role": {"name": "apsaravideo.live.record"}}
    run = ansible.play([role], vars={"domain_name": "live.example.com", "stream_name": "stream00"})
    assert run.exit_code == 2
    assert "'app_name' is undefined" in run.result(RECORD_TASK)["msg"]
    assert cloud.calls() == []


def test_the_role_variables_do_not_affect_the_module(cloud, ansible):
    cloud.push(NAMES[0], NAMES[1])
    own, other = streams(NAMES)["stream00"], streams(NAMES)["stream01"]
    stop = {**own, "record_state": "stopped", "record_finalize": "{{ asked }}", "asked": True}
    role = {"ansible.builtin.import_role": {"name": "apsaravideo.live.record"}}
    run = ansible.play([{RECORD: other}, {RECORD: {"state": "started"}, "ignore_errors": True}, role], vars=stop)
    assert run.exit_code == 0, run.output
    assert "missing required arguments: app_name, domain_name, stream_name" in run.output
    assert commands(cloud) == ["start", "stop", "cancel_delay"]
    assert recording(cloud) == {"stream01"}


def test_invalid_hosts_fail_with_their_own_message_and_others_are_recorded(cloud, ansible):
    cloud.push(NAMES[0])
    hosts = {
        **streams(NAMES[:1]),
        "nameless": {"domain_name": "live.example.com"},
        "broken": {**streams(NAMES)["stream01"], "apsaravideo_read_timeout": "{{ nowhere }}"},
    }
    run = play(ansible, "start", str(ansible.inventory(hosts)), retry_file="nowhere/start.retry")
    assert run.exit_code == 2
    assert run.failed() == {"nameless", "broken"}
    assert commands(cloud) == ["start"]
    lines = run.summary()
    assert "    nameless" in lines and "    broken" in lines
    assert "1 x The option app_name is empty" in lines
    assert any("'nowhere' is undefined" in line for line in lines)
    warning = "nowhere/start.retry does not list the hosts that are left: No such file or directory"
    assert warning in " ".join(run.output.split())


def test_unusual_names_are_sent_unchanged(cloud, ansible):
    unusual = {"domain_name": "live.example.com", "app_name": "my app", "stream_name": "a b*~/+&=%中文"}
    cloud.push(unusual)
    run = play(ansible, "start", str(ansible.inventory({"unusual": unusual})))
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"a b*~/+&=%中文"}
