# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of a report, which `docs/report.schema.json` describes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ...module_utils._api.operations import RECORD_COMMAND
from .entries import FAILED, VERIFIED, count_states, count_statuses, group_failures

VERSION = 1
GENERATOR = "apsaravideo.live 0.1.0"
COMPLETE, INTERRUPTED, ENDED_EARLY = "complete", "interrupted", "ended_early"
OUTCOMES = (COMPLETE, ENDED_EARLY, INTERRUPTED)  # the worst one last
COUNTS = ("streams", "ok", "failed", "not_tried", "changed")
_DEFAULT_LIMIT = 48.0  # calls per second
_COPIED = (
    "state",
    "previous_state",
    "state_source",
    "commands",
    "sent_at",
    "seconds",
    "api_calls",
    "throttled",
    "waited_seconds",
    *VERIFIED,
)


class Measures(NamedTuple):
    """The calls of a run, or of a batch; times are seconds since the epoch.

    `by_second` has the number of calls of `operation` by the second of the wall clock. `quota` and `limit` are its
    calls per second of all accounts together, the documented ones and those that the run allowed itself.
    """

    began: float
    ended: float
    total: int = 0
    throttled: int = 0
    by_operation: Mapping[str, int] = {}
    by_second: Sequence[tuple[int, int]] = ()
    first_call: float | None = None
    last_call: float | None = None
    quota: float = RECORD_COMMAND.calls_per_second
    limit: float = _DEFAULT_LIMIT
    warnings: Sequence[str] = ()
    operation: str = RECORD_COMMAND.action


def add_measures(parts: Sequence[Measures]) -> Measures:
    """Return the measures of several batches together."""
    by_operation: Counter[str] = Counter()
    by_second: Counter[int] = Counter()
    for part in parts:
        by_operation.update(part.by_operation)
        by_second.update(dict(part.by_second))
    return Measures(
        min(part.began for part in parts),
        max(part.ended for part in parts),
        sum(part.total for part in parts),
        sum(part.throttled for part in parts),
        dict(sorted(by_operation.items())),
        sorted(by_second.items()),
        min((part.first_call for part in parts if part.first_call is not None), default=None),
        max((part.last_call for part in parts if part.last_call is not None), default=None),
        max(part.quota for part in parts),
        max(part.limit for part in parts),
        list(dict.fromkeys(text for part in parts for text in part.warnings)),
        parts[0].operation,
    )


def make_run(
    title: str,
    check_mode: bool,
    outcome: str,
    entries: Sequence[Mapping[str, Any]],
    measures: Measures,
    cloud_count: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a run of the document, of the entries of all its streams."""
    return {
        "title": title,
        "check_mode": check_mode,
        "outcome": outcome,
        "began": format_moment(measures.began),
        "ended": format_moment(measures.ended),
        "seconds": round(max(0.0, measures.ended - measures.began), 3),
        "counts": count_statuses(entries),
        "states": count_states(entries),
        "calls": {
            "total": measures.total,
            "throttled": measures.throttled,
            "by_operation": dict(sorted(measures.by_operation.items())),
        },
        "rate": _make_rate(measures),
        "failures": [
            {"cause": failure.cause, "advice": failure.advice, "code": failure.code, "streams": failure.names}
            for failure in group_failures(entries)
        ],
        "warnings": list(measures.warnings),
        "cloud_count": cloud_count,
        "streams": [_make_row(entry) for entry in entries],
    }


def _make_rate(measures: Measures) -> dict[str, Any]:
    first, last = measures.first_call, measures.last_call
    sent = sum(calls for _second, calls in measures.by_second)
    return {
        "operation": measures.operation,
        "quota": measures.quota,
        "limit": measures.limit,
        "first_call": format_moment(first),
        "last_call": format_moment(last),
        "calls_per_second": measure_rate(sent, first, last),
        "by_second": [list(pair) for pair in measures.by_second],
    }


def measure_rate(calls: int, first: float | None, last: float | None) -> float | None:
    """Return the calls per second between the first and the last one; None if less than a second is between them.

    A burst of ten calls in a tenth of a second says nothing of the share of a quota.
    """
    if first is None or last is None or last - first < 1:
        return None
    return round((calls - 1) / (last - first), 2)


def _make_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stream of the document; what is not known is left out."""
    error = entry["error"] if entry["status"] == FAILED else {}
    names = entry["stream"] or ({"stream_name": str(entry["item"])} if entry.get("item") is not None else {})
    row = {
        "host": entry["host"],
        **names,
        "status": entry["status"],
        "changed": entry["changed"],
        **{name: entry.get(name) for name in _COPIED},
        "message": error.get("message"),
        "advice": entry.get("advice"),
        "code": error.get("code"),
        "request_id": error.get("request_id"),
    }
    return {name: value for name, value in row.items() if value is not None}


def get_row_name(row: Mapping[str, Any]) -> str:
    """Return app/stream, followed by the host if its name says something else, or else what is known."""
    host, names = row.get("host"), [row[field] for field in ("app_name", "stream_name") if row.get(field)]
    if not names:
        return host or "?"
    return "/".join(names) if host in (None, names[-1]) else f"{'/'.join(names)} ({host})"


def make_document(runs: Sequence[Mapping[str, Any]], now: float) -> dict[str, Any]:
    """Return the document of one or more runs, written at `now`, in seconds since the epoch."""
    return {
        "version": VERSION,
        "generator": GENERATOR,
        "written_at": format_moment(now),
        "outcome": find_worst(run["outcome"] for run in runs),
        "counts": {name: sum(run["counts"][name] for run in runs) for name in COUNTS},
        "runs": list(runs),
    }


def find_worst(outcomes: Iterable[str]) -> str:
    """Return the worst of some outcomes."""
    return max(outcomes, key=OUTCOMES.index)


def format_moment(epoch: float | None) -> str | None:
    """Return a time in seconds since the epoch as ISO 8601 in UTC."""
    if epoch is None:
        return None
    return datetime.fromtimestamp(epoch, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> float:
    """Return the seconds since the epoch of a time that `format_moment` returned; raise ValueError for another text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
