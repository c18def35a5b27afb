# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a file of a recording by the response to a request for its beginning; pure functions."""

from __future__ import annotations

from .verification import DAMAGED, MISSING, OK, UNCHECKED, RecordedFile

_HAS_PLAYLIST = ("m3u8",)
_TS_PACKET = b"\x47"
_NO_SUCH_RANGE = 416  # of a file without any bytes


def judge_beginning(file: RecordedFile, status: int, content: bytes, size: int | None) -> RecordedFile:
    """Return the file with the status that a response shows.

    A file of a private bucket cannot be checked, which says nothing about it; nor does an error of the server.
    """
    file = file._replace(size=size)
    if status in (404, 410):
        return file._replace(status=MISSING, note="the address holds no file")
    if status in (401, 403):
        return file._replace(status=UNCHECKED, note="private: the bucket may not be read without a signature")
    if status == _NO_SUCH_RANGE or (status in (200, 206) and not content):
        return file._replace(status=DAMAGED, note="the file is empty")
    if status not in (200, 206):
        return file._replace(status=UNCHECKED, note=f"the request got the HTTP status {status}")
    if not has_valid_beginning(file.format, content):
        return file._replace(status=DAMAGED, note=f"the file does not begin like one of the format {file.format}")
    return file._replace(status=OK, note="")


def has_valid_beginning(kind: str, content: bytes) -> bool:
    """Return whether a file begins like one of its format; True for a format that is not known."""
    if kind in _HAS_PLAYLIST:
        return content.removeprefix(b"\xef\xbb\xbf").startswith(b"#EXTM3U")
    if kind == "mp4":
        return content[4:8] == b"ftyp"
    if kind == "flv":
        return content.startswith(b"FLV")
    return content.startswith(_TS_PACKET) if kind == "ts" else True


def judge_duration(file: RecordedFile, seconds: float, tolerance: float) -> RecordedFile:
    """Return the file as damaged if it plays for less time than the cloud lists."""
    if file.duration is None or seconds >= file.duration - tolerance:
        return file
    return file._replace(status=DAMAGED, note=f"it plays for {seconds:.0f} of {file.duration:.0f} seconds")
