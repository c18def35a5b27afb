# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""apsaravideo_record_notify against the emulator, under every behaviour that the documentation leaves open."""

from __future__ import annotations

import itertools
import json

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._module import record_notify
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import execute
from support.emulator import ACCOUNT
from support.operation import Rival, actions, comparable, made_task, operated
from support.playbook import WAYS, Ansible, environment
from support.scripted import ScriptedServer, answer

MODULE = "apsaravideo.live.apsaravideo_record_notify"
DOMAIN = "quiet.example.com"  # has no callback at first
READ, ADD, UPDATE, DELETE = (f"{verb}LiveRecordNotifyConfig" for verb in ("Describe", "Add", "Update", "Delete"))
URL = "https://callback.example.com/recording?from=live&to=%E7%9B%B4"
OTHER_URL = "http://[2001:db8::1]:8080/"
KEY = "0123456789abcdefABCDEF"
OTHER_KEY = "kkkkkkkkkkkkkkkk"

VARIANTS = [
    {
        "generation": generation,
        "empty_notify_config": empty,
        "notify_auth_type": auth,
        "update_notify": update,
        "delete_missing": "ok" if auth == "bool" else "error",
    }
    for generation, empty in (("old", "error"), ("new", "error"), ("new", "empty"))
    for auth, update in itertools.product(("bool", "string"), ("reset", "keep"))
]


@pytest.fixture(name="cloud")
def cloud_with_a_quiet_domain(http_cloud):
    http_cloud.reset()
    http_cloud.add_accounts({"id": ACCOUNT, "domains": [{"name": DOMAIN}]})
    http_cloud.clear_calls()
    return http_cloud


@pytest.fixture(params=VARIANTS, ids=lambda variant: "-".join(variant.values()))
def variant(request, cloud):
    cloud.behave(**request.param)
    return request.param


@pytest.fixture
def rival():
    return Rival()


def notify(cloud, check_mode=False, rival=None, **options):
    return operated(record_notify, cloud, check_mode, rival, **{"domain_name": DOMAIN, **options})


def stored(cloud):
    return cloud.state()["notify_configs"].get(DOMAIN)


def changed(result):
    assert not result.get("failed"), result
    return result["changed"]


def settings(url=URL, on_demand_url=None, status_events=False, signed=False):
    names = {"domain_name": DOMAIN, "notify_url": url, "on_demand_url": on_demand_url}
    return {**names, "status_events": status_events, "signed": signed}


def test_create_repeat_change_and_delete(cloud, variant):
    check = notify(cloud, check_mode=True, notify_url=URL)
    assert (changed(check), actions(cloud), check["config"], stored(cloud)) == (True, [READ], settings(), None)
    created = notify(cloud, notify_url=URL)
    assert (changed(created), actions(cloud), created["before"]) == (True, [READ, ADD, READ], None)
    assert created["config"] == settings() and created["diff"] == {"before": {}, "after": settings()}
    assert stored(cloud) == {"url": URL, "status_events": False, "auth": False}
    again = notify(cloud, notify_url=URL)
    assert (changed(again), actions(cloud), again["config"], again["before"]) == (False, [READ], settings(), settings())
    check = notify(cloud, check_mode=True, status_events=True)
    assert (changed(check), actions(cloud), stored(cloud)["status_events"]) == (True, [READ], False)
    result = notify(cloud, status_events=True)
    assert (changed(result), actions(cloud)) == (True, [READ, UPDATE, READ])
    assert result["config"] == check["config"] == settings(status_events=True), "the URL was sent along"
    check = notify(cloud, check_mode=True, state="absent")
    assert (changed(check), actions(cloud), check["config"]) == (True, [READ], None)
    removed = notify(cloud, state="absent")
    assert (changed(removed), actions(cloud), removed["config"]) == (True, [READ, DELETE, READ], None)
    assert removed["before"] == settings(status_events=True) and stored(cloud) is None
    again = notify(cloud, state="absent")
    assert (changed(again), actions(cloud), again["before"]) == (False, [READ], None)


WHOLE = {"notify_url": URL, "on_demand_url": OTHER_URL, "status_events": True, "auth_key": KEY}


@pytest.mark.parametrize(
    "change",
    [
        {"notify_url": URL + "x"},
        {"on_demand_url": URL},
        {"on_demand_url": ""},
        {"status_events": False},
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
    assert made == ([READ, DELETE, ADD, READ] if change.get("on_demand_url") == "" else [READ, UPDATE, READ])
    assert result["replaced"] is check["replaced"] is (DELETE in made)
    expected = settings(
        wanted["notify_url"], wanted["on_demand_url"] or None, wanted["status_events"], bool(wanted["auth_key"])
    )
    assert changed(result) and changed(check) and result["config"] == check["config"] == expected
    for options in (only, wanted):
        assert not changed(notify(cloud, **options))
    assert actions(cloud) == [READ, READ]


def test_turning_signatures_off_is_a_warning(cloud):
    notify(cloud, notify_url=URL, auth_key=KEY)
    for check_mode in (True, False):
        result = notify(cloud, check_mode=check_mode, notify_url=URL)
        assert result["changed"] and any("not signed without auth_key" in text for text in result["warnings"])
    assert "warnings" not in notify(cloud, notify_url=URL)


# --- the key ----------------------------------------------------------------------------------------------------------


class Masking:
    """A rival that replaces the key in the emulator's responses, by nothing or by stars."""

    def __init__(self, shown):
        self._shown = shown

    def meet(self, client):
        call = client.call

        def masked(operation, parameters):
            reply = call(operation, parameters)
            found = reply.content.get("LiveRecordNotifyConfig")
            if found:
                found.update(NotifyAuthKey=self._shown)
                if self._shown is None:
                    del found["NotifyAuthKey"]
            return reply

        client.call = masked


def counts_later(result):
    """Return whether the only warning says when the key takes effect."""
    (warning,) = result["warnings"]
    return warning.startswith("The key counts from the next push")


MASKS = [None, "", "****************", "0123****CDEF"]


@pytest.fixture(params=MASKS, ids=repr)
def mask(request):
    return Masking(request.param)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_masked_key_is_sent_once_with_a_warning(cloud, mask, check_mode):
    notify(cloud, rival=mask, notify_url=URL, auth_key=KEY)
    cloud.clear_calls()
    for key in (KEY, OTHER_KEY):
        result = notify(cloud, check_mode, mask, notify_url=URL, auth_key=key)
        assert not changed(result) and actions(cloud) == [READ]
        (warning,) = result["warnings"]
        assert "is unknown" in warning and "update_auth_key=always" in warning


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_masked_key_is_sent_each_time_with_update_auth_key_always(cloud, mask, check_mode):
    notify(cloud, rival=mask, notify_url=URL, auth_key=KEY)
    cloud.clear_calls()
    result = notify(cloud, check_mode, mask, notify_url=URL, auth_key=OTHER_KEY, update_auth_key="always")
    assert changed(result) and actions(cloud) == ([READ] if check_mode else [READ, UPDATE, READ])
    (warning,) = result["warnings"]
    assert "is unknown" in warning and "a change is reported without knowing" in warning
    assert "counts from the next push" in warning
    seen = notify(cloud, check_mode=True, auth_key=KEY if check_mode else OTHER_KEY, update_auth_key="always")
    assert not changed(seen), "without the mask one sees which key it is"


def test_a_masked_key_is_sent_with_any_other_change(cloud, mask):
    notify(cloud, rival=mask, notify_url=URL, auth_key=KEY)
    result = notify(cloud, rival=mask, status_events=True, auth_key=OTHER_KEY)
    assert changed(result) and counts_later(result)
    assert not changed(notify(cloud, auth_key=OTHER_KEY, update_auth_key="always"))


def test_a_visible_key_is_compared(cloud, variant):
    notify(cloud, notify_url=URL, auth_key=KEY)
    for always in ("always", "on_create"):
        result = notify(cloud, auth_key=KEY, update_auth_key=always)
        assert not changed(result) and "warnings" not in result
    cloud.clear_calls()
    result = notify(cloud, auth_key=OTHER_KEY)
    assert not changed(result) and actions(cloud) == [READ]
    assert ["has another key" in warning for warning in result["warnings"]] == [True]
    result = notify(cloud, auth_key=OTHER_KEY, update_auth_key="always")
    assert changed(result) and actions(cloud) == [READ, UPDATE, READ] and counts_later(result)
    assert not changed(notify(cloud, auth_key=OTHER_KEY, update_auth_key="always"))
    result = notify(cloud, auth_key=OTHER_KEY, status_events=True)
    assert changed(result) and "warnings" not in result, "the key is the same"


def test_a_first_key_turns_signatures_on(cloud, mask):
    notify(cloud, notify_url=URL)
    result = notify(cloud, rival=mask, auth_key=KEY)
    assert changed(result) and result["config"]["signed"] and counts_later(result)
    assert not changed(notify(cloud, auth_key=KEY, update_auth_key="always"))


# --- lost responses, races, refusals ----------------------------------------------------------------------------------

LOST = ["reset_after", "half_json", "truncate", "empty"]
DENIED = {"code": "Forbidden.RAM", "http_status": 403, "processed": False}


@pytest.mark.parametrize("fault", LOST)
def test_changes_are_reported_although_responses_were_lost(cloud, fault):
    cloud.fault(fault, action=ADD, times=1)
    assert changed(notify(cloud, notify_url=URL, auth_key=KEY))
    assert actions(cloud) == [READ, ADD, READ, READ]
    cloud.fault(fault, action=UPDATE, times=1)
    assert changed(notify(cloud, status_events=True, auth_key=KEY, retry_timeout=30))
    assert actions(cloud) == [READ, UPDATE, UPDATE, READ]
    cloud.fault(fault, action=DELETE, times=1)
    assert changed(notify(cloud, state="absent"))
    assert actions(cloud) == [READ, DELETE, READ, READ]


def test_calls_that_did_not_arrive_are_repeated_after_a_read(cloud):
    for action in (ADD, DELETE):
        cloud.fault("half_json", action=action, times=1, processed=False)
    assert changed(notify(cloud, notify_url=URL, retry_timeout=30))
    assert actions(cloud) == [READ, ADD, READ, ADD, READ]
    assert changed(notify(cloud, state="absent", retry_timeout=30))
    assert actions(cloud) == [READ, DELETE, READ, DELETE, READ]


def test_the_same_change_by_another_client_is_no_change(cloud, rival):
    rival.before(1, ADD, lambda: notify(cloud, notify_url=URL))
    result = notify(cloud, rival=rival, notify_url=URL)
    assert not changed(result) and result["before"] == settings()
    rival.before(1, UPDATE, lambda: notify(cloud, state="absent"))
    result = notify(cloud, rival=rival, notify_url=URL, status_events=True)
    assert changed(result) and result["before"] is None and stored(cloud)["status_events"]
    cloud.behave(delete_missing="error")
    rival.before(1, DELETE, lambda: notify(cloud, state="absent"))
    assert not changed(notify(cloud, rival=rival, state="absent"))


def test_a_refused_update_of_the_key_alone_is_a_failure(cloud, mask):
    notify(cloud, notify_url=URL, auth_key=KEY)
    cloud.fault("error", action=UPDATE, **DENIED)
    result = notify(cloud, rival=mask, auth_key=OTHER_KEY, update_auth_key="always")
    assert result["failed"] and not result["changed"] and result["error"]["code"] == "Forbidden.RAM"


@pytest.mark.parametrize("seen", [True, False])
def test_a_refused_replacement_restores_the_callback_with_its_key(cloud, seen):
    notify(cloud, **WHOLE)
    cloud.clear_calls()
    cloud.fault("error", action=ADD, parameters={"NotifyUrl": URL + "x"}, **DENIED)
    rival = None if seen else Masking("")
    result = notify(cloud, rival=rival, notify_url=URL + "x", on_demand_url="", auth_key=KEY)
    assert result["failed"] and result["changed"] and "was put back" in result["msg"]
    assert actions(cloud) == [READ, DELETE, ADD, READ, ADD]
    check = notify(cloud, check_mode=True, **WHOLE, update_auth_key="always")
    assert not changed(check), "with the same key"


def test_a_callback_that_cannot_be_restored_is_not_removed(cloud, mask):
    notify(cloud, **WHOLE)
    cloud.clear_calls()
    result = notify(cloud, rival=mask, on_demand_url="")
    assert result["failed"] and "Give auth_key" in result["msg"] and actions(cloud) == [READ]
    cloud.fault("error", action=ADD, **DENIED)
    result = notify(cloud, rival=mask, on_demand_url="", auth_key=KEY)
    assert "is gone" in result["msg"] and URL in result["msg"] and KEY not in json.dumps(result)


@pytest.mark.parametrize("fault", [{"fault": "error", "code": "New.Code", "http_status": 400}, {"fault": "half_json"}])
def test_a_key_quoted_in_an_error_is_masked(cloud, fault):
    cloud.fault(action=ADD, processed=False, message=f"The key {KEY} is weak.", **fault)
    result = notify(cloud, notify_url=URL, auth_key=KEY)
    assert result["failed"] and KEY not in json.dumps(result)


def test_creating_without_a_url_is_refused(cloud, variant):
    result = notify(cloud, status_events=True)
    assert result["failed"] and "creating it needs notify_url" in result["msg"] and actions(cloud) == [READ]


def test_an_unknown_domain_fails(cloud, variant):
    for state in ("present", "absent"):
        result = notify(cloud, domain_name="nowhere.example.com", state=state, notify_url=URL)
        assert result["failed"] and result["error"]["code"] == "InvalidDomain.NotFound"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"domain_name": "https://x"}, "domain_name"),
        ({"notify_url": ""}, "notify_url is ''"),
        ({"notify_url": "ftp://example.com/"}, "http:// or https://"),
        ({"notify_url": "example.com/x"}, "http:// or https://"),
        ({"notify_url": "https:///x"}, "cannot be called back"),
        ({"notify_url": "http://example.com/a b"}, "percent-encoded"),
        ({"notify_url": "http://example.com/直"}, "percent-encoded"),
        ({"notify_url": "http://example.com/{x}"}, "percent-encoded"),
        ({"notify_url": "http://example.com/%zz"}, "percent-encoded"),
        ({"notify_url": "http://example.com:99999/"}, "cannot be called back"),
        ({"notify_url": "http://[::1/"}, "cannot be called back"),
        ({"notify_url": "http://example.com/\n"}, "notify_url"),
        ({"on_demand_url": "//example.com"}, "on_demand_url is '//example.com'"),
        ({"auth_key": "short0123456789"}, "16 to 32 letters and digits"),
        ({"auth_key": "x" * 33}, "16 to 32 letters and digits"),
        ({"auth_key": "0123456789-abcdef"}, "16 to 32 letters and digits"),
        ({"auth_key": "０１２３４５６７８９abcdef"}, "16 to 32 letters and digits"),
    ],
)
def test_invalid_options_are_refused_before_any_call(cloud, options, words):
    result = notify(cloud, **{"notify_url": URL, **options})
    assert result["failed"] and words in result["msg"] and not actions(cloud)
    assert options.get("auth_key", "none given") not in result["msg"]


@pytest.mark.parametrize(
    "found",
    [{}, None, {"DomainName": DOMAIN, "NotifyUrl": ""}],
    ids=repr,
)
def test_responses_that_mean_no_callback_are_recognized(found):
    steps = [answer(200, json.dumps({"RequestId": "R", "LiveRecordNotifyConfig": found}))]
    codes = ("CodeConfigNotFound", "InvalidConfig.NotFound", "LiveRecordNotifyConfigNotFound", "ConfigNotFound")
    steps += [answer(404, json.dumps({"RequestId": "R", "Code": code})) for code in codes]
    with ScriptedServer(*steps) as server:
        for _step in steps:
            task = made(server, state="absent")
            assert not changed(execute(record_notify.operate, task))


@pytest.mark.parametrize("body", [{}, {"LiveRecordNotifyConfig": []}, {"LiveRecordNotifyConfig": "x"}], ids=repr)
def test_a_response_without_a_callback_is_an_error(body):
    with ScriptedServer(answer(200, json.dumps({"RequestId": "R", **body}))) as server:
        result = execute(record_notify.operate, made(server, state="absent", retry_timeout=0))
    assert result["failed"] and "no usable response" in result["msg"]


@pytest.mark.parametrize("yes", [True, "true", "True", "yes", 1])
@pytest.mark.parametrize("no", [False, "false", "no", "", None, 0])
def test_booleans_of_the_api_are_parsed(yes, no):
    found = {"NotifyUrl": URL, "NeedStatusNotify": yes, "NotifyReqAuth": no}
    with ScriptedServer(answer(200, json.dumps({"RequestId": "R", "LiveRecordNotifyConfig": found}))) as server:
        result = execute(record_notify.operate, made(server, notify_url=URL, status_events=True))
    assert not changed(result) and result["config"] == settings(status_events=True)


def made(server, **options):
    class Cloud:
        endpoint, ca_path = server.url, None

    return made_task(record_notify, Cloud(), domain_name=DOMAIN, rate_limit=1e6, **options)


def test_booleans_are_sent_in_lower_case(cloud):
    notify(cloud, notify_url=URL, status_events=True)
    notify(cloud, notify_url=URL, auth_key=KEY)
    (add,), (update,) = cloud.calls(ADD), cloud.calls(UPDATE)
    flags = {"NeedStatusNotify": "true", "NotifyReqAuth": "false"}
    assert add["params"] == {"DomainName": DOMAIN, "NotifyUrl": URL, **flags}
    assert {name: update["params"][name] for name in flags} == {**flags, "NotifyReqAuth": "true"}


# --- in playbooks -----------------------------------------------------------------------------------------------------


def task(name, **options):
    keywords = {key: options.pop(key) for key in ("check_mode", "ignore_errors", "register") if key in options}
    return {"name": name, MODULE: {"domain_name": DOMAIN, **options}, **keywords}


PLAY = [
    task("check", notify_url=URL, auth_key=KEY, check_mode=True),
    task("create", notify_url=URL, auth_key=KEY, register="made"),
    task("create again", notify_url=URL, auth_key=KEY),
    task("change", status_events=True, auth_key=KEY),
    task("another key", auth_key=OTHER_KEY, update_auth_key="always"),
    task("another key again", auth_key=OTHER_KEY, update_auth_key="always"),
    task("first key", auth_key=KEY),
    task("bad key", auth_key="badKey0badKey0-", ignore_errors=True),
    task("key in a url", notify_url=f"http://example.com/{KEY} x", auth_key=KEY, ignore_errors=True),
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
    "first key": False,
    "remove": True,
    "remove again": False,
}


@pytest.fixture(scope="module")
def ways(http_cloud, tmp_path_factory):
    """Return the run of each way, with the calls that the emulator received and the files that remain."""
    found = {}
    for way, keywords in WAYS.items():
        http_cloud.reset()
        http_cloud.add_accounts({"id": ACCOUNT, "domains": [{"name": DOMAIN}]})
        ansible = Ansible(tmp_path_factory.mktemp("way"), environment(http_cloud))
        run = ansible.play(PLAY, "-vvvv", "--diff", **keywords)
        (ansible.directory / "playbook.json").unlink()
        files = [path for path in ansible.directory.rglob("*") if path.is_file()]
        left = "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
        found[way] = run, [call["action"] for call in http_cloud.calls()], left
    return found


@pytest.mark.parametrize("way", WAYS)
def test_create_repeat_change_and_delete_in_a_playbook(ways, way):
    run, seen, _left = ways[way]
    assert run.exit_code == 0, run.output
    assert {row["task"]: row["result"]["changed"] for row in run.rows if row["task"] in LADDER} == LADDER
    assert [action for action in seen if action != READ] == [ADD, UPDATE, UPDATE, DELETE]
    assert "16 to 32 letters" in run.result("bad key")["msg"]
    assert '+    "status_events": true' in run.output and "Traceback" not in run.output
    assert "has another key than auth_key" in str(run.result("first key")["warnings"])


@pytest.mark.parametrize("way", WAYS)
def test_the_key_is_in_no_output_and_no_file(ways, way):
    run, _seen, left = ways[way]
    assert "Loading callback plugin" in run.output and "notify_url" in run.output.split("TASK [show]")[1]
    assert '"task": "another key"' in left
    for key in (KEY, OTHER_KEY, "badKey0badKey0-"):
        assert key not in run.output and key not in left


def test_module_and_action_plugin_return_the_same(ways):
    ours, theirs = (
        [(row["task"], row["status"], comparable(row["result"])) for row in ways[way][0].rows if row["task"] != "show"]
        for way in WAYS
    )
    assert ours == theirs
