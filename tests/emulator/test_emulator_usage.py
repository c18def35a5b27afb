# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usage of recording: concurrent recordings of domains, under all switches that concern it."""

from __future__ import annotations

import time

import pytest

USAGE = "DescribeLiveDomainRecordUsageData"
DOMAIN = "live.example.com"
MINUTE, HOUR, DAY = 60, 3600, 86400


def utc(epoch):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


def ask(client, age=HOUR, until=0, **parameters):
    now = time.time()
    times = {"StartTime": utc(now - age), "EndTime": utc(now - until)}
    return client.call(USAGE, **{"DomainName": DOMAIN, "Interval": 60, **times, **parameters})


def rows(client, **parameters):
    response = ask(client, **parameters)
    assert response.status == 200, response.body
    return response.json["RecordUsageData"]["DataModule"]


def counts(client, kind="MP4", **parameters):
    return {row["Count"] for row in rows(client, **parameters) if row.get("Type") == kind}


def record(cloud, *names, seconds=600):
    """Record streams for some minutes, and let the end of that be just now."""
    for name in names:
        cloud.script(f"{DOMAIN}/app/{name}", (0, "push"), (0, "start"))
    cloud.advance(seconds)


def test_each_minute_has_a_row_for_each_format(cloud, client):
    record(cloud, "one", "two", "three")
    found = rows(client, age=300, until=120)
    assert {row["Type"] for row in found} == {"M3U8", "MP4"}
    assert {(row["Domain"], row["Region"], row["Count"], row["Duration"]) for row in found} == {
        (DOMAIN, "cn-shanghai", 3, 0)
    }
    stamps = sorted({row["TimeStamp"] for row in found})
    assert len(found) == 2 * len(stamps)
    assert all(stamp.endswith(":00Z") for stamp in stamps)
    assert 3 <= len(stamps) <= 4


def test_count_is_the_peak_of_the_interval(cloud, client):
    for number in range(4):
        cloud.script(
            f"{DOMAIN}/app/{number}",
            (0, "push"),
            (100 * number, "start"),
            (100 * number + 150, "stop"),
            (100 * number + 151, "cancel_delay"),
        )
    cloud.advance(2 * HOUR)
    assert counts(client, age=3 * HOUR, Interval=DAY) == {2}
    cloud.behave(usage_count="sample")
    assert counts(client, "M3U8", age=3 * HOUR, Interval=DAY) == set()


def test_paused_recordings_count_if_the_switch_says_so(cloud, client):
    cloud.script(f"{DOMAIN}/app/one", (0, "push"), (0, "start"), (600, "drop"))
    cloud.advance(600 + 170)
    assert counts(client, age=90) == set()
    cloud.behave(usage_paused="counted")
    assert counts(client, age=90) == {1}


def test_split_of_a_recording_is_not_counted_twice(cloud, client):
    cloud.script(f"{DOMAIN}/app/one", (0, "push"), (0, "start"), (300, "restart"))
    cloud.advance(600)
    assert counts(client) == {1}


@pytest.mark.parametrize("split_by", ["domain", "", "null"])
def test_merged_formats_count_each_or_once(cloud, client, split_by):
    record(cloud, "one", "two")
    found = rows(client, age=300, until=120, SplitBy=split_by)
    assert {(row["Count"], row.get("Domain"), row.get("Type")) for row in found} == {
        (4, DOMAIN if split_by == "domain" else None, None)
    }
    cloud.behave(usage_formats="once")
    assert {row["Count"] for row in rows(client, age=300, until=120, SplitBy=split_by)} == {2}


def test_converted_seconds_are_those_of_files_that_are_not_m3u8(cloud, client):
    cloud.script(f"{DOMAIN}/app/one", (0, "push"), (0, "start"), (600, "stop"), (601, "cancel_delay"))
    cloud.advance(700)
    durations = {kind: 0 for kind in ("M3U8", "MP4")}
    for row in rows(client):
        durations[row["Type"]] += row["Duration"]
    assert durations == {"M3U8": 0, "MP4": 600}


def test_delay_of_the_data_hides_the_latest_minutes(cloud, client):
    record(cloud, "one", seconds=2 * HOUR)
    cloud.behave(usage_delay=30 * MINUTE)
    latest = max(row["TimeStamp"] for row in rows(client))
    assert utc(time.time() - 32 * MINUTE) <= latest <= utc(time.time() - 30 * MINUTE)


def test_running_interval_is_listed_unless_the_switch_says_otherwise(cloud, client):
    record(cloud, "one", seconds=30)
    assert counts(client, age=40 * DAY, Interval=DAY) == {1}
    cloud.behave(usage_running="unlisted")
    today = utc(time.time())[:10]
    assert [row for row in rows(client, age=40 * DAY, Interval=DAY) if row["TimeStamp"].startswith(today)] == []


def test_empty_minutes_are_rows_if_the_switch_says_so(cloud, client):
    cloud.script(f"{DOMAIN}/app/one", (0, "push"), (0, "start"), (300, "stop"), (300, "cancel_delay"))
    cloud.advance(900)
    assert counts(client, "M3U8") == {1}
    assert len([row for row in rows(client) if row["Type"] == "M3U8"]) in (5, 6)
    cloud.behave(usage_empty="listed")
    assert len([row for row in rows(client) if row["Type"] == "MP4"]) >= 60
    assert counts(client) == {0, 1}


def test_interval_that_is_not_supported_means_the_default(cloud, client):
    record(cloud, "one", seconds=3600)
    stamps = {row["TimeStamp"] for row in rows(client, Interval=7)}
    assert stamps == {row["TimeStamp"] for row in rows(client, Interval=300)}
    assert all(int(stamp[14:16]) % 5 == 0 for stamp in stamps)
    assert ask(client, age=60 * DAY, Interval="x").status == 200


@pytest.mark.parametrize(
    ("interval", "span", "retention"),
    [(60, 1, 60), (300, 31, 90), (3600, 31, 180), (86400, 90, 366)],
)
def test_span_and_retention_depend_on_the_interval(cloud, client, interval, span, retention):
    def status(age, until):
        return ask(client, Interval=interval, age=age * DAY - 60, until=until * DAY).status

    assert status(span, 0) == 200
    assert status(span + 1, 0) == 400
    assert status(retention, retention - 1) == 200
    assert status(retention + 1, retention) == 400
    cloud.behave(usage_limits="fixed")
    assert [status(31, 0), status(32, 0), status(90, 89), status(91, 90)] == [200, 400, 200, 400]


def test_without_times_the_last_day_is_read(cloud, client):
    record(cloud, "one")
    response = client.call(USAGE, DomainName=DOMAIN)
    assert {row["Count"] for row in response.json["RecordUsageData"]["DataModule"]} == {1}
    assert response.json["StartTime"][:10] == utc(time.time() - DAY)[:10]


def test_without_a_domain_those_of_the_account_are_merged(cloud, client):
    cloud.add_accounts({"id": "1000000000000001", "domains": [{"name": "b.example.com"}], "record_configs": []})
    record(cloud, "one")
    found = rows(client, age=300, until=120, DomainName="")
    assert {(row.get("Domain"), row["Count"]) for row in found} == {(None, 1)}


def test_domains_are_separated_by_commas(cloud, client):
    cloud.add_accounts({"id": "1000000000000001", "domains": [{"name": "b.example.com", "region": "eu-central-1"}]})
    record(cloud, "one")
    assert {row["Domain"] for row in rows(client, DomainName=f"b.example.com,{DOMAIN}")} == {DOMAIN}
    assert rows(client, DomainName=f"b.example.com,{DOMAIN}", Region="eu-central-1") == []


@pytest.mark.parametrize("name", ["live.example.org", "push.example.com", f"{DOMAIN},nowhere.example.com"])
def test_domains_of_others_and_ingest_domains_are_refused(client, name):
    response = ask(client, DomainName=name)
    assert (response.status, response.json["Code"]) == (404, "InvalidDomain.NotFound")


@pytest.mark.parametrize("parameters", [{"SplitBy": "stream"}, {"Region": "mars"}, {"StartTime": "today"}])
def test_malformed_parameters_are_refused(client, parameters):
    response = ask(client, **parameters)
    assert (response.status, response.json["Code"]) == (400, "MalformedParam")


def test_ten_calls_a_second_are_admitted(cloud, client):
    responses = [ask(client).json.get("Code") for _number in range(12)]
    assert responses.count(None) >= 10
    assert "Throttling.User" in responses


def test_type_is_lower_case_if_the_switch_says_so(cloud, client):
    record(cloud, "one")
    cloud.behave(usage_type_case="lower")
    assert counts(client, "mp4") == {1}
