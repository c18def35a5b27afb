# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is wanted and what was seen to what to send and what to report; pure functions.

The API has no operation that returns whether a stream is being recorded. What can be known comes from three places: the
answer to a command, the ingest state (a stream that is not pushed is not recorded), and the notify log, which holds
status events only where a callback with status events was configured before they happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ._errors import ACCEPTED, ALREADY_STARTED, CONFIG_ABSENT, NO_TASK, STREAM_ABSENT, LiveError
from ._live import CommandAnswer, NotifyEvent

STARTED = "started"
STOPPED = "stopped"
RESTARTED = "restarted"

RECORDING = "recording"
OFFLINE = "offline"
UNKNOWN = "unknown"

FROM_COMMAND = "command"
FROM_STREAM_STATE = "stream_state"
FROM_NOTIFY_LOG = "notify_log"
FROM_NOTHING = "none"

_STATUS_EVENTS = {
    "record_started": RECORDING,
    "record_resumed": RECORDING,
    "record_paused": STOPPED,
    "record_error": UNKNOWN,
}
_UNCONTROLLED = (
    "The cloud finds no recording configuration in effect for this stream, so whether something records it is unknown."
)


class Evidence(NamedTuple):
    """What the notify log says: `recording`, `stopped` or `unknown`, and for `unknown` why.

    `finalized`: a file was made since the recording was paused, so nothing waits to be finalized.
    """

    state: str
    reason: str = ""
    finalized: bool = False

    @property
    def source(self) -> str:
        """Where a prediction that rests on this evidence comes from."""
        return FROM_NOTHING if self.state == UNKNOWN else FROM_NOTIFY_LOG


class Verdict(NamedTuple):
    """What a task reports. `state_source` says where the knowledge of `state` comes from."""

    changed: bool
    state: str
    previous_state: str
    state_source: str
    warnings: tuple[str, ...] = ()


def evidence(events: Iterable[NotifyEvent]) -> Evidence:
    """What the newest status event of one stream says.

    `record_started` and `record_resumed` mean recording, `record_paused` stopped, `record_error` unknown. Times have
    whole seconds and the order of the log is not documented, so events of the same second that disagree mean unknown.
    """
    rows = list(events)
    status = [row for row in rows if row.type in _STATUS_EVENTS]
    if not status:
        return Evidence(UNKNOWN, "the notify log holds no status event for it (status callbacks may not be configured)")
    times = [row.time for row in status if row.time]
    if len(times) < len(status):
        return Evidence(UNKNOWN, "an event in the notify log has no readable time")
    newest = max(times)
    states = {_STATUS_EVENTS[row.type] for row in status if row.time == newest}
    if len(states) > 1:
        return Evidence(UNKNOWN, "the newest events in the notify log are of the same second and disagree")
    state = states.pop()
    if state == UNKNOWN:
        return Evidence(UNKNOWN, "the newest event in the notify log is record_error")
    files = [row.time for row in rows if row.type == "file_created" and row.time]
    return Evidence(state, finalized=state == STOPPED and any(time >= newest for time in files))


def commands(wanted: str, finalize: bool = False) -> list[str]:
    """The record commands that lead to a wanted state, in order."""
    if wanted == STOPPED:
        return ["stop", "cancel_delay"] if finalize else ["stop"]
    return ["start" if wanted == STARTED else "restart"]


def after_start(answer: CommandAnswer) -> Verdict:
    """The verdict on `start`; raises the error of an answer that is a failure.

    TaskAlreadyStarted after a try whose answer was lost may be that try's own work, and then counts as a change.
    """
    if answer.meaning == ACCEPTED:
        return Verdict(True, RECORDING, STOPPED, FROM_COMMAND)
    if answer.meaning == ALREADY_STARTED:
        lost = answer.after_lost_answer
        return Verdict(lost, RECORDING, UNKNOWN if lost else RECORDING, FROM_COMMAND)
    raise _failure(answer)


def after_restart(answer: CommandAnswer) -> Verdict:
    """The verdict on `restart`, which splits the file and is always a change; raises the error of any other answer."""
    if answer.meaning == ACCEPTED:
        return Verdict(True, RECORDING, UNKNOWN, FROM_COMMAND)
    raise _failure(answer)


def after_stop(answer: CommandAnswer, before: Evidence) -> Verdict:
    """The verdict on `stop`, given what the notify log said `before`; raises the error of an answer that is a failure.

    A 200 does not tell whether something was recording, so it counts as a change unless the log said that nothing was.
    """
    if answer.meaning == ACCEPTED:
        return Verdict(before.state != STOPPED, STOPPED, before.state, FROM_COMMAND)
    by_lost_try = answer.after_lost_answer and before.state != STOPPED
    if answer.meaning == NO_TASK:
        return Verdict(by_lost_try, STOPPED, before.state if by_lost_try else STOPPED, FROM_COMMAND)
    if answer.meaning == STREAM_ABSENT:
        return Verdict(by_lost_try, OFFLINE, before.state if by_lost_try else OFFLINE, FROM_COMMAND)
    if answer.meaning == CONFIG_ABSENT:
        return Verdict(by_lost_try, UNKNOWN, before.state, FROM_NOTHING, (_UNCONTROLLED,))
    raise _failure(answer)


def after_cancel_delay(answer: CommandAnswer, before: Evidence, stopped: Verdict) -> Verdict:
    """The verdict on `cancel_delay` that followed `stop`: a change too, unless the log said that the file was made.

    An answer that there is nothing to finalize changes nothing; raises the error of any other answer.
    """
    if answer.meaning not in (ACCEPTED, NO_TASK, STREAM_ABSENT, CONFIG_ABSENT):
        raise _failure(answer)
    finalized_now = (answer.meaning == ACCEPTED or answer.after_lost_answer) and not before.finalized
    return stopped._replace(changed=stopped.changed or finalized_now)


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
    return (f"Whether the stream is being recorded is unknown: {seen.reason}. A change is assumed.",)


def _failure(answer: CommandAnswer) -> LiveError:
    if answer.error is None:
        raise ValueError(f"an accepted command has no failure: {answer}")
    return answer.error
