# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as CSV (RFC 4180), for spreadsheets: a line for each stream."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._errors import printable

COLUMNS = (
    "host",
    "domain_name",
    "app_name",
    "stream_name",
    "status",
    "changed",
    "state",
    "previous_state",
    "state_source",
    "commands",
    "sent_at",
    "seconds",
    "api_calls",
    "throttled",
    "waited_seconds",
    "message",
    "advice",
    "code",
    "request_id",
    "verdict",
    "reason",
    "verified_by",
    "expected_seconds",
    "recorded_seconds",
    "files",
    "gaps",
)
_MARK = "\ufeff"  # without it, Excel takes UTF-8 for the code page of its system
_COUNTED = ("files", "gaps")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # full-width ones are formulas in East Asian editions


def format_csv(document: Mapping[str, Any]) -> str:
    """Return a document as CSV; of files and gaps it has the numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("run", "check_mode", "outcome", *COLUMNS))
    for run in document["runs"]:
        head = [_format_cell(run[name]) for name in ("title", "check_mode", "outcome")]
        writer.writerows([*head, *_format_row(row)] for row in run["streams"])
    return _MARK + text.getvalue()


def _format_row(row: Mapping[str, Any]) -> Iterator[Any]:
    counts = {name: len(row[name]) for name in _COUNTED if name in row}
    return (_format_cell(counts.get(name, row.get(name))) for name in COLUMNS)


def _format_cell(value: Any) -> Any:
    """Return a cell; a text that a spreadsheet would take as a formula begins with an apostrophe."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        value = " ".join(value)
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
