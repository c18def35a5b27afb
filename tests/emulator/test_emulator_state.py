# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state file: preservation of the state across a restart."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from apsaravideo_emulator import scenario
from apsaravideo_emulator.behaviour import Behaviour
from apsaravideo_emulator.clock import Clock
from apsaravideo_emulator.cloud import Cloud
from apsaravideo_emulator.gate import Gate, GateClosed
from apsaravideo_emulator.limits import Limit, Windows
from apsaravideo_emulator.record_model import RecordConfig, RecordFormat
from apsaravideo_emulator.recording import CommandRefused
from apsaravideo_emulator.state import FORMAT, StateError, Stateful, dumps, load, loads, save
from apsaravideo_emulator.world import World
from hypothesis import given, settings
from hypothesis import strategies as st
from signing_client import SigningClient, now_text

from support.emulator import PROGRAM, ROLE, Emulator

ONE, TWO = "live.example.com/app/one", "live.example.com/app/two"
STREAM = {"DomainName": "live.example.com", "AppName": "app", "StreamName": "one"}
COMMAND, STATE = "RealTimeRecordCommand", "DescribeLiveStreamState"
STS = "2015-04-01"


@pytest.fixture(scope="module")
def shared():
    """Start an emulator for the tests that restart it."""
    with Emulator() as emulator:
        yield emulator
        assert emulator.error_output() == ""


@pytest.fixture
def restartable(shared):
    shared.reset()
    return shared


def command(client, name, **stream):
    return client.call(COMMAND, Command=name, **{**STREAM, **stream})


def read_everything(cloud):
    """Return everything that the control API reports, except the present time."""
    state = cloud.state()
    state.pop("now")
    return {"state": state, "calls": cloud.calls(), "behaviour": cloud.control("GET", "behaviour")}


def test_restart_preserves_the_whole_state(restartable):
    cloud, client = restartable, SigningClient(restartable.endpoint)
    cloud.behave(start_in_delay="new", limits={STATE: "7/60"}, http_status={"StreamNotFound": 404})
    cloud.add_accounts(
        {"id": "3", "access_keys": [{"id": "k", "secret": "s"}], "domains": [{"name": "third.example.net"}]}
    )
    cloud.push(ONE, "push.example.com/app/two")
    cloud.set_viewers(3, "live.example.com/app/watched")
    for name in ("start", "restart", "stop"):
        assert command(client, name).status == 200
    assert command(client, "start", StreamName="two").status == 200
    cloud.advance(4000)
    cloud.drop(TWO)
    cloud.add_events(
        {**dict(zip(("domain_name", "app_name", "stream_name"), ONE.split("/"))), "notify_type": "record_error"}
    )
    config = {"AppName": "app", "OssBucket": "b", "OssEndpoint": "e", "OnDemand": 0, "DomainName": STREAM["DomainName"]}
    formats = {"RecordFormat.1.Format": "mp4", "RecordFormat.1.OssObjectPrefix": "{StartTime}{EndTime}"}
    assert client.call("AddLiveAppRecordConfig", **config, **formats).status == 200
    session = client.call("AssumeRole", STS, RoleArn=ROLE, RoleSessionName="session").json["Credentials"]
    before, endpoint, pid = read_everything(cloud), cloud.endpoint, cloud.pid

    cloud.restart()

    assert (cloud.endpoint, cloud.pid == pid) == (endpoint, False)
    assert read_everything(cloud) == before
    assert {"record_started", "record_paused", "file_created", "record_error"} == {
        event["notify_type"] for event in before["state"]["notify_events"]
    }
    temporary = SigningClient(endpoint, (session["AccessKeyId"], session["AccessKeySecret"]), session["SecurityToken"])
    assert temporary.call(STATE, **STREAM).json["StreamState"] == "online"
    third = SigningClient(endpoint, ("k", "s"))
    assert third.call(STATE, **{**STREAM, "DomainName": "third.example.net"}).status == 200
    assert client.call("AddLiveAppRecordConfig", **config, **formats).code == "CodeConfigAlreadyExists"
    assert [call["seq"] for call in cloud.calls()] == list(range(1, 10))


def test_recording_continues_across_restarts(restartable):
    cloud, client = restartable, SigningClient(restartable.endpoint)
    cloud.push(ONE)
    command(client, "start")
    cloud.restart()
    assert command(client, "start").code == "TaskAlreadyStarted"
    cloud.advance(60)
    command(client, "stop")
    cloud.restart()
    cloud.advance(100)
    assert cloud.stream(ONE)["recording"] == "paused"
    cloud.restart()
    cloud.advance(80)
    files = cloud.stream(ONE)["files"]
    assert [file["format"] for file in files] == ["m3u8", "mp4"]
    assert 60 <= files[0]["duration"] < 120
    ledger = cloud.stream(ONE)["ledger"]
    assert [change["command"] for change in ledger["changes"]] == ["start", "stop"]
    cloud.reset()
    assert (cloud.state()["streams"], cloud.calls()) == ([], [])


def test_restart_preserves_limits_and_nonces(restartable):
    cloud, client = restartable, SigningClient(restartable.endpoint)
    cloud.behave(limits={STATE: "3/60"})
    headers = client.headers(STATE, query="AppName=app&DomainName=live.example.com&StreamName=one")
    target = "/?AppName=app&DomainName=live.example.com&StreamName=one"
    assert client.send("POST", target, headers).status == 200
    cloud.restart()
    assert client.send("POST", target, headers).code == "SignatureNonceUsed"
    assert [client.call(STATE, **STREAM).code for _number in range(3)] == [None, None, "Throttling.User"]


def test_connections_are_refused_during_a_restart(restartable):
    cloud, client = restartable, SigningClient(restartable.endpoint)
    restart = threading.Thread(target=cloud.restart, kwargs={"down": 0.4})
    restart.start()
    refused = 0
    while restart.is_alive():
        try:
            client.call(STATE, **STREAM)
        except ConnectionRefusedError:
            refused += 1
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.02)
    restart.join()
    assert refused > 3
    assert client.call(STATE, **STREAM).status == 200


def test_delayed_call_during_a_restart_has_no_effect(restartable):
    cloud, client = restartable, SigningClient(restartable.endpoint)
    cloud.push(ONE)
    cloud.fault("delay", seconds=20)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(command, client, "start")
        time.sleep(0.3)
        cloud.restart()
        with pytest.raises((OSError, http.client.HTTPException)):
            waiting.result()
    assert cloud.stream(ONE)["recording"] == "idle"
    assert cloud.calls() == []
    assert cloud.clear_faults() == {"delay": 1}


def test_restarts_under_load_lose_no_completed_call(restartable):
    """Verify that every stream is recording after restarts under load, and that every change is in the call log."""
    cloud = restartable
    names = [f"s{number}" for number in range(400)]
    cloud.push(*(f"live.example.com/app/{name}" for name in names))
    cloud.behave(limits={COMMAND: 1_000_000})
    responses, remaining, lock = [], list(reversed(names)), threading.Lock()

    def send_starts():
        client = SigningClient(cloud.endpoint)
        while True:
            with lock:
                if not remaining:
                    return
                name = remaining.pop()
            try:
                response = command(client, "start", StreamName=name)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                with lock:
                    remaining.insert(0, name)
                continue
            responses.append((name, response.code))

    threads = [threading.Thread(target=send_starts) for _number in range(4)]
    for thread in threads:
        thread.start()
    restarts = 0
    while restarts < 3:
        cloud.restart()
        restarts += 1
    for thread in threads:
        thread.join()
    streams = {stream["stream_name"]: stream for stream in cloud.state()["streams"]}
    logged = {call["request_id"]: call for call in cloud.calls(COMMAND)}
    assert {name for name, _code in responses} == set(names)
    assert {code for _name, code in responses} <= {None, "TaskAlreadyStarted"}
    for name in names:
        (change,) = streams[name]["ledger"]["changes"]
        assert logged[change["request_id"]]["params"]["StreamName"] == name
        assert streams[name]["recording"] == "recording"


def test_restart_keeps_the_generated_certificate():
    with Emulator(tls=True) as cloud:
        client = SigningClient(cloud.endpoint, ca=cloud.ca_path)
        with open(cloud.ca_path, encoding="ascii") as file:
            before = file.read()
        cloud.restart()
        with open(cloud.ca_path, encoding="ascii") as file:
            assert file.read() == before
        assert client.call(STATE, **STREAM).status == 200


# The file


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, **environment},
    )


def test_state_file_is_private_and_complete(tmp_path):
    path = tmp_path / "state.json"
    with Emulator(state_file=path) as cloud:
        cloud.push(ONE)
        assert list(tmp_path.iterdir()) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Emulator(state_file=path) as cloud:
        assert cloud.stream(ONE)["online"] is True
        assert cloud.control("POST", "shutdown", {}) == {}
        cloud._process.wait(5)
    assert json.loads(path.read_text())["format"] == FORMAT


def test_state_contains_only_switches_changed_at_run_time(tmp_path):
    path = tmp_path / "state.json"
    with Emulator(state_file=path, idle_stop="error") as cloud:
        cloud.behave(idle_cancel="error")
    with Emulator(state_file=path, idle_restart="error") as cloud:
        behaviour = cloud.control("GET", "behaviour")
    assert [behaviour[f"idle_{name}"] for name in ("stop", "cancel", "restart")] == ["ok", "error", "error"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot use the state"),
        ("[]", "cannot use the state"),
        ('{"format": 0, "content": {}}', "another version"),
        (f'{{"format": {FORMAT}, "shared": [], "content": {{"dict": []}}}}', "behaviour"),
        (f'{{"format": {FORMAT}, "shared": [], "content": {{"Popen": {{}}}}}}', "Popen"),
        (f'{{"format": {FORMAT}, "shared": [], "content": {{"shared": 0}}}}', "out of range"),
    ],
)
def test_invalid_state_files_are_refused(tmp_path, content, message):
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(StateError, match=message):
        load(str(path), World(scenario.DEFAULT, {}))


def test_program_reports_an_unusable_state_file(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("{}")
    result = run(f"--state-file={path}")
    assert (result.returncode, result.stdout) == (2, "")
    assert str(path) in result.stderr
    assert "cannot write into" in run("--state-file=/nonexistent/state").stderr


def test_failed_write_leaves_the_old_file(tmp_path):
    class Failing(Stateful):
        STATE_FIELDS = ("thing",)
        thing = object()

    path = tmp_path / "state"
    path.write_text("old")
    with pytest.raises(TypeError, match="object is not stored"):
        save(str(path), Failing())
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("state", "old")]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.tuples(st.text(), st.text()), inner)
        | inner.map(lambda value: RecordFormat("mp4", 60, value))
    ),
    max_leaves=20,
)


@given(VALUES)
def test_unpacking_returns_the_packed_value(value):
    assert loads(dumps(value)) == value


def test_shared_immutable_objects_stay_shared():
    config = RecordConfig(1, "d", "*", "*", 0, "b", "e", 0.0, formats=(RecordFormat("mp4", 60, "p"),) * 2)
    one, other = loads(dumps([config, config]))
    assert one is other
    assert one.formats[0] is one.formats[1]
    assert dumps([config, config]).count('"mp4"') == 1


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["start", "stop", "cancel_delay", "restart", "push", "drop", "end", "end"]), st.integers(1, 400)
    ),
    max_size=30,
)


@settings(deadline=None)
@given(STEPS, st.sampled_from([0, 7]))
def test_restarts_do_not_change_the_result(steps, mode):
    """Apply equal steps to two worlds, one of which is saved and restored in between, and compare their states."""

    class Wall:
        time = 1_000_000.0

    def make_world():
        made = World({"accounts": [{"id": "1", "domains": [{"name": "d"}]}]}, {}, Clock(lambda: Wall.time))
        formats = (RecordFormat("mp4", 150, "{StartTime}"),)
        made.cloud.add_config(RecordConfig(0, "d", "*", "*", mode, "b", "e", 0, 60, formats))
        return made

    worlds = [make_world(), make_world()]
    for step in steps:
        if isinstance(step, int):
            Wall.time += step
        elif step == "end":
            text = dumps(worlds[1].snapshot())
            worlds[1] = make_world()
            worlds[1].restore(loads(text))
            assert dumps(worlds[1].snapshot()["cloud"]) == dumps(loads(text)["cloud"])
        else:
            for each in worlds:
                apply_step(each.cloud, step)
    for each in worlds:
        each.cloud.settle()
    first, second = (without_record_ids(json.loads(dumps(each.cloud.snapshot()))) for each in worlds)
    assert first == second


def apply_step(cloud: Cloud, step: str) -> None:
    if step == "push":
        cloud.begin_push("d", "a", "s")
    elif step == "drop":
        cloud.end_push("d", "a", "s")
    else:
        with contextlib.suppress(CommandRefused):
            cloud.record(step, ("d", "a", "s"), "request")


def without_record_ids(value):
    """Remove the ids of files, which are random."""
    if isinstance(value, dict):
        return {name: without_record_ids(item) for name, item in value.items() if name != "record_id"}
    return [without_record_ids(item) for item in value] if isinstance(value, list) else value


def test_only_changed_switches_are_restored():
    world = World(scenario.DEFAULT, {"idle_stop": "error"})
    world.behaviour.update({"idle_stop": "ok", "limits": {"A": "5/2"}})
    other = World(scenario.DEFAULT, {"generation": "old"})
    other.restore(loads(dumps(world.snapshot())))
    expected = Behaviour(generation="old", idle_stop="ok", limits={"A": Limit(5, 2)})
    assert other.behaviour == expected


def test_accounts_are_restored():
    empty, full = World({}, {}), World(scenario.DEFAULT, {})
    empty.restore(loads(dumps(full.snapshot())))
    assert vars(empty.cloud.identities) == vars(full.cloud.identities)
    assert len(empty.cloud.identities.providers) == 1
    assert empty.cloud.domains == full.cloud.domains


def test_pending_callbacks_are_sent_after_restoring():
    world = World(scenario.DEFAULT, {"notify_result": "deliver"})
    event = world.cloud.add_event(("live.example.com", "app", "one"), "record_error", 0)
    event.result = ""
    other = World(scenario.DEFAULT, {"notify_result": "deliver"})
    other.restore(loads(dumps(world.snapshot())))
    deadline = time.monotonic() + 5
    while not other.cloud.notify_log[0].result and time.monotonic() < deadline:
        time.sleep(0.01)
    assert other.cloud.notify_log[0].result == "failed"


def test_windows_are_restored_with_another_time_source():
    windows = Windows(lambda: 100.0)
    for _number in range(2):
        assert windows.admit(("a", "b"), Limit(2, 60)) == 0
    other = Windows(lambda: 5.0)
    other.restore(loads(dumps(windows.snapshot())))
    assert 59_000 < other.admit(("a", "b"), Limit(2, 60)) <= 60_000


def test_closed_gate_waits_and_refuses_entry():
    gate = Gate()
    with gate:
        started = time.monotonic()
        gate.close(0.1)
        assert time.monotonic() - started >= 0.1
    with pytest.raises(GateClosed), gate:
        pass
    gate.close(10)


def test_notify_log_is_listed_after_a_restart(restartable):
    cloud, client = restartable, SigningClient(restartable.endpoint)
    cloud.push(ONE)
    command(client, "start")
    cloud.restart()
    window = {"StartTime": now_text(-60), "EndTime": now_text(60), "PageNumber": 1, "PageSize": 5}
    rows = client.call("DescribeLiveRecordNotifyRecords", DomainName="live.example.com", **window).json["CallbackList"]
    assert [row["NotifyType"] for row in rows] == ["record_started"]
