# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run: an entry for each stream, and a summary that fits on a screen."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.utils.display import Display

from ...module_utils._errors import printable
from .._util import terminal

OK, FAILED, NOT_TRIED = "ok", "failed", "not_tried"
MAX_NAME_LINES = 60  # with names of failed streams
MAX_CAUSES = 20
MAX_NAME_LINE_LENGTH = 100
MAX_LINE_LENGTH = 300  # of text that may come from others, such as error messages
MAX_DELAY = 1.0  # seconds after start_at beyond which the first call was late
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
_TROUBLE = {FAILED: "failed", NOT_TRIED: "not tried"}


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
        **{name: found[name] for name in _FIELDS if name in found},
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
        message = message.replace(f" of {'/'.join(map(str, row['stream'].values()))}", "")
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


def format_summary(title: str, entries: Sequence[Mapping[str, Any]], calls: int, throttled: int) -> list[str]:
    """Return the summary's lines: totals, punctuality, and the failed streams by cause with advice."""
    numbers = count_statuses(entries)
    states = Counter(str(row.get("state") or "done") for row in entries if row["status"] == OK)
    shares = [f"{number} {state}" for state, number in states.most_common()]
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


def format_remaining(remaining: int, path: str) -> str:
    """Return the line on how to go on with the hosts that remain."""
    return f"To go on with the {remaining} that {'is' if remaining == 1 else 'are'} left: --limit @{path}"


def group_failures(entries: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """Return the cause, the advice and the names of the streams for each cause, the most frequent one first."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in entries:
        if row["status"] == FAILED:
            found.setdefault((describe_cause(row), row.get("advice") or ""), []).append(get_name(row))
    return sorted(((why, advice, names) for (why, advice), names in found.items()), key=lambda row: -len(row[2]))


def _failures(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    found = []
    room = MAX_NAME_LINES
    ordered = group_failures(entries)
    for why, advice, names in ordered[:MAX_CAUSES]:
        found.append(f"{len(names)} x {why}")
        if advice:
            found.append(f"    {shorten(advice)}")
        shown, omitted = wrap_names(names, max(1, room))
        room -= len(shown)
        found += shown
        if omitted:
            found.append(f"    ... and {omitted} more")
    if len(ordered) > MAX_CAUSES:
        rest = sum(len(names) for _why, _advice, names in ordered[MAX_CAUSES:])
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


def shorten(text: str) -> str:
    """Return a text as one line of limited length, without control characters."""
    return textwrap.shorten(printable(text), MAX_LINE_LENGTH, placeholder=" ...")


def is_for_people() -> bool:
    """Return whether people read the output, rather than programs that parse JSON."""
    return "json" not in C.config.get_config_value("DEFAULT_STDOUT_CALLBACK")


def show(lines: Iterable[str], bad: bool) -> None:
    """Display lines, as an error if `bad`; do nothing if a program reads the output and finds them in the result."""
    if is_for_people() and terminal.has_reader():
        color = C.config.get_config_value("COLOR_ERROR" if bad else "COLOR_OK")
        Display().display("\n".join(lines), color=color)
