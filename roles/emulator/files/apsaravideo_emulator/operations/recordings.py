# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording commands, and their results: tasks, index files, and index files created on request."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from ..errors import GatewayError
from ..parameters import Boolean, Text
from ..record_model import RecordedFile, RecordFormat, Segment, Task
from ..recording import COMMANDS, CommandRefused
from ..resources import Stream
from .call import DAY, ORDER, SHORT_PAGES, STREAM, WINDOW, Call, operation, paginate

THREE_MONTHS = 92 * DAY
SIX_MONTHS = 183 * DAY
DEFAULT_SLICE_SECONDS = 30
INDEX_FORMATS = ("m3u8",)


def _run_command(call: Call) -> dict[str, Any]:
    domain = call.streaming_domain()
    key = (domain.name, call["AppName"], call["StreamName"])
    try:
        call.cloud.record(call["Command"], key, call.request_id)
    except CommandRefused as error:
        raise _refusal(call, error.reason) from None
    return {}


def _refusal(call: Call, reason: str) -> GatewayError:
    if reason == CommandRefused.STREAM_NOT_FOUND:
        return call.errors.stream_not_found()
    if reason == CommandRefused.CONFIG_NOT_FOUND:
        return call.errors.config_not_found()
    if reason == CommandRefused.ALREADY_STARTED:
        return call.errors.already_started()
    behaviour = call.behaviour
    return GatewayError(behaviour.no_task_code, int(behaviour.no_task_status), "Task not started, cannot operate.")


def _describe_record_content(call: Call) -> dict[str, Any]:
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
    second = call.cloud.clock.start_of_second
    return second(began) <= end and second(ended) >= start


def _content_row(call: Call, task: Task, window_end: float) -> dict[str, Any]:
    show = call.cloud.clock.show
    row: dict[str, Any] = {
        "StartTime": show(task.started),
        "Duration": round(task.recorded_seconds(call.now), 3),
        "OssBucket": task.config.bucket,
        "OssEndpoint": task.config.endpoint,
        "OssObjectPrefix": task.config.formats[0].prefix if task.config.formats else "",
    }
    if task.ended is not None:
        row["EndTime"] = show(task.ended)
    elif call.behaviour.running_end != "absent":
        row["EndTime"] = show(call.now if call.behaviour.running_end == "now" else window_end)
    return row


def _describe_index_files(call: Call) -> dict[str, Any]:
    stream = call.stream()
    start, end = call.window(span=4 * DAY)
    available = (file for file in _list_index_files(call, stream) if file.created >= call.now - SIX_MONTHS)
    files = [file for file in available if _is_in_window(call, file, start, end)]
    files.sort(key=lambda file: file.created, reverse=call["Order"] == "desc")
    rows, counts = paginate(call, files, call["PageNum"], call["PageSize"])
    return {
        "Order": call["Order"],
        **counts,
        "RecordIndexInfoList": {"RecordIndexInfo": [_index_row(call, stream, file) for file in rows]},
    }


def _list_index_files(call: Call, stream: Stream | None) -> list[RecordedFile]:
    if stream is None:
        return []
    content, files = call.cloud.content, call.cloud.files
    found = [file for file in stream.recorder.files if file.format.kind in INDEX_FORMATS] + stream.recorder.indexes
    return [file for file in found if files.is_listed(content.file_facts(stream.key, file))]


def _is_in_window(call: Call, file: RecordedFile, start: float, end: float) -> bool:
    if call.behaviour.index_window == "created":
        return call.is_within(file.created, start, end)
    return _overlaps(call, file.started, file.stopped, start, end)


def _describe_index_file(call: Call) -> dict[str, Any]:
    stream = call.stream()
    for file in _list_index_files(call, stream):
        if file.record_id == call["RecordId"]:
            return {"RecordIndexInfo": _index_row(call, stream, file)}
    raise call.errors.record_not_found()


def _index_row(call: Call, stream: Stream | None, file: RecordedFile) -> dict[str, Any]:
    assert stream is not None
    show = call.cloud.clock.show
    name = call.cloud.content.object_name(stream.key, file)
    return {
        "RecordId": file.record_id,
        "RecordUrl": call.cloud.content.file_url(stream.key, file),
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


def _create_index_file(call: Call) -> dict[str, Any]:
    stream = call.stream()
    start, end = call.window(retention=THREE_MONTHS, span=4 * DAY)
    if stream is None or not any(
        _overlaps(call, publish.started, call.now if publish.stopped is None else publish.stopped, start, end)
        for publish in stream.history
    ):
        raise _stream_not_found_error("InvalidStream.NotFound")
    uploaded = [segment for task in stream.recorder.tasks for segment in task.segments(call.now)]
    _check_length(call, uploaded, end - start)
    second = call.cloud.clock.start_of_second
    # Only uploads later than StartTime count, so a window as long as one segment selects one segment and not two.
    chosen = [segment for segment in uploaded if start < second(segment.uploaded) <= end]
    if call["EndTimeIncluded"]:
        chosen += [segment for segment in uploaded if second(segment.uploaded) > end][:1]
    if not chosen:
        raise _stream_not_found_error(call.behaviour.no_segments_code)
    file = _build_index_file(call, chosen)
    stream.recorder.indexes.append(file)
    row = _index_row(call, stream, file)
    del row["Format"]
    return {"RecordInfo": row}


def _stream_not_found_error(code: str) -> GatewayError:
    # The current page of this operation documents this code for every generation of the error table.
    return GatewayError(code, 404, "Specified stream does not exist.")


def _check_length(call: Call, segments: list[Segment], length: float) -> None:
    slices = [item.slice_duration for segment in segments[-1:] for item in segment.config.formats if item.slice_prefix]
    shortest = slices[0] if slices else DEFAULT_SLICE_SECONDS
    if length < shortest:
        raise call.errors.malformed_parameter("EndTime", f"It must be at least {shortest} s after StartTime.")


def _build_index_file(call: Call, segments: list[Segment]) -> RecordedFile:
    destination = {"bucket": call["OssBucket"], "endpoint": call["OssEndpoint"]}
    return RecordedFile(
        record_id=str(uuid.uuid4()),
        format=RecordFormat("m3u8", 0, ""),
        config=replace(segments[0].config, **destination),
        sequence=0,
        task=0,
        started=segments[0].started,
        stopped=segments[-1].uploaded,
        duration=sum(segment.uploaded - segment.started for segment in segments),
        created=call.now,
        name=call["OssObject"],
    )


OPERATIONS = (
    operation(
        "RealTimeRecordCommand",
        _run_command,
        50,
        Text("Command", required=True, choices=COMMANDS),
        *STREAM,
    ),
    operation("DescribeLiveStreamRecordContent", _describe_record_content, 50, *STREAM, *WINDOW),
    operation("DescribeLiveStreamRecordIndexFiles", _describe_index_files, 15, *STREAM, *WINDOW, *SHORT_PAGES, ORDER),
    operation("DescribeLiveStreamRecordIndexFile", _describe_index_file, 100, *STREAM, Text("RecordId", required=True)),
    operation(
        "CreateLiveStreamRecordIndexFiles",
        _create_index_file,
        45,
        *STREAM,
        Text("OssEndpoint", required=True),
        Text("OssBucket", required=True),
        Text("OssObject", required=True),
        *WINDOW,
        Boolean("EndTimeIncluded", default=False),
    ),
)
