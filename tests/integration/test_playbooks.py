# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks by their names in the collection, over inventories whose hosts are streams."""

from __future__ import annotations

import json

import pytest
from emulator import KEY, OTHER_ACCOUNT_KEY
from playbook import Ansible, environment, streams

NAMES = [f"live.example.com/app{number % 3}/stream{number:02}" for number in range(9)]
ROLE_TASK = "Bring the recording to the wanted state"


def commands(cloud):
    return [call["params"]["Command"] for call in cloud.calls("RealTimeRecordCommand")]


def recording(cloud):
    return {stream["stream_name"] for stream in cloud.state()["streams"] if stream["recording"] == "recording"}


@pytest.fixture(params=["http", "https"])
def place(request, tmp_path):
    """A cloud with streams, Ansible set up to reach it, and an inventory."""
    cloud = request.getfixturevalue({"http": "cloud", "https": "tls_cloud"}[request.param])
    cloud.push(*NAMES)
    ansible = Ansible(tmp_path, environment(cloud))
    return cloud, ansible, str(ansible.inventory(streams(NAMES)))


def play(ansible, name, inventory, *arguments, **variables):
    return ansible.playbook(f"apsaravideo.live.{name}", "-i", inventory, "-e", json.dumps(variables), *arguments)


def changed(run):
    return {host for host, result in run.results(ROLE_TASK).items() if result["changed"]}


def test_start_split_stop(place):
    cloud, ansible, inventory = place
    everything = {name.rsplit("/", 1)[1] for name in NAMES}
    run = play(ansible, "start", inventory)
    assert run.exit_code == 0, run.output
    assert changed(run) == recording(cloud) == everything
    assert changed(play(ansible, "start", inventory)) == set()
    assert commands(cloud) == ["start"] * 18
    cloud.advance(60)
    assert changed(play(ansible, "split", inventory)) == everything
    assert {stream["ledger"]["splits"] for stream in cloud.state()["streams"]} == {1}
    cloud.advance(60)
    run = play(ansible, "stop", inventory, finalize=True)
    assert changed(run) == everything
    assert run.results(ROLE_TASK)["stream00"]["commands"] == ["stop", "cancel_delay"]
    assert recording(cloud) == set()
    assert all(len(stream["files"]) == 4 for stream in cloud.state()["streams"]), "two formats, two parts"


def test_stop_leaves_the_delay_alone_unless_told(place):
    cloud, ansible, inventory = place
    play(ansible, "start", inventory)
    cloud.clear_calls()
    cloud.advance(60)
    play(ansible, "stop", inventory)
    assert commands(cloud) == ["stop"] * 9


def test_check_mode_changes_nothing(place):
    cloud, ansible, inventory = place
    run = play(ansible, "start", inventory, "--check", "--diff")
    assert run.exit_code == 0
    assert len(changed(run)) == 9
    assert commands(cloud) == []


def test_target(cloud, ansible):
    cloud.push(*NAMES)
    inventory = str(ansible.inventory(streams(NAMES)))
    play(ansible, "start", inventory, target="stream01:stream02")
    assert recording(cloud) == {"stream01", "stream02"}
    play(ansible, "start", inventory, "--limit", "stream03")
    assert recording(cloud) == {"stream01", "stream02", "stream03"}


def test_the_connection_may_come_from_variables(cloud, ansible):
    cloud.push(*NAMES)
    hosts = streams(NAMES[:2])
    hosts["stream01"].update(
        apsaravideo_access_key_id=OTHER_ACCOUNT_KEY[0], apsaravideo_access_key_secret="{{ wrong }}"
    )
    for name in ("APSARAVIDEO_ENDPOINT", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        del ansible.environ[name]
    inventory = ansible.inventory(
        hosts,
        apsaravideo_endpoint=cloud.endpoint,
        apsaravideo_access_key_id=KEY[0],
        apsaravideo_access_key_secret=KEY[1],
    )
    run = play(ansible, "start", str(inventory), "-vvv", wrong=OTHER_ACCOUNT_KEY[1])
    assert recording(cloud) == {"stream00"}
    assert run.results(ROLE_TASK)["stream01"]["error"]["code"] == "InvalidDomain.NotFound", "the host's own keys"
    assert KEY[1] not in run.output and OTHER_ACCOUNT_KEY[1] not in run.output


def test_one_failure_hides_no_other_result(place):
    cloud, ansible, inventory = place
    cloud.drop(NAMES[4])
    run = play(ansible, "start", inventory)
    assert run.exit_code == 2
    assert len(recording(cloud)) == 8
    assert "stream04" in run.output and "StreamNotFound" in run.output
    assert recap(run)["stream04"]["failed"] == 1
    assert recap(run)["stream05"]["failed"] == 0


def recap(run):
    rows = run.output.split("PLAY RECAP")[1].splitlines()[1:]
    found = {}
    for row in filter(str.strip, rows):
        host, counts = row.split(":", 1)
        found[host.strip()] = {name: int(count) for name, count in (pair.split("=") for pair in counts.split())}
    return found


@pytest.mark.parametrize(("batch", "first"), [(3, 3), ("34%", 3), ([1, 2, 6], 1)], ids=str)
def test_batches_go_one_after_the_other(cloud, ansible, batch, first):
    cloud.push(*NAMES)
    inventory = str(ansible.inventory(streams(NAMES)))
    run = play(ansible, "start", inventory, batch=batch)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {name.rsplit("/", 1)[1] for name in NAMES}
    sent = [call["params"]["StreamName"] for call in cloud.calls()]
    assert set(sent[:first]) == {f"stream{number:02}" for number in range(first)}
    assert set(sent[first : first + 2]) <= {f"stream{number:02}" for number in range(first, 6)}


@pytest.mark.parametrize("batch", [1, 3])
def test_a_batch_in_which_all_fail_does_not_end_the_run(cloud, ansible, batch):
    cloud.push(*NAMES[3:])
    run = play(ansible, "start", str(ansible.inventory(streams(NAMES))), batch=batch)
    assert run.exit_code == 2
    assert len(recording(cloud)) == 6
    assert {host for host, counts in recap(run).items() if counts["failed"]} == {"stream00", "stream01", "stream02"}


def test_max_fail_ends_the_run_before_the_next_batch(cloud, ansible):
    cloud.push(*NAMES[2:])
    run = play(ansible, "start", str(ansible.inventory(streams(NAMES))), batch=3, max_fail=50)
    assert run.exit_code == 2
    assert len(cloud.calls()) == 3
    assert recording(cloud) == {"stream02"}


def test_max_fail_that_is_not_exceeded(cloud, ansible):
    cloud.push(*NAMES[1:])
    run = play(ansible, "start", str(ansible.inventory(streams(NAMES))), batch=3, max_fail=50)
    assert run.exit_code == 2
    assert len(recording(cloud)) == 8


def test_a_host_without_a_name_says_so(cloud, ansible):
    run = play(ansible, "start", str(ansible.inventory({"nameless": {"domain_name": "live.example.com"}})))
    assert run.exit_code == 2
    assert "app_name is empty" in run.output
    assert cloud.calls() == []


def test_unusual_names_reach_the_cloud_as_they_are(cloud, ansible):
    unusual = {"domain_name": "live.example.com", "app_name": "my app", "stream_name": "a b*~/+&=%中文"}
    cloud.push(unusual)
    run = play(ansible, "start", str(ansible.inventory({"unusual": unusual})))
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"a b*~/+&=%中文"}
