# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as Markdown, for the summary of a pipeline: totals, failures by cause, and a table of failures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._errors import printable
from .document import get_row_name
from .entries import FAILED, OK, describe_cause
from .merge import restore_entry

MAX_BYTES = 1024 * 1024  # of a step summary of GitHub
_MAX_NAMES = 20  # of streams for each cause
_MAX_MESSAGES = 20  # of streams for each cause
_MAX_CELL = 500  # characters
_ROOM = 200  # bytes for the line that says what was left out
# Whatever may begin markup, a link, a mention or an emoji, which an underscore within a word does not.
_MARKUP = re.compile(
    r"[\\`*{}\[\]<>#|~@&$]|(?<!\w)_|_(?!\w)|:(?=\S)|(?<=www)\.|^[-+]|^\d(?=\d*[.)])|^\s|\s$", re.IGNORECASE
)
_OUTCOMES = {
    "complete": "complete",
    "ended_early": "ended early, because too many streams had failed",
    "interrupted": "interrupted",
}


def format_markdown(document: Mapping[str, Any], max_bytes: int = MAX_BYTES) -> str:
    """Return a document as Markdown of at most so many bytes; lines that do not fit are counted at the end."""
    lines = [line for run in document["runs"] for line in _format_run(run)]
    shown: list[str] = []
    room = max_bytes - _ROOM
    for number, line in enumerate(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            omitted = len(lines) - number
            shown += ["", f"{omitted} more lines are left out; the other forms of the report have all streams."]
            break
        shown.append(line)
    return "\n".join(shown) + "\n"


def escape(text: str) -> str:
    """Return a text of strangers for use in a line or a cell, where it is nothing but text."""
    shown = printable(text)
    cut = shown if len(shown) <= _MAX_CELL else f"{shown[:_MAX_CELL]}..."
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", cut)


def _format_run(run: Mapping[str, Any]) -> Iterator[str]:
    predicted = ", predicted by check mode" if run["check_mode"] else ""
    yield f"## {escape(run['title'])}{predicted}"
    yield ""
    yield f"{run['began']}, {run['seconds']:.1f} seconds, {_OUTCOMES[run['outcome']]}."
    yield ""
    yield from _format_table(("streams", "ok", "failed", "not tried", "changed"), [_list_counts(run)])
    yield ""
    yield from _format_table(("calls", "throttled", "calls/s", "of a quota of"), [_list_calls(run)])
    if run["states"]:
        yield ""
        yield "States: " + ", ".join(f"{number} {escape(state)}" for state, number in run["states"].items()) + "."
    yield from _format_warnings(run["warnings"])
    yield from _format_causes(run["failures"])
    yield from _format_failures([row for row in run["streams"] if row["status"] != OK])
    yield ""


def _list_counts(run: Mapping[str, Any]) -> list[str]:
    return [str(run["counts"][name]) for name in ("streams", "ok", "failed", "not_tried", "changed")]


def _list_calls(run: Mapping[str, Any]) -> list[str]:
    calls, rate = run["calls"], run["rate"]
    most = max((number for _second, number in rate["by_second"]), default=None)
    per_second = "" if most is None else f"at most {most}"
    if rate["calls_per_second"] is not None:
        per_second = f"{rate['calls_per_second']:g}"
    return [str(calls["total"]), str(calls["throttled"]), per_second, f"{rate['quota']:g}"]


def _format_warnings(warnings: Sequence[str]) -> Iterator[str]:
    if warnings:
        yield from ("", "### Warnings", "")
        yield from (f"* {escape(text)}" for text in warnings)


def _format_causes(failures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not failures:
        return
    yield from ("", "### Failures by cause", "")
    yield from _format_table(
        ("number", "cause", "what to do", "streams"),
        (
            [str(len(row["streams"])), escape(row["cause"]), escape(row["advice"]), _format_names(row["streams"])]
            for row in failures
        ),
    )


def _format_names(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))  # Merged reports may have a stream several times.
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(map(escape, names[:_MAX_NAMES])) + more


def _format_failures(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", "### Streams that failed or were not tried", "")
    yield from _format_table(
        ("stream", "domain", "status", "message", "code", "RequestId"),
        ([escape(text) for text in _list_failure(row)] for row in _shorten_repeated(rows)),
    )


def _shorten_repeated(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield rows, without the messages of further ones of a cause, which stands above with its number of streams."""
    seen: Counter[str] = Counter()
    for row in rows:
        cause = describe_cause(restore_entry(row)) if row["status"] == FAILED else ""
        seen[cause] += 1
        yield {**row, "message": ""} if seen[cause] > _MAX_MESSAGES else row


def _list_failure(row: Mapping[str, Any]) -> list[str]:
    status = row["status"].replace("_", " ")
    rest = [row.get(name, "") for name in ("message", "code", "request_id")]
    return [get_row_name(row), row.get("domain_name", ""), status, *rest]


def _format_table(head: Sequence[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
