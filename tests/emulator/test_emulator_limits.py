# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliding windows, with a simulated clock."""

from __future__ import annotations

import pytest
from apsaravideo_emulator.behaviour import parse_limit
from apsaravideo_emulator.limits import Limit, Windows
from apsaravideo_emulator.operations import OPERATIONS
from hypothesis import given
from hypothesis import strategies as st

KEY = ("account", "operation")


class FakeTime:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def fake():
    return FakeTime()


@pytest.fixture
def windows(fake):
    return Windows(fake)


def test_slot_is_free_again_after_the_window(windows, fake):
    limit = Limit(2)
    assert [windows.admit(KEY, limit) for _number in range(2)] == [0, 0]
    fake.now += 0.4
    assert windows.admit(KEY, limit) == 600
    fake.now += 0.6
    assert windows.admit(KEY, limit) == 0


def test_dropped_calls_use_no_slot_unless_counted(windows, fake):
    for counted, expected in ((False, 0), (True, 500)):
        windows.clear()
        windows.admit(KEY, Limit(1), count_dropped=counted)
        fake.now += 0.5
        assert windows.admit(KEY, Limit(1), count_dropped=counted) == 500
        fake.now += 0.5
        assert windows.admit(KEY, Limit(1), count_dropped=counted) == expected


def test_keys_have_separate_windows(windows):
    assert windows.admit(KEY, Limit(1)) == 0
    assert windows.admit(("account", "other"), Limit(1)) == 0
    assert windows.admit(("other", "operation"), Limit(1)) == 0


def test_rate_of_the_other_client_scales_with_the_window(windows):
    assert windows.admit(KEY, Limit(60, 60), taken=1) > 0
    assert windows.admit(KEY, Limit(61, 60), taken=1) == 0


@given(st.integers(1, 5), st.lists(st.floats(0, 0.5), max_size=60))
def test_no_window_contains_more_calls_than_the_limit(calls, gaps):
    fake = FakeTime()
    windows = Windows(fake)
    admitted = []
    for gap in gaps:
        fake.now += gap
        if windows.admit(KEY, Limit(calls)) == 0:
            admitted.append(fake.now)
    assert all(sum(start - 1 < moment <= start for moment in admitted) <= calls for start in admitted)


@pytest.mark.parametrize(
    ("operation", "limit"),
    [
        ("RealTimeRecordCommand", Limit(50)),
        ("DescribeLiveStreamRecordContent", Limit(50)),
        ("DescribeLiveStreamRecordIndexFiles", Limit(15)),
        ("DescribeLiveStreamRecordIndexFile", Limit(100)),
        ("DescribeLiveRecordNotifyRecords", Limit(100)),
        ("DescribeLiveStreamState", Limit(100)),
        ("DescribeLiveStreamsOnlineList", Limit(10000, 60)),
        ("DescribeLiveStreamsPublishList", Limit(3)),
        ("DescribeLiveRecordConfig", Limit(100)),
        ("AddLiveAppRecordConfig", Limit(30)),
        ("DeleteLiveAppRecordConfig", Limit(50)),
        ("DeleteLiveRecordNotifyConfig", Limit(30)),
        ("DescribeLiveRecordNotifyConfig", Limit(50)),
        ("SetLiveStreamsNotifyUrlConfig", Limit(15)),
        ("DescribeLiveStreamsNotifyUrlConfig", Limit(1000, 60)),
        ("DeleteLiveStreamsNotifyUrlConfig", Limit(15)),
        ("DescribeLiveStreamsNotifyRecords", Limit(100)),
        ("DescribeLiveUserDomains", Limit(100)),
        ("DescribeLiveDomainMapping", Limit(500, 60)),
    ],
)
def test_operations_have_their_documented_limits(operation, limit):
    assert OPERATIONS[operation].limit == limit


@pytest.mark.parametrize("text", ["5", "5/60", {"calls": 5}, 5])
def test_all_forms_of_a_limit_are_parsed(text):
    assert parse_limit(text).calls == 5


@pytest.mark.parametrize("text", ["", "x", "-1", "5/0", "5/", "5/x", None])
def test_invalid_limits_are_refused(text):
    with pytest.raises(ValueError, match="a limit is"):
        parse_limit(text)
