# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML, which pipelines show: a run is a test suite, a stream a test case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as Xml

from ...module_utils._errors import printable
from .document import COMPLETE, ENDED_EARLY, INTERRUPTED, get_row_name
from .entries import FAILED, NOT_TRIED

_UNTRIED = {
    INTERRUPTED: "not tried, because the run was interrupted",
    ENDED_EARLY: "not tried, because more streams had failed than max_fail allows",
    COMPLETE: "not tried, because the run did not get to it",
}


def format_junit(document: Mapping[str, Any]) -> str:
    """Return a document as JUnit XML."""
    root = Xml.Element("testsuites", name="apsaravideo.live")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for run in document["runs"]:
        counts = _count(run)
        totals = {name: number + counts[name] for name, number in totals.items()}
        root.append(_make_suite(run, counts))
    root.attrib.update(_as_texts(totals), time=f"{sum(run['seconds'] for run in document['runs']):.3f}")
    _number_repeated(root)
    Xml.indent(root, "")
    return "<?xml version='1.0' encoding='UTF-8'?>\n" + Xml.tostring(root, encoding="unicode") + "\n"


def _number_repeated(root: Xml.Element) -> None:
    """Make the names of test cases unique, of which pipelines show one of several with the same name."""
    seen: Counter[tuple[str, str]] = Counter()
    for case in root.iter("testcase"):
        key = (case.attrib["classname"], case.attrib["name"])
        seen[key] += 1
        if seen[key] > 1:
            case.set("name", f"{key[1]} ({seen[key]})")


def _count(run: Mapping[str, Any]) -> dict[str, int]:
    counts, kind = run["counts"], _get_untried_kind(run)
    return {
        "tests": counts["streams"],
        "failures": counts["failed"],
        "errors": counts["not_tried"] if kind == "error" else 0,
        "skipped": counts["not_tried"] if kind == "skipped" else 0,
    }


def _get_untried_kind(run: Mapping[str, Any]) -> str:
    return "error" if run["outcome"] == INTERRUPTED else "skipped"


def _as_texts(counts: Mapping[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in counts.items()}


def _make_suite(run: Mapping[str, Any], counts: Mapping[str, int]) -> Xml.Element:
    title = f"{run['title']} (check mode)" if run["check_mode"] else run["title"]
    suite = Xml.Element(
        "testsuite", _as_texts(counts), name=printable(title), time=f"{run['seconds']:.3f}", timestamp=run["began"]
    )
    properties = Xml.SubElement(suite, "properties")
    numbers = {"outcome": run["outcome"], "changed": run["counts"]["changed"]}
    for name, value in {**numbers, "calls": run["calls"]["total"], "throttled": run["calls"]["throttled"]}.items():
        Xml.SubElement(properties, "property", name=name, value=str(value))
    suite.extend([_make_case(row, title, run) for row in run["streams"]])
    return suite


def _make_case(row: Mapping[str, Any], title: str, run: Mapping[str, Any]) -> Xml.Element:
    """Return the test case of a stream.

    GitLab shows only its name and the text of its failure, so that these say everything.
    """
    name = printable(get_row_name(row))
    case = Xml.Element("testcase", name=name, classname=printable(f"{title} {row.get('domain_name', '')}".rstrip()))
    case.set("time", f"{row.get('seconds') or 0:.3f}")
    if row["status"] == FAILED:
        message = printable(row.get("message") or "failed")
        failure = Xml.SubElement(case, "failure", type=printable(row.get("code") or "failed"), message=message)
        failure.text = "\n".join([f"{name}: {message}", *_list_details(row)])
    elif row["status"] == NOT_TRIED:
        why = _UNTRIED[run["outcome"]]
        Xml.SubElement(case, _get_untried_kind(run), message=why).text = f"{name}: {why}"
    return case


def _list_details(row: Mapping[str, Any]) -> list[str]:
    labels = {"advice": "", "code": "Code: ", "request_id": "RequestId: "}
    return [f"{label}{printable(row[field])}" for field, label in labels.items() if row.get(field)]
