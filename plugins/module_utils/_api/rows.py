# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion between objects of the API and the options and results of the modules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .._util.strict_json import parse_integer
from .models import (
    AUTH_KEY,
    STREAM_AUTH_KEY,
    IngestEvent,
    NotifyConfig,
    NotifyEvent,
    Push,
    RecordUsage,
    Stream,
    parse_time,
)

_STAMP = re.compile(r'"ALI-LIVE-TIMESTAMP"\s*:\s*\[?\s*"?([0-9]{1,12})\b', re.IGNORECASE)


def _read_text(value: Any) -> str | None:
    """Return a value that the API documents as a text; None if it is empty or of another type."""
    return value if value and isinstance(value, str) else None


def _read_scalar(value: Any) -> str | float | None:
    """Return a value that the API documents as a text, a number or a boolean; None if it is of another type."""
    return value if isinstance(value, (str, int, float)) else None


# The ingest URL is left out: it may contain the key that permits pushing.
_ONLINE_FIELDS = {
    "DomainName": "domain_name",
    "AppName": "app_name",
    "StreamName": "stream_name",
    "PublishTime": "publish_time",
    "PublishType": "publish_type",
    "PublishDomain": "publish_domain",
    "Transcoded": "transcoded",
    "ClientIp": "client_ip",
    "ServerIp": "server_ip",
    "Width": "width",
    "Height": "height",
    "FrameRate": "frame_rate",
    "VideoDataRate": "video_data_rate",
    "AudioDataRate": "audio_data_rate",
    "VideoCodecId": "video_codec_id",
    "AudioCodecId": "audio_codec_id",
}


def parse_stored_stream(row: Any) -> dict[str, Any]:
    """Return an online stream that was stored, and checked like a row of the API because it may have been changed."""
    fields = row if isinstance(row, dict) else {}
    return parse_online_stream({theirs: fields.get(ours) for theirs, ours in _ONLINE_FIELDS.items()})


def parse_online_stream(row: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of the online list as modules and inventory show it, without fields that the API left out."""
    found = {ours: _read_scalar(row.get(theirs)) for theirs, ours in _ONLINE_FIELDS.items()}
    names = {ours: _read_text(found[ours]) for ours in Stream._fields}
    return {ours: value for ours, value in {**found, **names}.items() if value is not None}


def parse_ingest_type(value: Any) -> str | None:
    """Return the ingest type: `push`, or `pull` for a stream that is pulled on trigger; None for any other value."""
    name = str(value).lower()
    return name if name in ("push", "pull") else None


RECORD_MODES = {"automatic": 0, "callback": 1, "ingest_parameter": 2, "manual": 7}
SLICED_FORMATS = ("m3u8", "cmaf")  # in which a recording is a list of slices
UNCHANGEABLE = frozenset({"oss_bucket", "oss_object_prefix", "slice_oss_object_prefix"})  # by an update
CONFIG_FIELDS = {
    "domain_name": "DomainName",
    "app_name": "AppName",
    "stream_name": "StreamName",
    "oss_bucket": "OssBucket",
    "oss_endpoint": "OssEndpoint",
    "delay_time": "DelayTime",
    "start_time": "StartTime",
    "end_time": "EndTime",
}
_FORMAT_FIELDS = {
    "format": "Format",
    "cycle_duration": "CycleDuration",
    "slice_duration": "SliceDuration",
    "oss_object_prefix": "OssObjectPrefix",
    "slice_oss_object_prefix": "SliceOssObjectPrefix",
}


def parse_record_config(row: dict[str, Any]) -> dict[str, Any]:
    """Return a recording configuration as the modules show it; None stands for what the API left empty.

    Integers may come as strings, and format names in either case. In its responses the API misspells `OnDemand` as
    `OnDemond`; both are read.
    """
    config = {ours: _read_text(row.get(theirs)) for ours, theirs in CONFIG_FIELDS.items()}
    number = parse_integer(row.get("OnDemond", row.get("OnDemand")))
    modes = {value: name for name, value in RECORD_MODES.items()}
    return {
        **config,
        "app_name": config["app_name"] or "*",
        "stream_name": config["stream_name"] or "*",
        "mode": None if number is None else modes.get(number, str(number)),
        "delay_time": parse_integer(row.get("DelayTime")) or None,
        "formats": _parse_formats(row, "RecordFormatList"),
        "transcode_formats": _parse_formats(row, "TranscodeRecordFormatList"),
        "transcode_templates": [
            name for name in _unwrap_list(row, "TranscodeTemplates", "Templates") if _read_text(name)
        ],
        "create_time": _read_text(row.get("CreateTime")),
    }


def _parse_formats(row: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [_parse_format(item) for item in _unwrap_list(row, name, "RecordFormat") if isinstance(item, dict)]


def _parse_format(item: dict[str, Any]) -> dict[str, Any]:
    """Return a format of a configuration, without settings of slices if the format has no slices."""
    name = (_read_text(item.get("Format")) or "").lower()
    sliced = name in SLICED_FORMATS
    return {
        "format": name,
        "cycle_duration": parse_integer(item.get("CycleDuration")) or None,
        "slice_duration": parse_integer(item.get("SliceDuration")) or None if sliced else None,
        "oss_object_prefix": _read_text(item.get("OssObjectPrefix")),
        "slice_oss_object_prefix": _read_text(item.get("SliceOssObjectPrefix")) if sliced else None,
    }


def _unwrap_list(row: dict[str, Any], outer: str, inner: str) -> list[Any]:
    """Return a list that the API wraps in an object; an empty one for anything else."""
    value = row.get(outer)
    if isinstance(value, dict):
        value = value.get(inner)
    return value if isinstance(value, list) else []


def build_config_parameters(config: dict[str, Any], without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return a recording configuration as parameters, without the given fields."""
    parameters: dict[str, Any] = {theirs: config[ours] for ours, theirs in CONFIG_FIELDS.items() if ours not in without}
    parameters["OnDemand"] = RECORD_MODES.get(config["mode"])
    for list_name, items in (
        ("RecordFormat", config["formats"]),
        ("TranscodeRecordFormat", config["transcode_formats"]),
    ):
        for number, item in enumerate(items, 1):
            fields = {theirs: item[ours] for ours, theirs in _FORMAT_FIELDS.items() if ours not in without}
            parameters.update({f"{list_name}.{number}.{name}": value for name, value in fields.items()})
    for number, template in enumerate(config["transcode_templates"], 1):
        parameters[f"TranscodeTemplates.{number}"] = template
    return {name: str(value) for name, value in parameters.items() if value is not None}


def parse_notify_config(domain_name: str, row: dict[str, Any] | None) -> NotifyConfig | None:
    """Return a recording callback, None if the API shows none.

    `NotifyReqAuth` is documented as a boolean and as yes or no.
    """
    if not row or not _read_text(row.get("NotifyUrl")):
        return None
    settings = {
        "domain_name": domain_name,
        "notify_url": row["NotifyUrl"],
        "on_demand_url": _read_text(row.get("OnDemandUrl")),
        "status_events": _parse_flag(row.get("NeedStatusNotify")),
        "signed": _parse_flag(row.get("NotifyReqAuth")),
    }
    return NotifyConfig(settings, _read_auth_key(row, AUTH_KEY))


def parse_stream_notify_config(domain_name: str, row: dict[str, Any] | None) -> NotifyConfig | None:
    """Return the ingest callback of an ingest domain, None if the API shows no URL.

    It never shows `SwitchNotifyUrl`.
    """
    row = row or {}
    settings = {
        "domain_name": domain_name,
        "notify_url": _read_text(row.get("NotifyUrl")),
        "exception_notify_url": _read_text(row.get("ExceptionNotifyUrl")),
        "signed": _parse_flag(row.get("NotifyReqAuth")),
    }
    if not settings["notify_url"] and not settings["exception_notify_url"]:
        return None
    return NotifyConfig(settings, _read_auth_key(row, STREAM_AUTH_KEY))


def _read_auth_key(row: dict[str, Any], valid: re.Pattern[str]) -> str | None:
    """Return the key of a signed callback, None if the API does not show it.

    It is not documented whether the API shows the key. A text that cannot be one is a mask.
    """
    key = str(row.get("NotifyAuthKey"))
    return key if _parse_flag(row.get("NotifyReqAuth")) and valid.fullmatch(key) else None


def _parse_flag(value: Any) -> bool:
    return str(value).lower() in ("true", "yes", "on", "1")


def build_notify_parameters(config: NotifyConfig) -> dict[str, str]:
    """Return a recording callback as parameters."""
    settings = config.settings
    parameters = {
        "DomainName": settings["domain_name"],
        "NotifyUrl": settings["notify_url"],
        "OnDemandUrl": settings["on_demand_url"],
        "NeedStatusNotify": str(settings["status_events"]).lower(),
        "NotifyReqAuth": str(settings["signed"]).lower(),
        "NotifyAuthKey": config.auth_key if settings["signed"] else None,
    }
    return {name: value for name, value in parameters.items() if value}


def build_stream_notify_parameters(config: NotifyConfig, switch_notify_url: str | None) -> dict[str, str]:
    """Return an ingest callback as parameters."""
    settings = config.settings
    parameters = {
        "DomainName": settings["domain_name"],
        "NotifyUrl": settings["notify_url"],
        "ExceptionNotifyUrl": settings["exception_notify_url"],
        "SwitchNotifyUrl": switch_notify_url,
        "NotifyReqAuth": "yes" if settings["signed"] else "no",
        "NotifyAuthKey": config.auth_key if settings["signed"] else None,
    }
    return {name: value for name, value in parameters.items() if value}


TASK_FIELDS = {
    "StartTime": "start_time",
    "EndTime": "end_time",
    "Duration": "duration",
    "OssBucket": "oss_bucket",
    "OssEndpoint": "oss_endpoint",
    "OssObjectPrefix": "oss_object_prefix",
}
FILE_FIELDS = {
    "RecordId": "record_id",
    "RecordUrl": "record_url",
    "Format": "format",
    "StartTime": "start_time",
    "EndTime": "end_time",
    "CreateTime": "create_time",
    "Duration": "duration",
    "Width": "width",
    "Height": "height",
    "OssBucket": "oss_bucket",
    "OssEndpoint": "oss_endpoint",
    "OssObject": "oss_object",
}


def rename_fields(rows: Iterable[dict[str, Any]], fields: dict[str, str]) -> list[dict[str, Any]]:
    """Return objects of the API with these fields only, under our names; None for a field that the API left out."""
    return [{ours: _read_scalar(row.get(theirs)) for theirs, ours in fields.items()} for row in rows]


def parse_record_usage(row: dict[str, Any]) -> RecordUsage | None:
    """Return a row of usage, None without a time or a count. A number may come as a string."""
    time, count = parse_time(row.get("TimeStamp")), parse_integer(row.get("Count"))
    if time is None or count is None or count < 0:
        return None
    return RecordUsage(time, (_read_text(row.get("Type")) or "").lower(), count)


def parse_notify_event(domain_name: str, row: dict[str, Any]) -> NotifyEvent:
    """Return a row of the notify log, without URL and headers, which may contain a key or a signature."""
    app_name, stream_name = _read_text(row.get("AppName")), _read_text(row.get("StreamName"))
    result, body = row.get("NotifyResult"), row.get("NotifyContent")
    return NotifyEvent(
        type=str(row.get("NotifyType")).lower(),
        time=parse_time(row.get("NotifyTime")),
        stream=Stream(domain_name, app_name, stream_name) if app_name and stream_name else None,
        storage_type=_read_text(row.get("StorageType")),
        delivered=None if result is None else str(result).lower() == "success",
        body=body if isinstance(body, str) else None,
        stamp=_find_stamp(row.get("NotifyHeader")),
    )


def _find_stamp(headers: Any) -> int | None:
    """Return the time in the signature of a callback, whose headers are JSON; None without one."""
    found = _STAMP.search(headers) if isinstance(headers, str) else None
    return int(found[1]) if found else None


def parse_push(row: dict[str, Any]) -> Push | None:
    """Return a row of the publish list, None if it does not tell when the push began."""
    start = parse_time(row.get("PublishTime"))
    return Push(row["AppName"], row["StreamName"], start, parse_time(row.get("StopTime"))) if start else None


def parse_ingest_event(row: dict[str, Any]) -> IngestEvent | None:
    """Return a row of the ingest log, None if it is not about the beginning or the end of a push."""
    app_name, stream_name = _read_text(row.get("AppName")), _read_text(row.get("StreamName"))
    kind, time = str(row.get("NotifyType")).lower(), parse_time(row.get("NotifyTime"))
    if not app_name or not stream_name or not time or kind not in ("publish", "publish_done"):
        return None
    return IngestEvent(app_name, stream_name, kind, time)
