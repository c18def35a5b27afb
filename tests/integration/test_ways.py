# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table of tasks, run in the worker process and as an ordinary module, with the same results."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import uuid
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
import yaml

from support.emulator import KEY
from support.playbook import STREAM, WAYS, Ansible, environment, streams

RECORD = "apsaravideo.live.apsaravideo_record"
INFO = "apsaravideo.live.apsaravideo_record_info"
NAMES = streams([STREAM])["stream01"]
SHORT = {"domain": NAMES["domain_name"], "app": NAMES["app_name"], "stream": NAMES["stream_name"]}
KEYS = {"access_key_id": KEY[0], "access_key_secret": KEY[1]}
WITHOUT = {**NAMES, "stream_name": "nothing"}
TIME = "('2026-01-02 03:04:05+00:00' | to_datetime('%Y-%m-%d %H:%M:%S%z'))"


class Unsafe(str):
    """A text that YAML marks as unsafe."""


class Vaulted(str):
    """A text that YAML contains encrypted."""


def task(name, options=None, module=RECORD, **keywords):
    return {"name": name, module: {**NAMES, **(options or {})}, **keywords}


def info(name, **options):
    return {"name": name, INFO: {"domain_name": NAMES["domain_name"], **options}}


TABLE = [
    task("check", check_mode=True),
    task("check with nothing known", {"state": "stopped"}, check_mode=True, diff=True),
    task("start", diff=True),
    task("start again"),
    task("start again and wait", {"wait": True, "wait_timeout": "5"}),
    info("info"),
    task("info of a stream", {"gather": "state,config,tasks,files,events"}, INFO),
    task("info in check mode", {"query": "[].recording"}, INFO, check_mode=True),
    {"name": "info by aliases", INFO: {**SHORT, "gather": [], "query": None, "start_time": None}},
    task(
        "info of a time",
        {
            "stream_name": "nothing",
            "gather": ["events"],
            "start_time": "{{ '2026-01-02 03:04:05+00:00' | to_datetime('%Y-%m-%d %H:%M:%S%z') }}",
        },
        INFO,
    ),
    task("bad timeout", {"wait": True, "wait_timeout": 0}),
    {"name": "aliases", RECORD: {**SHORT, "state": "restarted"}},
    {"name": "name and alias", RECORD: {**NAMES, "stream": NAMES["stream_name"], "state": "restarted"}},
    task("keys", {**KEYS, "state": "restarted"}),
    task("no_log", {**KEYS, "state": "restarted"}, no_log=True),
    task("stop", {"state": "stopped", "finalize": "yes", "read_timeout": "7", "credentials_file": None}),
    task("absent", {"stream_name": "nothing"}),
    task("throttled", {"retry_timeout": 0}, vars={"fault": "throttle"}),
    task("null", {"read_timeout": None, "state": None, "finalize": None, "retry_timeout": None}),
    task("unsupported option", {"colour": "red"}),
    task("bad choice", {"state": "paused"}),
    task("bad type", {"finalize": "perhaps"}),
    task("bad number", {"read_timeout": "soon"}),
    task("bad name", {"stream_name": "*"}),
    {"name": "missing option", RECORD: {"domain_name": "d", "app_name": "a"}},
    task("secret in a name", {**KEYS, "stream_name": f"x-{KEY[1]}-x"}),
    task("half a pair", {"access_key_id": "someKeyId"}),
    task("expanded path", {"ca_path": "~/$NOWHERE/ca.pem"}),
    task("environment", environment={"APSARAVIDEO_ENDPOINT": "no url"}),
    task("environment of certificates", {"endpoint": "https://127.0.0.1:9"}, environment={"REQUESTS_CA_BUNDLE": "/no"}),
    task("proxy", {"endpoint": "https://192.0.2.1"}, environment={"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}),
    task("templates", {"stream_name": "{{ 'stream' ~ '01' }}", "state": "{{ wanted }}"}, vars={"wanted": "started"}),
    task("until", {"stream_name": "nothing"}, retries=1, delay=0, until="false", register="found"),
    task("variables", vars={"apsaravideo_read_timeout": "soon", "apsaravideo_connect_timeout": 1}),
    task("loop", {"stream_name": "{{ item }}"}, loop=["stream01", "nothing"]),
    info("info without an application", stream_name="x"),
    info("info without a zone", start_time="2026-01-02 03:04:05"),
    info("info with a bad query", query="[?"),
    info("info with a bad choice", gather=["everything"]),
]


# What an option may be given as: by a template, and as YAML has it.
VALUES = {
    "time": f"{{{{ {TIME} }}}}",
    "date": f"{{{{ {TIME}.date() }}}}",
    "time of day": f"{{{{ {TIME}.time() }}}}",
    "span of time": f"{{{{ {TIME} - {TIME} }}}}",
    "tuple": "{{ (1, 'a') }}",
    "list of tuples": "{{ [1, 2] | zip(['a', 'b']) }}",
    "keys": "{{ {'a': 1}.keys() }}",
    "range": "{{ range(3) }}",
    "bytes": "{{ 'ab'.encode() }}",
    "whole number": "{{ 5 }}",
    "number": "{{ 5.50 }}",
    "not a number": "{{ 'nan' | float }}",
    "truth": "{{ true }}",
    "nothing": "{{ none }}",
    "odd keys": "{{ {1: 'a', none: 'b', 1.5: 'c'} }}",
    "nested": f"{{{{ {{'at': {TIME}, 'days': [{TIME}.date()], 'pair': (1, 2)}} }}}}",
    "undefined": "{{ nowhere }}",
    "undefined inside": "{{ {'a': nowhere} }}",
    "omitted inside": "{{ {'a': omit} }}",
    "unsafe": "{{ lookup('ansible.builtin.pipe', 'echo hello') }}",
    "safe": "{{ 'a <b>' | escape }}",
    "JSON": "{{ '[1, 2]' }}",
    "YAML time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
    "YAML date": date(2026, 1, 2),
    "YAML bytes": b"ab",
    "YAML set": {"a"},
    "YAML list": [date(2026, 1, 2), {"at": date(2026, 1, 2)}, 1.5, None],
    "YAML keys": {1: "a", 1.5: "b", False: "c"},
    "YAML unsafe": Unsafe("{{ nowhere }}"),
    "YAML vaulted": Vaulted("opened"),
    "YAML vaulted inside": {"a": [Vaulted("opened")]},
}
TABLE += [task(f"given {name}", {"stream_name": "nothing", "query": given}, INFO) for name, given in VALUES.items()]
TABLE += [
    task("lists of times", {"gather": [date(2026, 1, 2), "{{ " + TIME + " }}"]}, INFO),
    task("variable with a time", vars={"apsaravideo_profile": date(2026, 1, 2)}),
    task("variable with bytes", vars={"apsaravideo_profile": b"ab"}),
    task("variable that is vaulted", vars={"apsaravideo_profile": Vaulted("opened")}),
]


def as_yaml(play, password_file):
    """Return a playbook with one play as YAML."""

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True

    def vaulted(dumper, text):
        program = Path(sys.executable).with_name("ansible-vault")
        command = [program, "encrypt_string", "--vault-password-file", password_file, text]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        lines = [line.strip() for line in done.stdout.splitlines()[1:]]
        return dumper.represent_scalar("!vault", "\n".join(lines), style="|")

    Dumper.add_representer(Vaulted, vaulted)
    Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))
    return yaml.dump([play], Dumper=Dumper, allow_unicode=True)


@pytest.fixture(scope="module")
def rows(http_cloud, tmp_path_factory):
    """Return for each way the rows of all tasks and the calls to the cloud; run once for all test processes."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    shared = tmp_path_factory.getbasetemp().parent / f"ways-{run}.json"
    with open(shared, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not shared.stat().st_size:
            file.write(json.dumps(run_both_ways(http_cloud, tmp_path_factory)))
            file.flush()
        file.seek(0)
        return json.load(file)


def run_both_ways(http_cloud, tmp_path_factory):
    found = {}
    for way, keywords in WAYS.items():
        http_cloud.reset()
        http_cloud.push(STREAM)
        # Some of Ansible's messages list the members of a set, and newer versions do not show what a module was given.
        settings = {"PYTHONHASHSEED": "0", "ANSIBLE_INJECT_INVOCATION": "yes"}
        ansible = Ansible(tmp_path_factory.mktemp("way"), {**environment(http_cloud), **settings})
        defaults = {"group/apsaravideo.live.all": {"retry_timeout": 0, "connect_timeout": 3}}
        tasks = [{**row, "ignore_errors": True} for row in TABLE]
        play = {"name": "Test", "hosts": "localhost", "gather_facts": False, "module_defaults": defaults, **keywords}
        password, file = ansible.directory / "password", ansible.directory / "playbook.yml"
        password.write_text("word", encoding="ascii")
        file.write_text(as_yaml({**play, "tasks": tasks}, password), encoding="utf-8")
        run = ansible.playbook(str(file), "-vvv", "--vault-password-file", str(password))
        assert run.exit_code == 0, run.output
        home = str(ansible.directory)
        found[way] = (
            [remove_random_parts(row, home) for row in run.rows],
            [describe_call(call) for call in http_cloud.calls()],
            run.output,
        )
    return found


def remove_random_parts(row, home):
    """Return a row without the parts that differ between any two runs."""
    text = json.dumps(row, sort_keys=True).replace(home, "HOME")
    text = re.sub(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", "REQUEST-ID", text)
    row = json.loads(re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "SOME-TIME", text))
    for result in (row["result"], *row["result"].get("results", [])):
        for name in ("_ansible_parsed", "_ansible_no_log", "ansible_facts", "exception", "failed"):
            result.pop(name, None)
        if "waited_seconds" in result:
            result["waited_seconds"] = round(result["waited_seconds"])  # for a slot, which others may have taken
    return row


def describe_call(call):
    times = ("StartTime", "EndTime")
    return call["action"], {name: value for name, value in call["params"].items() if name not in times}, call["code"]


@pytest.mark.parametrize("number", range(len(TABLE)), ids=lambda number: TABLE[number]["name"])
def test_both_ways_return_the_same_result(rows, number):
    name = TABLE[number]["name"]
    ours, theirs = ([row for row in rows[way][0] if row["task"] == name] for way in WAYS)
    assert ours, "the task ran"
    assert ours == theirs


def test_what_is_returned_of_streams(rows):
    results = {row["task"]: row["result"] for row in rows["in process"][0]}
    (stream,) = results["info of a stream"]["streams"]
    assert (stream["recording"], stream["config"]["mode"], stream["files"]) == ("recording", "manual", [])
    assert [event["content"]["event"] for event in stream["events"]] == ["record_started"]
    assert results["info in check mode"]["result"] == ["recording"]
    assert "7 days" in results["info of a time"]["warnings"][0]
    assert "required by 'stream_name': app_name" in results["info without an application"]["msg"]


def test_both_ways_make_the_same_calls(rows):
    ours, theirs = (rows[way][1] for way in WAYS)
    assert len(ours) > 15
    assert ours == theirs


REGISTERED = {
    "plain": task("plain"),
    "again": task("again"),
    "failed": task("failed", {"stream_name": "nothing"}, ignore_errors=True),
    "with a warning": {"name": "with a warning", RECORD: {**NAMES, "stream": NAMES["stream_name"]}},
    "in check mode": task("in check mode", {"state": "stopped"}, check_mode=True, diff=True),
    "in a loop": task("in a loop", {"stream_name": "{{ item }}"}, loop=["stream01", "stream01"]),
    "judged otherwise": task("judged otherwise", changed_when="'none' not in found.commands"),
    "failed by judgement": task("failed by judgement", failed_when="found.api_calls > 0", ignore_errors=True),
    "tried until": task("tried until", until="found.changed is defined", retries=2, delay=0),
    "skipped": task("skipped", when=[False]),
    "undefined": task("undefined", {"ca_path": "{{ nowhere }}"}, ignore_errors=True),
    "asynchronous": {**task("asynchronous"), "async": 30, "poll": 1},
    "as a module": task("as a module", vars=WAYS["as a module"]["vars"]),
    "kept to itself": task("kept to itself", no_log=True),
    "information": {**info("information"), "register": "found"},
}


def test_the_registered_variable_is_the_result(http_cloud, tmp_path):
    http_cloud.reset()
    http_cloud.push(STREAM)
    tasks = []
    for name, row in REGISTERED.items():
        tasks += [{**row, "register": "found"}, {"name": f"look: {name}", "ansible.builtin.debug": {"var": "found"}}]
    run = Ansible(tmp_path, environment(http_cloud)).play(
        tasks, "--diff", module_defaults={RECORD: {"retry_timeout": 0}}
    )
    assert run.exit_code == 0, run.output
    rows = {row["task"]: row for row in run.rows}
    for name in REGISTERED:
        found, row = rows[f"look: {name}"]["result"]["found"], rows[name]
        assert found.get("failed", False) == (row["status"] == "ignored"), name
        if name == "kept to itself":
            assert found["commands"] == ["start"]
            continue
        of_callbacks = ("failed", "results", "invocation", "exception", "skipped", "skip_reason", "skipped_reason")
        told, seen_by_callbacks = (
            {key: value for key, value in result.items() if key not in of_callbacks and not key.startswith("_ansible")}
            for result in (found, row["result"])
        )
        assert told == seen_by_callbacks, name
        assert len(found.get("results", [])) == (2 if name == "in a loop" else 0)


@pytest.mark.parametrize(
    "name, value",
    [
        ("YAML date", "2026-01-02"),
        ("YAML time", "2026-01-02T03:04:05+00:00"),
        ("odd keys", "{'1': 'a', 'null': 'b', '1.5': 'c'}"),
        ("list of tuples", "[[1, 'a'], [2, 'b']]"),
        ("YAML unsafe", "{{ nowhere }}"),
        ("YAML vaulted", "opened"),
        ("YAML vaulted inside", "{'a': ['opened']}"),
    ],
)
def test_option_values_are_converted_as_by_the_module(rows, name, value):
    (result,) = (row["result"] for row in rows["in process"][0] if row["task"] == f"given {name}")
    assert result["invocation"]["module_args"]["query"] == value


def test_local_tasks_run_in_the_worker_and_others_as_modules(rows):
    """Only arguments that cannot be sent to a module are passed from the worker to Ansible, which refuses them."""

    def run_elsewhere(way):
        sections = rows[way][2].split("TASK [")[1:]
        return {text.split("]")[0] for text in sections if "AnsiballZ" in text or "EXEC" in text}

    ours, theirs = map(run_elsewhere, WAYS)
    refused = [row["task"] for row in rows["in process"][0] if "serializ" in json.dumps(row["result"])]
    assert {"given YAML bytes"} <= set(refused) and len(refused) < 6
    assert ours <= set(refused)
    assert theirs > {"check", "start", "info"}


def test_both_ways_warn_of_an_option_with_its_alias(rows):
    for way in WAYS:
        assert "Both option stream_name and its alias stream are set" in rows[way][2]


def test_become_and_async_run_the_ordinary_module(cloud, ansible):
    cloud.push(STREAM)
    run = ansible.play([task("async", **{"async": 20, "poll": 1})], "-vvv")
    assert run.exit_code == 0 and "EXEC" in run.output
    become = {"become": True, "become_method": "ansible.builtin.su", "become_exe": "false"}
    run = ansible.play(
        [task("become", **{key: become[key] for key in ("become", "become_method", "become_exe")})], "-vvv"
    )
    assert "EXEC" in run.output
