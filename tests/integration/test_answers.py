# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incomplete responses, long retry hints, clock steps, and temporary failures of the resolver."""

from __future__ import annotations

import json
import os
import time

import pytest

from support.certificates import Authority
from support.emulator import Emulator
from support.playbook import STREAM, Ansible, environment, streams

DOMAIN = "live.example.com"
COMMAND = "RealTimeRecordCommand"
ONLINE = "DescribeLiveStreamsOnlineList"
STATE = "DescribeLiveStreamState"
NAMES = [f"s{number:02}" for number in range(20)]
INFO = {"apsaravideo.live.apsaravideo_record_info": {"domain_name": DOMAIN}}


def push(cloud, names):
    cloud.push(*((DOMAIN, "app", name) for name in names))


def hosts(names):
    return streams([f"{DOMAIN}/app/{name}" for name in names])


def start(ansible, names, environ=None, **variables):
    source = str(ansible.inventory(hosts(names)))
    return ansible.playbook(
        "apsaravideo.live.start", "-i", source, "-e", json.dumps({"progress": "none", **variables}), environ=environ
    )


def record(ansible, names, environ, **options):
    """Run the module for each stream as a host."""
    given = {name: f"{{{{ {name} }}}}" for name in ("domain_name", "app_name", "stream_name")}
    task = {"name": "it", "apsaravideo.live.apsaravideo_record": {**given, **options}}
    source = str(ansible.inventory(hosts(names), ansible_connection="local"))
    return ansible.play([task], "-i", source, environ=environ, hosts="streams")


def recording(cloud):
    return {row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"}


def list_inventory_hosts(ansible):
    """Return the run and the hosts of the inventory plugin, which are none if it fails."""
    source = ansible.directory / "live.apsaravideo.yml"
    source.write_text(
        f"plugin: apsaravideo.live.apsaravideo_streams\ndomains: [{DOMAIN}]\nretry_timeout: 0\n", encoding="utf-8"
    )
    task = {"name": "hosts", "ansible.builtin.debug": {"msg": "{{ groups['all'] | sort }}"}}
    run = ansible.play([task], "-i", str(source))
    return run, run.result("hosts")["msg"]


# --- lists that change, and incomplete responses ----------------------------------------------------------------


def test_a_stream_that_ends_between_pages_leaves_the_list_complete(cloud, ansible):
    """The list is read in pages of two."""
    push(cloud, "abcde")
    cloud.behave(page_cap=2)
    second = {"action": ONLINE, "parameters": {"PageNum": "2"}, "times": 1}
    cloud.fault("push_ends", stream=f"{DOMAIN}/app/a", **second)
    run = ansible.play([{"name": "info", **INFO}])
    assert run.exit_code == 0, run.output
    assert sorted(row["stream_name"] for row in run.result("info")["streams"]) == list("bcde")
    assert [call["params"]["PageNum"] for call in cloud.calls(ONLINE)] == ["1", "2", "1", "2"]
    cloud.fault("push_ends", stream=f"{DOMAIN}/app/b", **second)
    run, found = list_inventory_hosts(ansible)
    assert found == [f"{name}@app@{DOMAIN}" for name in "cde"], run.output


def test_a_list_that_is_never_complete_is_an_error(cloud, ansible):
    push(cloud, "ab")
    cloud.behave(total_excess=1)
    run = ansible.play([{"name": "info", **INFO}])
    assert run.exit_code == 2 and "hold fewer objects than they say" in run.result("info")["msg"]
    run, found = list_inventory_hosts(ansible)
    assert found == [] and "hold fewer objects than they say" in " ".join(run.output.split())
    assert len(cloud.calls(ONLINE)) == 10


@pytest.mark.parametrize("fault", [{"total_excess": 1}, "bare"])
def test_waiting_with_an_unusable_list_fails_because_of_the_list(cloud, ansible, fault):
    """The state of the stream is unknown, so the error is about the list."""
    if fault == "bare":
        cloud.fault("bare", action=ONLINE)
    else:
        cloud.behave(**fault)
    run = start(ansible, ["away"], record_wait_for_stream=3, apsaravideo_retry_timeout=1)
    assert run.exit_code == 2
    assert "no usable list" in run.entries()["away"]["error"]["message"]


@pytest.mark.parametrize(
    ("module", "said"), [("record", "does not tell StreamState"), ("record_info", "page 1 is not a list")]
)
def test_a_response_without_its_list_does_not_mean_offline(cloud, ansible, module, said):
    cloud.push(STREAM)
    for action in (STATE, ONLINE):
        cloud.fault("bare", action=action)
    names = dict(zip(("domain_name", "app_name", "stream_name"), STREAM.split("/")))
    task = {"name": "it", f"apsaravideo.live.apsaravideo_{module}": {**names, "retry_timeout": 0}}
    run = ansible.play([{**task, "check_mode": True}])
    assert run.exit_code == 2 and said in run.result("it")["msg"], run.output


# --- hints, clocks, names and certificates ---------------------------------------------------------------------------


def test_a_retry_hint_for_some_streams_delays_no_others(cloud, ansible):
    push(cloud, NAMES)
    cloud.behave(retry_after="on")
    for name in NAMES[::7]:
        cloud.fault("throttle", action=COMMAND, parameters={"StreamName": name}, seconds=60)
    run = start(ansible, NAMES, apsaravideo_retry_timeout=20)
    assert run.exit_code == 2 and set(run.fleets()[0]["failed_hosts"]) == set(NAMES[::7]), run.output
    assert recording(cloud) == set(NAMES) - set(NAMES[::7])
    calls = cloud.calls(COMMAND)
    assert calls[-1]["time"] - calls[0]["time"] < 5
    assert len(calls) == 20, "half a minute is longer than these streams have"


def test_a_retry_hint_is_observed_for_its_stream(cloud, ansible):
    push(cloud, NAMES)
    cloud.behave(retry_after="on")
    cloud.fault("throttle", action=COMMAND, parameters={"StreamName": NAMES[0]}, seconds=3, times=1)
    run = start(ansible, NAMES)
    assert run.exit_code == 0, run.output
    times = {}
    for call in cloud.calls(COMMAND):
        times.setdefault(call["params"]["StreamName"], []).append(call["time"])
    first, second = times[NAMES[0]]
    assert 3 <= second - first < 6
    assert all(len(times[name]) == 1 and times[name][0] < first + 2 for name in NAMES[1:])


def customize_python(ansible, program):
    """Return an environment in which Python runs a program at each start."""
    directory = ansible.directory / "custom"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(program, encoding="utf-8")
    path = os.pathsep.join([str(directory), *filter(None, [ansible.environ.get("PYTHONPATH")])])
    return {"PYTHONPATH": path}


STEPPING = """
import time
real, monotonic = time.time, time.monotonic
time.time = lambda: real() + ({step} if {every} and int(monotonic() / {every}) % 2 or monotonic() > {at} else 0)
"""


def test_a_clock_step_does_not_exceed_the_rate(cloud, ansible):
    push(cloud, NAMES * 3)
    cloud.behave(limits={COMMAND: 12})
    stepping = customize_python(ansible, STEPPING.format(step=10, every=0.3, at=1e99))
    run = start(ansible, NAMES, stepping, record_rate_limit=10)
    assert run.exit_code == 0, run.output
    calls = cloud.calls(COMMAND)
    assert len(calls) == 20 and not any(call["throttled"] for call in calls)


@pytest.mark.parametrize("way", ["fleet", "module"])
def test_start_at_is_met_although_the_clock_is_set(cloud, ansible, way):
    push(cloud, NAMES[:3])
    step, moment = 3600, time.monotonic() + 8
    stepping = customize_python(ansible, STEPPING.format(step=step, every=0, at=moment))
    at = time.time() + step
    if way == "fleet":
        run = start(ansible, NAMES[:3], stepping, start_at=at)
    else:
        run = record(ansible, NAMES[:3], stepping, start_at=at)
    assert run.exit_code == 0, run.output
    assert time.monotonic() - moment < 8
    assert recording(cloud) == set(NAMES[:3])


FORGETFUL = """
import os, socket
real = socket.getaddrinfo
def resolve(host, *hints, **more):
    if host == "localhost":
        file = os.open({file!r}, os.O_CREAT | os.O_APPEND | os.O_RDWR)
        os.write(file, b".")
        number = os.fstat(file).st_size
        os.close(file)
        if number > 5 and number % 3 == 0:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return real(host, *hints, **more)
socket.getaddrinfo = resolve
"""


@pytest.mark.parametrize("way", ["fleet", "module"])
def test_a_temporary_resolver_failure_is_retried(cloud, ansible, way):
    push(cloud, NAMES)
    looked = ansible.directory / "looked"
    environ = customize_python(ansible, FORGETFUL.format(file=str(looked)))
    environ["APSARAVIDEO_ENDPOINT"] = cloud.endpoint.replace("127.0.0.1", "localhost")
    if way == "fleet":
        cloud.fault("reset_before", action=COMMAND, probability=0.5, seed=1)  # so that connections are made again
        run = start(ansible, NAMES, environ)
    else:
        run = record(ansible, NAMES, environ)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == set(NAMES)
    assert looked.stat().st_size > 8


def test_a_certificate_with_its_host_in_the_subject_only_is_refused(tmp_path):
    authority = Authority(tmp_path)
    issued = authority.issue_without_names("localhost")
    with Emulator(tls_cert=issued, tls_key=issued, ca_path=authority.ca_path) as plain:
        ansible = Ansible(tmp_path, environment(plain))
        url = plain.endpoint.replace("127.0.0.1", "localhost")
        run = start(ansible, NAMES[:2], {"APSARAVIDEO_ENDPOINT": url}, apsaravideo_ca_path=authority.ca_path)
    assert run.exit_code == 2
    messages = {row["error"]["message"] for row in run.entries().values()}
    assert all("certificate of localhost" in text and "is not trusted" in text for text in messages)
