# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the inventory plugin, one by one, with an emulated cloud."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress

import pytest
import yaml
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.template import Templar
from ansible.utils.display import Display

from ansible_collections.apsaravideo.live.plugins.inventory import apsaravideo_streams
from ansible_collections.apsaravideo.live.plugins.module_utils._module.argspec import CONNECTION
from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.names import FOUND_STREAM
from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.static import read_static
from support.emulator import KEY, OTHER_ACCOUNT_KEY, ROLE, Emulator

NAME = "apsaravideo.live.apsaravideo_streams"
DOMAIN = "live.example.com"
ACTION = "DescribeLiveStreamsOnlineList"


@pytest.fixture(name="running_cloud", scope="module")
def start_cloud():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(name="cloud")
def reset_cloud(running_cloud, monkeypatch, tmp_path):
    running_cloud.reset()
    running_cloud.push(f"{DOMAIN}/news/one", f"{DOMAIN}/news/two", f"{DOMAIN}/sports/one")
    monkeypatch.setenv("APSARAVIDEO_ENDPOINT", running_cloud.endpoint)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", KEY[0])
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", KEY[1])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    # Each test is a run of its own, with temporary credentials of its own.
    monkeypatch.setattr(apsaravideo_streams, "RUN_DIRECTORY", str(tmp_path))
    return running_cloud


@pytest.fixture(name="read")
def make_reader(tmp_path, monkeypatch):
    """Return a function that reads a source with the given options and returns the inventory."""
    messages = []
    monkeypatch.setattr(Display, "warning", lambda _self, text, *_rest, **_options: messages.append(text))

    def read(text=None, cache=True, file="x.apsaravideo.yml", before=(), **options):
        path = tmp_path / file
        path.write_text(text or yaml.safe_dump({"plugin": NAME, "domains": [DOMAIN], **options}), encoding="utf-8")
        plugin = inventory_loader.get(NAME)
        inventory = InventoryData()
        for earlier in before:
            inventory_loader.get("ansible.builtin.yaml").parse(inventory, DataLoader(), str(earlier))
        messages.clear()
        plugin.parse(inventory, DataLoader(), str(path), cache=cache)
        with suppress(AttributeError):  # there is no cache
            plugin.update_cache_if_changed()
        inventory.reconcile_inventory()
        return inventory

    read.warnings = messages
    return read


def hosts(inventory, group="streams"):
    return [host.name for host in inventory.groups[group].get_hosts()]


def variables(inventory, name):
    found = dict(inventory.get_host(name).vars)
    for internal in ("inventory_file", "inventory_dir"):
        found.pop(internal)
    return found


def list_parameters(cloud):
    """Return the parameters of each listing call, without those that every call has."""
    return [
        {name: value for name, value in call["params"].items() if name not in ("Action", "Version")}
        for call in cloud.calls(ACTION)
    ]


def test_the_online_streams_of_a_domain_are_hosts_with_variables(cloud, read):
    inventory = read()
    assert hosts(inventory) == ["one@news@live.example.com", "two@news@live.example.com", "one@sports@live.example.com"]
    found = variables(inventory, "one@news@live.example.com")
    assert found.pop("publish_time").endswith("Z")
    assert found == {
        "ansible_connection": "local",
        "domain_name": DOMAIN,
        "app_name": "news",
        "stream_name": "one",
        "online": True,
        "publish_type": "edge",
        "publish_domain": "push.example.com",
        "transcoded": "no",
        "client_ip": "192.0.2.1",
        "server_ip": "192.0.2.2",
        "width": 1280,
        "height": 720,
        "frame_rate": 25,
        "video_data_rate": 2000,
        "audio_data_rate": 128,
        "video_codec_id": 7,
        "audio_codec_id": 10,
    }
    (call,) = list_parameters(cloud)
    expected = {"DomainName": DOMAIN, "QueryType": "strict", "StreamType": "raw", "PageNum": "1", "PageSize": "3000"}
    assert call.items() >= expected.items()
    assert "AppName" not in call
    assert read.warnings == []


def test_the_group_exists_without_online_streams(cloud, read):
    cloud.drop(f"{DOMAIN}/news/one", f"{DOMAIN}/news/two", f"{DOMAIN}/sports/one")
    assert hosts(read()) == [], "and there is the group, so that playbooks find it"


def test_one_app_is_filtered_by_the_api_and_several_locally(cloud, read):
    assert len(hosts(read(apps=["news"]))) == 2
    assert hosts(read(apps=["sports", "other"])) == ["one@sports@live.example.com"]
    assert [call.get("AppName") for call in list_parameters(cloud)] == ["news", None]


def test_listed_streams_are_hosts_although_offline(cloud, read):
    cloud.push("live.example.com/other/three")
    named = [
        "live.example.com/news/nine",
        {"domain": DOMAIN, "app": "other", "stream": "three", "title": "{{ 1 + 1 }}"},
    ]
    inventory = read(apps=["news"], streams=named)
    assert hosts(inventory) == [
        f"{name}@live.example.com" for name in ("nine@news", "one@news", "two@news", "three@other")
    ]
    missing = variables(inventory, "nine@news@live.example.com")
    assert missing == {
        "ansible_connection": "local",
        "domain_name": DOMAIN,
        "app_name": "news",
        "stream_name": "nine",
        "online": False,
        "publish_time": None,
    }
    found = variables(inventory, "three@other@live.example.com")
    assert (found["online"], found["width"], found["title"]) == (True, 1280, "{{ 1 + 1 }}")
    inventory = read(domains=[], streams=named)
    assert hosts(inventory) == ["nine@news@live.example.com", "three@other@live.example.com"]
    assert len(list_parameters(cloud)) == 2


def test_transcoded_streams_are_requested_on_option(cloud, read):
    read(transcoded=True)
    assert list_parameters(cloud)[0]["StreamType"] == "all"


def test_a_query_selects_streams_or_is_refused(cloud, read):
    assert hosts(read(query="[?app_name == 'news'] | [-1:]")) == ["two@news@live.example.com"]
    with pytest.raises(AnsibleParserError, match="The option query does not give a list of streams"):
        read(query="[].app_name")


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ([], ["one/news", "two/news", "one/sports"]),
        ([{"include": "app_name == 'news'"}], ["one/news", "two/news", "one/sports"]),
        ([{"include": "app_name == 'news'"}, {"exclude": True}], ["one/news", "two/news"]),
        ([{"exclude": "app_name == 'news'"}], ["one/sports"]),
        ([{"exclude": "stream_name == 'two'"}, {"include": "app_name == 'news'"}, {"exclude": True}], ["one/news"]),
        ([{"include": "inventory_hostname is match('two@')"}, {"exclude": True}], ["two/news"]),
        ([{"exclude": "not online"}], ["one/news", "two/news", "one/sports"]),
        ([{"include": False}, {"exclude": "width > 1000 and 'ne' in app_name"}], ["one/sports"]),
    ],
    ids=str,
)
def test_the_first_filter_that_holds_decides(cloud, read, filters, kept):
    assert hosts(read(filters=filters)) == [f"{name.replace('/', '@')}@live.example.com" for name in kept]
    assert read.warnings == []


def test_a_filter_that_cannot_be_evaluated_is_a_warning_or_an_error_if_strict(cloud, read):
    filters = [{"exclude": "title == 'x'"}, {"exclude": "app_name == 'news'"}]
    assert hosts(read(filters=filters)) == ["one@sports@live.example.com"]
    (warning,) = read.warnings
    assert (
        "The condition 1 of the option filters could" in warning
        and "3 streams" in warning
        and "one@news@live.example.com" in warning
    )
    with pytest.raises(AnsibleParserError, match="The condition 1 of the option filters failed for one@news"):
        read(filters=filters, strict=True)


@pytest.mark.parametrize(
    ("hostnames", "names"),
    [
        (["app_name ~ '-' ~ stream_name"], ["news-one", "news-two", "sports-one"]),
        (["{{ app_name }}/{{ stream_name }}"], ["news/one", "news/two", "sports/one"]),
        (["{{ app_name }}:{{ stream_name }}"], ["news%3Aone", "news%3Atwo", "sports%3Aone"]),
        (["title", "app_name + stream_name"], ["final", "newsone", "newstwo"]),
        (["{{ title | upper }}"], ["FINAL", "one@news@live.example.com", "two@news@live.example.com"]),
        (
            ["{{ '' }}", "' '"],
            ["one@news@live.example.com", "two@news@live.example.com", "one@sports@live.example.com"],
        ),
        (["{% if app_name == 'news' %}n-{{ stream_name }}{% endif %}", "app_name"], ["n-one", "n-two", "sports"]),
        (["'all' if app_name == 'sports' else stream_name"], ["%61ll", "one", "two"]),
        (["'streams' if app_name == 'sports' else stream_name"], ["%73treams", "one", "two"]),
        (["'localhost' if app_name == 'sports' else stream_name"], ["%6Cocalhost", "one", "two"]),
        (["height ~ app_name ~ stream_name"], ["720newsone", "720newstwo", "720sportsone"]),
    ],
    ids=str,
)
def test_host_names_come_from_templates_and_expressions(cloud, read, hostnames, names):
    title = {"domain_name": DOMAIN, "app_name": "sports", "stream_name": "one", "title": "final"}
    inventory = read(hostnames=hostnames, streams=[title])
    assert sorted(hosts(inventory)) == sorted(names)
    assert {name.__class__ for name in inventory.hosts} == {str}


def test_the_name_of_a_field_needs_no_template(cloud, read):
    assert sorted(hosts(read(hostnames=["stream_name"], apps=["news"]))) == ["one", "two"]


LONGER = "one@sports@live.example.com"


def list_longer_names(read):
    """Return the names that the warning of `read` says to be taken."""
    (warning,) = (text for text in read.warnings if "longer names" in text)
    return warning.split("called like ")[1].split(", so that")[0].split(", ")


def test_of_two_streams_the_later_pushed_gets_a_longer_name(cloud, read):
    inventory = read(hostnames=["stream_name"])
    assert hosts(inventory) == ["one", "two", LONGER] and list_longer_names(read) == ["one"]
    assert variables(inventory, "one")["app_name"] == "news" and variables(inventory, LONGER)["app_name"] == "sports"
    cloud.drop(f"{DOMAIN}/news/one")
    time.sleep(1.1)  # times have whole seconds
    cloud.push(f"{DOMAIN}/news/one")
    assert hosts(read(hostnames=["stream_name"])) == ["one@news@live.example.com", "two", "one"]


def test_a_listed_stream_keeps_its_name(cloud, read):
    inventory = read(hostnames=["stream_name"], streams=[f"{DOMAIN}/sports/one"])
    assert hosts(inventory) == ["one@news@live.example.com", "two", "one"] and list_longer_names(read) == ["one"]
    assert [FOUND_STREAM in variables(inventory, name) for name in hosts(inventory)] == [False, True, False]
    assert variables(inventory, "two")[FOUND_STREAM] == f"{DOMAIN}/news/two"


def test_the_stream_of_a_found_host_follows_compose(cloud, read):
    inventory = read(hostnames=["stream_name"], apps=["news"], compose={"stream_name": "stream_name | upper"})
    assert variables(inventory, "two")["stream_name"] == "TWO"
    assert variables(inventory, "two")[FOUND_STREAM] == f"{DOMAIN}/news/TWO"


STATIC = {"news": (DOMAIN, "news", "one"), "other": ("live.example.org", "a", "b"), "bare": ()}


@pytest.mark.parametrize(
    ("kind", "listed", "name"),
    [
        ("news", False, "one"),
        ("other", False, "one@news@live.example.com"),
        ("other", True, "one@news@live.example.com"),
        ("bare", False, "one@news@live.example.com"),
        ("bare", True, "one"),
    ],
)
@pytest.mark.parametrize("is_read", [True, False], ids=["earlier", "later"])
def test_hosts_of_other_sources_keep_their_names(cloud, read, tmp_path, monkeypatch, kind, listed, name, is_read):
    cloud.drop(f"{DOMAIN}/sports/one")
    names = dict(zip(("domain_name", "app_name", "stream_name"), STATIC[kind]))
    if names:  # from a group and from a template, as users do it
        names = {**names, "stream_name": "{{ 'o' if 0 }}" + names["stream_name"]}
    group = {"hosts": {"one": None}, "vars": names}
    file = tmp_path / "sources" / "static.yml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump({"all": {"children": {"mine": group}}}), encoding="utf-8")
    monkeypatch.setattr(apsaravideo_streams, "list_sources", lambda: [] if is_read else [str(file.parent)])
    before = [file] if is_read else []
    inventory = read(hostnames=["stream_name"], streams=[f"{DOMAIN}/news/one"] * listed, before=before)
    assert set(hosts(inventory)) == {name, "two"}
    assert list_longer_names(read) == ["one"] if name != "one" else read.warnings == []
    assert FOUND_STREAM not in variables(inventory, name)
    assert not is_read or [host.name for host in inventory.groups["mine"].hosts] == ["one"]


def test_sources_are_read_ahead_as_ansible_would_read_them(tmp_path):
    texts = {
        "streams": "[mine]\none stream_name=x\n",
        "x.yml": "yours: {hosts: {two: }}",
        "live.apsaravideo.yml": f"plugin: {NAME}\ndomains: [a]\n",
        "program": "#!/bin/sh\nfalse",
        "broken.yml": "a: [",
        ".hidden.yml": "a: {hosts: {three: }}",
        "group_vars/all.yml": "four: {hosts: {four: }}",
        "deeper/y.yml": "theirs: {hosts: {five: }}",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "program").chmod(0o755)
    os.mkfifo(tmp_path / "pipe")
    found = read_static([str(tmp_path), "six,seven", str(tmp_path / "nothing")], DataLoader())
    assert {*found.hosts} == {"one", "two", "five", "six", "seven"}
    assert {*found.groups} == {"all", "ungrouped", "mine", "yours", "theirs"}
    assert found.hosts["one"].vars["stream_name"] == "x"
    assert {*read_static([str(tmp_path)], DataLoader(), [str(tmp_path / "streams")]).hosts} == {"two", "five"}


def test_a_stream_does_not_take_the_name_of_a_group(cloud, read):
    options = {"keyed_groups": [{"key": "app_name", "prefix": "app"}], "groups": {"large": "height > 1"}}
    cloud.push(*(f"{DOMAIN}/other/{name}" for name in ("app_news", "large", "streams", "all")))
    inventory = read(hostnames=["stream_name"], apps=["news", "other"], **options)
    assert {"%61pp_news", "%6Carge", "%73treams", "%61ll"} < set(inventory.hosts)
    assert inventory.groups.keys().isdisjoint(inventory.hosts)
    assert hosts(inventory, "app_news") == ["one", "two"] and len(hosts(inventory, "large")) == 6


def test_a_keyed_group_does_not_take_the_name_of_a_listed_host(cloud, read):
    options = {"keyed_groups": [{"key": "app_name", "separator": ""}], "hostnames": ["title"]}
    listed = {"domain_name": DOMAIN, "app_name": "news", "stream_name": "one", "title": "final"}
    cloud.push(f"{DOMAIN}/final/x")
    inventory = read(streams=[listed], **options)
    assert inventory.groups.keys() == {"all", "ungrouped", "streams", "news", "sports"}
    assert variables(inventory, "final")["app_name"] == "news" and "x@final@live.example.com" in inventory.hosts
    assert "The groups final of the option keyed_groups are left out" in read.warnings[-1]


def test_a_default_name_does_not_take_the_name_of_a_users_group(cloud, read, tmp_path):
    """A pattern of that name means the group."""
    file = tmp_path / "static.yml"
    file.write_text(yaml.safe_dump({"one@news@live.example.com": {"hosts": {"web": None}}}), encoding="utf-8")
    inventory = read(before=[file])
    assert hosts(inventory)[0] == "one@news@live.example.com~2" and list_longer_names(read) == [
        "one@news@live.example.com"
    ]
    assert variables(inventory, hosts(inventory)[0])["stream_name"] == "one"


def test_renaming_ends_although_each_host_has_a_group_of_its_name(cloud, read):
    inventory = read(
        hostnames=["app_name ~ stream_name"], keyed_groups=[{"key": "inventory_hostname", "separator": ""}]
    )
    assert inventory.groups.keys().isdisjoint(inventory.hosts) and len(hosts(inventory)) == 3


def test_an_excluded_stream_does_not_reserve_a_name(cloud, read):
    inventory = read(hostnames=["stream_name"], filters=[{"exclude": "app_name == 'sports'"}])
    assert hosts(inventory) == ["one", "two"]


def test_a_failing_hostnames_entry_is_an_error_if_strict(cloud, read):
    with pytest.raises(AnsibleParserError, match="Entry 1 of the option hostnames failed: 'nothing' is undefined"):
        read(hostnames=["{{ nothing }}"], strict=True)
    assert len(hosts(read(hostnames=["title", "{{ app_name }}-{{ stream_name }}"], strict=True))) == 3


def test_the_group_has_the_name_of_the_option(cloud, read):
    assert len(hosts(read(group="live"), "live")) == 3
    assert "streams" not in read(group="live").groups


def test_compose_groups_and_keyed_groups_apply(cloud, read):
    inventory = read(
        compose={"label": "app_name ~ ':' ~ stream_name", "wide": "width > 1000"},
        groups={"labelled": "label == 'news:one'", "big": "wide"},
        keyed_groups=[
            {"key": "app_name", "prefix": "app", "parent_group": "apps"},
            {"key": "label", "prefix": "", "separator": ""},
            {"key": "publish_time is none", "prefix": "never"},
        ],
    )
    assert inventory.get_host("two@news@live.example.com").vars["label"] == "news:two"
    assert hosts(inventory, "labelled") == ["one@news@live.example.com"]
    assert len(hosts(inventory, "big")) == 3
    assert hosts(inventory, "app_sports") == hosts(inventory, "sports_one") == ["one@sports@live.example.com"]
    assert len(hosts(inventory, "apps")) == 3


@pytest.fixture(name="evaluated")
def record_evaluations(monkeypatch):
    """Record each expression that Ansible evaluates, with the methods of all its versions."""
    texts = []
    for name in ("template", "evaluate_expression", "evaluate_conditional"):
        original = getattr(Templar, name, None)
        if original is not None:

            def noted(self, text, *args, original=original, **kwargs):
                texts.append(text)
                return original(self, text, *args, **kwargs)

            monkeypatch.setattr(Templar, name, noted)
    return texts


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("app_name + 'x'", 2),
        ("stream_name ~ app_name", 3),
        ("width * height", 1),
        ("inventory_hostname ~ 'x'", 3),
        ("title ~ 'x'", 3),
        ("app_name ~ now()", 3),
        ("[app_name] | random", 3),
    ],
)
def test_expressions_are_evaluated_once_for_equal_dependencies(cloud, read, evaluated, text, times):
    inventory = read(domains=[{"domain_name": DOMAIN, "title": "{{ stream_name }}"}], compose={"made": text})
    assert sum(text in str(seen) for seen in evaluated) == times
    assert all("made" in variables(inventory, name) for name in hosts(inventory))


def test_conditions_and_values_are_cached_separately(cloud, read):
    inventory = read(
        filters=[{"include": "width > 1 and app_name == 'news'"}, {"include": "app_name == 'sports'"}],
        compose={"made": "width > 1 and app_name == 'news'"},
        groups={"news": "width > 1 and app_name == 'news'", "others": "made != true", "always": True},
    )
    assert hosts(inventory, "news") == hosts(inventory)[:2]
    assert hosts(inventory, "others") == hosts(inventory)[2:]
    assert hosts(inventory, "always") == hosts(inventory)


def test_failing_expressions_are_errors_if_strict(cloud, read):
    assert "x" not in variables(read(compose={"x": "nothing"}), "one@news@live.example.com")
    for option in ({"compose": {"x": "nothing"}}, {"groups": {"x": "nothing"}}, {"keyed_groups": [{"key": "nothing"}]}):
        with pytest.raises(AnsibleError, match="nothing"):
            read(strict=True, **option)


def test_the_leading_separator_of_keyed_groups_can_be_omitted(cloud, read):
    assert "_news" in read(keyed_groups=[{"key": "app_name"}]).groups
    assert "news" in read(keyed_groups=[{"key": "app_name"}], leading_separator=False).groups


def test_a_source_variable_with_the_name_of_an_api_field_may_be_a_template(cloud, read):
    entry = {"domain_name": DOMAIN, "publish_type": "{{ app_name }}x"}
    inventory = read(
        domains=[entry], keyed_groups=[{"key": "publish_type", "prefix": "p"}], hostnames=["publish_type"], query="[1:]"
    )
    assert hosts(inventory) == ["newsx", "sportsx"]
    assert {"p_newsx", "p_sportsx"} <= set(inventory.groups)


def test_each_domain_is_listed_with_its_own_credentials(cloud, read, tmp_path):
    cloud.push("live.example.org/stadium/final")
    profiles = [
        {"name": name, "mode": "AK", "access_key_id": key[0], "access_key_secret": key[1]}
        for name, key in (("news", KEY), ("sports", OTHER_ACCOUNT_KEY))
    ]
    (tmp_path / "profiles.json").write_text(json.dumps({"profiles": profiles}), encoding="utf-8")
    inventory = read(
        credentials_file=str(tmp_path / "profiles.json"),
        profile="nothing",
        domains=[
            {"domain_name": DOMAIN, "profile": "news", "credentials_file": str(tmp_path / "profiles.json")},
            {"domain_name": "live.example.org", "access_key": OTHER_ACCOUNT_KEY[0], "secret_key": OTHER_ACCOUNT_KEY[1]},
        ],
    )
    news, sports = (
        variables(inventory, name) for name in ("one@news@live.example.com", "final@stadium@live.example.org")
    )
    assert news["apsaravideo_profile"] == "news"
    assert not [name for name in sports if name.startswith("apsaravideo_")]
    assert [call["account"] for call in cloud.calls(ACTION)] == ["1000000000000001", "2000000000000002"]


@pytest.mark.parametrize(
    "options",
    [
        {"access_key_id": KEY[0], "access_key_secret": KEY[1]},
        {"alicloud_access_key": KEY[0], "alicloud_secret_key": KEY[1]},
        {"access_key": KEY[0], "secret_access_key": KEY[1]},
        {"access_key": KEY[0], "secret_key": "{{ lookup('ansible.builtin.env', 'MY_SECRET') }}"},
        {"domains": [{"domain_name": DOMAIN, "access_key": KEY[0], "secret_key": "{{ lookup('env', 'MY_SECRET') }}"}]},
    ],
    ids="+".join,
)
def test_credentials_in_the_source_are_used_and_not_exposed(cloud, read, monkeypatch, options):
    monkeypatch.setenv("MY_SECRET", KEY[1])
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    inventory = read(**options)
    assert len(hosts(inventory)) == 3
    assert KEY[1] not in str([host.vars for host in inventory.hosts.values()])


@pytest.mark.parametrize("place", ["source", "domain"])
def test_a_role_of_the_source_or_a_domain_is_assumed(cloud, read, place):
    allowed = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["live:*"], "Resource": ["*"]}]}
    role = {"role_arn": ROLE, "role_policy": allowed, "sts_endpoint": cloud.endpoint}
    inventory = read(**role) if place == "source" else read(domains=[{"domain_name": DOMAIN, **role}])
    assert [call["action"] for call in cloud.calls()] == ["AssumeRole", ACTION]
    expected = {f"apsaravideo_{name}": value for name, value in role.items()} if place == "domain" else {}
    found = variables(inventory, hosts(inventory)[0])
    assert {name: value for name, value in found.items() if name.startswith("apsaravideo_")} == expected


@pytest.mark.parametrize("own", [{}, {"access_key_id": KEY[0], "access_key_secret": KEY[1]}], ids="+".join)
def test_the_role_of_the_environment_is_assumed_with_any_credentials(cloud, read, monkeypatch, own):
    monkeypatch.setenv("ALICLOUD_ASSUME_ROLE_ARN", ROLE)
    monkeypatch.setenv("APSARAVIDEO_STS_ENDPOINT", cloud.endpoint)
    inventory = read(domains=[{"domain_name": DOMAIN, **own}])
    assert [call["action"] for call in cloud.calls()] == ["AssumeRole", ACTION]
    assert not [name for name in variables(inventory, hosts(inventory)[0]) if name.startswith("apsaravideo_")]


def test_environment_variables_that_replace_one_option_are_declared():
    options = inventory_loader.get(NAME).option_definitions
    declared = {name: [entry["name"] for entry in option["env"]] for name, option in options.items() if "env" in option}
    own = {name: names for name, names in declared.items() if name in CONNECTION}
    assert own == {
        "endpoint": ["APSARAVIDEO_ENDPOINT"],
        "region_id": ["ALICLOUD_REGION_ID", "ALICLOUD_REGION", "ALIBABACLOUD_REGION_ID", "ALIBABA_CLOUD_REGION_ID"],
        "role_arn": ["ALICLOUD_ASSUME_ROLE_ARN"],
    }


@pytest.mark.parametrize("count", range(4))
def test_the_first_region_variable_of_the_environment_is_sent(cloud, read, monkeypatch, count):
    names = ("ALIBABA_CLOUD_REGION_ID", "ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION", "ALICLOUD_REGION_ID")
    for name in names[count:]:
        monkeypatch.setenv(name, name.lower().replace("_", "-"))
    assert len(hosts(read())) == 3
    assert list_parameters(cloud)[0]["RegionId"] == names[count].lower().replace("_", "-")


def test_connection_options_override_the_environment(cloud, read, monkeypatch):
    monkeypatch.setenv("APSARAVIDEO_ENDPOINT", "http://127.0.0.1:1")
    inventory = read(endpoint=cloud.endpoint, region="cn-shanghai", retry_timeout=0)
    assert len(hosts(inventory)) == 3
    assert list_parameters(cloud)[0]["RegionId"] == "cn-shanghai"
    assert not [name for name in variables(inventory, hosts(inventory)[0]) if name.startswith("apsaravideo_")]
    with pytest.raises(AnsibleParserError, match="127.0.0.1:1 does not accept a connection"):
        read(retry_timeout=0)


def test_api_errors_include_code_and_request_id(cloud, read):
    with pytest.raises(AnsibleParserError, match=r"no such streaming domain \(InvalidDomain.NotFound, RequestId .*\)"):
        read(domains=["nothing.example.com"])
    assert list_parameters(cloud)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"domains": []}, "names no domain and no stream"),
        ({"domain": DOMAIN}, "The source has no option domain"),
        ({"query": "[?x="}, "The option query cannot be used"),
        (
            {"filters": [{"include": "a ==="}]},
            "The condition 1 of the option filters cannot be read by Jinja2: unexpected",
        ),
        ({"filters": [{"include": "a", "exclude": "b"}]}, "Give each entry one condition"),
        ({"filters": [{"only": "a"}]}, "Give each entry one condition"),
        ({"filters": [{"include": ["a"]}]}, "Give each entry one condition"),
        ({"filters": ["a"]}, "Give each entry one condition"),
        ({"hostnames": ["{{ a"]}, "Entry 1 of the option hostnames cannot be read by Jinja2: unexpected"),
        ({"hostnames": [7]}, "Entry 1 of the option hostnames is not text"),
        ({"hostnames": ["a b"]}, "Entry 1 of the option hostnames cannot be read by Jinja2: expected token"),
        ({"endpoint": "ftp://x"}, "The endpoint is not a full URL"),
        ({"retry_timeout": "x"}, "retry_timeout"),
        ({"connect_timeout": 0}, "The option connect_timeout is 0"),
        ({"profile": "none"}, "cannot be read"),
        ({"plugin": "ansible.builtin.yaml"}, "Incorrect plugin name"),
    ],
    ids=str,
)
def test_invalid_options_are_refused_before_any_call(cloud, read, options, words):
    with pytest.raises(AnsibleError) as caught:
        read(**options)
    assert words in str(caught.value)
    assert list_parameters(cloud) == []


def test_missing_credentials_are_an_error(cloud, read, monkeypatch):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    with pytest.raises(AnsibleParserError, match="No access keys were found"):
        read()


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("x.apsaravideo.yml", True),
        ("x.apsaravideo.yaml", True),
        ("apsaravideo.yml", True),
        ("apsaravideo_streams.yml", True),
        ("live.apsaravideo_streams.yml", True),
        ("apsaravideo_streams.yaml", True),
        ("myapsaravideo.yml", False),
        ("x.apsaravideo.json", False),
        ("x.yml", False),
        ("missing", False),
    ],
)
def test_sources_are_recognized_by_file_name(tmp_path, name, taken):
    file = tmp_path / name
    if name != "missing":
        file.touch()
    assert inventory_loader.get(NAME).verify_file(str(file)) is taken


@pytest.mark.parametrize(
    ("name", "text", "warned"),
    [
        ("streams.yml", f"---\n# ours\nplugin: {NAME}\ndomains: [{DOMAIN}]\n", True),
        ("streams.yaml", f"plugin: '{NAME}'\n", True),
        ("streams.yml", "plugin: amazon.aws.aws_ec2\n", False),
        ("streams.yml", f"all: {{vars: {{text: 'plugin: {NAME}'}}}}\n", False),
        ("apsaravideo.yml", f"plugin: {NAME}\n", False),
    ],
)
def test_a_misnamed_source_is_a_warning(tmp_path, monkeypatch, name, text, warned):
    said = []
    plugin = inventory_loader.get(NAME)
    monkeypatch.setattr(plugin.display, "warning", said.append)
    (tmp_path / name).write_text(text, encoding="utf-8")
    plugin.verify_file(str(tmp_path / name))
    assert len(said) == warned
    assert all("Call it apsaravideo.yml or apsaravideo_streams.yml" in line for line in said)


@pytest.fixture(name="cached")
def make_cached_reader(read, tmp_path):
    directory = tmp_path / "cache"

    def read_cached(use=True, **options):
        given = {"cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(directory), **options}
        text = yaml.safe_dump({"plugin": NAME, "domains": [DOMAIN], "cache": True, **given})
        return read(text, cache=use)

    read_cached.directory = directory
    return read_cached


def test_a_cached_listing_needs_no_calls_and_no_credentials(cloud, cached, monkeypatch):
    first = cached()
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        monkeypatch.delenv(name)
    second = cached()
    assert hosts(first) == hosts(second)
    assert [variables(first, name) for name in hosts(first)] == [variables(second, name) for name in hosts(second)]
    assert len(list_parameters(cloud)) == 1


def change_rows(value, change):
    """Return stored JSON, which may contain JSON as text, with the rows of the first listing changed."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.dumps(change_rows(json.loads(value), change))
    if isinstance(value, dict):
        return {name: change_rows(item, change) for name, item in value.items()}
    return [change(value[0])] if isinstance(value, list) and isinstance(value[0], list) else value


def rewrite_cache(cached, change):
    (file,) = cached.directory.iterdir()
    before = file.read_text(encoding="utf-8")
    file.write_text(change_rows(before, change), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != before


STRANGE = {
    "apsaravideo_endpoint": "http://127.0.0.1:9",
    "apsaravideo_credentials_file": "/tmp/x",
    "ansible_connection": "ssh",
    "ansible_host": "192.0.2.1",
    "record_start_at": "x",
    "online": False,
}


def test_fields_the_api_does_not_return_are_ignored_in_a_cache(cloud, cached):
    first = cached()
    rewrite_cache(cached, lambda rows: [{**row, **STRANGE, "domain_name": "live.example.org"} for row in rows])
    second = cached()
    assert len(list_parameters(cloud)) == 1
    assert hosts(first) == hosts(second)
    assert [variables(first, name) for name in hosts(first)] == [variables(second, name) for name in hosts(second)]


@pytest.mark.parametrize(
    "change",
    [
        lambda _rows: [5, "x", None, [], {}],
        lambda _rows: {"x": 1},
        lambda _rows: 5,
        lambda rows: [{**row, "app_name": ["a"], "width": {"x": 1}} for row in rows],
        lambda rows: [{**row, "stream_name": None} for row in rows],
    ],
)
def test_cached_rows_without_a_stream_are_ignored(cloud, cached, change):
    cached()
    rewrite_cache(cached, change)
    assert hosts(cached()) == []


@pytest.mark.usefixtures("cloud")
def test_cached_values_of_a_wrong_type_are_ignored(cached):
    cached()
    rewrite_cache(cached, lambda rows: [{**row, "client_ip": ["a"], "publish_time": {"x": 1}} for row in rows])
    found = cached()
    assert {variables(found, name)["publish_time"] for name in hosts(found)} == {None}
    assert not any("client_ip" in variables(found, name) for name in hosts(found))


def test_a_cache_with_another_number_of_listings_is_not_used(cloud, cached):
    cached()
    (file,) = cached.directory.iterdir()
    text = file.read_text(encoding="utf-8").replace("[[", "[[], [")
    file.write_text(text, encoding="utf-8")
    assert len(hosts(cached())) == 3 and len(list_parameters(cloud)) == 2


def test_a_refresh_lists_again_and_updates_the_cache(cloud, cached):
    cached()
    cloud.drop(f"{DOMAIN}/news/two")
    assert len(hosts(cached())) == 3
    assert len(hosts(cached(use=False))) == 2, "as with --flush-cache, or meta: refresh_inventory"
    assert len(hosts(cached())) == 2
    assert len(list_parameters(cloud)) == 2


def test_each_run_lists_without_a_cache(cloud, cached):
    for _time in range(2):
        cached(cache=False)
    assert len(list_parameters(cloud)) == 2
    assert not cached.directory.exists()


def test_an_expired_cache_is_not_used(cloud, cached):
    cached(cache_timeout=60)
    for file in cached.directory.iterdir():
        os.utime(file, (1, 1))
    cached(cache_timeout=60)
    assert len(list_parameters(cloud)) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"domains": [DOMAIN, {"domain_name": DOMAIN}]},
        {"apps": ["news"]},
        {"streams": [f"{DOMAIN}/news/nine"]},
        {"transcoded": True},
        {"endpoint": "http://localhost"},
        {"access_key_id": KEY[0], "access_key_secret": KEY[1]},
        {"region_id": "cn-shanghai"},
    ],
    ids="+".join,
)
def test_options_that_change_the_listing_have_separate_cache_entries(cloud, cached, options):
    if "endpoint" in options:
        options = {"endpoint": cloud.endpoint.replace("127.0.0.1", "localhost")}
    cached()
    known = len(list_parameters(cloud))
    cached(**options)
    assert len(list_parameters(cloud)) > known
    known = len(list_parameters(cloud))
    cached(**options)
    cached()
    assert len(list_parameters(cloud)) == known


@pytest.mark.parametrize(
    "options",
    [
        {"query": "[:1]"},
        {"filters": [{"exclude": "app_name == 'news'"}]},
        {"hostnames": ["app_name ~ stream_name"]},
        {"group": "live"},
        {"retry_timeout": 1},
    ],
    ids="+".join,
)
def test_options_that_only_process_the_listing_share_a_cache_entry(cloud, cached, options):
    cached()
    cached(**options)
    assert len(list_parameters(cloud)) == 1


@pytest.mark.parametrize("prefix", ["ALIBABA_CLOUD", "ALIBABACLOUD", "ALICLOUD"])
def test_a_cache_of_another_account_is_not_used(cloud, cached, monkeypatch, prefix):
    names = ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET")
    for name, value in zip(names, KEY):
        monkeypatch.delenv(f"ALIBABA_CLOUD_{name}")
        monkeypatch.setenv(f"{prefix}_{name}", value)
    cached()
    for name, value in zip(names, OTHER_ACCOUNT_KEY):
        monkeypatch.setenv(f"{prefix}_{name}", value)
    with pytest.raises(AnsibleParserError, match="InvalidDomain.NotFound"):
        cached()


def test_credentials_are_not_stored_in_the_cache(cloud, cached):
    cached(access_key_id=KEY[0], access_key_secret=KEY[1])
    files = list(cached.directory.iterdir())
    assert files
    for file in files:
        everything = file.name + file.read_text(encoding="utf-8")
        assert KEY[0] not in everything and KEY[1] not in everything
        assert "news" in everything
