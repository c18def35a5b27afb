# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Polling, and the estimate of the cloud's clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._util.poll import Poll
from support.clock import FakeClock


def run_poll(seconds, comes_true):
    """Return the result of a poll for something that comes true at that time, and the times of its reads."""
    clock = FakeClock()
    began = clock.time
    poll = Poll(clock, seconds)
    reads = []
    found = None
    while found is None and (pause := poll.next_pause()) is not None:
        clock.sleep(pause)
        reads.append(clock.time - began)
        found = "found" if reads[-1] >= comes_true else None
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


@given(st.floats(1, 2000), st.just(0.0) | st.floats(1e-6, 2000))
def test_a_poll_reads_at_an_included_time(seconds, moment):
    clock = FakeClock()
    poll = Poll(clock, seconds)
    began = clock.time
    poll.include(began + moment)
    reads = []
    while (pause := poll.next_pause()) is not None:
        clock.sleep(pause)
        reads.append(clock.time - began)
    assert moment > seconds or not moment or any(read == pytest.approx(moment) for read in reads)
