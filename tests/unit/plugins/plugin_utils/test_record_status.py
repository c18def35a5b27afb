# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of all streams of an inventory, from what was found out about their domains."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.module_utils._live import Stream
from ansible_collections.apsaravideo.live.plugins.plugin_utils import _record_status as status

NOW = datetime(2026, 1, 2, 12, tzinfo=timezone.utc).timestamp()
DOMAIN = "live.example.com"


def row(name, recording, since=None, online=True, domain=DOMAIN):
    return {
        "domain_name": domain,
        "app_name": "app",
        "stream_name": name,
        "online": online,
        "publish_time": "2026-01-02T08:00:00Z" if online else None,
        "recording": recording,
        "state_source": "notify_log" if recording in ("recording", "stopped") else "none",
        "recording_since": since,
        "reason": "nothing is known" if recording == "unknown" else None,
    }


HOSTS = {name: Stream(DOMAIN, "app", name) for name in ("one", "two", "three", "four")}
LOOKS = {
    DOMAIN: {
        "streams": [
            row("one", "recording", "2026-01-02T11:00:00Z"),
            row("two", "unknown"),
            row("three", "stopped"),
            row("stray", "recording", "2026-01-02T06:00:00Z"),
        ]
    }
}


def entries(**options):
    return {
        found["host"] or found["stream_name"]: found for found in status.entries(HOSTS, HOSTS, LOOKS, NOW, **options)
    }


def test_each_host_has_an_entry_and_then_each_stray():
    found = entries()
    assert list(found) == ["one", "two", "three", "four", "stray"]
    assert [entry["recording"] for entry in found.values()] == [
        "recording",
        "unknown",
        "stopped",
        "offline",
        "recording",
    ]
    assert [entry["wanted"] for entry in found.values()] == [True] * 4 + [False]
    assert found["one"]["recording_seconds"] == 3600
    assert found["four"]["online"] is False
    assert found["four"]["state_source"] == "stream_state"


@pytest.mark.parametrize(("limit", "overdue"), [(None, []), (3600, ["stray"]), (3599, ["one", "stray"]), (10**6, [])])
def test_what_is_recorded_for_too_long(limit, overdue):
    assert [name for name, entry in entries(max_seconds=limit).items() if entry["overdue"]] == overdue


@pytest.mark.parametrize(("accept", "missing"), [(False, ["two", "three", "four"]), (True, ["three", "four"])])
def test_missing(accept, missing):
    assert [entry["host"] for entry in status.missing(entries().values(), accept)] == missing


@pytest.mark.parametrize(
    ("limit", "unknown", "wanted", "excess"),
    [
        (None, False, HOSTS, ["stray"]),
        (3599, False, HOSTS, ["one", "stray"]),
        (None, False, (), ["one", "stray"]),
        (None, True, (), ["one", "two", "stray"]),
        (None, True, ["two"], ["one", "stray"]),
    ],
)
def test_excess(limit, unknown, wanted, excess):
    found = status.entries(HOSTS, wanted, LOOKS, NOW, limit)
    assert [entry["stream_name"] for entry in status.excess(found, unknown)] == excess


def test_a_domain_that_cannot_be_looked_at_hides_no_other():
    hosts = {**HOSTS, "far": Stream("live.example.org", "app", "far"), "nameless": "The option domain_name is ''"}
    error = {"code": "Forbidden.RAM"}
    looks = {**LOOKS, "live.example.org": {"failed": True, "msg": "Refused.", "error": error}}
    found = {entry["host"]: entry for entry in status.entries(hosts, hosts, looks, NOW)}
    assert found["one"]["recording"] == "recording"
    assert found["far"]["recording"] == "unknown"
    assert (found["far"]["online"], found["far"]["reason"], found["far"]["error"]) == (None, "Refused.", error)
    assert found["nameless"]["reason"] == "The option domain_name is ''"
    assert {entry["host"] for entry in status.missing(found.values(), accept_unknown=True)} == {
        "three",
        "four",
        "far",
        "nameless",
    }


def test_the_table_has_a_line_for_each_and_lets_no_name_steer_the_terminal():
    looks = {DOMAIN: {"streams": [row("evil\x1b[2J\n", "recording")]}}
    lines = status.table(status.entries({}, (), looks, NOW))
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert "recording, not wanted" in lines[1]
    assert status.counts(status.entries(HOSTS, HOSTS, LOOKS, NOW)) == {
        "streams": 5,
        "recording": 2,
        "stopped": 1,
        "offline": 1,
        "unknown": 1,
    }
