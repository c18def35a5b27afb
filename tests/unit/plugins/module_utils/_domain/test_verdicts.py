# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of verdicts and predictions."""

from __future__ import annotations

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.error_codes import (
    ACCEPTED,
    ALREADY_STARTED,
    CONFIG_ABSENT,
    NO_TASK,
    STREAM_ABSENT,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import (
    CommandResponse,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._domain import verdicts
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.recording_state import Evidence
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import ApiError

SAID_RECORDING = Evidence("recording")
SAID_STOPPED = Evidence("stopped")
SAID_STOPPED_WITH_FILE = Evidence("stopped", finalized=True)
SAID_NOTHING = Evidence("unknown", "nothing")


def make_response(meaning, lost=False):
    error = None if meaning == ACCEPTED else ApiError("refused", "advice", code=meaning)
    return CommandResponse(meaning, error, 1.0 if lost else None)


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
    assert verdicts.judge_start(make_response(meaning, lost), before) == (*expected, ())


@pytest.mark.parametrize(
    ("before", "changed", "warns"),
    [(SAID_RECORDING, False, False), (SAID_STOPPED, True, False), (SAID_NOTHING, True, True)],
)
def test_start_of_a_running_recording_after_a_lost_response(before, changed, warns):
    found = verdicts.judge_start(make_response(ALREADY_STARTED, lost=True), before)
    assert found[:4] == (changed, "recording", before.state, "command")
    assert [before.reason in text for text in found.warnings] == ([True] if warns else [])


@pytest.mark.parametrize("meaning", [STREAM_ABSENT, CONFIG_ABSENT, NO_TASK])
@pytest.mark.parametrize(
    "judge",
    [lambda given: verdicts.judge_start(given, SAID_NOTHING), verdicts.judge_restart],
    ids=["start", "restart"],
)
def test_start_and_restart_raise_the_error_of_the_response(judge, meaning):
    refused = make_response(meaning)
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
    assert verdicts.judge_stop(make_response(meaning, lost), before)[:4] == expected


def test_stop_with_an_unknown_previous_state_warns_once():
    stopped = verdicts.judge_stop(make_response(ACCEPTED), SAID_NOTHING)
    assert [warning for warning in stopped.warnings if "nothing" in warning] == list(stopped.warnings) != []
    finalized = verdicts.judge_cancel_delay(make_response(ACCEPTED), SAID_NOTHING, stopped)
    assert finalized.warnings == stopped.warnings
    assert not verdicts.judge_stop(make_response(ACCEPTED), SAID_STOPPED).warnings
    assert not verdicts.judge_stop(make_response(NO_TASK), SAID_NOTHING).warnings, "the answer told it"


def test_stop_without_a_configuration_warns():
    assert verdicts.judge_stop(make_response(CONFIG_ABSENT), SAID_NOTHING).warnings


@pytest.mark.parametrize("meaning", [NO_TASK, STREAM_ABSENT, CONFIG_ABSENT])
@pytest.mark.parametrize("before", [SAID_NOTHING, SAID_RECORDING, SAID_STOPPED])
@pytest.mark.parametrize("lost", [True, False])
def test_change_is_assumed_with_a_warning_after_a_lost_response(meaning, before, lost):
    stopped = verdicts.judge_stop(make_response(meaning, lost), before)
    warns = lost and before is SAID_NOTHING
    assert any("nothing" in text for text in stopped.warnings) is warns
    assert stopped.changed is (lost and before is not SAID_STOPPED)
    finalized = verdicts.judge_cancel_delay(make_response(meaning, lost), before, stopped)
    assert [text for text in finalized.warnings if "nothing" in text] == [
        text for text in stopped.warnings if "nothing" in text
    ], "that a change is assumed is said once"
    stopped = verdicts.judge_stop(make_response(meaning), before)
    finalized = verdicts.judge_cancel_delay(make_response(meaning, lost), before, stopped)
    assert any("nothing" in text for text in finalized.warnings) is warns
    assert finalized.changed is lost


def test_stop_raises_the_error_of_an_unexpected_response():
    with pytest.raises(ApiError):
        verdicts.judge_stop(make_response(ALREADY_STARTED), SAID_NOTHING)


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
    stopped = verdicts.Verdict(stopped_changed, "stopped", "unknown", "command")
    found = verdicts.judge_cancel_delay(make_response(meaning, lost), before, stopped)
    assert found.changed is changed
    assumed = changed and not stopped_changed and before is SAID_NOTHING
    assert ["a file was still to be made" in text for text in found.warnings] == ([True] if assumed else [])


def test_restart_is_always_a_change():
    assert verdicts.judge_restart(make_response(ACCEPTED))[:4] == (True, "recording", "unknown", "command")


@pytest.mark.parametrize(
    ("online", "seen", "waits", "expected"),
    [
        (True, SAID_RECORDING, False, (False, "recording", "recording", "notify_log")),
        (True, SAID_STOPPED, False, (True, "recording", "stopped", "notify_log")),
        (True, SAID_NOTHING, False, (True, "recording", "unknown", "none")),
        (False, SAID_NOTHING, True, (True, "recording", "offline", "stream_state")),
    ],
)
def test_prediction_of_start(online, seen, waits, expected):
    assert verdicts.predict_start(online, seen, waits)[:4] == expected


def test_there_is_no_prediction_if_a_run_would_fail():
    assert verdicts.predict_start(False, SAID_NOTHING, waits=False) is None
    assert verdicts.predict_restart(False) is None


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
def test_prediction_of_stop(online, seen, finalize, expected):
    assert verdicts.predict_stop(online, seen, finalize)[:4] == expected


def test_prediction_from_an_unknown_state_warns_with_the_reason():
    assert "nothing" in verdicts.predict_start(True, SAID_NOTHING, False).warnings[0]
    assert not verdicts.predict_start(True, SAID_STOPPED, False).warnings


@pytest.mark.parametrize("source", ["notify_log", "record_contents"])
def test_proven_restart_has_the_source_of_the_proof(source):
    assert verdicts.judge_proven_restart(source) == (True, "recording", "unknown", source, ())


@pytest.mark.parametrize(
    ("wanted", "finalize", "expected"),
    [
        ("started", False, ["start"]),
        ("stopped", False, ["stop"]),
        ("stopped", True, ["stop", "cancel_delay"]),
        ("restarted", False, ["restart"]),
    ],
)
def test_commands_of_a_state(wanted, finalize, expected):
    assert verdicts.list_commands(wanted, finalize) == expected
