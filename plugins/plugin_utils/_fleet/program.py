# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of streams: which steps a stream takes from the beginning of a run to its end.

A program is a generator like that of `_record.steps`, of which it is made. It returns the entries of a result, or
raises LiveError.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils import _record
from ...module_utils._answer import span as format_duration
from ...module_utils._client import Clock
from ...module_utils._errors import InvalidOption, LiveError
from ...module_utils._live import Stream
from ...module_utils._recording import RECORDING, STARTED, STOPPED, UNKNOWN, Verdict, recorded_between
from ...module_utils._steps import ReadLog
from ...module_utils._windows import Window
from .steps import At, AwaitNewPush

Result = dict[str, Any]
Program = Generator[Any, Any, Result]

SCHEDULED = "scheduled"
_STOPPED_WITHIN = 60.0  # seconds after the end of a window
KEEP_RETRY = 30.0  # seconds between attempts to start a stream that is to be kept recording and is being pushed


class Run(NamedTuple):
    """What the programs of all streams of a run have in common.

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
    verdict = yield from _record.steps(stream, options, run.check_mode, run.clock)
    warnings += verdict.warnings
    return _record.result(verdict, options)


def kept(stream: Stream, options: Mapping[str, Any], run: Run, warnings: list[str]) -> Program:
    """Start a stream, and again whenever its push begins anew within `wait_for_stream` seconds."""
    until = run.clock.now() + options["wait_for_stream"]
    found = yield from once(stream, options, run, warnings)
    while not run.check_mode and (yield AwaitNewPush(until)):
        left = max(0, int(until - run.clock.now()))
        again = yield from once(stream, {**options, "wait_for_stream": left}, run, warnings)
        found = {**again, "changed": found["changed"] or again["changed"]}
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
    if over and not (left and left[0].start.epoch <= began):
        found = yield from _stop_late(stream, options, over, run, warnings, required=not left)
        if not left:
            return found
    return (yield from _in_windows(stream, options, left, run, warnings))


def _in_windows(
    stream: Stream, options: Mapping[str, Any], windows: Sequence[Window], run: Run, warnings: list[str]
) -> Program:
    changed = False
    missed: LiveError | None = None
    found: Result = {"changed": False, "state": UNKNOWN}
    for window in windows:
        yield At(window.start.epoch, give_up=window.stop.epoch)
        started = _Started(stream, {**options, "state": STARTED}, run, warnings)
        yield from started.keep_until(window.stop.epoch)
        missed = missed or started.failure
        yield At(window.stop.epoch)
        stopping = {**options, "state": STOPPED}
        verdict: Verdict = yield from _record.steps(stream, stopping, False, run.clock)
        found = _record.result(verdict, stopping)
        changed = changed or started.changed or verdict.changed
    if missed:
        missed.may_have_changed = changed
        raise missed
    return {**found, "changed": changed}


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
                anew = yield AwaitNewPush(until)
            else:
                yield At(until, give_up=stop)
            if until >= stop and not anew:
                return

    def _start(self, stop: float) -> Generator[Any, Any, None]:
        left = max(0, int(stop - self._run.clock.now()))
        options = {**self._options, "wait_for_stream": min(self._options["wait_for_stream"], left)}
        try:
            verdict = yield from _record.steps(self._stream, options, False, self._run.clock)
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


def _stop_late(
    stream: Stream, options: Mapping[str, Any], over: Window, run: Run, warnings: list[str], required: bool
) -> Program:
    """Stop a stream whose window ended before the run began; raises InvalidOption where it was not recorded in it.

    An earlier run may have recorded it, or have been interrupted and left it recording, which the notify log tells.
    """
    late = run.clock.now() - over.stop.epoch
    if run.grace is not None and late > run.grace:
        if not required:
            return {}
        raise InvalidOption(
            f"The window of {stream} from {over.start.text} to {over.stop.text} ended {format_duration(late)} before "
            "the run began, so nothing was sent",
            "Correct the times, or set window_over=stop to stop what may still be recorded.",
        )
    stopping = {**options, "state": STOPPED}
    verdict = yield from _record.steps(stream, stopping, False, run.clock)
    if required and verdict.previous_state != RECORDING and not (yield from _was_recorded(over)):
        failure = InvalidOption(
            f"The window of {stream} from {over.start.text} to {over.stop.text} was over when the run began: "
            "not recorded, and stopped now",
            "Begin the run before the window.",
        )
        failure.may_have_changed = verdict.changed
        raise failure
    warnings += verdict.warnings
    return _record.result(verdict, stopping)


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
    if not left and over:
        late = run.clock.now() - over.stop.epoch
        if run.grace is not None and late > run.grace:
            yield from _stop_late(stream, options, over, run, warnings, required=True)
    is_open = bool(left) and left[0].start.epoch <= run.clock.now()
    # A stream need not be pushed yet where its window has not begun.
    waits = 0 if is_open and not run.keep else 1
    first = {**options, "state": STARTED if left else STOPPED, "wait_for_stream": waits}
    verdict = yield from _record.steps(stream, first, True, run.clock)
    warnings += verdict.warnings
    return _record.result(verdict, first)
