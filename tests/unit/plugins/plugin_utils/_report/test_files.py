# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the files of reports."""

from __future__ import annotations

import json

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.files import append_step_summary, write_reports
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.markdown import MAX_BYTES
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.reporter import Reporter
from support.run_entries import make_large_report, make_ok_entry, make_report

SMALL = make_report([make_ok_entry("s1", ("live.example.com", "news", "s1"))])
FORMS = ("json", "csv", "xml", "md", "prom", "html")


def test_each_ending_has_its_form(tmp_path):
    paths = [str(tmp_path / f"a.{form}") for form in FORMS] + [str(tmp_path / "b.JSON")]
    assert write_reports(SMALL, paths) == []
    assert (tmp_path / "b.JSON").read_bytes() == (tmp_path / "a.json").read_bytes()
    assert len({(tmp_path / f"a.{form}").read_bytes() for form in FORMS}) == len(FORMS)


def test_form_that_fails_is_a_warning_and_leaves_the_old_file(tmp_path):
    for form in FORMS:
        (tmp_path / f"a.{form}").write_text("old", encoding="utf-8")
    warnings = write_reports({"runs": None}, [str(tmp_path / f"a.{form}") for form in FORMS])
    assert len(warnings) == len(FORMS)
    for form, warning in zip(FORMS, warnings):
        assert warning.startswith(f"The report {tmp_path / f'a.{form}'} was not written: an unexpected ")
    assert {path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"old"}


@pytest.mark.parametrize("path", ["report", "report.txt", "report.json.gz", ".json"])
def test_other_endings_are_refused(tmp_path, path):
    with pytest.raises(InvalidOption, match="names no form"):
        Reporter([path], str(tmp_path), "key", {})


def test_missing_directory_is_refused_unless_an_earlier_run_wrote_there(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "place").mkdir()
    path = str(tmp_path / "place" / "a.json")

    def make(key):
        return Reporter([path], str(tmp_path / "run"), key, {})

    reporter = make("start")
    (tmp_path / "place").rmdir()
    with pytest.raises(InvalidOption, match="whose directory does not exist"):
        make("start")
    for key in ("start", "start", "stop"):
        assert reporter.write(SMALL["runs"][0], 0) == [f"The report {path} was not written: No such file or directory."]
        reporter = make(key)


def test_empty_paths_mean_no_report(tmp_path):
    reporter = Reporter(["", " "], str(tmp_path), "key", {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
    assert reporter.paths == []
    assert reporter.write(SMALL["runs"][0], 0) == []
    assert list(tmp_path.iterdir()) == []


def test_runs_with_the_same_place_share_a_file(tmp_path):
    both, second = tmp_path / "both.json", tmp_path / "second.json"
    for key, paths in (("a", [both]), ("b", [both, second]), ("b", [both, second]), ("c", [tmp_path / "c.json"])):
        reporter = Reporter([str(path) for path in paths], str(tmp_path / "run"), key, {})
        (tmp_path / "run").mkdir(exist_ok=True)
        assert reporter.write({**SMALL["runs"][0], "title": key}, 0) == []
    titles = {
        path.name: [run["title"] for run in json.loads(path.read_text(encoding="utf-8"))["runs"]]
        for path in tmp_path.glob("*.json")
    }
    assert titles == {"both.json": ["a", "b"], "second.json": ["b"], "c.json": ["c"]}


def test_report_is_written_although_the_directory_of_the_run_is_gone(tmp_path):
    place = tmp_path / "a.json"
    assert Reporter([str(place)], str(tmp_path / "gone"), "key", {}).write(SMALL["runs"][0], 0) == []
    assert json.loads(place.read_text(encoding="utf-8"))["counts"]["streams"] == 1


@pytest.mark.parametrize("before", [0, 100, MAX_BYTES - 5000])
def test_step_summary_stays_below_its_limit(tmp_path, before):
    summary = tmp_path / "summary"
    summary.write_text("x" * before, encoding="utf-8")
    assert append_step_summary(make_large_report(1000), str(summary)) == []
    assert before < summary.stat().st_size <= MAX_BYTES


def test_step_summary_without_room_or_that_is_no_file_is_a_warning(tmp_path):
    summary = tmp_path / "summary"
    summary.write_text("x" * MAX_BYTES, encoding="utf-8")
    assert append_step_summary(SMALL, str(summary)) == [f"The step summary {summary} has no room for the report."]
    assert summary.stat().st_size == MAX_BYTES
    (warning,) = append_step_summary(SMALL, str(tmp_path))
    assert warning.startswith(f"The step summary {tmp_path} does not have the report: it is a link, a directory")
