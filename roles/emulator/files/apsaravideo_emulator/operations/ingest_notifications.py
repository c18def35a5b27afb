# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callbacks for pushes: the configurations of ingest domains, and the log of delivered callbacks."""

from __future__ import annotations

import json
from typing import Any

from ..parameters import Integer, Text
from ..resources import IngestEvent, IngestNotifyConfig
from .call import DAY, DOMAIN, SOME_STREAM, WINDOW, Call, operation, paginate
from .notifications import format_headers

_URLS = ("NotifyUrl", "ExceptionNotifyUrl", "SwitchNotifyUrl")


def _set_config(call: Call) -> dict[str, Any]:
    name = call.ingest_domain()
    call.check_callback_urls(*_URLS)
    present = call.cloud.ingest_configs.get(name)
    base = present if present and call.behaviour.update_notify == "keep" else IngestNotifyConfig()
    auth = base.auth if call["NotifyReqAuth"] is None else call["NotifyReqAuth"] == "yes"
    key = call["NotifyAuthKey"] or base.auth_key
    if auth and not key:
        raise call.errors.missing_parameter("NotifyAuthKey")
    call.cloud.ingest_configs[name] = IngestNotifyConfig(
        url=call["NotifyUrl"] or base.url,
        exception_url=call["ExceptionNotifyUrl"] or base.exception_url,
        switch_url=call["SwitchNotifyUrl"] or base.switch_url,
        auth=auth,
        auth_key=key,
    )
    return {}


def _config(call: Call) -> dict[str, Any]:
    name = call.ingest_domain()
    config = call.cloud.ingest_configs.get(name)
    if config is None:
        if call.behaviour.empty_notify_config == "error":
            raise call.errors.config_not_found()
        return {"LiveStreamsNotifyConfig": {}}
    return {
        "LiveStreamsNotifyConfig": {
            "DomainName": name,
            "NotifyUrl": config.url,
            "ExceptionNotifyUrl": config.exception_url,
            "NotifyReqAuth": "yes" if config.auth else "no",
            "NotifyAuthKey": config.auth_key,
        }
    }


def _delete_config(call: Call) -> dict[str, Any]:
    name = call.ingest_domain()
    if call.cloud.ingest_configs.pop(name, None) is None and call.behaviour.delete_missing == "error":
        raise call.errors.config_not_found()
    return {}


def _records(call: Call) -> dict[str, Any]:
    name = call.ingest_domain()
    start, end = call.window(retention=7 * DAY)
    newest = call.now - call.behaviour.notify_lag
    events = [
        event
        for event in call.cloud.ingest_log
        if event.ingest == name and event.time <= newest and call.is_within(event.time, start, end)
        if _event_matches(call, event)
    ]
    if call.behaviour.notify_order == "desc":
        events.reverse()
    rows, counts = paginate(call, events, call["PageNumber"], call["PageSize"])
    return {
        **counts,
        "NotifyRecordsInfo": {"LiveStreamNotifyRecordsInfo": [_row(call, event) for event in rows]},
    }


def _event_matches(call: Call, event: IngestEvent) -> bool:
    return (
        event.result != ""
        and call["Status"] in (None, event.result)
        and call["AppName"] in (None, event.app)
        and call["StreamName"] in (None, event.stream)
    )


def _row(call: Call, event: IngestEvent) -> dict[str, Any]:
    return {
        "DomainName": event.ingest,
        "AppName": event.app,
        "StreamName": event.stream,
        "NotifyType": event.kind,
        "NotifyTime": call.cloud.clock.show(event.time),
        "NotifyUrl": event.config.url,
        "NotifyHeader": format_headers(call.cloud.content.headers(event)),
        "NotifyContent": json.dumps(
            call.cloud.content.ingest_parameters(event), ensure_ascii=False, separators=(",", ":")
        ),
        "NotifyResponse": event.response,
        "NotifyResult": event.result,
        "Description": "success" if event.result == "success" else event.reason or "failed",
    }


OPERATIONS = (
    operation(
        "SetLiveStreamsNotifyUrlConfig",
        _set_config,
        15,
        DOMAIN,
        *(Text(name) for name in _URLS),
        Text("NotifyReqAuth", choices=("yes", "no")),
        Text("NotifyAuthKey", pattern="[0-9A-Za-z]{16,64}"),
    ),
    operation("DescribeLiveStreamsNotifyUrlConfig", _config, 1000, DOMAIN, seconds=60),
    operation("DeleteLiveStreamsNotifyUrlConfig", _delete_config, 15, DOMAIN),
    operation(
        "DescribeLiveStreamsNotifyRecords",
        _records,
        100,
        *SOME_STREAM,
        *WINDOW,
        Text("Status", choices=("success", "failed")),
        Integer("PageNumber", default=1),
        Integer("PageSize", default=20, maximum=500),
    ),
)
