# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""apsaravideo_stream_notify against the emulator, under every behaviour that the documentation leaves open."""

from __future__ import annotations

import itertools
import json

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._module import stream_notify
from support.emulator import ACCOUNT
from support.operation import actions, operated
from support.playbook import WAYS, Ansible, environment

MODULE = "apsaravideo.live.apsaravideo_stream_notify"
DOMAIN = "push.quiet.example.com"
READ, SET, DELETE = (f"{verb}LiveStreamsNotifyUrlConfig" for verb in ("Describe", "Set", "Delete"))
URL, OTHER_URL = "https://callback.example.com/events?from=live", "https://other.example.com/"
KEY, LONG_KEY = "0123456789abcdefABCDEF", "k" * 64


@pytest.fixture(name="cloud")
def cloud_with_a_quiet_domain(http_cloud):
    http_cloud.reset()
    http_cloud.add_accounts({"id": ACCOUNT, "domains": [{"name": "quiet.example.com", "ingest": [DOMAIN]}]})
    http_cloud.clear_calls()
    return http_cloud


@pytest.fixture(params=itertools.product(("error", "empty"), ("reset", "keep"), ("error", "ok"), ("old", "new")))
def variant(request, cloud):
    empty, update, delete, generation = request.param
    cloud.behave(empty_notify_config=empty, update_notify=update, delete_missing=delete, generation=generation)


def notify(cloud, check_mode=False, **options):
    result = operated(stream_notify, cloud, check_mode, None, **{"domain_name": DOMAIN, **options})
    assert not result.get("failed"), result
    return result


def stored(cloud):
    return cloud.state()["ingest_notify_configs"].get(DOMAIN)


def settings(**changes):
    urls = {"notify_url": URL, "exception_url": None, "switch_url": None}
    return {"domain_name": DOMAIN, **urls, "signed": False, **changes}


def test_create_repeat_change_and_delete(cloud, variant):
    check = notify(cloud, check_mode=True, notify_url=URL)
    assert (check["changed"], actions(cloud), check["config"], stored(cloud)) == (True, [READ], settings(), None)
    created = notify(cloud, notify_url=URL)
    assert (created["changed"], actions(cloud), created["before"]) == (True, [READ, SET, READ], None)
    assert created["config"] == settings() and created["diff"] == {"before": {}, "after": settings()}
    assert stored(cloud) == {"url": URL, "auth": False}
    again = notify(cloud, notify_url=URL)
    assert (again["changed"], actions(cloud)) == (False, [READ])
    changed = notify(cloud, exception_url=OTHER_URL, auth_key=LONG_KEY)
    assert (changed["changed"], actions(cloud)) == (True, [READ, SET, READ])
    assert changed["config"] == settings(exception_url=OTHER_URL, signed=True), "the URL was sent along"
    assert not notify(cloud, notify_url=URL, auth_key=LONG_KEY)["changed"]
    unsigned = notify(cloud)
    assert unsigned["changed"] and unsigned["config"] == settings(exception_url=OTHER_URL)
    cloud.clear_calls()
    removed = notify(cloud, exception_url="")
    assert (removed["changed"], removed["replaced"], actions(cloud)) == (True, True, [READ, DELETE, SET, READ])
    assert removed["config"] == settings()
    absent = notify(cloud, state="absent")
    assert (absent["changed"], actions(cloud), stored(cloud)) == (True, [READ, DELETE, READ], None)
    assert (notify(cloud, state="absent")["changed"], actions(cloud)) == (False, [READ])


def test_changed_key_is_sent_with_always(cloud):
    notify(cloud, notify_url=URL, auth_key=KEY)
    kept = notify(cloud, auth_key=LONG_KEY)
    assert not kept["changed"] and "update_auth_key=always" in kept["warnings"][0]
    assert notify(cloud, auth_key=LONG_KEY, update_auth_key="always")["changed"]
    assert not notify(cloud, auth_key=LONG_KEY, update_auth_key="always")["changed"]


def test_switch_url_that_the_cloud_does_not_show_is_sent_with_another_change(cloud):
    assert notify(cloud, switch_url=URL, notify_url=URL)["changed"]
    assert not notify(cloud, switch_url=URL, notify_url=URL)["changed"]
    cloud.clear_calls()
    notify(cloud, switch_url=URL, notify_url=OTHER_URL)
    assert cloud.calls(SET)[0]["params"]["SwitchNotifyUrl"] == URL


@pytest.mark.parametrize(
    "options",
    [
        {"notify_url": "callback.example.com"},
        {"exception_url": "ftp://x"},
        {"notify_url": URL, "auth_key": "short"},
        {"notify_url": URL, "auth_key": "k" * 65},
        {"notify_url": URL, "domain_name": "*"},
        {},
    ],
    ids=repr,
)
def test_invalid_options_change_nothing(cloud, options):
    result = operated(stream_notify, cloud, False, None, **{"domain_name": DOMAIN, **options})
    assert result["failed"] and not result["changed"]
    assert SET not in actions(cloud)
    assert "short" not in json.dumps(result)


@pytest.mark.parametrize("way", WAYS)
def test_both_ways_run_the_module_and_show_no_key(cloud, tmp_path, way):
    task = {"name": "Set", MODULE: {"domain_name": DOMAIN, "notify_url": URL, "auth_key": KEY}}
    run = Ansible(tmp_path, environment(cloud)).play([task], "-vvv", "--diff", **WAYS[way])
    assert run.exit_code == 0, run.output
    assert stored(cloud) == {"url": URL, "auth": True}
    assert KEY not in run.output
