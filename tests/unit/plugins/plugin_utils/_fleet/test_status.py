# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries, table and verdict for the streams of an inventory, from results for their domains."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet import status
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.status import Host, Wanted

NOW = datetime(2026, 1, 2, 12, tzinfo=timezone.utc).timestamp()
DOMAIN = "live.example.com"


def row(name, recording, since=None, online=True, domain=DOMAIN, ingest_type=None):
    return {
        "domain_name": domain,
        "app_name": "app",
        "stream_name": name,
        "online": online,
        "publish_time": "2026-01-02T08:00:00Z" if online else None,
        "ingest_type": ingest_type,
        "recording": recording,
        "state_source": "notify_log" if recording in ("recording", "stopped") else "none",
        "recording_since": since,
        "reason": "nothing is known" if recording == "unknown" else None,
    }


HOSTS = {name: Host(Stream(DOMAIN, "app", name)) for name in ("one", "two", "three", "four")}
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
ALL, NONE = Wanted.from_hosts(HOSTS), Wanted.from_hosts({})


def entries(**options):
    return {
        found["host"] or found["stream_name"]: found
        for found in status.build_entries(HOSTS, ALL, LOOKS, NOW, **options)
    }


def test_hosts_have_entries_followed_by_streams_without_a_host():
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
def test_recordings_longer_than_the_limit_are_overdue(limit, overdue):
    assert [name for name, entry in entries(max_seconds=limit).items() if entry["overdue"]] == overdue


@pytest.mark.parametrize(("accept", "missing"), [(False, ["two", "three", "four"]), (True, ["three", "four"])])
def test_wanted_hosts_that_are_not_recorded_are_missing(accept, missing):
    assert [entry["host"] for entry in status.find_missing(entries().values(), accept)] == missing


@pytest.mark.parametrize(
    ("limit", "unknown", "wanted", "excess"),
    [
        (None, False, ALL, ["stray"]),
        (3599, False, ALL, ["one", "stray"]),
        (None, False, NONE, ["one", "stray"]),
        (None, True, NONE, ["one", "two", "stray"]),
        (None, True, Wanted.from_hosts({"another": HOSTS["two"]}), ["one", "stray"]),
        (None, False, Wanted.from_hosts({"a host of none of these": Host(Stream(DOMAIN, "app", "stray"))}), ["one"]),
    ],
)
def test_recordings_that_are_not_wanted_or_overdue_are_excess(limit, unknown, wanted, excess):
    found = status.build_entries(HOSTS, wanted, LOOKS, NOW, limit)
    sure, unclear = status.find_excess(found, wanted, unknown)
    assert [entry["stream_name"] for entry in sure] == excess
    assert unclear == []


@pytest.mark.parametrize(
    ("names", "sure", "unclear"),
    [
        ((None, None, None), [], ["one", "stray"]),
        ((DOMAIN, "app", None), [], ["one", "stray"]),
        ((DOMAIN, None, "one"), ["stray"], ["one"]),
        ((DOMAIN, "other", None), ["one", "stray"], []),
    ],
)
def test_a_possibly_wanted_recording_is_excess_only_if_overdue(names, sure, unclear):
    wanted = Wanted.from_hosts({"bad": Host(None, "It cannot be read.", names)})
    found = status.build_entries(HOSTS, wanted, LOOKS, NOW)
    assert [[row["stream_name"] for row in rows] for rows in status.find_excess(found, wanted, False)] == [
        sure,
        unclear,
    ]
    found = status.build_entries(HOSTS, wanted, LOOKS, NOW, max_seconds=3599)
    assert [row["stream_name"] for row in status.find_excess(found, wanted, False)[0]] == ["one", "stray"]


def test_a_failed_domain_leaves_the_entries_of_others_intact():
    far = Host(Stream("live.example.org", "app", "far"))
    hosts = {**HOSTS, "far": far, "nameless": Host(None, "The option domain_name is ''")}
    error = {"code": "Forbidden.RAM"}
    looks = {**LOOKS, "live.example.org": {"failed": True, "msg": "Refused.", "error": error}}
    found = {entry["host"]: entry for entry in status.build_entries(hosts, Wanted.from_hosts(hosts), looks, NOW)}
    assert found["one"]["recording"] == "recording"
    assert found["far"]["recording"] == "unknown"
    assert (found["far"]["online"], found["far"]["reason"], found["far"]["error"]) == (None, "Refused.", error)
    assert found["nameless"]["reason"] == "The option domain_name is ''"
    assert {entry["host"] for entry in status.find_missing(found.values(), accept_unknown=True)} == {
        "three",
        "four",
        "far",
        "nameless",
    }


def test_control_characters_of_names_are_escaped_in_the_table():
    looks = {DOMAIN: {"streams": [row("evil\x1b[2J\n", "recording")]}}
    lines = status.format_table(status.build_entries({}, NONE, looks, NOW))
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert "recording, not wanted" in lines[1]
    assert status.count_states(status.build_entries(HOSTS, ALL, LOOKS, NOW)) == {
        "streams": 5,
        "recording": 2,
        "stopped": 1,
        "offline": 1,
        "unknown": 1,
    }


@pytest.mark.parametrize(("ingest_type", "shown"), [("pull", "pulled"), ("push", "yes"), (None, "yes")])
def test_the_table_marks_pulled_streams_in_the_column_online(ingest_type, shown):
    looks = {DOMAIN: {"streams": [row("one", "recording", ingest_type=ingest_type)]}}
    found = status.build_entries({}, NONE, looks, NOW)
    head, line = status.format_table(found)
    place = head.index("online")
    assert found[0]["ingest_type"] == ingest_type
    assert line[place : head.index("recording")].strip() == shown
    assert head[place:].startswith("online  recording  ")


def test_missing_streams_that_are_offline_are_explained_in_one_line():
    found = status.find_missing(entries().values(), accept_unknown=False)
    (line,) = status.explain_offline(found)
    assert "pushed" in line and "viewer" in line and len(line) < 120
    assert status.explain_offline([row for row in found if row["recording"] != "offline"]) == []


def many(number, **fields):
    found = status.build_entries(HOSTS, ALL, LOOKS, NOW)[0]
    return [{**found, "host": f"s{place}", "stream_name": f"s{place}", **fields} for place in range(number)]


def test_the_table_is_sorted_by_urgency_and_limited_to_40_rows():
    stray = {"host": None, "wanted": False}
    kinds = [
        many(1, stream_name="absent", recording="offline")[0],
        many(1, stream_name="riddle", recording="unknown")[0],
        many(1, stream_name="broken", recording="unknown", failed=True)[0],
        many(1, stream_name="endless", overdue=True)[0],
        many(1, stream_name="stray", **stray)[0],
    ]
    lines = status.format_table([*many(100), *reversed(kinds)], show_all=False)
    assert [line.split()[0].rpartition("/")[2] for line in lines[1:6]] == [row["stream_name"] for row in kinds]
    assert len(lines) == 42
    assert lines[-1] == "... and 65 more: -v or -e all=true shows them"
    assert len(status.format_table([*many(100), *kinds], show_all=True)) == 106
    assert len(status.format_table(many(40), show_all=False)) == 41


def test_a_host_without_a_stream_appears_by_name_in_the_table():
    hosts = {"bad": Host(None, "The option stream_name is empty. Name it.")}
    line = status.format_table(status.build_entries(hosts, Wanted.from_hosts(hosts), {}, NOW))[1]
    assert line.startswith("host bad ")
    assert "stream_name is empty" in line


@pytest.mark.parametrize(("number", "length"), [(1, 4), (10, 4), (1000, 4), (1000, 100), (2, 2000)])
def test_the_verdict_is_one_line_of_at_most_300_characters(number, length):
    missing = many(number, recording="offline", host="s" * length)
    text = status.format_verdict(missing, [*missing, *many(5)])
    assert len(text) <= 300
    assert text.startswith(f"Not known to be recorded: {number} of {number + 5} streams: ssss")
    assert ("more" in text) == (number * length > 100)
    assert status.format_verdict([], many(5)) == ""


def test_long_names_are_cut_in_the_table():
    hosts = {"long": Host(Stream(DOMAIN, "app", "s" * 1000))}
    assert max(map(len, status.format_table(status.build_entries(hosts, Wanted.from_hosts(hosts), {}, NOW)))) < 300
