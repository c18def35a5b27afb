# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded files over HTTP, below `/files/BUCKET/OBJECT`: what a public bucket of the object storage would serve."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from . import file_content, render
from .file_content import Content
from .gate import GateClosed
from .gateway import HttpResponse
from .record_model import RecordedFile
from .world import World

PREFIX = "/files/"
ACTIONS = {"GET": "GetObject", "HEAD": "HeadObject"}
# A request for a public file with one of these carries credentials that it should not.
SIGNED_HEADERS = re.compile(r"authorization|proxy-authorization|cookie|x-acs-.*|x-oss-security-token")
SIGNED_PARAMETERS = re.compile(r"(oss)?accesskeyid|signature|security-?token|x-oss-(signature|credential).*", re.I)


class FileError(Exception):
    """A request that gets an error of the object storage."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class StoredFile(NamedTuple):
    """A file that can be requested; `delay` are the seconds before the response."""

    content: Content
    kind: str
    state: str
    delay: float


class FileHost:
    """The handler of requests for files."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._index: dict[tuple[str, str], tuple[tuple[str, str, str], RecordedFile]] = {}
        self._indexed: object = None

    def respond(self, method: str, target: str, headers: Mapping[str, str]) -> HttpResponse:
        """Process one request and log it, with the names of its headers."""
        arrived = time.time()
        path, _mark, query = target[len(PREFIX) :].partition("?")
        bucket, _slash, name = path.partition("/")
        bucket, name = unquote(bucket), unquote(name)
        names = [parameter.lower() for parameter, _value in parse_qsl(query, keep_blank_values=True)]
        request_id = uuid.uuid4().hex[:24].upper()
        parameters = {"bucket": bucket, "object": name, "headers": ",".join(sorted(headers))}
        parameters.update({"range": headers["range"]} if "range" in headers else {})
        parameters.update({"query": ",".join(sorted(names))} if names else {})
        try:
            _check_request(method, headers, names)
            with self._world.gate, self._world.lock:
                file = self._find(bucket, name)
            time.sleep(file.delay)
            response = _deliver(file, headers, self._world.behaviour.file_ranges == "oss")
        except FileError as error:
            response = _describe_error(error, request_id)
        except GateClosed:
            return HttpResponse(0, b"", "", disruption="reset")
        response.headers["x-oss-request-id"] = request_id
        self._world.calls.add(
            arrived,
            ACTIONS.get(method, method),
            parameters,
            request_id,
            http_status=response.status,
            code=response.code,
        )
        return response

    def _find(self, bucket: str, name: str) -> StoredFile:
        """Return a file in its state; raise FileError if it cannot be read."""
        cloud = self._world.cloud
        cloud.settle()
        self._refresh_index()
        owner = self._index.get((bucket, name)) or self._find_playlist(bucket, name)
        if owner is None:
            known = any(bucket == other for other, _name in self._index)
            kind = "Key" if known else "Bucket"
            raise FileError(404, f"NoSuch{kind}", f"The specified {kind.lower()} does not exist.")
        key, file = owner
        is_segment = (bucket, name) not in self._index
        facts = cloud.content.file_facts(key, file)
        if is_segment:
            facts = {**facts, "object": name, "format": "ts"}
        state = cloud.files.state(facts)
        if state == "missing":
            raise FileError(404, "NoSuchKey", "The specified key does not exist.")
        if state == "private":
            raise FileError(403, "AccessDenied", "You have no right to access this object because of bucket acl.")
        content = file_content.build_segment() if is_segment else file_content.build(file, name)
        return StoredFile(file_content.alter(content, state), facts["format"], state, cloud.files.seconds(facts))

    def _refresh_index(self) -> None:
        """Index the files by their names, which depend on the clock, if anything changed."""
        cloud = self._world.cloud
        count = sum(
            len(stream.recorder.files) + len(stream.recorder.indexes) for stream in list(cloud.streams.values())
        )
        version = (cloud, cloud.clock.advanced, cloud.clock.skew(), count)
        if version == self._indexed:
            return
        self._indexed = version
        self._index = {
            (file.config.bucket, cloud.content.object_name(stream.key, file)): (stream.key, file)
            for stream in cloud.streams.values()
            for file in (*stream.recorder.files, *stream.recorder.indexes)
        }

    def _find_playlist(self, bucket: str, name: str) -> tuple[tuple[str, str, str], RecordedFile] | None:
        """Return the playlist to which a TS segment belongs."""
        match = re.fullmatch(r"(.+)_(\d{1,9})\.ts", name)
        found = self._index.get((bucket, f"{match[1]}.m3u8")) if match else None
        return found if match and found and int(match[2]) < file_content.segment_count(found[1]) else None


def _check_request(method: str, headers: Mapping[str, str], names: list[str]) -> None:
    """Raise FileError for a method that reads nothing, and for a request that carries credentials."""
    if method not in ACTIONS:
        raise FileError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    if any(SIGNED_HEADERS.fullmatch(name) for name in headers) or any(map(SIGNED_PARAMETERS.fullmatch, names)):
        raise FileError(403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.")


def _describe_error(error: FileError, request_id: str) -> HttpResponse:
    content = {"Code": error.code, "Message": error.message, "RequestId": request_id}
    return HttpResponse(error.status, render.as_xml("Error", content), "application/xml", code=error.code)


def _deliver(file: StoredFile, headers: Mapping[str, str], as_oss: bool) -> HttpResponse:
    """Return the whole file, or the requested range of it."""
    type_, size = file_content.TYPES.get(file.kind, "application/octet-stream"), file.content.size
    if size is None:
        return HttpResponse(200, b"", type_, stream=file.content.chunks(0, None))
    tag = hashlib.md5(file.content.beginning + str(size).encode()).hexdigest().upper()
    common = {"ETag": f'"{tag}"'}
    if file.state == "no_ranges":
        return HttpResponse(200, b"", type_, common, stream=file.content.chunks(0, size), length=size)
    common["Accept-Ranges"] = "bytes"
    lenient = as_oss and headers.get("x-oss-range-behavior") != "standard"
    span = _parse_range(headers.get("range", ""), size, lenient)
    if span is None:
        return HttpResponse(200, b"", type_, common, stream=file.content.chunks(0, size), length=size)
    start, stop = span
    if start >= stop:
        common["Content-Range"] = f"bytes */{size}"
        return HttpResponse(416, b"", "application/xml", common, code="InvalidRange")
    common["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return HttpResponse(206, b"", type_, common, stream=file.content.chunks(start, stop), length=stop - start)


def _parse_range(text: str, size: int, lenient: bool) -> tuple[int, int] | None:
    """Return the requested span: None for the whole file, an empty one if no byte of it exists.

    If `lenient`, a span that is not completely inside the file means the whole file.
    """
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", text.strip(), re.ASCII)
    if match is None or not match[1] + match[2] or (match[1] and match[2] and int(match[1]) > int(match[2])):
        return None
    if not match[1]:
        start, stop = max(0, size - int(match[2])), size
    else:
        start, stop = int(match[1]), int(match[2]) + 1 if match[2] else size
    if lenient and (start >= size or stop > size):
        return None
    return start, min(stop, size)
