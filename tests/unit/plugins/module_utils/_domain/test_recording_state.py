# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of verdicts, and what the notify log lets one say."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.error_codes import (
    ACCEPTED,
    ALREADY_STARTED,
    CONFIG_ABSENT,
    NO_TASK,
    STREAM_ABSENT,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import (
    CommandResponse,
    NotifyEvent,
    RecordTask,
    TimeWindow,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._domain import recording_state as recording
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.recording_state import Evidence
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import ApiError

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
SAID_RECORDING = Evidence("recording")
SAID_STOPPED = Evidence("stopped")
SAID_STOPPED_WITH_FILE = Evidence("stopped", finalized=True)
SAID_NOTHING = Evidence("unknown", "nothing")


def answer(meaning, lost=False):
    error = None if meaning == ACCEPTED else ApiError("refused", "advice", code=meaning)
    return CommandResponse(meaning, error, 1.0 if lost else None)


def event(kind, seconds):
    return NotifyEvent(kind, NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("meaning", "lost", "expected"),
    [
        (ACCEPTED, False, (True, "recording", "stopped", "command")),
        (ACCEPTED, True, (True, "recording", "stopped", "command")),
        (ALREADY_STARTED, False, (False, "recording", "recording", "command")),
    ],
)
@pytest.mark.parametrize("before", [SAID_RECORDING, SAID_STOPPED, SAID_NOTHING])
def test_start(meaning, lost, expected, before):
    assert recording.after_start(answer(meaning, lost), before) == (*expected, ())


@pytest.mark.parametrize(
    ("before", "changed", "warns"),
    [(SAID_RECORDING, False, False), (SAID_STOPPED, True, False), (SAID_NOTHING, True, True)],
)
def test_start_of_what_runs_already_after_a_lost_answer(before, changed, warns):
    found = recording.after_start(answer(ALREADY_STARTED, lost=True), before)
    assert found[:4] == (changed, "recording", before.state, "command")
    assert [before.reason in text for text in found.warnings] == ([True] if warns else [])


@pytest.mark.parametrize("meaning", [STREAM_ABSENT, CONFIG_ABSENT, NO_TASK])
@pytest.mark.parametrize(
    "judge",
    [lambda given: recording.after_start(given, SAID_NOTHING), recording.after_restart],
    ids=["start", "restart"],
)
def test_start_and_restart_fail_with_the_error_of_the_answer(judge, meaning):
    refused = answer(meaning)
    with pytest.raises(ApiError) as caught:
        judge(refused)
    assert caught.value is refused.error


@pytest.mark.parametrize(
    ("meaning", "before", "lost", "expected"),
    [
        (ACCEPTED, SAID_RECORDING, False, (True, "stopped", "recording", "command")),
        (ACCEPTED, SAID_NOTHING, False, (True, "stopped", "unknown", "command")),
        (ACCEPTED, SAID_STOPPED, False, (False, "stopped", "stopped", "command")),
        (ACCEPTED, SAID_STOPPED, True, (False, "stopped", "stopped", "command")),
        (NO_TASK, SAID_NOTHING, False, (False, "stopped", "stopped", "command")),
        (NO_TASK, SAID_RECORDING, False, (False, "stopped", "stopped", "command")),
        (NO_TASK, SAID_RECORDING, True, (True, "stopped", "recording", "command")),
        (NO_TASK, SAID_STOPPED, True, (False, "stopped", "stopped", "command")),
        (STREAM_ABSENT, SAID_RECORDING, False, (False, "offline", "offline", "command")),
        (STREAM_ABSENT, SAID_NOTHING, True, (True, "offline", "unknown", "command")),
        (CONFIG_ABSENT, SAID_NOTHING, False, (False, "unknown", "unknown", "none")),
        (CONFIG_ABSENT, SAID_RECORDING, True, (True, "unknown", "recording", "none")),
        (CONFIG_ABSENT, SAID_STOPPED, True, (False, "unknown", "stopped", "none")),
    ],
)
def test_stop(meaning, before, lost, expected):
    assert recording.after_stop(answer(meaning, lost), before)[:4] == expected


def test_a_stop_of_what_was_not_known_says_why_once():
    stopped = recording.after_stop(answer(ACCEPTED), SAID_NOTHING)
    assert [warning for warning in stopped.warnings if "nothing" in warning] == list(stopped.warnings) != []
    finalized = recording.after_cancel_delay(answer(ACCEPTED), SAID_NOTHING, stopped)
    assert finalized.warnings == stopped.warnings
    assert not recording.after_stop(answer(ACCEPTED), SAID_STOPPED).warnings
    assert not recording.after_stop(answer(NO_TASK), SAID_NOTHING).warnings, "the answer told it"


def test_stop_without_a_configuration_warns():
    assert recording.after_stop(answer(CONFIG_ABSENT), SAID_NOTHING).warnings


@pytest.mark.parametrize("meaning", [NO_TASK, STREAM_ABSENT, CONFIG_ABSENT])
@pytest.mark.parametrize("before", [SAID_NOTHING, SAID_RECORDING, SAID_STOPPED])
@pytest.mark.parametrize("lost", [True, False])
def test_a_change_that_a_lost_answer_makes_likely_is_assumed_with_a_warning(meaning, before, lost):
    stopped = recording.after_stop(answer(meaning, lost), before)
    warns = lost and before is SAID_NOTHING
    assert any("nothing" in text for text in stopped.warnings) is warns
    assert stopped.changed is (lost and before is not SAID_STOPPED)
    finalized = recording.after_cancel_delay(answer(meaning, lost), before, stopped)
    assert [text for text in finalized.warnings if "nothing" in text] == [
        text for text in stopped.warnings if "nothing" in text
    ], "that a change is assumed is said once"
    stopped = recording.after_stop(answer(meaning), before)
    finalized = recording.after_cancel_delay(answer(meaning, lost), before, stopped)
    assert any("nothing" in text for text in finalized.warnings) is warns
    assert finalized.changed is lost


def test_stop_fails_on_an_answer_that_makes_no_sense():
    with pytest.raises(ApiError):
        recording.after_stop(answer(ALREADY_STARTED), SAID_NOTHING)


@pytest.mark.parametrize(
    ("meaning", "before", "lost", "stopped_changed", "changed"),
    [
        (ACCEPTED, SAID_NOTHING, False, False, True),
        (ACCEPTED, SAID_STOPPED, False, False, True),
        (ACCEPTED, SAID_STOPPED_WITH_FILE, False, False, False),
        (NO_TASK, SAID_NOTHING, False, False, False),
        (NO_TASK, SAID_NOTHING, True, False, True),
        (NO_TASK, SAID_NOTHING, False, True, True),
        (STREAM_ABSENT, SAID_STOPPED, False, False, False),
    ],
)
def test_cancel_delay(meaning, before, lost, stopped_changed, changed):
    stopped = recording.Verdict(stopped_changed, "stopped", "unknown", "command")
    found = recording.after_cancel_delay(answer(meaning, lost), before, stopped)
    assert found.changed is changed
    assumed = changed and not stopped_changed and before is SAID_NOTHING
    assert ["a file was still to be made" in text for text in found.warnings] == ([True] if assumed else [])


def test_restart_is_always_a_change():
    assert recording.after_restart(answer(ACCEPTED))[:4] == (True, "recording", "unknown", "command")


@pytest.mark.parametrize(
    ("online", "seen", "waits", "expected"),
    [
        (True, SAID_RECORDING, False, (False, "recording", "recording", "notify_log")),
        (True, SAID_STOPPED, False, (True, "recording", "stopped", "notify_log")),
        (True, SAID_NOTHING, False, (True, "recording", "unknown", "none")),
        (False, SAID_NOTHING, True, (True, "recording", "offline", "stream_state")),
    ],
)
def test_predicted_start(online, seen, waits, expected):
    assert recording.predict_start(online, seen, waits)[:4] == expected


def test_nothing_is_predicted_where_a_run_would_fail():
    assert recording.predict_start(False, SAID_NOTHING, waits=False) is None
    assert recording.predict_restart(False) is None


@pytest.mark.parametrize(
    ("online", "seen", "finalize", "expected"),
    [
        (True, SAID_RECORDING, False, (True, "stopped", "recording", "notify_log")),
        (True, SAID_STOPPED, False, (False, "stopped", "stopped", "notify_log")),
        (True, SAID_STOPPED, True, (True, "stopped", "stopped", "notify_log")),
        (True, SAID_STOPPED_WITH_FILE, True, (False, "stopped", "stopped", "notify_log")),
        (True, SAID_NOTHING, False, (True, "stopped", "unknown", "none")),
        (False, SAID_NOTHING, False, (False, "offline", "offline", "stream_state")),
        (False, SAID_NOTHING, True, (False, "offline", "offline", "stream_state")),
        (False, SAID_STOPPED, True, (True, "offline", "offline", "stream_state")),
    ],
)
def test_predicted_stop(online, seen, finalize, expected):
    assert recording.predict_stop(online, seen, finalize)[:4] == expected


def test_a_prediction_from_nothing_warns_and_says_why():
    assert "nothing" in recording.predict_start(True, SAID_NOTHING, False).warnings[0]
    assert not recording.predict_start(True, SAID_STOPPED, False).warnings


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "unknown"),
        ([event("file_created", 1)], "unknown"),
        ([event("record_started", 1)], "recording"),
        ([event("record_started", 1), event("record_paused", 2)], "stopped"),
        ([event("record_paused", 2), event("record_started", 1)], "stopped"),
        ([event("record_paused", 1), event("record_resumed", 2)], "recording"),
        ([event("record_started", 1), event("record_paused", 1)], "unknown"),
        ([event("record_started", 1), event("record_resumed", 1)], "recording"),
        ([event("record_started", 1), event("record_error", 2)], "unknown"),
        ([event("record_error", 1), event("record_resumed", 2)], "recording"),
        ([event("record_started", 1), NotifyEvent("record_paused", None)], "unknown"),
        ([event("record_started", 1), NotifyEvent("file_created", None)], "recording"),
        ([event("record_started", 1), event("file_created", 9)], "recording"),
        ([event("record_started", 1), event("transformat_error", 9)], "recording"),
        ([event("record_error", 1)], "unknown"),
        ([event("record_error", 1), event("record_started", 1)], "unknown"),
    ],
)
def test_evidence(events, state):
    assert recording.evidence(events).state == state


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "unknown"),
        ([event("record_started", 9)], "unknown"),
        ([event("record_started", 10)], "recording"),
        ([event("record_started", 11)], "recording"),
        ([event("record_started", 5), event("record_paused", 9)], "unknown"),
        ([event("record_started", 5), event("record_paused", 10)], "stopped"),
        ([event("record_paused", 10), event("record_resumed", 10)], "unknown"),
        ([event("record_started", 5), event("file_created", 20)], "unknown"),
    ],
)
def test_evidence_of_a_push_that_began_at_ten(events, state):
    found = recording.evidence(events, NOON + timedelta(seconds=10))
    assert found.state == state
    assert bool(found.reason) is (state == "unknown")
    assert (found.since is None) is (state == "unknown")


def test_evidence_says_since_when():
    rows = [event("record_started", 1), event("record_paused", 2), event("record_resumed", 3), event("file_created", 4)]
    assert recording.evidence(rows).since == NOON + timedelta(seconds=3)


@pytest.mark.parametrize(
    ("seen", "source"), [(SAID_RECORDING, "notify_log"), (SAID_STOPPED, "notify_log"), (SAID_NOTHING, "none")]
)
def test_what_is_offline_is_not_recorded_whatever_the_log_says(seen, source):
    online, offline = recording.state_of(True, seen), recording.state_of(False, seen)
    assert (online, online.source) == (seen, source)
    assert (offline.state, offline.source, offline.since) == ("offline", "stream_state", None)


def test_evidence_of_a_finalized_file():
    paused = [event("record_started", 1), event("record_paused", 5)]
    assert not recording.evidence([*paused, event("file_created", 4)]).finalized
    assert recording.evidence([*paused, event("file_created", 6)]).finalized
    assert not recording.evidence([event("record_started", 7), *paused, event("file_created", 6)]).finalized


HISTORIES = st.lists(
    st.builds(
        event,
        st.sampled_from(["record_started", "record_resumed", "record_paused", "record_error", "file_created", "other"]),
        st.integers(0, 20),
    )
)


@given(HISTORIES, st.randoms())
def test_evidence_does_not_depend_on_the_order_of_the_log(events, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert recording.evidence(shuffled) == recording.evidence(events)


SAYS = {"record_started": "recording", "record_resumed": "recording", "record_paused": "stopped", "record_error": "?"}


def reference(rows, pushed):
    """The state by the rule as it is written down, second by second back from the last."""
    for second in range(20, -1, -1):
        here = {SAYS[row.type] for row in rows if row.type in SAYS and row.time == NOON + timedelta(seconds=second)}
        if here:
            known = len(here) == 1 and here <= {"recording", "stopped"}
            return here.pop() if known and (pushed is None or second >= pushed) else "unknown"
    return "unknown"


@given(HISTORIES, st.none() | st.integers(0, 21))
def test_evidence_agrees_with_a_reference(rows, pushed):
    found = recording.evidence(rows, None if pushed is None else NOON + timedelta(seconds=pushed))
    assert found.state == reference(rows, pushed)
    assert bool(found.reason) is (found.state == "unknown")
    assert not (found.finalized and found.state != "stopped")


@given(HISTORIES, st.sampled_from(sorted(SAYS)), st.integers(0, 21))
def test_a_status_event_without_a_readable_time_makes_everything_unknown(rows, kind, place):
    assert recording.evidence([*rows[:place], NotifyEvent(kind, None), *rows[place:]]).state == "unknown"


STEPS = st.lists(
    st.tuples(st.sampled_from(["start", "stop", "restart", "drop", "push", "cycle"]), st.integers(0, 2)), max_size=30
)


@given(STEPS, st.booleans(), st.booleans())
def test_a_complete_log_never_makes_evidence_wrong(steps, automatic, knows_push):
    """A recorder that reports all it does, also much in one second: what is said of it is true, or `unknown`."""
    log, second, truth, pushed = [], 0, "stopped", 0
    online = True

    def change(state, kind):
        nonlocal truth
        truth = state
        log.append(event(kind, second))

    for step, seconds in steps:
        second += seconds
        if step == "push" and not online:
            online, pushed = True, second
            if automatic:
                change("recording", "record_resumed")
        elif step == "drop" and online:
            online = False
            if truth == "recording":
                change("stopped", "record_paused")
        elif not online:
            continue
        elif step == "start" and truth == "stopped":
            change("recording", "record_started")
        elif step == "stop" and truth == "recording":
            change("stopped", "record_paused")
        elif step == "restart":
            log.append(event("file_created", second))
            change("recording", "record_started")
        elif step == "cycle" and truth == "recording":
            log.append(event("file_created", second))
    found = recording.evidence(log, NOON + timedelta(seconds=pushed) if knows_push else None)
    assert found.state in (truth, "unknown")
    assert recording.state_of(online, found).state in ("offline" if not online else truth, "unknown")


def seconds(first, last):
    return TimeWindow(NOON + timedelta(seconds=first), NOON + timedelta(seconds=last))


START, RESUME, PAUSE, ERROR, FILE = "record_started", "record_resumed", "record_paused", "record_error", "file_created"


@pytest.mark.parametrize(
    ("rows", "state", "reason"),
    [
        ([], "unknown", "no status event"),
        ([(FILE, 1)], "unknown", "no status event"),
        ([(START, 1)], "recording", ""),
        ([(PAUSE, 1), (RESUME, 2), (FILE, 30)], "recording", ""),
        ([(START, 9)], "recording", ""),
        ([(START, 10)], "unknown", "same second"),
        ([(START, 11)], "unknown", "same second"),
        ([(START, 12)], "stopped", ""),
        ([(START, 1), (PAUSE, 5)], "stopped", ""),
        ([(START, 1), (PAUSE, 5), (RESUME, 12)], "stopped", ""),
        ([(START, 1), (PAUSE, 5), (RESUME, 10)], "stopped", ""),
        ([(START, 1), (PAUSE, 10), (START, 10)], "unknown", "change since"),
        ([(START, 1), (PAUSE, 12), (START, 13)], "unknown", "change since"),
        ([(START, 1), (START, 12)], "unknown", "change since"),
        ([(PAUSE, 12), (START, 13)], "unknown", "does not tell"),
        ([(ERROR, 1)], "unknown", "record_error"),
        ([(ERROR, 1), (START, 12)], "unknown", "record_error"),
        ([(PAUSE, 1), (START, 1), (START, 12)], "unknown", "disagree"),
        ([(PAUSE, None), (START, 12)], "unknown", "no readable time"),
        ([(PAUSE, None), (START, 1)], "unknown", "no readable time"),
    ],
)
def test_what_was_before_a_command_that_was_sent_at_ten_or_eleven(rows, state, reason):
    events = [NotifyEvent(kind, None) if at is None else event(kind, at) for kind, at in rows]
    found = recording.evidence_before(events, seconds(10, 11))
    assert found.state == state
    assert reason in found.reason and bool(found.reason) is bool(reason)


@given(STEPS, st.integers(0, 40), st.integers(0, 2), st.booleans(), st.sampled_from([0, 1, 5]))
def test_a_complete_log_never_makes_what_was_before_a_command_wrong(steps, at, width, effective, late):
    """Others start, stop and split the recording meanwhile, and the command takes effect at once, late or never."""
    log, truth, second, spans = [], "stopped", 0, []
    due = [at + late] if effective else []

    def change(state, kind):
        nonlocal truth
        spans.append((second, state))
        truth = state
        log.append(event(kind, second))

    began = False
    for step, pause in [*steps, ("end", 50)]:
        arrival = second + pause
        if due and due[0] <= arrival:
            second = max(second, due.pop())
            if truth == "stopped":
                began = True
                change("recording", "record_started")
        second = arrival
        if step in ("start", "push") and truth == "stopped":
            change("recording", "record_started")
        elif step in ("stop", "drop") and truth == "recording":
            change("stopped", "record_paused")
        elif step == "restart" and truth == "recording":
            log.append(event("file_created", second))
            change("recording", "record_started")
    found = recording.evidence_before(log, seconds(at, at + width))
    before = next((state for when, state in reversed(spans) if when < at), "stopped")
    assert found.state in (before, "unknown")
    if truth == "recording":
        assert not (began and found.state == "recording"), "what the command began is no less than a change"


@given(HISTORIES, st.integers(0, 20), st.integers(0, 2), st.randoms())
def test_what_was_before_a_command_does_not_depend_on_the_order_of_the_log(events, at, width, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    window = seconds(at, at + width)
    assert recording.evidence_before(shuffled, window) == recording.evidence_before(events, window)


@given(HISTORIES)
def test_where_the_clocks_cannot_be_compared_nothing_is_said_of_the_time_before_a_command(events):
    always = TimeWindow(*(moment.replace(tzinfo=timezone.utc) for moment in (datetime.min, datetime.max)))
    assert recording.evidence_before(events, always).state == "unknown"
    assert not recording.has_split(events, always)


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([], False),
        ([(START, 1), (FILE, 12), (START, 12)], True),
        ([(START, 1), (PAUSE, 12), (FILE, 12), (START, 13)], True),
        ([(START, 1), (FILE, 11), (START, 11)], True),
        ([(START, 1), (FILE, 10), (START, 10)], True),
        ([(START, 1), (FILE, 11), (START, 12)], True),
        ([(START, 1), (START, 11)], True),
        ([(START, 1), (FILE, 9), (START, 9)], False),
        ([(START, 1), (FILE, 11)], False),
        ([(START, 1), (PAUSE, 5), (FILE, 11), (START, 11)], False),
        ([(START, 1), (PAUSE, 11), (FILE, 11), (START, 11)], False),
        ([(START, 1), (PAUSE, 10), (RESUME, 11)], False),
        ([(START, 1), (START, 11), (ERROR, 12)], False),
        ([(START, 1), (START, 11), (PAUSE, None)], False),
        ([(FILE, 11), (START, 11)], False),
        ([(START, 12)], False),
        ([(FILE, 12)], False),
        ([(START, 12), (FILE, 13)], False),
        ([(START, 1), (PAUSE, 12), (RESUME, 13)], False),
        ([(FILE, 12), (START, 12), (PAUSE, 15)], False),
        ([(FILE, 12), (START, 12), (ERROR, 15)], False),
        ([(FILE, 12), (START, 12), (PAUSE, None)], False),
    ],
)
def test_what_shows_a_restart_that_was_sent_at_ten_or_eleven(rows, shown):
    events = [NotifyEvent(kind, None) if at is None else event(kind, at) for kind, at in rows]
    assert recording.has_split(events, seconds(10, 11)) is shown


def task(start, end, runs=False):
    moments = (None if at is None else NOON + timedelta(seconds=at) for at in (start, end))
    return RecordTask(*moments, runs)


@pytest.mark.parametrize(
    ("rows", "tasks", "shown"),
    [
        ([], [], False),
        ([], [(1, 11), (11, None, True)], True),
        ([], [(1, 10), (10, 11, True)], True),
        ([], [(1, 15), (15, 20, True)], True),
        ([], [(1, 9), (11, None, True)], False),
        ([], [(1, 11)], False),
        ([], [(1, 99, True)], False),
        ([], [(1, None, True)], False),
        ([], [(11, None, True)], False),
        ([], [(1, 11), (11, 12)], False),
        ([], [(1, 9), (9, None, True)], False),
        ([(FILE, 11)], [(1, 11), (11, None, True)], True),
        ([(FILE, 11)], [(1, 11)], False),
        ([(START, 11)], [(1, 11)], True),
        ([(START, 11)], [(1, 9)], False),
        ([(START, 11)], [(11, None, True)], False),
        ([(START, 1)], [(1, 11), (11, None, True)], True),
        ([(START, 1), (PAUSE, 11)], [(1, 11), (11, None, True)], False),
        ([(START, 11), (PAUSE, 12)], [(1, 11), (11, None, True)], False),
        ([(START, 11), (PAUSE, None)], [(1, 11), (11, None, True)], False),
    ],
)
def test_what_record_contents_show_of_a_restart_that_was_sent_at_ten_or_eleven(rows, tasks, shown):
    events = [NotifyEvent(kind, None) if at is None else event(kind, at) for kind, at in rows]
    assert recording.has_split(events, seconds(10, 11), [task(*each) for each in tasks]) is shown


@given(STEPS, st.integers(0, 40), st.integers(0, 2), st.booleans(), st.sampled_from([0, 1, 5]), st.booleans())
def test_where_nobody_else_acts_a_split_is_shown_only_where_there_was_one(steps, at, width, effective, late, lists):
    """Others act up to the second before a restart, which takes effect at once, late or never."""
    log, tasks, second, began = [], [], 0, None
    for step, pause in steps:
        second += pause
        if second >= at:
            break
        if step in ("start", "push") and began is None:
            began = second
            log.append(event("record_started", second))
        elif step in ("stop", "drop") and began is not None:
            tasks.append(task(began, second))
            began = None
            log.append(event("record_paused", second))
        elif step == "restart" and began is not None:
            tasks.append(task(began, second))
            began = second
            log += [event("file_created", second), event("record_started", second)]
    before = list(log)
    split = effective and began is not None
    if split:
        tasks.append(task(began, at + late))
        began = at + late
        log += [event("file_created", began), event("record_started", began)]
    if lists and began is not None:
        tasks.append(task(began, 99, True))
    window = seconds(at, at + width)
    # Where others began and ended a recording in one second, the log does not tell whether one ran before.
    newest = max((row.time for row in before if row.type != "file_created"), default=None)
    is_clear = len({row.type for row in before if row.time == newest} - {"file_created"}) < 2
    assert recording.has_split(log, window) <= split
    assert not is_clear or recording.has_split(log, window) is split
    assert recording.has_split(log, window, tasks) is split
    assert recording.has_split([], window, tasks) is (split and lists)


@given(HISTORIES, st.integers(0, 20), st.integers(0, 2), st.randoms())
def test_whether_a_split_is_shown_does_not_depend_on_the_order_of_the_log(events, at, width, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    window = seconds(at, at + width)
    assert recording.has_split(shuffled, window) == recording.has_split(events, window)


@given(HISTORIES, st.integers(21, 30))
def test_what_is_older_never_shows_a_restart(events, at):
    assert not recording.has_split(events, seconds(at, at + 1))


@pytest.mark.parametrize("source", ["notify_log", "record_contents"])
def test_a_restart_that_is_shown_is_known_from_what_shows_it(source):
    assert recording.after_proven_restart(source) == (True, "recording", "unknown", source, ())


@given(HISTORIES)
def test_a_later_file_never_changes_the_state(events):
    assert recording.evidence([*events, event("file_created", 99)]).state == recording.evidence(events).state


@pytest.mark.parametrize(
    ("wanted", "finalize", "expected"),
    [
        ("started", False, ["start"]),
        ("stopped", False, ["stop"]),
        ("stopped", True, ["stop", "cancel_delay"]),
        ("restarted", False, ["restart"]),
    ],
)
def test_commands(wanted, finalize, expected):
    assert recording.commands(wanted, finalize) == expected


@pytest.mark.parametrize(
    ("command", "meaning", "before", "expected"),
    [
        ("start", ACCEPTED, SAID_NOTHING, "recording"),
        ("start", ACCEPTED, SAID_RECORDING, "recording"),
        ("start", ALREADY_STARTED, SAID_NOTHING, None),
        ("restart", ACCEPTED, SAID_RECORDING, "recording"),
        ("stop", ACCEPTED, SAID_RECORDING, "stopped"),
        ("stop", ACCEPTED, SAID_NOTHING, "stopped"),
        ("stop", ACCEPTED, SAID_STOPPED, None),
        ("stop", STREAM_ABSENT, SAID_RECORDING, None),
        ("stop", NO_TASK, SAID_RECORDING, None),
        ("cancel_delay", ACCEPTED, SAID_RECORDING, "file_created"),
        ("cancel_delay", ACCEPTED, SAID_STOPPED, "file_created"),
        ("cancel_delay", ACCEPTED, SAID_STOPPED_WITH_FILE, None),
        ("cancel_delay", NO_TASK, SAID_STOPPED, None),
    ],
)
def test_what_is_awaited(command, meaning, before, expected):
    assert recording.awaited(command, answer(meaning), before) == expected


SENT = NOON + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("before", "after", "wanted", "confirmed"),
    [
        ([], [], "recording", False),
        ([], [("record_started", 9)], "recording", False),
        ([], [("record_started", 10)], "recording", True),
        ([], [("record_resumed", 15)], "recording", True),
        ([("record_started", 10)], [("record_started", 10)], "recording", False),
        ([("record_started", 10)], [("record_started", 10), ("record_started", 10)], "recording", True),
        ([], [("record_started", 9), ("record_paused", 9)], "recording", False),
        ([("record_paused", 10)], [("record_paused", 10), ("record_resumed", 10)], "recording", True),
        ([], [("record_paused", 10), ("record_resumed", 10)], "recording", True),
        ([], [("record_started", 10), ("record_paused", 11)], "recording", False),
        ([], [("record_started", 10), ("record_error", 10)], "recording", False),
        ([], [("record_started", 10), ("record_error", 12)], "recording", False),
        ([], [("file_created", 12)], "recording", False),
        ([("record_started", 1)], [("record_started", 1), ("record_paused", 10)], "stopped", True),
        ([], [("record_paused", 10)], "recording", False),
        ([], [("record_paused", 9)], "stopped", False),
        ([], [("record_paused", 10)], "file_created", False),
        ([], [("file_created", 9)], "file_created", False),
        ([("file_created", 10)], [("file_created", 10)], "file_created", False),
        ([], [("file_created", 11), ("record_paused", 10)], "file_created", True),
        ([], [(None, None)], "recording", False),
    ],
)
def test_what_confirms_a_command(before, after, wanted, confirmed):
    rows = [event(*row) if row[0] else NotifyEvent("record_started", None) for row in after]
    fresh = recording.newer(rows, [event(*row) for row in before], SENT)
    assert recording.confirmed(fresh, wanted, SENT, complete=False) is confirmed


@pytest.mark.parametrize(
    ("before", "after", "wanted", "is_confirmed"),
    [
        ([], [("record_started", 9)], "recording", True),
        ([], [("record_started", 8)], "recording", True),
        ([], [("record_started", 7)], "recording", False),
        ([("record_started", 9)], [("record_started", 9)], "recording", False),
        ([], [("record_started", 8), ("record_paused", 9)], "recording", False),
        ([], [("record_paused", 8), ("record_started", 9)], "recording", True),
        ([], [("record_paused", 9)], "stopped", True),
        ([], [("file_created", 8)], "file_created", True),
        ([], [("file_created", 7)], "file_created", False),
    ],
)
def test_what_confirms_a_command_once_the_log_is_complete(before, after, wanted, is_confirmed):
    fresh = recording.newer([event(*row) for row in after], [event(*row) for row in before], SENT)
    assert recording.confirmed(fresh, wanted, SENT, complete=True) is is_confirmed
    assert not recording.confirmed(fresh, wanted, SENT, complete=False), "the command's own event may be missing"


@given(HISTORIES, HISTORIES, st.sampled_from(["recording", "stopped", "file_created"]))
def test_what_was_seen_before_a_command_or_is_older_never_confirms_it(before, late, wanted):
    """Whatever the log held already, and whatever of the time before the command it shows only now."""
    for seconds, complete in ((21, False), (23, True)):
        sent = NOON + timedelta(seconds=seconds)
        assert not recording.confirmed(recording.newer([*before, *late], before, sent), wanted, sent, complete)
    assert not recording.confirmed(recording.newer(before, before, NOON), wanted, NOON, complete=True)


@given(HISTORIES, HISTORIES)
def test_everything_new_is_found_once(before, after):
    fresh = recording.newer([*before, *after], before, NOON)
    assert sorted(fresh, key=str) == sorted(after, key=str)


def test_what_was_seen_last():
    old, new = event("record_paused", 1), event("record_error", 12)
    assert "no event" in recording.last_seen([], [])
    assert "record_paused of 2026-01-02T12:00:01Z, from before" in recording.last_seen([old], [])
    assert recording.last_seen([old, new], [new]).endswith("record_error of 2026-01-02T12:00:12Z")


OSS, VOD = "oss", "vod"


def stored(kind, seconds, storage):
    return event(kind, seconds)._replace(storage_type=storage)


@pytest.mark.parametrize(
    ("rows", "state", "finalized"),
    [
        ([(START, 1, OSS), (START, 5, VOD), (PAUSE, 6, OSS)], "recording", False),
        ([(START, 1, OSS), (START, 5, VOD), (PAUSE, 5, OSS)], "recording", False),
        ([(START, 1, OSS), (START, 5, VOD), (ERROR, 6, OSS)], "recording", False),
        ([(START, 1, OSS), (START, 5, VOD), (PAUSE, 6, VOD)], "stopped", False),
        ([(START, 1, OSS), (START, 5, VOD), (PAUSE, 6, VOD), (FILE, 7, OSS)], "stopped", False),
        ([(START, 1, OSS), (START, 5, VOD), (PAUSE, 6, VOD), (FILE, 7, VOD)], "stopped", True),
        ([(START, 1, VOD), (RESUME, 5, OSS), (PAUSE, 6, VOD)], "recording", False),
        ([(START, 1, OSS), (START, 2, VOD), (START, 5, OSS), (PAUSE, 6, VOD)], "recording", False),
        ([(START, 1, OSS), (PAUSE, 4, OSS), (ERROR, 6, VOD)], "unknown", False),
        ([(START, 1, OSS), (PAUSE, 6, VOD)], "stopped", False),
        ([(START, 1, OSS), (START, 5, VOD), (PAUSE, 6, None)], "stopped", False),
        ([(START, 1, OSS), (START, 1, VOD), (PAUSE, 6, VOD)], "stopped", False),
        ([(START, 1, OSS), (START, 5, VOD), (PAUSE, None, OSS)], "unknown", False),
    ],
)
def test_evidence_of_a_stream_whose_recording_moved_to_another_storage_type(rows, state, finalized):
    events = [stored(kind, at or 0, storage)._replace(**{} if at else {"time": None}) for kind, at, storage in rows]
    for order in (events, events[::-1]):
        found = recording.evidence(order)
        assert (found.state, found.finalized) == (state, finalized)


def test_the_last_file_of_another_storage_type_confirms_nothing():
    before = [stored(START, 1, OSS), stored(PAUSE, 3, OSS), stored(START, 5, VOD)]
    late = [*before, stored(PAUSE, 10, VOD), stored(FILE, 11, OSS)]
    assert not recording.confirmed(recording.newer(late, before, SENT), "file_created", SENT, complete=True)
    late.append(stored(FILE, 11, VOD))
    assert recording.confirmed(recording.newer(late, before, SENT), "file_created", SENT, complete=False)


@given(st.lists(st.tuples(st.sampled_from(["start", "stop", "switch"]), st.integers(1, 3)), max_size=30), st.data())
def test_what_comes_late_of_another_storage_type_never_changes_the_evidence(steps, data):
    """A recorder of one storage type at a time; what ends of the other one is reported whenever it likes."""
    log, second, truth, storage, late = [], 0, "stopped", OSS, []
    for step, pause in steps:
        second += pause
        if step == "switch":
            if truth == "recording":
                late += [(PAUSE, second, storage), (FILE, second, storage)]
            storage, truth = VOD if storage == OSS else OSS, "recording"
            log.append(stored(START, second, storage))
        elif step == "start" and truth == "stopped":
            truth = "recording"
            log.append(stored(START, second, storage))
        elif step == "stop" and truth == "recording":
            truth = "stopped"
            log.append(stored(PAUSE, second, storage))
    plain = recording.evidence(log)
    assert plain.state == (truth if log else "unknown")
    delay = st.integers(0, 5)
    kept = [stored(kind, at + data.draw(delay), old) for kind, at, old in late if old != storage]
    assert recording.evidence([*log, *kept]) == plain


class World:
    """A recorder, and a log that shows each of its events late, with times of a clock that is behind.

    Times are seconds after noon; an event is (kind, time, time shown).
    """

    def __init__(self, steps, offset):
        self.events, self.offset, self.now, self.state, self.file_due = [], offset, 0.0, "stopped", False
        for step, pause, lag in steps:
            self.now += pause
            self.do(step, lag)

    def do(self, step, lag):
        made = {
            ("start", "stopped"): [START],
            ("stop", "recording"): [PAUSE],
            ("split", "recording"): [FILE, START],
            ("finalize", "stopped"): [FILE] if self.file_due else [],
        }.get((step, self.state), [])
        for kind in made:
            self.state = {START: "recording", PAUSE: "stopped"}.get(kind, self.state)
            self.file_due = kind != FILE
            self.events.append((kind, self.now, self.now + lag))
        return made

    def log(self, now):
        return [event(kind, int(at - self.offset + 100) - 100) for kind, at, shown in self.events if shown <= now]


LAGS = st.floats(0, recording.LOG_DELAY - 0.5)
OFFSETS = st.floats(0, 2)
GAPS = st.floats(0.1, 3) | st.floats(3, 20)
WORLDS = st.builds(
    World,
    st.lists(st.tuples(st.sampled_from(["start", "stop", "split", "finalize"]), GAPS, LAGS), max_size=12),
    OFFSETS,
)


def judge(world, commands, pause, lag, others=()):
    """Carry out commands as the module does, and return the evidence from before, from after, and what was true."""
    world.now += pause
    before = world.log(world.now - 0.05)
    truth = world.state, world.state == "stopped" and not world.file_due
    sent = NOON + timedelta(seconds=int(world.now))
    made = [kind for command in commands for kind in world.do(command, lag)]
    for step, wait, its_lag in others:
        world.now += wait
        world.do(step, its_lag)
    read = max(world.now, (sent - NOON).total_seconds() + 1) + recording.LOG_DELAY
    late = recording.evidence_at(world.log(read), before, sent)
    return recording.evidence(before), late, truth, made, (before, sent)


def verdict(commands, before):
    stopped = recording.after_stop(answer(ACCEPTED), before)
    return recording.after_cancel_delay(answer(ACCEPTED), before, stopped) if commands[1:] else stopped


STOPS = st.sampled_from([("stop",), ("stop", "finalize")])
OTHERS = st.lists(st.tuples(st.sampled_from(["start", "stop", "split"]), st.floats(0.1, 3), LAGS), max_size=3)


@given(WORLDS, STOPS, st.floats(0.1, 30), LAGS, OTHERS)
def test_a_stop_never_seems_to_have_changed_nothing_where_it_did(world, commands, pause, lag, others):
    """Whatever others did just before it, so that the log does not show it yet, and whatever they do after it."""
    before, late, _truth, made, _log = judge(world, commands, pause, lag, others)
    if not verdict(commands, before).changed:
        assert verdict(commands, late).changed or not made


@given(WORLDS, STOPS, LAGS)
def test_a_stop_of_what_had_long_been_stopped_changes_nothing(world, commands, lag):
    before, late, (state, finalized), made, _log = judge(world, commands, 30, lag)
    if before.state == "unknown":
        return  # nothing was ever recorded, or it did several things in one second
    assert (late.state, late.finalized) == (state, finalized)
    assert verdict(commands, late).changed is bool(made)


@settings(max_examples=500)
@given(WORLDS, st.sampled_from(["start", "stop"]), st.floats(2, 4), LAGS, st.floats(0, 2 * recording.LOG_DELAY))
def test_a_wait_ends_with_the_event_of_the_command_and_never_with_an_older_one(world, command, pause, lag, seconds):
    _before, _late, _truth, made, (before, sent) = judge(world, [command], pause, lag)
    if not made:
        return
    wanted = recording.awaited(command, answer(ACCEPTED), SAID_NOTHING)
    own = world.events[-1]
    now = own[1] + seconds
    fresh = recording.newer(world.log(now), before, sent)
    if recording.confirmed(fresh, wanted, sent, complete=seconds >= recording.LOG_DELAY):
        assert own[2] <= now, "the event was not in the log yet"
    else:
        assert seconds < recording.LOG_DELAY
