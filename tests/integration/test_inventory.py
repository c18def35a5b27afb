# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin as ansible-inventory and ansible-playbook run it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.emulator import KEY, OTHER_ACCOUNT_KEY, POWERLESS_KEY
from support.playbook import Ansible

PLUGIN = "apsaravideo.live.apsaravideo_streams"
DOMAIN = "live.example.com"
ACTION = "DescribeLiveStreamsOnlineList"
SOURCE = {"plugin": PLUGIN, "domains": [DOMAIN]}
NAMES = [f"{DOMAIN}/{names}" for names in ("news/one", "news/two", "sports/one")]
HOSTS = ["one@news@live.example.com", "two@news@live.example.com", "one@sports@live.example.com"]
STRANGE = [
    "{{ lookup('pipe', 'touch x') }}",
    "{% include '/etc/passwd' %}",
    "../../../etc/passwd",
    "a b",
    "直播",
    "x[1:3]",
    "a,b",
    "-leading",
    "!leading",
    "@leading",
    "~.*",
    "*?",
    "all",
    "localhost",
    "streams",
    "{" * 200,
]


def source(ansible, text=None, name="x.apsaravideo.yml", **options):
    path = ansible.directory / name
    path.write_text(text or json.dumps({**SOURCE, **options}), encoding="utf-8")
    return str(path)


def run(ansible, *arguments, **environ):
    """Run ansible-inventory; return its standard output and its errors."""
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-inventory"), *arguments],
        cwd=ansible.directory,
        env={**ansible.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout, done.stderr


def unmark(value):
    """Return a value from the output of ansible-inventory without its marks of unsafe text."""
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"]
            if set(value) == {"__ansible_unsafe"}
            else {k: unmark(v) for k, v in value.items()}
        )
    return value


def list_inventory(ansible, *arguments, **environ):
    """Return the variables of each host as ansible-inventory lists them, and the groups."""
    output, errors = run(ansible, *arguments, "--list", **environ)
    assert not errors
    groups = json.loads(output)
    return {name: unmark(found) for name, found in groups.pop("_meta")["hostvars"].items()}, groups


def test_streams_appear_in_lists_graphs_and_patterns(cloud, ansible):
    cloud.push(*NAMES)
    path = source(ansible, keyed_groups=[{"key": "app_name", "prefix": "app"}])
    hosts, groups = list_inventory(ansible, "-i", path)
    assert list(hosts) == sorted(HOSTS)
    assert groups["streams"]["hosts"] == HOSTS, "in the order of domain, app and stream, from run to run"
    assert hosts[HOSTS[2]]["stream_name"] == "one" and hosts[HOSTS[2]]["online"] is True
    assert groups["app_news"]["hosts"] == HOSTS[:2]
    graph, _errors = run(ansible, "-i", path, "--graph", "streams")
    assert [line.strip(" |-") for line in graph.splitlines()[1:]] == HOSTS
    limited, groups = list_inventory(ansible, "-i", path, "--limit", "*@news@live.example.com:!two@*")
    assert list(limited) == HOSTS[:1]
    one, _errors = run(ansible, "-i", path, "--host", HOSTS[1])
    assert unmark(json.loads(one))["app_name"] == "news"
    assert len(cloud.calls(ACTION)) == len(cloud.calls()) == 4


def export_as_script(ansible, path, **environ):
    """Write an inventory script with the output of `ansible-inventory --list --export`, as AWX does for a job."""
    output, errors = run(ansible, "-i", path, "--list", "--export", **environ)
    assert not errors
    (ansible.directory / "exported.json").write_text(output, encoding="utf-8")
    script = ansible.directory / "exported"
    script.write_text("#!/bin/sh\ncat exported.json\n", encoding="utf-8")
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    "prepare", [source, lambda ansible: export_as_script(ansible, source(ansible))], ids=["source", "AWX"]
)
def test_hosts_with_special_characters_can_be_recorded(cloud, ansible, prepare):
    names = {"domain_name": DOMAIN, "app_name": "{{ 7 * 7 }}"}
    cloud.push(*({**names, "stream_name": name} for name in STRANGE))
    path = prepare(ansible)
    # Files with the names of hosts, so that one that cannot be such a name ends the run.
    facts = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": "facts"}
    play = ansible.playbook("apsaravideo.live.start", "-i", path, environ=facts)
    assert play.exit_code == 0, play.output
    recorded = {stream["stream_name"]: stream["recording"] for stream in cloud.state()["streams"]}
    assert recorded == dict.fromkeys(STRANGE, "recording")
    assert not (ansible.directory / "x").exists(), "no name was taken for a template"
    hosts = set(play.entries())
    assert len(hosts) == len(STRANGE)
    assert all(re.fullmatch(r"[\w%][\w.@%+=~-]*", host) for host in hosts), hosts
    cloud.clear_calls()
    chosen = next(host for host in hosts if host.startswith("%7B%7B%20lookup"))
    play = ansible.playbook("apsaravideo.live.stop", "-i", path, "--limit", chosen)
    (call, _log) = reversed(cloud.calls()[-2:])
    assert call["params"]["StreamName"] == STRANGE[0], play.output


def test_special_characters_in_hostnames_and_groups_are_escaped(cloud, ansible):
    cloud.push(*({"domain_name": DOMAIN, "app_name": "a", "stream_name": name} for name in STRANGE))
    path = source(
        ansible,
        hostnames=["stream_name"],
        compose={"label": "'label of ' ~ stream_name"},
        keyed_groups=[{"key": "stream_name", "prefix": "stream"}],
        groups={"spaced": "' ' in stream_name"},
    )
    names = {name: f"{{{{ {name} }}}}" for name in ("domain_name", "app_name", "stream_name")}
    start = {"name": "start", "apsaravideo.live.apsaravideo_record": names, "when": "stream_name == 'a b'"}
    show = {"name": "show", "ansible.builtin.debug": {"msg": "{{ label }}"}}
    play = ansible.play([start, show], "-i", path, hosts="streams")
    assert play.exit_code == 0, play.output
    assert [call["params"]["StreamName"] for call in cloud.calls("RealTimeRecordCommand")] == ["a b"], "without ssh"
    shown = {result["msg"] for result in play.results("show").values()}
    assert shown == {f"label of {name}" for name in STRANGE}
    assert not (ansible.directory / "x").exists()
    hosts, groups = list_inventory(ansible, "-i", path)
    assert {"%61ll", "%6Cocalhost", "%73treams", "a%2Cb", "%2Dleading"} <= set(hosts)
    assert not any("/" in name or "\n" in name for name in hosts)
    assert groups["streams"]["hosts"] and all(re.fullmatch(r"\w+", name) for name in groups)
    assert len(groups["spaced"]["hosts"]) == 3


def write_profiles(ansible):
    file = ansible.directory / ".aliyun" / "config.json"
    file.parent.mkdir()
    profiles = [
        {"name": name, "mode": "AK", "access_key_id": key[0], "access_key_secret": key[1]}
        for name, key in (("news", KEY), ("sports", OTHER_ACCOUNT_KEY))
    ]
    file.write_text(json.dumps({"profiles": profiles}), encoding="utf-8")
    file.chmod(0o600)


def test_tasks_use_the_profile_of_their_domain(cloud, ansible):
    """Tasks use the profile of the domain of their host."""
    manual = {"DomainName": "live.example.org", "AppName": "*", "OnDemand": 7, "OssBucket": "b", "OssEndpoint": "e"}
    manual["RecordFormat"] = [{"Format": "mp4", "OssObjectPrefix": "{AppName}/{StreamName}/{StartTime}_{EndTime}"}]
    cloud.add_accounts({"id": "2000000000000002", "record_configs": [manual]})
    cloud.push(NAMES[0], "live.example.org/stadium/final", "live.example.org/other/final")
    write_profiles(ansible)
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        del ansible.environ[name]
    path = source(
        ansible,
        domains=[
            {"domain_name": DOMAIN, "profile": "news"},
            {
                "domain_name": "live.example.org",
                "profile": "{{ sports }}",
                "apps": ["stadium"],
                "team": "{{ 'e' ~ 1 }}",
            },
        ],
        keyed_groups=[{"key": "team", "prefix": "team"}],
    )
    play = ansible.playbook(
        "apsaravideo.live.start", "-i", path, "-e", "sports=sports", "-e", "target=streams:&team_e1"
    )
    assert play.exit_code == 0, play.output
    play = ansible.playbook("apsaravideo.live.start", "-i", path, "-e", "sports=sports")
    assert play.exit_code == 0, play.output
    assert {call["account"]: call["params"]["DomainName"] for call in cloud.calls("RealTimeRecordCommand")} == {
        "1000000000000001": DOMAIN,
        "2000000000000002": "live.example.org",
    }
    recording = {stream["app_name"] for stream in cloud.state()["streams"] if stream["recording"] == "recording"}
    assert recording == {"news", "stadium"}


def test_listed_streams_are_hosts_although_offline(cloud, ansible):
    cloud.push(NAMES[0])
    play = ansible.playbook("apsaravideo.live.start", "-i", source(ansible, streams=NAMES[:2]))
    assert play.exit_code == 2
    results = {row["host"]: row for row in play.fleets()[0]["streams"]}
    assert results[HOSTS[0]]["changed"]
    assert results[HOSTS[1]]["error"]["code"] == "StreamNotFound"


def test_secrets_of_a_source_are_not_exposed(cloud, ansible):
    cloud.push(*NAMES)
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        del ansible.environ[name]
    (ansible.directory / "password").write_text("password", encoding="utf-8")
    vaulted = subprocess.run(
        [
            Path(sys.executable).with_name("ansible-vault"),
            "encrypt_string",
            "--vault-password-file",
            "password",
            KEY[1],
        ],
        cwd=ansible.directory,
        env=ansible.environ,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.split("\n", 1)[1]
    entry = f"""plugin: {PLUGIN}
domains:
  - domain_name: {DOMAIN}
    access_key: {KEY[0]}
    secret_key: !vault |
{vaulted}
cache: true
cache_plugin: jsonfile
cache_connection: cache
"""
    path = source(ansible, entry)
    output, errors = run(ansible, "-i", path, "--list", "-vvvv", "--vault-password-file", "password")
    assert "one@news" in output
    left = "".join(file.read_text(encoding="utf-8") for file in (ansible.directory / "cache").iterdir())
    assert "one" in left
    for secret in KEY:
        assert secret not in output + errors + left


def test_the_cache_is_used_and_flushed_from_the_command_line(cloud, ansible):
    cloud.push(*NAMES)
    settings = {
        "ANSIBLE_INVENTORY_CACHE": "1",
        "ANSIBLE_INVENTORY_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_INVENTORY_CACHE_CONNECTION": "cache",
    }
    path = source(ansible)
    first, _groups = list_inventory(ansible, "-i", path, **settings)
    without = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}
    assert list_inventory(ansible, "-i", path, **settings, **without)[0] == first
    assert len(cloud.calls()) == 1
    cloud.drop(NAMES[1])
    tasks = [
        {"name": "before", "ansible.builtin.debug": {"msg": "{{ groups.streams | length }} streams"}},
        {"name": "refresh", "ansible.builtin.meta": "refresh_inventory"},
        {"name": "after", "ansible.builtin.debug": {"msg": "{{ groups.streams | length }} streams"}},
    ]
    play = ansible.play(tasks, "-i", path, environ=settings)
    assert [play.result(name)["msg"] for name in ("before", "after")] == ["3 streams", "2 streams"]
    assert len(cloud.calls()) == 2
    cloud.drop(NAMES[0])
    for arguments, count in ([], 2), (["--flush-cache"], 1), ([], 1):
        play = ansible.play(tasks[:1], "-i", path, *arguments, environ=settings)
        assert play.result("before")["msg"] == f"{count} streams"
    assert len(cloud.calls()) == 3


BAD = {
    "unknown": ({"domains": ["nothing.example.com"]}, "no such streaming domain (InvalidDomain.NotFound, RequestId "),
    "powerless": (
        {"access_key_id": POWERLESS_KEY[0], "access_key_secret": POWERLESS_KEY[1]},
        "Grant it the RAM action live:DescribeLiveStreamsOnlineList",
    ),
    "keyless": ({"profile": "nobody"}, ".aliyun/config.json cannot be read: No such file or directory"),
    "unreachable": ({"endpoint": "http://127.0.0.1:1", "retry_timeout": 0}, "127.0.0.1:1 does not accept a connection"),
    "misspelt": ({"domain": [DOMAIN]}, "The source has no option domain. ansible-doc -t inventory"),
    "query": ({"query": "[?"}, "The option query cannot be used: "),
    "filter": ({"filters": [{"include": "x.y"}], "strict": True}, "The condition 1 of the option filters failed"),
    "type": ({"connect_timeout": "soon"}, "connect_timeout"),
    "none": ({"domains": []}, "The source names no domain and no stream"),
}


def test_errors_of_a_source_are_clear_messages(cloud, ansible):
    cloud.push(*NAMES)
    paths = [source(ansible, name=f"{name}.apsaravideo.yml", **options) for name, (options, _words) in BAD.items()]
    # The names of sources are part of the warnings' text, and no other plugin takes files of this name.
    paths.append(source(ansible, name="misnamed.yml"))
    sources = [argument for path in paths for argument in ("-i", path)]
    output, errors = run(ansible, *sources, "--list", ANSIBLE_INVENTORY_ENABLED="auto")
    hosts = json.loads(output)["_meta"]["hostvars"]
    assert hosts == {}
    said = "".join(errors.split())  # older cores break lines in the middle of words
    for name, (_options, words) in BAD.items():
        assert "".join(words.split()) in said, name
    assert f"couldnotbeverifiedbyinventoryplugin'{PLUGIN}'" in said
    assert len(cloud.calls()) == 3, "for the domain, the rights and the filter"
    failed = subprocess.run(
        [Path(sys.executable).with_name("ansible-inventory"), "-i", paths[0], "--list"],
        env={**ansible.environ, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1"},
        capture_output=True,
        check=False,
    )
    assert failed.returncode != 0


def test_ten_thousand_streams_take_four_calls(tls_cloud, tls_ansible):
    tls_cloud.push(*(f"{DOMAIN}/app{number % 7}/stream{number:05}" for number in range(10_000)))
    path = source(tls_ansible, keyed_groups=[{"key": "app_name", "prefix": "app"}])
    hosts, groups = list_inventory(tls_ansible, "-i", path, "--export")
    assert len(hosts) == len(groups["streams"]["hosts"]) == 10_000
    assert [call["params"]["PageNum"] for call in tls_cloud.calls()] == ["1", "2", "3", "4"]


def test_the_examples_of_the_documentation_work(cloud, ansible: Ansible):
    cloud.push(*NAMES, f"{DOMAIN}/news/test-1", f"{DOMAIN}/other/three", "live.example.org/stadium/final")
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-doc"), "-t", "inventory", "--json", PLUGIN],
        env=ansible.environ,
        capture_output=True,
        check=True,
    )
    examples = json.loads(done.stdout)[PLUGIN]["examples"].split("\n---\n")
    write_profiles(ansible)
    found = {}
    for example in examples:
        name = example.strip().split(":", 1)[0].strip("# ")
        hosts, groups = list_inventory(ansible, "-i", source(ansible, example, name))
        found[name.split(".")[0]] = (sorted(hosts), set(groups) - {"all", "streams"})
        assert yaml.safe_load(example)["plugin"] == PLUGIN
    everything = [*HOSTS, "test-1@news@live.example.com", "three@other@live.example.com"]
    newsroom = ["news-one", "news-two", "news-test-1", "other-three", "sports-one"]
    named = ["studio1@news@live.example.com", "studio2@news@live.example.com"]
    assert found == {
        "live": (sorted(everything), set()),
        "event": (sorted([*everything[:4], *named]), {"app_news", "app_sports", "missing"}),
        "accounts": (sorted([*(f"newsroom-{name}" for name in newsroom), "events-stadium-final"]), set()),
        "chosen": (sorted(HOSTS), set()),
    }
