# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host variables that are integers in YAML, undefined, omitted, misspelt or ignored."""

from __future__ import annotations

import json
import os

import pytest

DOMAIN = "live.example.com"


def inventory(ansible, hosts, name="streams.yml", **group):
    """Write an inventory in which streams have the names of their hosts by default."""
    variables = {"domain_name": DOMAIN, "app_name": "app", "stream_name": "{{ inventory_hostname }}", **group}
    file = ansible.directory / name
    content = {"streams": {"hosts": hosts, "vars": variables}}
    file.write_text(json.dumps({"all": {"children": content}}), encoding="utf-8")
    return str(file)


def streams(*names):
    return [f"{DOMAIN}/app/{name}" for name in names]


def play(ansible, name, source, *arguments, **variables):
    return ansible.playbook(f"apsaravideo.live.{name}", "-i", source, "-e", json.dumps(variables), *arguments)


def status(ansible, source, *arguments, **variables):
    """Run status; return the run and the entry of each host."""
    dest = ansible.directory / "status.json"
    run = play(ansible, "status", source, *arguments, dest=str(dest), **variables)
    rows = json.loads(dest.read_text(encoding="utf-8")) if dest.exists() else []
    return run, {row["host"]: row for row in rows}


def record(ansible, source, **keywords):
    """Start the streams of an inventory with the role."""
    content = [{"hosts": "streams", "gather_facts": False, "connection": "local", "roles": ["apsaravideo.live.record"]}]
    file = ansible.directory / "record.json"
    file.write_text(json.dumps([{**content[0], **keywords}]), encoding="utf-8")
    return ansible.playbook(str(file), "-i", source)


def verdict(run):
    """Return the message of the only failure of a run."""
    (said,) = (row["result"]["msg"] for row in run.rows if row["status"] == "failed")
    return said


def recording(cloud):
    return {row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"}


def test_integer_names_are_used_as_text_everywhere(cloud, ansible):
    source = inventory(ansible, {"cam": {"app_name": 2026, "stream_name": 12345}, "zero": {"stream_name": 0}, "s1": {}})
    cloud.push(f"{DOMAIN}/2026/12345", *streams("0", "s1"))
    run = record(ansible, source)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"12345", "0", "s1"}
    run, found = status(ansible, source)
    assert run.exit_code == 0, run.output
    assert [(row["app_name"], row["stream_name"]) for row in found.values()] == [
        ("2026", "12345"),
        ("app", "0"),
        ("app", "s1"),
    ]


def test_ambiguous_yaml_names_are_refused_before_any_call(cloud, ansible):
    source = inventory(ansible, {"b": {"stream_name": True}, "f": {"stream_name": 1.1}, "s1": {}})
    cloud.push(*streams("True", "1.1", "s1"))
    run = record(ansible, source)
    assert {call["params"]["StreamName"] for call in cloud.calls("RealTimeRecordCommand")} == {"s1"}
    failures = {row["host"]: row["result"]["msg"] for row in run.rows if row["status"] == "failed"}
    assert set(failures) == {"b", "f"}
    assert "stream_name is true, which is a boolean in YAML" in failures["b"]
    assert all("Quote the name" in text for text in failures.values())
    run, found = status(ansible, source)
    assert run.exit_code != 0
    assert "stream_name is 1.1" in found["f"]["reason"]
    assert found["s1"]["recording"] == "recording"


def test_an_omitted_variable_counts_as_not_set(cloud, ansible):
    omitted = {"apsaravideo_profile": "{{ my_profile | default(omit) }}", "apsaravideo_rate_limit": "{{ omit }}"}
    source = inventory(ansible, {"s1": {}}, **omitted, record_start_at="{{ nowhere | default(omit) }}")
    cloud.push(*streams("s1"))
    run = record(ansible, source)
    assert run.exit_code == 0, run.output
    assert recording(cloud) == {"s1"}
    run, found = status(ansible, source)
    assert run.exit_code == 0, run.output
    assert found["s1"]["recording"] == "recording"


def test_a_failing_template_fails_its_host_with_the_reason(cloud, ansible):
    bad = {"bad": {"apsaravideo_read_timeout": "{{ nowhere }}"}, "odd": {"stream_name": "{{ 1 | nofilter }}"}}
    source = inventory(ansible, {**bad, "s1": {}})
    cloud.push(*streams("bad", "s1"))
    run = record(ansible, source)
    assert recording(cloud) == {"s1"}
    failures = {row["host"]: row["result"]["msg"] for row in run.rows if row["status"] == "failed"}
    assert set(failures) == {"bad", "odd"}
    assert "apsaravideo_read_timeout of this host cannot be evaluated: 'nowhere' is undefined" in failures["bad"]
    cloud.clear_calls()
    run, found = status(ansible, source)
    assert run.exit_code != 0
    assert found["s1"]["recording"] == "recording"
    assert [found[host]["failed"] for host in ("bad", "odd", "s1")] == [True, True, False]
    assert "apsaravideo_read_timeout of this host" in found["bad"]["reason"]
    assert "stream_name of this host" in found["odd"]["reason"]
    assert "nofilter" in found["odd"]["reason"]
    assert any("odd" in line and "nofilter" in line for line in run.output.splitlines())


SHORT = {
    "wanted": "s1",
    "target": "s1",
    "dest": "backup",
    "strays": True,
    "max_duration": "nonsense",
    "accept_unknown": True,
    "allow_empty": True,
    "all": "nonsense",
    "record_status": "nonsense",
    "require_hosts_message": "nonsense",
}


def test_host_variables_with_short_names_are_ignored(cloud, ansible):
    source = inventory(ansible, {"s1": {}, "s2": {}}, **SHORT)
    cloud.push(*streams("s1"))
    assert record(ansible, source).exit_code != 0
    run, found = status(ansible, source)
    assert run.exit_code != 0
    assert verdict(run) == "Not known to be recorded: 1 of 2 streams: s2."
    assert [row["wanted"] for row in found.values()] == [True, True]
    assert not (ansible.directory / "backup").exists()


def test_variables_with_short_names_apply_where_the_playbook_is_imported(cloud, ansible):
    source = inventory(ansible, {"s1": {}, "s2": {}}, target="s2", wanted="s2")
    cloud.push(*streams("s1"))
    record(ansible, source)
    site = [
        {"ansible.builtin.import_playbook": "apsaravideo.live.status", "vars": {"target": "s1", "dest": "here.json"}},
        {"ansible.builtin.import_playbook": "apsaravideo.live.status", "vars": {"wanted": "s1", "dest": "all.json"}},
    ]
    file = ansible.directory / "site.json"
    file.write_text(json.dumps(site), encoding="utf-8")
    run = ansible.playbook(str(file), "-i", source)
    assert run.exit_code == 0, run.output
    here, everywhere = (
        {row["host"]: row["wanted"] for row in json.loads((ansible.directory / name).read_text(encoding="utf-8"))}
        for name in ("here.json", "all.json")
    )
    assert here == {"s1": True}
    assert everywhere == {"s1": True, "s2": False}


def test_later_plays_run_for_recorded_streams_after_status_fails(cloud, ansible):
    source = inventory(ansible, {"s1": {}, "s2": {}, "s3": {}})
    cloud.push(*streams("s1"))
    record(ansible, source)
    tasks = [{"name": "next", "ansible.builtin.debug": {"msg": "on"}}]
    site = [
        {"ansible.builtin.import_playbook": "apsaravideo.live.status"},
        {"hosts": "streams:localhost", "gather_facts": False, "tasks": tasks},
    ]
    file = ansible.directory / "site.json"
    file.write_text(json.dumps(site), encoding="utf-8")
    run = ansible.playbook(str(file), "-i", source)
    assert run.exit_code == 2
    assert verdict(run) == "Not known to be recorded: 2 of 3 streams: s2, s3."
    assert set(run.results("next")) == {"s1", "s3", "localhost"}


def test_status_includes_hosts_that_failed_in_an_earlier_play(cloud, ansible):
    source = inventory(ansible, {"gone": {}, "idle": {}, "s1": {}})
    cloud.push(*streams("idle", "s1"))
    site = [
        {
            "hosts": "gone:s1",
            "gather_facts": False,
            "connection": "local",
            "roles": ["apsaravideo.live.record"],
        },
        {"ansible.builtin.import_playbook": "apsaravideo.live.status", "vars": {"dest": "status.json"}},
        {"ansible.builtin.import_playbook": "apsaravideo.live.status"},
    ]
    file = ansible.directory / "site.json"
    file.write_text(json.dumps(site), encoding="utf-8")
    run = ansible.playbook(str(file), "-i", source)
    assert run.exit_code == 2
    found = json.loads((ansible.directory / "status.json").read_text(encoding="utf-8"))
    assert [row["host"] for row in found] == ["gone", "idle", "s1"]
    failures = [(row["host"], row["result"]["msg"]) for row in run.rows if row["status"] == "failed"]
    assert [host for host, _said in failures] == ["gone", "idle"]
    assert failures[1][1] == "Not known to be recorded: 2 of 3 streams: gone, idle."
    assert set(run.results("Read the state of all streams")) == {"idle", "s1"}


@pytest.mark.parametrize("name", ["status", "configure"])
def test_the_playbooks_never_log_in_to_a_host(cloud, ansible, name):
    ssh = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_become": True}
    source = inventory(ansible, {"s1": {}}, **ssh)
    cloud.push(*streams("s1"))
    run = play(ansible, name, source, record_config_notify={"notify_url": "http://callback.example.com/"})
    assert run.hosts("unreachable") == set()
    assert cloud.calls(), run.output
    assert "become" not in run.output


@pytest.mark.parametrize("name", ["status", "configure"])
def test_a_pattern_without_a_host_is_an_error(cloud, ansible, name):
    source = inventory(ansible, {"s1": {}})
    run = play(ansible, name, source, target="nothing")
    assert run.exit_code != 0
    assert "No host matches nothing. Check the name, --limit" in verdict(run)
    assert "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED" in verdict(run)
    run = play(ansible, name, source, target="nothing", allow_empty=True)
    assert run.exit_code == 0, run.output
    assert cloud.calls() == []


@pytest.mark.parametrize("arguments", [(), ("--limit", "s1")], ids=["all", "limited"])
def test_a_failed_source_without_a_host_is_an_error(cloud, ansible, arguments):
    (ansible.directory / "x.apsaravideo.yml").write_text("plugin: apsaravideo.live.apsaravideo_streams\n")
    run = ansible.playbook("apsaravideo.live.status", "-i", "x.apsaravideo.yml", *arguments)
    assert run.exit_code != 0
    assert "No host matches streams" in " ".join(run.output.split())
    run = ansible.playbook("apsaravideo.live.status", "-i", "x.apsaravideo.yml", "-e", "allow_empty=false", *arguments)
    assert run.exit_code != 0


def test_require_hosts_succeeds_without_a_change(ansible):
    source = inventory(ansible, {"s1": {}, "s2": {}})
    run = play(ansible, "require_hosts", source, "--limit", "s2")
    assert (run.exit_code, run.rows) == (0, []), run.output
    assert "changed" not in run.output
    run = play(ansible, "require_hosts", source, "--limit", "s2", target="s1")
    assert run.exit_code != 0


@pytest.mark.parametrize("name", ["status", "configure"])
def test_a_syntax_check_needs_no_inventory(ansible, name):
    run = ansible.playbook(f"apsaravideo.live.{name}", "--syntax-check")
    assert run.exit_code == 0, run.output


def test_wanted_applies_regardless_of_the_limit_and_by_stream(cloud, ansible):
    config = {"notify_url": "http://callback.example.com/", "status_events": True}
    source = inventory(ansible, {"s1": {}, "s2": {}, "s3": {}})
    assert play(ansible, "configure", source, record_config_notify=config).exit_code == 0
    cloud.push(*streams("s1", "s2", "s3"))
    assert record(ansible, source).exit_code == 0
    cloud.advance(60)
    children = {"wanted": {"hosts": {"another name": {"stream_name": "s3"}, "s1": {}}}}
    second = ansible.directory / "wanted.yml"
    names = {"domain_name": DOMAIN, "app_name": "app"}
    second.write_text(json.dumps({"all": {"children": children, "vars": names}}), encoding="utf-8")
    options = {"wanted": "wanted", "strays": True}
    look = {"name": "look", "apsaravideo.live.apsaravideo_record_status": options, "run_once": True}
    arguments = ("-i", source, "-i", str(second), "--limit", "streams:!s3:!s1")
    run = ansible.play([look], *arguments, hosts="streams", connection="local")
    found = run.result("look")
    assert [row["stream_name"] for row in found["excess"]] == ["s2"]
    assert {row["stream_name"]: row["wanted"] for row in found["streams"]} == {"s2": False, "s1": True, "s3": True}
    assert found["missing"] == []
    look["apsaravideo.live.apsaravideo_record_status"] = {**options, "wanted": "typo"}
    run = ansible.play([look], *arguments, hosts="streams", connection="local")
    assert "No host matches typo" in run.result("look")["msg"]


def test_possible_streams_of_an_unreadable_wanted_host_are_not_stopped(cloud, ansible):
    config = {"notify_url": "http://callback.example.com/", "status_events": True}
    source = inventory(ansible, {"s1": {}, "s2": {"app_name": "other"}, "bad": {"stream_name": "{{ nowhere }}"}})
    assert play(ansible, "configure", source, record_config_notify=config).exit_code == 0
    cloud.push(*streams("s1"), f"{DOMAIN}/other/s2")
    record(ansible, source)
    cloud.advance(60)
    look = {"name": "look", "apsaravideo.live.apsaravideo_record_status": {"wanted": "bad"}, "run_once": True}
    run = ansible.play([look], "-i", source, hosts="streams", connection="local")
    found = run.result("look")
    assert [row["stream_name"] for row in found["excess"]] == ["s2"]
    assert any("wanted and cannot be read: bad" in text for text in found["warnings"])


def test_the_terminal_shows_the_urgent_rows_and_the_file_has_all(cloud, ansible):
    hosts = {f"stream{number:03}": {} for number in range(120)}
    source = inventory(ansible, hosts)
    cloud.push(*streams(*list(hosts)[:100]))
    run, found = status(ansible, source)
    assert run.exit_code != 0
    lines = run.output.splitlines()
    rows = [line for line in lines if line.startswith(f"{DOMAIN}/")]
    assert len(rows) == 40
    assert [f"stream{number:03}" in row for number, row in zip(range(100, 120), rows)] == [True] * 20
    assert "... and 80 more: -v or -e all=true shows them" in lines
    assert len(verdict(run)) <= 300
    assert max(map(len, lines)) < 500
    assert list(found) == list(hosts)
    assert len(run.result("Read the state of all streams")["streams"]) == 120
    for arguments, variables in ((("-v",), {}), ((), {"all": True})):
        run, found = status(ansible, source, *arguments, **variables)
        lines = run.output.splitlines()
        assert len([line for line in lines if line.startswith(f"{DOMAIN}/")]) == 120
        assert max(map(len, lines)) < 500


def test_a_pipe_or_link_as_dest_is_refused(cloud, ansible):
    source = inventory(ansible, {"s1": {}})
    cloud.push(*streams("s1"))
    record(ansible, source)
    os.mkfifo(ansible.directory / "pipe")
    (ansible.directory / "precious").write_text("precious", encoding="utf-8")
    (ansible.directory / "link").symlink_to("precious")
    for name in ("pipe", "link"):
        run = play(ansible, "status", source, dest=name)
        assert run.exit_code != 0
        assert f"The option dest is {ansible.directory / name}" in verdict(run) or f"dest is {name}" in verdict(run)
    assert (ansible.directory / "precious").read_text(encoding="utf-8") == "precious"


def test_a_task_timeout_does_not_end_status(cloud, ansible):
    source = inventory(ansible, {"s1": {}})
    cloud.push(*streams("s1"))
    record(ansible, source)
    cloud.fault("delay", action="DescribeLiveStreamsOnlineList", seconds=3)
    ansible.environ["ANSIBLE_TASK_TIMEOUT"] = "1"
    run, _found = status(ansible, source)
    assert run.exit_code == 0, run.output


PLAYBOOKS = ["start", "stop", "split", "window", "sweep", "status", "configure"]


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_misspelt_extra_variable_is_refused_before_any_call(cloud, ansible, name):
    cloud.push(*streams("s1"))
    run = play(ansible, name, inventory(ansible, {"s1": {}}), "-e", "record_fial_each=5", wanted="s1")
    assert run.exit_code == 2, run.output
    assert verdict(run).startswith("There is no variable record_fial_each. Did you mean record_fail_each?")
    assert cloud.calls() == []


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_misspelt_short_variable_is_refused_before_any_call(cloud, ansible, name):
    cloud.push(*streams("s1"))
    run = play(ansible, name, inventory(ansible, {"s1": {}}), "-e", "max_fial=5", wanted="s1")
    assert run.exit_code == 2, run.output
    assert verdict(run).startswith("There is no variable max_fial. Did you mean max_fail?")
    assert cloud.calls() == []


@pytest.mark.parametrize(("given", "value"), [("x", "x"), (-1, "-1"), ("{{ 'y' }}", "y")])
def test_an_invalid_record_fail_each_is_refused_before_any_call(cloud, ansible, given, value):
    cloud.push(*streams("s1"))
    run = play(ansible, "start", inventory(ansible, {"s1": {}}), record_fail_each=given)
    assert run.exit_code == 2, run.output
    assert verdict(run) == f"The variable record_fail_each is {value}. Give a number of streams, 0 or more."
    assert cloud.calls() == []


def test_unknown_extra_variables_are_a_warning_on_the_command_line_only(cloud, ansible):
    cloud.push(*streams("s1"))
    known = ansible.directory / "known.json"
    known.write_text(json.dumps({"record_fail_each": 3, "apsaravideo_retry_timeout": 30, "window_grace": 5, "mine": 1}))
    source = inventory(ansible, {"s1": {}})
    run = ansible.playbook("apsaravideo.live.start", "-i", source, "-e", f"@{known}", "-e", "record_owner=me")
    assert run.exit_code == 0, run.output
    assert "There is no variable record_owner in the playbooks" in " ".join(run.output.split())
    assert run.output.count("There is no variable") == 1
    assert recording(cloud) == {"s1"}
    run = ansible.playbook("apsaravideo.live.status", "-i", source, "-e", f"@{known}")
    assert (run.exit_code, run.output.count("There is no variable")) == (0, 0), run.output


@pytest.mark.parametrize("name", ["start", "status"])
def test_a_misspelt_host_variable_is_one_warning(cloud, ansible, name):
    cloud.push(*streams("s1", "s2"))
    source = inventory(ansible, {"s1": {}, "s2": {}}, record_wait_timout=5, apsaravideo_region="cn-1", record_me=1)
    run = play(ansible, name, source)
    said = " ".join(run.output.split())
    assert said.count("Nothing reads the variable record_wait_timout. Did you mean record_wait_timeout?") == 1, said
    assert said.count("Nothing reads the variable apsaravideo_region. Did you mean apsaravideo_region_id?") == 1
    assert said.count("Nothing reads") == 2
    assert cloud.calls()
