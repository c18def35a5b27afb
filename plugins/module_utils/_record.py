# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation of the module apsaravideo_record: bring the recording of one stream to a state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from . import _argspec, _recording
from ._errors import STREAM_ABSENT, AnswerLost, ApiError, InvalidOption, LiveError
from ._live import CommandAnswer, Live, NotifyEvent, Stream, Window
from ._operations import NOTIFY_RECORDS, STREAM_STATE
from ._recording import Evidence, Verdict
from ._task import Task

SPEC = _argspec.Spec(
    {
        **_argspec.STREAM,
        "state": {
            "type": "str",
            "choices": [_recording.STARTED, _recording.STOPPED, _recording.RESTARTED],
            "default": _recording.STARTED,
        },
        "finalize": {"type": "bool", "default": False},
        "wait_for_stream": {"type": "int", "default": 0},
        "start_at": {"type": "str"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 300},
        **_argspec.CONNECTION,
    }
)

_LOOK_BACK = timedelta(minutes=1)  # so that a window is never empty, however the clocks are set
_CONFIRMED = {
    _recording.RECORDING: "that the recording began",
    _recording.STOPPED: "that the recording was paused",
    _recording.FILE_CREATED: "that the file was made",
}


def operate(task: Task) -> dict[str, Any]:
    """The result of one run; raises LiveError where the state cannot be reached, or not confirmed in time."""
    options = task.options
    stream = Stream.checked(options["domain_name"], options["app_name"], options["stream_name"])
    task.known["stream"] = stream._asdict()
    if not options["wait_timeout"] > 0:
        raise InvalidOption(f"The option wait_timeout is {options['wait_timeout']}", "Give seconds, more than 0.")
    wanted = options["state"]
    live = task.live()
    verdict = _predict(task, live, stream) if task.check_mode else _apply(task, live, stream)
    task.warnings += verdict.warnings
    return {
        "changed": verdict.changed,
        "state": verdict.state,
        "previous_state": verdict.previous_state,
        "state_source": verdict.state_source,
        "commands": _recording.commands(wanted, options["finalize"]),
        "diff": {"before": {"state": verdict.previous_state}, "after": {"state": verdict.state}},
    }


class _Log(NamedTuple):
    """What the notify log held before a command, and what that says."""

    events: list[NotifyEvent]
    evidence: Evidence


class _Command(NamedTuple):
    """A command and its answer."""

    name: str
    answer: CommandAnswer


def _apply(task: Task, live: Live, stream: Stream) -> Verdict:
    options = task.options
    if options["state"] == _recording.STOPPED:
        before = _log(live, stream)
        verdict, given = _stop(live, stream, before.evidence, options["finalize"])
    else:
        # At a time that was set, the command itself comes first.
        looks = options["wait"] and not options["start_at"]
        before = _log(live, stream) if looks else _Log([], Evidence(_recording.UNKNOWN))
        verdict, given = _begin(live, stream, options)
    if not options["wait"]:
        return verdict
    try:
        return _confirmed(live, stream, before, verdict, given, options["wait_timeout"])
    except LiveError as error:
        error.may_have_changed = verdict.changed
        raise


def _begin(live: Live, stream: Stream, options: Mapping[str, Any]) -> tuple[Verdict, list[_Command]]:
    if options["state"] == _recording.STARTED:
        answer = _start(live, stream, options["wait_for_stream"])
        return _recording.after_start(answer), [_Command("start", answer)]
    answer = live.record_command(stream, "restart")
    return _recording.after_restart(answer), [_Command("restart", answer)]


def _stop(live: Live, stream: Stream, before: Evidence, finalize: bool) -> tuple[Verdict, list[_Command]]:
    answer = live.record_command(stream, "stop")
    stopped = _recording.after_stop(answer, before)
    given = [_Command("stop", answer)]
    if not finalize:
        return stopped, given
    try:
        answer = live.record_command(stream, "cancel_delay")
        return _recording.after_cancel_delay(answer, before, stopped), [*given, _Command("cancel_delay", answer)]
    except LiveError as error:
        error.may_have_changed = error.may_have_changed or stopped.changed
        raise


def _confirmed(
    live: Live, stream: Stream, before: _Log, verdict: Verdict, given: list[_Command], seconds: float
) -> Verdict:
    """The verdict when the notify log shows that it holds; raises where it does not within so many seconds.

    Where nothing new can be expected there, the verdict stands as it is, or as confirmed by what the log said before.
    """
    expected = [(row, wanted) for row in given if (wanted := _recording.awaited(*row, before.evidence))]
    if expected:
        _await_event(live, stream, before, *expected[-1], seconds)
    elif before.evidence.state != verdict.state:
        return verdict
    return verdict._replace(state_source=_recording.FROM_NOTIFY_LOG)


def _await_event(live: Live, stream: Stream, before: _Log, command: _Command, wanted: str, seconds: float) -> None:
    sent = command.answer.sent
    last = "it was not looked at"

    def look() -> bool | None:
        nonlocal last
        try:
            events = live.notify_events(stream, Window(sent - _LOOK_BACK, live.now()))
        except LiveError as error:
            if not error.retryable:
                error.happened = f"{command.name} was accepted, but cannot be confirmed: {error.happened}"
                raise
            last = f"it could not be read: {error.happened}"
            return None
        fresh = _recording.newer(events, before.events, sent)
        last = _recording.last_seen([*before.events, *events], fresh)
        return _recording.confirms(fresh, wanted) or None

    if not live.client.poll(look, seconds):
        raise LiveError(
            f"{command.name} of {stream} was accepted, but the notify log did not confirm {_CONFIRMED[wanted]} within "
            f"{seconds:g} seconds: {last}",
            "Make sure with apsaravideo.live.apsaravideo_record_notify that the domain has a recording callback with "
            "status events, or raise wait_timeout.",
            action=NOTIFY_RECORDS.action,
        )


def _predict(task: Task, live: Live, stream: Stream) -> Verdict:
    wanted, finalize, seconds = (task.options[name] for name in ("state", "finalize", "wait_for_stream"))
    online = live.is_online(stream)
    if wanted == _recording.RESTARTED:
        verdict = _recording.predict_restart(online)
    elif wanted == _recording.STARTED:
        seen = _log(live, stream).evidence if online else Evidence(_recording.UNKNOWN)
        verdict = _recording.predict_start(online, seen, waits=seconds > 0)
    else:
        seen = _log(live, stream).evidence if online or finalize else Evidence(_recording.UNKNOWN)
        verdict = _recording.predict_stop(online, seen, finalize)
    if verdict is None:
        raise _not_pushed(stream, wanted)
    return verdict


def _log(live: Live, stream: Stream) -> _Log:
    """What the notify log says; it is only a hint, so not being able to read it stops nothing."""
    try:
        events = live.notify_events(stream)
    except (ApiError, AnswerLost) as error:
        return _Log([], Evidence(_recording.UNKNOWN, f"the notify log could not be read: {error.happened}"))
    return _Log(events, _recording.evidence(events))


def _start(live: Live, stream: Stream, seconds: float) -> CommandAnswer:
    """Send `start`; while the stream is absent, watch for it up to so many seconds and send `start` again."""
    answer = live.record_command(stream, "start")

    def look() -> CommandAnswer | None:
        nonlocal answer
        if live.is_online(stream):
            answer = live.record_command(stream, "start")
        return None if answer.meaning == STREAM_ABSENT else answer

    if answer.meaning == STREAM_ABSENT and not live.client.poll(look, seconds):
        return _with_wait(answer, seconds)
    return answer


def _with_wait(answer: CommandAnswer, seconds: float) -> CommandAnswer:
    if seconds and answer.error:
        answer.error.happened += f", and did not appear within {seconds:g} seconds"
    return answer


def _not_pushed(stream: Stream, wanted: str) -> ApiError:
    command = _recording.commands(wanted)[0]
    return ApiError(
        f"{command} of {stream} would be refused: the stream is not being pushed",
        "Check domain_name, app_name and stream_name, begin the push, or set wait_for_stream.",
        action=STREAM_STATE.action,
    )
