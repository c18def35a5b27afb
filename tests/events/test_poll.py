# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source apsaravideo_poll, the filter and the schema, with the emulator as the cloud."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import jsonschema
import pytest

from support.emulator import Emulator
from support.playbook import environment
from support.receiver import PLUGINS, Engine, Source, load_plugin
from support.rulebook import scenario, wait_until

ONE = "live.example.com/app/one"
SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs" / "event.schema.json").read_text())


class Polling:
    """The source that polls, in a process of its own; `events` are those that it has put."""

    def __init__(self, cloud, directory, **arguments):
        given = {"domains": ["live.example.com"], "interval": 1, "batch_window": 0.2, **arguments}
        program = [sys.executable, str(PLUGINS / "event_source" / "apsaravideo_poll.py"), json.dumps(given)]
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}
        self._output = directory / "polled"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(program, stdout=output, env={**environ, **environment(cloud)})

    def events(self):
        batches = [json.loads(line) for line in self._output.read_text().splitlines(keepends=True) if line[-1] == "\n"]
        return [event for batch in batches for event in batch["events"]]

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._process.kill()
        self._process.wait()


def uuids(events):
    return {(event["type"], event["meta"]["uuid"]) for event in events}


def start_recording(cloud, directory):
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "XDG_RUNTIME_DIR": str(directory), **environment(cloud)}
    (directory / "streams.yml").write_text(
        "{all: {children: {streams: {hosts: {one: {domain_name: live.example.com, app_name: app, stream_name: one}}}}}}"
    )
    program = Path(sys.executable).with_name("ansible-playbook")
    environ["ANSIBLE_COLLECTIONS_PATH"] = str(PLUGINS.parents[5])
    subprocess.run([program, "apsaravideo.live.start", "-i", "streams.yml"], cwd=directory, env=environ, check=True)


def test_poll_makes_the_same_events_as_the_callbacks(tmp_path):
    engine = Engine()
    with Source(engine, callback_hosts=["127.0.0.1"], batch_window=0.2) as source, ExitStack() as stack:
        cloud = stack.enter_context(Emulator(scenario=scenario(source.port), notify_result="deliver"))
        with Polling(cloud, tmp_path, ingest_domains={"push.example.com": "live.example.com"}) as polling:
            cloud.push(ONE)
            start_recording(cloud, tmp_path)
            wait_until(engine.count, 10, "the callback of the push")
            cloud.drop(ONE)
            wait_until(lambda: engine.count("stream_offline") and engine.count("record_paused"), 10, "its end")
            wait_until(lambda: len(polling.events()) == 4, 10, "the same events")
            received = [event for batch in engine.events for event in batch["events"]]
            assert sorted(polling.events(), key=str) == sorted(received, key=str)
            assert not any(row["throttled"] for row in cloud.calls())
    for event in [*engine.events, *received]:
        jsonschema.validate(event, SCHEMA)


def test_poll_of_the_online_list_finds_pushes_without_callbacks(tmp_path):
    with Emulator() as cloud:
        cloud.push(ONE)
        with Polling(cloud, tmp_path) as polling:
            wait_until(lambda: [event["type"] for event in polling.events()] == ["stream_online"], 10, "the push")
            cloud.drop(ONE)
            wait_until(lambda: polling.events()[-1]["type"] == "stream_offline", 10, "its end")


def test_poll_goes_on_after_failures_of_the_cloud(tmp_path):
    with Emulator() as cloud, Polling(cloud, tmp_path, connection={"retry_timeout": 0}) as polling:
        wait_until(lambda: cloud.calls("DescribeLiveStreamsOnlineList"), 15, "a poll")
        cloud.fault("status_503", times=6)
        cloud.push(ONE)
        wait_until(polling.events, 20, "the push")


def test_poll_with_wrong_credentials_says_so_and_shows_no_secret(tmp_path):
    with Emulator() as cloud:
        given = {"domains": ["live.example.com"], "connection": {"access_key_id": "x"}}
        program = [sys.executable, str(PLUGINS / "event_source" / "apsaravideo_poll.py"), json.dumps(given)]
        done = subprocess.run(
            program,
            env={"HOME": str(tmp_path), **environment(cloud)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode and "access_key_secret" in done.stderr
    assert "testAccessKeySecret" not in done.stderr


@pytest.mark.parametrize("payload", [True, False])
def test_filter_normalizes_what_a_webhook_receives(payload):
    body = {
        "domain": "live.example.com",
        "app": "app",
        "stream": "one",
        "uri": "a.mp4",
        "start_time": 1,
        "stop_time": 2,
    }
    event = load_plugin("event_filter", "normalize").main({"payload": body} if payload else body)
    assert (event["type"], event["stream_id"]) == ("file_created", ONE)
    jsonschema.validate(event, SCHEMA)
