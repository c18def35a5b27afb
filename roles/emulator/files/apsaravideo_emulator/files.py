# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The marks of recorded files: those that are missing, damaged, slow, or not listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .state import Stateful, storable

STATES = ("ok", "missing", "private", "empty", "truncated", "damaged", "huge", "endless", "no_ranges")
SELECTORS = (
    "bucket",
    "object",
    "domain_name",
    "app_name",
    "stream_name",
    "format",
    "sequence",
    "record_id",
)
MAX_SECONDS = 600


@storable
@dataclass(frozen=True)
class Mark:
    """A mark for all files with these properties; None leaves an aspect as it is."""

    selectors: tuple[tuple[str, str], ...]
    state: str | None = None
    listed: bool | None = None
    seconds: float | None = None

    def matches(self, facts: Mapping[str, str]) -> bool:
        """Return whether the mark applies to a file with these facts."""
        return all(facts[name] == value for name, value in self.selectors)


class Files(Stateful):
    """The marks in the order in which they were made; for each aspect of a file the latest one counts."""

    STATE_FIELDS = ("_marks",)

    def __init__(self) -> None:
        self._marks: list[Mark] = []

    def add(self, fields: Mapping[str, Any]) -> None:
        """Add a mark; raise ValueError if it is not valid."""
        unknown = set(fields) - {*SELECTORS, "state", "listed", "seconds"}
        if unknown:
            raise ValueError(f"a file has no {', '.join(sorted(unknown))}")
        state, listed, seconds = fields.get("state"), fields.get("listed"), fields.get("seconds")
        if state not in (None, *STATES):
            raise ValueError(f"the state of a file is one of {', '.join(STATES)}, not {state!r}")
        if listed not in (None, True, False):
            raise ValueError(f"listed is true or false, not {listed!r}")
        if seconds is not None and not 0 <= float(seconds) <= MAX_SECONDS:
            raise ValueError(f"a file is delayed by 0 to {MAX_SECONDS} seconds, not {seconds!r}")
        selectors = tuple((name, str(fields[name])) for name in SELECTORS if name in fields)
        self._marks.append(Mark(selectors, state, listed, None if seconds is None else float(seconds)))

    def clear(self) -> None:
        """Remove all marks."""
        self._marks.clear()

    def _find(self, aspect: str, facts: Mapping[str, str]) -> Any:
        values = (getattr(mark, aspect) for mark in reversed(self._marks) if mark.matches(facts))
        return next((value for value in values if value is not None), None)

    def state(self, facts: Mapping[str, str]) -> str:
        """Return the state of a file, one of STATES."""
        return str(self._find("state", facts) or "ok")

    def is_listed(self, facts: Mapping[str, str]) -> bool:
        """Return whether a file is in the list of index files."""
        return self._find("listed", facts) is not False

    def seconds(self, facts: Mapping[str, str]) -> float:
        """Return the delay of responses for a file."""
        return float(self._find("seconds", facts) or 0)
