# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that confirm a command, and the state at the time of a stop, with a late log and differing clocks."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.error_codes import (
    ACCEPTED,
    ALREADY_STARTED,
    NO_TASK,
    STREAM_ABSENT,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import (
    CommandResponse,
    NotifyEvent,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._domain import recording_state, verdicts
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.confirmation import (
    describe_newest_event,
    expect_event,
    infer_state_at,
    is_confirmed,
    select_new_events,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.recording_state import Evidence
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import ApiError

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
SAID_RECORDING = Evidence("recording")
SAID_STOPPED = Evidence("stopped")
SAID_STOPPED_WITH_FILE = Evidence("stopped", finalized=True)
SAID_NOTHING = Evidence("unknown", "nothing")


def make_response(meaning, lost=False):
    error = None if meaning == ACCEPTED else ApiError("refused", "advice", code=meaning)
    return CommandResponse(meaning, error, 1.0 if lost else None)


def make_event(kind, seconds):
    return NotifyEvent(kind, NOON + timedelta(seconds=seconds))


HISTORIES = st.lists(
    st.builds(
        make_event,
        st.sampled_from(["record_started", "record_resumed", "record_paused", "record_error", "file_created", "other"]),
        st.integers(0, 20),
    )
)


START, RESUME, PAUSE, ERROR, FILE = "record_started", "record_resumed", "record_paused", "record_error", "file_created"


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
def test_expected_event_of_a_command(command, meaning, before, expected):
    assert expect_event(command, make_response(meaning), before) == expected


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
def test_confirmation_by_events_of_the_command_or_later(before, after, wanted, confirmed):
    rows = [make_event(*row) if row[0] else NotifyEvent("record_started", None) for row in after]
    fresh = select_new_events(rows, [make_event(*row) for row in before], SENT)
    assert is_confirmed(fresh, wanted, SENT, complete=False) is confirmed


@pytest.mark.parametrize(
    ("before", "after", "wanted", "confirmed"),
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
def test_slightly_older_events_confirm_only_once_the_log_is_complete(before, after, wanted, confirmed):
    fresh = select_new_events([make_event(*row) for row in after], [make_event(*row) for row in before], SENT)
    assert is_confirmed(fresh, wanted, SENT, complete=True) is confirmed
    assert not is_confirmed(fresh, wanted, SENT, complete=False), "the command's own event may be missing"


@given(HISTORIES, HISTORIES, st.sampled_from(["recording", "stopped", "file_created"]))
def test_older_or_already_seen_events_never_confirm_a_command(before, late, wanted):
    """The log held some events before the command, and shows other older events only now."""
    for seconds, complete in ((21, False), (23, True)):
        sent = NOON + timedelta(seconds=seconds)
        assert not is_confirmed(select_new_events([*before, *late], before, sent), wanted, sent, complete)
    assert not is_confirmed(select_new_events(before, before, NOON), wanted, NOON, complete=True)


@given(HISTORIES, HISTORIES)
def test_each_new_event_is_selected_once(before, after):
    fresh = select_new_events([*before, *after], before, NOON)
    assert sorted(fresh, key=str) == sorted(after, key=str)


def test_description_of_the_newest_event():
    old, new = make_event("record_paused", 1), make_event("record_error", 12)
    assert "no event" in describe_newest_event([], [])
    assert "record_paused of 2026-01-02T12:00:01Z, from before" in describe_newest_event([old], [])
    assert describe_newest_event([old, new], [new]).endswith("record_error of 2026-01-02T12:00:12Z")


OSS, VOD = "oss", "vod"


def make_stored_event(kind, seconds, storage):
    return make_event(kind, seconds)._replace(storage_type=storage)


def test_late_file_of_another_storage_type_confirms_nothing():
    before = [make_stored_event(START, 1, OSS), make_stored_event(PAUSE, 3, OSS), make_stored_event(START, 5, VOD)]
    late = [*before, make_stored_event(PAUSE, 10, VOD), make_stored_event(FILE, 11, OSS)]
    assert not is_confirmed(select_new_events(late, before, SENT), "file_created", SENT, complete=True)
    late.append(make_stored_event(FILE, 11, VOD))
    assert is_confirmed(select_new_events(late, before, SENT), "file_created", SENT, complete=False)


class World:
    """A recorder with a log that shows each event late, and with the times of a clock that is behind.

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
        return [make_event(kind, int(at - self.offset + 100) - 100) for kind, at, shown in self.events if shown <= now]


LAGS = st.floats(0, recording_state.LOG_DELAY - 0.5)
OFFSETS = st.floats(0, 2)
GAPS = st.floats(0.1, 3) | st.floats(3, 20)
WORLDS = st.builds(
    World,
    st.lists(st.tuples(st.sampled_from(["start", "stop", "split", "finalize"]), GAPS, LAGS), max_size=12),
    OFFSETS,
)


def run_commands(world, commands, pause, lag, others=()):
    """Carry out commands as the module does; return the evidence before and after, the truth, and the effects."""
    world.now += pause
    before = world.log(world.now - 0.05)
    truth = world.state, world.state == "stopped" and not world.file_due
    sent = NOON + timedelta(seconds=int(world.now))
    made = [kind for command in commands for kind in world.do(command, lag)]
    for step, wait, its_lag in others:
        world.now += wait
        world.do(step, its_lag)
    read = max(world.now, (sent - NOON).total_seconds() + 1) + recording_state.LOG_DELAY
    late = infer_state_at(world.log(read), before, sent)
    return recording_state.infer_state(before), late, truth, made, (before, sent)


def judge_commands(commands, before):
    stopped = verdicts.judge_stop(make_response(ACCEPTED), before)
    return verdicts.judge_cancel_delay(make_response(ACCEPTED), before, stopped) if commands[1:] else stopped


STOPS = st.sampled_from([("stop",), ("stop", "finalize")])
OTHERS = st.lists(st.tuples(st.sampled_from(["start", "stop", "split"]), st.floats(0.1, 3), LAGS), max_size=3)


@given(WORLDS, STOPS, st.floats(0.1, 30), LAGS, OTHERS)
def test_stop_that_had_an_effect_is_always_reported_as_a_change(world, commands, pause, lag, others):
    """Others act just before the stop, so that the log does not show it yet, and after it."""
    before, late, _truth, made, _log = run_commands(world, commands, pause, lag, others)
    if not judge_commands(commands, before).changed:
        assert judge_commands(commands, late).changed or not made


@given(WORLDS, STOPS, LAGS)
def test_stop_of_a_long_stopped_stream_reports_no_change(world, commands, lag):
    before, late, (state, finalized), made, _log = run_commands(world, commands, 30, lag)
    if before.state == "unknown":
        return  # nothing was ever recorded, or it did several things in one second
    assert (late.state, late.finalized) == (state, finalized)
    assert judge_commands(commands, late).changed is bool(made)


@settings(max_examples=500)
@given(WORLDS, st.sampled_from(["start", "stop"]), st.floats(2, 4), LAGS, st.floats(0, 2 * recording_state.LOG_DELAY))
def test_wait_ends_with_the_event_of_the_command_and_never_with_an_older_one(world, command, pause, lag, seconds):
    _before, _late, _truth, made, (before, sent) = run_commands(world, [command], pause, lag)
    if not made:
        return
    wanted = expect_event(command, make_response(ACCEPTED), SAID_NOTHING)
    own = world.events[-1]
    now = own[1] + seconds
    fresh = select_new_events(world.log(now), before, sent)
    if is_confirmed(fresh, wanted, sent, complete=seconds >= recording_state.LOG_DELAY):
        assert own[2] <= now, "the event was not in the log yet"
    else:
        assert seconds < recording_state.LOG_DELAY
