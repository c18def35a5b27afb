# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of a run's streams: what became of each, and why."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils._errors import printable

OK, FAILED, NOT_TRIED = "ok", "failed", "not_tried"
MAX_LINE_LENGTH = 300  # of text that may come from others, such as error messages
_FIELDS = (
    "state",
    "previous_state",
    "state_source",
    "commands",
    "start_at",
    "late_seconds",
    "sent_at",
    "seconds",
    "api_calls",
    "throttled",
    "waited_seconds",
    "request_ids",
    "item",
)
VERIFIED = (  # fields of `verify`
    "verdict",
    "reason",
    "verified_by",
    "windows",
    "expected_seconds",
    "recorded_seconds",
    "files",
    "gaps",
)


class Failure(NamedTuple):
    """A cause of failures, the advice and the code of the first one, and the names of its streams."""

    cause: str
    advice: str
    code: str | None
    names: list[str]


def make_entry(
    host: str | None, names: Mapping[str, Any] | None, result: Mapping[str, Any] | None, advice: str | None = None
) -> dict[str, Any]:
    """Return the entry of one stream; `result` is None if nothing was tried.

    `names` are those of the stream, in case the result has none.
    """
    found = result or {}
    status = NOT_TRIED if result is None else FAILED if found.get("failed") or found.get("unreachable") else OK
    names = found.get("stream") or names
    row = {
        "host": host,
        "stream": dict(names) if names else None,
        "status": status,
        "changed": bool(found.get("changed")),
        **{name: found[name] for name in (*_FIELDS, *VERIFIED) if name in found},
        "error": _make_error(found) if status == FAILED else None,
    }
    if found.get("skipped"):
        row.setdefault("state", "skipped")
    if status == FAILED:
        row.update(msg=found.get("msg"), advice=advice)
    return row


def _make_error(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the error of a failed result, with the usual keys even if the task failed before the module began."""
    nothing = dict.fromkeys(("code", "message", "request_id", "http_status", "action"))
    return {**nothing, "message": str(result.get("msg") or "The task failed."), **(result.get("error") or {})}


def describe_cause(row: Mapping[str, Any]) -> str:
    """Return the cause of a failure in one line, without the stream's name, so that equal causes are equal texts."""
    code, message = row["error"]["code"], row["error"]["message"]
    if row["stream"]:
        name = "/".join(map(str, row["stream"].values()))
        for shown in (name, printable(name)):
            message = message.replace(f" of {shown}", "")
    return shorten(f"{code}: {message}" if code else message)


def count_statuses(entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the numbers of all streams, of those with each status, and of changed ones."""
    statuses = Counter(row["status"] for row in entries)
    return {
        "streams": len(entries),
        **{status: statuses[status] for status in (OK, FAILED, NOT_TRIED)},
        "changed": sum(bool(row["changed"]) for row in entries),
    }


def get_name(row: Mapping[str, Any]) -> str:
    """Return the name of a stream's host, or else its own names, or else the item of the loop."""
    return row["host"] or "/".join(map(str, (row["stream"] or {}).values())) or str(row.get("item", "?"))


def count_states(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many of the streams that are ok have each state, the most frequent one first."""
    return dict(Counter(str(row.get("state") or "done") for row in entries if row["status"] == OK).most_common())


def group_failures(entries: Iterable[Mapping[str, Any]]) -> list[Failure]:
    """Return the failures by cause and advice, those of most streams first."""
    found: dict[tuple[str, str], Failure] = {}
    for row in entries:
        if row["status"] == FAILED:
            cause, advice = describe_cause(row), row.get("advice") or ""
            found.setdefault((cause, advice), Failure(cause, advice, row["error"]["code"], [])).names.append(
                get_name(row)
            )
    return sorted(found.values(), key=lambda failure: -len(failure.names))


def shorten(text: str) -> str:
    """Return a text as one line of limited length, without control characters."""
    return textwrap.shorten(printable(text), MAX_LINE_LENGTH, placeholder=" ...")
