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


def answer(meaning, lost=False):
    error = None if meaning == ACCEPTED else ApiError("refused", "advice", code=meaning)
    return CommandResponse(meaning, error, 1.0 if lost else None)


def event(kind, seconds):
    return NotifyEvent(kind, NOON + timedelta(seconds=seconds))


HISTORIES = st.lists(
    st.builds(
        event,
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
def test_what_is_awaited(command, meaning, before, expected):
    assert expect_event(command, answer(meaning), before) == expected


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
    fresh = select_new_events(rows, [event(*row) for row in before], SENT)
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
def test_what_confirms_a_command_once_the_log_is_complete(before, after, wanted, confirmed):
    fresh = select_new_events([event(*row) for row in after], [event(*row) for row in before], SENT)
    assert is_confirmed(fresh, wanted, SENT, complete=True) is confirmed
    assert not is_confirmed(fresh, wanted, SENT, complete=False), "the command's own event may be missing"


@given(HISTORIES, HISTORIES, st.sampled_from(["recording", "stopped", "file_created"]))
def test_what_was_seen_before_a_command_or_is_older_never_confirms_it(before, late, wanted):
    """Whatever the log held already, and whatever of the time before the command it shows only now."""
    for seconds, complete in ((21, False), (23, True)):
        sent = NOON + timedelta(seconds=seconds)
        assert not is_confirmed(select_new_events([*before, *late], before, sent), wanted, sent, complete)
    assert not is_confirmed(select_new_events(before, before, NOON), wanted, NOON, complete=True)


@given(HISTORIES, HISTORIES)
def test_everything_new_is_found_once(before, after):
    fresh = select_new_events([*before, *after], before, NOON)
    assert sorted(fresh, key=str) == sorted(after, key=str)


def test_what_was_seen_last():
    old, new = event("record_paused", 1), event("record_error", 12)
    assert "no event" in describe_newest_event([], [])
    assert "record_paused of 2026-01-02T12:00:01Z, from before" in describe_newest_event([old], [])
    assert describe_newest_event([old, new], [new]).endswith("record_error of 2026-01-02T12:00:12Z")


OSS, VOD = "oss", "vod"


def stored(kind, seconds, storage):
    return event(kind, seconds)._replace(storage_type=storage)


def test_the_last_file_of_another_storage_type_confirms_nothing():
    before = [stored(START, 1, OSS), stored(PAUSE, 3, OSS), stored(START, 5, VOD)]
    late = [*before, stored(PAUSE, 10, VOD), stored(FILE, 11, OSS)]
    assert not is_confirmed(select_new_events(late, before, SENT), "file_created", SENT, complete=True)
    late.append(stored(FILE, 11, VOD))
    assert is_confirmed(select_new_events(late, before, SENT), "file_created", SENT, complete=False)


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


LAGS = st.floats(0, recording_state.LOG_DELAY - 0.5)
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
    read = max(world.now, (sent - NOON).total_seconds() + 1) + recording_state.LOG_DELAY
    late = infer_state_at(world.log(read), before, sent)
    return recording_state.infer_state(before), late, truth, made, (before, sent)


def verdict(commands, before):
    stopped = verdicts.judge_stop(answer(ACCEPTED), before)
    return verdicts.judge_cancel_delay(answer(ACCEPTED), before, stopped) if commands[1:] else stopped


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
@given(WORLDS, st.sampled_from(["start", "stop"]), st.floats(2, 4), LAGS, st.floats(0, 2 * recording_state.LOG_DELAY))
def test_a_wait_ends_with_the_event_of_the_command_and_never_with_an_older_one(world, command, pause, lag, seconds):
    _before, _late, _truth, made, (before, sent) = judge(world, [command], pause, lag)
    if not made:
        return
    wanted = expect_event(command, answer(ACCEPTED), SAID_NOTHING)
    own = world.events[-1]
    now = own[1] + seconds
    fresh = select_new_events(world.log(now), before, sent)
    if is_confirmed(fresh, wanted, sent, complete=seconds >= recording_state.LOG_DELAY):
        assert own[2] <= now, "the event was not in the log yet"
    else:
        assert seconds < recording_state.LOG_DELAY
