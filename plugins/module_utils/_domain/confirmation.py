# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of the notify log that confirm a command; pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from .._api.error_codes import ACCEPTED
from .._api.models import CommandResponse, NotifyEvent, format_time
from .recording_state import (
    CLOCK_SLACK,
    FILE_CREATED,
    RECORDING,
    STATUS_EVENTS,
    STOPPED,
    UNKNOWN,
    Evidence,
    find_abandoned_storage,
    find_newest,
    infer_state,
)


def expect_event(command: str, response: CommandResponse, before: Evidence) -> str | None:
    """Return what the notify log will show after a command: `recording`, `stopped`, or `file_created`.

    None if no event is expected: the command was not accepted, or had nothing to do according to `before`.
    """
    if response.meaning != ACCEPTED:
        return None
    if command == "stop":
        return None if before.state == STOPPED else STOPPED
    if command == "cancel_delay":
        return None if before.finalized else FILE_CREATED
    return RECORDING


def select_new_events(
    events: Iterable[NotifyEvent], before: Iterable[NotifyEvent], sent: datetime
) -> list[NotifyEvent]:
    """Return the events that a command may have caused: no older than it, and not seen before it.

    As the clock of the log may be behind, events that seem up to CLOCK_SLACK older are included. Such an event may be
    the command's own, or an older one that the log showed late.
    """
    return _split_events(events, before, sent)[1]


def is_confirmed(fresh: Iterable[NotifyEvent], expected: str, sent: datetime, complete: bool) -> bool:
    """Return whether new events show what was expected of a command.

    Events that seem a little older than the command count only once the log is `complete`. Before that, the command's
    own event may be missing and an older one be taken for it.
    """
    rows = list(fresh)
    certain = [row for row in rows if row.time and row.time >= sent]
    return _shows(certain, expected) or (complete and _shows(rows, expected))


def infer_state_at(events: Iterable[NotifyEvent], before: Iterable[NotifyEvent], sent: datetime) -> Evidence:
    """Return the state at the time at which a `stop` was sent, from a log that is complete by now.

    `before` are the events read before the `stop`, when the log may have been late. A new pause was caused by the
    `stop`, so the stream was being recorded.
    """
    past, fresh = _split_events(events, before, sent)
    kinds = {row.type for row in fresh} & set(STATUS_EVENTS)
    if "record_paused" in kinds:
        return Evidence(RECORDING)
    if kinds:
        return Evidence(UNKNOWN, "the notify log holds a change of about the time of the command")
    return infer_state(past)


def describe_newest_event(events: Iterable[NotifyEvent], fresh: Iterable[NotifyEvent]) -> str:
    """Return a clause about the newest event of a stream; `fresh` are those newer than the command."""
    for rows, when in ((fresh, ""), (events, ", from before the command")):
        newest = max((row for row in rows if row.time), key=lambda row: str(row.time), default=None)
        if newest and newest.time:
            return f"its newest event of this stream is {newest.type} of {format_time(newest.time)}{when}"
    return "it shows no event of this stream"


def _split_events(
    events: Iterable[NotifyEvent], before: Iterable[NotifyEvent], sent: datetime
) -> tuple[list[NotifyEvent], list[NotifyEvent]]:
    """Return the events that a command cannot have caused, and those that it may have caused."""
    seen = list(before)
    rows = list(events)
    abandoned = find_abandoned_storage([*seen, *rows])
    known = Counter((row.type, row.time, row.storage_type) for row in seen)
    past: list[NotifyEvent] = []
    fresh: list[NotifyEvent] = []
    for row in rows:
        key = row.type, row.time, row.storage_type
        known[key] -= 1
        is_new = known[key] < 0 and row.time and sent - row.time <= CLOCK_SLACK and row.storage_type not in abandoned
        (fresh if is_new else past).append(row)
    return past, fresh


def _shows(events: Iterable[NotifyEvent], expected: str) -> bool:
    """Return whether new events show what was expected of a command.

    A `stop` just before a `start` may have its event in the same second. So contradictory newest events are sufficient
    if the expected one is among them, but not together with an error.
    """
    if expected == FILE_CREATED:
        return any(row.type == FILE_CREATED for row in events)
    _second, states = find_newest(events)
    return expected in states and UNKNOWN not in states
