# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as text for the textfile collector of Prometheus' node_exporter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._errors import printable
from .document import COMPLETE, parse_moment
from .entries import OK

_Sample = tuple[str, dict[str, Any], float]
METRICS = {
    "apsaravideo_stream_ok": "1 if the run brought the stream to its state, 0 if it failed or was not tried.",
    "apsaravideo_stream_expected_seconds": "Seconds of the stream's windows, as verified.",
    "apsaravideo_stream_recorded_seconds": "Seconds of the stream's files in its windows, as verified.",
    "apsaravideo_run_streams": "Streams of the run by status.",
    "apsaravideo_run_changed": "Streams that the run changed.",
    "apsaravideo_run_complete": "1 if the run was neither interrupted nor ended early.",
    "apsaravideo_run_calls": "Calls of the run.",
    "apsaravideo_run_throttled": "Calls of the run that the cloud throttled.",
    "apsaravideo_run_calls_per_second": "Calls per second of the operation whose quota limits the run.",
    "apsaravideo_run_seconds": "Duration of the run in seconds.",
    "apsaravideo_run_timestamp_seconds": "End of the run in seconds since 1970.",
    "apsaravideo_domain_recordings_counted": "Recordings of the domain at the same time, as the cloud counts them.",
    "apsaravideo_domain_recordings_believed": "Recordings of the domain as their states are known.",
}
_SUMS = (
    "apsaravideo_run_streams",
    "apsaravideo_run_changed",
    "apsaravideo_run_calls",
    "apsaravideo_run_throttled",
    "apsaravideo_run_seconds",
)
_WORST = ("apsaravideo_run_complete",)
_STREAM = ("host", "domain_name", "app_name", "stream_name")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def format_metrics(document: Mapping[str, Any]) -> str:
    """Return a document in the text format of Prometheus, without two samples of the same name and labels."""
    found: dict[str, dict[str, float]] = {name: {} for name in METRICS}
    for run in document["runs"]:
        of_run: dict[str, dict[str, float]] = {name: {} for name in METRICS}
        for name, labels, value in _list_samples(run):
            text = _format_labels(labels)
            # One that is named twice is as well as its worst entry.
            of_run[name][text] = min(value, of_run[name].get(text, value))
        for name, samples in of_run.items():
            for text, value in samples.items():
                if name in _SUMS and text in found[name]:
                    found[name][text] += value  # Runs with the same title count together.
                elif name in _WORST and text in found[name]:
                    found[name][text] = min(value, found[name][text])
                else:
                    found[name][text] = value
    return "".join(_format_metric(name, samples) for name, samples in found.items() if samples)


def _format_metric(name: str, samples: Mapping[str, float]) -> str:
    rows = "".join(f"{name}{labels} {_format_value(value)}\n" for labels, value in samples.items())
    return f"# HELP {name} {METRICS[name]}\n# TYPE {name} gauge\n{rows}"


def _format_value(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _format_labels(labels: Mapping[str, Any]) -> str:
    """Return labels with their values escaped; an empty one is the same as none."""
    shown = {name: printable(str(value)).translate(_ESCAPES) for name, value in labels.items() if value}
    return "{" + ",".join(f'{name}="{value}"' for name, value in shown.items()) + "}"


def _list_samples(run: Mapping[str, Any]) -> Iterator[_Sample]:
    labels = {"run": run["title"], "check_mode": "true" if run["check_mode"] else ""}
    for row in run["streams"]:
        yield from _list_of_stream(row, {**labels, **{name: row.get(name) for name in _STREAM}})
    for status in ("ok", "failed", "not_tried"):
        yield "apsaravideo_run_streams", {**labels, "status": status}, run["counts"][status]
    yield "apsaravideo_run_changed", labels, run["counts"]["changed"]
    yield "apsaravideo_run_complete", labels, run["outcome"] == COMPLETE
    yield "apsaravideo_run_calls", labels, run["calls"]["total"]
    yield "apsaravideo_run_throttled", labels, run["calls"]["throttled"]
    if run["rate"]["calls_per_second"] is not None:
        yield "apsaravideo_run_calls_per_second", labels, run["rate"]["calls_per_second"]
    yield "apsaravideo_run_seconds", labels, run["seconds"]
    yield "apsaravideo_run_timestamp_seconds", labels, parse_moment(run["ended"])
    for domain, count in ((run["cloud_count"] or {}).get("domains") or {}).items():
        yield from _list_of_domain(count, {**labels, "domain_name": domain})


def _list_of_stream(row: Mapping[str, Any], labels: Mapping[str, Any]) -> Iterator[_Sample]:
    yield "apsaravideo_stream_ok", dict(labels), row["status"] == OK
    for name in ("expected_seconds", "recorded_seconds"):
        if row.get(name) is not None:
            yield f"apsaravideo_stream_{name}", dict(labels), row[name]


def _list_of_domain(count: Mapping[str, Any], labels: Mapping[str, Any]) -> Iterator[_Sample]:
    for name in ("counted", "believed"):
        if count.get(name) is not None:
            yield f"apsaravideo_domain_recordings_{name}", dict(labels), count[name]
