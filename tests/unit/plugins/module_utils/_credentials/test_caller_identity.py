# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of an access key: asked for once, only if it matters, and never the reason of a failure."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey
from ansible_collections.apsaravideo.live.plugins.module_utils._api.account import Limits
from ansible_collections.apsaravideo.live.plugins.module_utils._api.traffic import Traffic
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.cache import CredentialsCache
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.caller_identity import OwnerFinder
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.provider import Context
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._module.argspec import CONNECTION, Spec
from support.clock import FakeClock
from support.scripted import ScriptedServer, answer

ACCOUNT = "1234567890123456"
FIRST, SECOND = (AccessKey(f"{name}-id", f"{name}-secret", None, "a test") for name in ("first", "second"))
OF_ROLE = AccessKey("STS.id", "secret", "token", "a test", account=ACCOUNT)
IDENTITY = answer(200, json.dumps({"RequestId": "R", "AccountId": ACCOUNT, "IdentityType": "RAMUser"}))
STORE = object()  # Only whether there is one matters here.


class User:
    """A user of this machine, whose tasks may remember accounts in a directory."""

    def __init__(self, directory):
        self.directory = directory and str(directory)
        self.clock = FakeClock(time.time())
        self.debug = []
        self.traffic = Traffic()

    def find(self, key, url=None, store=None, endpoint="https://live.example.com", **options):
        context = Context(
            Spec(CONNECTION).fill({"sts_endpoint": url, **options}),
            {},
            Settings(Endpoint.parse(endpoint), connect_timeout=2, read_timeout=2),
            Limits(retry_timeout=0, rate_limit=1e9, slot_directory=self.directory, store=store),
            self.clock,
            self.traffic,
            CredentialsCache(None, time.time, print),
            print,
        )
        return OwnerFinder(context, self.debug.append).find(key)

    def files(self):
        return [path for path in Path(self.directory).iterdir() if path.name.startswith("owner-")]


@pytest.fixture(name="user")
def user_of_a_new_machine(tmp_path):
    return User(tmp_path)


def test_the_option_comes_first(user):
    assert user.find(FIRST, "http://127.0.0.1:1", STORE, rate_limit_account="77") == "77"
    assert user.find(OF_ROLE, "http://127.0.0.1:1", STORE, rate_limit_account="77") == "77"


def test_the_account_of_a_role_is_known(user):
    assert user.find(OF_ROLE, "http://127.0.0.1:1", STORE) == ACCOUNT


def test_the_only_access_key_of_a_machine_asks_nobody(user):
    for _run in range(3):
        assert user.find(FIRST, "http://127.0.0.1:1") == "first-id"
    assert user.traffic.api_calls == 0


@pytest.mark.parametrize("earlier", [SECOND, OF_ROLE], ids=["access key", "role"])
def test_several_access_keys_of_a_machine_ask_once_each(user, earlier):
    with ScriptedServer(IDENTITY, IDENTITY) as sts:
        user.find(earlier, sts.url)
        for _run in range(3):
            assert user.find(FIRST, sts.url) == ACCOUNT
            assert user.find(SECOND, sts.url) == ACCOUNT
        assert len(sts.requests) == 2
    assert sts.requests[0].headers["x-acs-action"] == "GetCallerIdentity"


def test_with_a_store_the_only_access_key_asks_once(user):
    with ScriptedServer(IDENTITY) as sts:
        for _run in range(3):
            assert user.find(FIRST, sts.url, STORE) == ACCOUNT
        assert len(sts.requests) == 1


def test_an_access_key_that_was_not_used_for_a_day_does_not_count(user):
    user.find(SECOND)
    (old,) = user.files()
    os.utime(old, (0, user.clock.now() - 90_000))
    assert user.find(FIRST, "http://127.0.0.1:1") == "first-id"
    assert old not in user.files(), "it is forgotten"
    assert user.traffic.api_calls == 0


def test_what_is_remembered_is_private_and_names_no_access_key(user):
    with ScriptedServer(IDENTITY) as sts:
        user.find(FIRST, sts.url, STORE)
    (path,) = user.files()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "first" not in path.name and b"first" not in path.read_bytes()


@pytest.mark.parametrize("content", ["", "x", "[]", '{"account": 5}', '{"account": "x"}', '{"failed_at": "now"}', "\0"])
def test_a_file_that_cannot_be_understood_is_replaced(user, content):
    with ScriptedServer(IDENTITY, IDENTITY) as sts:
        user.find(FIRST, sts.url, STORE)
        (path,) = user.files()
        path.write_text(content, encoding="utf-8")
        assert user.find(FIRST, sts.url, STORE) == ACCOUNT
    assert json.loads(path.read_text(encoding="utf-8")) == {"account": ACCOUNT}


def test_a_file_that_others_may_change_is_not_believed(user):
    with ScriptedServer(IDENTITY, IDENTITY) as sts:
        user.find(FIRST, sts.url, STORE)
        (path,) = user.files()
        path.write_text('{"account": "666"}', encoding="utf-8")
        path.chmod(0o666)
        assert user.find(FIRST, sts.url, STORE) == ACCOUNT


REFUSED = answer(403, json.dumps({"RequestId": "R", "Code": "NoPermission", "Message": "no first-secret"}))


@pytest.mark.parametrize(
    "response", [REFUSED, answer(200, "<html>"), answer(200, '{"RequestId": "R"}'), answer(302, "", location="/")]
)
def test_a_failure_means_a_limit_of_its_own_and_is_remembered_for_an_hour(user, response):
    with ScriptedServer(response, IDENTITY) as sts:
        for _run in range(3):
            assert user.find(FIRST, sts.url, STORE) == "first-id"
        assert len(sts.requests) == 1
        assert len(user.debug) == 1 and "have a rate limit of their own" in user.debug[0]
        user.clock.sleep(3601)
        assert user.find(FIRST, sts.url, STORE) == ACCOUNT


def test_a_service_that_cannot_be_reached_is_no_failure(user):
    began = time.monotonic()
    assert user.find(FIRST, "http://127.0.0.1:1", STORE) == "first-id"
    assert time.monotonic() - began < 5
    assert "does not accept a connection" in user.debug[0]


def test_the_vendor_is_not_asked_about_access_keys_of_another_cloud(user):
    assert user.find(FIRST, None, STORE, endpoint="http://127.0.0.1:1") == "first-id"
    assert user.traffic.api_calls == 0


def test_without_a_directory_each_task_asks():
    user = User(None)
    with ScriptedServer(IDENTITY, IDENTITY) as sts:
        assert [user.find(FIRST, sts.url, STORE) for _task in range(2)] == [ACCOUNT, ACCOUNT]


def test_processes_that_begin_together_ask_once(user):
    found = []
    with ScriptedServer(IDENTITY) as sts:
        threads = [
            threading.Thread(target=lambda: found.append(User(user.directory).find(FIRST, sts.url, STORE)))
            for _process in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [ACCOUNT] * 8
    assert len(sts.requests) == 1
