# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of verdicts, and what the notify log lets one say."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils import _recording as recording
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import (
    ACCEPTED,
    ALREADY_STARTED,
    CONFIG_ABSENT,
    NO_TASK,
    STREAM_ABSENT,
    ApiError,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._live import CommandAnswer, NotifyEvent
from ansible_collections.apsaravideo.live.plugins.module_utils._recording import Evidence

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
SAID_RECORDING = Evidence("recording")
SAID_STOPPED = Evidence("stopped")
SAID_STOPPED_WITH_FILE = Evidence("stopped", finalized=True)
SAID_NOTHING = Evidence("unknown", "nothing")


def answer(meaning, lost=False):
    error = None if meaning == ACCEPTED else ApiError("refused", "advice", code=meaning)
    return CommandAnswer(meaning, error, lost)


def event(kind, seconds):
    return NotifyEvent(kind, NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("meaning", "lost", "expected"),
    [
        (ACCEPTED, False, (True, "recording", "stopped", "command")),
        (ACCEPTED, True, (True, "recording", "stopped", "command")),
        (ALREADY_STARTED, False, (False, "recording", "recording", "command")),
        (ALREADY_STARTED, True, (True, "recording", "unknown", "command")),
    ],
)
def test_start(meaning, lost, expected):
    assert recording.after_start(answer(meaning, lost))[:4] == expected


@pytest.mark.parametrize("meaning", [STREAM_ABSENT, CONFIG_ABSENT, NO_TASK])
@pytest.mark.parametrize("judge", [recording.after_start, recording.after_restart])
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
    ],
)
def test_stop(meaning, before, lost, expected):
    assert recording.after_stop(answer(meaning, lost), before)[:4] == expected


def test_stop_without_a_configuration_warns():
    assert recording.after_stop(answer(CONFIG_ABSENT), SAID_NOTHING).warnings


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
    assert recording.after_cancel_delay(answer(meaning, lost), before, stopped).changed is changed


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
    ],
)
def test_evidence(events, state):
    assert recording.evidence(events).state == state


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


@given(HISTORIES)
def test_evidence_claims_only_what_the_newest_second_says(events):
    found = recording.evidence(events)
    status = [row for row in events if row.type.startswith("record_")]
    newest = {row.type for row in status if row.time == max(row.time for row in status)}
    if found.state == "recording":
        assert newest <= {"record_started", "record_resumed"}
    elif found.state == "stopped":
        assert newest == {"record_paused"}
    else:
        assert found.reason and not found.finalized
        assert not newest or "record_error" in newest or {"record_paused"} < newest


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
