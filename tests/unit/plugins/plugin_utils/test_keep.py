# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting with streams in a cloud of which a test says when they are pushed, on a clock that only moves in waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._client import Clock
from ansible_collections.apsaravideo.live.plugins.plugin_utils._keep import Every, Known, keep, named

NOW = 1767355200.0
FAILED = {"failed": True, "changed": False, "msg": "start of it was refused", "error": {"code": "StreamNotFound"}}


class Cloud(Clock):
    """Streams by name, each with the seconds in which it is pushed; a recording ends with the push.

    Each start takes `takes` seconds. `starts` are those that were sent, with their second.
    """

    def __init__(self, pushed, recorded=(), takes=0.0):
        self.time = NOW
        self.pushed = pushed
        self.recorded = {name: 0 for name in recorded}  # to the push that began then
        self.takes = takes
        self.starts = []
        self.lines = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        assert seconds > 0
        self.time += seconds

    def start(self, names):
        for name in names:
            self.starts.append((round(self.time - NOW, 3), name))
            self.time += self.takes
            yield name, self._start(name)

    def _start(self, name):
        second = self.time - NOW
        push = next((begin for begin, end in self.pushed.get(name, []) if begin <= second < end), None)
        if push is None:
            self.recorded.pop(name, None)
            return FAILED
        changed = self.recorded.get(name) != push
        self.recorded[name] = push
        return {"changed": changed}

    def keep(self, seconds, streams, known=None, **every):
        known = known or Known({}, {}, self.time, self.time)
        every = Every(every.get("retry", 0), every.get("recheck", 0))
        return keep(NOW + seconds, streams, known, every, self.start, self.lines.append, self)


def missing(*names):
    return Known(dict.fromkeys(names, FAILED), {}, NOW, NOW)


def test_it_only_waits_unless_told():
    cloud = Cloud({}, recorded=["a"])
    known = cloud.keep(3600, ["a"])
    assert (cloud.time, cloud.starts, cloud.lines) == (NOW + 3600, [], [])
    assert known == Known({}, {}, NOW, NOW)


def test_a_moment_that_has_passed_is_not_waited_for():
    cloud = Cloud({})
    cloud.keep(-5, ["a"], missing("a"), retry=1, recheck=1)
    assert (cloud.time, cloud.starts) == (NOW, [])


def test_a_stream_that_comes_late_is_recorded_then():
    cloud = Cloud({"late": [(25, 99)]}, recorded=["a"])
    known = cloud.keep(60, ["a", "late"], missing("late"), retry=10)
    assert cloud.starts == [(10, "late"), (20, "late"), (30, "late")]
    assert cloud.lines == ["Recorded at last: late"]
    assert known.failing() == []


def test_a_stream_that_never_comes_stays_missing():
    cloud = Cloud({})
    known = cloud.keep(35, ["never"], missing("never"), retry=10)
    assert [second for second, _name in cloud.starts] == [10, 20, 30]
    assert (list(known.missing), known.lost) == (["never"], {})
    assert known.missing["never"]["msg"] == "start of it was refused"
    assert cloud.lines == [], "it was told when it failed first"


def test_what_was_interrupted_is_started_again_at_the_next_check():
    cloud = Cloud({"a": [(0, 90)], "b": [(0, 15), (25, 90)]}, recorded=["a", "b"])
    known = cloud.keep(50, ["a", "b"], recheck=20)
    assert cloud.starts == [(20, "a"), (20, "b"), (40, "a"), (40, "b")]
    assert cloud.lines == ["start failed (StreamNotFound): b", "Not recorded any more, and started again: b"]
    assert known.failing() == []


def test_with_both_only_what_failed_is_tried_between_checks():
    cloud = Cloud({"a": [(0, 90)], "b": [(0, 15), (32, 90)]}, recorded=["a", "b"])
    cloud.keep(55, ["a", "b"], retry=5, recheck=20)
    assert [second for second, name in cloud.starts if name == "a"] == [20, 40]
    assert [second for second, name in cloud.starts if name == "b"] == [20, 25, 30, 35, 40]


def test_a_stream_that_went_away_was_recorded_all_the_same():
    known = Cloud({"a": [(0, 15)]}, recorded=["a"]).keep(50, ["a"], recheck=20)
    assert (known.missing, list(known.lost)) == ({}, ["a"])


def test_checks_go_on_where_the_last_wait_left_off():
    cloud = Cloud({"a": [(0, 999)]}, recorded=["a"])
    known = cloud.keep(45, ["a"], recheck=20)
    known = cloud.keep(55, ["a"], known, recheck=20)
    cloud.keep(100, ["a"], known, recheck=20)
    assert [second for second, _name in cloud.starts] == [20, 40, 60, 80]


def test_a_check_that_takes_longer_than_its_interval_is_followed_by_the_next_one():
    cloud = Cloud({name: [(0, 999)] for name in "abc"}, recorded="abc", takes=10)
    cloud.keep(95, ["a", "b", "c"], recheck=15)
    assert [second for second, name in cloud.starts if name == "a"] == [15, 45, 75]


def test_a_stream_for_which_there_was_no_time_is_as_before():
    cloud = Cloud({})
    known = keep(NOW + 15, ["a", "b"], missing("b"), Every(10, 0), lambda _names: [], cloud.lines.append, cloud)
    assert known.missing == {"b": FAILED}


@given(
    st.floats(0, 100),
    st.dictionaries(st.sampled_from("abc"), st.lists(st.tuples(st.integers(0, 50), st.integers(50, 120)), max_size=2)),
    st.sets(st.sampled_from("abc")),
    st.one_of(st.just(0), st.floats(1, 30)),
    st.one_of(st.just(0), st.floats(1, 30)),
)
def test_whatever_happens(seconds, pushed, failed, retry, recheck):
    streams = sorted(set(pushed) | failed)
    cloud = Cloud(pushed, recorded=set(pushed) - failed)
    known = cloud.keep(seconds, streams, missing(*sorted(failed)), retry=retry, recheck=recheck)
    assert cloud.time == pytest.approx(NOW + seconds), "it ends on time"
    assert all(0 < second < seconds for second, _name in cloud.starts)
    assert set(known.missing) <= failed
    assert not set(known.missing) & set(known.lost)
    if not recheck:
        assert {name for _second, name in cloud.starts} <= failed
    if not retry and not recheck:
        assert not cloud.starts
    for every, names in ((recheck, streams), (0 if recheck else retry, sorted(known.missing))):
        for name in names:
            seen = [second for second, other in cloud.starts if other == name]
            if every:
                assert seconds - max(seen, default=0) <= every + 0.01, "none is forgotten"


def test_names():
    assert named(["one"]) == "one"
    assert named([f"s{number}" for number in range(10)]).endswith("s8, s9")
    assert named([f"s{number}" for number in range(12)]).endswith("s8, s9, 2 more")
    assert named(["a\x1b[2Jb\nc"]) == "a [2Jb c"
