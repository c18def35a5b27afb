# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of recording configurations, and the change from a current to a desired one; pure functions.

A configuration has the fields of `rows.parse_record_config`. So has a desired one, in which None stands for a value
that the task does not set. The rules are those of the operations AddLiveAppRecordConfig and UpdateLiveAppRecordConfig.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from .._api.models import Stream, check_domain, format_time, has_control, parse_time
from .._api.rows import SLICED_FORMATS, UNCHANGEABLE, parse_record_config
from .._errors import InvalidOption
from .._util.instant import Instant
from .reconcile import ADD, REPLACE, UPDATE, Change

FORMATS = ("m3u8", "flv", "mp4", "cmaf")
# Default directories, which differ so that a stream and its transcoded streams never write the same object.
DIRECTORIES = {"formats": "record", "transcode_formats": "transcoded"}
_PREFIX = "/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
_SLICE_PREFIX = "/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"

DELAY_TIME_LIMITS = (15, 21_600)  # seconds
SLICE_DURATION_LIMITS = (5, 30)  # seconds
CYCLE_DURATION_LIMITS = (900, 21_600)  # seconds; from a sample of the vendor, as the documentation has no limits
MAX_PREFIX_BYTES = 255
MAX_PERIOD = timedelta(days=7)

_START = ("{StartTime}", "{EscapedStartTime}")
_END = ("{EndTime}", "{EscapedEndTime}")
_VARIABLES = {
    *("{AppName}", "{StreamName}", "{Sequence}", "{UnixTimestamp}", *_START, *_END),
    *("{Date}", "{Hour}", "{Minute}", "{Second}"),  # in older samples of the documentation
}
_REQUIRED_VARIABLES = {
    "oss_object_prefix": (_START, _END),
    "slice_oss_object_prefix": (("{UnixTimestamp}",), ("{Sequence}",)),
}
_EMPTY = parse_record_config({})
# Functions that make equal values comparable that may be written differently.
_NORMALIZERS: dict[str, Callable[[Any], Any]] = {
    "domain_name": lambda name: (name or "").lower(),
    "oss_endpoint": lambda name: (name or "").lower(),
    "transcode_templates": set,
}


def parse_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a desired configuration of which only the names are known; raise InvalidOption for an invalid name."""
    check_domain(options["domain_name"])
    for option in ("app_name", "stream_name"):
        name = options[option]
        if not name.strip(" ") or has_control(name):
            raise InvalidOption(f"The option {option} is {name!r}, which is not a name", "Give a name, or * for all.")
    names = {name: options[name] for name in ("domain_name", "app_name", "stream_name")}
    return {**dict.fromkeys(_EMPTY), **names}


def parse_options(options: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Return the desired configuration; raise InvalidOption for what the service would refuse or silently change.

    `now` is in seconds since the epoch.
    """
    desired = parse_names(options)
    desired["mode"] = options["mode"]
    for option, check in (("oss_bucket", _check_text), ("oss_endpoint", _check_endpoint)):
        desired[option] = check(option, options[option])
    desired["delay_time"] = _check_range("delay_time", options["delay_time"], DELAY_TIME_LIMITS)
    for option in DIRECTORIES:
        desired[option] = _check_formats(option, options[option])
    desired["transcode_templates"] = _check_templates(options["transcode_templates"])
    for option in ("start_time", "end_time"):
        desired[option] = _check_time(option, options[option], desired["stream_name"], now)
    _check_period(desired)
    return desired


def warn_of_durations(desired: Mapping[str, Any]) -> list[str]:
    """Return a warning for each duration of a file that the service may refuse or change."""
    shortest, longest = CYCLE_DURATION_LIMITS
    return [
        f"The option {option}[{number}].cycle_duration is {item['cycle_duration']}. By samples of the vendor's, a file "
        f"lasts {shortest} to {longest} seconds, so the cloud may refuse it or use another duration."
        for option in DIRECTORIES
        for number, item in enumerate(desired[option] or [])
        if item["cycle_duration"] is not None and not shortest <= item["cycle_duration"] <= longest
    ]


def has_same_names(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two configurations of a domain have the same application and stream, wildcards included."""
    return all(one[name] == other[name] for name in ("app_name", "stream_name"))


def find_best_config(configs: list[dict[str, Any]], stream: Stream) -> dict[str, Any] | None:
    """Return the configuration that applies to a stream, of all those of its domain; None if there is none.

    The API has no operation for this. An exact name takes precedence over `*`, and an exact application over an exact
    stream.
    """
    names = {"app_name": stream.app_name, "stream_name": stream.stream_name}
    applicable = [config for config in configs if all(config[field] in (name, "*") for field, name in names.items())]
    return max(applicable, key=lambda config: [config[field] != "*" for field in names], default=None)


def plan_change(found: dict[str, Any] | None, desired: dict[str, Any]) -> Change | None:
    """Return the change from the current to the desired configuration, None if nothing differs.

    Raise InvalidOption if the two cannot be combined.
    """
    config = merge(found or _EMPTY, desired)
    if config == found:
        return None
    if desired["start_time"] or desired["end_time"]:
        _check_period(config)
    if found is None:
        _check_can_be_created(config)
        return Change(ADD, config)
    if _can_be_updated(found, config):
        return Change(UPDATE, config)
    _check_can_be_replaced(found, config)
    return Change(REPLACE, {**config, "create_time": None})


def merge(found: dict[str, Any], desired: dict[str, Any]) -> dict[str, Any]:
    """Return the current configuration with the desired values; it is equal to the current one if nothing differs."""
    config = {name: found[name] if desired[name] is None else desired[name] for name in _EMPTY}
    for name, directory in DIRECTORIES.items():
        if desired[name] is not None:
            config[name] = _merge_formats(found[name], desired[name], directory)
    for name, normalize in _NORMALIZERS.items():
        if normalize(found[name]) == normalize(config[name]):
            config[name] = found[name]
    return config


def list_differences(found: dict[str, Any], desired: dict[str, Any]) -> list[str]:
    """Return the options whose current value is not the desired one."""
    config = merge(found, desired)
    return [name for name in _EMPTY if config[name] != found[name]]


def _check_can_be_created(config: dict[str, Any]) -> None:
    missing = _list_missing(config)
    if missing:
        raise InvalidOption(
            f"There is no recording configuration of {_join_names(config)}, and creating it needs {', '.join(missing)}",
            "Give what is missing, or correct the names if the configuration should be there.",
        )


def _check_can_be_replaced(found: dict[str, Any], config: dict[str, Any]) -> None:
    """Raise InvalidOption if the old or the new configuration could not be created after the old one was removed."""
    if not config["formats"] and not config["transcode_formats"]:
        raise InvalidOption("No format would be left to record in", "Name one in formats or transcode_formats.")
    missing = sorted({*_list_missing(found), *_list_missing(config)})
    if missing:
        raise InvalidOption(
            f"The configuration of {_join_names(config)} would have to be removed and created again, but the cloud "
            f"does not show all that this takes: {', '.join(missing)}",
            "Remove it with state=absent and create it with all its options.",
        )


def _list_missing(config: dict[str, Any]) -> list[str]:
    """Return the fields that a configuration lacks to be created."""
    missing = [name for name in ("oss_bucket", "oss_endpoint") if not config[name]]
    if not config["formats"] and not config["transcode_formats"]:
        missing.append("formats")
    for name in DIRECTORIES:
        for item in config[name]:
            required = _REQUIRED_VARIABLES if item["format"] in SLICED_FORMATS else ("oss_object_prefix",)
            missing += [f"{field} of {item['format']} in {name}" for field in required if not item[field]]
    return missing


def _join_names(config: dict[str, Any]) -> str:
    return "/".join(config[name] for name in ("domain_name", "app_name", "stream_name"))


def _merge_formats(found: list[dict[str, Any]], desired: list[dict[str, Any]], directory: str) -> list[dict[str, Any]]:
    """Return the desired formats with the current values of unset fields: current formats first, in their order."""
    before = {item["format"]: item for item in found}
    after = {
        item["format"]: {**before.get(item["format"], _make_format(item["format"], directory)), **_drop_unset(item)}
        for item in desired
    }
    kept = [name for name in before if name in after]
    return [after[name] for name in [*kept, *(name for name in after if name not in before)]]


def _make_format(name: str, directory: str) -> dict[str, Any]:
    """Return a new format with default prefixes; the service has defaults for the durations."""
    return {
        "format": name,
        "cycle_duration": None,
        "slice_duration": None,
        "oss_object_prefix": directory + _PREFIX,
        "slice_oss_object_prefix": directory + _SLICE_PREFIX if name in SLICED_FORMATS else None,
    }


def _drop_unset(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value is not None}


def _can_be_updated(found: dict[str, Any], config: dict[str, Any]) -> bool:
    """Return whether an update leads to this configuration.

    An update cannot set UNCHANGEABLE fields. Whether it removes formats and templates that it lacks is not documented.
    """
    if found["oss_bucket"] != config["oss_bucket"]:
        return False
    if not set(found["transcode_templates"]) <= set(config["transcode_templates"]):
        return False
    return all(_select_unchangeable(found[name]) == _select_unchangeable(config[name]) for name in DIRECTORIES)


def _select_unchangeable(formats: list[dict[str, Any]]) -> list[list[str | None]]:
    names = sorted(_REQUIRED_VARIABLES.keys() & UNCHANGEABLE)
    return [[item["format"], *(item[name] for name in names)] for item in formats]


def _check_text(option: str, text: str | None) -> str | None:
    if text is not None and (not text.strip() or not text.isprintable()):
        raise InvalidOption(f"The option {option} is {text!r}", "Give its name, or leave the option out.")
    return text


def _check_endpoint(option: str, text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[0-9A-Za-z.-]+", text):
        advice = "Give a host name such as oss-cn-shanghai.aliyuncs.com, without scheme or bucket."
        raise InvalidOption(f"The option {option} is {text!r}, which is not a host name", advice)
    return text


def _check_range(option: str, number: int | None, limits: tuple[int, int]) -> int | None:
    if number is not None and not limits[0] <= number <= limits[1]:
        raise InvalidOption(f"The option {option} is {number}", f"Give {limits[0]} to {limits[1]} seconds.")
    return number


def _check_formats(option: str, items: list[Any] | None) -> list[dict[str, Any]] | None:
    if items is None:
        return None
    found = [_check_format(f"{option}[{number}]", item) for number, item in enumerate(items)]
    names = [item["format"] for item in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InvalidOption(f"The option {option}[{number}] names {name} again", "Name each format once.")
    return found


def _check_format(option: str, item: Mapping[str, Any]) -> dict[str, Any]:
    name = item["format"].lower()
    if name not in FORMATS:
        raise InvalidOption(f"The option {option}.format is {item['format']}", f"Give one of {', '.join(FORMATS)}.")
    if item["cycle_duration"] is not None and item["cycle_duration"] < 1:
        raise InvalidOption(f"The option {option}.cycle_duration is {item['cycle_duration']}", "Give seconds, above 0.")
    _check_range(f"{option}.slice_duration", item["slice_duration"], SLICE_DURATION_LIMITS)
    for field, required in _REQUIRED_VARIABLES.items():
        if item[field] is not None:
            _check_prefix(f"{option}.{field}", item[field], required)
    _check_slices(option, name, item)
    return {**item, "format": name}


def _check_slices(option: str, name: str, item: Mapping[str, Any]) -> None:
    if name not in SLICED_FORMATS:
        for field in ("slice_duration", "slice_oss_object_prefix"):
            if item[field] is not None:
                advice = f"Leave it out; only {' and '.join(SLICED_FORMATS)} are recorded in slices."
                raise InvalidOption(f"The option {option}.{field} is set for the format {name}", advice)
    elif (item["oss_object_prefix"] is None) != (item["slice_oss_object_prefix"] is None):
        missing = next(field for field in sorted(_REQUIRED_VARIABLES) if item[field] is None)
        raise InvalidOption(
            f"The option {option} sets one of the two prefixes of {name}, and {missing} is missing",
            "Set both, or neither for the default ones.",
        )


def _check_prefix(option: str, prefix: str, required: tuple[tuple[str, ...], ...]) -> None:
    size = len(prefix.encode())
    if size > MAX_PREFIX_BYTES:
        raise InvalidOption(f"The option {option} has {size} bytes", f"Give at most {MAX_PREFIX_BYTES}.")
    for unknown in sorted(set(re.findall(r"\{[^{}]*\}", prefix)) - _VARIABLES):
        advice = f"The variables are {', '.join(sorted(_VARIABLES))}."
        raise InvalidOption(f"The option {option} holds {unknown}, which is not a variable", advice)
    for variables in required:
        if not any(variable in prefix for variable in variables):
            advice = "Add it, so that the objects have names of their own."
            raise InvalidOption(f"The option {option} lacks {' or '.join(variables)}", advice)


def _check_templates(names: list[str] | None) -> list[str] | None:
    for number, name in enumerate(names or []):
        _check_text(f"transcode_templates[{number}]", name)
        if name in (names or [])[:number]:
            raise InvalidOption(f"The option transcode_templates[{number}] names {name} again", "Name each once.")
    return names


def _check_time(option: str, text: str | None, stream_name: str, now: float) -> str | None:
    """Return a time in the format of the API: in UTC, in whole seconds."""
    if text is None:
        return None
    if stream_name == "*":
        advice = "Give stream_name, or leave the time out; the API takes times for a single stream only."
        raise InvalidOption(f"The option {option} is set for all streams", advice)
    return format_time(datetime.fromtimestamp(int(Instant.parse(option, text, now).epoch), timezone.utc))


def _check_period(config: Mapping[str, Any]) -> None:
    """Raise InvalidOption for a period that is negative, or so long that the service would silently shorten it."""
    start, end = (parse_time(config[name]) for name in ("start_time", "end_time"))
    if not start or not end:
        return
    if end <= start:
        raise InvalidOption(
            "The option end_time is not after start_time", "Give a later end_time or an earlier start_time."
        )
    if end - start > MAX_PERIOD:
        raise InvalidOption("From start_time to end_time is more than 7 days", "Give at most 7 days.")
