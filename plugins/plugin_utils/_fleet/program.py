# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of streams: generators that yield a stream's steps from the beginning of a run to its end.

A program extends `record.decide`, which decides on one command. It returns the values of a result, or raises LiveError.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils._api.models import Stream
from ...module_utils._domain import record
from ...module_utils._domain.recording_state import RECORDING, STARTED, STOPPED, UNKNOWN, was_recorded_between
from ...module_utils._domain.steps import ReadLog
from ...module_utils._domain.windows import Window
from ...module_utils._errors import InvalidOption, LiveError
from ...module_utils._util.clock import Clock
from ...module_utils._util.text import format_duration
from .steps import AwaitNewPush, AwaitTime

Result = dict[str, Any]
Program = Generator[Any, Any, Result]

SCHEDULED = "scheduled"
VERIFIED = "verified"
WINDOWED = (SCHEDULED, VERIFIED)  # the states for which streams have windows
MAX_STOP_DELAY = 60.0  # seconds after the end of a window in which its recording may have been stopped
KEEP_RETRY_SECONDS = 30.0  # between attempts to start a stream that is to be kept recording and is being pushed


class Policy(NamedTuple):
    """The settings that the programs of all streams of a run share.

    `retry` and `recheck` are seconds between starts of a stream whose start failed, and of any stream; 0 means never.
    `grace` is how many seconds before the run a window may have ended whose stream is still stopped; None means any.
    """

    clock: Clock
    check_mode: bool = False
    keep: bool = False
    retry: float = 0.0
    recheck: float = 0.0
    grace: float | None = 600.0


def reach_state(stream: Stream, options: Mapping[str, Any], policy: Policy, warnings: list[str]) -> Program:
    """Change a stream to its desired state, not before `start_epoch` if that is set."""
    start_epoch = options.get("start_epoch")
    if start_epoch and not policy.check_mode:
        yield AwaitTime(start_epoch)
    verdict = yield from record.decide(stream, options, policy.check_mode, policy.clock)
    warnings += verdict.warnings
    return record.make_result(verdict, options)


def keep_recording(stream: Stream, options: Mapping[str, Any], policy: Policy, warnings: list[str]) -> Program:
    """Start a stream, and start it again at each new push within `wait_for_stream` seconds."""
    until = max(policy.clock.now(), options.get("start_epoch") or 0.0) + options["wait_for_stream"]
    result = yield from reach_state(stream, options, policy, warnings)
    try:
        while not policy.check_mode and (yield AwaitNewPush(until)):
            left = max(0, int(until - policy.clock.now()))
            again = yield from reach_state(stream, {**options, "wait_for_stream": left}, policy, warnings)
            result = {**again, "changed": result["changed"] or again["changed"]}
    except LiveError as error:
        raise error.with_context(may_have_changed=error.may_have_changed or result["changed"]) from error
    return result


def record_windows(
    stream: Stream, options: Mapping[str, Any], windows: Sequence[Window], policy: Policy, warnings: list[str]
) -> Program:
    """Record a stream in each of its windows, which are in order and do not overlap."""
    began = policy.clock.now()
    coming = [window for window in windows if window.stop.epoch > began]
    last_ended = windows[-len(coming) - 1] if len(coming) < len(windows) else None
    if policy.check_mode:
        return (yield from _predict(stream, options, coming, last_ended, policy, warnings))
    if last_ended and not coming:
        return (yield from _stop_late(stream, options, last_ended, policy, warnings))
    total = _Total()
    if last_ended and coming[0].start.epoch > began and _may_stop_late(last_ended, policy):
        yield from total.run(_stop(stream, options, policy, warnings))
    for window in coming:
        yield AwaitTime(window.start.epoch, deadline=window.stop.epoch)
        recording = _WindowRecording(stream, {**options, "state": STARTED}, policy, warnings)
        yield from recording.keep_until(window.stop.epoch)
        total.add(recording.changed, recording.failure)
        yield AwaitTime(window.stop.epoch)
        yield from total.run(_stop(stream, options, policy, warnings))
    return total.result()


class _Total:
    """The combined result of the parts of a program, all of which are run even if an earlier one fails."""

    def __init__(self) -> None:
        self._last: Result = {"state": UNKNOWN}
        self._changed = False
        self._failure: LiveError | None = None

    def add(self, changed: bool, failure: LiveError | None) -> None:
        """Add whether a part changed something, and its error if it failed."""
        self._changed = self._changed or changed
        self._failure = self._failure or failure

    def run(self, part: Program) -> Generator[Any, Any, None]:
        """Run a part and add its result."""
        try:
            self._last = yield from part
        except LiveError as error:
            self.add(error.may_have_changed, error)
        else:
            self.add(self._last["changed"], None)

    def result(self) -> Result:
        """Return the last part's result, as changed if any part changed something; raise the first error, if any."""
        if self._failure:
            raise self._failure.with_context(may_have_changed=self._changed) from self._failure
        return {**self._last, "changed": self._changed}


def _stop(stream: Stream, options: Mapping[str, Any], policy: Policy, warnings: list[str]) -> Program:
    stopping = {**options, "state": STOPPED}
    verdict = yield from record.decide(stream, stopping, False, policy.clock)
    warnings += [text for text in verdict.warnings if text not in warnings]
    return record.make_result(verdict, stopping)


class _WindowRecording:
    """The recording of a stream in one window.

    `failure` is set while no start has succeeded. `changed`: a start has begun a recording.
    """

    def __init__(self, stream: Stream, options: dict[str, Any], policy: Policy, warnings: list[str]) -> None:
        self._stream = stream
        self._options = options
        self._policy = policy
        self._warnings = warnings
        self._was_recorded = False
        self._is_failing = False
        self.failure: LiveError | None = None
        self.changed = False

    def keep_until(self, stop: float) -> Generator[Any, Any, None]:
        """Start the stream, and start it again as the policy demands, until `stop` in seconds since the epoch."""
        while True:
            yield from self._start(stop)
            until = min(stop, self._next_attempt(self._policy.clock.now()))
            is_new_push = False
            if self._policy.keep:
                is_new_push = yield from self._await_new_push(until, stop)
            else:
                yield AwaitTime(until, deadline=stop)
            if until >= stop and not is_new_push:
                return

    def _await_new_push(self, until: float, stop: float) -> Generator[Any, Any, bool]:
        """Wait for a new push; if the pushes cannot be read, warn and try again until the time is over."""
        while True:
            try:
                return bool((yield AwaitNewPush(until)))
            except LiveError as error:
                doubt = f"The push of {self._stream} could not be watched for a while: {error}"
                self._warnings += [doubt] if doubt not in self._warnings else []
                again = min(until, self._policy.clock.now() + KEEP_RETRY_SECONDS)
                yield AwaitTime(again, deadline=stop)
                if again >= until:
                    return False

    def _start(self, stop: float) -> Generator[Any, Any, None]:
        left = max(1, int(stop - self._policy.clock.now()))
        bounded = {name: min(self._options[name], left) for name in ("wait_for_stream", "wait_timeout")}
        options = {**self._options, **bounded}
        try:
            verdict = yield from record.decide(self._stream, options, False, self._policy.clock)
        except LiveError as error:
            self._is_failing = True
            if not self._was_recorded:
                self.failure = error
            return
        self._was_recorded, self._is_failing, self.failure = True, False, None
        self.changed = self.changed or verdict.changed
        self._warnings += [text for text in verdict.warnings if text not in self._warnings]

    def _next_attempt(self, now: float) -> float:
        policy = self._policy
        intervals = [policy.recheck] if policy.recheck else []
        if self._is_failing:
            intervals += [policy.retry] if policy.retry else [KEEP_RETRY_SECONDS] if policy.keep else []
        return now + min(intervals) if intervals else float("inf")


def _may_stop_late(window: Window, policy: Policy) -> bool:
    """Return whether a window ended within the grace, so that its stream may still be stopped."""
    return policy.grace is None or policy.clock.now() - window.stop.epoch <= policy.grace


def _stop_late(
    stream: Stream, options: Mapping[str, Any], window: Window, policy: Policy, warnings: list[str]
) -> Program:
    """Stop a stream whose last window ended before the run; raise InvalidOption if it was not recorded in the window.

    An earlier run may have recorded it, or was interrupted and left it recording; the notify log shows which.
    """
    times = f"The window of {stream} from {window.start.text} to {window.stop.text}"
    if not _may_stop_late(window, policy):
        late = format_duration(policy.clock.now() - window.stop.epoch)
        raise InvalidOption(
            f"{times} ended {late} before the run began, so nothing was sent",
            "Give a window to come, or set window_over=stop to stop what may still be recorded.",
        )
    result = yield from _stop(stream, options, policy, warnings)
    if result["previous_state"] != RECORDING and not (yield from _was_recorded(window)):
        failure = InvalidOption(
            f"{times} was over when the run began: not recorded, and stopped now", "Begin the run before the window."
        )
        failure.may_have_changed = result["changed"]
        raise failure
    return result


def _was_recorded(window: Window) -> Generator[Any, Any, bool]:
    """Return whether the notify log shows a recording in a window, whose stop may have come a little late."""
    try:
        events = yield ReadLog()
    except LiveError:
        return False
    return was_recorded_between(events, window.start.epoch, window.stop.epoch + MAX_STOP_DELAY)


def _predict(
    stream: Stream,
    options: Mapping[str, Any],
    coming: Sequence[Window],
    last_ended: Window | None,
    policy: Policy,
    warnings: list[str],
) -> Program:
    """Predict the first command; later ones depend on what happens until then."""
    if not coming and last_ended and not _may_stop_late(last_ended, policy):
        return (yield from _stop_late(stream, options, last_ended, policy, warnings))
    is_open = bool(coming) and coming[0].start.epoch <= policy.clock.now()
    # A stream need not be pushed before its window begins.
    wait = 0 if is_open and not policy.keep else 1
    first = {**options, "state": STARTED if coming else STOPPED, "wait_for_stream": wait}
    verdict = yield from record.decide(stream, first, True, policy.clock)
    warnings += verdict.warnings
    return record.make_result(verdict, first)
