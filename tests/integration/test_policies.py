# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The minimal policies of docs/security.md: a RAM user needs all of their actions and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api import operations as operations_module
from ansible_collections.apsaravideo.live.plugins.module_utils._module import (
    record,
    record_config,
    record_info,
    record_notify,
    stream_notify,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task
from support.emulator import ACCOUNT
from support.playbook import STREAM, streams

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
SECTION = re.compile(r"^### (.+?)\n\n```json\n(.+?)^```", re.MULTILINE | re.DOTALL)
POLICIES = {title: json.loads(text) for title, text in SECTION.findall(PAGE.read_text(encoding="utf-8"))}
KEY = ("leastAccessKeyId", "leastAccessKeySecret")
NAMES = dict(zip(("domain_name", "app_name", "stream_name"), STREAM.split("/")))
CONFIG = {"oss_bucket": "b", "oss_endpoint": "oss-cn-shanghai.aliyuncs.com", "formats": [{"format": "mp4"}]}
NOTIFY = {"notify_url": "http://callback.example.com/other", "status_events": True}


def actions(policy):
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def find_policy(name):
    (found,) = (policy for title, policy in POLICIES.items() if f"`{name}`" in title)
    return found


def test_the_policies_allow_exactly_the_operations_of_the_collection():
    operations = [value for value in vars(operations_module).values() if isinstance(value, operations_module.Operation)]
    of_live = {action.removeprefix("live:") for policy in POLICIES.values() for action in actions(policy)}
    # The others are those of the Security Token Service.
    assert of_live == {one.action for one in operations if one.version == operations_module.VERSION}
    for policy in POLICIES.values():
        assert policy["Version"] == "1"
        assert [statement["Effect"] for statement in policy["Statement"]] == ["Allow"]


@pytest.fixture(name="least")
def least_rights(cloud, ansible):
    """Return functions that limit the calls to the rights of one policy, and that compare them with the calls made."""

    def limit_rights(name):
        allow = sorted(actions(find_policy(name)))
        user = {"name": "least", "allow": allow}
        key = {"id": KEY[0], "secret": KEY[1], "user": "least"}
        cloud.add_accounts({"id": ACCOUNT, "users": [user], "access_keys": [key]})
        ansible.environ.update(ALIBABA_CLOUD_ACCESS_KEY_ID=KEY[0], ALIBABA_CLOUD_ACCESS_KEY_SECRET=KEY[1])
        cloud.push(STREAM)

    def check_used(name):
        calls = cloud.calls()
        assert [call["code"] for call in calls if call["code"] and "Forbidden" in call["code"]] == []
        assert {f"live:{call['action']}" for call in calls} == actions(find_policy(name))

    return limit_rights, check_used


def run(module, ansible, check_mode=False, **options):
    return module.operate(Task(module.SPEC.fill(options), ansible.environ, check_mode))


def lose_a_restart(cloud):
    """Have the next restart take effect and lose its response, and the notify log fail."""
    cloud.advance(60)
    cloud.behave(running_content="listed")
    cloud.fault("reset_after", action="RealTimeRecordCommand", times=1)
    cloud.fault("error", action="DescribeLiveRecordNotifyRecords", code="LiveServiceNotFound", http_status=400, times=1)


def test_apsaravideo_record_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("apsaravideo_record")
    run(record, ansible, check_mode=True, **NAMES)
    run(record, ansible, **NAMES)
    run(record, ansible, state="restarted", **NAMES)
    lose_a_restart(cloud)
    run(record, ansible, state="restarted", **NAMES)
    run(record, ansible, state="stopped", finalize=True, **NAMES)
    check_used("apsaravideo_record")


def test_apsaravideo_record_info_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("apsaravideo_record_info")
    run(record_info, ansible, gather=["state", "ingest_type", "config", "tasks", "files", "events"], **NAMES)
    check_used("apsaravideo_record_info")


def test_apsaravideo_record_config_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("apsaravideo_record_config")
    names = {"domain_name": NAMES["domain_name"], "app_name": "other"}
    # Ansible adds the suboptions that an entry leaves out.
    left_out = ("cycle_duration", "slice_duration", "oss_object_prefix", "slice_oss_object_prefix")
    formats = [{**dict.fromkeys(left_out), "format": "mp4"}]
    run(record_config, ansible, **names, **{**CONFIG, "formats": formats})
    run(record_config, ansible, **names, delay_time=60)
    run(record_config, ansible, **names, state="absent")
    check_used("apsaravideo_record_config")


def test_apsaravideo_record_notify_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("apsaravideo_record_notify")
    domain = {"domain_name": NAMES["domain_name"]}
    run(record_notify, ansible, **domain, **NOTIFY)
    run(record_notify, ansible, **domain, state="absent")
    run(record_notify, ansible, **domain, **NOTIFY)
    check_used("apsaravideo_record_notify")


def test_apsaravideo_stream_notify_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("apsaravideo_stream_notify")
    options = {"domain_name": "push.example.com", "notify_url": NOTIFY["notify_url"]}
    run(stream_notify, ansible, **options)
    run(stream_notify, ansible, **options, state="absent")
    check_used("apsaravideo_stream_notify")


def play(ansible, name, *arguments, **variables):
    file = ansible.inventory(streams([STREAM]))
    done = ansible.playbook(f"apsaravideo.live.{name}", "-i", str(file), "-e", json.dumps(variables), *arguments)
    assert done.exit_code == 0, done.output


def test_apsaravideo_record_verify_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("apsaravideo_record_verify")
    # The callback is newer than the push, so that its log does not name the stream.
    config = {"DomainName": "push.example.com", "NotifyUrl": NOTIFY["notify_url"]}
    cloud.add_accounts({"id": ACCOUNT, "ingest_notify_configs": [config]})
    play(ansible, "verify", since="2h", ingest_domain="push.example.com", accept_unknown=True)
    check_used("apsaravideo_record_verify")


def test_apsaravideo_record_fleet_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("apsaravideo_record_fleet")
    play(ansible, "start", "--check")
    play(ansible, "start", record_wait_for_stream=5)
    lose_a_restart(cloud)
    play(ansible, "split")
    play(ansible, "stop", finalize=True)
    check_used("apsaravideo_record_fleet")


def test_the_playbook_status_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("status")
    play(ansible, "status", accept_unknown=True, ingest_types=True)
    check_used("status")


def test_the_playbooks_sweep_and_status_need_exactly_the_policy_of_sweep(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("sweep")
    play(ansible, "start")
    cloud.clear_calls()
    play(ansible, "status", cloud_count=False)
    play(ansible, "sweep", "--check", wanted="nobody", allow_empty=True)
    play(ansible, "sweep", wanted="nobody", allow_empty=True)
    check_used("sweep")


def test_the_playbook_configure_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("configure")
    play(ansible, "configure", record_config_absent=[{}], record_config_notify_absent=True)
    play(ansible, "configure", record_config_present=[CONFIG], record_config_notify=NOTIFY)
    other = {"record_config_present": [{**CONFIG, "delay_time": 60}], "record_config_notify": {"status_events": False}}
    play(ansible, "configure", **other)
    check_used("configure")


def test_the_inventory_needs_exactly_its_policy(least, cloud, ansible):
    limit_rights, check_used = least
    limit_rights("apsaravideo_streams")
    source = ansible.directory / "here.apsaravideo.yml"
    source.write_text(
        "plugin: apsaravideo.live.apsaravideo_streams\ndomains: [live.example.com]\n",
        encoding="utf-8",
    )
    done = ansible.playbook("apsaravideo.live.start", "-i", str(source), "--list-hosts")
    assert "stream01" in done.output
    check_used("apsaravideo_streams")
