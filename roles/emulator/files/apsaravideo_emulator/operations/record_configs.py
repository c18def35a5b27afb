# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record configurations."""

from __future__ import annotations

from typing import Any

from .. import record_model
from ..parameters import Integer, Items, Moment, Text
from ..record_model import RecordConfig, RecordFormat
from ..resources import ConfigExists, ConfigNotFound, Domain
from .call import DOMAIN, ORDER, SHORT_PAGES, SOME_STREAM, Call, operation, paginate

FILE_FORMATS = ("m3u8", "flv", "mp4", "cmaf")
SLICED_FORMATS = ("m3u8", "cmaf")
PREFIX_BYTE_LIMIT = 256
MIN_CYCLE, MAX_CYCLE = 900, 21600
DEFAULT_PREFIX = "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
DEFAULT_SLICE_PREFIX = "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
START_VARIABLES = ("{StartTime}", "{EscapedStartTime}")
END_VARIABLES = ("{EndTime}", "{EscapedEndTime}")

_CONFIG_STREAM = (DOMAIN, Text("AppName", required=True), Text("StreamName", default="*"))
_ON_DEMAND = Integer("OnDemand", choices=record_model.MODES)
_DELAY = Integer("DelayTime", minimum=15, maximum=21600)
_PERIOD = (Moment("StartTime"), Moment("EndTime"))
_UPDATE_FORMAT = (
    Text("Format", required=True, pattern="(?i:" + "|".join(FILE_FORMATS) + ")"),
    Integer("CycleDuration"),
    Integer("SliceDuration", minimum=5, maximum=30),
)
_NEW_FORMAT = (*_UPDATE_FORMAT, Text("OssObjectPrefix"), Text("SliceOssObjectPrefix"))


def _describe_configs(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    configs = [config for config in call.cloud.record_configs.values() if _config_matches(call, domain, config)]
    configs.sort(key=lambda config: config.created, reverse=call["Order"] == "desc")
    rows, counts = paginate(call, configs, call["PageNum"], call["PageSize"])
    return {
        "Order": call["Order"],
        **counts,
        "LiveAppRecordList": {"LiveAppRecord": [_config_row(call, config) for config in rows]},
    }


def _config_matches(call: Call, domain: Domain, config: RecordConfig) -> bool:
    also = ("*",) if call.behaviour.config_filter == "pattern" else ()
    return (
        config.domain == domain.name
        and (call["AppName"] is None or config.app in (call["AppName"], *also))
        and (call["StreamName"] is None or config.stream in (call["StreamName"], *also))
    )


def _config_row(call: Call, config: RecordConfig) -> dict[str, Any]:
    row: dict[str, Any] = {
        "DomainName": config.domain,
        "AppName": config.app,
        "StreamName": config.stream,
        "OnDemond": config.mode,
        "DelayTime": config.delay,
        "OssBucket": config.bucket,
        "OssEndpoint": config.endpoint,
        "CreateTime": call.cloud.clock.show(config.created),
    }
    for name, instant in (("StartTime", config.start), ("EndTime", config.end)):
        if instant is not None:
            row[name] = call.cloud.clock.show(instant)
    upper = call.behaviour.record_format_case == "upper"
    row["RecordFormatList"] = {"RecordFormat": [_format_row(item, upper) for item in config.formats]}
    row["TranscodeRecordFormatList"] = {"RecordFormat": [_format_row(item, upper) for item in config.transcode_formats]}
    row["TranscodeTemplates"] = {"Templates": list(config.templates)}
    return row


def _format_row(item: RecordFormat, upper: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "Format": item.name.upper() if upper else item.name,
        "CycleDuration": item.cycle,
        "OssObjectPrefix": item.prefix,
    }
    if item.kind in SLICED_FORMATS:
        row["SliceDuration"] = item.slice_duration
        row["SliceOssObjectPrefix"] = item.slice_prefix
    return row


def _add_config(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    if not call["RecordFormat"] and not call["TranscodeRecordFormat"]:
        raise call.errors.missing_parameter("RecordFormat")
    start, end = _config_period(call)
    config = RecordConfig(
        number=0,
        domain=domain.name,
        app=call["AppName"],
        stream=call["StreamName"],
        mode=call["OnDemand"],
        bucket=call["OssBucket"],
        endpoint=call["OssEndpoint"],
        created=call.now,
        delay=call["DelayTime"] or record_model.DEFAULT_DELAY,
        formats=_new_formats(call, "RecordFormat"),
        transcode_formats=_new_formats(call, "TranscodeRecordFormat"),
        templates=tuple(call["TranscodeTemplates"]),
        start=start,
        end=end,
    )
    try:
        call.cloud.add_config(config)
    except ConfigExists:
        raise call.errors.config_exists() from None
    return {}


def _config_period(
    call: Call, start: float | None = None, end: float | None = None
) -> tuple[float | None, float | None]:
    """Return StartTime and EndTime of a configuration for a single stream, shortened to at most 7 days.

    `start` and `end` are the values before an update, which apply where the request has none.
    """
    for name in ("StartTime", "EndTime"):
        if call[name] is not None and call["StreamName"] == "*":
            raise call.errors.malformed_parameter(name, "It is allowed for a single stream only.")
    instant = call.cloud.clock.instant
    start = start if call["StartTime"] is None else instant(call["StartTime"])
    end = end if call["EndTime"] is None else instant(call["EndTime"])
    if start is not None and end is not None:
        if end <= start:
            raise call.errors.malformed_parameter("EndTime", "It must be later than StartTime.")
        end = min(end, start + record_model.WEEK)
    return start, end


def _new_formats(call: Call, name: str) -> tuple[RecordFormat, ...]:
    formats = []
    for number, fields in enumerate(call[name], 1):
        kind = fields["Format"].lower()
        where = f"{name}.{number}."
        _check_prefix(call, where, "OssObjectPrefix", fields, (START_VARIABLES, END_VARIABLES))
        if kind in SLICED_FORMATS:
            _check_prefix(call, where, "SliceOssObjectPrefix", fields, (("{UnixTimestamp}",), ("{Sequence}",)))
        _check_cycle(call, where, fields)
        formats.append(_format(fields, fields["OssObjectPrefix"], fields["SliceOssObjectPrefix"]))
    if len({item.kind for item in formats}) < len(formats):
        raise call.errors.malformed_parameter(f"{name}.Format", "Each format may be given once.")
    return tuple(formats)


def _check_prefix(
    call: Call, where: str, name: str, fields: dict[str, Any], needed: tuple[tuple[str, ...], ...]
) -> None:
    prefix = fields[name]
    if not prefix:
        raise call.errors.missing_parameter(where + name)
    if len(prefix.encode()) >= PREFIX_BYTE_LIMIT:
        raise call.errors.malformed_parameter(where + name, f"It must be shorter than {PREFIX_BYTE_LIMIT} bytes.")
    for variables in needed:
        if not any(variable in prefix for variable in variables):
            raise call.errors.malformed_parameter(where + name, f"It must contain {' or '.join(variables)}.")


def _check_cycle(call: Call, where: str, fields: dict[str, Any]) -> None:
    cycle = fields["CycleDuration"]
    if cycle is not None and call.behaviour.cycle_range == "bounded" and not MIN_CYCLE <= cycle <= MAX_CYCLE:
        raise call.errors.malformed_parameter(f"{where}CycleDuration", f"It must be from {MIN_CYCLE} to {MAX_CYCLE}.")


def _format(fields: dict[str, Any], prefix: str, slice_prefix: str | None) -> RecordFormat:
    return RecordFormat(
        name=fields["Format"],
        cycle=fields["CycleDuration"] or record_model.DEFAULT_CYCLES[fields["Format"].lower()],
        prefix=prefix,
        slice_duration=fields["SliceDuration"] or 30,
        slice_prefix=slice_prefix or "",
    )


def _update_config(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    current = call.cloud.record_configs.get((domain.name, call["AppName"], call["StreamName"]))
    if current is None:
        raise call.errors.config_not_found()
    start, end = _config_period(call, current.start, current.end)
    changes: dict[str, Any] = {
        "endpoint": call["OssEndpoint"],
        "formats": _update_formats(call, "RecordFormat", current.formats),
        "transcode_formats": _update_formats(call, "TranscodeRecordFormat", current.transcode_formats),
        "templates": tuple(call["TranscodeTemplates"]) or current.templates,
        "start": start,
        "end": end,
    }
    if call["OnDemand"] is not None:
        changes["mode"] = call["OnDemand"]
    if call["DelayTime"] is not None:
        changes["delay"] = call["DelayTime"]
    call.cloud.change_config(domain.name, call["AppName"], call["StreamName"], **changes)
    return {}


def _update_formats(call: Call, name: str, current: tuple[RecordFormat, ...]) -> tuple[RecordFormat, ...]:
    if not call[name]:
        return current
    before = {item.kind: item for item in current}
    after = {} if call.behaviour.update_formats == "replace" else dict(before)
    for number, fields in enumerate(call[name], 1):
        kind = fields["Format"].lower()
        _check_cycle(call, f"{name}.{number}.", fields)
        known = before.get(kind)
        prefix = known.prefix if known else DEFAULT_PREFIX
        slice_prefix = known.slice_prefix if known else DEFAULT_SLICE_PREFIX
        cycle = fields["CycleDuration"] or (known.cycle if known else None)
        slices = fields["SliceDuration"] or (known.slice_duration if known else None)
        after[kind] = _format({**fields, "CycleDuration": cycle, "SliceDuration": slices}, prefix, slice_prefix)
    return tuple(after.values())


def _delete_config(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    try:
        call.cloud.delete_config(domain.name, call["AppName"], call["StreamName"])
    except ConfigNotFound:
        if call.behaviour.delete_missing == "error":
            raise call.errors.config_not_found() from None
    return {}


OPERATIONS = (
    operation("DescribeLiveRecordConfig", _describe_configs, 100, *SOME_STREAM, *SHORT_PAGES, ORDER),
    operation(
        "AddLiveAppRecordConfig",
        _add_config,
        30,
        *_CONFIG_STREAM,
        Text("OssBucket", required=True),
        Text("OssEndpoint", required=True),
        Integer("OnDemand", choices=record_model.MODES, default=record_model.AUTOMATIC),
        _DELAY,
        *_PERIOD,
        Items("RecordFormat", _NEW_FORMAT),
        Items("TranscodeRecordFormat", _NEW_FORMAT),
        Items("TranscodeTemplates"),
    ),
    operation(
        "UpdateLiveAppRecordConfig",
        _update_config,
        30,
        *_CONFIG_STREAM,
        Text("OssEndpoint", required=True),
        _ON_DEMAND,
        _DELAY,
        *_PERIOD,
        Items("RecordFormat", _UPDATE_FORMAT),
        Items("TranscodeRecordFormat", _UPDATE_FORMAT),
        Items("TranscodeTemplates"),
    ),
    operation("DeleteLiveAppRecordConfig", _delete_config, 50, *_CONFIG_STREAM),
)
