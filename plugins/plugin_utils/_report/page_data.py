# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the page: a report whose rows are columns of numbers, with each text and the first moment said once.

A text is its place in `strings`, whose first one is empty and also stands for a text that is not known. A moment is
the seconds since `base`. Another value that is not known is null. A column of one value has it once, and one in which
nothing is known is left out. `assets/data.js` reads all this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from .entries import FAILED, describe_cause
from .merge import restore_entry

_TEXTS = (
    "host",
    "domain_name",
    "app_name",
    "stream_name",
    "status",
    "state",
    "previous_state",
    "state_source",
    "message",
    "advice",
    "code",
    "request_id",
    "verdict",
    "reason",
)
_NUMBERS = (
    "changed",
    "seconds",
    "api_calls",
    "throttled",
    "waited_seconds",
    "expected_seconds",
    "recorded_seconds",
)


class _Packer:
    """The texts and the base of one page."""

    def __init__(self, base: float) -> None:
        self._base = base
        self._places = {"": 0}

    @property
    def strings(self) -> list[str]:
        return list(self._places)

    def text(self, value: Any) -> int:
        return self._places.setdefault("" if value is None else str(value), len(self._places))

    def split_text(self, value: Any) -> list[int]:
        """Return the places of a path's directory and of its last part, as files of one directory share the former."""
        directory, slash, name = ("" if value is None else str(value)).rpartition("/")
        return [self.text(directory + slash), self.text(name)]

    def moment(self, value: Any) -> float | int | None:
        seconds = _parse_time(value)
        return None if seconds is None else _number(seconds - self._base)

    def file(self, file: Mapping[str, Any]) -> list[Any]:
        """Return a file without what follows from the rest: its length, and the object's name at the end of the URL."""
        start, stop, duration = (self.moment(file.get("start")), self.moment(file.get("stop")), file.get("duration"))
        follows = start is not None and stop is not None and _number(stop - start) == _number(duration)
        url, name = str(file.get("url") or ""), str(file.get("object") or "")
        is_within = bool(name) and url.endswith(name)
        return [
            start,
            stop,
            -1 if follows else _number(duration),
            _number(file.get("size")),
            *(self.text(file.get(field)) for field in ("format", "status", "note")),
            *self.split_text(name),
            -self.text(url.removesuffix(name)) if is_within else self.text(url),
        ]

    def gap(self, gap: Mapping[str, Any]) -> list[Any]:
        missing = _number(gap.get("seconds"))
        found = [self.moment(gap.get("start")), self.moment(gap.get("stop")), self.text(gap.get("cause"))]
        return found if missing is None else [*found, missing]

    def window(self, window: Sequence[Any]) -> list[Any]:
        return [self.moment(window[0]), self.moment(window[1])]


def pack(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a report's page."""
    began = [_parse_time(run.get("began")) for run in document["runs"]]
    base = math.floor(min((seconds for seconds in began if seconds is not None), default=0.0))
    packer = _Packer(base)
    runs = [_pack_run(packer, run) for run in document["runs"]]
    about = {name: document.get(name) for name in ("version", "generator", "written_at", "outcome")}
    return {**about, "base": base, "runs": runs, "strings": packer.strings}


def _pack_run(packer: _Packer, run: Mapping[str, Any]) -> dict[str, Any]:
    rows = run["streams"]
    failures = run.get("failures") or []
    columns = _make_columns(packer, rows)
    causes = {(failure["cause"], failure["advice"]): number for number, failure in enumerate(failures)}
    columns["cause"] = _make_column(rows, partial(_find_cause, causes))
    return {
        **{name: value for name, value in run.items() if name not in ("streams", "failures")},
        "failures": [{**failure, "streams": list(map(packer.text, failure["streams"]))} for failure in failures],
        "size": len(rows),
        "columns": {name: column for name, column in columns.items() if column},
    }


def _find_cause(causes: Mapping[tuple[str, str], int], row: Mapping[str, Any]) -> int | None:
    """Return the number of the group of failures that this row is in."""
    if row["status"] != FAILED:
        return None
    return causes.get((describe_cause(restore_entry(row)), row.get("advice") or ""))


def _make_columns(packer: _Packer, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any] | None]:
    columns = {name: _make_column((row.get(name) for row in rows), packer.text, 0) for name in _TEXTS}
    columns |= {name: _make_column((row.get(name) for row in rows), _number) for name in _NUMBERS}
    for name in ("commands", "verified_by"):
        joined = (", ".join(row.get(name) or ()) for row in rows)
        columns[name] = _make_column(joined, packer.text, 0)
    columns["sent_at"] = _make_column((row.get("sent_at") for row in rows), packer.moment)
    for name, make in (("windows", packer.window), ("files", packer.file), ("gaps", packer.gap)):
        columns[name] = _make_column((row.get(name) for row in rows), partial(_list, make))
    return columns


def _make_column(values: Iterable[Any], make: Callable[[Any], Any], missing: Any = None) -> list[Any] | None:
    """Return what is made of each value, a single one if they are equal, or None if all are missing."""
    column = list(map(make, values))
    if any(value != column[0] for value in column):
        return column
    return column[:1] if column and column[0] != missing else None


def _list(make: Callable[[Any], Any], found: Iterable[Any] | None) -> list[Any] | None:
    return None if found is None else [make(value) for value in found]


def _number(value: Any) -> float | int | None:
    """Return a number that is short in JSON; None if there is none, or one that JSON has no form for."""
    if not isinstance(value, (bool, int, float)) or not math.isfinite(value):
        return None
    rounded = round(value, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def _parse_time(value: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
