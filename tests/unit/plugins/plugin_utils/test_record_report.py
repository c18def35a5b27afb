# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of many streams at once, and the list of those that are left."""

from __future__ import annotations

import errno
import os

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.plugin_utils import _record_report as report

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


def other(result, name):
    """The same result for another stream."""
    stream = {**STREAM, "stream_name": name}
    changed = {**result, "stream": stream}
    if "error" in result:
        message = result["error"]["message"].replace("studio1", name)
        changed["error"] = {**result["error"], "message": message}
    return report.entry(name, changed)


def test_a_clean_run_is_one_line():
    entries = [other(RECORDING, "a"), other({**RECORDING, "changed": False, "throttled": 1, "api_calls": 2}, "b")]
    assert report.summary("start", entries) == [
        "start: 2 streams, 2 recording. 1 changed. 3 calls, 1 throttled.",
    ]


def test_failures_are_named_by_their_causes_the_most_frequent_first():
    entries = [
        report.entry("c", {"failed": True, "msg": "'nowhere' is undefined"}),
        other(ABSENT, "a"),
        other(ABSENT, "b"),
        other(RECORDING, "d"),
        report.entry("e", None),
    ]
    assert report.summary("start", entries) == [
        "start: 5 streams, 1 recording, 3 failed, 1 not tried. 1 changed. 3 calls, 0 throttled.",
        "2 x StreamNotFound: start was refused: it is not pushed",
        "    a, b",
        "1 x 'nowhere' is undefined",
        "    c",
    ]


def test_states_are_counted():
    states = ["stopped", "offline", "stopped"]
    entries = [other({**RECORDING, "state": state}, str(number)) for number, state in enumerate(states)]
    entries += [report.entry("s", {"skipped": True, "changed": False}), report.entry("x", {"changed": False})]
    assert report.summary("stop", entries)[0].startswith("stop: 5 streams, 2 stopped, 1 offline, 1 skipped, 1 done. ")


def test_an_unreachable_host_has_failed():
    found = report.entry("far", {"unreachable": True, "changed": False, "msg": "no route"})
    assert (found["status"], report.cause(found)) == ("failed", "no route")


def test_three_hundred_failures_stay_readable():
    entries = [other(ABSENT, f"studio{number:03}") for number in range(300)]
    lines = report.summary("start", entries)
    assert len(lines) < 45
    assert max(map(len, lines)) <= 100
    assert all(f"studio{number:03}" in " ".join(lines) for number in range(300))


def test_what_a_stranger_chose_does_not_steer_the_terminal():
    result = {"failed": True, "msg": "\x1b[2Jrefused\nok: all is well" + "!" * 1000}
    lines = report.summary("start", [report.entry("a\x1b[31m\nb", result)])
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
def test_punctuality(late, said):
    at = "2026-01-02T20:00:00+08:00"
    entries = [other({**RECORDING, "start_at": at, "late_seconds": seconds}, str(seconds)) for seconds in late]
    assert report.summary("start", entries)[1] == f"start_at {at}: {said}"


def test_an_entry_is_complete_whatever_failed():
    keys = {"code", "message", "request_id", "http_status", "action"}
    assert set(report.entry("a", ABSENT)["error"]) == keys
    found = report.entry("b", {"failed": True, "msg": "no such variable"}, STREAM)
    assert found["error"] == {**dict.fromkeys(keys), "message": "no such variable"}
    assert found["stream"] == STREAM
    found = report.entry("c", None)
    assert (found["stream"], found["status"], found["error"], found["result"]) == (None, "not_tried", None, None)
    assert report.entry("d", RECORDING)["error"] is None


def test_counts():
    entries = [other(RECORDING, "a"), other(ABSENT, "b"), report.entry("c", None)]
    assert report.counts(entries) == {
        "streams": 3,
        "ok": 1,
        "failed": 1,
        "not_tried": 1,
        "changed": 1,
        "api_calls": 2,
        "throttled": 0,
    }


UNUSUAL = [
    "a*",
    "ab",
    "!a",
    "&a",
    "~a",
    "~.*",
    "@a",
    "a,b",
    "a:b",
    "a[0]",
    "[a-z]",
    "a b",
    " a ",
    "ungrouped",
    "中文",
    "a?",
    "a\nb",
    "a\r",
    "\u2028",
    "\udc80",
]

HOSTS = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("before", "covered", "left", "after"),
    [
        ([], HOSTS, [], []),
        ([], HOSTS, ["b", "d"], ["b", "d"]),
        (["b", "d"], ["b", "d"], ["d"], ["d"]),
        (["b", "d"], HOSTS, [], []),
        (["b", "d"], ["e"], [], ["b", "d"]),
        (["b", "d"], ["d", "e"], ["e"], ["b", "e"]),
        (["b", "of another run", "", "d"], ["e"], [], ["b", "of another run", "d"]),
        (["of another run"], ["e"], [], ["of another run"]),
    ],
)
def test_the_retry_file_holds_what_is_left(tmp_path, before, covered, left, after):
    file = tmp_path / "start.retry"
    if before:
        file.write_text("".join(f"{line}\n" for line in before), encoding="utf-8")
    assert report.write_retry_file(str(file), covered, left) == len(after)
    found = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    assert found == after
    assert file.exists() == bool(after), "with an empty file, --limit would mean all hosts"
    assert os.listdir(tmp_path) == (["start.retry"] if after else [])


def test_others_may_read_the_retry_file_as_any_other(tmp_path):
    (tmp_path / "any").touch()
    report.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert (tmp_path / "retry").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_retry_file_that_cannot_be_written_is_an_oserror(tmp_path):
    with pytest.raises(OSError):
        report.write_retry_file(str(tmp_path / "nowhere" / "retry"), HOSTS, ["a"])


def test_a_retry_file_that_is_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "retry")
    with pytest.raises(OSError, match="not a file of its own"):
        report.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("content", encoding="utf-8")
    (tmp_path / "retry").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="not a file of its own"):
        report.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "content"


def test_what_could_not_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    (tmp_path / "retry").write_text("b\n", encoding="utf-8")

    def full(*_names):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        report.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert os.listdir(tmp_path) == ["retry"]
    assert (tmp_path / "retry").read_text(encoding="utf-8") == "b\n"


@pytest.mark.parametrize("name", UNUSUAL, ids=repr)
def test_a_pattern_stands_for_its_host_alone(name):
    inventory = InventoryManager(DataLoader(), sources=None)
    for other_name in (*UNUSUAL, "plain"):
        inventory.add_host(other_name, "all")
    assert {host.name for host in inventory.get_hosts([report.host_pattern(name)])} == {name}


def matched(directory, lines, names):
    """The hosts that `--limit @file` leaves of an inventory."""
    file = directory / "limit"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    inventory = InventoryManager(DataLoader(), sources=None)
    for name in names:
        inventory.add_host(name, "all")
    inventory.subset(f"@{file}")
    return {host.name for host in inventory.get_hosts("all")}


@pytest.mark.parametrize("name", UNUSUAL, ids=repr)
def test_a_line_stands_for_its_host_alone(tmp_path, name):
    assert matched(tmp_path, [report.limit_line(name)], [*UNUSUAL, "plain"]) == {name}


@given(
    st.lists(st.text(st.sampled_from("a*?![]&~@:,. -\\^$0\n\r\x85"), min_size=1, max_size=4), min_size=1, unique=True)
)
def test_lines_stand_for_their_hosts(tmp_path_factory, names):
    wanted = names[::2]
    lines = [report.limit_line(name) for name in wanted]
    assert matched(tmp_path_factory.getbasetemp(), lines, names) == set(wanted)
