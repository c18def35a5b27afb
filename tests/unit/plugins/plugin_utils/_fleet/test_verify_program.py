# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads that serve many streams, and plans of reads."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Push, Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._api.rows import FILE_FIELDS
from ansible_collections.apsaravideo.live.plugins.module_utils._domain import verification, verify_reasons
from ansible_collections.apsaravideo.live.plugins.module_utils._domain import verify as verify_module
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.knowledge import NotifyLog
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption, LiveError, ParentExited
from ansible_collections.apsaravideo.live.plugins.module_utils._util.text import format_second
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet import verify_program, verify_run
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.shared_reads import SharedReads
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.steps import FileList, ReadShared
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.verify_run import format_plan

NOW = 1_767_355_200.0
DAY, HOUR = 86400.0, 3600.0
KEY = ("log", "live.example.com")


class World:
    """Shared reads with a pool whose calls end when the test says so."""

    def __init__(self):
        self.pending = []
        self.reads = SharedReads()
        self.results = []
        self.made = []
        self.pool = SimpleNamespace(submit=lambda call, done: self.pending.append((call, done)))

    def read(self, since, key=KEY):
        step = ReadShared(key, since, lambda live: self.made.append(since) or f"from {since}")
        self.reads.read(
            step, self.pool, lambda is_patient: is_patient, lambda result, error: self.results.append(error or result)
        )

    def end(self, error=None):
        call, done = self.pending.pop(0)
        done(None if error else call(), error)


def test_read_serves_later_parts_and_is_made_once():
    world = World()
    world.read(10)
    world.read(20)
    assert (len(world.pending), world.reads.count_readers()) == (1, 2)
    world.end()
    world.read(30)
    assert (world.results, world.reads.count_readers(), world.made) == (["from 10"] * 3, 0, [10])
    world.read(5)
    world.read(10, ("log", "other.example.com"))
    assert len(world.pending) == 2


def test_error_is_shared_and_a_bug_does_not_stop_the_run():
    world = World()
    world.read(10)
    world.read(10)
    world.end(LiveError("denied", "Ask."))
    assert [error.happened for error in world.results] == ["denied"] * 2
    assert world.results[0] is not world.results[1]
    world.read(1)
    world.end(KeyError("bug"))
    assert "KeyError" in world.results[-1].happened


def test_end_of_the_run_is_no_result():
    world = World()
    world.read(10)
    world.end(ParentExited("ended", "Run it again."))
    assert world.results == []


@pytest.mark.parametrize(
    ("windows", "lists"),
    [
        ([(-HOUR, 0)], 1),
        ([(-HOUR, 30 * DAY)], 1),
        ([(-9 * DAY, 0)], 3),
        ([(-9 * DAY, -8 * DAY), (-DAY, 0)], 2),
        ([(-200 * DAY, -190 * DAY)], 0),
        ([(DAY, 2 * DAY)], 0),
    ],
)
def test_number_of_lists(windows, lists):
    assert verify_program.count_lists(tuple((NOW + start, NOW + stop) for start, stop in windows), NOW) == lists


def test_lists_include_files_of_the_window_by_recording_and_by_creation():
    (window,) = verify_program.plan_lists(((NOW - DAY, NOW - DAY + HOUR),), NOW, 6 * HOUR, 180.0)
    times = [time.timestamp() - NOW + DAY for time in window]
    assert times == [-6 * HOUR, HOUR + 6 * HOUR + 180 + 60]


def test_plan_says_how_long_the_lists_take():
    line = format_plan("verify", 1000, 1000, 15.0, 14.4)
    assert line == "verify: 1000 streams, 1000 file lists at 15 a second, at least 69 seconds."
    assert format_plan("verify", 1, 1, 15.0, 14.4).endswith("1 stream, 1 file list at 15 a second, at least 1 second.")


@pytest.mark.parametrize(
    ("since", "first", "trusted"), [(-30, None, -30), (-60, None, -30), (-60, -50, -50), (-60, -10, -30)]
)
def test_publish_list_is_trusted_for_one_span(since, first, trusted):
    start = datetime.fromtimestamp(NOW, timezone.utc) + timedelta(days=first or 0)
    pushes = {} if first is None else {("app", "stream"): [Push("app", "stream", start, None)]}
    assert verify_program._find_trusted(pushes, NOW + since * DAY, NOW) == NOW + trusted * DAY


# --- lists that were read before others ------------------------------------------------------------------------------

STREAM = Stream("live.example.com", "news", "studio1")
CONFIG = {
    "app_name": "news",
    "stream_name": "*",
    "create_time": None,
    "mode": "manual",
    "transcode_formats": [],
    "delay_time": 60,
    "oss_bucket": "recordings",
    "oss_endpoint": "oss-cn-shanghai.aliyuncs.com",
}


def to_datetime(epoch):
    return datetime.fromtimestamp(epoch, timezone.utc)


def verify(window, now, kind, files, log, pushes):
    """Return the result for a stream recorded in a format, whose index files are listed at `now`, its pushes at NOW."""
    rows = [Push(*STREAM[1:], to_datetime(start), to_datetime(stop)) for start, stop in pushes]
    config = {**CONFIG, "formats": [{"format": kind, "cycle_duration": 900}]}
    shared = {"configs": [config], "notify_log": log, "publish_list": ({STREAM[1:]: rows}, {}, NOW)}
    policy = verify_program.VerifyPolicy(SimpleNamespace(now=lambda: now))
    program = verify_program.verify_stream(STREAM, (window,), policy, [])
    step = next(program)
    while True:
        try:
            step = program.send(shared[step.key[0]] if isinstance(step, ReadShared) else FileList(files, now))
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("later", [0, 20 * 60])
def test_files_made_after_the_log_was_read_for_all_streams_are_not_missing(later):
    log = NotifyLog({}, NOW, NOW - 6 * DAY)
    result = verify((NOW - 600, NOW - 120), NOW + later, "mp4", [], log, [(NOW - HOUR, NOW)])
    assert (result["verdict"], result["gaps"]) == ("unknown", [])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h.example.com/a/b.m3u8?Expires=1&Signature=secret", "http://h.example.com/a/b.m3u8"),
        ("https://user:secret@h.example.com/a@b.m3u8#secret", "https://h.example.com/a@b.m3u8"),
    ],
)
def test_result_has_neither_signature_nor_password_of_an_address(url, shown):
    file = dict.fromkeys(FILE_FIELDS.values())
    file.update(record_id="1", start_time=format_second(NOW - 600), end_time=format_second(NOW), record_url=url)
    (found,) = verify((NOW - 600, NOW), NOW + DAY, "m3u8", [file], None, [])["files"]
    assert found["url"] == shown and "secret" not in str(found)


def test_stream_pushed_after_the_pushes_were_read_for_all_streams_is_not_interrupted():
    file = dict.fromkeys(FILE_FIELDS.values())
    file.update(record_id="1", start_time=format_second(NOW - 600), end_time=format_second(NOW), duration=600.0)
    result = verify((NOW - 600, NOW + HOUR), NOW + DAY, "m3u8", [file], None, [(NOW - 600, NOW)])
    assert (result["verdict"], [gap["cause"] for gap in result["gaps"]]) == ("unknown", [])


def test_advice_on_a_span_names_the_times_to_give_again():
    known = verification.Known(NOW, (), (), 180.0, HOUR)
    judgement = verify_module.judge(((NOW - HOUR, NOW),), known, 10.0)
    advice = verify_reasons.advise(judgement, known, is_span=True)
    assert f"since={format_second(NOW - HOUR)} and till={format_second(NOW)}" in advice
    assert f"after {format_second(NOW + DAY + 240)}" in advice


def test_streams_without_windows_may_use_since():
    with pytest.raises(InvalidOption) as error:
        verify_run._parse_windows({"record_windows": None}, NOW)
    assert "Set since" in error.value.advice
    with pytest.raises(InvalidOption) as error:
        verify_run._parse_since("bogus", NOW)
    assert "time" in error.value.advice
