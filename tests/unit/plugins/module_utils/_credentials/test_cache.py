# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary keys are asked for once, whoever needs them at whatever time, and whatever state their file is in."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import (
    AccessKey,
    Credentials,
    compute_renewal_time,
    parse_issued_key,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials import cache as cache_module
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials import seal
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.cache import CredentialsCache
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.seal import sealed, unsealed
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import CredentialsError, InvalidOption

LIFETIME = 1000.0


class Place:
    """Something that issues keys, with a clock that is moved by hand, and the processes of one run beside it."""

    def __init__(self, directory):
        self.directory, self.now = directory, 1_000_000.0
        self.asked, self.warnings, self.fails = 0, [], False

    def issue(self):
        self.asked += 1
        if self.fails:
            self.now += 5
            raise CredentialsError("refused", "Ask nicely.", code="NoPermission", request_id="R-1", http_status=403)
        return AccessKey(
            f"id-{self.asked}", "the-secret", f"token-{self.asked}", "a test", renew_at=self.now + LIFETIME
        )

    def keys(self, expired=None, identity="identity", issue=None, waited=0.0):
        """As a process gets them that waited so long for its turn."""
        times = iter([self.now - waited])
        cache = CredentialsCache(
            self.directory and str(self.directory), lambda: next(times, self.now), self.warnings.append
        )
        return cache.keys(identity, issue or self.issue, expired)

    def file(self):
        (path,) = self.directory.iterdir()
        return path


@pytest.fixture(name="place")
def a_place(tmp_path):
    (tmp_path / "run").mkdir()
    return Place(tmp_path / "run")


def test_keys_are_asked_for_once(place):
    assert [place.keys().access_key_id for _process in range(100)] == ["id-1"] * 100
    assert place.keys() == replace(place.keys(), access_key_secret="the-secret", security_token="token-1")
    assert place.asked == 1


def test_keys_are_renewed_when_their_time_has_come(place):
    place.keys()
    place.now += LIFETIME - 1
    assert place.keys().access_key_id == "id-1"
    place.now += 1
    assert place.keys().access_key_id == "id-2"


def test_keys_that_were_called_expired_are_renewed_once_for_all(place):
    expired = place.keys()
    assert [place.keys(expired).access_key_id for _process in range(10)] == ["id-2"] * 10
    assert place.keys().access_key_id == "id-2"
    assert place.asked == 2


def test_what_issues_no_keys_is_not_asked_again(place):
    asked = []
    for _process in range(3):
        assert place.keys(issue=lambda: asked.append(1)) is None
    assert asked == [1]


def test_other_keys_have_another_file(place):
    place.keys()
    assert place.keys(identity="another").access_key_id == "id-2"
    assert place.keys().access_key_id == "id-1"


def failure(place, waited=0.0):
    with pytest.raises(CredentialsError) as caught:
        place.keys(waited=waited)
    error = caught.value
    assert error.as_result() == {
        "code": "NoPermission",
        "message": "refused",
        "request_id": "R-1",
        "http_status": 403,
        "action": None,
    }
    assert error.advice == "Ask nicely."


def test_a_failure_is_shared_with_those_who_waited_for_it(place):
    place.fails = True
    failure(place)
    place.now += 2
    failure(place, waited=3)
    assert place.asked == 1, "this one began to ask before the failure"
    failure(place, waited=1)
    assert place.asked == 2, "this one began later"
    place.now -= 100
    place.fails = False
    assert place.keys(waited=50).access_key_id == "id-3", "nobody can have waited for what is to come"


def test_another_error_is_not_kept(place):
    def issue():
        raise InvalidOption("bad", "Correct it.")

    with pytest.raises(InvalidOption):
        place.keys(issue=issue)
    assert place.keys().access_key_id == "id-1"


def test_without_a_directory_each_task_asks(place):
    place.directory = None
    assert [place.keys().access_key_id for _task in range(3)] == ["id-1", "id-2", "id-3"]
    assert place.warnings == []


def test_the_file_is_private_and_its_name_tells_nothing(place):
    place.keys(identity="the-identity")
    assert stat.S_IMODE(place.file().stat().st_mode) == 0o600
    assert "identity" not in place.file().name


def test_only_the_run_can_read_the_file(place, monkeypatch):
    keys = place.keys()
    before = place.file().read_bytes()
    for secret in (keys.access_key_id, keys.access_key_secret, keys.security_token):
        assert secret.encode() not in before
    monkeypatch.setattr(seal, "_KEY", os.urandom(32))
    with pytest.raises(ValueError, match="not sealed in this run"):
        unsealed(before)
    assert place.keys().access_key_id == "id-2", "another run has a file of its own"
    assert len(list(place.directory.iterdir())) == 2


@given(content=st.binary(max_size=300), place=st.integers(0, 300), flip=st.integers(1, 255))
def test_what_is_sealed_comes_back_and_is_not_changed_unnoticed(content, place, flip):
    first, second = sealed(content), sealed(content)
    assert unsealed(first) == unsealed(second) == content
    assert first != second
    changed = bytearray(first)
    changed[place % len(first)] ^= flip
    for bad in (bytes(changed), first[:-1], first[:20], b""):
        with pytest.raises(ValueError, match="not sealed"):
            unsealed(bad)


@given(content=st.binary(max_size=100))
def test_any_content_is_replaced(tmp_path_factory, content):
    place = Place(tmp_path_factory.mktemp("run"))
    place.keys()
    place.file().write_bytes(content)
    assert place.keys().access_key_id == "id-2"
    assert place.keys().access_key_id == "id-2"


@pytest.mark.parametrize(
    "change",
    [
        {"keys": 5},
        {"keys": {"access_key_id": "x"}},
        {"keys": {"access_key_id": 5, "access_key_secret": "s", "renew_at": 1}},
        {"keys": {"colour": "red"}},
        {"keys": None, "failure": 5},
        {"keys": None, "failure": {"colour": "red"}},
        {"at": None},
        {"at": "x"},
    ],
)
def test_a_file_of_another_form_is_replaced(place, change):
    place.keys()
    content = json.loads(unsealed(place.file().read_bytes()))
    place.file().write_bytes(sealed(json.dumps({**content, **change}).encode()))
    assert place.keys().access_key_id == "id-2"


@pytest.mark.parametrize("content", ["[" * 60_000, '{"at": 1}', "null", "{}"])
def test_a_corrupt_file_is_replaced(place, content):
    place.keys()
    place.file().write_bytes(sealed(content.encode()))
    assert place.keys().access_key_id == "id-2"


@pytest.mark.parametrize("kind", ["link", "directory", "pipe", "open to others"])
def test_what_somebody_else_has_put_there_is_not_used(place, tmp_path, kind):
    place.keys()
    path = place.file()
    precious = tmp_path / "precious"
    precious.write_bytes(path.read_bytes())
    path.unlink()
    put = {
        "link": lambda: path.symlink_to(precious),
        "directory": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "open to others": lambda: (precious.rename(path), path.chmod(0o640)),
    }
    put[kind]()
    assert [place.keys().access_key_id for _process in range(2)] == ["id-2", "id-3"]
    assert len(place.warnings) == 2
    assert "cannot be kept" in place.warnings[0] and str(place.directory) in place.warnings[0]


def test_a_file_of_another_user_is_not_used(place, monkeypatch):
    place.keys()
    monkeypatch.setattr(cache_module.os, "getuid", lambda: os.geteuid() + 1)
    assert place.keys().access_key_id == "id-2"
    assert "somebody else" in place.warnings[0]


def test_a_process_that_never_lets_go_is_not_waited_for(place, monkeypatch):
    place.keys()
    monkeypatch.setattr(cache_module, "_PATIENCE", 0.1)
    with open(place.file(), "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert place.keys().access_key_id == "id-2"
    assert "another process holds it" in place.warnings[0]
    assert place.keys().access_key_id == "id-1"


def test_a_directory_that_is_gone_is_a_warning(place):
    place.directory = place.directory / "gone"
    assert place.keys().access_key_id == "id-1"
    assert "No such file" in place.warnings[0]


def test_a_full_disk_only_means_more_asking(place, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module.os, "pwrite", full)
    assert [place.keys().access_key_id for _process in range(2)] == ["id-1", "id-2"]


# A process of the run. Asking takes long enough for all of them to come together.
PROCESS = """
import os, signal, sys, time
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials import seal
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import CredentialsError
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.cache import CredentialsCache
from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey

directory, log, end, key = sys.argv[1:]
seal._KEY = bytes.fromhex(key)  # as if it were forked
expired = AccessKey("old", "old", "old", "old") if end == "expired" else None

def issue():
    with open(log, "a") as file:
        print("asked", file=file)
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1)
    if end == "fails":
        raise CredentialsError("refused", "Ask nicely.")
    return AccessKey("new", "secret", "token", "a process")

print("ready", flush=True)
sys.stdin.readline()
try:
    print(CredentialsCache(directory, time.time, print).keys("identity", issue, expired).access_key_id)
except CredentialsError as error:
    print(error.happened)
"""


@pytest.fixture(name="run")
def processes_at_once(place, tmp_path):
    """Lets so many processes begin at the same moment; returns what they print, and how often one asked."""
    environ = {**os.environ, "PYTHONPATH": str(Path(cache_module.__file__).parents[6])}
    log = tmp_path / "log"

    def run(count, end):
        log.write_text("")
        arguments = [sys.executable, "-c", PROCESS, str(place.directory), str(log), end, seal._KEY.hex()]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(arguments, env=environ, **pipes) for _process in range(count)]
        for process in processes:
            process.stdout.readline()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = [process.communicate() for process in processes]
        return sorted(output.strip() for output, _errors in outputs), log.read_text().count("asked")

    return run


def test_processes_that_come_together_ask_once(run):
    assert run(10, "good") == (["new"] * 10, 1)


def test_processes_that_are_refused_together_ask_once(run):
    assert run(6, "fails") == (["refused"] * 6, 1)


def test_processes_whose_keys_expired_together_ask_once(run, place):
    place.keys(issue=lambda: AccessKey("old", "old", "old", "old"))
    assert run(6, "expired") == (["new"] * 6, 1)


def test_a_killed_process_holds_nobody_up(run):
    assert run(3, "killed") == ([""] * 3, 3)
    assert run(3, "good") == (["new"] * 3, 1)


def keys_ending(end):
    return {"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t", "Expiration": end}


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("left", "used"), [(3600, 3300), (900, 600), (400, 100), (360, 60), (359, 60), (30, 60), (0, 60), (-600, 60)]
)
def test_keys_are_used_until_five_minutes_before_their_end_and_for_a_minute_in_any_case(left, used):
    now = 1_700_000_000.0
    assert parse_issued_key(keys_ending(stamp(now + left)), "a test", now).renew_at == now + used


@pytest.mark.parametrize(
    "end", ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20+00:00", "2023-11-15T06:13:20+08:00", "2023-11-14T22:13:20"]
)
def test_forms_of_a_time(end):
    assert compute_renewal_time(end, "a test", 0) == 1_700_000_000.0 - 300


@given(end=st.text(max_size=25))
def test_what_is_no_time_is_an_error_of_credentials(end):
    try:
        assert compute_renewal_time(end, "a test", 0) >= 60
    except CredentialsError as error:
        assert "a test" in str(error)


def test_credentials_renew_their_keys_in_time(place):
    credentials = Credentials(place.keys, lambda: place.now)
    first = credentials.access_key()
    assert credentials.access_key() is first
    place.now += LIFETIME
    second = credentials.access_key()
    assert (first.access_key_id, second.access_key_id) == ("id-1", "id-2")
    assert credentials.renew(second) and credentials.access_key().access_key_id == "id-3"


def test_credentials_that_cannot_be_renewed_say_so():
    lasting = AccessKey("i", "s", None, "a test")
    credentials = Credentials(lambda _expired: lasting)
    assert not credentials.renew(credentials.access_key())


def test_keys_of_one_id_and_two_secrets_are_not_taken_for_each_other():
    assert AccessKey("i", "right", None, "a test").identity != AccessKey("i", "wrong", None, "a test").identity
