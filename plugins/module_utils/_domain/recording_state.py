# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a recording as the notify log and the record contents show it; pure functions.

The API has no operation that returns whether a stream is being recorded. Three sources tell something about it: the
response to a command, the ingest state (a stream that is not pushed is not recorded), and the notify log, which holds
status events only if a callback with status events was configured before they happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from .._api.models import NotifyEvent, RecordTask, TimeWindow

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

# Seconds after which an event is expected to be in the notify log. The delay of the log is not documented; this is what
# such logs take, 4 to 6 seconds, and a reserve.
LOG_DELAY = 8.0
# The clock of the notify log may be this much behind that of the gateway. A difference of one second is common among
# servers, and times in the log are whole seconds.
CLOCK_SLACK = timedelta(seconds=2)

STATUS_EVENTS = {
    "record_started": RECORDING,
    "record_resumed": RECORDING,
    "record_paused": STOPPED,
    "record_error": UNKNOWN,
}
_BEGINNINGS = ("record_started", "record_resumed")
_NO_STATUS = (
    "the notify log holds no status event of the stream, for which a recording callback with status events is needed "
    "(apsaravideo.live.apsaravideo_record_notify)"
)


class Evidence(NamedTuple):
    """A state with its source: `recording`, `stopped`, `offline`, or `unknown` with the `reason`.

    `finalized`: a file was created after the recording was paused, so none is pending. `since`: the time of the event
    that shows `recording` or `stopped`.
    """

    state: str
    reason: str = ""
    finalized: bool = False
    since: datetime | None = None

    @property
    def source(self) -> str:
        """Return the source of `state`, as results name it."""
        return {UNKNOWN: FROM_NOTHING, OFFLINE: FROM_STREAM_STATE}.get(self.state, FROM_NOTIFY_LOG)


def was_recorded_between(events: Iterable[NotifyEvent], first: float, last: float) -> bool:
    """Return whether events of a stream show a recording between two times, in seconds since the epoch."""
    return any(
        STATUS_EVENTS.get(row.type, UNKNOWN) != UNKNOWN and row.time and first <= row.time.timestamp() <= last
        for row in events
    )


def infer_state(events: Iterable[NotifyEvent], pushed: datetime | None = None) -> Evidence:
    """Return the state that the newest status event of one stream shows.

    `record_started` and `record_resumed` mean recording, `record_paused` stopped, `record_error` unknown; other types
    are ignored. Without any of these the state is unknown, because only callbacks with status events produce them.
    Times have whole seconds and the order of the log is not documented, so contradictory events of the same second
    mean unknown.

    `pushed` is when the current push began, None if that is not known. Older events are about an earlier push: since
    then, an automatic recording may have begun, and one started by command may have ended. No slack is allowed here: it
    would count the end of the earlier push for the current one, while without it an automatic recording, which begins
    with the push, is at worst unknown if the clocks of ingest and recording differ. An event of the same second counts.

    A stream is recorded to one storage type at a time; events of one that the recording has left are ignored.
    """
    rows = _drop_abandoned_storage(events)
    newest, states = find_newest(rows)
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


def infer_state_before(events: Iterable[NotifyEvent], sent: TimeWindow) -> Evidence:
    """Return the state just before a request whose response was lost, given that the stream is being recorded now.

    The request was sent in one of the seconds `sent`. `recording` means that nothing has changed since; `stopped` that
    the current recording was begun by the request, or later. An event of the request's own second may be older than the
    request or caused by it.
    """
    rows = list(events)
    earlier = [row for row in rows if row.time is None or row.time < sent.start]
    before = infer_state(earlier)
    later, states = _find_oldest(row for row in rows if row.time and row.time >= sent.start)
    if later is None or before.state == STOPPED:
        return before
    if before.state == RECORDING:
        return Evidence(UNKNOWN, "the notify log holds a change since the command")
    if any(row.type in STATUS_EVENTS for row in earlier):
        return before
    if later <= sent.end:
        return Evidence(UNKNOWN, "an event in the notify log is of the same second as the command")
    if states == {RECORDING}:
        return Evidence(STOPPED)
    return Evidence(UNKNOWN, "the notify log does not tell what was before the command")


def has_split(events: Iterable[NotifyEvent], sent: TimeWindow, tasks: Iterable[RecordTask] = ()) -> bool:
    """Return whether a recording ended and another began and goes on, after a request sent in these seconds.

    A `restart` takes effect in the second in which it is sent. So an event of these seconds counts as well if the
    recording that ended is known to have run before: a running recording cannot be started, so one that begins without
    a pause was begun by a restart. `tasks` are those that the record contents list.
    """
    rows, known = list(events), list(tasks)
    later = [row for row in rows if row.time is None or row.time > sent.end]
    ends = [row.time for row in later if row.time and row.type in ("record_paused", FILE_CREATED)]
    begins = [row.time for row in later if row.time and row.type == "record_started"]
    if ends and begins and min(ends) <= max(begins) and infer_state(later).state == RECORDING:
        return True
    since = {row.type for row in rows if row.type in STATUS_EVENTS and (row.time is None or row.time >= sent.start)}
    ended = any(task.start < sent.start and task.end and sent.start <= task.end for task in known)
    if not since:
        return ended and any(task.runs and task.start >= sent.start for task in known)
    ran = infer_state(row for row in rows if row.time is None or row.time < sent.start).state == RECORDING
    return since == {"record_started"} and (ended or ran)


def override_if_offline(online: bool, evidence: Evidence) -> Evidence:
    """Return the evidence, or `offline` for a stream that is not being pushed: such a stream is not recorded."""
    return evidence if online else Evidence(OFFLINE)


def find_abandoned_storage(rows: Iterable[NotifyEvent]) -> set[str]:
    """Return the storage types that a recording has left: those other than that of the newest beginning."""
    begun: dict[str, datetime] = {}
    for row in rows:
        if row.storage_type and row.time and row.type in _BEGINNINGS:
            begun[row.storage_type] = max(row.time, begun.get(row.storage_type, row.time))
    newest = max(begun.values(), default=None)
    return {storage for storage, time in begun.items() if time != newest}


def _drop_abandoned_storage(events: Iterable[NotifyEvent]) -> list[NotifyEvent]:
    """Return the events without those of a storage type that the recording has left.

    Late events of the old storage type, such as its last file, would otherwise count for the current recording.
    """
    rows = list(events)
    abandoned = find_abandoned_storage(rows)
    return [row for row in rows if row.time is None or row.storage_type not in abandoned]


def find_newest(events: Iterable[NotifyEvent]) -> tuple[datetime | None, set[str]]:
    """Return the newest second of status events, None unless all times are readable, and the states they show."""
    status = [row for row in events if row.type in STATUS_EVENTS]
    times = [row.time for row in status if row.time]
    newest = max(times) if times and len(times) == len(status) else None
    return newest, {STATUS_EVENTS[row.type] for row in status if newest in (None, row.time)}


def _find_oldest(events: Iterable[NotifyEvent]) -> tuple[datetime | None, set[str]]:
    """Return the oldest second of status events with a readable time, and the states they show."""
    status = [(row.time, STATUS_EVENTS[row.type]) for row in events if row.time and row.type in STATUS_EVENTS]
    oldest = min((time for time, _state in status), default=None)
    return oldest, {state for time, state in status if time == oldest}
