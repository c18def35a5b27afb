# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `verify` against the emulator, whose streams have histories of some hours."""

from __future__ import annotations

import json
import signal
import time
from datetime import datetime

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey
from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.schema import Schema
from support.client import make_client, make_credentials
from support.emulator import ACCOUNT, KEY, Emulator
from support.playbook import Ansible, environment, streams

VERIFY = "Verify the recordings of all streams"
LISTS = "DescribeLiveStreamRecordIndexFiles"
APP = "live.example.com/news"
HOUR = 3600
WHOLE = [(0, "push"), (1, "start"), (2 * HOUR, "stop"), (2 * HOUR + 10, "cancel_delay")]
DROPPED = [(0, "push"), (1, "start"), (HOUR, "drop"), (HOUR + 600, "push"), (HOUR + 605, "start"), (2 * HOUR, "drop")]
LATE = [(0, "push"), (1800, "start"), (2 * HOUR, "stop")]
UNRECORDED = [(0, "push"), (2 * HOUR, "drop")]
STORIES = {"whole": WHOLE, "dropped": DROPPED, "late": LATE, "unrecorded": UNRECORDED}


def tell(cloud, stories, later=3 * HOUR):
    """Let stories of two hours happen, which began `later` seconds ago; return the variables of their window."""
    cloud.add_accounts({"id": ACCOUNT, "record_configs": []})
    for name, steps in stories.items():
        cloud.script(f"{APP}/{name}", *steps)
    cloud.advance(later)
    return {"window_start": int(time.time()) - later + 2, "window_duration": 2 * HOUR - 10}


def play(ansible, names, variables, *arguments, **options):
    inventory = ansible.inventory(streams([f"{APP}/{name}" for name in names]))
    values = json.dumps(variables)
    return ansible.playbook("apsaravideo.live.verify", "-i", str(inventory), "-e", values, *arguments, **options)


def retry_file(ansible):
    file = ansible.directory / "verify.retry"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else None


def verdicts(run):
    return {name: row.get("verdict") for name, row in run.entries(VERIFY).items()}


def failed_lines(run):
    return run.summary(VERIFY)[1:]


def test_streams_that_were_recorded_whenever_they_were_pushed_pass(cloud, ansible):
    window = tell(cloud, STORIES)
    cloud.clear_calls()
    run = play(ansible, ["whole", "dropped"], window)
    assert run.exit_code == 0, run.output
    assert verdicts(run) == {"whole": "complete", "dropped": "interrupted"}
    assert run.summary(VERIFY)[0].startswith("verify: 2 streams, 1 complete, 1 interrupted. 0 changed. ")
    row = run.entries(VERIFY)["dropped"]
    assert [(gap["cause"], gap["stop"] > gap["start"]) for gap in row["gaps"]] == [("push", True)]
    assert abs(row["recorded_seconds"] - (row["expected_seconds"] - 605)) < 5
    assert row["verified_by"] == ["index_files", "notify_log", "publish_list"]
    assert {file["format"] for file in row["files"]} == {"m3u8", "mp4"}
    actions = [call["action"] for call in cloud.calls()]
    assert actions.count(LISTS) == 2 and actions.count("DescribeLiveRecordNotifyRecords") == 1
    assert actions.count("DescribeLiveStreamsPublishList") == 1
    assert "RealTimeRecordCommand" not in actions
    assert "verify: 2 streams, 2 file lists at 15 a second, at least 1 second." in run.output
    assert retry_file(ansible) is None


def test_streams_with_gaps_fail_and_are_left_for_a_retry(cloud, ansible):
    window = tell(cloud, STORIES)
    run = play(ansible, STORIES, {**window, "report": "verify.json"})
    assert run.exit_code == 2, run.output
    assert run.failed() == {"late", "unrecorded"}
    assert run.summary(VERIFY)[0].startswith("verify: 4 streams, 1 complete, 1 interrupted, 2 failed. ")
    assert failed_lines(run)[:3] == [
        "1 x the recording is incomplete",
        "    Look at the gaps in the result; for coming windows, set keep, or record automatically.",
        "    late",
    ]
    assert "1 x nothing was recorded" in failed_lines(run)
    late = run.entries(VERIFY)["late"]
    assert [gap["cause"] for gap in late["gaps"]] == ["recording"]
    assert late["msg"].startswith(f"{APP}/late is incomplete: 30 minutes of 120 minutes are not recorded although")
    assert late["msg"] in run.output
    assert retry_file(ansible) == ["late", "unrecorded"]
    document = json.loads((ansible.directory / "verify.json").read_text(encoding="utf-8"))
    assert Schema.load().find_problem(document) is None
    (report,) = document["runs"]
    assert report["rate"]["operation"] == LISTS and report["rate"]["quota"] == 15
    assert report["states"] == {"complete": 1, "interrupted": 1}
    assert [(row["verdict"], row["status"]) for row in report["streams"]] == [
        ("complete", "ok"),
        ("interrupted", "ok"),
        ("incomplete", "failed"),
        ("nothing_recorded", "failed"),
    ]
    again = play(ansible, STORIES, window, "--limit", "@verify.retry")
    assert again.exit_code == 2 and set(verdicts(again)) == {"late", "unrecorded"}


def test_batches_have_one_summary_and_check_mode_reads_the_same(cloud, ansible):
    window = tell(cloud, STORIES)
    run = play(ansible, STORIES, {**window, "batch": 2}, "--check")
    assert run.exit_code == 2, run.output
    assert [len(fleet["streams"]) for fleet in run.fleets(VERIFY)] == [2, 2]
    assert run.summary(VERIFY)[0].startswith("verify: 4 streams, 1 complete, 1 interrupted, 2 failed. ")
    assert retry_file(ansible) is None
    stopped = play(ansible, ["late", "whole"], {**window, "batch": 1, "max_fail": 0})
    assert stopped.summary(VERIFY)[0].startswith("verify: 2 streams, 1 failed, 1 not tried. ")


def test_interrupted_pushes_fail_if_they_are_not_accepted(cloud, ansible):
    window = tell(cloud, STORIES)
    run = play(ansible, ["dropped"], {**window, "accept_interrupted": False})
    assert run.exit_code == 2 and "1 x the push was interrupted" in failed_lines(run)


def test_window_that_has_just_ended_is_unknown_until_its_files_exist(cloud, ansible):
    running = {"running": [(0, "push"), (1, "start")]}
    window = tell(cloud, running, later=5400)
    window["window_duration"] = 5380  # Its second hour has no file yet.
    run = play(ansible, ["running"], window)
    assert run.exit_code == 2
    assert "1 x it is unknown whether the recording is complete: files may not exist yet" in failed_lines(run)
    accepted = play(ansible, ["running"], {**window, "accept_unknown": True})
    assert accepted.exit_code == 0 and verdicts(accepted) == {"running": "unknown"}
    cloud.drop(f"{APP}/running")
    cloud.advance(600)
    window["window_start"] -= 600
    assert verdicts(play(ansible, ["running"], window)) == {"running": "complete"}


def test_span_replaces_windows_and_may_be_of_many_days(cloud, ansible):
    window = tell(cloud, STORIES)
    start = window["window_start"]
    span = {"since": start, "till": start + HOUR}
    run = play(ansible, ["whole", "dropped"], {**span, "record_windows": "nonsense"})
    assert run.exit_code == 0 and set(verdicts(run).values()) == {"complete"}
    cloud.clear_calls()
    run = play(ansible, ["whole"], {"since": start - 20 * 86400, "till": start + 2 * HOUR - 10})
    assert verdicts(run) == {"whole": "interrupted"}
    assert len(cloud.calls(LISTS)) == 6
    assert "verify: 1 stream, 6 file lists at 15 a second" in run.output


def test_span_may_begin_a_duration_before_now(cloud, ansible):
    tell(cloud, {"whole": WHOLE})
    begin = int(time.time())
    run = play(ansible, ["whole"], {"since": "3h", "until": begin - HOUR - 10})
    window = run.entries(VERIFY)["whole"]["windows"][0]
    start, stop = (datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() for text in window)
    assert abs(start - (begin - 3 * HOUR)) < 60
    assert stop == begin - HOUR - 10


def test_ingest_log_is_used_in_place_of_the_publish_list(cloud, ansible):
    cloud.add_accounts(
        {
            "id": ACCOUNT,
            "ingest_notify_configs": [
                {"DomainName": "push.example.com", "NotifyUrl": "http://callback.example.com/push"}
            ],
        }
    )
    cloud.push(f"{APP}/early")
    cloud.advance(60)
    window = tell(cloud, STORIES)
    cloud.clear_calls()
    run = play(ansible, ["dropped"], {**window, "ingest_domain": "push.example.com"})
    assert verdicts(run) == {"dropped": "interrupted"}, run.output
    assert run.entries(VERIFY)["dropped"]["verified_by"] == ["index_files", "notify_log", "ingest_log"]
    assert cloud.calls("DescribeLiveStreamsPublishList") == []
    # Without a callback that is configured now, the log does not show the latest pushes.
    live = Live(make_client(cloud.endpoint, credentials=make_credentials(AccessKey(*KEY, None, "test"))))
    live.delete_stream_notify_config(live.stream_notify_config("push.example.com"))
    run = play(ansible, ["dropped"], {**window, "ingest_domain": "push.example.com"})
    assert run.entries(VERIFY)["dropped"]["verified_by"] == ["index_files", "notify_log", "publish_list"]


@pytest.mark.parametrize(
    ("denied", "names", "expected"),
    [
        ("DescribeLiveStreamsPublishList", ["whole", "dropped"], {"whole": "complete", "dropped": "unknown"}),
        (LISTS, ["whole"], {"whole": "complete"}),  # because the log names all files
        ("DescribeLiveRecordNotifyRecords", ["whole", "late"], {"whole": "complete", "late": "incomplete"}),
        ("DescribeLiveRecordConfig", ["whole"], {"whole": "complete"}),
    ],
)
def test_missing_permission_makes_a_verdict_weaker_at_most(cloud, ansible, denied, names, expected):
    window = tell(cloud, STORIES)
    keys = {
        "users": [{"name": "u", "deny": [f"live:{denied}"]}],
        "access_keys": [{"id": "k", "secret": "s", "user": "u"}],
    }
    cloud.add_accounts({"id": ACCOUNT, **keys})
    run = play(ansible, names, window, environ=environment(cloud, ("k", "s")))
    assert verdicts(run) == expected, run.output
    if "unknown" in expected.values():
        assert "could not be read (Forbidden.RAM)" in run.output


@pytest.mark.parametrize("accepted", [False, True])
def test_account_without_permissions_is_told_so_and_not_to_wait(cloud, ansible, accepted):
    window = tell(cloud, {"whole": WHOLE})
    keys = {
        "users": [{"name": "u", "deny": ["live:*"]}],
        "access_keys": [{"id": "k", "secret": "s", "user": "u"}],
    }
    cloud.add_accounts({"id": ACCOUNT, **keys})
    options = {**window, "accept_unknown": accepted}
    run = play(ansible, ["whole"], options, environ=environment(cloud, ("k", "s")))
    text = " ".join(run.output.split())
    assert verdicts(run) == {"whole": "unknown"}, run.output
    assert "Run it again" not in text and "the list of index files could not be read (Forbidden.RAM)" in text
    assert ("It is unknown whether recordings are complete, and accepted" in text) == accepted


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served():
    with Emulator(files="served", callback_uri="url") as emulator:
        yield emulator


@pytest.mark.parametrize(
    ("state", "verdict", "status"),
    [
        ("ok", "complete", "ok"),
        ("missing", "nothing_recorded", "missing"),
        ("damaged", "nothing_recorded", "damaged"),
        ("empty", "nothing_recorded", "damaged"),
        ("private", "complete", "unchecked"),
        ("huge", "complete", "ok"),
        ("endless", "complete", "ok"),
        ("no_ranges", "complete", "ok"),
    ],
)
def test_files_are_checked_at_their_addresses(served, tmp_path, state, verdict, status):
    served.reset()
    ansible = Ansible(tmp_path, environment(served))
    window = tell(served, {"whole": WHOLE})
    served.mark_files(stream_name="whole", state=state)
    run = play(ansible, ["whole"], {**window, "check_files": True})
    (row,) = run.entries(VERIFY).values()
    assert (row["verdict"], {file["status"] for file in row["files"]}) == (verdict, {status}), run.output
    for call in served.file_calls():
        assert call["params"]["range"] == "bytes=0-4095"
        assert not {name.lower() for name in call["params"]["headers"]} & {"authorization", "cookie"}
        assert not any(name.lower().startswith("x-acs") for name in call["params"]["headers"])
    assert ("file_contents" in row["verified_by"]) == (status != "unchecked")
    assert ("files could not be checked: private" in " ".join(run.output.split())) == (status == "unchecked")


def test_damaged_format_is_a_warning_if_another_one_is_whole(served, tmp_path):
    served.reset()
    ansible = Ansible(tmp_path, environment(served))
    window = tell(served, {"whole": WHOLE})
    served.mark_files(stream_name="whole", state="missing", format="mp4")
    run = play(ansible, ["whole"], {**window, "check_files": True})
    assert verdicts(run) == {"whole": "complete"}
    text = " ".join(run.output.split())
    assert "2 of 3 files cannot be used (missing), but streams are recorded without them: whole." in text


def test_ffprobe_compares_durations(served, tmp_path):
    served.reset()
    ansible = Ansible(tmp_path, environment(served))
    window = tell(served, {"whole": WHOLE})
    program = tmp_path / "probe"
    program.write_text('#!/bin/sh\nenv > "$0.env"\necho \'{"format": {"duration": "3600.0"}}\'\n', encoding="utf-8")
    program.chmod(0o755)
    run = play(ansible, ["whole"], {**window, "check_files": True, "ffprobe": True, "ffprobe_path": str(program)})
    (row,) = run.entries(VERIFY).values()
    notes = {file["note"] for file in row["files"] if file["status"] == "damaged"}
    assert any(note.startswith("it plays for 3600 of 7199") for note in notes), row["files"]
    assert KEY[1] not in (tmp_path / "probe.env").read_text(encoding="utf-8")


def test_missing_ffprobe_is_refused_before_any_call(cloud, ansible):
    run = play(
        ansible, ["whole"], {"since": 1767355200, "check_files": True, "ffprobe": True, "ffprobe_path": "no-probe"}
    )
    assert run.exit_code == 2
    assert "There is no program no-probe" in run.output
    assert cloud.calls() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": -1}, "The option tolerance is -1"),
        ({"till": 1767355200}, "The option till (until) is set and since is not"),
        ({"since": 1767355200, "till": 1767355200}, "is not before"),
        ({"since": "yesterday"}, "The option since is yesterday"),
        ({"since": 1767355200, "ffprobe": True}, "The option ffprobe is set and check_files is not"),
        ({"since": 1767355200, "report": "verify.pdf"}, "verify.pdf"),
    ],
)
def test_invalid_options_are_refused_before_any_call(cloud, ansible, options, message):
    run = play(ansible, ["whole"], options)
    assert run.exit_code == 2 and message in " ".join(run.output.split()), run.output
    assert cloud.calls() == []


def test_interrupted_run_says_what_is_left(cloud, ansible):
    window = tell(cloud, {"whole": WHOLE})
    names = [f"stream{number}" for number in range(60)]
    inventory = ansible.inventory(streams([f"{APP}/{name}" for name in names]))
    arguments = ("-i", str(inventory), "-e", json.dumps({**window, "progress": "lines"}))
    with ansible.begin("apsaravideo.live.verify", *arguments) as process:
        until = time.monotonic() + 60
        while len(cloud.calls(LISTS)) < 10 and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        run = ansible.end(process)
    assert run.exit_code not in (0, None)
    assert "not tried" in run.output
    left = retry_file(ansible)
    assert left is not None and 10 < len(left) <= 60


def test_endpoint_that_is_down_fails_all_streams_soon(cloud, ansible):
    names = [f"stream{number}" for number in range(200)]
    began = time.monotonic()
    run = play(
        ansible,
        names,
        {"since": int(time.time()) - HOUR, "apsaravideo_retry_timeout": 2},
        environ={"APSARAVIDEO_ENDPOINT": "http://127.0.0.1:9"},
    )
    assert time.monotonic() - began < 30
    assert run.exit_code == 2
    assert run.summary(VERIFY)[0].startswith("verify: 200 streams, 200 failed.")
