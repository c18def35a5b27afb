# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that only a fleet's program takes, in addition to those of `module_utils/_domain/steps.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...module_utils._api.live import Live
from ...module_utils._api.models import Stream, TimeWindow
from ...module_utils._domain.verification import RecordedFile


class AwaitTime(NamedTuple):
    """Wait until `epoch`, before which the next command is not sent.

    From `deadline` on, a command that has not been sent by then fails, because something else is due. Both are seconds
    since the epoch.
    """

    epoch: float
    deadline: float | None = None


class AwaitNewPush(NamedTuple):
    """Wait for a push that begins after the current one; results in False if there is none by `until`, else in True.

    `until` is in seconds since the epoch.
    """

    until: float


class FileList(NamedTuple):
    """The index files of a stream, as the cloud listed them at the time `now` of its clock."""

    rows: list[dict[str, Any]]
    now: float


class ReadFiles(NamedTuple):
    """Read the index files of the stream in these windows, which may take many calls. The result is a FileList."""

    windows: Sequence[TimeWindow]

    def perform(self, live: Live, stream: Stream) -> FileList:
        """Read them in a thread of the pool."""
        rows = [row for window in self.windows for row in live.index_files(stream, window)]
        return FileList(list({row["record_id"]: row for row in rows}.values()), live.now().timestamp())


class ReadShared(NamedTuple):
    """Read something of a domain once for all streams that need it from `since` on; `read` returns the result.

    Reads with the same `key` are the same but for their beginnings. `since` is in seconds since the epoch.
    """

    key: tuple[str, str]
    since: float
    read: Callable[[Live], Any]


class CheckFiles(NamedTuple):
    """Read the beginnings of files. The result is the files with their statuses."""

    files: Sequence[RecordedFile]
    check: Callable[[Sequence[RecordedFile], Live], list[RecordedFile]]

    def perform(self, live: Live, _stream: Stream) -> list[RecordedFile]:
        """Read them in a thread of the pool."""
        return self.check(self.files, live)
