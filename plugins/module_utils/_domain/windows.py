# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording windows, from the variables that set them; pure functions.

All times are absolute, never "in two hours", so that an interrupted run can be repeated with the same meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .._errors import InvalidOption
from .._util.instant import Instant, parse_duration

LIST = "record_windows"
START, STOP, DURATION = "window_start", "window_stop", "window_duration"
VARIABLES = (LIST, START, STOP, DURATION)
MIN_LIKELY_DURATION = 300  # seconds; a smaller number is probably hours and minutes that YAML has converted


class Window(NamedTuple):
    """A period to record in, from `start` until `stop`."""

    start: Instant
    stop: Instant


def parse_windows(variables: Mapping[str, Any], now: float) -> list[Window]:
    """Return the windows that the variables of one stream set, merged and in order; raise InvalidOption.

    They set either the list `record_windows`, of which each entry has `start` and either `stop` or `duration`, or one
    window as `window_start` and either `window_stop` or `window_duration`. An empty list is valid and has no window.
    """
    entries = variables.get(LIST)
    single = {name: variables.get(name) for name in (START, STOP, DURATION)}
    if all(_is_absent(value) for value in single.values()):
        if entries is None:
            raise InvalidOption(
                "No recording window is defined",
                f"Set {START} and {STOP} or {DURATION}, or {LIST}, to [] for a stream to leave alone.",
            )
        return merge(_parse_list(entries, now))
    if entries is not None:
        raise InvalidOption(f"Both {LIST} and {_find_first_set(single)} are set", "Set only one of them.")
    return [_parse_window(single, (START, STOP, DURATION), now)]


def warn_of_short_durations(variables: Mapping[str, Any]) -> list[str]:
    """Return a warning for each duration in the variables of one stream that is probably shorter than intended.

    YAML reads 2:00, which is meant as two hours, as the number 120.
    """
    entries = variables.get(LIST)
    values = {DURATION: variables.get(DURATION)}
    for number, entry in enumerate(entries if isinstance(entries, (list, tuple)) else ()):
        if isinstance(entry, Mapping):
            values[f"{LIST}[{number}].duration"] = entry.get("duration")
    return [_make_warning(name, value) for name, value in values.items() if value is not None and _is_short(value)]


def _is_short(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < MIN_LIKELY_DURATION


def _make_warning(name: str, seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    written = f"YAML reads {minutes}:{rest:02} as that number; for hours and minutes " if minutes else "For hours "
    return (
        f"{name} is the number {seconds:g}, and the window as many seconds long. "
        f"{written}write {minutes or 1}h{rest if minutes else 0}m, and {seconds:g}s where seconds are meant."
    )


def merge(windows: Iterable[Window]) -> list[Window]:
    """Return windows in order, with those that overlap or adjoin merged."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start.epoch <= merged[-1].stop.epoch:
            merged[-1] = Window(merged[-1].start, max(merged[-1].stop, window.stop))
        else:
            merged.append(window)
    return merged


def _parse_list(entries: Any, now: float) -> list[Window]:
    if not isinstance(entries, (list, tuple)):
        raise InvalidOption(f"The option {LIST} is not a list", "Give a list of windows, each with start and stop.")
    return [_parse_entry(entry, f"{LIST}[{number}]", now) for number, entry in enumerate(entries)]


def _parse_entry(entry: Any, name: str, now: float) -> Window:
    keys = ("start", "stop", "duration")
    if not isinstance(entry, Mapping) or not set(entry) <= set(keys):
        raise InvalidOption(f"The option {name} is {entry}", f"Give a mapping of {', '.join(keys)}, and nothing else.")
    names = (f"{name}.start", f"{name}.stop", f"{name}.duration")
    return _parse_window({full: entry.get(key) for full, key in zip(names, keys)}, names, now)


def _parse_window(values: Mapping[str, Any], names: tuple[str, str, str], now: float) -> Window:
    """Return the window that values set; `names` are the keys of its start, stop and duration, also for errors."""
    start_name, stop_name, duration_name = names
    start_value, stop_value, duration_value = (None if _is_absent(values[name]) else values[name] for name in names)
    if start_value is None:
        raise InvalidOption(f"The option {start_name} is missing", "Give the time at which the recording begins.")
    if (stop_value is None) == (duration_value is None):
        which = "Neither" if stop_value is None else "Each"
        raise InvalidOption(f"{which} of {stop_name} and {duration_name} is set", "Set exactly one of them.")
    start = Instant.parse(start_name, str(start_value), now)
    if stop_value is None:
        length = timedelta(seconds=parse_duration(duration_name, duration_value))
        stop_value = datetime.fromisoformat(start.text) + length
    stop = Instant.parse(stop_name, str(stop_value), now)
    if stop.epoch <= start.epoch:
        raise InvalidOption(
            f"The option {stop_name} is {stop_value}, which is not after {start_name}, {start_value}",
            "Give a later stop or an earlier start, and check their time zones.",
        )
    return Window(start, stop)


def _is_absent(value: Any) -> bool:
    return value is None or value == ""


def _find_first_set(values: Mapping[str, Any]) -> str:
    return next(name for name, value in values.items() if not _is_absent(value))
