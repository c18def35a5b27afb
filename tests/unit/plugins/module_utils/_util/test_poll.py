# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Polling, and the estimate of the cloud's clock."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.account import Limits
from ansible_collections.apsaravideo.live.plugins.module_utils._api.client import Client
from ansible_collections.apsaravideo.live.plugins.module_utils._api.clock_skew import Skew
from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock
from ansible_collections.apsaravideo.live.plugins.module_utils._util.poll import Poll

NOON = 1_767_355_200.0


def utc(seconds):
    return datetime.fromtimestamp(int(seconds), timezone.utc)


class QuickClock(Clock):
    """A clock that only sleep() moves."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return 1_767_355_200 + self.time

    def monotonic(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds


def run_poll(seconds, comes_true):
    """Return the result of a poll for something that comes true at that time, and the times of its reads."""
    clock = QuickClock()
    poll = Poll(clock, seconds)
    reads = []
    found = None
    while found is None and (pause := poll.next_pause()) is not None:
        clock.sleep(pause)
        reads.append(clock.time)
        found = "found" if clock.time >= comes_true else None
    return found, reads


@given(st.floats(0.1, 2000), st.floats(0, 2500))
def test_a_poll_ends_at_its_deadline_and_reads_often_enough(seconds, comes_true):
    found, reads = run_poll(seconds, comes_true)
    assert (found == "found") is (reads[-1] >= comes_true)
    assert reads[-1] <= seconds + 1e-6
    if not found:
        assert reads[-1] == pytest.approx(seconds), "the last read is at the deadline"
    gaps = [later - earlier for earlier, later in zip([0.0, *reads], reads)]
    assert max(gaps) <= 12.5, "however long it takes, nothing is noticed much too late"
    assert len(reads) <= 8 + seconds / 7, "and reading does not use up the quota"


def test_reads_become_less_frequent_and_are_not_in_step():
    first, second = run_poll(100, 1000)[1], run_poll(100, 1000)[1]
    assert first != second
    assert first[0] < 1 and first[1] - first[0] < 2 and first[-2] - first[-3] > 5


def test_a_poll_of_no_time_reads_nothing():
    assert run_poll(0, 0) == (None, [])


CLOCKS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5), st.floats(0, 5)), min_size=1)


@given(st.floats(-900, 900), CLOCKS)
def test_the_cloud_s_clock_is_somewhere_between_the_bounds(ahead, answers):
    skew = Skew()
    for departure, way_there, way_back in answers:
        arrival = departure + way_there + way_back
        skew.learn((departure + way_there + ahead) // 1, departure, arrival)
        assert skew.least <= ahead + 1e-6 and ahead <= skew.most + 1e-6
    assert skew.known
    assert skew.least - 1e-6 <= skew.likely <= skew.most + 1e-6
    assert skew.likely * ahead >= -1e-6 and abs(skew.likely) <= abs(ahead) + 1e-6


@given(st.floats(-900, 900), CLOCKS, st.floats(-300, 300))
def test_the_cloud_s_seconds_of_a_moment(ahead, answers, past):
    """The second that the cloud's clock showed is among them, and all are where nothing told how the clocks differ."""
    live = Live(Client(Settings(Endpoint.parse("https://live.example.com")), Limits(), None))
    moment = NOON + past
    assert all(live.cloud_seconds(moment).contains(utc(second)) for second in (0, NOON, 2 * NOON))
    for departure, way_there, way_back in answers:
        sent = NOON + departure
        live.client.account.cloud_clock.skew.learn((sent + way_there + ahead) // 1, sent, sent + way_there + way_back)
    seconds = live.cloud_seconds(moment)
    assert seconds.start <= utc(moment + ahead + 1e-6) and utc(moment + ahead - 1e-6) <= seconds.end
    shortest = min(there + back for _departure, there, back in answers)
    assert (seconds.end - seconds.start).total_seconds() <= shortest + 2


def test_clocks_that_agree_are_left_as_they_are():
    skew = Skew()
    assert (skew.known, skew.likely) == (False, 0)
    skew.learn(None, 5.0, 6.0)
    assert not skew.known, "an answer without a Date tells nothing"
    for moment in (100.2, 100.9, 101.5):
        skew.learn(moment // 1, moment, moment + 0.05)
    assert skew.known and skew.likely == 0


@given(st.floats(1, 2000), st.floats(0, 2000))
def test_a_poll_reads_at_an_included_time(seconds, moment):
    clock = QuickClock()
    poll = Poll(clock, seconds)
    poll.include(moment)
    reads = []
    while (pause := poll.next_pause()) is not None:
        clock.sleep(pause)
        reads.append(clock.time)
    assert moment > seconds or not moment or any(read == pytest.approx(moment) for read in reads)
