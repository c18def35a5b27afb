# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams pushed by strangers under names of other things, which must not affect the user's streams."""

from __future__ import annotations

import json

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._module.record import SPEC
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task
from support.emulator import KEY

DOMAIN = "live.example.com"
PLUGIN = "apsaravideo.live.apsaravideo_streams"
MINE = ["studio1", "studio2", "studio3"]
STOP = "Stop unwanted and overdue recordings"
CONTROLS = ["a\x1b[2Jb", "nul\0", "tab\t", "line\nend", "csi\x9b31m", "next\x85line", "line\u2028end", "part\u2029end"]
UNPRINTABLE = [
    "zero\u200bwidth",
    "می\u200cخواهم",
    "क्\u200dष",
    "no\u00a0break",
    "\u3000",
    "full\u3000width",
    "\ufefforder",
]
NAMES = [
    *("wanted", "streams", "app_news", "app_evil", "all", "ungrouped", "localhost", "127.0.0.1", "live_apsaravideo"),
    *(*MINE, "studio1@news@live.example.com", "studio1@news", "%73tudio1"),
    *(
        "!studio1",
        "&studio1",
        "~studio.*",
        "~.*",
        "*",
        "all:!streams",
        "studio*",
        "studio[1:3]",
        "a:b",
        "a,b",
        "studio1:!studio2",
        "@start.retry",
    ),
    *("hostvars", "omit", "groups", "inventory_hostname", "record_fleet", "record_failed", "target", "None", "true"),
    *("{{ lookup('pipe', 'touch planted') }}", "{% include '/etc/passwd' %}", "{{ groups }}", "'; touch planted; '"),
    *("$(touch planted)", "../../planted", "x" * 1024, "{#", "red\u202eder", "hid\u2066den\u2069", *CONTROLS[:4]),
]


def source(ansible, **options):
    path = ansible.directory / "live.apsaravideo.yml"
    options.setdefault("keyed_groups", [{"key": "app_name", "prefix": "app"}])
    path.write_text(json.dumps({"plugin": PLUGIN, "domains": [DOMAIN], **options}), encoding="utf-8")
    return ["-i", str(path)]


def static(ansible, hosts, group="wanted", name="static.yml"):
    """Return the arguments for a static source with these hosts."""
    path = ansible.directory / name
    hosts = {host: dict(zip(Stream._fields, (DOMAIN, *names))) for host, names in hosts.items()}
    path.write_text(json.dumps({group: {"hosts": hosts}}), encoding="utf-8")
    return ["-i", str(path)]


def program(ansible, hosts, group):
    """Return the arguments for a source that is a program."""
    path = ansible.directory / "program"
    variables = {host: dict(zip(Stream._fields, (DOMAIN, *names))) for host, names in hosts.items() if names}
    found = {group: {"hosts": list(hosts)}, "_meta": {"hostvars": variables}}
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(found)}\nEND\n", encoding="utf-8")
    path.chmod(0o755)
    return ["-i", str(path)]


def push(cloud, *streams):
    cloud.push(*({"domain_name": DOMAIN, "app_name": app, "stream_name": name} for app, name in streams))


def play(ansible, name, sources, *arguments, **variables):
    run = ansible.playbook(f"apsaravideo.live.{name}", *sources, *arguments, "-e", json.dumps(variables))
    marks = {mark for mark in run.output if not mark.isprintable()} - {"\n"}
    assert not marks, f"{marks} in {run.output}"
    assert not list(ansible.directory.rglob("*planted*")), "a name was executed"
    return run


def has_words(run, words):
    """Return whether a run shows these words; older versions of ansible-core break warnings in the middle of words."""
    return "".join(words.split()) in "".join(run.output.split())


def recording(cloud):
    return {
        (row["app_name"], row["stream_name"]) for row in cloud.state()["streams"] if row["recording"] == "recording"
    }


def commands(cloud):
    """Return the streams that commands were sent for since the last call."""
    found = {(call["params"]["AppName"], call["params"]["StreamName"]) for call in cloud.calls("RealTimeRecordCommand")}
    cloud.clear_calls()
    return found


def record(cloud, ansible, *streams):
    """Record streams as another client does, regardless of their names."""
    options = {"endpoint": cloud.endpoint, "access_key_id": KEY[0], "access_key_secret": KEY[1], "rate_limit": 1000}
    cloud.behave(limits={"RealTimeRecordCommand": 10_000})
    live = Task(SPEC.fill(options), ansible.environ).open_live()
    for app, name in streams:
        live.record_command(Stream(DOMAIN, app, name), "start")
    cloud.advance(60)
    cloud.clear_calls()


@pytest.mark.parametrize("order", ["static first", "static last"])
@pytest.mark.parametrize("options", [{}, {"hostnames": ["stream_name"]}], ids=["default names", "names of streams"])
def test_fifty_hostile_names_do_not_affect_the_users_streams(cloud, ansible, options, order):
    assert len(NAMES) == len(set(NAMES)) == 50
    mine = {("news", name) for name in MINE}
    theirs = {pair for name in NAMES for pair in (("evil", name), (name, "studio1"))}
    push(cloud, *mine, *theirs)
    sources = [source(ansible, **options), static(ansible, {name: ("news", name) for name in MINE})]
    sources = sum(sources if order == "static last" else sources[::-1], [])
    run = play(ansible, "start", sources, target="wanted")
    assert run.exit_code == 0 and recording(cloud) == commands(cloud) == mine, run.output
    assert play(ansible, "start", sources, target="app_news").exit_code == 0 and commands(cloud) == mine
    run = play(ansible, "status", sources, wanted="wanted")
    assert run.exit_code == 0, run.output
    record(cloud, ansible, *theirs)
    run = play(ansible, "sweep", sources)
    refused = {*CONTROLS, "*"}  # a wildcard could stop others
    evident = {pair for pair in theirs if refused.isdisjoint(pair)}
    assert recording(cloud) == mine | (theirs - evident) and commands(cloud) == evident, run.output
    assert "holds a line end or another control character" in run.output
    run = play(ansible, "stop", sources, target="wanted")
    assert run.exit_code == 0 and commands(cloud) == mine and not recording(cloud) & mine, run.output


def test_sweep_does_not_take_a_strangers_stream_for_a_wanted_host(cloud, ansible):
    push(cloud, ("news", "studio1"), ("other", "wanted"), ("other", "keep7"))
    record(cloud, ansible, ("news", "studio1"), ("other", "wanted"))
    found = source(ansible, hostnames=["stream_name"])
    for wanted in ("wanted", "keep*", "wanted:&streams", "nothing:wanted"):
        run = play(ansible, "sweep", found, wanted=wanted)
        assert run.exit_code != 0 and commands(cloud) == set(), run.output
        assert has_words(run, "their names were chosen by whoever pushes their streams")
    run = play(ansible, "sweep", found, wanted="app_news")
    assert run.exit_code == 0 and commands(cloud) == {("other", "wanted")}
    listed = source(ansible, hostnames=["stream_name"], streams=[f"{DOMAIN}/news/studio1"])
    assert play(ansible, "sweep", listed, wanted="studio1").exit_code == 0 and commands(cloud) == set()


@pytest.mark.parametrize("name", ["start", "status", "sweep", "stop", "split", "configure", "window"])
def test_a_group_of_a_later_source_with_a_host_name_is_refused_before_any_call(cloud, ansible, name):
    push(cloud, ("news", "studio1"), ("other", "night"))
    sources = [*source(ansible, hostnames=["stream_name"]), *program(ansible, {"studio1": ()}, "night")]
    for variables in ({"target": "night"}, {}, {"target": "app_news:!night", "wanted": "night"}):
        cloud.clear_calls()
        run = play(ansible, name, sources, **variables)
        assert run.exit_code == 2, run.output
        assert {call["action"] for call in cloud.calls()} == {"DescribeLiveStreamsOnlineList"}, "of the inventory"
        assert "Both a group and a host are called night." in run.output
    assert play(ansible, "start", sources, target="app_news").exit_code == 0, "where that name does not matter"


def test_a_host_of_a_later_source_that_is_also_a_strangers_stream_fails(cloud, ansible):
    """The hosts of a program are not known in advance, so nothing is sent for a host of two streams."""
    push(cloud, ("news", "studio1"), ("news", "studio2"), ("a", "studio1"))
    cloud.drop(f"{DOMAIN}/news/studio1")
    sources = [*source(ansible, hostnames=["stream_name"]), *program(ansible, {"studio1": ("news", "studio1")}, "mine")]
    run = play(ansible, "start", sources)
    assert run.exit_code == 2 and commands(cloud) == {("news", "studio2")}
    said = f"The host studio1 is the stream {DOMAIN}/a/studio1, which somebody pushes, and by another source"
    assert run.entries()["studio1"]["msg"].startswith(said)


def test_a_strangers_stream_does_not_take_the_name_of_a_users_host(cloud, ansible):
    push(cloud, ("news", "studio1"), ("other", "studio1"), ("other", "studio2"))
    listed = source(ansible, hostnames=["stream_name"], streams=[f"{DOMAIN}/news/studio1"])
    run = play(ansible, "start", [*listed, *static(ansible, {"studio2": ("news", "studio2")})])
    assert run.exit_code == 0 and has_words(run, "Other hosts or groups are called like studio1, studio2, so that")
    found = {host: row["stream"]["app_name"] for host, row in run.entries().items()}
    assert found == {
        "studio1": "news",
        "studio1@other@live.example.com": "other",
        "studio2@other@live.example.com": "other",
    }
    assert recording(cloud) == {("news", "studio1"), ("other", "studio1"), ("other", "studio2")}


def test_names_that_are_not_printable_are_recorded_and_swept(cloud, ansible):
    streams = {("news", name) for name in UNPRINTABLE} | {(name, "x") for name in UNPRINTABLE}
    push(cloud, *streams)
    found = source(ansible)
    run = play(ansible, "start", found)
    assert run.exit_code == 0 and recording(cloud) == streams, run.output
    run = play(ansible, "status", found)
    assert run.exit_code == 0 and "live.example.com/news/zero\\u200bwidth" in run.output
    cloud.advance(60)
    commands(cloud)
    run = play(ansible, "sweep", static(ansible, {"idle": ("news", "idle")}), "--check", "--diff", target="wanted")
    assert "live.example.com/news/no\\xa0break" in run.output and commands(cloud) == set()
    run = play(ansible, "sweep", static(ansible, {"idle": ("news", "idle")}), target="wanted")
    assert run.exit_code == 0 and commands(cloud) == streams and recording(cloud) == set(), run.output
    play(ansible, "start", found)
    assert play(ansible, "stop", found).exit_code == 0 and recording(cloud) == set()


def test_streams_that_no_command_can_name_are_left_out(cloud, ansible):
    push(cloud, ("news", "studio1"), *(("news", name) for name in (*CONTROLS, "*")))
    run = play(ansible, "start", source(ansible))
    assert run.exit_code == 0 and recording(cloud) == {("news", "studio1")}, run.output
    assert has_words(run, "No command can name the streams live.example.com/news/*, ")
    assert has_words(run, "which are left out: their names hold control characters")


def test_control_sequences_in_names_are_displayed_escaped(cloud, ansible):
    names = [*CONTROLS, "red\u202eder", "mark\u200e", "del\x7f"]
    push(cloud, *(("news", name) for name in names))
    record(cloud, ansible, *(("news", name) for name in names))
    run = play(ansible, "sweep", static(ansible, {"idle": ("news", "idle")}), target="wanted")
    assert run.exit_code == 2 and recording(cloud) == {("news", name) for name in CONTROLS}
    for shown in (r"a\x1b[2Jb", r"nul\x00", r"line\u2028end", r"csi\x9b31m"):
        assert f"live.example.com/news/{shown}" in run.output, run.output
    run = play(
        ansible, "status", static(ansible, {"idle": ("news", "idle")}), target="wanted", strays=True, dest="status.json"
    )
    assert r"news/red\u202eder" in run.output and r"news/del\x7f" in run.output
    text = (ansible.directory / "status.json").read_text(encoding="utf-8")
    assert text.replace("\n", "").isprintable()
    assert {row["stream_name"] for row in json.loads(text)} == {"idle", *names}
