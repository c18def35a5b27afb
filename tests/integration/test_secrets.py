# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and tokens never come out: not in results, not at -vvvv, not in a process list, not in files left behind."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from playbook import STREAM, WAYS, Ansible, streams, temporary_keys

RECORD = "apsaravideo.live.apsaravideo_record"
NAMES = streams([STREAM])["stream01"]


def forms(secret):
    """A secret as it may be written."""
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}


def leaks(text, secrets):
    """The secrets that a text holds, in any form."""
    return [secret for secret in secrets if any(form in text for form in forms(secret))]


@pytest.fixture(name="keys")
def keys_of_sts(cloud):
    cloud.push(STREAM)
    return temporary_keys(cloud)


def secrets_of(keys):
    return [keys["access_key_secret"], keys["security_token"]]


def by_options(keys, home):
    return {**NAMES, **keys}, {}


def by_environment(keys, home):
    return NAMES, {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": keys["access_key_id"],
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": keys["access_key_secret"],
        "ALIBABA_CLOUD_SECURITY_TOKEN": keys["security_token"],
    }


def by_profile(keys, home):
    profile = {"name": "p", "mode": "StsToken", "sts_token": keys["security_token"]}
    profile.update({name: keys[name] for name in ("access_key_id", "access_key_secret")})
    (home / "profiles.json").write_text(json.dumps({"profiles": [profile]}), encoding="utf-8")
    return {**NAMES, "profile": "p", "credentials_file": str(home / "profiles.json")}, {}


SOURCES = {"options": by_options, "environment": by_environment, "profile": by_profile}


class Watch:
    """Collects the arguments of all processes that this one started, directly or not, while it is entered.

    Those of others are left out: what else runs on a machine may well have a signed address among its arguments.
    """

    def __enter__(self):
        self.seen, self._known, self._ended = set(), {os.getpid()}, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        while not self._ended.is_set():
            listed = subprocess.run(
                ["ps", "-e", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "args="],
                capture_output=True,
                text=True,
                check=True,
            )
            rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
            self._keep([(int(row[0]), int(row[1]), row[2]) for row in rows if len(row) == 3])
            time.sleep(0.02)

    def _keep(self, rows):
        found = True
        while found:
            found = {pid for pid, parent, _args in rows if parent in self._known} - self._known
            self._known |= found
        self.seen.update(args for pid, _parent, args in rows if pid in self._known)

    def __exit__(self, *_error):
        self._ended.set()
        self._thread.join()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("give", SOURCES.values(), ids=SOURCES)
def test_nothing_leaks(cloud, tmp_path, keys, give, way):
    outside = tmp_path / "keys"
    outside.mkdir()
    options, environ = give(keys, outside)
    home = tmp_path / "home"
    home.mkdir()
    ansible = Ansible(home, {**environ, "APSARAVIDEO_ENDPOINT": cloud.endpoint})
    tasks = [
        {"name": "start", RECORD: options},
        {"name": "check", RECORD: {**options, "state": "stopped"}, "check_mode": True},
        {"name": "stop", RECORD: {**options, "state": "stopped"}},
        {"name": "refused", RECORD: {**options, "stream_name": "nothing"}, "ignore_errors": True},
        {"name": "bad option", RECORD: {**options, "stream_name": "*"}, "ignore_errors": True},
        {"name": "show", "ansible.builtin.debug": {"var": "vars"}},
    ]
    for number, task in enumerate(tasks[:-1]):
        task["register"] = f"result_{number}"
    with Watch() as processes:
        run = ansible.play(tasks, "-vvvv", "--diff", **way)
    assert run.exit_code == 0
    assert run.result("start")["changed"]
    assert "Loading callback plugin" in run.output, "it is the verbose output that is searched"
    assert "previous_state" in run.output.split("TASK [show]")[1]
    assert any("ansible-playbook" in line for line in processes.seen)
    (home / "playbook.json").unlink()
    left = "".join(path.read_text(encoding="utf-8", errors="replace") for path in home.rglob("*") if path.is_file())
    everything = run.output + "\n".join(processes.seen) + json.dumps(cloud.calls()) + left
    assert "RealTimeRecordCommand" in everything
    assert leaks(everything, secrets_of(keys)) == []
    assert "Signature=" not in everything


def test_the_string_to_sign_that_the_cloud_echoes_is_cut(cloud, ansible, keys):
    options = {**NAMES, **keys, "access_key_secret": "wrongWrongWrong"}
    run = ansible.play([{"name": "start", RECORD: options}], "-vvvv")
    assert run.result("start")["error"]["code"] == "SignatureDoesNotMatch"
    assert leaks(run.output, [*secrets_of(keys), "wrongWrongWrong", keys["access_key_id"]]) == []


def test_the_watch_sees_what_a_descendant_was_given():
    secret = "kept" * 4
    with Watch() as processes:
        subprocess.run(["sh", "-c", f"sh -c 'sleep 0.3; : {secret}'; :"], check=True)
    assert any(secret in line for line in processes.seen)


@pytest.mark.parametrize("place", ["output", "file"])
def test_the_search_finds_a_leak(cloud, tmp_path, keys, place):
    ansible = Ansible(tmp_path, {})
    secret = keys["security_token"]
    task = {"output": {"ansible.builtin.debug": {"msg": f"x{quote(secret, safe='')}x"}}}.get(place) or {
        "ansible.builtin.copy": {"content": base64.b64encode(secret.encode()).decode(), "dest": str(tmp_path / "left")}
    }
    run = ansible.play([{"name": "leak", **task, "no_log": place == "file"}])
    found = run.output if place == "output" else Path(tmp_path / "left").read_text(encoding="utf-8")
    assert leaks(found, secrets_of(keys)) == [secret]
