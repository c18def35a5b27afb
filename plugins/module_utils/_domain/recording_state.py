# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is wanted and what was seen to what to send and what to report; pure functions.

The API has no operation that returns whether a stream is being recorded. What can be known comes from three places: the
answer to a command, the ingest state (a stream that is not pushed is not recorded), and the notify log, which holds
status events only where a callback with status events was configured before they happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from .._api.error_codes import ACCEPTED, ALREADY_STARTED, CONFIG_ABSENT, NO_TASK, STREAM_ABSENT
from .._api.models import CommandResponse, NotifyEvent, RecordTask, TimeWindow, iso
from .._errors import LiveError

STARTED = "started"
STOPPED = "stopped"
RESTARTED = "restarted"

RECORDING = "recording"
OFFLINE = "offline"
UNKNOWN = "unknown"

FILE_CREATED = "file_created"

FROM_COMMAND = "command"
FROM_STREAM_STATE = "stream_state"
FROM_NOTIFY_LOG = "notify_log"
FROM_RECORD_CONTENTS = "record_contents"
FROM_NOTHING = "none"

# Seconds after which an event is taken to be in the notify log. How late the log may be is not documented; this is what
# such logs take, 4 to 6 seconds, and a reserve.
LOG_DELAY = 8.0
# By which the clock of the notify log may be behind that of the gateway. A second of difference is common among
# servers, and times in the log are whole seconds.
CLOCK_SLACK = timedelta(seconds=2)

_BEGINNINGS = ("record_started", "record_resumed")
_STATUS_EVENTS = {
    "record_started": RECORDING,
    "record_resumed": RECORDING,
    "record_paused": STOPPED,
    "record_error": UNKNOWN,
}
_NO_STATUS = (
    "the notify log holds no status event of the stream, for which a recording callback with status events is needed "
    "(apsaravideo.live.apsaravideo_record_notify)"
)
_UNCONTROLLED = (
    "The cloud finds no recording configuration in effect for this stream, so whether something records it is unknown."
)


class Evidence(NamedTuple):
    """What was seen of a stream: `recording`, `stopped`, `offline` or `unknown`, and for `unknown` why.

    `finalized`: a file was made since the recording was paused, so nothing waits to be finalized. `since`: when what
    says `recording` or `stopped` happened.
    """

    state: str
    reason: str = ""
    finalized: bool = False
    since: datetime | None = None

    @property
    def source(self) -> str:
        """How `state` is known."""
        return {UNKNOWN: FROM_NOTHING, OFFLINE: FROM_STREAM_STATE}.get(self.state, FROM_NOTIFY_LOG)


class Verdict(NamedTuple):
    """What a task reports. `state_source` says where the knowledge of `state` comes from."""

    changed: bool
    state: str
    previous_state: str
    state_source: str
    warnings: tuple[str, ...] = ()


def recorded_between(events: Iterable[NotifyEvent], first: float, last: float) -> bool:
    """Return whether the events of a stream tell of a recording between two moments, in seconds since the epoch."""
    return any(
        _STATUS_EVENTS.get(row.type, UNKNOWN) != UNKNOWN and row.time and first <= row.time.timestamp() <= last
        for row in events
    )


def evidence(events: Iterable[NotifyEvent], pushed: datetime | None = None) -> Evidence:
    """What the newest status event of one stream says; the one place that reads a state from the notify log.

    `record_started` and `record_resumed` mean recording, `record_paused` stopped, `record_error` unknown; other types
    do not count. A log without any of these says nothing, since only callbacks with status events leave them. Times
    have whole seconds and the order of the log is not documented, so events of the same second that disagree mean
    unknown.

    `pushed` is when the push that goes on now began, None where that is not known. What is older tells about another
    push, after which an automatic recording may have begun anew, or one started by command not. There is no slack: it
    would let the end of the push before speak for this one, while an automatic recording, which begins with the push,
    at worst counts as unknown where the clocks of ingest and recording differ. An event of the same second counts.

    A stream is recorded to one storage type at a time, and that to which it was recorded before tells nothing.
    """
    rows = _in_use(events)
    newest, states = _newest(rows)
    if not states:
        return Evidence(UNKNOWN, _NO_STATUS)
    if newest is None:
        return Evidence(UNKNOWN, "an event in the notify log has no readable time")
    if pushed and newest < pushed:
        return Evidence(UNKNOWN, "the newest status event in the notify log is older than the push that goes on now")
    if len(states) > 1:
        return Evidence(UNKNOWN, "the newest events in the notify log are of the same second and disagree")
    state = states.pop()
    if state == UNKNOWN:
        return Evidence(UNKNOWN, "the newest event in the notify log is record_error")
    files = [row.time for row in rows if row.type == FILE_CREATED and row.time]
    return Evidence(state, "", state == STOPPED and any(time >= newest for time in files), newest)


def _in_use(events: Iterable[NotifyEvent]) -> list[NotifyEvent]:
    """Return the events of a stream without those of a storage type from which its recording has moved to another.

    What comes of the old type after that, such as its last file, would else speak for the recording that goes on.
    """
    rows = list(events)
    left = _left_storage(rows)
    return [row for row in rows if row.time is None or row.storage_type not in left]


def _left_storage(rows: Iterable[NotifyEvent]) -> set[str]:
    """Return the storage types from which a recording has moved: the newest beginning is of another type."""
    begun: dict[str, datetime] = {}
    for row in rows:
        if row.storage_type and row.time and row.type in _BEGINNINGS:
            begun[row.storage_type] = max(row.time, begun.get(row.storage_type, row.time))
    newest = max(begun.values(), default=None)
    return {storage for storage, time in begun.items() if time != newest}


def _newest(events: Iterable[NotifyEvent]) -> tuple[datetime | None, set[str]]:
    """The newest second of status events, None where not all times can be read, and what its events say."""
    status = [row for row in events if row.type in _STATUS_EVENTS]
    times = [row.time for row in status if row.time]
    newest = max(times) if times and len(times) == len(status) else None
    return newest, {_STATUS_EVENTS[row.type] for row in status if newest in (None, row.time)}


def evidence_before(events: Iterable[NotifyEvent], sent: TimeWindow) -> Evidence:
    """Return what the events of a stream that is being recorded say about the time before a request.

    The request left in one of the seconds `sent`, and its response was lost. `recording` means that nothing has
    happened since; `stopped` that what is being recorded was begun by the request, or after it. An event of the
    request's own second may have come before it or of it.
    """
    rows = list(events)
    earlier = [row for row in rows if row.time is None or row.time < sent.start]
    before = evidence(earlier)
    later, states = _oldest(row for row in rows if row.time and row.time >= sent.start)
    if later is None or before.state == STOPPED:
        return before
    if before.state == RECORDING:
        return Evidence(UNKNOWN, "the notify log holds a change since the command")
    if any(row.type in _STATUS_EVENTS for row in earlier):
        return before
    if later <= sent.end:
        return Evidence(UNKNOWN, "an event in the notify log is of the same second as the command")
    if states == {RECORDING}:
        return Evidence(STOPPED)
    return Evidence(UNKNOWN, "the notify log does not tell what was before the command")


def has_split(events: Iterable[NotifyEvent], sent: TimeWindow, tasks: Iterable[RecordTask] = ()) -> bool:
    """Return whether a recording ended, another began and goes on, all after a request that left in these seconds.

    A `restart` takes effect in the second in which it is sent. So an event of these seconds counts as well, where the
    recording that ended is known to have run before: a recording that runs cannot be started, so that one that begins
    without a pause was begun by a restart. `tasks` are what the record contents list.
    """
    rows, known = list(events), list(tasks)
    later = [row for row in rows if row.time is None or row.time > sent.end]
    ends = [row.time for row in later if row.time and row.type in ("record_paused", FILE_CREATED)]
    begins = [row.time for row in later if row.time and row.type == "record_started"]
    if ends and begins and min(ends) <= max(begins) and evidence(later).state == RECORDING:
        return True
    since = {row.type for row in rows if row.type in _STATUS_EVENTS and (row.time is None or row.time >= sent.start)}
    closed = any(task.start < sent.start and task.end and sent.start <= task.end for task in known)
    if not since:
        return closed and any(task.runs and task.start >= sent.start for task in known)
    ran = evidence(row for row in rows if row.time is None or row.time < sent.start).state == RECORDING
    return since == {"record_started"} and (closed or ran)


def _oldest(events: Iterable[NotifyEvent]) -> tuple[datetime | None, set[str]]:
    """The oldest second of status events whose time can be read, and what its events say."""
    status = [(row.time, _STATUS_EVENTS[row.type]) for row in events if row.time and row.type in _STATUS_EVENTS]
    oldest = min((time for time, _state in status), default=None)
    return oldest, {state for time, state in status if time == oldest}


def state_of(online: bool, seen: Evidence) -> Evidence:
    """What can be said of a stream: what is not being pushed is not being recorded, whatever the log says."""
    return seen if online else Evidence(OFFLINE)


def commands(wanted: str, finalize: bool = False) -> list[str]:
    """The record commands that lead to a wanted state, in order."""
    if wanted == STOPPED:
        return ["stop", "cancel_delay"] if finalize else ["stop"]
    return ["start" if wanted == STARTED else "restart"]


def after_start(answer: CommandResponse, before: Evidence) -> Verdict:
    """Return the verdict on `start`; raises the error of an answer that is a failure.

    TaskAlreadyStarted after an attempt whose response was lost may be that attempt's own work. `before` is what the
    notify log says about the time before it, see `evidence_before`, and does not matter for any other answer.
    """
    if answer.meaning == ACCEPTED:
        return Verdict(True, RECORDING, STOPPED, FROM_COMMAND)
    if answer.meaning != ALREADY_STARTED:
        raise _failure(answer)
    if not answer.after_lost_response:
        return Verdict(False, RECORDING, RECORDING, FROM_COMMAND)
    return Verdict(before.state != RECORDING, RECORDING, before.state, FROM_COMMAND, _doubt(before))


def after_restart(answer: CommandResponse) -> Verdict:
    """The verdict on `restart`, which splits the file and is always a change; raises the error of any other answer."""
    if answer.meaning == ACCEPTED:
        return Verdict(True, RECORDING, UNKNOWN, FROM_COMMAND)
    raise _failure(answer)


def after_proven_restart(source: str) -> Verdict:
    """Return the verdict on a `restart` whose response was lost where a source shows that it took effect."""
    return Verdict(True, RECORDING, UNKNOWN, source)


def after_stop(answer: CommandResponse, before: Evidence) -> Verdict:
    """The verdict on `stop`, given what the notify log said `before`; raises the error of an answer that is a failure.

    A 200 does not tell whether something was recording, so it counts as a change unless the log said that nothing was.
    So does, after an attempt whose response was lost, an answer that nothing is being recorded: it may have come of it.
    """
    if answer.meaning == ACCEPTED:
        return Verdict(before.state != STOPPED, STOPPED, before.state, FROM_COMMAND, _doubt(before))
    by_lost_try = answer.after_lost_response and before.state != STOPPED
    doubt = _doubt(before) if by_lost_try else ()
    if answer.meaning == NO_TASK:
        return Verdict(by_lost_try, STOPPED, before.state if by_lost_try else STOPPED, FROM_COMMAND, doubt)
    if answer.meaning == STREAM_ABSENT:
        return Verdict(by_lost_try, OFFLINE, before.state if by_lost_try else OFFLINE, FROM_COMMAND, doubt)
    if answer.meaning == CONFIG_ABSENT:
        return Verdict(by_lost_try, UNKNOWN, before.state, FROM_NOTHING, (_UNCONTROLLED, *doubt))
    raise _failure(answer)


def after_cancel_delay(answer: CommandResponse, before: Evidence, stopped: Verdict) -> Verdict:
    """The verdict on `cancel_delay` that followed `stop`: a change too, unless the log said that the file was made.

    A 200 does not tell whether a file was still to be made. An answer that there is nothing to finalize changes
    nothing, unless an earlier attempt may have done it; raises the error of any other answer.
    """
    if answer.meaning not in (ACCEPTED, NO_TASK, STREAM_ABSENT, CONFIG_ABSENT):
        raise _failure(answer)
    by_lost_try = answer.after_lost_response and not before.finalized
    finalized_now = by_lost_try or (answer.meaning == ACCEPTED and not before.finalized)
    warnings = stopped.warnings
    if finalized_now and not set(_doubt(before)) <= set(warnings):
        doubt = f"Whether a file was still to be made is unknown: {before.reason}. A change is assumed."
        warnings = (*warnings, doubt)
    return stopped._replace(changed=stopped.changed or finalized_now, warnings=warnings)


def awaited(command: str, answer: CommandResponse, before: Evidence) -> str | None:
    """What the notify log will show because of a command: `recording`, `stopped`, or `file_created`.

    None where no event comes of it: it was not accepted, or the log said `before` that there was nothing to do.
    """
    if answer.meaning != ACCEPTED:
        return None
    if command == "stop":
        return None if before.state == STOPPED else STOPPED
    if command == "cancel_delay":
        return None if before.finalized else FILE_CREATED
    return RECORDING


def newer(events: Iterable[NotifyEvent], before: Iterable[NotifyEvent], sent: datetime) -> list[NotifyEvent]:
    """Return events that can have come of a command: not older than it, and not among those that were seen before it.

    `sent` is by the gateway's clock, which may be ahead of that of the log by CLOCK_SLACK. An event that is older than
    `sent` by no more than that may therefore be the command's own, or one from before it that the log showed late.
    """
    return _divided(events, before, sent)[1]


def confirmed(fresh: Iterable[NotifyEvent], wanted: str, sent: datetime, complete: bool) -> bool:
    """Return whether events that are `newer` than a command show what was `awaited` of it.

    Those that seem a little older than the command count once the log is `complete`: before that, what is awaited may
    be missing, and one from before the command be in its place.
    """
    rows = list(fresh)
    sure = [row for row in rows if row.time and row.time >= sent]
    return confirms(sure, wanted) or (complete and confirms(rows, wanted))


def evidence_at(events: Iterable[NotifyEvent], before: Iterable[NotifyEvent], sent: datetime) -> Evidence:
    """Return what a log that is complete by now says about the moment at which a stop was sent.

    `before` is what it had shown until then, where it may have been late. A pause that is new is the stop's own work.
    """
    past, fresh = _divided(events, before, sent)
    kinds = {row.type for row in fresh} & set(_STATUS_EVENTS)
    if "record_paused" in kinds:
        return Evidence(RECORDING)
    if kinds:
        return Evidence(UNKNOWN, "the notify log holds a change of about the time of the command")
    return evidence(past)


def _divided(
    events: Iterable[NotifyEvent], before: Iterable[NotifyEvent], sent: datetime
) -> tuple[list[NotifyEvent], list[NotifyEvent]]:
    """Return the events that cannot have come of a command, and those that can, see `newer`."""
    seen = list(before)
    rows = list(events)
    left = _left_storage([*seen, *rows])
    known = Counter((row.type, row.time, row.storage_type) for row in seen)
    past: list[NotifyEvent] = []
    fresh: list[NotifyEvent] = []
    for row in rows:
        key = row.type, row.time, row.storage_type
        known[key] -= 1
        may_be_its = known[key] < 0 and row.time and sent - row.time <= CLOCK_SLACK and row.storage_type not in left
        (fresh if may_be_its else past).append(row)
    return past, fresh


def confirms(events: Iterable[NotifyEvent], wanted: str) -> bool:
    """Whether events that are newer than a command show what was `awaited` of it.

    A `stop` just before a `start` may have left its event in the same second, so that the newest events may disagree
    where the one that is awaited is among them; not with an error, though.
    """
    if wanted == FILE_CREATED:
        return any(row.type == FILE_CREATED for row in events)
    _second, states = _newest(events)
    return wanted in states and UNKNOWN not in states


def last_seen(events: Iterable[NotifyEvent], fresh: Iterable[NotifyEvent]) -> str:
    """The newest event of a stream in words; `fresh` are those that are newer than the command."""
    for rows, when in ((fresh, ""), (events, ", from before the command")):
        newest = max((row for row in rows if row.time), key=lambda row: str(row.time), default=None)
        if newest and newest.time:
            return f"its newest event of this stream is {newest.type} of {iso(newest.time)}{when}"
    return "it shows no event of this stream"


def predict_start(online: bool, seen: Evidence, waits: bool) -> Verdict | None:
    """What `start` would do. None where it would fail: nothing is pushed, and the task does not wait for it."""
    if not online:
        if not waits:
            return None
        hint = "The stream is not being pushed yet; a real run would wait for it."
        return Verdict(True, RECORDING, OFFLINE, FROM_STREAM_STATE, (hint,))
    return Verdict(seen.state != RECORDING, RECORDING, seen.state, seen.source, _doubt(seen))


def predict_stop(online: bool, seen: Evidence, finalize: bool) -> Verdict:
    """What `stop`, and `cancel_delay` with `finalize`, would do."""
    pending = finalize and seen.state == STOPPED and not seen.finalized
    if not online:
        return Verdict(pending, OFFLINE, OFFLINE, FROM_STREAM_STATE)
    return Verdict(seen.state != STOPPED or pending, STOPPED, seen.state, seen.source, _doubt(seen))


def predict_restart(online: bool) -> Verdict | None:
    """What `restart` would do. None where it would fail because nothing is pushed."""
    return Verdict(True, RECORDING, UNKNOWN, FROM_NOTHING) if online else None


def _doubt(seen: Evidence) -> tuple[str, ...]:
    if seen.state != UNKNOWN:
        return ()
    return (f"The previous state is unknown: {seen.reason}. A change is assumed.",)


def _failure(answer: CommandResponse) -> LiveError:
    if answer.error is None:
        raise ValueError(f"an accepted command has no failure: {answer}")
    return answer.error
