# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording of one live stream, as a state machine.

States: `idle` (no task), `recording` and `paused` (stopped or interrupted; the files wait for the delay). Nothing here
sleeps or reads a clock: the caller passes the instant, and calls `Recorder.settle` first so that delays and cycles that
ended in the meantime take effect in their order.

Rules that the documentation gives: `start` on a running recording is refused; `stop` begins a delay (180 s) after which
the files are produced; `cancel_delay` produces them at once; `restart` cuts the files and begins a new task; the end of
a push pauses the recording; only an automatic recording continues on a new push, in the same file if the push returns
within DelayTime; it keeps to StartTime and EndTime of the configuration; a file also ends with its cycle. Rules that it
does not give are read from `Behaviour`.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from typing import Callable

from .behaviour import Behaviour
from .record_model import DEFAULT_DELAY, Ledger, OpenFile, Push, RecordConfig, RecordedFile, Task
from .state import Stateful

IDLE, RECORDING, PAUSED = "idle", "recording", "paused"
COMMANDS = ("start", "stop", "cancel_delay", "restart")


STATUS_EVENTS = ("record_started", "record_paused", "record_resumed")
FILE_CREATED = "file_created"


class CommandRefused(Exception):
    """A command that the state does not allow; `reason` is one of the four constants below."""

    ALREADY_STARTED = "already_started"
    NO_TASK = "no_task"
    STREAM_NOT_FOUND = "stream_not_found"
    CONFIG_NOT_FOUND = "config_not_found"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Recorder(Stateful):
    """The recording of one stream.

    `emit(kind, instant, file)` is called for each status event and, with the file, for each finished file.
    """

    STATE_FIELDS = (
        "push",
        "tasks",
        "files",
        "indexes",
        "ledger",
        "_manually_stopped",
        "_paused_at",
        "_resume_until",
        "_interrupted",
        "_start_pending",
        "_ends_with_period",
    )

    def __init__(self, behaviour: Behaviour, emit: Callable[[str, float, RecordedFile | None], None]) -> None:
        self._behaviour = behaviour
        self._emit = emit
        self._manually_stopped = False
        self._paused_at = 0.0
        self._resume_until: float | None = None
        self._interrupted = False
        self._start_pending = False  # an automatic recording will start with the period of its configuration
        self._ends_with_period = False  # the recording ends with that period
        self.push: Push | None = None
        self.tasks: list[Task] = []
        self.files: list[RecordedFile] = []
        self.indexes: list[RecordedFile] = []  # index files created on request
        self.ledger = Ledger()

    @property
    def task(self) -> Task | None:
        """Return the task that is recording or waiting for its delay, if any."""
        return self.tasks[-1] if self.tasks and self.tasks[-1].ended is None else None

    @property
    def state(self) -> str:
        """Return `idle`, `recording` or `paused`."""
        if self.task is None:
            return IDLE
        return RECORDING if self._resume_until is None else PAUSED

    def next_due(self) -> float:
        """Return the instant of the next scheduled change; infinity if there is none."""
        return min((due for due, _change in self._pending_changes()), default=math.inf)

    def settle(self, now: float) -> None:
        """Apply all changes that are due up to and including `now`, in order."""
        while True:
            due, change = min(self._pending_changes(), key=lambda pair: pair[0], default=(math.inf, None))
            if change is None or due > now:
                break
            change(due)

    def _pending_changes(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        """Yield the scheduled changes with their instants; of those due at one instant, the first one applies first."""
        begin, end = self._period()
        if self.task is not None and self._resume_until is not None:
            yield self._resume_until, self._finish
        elif self.task is not None:
            if self._ends_with_period:
                yield end, self._end_period
            for file in self.task.files:
                yield file.due(), self._roll_over
        if self._start_pending and begin < end:
            yield begin, self._begin_automatically

    def _period(self) -> tuple[float, float]:
        return self.push.period(self._behaviour.distant_start) if self.push else (math.inf, math.inf)

    def begin_push(self, push: Push) -> None:
        """Bring the stream online; start an automatic recording, or continue one that was only interrupted.

        This is also called for a running push once the decision to record it arrives.
        """
        self.push = push
        off = self._manually_stopped and self._behaviour.repush_after_stop == "off"
        self._start_pending = push.automatic and push.config is not None and not off
        self.settle(max(push.started, push.since))

    def _begin_automatically(self, now: float) -> None:
        assert self.push is not None and self.push.config is not None
        self._start_pending = False
        self._manually_stopped = False
        if self.state == RECORDING:
            return
        self._ends_with_period = True
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
        """Take the stream offline; a running recording pauses for the configuration's DelayTime."""
        self.push = None
        self._start_pending = False
        task = self.task
        if task is not None and self.state == RECORDING:
            self._pause(now, task.config.delay, interrupted=True)

    def command(self, name: str, now: float, request_id: str, config: RecordConfig | None) -> bool:
        """Execute a RealTimeRecordCommand; return whether it changed the state.

        CommandRefused is raised if the state does not allow it. `config` is the configuration that applies, if any.
        """
        changed = getattr(self, f"_command_{name}")(now, self._usable_config(name, now, config))
        if changed:
            self.ledger.changes.append({"command": name, "request_id": request_id, "time": now})
        return bool(changed)

    def _usable_config(self, name: str, now: float, config: RecordConfig | None) -> RecordConfig:
        if self.push is None:
            if name == "cancel_delay" and self.task is not None and self._behaviour.offline_cancel == "ok":
                return self.task.config
            raise CommandRefused(CommandRefused.STREAM_NOT_FOUND)
        begin, end = self._period()
        outside = self._behaviour.manual_period == "bounded" and not begin <= now < end
        if config is None or (outside and name in ("start", "restart")):
            raise CommandRefused(CommandRefused.CONFIG_NOT_FOUND)
        return config

    def _command_start(self, now: float, config: RecordConfig) -> bool:
        if self.state == RECORDING:
            raise CommandRefused(CommandRefused.ALREADY_STARTED)
        if self.state == PAUSED:
            self._start_in_delay(now, config)
        else:
            self._start(now, config)
        self._mark_manual_start()
        return True

    def _mark_manual_start(self) -> None:
        self._manually_stopped = False
        self._ends_with_period = self._behaviour.manual_period == "bounded"

    def _command_stop(self, now: float, config: RecordConfig) -> bool:
        if self.state != RECORDING:
            return self._handle_missing_task(self._behaviour.idle_stop)
        self._pause(now, config.delay if self._behaviour.stop_delay == "config" else DEFAULT_DELAY, interrupted=False)
        self._manually_stopped = True
        return True

    def _command_cancel_delay(self, now: float, config: RecordConfig) -> bool:
        if self.state != PAUSED:
            return self._handle_missing_task(self._behaviour.idle_cancel)
        self._finish(now)
        return True

    def _command_restart(self, now: float, config: RecordConfig) -> bool:
        if self.state == IDLE:
            self._handle_missing_task(self._behaviour.idle_restart)
        was_recording = self.state == RECORDING
        if self.state != IDLE:
            self._finish(now)
        self._start(now, config, split=was_recording)
        self._mark_manual_start()
        return True

    @staticmethod
    def _handle_missing_task(switch: str) -> bool:
        if switch == "error":
            raise CommandRefused(CommandRefused.NO_TASK)
        return False

    def _start_in_delay(self, now: float, config: RecordConfig) -> None:
        if self._behaviour.start_in_delay == "resume":
            self._resume(now)
        else:
            self._finish(now)
            self._start(now, config)

    def _start(self, now: float, config: RecordConfig, split: bool = False) -> None:
        task = Task(number=len(self.tasks) + 1, config=config, started=now, stretch=now)
        task.files = [OpenFile(format_, 0, now, now) for format_ in config.formats]
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
        self._close_stretch(now)
        self._paused_at = now
        self._resume_until = now + delay
        self._interrupted = interrupted
        self.ledger.pauses += 1
        self._emit("record_paused", now, None)

    def _close_stretch(self, now: float) -> None:
        """Add the stretch that ends now to the recorded time."""
        task = self.task
        assert task is not None and task.stretch is not None
        for file in task.files:
            file.recorded_seconds += now - file.stretch
        task.stretches.append((task.stretch, now))
        task.duration = task.recorded_seconds(now)
        task.stretch = None

    def _finish(self, now: float) -> None:
        """End the task; its files are created now and contain the recording up to the last pause, if paused."""
        task = self.task
        assert task is not None
        if self.state == RECORDING:
            self._close_stretch(now)
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
                file.recorded_seconds = file.format.cycle
                self._create(task, file, now, now)
                task.files[index] = OpenFile(file.format, file.sequence + 1, now, now)
                self.ledger.cycles += 1

    def _create(self, task: Task, file: OpenFile, end: float, now: float) -> None:
        finished = RecordedFile(
            record_id=str(uuid.uuid4()),
            format=file.format,
            config=task.config,
            sequence=file.sequence,
            task=task.number,
            started=file.started,
            stopped=end,
            duration=file.recorded_seconds,
            created=now,
        )
        self.files.append(finished)
        self.ledger.files += 1
        self._emit(FILE_CREATED, now, finished)
