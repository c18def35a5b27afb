# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A loop over streams on one host, and the report on its results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
RECORD = {"domain_name": "live.example.com", "app_name": "news", "stream_name": "{{ item }}", "retry_timeout": 0}


def report(results, **options):
    return {"name": "report", "apsaravideo.live.apsaravideo_record_report": {"results": results, **options}}


def test_the_readme_loop_ends_with_a_summary_when_a_stream_fails(cloud, ansible):
    (text,) = re.findall(r"```yaml\n# loop.yml\n(.*?)```", README, re.DOTALL)
    (ansible.directory / "loop.yml").write_text(text, encoding="utf-8")
    cloud.push("live.example.com/news/studio1")
    run = ansible.playbook("loop.yml")
    assert run.exit_code == 2
    assert "record: 2 streams, 1 recording, 1 failed. 1 changed. 2 calls, 0 throttled." in run.output
    assert "1 x StreamNotFound: start was refused: the stream is not being pushed" in run.output
    assert "    live.example.com/news/studio2" in run.output.splitlines()


def test_skipped_and_invalid_loop_items_are_reported(cloud, ansible):
    cloud.push("live.example.com/news/a", "live.example.com/news/b")
    loop = {
        "name": "record",
        "apsaravideo.live.apsaravideo_record": {**RECORD, "stream_name": "{{ item.name }}"},
        "loop": [{"name": "a"}, {"name": "b"}, {"name": "left out"}, {"name": "", "title": "nameless"}],
        "when": "item.name | default('') != 'left out'",
        "register": "recorded",
        "ignore_errors": True,
    }
    run = ansible.play([loop, report("{{ recorded.results }}")])
    found = run.result("report")
    assert [row["status"] for row in found["streams"]] == ["ok", "ok", "ok", "failed"]
    assert found["counts"] == {
        "streams": 4,
        "ok": 3,
        "failed": 1,
        "not_tried": 0,
        "changed": 2,
        "api_calls": 2,
        "throttled": 0,
    }
    assert found["summary"][0].startswith("record: 4 streams, 2 recording, 1 skipped, 1 failed.")
    assert "nameless" in found["summary"][-1]
    assert [row["host"] for row in found["streams"]] == [None] * 4


@pytest.mark.parametrize(
    ("results", "options", "words"),
    [
        ("recorded", {}, "The option results holds something else than results"),
        (["recorded"], {}, "The option results holds something else than results"),
        ([], {"hosts": "all"}, "mutually exclusive"),
        ([], {"retry_file": "x.retry"}, "mutually exclusive"),
    ],
)
def test_invalid_results_are_refused(ansible, results, options, words):
    run = ansible.play([report(results, **options)])
    assert run.exit_code != 0
    assert words in run.result("report")["msg"]


def test_an_empty_loop_is_reported_as_no_streams(ansible):
    run = ansible.play([report([])])
    assert run.exit_code == 0, run.output
    assert run.result("report")["counts"]["streams"] == 0
