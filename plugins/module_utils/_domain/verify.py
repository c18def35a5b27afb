# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge whether a stream was recorded in its windows, from the files that exist and what is known besides.

Pure functions. What is not known is `unknown`: a source that cannot be read makes a verdict weaker, never stronger. All
times are seconds since the epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from .coverage import Span, Spans, intersect, invert, measure, normalize, subtract
from .verification import (
    BY_FILE,
    BY_PUSH,
    BY_RECORDING,
    BY_UNKNOWN,
    COMPLETE,
    FILE_LAG,
    INCOMPLETE,
    INTERRUPTED,
    MAX_OPEN,
    NOTHING_RECORDED,
    PENDING,
    UNKNOWN,
    UNSEEN,
    Facts,
    Gap,
    Judgement,
    Known,
    Pushes,
)
from .verify_reasons import describe_early, give_reason, make_notes


class _Loose(NamedTuple):
    """Time that a file with pauses covers partly: between `least` and `most` seconds of it are recorded.

    Of the missing seconds, `allowance` may be many short losses, each of which the tolerance covers.
    """

    spans: Spans
    least: float
    most: float
    allowance: float

    def within(self, windows: Spans) -> _Loose:
        inside = intersect(self.spans, windows)
        outside = measure(self.spans) - measure(inside)
        return _Loose(inside, max(0.0, self.least - outside), min(measure(inside), self.most), self.allowance)

    def find_gap(self, pushes: Pushes | None) -> Gap | None:
        """Return the gap that is certainly somewhere in the spans, if any."""
        missing = measure(self.spans) - self.most
        cause = self._cause_of_gap(pushes)
        return Gap(self.spans[0][0], self.spans[-1][1], cause, missing) if missing > self.allowance else None

    def is_doubtful(self, tolerance: float) -> bool:
        """Return whether there may be a gap that is longer than the tolerance, or none."""
        length = measure(self.spans)
        return length - self.least > tolerance and length - self.most <= self.allowance

    def _cause_of_gap(self, pushes: Pushes | None) -> str:
        return BY_RECORDING if pushes and not subtract(self.spans, pushes.on) else BY_UNKNOWN


def judge(windows: Spans, known: Known, tolerance: float) -> Judgement:
    """Return the verdict on the windows of a stream; parts of at most `tolerance` seconds may be missing."""
    known = known._replace(pushes=known.pushes and known.pushes.correct(known.files))
    covered, loose = _locate(known, tolerance)
    judged = _limit_to_past(windows, known)
    if not judged:
        return Judgement(UNKNOWN, *describe_early(windows, known), windows, 0.0, 0.0, ())
    inside = [part.within(judged) for part in loose]
    missing = subtract(judged, normalize((*covered, *(span for part in loose for span in part.spans))))
    recorded = measure(intersect(judged, covered)) + sum(part.least for part in inside)
    # What the tolerance would excuse is no recording either.
    negligible = min(tolerance, measure(judged) / 2)
    may_be_recorded = recorded + sum(part.most - part.least for part in inside) > negligible
    pieces = [piece for gap in missing for piece in _explain(gap, known, tolerance if may_be_recorded else 0.0)]
    gaps = [piece for piece in pieces if piece.cause not in (PENDING, UNSEEN)]
    gaps += [gap for gap in (part.find_gap(known.pushes) for part in inside) if gap]
    is_recorded = recorded > negligible
    is_doubtful = is_recorded != may_be_recorded or any(part.is_doubtful(tolerance) for part in inside)
    facts = Facts(pieces, gaps, recorded, is_recorded, may_be_recorded, is_doubtful)
    verdict = _decide(facts)
    if verdict in (COMPLETE, INTERRUPTED) and measure(intersect(judged, known.doubted)) > tolerance:
        verdict = UNKNOWN
    gaps = [part for gap in gaps for part in _find_files_of(gap, known, tolerance)]
    return Judgement(
        verdict,
        *give_reason(verdict, facts._replace(gaps=gaps), known, windows, measure(judged)),
        windows,
        measure(judged),
        recorded,
        sorted(gaps),
        make_notes(windows, judged, known),
    )


# --- the time that files cover -------------------------------------------------------------------------------------


def _locate(known: Known, tolerance: float) -> tuple[Spans, list[_Loose]]:
    """Return the time that the files certainly cover, and parts of which it is not known where files have pauses.

    A file in several formats counts once. The pauses of a file that the notify log or the push shows are known.
    """
    off = normalize((*known.pauses, *(known.pushes.off if known.pushes else ())))
    dense: list[Span] = []
    sparse: list[tuple[Spans, float, float]] = []
    for file in known.files:
        if not file.is_usable:
            continue
        span = normalize([(file.start, file.stop)])
        inside = subtract(span, off)
        pauses = len(intersect(span, off))
        if file.duration is None or measure(inside) - file.duration <= tolerance:
            dense += inside
        else:
            sparse.append((inside, file.duration, tolerance * (1 + pauses)))
    covered = normalize(dense)
    return covered, _locate_sparse(sparse, covered)


def _locate_sparse(sparse: Iterable[tuple[Spans, float, float]], covered: Spans) -> list[_Loose]:
    """Return what files with pauses of unknown place add; the shortest files first, which say most about the place."""
    found = []
    taken = covered
    for inside, duration, allowance in sorted(sparse, key=lambda row: measure(row[0])):
        rest = subtract(inside, taken)
        # Formats of one recording pause together, so what another file covers is recorded in this one as well.
        most = min(measure(rest), max(0.0, duration - measure(intersect(inside, covered))))
        least = min(most, max(0.0, duration - (measure(inside) - measure(rest))))
        if rest:
            found.append(_Loose(rest, least, most, allowance))
            taken = normalize((*taken, *rest))
    return found


# --- the time that is judged ---------------------------------------------------------------------------------------


def _limit_to_past(windows: Spans, known: Known) -> Spans:
    """Return the windows, of one that has not ended only the part whose files exist unless the recording still runs."""
    return normalize((start, stop if stop <= known.now else known.horizon) for start, stop in windows)


def find_open_since(known: Known) -> float:
    """Return the time from which on a recording may have no file yet, because it runs or waits for its delay.

    A recording is closed by a pause that is longer than the delay, after a cycle, or before another file begins.
    """
    bounds = [known.closed_until, *(file.stop for file in known.files)]
    if known.pushes is None:
        bounds.append(known.horizon - MAX_OPEN)
    else:
        longest = known.delay + FILE_LAG
        off = intersect(known.pushes.off, ((-math.inf, known.now),))
        bounds += [stop for start, stop in off if stop - start > longest]
        bounds.append(_go_back(known.pushes.on, known.horizon, known.cycle))
    return min(known.horizon, max(bounds))


def _go_back(on: Spans, until: float, seconds: float) -> float:
    """Return the time from which on a stream was pushed for so many seconds until a time; minus infinity for none."""
    for start, stop in reversed(intersect(on, ((-math.inf, until),))):
        if stop - start >= seconds:
            return stop - seconds
        seconds -= stop - start
    return -math.inf


# --- gaps ----------------------------------------------------------------------------------------------------------


def _explain(gap: Span, known: Known, tolerance: float) -> list[Gap]:
    """Return a gap in pieces, each with its cause; none if it is at most as long as the tolerance.

    A piece beside another one that is not longer than the tolerance gets the cause of that: recordings begin with a key
    frame some seconds after the push, and a push of a few seconds may not be recorded at all.
    """
    if gap[1] - gap[0] <= tolerance:
        return []
    pieces = _split_by_cause(gap, known)
    large = [piece for piece in pieces if piece.cause == BY_PUSH or piece.length > tolerance]
    if not large:
        causes = {piece.cause for piece in pieces}
        return [Gap(*gap, next(cause for cause in (PENDING, UNSEEN, BY_UNKNOWN, BY_RECORDING) if cause in causes))]
    found: list[Gap] = []
    for piece in pieces:
        cause = piece.cause if piece in large else found[-1].cause if found else large[0].cause
        if found and found[-1].cause == cause:
            found[-1] = found[-1]._replace(stop=piece.stop)
        else:
            found.append(piece._replace(cause=cause))
    return found


def _split_by_cause(gap: Span, known: Known) -> list[Gap]:
    off, on = (known.pushes.off, known.pushes.on) if known.pushes else ((), ())
    rest: Spans = (gap,)
    found = []
    for cause, spans in (
        (PENDING, ((known.now - FILE_LAG, math.inf),)),  # The lists of pushes may lag as well.
        (BY_PUSH, off),
        (PENDING, ((find_open_since(known), math.inf),)),
        (UNSEEN, _find_unseen(known)),
        (BY_RECORDING, on),
    ):
        found += [Gap(start, stop, cause) for start, stop in intersect(rest, spans)]
        rest = subtract(rest, spans)
    return sorted(found + [Gap(start, stop, BY_UNKNOWN) for start, stop in rest])


def _find_unseen(known: Known) -> Spans:
    """Return the times of which there may be files that are not listed.

    Where one format has no file, no other has one; but where one has a file that is unusable, another may be whole.
    """
    return normalize((*invert(known.visible), *subtract(known.unusable, known.whole)))


def _find_files_of(gap: Gap, known: Known, tolerance: float) -> list[Gap]:
    """Return a gap in parts: of those that an unusable file should hold, that file is the cause."""
    span = ((gap.start, gap.stop),)
    held = intersect(span, known.unusable)
    if gap.cause != BY_RECORDING or gap.seconds is not None or measure(held) <= tolerance:
        return [gap]
    rest = subtract(span, held)
    if measure(rest) <= tolerance:
        return [gap._replace(cause=BY_FILE)]
    return sorted([Gap(*part, BY_FILE) for part in held] + [Gap(*part, BY_RECORDING) for part in rest])


# --- the verdict ---------------------------------------------------------------------------------------------------


def _decide(facts: Facts) -> str:
    if not facts.may_be_recorded:
        return UNKNOWN if facts.has(PENDING) or facts.has(UNSEEN) else NOTHING_RECORDED
    if facts.has(BY_RECORDING) and facts.is_recorded:
        return INCOMPLETE
    if facts.is_doubtful or facts.has(BY_UNKNOWN) or facts.has(PENDING) or facts.has(UNSEEN):
        return UNKNOWN
    return INTERRUPTED if facts.has(BY_PUSH) else COMPLETE
