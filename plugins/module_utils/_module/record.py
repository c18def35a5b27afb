# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation of the module apsaravideo_record: bring the recording of one stream to a state."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from .._api.error_codes import ACCEPTED, ALREADY_STARTED, NOT_PUSHED, STREAM_ABSENT
from .._api.models import CommandResponse, NotifyEvent, Stream
from .._api.operations import NOTIFY_RECORDS, STREAM_STATE
from .._domain import recording_state
from .._domain.recording_state import Evidence, Verdict
from .._domain.steps import (
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
    run_alone,
)
from .._errors import ApiError, InvalidOption, LiveError, OutcomeUnknown, ParentExited
from .._util.clock import Clock
from .._util.poll import Poll
from . import argspec
from .task import Task

SPEC = argspec.Spec(
    {
        **argspec.STREAM,
        "state": {
            "type": "str",
            "choices": [recording_state.STARTED, recording_state.STOPPED, recording_state.RESTARTED],
            "default": recording_state.STARTED,
        },
        "finalize": {"type": "bool", "default": False},
        "wait_for_stream": {"type": "int", "default": 0},
        "start_at": {"type": "str"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 300},
        **argspec.CONNECTION,
    }
)

_LOOK_BACK = timedelta(minutes=1)  # so that a window is never empty, however the clocks are set
_NEXT_LOOK = 0.5  # seconds
_CONFIRMED = {
    recording_state.RECORDING: "that the recording began",
    recording_state.STOPPED: "that the recording was paused",
    recording_state.FILE_CREATED: "that the file was made",
}


def operate(task: Task) -> dict[str, Any]:
    """Return the result of one run; raises LiveError where the state cannot be reached, or not confirmed in time."""
    options = task.options
    stream = Stream.checked(options["domain_name"], options["app_name"], options["stream_name"])
    task.known["stream"] = stream._asdict()
    check(options)
    live = task.live()
    verdict = run_alone(steps(stream, options, task.check_mode, task.clock), live, stream)
    task.warnings += verdict.warnings
    return result(verdict, options)


def check(options: Mapping[str, Any]) -> None:
    """Raises InvalidOption for options that no call should be made with."""
    if options["wait_for_stream"] < 0:
        seconds = options["wait_for_stream"]
        raise InvalidOption(f"The option wait_for_stream is {seconds}", "Give seconds, 0 not to wait.")
    if not options["wait_timeout"] > 0:
        raise InvalidOption(f"The option wait_timeout is {options['wait_timeout']}", "Give seconds, more than 0.")


def result(verdict: Verdict, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a result that a verdict fills."""
    return {
        "changed": verdict.changed,
        "state": verdict.state,
        "previous_state": verdict.previous_state,
        "state_source": verdict.state_source,
        "commands": recording_state.commands(options["state"], options["finalize"]),
        "diff": {"before": {"state": verdict.previous_state}, "after": {"state": verdict.state}},
    }


def steps(stream: Stream, options: Mapping[str, Any], check_mode: bool, clock: Clock) -> Steps:
    """Yield what to do for one stream, one step after another, and return the verdict.

    Nothing here makes a call or waits: a module carries the steps out alone, see `run_alone`, and a fleet those of many
    streams side by side. A step's answer is sent in, or its LiveError thrown.
    """
    return _predict(stream, options, clock) if check_mode else _apply(stream, options, clock)


class _Log(NamedTuple):
    """What the notify log held before a command, and what that says."""

    events: list[NotifyEvent]
    evidence: Evidence


class _Command(NamedTuple):
    """A command and its answer."""

    name: str
    answer: CommandResponse


def _apply(stream: Stream, options: Mapping[str, Any], clock: Clock) -> Steps:
    if options["state"] == recording_state.STOPPED:
        before = yield from _log()
        given = yield from _send_stop(before.evidence, options["finalize"])
        verdict = _judge(given, before.evidence)
        if not verdict.changed and any(
            row.answer.meaning == ACCEPTED or row.answer.after_lost_response for row in given
        ):
            before = yield from _look_again(before, given[0].answer)
            verdict = _judge(given, before.evidence)
    else:
        # At a time that was set, the command itself comes first.
        looks = options["wait"] and not options["start_at"]
        before = (yield from _log()) if looks else _Log([], Evidence(recording_state.UNKNOWN))
        verdict, given = yield from _begin(options, clock)
    if not options["wait"] or not given:  # Without a response, the verdict is what was read after the command.
        return verdict
    try:
        return (yield from _confirmed(stream, before, verdict, given, options["wait_timeout"], clock))
    except LiveError as error:
        error.may_have_changed = verdict.changed
        raise


def _begin(options: Mapping[str, Any], clock: Clock) -> Generator[Step, Any, tuple[Verdict, list[_Command]]]:
    if options["state"] == recording_state.STARTED:
        answer = yield from _start(options["wait_for_stream"], clock)
        return recording_state.after_start(answer, (yield from _before(answer))), [_Command("start", answer)]
    try:
        answer = yield Send("restart")
    except OutcomeUnknown as error:
        source = yield from _proof(error)
        if source is None:
            raise
        return recording_state.after_proven_restart(source), []
    return recording_state.after_restart(answer), [_Command("restart", answer)]


def _before(answer: CommandResponse) -> Generator[Step, Any, Evidence]:
    """Return what the notify log says about the time before a `start` of which the answer alone does not tell."""
    if answer.lost_at is None or answer.meaning != ALREADY_STARTED:
        return Evidence(recording_state.UNKNOWN)
    try:
        history: History = yield ReadHistory(answer.lost_at)
    except ParentExited:
        raise
    except LiveError as error:
        return _unreadable(error)
    return recording_state.evidence_before(*history)


def _proof(error: OutcomeUnknown) -> Generator[Step, Any, str | None]:
    """Return what shows that a `restart` took effect: the notify log, else the record contents; None for neither.

    That nothing shows it proves nothing.
    """
    events: list[NotifyEvent] = []
    try:
        history: History = yield ReadHistory(error.lost_at)
        if recording_state.has_split(*history):
            return recording_state.FROM_NOTIFY_LOG
        events = history.events
    except ParentExited:
        return None
    except LiveError:
        pass  # The contents may tell without it.
    try:
        contents: Contents = yield ReadContents(error.lost_at)
    except LiveError:
        return None
    shown = recording_state.has_split(events, contents.sent, contents.tasks)
    return recording_state.FROM_RECORD_CONTENTS if shown else None


def _send_stop(before: Evidence, finalize: bool) -> Generator[Step, Any, list[_Command]]:
    """Send `stop`, and `cancel_delay` to finalize; raises the error of an answer that is a failure."""
    given = [_Command("stop", (yield Send("stop")))]
    stopped = _judge(given, before)
    if finalize:
        try:
            given.append(_Command("cancel_delay", (yield Send("cancel_delay"))))
            _judge(given, before)
        except LiveError as error:
            # What the log said may be out of date, and nobody looks again.
            error.may_have_changed = error.may_have_changed or stopped.changed or given[0].answer.meaning == ACCEPTED
            raise
    return given


def _judge(given: list[_Command], before: Evidence) -> Verdict:
    stopped = recording_state.after_stop(given[0].answer, before)
    return recording_state.after_cancel_delay(given[1].answer, before, stopped) if given[1:] else stopped


def _look_again(before: _Log, stop: CommandResponse) -> Generator[Step, Any, _Log]:
    """Return what the notify log, complete by now, says about the moment of a `stop` that seemed to change nothing.

    It may have been late when it was read before the command, and not have shown a recording that had just begun.
    """
    try:
        events = yield ReadLog(pause=recording_state.LOG_DELAY)
    except ParentExited:
        raise
    except LiveError as error:
        return before._replace(evidence=_unreadable(error))
    return before._replace(evidence=recording_state.evidence_at(events, before.events, stop.sent))


def _confirmed(
    stream: Stream, before: _Log, verdict: Verdict, given: list[_Command], seconds: float, clock: Clock
) -> Steps:
    """Return the verdict when the notify log shows that it holds; raises where it does not within so many seconds.

    Where nothing new can be expected there, the verdict stands as it is, or as confirmed by what the log said before.
    """
    expected = [(row, wanted) for row in given if (wanted := recording_state.awaited(*row, before.evidence))]
    if expected:
        yield from _await_event(stream, before, *expected[-1], seconds, clock)
    elif before.evidence.state != verdict.state:
        return verdict
    return verdict._replace(state_source=recording_state.FROM_NOTIFY_LOG)


def _await_event(
    stream: Stream, before: _Log, command: _Command, wanted: str, seconds: float, clock: Clock
) -> Generator[Step, Any, None]:
    sent = command.answer.sent
    last = "it was not looked at"
    fresh: list[NotifyEvent] = []
    answered = clock.monotonic()
    poll = Poll(clock, seconds)
    while True:
        asked = clock.monotonic()
        try:
            events = yield PollLog(sent - _LOOK_BACK, poll)
        except LiveError as error:
            if not error.retryable:
                error.happened = f"{command.name} was accepted, but cannot be confirmed: {error.happened}"
                raise
            last = f"it could not be read: {error.happened}"
            continue
        if events is None:
            break
        fresh = recording_state.newer(events, before.events, sent)
        last = recording_state.last_seen([*before.events, *events], fresh)
        if recording_state.confirmed(fresh, wanted, sent, complete=asked - answered >= recording_state.LOG_DELAY):
            return
        if fresh and asked - answered < recording_state.LOG_DELAY:
            # From then on, what was seen confirms it.
            poll.include(max(answered + recording_state.LOG_DELAY, clock.monotonic() + _NEXT_LOOK))
    if recording_state.confirmed(fresh, wanted, sent, complete=True):
        return
    raise LiveError(
        f"{command.name} of {stream} was accepted, but the notify log did not confirm {_CONFIRMED[wanted]} within "
        f"{seconds:g} seconds: {last}",
        "Make sure with apsaravideo.live.apsaravideo_record_notify that the domain has a recording callback with "
        "status events, or raise wait_timeout.",
        action=NOTIFY_RECORDS.action,
    )


def _predict(stream: Stream, options: Mapping[str, Any], clock: Clock) -> Steps:
    wanted, finalize, seconds = (options[name] for name in ("state", "finalize", "wait_for_stream"))
    online = yield ReadState()
    if wanted == recording_state.RESTARTED:
        verdict = recording_state.predict_restart(online)
    elif wanted == recording_state.STARTED:
        seen = (yield from _log()).evidence if online else Evidence(recording_state.UNKNOWN)
        verdict = recording_state.predict_start(online, seen, waits=seconds > 0)
    else:
        seen = (yield from _log()).evidence if online or finalize else Evidence(recording_state.UNKNOWN)
        verdict = recording_state.predict_stop(online, seen, finalize)
    if verdict is None:
        raise _not_pushed(stream, wanted)
    return verdict


def _log() -> Generator[Step, Any, _Log]:
    """Return what the notify log says; it is only a hint, so not being able to read it stops nothing."""
    try:
        events = yield ReadLog()
    except ParentExited:
        raise
    except LiveError as error:
        return _Log([], _unreadable(error))
    return _Log(events, recording_state.evidence(events))


def _unreadable(error: LiveError) -> Evidence:
    return Evidence(recording_state.UNKNOWN, f"the notify log could not be read: {error.happened}")


def _start(seconds: float, clock: Clock) -> Generator[Step, Any, CommandResponse]:
    """Send `start`; while the stream is absent, wait up to so many seconds for its push and send `start` again."""
    answer: CommandResponse = yield Send("start")
    poll = Poll(clock, seconds)
    while answer.meaning == STREAM_ABSENT:
        if not seconds or not (yield AwaitPush(poll)):
            return _with_wait(answer, seconds)
        answer = yield Send("start")
    return answer


def _with_wait(answer: CommandResponse, seconds: float) -> CommandResponse:
    if seconds and answer.error:
        answer.error.happened += f", and did not appear within {seconds:g} seconds"
    return answer


def _not_pushed(stream: Stream, wanted: str) -> ApiError:
    command = recording_state.commands(wanted)[0]
    return ApiError(
        f"{command} of {stream} would be refused: {NOT_PUSHED.happened}",
        NOT_PUSHED.advice,
        action=STREAM_STATE.action,
    )
