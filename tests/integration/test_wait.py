# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option `wait` of apsaravideo_record, and the events that confirm a command."""

from __future__ import annotations

import os
import threading
import time

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._domain.recording_state import LOG_DELAY
from ansible_collections.apsaravideo.live.plugins.module_utils._module import argspec
from ansible_collections.apsaravideo.live.plugins.module_utils._module import record as record_module
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.clock import WrongClock
from support.emulator import ACCOUNT
from support.playbook import STREAM, environment

DEFAULTS = {name: option.get("default") for name, option in record_module.SPEC.options.items()}
COMMAND, LOG, STATE = "RealTimeRecordCommand", "DescribeLiveRecordNotifyRecords", "DescribeLiveStreamState"
QUIET = "quiet.example.com/myapp/stream01"
NAMES = dict(zip(argspec.STREAM, STREAM.split("/")))


def record(cloud, state="started", stream=STREAM, clock=None, check_mode=False, **options):
    names = dict(zip(argspec.STREAM, stream.split("/", 2)))
    given = {**DEFAULTS, "retry_timeout": 0, **names, "state": state, **options}
    task = Task(given, {**os.environ, **environment(cloud)}, check_mode, clock)
    return execute(record_module.operate, task)


def record_and_wait(cloud, state="started", wait_timeout=20, **options):
    """Run a task that waits; return its result, the API operations that it called, and the seconds that it took."""
    cloud.clear_calls()
    began = time.monotonic()
    result = record(cloud, state, wait=True, wait_timeout=wait_timeout, **options)
    return result, [call["action"] for call in cloud.calls()], time.monotonic() - began


def add_quiet_domain(cloud, callback=False):
    """Add a domain like the built-in one, without a recording callback or with one that has no status events."""
    prefix = "{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
    recorded = {"AppName": "*", "OssBucket": "b", "OssEndpoint": "oss-cn-shanghai.aliyuncs.com", "OnDemand": 7}
    recorded["RecordFormat"] = [{"Format": "mp4", "OssObjectPrefix": prefix}]
    domain = {"DomainName": "quiet.example.com"}
    cloud.add_accounts(
        {
            "id": ACCOUNT,
            "domains": [{"name": domain["DomainName"]}],
            "record_configs": [{**domain, **recorded}],
            "notify_configs": [{**domain, "NotifyUrl": "http://callback.example.com/"}] if callback else [],
        }
    )


def pick_verdict(result):
    return result.get("changed"), result.get("state"), result.get("state_source")


def test_each_command_is_confirmed_by_its_event(cloud):
    cloud.push(STREAM)
    result, calls, _seconds = record_and_wait(cloud)
    assert pick_verdict(result) == (True, "recording", "notify_log")
    assert calls[:2] == [LOG, COMMAND] and set(calls[2:]) == {LOG}
    assert result["api_calls"] == len(calls) and 0.3 < result["waited_seconds"] < 30
    cloud.advance(60)
    assert pick_verdict(record_and_wait(cloud, "restarted")[0]) == (True, "recording", "notify_log")
    cloud.advance(60)
    cloud.behave(notify_order="desc", generation="old")
    result, calls, _seconds = record_and_wait(cloud, "stopped")
    assert pick_verdict(result) == (True, "stopped", "notify_log")
    assert calls[:2] == [LOG, COMMAND] and set(calls[2:]) == {LOG}
    cloud.advance(10)
    result, calls, _seconds = record_and_wait(cloud, "stopped", finalize=True)
    assert pick_verdict(result) == (True, "stopped", "notify_log")
    assert calls[:3] == [LOG, COMMAND, COMMAND] and set(calls[3:]) == {LOG}
    assert cloud.stream(STREAM)["files"]


def test_a_command_without_an_effect_is_not_waited_for(cloud):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    result, calls, seconds = record_and_wait(cloud)
    assert pick_verdict(result) == (False, "recording", "notify_log")
    assert calls == [LOG, COMMAND]
    record(cloud, "stopped", finalize=True)
    cloud.advance(60)
    for finalize in (False, True):
        result, calls, seconds = record_and_wait(cloud, "stopped", finalize=finalize)
        assert pick_verdict(result) == (False, "stopped", "notify_log")
        assert calls == [LOG, *[COMMAND] * (1 + finalize), LOG], "the log was not read again, although it may be late"
        assert seconds >= LOG_DELAY
    cloud.behave(idle_stop="error")
    assert pick_verdict(record_and_wait(cloud, "stopped")[0]) == (False, "stopped", "notify_log")
    cloud.drop(STREAM)
    result, calls, seconds = record_and_wait(cloud, "stopped", finalize=True)
    assert pick_verdict(result) == (False, "offline", "command")
    assert record_and_wait(cloud)[0]["error"]["code"] == "StreamNotFound"
    add_quiet_domain(cloud)
    cloud.push(QUIET)
    record(cloud, stream=QUIET)
    result, calls, seconds = record_and_wait(cloud, stream=QUIET)
    assert pick_verdict(result) == (False, "recording", "command")
    assert seconds < 15, "it waited for a confirmation"


def test_a_wait_without_status_events_fails_with_advice(cloud):
    add_quiet_domain(cloud)
    cloud.push(QUIET)
    for state, finalize, words in [
        ("started", False, "that the recording began"),
        ("stopped", True, "that the file was made"),
    ]:
        result, _calls, seconds = record_and_wait(cloud, state, stream=QUIET, finalize=finalize, wait_timeout=1)
        assert result["failed"] and 1 <= seconds < 30
        assert result["changed"] and cloud.stream(QUIET)["ledger"]["changes"]
        assert words in result["msg"] and "within 1 seconds: it shows no event of this stream" in result["msg"]
        assert "apsaravideo_record_notify" in result["msg"]
        assert (result["error"]["code"], result["error"]["action"]) == (None, LOG)


def test_a_file_event_confirms_finalize_without_status_events(cloud):
    add_quiet_domain(cloud, callback=True)
    cloud.push(QUIET)
    record(cloud, stream=QUIET)
    cloud.advance(60)
    result = record_and_wait(cloud, "stopped", stream=QUIET, finalize=True)[0]
    assert pick_verdict(result) == (True, "stopped", "notify_log")
    assert result["previous_state"] == "unknown" and len(result["warnings"]) == 1


def test_a_late_event_of_an_earlier_command_does_not_confirm(cloud):
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(3)
    record(cloud, "stopped")
    cloud.behave(notify_lag=3.2)
    result, _calls, seconds = record_and_wait(cloud)
    assert pick_verdict(result) == (True, "recording", "notify_log")
    assert seconds >= 3.2, "confirmed by the earlier start"


@pytest.mark.parametrize(("ahead", "skew"), [(-300, 0), (300, 0), (0, 2000)])
def test_an_old_event_does_not_confirm_with_a_wrong_clock(cloud, ahead, skew):
    """With a slow clock, an old event seems newer than the command; with a fast one, the command's own seems older."""
    clock = WrongClock(ahead)
    cloud.behave(clock_skew=skew)
    cloud.push(STREAM)
    cloud.behave(notify_lag=60)
    cloud.add_events({**NAMES, "notify_type": "record_started", "age": 59.5})
    result = record_and_wait(cloud, clock=clock, wait_timeout=1)[0]
    assert result["failed"] and "record_started of " in result["msg"] and "from before the command" in result["msg"]
    cloud.behave(notify_lag=0)
    cloud.advance(60)
    assert pick_verdict(record_and_wait(cloud, "stopped", clock=clock)[0]) == (True, "stopped", "notify_log")


@pytest.mark.parametrize(("ahead", "reads"), [(-300, 1), (-1000, 3), (300, 1), (0, 1)])
def test_a_stop_reads_the_newest_events_with_a_wrong_clock(cloud, ahead, reads):
    cloud.push(STREAM)
    for state in ("started", "stopped", "started"):
        record(cloud, state)
        cloud.advance(20)
    cloud.clear_calls()
    result = record(cloud, "stopped", clock=WrongClock(ahead))
    assert (result["previous_state"], *pick_verdict(result)) == ("recording", True, "stopped", "command")
    assert [call["action"] for call in cloud.calls()] == [LOG] * reads + [COMMAND]


def test_a_start_right_after_a_stop_is_confirmed(cloud):
    """Their events may have the same second, and may be listed late."""
    cloud.push(STREAM)
    record(cloud)
    cloud.advance(60)
    cloud.behave(notify_lag=1)
    record(cloud, "stopped")
    assert pick_verdict(record_and_wait(cloud)[0]) == (True, "recording", "notify_log")


def test_a_failed_wait_names_a_record_error_after_the_command(cloud):
    add_quiet_domain(cloud, callback=True)
    cloud.push(QUIET)
    cloud.behave(notify_skew=2, notify_lag=0.5)  # It is listed after the command, and has a later time.
    cloud.add_events({**NAMES, "domain_name": "quiet.example.com", "notify_type": "record_error"})
    result = record_and_wait(cloud, stream=QUIET, wait_timeout=2)[0]
    assert result["failed"] and result["changed"]
    assert "its newest event of this stream is record_error" in result["msg"]
    assert "from before" not in result["msg"]


def test_a_failed_read_of_the_log_is_repeated_within_the_timeout(cloud):
    cloud.push(STREAM)
    cloud.fault("status_500", action=LOG, times=2)
    result, calls, _seconds = record_and_wait(cloud)
    assert pick_verdict(result) == (True, "recording", "notify_log")
    assert calls == [LOG, COMMAND, LOG, LOG]
    cloud.fault("status_500", action=LOG)
    result = record_and_wait(cloud, "restarted", wait_timeout=1)[0]
    assert result["changed"] and "it could not be read: " in result["msg"]


def test_a_forbidden_log_fails_at_once_but_after_the_command(cloud):
    cloud.push(STREAM)
    cloud.fault("error", action=LOG, code="Forbidden.RAM", http_status=403)
    result, calls, _seconds = record_and_wait(cloud)
    assert result["failed"] and result["changed"] and cloud.stream(STREAM)["recording"] == "recording"
    assert calls == [LOG, COMMAND, LOG]
    assert "start was accepted, but cannot be confirmed" in result["msg"] and f"live:{LOG}" in result["msg"]
    assert result["error"]["code"] == "Forbidden.RAM"


def test_no_call_precedes_the_command_with_start_at(cloud):
    cloud.push(STREAM)
    result, calls, _seconds = record_and_wait(cloud, start_at=str(time.time() - 5))
    assert pick_verdict(result) == (True, "recording", "notify_log")
    assert calls[0] == COMMAND and set(calls[1:]) == {LOG}


def test_wait_for_stream_and_wait_are_combined(cloud):
    timer = threading.Timer(0.7, cloud.push, [STREAM])
    timer.start()
    result, calls, _seconds = record_and_wait(cloud, wait_for_stream=20)
    timer.join()
    assert pick_verdict(result) == (True, "recording", "notify_log")
    assert [action for action in calls if action != STATE] == [LOG, COMMAND, COMMAND, LOG]


def test_check_mode_does_not_wait(cloud):
    cloud.push(STREAM)
    for state in ("started", "stopped", "restarted"):
        result, calls, _seconds = record_and_wait(cloud, state, finalize=True, check_mode=True)
        assert not result.get("failed") and result["waited_seconds"] < 1
        assert set(calls) <= {STATE, LOG} and len(calls) <= 2


@pytest.mark.parametrize("seconds", [0, -1])
def test_an_invalid_wait_timeout_is_refused_before_any_call(cloud, seconds):
    result, calls, _seconds = record_and_wait(cloud, wait_timeout=seconds)
    assert f"wait_timeout is {seconds}" in result["msg"] and calls == []
