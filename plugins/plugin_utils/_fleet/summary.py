# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run, which fits on a screen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.utils.display import Display

from ...module_utils._errors import printable
from .._report.entries import FAILED, NOT_TRIED, count_states, count_statuses, group_failures, shorten
from .._util import terminal

MAX_NAME_LINES = 60  # with names of failed streams
MAX_CAUSES = 20
MAX_NAME_LINE_LENGTH = 100
MAX_DELAY = 1.0  # seconds after start_at beyond which the first call was late
_TROUBLE = {FAILED: "failed", NOT_TRIED: "not tried"}


def format_summary(title: str, entries: Sequence[Mapping[str, Any]], calls: int, throttled: int) -> list[str]:
    """Return the summary's lines: totals, punctuality, and the failed streams by cause with advice."""
    numbers = count_statuses(entries)
    shares = [f"{number} {state}" for state, number in count_states(entries).items()]
    shares += [f"{numbers[status]} {words}" for status, words in _TROUBLE.items() if numbers[status]]
    return [
        f"{title}: {', '.join([_format_number(numbers['streams'], 'stream'), *shares])}. {numbers['changed']} changed. "
        f"{_format_number(calls, 'call')}, {throttled} throttled.",
        *_punctuality(entries),
        *_failures(entries),
    ]


def _format_number(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _punctuality(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    timed = [row for row in entries if row.get("late_seconds") is not None]
    if not timed:
        return []
    first, last = (pick(row["late_seconds"] for row in timed) for pick in (min, max))
    at = " ".join(sorted({str(row["start_at"]) for row in timed}))
    late = "late, " if first > MAX_DELAY else ""
    return [f"start_at {at}: {late}the first call left {first:.3f} s after, the last stream's {last:.3f} s after."]


def format_remaining(own: int, earlier: int, others: int, path: str) -> str:
    """Return the line on how to go on with the hosts that the retry file lists.

    `own` are those of this summary, `earlier` those that had failed before it, and `others` those of other runs.
    """
    total = own + earlier + others
    parts = {"of this run": own, "failed in an earlier play": earlier, "of other runs": others}
    said = ", ".join(f"{number} {words}" for words, number in parts.items() if number)
    origin = "" if own == total else f" ({said})"
    return f"To go on with the {total} that {'is' if total == 1 else 'are'} left{origin}: --limit @{path}"


def show_written(paths: Sequence[str]) -> None:
    """Display where a report was written, if it was, relative to the current directory where it is within that."""
    if paths:
        shown = [os.path.relpath(path) for path in paths]
        names = [path if name.startswith("..") else name for path, name in zip(paths, shown)]
        show([f"Report: {', '.join(map(printable, names))}"], bad=False)


def _failures(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    found = []
    room = MAX_NAME_LINES
    ordered = group_failures(entries)
    for why, advice, _code, names in ordered[:MAX_CAUSES]:
        found.append(f"{len(names)} x {why}")
        if advice:
            found.append(f"    {shorten(advice)}")
        shown, omitted = wrap_names(list(dict.fromkeys(names)), max(1, room))
        room -= len(shown)
        found += shown
        if omitted:
            found.append(f"    ... and {omitted} more")
    if len(ordered) > MAX_CAUSES:
        rest = sum(len(failure.names) for failure in ordered[MAX_CAUSES:])
        found.append(f"{rest} more, of {len(ordered) - MAX_CAUSES} other causes")
    return found


def wrap_names(names: Sequence[str], most: int | None = None) -> tuple[list[str], int]:
    """Return names in indented lines, and the number of names left out; `most` limits the lines, None does not."""
    found: list[str] = []
    for number, name in enumerate(shorten(name) for name in names):
        if found and len(found[-1]) + 2 + len(name) <= MAX_NAME_LINE_LENGTH:
            found[-1] += f", {name}"
        elif most is not None and len(found) >= most:
            return found, len(names) - number
        else:
            found.append(f"    {name}")
    return found, 0


def is_for_people() -> bool:
    """Return whether people read the output, rather than programs that parse JSON."""
    return "json" not in C.config.get_config_value("DEFAULT_STDOUT_CALLBACK")


def show(lines: Iterable[str], bad: bool) -> None:
    """Display lines, as an error if `bad`; do nothing if a program reads the output and finds them in the result."""
    if is_for_people() and terminal.has_reader():
        color = C.config.get_config_value("COLOR_ERROR" if bad else "COLOR_OK")
        Display().display("\n".join(lines), color=color)
