# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""apsaravideo_stream_notify against the emulator; what it shares with apsaravideo_record_notify is tested there."""

from __future__ import annotations

import itertools
import json

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._module import stream_notify
from support.emulator import ACCOUNT
from support.operation import actions, comparable, operated
from support.playbook import WAYS, Ansible, environment

MODULE = "apsaravideo.live.apsaravideo_stream_notify"
STREAMING, DOMAIN = "quiet.example.com", "push.quiet.example.com"  # without a callback at first
READ, SET, DELETE = (f"{verb}LiveStreamsNotifyUrlConfig" for verb in ("Describe", "Set", "Delete"))
URL = "https://callback.example.com/push?from=live"
OTHER_URL, SWITCH_URL = "http://callback.example.com/exception", "http://callback.example.com/switch"
KEY = "0123456789abcdefABCDEF" + "0" * 42  # as long as a key may be
OTHER_KEY = "kkkkkkkkkkkkkkkk"

VARIANTS = [
    {"empty_notify_config": empty, "update_notify": update, "delete_missing": missing}
    for empty, update, missing in itertools.product(("error", "empty"), ("reset", "keep"), ("ok", "error"))
]


def add_domain(cloud):
    cloud.reset()
    cloud.add_accounts({"id": ACCOUNT, "domains": [{"name": STREAMING, "ingest": [DOMAIN]}]})
    cloud.clear_calls()


@pytest.fixture(name="cloud")
def cloud_with_a_quiet_domain(http_cloud):
    add_domain(http_cloud)
    return http_cloud


@pytest.fixture(params=VARIANTS, ids=lambda variant: "-".join(variant.values()))
def variant(request, cloud):
    cloud.behave(**request.param)
    return request.param


def notify(cloud, check_mode=False, rival=None, **options):
    return operated(stream_notify, cloud, check_mode, rival, **{"domain_name": DOMAIN, **options})


def stored(cloud):
    return cloud.state()["ingest_notify_configs"].get(DOMAIN)


def last_sent(cloud):
    """Return the parameters of the last change, without the key, and clear the log."""
    sent = cloud.calls(SET)[-1]["params"]
    cloud.clear_calls()
    return {name: value for name, value in sent.items() if name not in ("DomainName", "NotifyAuthKey")}


def changed(result):
    assert not result.get("failed"), result
    return result["changed"]


def settings(url=URL, exception_url=None, signed=False):
    return {"domain_name": DOMAIN, "notify_url": url, "exception_notify_url": exception_url, "signed": signed}


def test_create_repeat_change_and_delete(cloud, variant):
    check = notify(cloud, check_mode=True, notify_url=URL)
    assert (changed(check), actions(cloud), check["config"], stored(cloud)) == (True, [READ], settings(), None)
    created = notify(cloud, notify_url=URL)
    assert (changed(created), actions(cloud), created["before"]) == (True, [READ, SET, READ], None)
    assert created["config"] == settings() and created["diff"] == {"before": {}, "after": settings()}
    assert stored(cloud) == {"url": URL, "auth": False}
    again = notify(cloud, notify_url=URL)
    assert (changed(again), actions(cloud), again["config"], again["before"]) == (False, [READ], settings(), settings())
    check = notify(cloud, check_mode=True, exception_notify_url=OTHER_URL)
    assert (changed(check), actions(cloud)) == (True, [READ])
    result = notify(cloud, exception_notify_url=OTHER_URL)
    assert (changed(result), actions(cloud)) == (True, [READ, SET, READ])
    assert result["config"] == check["config"] == settings(exception_url=OTHER_URL), "the URL was sent along"
    check = notify(cloud, check_mode=True, state="absent")
    assert (changed(check), actions(cloud), check["config"]) == (True, [READ], None)
    removed = notify(cloud, state="absent")
    assert (changed(removed), actions(cloud), removed["config"]) == (True, [READ, DELETE, READ], None)
    assert removed["before"] == settings(exception_url=OTHER_URL) and stored(cloud) is None
    again = notify(cloud, state="absent")
    assert (changed(again), actions(cloud), again["before"]) == (False, [READ], None)


WHOLE = {"notify_url": URL, "exception_notify_url": OTHER_URL, "auth_key": KEY}


@pytest.mark.parametrize(
    "change",
    [
        {"notify_url": URL + "x"},
        {"exception_notify_url": URL},
        {"exception_notify_url": ""},
        {"auth_key": None},
        {"auth_key": OTHER_KEY, "update_auth_key": "always"},
    ],
    ids=repr,
)
def test_each_option_changes_only_its_own_setting(cloud, variant, change):
    notify(cloud, **WHOLE)
    wanted = {**WHOLE, **change}
    only = {"auth_key": wanted["auth_key"], **change}  # Without auth_key, callbacks are not signed.
    check = notify(cloud, check_mode=True, **only)
    cloud.clear_calls()
    result = notify(cloud, **only)
    made = actions(cloud)
    assert made == ([READ, DELETE, SET, READ] if change.get("exception_notify_url") == "" else [READ, SET, READ])
    assert result["replaced"] is check["replaced"] is (DELETE in made)
    expected = settings(wanted["notify_url"], wanted["exception_notify_url"] or None, bool(wanted["auth_key"]))
    assert changed(result) and changed(check) and result["config"] == check["config"] == expected
    for options in (only, wanted):
        assert not changed(notify(cloud, **options))
    assert actions(cloud) == [READ, READ]


def test_a_changed_key_counts_from_the_next_push(cloud):
    notify(cloud, notify_url=URL, auth_key=KEY)
    result = notify(cloud, auth_key=OTHER_KEY)
    assert not changed(result) and "has another key" in result["warnings"][0]
    result = notify(cloud, auth_key=OTHER_KEY, update_auth_key="always")
    (warning,) = result["warnings"]
    assert changed(result) and warning.startswith("The key counts from the next push")
    again = notify(cloud, auth_key=OTHER_KEY, update_auth_key="always")
    assert not changed(again) and "warnings" not in again
    assert OTHER_KEY not in json.dumps([result, again])


def test_the_url_for_switches_is_sent_with_each_change(cloud, variant):
    created = notify(cloud, notify_url=URL, switch_notify_url=SWITCH_URL)
    assert changed(created) and "warnings" not in created and SWITCH_URL not in json.dumps(created)
    assert last_sent(cloud) == {"NotifyUrl": URL, "SwitchNotifyUrl": SWITCH_URL, "NotifyReqAuth": "no"}
    result = notify(cloud, exception_notify_url=OTHER_URL, switch_notify_url=SWITCH_URL)
    assert changed(result) and "warnings" not in result
    expected = {"NotifyUrl": URL, "ExceptionNotifyUrl": OTHER_URL, "SwitchNotifyUrl": SWITCH_URL}
    assert last_sent(cloud) == {**expected, "NotifyReqAuth": "no"}


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_url_for_switches_alone_is_sent_only_with_always(cloud, check_mode):
    notify(cloud, notify_url=URL, switch_notify_url=SWITCH_URL)
    cloud.clear_calls()
    result = notify(cloud, check_mode, switch_notify_url=OTHER_URL)
    assert not changed(result) and actions(cloud) == [READ]
    (warning,) = result["warnings"]
    assert "is unknown" in warning and "update_switch_notify_url=always" in warning
    result = notify(cloud, check_mode, switch_notify_url=OTHER_URL, update_switch_notify_url="always")
    assert changed(result) and result["diff"]["before"] == result["diff"]["after"]
    (warning,) = result["warnings"]
    assert "a change is reported without knowing" in warning
    if not check_mode:
        assert last_sent(cloud)["SwitchNotifyUrl"] == OTHER_URL
    assert not changed(notify(cloud, update_switch_notify_url="always")), "there is no URL to send"


def test_a_known_change_of_the_key_sends_the_url_for_switches_without_a_doubt(cloud):
    notify(cloud, notify_url=URL, auth_key=KEY)
    both = {"update_auth_key": "always", "update_switch_notify_url": "always"}
    for check_mode in (True, False):
        result = notify(cloud, check_mode, auth_key=OTHER_KEY, switch_notify_url=SWITCH_URL, **both)
        (warning,) = result["warnings"]
        assert changed(result) and warning.startswith("The key counts from the next push")


def test_a_callback_for_exceptions_only_is_changed_and_removed(cloud, variant):
    config = {"DomainName": DOMAIN, "ExceptionNotifyUrl": OTHER_URL}
    cloud.add_accounts({"id": ACCOUNT, "ingest_notify_configs": [config]})
    assert changed(notify(cloud, auth_key=KEY))
    assert changed(notify(cloud, state="absent")) and stored(cloud) is None


def test_changes_are_reported_although_responses_were_lost(cloud):
    cloud.fault("reset_after", action=SET, times=1)
    assert changed(notify(cloud, notify_url=URL, auth_key=KEY, retry_timeout=30))
    assert stored(cloud) == {"url": URL, "auth": True}
    cloud.fault("reset_after", action=DELETE, times=1)
    cloud.clear_calls()
    assert changed(notify(cloud, state="absent"))
    assert actions(cloud) == [READ, DELETE, READ, READ]


@pytest.mark.parametrize("fault", [{"fault": "error", "code": "New.Code", "http_status": 400}, {"fault": "half_json"}])
def test_a_key_quoted_in_an_error_is_masked(cloud, fault):
    cloud.fault(action=SET, processed=False, message=f"The key {KEY} is weak.", **fault)
    result = notify(cloud, notify_url=URL, auth_key=KEY)
    assert result["failed"] and KEY not in json.dumps(result)


def test_creating_without_a_url_is_refused(cloud, variant):
    result = notify(cloud, exception_notify_url=OTHER_URL)
    assert result["failed"] and "no ingest callback of" in result["msg"] and "needs notify_url" in result["msg"]
    assert actions(cloud) == [READ]


@pytest.mark.parametrize("domain_name", ["nowhere.example.com", STREAMING])
def test_a_domain_that_is_not_an_ingest_domain_fails(cloud, domain_name):
    for state in ("present", "absent"):
        result = notify(cloud, domain_name=domain_name, state=state, notify_url=URL)
        assert result["failed"] and result["error"]["code"] == "InvalidDomain.NotFound"
        assert "Give the ingest domain, not the streaming domain" in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"domain_name": "https://x"}, "Give the ingest domain, such as push.example.com"),
        ({"notify_url": ""}, "notify_url is ''"),
        ({"exception_notify_url": "example.com/x"}, "exception_notify_url is 'example.com/x'"),
        ({"switch_notify_url": "ftp://example.com/"}, "switch_notify_url is 'ftp://example.com/'"),
        ({"switch_notify_url": ""}, "switch_notify_url is ''"),
        ({"auth_key": "short0123456789"}, "16 to 64 letters and digits"),
        ({"auth_key": "x" * 65}, "16 to 64 letters and digits"),
        ({"auth_key": "0123456789-abcdef"}, "16 to 64 letters and digits"),
    ],
)
def test_invalid_options_are_refused_before_any_call(cloud, options, words):
    result = notify(cloud, **{"notify_url": URL, **options})
    assert result["failed"] and words in result["msg"] and not actions(cloud)
    assert options.get("auth_key", "none given") not in result["msg"]


# --- in playbooks -----------------------------------------------------------------------------------------------------


def task(name, **options):
    keywords = {key: options.pop(key) for key in ("check_mode", "ignore_errors", "register") if key in options}
    return {"name": name, MODULE: {"domain_name": DOMAIN, **options}, **keywords}


PLAY = [
    task("check", notify_url=URL, auth_key=KEY, check_mode=True),
    task("create", notify_url=URL, auth_key=KEY, register="made"),
    task("create again", notify_url=URL, auth_key=KEY),
    task("change", exception_notify_url=OTHER_URL, auth_key=KEY),
    task("another key", auth_key=OTHER_KEY, update_auth_key="always"),
    task("another key again", auth_key=OTHER_KEY, update_auth_key="always"),
    task("bad key", auth_key="badKey0badKey0-", ignore_errors=True),
    {"name": "show", "ansible.builtin.debug": {"var": "vars"}},
    task("remove", state="absent"),
    task("remove again", state="absent"),
]
LADDER = {
    "check": True,
    "create": True,
    "create again": False,
    "change": True,
    "another key": True,
    "another key again": False,
    "remove": True,
    "remove again": False,
}


def test_create_repeat_change_and_delete_in_a_playbook(http_cloud, tmp_path_factory):
    seen = []
    for keywords in WAYS.values():
        add_domain(http_cloud)
        ansible = Ansible(tmp_path_factory.mktemp("way"), environment(http_cloud))
        run = ansible.play(PLAY, "-vvvv", "--diff", **keywords)
        assert run.exit_code == 0, run.output
        assert {row["task"]: row["result"]["changed"] for row in run.rows if row["task"] in LADDER} == LADDER
        assert [action for action in actions(http_cloud) if action != READ] == [SET, SET, SET, DELETE]
        assert "16 to 64 letters" in run.result("bad key")["msg"]
        assert f'+    "exception_notify_url": "{OTHER_URL}"' in run.output and "Traceback" not in run.output
        assert "counts from the next push" in str(run.result("another key")["warnings"])
        results = [json.dumps(row["result"]) for row in run.rows]
        for key in (KEY, OTHER_KEY, "badKey0badKey0-"):
            assert key not in run.output and key not in "".join(results)
        seen.append([comparable(row["result"]) for row in run.rows if row["task"] != "show"])
    assert seen[0] == seen[1], "the module and the action plugin return the same"
