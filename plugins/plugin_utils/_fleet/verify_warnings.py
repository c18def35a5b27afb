# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings about verdicts that are accepted although something is not as it should be; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.verification import COMPLETE, INTERRUPTED, OK, UNCHECKED, UNKNOWN
from .._report.entries import FAILED, get_name, shorten

_MAX_NAMED = 5  # streams in a warning
_Selected = tuple[Mapping[str, Any], list[Mapping[str, Any]]]  # a row, and some of its files


def warn_of_verdicts(rows: Sequence[Mapping[str, Any]], is_checked: bool) -> list[str]:
    """Return warnings, each with its numbers and the first streams; `is_checked`: files were to be checked."""
    warnings = []
    for reason, found in _group(row for row in rows if row["verdict"] == UNKNOWN and row["status"] != FAILED):
        warnings.append(f"It is unknown whether recordings are complete, and accepted: {reason} ({_name(found)}).")
    whole = [row for row in rows if row["verdict"] in (COMPLETE, INTERRUPTED)]
    bad = _select(whole, lambda status: status not in (OK, UNCHECKED))
    if bad:
        number, total, statuses = _count(bad, "status")
        warnings.append(
            f"{number} of {total} files cannot be used ({statuses}), but streams are recorded without them: "
            f"{_name([row for row, _files in bad])}."
        )
    unchecked = _select(rows, lambda status: status == UNCHECKED) if is_checked else []
    if unchecked:
        number, total, notes = _count(unchecked, "note")
        warnings.append(
            f"{number} of {total} files could not be checked: {notes} ({_name([row for row, _files in unchecked])})."
        )
    return warnings


def _group(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["reason"], []).append(row)
    return list(found.items())


def _select(rows: Iterable[Mapping[str, Any]], is_wanted: Callable[[str], bool]) -> list[_Selected]:
    """Return the rows with such files, and these files."""
    found = [(row, [file for file in row["files"] if is_wanted(file["status"])]) for row in rows]
    return [(row, files) for row, files in found if files]


def _count(selected: Sequence[_Selected], field: str) -> tuple[int, int, str]:
    """Return the number of files, that of all files of their streams, and the different values of a field."""
    files = [file for _row, found in selected for file in found]
    values = sorted({shorten(file.get(field) or "its address is not known") for file in files})
    return len(files), sum(len(row["files"]) for row, _files in selected), "; ".join(values[:_MAX_NAMED])


def _name(rows: Sequence[Mapping[str, Any]]) -> str:
    names = ", ".join(shorten(get_name(row)) for row in rows[:_MAX_NAMED])
    return names + (f" and {len(rows) - _MAX_NAMED} more" if len(rows) > _MAX_NAMED else "")
