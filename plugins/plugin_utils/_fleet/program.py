# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of streams: which steps a stream takes from the beginning of a run to its end.

A program is a generator like that of `record.steps`, of which it is made. It returns the entries of a result, or
raises LiveError.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils._api.models import Stream
from ...module_utils._domain import record
from ...module_utils._domain.recording_state import RECORDING, STARTED, STOPPED, UNKNOWN, recorded_between
from ...module_utils._domain.steps import ReadLog
from ...module_utils._domain.windows import Window
from ...module_utils._errors import InvalidOption, LiveError
from ...module_utils._util.clock import Clock
from ...module_utils._util.text import format_duration
from .steps import At, AwaitNewPush

Result = dict[str, Any]
Program = Generator[Any, Any, Result]

SCHEDULED = "scheduled"
_STOPPED_WITHIN = 60.0  # seconds after the end of a window
KEEP_RETRY = 30.0  # seconds between attempts to start a stream that is to be kept recording and is being pushed


class Run(NamedTuple):
    """Settings that the programs of all streams of a run share.

    `retry` and `recheck` are seconds between attempts to start what failed, and between checks of all; 0: never.
    `grace` is how many seconds before the beginning of the run a window may have ended that is stopped all the same,
    None for any number.
    """

    clock: Clock
    check_mode: bool = False
    keep: bool = False
    retry: float = 0.0
    recheck: float = 0.0
    grace: float | None = 600.0


def once(stream: Stream, options: Mapping[str, Any], run: Run, warnings: list[str]) -> Program:
    """Bring a stream to a state, at `start_at` where that is set."""
    start_at = options.get("start_epoch")
    if start_at and not run.check_mode:
        yield At(start_at)
    verdict = yield from record.steps(stream, options, run.check_mode, run.clock)
    warnings += verdict.warnings
    return record.result(verdict, options)


def kept(stream: Stream, options: Mapping[str, Any], run: Run, warnings: list[str]) -> Program:
    """Start a stream, and again whenever its push begins anew within `wait_for_stream` seconds."""
    until = max(run.clock.now(), options.get("start_epoch") or 0.0) + options["wait_for_stream"]
    found = yield from once(stream, options, run, warnings)
    try:
        while not run.check_mode and (yield AwaitNewPush(until)):
            left = max(0, int(until - run.clock.now()))
            again = yield from once(stream, {**options, "wait_for_stream": left}, run, warnings)
            found = {**again, "changed": found["changed"] or again["changed"]}
    except LiveError as error:
        error.may_have_changed = error.may_have_changed or found["changed"]
        raise
    return found


def scheduled(
    stream: Stream, options: Mapping[str, Any], windows: Sequence[Window], run: Run, warnings: list[str]
) -> Program:
    """Record a stream in each of its windows, which are merged and in order."""
    began = run.clock.now()
    left = [window for window in windows if window.stop.epoch > began]
    over = windows[-len(left) - 1] if len(left) < len(windows) else None
    if run.check_mode:
        return (yield from _predicted(stream, options, left, over, run, warnings))
    outcome = _Outcome()
    if over and not left:
        return (yield from _stop_late(stream, options, over, run, warnings))
    if over and left[0].start.epoch > began and _is_stopped_late(over, run):
        yield from outcome.take(_stop(stream, options, run, warnings))
    for window in left:
        yield At(window.start.epoch, give_up=window.stop.epoch)
        started = _Started(stream, {**options, "state": STARTED}, run, warnings)
        yield from started.keep_until(window.stop.epoch)
        outcome.add(started.changed, started.failure)
        yield At(window.stop.epoch)
        yield from outcome.take(_stop(stream, options, run, warnings))
    return outcome.result()


class _Outcome:
    """Collects the results of the parts of a program; the first error is raised in the end, when all were tried."""

    def __init__(self) -> None:
        self._found: Result = {"state": UNKNOWN}
        self._changed = False
        self._failure: LiveError | None = None

    def add(self, changed: bool, failure: LiveError | None) -> None:
        """Add whether a part changed something, and the error of one that failed."""
        self._changed = self._changed or changed
        self._failure = self._failure or failure

    def take(self, part: Program) -> Generator[Any, Any, None]:
        """Carry out a part."""
        try:
            self._found = yield from part
        except LiveError as error:
            self.add(error.may_have_changed, error)
        else:
            self.add(self._found["changed"], None)

    def result(self) -> Result:
        """Return the result of the last part, with the changes of all; raises the first error."""
        if self._failure:
            self._failure.may_have_changed = self._changed
            raise self._failure
        return {**self._found, "changed": self._changed}


def _stop(stream: Stream, options: Mapping[str, Any], run: Run, warnings: list[str]) -> Program:
    stopping = {**options, "state": STOPPED}
    verdict = yield from record.steps(stream, stopping, False, run.clock)
    warnings += [text for text in verdict.warnings if text not in warnings]
    return record.result(verdict, stopping)


class _Started:
    """Keeps a stream recording until a moment.

    `failure` is that of a stream that was not recorded at any time. `changed`: whether a start began a recording.
    """

    def __init__(self, stream: Stream, options: dict[str, Any], run: Run, warnings: list[str]) -> None:
        self._stream = stream
        self._options = options
        self._run = run
        self._warnings = warnings
        self._recorded = False
        self._failing = False
        self.failure: LiveError | None = None
        self.changed = False

    def keep_until(self, stop: float) -> Generator[Any, Any, None]:
        """Start the stream, and again as often as the run asks for, until a moment of the wall clock."""
        while True:
            yield from self._start(stop)
            until = min(stop, self._next_attempt(self._run.clock.now()))
            anew = False
            if self._run.keep:
                anew = yield from self._await_new_push(until, stop)
            else:
                yield At(until, give_up=stop)
            if until >= stop and not anew:
                return

    def _await_new_push(self, until: float, stop: float) -> Generator[Any, Any, bool]:
        """Wait for a new push. Where the list of pushes cannot be had for a while, the stop is due all the same."""
        while True:
            try:
                return bool((yield AwaitNewPush(until)))
            except LiveError as error:
                doubt = f"The push of {self._stream} could not be watched for a while: {error}"
                self._warnings += [doubt] if doubt not in self._warnings else []
                again = min(until, self._run.clock.now() + KEEP_RETRY)
                yield At(again, give_up=stop)
                if again >= until:
                    return False

    def _start(self, stop: float) -> Generator[Any, Any, None]:
        left = max(1, int(stop - self._run.clock.now()))
        bounded = {name: min(self._options[name], left) for name in ("wait_for_stream", "wait_timeout")}
        options = {**self._options, **bounded}
        try:
            verdict = yield from record.steps(self._stream, options, False, self._run.clock)
        except LiveError as error:
            self._failing = True
            if not self._recorded:
                self.failure = error
            return
        self._recorded, self._failing, self.failure = True, False, None
        self.changed = self.changed or verdict.changed
        self._warnings += [text for text in verdict.warnings if text not in self._warnings]

    def _next_attempt(self, now: float) -> float:
        run = self._run
        intervals = [run.recheck] if run.recheck else []
        if self._failing:
            intervals += [run.retry] if run.retry else [KEEP_RETRY] if run.keep else []
        return now + min(intervals) if intervals else float("inf")


def _is_stopped_late(over: Window, run: Run) -> bool:
    """Return whether a window ended so short a time ago that its stream is stopped all the same."""
    return run.grace is None or run.clock.now() - over.stop.epoch <= run.grace


def _stop_late(stream: Stream, options: Mapping[str, Any], over: Window, run: Run, warnings: list[str]) -> Program:
    """Stop a stream whose window ended before the run began; raises InvalidOption where it was not recorded in it.

    An earlier run may have recorded it, or have been interrupted and left it recording, which the notify log tells.
    """
    times = f"The window of {stream} from {over.start.text} to {over.stop.text}"
    if not _is_stopped_late(over, run):
        late = format_duration(run.clock.now() - over.stop.epoch)
        raise InvalidOption(
            f"{times} ended {late} before the run began, so nothing was sent",
            "Correct the times, or set window_over=stop to stop what may still be recorded.",
        )
    found = yield from _stop(stream, options, run, warnings)
    if found["previous_state"] != RECORDING and not (yield from _was_recorded(over)):
        failure = InvalidOption(
            f"{times} was over when the run began: not recorded, and stopped now", "Begin the run before the window."
        )
        failure.may_have_changed = found["changed"]
        raise failure
    return found


def _was_recorded(window: Window) -> Generator[Any, Any, bool]:
    """Return whether the notify log tells of a recording in a window, which may be stopped a little late."""
    try:
        events = yield ReadLog()
    except LiveError:
        return False
    return recorded_between(events, window.start.epoch, window.stop.epoch + _STOPPED_WITHIN)


def _predicted(
    stream: Stream,
    options: Mapping[str, Any],
    left: Sequence[Window],
    over: Window | None,
    run: Run,
    warnings: list[str],
) -> Program:
    """Predict the first thing that is to be done; what comes after it depends on what nobody knows yet."""
    if not left and over and not _is_stopped_late(over, run):
        return (yield from _stop_late(stream, options, over, run, warnings))
    is_open = bool(left) and left[0].start.epoch <= run.clock.now()
    # A stream need not be pushed yet where its window has not begun.
    waits = 0 if is_open and not run.keep else 1
    first = {**options, "state": STARTED if left else STOPPED, "wait_for_stream": waits}
    verdict = yield from record.steps(stream, first, True, run.clock)
    warnings += verdict.warnings
    return record.result(verdict, first)
