# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What those who write variables, a cache, or files where ours should be cannot do; and where secrets went astray."""

from __future__ import annotations

import json

import pytest
from emulator import KEY
from playbook import STREAM, WAYS, streams

RECORD = "apsaravideo.live.apsaravideo_record"
ALLOW = "apsaravideo_allow_external_process"
NO_KEYS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "",
    "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
}
HOST = {name: f"{{{{ {name} }}}}" for name in ("domain_name", "app_name", "stream_name")}


class Program:
    """A profile whose program prints keys, and leaves a mark where it has run."""

    def __init__(self, ansible):
        self.ansible, self._mark = ansible, ansible.directory / "has-run"
        printed = {"mode": "AK", "access_key_id": KEY[0], "access_key_secret": KEY[1]}
        script = ansible.directory / "program"
        script.write_text(f"#!/bin/sh\ntouch {self._mark}\necho '{json.dumps(printed)}'\n", encoding="utf-8")
        script.chmod(0o700)
        self.file = ansible.directory / "profiles.json"
        profile = {"name": "default", "mode": "External", "process_command": str(script)}
        self.file.write_text(json.dumps({"profiles": [profile]}), encoding="utf-8")
        self.file.chmod(0o600)
        ansible.environ.update(NO_KEYS)

    def has_run(self):
        found = self._mark.exists()
        self._mark.unlink(missing_ok=True)
        return found

    def inventory(self, **variables):
        variables = {"apsaravideo_credentials_file": str(self.file), **variables}
        return str(self.ansible.inventory(streams([STREAM]), ansible_connection="local", **variables))


@pytest.fixture(name="program")
def a_program(cloud, ansible):
    cloud.push(STREAM)
    return Program(ansible)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_variable_lets_no_program_run_for_a_task(cloud, program, way):
    play = {"hosts": "streams", **way}
    tasks = [{"name": "start", RECORD: HOST}]
    allowing = program.inventory(**{ALLOW: True})
    run = program.ansible.play(tasks, "-i", allowing, **play)
    assert run.exit_code == 2 and not program.has_run() and cloud.calls() == []
    assert "other variables do not count" in run.result("start")["msg"]
    run = program.ansible.play(tasks, "-i", allowing, **{**play, "vars": {**play.get("vars", {}), ALLOW: True}})
    assert run.exit_code == 2 and not program.has_run() and cloud.calls() == []
    run = program.ansible.play(tasks, "-i", allowing, "-e", f"{ALLOW}=true", **play)
    assert run.exit_code == 0 and program.has_run(), run.output
    allowed = [{"name": "start", RECORD: {**HOST, "allow_external_process": True}}]
    run = program.ansible.play(allowed, "-i", program.inventory(), **play)
    assert run.exit_code == 0 and program.has_run(), run.output
    environ = {"APSARAVIDEO_ALLOW_EXTERNAL_PROCESS": "true"}
    run = program.ansible.play(tasks, "-i", allowing, environ=environ, **play)
    assert run.exit_code == 0 and program.has_run(), run.output
    run = program.ansible.play(tasks, "-i", program.inventory(**{ALLOW: False}), environ=environ, **play)
    assert run.exit_code == 2 and not program.has_run(), "what forbids it counts from anywhere"


def test_a_variable_lets_no_program_run_in_a_fleet(cloud, program):
    arguments = ("apsaravideo.live.start", "-i", program.inventory(**{ALLOW: True}))
    run = program.ansible.playbook(*arguments)
    assert run.exit_code == 2 and not program.has_run() and cloud.calls() == [], run.output
    run = program.ansible.playbook(*arguments, "-e", json.dumps({ALLOW: True}))
    assert run.exit_code == 0 and program.has_run(), run.output


def test_an_entry_of_the_inventory_lets_no_program_run_for_the_sweep(cloud, program):
    """The excess is stopped with the connection of one of the hosts."""
    cloud.push(STREAM, "live.example.com/myapp/stray")
    inventory = program.inventory(**{ALLOW: True})
    run = program.ansible.playbook("apsaravideo.live.sweep", "-i", inventory, "-e", "wanted=streams")
    assert run.exit_code == 2 and not program.has_run() and cloud.calls() == [], run.output


def test_an_inventory_source_lets_no_program_run(cloud, program):
    domain = {"domain_name": "live.example.com", "credentials_file": str(program.file)}
    source = program.ansible.directory / "live.apsaravideo.yml"

    def play(*arguments, environ=None, **options):
        everything = {"plugin": "apsaravideo.live.apsaravideo_streams", "domains": [domain], **options}
        source.write_text(json.dumps(everything), encoding="utf-8")
        tasks = [{"ansible.builtin.debug": {"msg": "{{ groups.streams | default([]) }}"}}]
        environ = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", **(environ or {})}
        return program.ansible.play(tasks, "-i", str(source), *arguments, environ=environ)

    run = play(allow_external_process=True)
    assert run.exit_code != 0 and not program.has_run() and cloud.calls() == []
    domain["allow_external_process"] = True
    run = play()
    assert run.exit_code != 0 and not program.has_run() and cloud.calls() == []
    assert "other variables do not count" in " ".join(run.output.split())
    run = play("-e", f"{ALLOW}=true")
    assert run.exit_code == 0 and program.has_run() and len(cloud.calls()) == 1, run.output
    domain["allow_external_process"] = False
    run = play(environ={"APSARAVIDEO_ALLOW_EXTERNAL_PROCESS": "true"})
    assert run.exit_code != 0 and not program.has_run(), "what forbids it counts"
