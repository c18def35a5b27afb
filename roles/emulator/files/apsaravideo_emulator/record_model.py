# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of recordings: formats, configurations, pushes, tasks and files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .state import storable

AUTOMATIC, CALLBACK, INGEST_PARAMETER, MANUAL = 0, 1, 2, 7
MODES = (AUTOMATIC, CALLBACK, INGEST_PARAMETER, MANUAL)
DEFAULT_DELAY = 180
WEEK = 7 * 86400
DEFAULT_CYCLES = {"m3u8": 6 * 3600, "cmaf": 6 * 3600, "flv": 3600, "mp4": 3600}


@storable
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
        """Return the format in lower case, which is also the extension of the files."""
        return self.name.lower()


@storable
@dataclass(frozen=True)
class RecordConfig:
    """A record-to-OSS configuration; `app` and `stream` may be `*`, `start` and `end` are its period."""

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


@storable
@dataclass(frozen=True)
class Push:
    """One ingest of the stream, with its effective configuration; `automatic` pushes are recorded without a command.

    `others` are the configurations that matched less well at its beginning, the best first. `config` is effective from
    the instant `since`.
    """

    started: float
    config: RecordConfig | None
    automatic: bool = False
    others: tuple[RecordConfig, ...] = ()
    since: float = 0.0

    def period(self, distant_start: str) -> tuple[float, float]:
        """Return the instants that bound automatic recording; a period that never comes begins at infinity."""
        begin, end = -math.inf, math.inf
        if self.config is not None:
            begin = begin if self.config.start is None else self.config.start
            end = end if self.config.end is None else self.config.end
        if math.isfinite(begin) and abs(begin - self.started) > WEEK:
            begin, end = (-math.inf, math.inf) if distant_start == "ignored" else (math.inf, math.inf)
        return max(begin, self.started, self.since), max(end, self.since)


@storable
@dataclass(frozen=True)
class RecordedFile:
    """A finished file; `duration` is the recorded time in seconds, without pauses.

    `name` is the object name of an index file created on request, and empty for a file of a recording.
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
    """A TS segment of an m3u8 recording, which is uploaded as soon as the segment is complete."""

    config: RecordConfig
    started: float
    uploaded: float


@storable
@dataclass
class OpenFile:
    """A file being written; `recorded_seconds` excludes the current stretch, that is, the time since the last pause."""

    format: RecordFormat
    sequence: int
    started: float
    stretch: float
    recorded_seconds: float = 0.0

    def due(self) -> float:
        return self.stretch + self.format.cycle - self.recorded_seconds


@storable
@dataclass
class Task:
    """One recording task, which is one row of DescribeLiveStreamRecordContent.

    `stretch` is the beginning of the current uninterrupted stretch of recording, `stretches` are those that have ended.
    """

    number: int
    config: RecordConfig
    started: float
    stretch: float | None = None
    ended: float | None = None
    duration: float = 0.0
    files: list[OpenFile] = field(default_factory=list)
    stretches: list[tuple[float, float]] = field(default_factory=list)

    def recorded_seconds(self, now: float) -> float:
        """Return the recorded time, without pauses."""
        return self.duration + (0.0 if self.stretch is None else now - self.stretch)

    def segments(self, now: float) -> Iterator[Segment]:
        """Yield the TS segments uploaded so far, in their order; none unless the stream is recorded as m3u8."""
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


@storable
@dataclass
class Ledger:
    """Counts of everything that happened to a stream, and each command that changed its state, for assertions."""

    starts: int = 0
    resumes: int = 0
    pauses: int = 0
    splits: int = 0
    cycles: int = 0
    files: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)
