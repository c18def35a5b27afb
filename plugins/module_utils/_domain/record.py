# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions about the recording of one stream: which step comes next, and the verdict in the end.

Nothing here makes a call or waits. A generator yields steps; the result of each is sent in, or its LiveError thrown. A
module carries them out alone, and the fleet those of many streams side by side.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .._api.error_codes import ACCEPTED, ALREADY_STARTED, NOT_PUSHED, STREAM_ABSENT
from .._api.models import CommandResponse, NotifyEvent, Stream
from .._api.operations import NOTIFY_RECORDS, STREAM_STATE
from .._errors import ApiError, LiveError, OutcomeUnknown, ParentExited
from .._util.clock import Clock
from .._util.poll import Poll
from . import confirmation, recording_state, verdicts
from .recording_state import Evidence
from .steps import (
    AwaitPush,
    Contents,
    History,
    PollLog,
    ReadContents,
    ReadHistory,
    ReadLog,
    ReadState,
    Send,
    Step,
    Steps,
)
from .verdicts import Verdict

_READ_FROM = timedelta(minutes=1)  # before the command, so that the window is never empty, however the clocks are set
_NEXT_POLL = 0.5  # seconds
_GOALS = {
    recording_state.RECORDING: "that the recording began",
    recording_state.STOPPED: "that the recording was paused",
    recording_state.FILE_CREATED: "that the file was made",
}


class _LogReading(NamedTuple):
    """The events that the notify log held before a command, and the state that they show."""

    events: list[NotifyEvent]
    evidence: Evidence


class _Command(NamedTuple):
    """A command that was sent, and its response."""

    name: str
    response: CommandResponse


def decide(stream: Stream, options: Mapping[str, Any], check_mode: bool, clock: Clock) -> Steps:
    """Yield the steps that bring a stream to the state in the options, and return the verdict."""
    return _predict(stream, options) if check_mode else _change_state(stream, options, clock)


def make_result(verdict: Verdict, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict as the entries of a result."""
    return {
        "changed": verdict.changed,
        "state": verdict.state,
        "previous_state": verdict.previous_state,
        "state_source": verdict.state_source,
        "commands": verdicts.list_commands(options["state"], options["finalize"]),
        "diff": {"before": {"state": verdict.previous_state}, "after": {"state": verdict.state}},
    }


def _predict(stream: Stream, options: Mapping[str, Any]) -> Steps:
    desired, finalize = options["state"], options["finalize"]
    online = yield ReadState()
    evidence = Evidence(recording_state.UNKNOWN)
    predicted: Verdict | None
    if desired == recording_state.RESTARTED:
        predicted = verdicts.predict_restart(online)
    elif desired == recording_state.STARTED:
        if online:
            evidence = (yield from _read_log()).evidence
        predicted = verdicts.predict_start(online, evidence, waits=options["wait_for_stream"] > 0)
    else:
        if online or finalize:
            evidence = (yield from _read_log()).evidence
        predicted = verdicts.predict_stop(online, evidence, finalize)
    if predicted is None:
        raise ApiError(
            f"{verdicts.list_commands(desired)[0]} of {stream} would be refused: {NOT_PUSHED.happened}",
            NOT_PUSHED.advice,
            action=STREAM_STATE.action,
        )
    return predicted


def _change_state(stream: Stream, options: Mapping[str, Any], clock: Clock) -> Steps:
    if options["state"] == recording_state.STOPPED:
        before, verdict, sent = yield from _stop(options["finalize"])
    else:
        # A command for a set time is sent before anything else.
        reads_first = options["wait"] and not options["start_at"]
        before = (yield from _read_log()) if reads_first else _LogReading([], Evidence(recording_state.UNKNOWN))
        begin = _start(options["wait_for_stream"], clock) if options["state"] == recording_state.STARTED else _restart()
        verdict, sent = yield from begin
    if not options["wait"] or not sent:  # Without a response, the verdict is from what was read after the command.
        return verdict
    try:
        return (yield from _confirm(stream, before, verdict, sent, options["wait_timeout"], clock))
    except LiveError as error:
        raise error.with_context(may_have_changed=verdict.changed) from error


def _start(seconds: float, clock: Clock) -> Generator[Step, Any, tuple[Verdict, list[_Command]]]:
    response = yield from _send_start(seconds, clock)
    before = Evidence(recording_state.UNKNOWN)
    if response.lost_at is not None and response.meaning == ALREADY_STARTED:
        before = yield from _read_state_before(response.lost_at)
    return verdicts.judge_start(response, before), [_Command("start", response)]


def _send_start(seconds: float, clock: Clock) -> Generator[Step, Any, CommandResponse]:
    """Send `start`; while the stream is absent, wait at most so many seconds for its push and send `start` again."""
    response: CommandResponse = yield Send("start")
    poll = Poll(clock, seconds)
    while response.meaning == STREAM_ABSENT and seconds:
        if not (yield AwaitPush(poll)):
            return _add_wait(response, seconds)
        response = yield Send("start")
    return response


def _add_wait(response: CommandResponse, seconds: float) -> CommandResponse:
    """Have the error of a response say how long the stream was waited for."""
    error = response.error
    if error is None:
        return response
    return response._replace(
        error=error.with_context(happened=f"{error.happened}, and did not appear within {seconds:g} seconds")
    )


def _read_state_before(lost_at: float) -> Generator[Step, Any, Evidence]:
    """Return the state before a `start` whose response was lost, from the notify log."""
    try:
        history: History = yield ReadHistory(lost_at)
    except ParentExited:
        raise
    except LiveError as error:
        return _make_unknown(error)
    return recording_state.infer_state_before(*history)


def _restart() -> Generator[Step, Any, tuple[Verdict, list[_Command]]]:
    try:
        response = yield Send("restart")
    except OutcomeUnknown as error:
        source = yield from _find_proof(error.lost_at)
        if source is None:
            raise
        return verdicts.judge_proven_restart(source), []
    return verdicts.judge_restart(response), [_Command("restart", response)]


def _find_proof(lost_at: float) -> Generator[Step, Any, str | None]:
    """Return the source that shows the effect of a `restart`: the notify log or the record contents.

    None if neither does, which does not prove that the `restart` had no effect.
    """
    events: list[NotifyEvent] = []
    try:
        history: History = yield ReadHistory(lost_at)
        if recording_state.has_split(*history):
            return recording_state.FROM_NOTIFY_LOG
        events = history.events
    except ParentExited:
        return None
    except LiveError:
        pass  # The contents may be sufficient without the log.
    try:
        contents: Contents = yield ReadContents(lost_at)
    except LiveError:
        return None
    is_shown = recording_state.has_split(events, contents.sent, contents.tasks)
    return recording_state.FROM_RECORD_CONTENTS if is_shown else None


def _stop(finalize: bool) -> Generator[Step, Any, tuple[_LogReading, Verdict, list[_Command]]]:
    before = yield from _read_log()
    sent = yield from _send_stop(before.evidence, finalize)
    verdict = _judge_stop(sent, before.evidence)
    may_have_effect = any(row.response.meaning == ACCEPTED or row.response.after_lost_response for row in sent)
    if not verdict.changed and may_have_effect:
        before = yield from _reread_log(before, sent[0].response.sent)
        verdict = _judge_stop(sent, before.evidence)
    return before, verdict, sent


def _send_stop(before: Evidence, finalize: bool) -> Generator[Step, Any, list[_Command]]:
    """Send `stop`, and `cancel_delay` to finalize; raise the error of a response that is a failure."""
    sent = [_Command("stop", (yield Send("stop")))]
    stopped = _judge_stop(sent, before)
    if finalize:
        try:
            sent.append(_Command("cancel_delay", (yield Send("cancel_delay"))))
            _judge_stop(sent, before)
        except LiveError as error:
            # The log may have been late, and is not read again after a failure.
            accepted = sent[0].response.meaning == ACCEPTED
            may_have_changed = error.may_have_changed or stopped.changed or accepted
            raise error.with_context(may_have_changed=may_have_changed) from error
    return sent


def _judge_stop(sent: list[_Command], before: Evidence) -> Verdict:
    stopped = verdicts.judge_stop(sent[0].response, before)
    return verdicts.judge_cancel_delay(sent[1].response, before, stopped) if sent[1:] else stopped


def _read_log() -> Generator[Step, Any, _LogReading]:
    """Return what the notify log shows. It is only a hint, so a failure to read it is ignored."""
    try:
        events = yield ReadLog()
    except ParentExited:
        raise
    except LiveError as error:
        return _LogReading([], _make_unknown(error))
    return _LogReading(events, recording_state.infer_state(events))


def _reread_log(before: _LogReading, sent: datetime) -> Generator[Step, Any, _LogReading]:
    """Read the notify log again after a `stop` that seemed to change nothing; return the state when it was sent.

    The first read may have missed a recording that had just begun, because the log is late. By now it is complete.
    """
    try:
        events = yield ReadLog(pause=recording_state.LOG_DELAY)
    except ParentExited:
        raise
    except LiveError as error:
        return before._replace(evidence=_make_unknown(error))
    return before._replace(evidence=confirmation.infer_state_at(events, before.events, sent))


def _make_unknown(error: LiveError) -> Evidence:
    return Evidence(recording_state.UNKNOWN, f"the notify log could not be read: {error.happened}")


def _confirm(
    stream: Stream, before: _LogReading, verdict: Verdict, sent: list[_Command], seconds: float, clock: Clock
) -> Steps:
    """Return the verdict once the notify log confirms it; raise LiveError if it does not within so many seconds.

    If no new event is expected, the verdict counts as it is, or as confirmed if the log showed the state before.
    """
    expected = [(row, event) for row in sent if (event := confirmation.expect_event(*row, before.evidence))]
    if expected:
        yield from _await_event(stream, before, *expected[-1], seconds, clock)
    elif before.evidence.state != verdict.state:
        return verdict
    return verdict._replace(state_source=recording_state.FROM_NOTIFY_LOG)


def _await_event(
    stream: Stream, before: _LogReading, command: _Command, expected: str, seconds: float, clock: Clock
) -> Generator[Step, Any, None]:
    sent = command.response.sent
    newest = "it was not read"
    fresh: list[NotifyEvent] = []
    responded = clock.monotonic()
    poll = Poll(clock, seconds)
    while True:
        began = clock.monotonic()
        try:
            events = yield PollLog(sent - _READ_FROM, poll)
        except LiveError as error:
            if not error.retryable:
                happened = f"{command.name} was accepted, but cannot be confirmed: {error.happened}"
                raise error.with_context(happened=happened) from error
            newest = f"it could not be read: {error.happened}"
            continue
        if events is None:
            break
        fresh = confirmation.select_new_events(events, before.events, sent)
        newest = confirmation.describe_newest_event([*before.events, *events], fresh)
        is_complete = began - responded >= recording_state.LOG_DELAY
        if confirmation.is_confirmed(fresh, expected, sent, is_complete):
            return
        if fresh and not is_complete:
            # Once the log is complete, these events may be sufficient.
            poll.include(max(responded + recording_state.LOG_DELAY, clock.monotonic() + _NEXT_POLL))
    if not confirmation.is_confirmed(fresh, expected, sent, complete=True):
        raise _make_unconfirmed_error(command.name, stream, expected, seconds, newest)


def _make_unconfirmed_error(command: str, stream: Stream, expected: str, seconds: float, newest: str) -> LiveError:
    return LiveError(
        f"{command} of {stream} was accepted, but the notify log did not confirm {_GOALS[expected]} within "
        f"{seconds:g} seconds: {newest}",
        "Make sure with apsaravideo.live.apsaravideo_record_notify that the domain has a recording callback with "
        "status events, or raise wait_timeout.",
        action=NOTIFY_RECORDS.action,
    )
