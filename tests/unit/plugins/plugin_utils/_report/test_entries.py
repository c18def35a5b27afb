# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the entries of streams."""

from __future__ import annotations

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import printable
from ansible_collections.apsaravideo.live.plugins.plugin_utils._report.entries import (
    count_statuses,
    describe_cause,
    make_entry,
)

STREAM = {"domain_name": "live.example.com", "app_name": "news", "stream_name": "studio1"}
TRAFFIC = {"api_calls": 1, "throttled": 0, "request_ids": ["R"]}
RECORDING = {"changed": True, "state": "recording", "stream": STREAM, **TRAFFIC}
ABSENT = {
    "failed": True,
    "changed": False,
    "msg": "start of live.example.com/news/studio1 was refused: it is not pushed (StreamNotFound). Push it.",
    "error": {
        "code": "StreamNotFound",
        "message": "start of live.example.com/news/studio1 was refused: it is not pushed",
        "request_id": "R",
        "http_status": 409,
        "action": "RealTimeRecordCommand",
    },
    "stream": STREAM,
    **TRAFFIC,
}


def test_an_unreachable_host_counts_as_failed():
    found = make_entry("far", None, {"unreachable": True, "changed": False, "msg": "no route"})
    assert (found["status"], describe_cause(found)) == ("failed", "no route")


def test_an_entry_has_all_keys_for_any_failure():
    keys = {"code", "message", "request_id", "http_status", "action"}
    assert set(make_entry("a", None, ABSENT)["error"]) == keys
    found = make_entry("b", STREAM, {"failed": True, "msg": "no such variable"})
    assert found["error"] == {**dict.fromkeys(keys), "message": "no such variable"}
    assert found["stream"] == STREAM
    found = make_entry("c", None, None)
    assert (found["stream"], found["status"], found["error"]) == (None, "not_tried", None)
    assert make_entry("d", None, RECORDING)["error"] is None


def test_cause_is_the_same_whatever_the_name_looks_like():
    found = set()
    for name in ("studio1", "a\u202eb", "\\"):
        message = f"start of live.example.com/news/{printable(name)} was refused"
        result = {"failed": True, "error": {"code": "X", "message": message}}
        found.add(describe_cause(make_entry("a", {**STREAM, "stream_name": name}, result)))
    assert found == {"X: start was refused"}


def test_statuses_and_changes_are_counted():
    entries = [make_entry("a", None, RECORDING), make_entry("b", None, ABSENT), make_entry("c", None, None)]
    assert count_statuses(entries) == {
        "streams": 3,
        "ok": 1,
        "failed": 1,
        "not_tried": 1,
        "changed": 1,
    }
