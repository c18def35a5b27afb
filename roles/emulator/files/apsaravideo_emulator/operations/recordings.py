# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording commands, and what was recorded."""

from __future__ import annotations

from typing import Any

from ..cloud import Stream
from ..errors import GatewayError
from ..parameters import Text
from ..recording import COMMANDS, RecordedFile, Refused, Task
from .call import DAY, ORDER, SHORT_PAGES, STREAM, WINDOW, Call, operation, page_of

SIX_MONTHS = 183 * DAY
INDEX_FORMATS = ("m3u8",)


def _record_command(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    key = (domain.name, call["AppName"], call["StreamName"])
    try:
        call.cloud.record(call["Command"], key, call.request_id)
    except Refused as refused:
        raise _refusal(call, refused.reason) from None
    return {}


def _refusal(call: Call, reason: str) -> GatewayError:
    if reason == Refused.STREAM_ABSENT:
        return call.errors.stream_absent()
    if reason == Refused.CONFIG_ABSENT:
        return call.errors.config_absent()
    if reason == Refused.ALREADY_STARTED:
        return call.errors.already_started()
    behaviour = call.behaviour
    return GatewayError(behaviour.no_task_code, int(behaviour.no_task_status), "No recording task is running.")


def _record_content(call: Call) -> dict[str, Any]:
    stream = call.stream()
    start, end = call.window(retention=SIX_MONTHS, span=4 * DAY)
    tasks = stream.recorder.tasks if stream else []
    rows = [
        _content_row(call, task, end)
        for task in tasks
        if _overlaps(call, task.started, call.now if task.ended is None else task.ended, start, end)
        if task.ended is not None or call.behaviour.running_content == "listed"
    ]
    return {"RecordContentInfoList": {"RecordContentInfo": rows}}


def _overlaps(call: Call, began: float, ended: float, start: float, end: float) -> bool:
    second = call.cloud.clock.second
    return second(began) <= end and second(ended) >= start


def _content_row(call: Call, task: Task, window_end: float) -> dict[str, Any]:
    show = call.cloud.clock.show
    row: dict[str, Any] = {
        "StartTime": show(task.started),
        "Duration": round(task.recorded(call.now), 3),
        "OssBucket": task.config.bucket,
        "OssEndpoint": task.config.endpoint,
        "OssObjectPrefix": task.config.formats[0].prefix if task.config.formats else "",
    }
    if task.ended is not None:
        row["EndTime"] = show(task.ended)
    elif call.behaviour.running_end != "absent":
        row["EndTime"] = show(call.now if call.behaviour.running_end == "now" else window_end)
    return row


def _index_files(call: Call) -> dict[str, Any]:
    stream = call.stream()
    start, end = call.window(span=4 * DAY)
    kept = (file for file in _indexes(stream) if file.created >= call.now - SIX_MONTHS)
    files = [file for file in kept if _in_window(call, file, start, end)]
    files.sort(key=lambda file: file.created, reverse=call["Order"] == "desc")
    rows, counts = page_of(files, call["PageNum"], call["PageSize"])
    return {
        "Order": call["Order"],
        **counts,
        "RecordIndexInfoList": {"RecordIndexInfo": [_index_row(call, stream, file) for file in rows]},
    }


def _indexes(stream: Stream | None) -> list[RecordedFile]:
    return [file for file in stream.recorder.files if file.format.kind in INDEX_FORMATS] if stream else []


def _in_window(call: Call, file: RecordedFile, start: float, end: float) -> bool:
    if call.behaviour.index_window == "created":
        return call.within(file.created, start, end)
    return _overlaps(call, file.started, file.stopped, start, end)


def _index_file(call: Call) -> dict[str, Any]:
    stream = call.stream()
    for file in _indexes(stream):
        if file.record_id == call["RecordId"]:
            return {"RecordIndexInfo": _index_row(call, stream, file)}
    raise call.errors.record_absent()


def _index_row(call: Call, stream: Stream | None, file: RecordedFile) -> dict[str, Any]:
    assert stream is not None
    show = call.cloud.clock.show
    name = call.cloud.object_name((stream.domain, stream.app, stream.name), file)
    return {
        "RecordId": file.record_id,
        "RecordUrl": f"http://{file.config.bucket}.{file.config.endpoint}/{name}",
        "DomainName": stream.domain,
        "AppName": stream.app,
        "StreamName": stream.name,
        "OssBucket": file.config.bucket,
        "OssEndpoint": file.config.endpoint,
        "OssObject": name,
        "StartTime": show(file.started),
        "EndTime": show(file.stopped),
        "Duration": round(file.duration, 3),
        "Height": 720,
        "Width": 1280,
        "CreateTime": show(file.created),
        "Format": file.format.kind,
    }


OPERATIONS = (
    operation(
        "RealTimeRecordCommand",
        _record_command,
        50,
        Text("Command", required=True, choices=COMMANDS),
        *STREAM,
    ),
    operation("DescribeLiveStreamRecordContent", _record_content, 50, *STREAM, *WINDOW),
    operation("DescribeLiveStreamRecordIndexFiles", _index_files, 15, *STREAM, *WINDOW, *SHORT_PAGES, ORDER),
    operation("DescribeLiveStreamRecordIndexFile", _index_file, 100, *STREAM, Text("RecordId", required=True)),
)
