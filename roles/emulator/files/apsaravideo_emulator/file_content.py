# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of recorded files: small, the same each time, with the right beginning and duration, and without media."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .record_model import RecordedFile

TYPES = {"m3u8": "application/x-mpegURL", "mp4": "video/mp4", "flv": "video/x-flv", "ts": "video/MP2T"}
PAYLOAD = 3072
HUGE = 1 << 40
CHUNK = 1 << 16
DAMAGED_BYTES = 64
TS_PACKET = b"\x47\x1f\xff\x10" + b"\xff" * 184  # a null packet
TS_PACKETS = 20
IDENTITY_MATRIX = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True)
class Content:
    """The content of a file: `beginning`, and zeros up to its size; without a size it never ends."""

    beginning: bytes
    size: int | None

    def chunks(self, start: int, stop: int | None) -> Iterator[bytes]:
        """Yield the bytes from `start` to before `stop`."""
        position = start
        while stop is None or position < stop:
            length = CHUNK if stop is None else min(CHUNK, stop - position)
            yield self.beginning[position : position + length].ljust(length, b"\0")
            position += length


def build(file: RecordedFile, name: str) -> bytes:
    """Return the content of a recorded file; `name` is its object."""
    if file.format.kind == "m3u8":
        return _build_playlist(file, name)
    if file.format.kind == "flv":
        return _build_flv(file.duration)
    return _build_mp4(file.duration)


def build_segment() -> bytes:
    """Return the content of a TS segment."""
    return TS_PACKET * TS_PACKETS


def alter(content: bytes, state: str) -> Content:
    """Return the content of a file in one of the states in which it is delivered."""
    if state == "empty":
        content = b""
    elif state == "truncated":
        content = content[: len(content) // 2]
    elif state == "damaged":
        content = b"\0" * min(DAMAGED_BYTES, len(content)) + content[DAMAGED_BYTES:]
    size = {"huge": HUGE, "endless": None}.get(state, len(content))
    return Content(content, size)


def segment_count(file: RecordedFile) -> int:
    """Return the number of segments of a playlist."""
    return math.ceil(file.duration / file.format.slice_duration)


def _build_playlist(file: RecordedFile, name: str) -> bytes:
    """Return a playlist whose segments lie beside it and add up to the duration of the file."""
    length = file.format.slice_duration
    stem = name.rpartition("/")[2].rpartition(".")[0] or name
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{length}", "#EXT-X-MEDIA-SEQUENCE:0"]
    for number in range(segment_count(file)):
        lines += [f"#EXTINF:{min(length, file.duration - number * length):.3f},", f"{stem}_{number}.ts"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _build_mp4(duration: float) -> bytes:
    header = struct.pack(
        ">IIIIIIHH8x9I24xI", 0, 0, 0, 1000, round(duration * 1000) % 2**32, 0x10000, 0x100, 0, *IDENTITY_MATRIX, 2
    )
    kinds = _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomiso2mp41")
    return kinds + _box(b"moov", _box(b"mvhd", header)) + _box(b"mdat", b"\0" * PAYLOAD)


def _build_flv(duration: float) -> bytes:
    name, field = b"onMetaData", b"duration"
    script = b"\x02" + struct.pack(">H", len(name)) + name + b"\x08" + struct.pack(">I", 1)
    script += struct.pack(">H", len(field)) + field + b"\x00" + struct.pack(">d", duration) + b"\0\0\x09"
    tag = b"\x12" + len(script).to_bytes(3, "big") + b"\0" * 7 + script
    return b"FLV\x01\x05\0\0\0\x09" + b"\0" * 4 + tag + struct.pack(">I", len(tag)) + b"\0" * PAYLOAD
