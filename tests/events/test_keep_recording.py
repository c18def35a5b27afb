# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook keep_recording with a real ansible-rulebook, and the emulator as the cloud that sends callbacks.

What is measured on an idle machine is in measure.py; bounds here are those of a busy one.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import time

import pytest

from support.emulator import KEY, Emulator
from support.playbook import streams
from support.receiver import sign_headers
from support.rulebook import PROGRAM, RECORDING_KEY, Rulebook, free_port, scenario, wait_until

pytestmark = pytest.mark.usefixtures("java")
ONE, TWO, STRANGER = (f"live.example.com/app/{name}" for name in ("one", "two", "stranger"))


@pytest.fixture
def cloud_at(tmp_path):
    """Return a function that starts a cloud, and a rulebook that gets its callbacks."""
    running = []

    def start(wanted, **variables):
        port = free_port()
        cloud = Emulator(scenario=scenario(port), notify_result="deliver").start()
        running.append(cloud.stop)
        rulebook = Rulebook(tmp_path, cloud, port, **variables)
        rulebook.inventory(wanted)
        running.append(rulebook.kill)
        return cloud, rulebook.start()

    yield start
    for end in reversed(running):
        end()


def is_recorded(cloud, stream):
    return cloud.stream(stream)["recording"] == "recording"


def starts(cloud, stream):
    name = stream.rpartition("/")[2]
    return [row for row in cloud.calls("RealTimeRecordCommand") if row["params"]["StreamName"] == name]


def command(rulebook, playbook):
    """Run a playbook of the collection in another environment, as on another machine."""
    program = PROGRAM.with_name("ansible-playbook")
    home = rulebook.directory / "elsewhere"
    home.mkdir(exist_ok=True)
    environ = {**rulebook.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    inventory = rulebook.directory / "inventory.json"
    subprocess.run([program, f"apsaravideo.live.{playbook}", "-i", inventory], cwd=home, env=environ, check=True)


def test_stream_that_is_pushed_again_is_recorded_again_and_a_stranger_is_not(cloud_at):
    hostile = {"domain_name": "live.example.com", "app_name": "app", "stream_name": "{{ lookup('pipe', 'touch hit') }}"}
    cloud, rulebook = cloud_at(streams([ONE]))
    for _number in range(2):
        cloud.push(ONE, STRANGER, hostile)
        wait_until(lambda: is_recorded(cloud, ONE), 20, "recorded")
        cloud.drop(ONE, STRANGER)
        wait_until(lambda: rulebook.health()["forwarded"] == rulebook.health()["received"], 10, "forwarded")
    assert len(starts(cloud, ONE)) == 2
    assert not starts(cloud, STRANGER)
    assert {row["params"]["StreamName"] for row in cloud.calls("RealTimeRecordCommand")} == {"one"}
    assert not list(rulebook.directory.rglob("hit"))


def test_deliberate_stop_is_respected_also_after_another_push(cloud_at):
    cloud, rulebook = cloud_at(streams([ONE, TWO]), events_spool="spool")
    cloud.push(ONE, TWO)
    wait_until(lambda: is_recorded(cloud, ONE) and is_recorded(cloud, TWO), 20, "recorded")
    command(rulebook, "stop")
    stopped_at = time.monotonic()
    wait_until(lambda: not is_recorded(cloud, ONE), 10, "stopped")
    time.sleep(max(0.0, 16.5 - (time.monotonic() - stopped_at)))  # a pause is the push's end if it comes just before it
    assert not is_recorded(cloud, ONE)
    cloud.drop(ONE, TWO)
    wait_until(lambda: rulebook.health()["received"] >= 8, 10, "the end of both pushes")
    cloud.push(ONE, TWO)
    wait_until(lambda: rulebook.health()["forwarded"] >= 10, 10, "the push was received")
    time.sleep(4)
    assert not is_recorded(cloud, ONE) and not is_recorded(cloud, TWO)
    command(rulebook, "start")
    wait_until(lambda: is_recorded(cloud, ONE), 10, "somebody started it")
    wait_until(lambda: rulebook.health()["forwarded"] >= 12, 10, "the start was received")
    cloud.drop(ONE)
    time.sleep(1)
    cloud.push(ONE)
    wait_until(lambda: is_recorded(cloud, ONE), 20, "kept again")


def test_stream_is_left_alone_outside_its_windows(cloud_at):
    now = int(time.time())
    wanted = streams([ONE, TWO])
    wanted["one"].update(record_windows=[{"start": now - 7200, "stop": now - 3600}])
    wanted["two"].update(record_windows=[{"start": now - 60, "stop": now + 3600}])
    cloud, _rulebook = cloud_at(wanted)
    cloud.push(ONE, TWO)
    wait_until(lambda: is_recorded(cloud, TWO), 20, "the one whose window is open")
    assert not starts(cloud, ONE)


def test_flapping_stream_causes_no_storm(cloud_at):
    cloud, rulebook = cloud_at(streams([ONE]))
    for _number in range(8):
        cloud.push(ONE)
        time.sleep(2.3)
        cloud.drop(ONE)
        time.sleep(0.2)
    cloud.push(ONE)
    wait_until(lambda: is_recorded(cloud, ONE), 40, "recorded in the end")
    assert rulebook.runs() <= 10


def test_recording_error_runs_the_hook(cloud_at, tmp_path):
    hook = tmp_path / "hook.yml"
    copy = {"content": "{{ keep_error_streams | to_json }}", "dest": str(tmp_path / "errors"), "mode": "0600"}
    tasks = [{"name": "Write", "ansible.builtin.copy": copy}]
    play = {"name": "Hook", "hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    hook.write_text(json.dumps([play]))
    _cloud, rulebook = cloud_at(streams([ONE]), keep_error_playbook=str(hook), events_allow_unsigned=True)
    connection = http.client.HTTPConnection("127.0.0.1", rulebook.port)
    error = {"code": "BucketNotFound", "message": "Bucket not found"}
    names = {"domain": "live.example.com", "app": "app", "stream": "one {{"}
    body = json.dumps({**names, "event": "record_error", "error_info": error})
    connection.request("POST", "/events", body, sign_headers("127.0.0.1", RECORDING_KEY, {}))
    assert connection.getresponse().status == 200
    wait_until((tmp_path / "errors").exists, 20, "the hook")
    assert json.loads((tmp_path / "errors").read_text()) == ["live.example.com/app/one%20%7B%7B"]


def test_killed_rulebook_loses_no_stream(cloud_at, tmp_path):
    names = [f"live.example.com/app/s{number}" for number in range(120)]
    cloud, rulebook = cloud_at(streams(names), events_spool=str(tmp_path / "spool"))
    cloud.push(*names)
    wait_until(lambda: cloud.calls("RealTimeRecordCommand"), 30, "the first command")
    rulebook.kill()
    assert len([row for row in cloud.state()["streams"] if row["recording"] == "recording"]) < len(names)
    rulebook.start()
    wait_until(lambda: all(row["recording"] == "recording" for row in cloud.state()["streams"]), 40, "all recorded")
    calls = cloud.calls("RealTimeRecordCommand")
    assert {row["params"]["Command"] for row in calls} == {"start"}
    assert KEY[1] not in rulebook.log.read_text()


def test_callbacks_that_were_lost_while_the_rulebook_was_down_are_read_from_the_logs(cloud_at, tmp_path):
    state = tmp_path / "poll.json"
    polling = {"events_poll_domains": ["live.example.com"], "events_poll_interval": 2}
    cloud, rulebook = cloud_at(streams([ONE]), **polling, events_poll_state_file=str(state))
    rulebook.kill()
    cloud.push(ONE)
    time.sleep(4)  # The callback, two seconds after the push, finds nobody.
    assert not starts(cloud, ONE)
    rulebook.start()
    wait_until(lambda: is_recorded(cloud, ONE), 20, "recorded")
