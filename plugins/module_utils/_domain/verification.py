# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts that a verdict on a recording rests on, and the verdict; all times are seconds since the epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .coverage import ALWAYS, Spans, intersect, invert, measure, normalize, subtract

COMPLETE, INTERRUPTED, INCOMPLETE = "complete", "interrupted", "incomplete"
NOTHING_RECORDED, UNKNOWN = "nothing_recorded", "unknown"
VERDICTS = (COMPLETE, INTERRUPTED, INCOMPLETE, NOTHING_RECORDED, UNKNOWN)

OK, MISSING, DAMAGED, ERROR, UNCHECKED = "ok", "missing", "damaged", "error", "unchecked"  # statuses of a file

BY_PUSH, BY_RECORDING, BY_FILE, BY_UNKNOWN = "push", "recording", "file", "unknown"  # causes of a gap
PENDING, UNSEEN = "pending", "unseen"  # not gaps: files of this time may still come, or cannot be seen
FILES_TO_COME = "files may not exist yet"
NOT_BEGUN = "the window has not begun"
FILES_UNUSABLE = "files that were recorded cannot be used"  # followed by their statuses

UNPROVEN = "files of one format cannot be used, and those of another could not be checked"
TOO_OLD = "files are listed for about 6 months, and the window is older"
NOT_LISTED = (
    "the cloud lists only index files of m3u8 recordings, and neither these nor a callback shows what was recorded"
)

# Seconds that a file may take to be made and listed after the end of its recording and the delay.
FILE_LAG = 60.0
# Seconds for which a recording may be open if its pushes are not known: short pauses make it longer than its cycle.
MAX_OPEN = 86400.0


class RecordedFile(NamedTuple):
    """A file of a recording. `duration` is the recorded time without pauses, None if it is not known."""

    start: float
    stop: float
    duration: float | None
    format: str
    object: str
    url: str | None = None
    status: str = UNCHECKED
    size: int | None = None
    note: str = ""

    @property
    def is_usable(self) -> bool:
        """Return whether nothing shows that the file is unusable."""
        return self.status in (OK, UNCHECKED)


class Pushes(NamedTuple):
    """The times at which a stream was pushed, and those of which it is not known."""

    on: Spans
    unsure: Spans = ()

    @property
    def off(self) -> Spans:
        """Return the times at which the stream was certainly not pushed."""
        return invert(normalize((*self.on, *self.unsure)))

    def correct(self, files: Iterable[RecordedFile]) -> Pushes:
        """Return the pushes without the times off in which a file without pauses was recorded: a push is missing."""
        whole = normalize(row[:2] for row in files if row.duration and row.duration >= row.stop - row.start)
        wrong = [span for span in self.off if measure(intersect((span,), whole)) > FILE_LAG]
        return Pushes(self.on, normalize((*self.unsure, *wrong)))


class Known(NamedTuple):
    """The knowledge of a stream's recording at the time `now`.

    `visible`: the times of which a file would be listed if there were one, and `unseen` why others would not; `whole`:
    those of which the files of all formats would be.
    `delay`: the seconds for which a recording that was stopped or interrupted waits before its file is made. `cycle`:
    the most seconds that a file may hold. `closed_until`: no recording that began earlier is still open. `pauses`: the
    times at which the notify log shows the recording as paused. `pushes` is None if they are not known, and
    `push_problem` says why. `blind` says why no file will be listed however long one waits. `is_checked`: files were to
    be checked. `errors`: the codes of errors that the notify log shows.
    """

    now: float
    files: Sequence[RecordedFile]
    visible: Spans
    delay: float
    cycle: float
    closed_until: float = -math.inf
    pauses: Spans = ()
    pushes: Pushes | None = None
    unseen: str = ""
    push_problem: str = ""
    errors: Sequence[str] = ()
    whole: Spans = ALWAYS
    blind: str = ""
    is_checked: bool = False

    @property
    def unusable(self) -> Spans:
        """Return the times of which there are files that cannot be used."""
        return normalize((file.start, file.stop) for file in self.files if not file.is_usable)

    @property
    def doubted(self) -> Spans:
        """Return the times of which files are bad, and others could not be checked although they should have been."""
        if not self.is_checked:
            return ()
        bad, unchecked, good = (
            normalize((file.start, file.stop) for file in self.files if file.status in statuses)
            for statuses in ((MISSING, DAMAGED), (UNCHECKED,), (OK,))
        )
        return subtract(intersect(bad, unchecked), good)

    @property
    def horizon(self) -> float:
        """Return the time before which every recording that has ended has its file."""
        return self.now - self.delay - FILE_LAG


class Gap(NamedTuple):
    """A part of a window without a recording; `seconds` is set if it is anywhere between `start` and `stop`."""

    start: float
    stop: float
    cause: str
    seconds: float | None = None

    @property
    def length(self) -> float:
        """Return the seconds that are missing."""
        return self.stop - self.start if self.seconds is None else self.seconds


class Judgement(NamedTuple):
    """A verdict, its `cause` in words that are the same for many streams, and the `reason` with numbers and times.

    Both are without a full stop, as are the notes.
    """

    verdict: str
    cause: str
    reason: str
    windows: Spans
    expected: float
    recorded: float
    gaps: Sequence[Gap]
    notes: Sequence[str] = ()

    @property
    def was_pushed(self) -> bool:
        """Return whether the stream may have been pushed in the gaps."""
        return any(gap.cause != BY_PUSH for gap in self.gaps)


class Facts(NamedTuple):
    """`pieces` are those without a file, `gaps` those that are certainly not recorded."""

    pieces: Sequence[Gap]
    gaps: Sequence[Gap]
    recorded: float
    is_recorded: bool
    may_be_recorded: bool
    is_doubtful: bool

    def has(self, cause: str) -> bool:
        return any(piece.cause == cause for piece in (*self.pieces, *self.gaps))

    def measure(self, cause: str) -> float:
        return sum(gap.length for gap in self.gaps if gap.cause == cause)
