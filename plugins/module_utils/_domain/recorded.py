# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, pauses and pushes of one stream, as the lists of the API show them; pure functions.

All times are seconds since the epoch. Rows that cannot be understood are left out, and counted where that matters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from .._api.models import IngestEvent, NotifyEvent, Push, parse_time
from .._util.strict_json import parse_integer
from .coverage import Span, Spans, normalize, subtract
from .recording_state import FILE_CREATED
from .verification import ERROR, Pushes, RecordedFile

INDEX_FORMAT = "m3u8"  # the only format of which there are index files
_TRANSFORM_ERROR, _RECORD_ERROR = "transformat_error", "record_error"
_BEGINNINGS = ("record_started", "record_resumed")
_PAUSED = "record_paused"
STATUS_TYPES = (*_BEGINNINGS, _PAUSED)


class Files(NamedTuple):
    """The files of a stream. `unreadable`: how many rows of the lists do not say when a file was recorded."""

    found: Sequence[RecordedFile]
    unreadable: int = 0


class Course(NamedTuple):
    """The pauses of a recording that have ended, and the time since when no older recording is open."""

    pauses: Spans
    closed_until: float


# --- files -----------------------------------------------------------------------------------------------------------


def read_index_files(rows: Iterable[Mapping[str, Any]]) -> Files:
    """Return the files of rows in the form of `FILE_FIELDS`."""
    return _collect(_read_row(row) for row in rows)


def _read_row(row: Mapping[str, Any]) -> RecordedFile | None:
    name, kind = str(row["oss_object"] or row["record_id"]), str(row["format"] or INDEX_FORMAT).lower()
    url = row["record_url"] if isinstance(row["record_url"], str) else None
    start, stop = (_to_epoch(parse_time(row[field])) for field in ("start_time", "end_time"))
    return _make_file(start, stop, row["duration"], kind, name, url)


def read_logged_files(events: Iterable[NotifyEvent], config: Mapping[str, Any] | None) -> Files:
    """Return the files of which the notify log says that they were created, or that they could not be.

    `config` is the recording configuration of the stream, with whose bucket the address of a file is complete.
    """
    return _collect(_read_event(event, config) for event in events if event.type in (FILE_CREATED, _TRANSFORM_ERROR))


def _read_event(event: NotifyEvent, config: Mapping[str, Any] | None) -> RecordedFile | None:
    content = event.content or {}
    is_error = event.type == _TRANSFORM_ERROR
    info = content.get("file_info") if is_error else content
    if not isinstance(info, dict) or not isinstance(info.get("uri"), str):
        return None
    name, url = _split_uri(info["uri"], config)
    start, stop = (parse_integer(info.get(field)) for field in ("start_time", "stop_time"))
    kind = name.rpartition(".")[2].lower()
    file = _make_file(start, stop, info.get("duration"), kind, name, url)
    return file._replace(status=ERROR, note=_read_code(content)) if file and is_error else file


def _split_uri(uri: str, config: Mapping[str, Any] | None) -> tuple[str, str | None]:
    """Return the name of a file's object, and its address if it is known; some callbacks show the address."""
    if uri.startswith(("http://", "https://")):
        try:
            return unquote(urlsplit(uri).path).lstrip("/"), uri
        except ValueError:
            return remove_secrets(uri), None
    bucket, endpoint = (config or {}).get("oss_bucket"), (config or {}).get("oss_endpoint")
    return uri, f"http://{bucket}.{endpoint}/{quote(uri)}" if bucket and endpoint else None


def remove_secrets(url: str) -> str:
    """Return an address without its user and its query, which may hold a password or a signature."""
    scheme, mark, rest = re.sub(r"(?s)[?#].*", "", url).partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _make_file(
    start: float | None, stop: float | None, duration: Any, kind: str, name: str, url: str | None
) -> RecordedFile | None:
    if start is None or stop is None or stop < start:
        return None
    is_number = isinstance(duration, (int, float)) and not isinstance(duration, bool)
    seconds = float(duration) if is_number and 0 <= duration < math.inf else None
    return RecordedFile(start, stop, seconds, kind, name, url)


def _collect(files: Iterable[RecordedFile | None]) -> Files:
    rows = list(files)
    found = [file for file in rows if file]
    return Files(found, len(rows) - len(found))


def merge_files(index: Files, logged: Files) -> Files:
    """Return all files once, those of the index list as it shows them; a file with an error as the log shows it.

    Files are the same if their objects or their addresses are.
    """
    names: dict[str | None, str] = {file.url: file.object for file in index.found if file.url}
    known = [file._replace(object=names.get(file.url, file.object)) for file in logged.found]
    merged = {file.object: file for file in known if file.status != ERROR}
    merged.update({file.object: file for file in index.found})
    failed = {file.object: file for file in known if file.status == ERROR}
    merged.update(
        {name: merged.get(name, file)._replace(status=ERROR, note=file.note) for name, file in failed.items()}
    )
    found = sorted(merged.values(), key=lambda file: (file.start, file.stop, file.format, file.object))
    return Files(found, index.unreadable + logged.unreadable)


def list_errors(events: Iterable[NotifyEvent], windows: Spans) -> list[str]:
    """Return the codes of errors that recordings had within windows, each once, in order."""
    codes = []
    for event in events:
        second = _to_epoch(event.time)
        if event.type == _RECORD_ERROR and second is not None and any(a <= second < b for a, b in windows):
            codes.append(_read_code(event.content or {}))
    return list(dict.fromkeys(codes))


def _read_code(content: Mapping[str, Any]) -> str:
    info = content.get("error_info")
    code = info.get("code") if isinstance(info, dict) else None
    return code if code and isinstance(code, str) else "an error without a code"


# --- the course of a recording ---------------------------------------------------------------------------------------


def read_course(events: Iterable[NotifyEvent], log_since: float | None, closed_after: float, open_for: float) -> Course:
    """Return pauses, and the time before which no recording that is still open began.

    `log_since`: since when every change of the recording is in the log, None if the log does not show all of them.
    A recording that is not resumed by `closed_after` is closed, and one that began `open_for` seconds before it.
    """
    rows = [(_to_epoch(event.time) or 0.0, event.type) for event in events if event.type in STATUS_TYPES]
    pauses: list[Span] = []
    closed_until = -math.inf
    paused_at = None
    for time, kind in sorted(rows, key=lambda row: row[0]):
        if paused_at is not None and kind in _BEGINNINGS:
            pauses.append((paused_at, time))
        if kind == "record_started":
            closed_until = time
        paused_at = time if kind == _PAUSED else None
    if log_since is not None:
        never_began = not rows and log_since <= closed_after - open_for
        if never_began or (paused_at is not None and paused_at < closed_after):
            closed_until = closed_after
    return Course(normalize(pauses), closed_until)


# --- pushes ----------------------------------------------------------------------------------------------------------


def read_push_events(events: Sequence[IngestEvent], since: float, now: float) -> Pushes:
    """Return the pushes of a stream from the ingest log, which shows all of them since a time.

    The log of a stream that was pushed before begins with the end of that push.
    """
    on: list[Span] = []
    unsure: list[Span] = [(-math.inf, since)]
    started = since if events and events[0].type == "publish_done" else None
    for event in events:
        time = event.time.timestamp()
        if event.type == "publish":
            if started is not None:
                unsure.append((started, time))  # The event of the end is missing.
            started = time
        elif started is not None:
            on.append((started, time))
            started = None
        else:
            unsure.append((on[-1][1] if on else since, time))
    if started is not None:
        on.append((started, now))
    return _make_pushes(on, unsure, now)


def read_push_list(pushes: Iterable[Push], online_since: datetime | None, since: float, now: float) -> Pushes:
    """Return the pushes of a stream from the publish list, which was read since a time.

    `online_since` is the beginning of the current push, None if the stream is not online. A push without an end that is
    not the current one ended at an unknown time.
    """
    on: list[Span] = []
    unsure: list[Span] = [(-math.inf, since)]
    current = _to_epoch(online_since)
    for push in pushes:
        start, stop = push.start.timestamp(), _to_epoch(push.stop)
        if stop is not None:
            on.append((start, stop))
        elif current is None or current > start:
            unsure.append((start, now if current is None else current))
    if current is not None:
        on.append((current, now))
    return _make_pushes(on, unsure, now)


def _make_pushes(on: Iterable[Span], unsure: Iterable[Span], now: float) -> Pushes:
    pushed = normalize(on)
    return Pushes(pushed, subtract(normalize([*unsure, (now, math.inf)]), pushed))


def find_first(events: Iterable[NotifyEvent], types: Sequence[str] | None = None) -> float | None:
    """Return the time of the first event of these types, or of any type; None if there is none."""
    times = (_to_epoch(event.time) for event in events if types is None or event.type in types)
    return min((time for time in times if time is not None), default=None)


def _to_epoch(time: datetime | None) -> float | None:
    return time.timestamp() if time else None
