# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion between objects of the API and what the modules return and take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._util.strict_json import parse_integer
from .models import AUTH_KEY, NotifyConfig, NotifyEvent, Stream, parse_time


def _text(value: Any) -> str | None:
    """What the API documents as a text, None where it is empty or something else."""
    return value if value and isinstance(value, str) else None


def _scalar(value: Any) -> str | float | None:
    """What the API documents as a text, a number or a truth value, None where it is something else."""
    return value if isinstance(value, (str, int, float)) else None


# The ingest URL is left out: it may hold the key that lets its holder push.
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
    """Return what `online_stream` can have returned of a row that was stored, and that somebody may have changed."""
    fields = row if isinstance(row, dict) else {}
    return online_stream({theirs: fields.get(ours) for theirs, ours in _ONLINE_FIELDS.items()})


def online_stream(row: dict[str, Any]) -> dict[str, Any]:
    """An entry of the online list as the modules and the inventory return it; what the API left out is missing."""
    found = {ours: _scalar(row.get(theirs)) for theirs, ours in _ONLINE_FIELDS.items()}
    names = {ours: _text(found[ours]) for ours in Stream._fields}
    return {ours: value for ours, value in {**found, **names}.items() if value is not None}


def parse_ingest_type(value: Any) -> str | None:
    """Return how a stream comes in: `push`, or `pull` for one that is pulled on trigger; None for any other value."""
    found = str(value).lower()
    return found if found in ("push", "pull") else None


RECORD_MODES = {"automatic": 0, "callback": 1, "ingest_parameter": 2, "manual": 7}
SLICED_FORMATS = ("m3u8", "cmaf")  # a recording in one of these is a list of slices
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
    """A recording configuration as the modules return it and take it; null stands for what the API left empty.

    Whole numbers may come as texts, format names in either case. The API answers `OnDemond` for the `OnDemand` of its
    requests.
    """
    config = {ours: _text(row.get(theirs)) for ours, theirs in CONFIG_FIELDS.items()}
    number = parse_integer(row.get("OnDemond", row.get("OnDemand")))
    modes = {value: name for name, value in RECORD_MODES.items()}
    return {
        **config,
        "app_name": config["app_name"] or "*",
        "stream_name": config["stream_name"] or "*",
        "mode": None if number is None else modes.get(number, str(number)),
        "delay_time": parse_integer(row.get("DelayTime")) or None,
        "formats": _record_formats(row, "RecordFormatList"),
        "transcode_formats": _record_formats(row, "TranscodeRecordFormatList"),
        "transcode_templates": [name for name in _listed(row, "TranscodeTemplates", "Templates") if _text(name)],
        "create_time": _text(row.get("CreateTime")),
    }


def _record_formats(row: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [_record_format(item) for item in _listed(row, name, "RecordFormat") if isinstance(item, dict)]


def _record_format(item: dict[str, Any]) -> dict[str, Any]:
    """A format of a configuration; what is said about slices of a format that has none means nothing."""
    name = (_text(item.get("Format")) or "").lower()
    sliced = name in SLICED_FORMATS
    return {
        "format": name,
        "cycle_duration": parse_integer(item.get("CycleDuration")) or None,
        "slice_duration": parse_integer(item.get("SliceDuration")) or None if sliced else None,
        "oss_object_prefix": _text(item.get("OssObjectPrefix")),
        "slice_oss_object_prefix": _text(item.get("SliceOssObjectPrefix")) if sliced else None,
    }


def _listed(row: dict[str, Any], outer: str, inner: str) -> list[Any]:
    """The API wraps a list in an object."""
    found = row.get(outer)
    if isinstance(found, dict):
        found = found.get(inner)
    return found if isinstance(found, list) else []


def config_parameters(config: dict[str, Any], without: frozenset[str] = frozenset()) -> dict[str, str]:
    """A configuration as parameters, but for some fields."""
    given: dict[str, Any] = {theirs: config[ours] for ours, theirs in CONFIG_FIELDS.items() if ours not in without}
    given["OnDemand"] = RECORD_MODES.get(config["mode"])
    for list_name, items in (
        ("RecordFormat", config["formats"]),
        ("TranscodeRecordFormat", config["transcode_formats"]),
    ):
        for number, item in enumerate(items, 1):
            fields = {theirs: item[ours] for ours, theirs in _FORMAT_FIELDS.items() if ours not in without}
            given.update({f"{list_name}.{number}.{name}": value for name, value in fields.items()})
    for number, template in enumerate(config["transcode_templates"], 1):
        given[f"TranscodeTemplates.{number}"] = template
    return {name: str(value) for name, value in given.items() if value is not None}


def notify_config(domain_name: str, found: dict[str, Any] | None) -> NotifyConfig | None:
    """From the API's object; its `NotifyReqAuth` is documented as a boolean, and as yes or no."""
    if not found or not _text(found.get("NotifyUrl")):
        return None
    settings = {
        "domain_name": domain_name,
        "notify_url": found["NotifyUrl"],
        "on_demand_url": _text(found.get("OnDemandUrl")),
        "status_events": _flag(found.get("NeedStatusNotify")),
        "signed": _flag(found.get("NotifyReqAuth")),
    }
    key = str(found.get("NotifyAuthKey"))
    # Whether the API shows a key is not documented. What cannot be one is a mask.
    return NotifyConfig(settings, key if settings["signed"] and AUTH_KEY.fullmatch(key) else None)


def _flag(value: Any) -> bool:
    return str(value).lower() in ("true", "yes", "on", "1")


def notify_parameters(config: NotifyConfig) -> dict[str, str]:
    settings = config.settings
    given = {
        "DomainName": settings["domain_name"],
        "NotifyUrl": settings["notify_url"],
        "OnDemandUrl": settings["on_demand_url"],
        "NeedStatusNotify": str(settings["status_events"]).lower(),
        "NotifyReqAuth": str(settings["signed"]).lower(),
        "NotifyAuthKey": config.auth_key if settings["signed"] else None,
    }
    return {name: value for name, value in given.items() if value}


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


def renamed_rows(rows: Iterable[dict[str, Any]], fields: dict[str, str]) -> list[dict[str, Any]]:
    """Objects of the API with our names; what the API left out is None."""
    return [{ours: _scalar(row.get(theirs)) for theirs, ours in fields.items()} for row in rows]


def notify_event(domain_name: str, row: dict[str, Any]) -> NotifyEvent:
    """The URL and the headers of the callback are left out: they may hold a key or a signature."""
    app_name, stream_name = _text(row.get("AppName")), _text(row.get("StreamName"))
    result, body = row.get("NotifyResult"), row.get("NotifyContent")
    return NotifyEvent(
        type=str(row.get("NotifyType")).lower(),
        time=parse_time(row.get("NotifyTime")),
        stream=Stream(domain_name, app_name, stream_name) if app_name and stream_name else None,
        storage_type=_text(row.get("StorageType")),
        delivered=None if result is None else str(result).lower() == "success",
        body=body if isinstance(body, str) else None,
    )
