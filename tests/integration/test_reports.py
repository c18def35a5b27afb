# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counts of a report agree in all its forms, with the summary on the terminal, and with the emulator."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.document import parse_moment
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.schema import Schema
from support.emulator import ACCOUNT, KEY
from support.playbook import streams

FORMS = ("json", "csv", "xml", "md", "prom", "html")
SIX = [f"live.example.com/app/s{number}" for number in range(6)]
UNTRIED = {"status": "not_tried", "changed": False}
COUNTS = ("streams", "ok", "failed", "not_tried", "changed")


def places(name="out"):
    return [f"{name}.{form}" for form in FORMS]


def command(name, inventory, *arguments, **variables):
    return f"apsaravideo.live.{name}", "-i", inventory, "-e", json.dumps(variables), *arguments


def read(ansible, form, name="out"):
    encoding = "utf-8-sig" if form == "csv" else "utf-8"
    return (ansible.directory / f"{name}.{form}").read_text(encoding=encoding)


def read_json(ansible, name="out"):
    document = json.loads(read(ansible, "json", name))
    assert Schema.load().find_problem(document) is None
    return document


def count_in_csv(text):
    rows = list(csv.DictReader(text.splitlines()))
    statuses = [row["status"] for row in rows]
    changed = sum(row["changed"] == "true" for row in rows)
    return {
        "streams": len(rows),
        **{status: statuses.count(status) for status in ("ok", "failed", "not_tried")},
        "changed": changed,
    }


def count_in_junit(text):
    """Return the numbers of test cases by what is in them, after comparing them with the attributes."""
    root = ElementTree.fromstring(text)
    numbers = {kind: len(root.findall(f".//testcase/{kind}")) for kind in ("failure", "error", "skipped")}
    cases = len(root.findall(".//testcase"))
    for element in (root, *([root[0]] if len(root) == 1 else [])):
        attributes = [int(element.get(name)) for name in ("tests", "failures", "errors", "skipped")]
        assert attributes == [cases, *numbers.values()]
    changed = sum(int(found.get("value")) for found in root.findall(".//property[@name='changed']"))
    untried = numbers["error"] + numbers["skipped"]
    ok = cases - numbers["failure"] - untried
    return {"streams": cases, "ok": ok, "failed": numbers["failure"], "not_tried": untried, "changed": changed}


def count_in_markdown(text):
    totals = re.findall(r"^\| streams \|.*\n\|.*\n\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    return dict(zip(COUNTS, (sum(map(int, column)) for column in zip(*totals))))


def count_in_metrics(text):
    def total(pattern):
        return sum(float(value) for value in re.findall(pattern + r" (\S+)$", text, re.MULTILINE))

    of_streams = re.findall(r"^apsaravideo_stream_ok\{.*\} ([01])$", text, re.MULTILINE)
    found = {
        status: total(rf'^apsaravideo_run_streams\{{.*status="{status}"\}}') for status in ("ok", "failed", "not_tried")
    }
    assert of_streams.count("1") == found["ok"]
    return {"streams": len(of_streams), **found, "changed": total(r"^apsaravideo_run_changed\{.*\}")}


def count_in_page(text):
    """Return the counts in the sentence that a browser without scripts shows, after comparing them with the data."""
    (data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    runs = json.loads(data)["runs"]
    sentence = re.search(r"(\d+) streams: (\d+) ok, (\d+) failed, (\d+) not tried, (\d+) changed\.", text)
    found = dict(zip(COUNTS, map(int, sentence.groups())))
    assert found == {name: sum(run["counts"][name] for run in runs) for name in COUNTS}
    assert found["streams"] == sum(run["size"] for run in runs)
    return found


def assert_forms_agree(ansible, name="out"):
    """Return the document of a report, after comparing the counts of all its forms."""
    document = read_json(ansible, name)
    counts = document["counts"]
    rows = [row for run in document["runs"] for row in run["streams"]]
    assert counts["streams"] == len(rows)
    assert count_in_csv(read(ansible, "csv", name)) == counts
    assert count_in_junit(read(ansible, "xml", name)) == counts
    assert count_in_markdown(read(ansible, "md", name)) == counts
    assert count_in_metrics(read(ansible, "prom", name)) == counts
    assert count_in_page(read(ansible, "html", name)) == counts
    return document


def assert_calls_agree(document, cloud, began=0):
    """Compare the calls of a document's only run with those in the emulator's log."""
    (run,) = document["runs"]
    calls = cloud.calls(since=began) if began else cloud.calls()
    by_operation = {}
    for call in calls:
        by_operation[call["action"]] = by_operation.get(call["action"], 0) + 1
    assert run["calls"]["by_operation"] == by_operation
    assert run["calls"]["total"] == len(calls)
    commands = by_operation.get("RealTimeRecordCommand", 0)
    assert sum(number for _second, number in run["rate"]["by_second"]) == commands
    return run


def test_forms_agree_with_summary_and_call_log(cloud, ansible):
    cloud.push(*SIX[:4])
    run = ansible.playbook(*command("start", ansible.inventory(streams(SIX)), report=places()))
    assert run.exit_code == 2, run.output
    document = assert_forms_agree(ansible)
    found = assert_calls_agree(document, cloud)
    assert document["counts"] == {"streams": 6, "ok": 4, "failed": 2, "not_tried": 0, "changed": 4}
    assert "start: 6 streams, 4 recording, 2 failed. 4 changed. 6 calls, 0 throttled." in run.output
    assert (document["outcome"], found["states"], found["check_mode"]) == ("complete", {"recording": 4}, False)
    (failure,) = found["failures"]
    assert (failure["code"], sorted(failure["streams"])) == ("StreamNotFound", ["s4", "s5"])
    failed = [row for row in found["streams"] if row["status"] == "failed"]
    assert {row["request_id"] for row in failed} == {call["request_id"] for call in cloud.calls() if call["code"]}
    junit = ElementTree.fromstring(read(ansible, "xml"))
    texts = {case.get("name"): case[0].text for case in junit.findall(".//testcase[failure]")}
    assert set(texts) == {"app/s4", "app/s5"}
    for row in failed:
        text = texts[f"app/{row['stream_name']}"]
        assert all(part in text for part in (f"app/{row['stream_name']}: ", row["message"], row["advice"]))
        assert f"Code: StreamNotFound\nRequestId: {row['request_id']}" in text


def test_throttled_calls_are_counted(cloud, ansible):
    many = [f"live.example.com/app/s{number:03}" for number in range(80)]
    cloud.push(*many)
    inventory = ansible.inventory(streams(many), record_rate_limit=200)
    run = ansible.playbook(*command("start", inventory, report=places()))
    assert run.exit_code == 0, run.output
    found = assert_calls_agree(assert_forms_agree(ansible), cloud)
    throttled = sum(call["throttled"] for call in cloud.calls())
    assert found["calls"]["throttled"] == throttled > 0
    assert f"{len(cloud.calls())} calls, {throttled} throttled." in run.output
    assert found["rate"]["limit"] == 200
    by_second = {}
    for call in cloud.calls("RealTimeRecordCommand"):
        by_second[int(call["time"])] = by_second.get(int(call["time"]), 0) + 1
    # A command may arrive in the second after it was sent.
    sent = dict(map(tuple, found["rate"]["by_second"]))
    assert sum(abs(sent.get(second, 0) - by_second.get(second, 0)) for second in sent | by_second) <= 8


@pytest.mark.parametrize("name", ["start", "status"])
def test_reports_have_no_secret(cloud, ansible, name):
    access_key_id, secret = KEY
    named = f"live.example.com/app/x{secret}x"
    cloud.push(named)
    hosts = {"s1": dict(zip(("domain_name", "app_name", "stream_name"), named.split("/")))}
    inventory = ansible.inventory(hosts, apsaravideo_access_key_id=access_key_id, apsaravideo_access_key_secret=secret)
    ansible.playbook(*command(name, inventory, report=places()))
    assert_forms_agree(ansible)
    for form in FORMS:
        assert secret not in read(ansible, form)


@pytest.mark.parametrize(
    ("max_fail", "outcome", "counts"),
    [
        (100, "complete", {"streams": 6, "ok": 5, "failed": 1, "not_tried": 0, "changed": 5}),
        (10, "ended_early", {"streams": 6, "ok": 1, "failed": 1, "not_tried": 4, "changed": 1}),
    ],
)
def test_batches_make_one_run(cloud, ansible, max_fail, outcome, counts):
    cloud.push(*SIX[:1], *SIX[2:])
    arguments = command("start", ansible.inventory(streams(SIX)), report=places(), batch="2,4", max_fail=max_fail)
    run = ansible.playbook(*arguments)
    document = assert_forms_agree(ansible)
    found = assert_calls_agree(document, cloud)
    assert (document["counts"], document["outcome"]) == (counts, outcome)
    assert f"start: 6 streams, {counts['ok']} recording, 1 failed" in run.output
    assert ("max_fail ended the run: 4 were not tried." in run.output) == (outcome == "ended_early")
    assert ("max_fail" in read(ansible, "xml")) == (outcome == "ended_early")
    assert [row["host"] for row in found["streams"]] == [f"s{number}" for number in range(6)]
    # Pipelines compare test cases by these names, with those of earlier runs.
    assert ["/".join(row[name] for name in Stream._fields) for row in found["streams"]] == SIX


@pytest.mark.parametrize("name", ["{{ 'x' }}", True, ["x"]])
def test_names_of_streams_without_a_turn_are_given_if_they_are_plain(cloud, ansible, name):
    hosts = streams(SIX)
    hosts["s5"]["app_name"] = name
    run = ansible.playbook(*command("start", ansible.inventory(hosts), report="out.json", batch="1,5", max_fail=10))
    assert run.exit_code == 2
    *_others, last = read_json(ansible)["runs"][0]["streams"]
    assert last == {"host": "s5", "domain_name": "live.example.com", "stream_name": "s5", **UNTRIED}


def test_check_mode_writes_the_report_and_nothing_else(cloud, ansible):
    cloud.push(*SIX[:4])
    arguments = command("start", ansible.inventory(streams(SIX)), "--check", report=places())
    run = ansible.playbook(*arguments)
    document = assert_forms_agree(ansible)
    found = assert_calls_agree(document, cloud)
    assert found["check_mode"] is True
    assert "RealTimeRecordCommand" not in found["calls"]["by_operation"]
    assert f"start, predicted by check mode: 6 streams, {found['counts']['ok']} recording" in run.output
    assert not (ansible.directory / "start.retry").exists()


def interrupt(ansible, cloud, sent, arguments, number):
    """Run a playbook, send a signal to it after so many commands, and return the run when its report is there."""
    with ansible.begin(*arguments, start_new_session=True) as process:
        wait_until(lambda: len(cloud.calls("RealTimeRecordCommand")) >= sent)
        process.send_signal(number)
        run = ansible.end(process)
    # The worker may write the last file when ansible-playbook has ended.
    wait_until((ansible.directory / "out.html").exists, 10)
    return run


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_reports_all_streams(cloud, ansible, number):
    many = [f"live.example.com/app/s{number:03}" for number in range(150)]
    cloud.push(*many)
    arguments = command("start", ansible.inventory(streams(many)), report=places(), batch="120,30")
    interrupt(ansible, cloud, 20, arguments, number)
    document = assert_forms_agree(ansible)
    found = assert_calls_agree(document, cloud)
    assert document["outcome"] == "interrupted"
    recorded = {row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"}
    assert found["counts"]["streams"] == 150
    assert 20 <= found["counts"]["changed"] == len(recorded) < 120
    assert {row["stream_name"] for row in found["streams"] if row["status"] == "ok"} == recorded
    assert len(ElementTree.fromstring(read(ansible, "xml")).findall(".//error")) == found["counts"]["not_tried"]
    assert list(ansible.directory.glob(".apsaravideo-*")) == []


def test_worker_of_a_killed_run_writes_the_report(cloud, ansible):
    many = [f"live.example.com/app/s{number:03}" for number in range(100)]
    cloud.push(*many)
    arguments = command("start", ansible.inventory(streams(many)), report=places(), batch="2,98")
    with ansible.begin(*arguments, start_new_session=True) as process:
        wait_until(lambda: len(cloud.calls("RealTimeRecordCommand")) >= 10)
        process.kill()
        ansible.end(process)
    wait_until(lambda: read_json(ansible)["counts"]["ok"] > 2, 10)
    wait_until(lambda: not processes(ansible), 10)
    document = assert_forms_agree(ansible)
    recorded = {row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"}
    assert (document["outcome"], document["counts"]["streams"]) == ("interrupted", 100)
    assert {row["stream_name"] for row in document["runs"][0]["streams"] if row["status"] == "ok"} == recorded


def processes(ansible):
    """Return the processes of a run, which have its directory in their environment."""
    mark = f"HOME={ansible.directory}".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (directory / "environ").read_bytes().split(b"\0"):
                found.append(int(directory.name))
    return found


def test_runs_of_one_playbook_share_a_file_and_the_next_one_replaces_it(cloud, ansible):
    cloud.push(*SIX[:5])
    inventory = ansible.inventory(streams(SIX))
    book = ansible.directory / "both.json"
    plays = [
        {
            "name": name,
            "ansible.builtin.import_playbook": f"apsaravideo.live.{name}",
            "vars": {"report": [*places(), f"{name}.csv"]},
        }
        for name in ("start", "stop")
    ]
    book.write_text(json.dumps(plays), encoding="utf-8")
    for _time in range(2):
        cloud.clear_calls()
        run = ansible.playbook(str(book), "-i", inventory)
        document = assert_forms_agree(ansible)
        assert [found["title"] for found in document["runs"]] == ["start", "stop"]
        for found in document["runs"]:
            lines = [line for line in run.output.splitlines() if line.startswith(f"{found['title']}: ")]
            assert lines[0].startswith(f"{found['title']}: {found['counts']['streams']} streams, ")
        assert sum(found["calls"]["total"] for found in document["runs"]) == len(cloud.calls())
        assert {row["run"] for row in csv.DictReader(read(ansible, "csv", "stop").splitlines())} == {"stop"}
    run = ansible.playbook(*command("stop", inventory, report=places()))
    assert [found["title"] for found in assert_forms_agree(ansible)["runs"]] == ["stop"]


def test_window_is_reported(cloud, ansible):
    cloud.push(*SIX[:5])
    now = time.time()
    inventory = ansible.inventory(streams(SIX), window_start=str(now), window_duration="3s")
    run = ansible.playbook(*command("window", inventory, report=places()))
    document = assert_forms_agree(ansible)
    found = assert_calls_agree(document, cloud)
    assert document["counts"] == {"streams": 6, "ok": 5, "failed": 1, "not_tried": 0, "changed": 5}
    (state,) = found["states"]
    assert f"window: 6 streams, 5 {state}, 1 failed. 5 changed. {len(cloud.calls())} calls" in run.output
    assert parse_moment(found["ended"]) >= now + 3


def test_sweep_is_reported_with_streams_that_are_no_hosts(cloud, ansible):
    cloud.push(*SIX)
    ansible.playbook(*command("start", ansible.inventory(streams(SIX))))
    inventory = ansible.inventory(streams(SIX[:2]))
    cloud.clear_calls()
    run = ansible.playbook(*command("sweep", inventory, report=places(), wanted="streams"))
    assert run.exit_code == 0, run.output
    document = assert_forms_agree(ansible)
    stopped = {call["params"]["StreamName"] for call in cloud.calls("RealTimeRecordCommand")}
    assert stopped == {"s2", "s3", "s4", "s5"}
    assert {row["stream_name"] for row in document["runs"][0]["streams"]} == stopped
    assert document["counts"]["changed"] == 4
    assert "sweep: 4 streams, 4 stopped. 4 changed. " in run.output


def test_status_is_reported(cloud, ansible):
    cloud.push(*SIX[:4])
    inventory = ansible.inventory(streams(SIX))
    ansible.playbook(*command("start", inventory))
    cloud.clear_calls()
    run = ansible.playbook(*command("status", inventory, report=places()))
    document = assert_forms_agree(ansible)
    found = assert_calls_agree(document, cloud)
    assert document["counts"] == {"streams": 6, "ok": 4, "failed": 2, "not_tried": 0, "changed": 0}
    assert "Not known to be recorded: 2 of 6 streams: s4, s5." in run.output
    assert found["states"] == {"recording": 4}


def test_count_of_the_cloud_is_reported(cloud, ansible):
    cloud.push(*SIX[:4])
    inventory = ansible.inventory(streams(SIX))
    ansible.playbook(*command("start", inventory))
    cloud.advance(600)
    ansible.playbook(*command("status", inventory, report=places(), cloud_count=True))
    (run,) = assert_forms_agree(ansible)["runs"]
    counted = run["cloud_count"]["domains"]["live.example.com"]
    assert (counted["counted"], counted["believed"]) == (4, 4)
    gauges = re.findall(r"^apsaravideo_domain_recordings_(\w+)\{.*\} 4$", read(ansible, "prom"), re.MULTILINE)
    assert gauges == ["counted", "believed"]


def test_verify_is_reported(cloud, ansible):
    cloud.add_accounts({"id": ACCOUNT, "record_configs": []})
    hour = 3600
    for number in range(4):
        stop = 2 * hour if number < 3 else hour
        cloud.script(SIX[number], (0, "push"), (1, "start"), (stop, "stop"), (stop + 10, "cancel_delay"))
    cloud.advance(3 * hour)
    cloud.clear_calls()
    window = {"window_start": int(time.time()) - 3 * hour + 2, "window_duration": 2 * hour - 10}
    run = ansible.playbook(*command("verify", ansible.inventory(streams(SIX[:5])), report=places(), **window))
    document = assert_forms_agree(ansible)
    (found,) = document["runs"]
    assert document["counts"] == {"streams": 5, "ok": 3, "failed": 2, "not_tried": 0, "changed": 0}
    assert "verify: 5 streams, 3 complete, 2 failed. 0 changed. " in run.output
    assert found["calls"]["total"] == len(cloud.calls())
    lists = cloud.calls(found["rate"]["operation"])
    assert len(lists) >= 5
    assert sum(number for _second, number in found["rate"]["by_second"]) == len(lists)
    verdicts = {row["verdict"]: row["stream_name"] for row in found["streams"] if row["status"] == "failed"}
    assert verdicts == {"incomplete": "s3", "nothing_recorded": "s4"}
    seconds = re.findall(r"^apsaravideo_stream_expected_seconds\{.*\} (\S+)$", read(ansible, "prom"), re.MULTILINE)
    assert set(map(float, seconds)) == {2 * hour - 10}


def test_results_of_a_loop_are_reported(cloud, ansible):
    cloud.push(*SIX[:2])
    record = {"domain_name": "live.example.com", "app_name": "app", "stream_name": "{{ item }}"}
    tasks = [
        {
            "apsaravideo.live.apsaravideo_record": record,
            "loop": ["s0", "s1", "s2"],
            "register": "done",
            "ignore_errors": True,
        },
        {"name": "Sum up", "apsaravideo.live.apsaravideo_record_report": {"results": "{{ done }}", "report": places()}},
    ]
    run = ansible.play(tasks)
    document = assert_forms_agree(ansible)
    assert document["counts"] == {"streams": 3, "ok": 2, "failed": 1, "not_tried": 0, "changed": 2}
    assert document["runs"][0]["calls"]["total"] == len(cloud.calls())
    assert "record: 3 streams, 2 recording, 1 failed. 2 changed. 3 calls, 0 throttled." in run.output


@pytest.mark.parametrize("kind", ["ending", "nowhere", "directory", "link", "pipe"])
def test_unusable_places_are_refused_before_any_call(cloud, ansible, kind):
    cloud.push(*SIX)
    place = ansible.directory / ("report.txt" if kind == "ending" else "report.json")
    place = ansible.directory / "nowhere" / "report.json" if kind == "nowhere" else place
    target = ansible.directory / "target"
    {
        "ending": lambda: None,
        "nowhere": lambda: None,
        "directory": place.mkdir,
        "link": lambda: place.symlink_to(target),
        "pipe": lambda: os.mkfifo(place),
    }[kind]()
    run = ansible.playbook(*command("start", ansible.inventory(streams(SIX)), report=["good.csv", str(place)]))
    assert run.exit_code == 2
    assert f"The option report has {place}, " in " ".join(run.output.split())
    assert cloud.calls() == []
    assert not target.exists()
    assert not (ansible.directory / "good.csv").exists()


def test_place_that_cannot_be_written_is_a_warning(cloud, ansible):
    cloud.push(*SIX)
    place = "/proc/report.json"  # a directory in which nobody can make a file
    run = ansible.playbook(*command("start", ansible.inventory(streams(SIX)), report=f"{place}, good.csv"))
    assert run.exit_code == 0, run.output
    assert "Report: good.csv\n" in run.output
    # Ansible breaks the lines of warnings, with some versions within a word.
    said = f"The report {place} was not written: No such file or directory."
    assert "".join(said.split()) in "".join(run.output.split())
    assert count_in_csv(read(ansible, "csv", "good"))["ok"] == 6


def test_step_summary_has_each_run_once(cloud, ansible):
    cloud.push(*SIX)
    summary = ansible.directory / "summary"
    summary.write_text("before\n", encoding="utf-8")
    environ = {"GITHUB_STEP_SUMMARY": str(summary)}
    inventory = ansible.inventory(streams(SIX))
    for name in ("start", "stop"):
        arguments = command(name, inventory, report=["out.md"], batch="2,4")
        assert ansible.playbook(*arguments, environ=environ).exit_code == 0
    assert ansible.playbook(*command("start", inventory, report=["out.csv"]), environ=environ).exit_code == 0
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert re.findall("^## .*$", text, re.MULTILINE) == ["## start", "## stop"]


def test_reports_of_slices_are_merged(cloud, ansible):
    cloud.push(*SIX[:5])
    for number in range(3):
        part = ansible.inventory(streams(SIX[2 * number : 2 * number + 2]))
        ansible.playbook(*command("start", part, report=[f"slice{number}.json"]))
    run = ansible.playbook(
        "apsaravideo.live.merge_reports", "-e", json.dumps({"reports": "slice*.json", "report": places()})
    )
    assert run.exit_code == 0, run.output
    document = assert_forms_agree(ansible)
    assert_calls_agree(document, cloud)
    assert document["counts"] == {"streams": 6, "ok": 5, "failed": 1, "not_tried": 0, "changed": 5}
    assert "start: 6 streams, 5 recording, 1 failed. 5 changed. 6 calls, 0 throttled." in run.output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "which names no file"),
        ("{", "which is not JSON"),
        ("[]", "which is not a report of version 1: see the report"),
        ('{"version": 1, "runs": [], "counts": {}}', "which is not a report of version 1: see the report."),
    ],
)
def test_files_that_are_not_reports_are_refused(ansible, content, words):
    if content is not None:
        (ansible.directory / "bad.json").write_text(content, encoding="utf-8")
    arguments = {"reports": ["bad.json"], "report": ["merged.csv"]}
    run = ansible.playbook("apsaravideo.live.merge_reports", "-e", json.dumps(arguments))
    assert run.exit_code == 2
    assert words in " ".join(run.output.split())
    assert not (ansible.directory / "merged.csv").exists()


def test_merged_report_is_not_merged_again(ansible):
    (ansible.directory / "all.json").write_text("{}", encoding="utf-8")
    arguments = {"reports": ["*.json"], "report": ["all.json"]}
    run = ansible.playbook("apsaravideo.live.merge_reports", "-e", json.dumps(arguments))
    assert run.exit_code == 2
    assert "Both options reports and report name" in run.output
