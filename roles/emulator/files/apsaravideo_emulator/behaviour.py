# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches for everything that the documentation leaves open.

Each field of `Behaviour` is one question that the public documentation does not answer, or one fact that differs
between generations of the service. The command line and `POST /_emulator/behaviour` are generated from the fields, so a
new switch is one new field here.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field
from typing import Any, Callable

from .limits import Limit

ON_OFF = ("on", "off")
GENERATIONS = ("old", "new")


def _choice(choices: tuple[str, ...], meaning: str) -> dict[str, Any]:
    return {"choices": choices, "help": meaning}


def _text(meaning: str) -> dict[str, Any]:
    return {"help": meaning}


def _number(minimum: float, maximum: float, meaning: str) -> dict[str, Any]:
    return {"minimum": minimum, "maximum": maximum, "help": meaning}


def _mapping(kind: str, meaning: str) -> dict[str, Any]:
    return {"mapping": kind, "help": meaning}


@dataclass
class Behaviour:
    """The switches; each default is the reading that the documentation supports best."""

    # The gateway
    generation: str = field(
        default="new", metadata=_choice(GENERATIONS, "error table: old (2018 pages) or new (Nov 2024 pages)")
    )
    generations: dict[str, str] = field(
        default_factory=lambda: {"DeleteLiveRecordNotifyConfig": "old"},
        metadata=_mapping("generations", "OPERATION=old or OPERATION=new: the error table of one operation"),
    )
    answers: str = field(
        default="unwrapped",
        metadata=_choice(("unwrapped", "wrapped"), "wrapped: success JSON inside {Operation}Response"),
    )
    throttle_status: str = field(default="400", metadata=_choice(("400", "429"), "HTTP status of a throttled call"))
    throttle_code: str = field(
        default="Throttling.User",
        metadata=_choice(("Throttling.User", "Throttling", "Throttling.Api"), "error code of a throttled call"),
    )
    retry_after: str = field(
        default="off", metadata=_choice(ON_OFF, "send x-acs-retry-after (milliseconds) with a throttled call")
    )
    dropped_calls: str = field(
        default="free", metadata=_choice(("free", "counted"), "counted: a dropped call uses up a slot of the limit too")
    )
    version_code: str = field(
        default="NoSuchVersion",
        metadata=_choice(("NoSuchVersion", "InvalidVersion"), "error code for an unknown API version"),
    )
    http_status: dict[str, int] = field(
        default_factory=dict, metadata=_mapping("statuses", "CODE=STATUS: another HTTP status for an error code")
    )
    access_denied_detail: str = field(
        default="on", metadata=_choice(ON_OFF, "send AccessDeniedDetail with Forbidden.RAM")
    )
    denial_code: str = field(
        default="Forbidden.RAM",
        metadata=_choice(("Forbidden.RAM", "Forbidden"), "error code of a denial: the gateway's, or the product's"),
    )
    require_tls: str = field(default="off", metadata=_choice(ON_OFF, "refuse plain HTTP with InvalidProtocol.NeedSsl"))
    latency: float = field(default=0, metadata=_number(0, 600_000, "milliseconds to wait before each API response"))
    clock_skew: float = field(
        default=0,
        metadata=_number(
            -1e9,
            1e9,
            "seconds the cloud's clock is ahead: signature dates, temporary credentials, Date header, all times shown",
        ),
    )
    limits: dict[str, Limit] = field(
        default_factory=dict,
        metadata=_mapping("limits", "OPERATION=CALLS or OPERATION=CALLS/SECONDS: another call limit"),
    )
    other_client: dict[str, float] = field(
        default_factory=dict, metadata=_mapping("rates", "OPERATION=N: another client of the account makes N calls/s")
    )

    # Commands in states without a documented outcome
    idle_stop: str = field(default="ok", metadata=_choice(("ok", "error"), "stop when nothing is being recorded"))
    idle_cancel: str = field(
        default="ok", metadata=_choice(("ok", "error"), "cancel_delay when no stopped recording waits")
    )
    idle_restart: str = field(
        default="ok", metadata=_choice(("ok", "error"), "restart when no recording runs or waits (ok: it starts one)")
    )
    no_task_code: str = field(
        default="CodeTaskNotStarted",
        metadata=_text("error code of the three switches above; the default is documented for another operation"),
    )
    no_task_status: float = field(default=400, metadata=_number(400, 599, "HTTP status of that error"))
    offline_cancel: str = field(
        default="error", metadata=_choice(("ok", "error"), "cancel_delay for a waiting recording whose push has ended")
    )

    # Recording
    start_in_delay: str = field(
        default="resume", metadata=_choice(("resume", "new"), "start during the delay: the same file, or a new one")
    )
    stop_delay: str = field(
        default="fixed",
        metadata=_choice(("fixed", "config"), "delay after stop: 180 s, or the configuration's DelayTime"),
    )
    repush_after_stop: str = field(
        default="auto",
        metadata=_choice(("auto", "off"), "automatic recording on the push after a manual stop: starts again, or not"),
    )
    config_effect: str = field(
        default="next-push",
        metadata=_choice(("next-push", "at-once"), "when an added or changed configuration takes effect"),
    )
    deleted_config: str = field(
        default="at-once",
        metadata=_choice(
            ("at-once", "fallback", "next-push"),
            "when a deleted configuration stops applying to commands; fallback: at once, then the next best applies",
        ),
    )
    config_match: str = field(
        default="app-first",
        metadata=_choice(
            ("app-first", "stream-first"),
            "which of app/* and */stream matches better: the exact AppName, or the exact StreamName",
        ),
    )
    manual_period: str = field(
        default="ignored",
        metadata=_choice(
            ("ignored", "bounded"),
            "StartTime and EndTime for commands: no meaning, or start and restart work within them only",
        ),
    )
    period_end: str = field(
        default="delay",
        metadata=_choice(("delay", "at-once"), "files after EndTime: after DelayTime, or at once"),
    )
    distant_start: str = field(
        default="unrecorded",
        metadata=_choice(
            ("unrecorded", "ignored"), "a StartTime more than 7 days from the push: nothing is recorded, or no period"
        ),
    )

    # Configurations
    config_filter: str = field(
        default="literal",
        metadata=_choice(("literal", "pattern"), "AppName and StreamName filters of DescribeLiveRecordConfig"),
    )
    update_formats: str = field(
        default="merge",
        metadata=_choice(("merge", "replace"), "formats not named by UpdateLiveAppRecordConfig: kept, or removed"),
    )
    update_notify: str = field(
        default="reset",
        metadata=_choice(
            ("reset", "keep"),
            "fields absent from UpdateLiveRecordNotifyConfig or SetLiveStreamsNotifyUrlConfig: default, or unchanged",
        ),
    )
    record_format_case: str = field(
        default="as-given", metadata=_choice(("as-given", "upper"), "case of Format in DescribeLiveRecordConfig")
    )
    empty_notify_config: str = field(
        default="error",
        metadata=_choice(("error", "empty"), "reading the callback configuration of a domain without one"),
    )
    notify_auth_type: str = field(
        default="bool", metadata=_choice(("bool", "string"), "NotifyReqAuth as true/false or as yes/no")
    )
    private_callbacks: str = field(
        default="accepted",
        metadata=_choice(
            ("accepted", "refused"), "callback URLs on private and loopback addresses; refused: InvalidNotifyUrl.Unsafe"
        ),
    )
    cycle_range: str = field(
        default="any",
        metadata=_choice(("any", "bounded"), "CycleDuration: any, or 900 to 21600 s as a vendor sample states"),
    )
    config_exists_code: str = field(
        default="CodeConfigAlreadyExists", metadata=_text("error code when the configuration to add exists already")
    )
    delete_missing: str = field(
        default="error", metadata=_choice(("ok", "error"), "deleting a configuration that does not exist")
    )

    # Listings
    running_content: str = field(
        default="unlisted",
        metadata=_choice(("unlisted", "listed"), "a running task in DescribeLiveStreamRecordContent"),
    )
    running_end: str = field(
        default="now", metadata=_choice(("now", "absent", "window-end"), "EndTime of such a running task")
    )
    pull_publish_type: str = field(
        default="edge", metadata=_text("PublishType of a stream that is pulled on trigger, in the lists of streams")
    )
    index_window: str = field(
        default="created",
        metadata=_choice(
            ("created", "recorded"), "DescribeLiveStreamRecordIndexFiles selects by creation or recorded time"
        ),
    )
    no_segments_code: str = field(
        default="InvalidStream.NotFound",
        metadata=_text("error code of CreateLiveStreamRecordIndexFiles for a time without any segment"),
    )
    control_history: str = field(
        default="control",
        metadata=_choice(
            ("control", "commands"), "DescribeLiveStreamsControlHistory: stream control only, or record commands too"
        ),
    )
    page_cap: float = field(
        default=0,
        metadata=_number(
            0, 1e6, "maximum rows in a page of any listing, whatever PageSize is requested; 0: no maximum"
        ),
    )
    total_excess: float = field(default=0, metadata=_number(0, 1e6, "number by which TotalNum of listings is too high"))
    past_window: str = field(
        default="error",
        metadata=_choice(("error", "cut"), "a query window that begins before the retention: refused, or cut to it"),
    )
    notify_order: str = field(
        default="asc", metadata=_choice(("asc", "desc"), "order of the logs of callbacks by NotifyTime")
    )
    notify_lag: float = field(
        default=0, metadata=_number(0, 1e9, "seconds until an event is listed in the logs of callbacks")
    )
    notify_lag_spread: float = field(
        default=0, metadata=_number(0, 1e9, "maximum further delay in seconds, different for each event")
    )
    notify_skew: float = field(
        default=0,
        metadata=_number(-86_400, 86_400, "seconds the clock of the notify log is ahead of the gateway's"),
    )
    notify_paging: str = field(
        default="required",
        metadata=_choice(("required", "defaulted"), "PageNumber and PageSize of DescribeLiveRecordNotifyRecords"),
    )
    notify_storage: str = field(
        default="all",
        metadata=_choice(("all", "oss"), "StorageType of DescribeLiveRecordNotifyRecords if absent"),
    )
    notify_result: str = field(
        default="success",
        metadata=_choice(
            ("success", "failed", "deliver"),
            "delivery result in the notify log; deliver: really call callback URLs that are on loopback",
        ),
    )
    notify_code: float = field(
        default=0, metadata=_number(0, 1e9, "Code in the response of DescribeLiveRecordNotifyRecords")
    )
    callback_host: str = field(
        default="without-port",
        metadata=_choice(("without-port", "with-port"), "the host in the signature of a callback"),
    )
    callback_case: str = field(
        default="lower", metadata=_choice(("lower", "upper"), "hexadecimal digits of the signature of a callback")
    )
    callback_retries: str = field(
        default="timeout",
        metadata=_choice(("timeout", "any"), "failures after which a callback is retried: timeouts, or any"),
    )
    on_demand_retries: str = field(
        default="on", metadata=_choice(ON_OFF, "retry the request to the OnDemandUrl like other callbacks")
    )
    callback_uri: str = field(
        default="object",
        metadata=_choice(("object", "url"), "uri in the callback of a file: the object in its bucket, or its URL"),
    )
    status_event_time: str = field(
        default="off", metadata=_choice(ON_OFF, "a time field in the bodies of recording status events")
    )

    # Usage
    usage_delay: float = field(
        default=0, metadata=_number(0, 1e9, "seconds until usage is listed in DescribeLiveDomainRecordUsageData")
    )
    usage_running: str = field(
        default="listed",
        metadata=_choice(("listed", "unlisted"), "an interval of usage that has not ended yet"),
    )
    usage_empty: str = field(
        default="unlisted", metadata=_choice(("unlisted", "listed"), "intervals without recordings, between others")
    )
    usage_count: str = field(
        default="peak",
        metadata=_choice(("peak", "sample"), "Count of an interval: its maximum, or the number at its beginning"),
    )
    usage_formats: str = field(
        default="each",
        metadata=_choice(("each", "once"), "a recording in two formats, where formats are merged: counts 2, or 1"),
    )
    usage_paused: str = field(
        default="uncounted",
        metadata=_choice(("uncounted", "counted"), "a paused recording that waits for its delay"),
    )
    usage_type_case: str = field(default="upper", metadata=_choice(("upper", "lower"), "Type of usage: MP4 or mp4"))
    usage_limits: str = field(
        default="by-interval",
        metadata=_choice(
            ("by-interval", "fixed"), "span and retention of usage: by Interval, or 31 days a call and 90 days back"
        ),
    )

    # Files
    files: str = field(
        default="unserved",
        metadata=_choice(("unserved", "served"), "URLs of files: in their buckets, or below /files/ of this emulator"),
    )

    file_ranges: str = field(
        default="standard",
        metadata=_choice(
            ("standard", "oss"), "a range that is not inside a file: 206 or 416, or the whole file as OSS sends it"
        ),
    )

    def update(self, changes: dict[str, Any]) -> None:
        """Set some fields from untrusted values; raise ValueError, and set none, if any name or value is not valid."""
        known = {switch.name: switch for switch in dataclasses.fields(self)}
        parsed = {}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"there is no behaviour {name!r}; known: {', '.join(sorted(known))}")
            parsed[name] = _parse_value(known[name], value)
        for name, value in parsed.items():
            setattr(self, name, value)

    def is_on(self, name: str) -> bool:
        """Return whether an on/off switch is on."""
        return bool(getattr(self, name) == "on")

    def as_dict(self) -> dict[str, Any]:
        """Return all fields with their values, ready for JSON."""
        return dataclasses.asdict(self)


def _parse_value(switch: dataclasses.Field[Any], value: Any) -> Any:
    if "choices" in switch.metadata:
        text = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else str(value)
        if text not in switch.metadata["choices"]:
            raise ValueError(f"{switch.name} must be one of {', '.join(switch.metadata['choices'])}, not {value!r}")
        return text
    if "minimum" in switch.metadata:
        return _parse_number(switch, value)
    if "mapping" in switch.metadata:
        return _parse_mapping(switch, value)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{switch.name} must be a non-empty text, not {value!r}")
    return value


def _parse_number(switch: dataclasses.Field[Any], value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    low, high = switch.metadata["minimum"], switch.metadata["maximum"]
    if not low <= number <= high:
        raise ValueError(f"{switch.name} must be a number from {low} to {high}, not {value!r}")
    return number


def _parse_mapping(switch: dataclasses.Field[Any], value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{switch.name} must map operation names, not {value!r}")
    parse = PARSERS[switch.metadata["mapping"]]
    return {str(key): parse(text) for key, text in value.items()}


def parse_limit(value: Any) -> Limit:
    """Parse a call limit written as `CALLS` or `CALLS/SECONDS`, or as a mapping with the keys `calls` and `seconds`."""
    if isinstance(value, dict):
        value = f"{value.get('calls')}/{value.get('seconds', 1)}"
    match = re.fullmatch(r"(\d+)(?:/(\d+(?:\.\d+)?))?", str(value))
    if not match or (match[2] and float(match[2]) <= 0):
        raise ValueError(f"a limit is CALLS or CALLS/SECONDS, not {value!r}")
    return Limit(int(match[1]), float(match[2] or 1))


def parse_rate(value: Any) -> float:
    """Parse a number of calls per second, 0 or more."""
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = math.nan
    if not 0 <= rate < math.inf:
        raise ValueError(f"a rate is a number of calls per second, not {value!r}")
    return rate


def parse_status(value: Any) -> int:
    """Parse the HTTP status of an error, 400 to 599."""
    if not re.fullmatch(r"[45]\d\d", str(value)):
        raise ValueError(f"the status of an error is from 400 to 599, not {value!r}")
    return int(value)


def parse_generation(value: Any) -> str:
    """Parse the name of a generation of the error table, `old` or `new`."""
    if value not in GENERATIONS:
        raise ValueError(f"a generation is one of {', '.join(GENERATIONS)}, not {value!r}")
    return str(value)


PARSERS: dict[str, Callable[[Any], Any]] = {
    "generations": parse_generation,
    "limits": parse_limit,
    "rates": parse_rate,
    "statuses": parse_status,
}
