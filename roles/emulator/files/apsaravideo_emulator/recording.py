# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording of one live stream, as a state machine.

States: ``idle`` (no task), ``recording`` and ``paused`` (stopped or interrupted; the files wait for the delay).
Nothing here sleeps or reads a clock: the caller passes the instant, and calls :meth:`Recorder.settle` first so that
delays and cycles that ended in the meantime take effect in their order.

Rules that the documentation gives: ``start`` on a running recording is refused; ``stop`` begins a delay (180 s) after
which the files are produced; ``cancel_delay`` produces them at once; ``restart`` cuts the files and begins a new task;
the end of a push pauses the recording; only an automatic recording continues on a new push, in the same file when the
push returns within DelayTime; it keeps to StartTime and EndTime of the configuration; a file also ends with its cycle.
Rules that it does not give are read from :class:`Behaviour`.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Callable

from .behaviour import Behaviour
from .state import Kept, stored

IDLE, RECORDING, PAUSED = "idle", "recording", "paused"
COMMANDS = ("start", "stop", "cancel_delay", "restart")

AUTOMATIC, CALLBACK, INGEST_PARAMETER, MANUAL = 0, 1, 2, 7
MODES = (AUTOMATIC, CALLBACK, INGEST_PARAMETER, MANUAL)

DEFAULT_DELAY = 180
WEEK = 7 * 86400
DEFAULT_CYCLES = {"m3u8": 6 * 3600, "cmaf": 6 * 3600, "flv": 3600, "mp4": 3600}

STATUS_EVENTS = ("record_started", "record_paused", "record_resumed")
FILE_CREATED = "file_created"


class Refused(Exception):
    """A command that the state does not allow; ``reason`` is one of the four names below."""

    ALREADY_STARTED = "already_started"
    NO_TASK = "no_task"
    STREAM_ABSENT = "stream_absent"
    CONFIG_ABSENT = "config_absent"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@stored
@dataclass(frozen=True)
class RecordFormat:
    """One file format of a configuration; durations in seconds."""

    name: str
    cycle: int
    prefix: str
    slice_duration: int = 30
    slice_prefix: str = ""

    @property
    def kind(self) -> str:
        """The format in lower case, which is also the extension of the files."""
        return self.name.lower()


@stored
@dataclass(frozen=True)
class RecordConfig:
    """A record-to-OSS configuration; ``app`` and ``stream`` may be ``*``, ``start`` and ``end`` are its period."""

    number: int
    domain: str
    app: str
    stream: str
    mode: int
    bucket: str
    endpoint: str
    created: float
    delay: int = DEFAULT_DELAY
    formats: tuple[RecordFormat, ...] = ()
    transcode_formats: tuple[RecordFormat, ...] = ()
    templates: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None


@stored
@dataclass(frozen=True)
class Push:
    """One ingest of the stream: the configuration effective for it, and whether that makes it record by itself.

    ``others`` are the configurations that matched less well at its beginning, the best first.  ``since`` is the instant
    from which ``config`` is effective.
    """

    started: float
    config: RecordConfig | None
    automatic: bool = False
    others: tuple[RecordConfig, ...] = ()
    since: float = 0.0

    def period(self, distant_start: str) -> tuple[float, float]:
        """When StartTime and EndTime let it be recorded; a period that never comes begins at infinity.

        A StartTime must be within 7 days of the push; ``distant_start`` says what comes of another one.
        """
        begin, end = -math.inf, math.inf
        if self.config is not None:
            begin = begin if self.config.start is None else self.config.start
            end = end if self.config.end is None else self.config.end
        if math.isfinite(begin) and abs(begin - self.started) > WEEK:
            begin, end = (-math.inf, math.inf) if distant_start == "ignored" else (math.inf, math.inf)
        return max(begin, self.started, self.since), max(end, self.since)


@stored
@dataclass(frozen=True)
class RecordedFile:
    """A finished file; ``duration`` is the recorded time in seconds, without pauses.

    ``name`` is the object of an index file that somebody asked for, and empty for a file of a recording.
    """

    record_id: str
    format: RecordFormat
    config: RecordConfig
    sequence: int
    task: int
    started: float
    stopped: float
    duration: float
    created: float
    name: str = ""


@dataclass(frozen=True)
class Segment:
    """A TS segment of an m3u8 recording; it is uploaded when it ends."""

    config: RecordConfig
    started: float
    uploaded: float


@stored
@dataclass
class _OpenFile:
    """A file being written; ``recorded`` counts the seconds before the current uninterrupted stretch."""

    format: RecordFormat
    sequence: int
    started: float
    stretch: float
    recorded: float = 0.0

    def due(self) -> float:
        return self.stretch + self.format.cycle - self.recorded


@stored
@dataclass
class Task:
    """One recording task: what DescribeLiveStreamRecordContent lists as one row.

    ``stretch`` is the beginning of the uninterrupted recording that goes on, ``stretches`` are those that have ended.
    """

    number: int
    config: RecordConfig
    started: float
    stretch: float | None = None
    ended: float | None = None
    duration: float = 0.0
    files: list[_OpenFile] = field(default_factory=list)
    stretches: list[tuple[float, float]] = field(default_factory=list)

    def recorded(self, now: float) -> float:
        """The recorded time in seconds, without pauses."""
        return self.duration + (0.0 if self.stretch is None else now - self.stretch)

    def segments(self, now: float) -> Iterator[Segment]:
        """The TS segments that were uploaded so far, in their order; none unless it is recorded as m3u8."""
        length = next((item.slice_duration for item in self.config.formats if item.kind == "m3u8"), None)
        if length is None:
            return
        for begin, end in self.stretches:
            for number in range(math.ceil((end - begin) / length)):
                started = begin + number * length
                yield Segment(self.config, started, min(started + length, end))
        if self.stretch is not None:
            for number in range(int((now - self.stretch) / length)):
                started = self.stretch + number * length
                yield Segment(self.config, started, started + length)


@stored
@dataclass
class Ledger:
    """What has happened to a stream, for assertions: counts, and each command that changed the state."""

    starts: int = 0
    resumes: int = 0
    pauses: int = 0
    splits: int = 0
    cycles: int = 0
    files: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)


class Recorder(Kept):
    """The recording of one stream.

    ``emit(kind, instant, file)`` is called for each status event and, with the file, for each finished file.
    """

    KEPT = (
        "push",
        "tasks",
        "files",
        "indexes",
        "ledger",
        "_stopped_by_hand",
        "_paused_at",
        "_resume_until",
        "_interrupted",
        "_awaiting",
        "_bounded",
    )

    def __init__(self, behaviour: Behaviour, emit: Callable[[str, float, RecordedFile | None], None]) -> None:
        self._behaviour = behaviour
        self._emit = emit
        self._stopped_by_hand = False
        self._paused_at = 0.0
        self._resume_until: float | None = None
        self._interrupted = False
        self._awaiting = False  # automatic recording is to begin
        self._bounded = False  # the recording ends with the period of its configuration
        self.push: Push | None = None
        self.tasks: list[Task] = []
        self.files: list[RecordedFile] = []
        self.indexes: list[RecordedFile] = []  # index files that somebody asked for
        self.ledger = Ledger()

    @property
    def task(self) -> Task | None:
        """The task that records or waits, if any."""
        return self.tasks[-1] if self.tasks and self.tasks[-1].ended is None else None

    @property
    def state(self) -> str:
        """``idle``, ``recording`` or ``paused``."""
        if self.task is None:
            return IDLE
        return RECORDING if self._resume_until is None else PAUSED

    def next_due(self) -> float:
        """The instant of the next change that comes by itself; infinity when there is none."""
        return min((due for due, _change in self._changes_to_come()), default=math.inf)

    def settle(self, now: float) -> None:
        """Let everything happen that was due up to and including ``now``, in order."""
        while True:
            due, change = min(self._changes_to_come(), key=lambda pair: pair[0], default=(math.inf, None))
            if change is None or due > now:
                break
            change(due)

    def _changes_to_come(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        """What comes by itself; of what is due at one instant, the first here comes first."""
        begin, end = self._period()
        if self.task is not None and self._resume_until is not None:
            yield self._resume_until, self._finish
        elif self.task is not None:
            if self._bounded:
                yield end, self._end_period
            for file in self.task.files:
                yield file.due(), self._roll_over
        if self._awaiting and begin < end:
            yield begin, self._begin_by_itself

    def _period(self) -> tuple[float, float]:
        return self.push.period(self._behaviour.distant_start) if self.push else (math.inf, math.inf)

    def begin_push(self, push: Push) -> None:
        """The stream comes online; an automatic recording starts, or continues when it was only interrupted.

        Also when it is decided, later than the push began, that it is recorded.
        """
        self.push = push
        off = self._stopped_by_hand and self._behaviour.repush_after_stop == "off"
        self._awaiting = push.automatic and push.config is not None and not off
        self.settle(max(push.started, push.since))

    def _begin_by_itself(self, now: float) -> None:
        assert self.push is not None and self.push.config is not None
        self._awaiting = False
        self._stopped_by_hand = False
        if self.state == RECORDING:
            return
        self._bounded = True
        if self.state == PAUSED and self._interrupted:
            self._resume(now)
        elif self.state == PAUSED:
            self._start_in_delay(now, self.push.config)
        else:
            self._start(now, self.push.config)

    def _end_period(self, now: float) -> None:
        assert self.task is not None
        self._pause(now, self.task.config.delay, interrupted=False)
        if self._behaviour.period_end == "at-once":
            self._finish(now)

    def end_push(self, now: float) -> None:
        """The stream goes offline; a running recording pauses for the configuration's DelayTime."""
        self.push = None
        self._awaiting = False
        task = self.task
        if task is not None and self.state == RECORDING:
            self._pause(now, task.config.delay, interrupted=True)

    def command(self, name: str, now: float, request_id: str, config: RecordConfig | None) -> bool:
        """Carry out a RealTimeRecordCommand; True when it changed the state, Refused when it is not allowed.

        ``config`` is the configuration that applies, if any.
        """
        changed = getattr(self, f"_command_{name}")(now, self._usable_config(name, now, config))
        if changed:
            self.ledger.changes.append({"command": name, "request_id": request_id, "time": now})
        return bool(changed)

    def _usable_config(self, name: str, now: float, config: RecordConfig | None) -> RecordConfig:
        if self.push is None:
            if name == "cancel_delay" and self.task is not None and self._behaviour.offline_cancel == "ok":
                return self.task.config
            raise Refused(Refused.STREAM_ABSENT)
        begin, end = self._period()
        outside = self._behaviour.manual_period == "bounded" and not begin <= now < end
        if config is None or (outside and name in ("start", "restart")):
            raise Refused(Refused.CONFIG_ABSENT)
        return config

    def _command_start(self, now: float, config: RecordConfig) -> bool:
        if self.state == RECORDING:
            raise Refused(Refused.ALREADY_STARTED)
        if self.state == PAUSED:
            self._start_in_delay(now, config)
        else:
            self._start(now, config)
        self._began_by_hand()
        return True

    def _began_by_hand(self) -> None:
        self._stopped_by_hand = False
        self._bounded = self._behaviour.manual_period == "bounded"

    def _command_stop(self, now: float, config: RecordConfig) -> bool:
        if self.state != RECORDING:
            return self._without_task(self._behaviour.idle_stop)
        self._pause(now, config.delay if self._behaviour.stop_delay == "config" else DEFAULT_DELAY, interrupted=False)
        self._stopped_by_hand = True
        return True

    def _command_cancel_delay(self, now: float, config: RecordConfig) -> bool:
        if self.state != PAUSED:
            return self._without_task(self._behaviour.idle_cancel)
        self._finish(now)
        return True

    def _command_restart(self, now: float, config: RecordConfig) -> bool:
        if self.state == IDLE:
            self._without_task(self._behaviour.idle_restart)
        was_recording = self.state == RECORDING
        if self.state != IDLE:
            self._finish(now)
        self._start(now, config, split=was_recording)
        self._began_by_hand()
        return True

    @staticmethod
    def _without_task(switch: str) -> bool:
        if switch == "error":
            raise Refused(Refused.NO_TASK)
        return False

    def _start_in_delay(self, now: float, config: RecordConfig) -> None:
        if self._behaviour.start_in_delay == "resume":
            self._resume(now)
        else:
            self._finish(now)
            self._start(now, config)

    def _start(self, now: float, config: RecordConfig, split: bool = False) -> None:
        task = Task(number=len(self.tasks) + 1, config=config, started=now, stretch=now)
        task.files = [_OpenFile(format_, 0, now, now) for format_ in config.formats]
        self.tasks.append(task)
        self._resume_until = None
        if split:
            self.ledger.splits += 1
        else:
            self.ledger.starts += 1
        self._emit("record_started", now, None)

    def _resume(self, now: float) -> None:
        assert self.task is not None
        for file in self.task.files:
            file.stretch = now
        self.task.stretch = now
        self._resume_until = None
        self.ledger.resumes += 1
        self._emit("record_resumed", now, None)

    def _pause(self, now: float, delay: float, interrupted: bool) -> None:
        self._hold(now)
        self._paused_at = now
        self._resume_until = now + delay
        self._interrupted = interrupted
        self.ledger.pauses += 1
        self._emit("record_paused", now, None)

    def _hold(self, now: float) -> None:
        """Book the stretch that ends now as recorded time."""
        task = self.task
        assert task is not None and task.stretch is not None
        for file in task.files:
            file.recorded += now - file.stretch
        task.stretches.append((task.stretch, now))
        task.duration = task.recorded(now)
        task.stretch = None

    def _finish(self, now: float) -> None:
        """End the task; its files are created now and reach to the end of the recorded time."""
        task = self.task
        assert task is not None
        if self.state == RECORDING:
            self._hold(now)
            end = now
        else:
            end = self._paused_at
        for file in task.files:
            self._create(task, file, end, now)
        task.files = []
        task.ended = end
        self._resume_until = None

    def _roll_over(self, now: float) -> None:
        task = self.task
        assert task is not None
        for index, file in enumerate(task.files):
            if file.due() <= now:
                file.recorded = file.format.cycle
                self._create(task, file, now, now)
                task.files[index] = _OpenFile(file.format, file.sequence + 1, now, now)
                self.ledger.cycles += 1

    def _create(self, task: Task, file: _OpenFile, end: float, now: float) -> None:
        finished = RecordedFile(
            record_id=str(uuid.uuid4()),
            format=file.format,
            config=task.config,
            sequence=file.sequence,
            task=task.number,
            started=file.started,
            stopped=end,
            duration=file.recorded,
            created=now,
        )
        self.files.append(finished)
        self.ledger.files += 1
        self._emit(FILE_CREATED, now, finished)
