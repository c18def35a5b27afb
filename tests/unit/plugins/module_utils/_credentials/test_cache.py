# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of temporary credentials: fetched once for all processes of a run, whatever state its file is in."""

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
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.seal import decrypt, encrypt
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import CredentialsError, InvalidOption

LIFETIME = 1000.0


class FakeRun:
    """A run whose processes share a cache, with a clock that is moved by hand and a count of the fetches."""

    def __init__(self, directory):
        self.directory, self.now = directory, 1_000_000.0
        self.fetches, self.warnings, self.fails = 0, [], False

    def fetch(self):
        self.fetches += 1
        if self.fails:
            self.now += 5
            raise CredentialsError("refused", "Ask nicely.", code="NoPermission", request_id="R-1", http_status=403)
        return AccessKey(
            f"id-{self.fetches}", "the-secret", f"token-{self.fetches}", "a test", renew_at=self.now + LIFETIME
        )

    def get_access_key(self, expired=None, identity="identity", fetch=None, waited=0.0):
        """Return what a process gets that has waited this many seconds for the lock."""
        times = iter([self.now - waited])
        cache = CredentialsCache(
            self.directory and str(self.directory), lambda: next(times, self.now), self.warnings.append
        )
        return cache.get_or_fetch(identity, fetch or self.fetch, expired)

    def file(self):
        (path,) = self.directory.iterdir()
        return path


@pytest.fixture(name="fake_run")
def fake_run_with_directory(tmp_path):
    (tmp_path / "run").mkdir()
    return FakeRun(tmp_path / "run")


def test_credentials_are_fetched_once(fake_run):
    assert [fake_run.get_access_key().access_key_id for _process in range(100)] == ["id-1"] * 100
    assert fake_run.get_access_key() == replace(
        fake_run.get_access_key(), access_key_secret="the-secret", security_token="token-1"
    )
    assert fake_run.fetches == 1


def test_credentials_are_renewed_at_their_time(fake_run):
    fake_run.get_access_key()
    fake_run.now += LIFETIME - 1
    assert fake_run.get_access_key().access_key_id == "id-1"
    fake_run.now += 1
    assert fake_run.get_access_key().access_key_id == "id-2"


def test_expired_credentials_are_renewed_once_for_all_processes(fake_run):
    expired = fake_run.get_access_key()
    assert [fake_run.get_access_key(expired).access_key_id for _process in range(10)] == ["id-2"] * 10
    assert fake_run.get_access_key().access_key_id == "id-2"
    assert fake_run.fetches == 2


def test_absent_credentials_are_not_fetched_again(fake_run):
    fetches = []
    for _process in range(3):
        assert fake_run.get_access_key(fetch=lambda: fetches.append(1)) is None
    assert fetches == [1]


def test_each_identity_has_a_file_of_its_own(fake_run):
    fake_run.get_access_key()
    assert fake_run.get_access_key(identity="another").access_key_id == "id-2"
    assert fake_run.get_access_key().access_key_id == "id-1"


def check_error(fake_run, waited=0.0):
    with pytest.raises(CredentialsError) as caught:
        fake_run.get_access_key(waited=waited)
    error = caught.value
    assert error.as_result() == {
        "code": "NoPermission",
        "message": "refused",
        "request_id": "R-1",
        "http_status": 403,
        "action": None,
    }
    assert error.advice == "Ask nicely."


def test_an_error_is_shared_with_processes_that_were_waiting(fake_run):
    fake_run.fails = True
    check_error(fake_run)
    fake_run.now += 2
    check_error(fake_run, waited=3)
    assert fake_run.fetches == 1, "this one was waiting when it happened"
    check_error(fake_run, waited=1)
    assert fake_run.fetches == 2, "this one began later"
    fake_run.now -= 100
    fake_run.fails = False
    assert fake_run.get_access_key(waited=50).access_key_id == "id-3", (
        "an error from the future was made by another clock"
    )


def test_an_error_of_another_kind_is_not_cached(fake_run):
    def fetch():
        raise InvalidOption("bad", "Set it again.")

    with pytest.raises(InvalidOption):
        fake_run.get_access_key(fetch=fetch)
    assert fake_run.get_access_key().access_key_id == "id-1"


def test_without_a_directory_each_task_fetches(fake_run):
    fake_run.directory = None
    assert [fake_run.get_access_key().access_key_id for _task in range(3)] == ["id-1", "id-2", "id-3"]
    assert fake_run.warnings == []


def test_the_file_is_private_and_its_name_reveals_nothing(fake_run):
    fake_run.get_access_key(identity="the-identity")
    assert stat.S_IMODE(fake_run.file().stat().st_mode) == 0o600
    assert "identity" not in fake_run.file().name


def test_only_processes_of_the_run_can_read_the_file(fake_run, monkeypatch):
    keys = fake_run.get_access_key()
    before = fake_run.file().read_bytes()
    for secret in (keys.access_key_id, keys.access_key_secret, keys.security_token):
        assert secret.encode() not in before
    monkeypatch.setattr(seal, "_KEY", os.urandom(32))
    with pytest.raises(ValueError, match="not encrypted in this run"):
        decrypt(before)
    assert fake_run.get_access_key().access_key_id == "id-2", "another run has a file of its own"
    assert len(list(fake_run.directory.iterdir())) == 2


@given(content=st.binary(max_size=300), position=st.integers(0, 300), flip=st.integers(1, 255))
def test_encrypted_content_is_decrypted_and_changes_are_detected(content, position, flip):
    first, second = encrypt(content), encrypt(content)
    assert decrypt(first) == decrypt(second) == content
    assert first != second
    changed = bytearray(first)
    changed[position % len(first)] ^= flip
    for bad in (bytes(changed), first[:-1], first[:20], b""):
        with pytest.raises(ValueError, match="not encrypted"):
            decrypt(bad)


@given(content=st.binary(max_size=100))
def test_a_file_of_any_content_is_replaced(tmp_path_factory, content):
    fake_run = FakeRun(tmp_path_factory.mktemp("run"))
    fake_run.get_access_key()
    fake_run.file().write_bytes(content)
    assert fake_run.get_access_key().access_key_id == "id-2"
    assert fake_run.get_access_key().access_key_id == "id-2"


@pytest.mark.parametrize(
    "change",
    [
        {"access_key": 5},
        {"access_key": {"access_key_id": "x"}},
        {"access_key": {"access_key_id": 5, "access_key_secret": "s", "renew_at": 1}},
        {"access_key": {"colour": "red"}},
        {"access_key": None, "error": 5},
        {"access_key": None, "error": {"colour": "red"}},
        {"fetched_at": None},
        {"fetched_at": "x"},
    ],
)
def test_a_file_with_an_invalid_entry_is_replaced(fake_run, change):
    fake_run.get_access_key()
    content = json.loads(decrypt(fake_run.file().read_bytes()))
    fake_run.file().write_bytes(encrypt(json.dumps({**content, **change}).encode()))
    assert fake_run.get_access_key().access_key_id == "id-2"


@pytest.mark.parametrize("content", ["[" * 60_000, '{"fetched_at": 1}', "null", "{}"])
def test_a_corrupt_file_is_replaced(fake_run, content):
    fake_run.get_access_key()
    fake_run.file().write_bytes(encrypt(content.encode()))
    assert fake_run.get_access_key().access_key_id == "id-2"


@pytest.mark.parametrize("kind", ["link", "directory", "pipe", "open to others"])
def test_a_planted_file_is_not_used(fake_run, tmp_path, kind):
    fake_run.get_access_key()
    path = fake_run.file()
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
    assert [fake_run.get_access_key().access_key_id for _process in range(2)] == ["id-2", "id-3"]
    assert len(fake_run.warnings) == 2
    assert "cannot be kept" in fake_run.warnings[0] and str(fake_run.directory) in fake_run.warnings[0]


def test_a_file_of_another_user_is_not_used(fake_run, monkeypatch):
    fake_run.get_access_key()
    monkeypatch.setattr(cache_module.os, "getuid", lambda: os.geteuid() + 1)
    assert fake_run.get_access_key().access_key_id == "id-2"
    assert "another user" in fake_run.warnings[0]


def test_a_lock_that_is_never_released_times_out(fake_run, monkeypatch):
    fake_run.get_access_key()
    monkeypatch.setattr(cache_module, "_LOCK_TIMEOUT", 0.1)
    with open(fake_run.file(), "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert fake_run.get_access_key().access_key_id == "id-2"
    assert "timed out" in fake_run.warnings[0]
    assert fake_run.get_access_key().access_key_id == "id-1"


def test_a_missing_directory_causes_a_warning(fake_run):
    fake_run.directory = fake_run.directory / "gone"
    assert fake_run.get_access_key().access_key_id == "id-1"
    assert "No such file" in fake_run.warnings[0]


def test_a_full_disk_only_causes_more_fetches(fake_run, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module.os, "pwrite", full)
    assert [fake_run.get_access_key().access_key_id for _process in range(2)] == ["id-1", "id-2"]


# A process of the run. A fetch takes long enough for all processes to need it at the same time.
PROCESS = """
import os, signal, sys, time
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials import seal
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import CredentialsError
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.cache import CredentialsCache
from ansible_collections.apsaravideo.live.plugins.module_utils._api.access_key import AccessKey

directory, log, end, key = sys.argv[1:]
seal._KEY = bytes.fromhex(key)  # A forked process would inherit it.
expired = AccessKey("old", "old", "old", "old") if end == "expired" else None

def fetch():
    with open(log, "a") as file:
        print("fetch", file=file)
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1)
    if end == "fails":
        raise CredentialsError("refused", "Ask nicely.")
    return AccessKey("new", "secret", "token", "a process")

print("ready", flush=True)
sys.stdin.readline()
try:
    print(CredentialsCache(directory, time.time, print).get_or_fetch("identity", fetch, expired).access_key_id)
except CredentialsError as error:
    print(error.happened)
"""


@pytest.fixture(name="run_processes")
def processes_at_once(fake_run, tmp_path):
    """Return a function that starts processes at the same moment and returns their output and the number of fetches."""
    environ = {**os.environ, "PYTHONPATH": str(Path(cache_module.__file__).parents[6])}
    log = tmp_path / "log"

    def run(count, end):
        log.write_text("")
        arguments = [sys.executable, "-c", PROCESS, str(fake_run.directory), str(log), end, seal._KEY.hex()]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(arguments, env=environ, **pipes) for _process in range(count)]
        for process in processes:
            process.stdout.readline()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = [process.communicate() for process in processes]
        return sorted(output.strip() for output, _errors in outputs), log.read_text().count("fetch")

    return run


def test_processes_that_start_together_fetch_once(run_processes):
    assert run_processes(10, "good") == (["new"] * 10, 1)


def test_processes_that_are_refused_together_fetch_once(run_processes):
    assert run_processes(6, "fails") == (["refused"] * 6, 1)


def test_processes_whose_credentials_expired_together_fetch_once(run_processes, fake_run):
    fake_run.get_access_key(fetch=lambda: AccessKey("old", "old", "old", "old"))
    assert run_processes(6, "expired") == (["new"] * 6, 1)


def test_a_killed_process_does_not_block_the_others(run_processes):
    assert run_processes(3, "killed") == ([""] * 3, 3)
    assert run_processes(3, "good") == (["new"] * 3, 1)


def make_content(end):
    """Return the response of a service whose credentials end at this time."""
    return {"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t", "Expiration": end}


def format_time(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("left", "used"), [(3600, 3300), (900, 600), (400, 100), (360, 60), (359, 60), (30, 60), (0, 60), (-600, 60)]
)
def test_credentials_are_renewed_five_minutes_before_their_end_but_not_within_a_minute(left, used):
    now = 1_700_000_000.0
    assert parse_issued_key(make_content(format_time(now + left)), "a test", now).renew_at == now + used


@pytest.mark.parametrize(
    "end", ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20+00:00", "2023-11-15T06:13:20+08:00", "2023-11-14T22:13:20"]
)
def test_all_forms_of_a_time_are_read(end):
    assert compute_renewal_time(end, "a test", 0) == 1_700_000_000.0 - 300


@given(end=st.text(max_size=25))
def test_an_invalid_time_is_a_credentials_error(end):
    try:
        assert compute_renewal_time(end, "a test", 0) >= 60
    except CredentialsError as error:
        assert "a test" in str(error)


def test_credentials_renew_their_access_key_in_time(fake_run):
    credentials = Credentials(fake_run.get_access_key, lambda: fake_run.now)
    first = credentials.get_access_key()
    assert credentials.get_access_key() is first
    fake_run.now += LIFETIME
    second = credentials.get_access_key()
    assert (first.access_key_id, second.access_key_id) == ("id-1", "id-2")
    assert credentials.renew(second) and credentials.get_access_key().access_key_id == "id-3"


def test_renewal_of_lasting_credentials_reports_no_change():
    lasting = AccessKey("i", "s", None, "a test")
    credentials = Credentials(lambda _expired: lasting)
    assert not credentials.renew(credentials.get_access_key())


def test_access_keys_of_one_id_and_two_secrets_differ_in_identity():
    assert AccessKey("i", "right", None, "a test").identity != AccessKey("i", "wrong", None, "a test").identity
