# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The times at which a stream shall be recorded, from the variables that name them; pure functions.

Only moments are times here, never "in two hours": a run that was interrupted can then be repeated and means the same.
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
MIN_LIKELY_DURATION = 300  # seconds; a smaller number is rather hours and minutes that YAML made one


class Window(NamedTuple):
    """A time to record: from `start` on, until `stop`."""

    start: Instant
    stop: Instant


def windows(variables: Mapping[str, Any], now: float) -> list[Window]:
    """The windows that the variables of one stream name, merged; raises InvalidOption.

    Either the list `record_windows`, of which each entry has `start` and either `stop` or `duration`, or one window as
    `window_start` and either `window_stop` or `window_duration`. An empty list is no window, on purpose.
    """
    listed = variables.get(LIST)
    single = {name: variables.get(name) for name in (START, STOP, DURATION)}
    if all(_is_absent(value) for value in single.values()):
        if listed is None:
            raise InvalidOption(
                "It has no window to record",
                f"Set {START} and {STOP} or {DURATION}, or {LIST}, to [] for a stream to leave alone.",
            )
        return merged(_listed(listed, now))
    if listed is not None:
        raise InvalidOption(f"It has {LIST} as well as {_first_given(single)}", "Set only one of them.")
    return [_window(single, (START, STOP, DURATION), now)]


def doubts(variables: Mapping[str, Any]) -> list[str]:
    """Return a warning for each duration in the variables of one stream that may be shorter than what was written.

    YAML reads 2:00, as which nobody writes two minutes, as the number 120.
    """
    listed = variables.get(LIST)
    values = {DURATION: variables.get(DURATION)}
    for place, entry in enumerate(listed if isinstance(listed, (list, tuple)) else ()):
        if isinstance(entry, Mapping):
            values[f"{LIST}[{place}].duration"] = entry.get("duration")
    return [_doubt(name, value) for name, value in values.items() if value is not None and _is_short(value)]


def _is_short(given: Any) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool) and 0 < given < MIN_LIKELY_DURATION


def _doubt(name: str, seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    written = f"YAML reads {minutes}:{rest:02} as that number; for hours and minutes " if minutes else "For hours "
    return (
        f"{name} is the number {seconds:g}, and the window as many seconds long. "
        f"{written}write {minutes or 1}h{rest if minutes else 0}m, and {seconds:g}s where seconds are meant."
    )


def merged(found: Iterable[Window]) -> list[Window]:
    """The same times in order, with windows that overlap or touch as one."""
    whole: list[Window] = []
    for window in sorted(found):
        if whole and window.start.epoch <= whole[-1].stop.epoch:
            whole[-1] = Window(whole[-1].start, max(whole[-1].stop, window.stop))
        else:
            whole.append(window)
    return whole


def _listed(given: Any, now: float) -> list[Window]:
    if not isinstance(given, (list, tuple)):
        raise InvalidOption(f"The option {LIST} is no list", "Give a list of windows, each with start and stop.")
    return [_entry(entry, f"{LIST}[{number}]", now) for number, entry in enumerate(given)]


def _entry(given: Any, name: str, now: float) -> Window:
    keys = ("start", "stop", "duration")
    if not isinstance(given, Mapping) or not set(given) <= set(keys):
        raise InvalidOption(f"The option {name} is {given}", f"Give a mapping of {', '.join(keys)}, and nothing else.")
    names = (f"{name}.start", f"{name}.stop", f"{name}.duration")
    return _window({full: given.get(key) for full, key in zip(names, keys)}, names, now)


def _window(given: Mapping[str, Any], names: tuple[str, str, str], now: float) -> Window:
    start_name, stop_name, duration_name = names
    start_given, stop_given, duration_given = (None if _is_absent(given[name]) else given[name] for name in names)
    if start_given is None:
        raise InvalidOption(f"The option {start_name} is missing", "Give the time at which the recording begins.")
    if (stop_given is None) == (duration_given is None):
        what = "Neither" if stop_given is None else "Each"
        raise InvalidOption(f"{what} of {stop_name} and {duration_name} is set", "Set exactly one of them.")
    start = Instant.parse(start_name, str(start_given), now)
    if stop_given is None:
        length = timedelta(seconds=parse_duration(duration_name, duration_given))
        stop_given = datetime.fromisoformat(start.text) + length
    stop = Instant.parse(stop_name, str(stop_given), now)
    if stop.epoch <= start.epoch:
        raise InvalidOption(
            f"The option {stop_name} is {stop_given}, which is not after {start_name}, {start_given}",
            "Correct one of them; mind their zones.",
        )
    return Window(start, stop)


def _is_absent(value: Any) -> bool:
    return value is None or value == ""


def _first_given(given: Mapping[str, Any]) -> str:
    return next(name for name, value in given.items() if not _is_absent(value))
