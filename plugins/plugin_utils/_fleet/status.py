# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combine hosts and the streams found in their domains: entries for programs, a table and a verdict for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ...module_utils._api.error_codes import PULL_NEEDS_VIEWER
from ...module_utils._api.models import Stream
from ...module_utils._errors import printable

Names = tuple[str | None, str | None, str | None]

RECORDING = "recording"
OFFLINE = "offline"
UNKNOWN = "unknown"

MAX_ROWS = 40
_MAX_CELL = 160  # characters
_MAX_VERDICT = 300
_MAX_NAMES = 10


class Host(NamedTuple):
    """A host as its variables describe it.

    `stream` is None if they do not fully name one; `names` are then those that are known. `problem` is why the host
    cannot be read, and `connection` its connection options.
    """

    stream: Stream | None
    problem: str | None = None
    names: Names = (None, None, None)
    connection: dict[str, Any] = {}


class Wanted(NamedTuple):
    """The streams that should be recorded, and the hosts that should be although their streams are not fully named."""

    streams: Collection[Stream]
    unclear: Mapping[str, Names]

    @classmethod
    def from_hosts(cls, hosts: Mapping[str, Host]) -> Wanted:
        """Return the streams that all of these hosts stand for."""
        streams = {found.stream for found in hosts.values() if found.stream}
        return cls(streams, {host: found.names for host, found in hosts.items() if not found.stream})

    def includes(self, host: str | None, stream: Stream | None) -> bool:
        """Return whether a host, or a stream without one, should be recorded."""
        return stream in self.streams if stream else host in self.unclear

    def may_include(self, row: Mapping[str, Any]) -> bool:
        """Return whether an entry's stream may be one of those that are not fully named."""
        stream = _stream_of(row)
        return any(all(name in (None, own) for name, own in zip(names, stream)) for names in set(self.unclear.values()))


def build_entries(
    hosts: Mapping[str, Host],
    wanted: Wanted,
    results: Mapping[str, Mapping[str, Any]],
    now: float,
    max_seconds: float | None = None,
) -> list[dict[str, Any]]:
    """Return an entry for each host, in order, followed by one for each other stream of their domains.

    `results` are those of apsaravideo_record_info for each domain. A stream is `overdue` if it is known to have been
    recorded for more than `max_seconds`.
    """
    seen = {_stream_of(row): row for result in results.values() for row in result.get("streams", ())}
    failures = {domain: result for domain, result in results.items() if result.get("failed")}
    of_hosts = {host.stream for host in hosts.values()}
    found = [_build_entry(name, host, wanted, seen, failures) for name, host in hosts.items()]
    found += [_build_entry(None, Host(stream), wanted, seen, failures) for stream in seen if stream not in of_hosts]
    for row in found:
        seconds = _seconds_since(row["recording_since"], now)
        row["recording_seconds"] = seconds
        row["overdue"] = max_seconds is not None and seconds is not None and seconds > max_seconds
    return found


def _stream_of(row: Mapping[str, Any]) -> Stream:
    return Stream(row["domain_name"], row["app_name"], row["stream_name"])


def _build_entry(
    name: str | None,
    host: Host,
    wanted: Wanted,
    seen: Mapping[Stream, Mapping[str, Any]],
    failures: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    names = host.stream or Stream(*(known or "" for known in host.names))
    problem = {"msg": host.problem} if host.problem else failures.get(names.domain_name)
    state: dict[str, Any] = {
        "online": False,
        "publish_time": None,
        "ingest_type": None,
        "recording": OFFLINE,
        "state_source": "stream_state",
        "recording_since": None,
        "reason": None,
    }
    if problem:
        state.update(online=None, recording=UNKNOWN, state_source="none", reason=problem["msg"])
    elif names in seen:
        state.update({name: seen[names][name] for name in state})
    return {
        "host": name,
        **names._asdict(),
        "wanted": wanted.includes(name, host.stream),
        **state,
        "failed": bool(problem),
        "error": problem.get("error") if problem else None,
    }


def _seconds_since(time: str | None, now: float) -> int | None:
    if not time:
        return None
    moment = datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return max(0, int(now - moment.timestamp()))


def find_missing(found: Iterable[Mapping[str, Any]], accept_unknown: bool) -> list[Mapping[str, Any]]:
    """Return the entries of hosts that should be recorded and, as far as is known, are not."""
    good = {RECORDING, UNKNOWN} if accept_unknown else {RECORDING}
    should = [row for row in found if row["wanted"] and row["host"]]
    return [row for row in should if row["failed"] or row["recording"] not in good]


def find_excess(
    found: Iterable[Mapping[str, Any]], wanted: Wanted, stop_unknown: bool
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the recordings to stop, and in a second list those to leave because an unclear host may stand for them.

    Recordings are stopped that are overdue or not wanted; with `stop_unknown`, also online streams that are not wanted
    and whose recording state is unknown.
    """
    sure: list[Mapping[str, Any]] = []
    unclear: list[Mapping[str, Any]] = []
    for row in found:
        recorded = row["recording"] == RECORDING
        if recorded and row["overdue"]:
            sure.append(row)
        elif not row["wanted"] and (recorded or (stop_unknown and row["recording"] == UNKNOWN and row["online"])):
            (unclear if wanted.may_include(row) else sure).append(row)
    return sure, unclear


def count_states(found: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the number of streams in each state, and of all streams."""
    states = Counter(row["recording"] for row in found)
    return {"streams": len(found), **{state: states[state] for state in (RECORDING, "stopped", "offline", UNKNOWN)}}


def format_verdict(missing: Sequence[Mapping[str, Any]], found: Iterable[Mapping[str, Any]]) -> str:
    """Return one line that names the missing streams; empty if none is missing."""
    if not missing:
        return ""
    wanted = sum(row["wanted"] and bool(row["host"]) for row in found)
    text = f"Not known to be recorded: {len(missing)} of {wanted} streams: "
    shown = 0
    for row in missing[:_MAX_NAMES]:
        name = _cut(printable(row["host"]), _MAX_CELL)
        if shown and len(text) + len(name) > _MAX_VERDICT - len(f", and {len(missing)} more."):
            break
        text += f", {name}" if shown else name
        shown += 1
    return text + (f", and {len(missing) - shown} more." if shown < len(missing) else ".")


def format_table(found: Iterable[Mapping[str, Any]], show_all: bool = True) -> list[str]:
    """Return the lines of a table of streams, most urgent first; at most MAX_ROWS of them unless `show_all`."""
    head = ("stream", "online", "recording", "since", "for", "known from")
    by_urgency = sorted(found, key=_urgency)
    shown = by_urgency if show_all else by_urgency[:MAX_ROWS]
    rows = [head, *(_cells(row) for row in shown)]
    widths = [max(len(cells[place]) for cells in rows) for place in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in rows]
    left = len(by_urgency) - len(shown)
    return [*lines, f"... and {left:,} more: -v or -e all=true shows them"] if left else lines


def explain_offline(missing: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line that says why missing streams may be offline; none if none is."""
    if not any(row["recording"] == OFFLINE for row in missing):
        return []
    return [f"offline: not being pushed; {PULL_NEEDS_VIEWER}"]


def _urgency(row: Mapping[str, Any]) -> int:
    """Return the rank of an entry in the table: the first of these kinds that it is."""
    recorded, known = row["recording"] == RECORDING, row["recording"] != UNKNOWN
    kinds = (
        row["wanted"] and known and not recorded,
        not known and not row["failed"],
        row["failed"],
        row["overdue"],
        recorded and not row["wanted"],
        True,
    )
    return kinds.index(True)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    seconds = row["recording_seconds"]
    online = {True: "yes", False: "no"}.get(row["online"], "?")
    if row["ingest_type"] == "pull":
        online = "pulled"
    names = "/".join(_stream_of(row))
    cells = (
        printable(names if all(_stream_of(row)) else f"host {row['host']}"),
        online,
        row["recording"] + ("" if row["wanted"] or row["recording"] != RECORDING else ", not wanted"),
        row["recording_since"] or "",
        "" if seconds is None else str(timedelta(seconds=seconds)) + (", too long" if row["overdue"] else ""),
        printable(row["reason"] or row["state_source"].replace("_", " ")),
    )
    return tuple(_cut(cell, _MAX_CELL) for cell in cells)
