# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the forms of a report, for any names and messages."""

from __future__ import annotations

import csv
import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import printable
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.csv_text import COLUMNS, format_csv
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.document import (
    Measures,
    make_document,
    make_run,
)
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.json_text import format_json
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.junit import format_junit
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.markdown import format_markdown
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.prometheus import METRICS, format_metrics
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.schema import Schema
from support.run_entries import make_failed_entry, make_large_report, make_ok_entry, make_report, make_untried_entry

HOSTILE = [
    "=HYPERLINK('http://x')",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1",
    "<script>alert(1)</script>",
    "]]>",
    "a|b",
    "[x](javascript:1)",
    "`x`",
    "\\|",
    '"\n{}',
    "{{ 7 * 7 }}",
    "\x00\x1b[2J\x7f\u2028\u202e\ufffe\ud800",
    "@everyone #1 :tada: www.example.com https://example.com/",
    "- x",
    "1. x",
    "# x",
]
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), min_size=1, max_size=12))
NAMES = st.tuples(TEXT, TEXT, TEXT)
ENTRY = st.one_of(
    st.builds(make_ok_entry, st.none() | TEXT, NAMES),
    st.builds(make_failed_entry, st.none() | TEXT, NAMES, TEXT, st.none() | TEXT),
    st.builds(make_untried_entry, st.none() | TEXT, NAMES),
)
REPORT = st.builds(
    make_report,
    st.lists(ENTRY, max_size=6),
    TEXT,
    st.sampled_from(["complete", "ended_early", "interrupted"]),
    st.lists(TEXT, max_size=2),
)
SMALL = make_report([make_ok_entry("s1", ("live.example.com", "news", "s1"))])
SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\["\\n])*)"')
UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def get_rows(document):
    return [row for run in document["runs"] for row in run["streams"]]


@given(REPORT)
def test_json_keeps_all_texts_and_keeps_to_the_schema(document):
    text = format_json(document)
    assert text.isascii()
    assert json.loads(text) == document
    assert Schema.load().find_problem(json.loads(text)) is None


@given(REPORT)
def test_csv_has_a_row_for_each_stream_and_no_formula(document):
    text = format_csv(document)
    head, *rows = csv.reader(text.removeprefix("\ufeff").split("\r\n")[:-1], strict=True)
    assert head == ["run", "check_mode", "outcome", *COLUMNS]
    assert len(rows) == len(get_rows(document))
    for row, given_row in zip(rows, get_rows(document)):
        assert len(row) == len(head)
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) for cell in row)
        assert all(cell.isprintable() for cell in row)
        assert row[head.index("stream_name")].removeprefix("'") == printable(given_row["stream_name"]).removeprefix("'")
        assert row[head.index("status")] == given_row["status"]


@given(REPORT)
def test_junit_says_everything_in_name_and_text(document):
    root = ElementTree.fromstring(format_junit(document))
    cases = root.findall("./testsuite/testcase")
    assert int(root.get("tests")) == len(cases) == len(get_rows(document))
    (run,) = document["runs"]
    for case, row in zip(cases, run["streams"]):
        stream = printable(f"{row['app_name']}/{row['stream_name']}")
        assert case.get("name").startswith(stream)
        kinds = [child.tag for child in case]
        if row["status"] == "ok":
            assert kinds == []
        elif row["status"] == "not_tried":
            assert kinds == ["error" if run["outcome"] == "interrupted" else "skipped"]
            assert stream in case[0].text
        else:
            assert kinds == ["failure"]
            for field in ("message", "advice", "code", "request_id"):
                assert printable(row.get(field, "")) in case[0].text


def neutralize(document):
    """Return the same report with harmless texts."""
    text = json.dumps(document)
    harmless = json.loads(text)
    for run in harmless["runs"]:
        run["title"] = "x"
        run["warnings"] = ["x" for _warning in run["warnings"]]
        for failure in run["failures"]:
            failure.update(cause="x", advice="x", streams=["x" for _name in failure["streams"]])
        for row in run["streams"]:
            names = ("host", "domain_name", "app_name", "stream_name", "message", "advice", "code")
            row.update({name: "x" for name in names if name in row})
    return harmless


@given(REPORT)
def test_markdown_has_the_same_structure_whatever_the_texts(document):
    shown, expected = format_markdown(document).split("\n"), format_markdown(neutralize(document)).split("\n")
    assert len(shown) == len(expected)
    for line, harmless in zip(shown, expected):
        assert line.isprintable()
        assert line.count("|") == harmless.count("|")
        assert not re.search(r"[<>`\[\]~@$\\]|://|www\.", line)
        assert line.count("#") - line.count("&#") == harmless.count("#")
        assert line.startswith(("* ", "## ")) == harmless.startswith(("* ", "## "))
        assert not re.match(r"\* ([-+#]|\d+[.)])", line)


@pytest.mark.parametrize("size", [2000, 4000, 20_000])
def test_markdown_is_cut_at_a_line_and_says_so(size):
    document = make_large_report(2000)
    whole, cut = format_markdown(document), format_markdown(document, size)
    assert len(cut.encode()) <= size < len(whole.encode()) < 1024 * 1024
    *lines, _empty, last = cut.removesuffix("\n").split("\n")
    assert whole.startswith("\n".join(lines))
    omitted = len(whole.removesuffix("\n").split("\n")) - len(lines)
    assert last == f"{omitted} more lines are left out; the other forms of the report have all streams."


def parse_metrics(text):
    """Return the samples of the text format, by name and labels, after checking that it is well-formed."""
    assert text.endswith("\n")
    samples, typed = {}, []
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            assert line.split(" ", 3)[2] not in typed
        elif line.startswith("# TYPE "):
            name = line.split(" ")[2]
            assert line == f"# TYPE {name} gauge"
            typed.append(name)
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert name == typed[-1]
            found = {key: re.sub(r"\\.", lambda mark: UNESCAPED[mark[0]], raw) for key, raw in LABEL.findall(labels)}
            key = (name, tuple(sorted(found.items())))
            assert key not in samples
            samples[key] = float(value)
    return samples


@given(REPORT)
def test_metrics_can_be_parsed_and_are_unique(document):
    samples = parse_metrics(format_metrics(document))
    assert {name for name, _labels in samples} <= set(METRICS)
    of_streams = {labels: value for (name, labels), value in samples.items() if name == "apsaravideo_stream_ok"}
    expected = {}
    for row in get_rows(document):
        names = {
            name: printable(row[name]) for name in ("host", "domain_name", "app_name", "stream_name") if name in row
        }
        key = tuple(sorted({**names, "run": printable(document["runs"][0]["title"])}.items()))
        expected[key] = min(expected.get(key, 1), row["status"] == "ok")
    assert of_streams == expected


def test_runs_of_the_same_title_count_together_and_the_later_one_shows_the_stream():
    names = ("live.example.com", "news", "s1")
    earlier, later = make_report([make_ok_entry("s1", names)]), make_report([make_untried_entry("s1", names)])
    text = format_metrics(make_document([*earlier["runs"], *later["runs"]], 1_800_000_100))
    values = {name: value for (name, _labels), value in parse_metrics(text).items()}
    assert values["apsaravideo_stream_ok"] == 0
    assert values["apsaravideo_run_changed"] == 1
    statuses = {
        dict(labels)["status"]: value
        for (name, labels), value in parse_metrics(text).items()
        if "status" in dict(labels)
    }
    assert statuses == {"ok": 1, "failed": 0, "not_tried": 1}


def test_metrics_of_verified_streams_and_counted_domains():
    entry = make_ok_entry("s1", ("live.example.com", "news", "s1"), expected_seconds=60, recorded_seconds=59.5)
    document = make_report([entry])
    count = {"counted": 297, "at": None, "believed": 300, "peak": 310, "peak_at": None}
    document["runs"][0]["cloud_count"] = {"domains": {"live.example.com": count}}
    assert Schema.load().find_problem(document) is None
    values = {name: value for (name, _labels), value in parse_metrics(format_metrics(document)).items()}
    assert values["apsaravideo_stream_expected_seconds"] == 60
    assert values["apsaravideo_stream_recorded_seconds"] == 59.5
    assert values["apsaravideo_domain_recordings_counted"] == 297
    assert values["apsaravideo_domain_recordings_believed"] == 300


@pytest.mark.parametrize("host", ["s1", "encoder"])
def test_junit_names_the_host_where_it_says_something_else(host):
    document = make_report([make_ok_entry(host, ("live.example.com", "news", "s1"))])
    (case,) = ElementTree.fromstring(format_junit(document)).iter("testcase")
    assert case.get("name") == ("news/s1" if host == "s1" else "news/s1 (encoder)")
    assert case.get("classname") == "start live.example.com"


def test_verified_files_and_gaps_are_counted_in_csv():
    files = [{"status": "ok", "start": None, "stop": None, "duration": 60, "format": "mp4"}, {"status": "missing"}]
    more = {"verdict": "incomplete", "files": files, "gaps": [], "windows": [["2027-01-15T08:00:00Z"] * 2]}
    document = make_report([make_ok_entry("s1", ("live.example.com", "news", "s1"), **more)])
    assert Schema.load().find_problem(document) is None
    (row,) = csv.DictReader(format_csv(document).splitlines())
    assert (row["verdict"], row["files"], row["gaps"]) == ("incomplete", "2", "0")


def test_repeated_stream_is_named_once_in_a_failure_and_has_its_own_test_case():
    entries = [make_failed_entry("s1", ("live.example.com", "news", "s1"), "refused", "X") for _number in range(3)]
    document = make_report(entries)
    assert "| 3 | X: refused |" in format_markdown(document)
    assert "| s1 |" in format_markdown(document)
    names = [case.get("name") for case in ElementTree.fromstring(format_junit(document)).iter("testcase")]
    assert names == ["news/s1", "news/s1 (2)", "news/s1 (3)"]


def test_csv_begins_with_the_mark_that_excel_looks_for():
    assert format_csv(SMALL).encode().startswith(b"\xef\xbb\xbfrun,")


def test_markdown_repeats_the_message_of_a_cause_for_its_first_streams_only():
    names = [("live.example.com", "news", f"s{number}") for number in range(50)]
    entries = [make_failed_entry(name[2], name, f"start of {'/'.join(name)} was refused", "X") for name in names]
    text = format_markdown(make_report(entries))
    rows = [line for line in text.split("\n") if line.startswith("| news/s")]
    assert ["refused" in line for line in rows] == [True] * 20 + [False] * 30
    assert all("088AF471" in line for line in rows)


def test_burst_has_no_rate_but_a_busiest_second():
    names = ("live.example.com", "news", "s1")
    entry = make_ok_entry("s1", names)
    for last, rate, cell in ((0.15, None, "at most 10"), (3.0, 3.0, "3")):
        measures = Measures(0, 4, 10, 0, {}, [(0, 10)], 0.0, last)
        run = make_run("start", False, "complete", [entry], measures)
        assert run["rate"]["calls_per_second"] == rate
        assert f"| 10 | 0 | {cell} | 50 |" in format_markdown(make_document([run], 4))


def test_reports_without_streams_have_all_forms():
    document = make_report([])
    for write in (format_json, format_csv, format_junit, format_markdown, format_metrics):
        assert write(document)
