# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the variables of many hosts in one task, from Ansible's own objects."""

from __future__ import annotations

import json
import time

import pytest
from ansible import context, template
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.playbook.play import Play
from ansible.plugins.action import ActionBase
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.plugin_utils._action.hosts import HostVariables
from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.names import FOUND_STREAM


def trusted(text):
    """Return a text as a playbook holds it; newer versions of ansible-core mark texts that may be templates."""
    return getattr(template, "trust_as_template", str)(text)


class Action(ActionBase):
    """An action that does nothing."""

    def run(self, tmp=None, task_vars=None):
        raise NotImplementedError


class Run:
    """A task of one host in a play over an inventory, as an action plugin sees it."""

    def __init__(self, directory, monkeypatch, hosts, extra=(), limit=None, group=None, **play):
        arguments = {"extra_vars": tuple(extra), "subset": limit, "tags": ["all"], "skip_tags": [], "verbosity": 0}
        monkeypatch.setattr(context, "CLIARGS", ImmutableDict(arguments))
        source = directory / "inventory.yml"
        if isinstance(hosts, dict):
            hosts = json.dumps({"all": {"children": {"streams": {"hosts": hosts, "vars": group or {}}}}})
        source.write_text(hosts, encoding="utf-8")
        loader = DataLoader()
        loader.set_basedir(str(directory))
        self.inventory = InventoryManager(loader=loader, sources=[str(source)])
        self.inventory.subset(limit)
        self.manager = VariableManager(loader=loader, inventory=self.inventory)
        hostvars = HostVars(self.inventory, self.manager, loader)
        tasks = [{"name": "test", "ansible.builtin.debug": {}, "vars": play.pop("task_vars", {})}]
        keywords = {"hosts": "streams", "gather_facts": False, "tasks": tasks, **play}
        loaded = Play.load(keywords, variable_manager=self.manager, loader=loader)
        task = loaded.get_tasks()[0][0]
        first = self.inventory.get_hosts("streams")[0]
        task_vars = self.manager.get_vars(play=loaded, host=first, task=task)
        assert task_vars["hostvars"] is hostvars
        action = Action(task, None, None, loader, None, None)
        self.variables = HostVariables(action, task_vars)

    def read(self, host, *names):
        return self.variables.read(host, names)


@pytest.fixture(name="run")
def make_run(tmp_path, monkeypatch):
    def make(hosts, **keywords):
        return Run(tmp_path, monkeypatch, hosts, **keywords)

    return make


def catch_problem(run, host, *names):
    with pytest.raises(InvalidOption) as raised:
        run.read(host, *names)
    return raised.value.happened


def test_variables_that_are_set_are_read_as_plain_values(run):
    window = {"start": "{{ begins }}", "stop": 5}
    mine = {"stream_name": 12345, "app_name": None, "begins": "20:00", "record_windows": [window], "other": "x"}
    found = run({"cam": mine}).read("cam", "stream_name", "app_name", "domain_name", "record_windows")
    assert found == {"stream_name": 12345, "record_windows": [{"start": "20:00", "stop": 5}]}
    assert [type(value) for value in found.values()] == [int, list]
    assert [type(value) for value in found["record_windows"][0].values()] == [str, int]


FOUND = {
    "domain_name": "live.example.com",
    "app_name": "a",
    "stream_name": "cam1",
    FOUND_STREAM: "live.example.com/a/cam1",
}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("cam1", {"cam1"}),
        ("cam*", {"cam1"}),
        ("~cam", {"cam1"}),
        ("cam2", set()),
        ("streams", set()),
        ("str*", set()),
        ("~str", set()),
        ("streams[0:1]", set()),
        ("all", set()),
        ("nothing:cam1", {"cam1"}),
        ("streams:&cam*", {"cam1"}),
        ("cam*:&streams", {"cam1"}),
        ("streams:!cam2", set()),
        ("!cam2", set()),
    ],
)
def test_hosts_matched_only_by_a_stranger_chosen_name_are_found(run, pattern, names):
    assert run({"cam1": FOUND, "cam2": {}}).variables.find_stranger_named(pattern) == names


def test_a_host_that_stands_for_two_streams_is_refused(run):
    assert run({"cam1": FOUND}).read("cam1", "app_name") == {"app_name": "a"}
    happened = catch_problem(run({"cam1": {**FOUND, "app_name": "b"}}), "cam1", "app_name")
    assert "is the stream live.example.com/a/cam1" in happened and happened.endswith("live.example.com/b/cam1")


def test_templates_see_the_variables_of_their_own_host(run):
    hosts = {"s1": {"number": 1}, "s2": {"number": 2}}
    group = {"stream_name": "{{ inventory_hostname }}-{{ number }}", "app_name": "{{ hostvars['s1'].number }}"}
    found = run(hosts, group=group)
    assert found.read("s1", "stream_name")["stream_name"] == "s1-1"
    assert found.read("s2", "stream_name")["stream_name"] == "s2-2"
    assert str(found.read("s2", "app_name")["app_name"]) == "1"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{{ nowhere }}", "'nowhere' is undefined"),
        ("{{ indirect }}", "'nowhere' is undefined"),
        ("{{ 1 | nofilter }}", "named 'nofilter'"),
        ("{{ 1 is notest }}", "named 'notest'"),
        ("{{ 'hunter2' | nofilter }}", "named 'nofilter'"),
        ("{{ 'hunter2' }", "its template fails"),
        ("{{ 'hunter2' | mandatory(1 / 0) }}", "its template fails"),
        ("{{ apsaravideo_read_timeout }}", "refers to itself"),
        (["{{ nowhere }}"], "'nowhere' is undefined"),
    ],
)
def test_a_failing_template_is_reported_by_variable_and_reason_without_its_text(run, value, why):
    bad = {"apsaravideo_read_timeout": value, "indirect": "{{ nowhere }}", "stream_name": "bad"}
    found = run({"bad": bad, "good": {"apsaravideo_read_timeout": 5}})
    said = catch_problem(found, "bad", "stream_name", "apsaravideo_read_timeout")
    assert said.startswith("The variable apsaravideo_read_timeout of this host cannot be evaluated: ")
    assert why in said
    assert "hunter2" not in said
    assert found.read("bad", "stream_name") == {"stream_name": "bad"}
    assert found.read("good", "apsaravideo_read_timeout") == {"apsaravideo_read_timeout": 5}


def test_a_variable_that_cannot_be_decrypted_is_named(run):
    secret = VaultLib([("x", VaultSecret(b"another"))]).encrypt("hunter2", vault_id="x").decode()
    lines = "".join(f"            {line}\n" for line in secret.splitlines())
    source = f"streams:\n  hosts:\n    bad:\n      stream_name: bad\n      apsaravideo_profile: !vault |\n{lines}"
    found = run(source)
    said = catch_problem(found, "bad", "apsaravideo_profile")
    assert "apsaravideo_profile of this host" in said
    assert "no vault password" in said
    assert found.read("bad", "stream_name") == {"stream_name": "bad"}


@pytest.mark.parametrize("value", ["{{ my_profile | default(omit) }}", "{{ omit }}", "{{ indirect }}"])
def test_an_omitted_variable_counts_as_not_set(run, value):
    found = run({"s1": {"apsaravideo_profile": value, "indirect": "{{ omit }}", "stream_name": "s1"}})
    assert found.read("s1", "apsaravideo_profile", "stream_name") == {"stream_name": "s1"}


def test_omitted_items_are_removed_from_lists_and_mappings(run):
    window = {"start": "20:00", "stop": "{{ omit }}"}
    found = run({"s1": {"record_windows": [window, "{{ omit }}"], "stream_name": "s1{{ omit }}"}})
    assert found.read("s1", "record_windows", "stream_name") == {
        "record_windows": [{"start": "20:00"}],
        "stream_name": "s1",
    }


def test_variables_have_the_precedence_of_ansible(run):
    names = ("apsaravideo_a", "apsaravideo_b", "apsaravideo_c", "apsaravideo_d", "apsaravideo_e")
    found = run(
        {"s1": {}, "s2": dict.fromkeys(names, "host")},
        group=dict.fromkeys(names, "group"),
        vars={
            "apsaravideo_b": trusted("play {{ inventory_hostname }}"),
            "apsaravideo_c": "play",
            "apsaravideo_d": "play",
        },
        task_vars={"apsaravideo_c": "task"},
        extra=["apsaravideo_d=extra"],
    )
    found.manager.set_nonpersistent_facts("s2", {"apsaravideo_e": "fact"})
    assert list(found.read("s1", *names).values()) == ["group", "play s1", "task", "extra", "group"]
    assert list(found.read("s2", *names).values()) == ["host", "play s2", "task", "extra", "fact"]


def test_patterns_match_within_the_limit_or_in_the_whole_inventory(run):
    found = run({"s1": {}, "s2": {}, "s3": {}}, limit="!s3").variables
    assert found.list_hosts("streams") == ["s1", "s2"]
    assert found.list_hosts(None) == ["s1", "s2"]
    assert found.list_hosts("nothing") == []
    assert found.list_all_hosts("streams") == ["s1", "s2", "s3"]
    assert found.list_all_hosts("streams:!s2") == ["s1", "s3"]


def test_reading_a_host_takes_less_than_a_millisecond(run):
    hosts = {f"s{number}": {"stream_name": f"s{number}"} for number in range(1000)}
    found = run(hosts, group={"domain_name": "live.example.com", "app_name": "news"})
    began = time.process_time()
    for host in hosts:
        assert found.read(host, "domain_name", "app_name", "stream_name")["stream_name"] == host
    assert time.process_time() - began < 1.0
