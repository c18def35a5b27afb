# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams: those online, their ingest history, and the history of stream control."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..parameters import Integer, Text
from ..resources import Domain, Publish, Stream
from .call import DAY, DOMAIN, SOME_STREAM, STREAM, WINDOW, Call, operation, paginate

_STREAM_QUERY = (
    Text("QueryType", default="fuzzy", choices=("fuzzy", "strict")),
    Integer("PageSize", default=2000, maximum=3000),
)


def _describe_stream_state(call: Call) -> dict[str, Any]:
    domain = call.resolve_domain()
    key = (domain.name, call["AppName"], call["StreamName"])
    stream = call.cloud.streams.get(key)
    if stream and stream.online:
        return {"StreamState": "online", "Type": stream.publish.kind}
    return {"StreamState": "offline", "Type": "pull" if key in call.cloud.viewers else "push"}


def _select_streams(call: Call, domain: Domain) -> Iterable[Stream]:
    if call["StreamType"] == "trans":
        return
    for stream in call.cloud.streams_of(domain.name):
        if call["AppName"] in (None, stream.app) and _name_matches(call, stream.name):
            yield stream


def _name_matches(call: Call, name: str) -> bool:
    wanted = call["StreamName"]
    if wanted is None:
        return True
    return bool(wanted == name if call["QueryType"] == "strict" else wanted in name)


def _describe_online_list(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    online = [stream for stream in _select_streams(call, domain) if stream.online]
    online.sort(key=lambda stream: (stream.publish.started, stream.app, stream.name))
    rows, counts = paginate(call, online, call["PageNum"], call["PageSize"])
    return {
        **counts,
        "OnlineInfo": {"LiveStreamOnlineInfo": [_online_row(call, stream) for stream in rows]},
    }


def _online_row(call: Call, stream: Stream) -> dict[str, Any]:
    row: dict[str, Any] = {
        "DomainName": stream.domain,
        "AppName": stream.app,
        "StreamName": stream.name,
        "PublishTime": call.cloud.clock.show(stream.publish.started),
    }
    if call["OnlyStream"] == "yes":
        return row
    ingest = stream.publish.ingest
    return {
        **row,
        "PublishType": _publish_type(call, stream.publish),
        "PublishDomain": ingest,
        "PublishUrl": f"rtmp://{ingest}/{stream.app}/{stream.name}",
        "ClientIp": "192.0.2.1",
        "ServerIp": "192.0.2.2",
        "Transcoded": "no",
        "FrameRate": 25,
        "Width": 1280,
        "Height": 720,
        "VideoDataRate": 2000,
        "AudioDataRate": 128,
        "VideoCodecId": 7,
        "AudioCodecId": 10,
    }


def _publish_type(call: Call, publish: Publish) -> str:
    return call.behaviour.pull_publish_type if publish.kind == "pull" else "edge"


def _describe_publish_list(call: Call) -> dict[str, Any]:
    domain = call.resolve_domain()
    start, end = call.window(span=30 * DAY)
    history = [
        (stream, publish)
        for stream in _select_streams(call, domain)
        for publish in stream.history
        if call.is_within(publish.started, start, end)
    ]
    by, _unused, direction = call["OrderBy"].rpartition("_")
    history.sort(key=lambda row: row[0].name if by == "stream_name" else row[1].started, reverse=direction == "desc")
    rows, counts = paginate(call, history, call["PageNumber"], call["PageSize"])
    show = call.cloud.clock.show
    return {
        **counts,
        "PublishInfo": {
            "LiveStreamPublishInfo": [
                {
                    "DomainName": stream.domain,
                    "AppName": stream.app,
                    "StreamName": stream.name,
                    "PublishTime": show(publish.started),
                    "StopTime": "" if publish.stopped is None else show(publish.stopped),
                    "PublishDomain": publish.ingest,
                    "PublishUrl": f"rtmp://{publish.ingest}/{stream.app}/{stream.name}",
                    "PublishType": _publish_type(call, publish),
                    "StreamUrl": f"rtmp://{publish.ingest}/{stream.app}/{stream.name}",
                    "ClientAddr": "192.0.2.1",
                    "EdgeNodeAddr": "192.0.2.2",
                    "Transcoded": "no",
                    "TranscodeId": "",
                    "AliInnerErrorFlags": "",
                }
                for stream, publish in rows
            ]
        },
    }


def _describe_control_history(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    start, end = call.window(span=7 * DAY)
    rows = [
        {
            "StreamName": entry.stream,
            "ClientIP": entry.client_ip,
            "Action": entry.action,
            "TimeStamp": call.cloud.clock.show(entry.time),
        }
        for entry in call.cloud.control_log
        if entry.domain == domain.name
        and call["AppName"] in (None, entry.app)
        and call.is_within(entry.time, start, end)
        and (call.behaviour.control_history == "commands" or not entry.command)
    ]
    return {"ControlInfo": {"LiveStreamControlInfo": rows}}


OPERATIONS = (
    operation("DescribeLiveStreamState", _describe_stream_state, 100, *STREAM),
    operation(
        "DescribeLiveStreamsOnlineList",
        _describe_online_list,
        10000,
        *SOME_STREAM,
        *_STREAM_QUERY,
        Text("StreamType", default="all", choices=("all", "raw", "trans")),
        Text("OnlyStream", default="no", choices=("yes", "no")),
        Integer("PageNum", default=1),
        seconds=60,
    ),
    operation(
        "DescribeLiveStreamsPublishList",
        _describe_publish_list,
        3,
        *SOME_STREAM,
        *_STREAM_QUERY,
        *WINDOW,
        Text("StreamType", choices=("all", "trans")),
        Text(
            "OrderBy",
            default="publish_time_asc",
            choices=("publish_time_asc", "publish_time_desc", "stream_name_asc", "stream_name_desc"),
        ),
        Integer("PageNumber", default=1),
    ),
    operation("DescribeLiveStreamsControlHistory", _describe_control_history, 50, DOMAIN, Text("AppName"), *WINDOW),
)
