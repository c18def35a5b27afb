# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary credentials in playbooks, which are requested once in a run and not by each host.

test_secrets.py tests that each provider works, and that its credentials are never displayed.
"""

from __future__ import annotations

import json
import signal
import time
from types import SimpleNamespace

import pytest

from support.certificates import Authority
from support.emulator import KEY, POWERLESS_KEY, ROLE
from support.issuers import Metadata, OAuthServer
from support.playbook import STREAM, WAYS, assumed, environment, streams, temporary_keys
from support.tunnel import Tunnel

RECORD = "apsaravideo.live.apsaravideo_record"
NAMES = [f"live.example.com/app/stream{number:02}" for number in range(40)]
STREAM_OF_HOST = {name: f"{{{{ {name} }}}}" for name in ("domain_name", "app_name", "stream_name")}


@pytest.fixture(name="sts")
def ansible_with_sts(cloud, ansible):
    """Return an Ansible that uses the Security Token Service of the cloud."""
    cloud.push(*NAMES, STREAM)
    ansible.environ["APSARAVIDEO_STS_ENDPOINT"] = cloud.endpoint
    return ansible


def start(ansible, names, forks, **variables):
    inventory = str(ansible.inventory(streams(names)))
    arguments = ("-i", inventory, "--forks", str(forks), "-e", json.dumps(variables))
    return ansible.playbook("apsaravideo.live.start", *arguments)


def recording(cloud):
    return {stream["stream_name"] for stream in cloud.state()["streams"] if stream["recording"] == "recording"}


def list_credential_files(ansible):
    return [path for path in ansible.directory.rglob("*") if path.name.startswith("apsaravideo-keys")]


def test_a_role_is_assumed_once_for_the_inventory_and_all_hosts(cloud, sts, tmp_path):
    """The instance's role assumes another one."""
    profile = {"name": "p", "mode": "RamRoleArnWithRoleName", "ram_role_name": "instance", "ram_role_arn": ROLE}
    (tmp_path / "profiles.json").write_text(json.dumps({"profiles": [profile]}), encoding="utf-8")
    (tmp_path / "profiles.json").chmod(0o600)
    domain = {"domain_name": "live.example.com", "profile": "p", "credentials_file": str(tmp_path / "profiles.json")}
    source = tmp_path / "live.apsaravideo.yml"
    source.write_text(
        json.dumps({"plugin": "apsaravideo.live.apsaravideo_streams", "domains": [domain], "apps": ["app"]}),
        encoding="utf-8",
    )
    with Metadata({"instance": lambda: assumed(cloud)}, versions=(2,)) as metadata:
        sts.environ["APSARAVIDEO_METADATA_ENDPOINT"] = metadata.url
        run = sts.playbook("apsaravideo.live.start", "-i", str(source), "--forks", "20")
    assert run.exit_code == 0, run.output
    assert len(recording(cloud)) == len(cloud.calls("RealTimeRecordCommand")) == 40
    assert [request.method for request in metadata.requests] == ["PUT", "GET"]
    # One call was for the keys of the stand-in itself.
    assert len(cloud.calls("AssumeRole")) == 2
    assert sum(row["api_calls"] for row in run.fleets()[0]["streams"]) == 40
    assert list_credential_files(sts) == []


TOKEN = "token-of-an-oauth-sign-in"


@pytest.fixture(name="oauth")
def start_oauth(cloud, ansible, tmp_path_factory):
    """Start both OAuth sites, which Ansible reaches by their real names through a proxy of the test."""
    cloud.push(*NAMES, STREAM)
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with (
        OAuthServer(lambda: assumed(cloud), TOKEN, authority.context(*OAuthServer.NAMES)) as service,
        Tunnel(service.port) as proxy,
    ):
        environ = {"HTTPS_PROXY": proxy.url, "NO_PROXY": "127.0.0.1", "REQUESTS_CA_BUNDLE": authority.ca_path}
        ansible.environ.update({**environ, **NO_KEYS})
        yield SimpleNamespace(service=service, proxy=proxy)


def write_sign_in(name, directory, **fields):
    """Return the options for a profile of the CLI with the fields of a sign-in and these."""
    sign_in = {"oauth_access_token": TOKEN, "oauth_access_token_expire": int(time.time()) + 3600}
    file = directory / f"{name}.json"
    file.write_text(json.dumps({"profiles": [{"name": name, "mode": "OAuth", **sign_in, **fields}]}), encoding="utf-8")
    file.chmod(0o600)
    return {"profile": name, "credentials_file": str(file)}


@pytest.mark.parametrize(("site", "host"), [("CN", "oauth.aliyun.com"), ("INTL", "oauth.alibabacloud.com")])
def test_an_oauth_sign_in_is_exchanged_once_for_all_streams(cloud, ansible, oauth, tmp_path, site, host):
    options = write_sign_in("p", tmp_path, oauth_site_type=site)
    run = start(ansible, NAMES, 5, **{f"apsaravideo_{name}": value for name, value in options.items()})
    assert run.exit_code == 0, run.output
    assert len(recording(cloud)) == 40
    assert oauth.service.log == ["POST /v1/exchange"]
    (head,) = oauth.proxy.heads
    assert head.startswith(f"CONNECT {host}:443 ")
    assert list_credential_files(ansible) == []


def test_stored_oauth_credentials_are_used_and_expired_sign_ins_fail(cloud, ansible, oauth, tmp_path):
    expired = {"oauth_access_token_expire": int(time.time()) - 1, "oauth_refresh_token": "the-refresh-token"}
    given = temporary_keys(cloud)
    pair = {name: given[name] for name in ("access_key_id", "access_key_secret")}
    stored = {**pair, "sts_token": given["security_token"]}
    now = int(time.time())
    tasks = [
        task("stored", **write_sign_in("stored", tmp_path, **expired, **stored, sts_expiration=now + 800)),
        task("expired", **write_sign_in("expired", tmp_path, **expired, **stored, sts_expiration=now - 1)),
    ]
    run = ansible.play(tasks)
    assert run.result("stored")["changed"]
    failed = run.result("expired")
    assert failed["msg"].endswith("aliyun configure --mode OAuth --oauth-site-type CN --profile expired.")
    assert "the-refresh-token" not in run.output
    assert len(cloud.calls("RealTimeRecordCommand")) == 1
    assert not oauth.service.requests, "nothing is renewed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_run_leaves_no_readable_credentials(cloud, sts, number):
    """The instance's role assumes another one, in workers."""
    issued = []

    def issue():
        issued.append(assumed(cloud))
        return issued[-1]

    cloud.behave(latency=300)
    options = {**STREAM_OF_HOST, "ecs_role_name": "instance", "role_arn": ROLE, "state": "restarted"}
    inventory = str(sts.inventory(streams(NAMES), ansible_connection="local"))
    play = {"hosts": "streams", "gather_facts": False, "tasks": [{RECORD: options}]}
    file = sts.directory / "playbook.json"
    file.write_text(json.dumps([play]), encoding="utf-8")
    with Metadata({"instance": issue}) as metadata:
        sts.environ["APSARAVIDEO_METADATA_ENDPOINT"] = metadata.url
        with sts.begin(str(file), "-i", inventory, "--forks", "4") as process:
            end = time.monotonic() + 60
            while len(cloud.calls("RealTimeRecordCommand")) < 8:
                assert time.monotonic() < end and process.poll() is None
                time.sleep(0.05)
            process.send_signal(number)
            sts.end(process)
            time.sleep(1)  # calls that were under way still arrive
            sts.kill_workers()
    (keys,) = issued
    assert len(cloud.calls("AssumeRole")) == 2, "all workers have read what one of them has written"
    # The id of the other role is known to begin so, as all of STS do.
    secrets = [keys["AccessKeyId"], keys["AccessKeySecret"], keys["SecurityToken"], "STS.", "access_key_secret"]
    assert keys["AccessKeyId"].startswith("STS.")
    if number == signal.SIGKILL:
        assert len(list_credential_files(sts)) == 2, "Ansible did not clean up"
    for path in list_credential_files(sts):
        content = path.read_bytes()
        assert [secret for secret in secrets if secret.encode() in content] == []


def test_expiring_credentials_are_renewed_once_for_all_hosts(cloud, sts):
    names = NAMES[:20]
    cloud.behave(clock_skew=-800)
    role = {**STREAM_OF_HOST, "role_arn": ROLE, "role_session_duration": 900}
    later = {
        "url": f"{cloud.endpoint}/_emulator/behaviour",
        "method": "POST",
        "body_format": "json",
        "body": {"clock_skew": 200},
    }
    tasks = [
        {"name": "start", RECORD: role},
        {"name": "later", "ansible.builtin.uri": later, "run_once": True},
        {"name": "split", RECORD: {**role, "state": "restarted"}},
    ]
    inventory = str(sts.inventory(streams(names), ansible_connection="local"))
    run = sts.play(tasks, "-i", inventory, "--forks", "10", hosts="streams")
    assert run.exit_code == 0, run.output
    assert all(result["changed"] for result in run.results("split").values())
    assert {stream["ledger"]["splits"] for stream in cloud.state()["streams"] if stream["ledger"]["starts"]} == {1}
    assert len(cloud.calls("AssumeRole")) == 2
    refused = [call for call in cloud.calls("RealTimeRecordCommand") if call["code"]]
    assert {call["code"] for call in refused} == {"InvalidSecurityToken.Expired"}, refused
    assert 1 <= len(refused) <= 10, "those who came later had the new keys"
    calls = sum(row["result"].get("api_calls", 0) for row in run.rows)
    assert calls == len(cloud.calls()) == 40 + len(refused) + 2


def test_hosts_that_wait_for_credentials_share_the_error(cloud, sts):
    cloud.behave(latency=1500)
    sts.environ.update(environment(cloud, POWERLESS_KEY))
    run = start(sts, NAMES[:10], 10, apsaravideo_role_arn=ROLE)
    results = run.fleets()[0]["streams"]
    assert len(results) == 10
    assert {(result["error"]["code"], result["error"]["action"]) for result in results} == {
        ("Forbidden.RAM", "AssumeRole")
    }
    assert all("sts:AssumeRole" in result["msg"] for result in results)
    assert len(cloud.calls()) == 1, "it was found once for all"
    assert recording(cloud) == set()


OPTIONS = {**streams([STREAM])["stream01"], "state": "restarted"}
GUARDED = ROLE.replace("recorder", "guarded")
INCUMBENT = {
    "alicloud_assume_role_arn": ROLE,
    "alicloud_assume_role_session_name": "theirs",
    "alicloud_assume_role_session_expiration": 1200,
    "role_policy": {"Version": "1", "Statement": []},
}
NO_KEYS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "",
    "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
}


def task(name, *, environ=None, **options):
    return {"name": name, RECORD: {**OPTIONS, **options}, "ignore_errors": True, "environment": environ or {}}


def list_assumed_roles(cloud):
    asked = [call["params"] for call in cloud.calls("AssumeRole")]
    return [(params["RoleArn"], params["RoleSessionName"], params.get("DurationSeconds")) for params in asked]


def test_role_and_profile_options_are_used_or_refused(cloud, sts, tmp_path):
    cloud.add_accounts(
        {"id": "1000000000000001", "roles": [{"name": "guarded", "external_id": "x-1", "allow": ["live:Describe*"]}]}
    )
    profile = {"name": "p", "mode": "AK", "access_key_id": KEY[0], "access_key_secret": KEY[1]}
    file = tmp_path / "profiles.json"
    file.write_text(json.dumps({"profiles": [profile]}), encoding="utf-8")
    in_file = {"profile": "p", "credentials_file": str(file)}
    tasks = [
        task("first", role_arn=ROLE),
        task("again", role_arn=ROLE),
        task("incumbent", **INCUMBENT),
        task("without id", role_arn=GUARDED),
        task("with id", role_arn=GUARDED, external_id="x-1"),
        task("nobody", role_arn=f"{ROLE}x"),
        task("no name", role_arn="recorder"),
        task("half", external_id="x-1"),
        task("no keys", environ=NO_KEYS),
        {"name": "open", "ansible.builtin.file": {"path": str(file), "mode": "0644"}},
        task("readable", **in_file),
        {"name": "close", "ansible.builtin.file": {"path": str(file), "mode": "0600"}},
        task("private", **in_file),
    ]
    run = sts.play(tasks)
    results = {name["name"]: run.result(name["name"]) for name in tasks}
    changed = {name for name, result in results.items() if result.get("changed")}
    assert changed >= {"first", "again", "incumbent", "readable", "private"}
    errors = {name: results[name]["error"] for name in ("without id", "with id", "nobody")}
    assert {name: (error["action"], error["code"]) for name, error in errors.items()} == {
        "without id": ("AssumeRole", "NoPermission"),
        "with id": ("RealTimeRecordCommand", "Forbidden.RAM"),
        "nobody": ("AssumeRole", "EntityNotExist.Role"),
    }
    assert "is not the ARN of a role" in results["no name"]["msg"]
    assert "without role_arn" in results["half"]["msg"]
    assert "No access keys were found" in results["no keys"]["msg"]
    assert list_assumed_roles(cloud) == [
        (ROLE, "ansible", None),
        (ROLE, "theirs", "1200"),
        (GUARDED, "ansible", None),
        (GUARDED, "ansible", None),
        (f"{ROLE}x", "ansible", None),
    ]
    assert json.loads(cloud.calls("AssumeRole")[1]["params"]["Policy"]) == INCUMBENT["role_policy"]
    (warning,) = results["readable"]["warnings"]
    assert f"chmod 600 {file}" in warning
    assert "warnings" not in results["private"]


def test_a_module_outside_the_controller_requests_credentials_for_each_task(cloud, sts):
    run = sts.play([task("first", role_arn=ROLE), task("again", role_arn=ROLE)], **WAYS["as a module"])
    assert [run.result(name)["changed"] for name in ("first", "again")] == [True, True]
    assert list_assumed_roles(cloud) == [(ROLE, "ansible", None)] * 2
    assert run.result("again")["api_calls"] == 2
