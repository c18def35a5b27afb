# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge reports, such as those of several slices of a job."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._api.models import Stream
from ...module_utils._errors import InvalidOption
from ...module_utils._util.strict_json import parse_json
from .document import Measures, add_measures, find_worst, make_document, make_run, parse_moment
from .entries import FAILED
from .schema import Schema

_MAX_VALUES = 100_000_000  # of a file; strings and separators
_ADVICE = "Give the paths of .json files that the option report has written."


def list_files(patterns: Sequence[str]) -> list[str]:
    """Return the files that paths or patterns such as `reports/*.json` name; raise InvalidOption if one names none."""
    found: list[str] = []
    for pattern in (os.path.expanduser(text.strip()) for text in patterns):
        paths = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))
        if not paths:
            raise InvalidOption(f"The option reports has {pattern}, which names no file", _ADVICE)
        found += paths
    if not found:
        raise InvalidOption("The option reports is empty", _ADVICE)
    return list(dict.fromkeys(map(os.path.abspath, found)))


def read_documents(paths: Iterable[str]) -> list[dict[str, Any]]:
    """Return the documents in these files; raise InvalidOption if one is not a report."""
    try:
        schema = Schema.load()
    except OSError as error:
        raise InvalidOption(
            f"The collection is installed without docs/report.schema.json: {error.strerror}", "Install it again."
        ) from error
    return [_read_document(path, schema) for path in paths]


def _read_document(path: str, schema: Schema) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            document = parse_json(file.read(), _MAX_VALUES)
    except OSError as error:
        raise InvalidOption(
            f"The option reports has {path}, which cannot be read: {error.strerror}", _ADVICE
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidOption(f"The option reports has {path}, which is not JSON", _ADVICE) from error
    problem = schema.find_problem(document) or _find_wrong_time(document)
    if problem:
        raise InvalidOption(
            f"The option reports has {path}, which is not a report of version 1: see {problem}", _ADVICE
        )
    return dict(document)


def _find_wrong_time(document: Mapping[str, Any]) -> str | None:
    """Return the place of a time that does not exist, such as one on February 30."""
    for run in document["runs"]:
        for time in (run["began"], run["ended"], run["rate"]["first_call"], run["rate"]["last_call"]):
            try:
                parse_moment(time or run["began"])
            except (ValueError, OverflowError):
                return f"the time {time}"
    return None


def merge_documents(documents: Sequence[Mapping[str, Any]], now: float) -> dict[str, Any]:
    """Return one document, in which runs of the same title become one.

    If a document has several runs of a title, the first ones of all documents become one, and so on.
    """
    parts: dict[tuple[str, bool, int], list[Mapping[str, Any]]] = {}
    for document in documents:
        seen: Counter[tuple[str, bool]] = Counter()
        for run in document["runs"]:
            key = (run["title"], run["check_mode"])
            parts.setdefault((*key, seen[key]), []).append(run)
            seen[key] += 1
    runs = [_merge_runs(found) for found in parts.values()]
    return make_document(sorted(runs, key=lambda run: parse_moment(run["began"])), now)


def _merge_runs(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    measures = [_restore_measures(run) for run in runs]
    total = add_measures(measures)
    # Slices of one account share its quota, and each of them may have been given a part of it.
    shared = min(total.quota, sum(part.limit for part in measures))
    domains = {
        domain: count for run in runs for domain, count in (run["cloud_count"] or {"domains": {}})["domains"].items()
    }
    return make_run(
        runs[0]["title"],
        runs[0]["check_mode"],
        find_worst(run["outcome"] for run in runs),
        [entry for run in runs for entry in restore_entries(run)],
        total._replace(limit=max(total.limit, shared)),
        {"domains": domains} if domains else None,
    )


def restore_entries(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of which a run was made, as far as it has them."""
    return [restore_entry(row) for row in run["streams"]]


def restore_entry(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of which a row was made, as far as it has it."""
    names = {field: row[field] for field in Stream._fields if field in row}
    error = {"code": row.get("code"), "message": row.get("message") or "", "request_id": row.get("request_id")}
    return {
        **row,
        "host": row.get("host"),
        "stream": names or None,
        "error": error if row["status"] == FAILED else None,
    }


def _restore_measures(run: Mapping[str, Any]) -> Measures:
    calls, rate = run["calls"], run["rate"]
    first, last = (None if rate[name] is None else parse_moment(rate[name]) for name in ("first_call", "last_call"))
    return Measures(
        parse_moment(run["began"]),
        parse_moment(run["ended"]),
        calls["total"],
        calls["throttled"],
        calls["by_operation"],
        rate["by_second"],
        first,
        last,
        rate["quota"],
        rate["limit"],
        run["warnings"],
        rate["operation"],
    )
