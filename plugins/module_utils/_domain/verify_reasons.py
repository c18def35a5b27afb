# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say in words why a verdict is what it is, and what to do; pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._util.text import format_duration, format_second
from .coverage import Spans, intersect
from .verification import (
    BY_FILE,
    BY_PUSH,
    BY_RECORDING,
    BY_UNKNOWN,
    FILE_LAG,
    FILES_TO_COME,
    FILES_UNUSABLE,
    INCOMPLETE,
    INTERRUPTED,
    MAX_OPEN,
    NOT_BEGUN,
    NOT_LISTED,
    NOTHING_RECORDED,
    PENDING,
    TOO_OLD,
    UNKNOWN,
    UNPROVEN,
    UNSEEN,
    Facts,
    Gap,
    Judgement,
    Known,
    RecordedFile,
)

_MAX_NAMED = 3  # files or gaps in a reason
_ADVICE = {
    INCOMPLETE: "Look at the gaps in the result; for coming windows, set keep, or record automatically.",
    NOTHING_RECORDED: (
        "Check that the recording was started, and its configuration and bucket (apsaravideo_record_config)."
    ),
    INTERRUPTED: "Check the encoder and its network; set accept_interrupted where that is good enough.",
    UNKNOWN: "Remove the cause, or set accept_unknown where that is good enough.",
}
_LOOK_FOR_FILES = "Look for them in the bucket, and at its lifecycle rules and permissions; the result names them."
_SPECIAL_ADVICE = {  # by how a cause begins
    NOT_BEGUN: "Run it again after the window.",
    FILES_UNUSABLE: _LOOK_FOR_FILES,
    UNPROVEN: _LOOK_FOR_FILES,
    TOO_OLD: "Look in the bucket; nothing else shows any more what was recorded.",
    NOT_LISTED: (
        "Add the format m3u8 to the recording configuration, or set a callback with apsaravideo_record_notify, for "
        "coming windows; of this one, look in the bucket."
    ),
}


def give_reason(verdict: str, facts: Facts, known: Known, windows: Spans, expected: float) -> tuple[str, str]:
    """Return the cause and the reason of a verdict."""
    if verdict == UNKNOWN:
        return _explain_doubt(facts, known)
    if verdict == INTERRUPTED:
        missing, where = format_duration(facts.measure(BY_PUSH)), _name_gaps(facts.gaps)
        return "the push was interrupted", f"it is recorded except for {missing} around breaks of the push: {where}"
    if verdict not in (INCOMPLETE, NOTHING_RECORDED):
        return "", ""
    errors = f"; the notify log shows {', '.join(known.errors)}" if known.errors else ""
    inside = [file for file in known.files if intersect(((file.start, file.stop),), windows)]
    unusable = [file for file in inside if not file.is_usable and _is_in_a_gap(file, facts.gaps)]
    causes, reasons = [], []
    if facts.has(BY_FILE) and unusable:
        cause, reason = _describe_unusable(unusable, len(inside))
        causes.append(cause)
        reasons.append(reason)
    if verdict == INCOMPLETE and (facts.measure(BY_RECORDING) or not causes):
        missing = format_duration(facts.measure(BY_RECORDING))
        where = _name_gaps(gap for gap in facts.gaps if gap.cause == BY_RECORDING)
        causes.append("the recording is incomplete")
        reasons.append(
            f"{missing} of {format_duration(expected)} are not recorded although the stream was pushed: {where}"
        )
    if verdict == NOTHING_RECORDED and not causes:
        unpushed = ", and the stream was not pushed" if all(gap.cause == BY_PUSH for gap in facts.gaps) else ""
        held = f"only {facts.recorded:.0f} seconds are recorded" if facts.recorded else "no file holds any of it"
        causes.append(f"nothing was recorded{unpushed}")
        reasons.append(f"{held}{unpushed}")
    return f"{'; '.join(causes)}{errors}", f"{'; '.join(reasons)}{errors}"


def _name_gaps(gaps: Iterable[Gap]) -> str:
    """Return the times of the first gaps in words."""
    rows = sorted(gaps)
    named = [f"{format_second(gap.start)} to {format_second(gap.stop)}" for gap in rows[:_MAX_NAMED]]
    return ", ".join(named) + (f" and {len(rows) - _MAX_NAMED} more" if len(rows) > _MAX_NAMED else "")


def _is_in_a_gap(file: RecordedFile, gaps: Iterable[Gap]) -> bool:
    return any(file.start < gap.stop and gap.start < file.stop for gap in gaps)


def _describe_unusable(files: Sequence[RecordedFile], total: int) -> tuple[str, str]:
    """Return the cause and the reason of a verdict that rests on files that exist no more, or cannot be played."""
    statuses = " or ".join(sorted({file.status for file in files}))
    named = ", ".join(f"{file.object} ({file.status})" for file in files[:_MAX_NAMED])
    more = f" and {len(files) - _MAX_NAMED} more" if len(files) > _MAX_NAMED else ""
    return f"{FILES_UNUSABLE}: {statuses}", f"{len(files)} of {total} files cannot be used: {named}{more}"


def _explain_doubt(facts: Facts, known: Known) -> tuple[str, str]:
    problem = f"; {known.push_problem}" if known.push_problem else ""
    if known.blind and (facts.has(PENDING) or facts.has(UNSEEN)):
        return f"{known.blind}{problem}", f"{known.blind}{problem}"
    if facts.has(PENDING):
        since = min(piece.start for piece in facts.pieces if piece.cause == PENDING)
        reason = f"files of what was recorded from {format_second(since)} on may not exist yet"
        return f"{FILES_TO_COME}{problem}", f"{reason}{problem}"
    if facts.has(UNSEEN):
        why = known.unseen or "not all files of the window are listed any more"
        return why, why
    if facts.is_doubtful:
        return (
            "a file has pauses of unknown place",
            "a file has pauses, of which it is not known how much they cut off",
        )
    if facts.has(BY_UNKNOWN):
        why = known.push_problem or "the pushes are not known"
        missing = format_duration(facts.measure(BY_UNKNOWN))
        return why, f"{missing} are not recorded, and whether the stream was pushed then is unknown: {why}"
    bad = [file for file in known.files if not file.is_usable]
    return UNPROVEN, f"{UNPROVEN}: {_describe_unusable(bad, len(known.files))[1]}"


def advise(judgement: Judgement, known: Known, is_span: bool) -> str:
    """Return what to do about a verdict; `is_span`: the windows are those of `since` and `until`."""
    cause = judgement.cause
    if cause.startswith(FILES_TO_COME):
        wait = known.cycle if known.pushes else max(known.cycle, MAX_OPEN)
        start, stop = judgement.windows[0][0], judgement.windows[-1][1]
        span = f" with since={format_second(start)} and till={format_second(stop)}" if is_span else ""
        latest = format_second(stop + wait + known.delay + FILE_LAG)
        return f"Run it again{span} after {latest}, or earlier if the recording has ended."
    if judgement.verdict == NOTHING_RECORDED and judgement.gaps and not judgement.was_pushed:
        return "Check domain_name, app_name and stream_name, and whether the stream was pushed."
    special = (text for beginning, text in _SPECIAL_ADVICE.items() if cause.startswith(beginning))
    return next(special, _ADVICE[judgement.verdict])


def describe_early(windows: Spans, known: Known) -> tuple[str, str]:
    if not windows:
        return "there is no window to judge", "there is no window to judge"
    start = format_second(windows[0][0])
    if windows[0][0] >= known.now:
        return NOT_BEGUN, f"the window begins at {start}"
    return FILES_TO_COME, f"the window began at {start}, and its files may not exist yet"


def make_notes(windows: Spans, judged: Spans, known: Known) -> list[str]:
    if windows[-1][1] <= known.now:
        return []
    return [
        f"the last window ends at {format_second(windows[-1][1])}, and is judged up to {format_second(judged[-1][1])}"
    ]
