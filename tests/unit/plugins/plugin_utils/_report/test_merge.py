# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the merging of reports, and their schema."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.document import GENERATOR, make_document
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.json_text import format_json
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.merge import (
    list_files,
    merge_documents,
    read_documents,
)
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.schema import PATH, Schema
from support.run_entries import make_failed_entry, make_ok_entry, make_report, make_untried_entry

TEXT = st.text(max_size=8)
NAMES = st.tuples(TEXT, TEXT, TEXT)
ENTRY = st.one_of(
    st.builds(make_ok_entry, st.none() | TEXT, NAMES),
    st.builds(make_failed_entry, st.none() | TEXT, NAMES, TEXT, st.sampled_from([None, "StreamNotFound", "X"])),
    st.builds(make_untried_entry, st.none() | TEXT, NAMES),
)
OUTCOMES = ["complete", "ended_early", "interrupted"]
REPORT = st.builds(
    make_report, st.lists(ENTRY, max_size=6), st.sampled_from(["start", "stop"]), st.sampled_from(OUTCOMES)
)
STREAM = ("live.example.com", "news", "s1")
VERIFIED = {
    "verdict": "incomplete",
    "windows": [["2027-01-15T08:00:00Z", "2027-01-15T09:00:00Z"]],
    "expected_seconds": 3600,
    "recorded_seconds": 3500.5,
    "files": [{"status": "ok", "start": "2027-01-15T08:00:00Z", "size": 12, "note": None}],
    "gaps": [{"start": "2027-01-15T08:10:00Z", "stop": "2027-01-15T08:11:39Z", "cause": "push"}],
}
FULL = make_report(
    [
        make_ok_entry("s1", STREAM, **VERIFIED),
        make_failed_entry("s2", STREAM, "start of live.example.com/news/s1 was refused", "StreamNotFound"),
        make_untried_entry("s3", STREAM),
    ],
    warnings=["slow"],
)
FULL["runs"][0]["rate"]["operation"] = "DescribeLiveStreamRecordIndexFiles"
FULL["runs"][0]["cloud_count"] = {"domains": {"live.example.com": {"counted": 1, "at": "2027-01-15T08:00:00Z"}}}


def round_trip(document):
    return json.loads(format_json(document))


def test_generator_has_the_version_of_the_collection():
    galaxy = (Path(PATH).resolve().parents[1] / "galaxy.yml").read_text(encoding="utf-8")
    version = next(line for line in galaxy.splitlines() if line.startswith("version: "))
    assert version == f"version: {GENERATOR.removeprefix('apsaravideo.live ')}"


@given(REPORT)
def test_one_report_is_merged_into_itself(document):
    merged = merge_documents([round_trip(document)], 0)
    assert merged["runs"] == document["runs"]
    assert (merged["counts"], merged["outcome"]) == (document["counts"], document["outcome"])


def test_verified_streams_and_counted_domains_are_merged():
    assert merge_documents([round_trip(FULL)], 0)["runs"] == FULL["runs"]


@given(st.lists(REPORT, min_size=1, max_size=4))
def test_merged_numbers_are_sums(documents):
    merged = merge_documents(documents, 0)
    assert Schema.load().find_problem(round_trip(merged)) is None
    titles = [run["title"] for run in merged["runs"]]
    assert len(titles) == len(set(titles))
    for name, number in merged["counts"].items():
        assert number == sum(document["counts"][name] for document in documents)
    runs = [run for document in documents for run in document["runs"]]
    for field in ("total", "throttled"):
        totals = [sum(run["calls"][field] for run in found) for found in (merged["runs"], runs)]
        assert totals[0] == totals[1]
    for found in merged["runs"]:
        parts = [run for run in runs if run["title"] == found["title"]]
        by_second = [
            sum(calls for run in some for _second, calls in run["rate"]["by_second"]) for some in ([found], parts)
        ]
        assert by_second[0] == by_second[1]
        assert found["outcome"] == max((run["outcome"] for run in parts), key=OUTCOMES.index)
        assert found["streams"] == [row for run in parts for row in run["streams"]]
        assert sum(len(failure["streams"]) for failure in found["failures"]) == found["counts"]["failed"]


def test_second_run_of_a_title_stays_a_run_of_its_own():
    once = make_report([make_ok_entry("s1", STREAM)])
    twice = make_document([*once["runs"], *once["runs"]], 0)
    merged = merge_documents([twice, once, twice], 0)
    assert [run["counts"]["streams"] for run in merged["runs"]] == [3, 2]


@pytest.mark.parametrize(("limits", "expected"), [((12, 12, 12), 36), ((48, 48), 50), ((48,), 48), ((60, 60), 60)])
def test_slices_of_one_account_share_its_quota(limits, expected):
    documents = [copy.deepcopy(FULL) for _limit in limits]
    for document, limit in zip(documents, limits):
        document["runs"][0]["rate"]["limit"] = limit
    (run,) = merge_documents(documents, 0)["runs"]
    assert (run["rate"]["quota"], run["rate"]["limit"]) == (50, expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"version": NaN}', "is not JSON"),
        ("{}", "is not a report of version 1: see the report.version"),
        (format_json({**FULL, "version": 2}), "see the report.version"),
        (format_json(FULL).replace('"failed"', '"broken"', 1), "see the report.counts.failed"),
        (format_json(FULL).replace('"began": "2027-01-15', '"began": "2027-02-30'), "see the time 2027-02-30T"),
    ],
)
def test_files_that_are_not_reports_are_refused(tmp_path, content, words):
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidOption) as caught:
        read_documents([str(path)])
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_patterns_name_files_once_and_in_order(tmp_path):
    for name in ("b.json", "a.json", "[c].json", "d.csv"):
        (tmp_path / name).touch()
    found = list_files([str(tmp_path / "[c].json"), str(tmp_path / "*.json"), str(tmp_path / "b.json")])
    assert [Path(path).name for path in found] == ["[c].json", "a.json", "b.json"]
    for patterns in ([], [str(tmp_path / "*.xml")]):
        with pytest.raises(InvalidOption):
            list_files(patterns)


def list_places(value, place=()):
    """Yield the path of each value within a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from list_places(item, (*place, key))


PLACES = list(list_places(FULL))
JUNK = [
    None,
    True,
    -1,
    0,
    2,
    1.5,
    "",
    "x",
    "complete",
    "2027-01-15T08:00:00Z",
    [],
    ["x"],
    [1, 2],
    {},
    {"x": 1},
    {"x": "y"},
]


@given(st.sampled_from(PLACES), st.sampled_from([*JUNK, "remove", "add"]))
def test_schema_is_understood_as_by_the_library(place, change):
    jsonschema = pytest.importorskip("jsonschema")
    changed = copy.deepcopy(round_trip(FULL))
    parent = changed
    for key in place[:-1]:
        parent = parent[key]
    if change == "remove":
        del parent[place[-1]]
    elif change == "add" and isinstance(parent, dict):
        parent["other"] = 1
    else:
        parent[place[-1]] = change
    schema = json.loads(Path(PATH).read_text(encoding="utf-8"))
    expected = jsonschema.Draft202012Validator(schema).is_valid(changed)
    assert (Schema.load().find_problem(changed) is None) == expected


def test_schema_is_valid():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(json.loads(Path(PATH).read_text(encoding="utf-8")))
