# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation of the module apsaravideo_record: bring the recording of one stream to a state."""

from __future__ import annotations

import random
from typing import Any

from . import _argspec, _recording
from ._errors import STREAM_ABSENT, AnswerLost, ApiError, LiveError
from ._live import CommandAnswer, Live, Stream
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
        **_argspec.CONNECTION,
    }
)

_FIRST_POLL = 0.5  # seconds
_LONGEST_POLL = 10.0  # seconds


def operate(task: Task) -> dict[str, Any]:
    """The result of one run; raises LiveError where the state cannot be reached."""
    options = task.options
    stream = Stream.checked(options["domain_name"], options["app_name"], options["stream_name"])
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
        "stream": stream._asdict(),
        "diff": {"before": {"state": verdict.previous_state}, "after": {"state": verdict.state}},
    }


def _apply(task: Task, live: Live, stream: Stream) -> Verdict:
    wanted = task.options["state"]
    if wanted == _recording.STARTED:
        return _recording.after_start(_start(live, stream, task.options["wait_for_stream"]))
    if wanted == _recording.RESTARTED:
        return _recording.after_restart(live.record_command(stream, "restart"))
    before = _evidence(live, stream)
    verdict = _recording.after_stop(live.record_command(stream, "stop"), before)
    return _finalize(live, stream, before, verdict) if task.options["finalize"] else verdict


def _finalize(live: Live, stream: Stream, before: Evidence, stopped: Verdict) -> Verdict:
    try:
        return _recording.after_cancel_delay(live.record_command(stream, "cancel_delay"), before, stopped)
    except LiveError as error:
        error.may_have_changed = error.may_have_changed or stopped.changed
        raise


def _predict(task: Task, live: Live, stream: Stream) -> Verdict:
    wanted, finalize, seconds = (task.options[name] for name in ("state", "finalize", "wait_for_stream"))
    online = live.is_online(stream)
    if wanted == _recording.RESTARTED:
        verdict = _recording.predict_restart(online)
    elif wanted == _recording.STARTED:
        seen = _evidence(live, stream) if online else Evidence(_recording.UNKNOWN)
        verdict = _recording.predict_start(online, seen, waits=seconds > 0)
    else:
        seen = _evidence(live, stream) if online or finalize else Evidence(_recording.UNKNOWN)
        verdict = _recording.predict_stop(online, seen, finalize)
    if verdict is None:
        raise _not_pushed(stream, wanted)
    return verdict


def _evidence(live: Live, stream: Stream) -> Evidence:
    """What the notify log says; it is only a hint, so not being able to read it stops nothing."""
    try:
        return _recording.evidence(live.notify_events(stream))
    except (ApiError, AnswerLost) as error:
        return Evidence(_recording.UNKNOWN, f"the notify log could not be read: {error.happened}")


def _start(live: Live, stream: Stream, seconds: float) -> CommandAnswer:
    """Send `start`; while the stream is absent, watch for it up to so many seconds and send `start` again."""
    clock = live.client.clock
    poll = _FIRST_POLL
    answer = live.record_command(stream, "start")
    deadline = clock.monotonic() + seconds
    while answer.meaning == STREAM_ABSENT:
        left = deadline - clock.monotonic()
        if left <= 0:
            return _with_wait(answer, seconds)
        live.client.wait(min(left, poll * random.uniform(0.75, 1.25)))
        poll = min(_LONGEST_POLL, poll * 1.5)
        if live.is_online(stream):
            answer = live.record_command(stream, "start")
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
        action="DescribeLiveStreamState",
    )
