# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that the notify log and the record contents show."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import (
    NotifyEvent,
    RecordTask,
    TimeWindow,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.recording_state import (
    Evidence,
    has_split,
    infer_state,
    infer_state_before,
    override_if_offline,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
SAID_RECORDING = Evidence("recording")
SAID_STOPPED = Evidence("stopped")
SAID_NOTHING = Evidence("unknown", "nothing")


def make_event(kind, seconds):
    return NotifyEvent(kind, NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "unknown"),
        ([make_event("file_created", 1)], "unknown"),
        ([make_event("record_started", 1)], "recording"),
        ([make_event("record_started", 1), make_event("record_paused", 2)], "stopped"),
        ([make_event("record_paused", 2), make_event("record_started", 1)], "stopped"),
        ([make_event("record_paused", 1), make_event("record_resumed", 2)], "recording"),
        ([make_event("record_started", 1), make_event("record_paused", 1)], "unknown"),
        ([make_event("record_started", 1), make_event("record_resumed", 1)], "recording"),
        ([make_event("record_started", 1), make_event("record_error", 2)], "unknown"),
        ([make_event("record_error", 1), make_event("record_resumed", 2)], "recording"),
        ([make_event("record_started", 1), NotifyEvent("record_paused", None)], "unknown"),
        ([make_event("record_started", 1), NotifyEvent("file_created", None)], "recording"),
        ([make_event("record_started", 1), make_event("file_created", 9)], "recording"),
        ([make_event("record_started", 1), make_event("transformat_error", 9)], "recording"),
        ([make_event("record_error", 1)], "unknown"),
        ([make_event("record_error", 1), make_event("record_started", 1)], "unknown"),
    ],
)
def test_state_from_the_newest_status_event(events, state):
    assert infer_state(events).state == state


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "unknown"),
        ([make_event("record_started", 9)], "unknown"),
        ([make_event("record_started", 10)], "recording"),
        ([make_event("record_started", 11)], "recording"),
        ([make_event("record_started", 5), make_event("record_paused", 9)], "unknown"),
        ([make_event("record_started", 5), make_event("record_paused", 10)], "stopped"),
        ([make_event("record_paused", 10), make_event("record_resumed", 10)], "unknown"),
        ([make_event("record_started", 5), make_event("file_created", 20)], "unknown"),
    ],
)
def test_events_from_before_the_push_do_not_count(events, state):
    found = infer_state(events, NOON + timedelta(seconds=10))
    assert found.state == state
    assert bool(found.reason) is (state == "unknown")
    assert (found.since is None) is (state == "unknown")


def test_since_is_the_time_of_the_newest_status_event():
    rows = [
        make_event("record_started", 1),
        make_event("record_paused", 2),
        make_event("record_resumed", 3),
        make_event("file_created", 4),
    ]
    assert infer_state(rows).since == NOON + timedelta(seconds=3)


@pytest.mark.parametrize(
    ("seen", "source"), [(SAID_RECORDING, "notify_log"), (SAID_STOPPED, "notify_log"), (SAID_NOTHING, "none")]
)
def test_offline_stream_is_not_recorded_whatever_the_log_shows(seen, source):
    online, offline = override_if_offline(True, seen), override_if_offline(False, seen)
    assert (online, online.source) == (seen, source)
    assert (offline.state, offline.source, offline.since) == ("offline", "stream_state", None)


def test_finalized_means_a_file_after_the_pause():
    paused = [make_event("record_started", 1), make_event("record_paused", 5)]
    assert not infer_state([*paused, make_event("file_created", 4)]).finalized
    assert infer_state([*paused, make_event("file_created", 6)]).finalized
    assert not infer_state([make_event("record_started", 7), *paused, make_event("file_created", 6)]).finalized


HISTORIES = st.lists(
    st.builds(
        make_event,
        st.sampled_from(["record_started", "record_resumed", "record_paused", "record_error", "file_created", "other"]),
        st.integers(0, 20),
    )
)


@given(HISTORIES, st.randoms())
def test_state_does_not_depend_on_the_order_of_the_log(events, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert infer_state(shuffled) == infer_state(events)


SAYS = {"record_started": "recording", "record_resumed": "recording", "record_paused": "stopped", "record_error": "?"}


def find_reference_state(rows, pushed):
    """Return the state by the documented rule, second by second back from the last."""
    for second in range(20, -1, -1):
        here = {SAYS[row.type] for row in rows if row.type in SAYS and row.time == NOON + timedelta(seconds=second)}
        if here:
            known = len(here) == 1 and here <= {"recording", "stopped"}
            return here.pop() if known and (pushed is None or second >= pushed) else "unknown"
    return "unknown"


@given(HISTORIES, st.none() | st.integers(0, 21))
def test_state_agrees_with_a_reference_implementation(rows, pushed):
    found = infer_state(rows, None if pushed is None else NOON + timedelta(seconds=pushed))
    assert found.state == find_reference_state(rows, pushed)
    assert bool(found.reason) is (found.state == "unknown")
    assert not (found.finalized and found.state != "stopped")


@given(HISTORIES, st.sampled_from(sorted(SAYS)), st.integers(0, 21))
def test_status_event_without_a_readable_time_means_unknown(rows, kind, place):
    assert infer_state([*rows[:place], NotifyEvent(kind, None), *rows[place:]]).state == "unknown"


STEPS = st.lists(
    st.tuples(st.sampled_from(["start", "stop", "restart", "drop", "push", "cycle"]), st.integers(0, 2)), max_size=30
)


@given(STEPS, st.booleans(), st.booleans())
def test_state_from_a_complete_log_is_true_or_unknown(steps, automatic, knows_push):
    """A recorder logs all it does, which may be several events in one second."""
    log, second, truth, pushed = [], 0, "stopped", 0
    online = True

    def change(state, kind):
        nonlocal truth
        truth = state
        log.append(make_event(kind, second))

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
            log.append(make_event("file_created", second))
            change("recording", "record_started")
        elif step == "cycle" and truth == "recording":
            log.append(make_event("file_created", second))
    found = infer_state(log, NOON + timedelta(seconds=pushed) if knows_push else None)
    assert found.state in (truth, "unknown")
    assert override_if_offline(online, found).state in ("offline" if not online else truth, "unknown")


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
def test_state_before_a_command_sent_at_ten_or_eleven(rows, state, reason):
    events = [NotifyEvent(kind, None) if at is None else make_event(kind, at) for kind, at in rows]
    found = infer_state_before(events, seconds(10, 11))
    assert found.state == state
    assert reason in found.reason and bool(found.reason) is bool(reason)


@given(STEPS, st.integers(0, 40), st.integers(0, 2), st.booleans(), st.sampled_from([0, 1, 5]))
def test_state_before_a_command_is_true_or_unknown_with_a_complete_log(steps, at, width, effective, late):
    """Others start, stop and split the recording meanwhile, and the command takes effect at once, late or never."""
    log, truth, second, spans = [], "stopped", 0, []
    due = [at + late] if effective else []

    def change(state, kind):
        nonlocal truth
        spans.append((second, state))
        truth = state
        log.append(make_event(kind, second))

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
            log.append(make_event("file_created", second))
            change("recording", "record_started")
    found = infer_state_before(log, seconds(at, at + width))
    before = next((state for when, state in reversed(spans) if when < at), "stopped")
    assert found.state in (before, "unknown")
    if truth == "recording":
        assert not (began and found.state == "recording"), "what the command began is no less than a change"


@given(HISTORIES, st.integers(0, 20), st.integers(0, 2), st.randoms())
def test_state_before_a_command_does_not_depend_on_the_order_of_the_log(events, at, width, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    window = seconds(at, at + width)
    assert infer_state_before(shuffled, window) == infer_state_before(events, window)


@given(HISTORIES)
def test_state_before_a_command_needs_a_comparison_of_the_clocks(events):
    always = TimeWindow(*(moment.replace(tzinfo=timezone.utc) for moment in (datetime.min, datetime.max)))
    assert infer_state_before(events, always).state == "unknown"
    assert not has_split(events, always)


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
def test_split_shown_by_the_log_for_a_restart_sent_at_ten_or_eleven(rows, shown):
    events = [NotifyEvent(kind, None) if at is None else make_event(kind, at) for kind, at in rows]
    assert has_split(events, seconds(10, 11)) is shown


def make_task(start, end, runs=False):
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
def test_split_shown_by_record_contents_for_a_restart_sent_at_ten_or_eleven(rows, tasks, shown):
    events = [NotifyEvent(kind, None) if at is None else make_event(kind, at) for kind, at in rows]
    assert has_split(events, seconds(10, 11), [make_task(*each) for each in tasks]) is shown


@given(STEPS, st.integers(0, 40), st.integers(0, 2), st.booleans(), st.sampled_from([0, 1, 5]), st.booleans())
def test_split_is_shown_only_if_there_was_one_and_nobody_else_acts(steps, at, width, effective, late, lists):
    """Others act up to the second before a restart, which takes effect at once, late or never."""
    log, tasks, second, began = [], [], 0, None
    for step, pause in steps:
        second += pause
        if second >= at:
            break
        if step in ("start", "push") and began is None:
            began = second
            log.append(make_event("record_started", second))
        elif step in ("stop", "drop") and began is not None:
            tasks.append(make_task(began, second))
            began = None
            log.append(make_event("record_paused", second))
        elif step == "restart" and began is not None:
            tasks.append(make_task(began, second))
            began = second
            log += [make_event("file_created", second), make_event("record_started", second)]
    before = list(log)
    split = effective and began is not None
    if split:
        tasks.append(make_task(began, at + late))
        began = at + late
        log += [make_event("file_created", began), make_event("record_started", began)]
    if lists and began is not None:
        tasks.append(make_task(began, 99, True))
    window = seconds(at, at + width)
    # Where others began and ended a recording in one second, the log does not tell whether one ran before.
    newest = max((row.time for row in before if row.type != "file_created"), default=None)
    is_clear = len({row.type for row in before if row.time == newest} - {"file_created"}) < 2
    assert has_split(log, window) <= split
    assert not is_clear or has_split(log, window) is split
    assert has_split(log, window, tasks) is split
    assert has_split([], window, tasks) is (split and lists)


@given(HISTORIES, st.integers(0, 20), st.integers(0, 2), st.randoms())
def test_split_does_not_depend_on_the_order_of_the_log(events, at, width, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    window = seconds(at, at + width)
    assert has_split(shuffled, window) == has_split(events, window)


@given(HISTORIES, st.integers(21, 30))
def test_older_events_never_show_a_split(events, at):
    assert not has_split(events, seconds(at, at + 1))


@given(HISTORIES)
def test_later_file_never_changes_the_state(events):
    assert infer_state([*events, make_event("file_created", 99)]).state == infer_state(events).state


OSS, VOD = "oss", "vod"


def make_stored_event(kind, seconds, storage):
    return make_event(kind, seconds)._replace(storage_type=storage)


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
def test_events_of_an_abandoned_storage_type_do_not_count(rows, state, finalized):
    events = [
        make_stored_event(kind, at or 0, storage)._replace(**{} if at else {"time": None}) for kind, at, storage in rows
    ]
    for order in (events, events[::-1]):
        found = infer_state(order)
        assert (found.state, found.finalized) == (state, finalized)


@given(st.lists(st.tuples(st.sampled_from(["start", "stop", "switch"]), st.integers(1, 3)), max_size=30), st.data())
def test_late_events_of_an_abandoned_storage_type_never_change_the_state(steps, data):
    """A recorder has one storage type at a time, and logs the end of another one with any delay."""
    log, second, truth, storage, late = [], 0, "stopped", OSS, []
    for step, pause in steps:
        second += pause
        if step == "switch":
            if truth == "recording":
                late += [(PAUSE, second, storage), (FILE, second, storage)]
            storage, truth = VOD if storage == OSS else OSS, "recording"
            log.append(make_stored_event(START, second, storage))
        elif step == "start" and truth == "stopped":
            truth = "recording"
            log.append(make_stored_event(START, second, storage))
        elif step == "stop" and truth == "recording":
            truth = "stopped"
            log.append(make_stored_event(PAUSE, second, storage))
    plain = infer_state(log)
    assert plain.state == (truth if log else "unknown")
    delay = st.integers(0, 5)
    kept = [make_stored_event(kind, at + data.draw(delay), old) for kind, at, old in late if old != storage]
    assert infer_state([*log, *kept]) == plain
