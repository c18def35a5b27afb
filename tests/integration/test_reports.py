# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counts of a report agree in all its forms, with the summary on the terminal, and with the emulator."""

from __future__ import annotations

import csv
import json
import re
import signal
import time
from xml.etree import ElementTree

import pytest

from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.schema import Schema
from support.playbook import streams

FORMS = ("json", "csv", "xml", "md", "prom", "html")
SIX = [f"live.example.com/app/s{number}" for number in range(6)]
COUNTS = ("streams", "ok", "failed", "not_tried", "changed")


def places(name="out"):
    return [f"{name}.{form}" for form in FORMS]


def command(name, inventory, *arguments, **variables):
    return f"apsaravideo.live.{name}", "-i", inventory, "-e", json.dumps(variables), *arguments


def read(ansible, form, name="out"):
    return (ansible.directory / f"{name}.{form}").read_text(encoding="utf-8")


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
    assert read(ansible, "html", name).startswith("<!DOCTYPE html>")
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
    logged = {call["request_id"] for call in cloud.calls() if call.get("error")} or None
    failed = [row for row in found["streams"] if row["status"] == "failed"]
    if logged:
        assert {row["request_id"] for row in failed} == logged
    junit = ElementTree.fromstring(read(ansible, "xml"))
    texts = {case.get("name"): case[0].text for case in junit.findall(".//testcase[failure]")}
    assert set(texts) == {"app/s4", "app/s5"}
    for row in failed:
        text = texts[f"app/{row['stream_name']}"]
        assert all(part in text for part in (f"app/{row['stream_name']}: ", row["message"], row["advice"]))
        assert f"Code: StreamNotFound\nRequestId: {row['request_id']}" in text


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
    assert [row["host"] for row in found["streams"]] == [f"s{number}" for number in range(6)]


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


def test_interrupted_run_reports_all_streams(cloud, ansible):
    many = [f"live.example.com/app/s{number:03}" for number in range(200)]
    cloud.push(*many)
    arguments = command("start", ansible.inventory(streams(many)), report=places(), batch="150,50")
    with ansible.begin(*arguments, start_new_session=True) as process:
        until = time.monotonic() + 30
        while len(cloud.calls("RealTimeRecordCommand")) < 20:
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        run = ansible.end(process)
    until = time.monotonic() + 10
    while not (ansible.directory / "out.html").exists():
        assert time.monotonic() < until, run.output
        time.sleep(0.05)
    time.sleep(0.5)
    document = assert_forms_agree(ansible)
    found = assert_calls_agree(document, cloud)
    assert document["outcome"] == "interrupted"
    recorded = [row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"]
    assert found["counts"]["streams"] == 200
    assert found["counts"]["changed"] == len(recorded) >= 20
    assert {row["stream_name"] for row in found["streams"] if row["status"] == "ok"} == set(recorded)
    assert list(ansible.directory.glob(".apsaravideo-*")) == []
