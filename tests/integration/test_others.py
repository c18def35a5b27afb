# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's variables, caches and files, which cannot run a program or block a run; and misplaced secrets."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from support.emulator import KEY
from support.playbook import STREAM, WAYS, streams

RECORD = "apsaravideo.live.apsaravideo_record"
ALLOW = "apsaravideo_allow_external_process"
NO_KEYS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "",
    "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
}
HOST = {name: f"{{{{ {name} }}}}" for name in ("domain_name", "app_name", "stream_name")}


class Program:
    """A profile whose program prints credentials, and creates a file when it runs."""

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
def make_program(cloud, ansible):
    cloud.push(STREAM)
    return Program(ansible)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_variable_cannot_allow_a_program_for_a_task(cloud, program, way):
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


def test_a_variable_cannot_allow_a_program_for_a_fleet(cloud, program):
    arguments = ("apsaravideo.live.start", "-i", program.inventory(**{ALLOW: True}))
    run = program.ansible.playbook(*arguments)
    assert run.exit_code == 2 and not program.has_run() and cloud.calls() == [], run.output
    run = program.ansible.playbook(*arguments, "-e", json.dumps({ALLOW: True}))
    assert run.exit_code == 0 and program.has_run(), run.output


def test_a_host_variable_cannot_allow_a_program_for_sweep(cloud, program):
    """Unwanted streams are stopped with the connection of one of the hosts."""
    cloud.push(STREAM, "live.example.com/myapp/stray")
    inventory = program.inventory(**{ALLOW: True})
    run = program.ansible.playbook("apsaravideo.live.sweep", "-i", inventory, "-e", "wanted=streams")
    assert run.exit_code == 2 and not program.has_run() and cloud.calls() == [], run.output


def test_an_inventory_source_cannot_allow_a_program(cloud, program):
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


ASTRAY = "Hk3vPlantedSecret9xQz"
SOURCES = {
    "a list as a domain": {"domains": [["access_key_secret", ASTRAY]]},
    "a number beside it": {"domains": ["live.example.com", {ASTRAY: 1, "a-b": 1}, ["access_key_secret", ASTRAY]]},
    "a list as a name": {"domains": [{"domain_name": ["access_key_secret", ASTRAY]}]},
    "a mapping as a name": {"domains": [{"domain_name": {"access_key_secret": ASTRAY}}]},
    "a text as a domain": {"domains": [f"access_key_secret: {ASTRAY}"]},
    "a list as a stream": {"streams": [["access_key_secret", ASTRAY]]},
    "a text as a stream": {"streams": [f"access_key_secret: {ASTRAY}/a/b"]},
    "an app": {"domains": ["live.example.com"], "apps": [f"{ASTRAY}*"]},
    "a role": {"domains": [{"domain_name": "live.example.com", "role_arn": ASTRAY}]},
    "a time": {"domains": [{"domain_name": "live.example.com", "read_timeout": ASTRAY}]},
    "a profile": {"domains": [{"domain_name": "live.example.com", "profile": ASTRAY}]},
    "a file": {"domains": [{"domain_name": "live.example.com", "credentials_file": ASTRAY}]},
    "certificates": {"domains": [{"domain_name": "live.example.com", "ca_path": ASTRAY}]},
    "an endpoint": {"domains": [{"domain_name": "live.example.com", "endpoint": ASTRAY}]},
    "a filter": {"domains": ["live.example.com"], "filters": [{"access_key_secret": ASTRAY}]},
    "a condition": {"domains": ["live.example.com"], "filters": [{"include": f"a {ASTRAY}"}]},
    "a condition that fails": {"domains": ["live.example.com"], "filters": [{"include": f"'{ASTRAY}' + 1 + a"}]},
    "a name of a host": {"domains": ["live.example.com"], "hostnames": [f"a {ASTRAY}"]},
    "a name that fails": {"domains": ["live.example.com"], "hostnames": [f"'{ASTRAY}' + 1"], "strict": True},
    "a query": {"domains": ["live.example.com"], "query": f"{ASTRAY} {ASTRAY}"},
}


@pytest.mark.parametrize("case", SOURCES)
def test_a_misplaced_secret_in_a_source_is_not_quoted(cloud, ansible, case):
    cloud.push(STREAM)
    (ansible.directory / ".aliyun").mkdir()
    (ansible.directory / ".aliyun" / "config.json").write_text('{"profiles": []}', encoding="utf-8")
    source = ansible.directory / "live.apsaravideo.yml"
    source.write_text(json.dumps({"plugin": "apsaravideo.live.apsaravideo_streams", **SOURCES[case]}), encoding="utf-8")
    run = ansible.play([{"ansible.builtin.debug": {"msg": "x"}}], "-i", str(source), "-vvv")
    output = " ".join(run.output.split())
    assert ASTRAY not in output and ASTRAY.lower() not in output
    assert "Failed to parse" in output or "could not be evaluated" in output, "the case is one"


OPTIONS_ASTRAY = (
    "role_arn",
    "profile",
    "credentials_file",
    "ca_path",
    "endpoint",
    "region_id",
    "read_timeout",
    "rate_limit",
)


def test_a_misplaced_secret_in_an_option_is_not_quoted(cloud, ansible):
    """This is about host variables; ansible-core itself reports invalid options of a task."""
    (ansible.directory / ".aliyun").mkdir()
    (ansible.directory / ".aliyun" / "config.json").write_text('{"profiles": []}', encoding="utf-8")
    value = {"region_id": f"{ASTRAY}!"}
    hosts = {
        name: {
            "domain_name": f"{number}.example.com",
            "app_name": "a",
            "stream_name": "s",
            f"apsaravideo_{name}": value.get(name, ASTRAY),
        }
        for number, name in enumerate(OPTIONS_ASTRAY)
    }
    hosts["app_name"] = {"domain_name": "live.example.com", "app_name": [ASTRAY], "stream_name": "s"}
    inventory = str(ansible.inventory(hosts))
    for name in ("start", "status"):
        run = ansible.playbook(f"apsaravideo.live.{name}", "-i", inventory)
        assert run.exit_code == 2 and ASTRAY not in run.output, run.output
    assert cloud.calls() == []


MANY = [f"live.example.com/app/s{number:02}" for number in range(16)]


@pytest.fixture(name="occupied")
def occupy_directory(ansible):
    """Make the directory of the rate limiter another user's, in an environment without a runtime directory."""
    del ansible.environ["XDG_RUNTIME_DIR"]
    with tempfile.TemporaryDirectory() as shared:  # a short path, because Ansible makes sockets there
        place = Path(shared) / f"apsaravideo-live-{os.getuid()}"
        if os.getuid() == 0:
            place.mkdir()
            os.chown(place, 12345, 12345)
        else:
            place.symlink_to(ansible.directory)
        ansible.environ["TMPDIR"] = shared
        yield place


def test_workers_share_the_quota_although_the_directory_is_another_users(cloud, ansible, occupied):
    cloud.behave(limits={"RealTimeRecordCommand": 5})
    cloud.push(*MANY)
    inventory = str(ansible.inventory(streams(MANY), ansible_connection="local"))
    tasks = [{"name": "start", RECORD: {**HOST, "rate_limit": 4}}]
    run = ansible.play(tasks, "-i", inventory, "--forks", "16", hosts="streams")
    assert run.exit_code == 0, run.output
    assert [call for call in cloud.calls() if call["throttled"]] == [] and len(cloud.calls()) == 16
    assert sum(result["waited_seconds"] for result in run.results("start").values()) > 1
    output = " ".join(run.output.split())
    assert "in this run alone, so that several runs together may exceed the quota" in output
    assert occupied.is_symlink() or os.listdir(occupied) == []


def make_special_files(directory):
    """Create a pipe without a writer, a directory and a link to a pipe; return them by name, with an endless device."""
    os.mkfifo(directory / "pipe")
    (directory / "folder").mkdir()
    (directory / "link").symlink_to("pipe")
    return {**{name: str(directory / name) for name in ("pipe", "folder", "link")}, "device": "/dev/zero"}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_special_files_as_credentials_or_certificates_are_refused_at_once(cloud, ansible, way):
    found = make_special_files(ansible.directory)
    oidc = {"ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "p", "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/r"}
    names = streams([STREAM])["stream01"]
    tasks = []
    for kind, path in list(found.items())[: None if way == {} else 1]:
        for option in ("credentials_file", *(("ca_path",) if kind != "folder" else ())):
            tasks.append({"name": f"{option} {kind}", RECORD: {**names, option: path}})
        token = {**NO_KEYS, **oidc, "ALIBABA_CLOUD_OIDC_TOKEN_FILE": path}
        tasks.append({"name": f"token {kind}", RECORD: names, "environment": token})
    endpoint = {"endpoint": cloud.endpoint.replace("http:", "https:")}
    for task in tasks:
        task[RECORD] = {**task[RECORD], **endpoint, "retry_timeout": 0}
        task["ignore_errors"] = True
    run = ansible.play(tasks, **way)
    for task in tasks:
        result = run.result(task["name"])
        assert ("Is a directory" if "folder" in task["name"] else "a pipe or a device") in result["msg"], task["name"]
        assert result["api_calls"] == 0
    assert cloud.calls() == []


def test_special_files_of_the_environment_do_not_block_a_fleet(cloud, ansible):
    cloud.push(STREAM)
    inventory = str(ansible.inventory(streams([STREAM])))
    os.mkfifo(ansible.directory / "pipe")
    pipe = str(ansible.directory / "pipe")
    for environ, expected in (
        ({**NO_KEYS, "ALICLOUD_SHARED_CREDENTIALS_FILE": pipe}, 2),
        ({**NO_KEYS, "ALIBABA_CLOUD_CREDENTIALS_FILE": pipe, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}, 2),
        ({"REQUESTS_CA_BUNDLE": pipe}, 0),  # which is for https
    ):
        with ansible.begin("apsaravideo.live.start", "-i", inventory, environ=environ) as process:
            run = ansible.end(process, timeout=60)
        assert run.exit_code == expected, run.output
        assert expected == 0 or "it is a pipe or a device" in " ".join(run.output.split())


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "link to a file"])
def test_special_files_are_never_written(cloud, ansible, kind):
    cloud.push(MANY[0])
    found = make_special_files(ansible.directory)
    (ansible.directory / "precious").write_text("precious", encoding="utf-8")
    (ansible.directory / "link to a file").symlink_to("precious")
    path = found.get(kind, str(ansible.directory / kind))
    inventory = str(ansible.inventory(streams(MANY[:2])))
    with ansible.begin("apsaravideo.live.start", "-i", inventory, "-e", json.dumps({"retry_file": path})) as process:
        run = ansible.end(process, timeout=60)
    assert run.exit_code == 2 and "does not list the hosts that are left" in " ".join(run.output.split())
    assert len(cloud.calls()) == 2, "the rest of the run is no matter of its retry file"
    with ansible.begin("apsaravideo.live.status", "-i", inventory, "-e", json.dumps({"dest": path})) as process:
        run = ansible.end(process, timeout=60)
    assert run.exit_code == 2 and "which cannot be written" in " ".join(run.output.split())
    assert len(cloud.calls()) == 2, "it was refused before any call"
    assert (ansible.directory / "precious").read_text(encoding="utf-8") == "precious"
