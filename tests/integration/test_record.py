# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation of apsaravideo_record against the emulator, under every behaviour that the documentation leaves open.

What is asserted is what the cloud saw and what became of it, beside what the operation reports.
"""

from __future__ import annotations

import os
import threading

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._domain import recording_state
from ansible_collections.apsaravideo.live.plugins.module_utils._module import argspec
from ansible_collections.apsaravideo.live.plugins.module_utils._module import record as record_module
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.emulator import ACCOUNT
from support.playbook import STREAM, environment

DEFAULTS = {name: option.get("default") for name, option in record_module.SPEC.options.items()}
LOG = "DescribeLiveRecordNotifyRecords"
CONTENTS = "DescribeLiveStreamRecordContent"
QUIET = "quiet.example.com/myapp/stream01"
READS = {"DescribeLiveStreamState", "DescribeLiveRecordNotifyRecords"}

VARIANTS = [
    {"generation": generation, "idle_stop": idle, "idle_cancel": idle, "idle_restart": idle, "answers": answers}
    for generation in ("old", "new")
    for idle in ("ok", "error")
    for answers in ("wrapped", "unwrapped")
]


def format_variant(variant):
    return f"{variant['generation']}-{variant['idle_stop']}-{variant['answers']}"


@pytest.fixture(autouse=True)
def _prompt_log(monkeypatch):
    """Shorten the wait before the second read of the notify log, which is never late in these tests."""
    monkeypatch.setattr(recording_state, "LOG_DELAY", 0.1)


@pytest.fixture(params=VARIANTS, ids=format_variant)
def variant(request, cloud):
    cloud.behave(**request.param)
    return request.param


def record(cloud, state="started", check_mode=False, stream=STREAM, environ=None, **options):
    names = dict(zip(argspec.STREAM, stream.split("/", 2)))
    given = {**DEFAULTS, "retry_timeout": 0, **names, "state": state, **options}
    return execute(
        record_module.operate, Task(given, {**os.environ, **environment(cloud), **(environ or {})}, check_mode)
    )


def add_domain(cloud, name, configuration=True, callbacks=True):
    """Add a domain like the built-in one, without what the options leave out."""
    prefix = "{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
    recorded = {"AppName": "*", "OssBucket": "b", "OssEndpoint": "oss-cn-shanghai.aliyuncs.com", "OnDemand": 7}
    recorded["RecordFormat"] = [{"Format": "mp4", "OssObjectPrefix": prefix}]
    notified = {"NotifyUrl": "http://callback.example.com/", "NeedStatusNotify": True}
    cloud.add_accounts(
        {
            "id": ACCOUNT,
            "domains": [{"name": name}],
            "record_configs": [{"DomainName": name, **recorded}] if configuration else [],
            "notify_configs": [{"DomainName": name, **notified}] if callbacks else [],
        }
    )


def commands(cloud):
    return [call["params"]["Command"] for call in cloud.calls("RealTimeRecordCommand")]


def list_operations(cloud):
    """Return the commands and other API operations in the order in which the emulator received them."""
    return [call["params"].get("Command", call["action"]) for call in cloud.calls()]


def pick_states(result):
    return result["previous_state"], result["state"], result["state_source"]


def recording(cloud, stream=STREAM):
    return cloud.stream(stream)["recording"]


def test_started_changes_only_once(cloud, variant):
    cloud.push(STREAM)
    first, second = record(cloud), record(cloud)
    assert (first["changed"], pick_states(first)) == (True, ("stopped", "recording", "command"))
    assert (second["changed"], pick_states(second)) == (False, ("recording", "recording", "command"))
    assert first["api_calls"] == second["api_calls"] == 1
    assert commands(cloud) == ["start", "start"]
    assert recording(cloud) == "recording"
    assert cloud.stream(STREAM)["ledger"]["starts"] == 1
    assert first["request_ids"] + second["request_ids"] == [call["request_id"] for call in cloud.calls()]


def test_stopped_changes_only_once(cloud, variant):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.clear_calls()
    first = record(cloud, "stopped")
    cloud.advance(5)
    second = record(cloud, "stopped")
    assert (first["changed"], pick_states(first)) == (True, ("recording", "stopped", "command"))
    assert (second["changed"], pick_states(second)) == (False, ("stopped", "stopped", "command"))
    accepted = variant["idle_stop"] == "ok"
    assert (first["api_calls"], second["api_calls"]) == (2, 2 + accepted)
    again = [LOG] if accepted else []
    assert list_operations(cloud) == [LOG, "stop", LOG, "stop", *again], (
        "a recording that the log did not show may have begun"
    )
    assert recording(cloud) != "recording"


def test_stopped_with_finalize_changes_only_once(cloud, variant):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.clear_calls()
    first = record(cloud, "stopped", finalize=True)
    assert cloud.stream(STREAM)["files"], "the file is there at once"
    cloud.advance(5)
    second = record(cloud, "stopped", finalize=True)
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["commands"] == ["stop", "cancel_delay"]
    accepted = "ok" in (variant["idle_stop"], variant["idle_cancel"])
    assert (first["api_calls"], second["api_calls"]) == (3, 3 + accepted)
    assert commands(cloud) == ["stop", "cancel_delay"] * 2


def test_finalize_after_a_plain_stop_is_a_change(cloud, variant):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    record(cloud, "stopped")
    cloud.advance(5)
    assert not cloud.stream(STREAM)["files"]
    result = record(cloud, "stopped", finalize=True)
    assert result["changed"]
    assert cloud.stream(STREAM)["files"]


def test_restarted_splits_each_time(cloud, variant):
    cloud.push(STREAM)
    record(cloud)
    for splits in (1, 2):
        cloud.advance(60)
        result = record(cloud, "restarted")
        assert (result["changed"], pick_states(result)) == (True, ("unknown", "recording", "command"))
        assert result["api_calls"] == 1
        assert cloud.stream(STREAM)["ledger"]["splits"] == splits
    assert recording(cloud) == "recording"


def test_restarted_starts_an_idle_stream(cloud, variant):
    cloud.push(STREAM)
    result = record(cloud, "restarted")
    if variant["idle_restart"] == "ok":
        assert result["changed"] and recording(cloud) == "recording"
    else:
        assert result["failed"] and result["error"]["code"] == "CodeTaskNotStarted"
        assert recording(cloud) == "idle"


def test_stopped_without_status_events_warns_that_a_change_is_assumed(cloud, variant):
    stream = "quiet.example.com/myapp/stream01"
    add_domain(cloud, "quiet.example.com", callbacks=False)
    cloud.push(stream)
    assert record(cloud, stream=stream)["changed"]
    cloud.advance(60)
    first = record(cloud, "stopped", stream=stream)
    assert (first["changed"], pick_states(first)) == (True, ("unknown", "stopped", "command"))
    (warning,) = first["warnings"]
    assert "previous state is unknown" in warning and "apsaravideo_record_notify" in warning
    assert stream not in warning, "Ansible shows the same warning of many streams once"
    cloud.advance(5)
    second = record(cloud, "stopped", stream=stream)
    refused = variant["idle_stop"] == "error"
    assert second["changed"] is not refused
    assert pick_states(second) == ("stopped" if refused else "unknown", "stopped", "command")
    assert second.get("warnings") == (None if refused else [warning])


def test_started_within_the_delay_of_a_stop_is_a_change(cloud, variant):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    record(cloud, "stopped")
    cloud.advance(5)
    assert record(cloud)["changed"]
    assert recording(cloud) == "recording"


def test_an_interrupted_recording_is_started_by_the_next_run(cloud, variant):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.drop(STREAM)
    cloud.advance(600)
    cloud.resume(STREAM)
    assert recording(cloud) == "idle"
    assert record(cloud)["changed"]
    assert recording(cloud) == "recording"


def test_a_stream_that_is_not_pushed_fails_to_start_and_stops_without_a_change(cloud, variant):
    codes = {"old": "InvalidStream.NotFound", "new": "StreamNotFound"}
    result = record(cloud)
    assert result["failed"] and not result["changed"]
    assert result["error"]["code"] == codes[variant["generation"]]
    assert result["error"]["request_id"] == cloud.calls()[0]["request_id"]
    assert result["error"]["action"] == "RealTimeRecordCommand"
    assert "not being pushed" in result["msg"] and "wait_for_stream" in result["msg"]
    assert record(cloud, "restarted")["error"]["code"] == codes[variant["generation"]]
    stopped = record(cloud, "stopped")
    assert (stopped["changed"], pick_states(stopped)) == (False, ("offline", "offline", "command"))
    assert stopped["api_calls"] == 2


@pytest.mark.parametrize(
    ("code", "status"), [("CodeTaskNotStarted", 400), ("CodeTaskNotExist", 400), ("TaskNotExist", 409)]
)
def test_a_stop_without_a_recording_is_no_change_with_any_error_code(cloud, code, status):
    cloud.behave(idle_stop="error", idle_cancel="error", no_task_code=code, no_task_status=status)
    cloud.push(STREAM)
    for finalize in (False, True):
        stopped = record(cloud, "stopped", finalize=finalize)
        assert (stopped["changed"], stopped["state"], stopped["state_source"]) == (False, "stopped", "command")
    assert {call["code"] for call in cloud.calls("RealTimeRecordCommand")} == {code}


def test_a_stream_without_a_configuration_fails_with_advice(cloud, variant):
    stream = "bare.example.com/myapp/stream01"
    add_domain(cloud, "bare.example.com", configuration=False)
    cloud.push(stream)
    result = record(cloud, stream=stream)
    assert (
        result["error"]["code"] == {"old": "InvalidConfig.NotFound", "new": "CodeConfigNotFound"}[variant["generation"]]
    )
    assert "apsaravideo_record_config" in result["msg"]
    stopped = record(cloud, "stopped", stream=stream)
    assert (stopped["changed"], stopped["state"], stopped["state_source"]) == (False, "unknown", "none")
    assert stopped["warnings"]


def test_an_unknown_domain_fails(cloud, variant):
    for state in ("started", "stopped", "restarted"):
        result = record(cloud, state, stream="nowhere.example.com/a/s")
        assert result["failed"]
        assert result["error"]["code"] == "InvalidDomain.NotFound"
        assert "streaming" in result["msg"]


def test_wait_for_stream_starts_when_the_push_begins(cloud, variant):
    timer = threading.Timer(0.7, cloud.push, [STREAM])
    timer.start()
    result = record(cloud, wait_for_stream=20)
    timer.join()
    assert result["changed"] and recording(cloud) == "recording"
    assert 0.3 < result["waited_seconds"] < 10
    assert commands(cloud) == ["start", "start"]


def test_wait_for_stream_fails_if_no_push_begins(cloud, variant):
    result = record(cloud, wait_for_stream=1)
    assert "did not appear within 1 seconds" in result["msg"]
    assert result["error"]["code"]
    assert 0 < result["waited_seconds"] < 1.5
    assert commands(cloud) == ["start"]


UNUSUAL = [
    "live.example.com/my app/a b*~/+&=%中文",
    "live.example.com/a/直播-1_2.3~x",
    "live.example.com/{{ x }}/'\"#?;",
]


@pytest.mark.parametrize("stream", UNUSUAL)
def test_unusual_names_are_sent_unchanged(cloud, variant, stream):
    cloud.push(stream)
    assert record(cloud, stream=stream)["changed"]
    assert recording(cloud, stream) == "recording"
    cloud.advance(60)
    assert record(cloud, "stopped", stream=stream)["previous_state"] == "recording"


@pytest.mark.parametrize(
    ("state", "finalize"), [("started", False), ("stopped", False), ("stopped", True), ("restarted", False)]
)
@pytest.mark.parametrize("history", ["absent", "pushed", "recording", "paused", "finalized", "interrupted", "resumed"])
def test_check_mode_sends_no_command_and_predicts_the_run(cloud, variant, state, finalize, history):
    make_history(cloud, history)
    cloud.clear_calls()
    before = [stream["ledger"]["changes"] for stream in cloud.state(STREAM)["streams"]]
    predicted = record(cloud, state, check_mode=True, finalize=finalize)
    assert {call["action"] for call in cloud.calls()} <= READS
    assert predicted["api_calls"] == len(cloud.calls()) <= 2
    assert [stream["ledger"]["changes"] for stream in cloud.state(STREAM)["streams"]] == before
    real = record(cloud, state, finalize=finalize)
    refused_from_idle = state == "restarted" and real.get("error", {}).get("code") == "CodeTaskNotStarted"
    if not refused_from_idle:
        assert predicted.get("failed") == real.get("failed")
    if real.get("failed"):
        return
    if predicted["state_source"] == "none" and state != "restarted":
        assert predicted["changed"] and predicted["warnings"]
    else:
        assert (predicted["changed"], predicted["state"]) == (real["changed"], real["state"])


def make_history(cloud, history):
    if history == "absent":
        return
    cloud.push(STREAM)
    if history == "pushed":
        return
    record(cloud)
    cloud.advance(60)
    if history in ("paused", "finalized"):
        record(cloud, "stopped", finalize=history == "finalized")
    elif history in ("interrupted", "resumed"):
        cloud.drop(STREAM)
        cloud.advance(600)
        if history == "resumed":
            cloud.resume(STREAM)
    cloud.advance(5)


def test_diff_shows_both_states(cloud):
    cloud.push(STREAM)
    assert record(cloud)["diff"] == {"before": {"state": "stopped"}, "after": {"state": "recording"}}


def test_a_change_is_reported_although_its_response_was_lost(cloud):
    add_domain(cloud, "quiet.example.com", callbacks=False)
    cloud.push(QUIET)
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    result = record(cloud, stream=QUIET, retry_timeout=30)
    assert (result["changed"], pick_states(result)) == (True, ("unknown", "recording", "command"))
    assert [call["code"] for call in cloud.calls()] == [None, "TaskAlreadyStarted", None]
    assert list_operations(cloud) == ["start", "start", LOG]
    assert cloud.stream(QUIET)["ledger"]["starts"] == 1
    (warning,) = result["warnings"]
    assert "apsaravideo_record_notify" in warning and "A change is assumed" in warning


@pytest.mark.parametrize("skew", [0, 240, -240])
def test_a_lost_start_of_a_running_recording_is_no_change(cloud, skew):
    cloud.behave(clock_skew=skew)
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.clear_calls()
    cloud.fault("reset_before", action="RealTimeRecordCommand", times=1)
    result = record(cloud, retry_timeout=30)
    assert (result["changed"], pick_states(result)) == (False, ("recording", "recording", "command"))
    assert not [text for text in result.get("warnings", []) if "state" in text]
    assert list_operations(cloud) == ["start", "start", LOG]
    assert cloud.stream(STREAM)["ledger"]["starts"] == 1


@pytest.mark.parametrize("skew", [0, 240, -240])
def test_a_lost_start_after_a_stop_is_a_change(cloud, skew):
    cloud.behave(clock_skew=skew)
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(600)
    record(cloud, "stopped")
    cloud.advance(60)
    cloud.clear_calls()
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    result = record(cloud, retry_timeout=30)
    assert (result["changed"], pick_states(result)) == (True, ("stopped", "recording", "command"))
    assert not [text for text in result.get("warnings", []) if "state" in text]
    assert list_operations(cloud) == ["start", "start", LOG]
    assert recording(cloud) == "recording"


def test_a_lost_start_that_takes_effect_seconds_later_is_a_change(cloud):
    cloud.push(STREAM)
    cloud.fault("delay", action="RealTimeRecordCommand", seconds=2.2, times=1)
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    result = record(cloud, retry_timeout=30)
    assert (result["changed"], pick_states(result)) == (True, ("stopped", "recording", "command"))
    assert not result.get("warnings")
    assert list_operations(cloud) == ["start", "start", LOG]


def test_a_lost_start_among_changes_by_other_clients_is_assumed_to_be_a_change(cloud):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.fault("delay", action="RealTimeRecordCommand", seconds=2.2, times=1)
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    other = threading.Timer(1, record, [cloud, "stopped"])
    other.start()
    result = record(cloud, retry_timeout=30)
    other.join()
    assert (result["changed"], pick_states(result)) == (True, ("unknown", "recording", "command"))
    assert "a change since the command" in result["warnings"][0]


def test_a_lost_start_is_assumed_to_be_a_change_if_the_notify_log_cannot_be_read(cloud):
    cloud.push(STREAM)
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    cloud.fault("error", action=LOG, code="Forbidden.RAM", http_status=403)
    result = record(cloud, retry_timeout=30)
    assert (result["changed"], pick_states(result)) == (True, ("unknown", "recording", "command"))
    assert "could not be read" in result["warnings"][0]
    assert list_operations(cloud) == ["start", "start", LOG]


@pytest.mark.parametrize("answer", [None, "TaskAlreadyStarted"])
def test_a_start_whose_response_came_does_not_read_the_notify_log(cloud, answer):
    cloud.push(STREAM)
    if answer:
        record(cloud)
        cloud.clear_calls()
    cloud.fault("throttle", action="RealTimeRecordCommand", times=1)
    assert not record(cloud, retry_timeout=30).get("failed")
    assert [call["code"] for call in cloud.calls()] == ["Throttling.User", answer]


@pytest.mark.parametrize("finalize", [False, True])
@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
def test_a_lost_stop_is_assumed_to_be_a_change_if_the_log_is_empty(cloud, variant, fault, finalize):
    add_domain(cloud, "quiet.example.com", callbacks=False)
    cloud.push(QUIET)
    lost = {"parameters": {"Command": "cancel_delay" if finalize else "stop"}, "times": 1}
    cloud.fault(fault, action="RealTimeRecordCommand", **lost)
    result = record(cloud, "stopped", stream=QUIET, finalize=finalize, retry_timeout=30)
    assert result["changed"]
    (warning,) = result["warnings"]
    stop_told = finalize and variant["idle_stop"] == "error"
    assert ("a file was still to be made" if stop_told else "previous state is unknown") in warning
    assert list_operations(cloud) == [
        LOG,
        "stop",
        *(["cancel_delay"] if finalize else ["stop"]),
        *["cancel_delay"] * finalize,
    ]


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
@pytest.mark.parametrize("running", [True, False])
def test_a_lost_stop_is_judged_by_the_notify_log_before_it(cloud, variant, fault, running):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    if not running:
        record(cloud, "stopped")
        cloud.advance(600)
    cloud.clear_calls()
    cloud.fault(fault, action="RealTimeRecordCommand", times=1)
    result = record(cloud, "stopped", retry_timeout=30)
    before = "recording" if running else "stopped"
    assert (result["changed"], pick_states(result)) == (running, (before, "stopped", "command"))
    assert not result.get("warnings")
    assert list_operations(cloud) == [LOG, "stop", "stop", *([] if running else [LOG])]


def test_a_call_that_did_not_arrive_is_repeated(cloud):
    cloud.push(STREAM)
    cloud.fault("reset_before", action="RealTimeRecordCommand", times=1)
    result = record(cloud, retry_timeout=30)
    assert (result["changed"], result["previous_state"]) == (True, "stopped")
    assert cloud.stream(STREAM)["ledger"]["starts"] == 1


RESTART_LOST_BEFORE = ["reset_before", "html", "status_503"]
RESTART_LOST_AFTER = ["reset_after", "half_json", "truncate", "empty"]


@pytest.mark.parametrize("fault", [*RESTART_LOST_BEFORE, *RESTART_LOST_AFTER])
@pytest.mark.parametrize("running", ["unlisted", "listed"])
def test_a_restart_is_never_sent_twice(cloud, fault, running):
    """It fails only if it took no effect, because missing events do not prove that."""
    cloud.behave(running_content=running)
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.clear_calls()
    cloud.fault(fault, action="RealTimeRecordCommand", times=1)
    result = record(cloud, "restarted", retry_timeout=30)
    assert result["changed"], "although it may have split the file"
    if fault in RESTART_LOST_BEFORE:
        assert result["failed"] and "utcome unknown" in result["msg"]
        assert list_operations(cloud) == ["restart", LOG, CONTENTS]
        assert cloud.stream(STREAM)["ledger"]["splits"] == 0
    else:
        assert not result.get("failed")
        assert pick_states(result) == ("unknown", "recording", "notify_log")
        assert list_operations(cloud) == ["restart", LOG]
        assert cloud.stream(STREAM)["ledger"]["splits"] == 1


@pytest.mark.parametrize("skew", [0, 240, -240])
@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("late", [0, 2.2])
def test_a_lost_restart_succeeds_if_the_notify_log_shows_it(cloud, wait, late, skew):
    cloud.behave(clock_skew=skew)
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.clear_calls()
    if late:
        cloud.fault("delay", action="RealTimeRecordCommand", seconds=late, times=1)
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    result = record(cloud, "restarted", wait=wait, retry_timeout=30)
    assert (result["changed"], pick_states(result)) == (True, ("unknown", "recording", "notify_log"))
    assert list_operations(cloud) == [*[LOG] * wait, "restart", LOG]
    assert cloud.stream(STREAM)["ledger"]["splits"] == 1


@pytest.mark.parametrize("skew", [0, 240, -240])
@pytest.mark.parametrize("end", ["now", "absent", "window-end"])
@pytest.mark.parametrize("wait", [False, True])
def test_a_lost_restart_succeeds_if_only_the_record_contents_show_it(cloud, wait, end, skew):
    add_domain(cloud, "quiet.example.com", callbacks=False)
    cloud.behave(running_content="listed", running_end=end, clock_skew=skew)
    cloud.push(QUIET)
    record(cloud, stream=QUIET)
    cloud.advance(60)
    cloud.clear_calls()
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    result = record(cloud, "restarted", stream=QUIET, wait=wait, retry_timeout=30)
    assert (result["changed"], pick_states(result)) == (True, ("unknown", "recording", "record_contents"))
    assert list_operations(cloud) == [*[LOG] * wait, "restart", LOG, CONTENTS]
    assert cloud.stream(QUIET)["ledger"]["splits"] == 1


@pytest.mark.parametrize("fault", [*RESTART_LOST_BEFORE, "reset_after"])
@pytest.mark.parametrize("end", ["now", "absent", "window-end"])
def test_a_lost_restart_is_unknown_if_no_list_shows_it(cloud, fault, end):
    """The record contents may not list running tasks, so that they show only the end of the recording before."""
    add_domain(cloud, "quiet.example.com", callbacks=False)
    effective = fault == "reset_after"
    cloud.behave(running_content="unlisted" if effective else "listed", running_end=end)
    cloud.push(QUIET)
    record(cloud, stream=QUIET)
    cloud.advance(60)
    cloud.clear_calls()
    cloud.fault(fault, action="RealTimeRecordCommand", times=1)
    result = record(cloud, "restarted", stream=QUIET, retry_timeout=30)
    assert result["failed"] and "utcome unknown" in result["msg"] and result["changed"]
    assert list_operations(cloud) == ["restart", LOG, CONTENTS]
    assert cloud.stream(QUIET)["ledger"]["splits"] == effective


def test_a_start_just_before_a_lost_restart_is_not_mistaken_for_it(cloud):
    cloud.behave(running_content="listed")
    cloud.push(STREAM)
    record(cloud)
    cloud.clear_calls()
    cloud.fault("reset_before", action="RealTimeRecordCommand", times=1)
    result = record(cloud, "restarted", retry_timeout=30)
    assert result["failed"] and "utcome unknown" in result["msg"]
    assert list_operations(cloud) == ["restart", LOG, CONTENTS]


@pytest.mark.parametrize("shown", [True, False])
def test_a_lost_restart_is_judged_by_the_contents_if_the_notify_log_cannot_be_read(cloud, shown):
    cloud.behave(running_content="listed" if shown else "unlisted")
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.clear_calls()
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    cloud.fault("error", action=LOG, code="Forbidden.RAM", http_status=403)
    result = record(cloud, "restarted", retry_timeout=30)
    assert list_operations(cloud) == ["restart", LOG, CONTENTS]
    assert result["changed"]
    if shown:
        assert pick_states(result) == ("unknown", "recording", "record_contents")
    else:
        assert result["failed"] and "utcome unknown" in result["msg"]
        assert result["error"]["action"] == "RealTimeRecordCommand"


def test_a_lost_restart_is_unknown_if_no_list_can_be_read(cloud):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.clear_calls()
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    for action in (LOG, CONTENTS):
        cloud.fault("error", action=action, code="Forbidden.RAM", http_status=403)
    result = record(cloud, "restarted", retry_timeout=30)
    assert result["failed"] and "utcome unknown" in result["msg"] and result["changed"]
    assert result["error"]["action"] == "RealTimeRecordCommand"
    assert list_operations(cloud) == ["restart", LOG, CONTENTS]


@pytest.mark.parametrize("fault", [None, "throttle"])
def test_a_restart_whose_response_came_reads_nothing(cloud, fault):
    cloud.push(STREAM)
    record(cloud)
    cloud.clear_calls()
    if fault:
        cloud.fault(fault, action="RealTimeRecordCommand", times=1)
    assert record(cloud, "restarted", retry_timeout=30)["changed"]
    assert list_operations(cloud) == ["restart"] * (2 if fault else 1)


def test_throttled_calls_are_counted_and_repeated(cloud):
    cloud.push(STREAM)
    cloud.fault("throttle", times=2)
    result = record(cloud, retry_timeout=30)
    assert result["changed"] and result["throttled"] == 2 and result["api_calls"] == 3


def test_a_stop_is_sent_even_if_the_notify_log_cannot_be_read(cloud):
    cloud.push(STREAM)
    record(cloud)
    cloud.fault("status_500", action="DescribeLiveRecordNotifyRecords")
    result = record(cloud, "stopped")
    assert (result["changed"], result["previous_state"]) == (True, "unknown")
    assert recording(cloud) != "recording"


def test_a_failed_finalize_reports_the_stop_as_a_change(cloud):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    denied = {"code": "Forbidden.RAM", "http_status": 403}
    cloud.fault("error", parameters={"Command": "cancel_delay"}, processed=False, **denied)
    result = record(cloud, "stopped", finalize=True)
    assert result["failed"] and result["changed"], "the recording was stopped all the same"
    assert result["error"]["code"] == "Forbidden.RAM"
    assert "cancel_delay of live.example.com/myapp/stream01" in result["msg"]
    assert recording(cloud) != "recording"
