# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The standing of a run after a batch: what is done, what is left, and what to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .._report.document import COMPLETE, ENDED_EARLY, INTERRUPTED, add_measures, make_run
from . import summary
from .ledger import Batch


class Standing(NamedTuple):
    """The batches so far, of which the last one has just ended, and the entries of streams that had no turn.

    `ended`: no further batch should begin. `is_complete`: the last batch was not interrupted.
    """

    batches: Sequence[Batch]
    left: Sequence[dict[str, Any]]
    ended: bool
    is_complete: bool

    @property
    def has_more(self) -> bool:
        """Return whether further batches follow."""
        return bool(self.left) and not self.ended

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Return the entries of all batches."""
        return [row for batch in self.batches for row in batch.entries]

    def list_shown(self) -> list[dict[str, Any]]:
        """Return the entries that the summary counts: those of the last batch if others follow, or else all."""
        return self.batches[-1].entries if self.has_more else [*self.entries, *self.left]

    def summarize(self, title: str) -> list[str]:
        """Return the summary of the whole run, or one line for a batch that others follow."""
        measures = [batch.measures for batch in (self.batches[-1:] if self.has_more else self.batches)]
        calls, throttled = sum(part.total for part in measures), sum(part.throttled for part in measures)
        lines = summary.format_summary(title, self.list_shown(), calls, throttled)
        if self.find_outcome() == ENDED_EARLY:
            lines.insert(1, f"max_fail ended the run: {len(self.left)} were not tried.")
        return [f"{lines[0]} {len(self.left)} to come."] if self.has_more else lines

    def find_outcome(self) -> str:
        """Return the outcome of the run if nothing more happened."""
        if self.has_more or not self.is_complete:
            return INTERRUPTED
        return ENDED_EARLY if self.left else COMPLETE

    def make_run(self, title: str, check_mode: bool) -> dict[str, Any]:
        """Return the run of the report, with the streams that had no turn."""
        measures = add_measures([batch.measures for batch in self.batches])
        return make_run(title, check_mode, self.find_outcome(), [*self.entries, *self.left], measures)
