# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events in files, so that a source that is killed and started again has lost none.

An event is appended, and handed to the operating system, before its callback is answered. It survives the end of the
process, but not of the machine: the files are not synchronized with the disk for each event. A file is deleted a while
after its last event was forwarded, because the rule engine may be killed before it has acted. Events may thus be
forwarded twice, with the same uuid.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, cast

from .._util.files import require_regular_file, write_atomically
from .event import Event

MAX_BYTES = 64 * 1024 * 1024
SEGMENT_SECONDS = 30.0
KEEP_SECONDS = 90.0  # after the last event of a file was forwarded; a playbook for 1,000 streams takes 25

Entry = tuple[float, Event]  # when it was received, in seconds since the epoch


@dataclass
class _Segment:
    path: str
    opened_at: float
    size: int = 0
    events: int = 0
    forwarded: int = 0
    forwarded_at: float = float("-inf")


class Spool:
    """The files `PATH.1`, `PATH.2`, ..., which one process uses at a time; raises OSError if another one does."""

    def __init__(self, path: str, max_bytes: int = MAX_BYTES) -> None:
        self._path = os.path.abspath(os.path.expanduser(path))
        self._max_bytes = max_bytes
        self._segments: deque[_Segment] = deque()
        self._file: BinaryIO | None = None
        self._lock = self._open(f"{self._path}.lock", os.O_RDWR)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise OSError(errno.EBUSY, "another process uses this spool", self._path) from None

    def replay(self, now: float) -> list[Entry]:
        """Return the events of an earlier process, in their order; a line that it did not finish is left out."""
        directory, name = os.path.split(self._path)
        pattern = re.compile(re.escape(name) + r"\.([0-9]{1,15})")
        numbers = sorted(int(found[1]) for file in os.listdir(directory) if (found := pattern.fullmatch(file)))
        entries: list[Entry] = []
        for number in numbers:
            path = f"{self._path}.{number}"
            require_regular_file(path)
            found_here = list(_read(path))
            segment = _Segment(path, now, os.path.getsize(path), len(found_here))
            segment.forwarded_at = now
            self._segments.append(segment)
            entries += found_here
        return entries

    def append(self, entry: Entry) -> bool:
        """Store an event; return False if the files are full. Raises OSError if it cannot be written."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        if sum(segment.size for segment in self._segments) + len(line) > self._max_bytes:
            return False
        segment, file = self._open_segment(entry[0])
        file.write(line)
        segment.size += len(line)
        segment.events += 1
        return True

    def mark_forwarded(self, count: int, now: float) -> None:
        """Take account of the next `count` events having been forwarded."""
        for segment in self._segments:
            part = min(count, segment.events - segment.forwarded)
            if part:
                segment.forwarded += part
                segment.forwarded_at = now
                count -= part

    def prune(self, now: float) -> None:
        """Delete the files that are no longer needed."""
        while self._segments:
            segment = self._segments[0]
            if segment.forwarded < segment.events or now - segment.forwarded_at < KEEP_SECONDS:
                break
            if len(self._segments) == 1 and self._file:
                self._file.close()
                self._file = None
            with suppress(FileNotFoundError):
                os.remove(segment.path)
            self._segments.popleft()

    def read_stopped(self) -> list[str]:
        """Return what `write_stopped` has written."""
        path = f"{self._path}.stopped"
        try:
            if not require_regular_file(path):
                return []
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
        except ValueError:
            return []
        return [item for item in content if isinstance(item, str)] if isinstance(content, list) else []

    def write_stopped(self, stopped: list[str]) -> None:
        """Write the streams whose recording somebody has stopped, for the next process."""
        write_atomically(f"{self._path}.stopped", json.dumps(stopped))

    def close(self) -> None:
        """Close the files, and leave them to the next process."""
        if self._file:
            self._file.close()
            self._file = None
        os.close(self._lock)

    def _open_segment(self, now: float) -> tuple[_Segment, BinaryIO]:
        if self._file and now - self._segments[-1].opened_at < SEGMENT_SECONDS:
            return self._segments[-1], self._file
        number = int(self._segments[-1].path.rpartition(".")[2]) + 1 if self._segments else 1
        path = f"{self._path}.{number}"
        descriptor = self._open(path, os.O_WRONLY | os.O_APPEND)
        if self._file:
            self._file.close()
        self._file = file = cast(BinaryIO, os.fdopen(descriptor, "ab", buffering=0))
        self._segments.append(_Segment(path, now))
        return self._segments[-1], file

    def _open(self, path: str, flags: int) -> int:
        require_regular_file(path)
        return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _read(path: str) -> list[Entry]:
    entries = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError, TypeError, KeyError):
                received, event = json.loads(line)
                entries.append((float(received), {**event, "meta": {**event["meta"], "uuid": event["meta"]["uuid"]}}))
    return entries
