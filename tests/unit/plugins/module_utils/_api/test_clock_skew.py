# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's clock, as far as the Date headers of its responses tell."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.account import Limits
from ansible_collections.apsaravideo.live.plugins.module_utils._api.client import Client
from ansible_collections.apsaravideo.live.plugins.module_utils._api.clock_skew import Skew
from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from support.clock import NOON


def utc(seconds):
    return datetime.fromtimestamp(int(seconds), timezone.utc)


CLOCKS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5), st.floats(0, 5)), min_size=1)


@given(st.floats(-900, 900), CLOCKS)
def test_the_cloud_s_clock_is_somewhere_between_the_bounds(ahead, answers):
    skew = Skew()
    for departure, way_there, way_back in answers:
        arrival = departure + way_there + way_back
        skew.learn((departure + way_there + ahead) // 1, departure, arrival)
        assert skew.lower <= ahead + 1e-6 and ahead <= skew.upper + 1e-6
    assert skew.is_known
    assert skew.lower - 1e-6 <= skew.estimate <= skew.upper + 1e-6
    assert skew.estimate * ahead >= -1e-6 and abs(skew.estimate) <= abs(ahead) + 1e-6


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
    assert (skew.is_known, skew.estimate) == (False, 0)
    skew.learn(None, 5.0, 6.0)
    assert not skew.is_known, "an answer without a Date tells nothing"
    for moment in (100.2, 100.9, 101.5):
        skew.learn(moment // 1, moment, moment + 0.05)
    assert skew.is_known and skew.estimate == 0
