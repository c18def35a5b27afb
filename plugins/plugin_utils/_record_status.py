# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about the recordings of an inventory: one entry for each stream, and a table for human eyes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ..module_utils._errors import printable
from ..module_utils._live import Stream

RECORDING = "recording"
UNKNOWN = "unknown"


def entries(
    hosts: Mapping[str, Stream | str],
    wanted: Iterable[str],
    looks: Mapping[str, Mapping[str, Any]],
    now: float,
    max_seconds: float | None = None,
) -> list[dict[str, Any]]:
    """One entry for each host, in their order, and then one for each further stream that was seen in their domains.

    `hosts` are the streams that they stand for, or why they stand for none. `looks` are the results of
    apsaravideo_record_info for each domain, or its failure. A stream is `overdue` that is known to have been recorded
    for longer than `max_seconds`.
    """
    seen = {_names(row): row for look in looks.values() for row in look.get("streams", ())}
    failures = {domain: look for domain, look in looks.items() if look.get("failed")}
    should = set(wanted)
    found = [_entry(host, stream, host in should, seen, failures) for host, stream in hosts.items()]
    found += [_entry(None, stream, False, seen, failures) for stream in seen if stream not in set(hosts.values())]
    for row in found:
        seconds = _seconds_since(row["recording_since"], now)
        row["recording_seconds"] = seconds
        row["overdue"] = max_seconds is not None and seconds is not None and seconds > max_seconds
    return found


def _names(row: Mapping[str, Any]) -> Stream:
    return Stream(row["domain_name"], row["app_name"], row["stream_name"])


def _entry(
    host: str | None,
    stream: Stream | str,
    wanted: bool,
    seen: Mapping[Stream, Mapping[str, Any]],
    failures: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    problem = {"msg": stream} if isinstance(stream, str) else failures.get(stream.domain_name)
    names = Stream("", "", "") if isinstance(stream, str) else stream
    state: dict[str, Any] = {
        "online": False,
        "publish_time": None,
        "recording": "offline",
        "state_source": "stream_state",
        "recording_since": None,
        "reason": None,
    }
    if problem:
        state.update(online=None, recording=UNKNOWN, state_source="none", reason=problem["msg"])
    elif names in seen:
        state.update({name: seen[names][name] for name in state})
    return {
        "host": host,
        **names._asdict(),
        "wanted": wanted,
        **state,
        "failed": bool(problem),
        "error": problem.get("error") if problem else None,
    }


def _seconds_since(time: str | None, now: float) -> int | None:
    if not time:
        return None
    moment = datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return max(0, int(now - moment.timestamp()))


def missing(found: Iterable[Mapping[str, Any]], accept_unknown: bool) -> list[Mapping[str, Any]]:
    """Those that should be recorded and, as far as is known, are not."""
    good = {RECORDING, UNKNOWN} if accept_unknown else {RECORDING}
    return [row for row in found if row["wanted"] and (row["failed"] or row["recording"] not in good)]


def excess(found: Iterable[Mapping[str, Any]], stop_unknown: bool) -> list[Mapping[str, Any]]:
    """Those that are recorded and should not be, or no longer.

    `stop_unknown`: also those that are online, should not be recorded, and of which nothing is known.
    """
    return [
        row
        for row in found
        if (row["recording"] == RECORDING and (row["overdue"] or not row["wanted"]))
        or (stop_unknown and row["recording"] == UNKNOWN and row["online"] and not row["wanted"])
    ]


def counts(found: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The numbers of streams by state, and of all."""
    states = Counter(row["recording"] for row in found)
    return {"streams": len(found), **{state: states[state] for state in (RECORDING, "stopped", "offline", UNKNOWN)}}


def table(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """The lines of a table of streams."""
    head = ("stream", "online", "recording", "since", "for", "known from")
    rows = [head, *(_cells(row) for row in found)]
    widths = [max(len(cells[place]) for cells in rows) for place in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in rows]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    seconds = row["recording_seconds"]
    online = {True: "yes", False: "no"}.get(row["online"], "?")
    return (
        printable("/".join((row["domain_name"], row["app_name"], row["stream_name"]))),
        online,
        row["recording"] + ("" if row["wanted"] or row["recording"] != RECORDING else ", not wanted"),
        row["recording_since"] or "",
        "" if seconds is None else str(timedelta(seconds=seconds)) + (", too long" if row["overdue"] else ""),
        printable(row["reason"] or row["state_source"].replace("_", " ")),
    )
