# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording configurations: which can be asked for, and what a change of one comes to; pure functions.

A configuration has the form of `rows.parse_record_config`. One that is wanted has it too, where null stands for what
the task says nothing about. The rules are those of the operations AddLiveAppRecordConfig and UpdateLiveAppRecordConfig.
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
# Of formats that a task names without prefixes. Objects of a stream and of its transcoded forms must not meet.
DIRECTORIES = {"formats": "record", "transcode_formats": "transcoded"}
_PREFIX = "/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
_SLICE_PREFIX = "/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"

_DELAY_TIMES = (15, 21_600)  # seconds
_SLICE_DURATIONS = (5, 30)  # seconds
_CYCLE_DURATIONS = (900, 21_600)  # seconds; a sample of the vendor's names these limits, and no documentation does
_PREFIX_BYTES = 255
_LONGEST_PERIOD = timedelta(days=7)

_START = ("{StartTime}", "{EscapedStartTime}")
_END = ("{EndTime}", "{EscapedEndTime}")
_VARIABLES = {
    *("{AppName}", "{StreamName}", "{Sequence}", "{UnixTimestamp}", *_START, *_END),
    *("{Date}", "{Hour}", "{Minute}", "{Second}"),  # in older samples of the documentation
}
_NEEDED = {
    "oss_object_prefix": (_START, _END),
    "slice_oss_object_prefix": (("{UnixTimestamp}",), ("{Sequence}",)),
}
_NOTHING = parse_record_config({})
# What may be written in several ways, and its one form for a comparison.
_FORMS: dict[str, Callable[[Any], Any]] = {
    "domain_name": lambda name: (name or "").lower(),
    "oss_endpoint": lambda name: (name or "").lower(),
    "transcode_templates": set,
}


def checked_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """A wanted configuration of which only the names are known. Raises InvalidOption for what cannot be one."""
    check_domain(options["domain_name"])
    for option in ("app_name", "stream_name"):
        name = options[option]
        if not name.strip(" ") or has_control(name):
            raise InvalidOption(f"The option {option} is {name!r}, which is no name", "Give a name, or * for all.")
    names = {name: options[name] for name in ("domain_name", "app_name", "stream_name")}
    return {**dict.fromkeys(_NOTHING), **names}


def checked(options: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The wanted configuration. Raises InvalidOption for what the service would refuse, or quietly do otherwise.

    `now`: seconds since the epoch.
    """
    wanted = checked_names(options)
    wanted["mode"] = options["mode"]
    for option, check in (("oss_bucket", _checked_text), ("oss_endpoint", _checked_endpoint)):
        wanted[option] = check(option, options[option])
    wanted["delay_time"] = _in_range("delay_time", options["delay_time"], _DELAY_TIMES)
    for option in DIRECTORIES:
        wanted[option] = _checked_formats(option, options[option])
    wanted["transcode_templates"] = _checked_templates(options["transcode_templates"])
    for option in ("start_time", "end_time"):
        wanted[option] = _checked_time(option, options[option], wanted["stream_name"], now)
    _check_period(wanted)
    return wanted


def doubtful_durations(wanted: Mapping[str, Any]) -> list[str]:
    """Return a warning for each duration of a file that the service may refuse or change."""
    shortest, longest = _CYCLE_DURATIONS
    return [
        f"The option {option}[{number}].cycle_duration is {item['cycle_duration']}. By samples of the vendor's, a file "
        f"lasts {shortest} to {longest} seconds, so the cloud may refuse it or use another duration."
        for option in DIRECTORIES
        for number, item in enumerate(wanted[option] or [])
        if item["cycle_duration"] is not None and not shortest <= item["cycle_duration"] <= longest
    ]


def same_names(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configurations of one domain are of the same application and stream, or the same wildcards."""
    return all(one[name] == other[name] for name in ("app_name", "stream_name"))


def find_best_config(configs: list[dict[str, Any]], stream: Stream) -> dict[str, Any] | None:
    """Return the configuration that applies to a stream, of all those of its domain; None if there is none.

    The API has no operation for this. An exact name takes precedence over `*`, and an exact application over an exact
    stream.
    """
    wanted = {"app_name": stream.app_name, "stream_name": stream.stream_name}
    fitting = [config for config in configs if all(config[key] in (name, "*") for key, name in wanted.items())]
    return max(fitting, key=lambda config: [config[key] != "*" for key in wanted], default=None)


def change(found: dict[str, Any] | None, wanted: dict[str, Any]) -> Change | None:
    """What is to be done so that what was found becomes as wanted.

    Raises InvalidOption where the two together are no configuration.
    """
    config = merged(found or _NOTHING, wanted)
    if config == found:
        return None
    if wanted["start_time"] or wanted["end_time"]:
        _check_period(config)
    if found is None:
        _check_can_be_created(config)
        return Change(ADD, config)
    if _can_be_updated(found, config):
        return Change(UPDATE, config)
    _check_can_be_replaced(found, config)
    return Change(REPLACE, {**config, "create_time": None})


def merged(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What was found, with what is wanted in place of it; equal to what was found where that is as wanted."""
    config = {name: found[name] if wanted[name] is None else wanted[name] for name in _NOTHING}
    for name, directory in DIRECTORIES.items():
        if wanted[name] is not None:
            config[name] = _merged_formats(found[name], wanted[name], directory)
    for name, form in _FORMS.items():
        if form(found[name]) == form(config[name]):
            config[name] = found[name]
    return config


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """The options that what was found does not fulfil."""
    config = merged(found, wanted)
    return [name for name in _NOTHING if config[name] != found[name]]


def _check_can_be_created(config: dict[str, Any]) -> None:
    missing = _missing(config)
    if missing:
        raise InvalidOption(
            f"There is no recording configuration of {_names(config)}, and creating it needs {', '.join(missing)}",
            "Give what is missing, or correct the names if the configuration should be there.",
        )


def _check_can_be_replaced(found: dict[str, Any], config: dict[str, Any]) -> None:
    """Nothing is removed that could not be created again."""
    if not config["formats"] and not config["transcode_formats"]:
        raise InvalidOption("No format would be left to record in", "Name one in formats or transcode_formats.")
    missing = sorted({*_missing(found), *_missing(config)})
    if missing:
        raise InvalidOption(
            f"The configuration of {_names(config)} would have to be removed and created again, but the cloud does not "
            f"show all that this takes: {', '.join(missing)}",
            "Remove it with state=absent and create it with all its options.",
        )


def _missing(config: dict[str, Any]) -> list[str]:
    """What it lacks to be created."""
    missing = [name for name in ("oss_bucket", "oss_endpoint") if not config[name]]
    if not config["formats"] and not config["transcode_formats"]:
        missing.append("formats")
    for name in DIRECTORIES:
        for item in config[name]:
            needed = _NEEDED if item["format"] in SLICED_FORMATS else ("oss_object_prefix",)
            missing += [f"{field} of {item['format']} in {name}" for field in needed if not item[field]]
    return missing


def _names(config: dict[str, Any]) -> str:
    return "/".join(config[name] for name in ("domain_name", "app_name", "stream_name"))


def _merged_formats(found: list[dict[str, Any]], wanted: list[dict[str, Any]], directory: str) -> list[dict[str, Any]]:
    """In the order of what was found, then of what is wanted."""
    before = {item["format"]: item for item in found}
    after = {
        item["format"]: {**before.get(item["format"], _new_format(item["format"], directory)), **_given(item)}
        for item in wanted
    }
    kept = [name for name in before if name in after]
    return [after[name] for name in [*kept, *(name for name in after if name not in before)]]


def _new_format(name: str, directory: str) -> dict[str, Any]:
    """A format as it is where the task says nothing about it; the service knows the defaults of the durations."""
    return {
        "format": name,
        "cycle_duration": None,
        "slice_duration": None,
        "oss_object_prefix": directory + _PREFIX,
        "slice_oss_object_prefix": directory + _SLICE_PREFIX if name in SLICED_FORMATS else None,
    }


def _given(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value is not None}


def _can_be_updated(found: dict[str, Any], config: dict[str, Any]) -> bool:
    """Whether an update, which adds and changes but leaves out nothing for sure, comes to this configuration.

    It cannot name what is UNCHANGEABLE. Whether it removes what it does not name is not documented.
    """
    if found["oss_bucket"] != config["oss_bucket"]:
        return False
    if not set(found["transcode_templates"]) <= set(config["transcode_templates"]):
        return False
    return all(_fixed(found[name]) == _fixed(config[name]) for name in DIRECTORIES)


def _fixed(formats: list[dict[str, Any]]) -> list[list[str | None]]:
    return [[item["format"], *(item[name] for name in sorted(_NEEDED.keys() & UNCHANGEABLE))] for item in formats]


def _checked_text(option: str, text: str | None) -> str | None:
    if text is not None and (not text.strip() or not text.isprintable()):
        raise InvalidOption(f"The option {option} is {text!r}", "Give its name, or leave the option out.")
    return text


def _checked_endpoint(option: str, text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[0-9A-Za-z.-]+", text):
        advice = "Give a host name such as oss-cn-shanghai.aliyuncs.com, without scheme or bucket."
        raise InvalidOption(f"The option {option} is {text!r}, which is no host name", advice)
    return text


def _in_range(option: str, number: int | None, limits: tuple[int, int]) -> int | None:
    if number is not None and not limits[0] <= number <= limits[1]:
        raise InvalidOption(f"The option {option} is {number}", f"Give {limits[0]} to {limits[1]} seconds.")
    return number


def _checked_formats(option: str, items: list[Any] | None) -> list[dict[str, Any]] | None:
    if items is None:
        return None
    found = [_checked_format(f"{option}[{number}]", item) for number, item in enumerate(items)]
    names = [item["format"] for item in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InvalidOption(f"The option {option}[{number}] names {name} again", "Name each format once.")
    return found


def _checked_format(option: str, item: Mapping[str, Any]) -> dict[str, Any]:
    name = item["format"].lower()
    if name not in FORMATS:
        raise InvalidOption(f"The option {option}.format is {item['format']}", f"Give one of {', '.join(FORMATS)}.")
    if item["cycle_duration"] is not None and item["cycle_duration"] < 1:
        raise InvalidOption(f"The option {option}.cycle_duration is {item['cycle_duration']}", "Give seconds, above 0.")
    _in_range(f"{option}.slice_duration", item["slice_duration"], _SLICE_DURATIONS)
    for field, needed in _NEEDED.items():
        if item[field] is not None:
            _check_prefix(f"{option}.{field}", item[field], needed)
    _check_slices(option, name, item)
    return {**item, "format": name}


def _check_slices(option: str, name: str, item: Mapping[str, Any]) -> None:
    if name not in SLICED_FORMATS:
        for field in ("slice_duration", "slice_oss_object_prefix"):
            if item[field] is not None:
                advice = f"Leave it out; only {' and '.join(SLICED_FORMATS)} are recorded in slices."
                raise InvalidOption(f"The option {option}.{field} is set for the format {name}", advice)
    elif (item["oss_object_prefix"] is None) != (item["slice_oss_object_prefix"] is None):
        missing = next(field for field in sorted(_NEEDED) if item[field] is None)
        raise InvalidOption(
            f"The option {option} sets one of the two prefixes of {name}, and {missing} is missing",
            "Set both, or neither for the default ones.",
        )


def _check_prefix(option: str, prefix: str, needed: tuple[tuple[str, ...], ...]) -> None:
    if len(prefix.encode()) > _PREFIX_BYTES:
        raise InvalidOption(f"The option {option} has {len(prefix.encode())} bytes", f"Give at most {_PREFIX_BYTES}.")
    for unknown in sorted(set(re.findall(r"\{[^{}]*\}", prefix)) - _VARIABLES):
        advice = f"The variables are {', '.join(sorted(_VARIABLES))}."
        raise InvalidOption(f"The option {option} holds {unknown}, which is no variable", advice)
    for variables in needed:
        if not any(variable in prefix for variable in variables):
            advice = "Add it, so that the objects have names of their own."
            raise InvalidOption(f"The option {option} lacks {' or '.join(variables)}", advice)


def _checked_templates(names: list[str] | None) -> list[str] | None:
    for number, name in enumerate(names or []):
        _checked_text(f"transcode_templates[{number}]", name)
        if name in (names or [])[:number]:
            raise InvalidOption(f"The option transcode_templates[{number}] names {name} again", "Name each once.")
    return names


def _checked_time(option: str, text: str | None, stream_name: str, now: float) -> str | None:
    """The time as the API writes it: in UTC, in whole seconds."""
    if text is None:
        return None
    if stream_name == "*":
        advice = "Give stream_name, or leave the time out; the API takes times for a single stream only."
        raise InvalidOption(f"The option {option} is set for all streams", advice)
    return format_time(datetime.fromtimestamp(int(Instant.parse(option, text, now).epoch), timezone.utc))


def _check_period(config: Mapping[str, Any]) -> None:
    """The service quietly cuts a longer period."""
    start, end = (parse_time(config[name]) for name in ("start_time", "end_time"))
    if not start or not end:
        return
    if end <= start:
        raise InvalidOption("The option end_time is not after start_time", "Correct one of the two.")
    if end - start > _LONGEST_PERIOD:
        raise InvalidOption("From start_time to end_time is more than 7 days", "Give at most 7 days.")
