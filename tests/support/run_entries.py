# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of runs that never happened, for the tests of what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.document import (
    COMPLETE,
    Measures,
    make_document,
    make_run,
)
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.entries import make_entry

BEGAN = 1_800_000_000.0
ADVICE = "Check domain_name, app_name and stream_name, begin the push, or set wait_for_stream."
FIELDS = ("domain_name", "app_name", "stream_name")


def make_ok_entry(host: str | None, names: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return the entry of a stream that was started."""
    result = {
        "changed": True,
        "state": "recording",
        "previous_state": "stopped",
        "state_source": "command",
        "commands": ["start"],
        "sent_at": "2027-01-15T08:00:00.123Z",
        "seconds": 0.047,
        "api_calls": 1,
        "throttled": 0,
        "waited_seconds": 0.02,
        "request_ids": ["16A96B9A-F203-4EC5-8E43-CB92E68F4CD8"],
        **more,
    }
    return make_entry(host, dict(zip(FIELDS, names)), result)


def make_failed_entry(host: str | None, names: Sequence[str], message: str, code: str | None) -> dict[str, Any]:
    """Return the entry of a stream that could not be started."""
    error = {"code": code, "message": message, "request_id": "088AF471-B769-4AF8-A604-F051A64BBCCD"}
    result = {"failed": True, "changed": False, "msg": message, "error": error, "api_calls": 1, "throttled": 0}
    return make_entry(host, dict(zip(FIELDS, names)), result, ADVICE)


def make_untried_entry(host: str | None, names: Sequence[str]) -> dict[str, Any]:
    """Return the entry of a stream that had no turn."""
    return make_entry(host, dict(zip(FIELDS, names)), None)


def make_report(
    entries: Sequence[dict[str, Any]], title: str = "start", outcome: str = COMPLETE, warnings: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the document of one run with these entries, whose commands were sent at 48 per second."""
    calls = sum(entry.get("api_calls", 0) for entry in entries)
    seconds = -(-calls // 48)
    by_second = [(int(BEGAN) + number, min(48, calls - 48 * number)) for number in range(seconds)]
    ended = BEGAN + seconds
    first, last = (BEGAN, ended) if calls else (None, None)
    by_operation = {"RealTimeRecordCommand": calls} if calls else {}
    measures = Measures(BEGAN, ended, calls, 0, by_operation, by_second, first, last, warnings=warnings)
    return make_document([make_run(title, False, outcome, entries, measures)], ended)


def list_many_entries(streams: int) -> list[dict[str, Any]]:
    """Return the entries of so many streams, one of ten of which has failed."""
    entries = []
    for number in range(streams):
        host = f"studio{number:05}"
        names = ("live.example.com", "news", host)
        message = f"start of {'/'.join(names)} was refused: the stream is not being pushed"
        failed = number % 10 == 0
        entries.append(
            make_failed_entry(host, names, message, "StreamNotFound") if failed else make_ok_entry(host, names)
        )
    return entries


def make_large_report(streams: int) -> dict[str, Any]:
    """Return a report of so many streams."""
    return make_report(list_many_entries(streams))
