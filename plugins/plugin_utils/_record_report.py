# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of all streams of a run: one entry for each, their sum in a few lines, and the list of what is left."""

from __future__ import annotations

import os
import re
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..module_utils._errors import printable
from ._files import require_regular, updating, write_whole

OK = "ok"
FAILED = "failed"
NOT_TRIED = "not_tried"

_TROUBLE = {FAILED: "failed", NOT_TRIED: "not tried"}
_WIDTH = 100
_LONGEST_CAUSE = 300
_LATE = 1.0  # seconds


def entry(host: str, result: Mapping[str, Any] | None, names: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What is reported of one stream: its host, its names, how it went, the error and the whole result.

    `result` is that of the module apsaravideo_record, None where it was not run; `names` are those of the host's
    variables, for a result that does not say which stream it is about.
    """
    return {
        "host": host,
        "stream": (result or {}).get("stream") or names,
        "status": _status(result),
        "error": _error(result) if result and _status(result) == FAILED else None,
        "result": result,
    }


def _status(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return NOT_TRIED
    return FAILED if result.get("failed") or result.get("unreachable") else OK


def _error(result: Mapping[str, Any]) -> dict[str, Any]:
    """The module's `error`; for what failed before the module, one of the same form."""
    nothing = dict.fromkeys(("code", "message", "request_id", "http_status", "action"))
    return {**nothing, "message": str(result.get("msg") or "The task failed."), **(result.get("error") or {})}


def cause(found: Mapping[str, Any]) -> str:
    """Why a stream failed, in one line that is the same for all streams with the same cause."""
    code, message = found["error"]["code"], found["error"]["message"]
    if found["stream"]:
        message = message.replace(f" of {'/'.join(map(str, found['stream'].values()))}", "")
    return one_line(f"{code}: {message}" if code else message)


def counts(entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The numbers of streams by how they went, and of calls."""
    results = [found["result"] or {} for found in entries]
    statuses = Counter(found["status"] for found in entries)
    return {
        "streams": len(entries),
        **{status: statuses[status] for status in (OK, FAILED, NOT_TRIED)},
        "changed": sum(bool(result.get("changed")) for result in results),
        "api_calls": sum(result.get("api_calls", 0) for result in results),
        "throttled": sum(result.get("throttled", 0) for result in results),
    }


def summary(title: str, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines that sum up a run: a few where all is well, and the names of the failed streams for each cause."""
    numbers = counts(entries)
    states = Counter(_state(found["result"]) for found in entries if found["status"] == OK)
    shares = [f"{number} {state}" for state, number in states.most_common()]
    shares += [f"{numbers[status]} {words}" for status, words in _TROUBLE.items() if numbers[status]]
    return [
        f"{title}: {', '.join([_number(numbers['streams'], 'stream'), *shares])}. {numbers['changed']} changed. "
        f"{_number(numbers['api_calls'], 'call')}, {numbers['throttled']} throttled.",
        *_punctuality(entries),
        *_failures(entries),
    ]


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _state(result: Mapping[str, Any]) -> str:
    return "skipped" if result.get("skipped") else str(result.get("state") or "done")


def _punctuality(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    timed = [
        found["result"] for found in entries if found["result"] and found["result"].get("late_seconds") is not None
    ]
    if not timed:
        return []
    first, last = (pick(result["late_seconds"] for result in timed) for pick in (min, max))
    at = " ".join(sorted({str(result["start_at"]) for result in timed}))
    late = "late, " if first > _LATE else ""
    return [f"start_at {at}: {late}the first call left {first:.3f} s after, the last stream's {last:.3f} s after."]


def _failures(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    hosts: dict[str, list[str]] = {}
    for found in entries:
        if found["status"] == FAILED:
            hosts.setdefault(cause(found), []).append(found["host"])
    lines = []
    for why, names in sorted(hosts.items(), key=lambda item: -len(item[1])):
        lines.append(f"{len(names)} x {why}")
        lines += names_in_lines(names)[0]
    return lines


def names_in_lines(names: Sequence[str], most: int | None = None) -> tuple[list[str], int]:
    """Return names in indented lines, at most so many of these, and how many names have no room in them."""
    found: list[str] = []
    for number, name in enumerate(one_line(name) for name in names):
        if found and len(found[-1]) + 2 + len(name) <= _WIDTH:
            found[-1] += f", {name}"
        elif most is not None and len(found) >= most:
            return found, len(names) - number
        else:
            found.append(f"    {name}")
    return found, 0


def one_line(text: str) -> str:
    """Return a text in one line, not at any length, in which nothing steers a terminal."""
    return textwrap.shorten(printable(text), _LONGEST_CAUSE, placeholder=" ...")


def host_pattern(host: str) -> str:
    """Return the pattern that only this host matches in `hosts` of a play, whatever its name looks like."""
    return "~" + "".join(mark if mark.isalnum() and mark.isascii() else rf"\U{ord(mark):08x}" for mark in host) + r"\Z"


def limit_line(host: str) -> str:
    """The line that stands for this host in a file for `--limit @file`, whatever its name looks like.

    Ansible takes a line for the host of that name, unless it begins with a mark that patterns begin with.
    """
    if host.isprintable() and host == host.strip() and not host.startswith(("!", "&")):
        return host
    return "~" + "".join(re.escape(mark) if mark.isprintable() else rf"\U{ord(mark):08x}" for mark in host) + r"\Z"


def left_over(lines: Iterable[str], covered: Collection[str], left: Iterable[str]) -> list[str]:
    """Return the new lines of a retry file: those that are about no host of this run, and the hosts that are `left`."""
    mine = {limit_line(host) for host in covered}
    return [line for line in lines if line and line not in mine] + [limit_line(host) for host in left]


def write_retry_file(path: str, covered: Collection[str], left: Iterable[str]) -> int:
    """Bring the file up to date and return how many hosts it names; a file that would name none is removed.

    An empty file would not do: Ansible takes `--limit` with one for all hosts. Raises OSError, also for what is not a
    regular file: opening a pipe would wait for its other end.
    """
    with updating(path):
        before: list[str] = []
        if require_regular(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                before = file.read().removesuffix("\n").split("\n")
        lines = left_over(before, covered, left)
        if not lines:
            with suppress(FileNotFoundError):
                os.remove(path)
        elif lines != before:
            write_whole(path, "".join(f"{line}\n" for line in lines))
        return len(lines)
