# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's own count of recordings in `status`."""

from __future__ import annotations

import json
import re

USAGE = "DescribeLiveDomainRecordUsageData"
DOMAIN = "live.example.com"
NAMES = [f"s{number}" for number in range(4)]


def record(cloud, *names):
    for name in names:
        cloud.script(f"{DOMAIN}/app/{name}", (0, "push"), (0, "start"))
    cloud.advance(600)


def status(ansible, *arguments, **variables):
    rows = [{"name": name, "domain_name": DOMAIN, "app_name": "app", "stream_name": name} for name in NAMES]
    hosts = {row.pop("name"): row for row in rows}
    file = ansible.directory / "streams.json"
    file.write_text(json.dumps({"streams": {"hosts": hosts}}), encoding="utf-8")
    given = json.dumps({"accept_unknown": True, "allow_empty": False, **variables})
    return ansible.playbook("apsaravideo.live.status", "-i", str(file), "-e", given, *arguments)


def find_line(run):
    return re.search(rf"{DOMAIN}: cloud .*", run.output)


def test_cloud_count_is_shown_beside_the_streams_that_are_known_to_be_recorded(cloud, ansible):
    record(cloud, *NAMES)
    cloud.clear_calls()
    report = ansible.directory / "report.json"
    run = status(ansible, report=str(report))
    assert run.exit_code == 0, run.output
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z"
    line = rf"{DOMAIN}: cloud 4 at {stamp}, believed 4, peak of the month 4 at {stamp}"
    assert re.fullmatch(line, find_line(run)[0].strip()), run.output
    assert len(cloud.calls(USAGE)) in (1, 2)
    counts = json.loads(report.read_text(encoding="utf-8"))["runs"][0]["cloud_count"]["domains"][DOMAIN]
    assert (counts["counted"], counts["believed"], counts["peak"]) == (4, 4, 4)


def test_cloud_count_needs_no_callbacks(cloud, ansible):
    record(cloud, "s0", "s1")
    for name in NAMES[2:]:
        cloud.push(f"{DOMAIN}/app/{name}")
    cloud.behave(notify_lag=86400)
    run = status(ansible)
    assert ": cloud 2 at" in find_line(run)[0]
    assert ", believed 0, " in find_line(run)[0]


def test_denied_cloud_count_is_a_warning_and_no_other_result(cloud, ansible):
    record(cloud, *NAMES)
    cloud.fault("error", action=USAGE, code="Forbidden.RAM", http_status=403)
    run = status(ansible)
    assert run.exit_code == 0, run.output
    said = " ".join(run.output.split())
    assert "The cloud's own count of recordings is missing." in said
    assert f"live:{USAGE}" in said
    assert find_line(run) is None


def test_cloud_count_is_not_read_if_it_is_switched_off(cloud, ansible):
    record(cloud, *NAMES)
    run = status(ansible, cloud_count=False)
    assert (run.exit_code, cloud.calls(USAGE), find_line(run)) == (0, [], None)


def test_wrong_count_does_not_change_the_verdict(cloud, ansible):
    record(cloud, "s0", "s1", "s2")
    run = status(ansible)
    assert run.exit_code == 2, run.output
    assert "Not known to be recorded: 1 of 4 streams: s3." in " ".join(run.output.split())
    assert ": cloud 3 at" in find_line(run)[0]
