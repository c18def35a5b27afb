# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time and durations as written in options."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.module_utils._util.instant import Instant, parse_duration

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc).timestamp()
SHANGHAI = "2026-01-02T20:00:00+08:00"
UTC = "2026-01-02T12:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        (SHANGHAI, SHANGHAI),
        ("2026-01-02 20:00:00+08:00", SHANGHAI),  # as YAML's own times become text
        (" 2026-01-02T20:00:00+0800\n", SHANGHAI),
        ("2026-01-02T20:00+08", SHANGHAI),
        ("2026-01-02T12:00:00Z", UTC),
        ("2026-01-02T12:00:00 Z", UTC),
        ("2026-01-02T09:00:00-03:00", "2026-01-02T09:00:00-03:00"),
        ("1767355200", UTC),
        ("1767355200.0", UTC),
    ],
)
def test_all_forms_of_a_time_are_parsed(text, iso):
    assert Instant.parse("start_at", text, NOON) == Instant(NOON, iso)


@pytest.mark.parametrize("text", ["2026-01-02T12:00:00.25Z", "2026-01-02T12:00:00,250000Z", "1767355200.25"])
def test_fractions_of_a_second_are_parsed(text):
    assert Instant.parse("start_at", text, NOON).epoch == NOON + 0.25


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20:00",
        "2026-01-02",
        "2026-01-02T20:00:00",
        "2026-01-02 20:00:00 CET",
        "2026-02-30T20:00:00Z",
        "2026-01-02T25:00:00Z",
        "2026-01-02T20:00:00+25:00",
        "2026-01-02T20:00:00Z+08:00",
        "72000",  # 20:00:00, as YAML reads it
        "20260102",
        "202601022000",
        "1767355200000",
        "9" * 400,
        "-1767355200",
        "1e9",
        "nan",
        "inf",
        "now",
        "2027-01-04T12:00:00Z",
        "2000-01-02T12:00:00Z",
        "٢٠٢٦-01-02T12:00:00Z",
    ],
)
def test_an_invalid_time_is_refused(text):
    with pytest.raises(InvalidOption) as caught:
        Instant.parse("start_at", text, NOON)
    assert "start_at" in str(caught.value) and "zone" in str(caught.value)


@given(
    st.datetimes(datetime(2010, 1, 1), datetime(2026, 12, 1)),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_times_written_by_isoformat_are_parsed(time, zone):
    moment = time.replace(tzinfo=zone)
    found = Instant.parse("start_at", moment.isoformat(), NOON)
    assert found.epoch == moment.timestamp()
    assert timedelta() <= moment - datetime.fromisoformat(found.text) < timedelta(milliseconds=1)


@given(st.datetimes(datetime(2010, 1, 1), datetime(2026, 12, 1)))
def test_a_time_without_a_zone_is_refused(time):
    with pytest.raises(InvalidOption):
        Instant.parse("start_at", time.isoformat(), NOON)


@pytest.mark.parametrize(
    ("given_text", "seconds"),
    [
        ("2h", 7200),
        ("1h30m", 5400),
        ("90m", 5400),
        ("45s", 45),
        ("1d", 86400),
        ("01:30:00", 5400),
        (60, 60),
        ("0.5", 0.5),
    ],
)
def test_all_forms_of_a_duration_are_parsed(given_text, seconds):
    assert parse_duration("max_duration", given_text) == seconds


@pytest.mark.parametrize(
    "given_text", ["", "0", "-1", "h", "2 hours", "1m1h", "90:00", "1:2:3:4", "367d", "nan", True, None]
)
def test_an_invalid_duration_is_refused(given_text):
    with pytest.raises(InvalidOption, match="max_duration"):
        parse_duration("max_duration", given_text)
