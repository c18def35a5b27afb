# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on recordings, compared with a slow model that knows every second of a stream."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._domain import coverage, verification, verify
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.verification import Known, Pushes, RecordedFile

NOON = 1_767_355_200
HOUR = 3600
EVER = coverage.ALWAYS
TOLERANCE = 10


# --- spans -----------------------------------------------------------------------------------------------------------

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


def seconds_of(found):
    return {second for start, stop in found for second in range(int(max(0, start)), int(min(30, stop)))}


@given(spans, spans)
def test_spans_agree_with_sets_of_seconds(left, right):
    first, second = coverage.normalize(left), coverage.normalize(right)
    assert seconds_of(first) == seconds_of(left)
    assert seconds_of(coverage.intersect(first, second)) == seconds_of(left) & seconds_of(right)
    assert seconds_of(coverage.subtract(first, second)) == seconds_of(left) - seconds_of(right)
    assert seconds_of(coverage.invert(first)) == set(range(30)) - seconds_of(left)
    assert coverage.measure(first) == len(seconds_of(left))
    assert all(one[1] < other[0] for one, other in zip(first, first[1:]))


# --- single cases ----------------------------------------------------------------------------------------------------


def make_file(start, stop, duration=None, **fields):
    return RecordedFile(
        NOON + start, NOON + stop, stop - start if duration is None else duration, "m3u8", "a", **fields
    )


def judge(*files, windows=((0, HOUR),), now=24 * HOUR, pushed=((-HOUR, 30 * HOUR),), tolerance=TOLERANCE, **known):
    pushes = None if pushed is None else Pushes(tuple((NOON + start, NOON + stop) for start, stop in pushed))
    found = Known(NOON + now, files, **{"visible": EVER, "delay": 180, "cycle": 6 * HOUR, "pushes": pushes, **known})
    return verify.judge(tuple((NOON + start, NOON + stop) for start, stop in windows), found, tolerance)


def gaps_of(judgement):
    return [(gap.start - NOON, gap.stop - NOON, gap.cause) for gap in judgement.gaps]


PUSHED_LATE = ((600, 30 * HOUR),)


@pytest.mark.parametrize(
    ("files", "options", "verdict"),
    [
        ([make_file(-60, HOUR + 60)], {}, "complete"),
        ([make_file(0, 1800), make_file(1800, HOUR)], {}, "complete"),
        ([make_file(9, HOUR - 9)], {}, "complete"),
        ([make_file(11, HOUR)], {}, "incomplete"),
        ([make_file(0, 1800), make_file(1811, HOUR)], {}, "incomplete"),
        ([make_file(11, HOUR)], {"tolerance": 11}, "complete"),
        ([make_file(600, HOUR)], {"pushed": PUSHED_LATE}, "interrupted"),
        ([make_file(605, HOUR)], {"pushed": PUSHED_LATE}, "interrupted"),
        ([make_file(620, HOUR)], {"pushed": PUSHED_LATE}, "incomplete"),
        ([make_file(600, HOUR)], {"pushed": None}, "unknown"),
        ([make_file(0, HOUR)], {"pushed": None}, "complete"),
        ([], {}, "nothing_recorded"),
        ([], {"pushed": None}, "unknown"),
        ([], {"pushed": None, "now": 26 * HOUR}, "nothing_recorded"),
        ([], {"pushed": ()}, "nothing_recorded"),
        ([], {"windows": ((0, 5),)}, "nothing_recorded"),
        ([make_file(0, 4)], {"windows": ((0, 5),)}, "complete"),
        ([make_file(0, 4)], {"pushed": ((-HOUR, 4),)}, "nothing_recorded"),
        ([], {"visible": ()}, "unknown"),
        ([make_file(0, HOUR)], {"visible": ()}, "complete"),
        ([make_file(0, 1800)], {"visible": ()}, "unknown"),
        ([make_file(0, 1800)], {"visible": (), "pushed": ((-HOUR, 1800),)}, "interrupted"),
        ([make_file(0, HOUR, status=verification.DAMAGED)], {}, "nothing_recorded"),
        ([make_file(0, HOUR, status=verification.DAMAGED)], {"whole": ()}, "unknown"),
        ([make_file(0, HOUR, status=verification.DAMAGED), make_file(0, 1800)], {"whole": ()}, "unknown"),
        ([make_file(0, 1800)], {"whole": ()}, "incomplete"),
        ([make_file(0, HOUR, status=verification.MISSING), make_file(0, 1800)], {}, "incomplete"),
        ([make_file(0, HOUR, status=verification.ERROR), make_file(0, HOUR)], {}, "complete"),
        # A window that has just ended, one that has not, and one that has not begun
        ([], {"now": HOUR + 60}, "unknown"),
        ([make_file(0, HOUR)], {"now": HOUR + 60}, "complete"),
        ([], {"now": HOUR + 59, "pushed": ((-HOUR, -600),)}, "unknown"),
        ([], {"now": HOUR + 60, "pushed": ((-HOUR, -600),)}, "nothing_recorded"),
        ([], {"now": HOUR + 239, "pushed": ((-HOUR, HOUR),)}, "unknown"),
        ([], {"now": HOUR + 241, "pushed": ((-HOUR, HOUR),)}, "nothing_recorded"),
        ([make_file(0, 1800)], {"now": HOUR + 600, "pushed": ((0, 1800),)}, "interrupted"),
        ([make_file(0, 1800)], {"now": 2000}, "complete"),
        ([make_file(0, 1800)], {"now": 2600}, "unknown"),
        ([make_file(0, 1500)], {"now": 2600, "closed_until": math.inf}, "incomplete"),
        ([], {"now": -5}, "unknown"),
        ([], {"now": 100}, "unknown"),
        # Pauses in a file: one that the push or the log explains, one that nothing explains, one that may be outside
        ([make_file(0, HOUR, HOUR - 100)], {}, "incomplete"),
        ([make_file(0, HOUR, HOUR - 100)], {"pushed": None}, "unknown"),
        ([make_file(0, HOUR, HOUR - 100)], {"pushed": ((0, 600), (700, 30 * HOUR))}, "interrupted"),
        ([make_file(0, HOUR, HOUR - 115)], {"pushed": ((0, 600), (700, 30 * HOUR))}, "unknown"),
        ([make_file(0, HOUR, HOUR - 130)], {"pushed": ((0, 600), (700, 30 * HOUR))}, "incomplete"),
        ([make_file(0, HOUR, HOUR - 100)], {"pauses": ((NOON + 600, NOON + 700),)}, "incomplete"),
        ([make_file(-HOUR, HOUR, 2 * HOUR - 100)], {}, "unknown"),
        ([make_file(-HOUR, HOUR, 2 * HOUR - 100)], {"pauses": ((NOON - 200, NOON - 100),)}, "complete"),
        ([make_file(0, HOUR, HOUR - 100), make_file(0, HOUR)], {}, "complete"),
    ],
)
def test_verdict(files, options, verdict):
    assert judge(*files, **options).verdict == verdict


def test_formats_of_one_recording_count_once():
    mp4 = make_file(0, 1800)._replace(format="mp4")
    found = judge(make_file(0, 1800), mp4, make_file(900, 2700))
    assert (found.recorded, found.expected) == (2700, HOUR)


def test_gaps_name_their_causes():
    found = judge(make_file(0, 600), make_file(1200, 2000), pushed=((-HOUR, 600), (900, 30 * HOUR)))
    assert gaps_of(found) == [(600, 900, "push"), (900, 1200, "recording"), (2000, HOUR, "recording")]
    assert found.reason == (
        "32 minutes of 60 minutes are not recorded although the stream was pushed: "
        "2026-01-02T12:15:00Z to 2026-01-02T12:20:00Z, 2026-01-02T12:33:20Z to 2026-01-02T13:00:00Z"
    )


def test_short_push_between_interruptions_need_not_be_recorded():
    found = judge(make_file(0, 600), make_file(1000, HOUR), pushed=((0, 600), (800, 808), (1000, 30 * HOUR)))
    assert (found.verdict, gaps_of(found)) == ("interrupted", [(600, 1000, "push")])


def test_reasons_of_unknown():
    early = judge(now=-5).reason
    assert early == "the window begins at 2026-01-02T12:00:00Z"
    assert judge(now=HOUR + 60).reason == "files of what was recorded from 2026-01-02T12:00:00Z on may not exist yet"
    assert judge(visible=(), unseen="the list was refused").reason == "the list was refused"
    pending = judge(pushed=None, push_problem="no permission")
    assert pending.cause == "files may not exist yet; no permission" and pending.reason.endswith("; no permission")
    late = judge(make_file(0, 60), pushed=None, push_problem="no permission", now=26 * HOUR)
    assert "is unknown: no permission" in late.reason


def test_push_that_a_whole_file_shows_to_be_missing_from_the_list_is_unknown():
    files = [make_file(0, 600), make_file(2400, HOUR)]
    found = judge(*files, pushed=())
    assert (found.verdict, found.recorded, gaps_of(found)) == ("unknown", 1800, [(600, 2400, "unknown")])
    assert judge(make_file(0, HOUR), pushed=((0, 600), (1200, HOUR))).verdict == "complete"
    # Within a minute, clocks may differ, and a file with a pause says nothing about its place.
    assert judge(*files, pushed=((0, 580), (2420, HOUR))).verdict == "interrupted"
    assert judge(make_file(0, HOUR, 3000), pushed=((0, 600), (1200, HOUR))).verdict == "interrupted"


def test_open_window_says_up_to_when_it_is_judged():
    assert judge(make_file(0, 1800), now=1900).notes == [
        "the last window ends at 2026-01-02T13:00:00Z, and is judged up to 2026-01-02T12:27:40Z"
    ]


# --- a model that knows every second ---------------------------------------------------------------------------------

LENGTH = 900  # seconds of a story
DELAY, CYCLE = 40, 200


class Story(NamedTuple):
    """Seconds at which a stream was pushed and was meant to be recorded, and its files as lists of seconds."""

    pushed: set
    files: list  # (seconds recorded, second of creation)


def tell(pushed, meant, splits):
    """Return what a service records that pauses for DELAY seconds and ends a file after CYCLE recorded seconds."""
    files, current, last = [], [], None
    for second in range(LENGTH + DELAY + 1):
        if current and second - last > DELAY:
            files.append((current, second))
            current = []
        if current and (second in splits or len(current) >= CYCLE):
            files.append((current, second))
            current = []
        if second in pushed and second in meant and second < LENGTH:
            current.append(second)
            last = second
    return Story(set(pushed), files)


def runs(seconds):
    """Return maximal runs of consecutive seconds."""
    found = []
    for second in sorted(seconds):
        if found and found[-1][-1] == second - 1:
            found[-1].append(second)
        else:
            found.append([second])
    return found


def true_verdict(story, window, damaged):
    held = {
        second for number, (seconds, _made) in enumerate(story.files) if number not in damaged for second in seconds
    }
    if len(held & set(window)) <= min(TOLERANCE, len(window) / 2):
        return "nothing_recorded"
    causes = set()
    for run in runs(set(window) - held):
        if len(run) > TOLERANCE:
            pushed = [part for part in runs(set(run) & story.pushed) if len(part) > TOLERANCE]
            causes |= {"recording"} if pushed else set()
            causes |= {"push"} if set(run) - story.pushed else set()
    return "incomplete" if "recording" in causes else "interrupted" if causes else "complete"


def as_spans(seconds):
    return tuple((NOON + run[0], NOON + run[-1] + 1) for run in runs(seconds))


def as_known(story, damaged, now, pushes_are_known=True, pauses=()):
    files = [
        RecordedFile(
            NOON + seconds[0],
            NOON + seconds[-1] + 1,
            float(len(seconds)),
            "m3u8",
            str(number),
            status=verification.OK if number not in damaged else verification.DAMAGED,
        )
        for number, (seconds, made) in enumerate(story.files)
        if made + verification.FILE_LAG <= now
    ]
    pushed = Pushes(as_spans({second for second in story.pushed if second < now})) if pushes_are_known else None
    return Known(NOON + now, files, EVER, DELAY, CYCLE, pushes=pushed, pauses=pauses)


@st.composite
def stretches(draw, first):
    """Return the seconds of a few stretches that alternate with pauses, some as short as the tolerance."""
    lengths = draw(st.lists(st.sampled_from([1, 4, 9, 10, 11, 14, 25, 39, 40, 41, 60, 130, 210, 300]), max_size=12))
    found, second, inside = set(), 0, draw(st.booleans()) if first is None else first
    for length in [*lengths, LENGTH]:
        if inside:
            found |= set(range(second, min(LENGTH, second + length)))
        second += length
        inside = not inside
    return found


stories = st.builds(tell, stretches(None), stretches(True), st.sets(st.integers(0, LENGTH - 1), max_size=3))
windows = st.builds(
    lambda start, length: range(start, min(LENGTH, start + length)), st.integers(0, 700), st.integers(20, 600)
)


damages = st.sets(st.integers(0, 8), max_size=3)


def find_pauses(story):
    """Return the pauses within files, as a log with status events shows them."""
    return as_spans(
        {second for seconds, _made in story.files for second in range(seconds[0], seconds[-1])}
        - {second for seconds, _made in story.files for second in seconds}
    )


@settings(max_examples=300, deadline=None)
@given(stories, windows, damages)
def test_verdict_with_a_whole_log_is_the_true_one(story, window, damaged):
    known = as_known(story, damaged, 10 * LENGTH, pauses=find_pauses(story))
    found = verify.judge(((NOON + window[0], NOON + window[-1] + 1),), known, TOLERANCE)
    assert found.verdict == true_verdict(story, window, damaged)
    held = {
        second for number, (seconds, _made) in enumerate(story.files) if number not in damaged for second in seconds
    }
    assert abs(found.recorded - len(held & set(window))) <= TOLERANCE * (1 + len(story.files))


@settings(max_examples=400, deadline=None)
@given(
    stories,
    windows,
    damages,
    st.integers(0, 2 * LENGTH),
    st.booleans(),
    st.booleans(),
)
def test_verdict_is_true_or_unknown_at_any_time(story, window, damaged, now, pushes_are_known, pauses_are_known):
    pauses = find_pauses(story) if pauses_are_known else ()
    known = as_known(story, damaged, now, pushes_are_known, pauses)
    found = verify.judge(((NOON + window[0], NOON + window[-1] + 1),), known, TOLERANCE)
    if found.verdict == "unknown":
        assert found.reason
        return
    so_far = window
    if window[-1] + 1 > now:
        so_far = range(window[0], int(window[0] + found.expected))
    assert found.verdict == true_verdict(story, so_far, damaged)


@settings(max_examples=300, deadline=None)
@given(stories, windows, damages, st.integers(0, 2 * LENGTH))
def test_verdict_with_less_knowledge_is_the_same_or_weaker(story, window, damaged, now):
    span = ((NOON + window[0], NOON + window[-1] + 1),)
    known = as_known(story, damaged, now)
    found = verify.judge(span, known, TOLERANCE)
    full = found.verdict
    # A pause that is not known may be what makes of a few seconds too few.
    assume(abs(found.recorded - min(TOLERANCE, len(window) / 2)) >= TOLERANCE)
    less_known = [known._replace(pushes=None), known._replace(visible=())]
    # A longer delay makes the part shorter that is judged of a window that has not ended.
    less_known += [known._replace(delay=400.0)] if window[-1] < now else []
    for less in less_known:
        weaker = verify.judge(span, less, TOLERANCE).verdict
        assert weaker in (full, "unknown")


@pytest.mark.parametrize(
    ("statuses", "verdict", "cause", "reason"),
    [
        ([verification.DAMAGED], "nothing_recorded", "damaged", "1 of 1 files cannot be used: file0 (damaged)"),
        (
            [verification.OK, verification.MISSING],
            "incomplete",
            "missing",
            "1 of 2 files cannot be used: file1 (missing)",
        ),
    ],
)
def test_unusable_files_are_the_cause_and_are_named(statuses, verdict, cause, reason):
    files = [
        make_file(number * HOUR, (number + 1) * HOUR, status=status)._replace(object=f"file{number}")
        for number, status in enumerate(statuses)
    ]
    found = judge(*files, windows=((0, len(files) * HOUR),))
    assert (found.verdict, found.cause) == (verdict, f"files that were recorded cannot be used: {cause}")
    assert found.reason == reason
    assert {gap.cause for gap in found.gaps} == {"file"}


def test_time_that_no_file_should_hold_is_named_beside_a_damaged_file():
    found = judge(make_file(0, 600, status=verification.DAMAGED), make_file(600, 1200), make_file(2400, HOUR))
    assert gaps_of(found) == [(0, 600, "file"), (1200, 2400, "recording")]
    assert found.cause == "files that were recorded cannot be used: damaged; the recording is incomplete"
    assert found.reason.startswith("1 of 3 files cannot be used: a (damaged); 20 minutes of 60 minutes")


@pytest.mark.parametrize(
    ("is_checked", "other", "verdict"),
    [(True, "unchecked", "unknown"), (False, "unchecked", "complete")] + [(True, "ok", "complete")],
)
def test_unchecked_format_does_not_hide_a_damaged_one(is_checked, other, verdict):
    bad, rest = (make_file(0, HOUR, status=status) for status in (verification.DAMAGED, other))
    found = judge(bad, rest, is_checked=is_checked)
    assert found.verdict == verdict
    assert ("could not be checked: 1 of 2 files" in found.reason) == (verdict == "unknown")


def test_waiting_is_not_advised_where_no_file_will_be_listed():
    known = {"visible": (), "now": HOUR + 60, "unseen": "refused", "blind": "refused"}
    assert judge(**known).cause == "refused"
    assert judge(**{**known, "blind": ""}).cause == "files may not exist yet"
