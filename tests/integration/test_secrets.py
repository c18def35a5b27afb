# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets never appear in results, in output up to -vvvv, in a process list, or in files that are left behind."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from support.certificates import Authority
from support.emulator import KEY, OIDC_PROVIDER, OIDC_TOKEN, ROLE
from support.issuers import CloudSsoServer, CredentialsUri, Metadata, OAuthServer
from support.playbook import STREAM, WAYS, Ansible, assumed, streams, temporary_keys
from support.tunnel import Tunnel

RECORD = "apsaravideo.live.apsaravideo_record"
NAMES = streams([STREAM])["stream01"]


def forms(secret):
    """Return the encodings of a secret."""
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}


def find_leaks(text, secrets):
    """Return the secrets that a text contains in any encoding."""
    return [secret for secret in secrets if any(form in text for form in forms(secret))]


@pytest.fixture(name="keys")
def issue_credentials(cloud):
    cloud.push(STREAM)
    return temporary_keys(cloud)


def list_secrets(keys):
    return [keys["access_key_secret"], keys["security_token"]]


class Places:
    """Every provider of credentials, with files and servers of its own, and their secrets.

    `options` are those of a task for each provider, `environ` is the environment of Ansible, and `environments` are
    those of some tasks, which contain no secrets because Ansible itself displays them.
    """

    def __init__(self, cloud, keys, directory):
        self.issued = []
        self.directory = directory
        content = self.content(cloud)
        self.ecs, self.uri = Metadata({"recorder": content}), CredentialsUri(content)
        self.sso = CloudSsoServer(content, SSO_TOKEN, AccountId="1", AccessConfigurationId="ac-1")
        authority = Authority(directory.parent)
        self.oauth = OAuthServer(content, OAUTH_TOKEN, authority.context(*OAuthServer.NAMES))
        self.environ = {
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": authority.ca_path,
            "APSARAVIDEO_ENDPOINT": cloud.endpoint,
            "APSARAVIDEO_STS_ENDPOINT": cloud.endpoint,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": keys["access_key_id"],
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": keys["access_key_secret"],
            "ALIBABA_CLOUD_SECURITY_TOKEN": keys["security_token"],
        }
        self.secrets = [*list_secrets(keys), KEY[1], OIDC_TOKEN, SSO_TOKEN]
        self.secrets += [OAUTH_TOKEN, REFUSED_TOKEN, REFRESH_TOKEN]

    def content(self, cloud):
        def issue():
            self.issued.append(assumed(cloud))
            return self.issued[-1]

        return issue

    def __enter__(self):
        with ExitStack() as stack:
            for service in (self.ecs, self.uri, self.sso, self.oauth):
                stack.enter_context(service)
            self.environ["APSARAVIDEO_METADATA_ENDPOINT"] = self.ecs.url
            self.environ["HTTPS_PROXY"] = stack.enter_context(Tunnel(self.oauth.port)).url
            self._services = stack.pop_all()
        return self

    def __exit__(self, *error):
        self._services.__exit__(*error)

    def write(self, name, content):
        file = self.directory / name
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        file.chmod(0o600)
        return str(file)

    def profiles(self, keys):
        """Return options for profiles of each mode of the CLI."""
        pair = {"access_key_id": KEY[0], "access_key_secret": KEY[1]}
        temporary = {"access_key_id": keys["access_key_id"], "access_key_secret": keys["access_key_secret"]}
        printed = {"mode": "StsToken", **temporary, "sts_token": keys["security_token"]}
        role = {"ram_role_arn": ROLE}
        modes = {
            "AK": pair,
            "StsToken": {**temporary, "sts_token": keys["security_token"]},
            "RamRoleArn": {**pair, **role},
            "EcsRamRole": {"ram_role_name": "recorder"},
            "RamRoleArnWithRoleName": {"ram_role_name": "recorder", **role},
            "OIDC": {**role, "oidc_provider_arn": OIDC_PROVIDER, "oidc_token_file": self.write("token", OIDC_TOKEN)},
            "ChainableRamRoleArn": {"source_profile": "StsToken", **role},
            "External": {"process_command": f"cat {self.write('printed', printed)}"},
            "CredentialsURI": {"credentials_uri": self.uri.uri},
            "CloudSSO": {
                "cloud_sso_sign_in_url": self.sso.url,
                "cloud_sso_account_id": "1",
                "cloud_sso_access_config": "ac-1",
                "access_token": SSO_TOKEN,
            },
            "OAuth": self.sign_in(),
            "OAuth stored": {
                **self.sign_in(mode="OAuth", **temporary, sts_token=keys["security_token"]),
                "sts_expiration": int(time.time()) + 800,
            },
        }
        listed = [{"name": mode, "mode": mode, **fields} for mode, fields in modes.items()]
        file = self.write("profiles.json", {"profiles": listed})
        return {
            f"profile {mode}": {"profile": mode, "credentials_file": file, "allow_external_process": True}
            for mode in modes
        }

    def sign_in(self, **fields):
        """Return the fields of a profile of the mode OAuth."""
        sign_in = {"oauth_access_token": OAUTH_TOKEN, "oauth_access_token_expire": int(time.time()) + 3600}
        return {**sign_in, "oauth_refresh_token": REFRESH_TOKEN, **fields}

    def signed_out(self):
        """Return options for profiles of the mode OAuth that have no usable credentials."""
        refused = self.sign_in(name="sign-in refused", mode="OAuth", oauth_access_token=REFUSED_TOKEN)
        expired = self.sign_in(name="sign-in expired", mode="OAuth", oauth_access_token_expire=1)
        broken = self.sign_in(name="sign-in broken", mode="OAuth", oauth_access_token=f"{REFUSED_TOKEN}\n")
        profiles = [refused, expired, broken]
        file = self.write("signed_out.json", {"profiles": profiles})
        return {profile["name"]: {"profile": profile["name"], "credentials_file": file} for profile in profiles}

    def sections(self):
        """Return options for each type of section of the SDKs' file."""
        pair = f"access_key_id = {KEY[0]}\naccess_key_secret = {KEY[1]}\n"
        sections = {"access_key": pair, "ram_role_arn": f"{pair}role_arn = {ROLE}\n", "ecs_ram_role": ""}
        text = "".join(f"[{kind}]\ntype = {kind}\n{fields}" for kind, fields in sections.items())
        file = self.write("credentials", text)
        return {f"section {kind}": {"profile": kind, "credentials_file": file} for kind in sections}

    def options(self, keys):
        """Return options for each provider that has an option."""
        return {
            "options": keys,
            "environment": {},
            "role": {"access_key_id": KEY[0], "access_key_secret": KEY[1], "role_arn": ROLE},
            "ECS role": {"ecs_role_name": "recorder"},
            "OIDC variables": {},
            "URI variable": {},
            **self.profiles(keys),
            **self.sections(),
        }

    def environments(self):
        """Return the environment of a task for each provider that has variables."""
        none = dict.fromkeys((name for name in self.environ if name.startswith("ALIBABA_CLOUD_")), "")
        return {
            "OIDC variables": {
                **none,
                "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(self.directory / "token"),
                "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": OIDC_PROVIDER,
                "ALIBABA_CLOUD_ROLE_ARN": ROLE,
            },
            "URI variable": {
                **none,
                "ALIBABA_CLOUD_CREDENTIALS_URI": self.uri.uri,
                "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            },
        }


SSO_TOKEN = "token-of-a-sign-in"
OAUTH_TOKEN = "token-of-an-oauth-sign-in"
REFUSED_TOKEN = "token-that-has-been-taken-back"
REFRESH_TOKEN = "token-that-renews-the-sign-in"


class Watch:
    """A context that collects the arguments of all descendants of this process.

    Other processes are ignored, because they may have a signed URL among their arguments.
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


@pytest.fixture(name="places")
def make_places(cloud, tmp_path, keys):
    (tmp_path / "keys").mkdir()
    with Places(cloud, keys, tmp_path / "keys") as places:
        yield places


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_secret_appears_in_output_processes_or_files(cloud, tmp_path, keys, places, way):
    home = tmp_path / "home"
    home.mkdir()
    ansible = Ansible(home, places.environ)
    few = way and ("options", "environment", "role", "ECS role", "URI variable", "profile External", "profile OAuth")
    given = {place: {**NAMES, **options} for place, options in places.options(keys).items() if not few or place in few}
    environments = places.environments()
    tasks = []
    for place, options in given.items():
        keywords = {"environment": environments[place]} if place in environments else {}
        tasks += [
            {"name": place, RECORD: {**options, "state": "restarted"}, **keywords},
            {"name": f"{place} refused", RECORD: {**options, "stream_name": "-"}, "ignore_errors": True, **keywords},
        ]
    options = given["options"]
    tasks += [
        {"name": "check", RECORD: {**options, "state": "stopped"}, "check_mode": True},
        {"name": "stop", RECORD: {**options, "state": "stopped"}},
        {"name": "bad option", RECORD: {**options, "stream_name": "*"}, "ignore_errors": True},
    ]
    signed_out = places.signed_out()
    tasks += [
        {"name": name, RECORD: {**NAMES, **options}, "ignore_errors": True} for name, options in signed_out.items()
    ]
    for number, task in enumerate(tasks):
        task["register"] = f"result_{number}"
    tasks.append({"name": "show", "ansible.builtin.debug": {"var": "vars"}})
    with Watch() as processes:
        run = ansible.play(tasks, "-vvvv", "--diff", **way)
    assert run.exit_code == 0, run.output
    assert {place: run.result(place)["changed"] for place in given} == dict.fromkeys(given, True)
    assert {run.result(f"{place} refused")["error"]["code"] for place in given} == {"StreamNotFound"}
    assert all("OAuth" in run.result(name)["msg"] for name in signed_out)
    assert "Loading callback plugin" in run.output, "it is the verbose output that is searched"
    assert "previous_state" in run.output.split("TASK [show]")[1]
    assert any("ansible-playbook" in line for line in processes.seen)
    (home / "playbook.json").unlink()
    left = "".join(path.read_text(encoding="utf-8", errors="replace") for path in home.rglob("*") if path.is_file())
    everything = run.output + "\n".join(processes.seen) + json.dumps(cloud.calls()) + left
    assert "RealTimeRecordCommand" in everything
    secrets = [content[name] for content in places.issued for name in ("AccessKeySecret", "SecurityToken")]
    assert len(secrets) >= 4, "the servers were asked"
    assert find_leaks(everything, [*places.secrets, *secrets]) == []
    assert "Signature=" not in everything
    assert "CAIS" not in everything, "so does each token begin that the cloud has given"


def test_a_quoted_string_to_sign_is_removed_from_messages(cloud, ansible, keys):
    options = {**NAMES, **keys, "access_key_secret": "wrongWrongWrong"}
    run = ansible.play([{"name": "start", RECORD: options}], "-vvvv")
    assert run.result("start")["error"]["code"] == "SignatureDoesNotMatch"
    assert find_leaks(run.output, [*list_secrets(keys), "wrongWrongWrong", keys["access_key_id"]]) == []


def test_the_watch_sees_the_arguments_of_descendants():
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
    assert find_leaks(found, list_secrets(keys)) == [secret]
