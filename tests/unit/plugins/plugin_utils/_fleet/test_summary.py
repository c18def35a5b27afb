# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the entries and the summary of many streams."""

from __future__ import annotations

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet import summary
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.entries import make_entry

STREAM = {"domain_name": "live.example.com", "app_name": "news", "stream_name": "studio1"}
TRAFFIC = {"api_calls": 1, "throttled": 0, "request_ids": ["R"]}
RECORDING = {"changed": True, "state": "recording", "stream": STREAM, **TRAFFIC}
ABSENT = {
    "failed": True,
    "changed": False,
    "msg": "start of live.example.com/news/studio1 was refused: it is not pushed (StreamNotFound). Push it.",
    "error": {
        "code": "StreamNotFound",
        "message": "start of live.example.com/news/studio1 was refused: it is not pushed",
        "request_id": "R",
        "http_status": 409,
        "action": "RealTimeRecordCommand",
    },
    "stream": STREAM,
    **TRAFFIC,
}


def make_other_entry(result, name):
    """Return the entry of the same result for another stream."""
    stream = {**STREAM, "stream_name": name}
    changed = {**result, "stream": stream}
    if "error" in result:
        message = result["error"]["message"].replace("studio1", name)
        changed["error"] = {**result["error"], "message": message}
    return make_entry(name, None, changed)


def summarize(title, entries):
    """Return the summary, with the sums of the entries' calls."""
    calls, throttled = (sum(row.get(field, 0) for row in entries) for field in ("api_calls", "throttled"))
    return summary.format_summary(title, entries, calls, throttled)


def test_a_run_without_failures_is_summarized_in_one_line():
    entries = [
        make_other_entry(RECORDING, "a"),
        make_other_entry({**RECORDING, "changed": False, "throttled": 1, "api_calls": 2}, "b"),
    ]
    assert summarize("start", entries) == [
        "start: 2 streams, 2 recording. 1 changed. 3 calls, 1 throttled.",
    ]


def test_failures_are_grouped_by_cause_most_frequent_first():
    entries = [
        make_entry("c", None, {"failed": True, "msg": "'nowhere' is undefined"}),
        make_other_entry(ABSENT, "a"),
        make_other_entry(ABSENT, "b"),
        make_other_entry(RECORDING, "d"),
        make_entry("e", None, None),
    ]
    assert summarize("start", entries) == [
        "start: 5 streams, 1 recording, 3 failed, 1 not tried. 1 changed. 3 calls, 0 throttled.",
        "2 x StreamNotFound: start was refused: it is not pushed",
        "    a, b",
        "1 x 'nowhere' is undefined",
        "    c",
    ]


def test_the_first_line_counts_states():
    states = ["stopped", "offline", "stopped"]
    entries = [make_other_entry({**RECORDING, "state": state}, str(number)) for number, state in enumerate(states)]
    entries += [
        make_entry("s", None, {"skipped": True, "changed": False}),
        make_entry("x", None, {"changed": False}),
    ]
    assert summarize("stop", entries)[0].startswith("stop: 5 streams, 2 stopped, 1 offline, 1 skipped, 1 done. ")


def test_three_hundred_failures_fit_in_45_lines():
    entries = [make_other_entry(ABSENT, f"studio{number:03}") for number in range(300)]
    lines = summarize("start", entries)
    assert len(lines) < 45
    assert max(map(len, lines)) <= 100
    assert all(f"studio{number:03}" in " ".join(lines) for number in range(300))


def test_control_characters_and_long_texts_are_removed():
    result = {"failed": True, "msg": "\x1b[2Jrefused\nok: all is well" + "!" * 1000}
    lines = summarize("start", [make_entry("a\x1b[31m\nb", None, result)])
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) <= 310


@pytest.mark.parametrize(
    ("late", "said"),
    [
        ([0.004, 6.21], "the first call left 0.004 s after, the last stream's 6.210 s after."),
        ([None, 0.5], "the first call left 0.500 s after, the last stream's 0.500 s after."),
        ([3600.25, 3601], "late, the first call left 3600.250 s after, the last stream's 3601.000 s after."),
    ],
)
def test_the_second_line_shows_delays_after_start_at(late, said):
    at = "2026-01-02T20:00:00+08:00"
    entries = [
        make_other_entry({**RECORDING, "start_at": at, "late_seconds": seconds}, str(seconds)) for seconds in late
    ]
    assert summarize("start", entries)[1] == f"start_at {at}: {said}"


@pytest.mark.parametrize(
    ("own", "earlier", "others", "said"),
    [
        (1, 0, 0, "1 that is left"),
        (4, 0, 0, "4 that are left"),
        (1, 0, 207, "208 that are left (1 of this run, 207 of other runs)"),
        (0, 1, 0, "1 that is left (1 failed in an earlier play)"),
        (2, 1, 3, "6 that are left (2 of this run, 1 failed in an earlier play, 3 of other runs)"),
    ],
)
def test_the_line_on_remaining_hosts_says_whose_they_are(own, earlier, others, said):
    assert summary.format_remaining(own, earlier, others, "a.retry") == f"To go on with the {said}: --limit @a.retry"
