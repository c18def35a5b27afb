# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callbacks for recordings: their configurations, and the log of delivered callbacks."""

from __future__ import annotations

import json
import zlib
from typing import Any

from ..parameters import Boolean, Integer, Text
from ..resources import NotifyConfig, NotifyEvent
from .call import DAY, DOMAIN, SOME_STREAM, WINDOW, Call, operation, paginate

_NOTIFY = (
    DOMAIN,
    Text("NotifyUrl", required=True),
    Text("OnDemandUrl"),
    Boolean("NeedStatusNotify"),
    Boolean("NotifyReqAuth"),
    Text("NotifyAuthKey", pattern="[0-9A-Za-z]{16,32}"),
)


def _describe_notify_config(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    config = call.cloud.notify_configs.get(domain.name)
    if config is None:
        if call.behaviour.empty_notify_config == "error":
            raise call.errors.config_not_found()
        return {"LiveRecordNotifyConfig": {}}
    words = (False, True) if call.behaviour.notify_auth_type == "bool" else ("no", "yes")
    return {
        "LiveRecordNotifyConfig": {
            "DomainName": domain.name,
            "NotifyUrl": config.url,
            "OnDemandUrl": config.on_demand_url,
            "NeedStatusNotify": config.status_events,
            "NotifyReqAuth": words[config.auth],
            "NotifyAuthKey": config.auth_key,
        }
    }


def _add_notify_config(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    config = _build_notify_config(call, NotifyConfig(url=""))
    call.cloud.settle()
    if domain.name in call.cloud.notify_configs:
        raise call.errors.config_exists()
    call.cloud.notify_configs[domain.name] = config
    return {}


def _update_notify_config(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    current = call.cloud.notify_configs.get(domain.name)
    config = _build_notify_config(call, current or NotifyConfig(url=""))
    if current is None:
        raise call.errors.config_not_found()
    call.cloud.notify_configs[domain.name] = config
    return {}


def _build_notify_config(call: Call, current: NotifyConfig) -> NotifyConfig:
    base = current if call.behaviour.update_notify == "keep" else NotifyConfig(url="")
    call.check_callback_urls("NotifyUrl", "OnDemandUrl")
    auth = base.auth if call["NotifyReqAuth"] is None else call["NotifyReqAuth"]
    key = base.auth_key if call["NotifyAuthKey"] is None else call["NotifyAuthKey"]
    if auth and not key:
        raise call.errors.missing_parameter("NotifyAuthKey")
    return NotifyConfig(
        url=call["NotifyUrl"],
        on_demand_url=base.on_demand_url if call["OnDemandUrl"] is None else call["OnDemandUrl"],
        status_events=base.status_events if call["NeedStatusNotify"] is None else call["NeedStatusNotify"],
        auth=auth,
        auth_key=key,
    )


def _delete_notify_config(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    if call.cloud.notify_configs.pop(domain.name, None) is None and call.behaviour.delete_missing == "error":
        raise call.errors.config_not_found()
    return {}


def _describe_notify_records(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    page = _notify_page(call)
    start, end = call.window(retention=7 * DAY)
    skew = call.behaviour.notify_skew
    events = [
        event
        for event in call.cloud.events(domain.name, call["AppName"], call["StreamName"])
        if event.time <= call.now - _lag(call, event)
        and call.is_within(event.time + skew, start, end)
        and _event_matches(call, event)
    ]
    if call.behaviour.notify_order == "desc":
        events.reverse()
    rows, counts = paginate(call, events, *page)
    return {
        "Code": int(call.behaviour.notify_code),
        "Msg": "ok",
        **counts,
        "CallbackList": [_notify_row(call, event) for event in rows],
    }


def _lag(call: Call, event: NotifyEvent) -> float:
    """Return the seconds after which an event is listed; always the same for one event."""
    number = zlib.crc32(repr((event.domain, event.app, event.stream, event.kind, event.time)).encode())
    return call.behaviour.notify_lag + call.behaviour.notify_lag_spread * number / 2**32


def _notify_page(call: Call) -> tuple[int, int]:
    """Return page number and size; the documentation calls both required, yet states defaults."""
    if call.behaviour.notify_paging == "required":
        for name in ("PageNumber", "PageSize"):
            if call[name] is None:
                raise call.errors.missing_parameter(name)
    return call["PageNumber"] or 1, call["PageSize"] or 20


def _event_matches(call: Call, event: NotifyEvent) -> bool:
    storage = call["StorageType"] or call.behaviour.notify_storage
    return event.result != "" and call["Status"] in (None, event.result) and storage in ("all", event.storage)


def _notify_row(call: Call, event: NotifyEvent) -> dict[str, Any]:
    delivered = event.result == "success"
    return {
        "DomainName": event.domain,
        "AppName": event.app,
        "StreamName": event.stream,
        "StorageType": event.storage,
        "NotifyType": event.kind,
        "NotifyTime": call.cloud.clock.show(event.time + call.behaviour.notify_skew),
        "NotifyUrl": event.config.url,
        "NotifyHeader": format_headers(call.cloud.content.headers(event)),
        "NotifyContent": call.cloud.content.body(event),
        "NotifyResponse": event.response,
        "NotifyResult": event.result,
        "Description": "success" if delivered else event.reason or "failed",
    }


def format_headers(headers: dict[str, str]) -> str:
    """Return headers as the logs of callbacks show them: JSON with a list of values for each."""
    return json.dumps({name: [value] for name, value in headers.items()})


OPERATIONS = (
    operation("DescribeLiveRecordNotifyConfig", _describe_notify_config, 50, DOMAIN),
    operation("AddLiveRecordNotifyConfig", _add_notify_config, 30, *_NOTIFY),
    operation("UpdateLiveRecordNotifyConfig", _update_notify_config, 30, *_NOTIFY),
    operation("DeleteLiveRecordNotifyConfig", _delete_notify_config, 30, DOMAIN),
    operation(
        "DescribeLiveRecordNotifyRecords",
        _describe_notify_records,
        100,
        *SOME_STREAM,
        *WINDOW,
        Integer("PageNumber", maximum=100_000),
        Integer("PageSize", maximum=500),
        Text("Status", choices=("success", "failed")),
        Text("StorageType", choices=("oss", "vod", "all")),
    ),
)
