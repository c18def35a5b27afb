# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording windows from variables."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._domain import windows
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.windows import Window, warn_of_short_durations
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.module_utils._util.instant import Instant

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
NOW = NOON.timestamp()
LENGTH = 40  # seconds that the model looks at


def make_instant(seconds, zone=timezone.utc):
    moment = (NOON + timedelta(seconds=seconds)).astimezone(zone)
    return Instant(moment.timestamp(), moment.isoformat())


def make_window(start, stop):
    return Window(make_instant(start), make_instant(stop))


def at(seconds):
    return (NOON + timedelta(seconds=seconds)).isoformat()


def entry(start=None, stop=None, duration=None):
    found = {"start": start, "stop": stop, "duration": duration}
    return {key: value for key, value in found.items() if value is not None}


def single(**values):
    return {f"window_{key}": value for key, value in values.items()}


HOUR = [(NOW, NOW + 3600)]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (single(start=at(0), stop=at(3600)), HOUR),
        (single(start=at(0), duration="1h"), HOUR),
        (single(start=NOON, stop=NOON + timedelta(hours=1)), HOUR),  # as YAML reads a time
        (single(start="2026-01-02T20:00+08:00", duration=3600), HOUR),
        (single(start="2026-01-02T12:00:00Z", stop="2026-01-02T21:00:00+08:00"), HOUR),
        ({**single(start=at(0), duration=3600), "record_windows": None}, HOUR),
        ({"record_windows": [], **single(start="", stop=None)}, []),
        ({"record_windows": [entry(at(0), at(3600))]}, HOUR),
        ({"record_windows": [entry(at(1800), duration="30m"), entry(at(0), duration="30m")]}, HOUR),
        ({"record_windows": [entry(at(0), at(5)), entry(at(6), at(9))]}, [(NOW, NOW + 5), (NOW + 6, NOW + 9)]),
    ],
)
def test_windows_of_valid_variables(variables, expected):
    assert [(start.epoch, stop.epoch) for start, stop in windows.parse_windows(variables, NOW)] == expected


def test_stop_after_a_duration_has_the_time_zone_of_the_start():
    (found,) = windows.parse_windows(single(start="2026-01-02T23:00:00+08:00", duration="2h"), NOW)
    assert found.stop.text == "2026-01-03T01:00:00+08:00"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "No recording window is defined"),
        (single(start="", stop="", duration=""), "No recording window is defined"),
        (single(stop=at(5)), "window_start is missing"),
        (single(start=at(0)), "Neither of window_stop and window_duration"),
        (single(start=at(0), stop=at(5), duration=5), "Each of window_stop and window_duration"),
        (single(start="2026-01-02T20:00:00", stop=at(5)), "window_start .* zone"),
        (single(start=datetime(2026, 1, 2, 20), stop=at(5)), "window_start .* zone"),
        (single(start="20:00", duration=5), "window_start .* zone"),
        (single(start=at(0), stop="tomorrow"), "window_stop .* zone"),
        (single(start=at(5), stop=at(5)), "window_stop .* not after window_start"),
        (single(start=at(5), stop=at(0)), "window_stop .* not after window_start"),
        (single(start=at(0), stop=at(400 * 86400)), "window_stop .* a year from now"),
        (single(start=at(0), duration=0), "window_duration"),
        ({"record_windows": [], **single(start=at(0), duration=5)}, "Both record_windows and window_start are set"),
        ({"record_windows": [], **single(duration=5)}, "Both record_windows and window_duration are set"),
        ({"record_windows": at(0)}, "record_windows is not a list"),
        ({"record_windows": {"start": at(0), "stop": at(5)}}, "record_windows is not a list"),
        ({"record_windows": [at(0)]}, r"record_windows\[0\]"),
        ({"record_windows": [{**entry(at(0), at(5)), "end": at(5)}]}, r"record_windows\[0\]"),
        ({"record_windows": [entry(at(0), at(5)), entry(at(9), at(6))]}, r"record_windows\[1\].stop .* not after"),
        ({"record_windows": [entry(stop=at(5))]}, r"record_windows\[0\].start is missing"),
        ({"record_windows": [entry(at(0), duration="soon")]}, r"record_windows\[0\].duration"),
    ],
)
def test_invalid_variables_are_refused(variables, words):
    with pytest.raises(InvalidOption, match=words):
        windows.parse_windows(variables, NOW)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (90, 90),
        (0.5, 0.5),
        ("90", 90),
        (" 1.5 ", 1.5),
        ("45s", 45),
        ("90m", 5400),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("01:30:00", 5400),
        ("100:00:01", 360001),
    ],
)
def test_duration_in_all_formats(given, seconds):
    assert windows.parse_duration("duration", given) == seconds


@pytest.mark.parametrize(
    "given",
    [
        *("", " ", "0", 0, "0h", "00:00:00", -5, "-5", "1:30", "01:60:00", "2 h", "2H", "m", "1m1h", "1e3", "nan"),
        *("inf", float("nan"), float("inf"), True, None, "٢", "9" * 9, "400d", "9" * 5000, [5], {"h": 2}),
    ],
)
def test_invalid_duration_is_refused(given):
    with pytest.raises(InvalidOption, match="dur is"):
        windows.parse_duration("dur", given)


@given(st.integers(1, 366 * 86400))
def test_all_formats_of_a_duration_agree(seconds):
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    written = [seconds, f"{seconds}s", f"{hours}h{minutes}m{left}s", f"{hours:02}:{minutes:02}:{left:02}"]
    assert {windows.parse_duration("dur", text) for text in written} == {seconds}


SPANS = st.builds(lambda start, length: (start, start + length), st.integers(-15, 30), st.integers(1, 12))


def is_covered(spans, second):
    return any(start <= second < stop for start, stop in spans)


@given(st.lists(SPANS))
def test_merged_windows_cover_the_same_times_without_overlap(spans):
    found = windows.merge(make_window(*span) for span in spans)
    assert all(before.stop.epoch < after.start.epoch for before, after in zip(found, found[1:]))
    for second in range(-16, LENGTH + 3):
        moment = NOW + second
        assert any(start.epoch <= moment < stop.epoch for start, stop in found) == is_covered(spans, second)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"window_duration": 120}, ["window_duration is the number 120", "2:00", "write 2h0m, and 120s"]),
        ({"window_duration": 299}, ["4:59", "write 4h59m"]),
        ({"window_duration": 30}, ["For hours write", "30s"]),
        ({"record_windows": [{"duration": "1h"}, {"duration": 90}]}, ["record_windows[1].duration is", "1h30m"]),
    ],
)
def test_small_number_as_duration_is_a_warning(variables, words):
    (said,) = warn_of_short_durations(variables)
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"window_duration": 300},
        {"window_duration": "120"},
        {"window_duration": "2:00"},
        {"window_duration": True},
        {"window_duration": -5},
        {"record_windows": "nonsense"},
        {"record_windows": ["nonsense", {"stop": 5}]},
    ],
)
def test_other_durations_are_not_a_warning(variables):
    assert warn_of_short_durations(variables) == []
