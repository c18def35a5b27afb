# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's credentials package and the collection read equal credentials from the same places.

This also proves the stand-ins for the metadata service, CloudSSO and the credentials URI, because the package accepts
them.
"""

from __future__ import annotations

import json
import sys
import time

import pytest
from alibabacloud_credentials.provider import (
    CLIProfileCredentialsProvider,
    EcsRamRoleCredentialsProvider,
    ProfileCredentialsProvider,
    URLCredentialsProvider,
)
from alibabacloud_credentials.provider.oauth import OAuthCredentialsProvider

from ansible_collections.apsaravideo.live.plugins.module_utils._api.account import Limits
from ansible_collections.apsaravideo.live.plugins.module_utils._api.traffic import Traffic
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials import profile_files
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.cache import CredentialsCache
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.chain import build_credentials
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.provider import Context
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._module import argspec
from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock
from support.issuers import CloudSsoServer, CredentialsUri, Metadata, OAuthServer, new_credentials

PAIR = {"access_key_id": "the-id", "access_key_secret": "the-secret"}


def find_with_collection(environ=None, **options):
    """Return the credentials that the collection finds."""
    context = Context(
        argspec.Spec(argspec.CONNECTION).fill(options),
        {"HOME": "/nonexistent", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **(environ or {})},
        Settings(Endpoint.parse("https://live.aliyuncs.com")),
        Limits(),
        Clock(),
        Traffic(),
        CredentialsCache(None, time.time, print),
        print,
    )
    found = build_credentials(context).get_access_key()
    return found.access_key_id, found.access_key_secret, found.security_token


def find_with_package(provider):
    """Return the credentials that the vendor's package finds."""
    found = provider.get_credentials()
    return found.get_access_key_id(), found.get_access_key_secret(), found.get_security_token()


@pytest.fixture(name="constant_content")
def make_constant_content():
    content = new_credentials()
    return lambda: content


MODES = {
    "AK": PAIR,
    "StsToken": {**PAIR, "sts_token": "the-token"},
    "External": {"process_command": f"'{sys.executable}' -c 'print(open(\"PRINTED\").read())'"},
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("by", ["current", "name"])
def test_cli_profile_gives_equal_credentials(tmp_path, mode, by):
    printed = tmp_path / "printed"
    end = new_credentials()["Expiration"]
    printed.write_text(json.dumps({"mode": "StsToken", **PAIR, "sts_token": "x", "expiration": end}), encoding="utf-8")
    fields = {name: text.replace("PRINTED", str(printed)) for name, text in MODES[mode].items()}
    profiles = [{"name": "other", "mode": "AK"}, {"name": "p", "mode": mode, **fields}]
    file = tmp_path / ".aliyun" / "config.json"
    file.parent.mkdir()
    file.write_text(
        json.dumps({"current": "p" if by == "current" else "other", "profiles": profiles}), encoding="utf-8"
    )
    named = {"profile": "p"} if by == "name" else {}
    provider = CLIProfileCredentialsProvider(profile_file=str(file), profile_name=named.get("profile"))
    assert find_with_collection({"HOME": str(tmp_path)}, allow_external_process=True, **named) == find_with_package(
        provider
    )


SECTIONS = """
[default]
type = access_key
access_key_id = the-id
access_key_secret = the-secret # and why

[other]
type=access_key
access_key_id=other-id
access_key_secret=other-secret
"""


@pytest.mark.parametrize("name", ["default", "other"])
def test_sdk_file_section_gives_equal_credentials(tmp_path, name):
    file = tmp_path / ".alibabacloud" / "credentials.ini"
    file.parent.mkdir()
    file.write_text(SECTIONS, encoding="utf-8")
    provider = ProfileCredentialsProvider(profile_file=str(file), profile_name=name)
    environ = {"HOME": str(tmp_path), **({} if name == "default" else {"ALIBABA_CLOUD_PROFILE": name})}
    assert find_with_collection(environ) == find_with_package(provider)


@pytest.mark.parametrize("versions", [(1,), (2,), (1, 2)])
@pytest.mark.parametrize("name", ["recorder", None])
def test_instance_role_gives_equal_credentials_and_requests(constant_content, versions, name):
    provider = EcsRamRoleCredentialsProvider(role_name=name)
    with Metadata({"recorder": constant_content}, versions) as metadata:
        provider._EcsRamRoleCredentialsProvider__metadata_service_host = metadata.url.split("//")[1]
        assert find_with_package(provider)[2] == constant_content()["SecurityToken"]
        requests = [(request.method, request.target) for request in metadata.requests]
        environ = {"APSARAVIDEO_METADATA_ENDPOINT": metadata.url, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": ""}
        assert find_with_collection(environ, ecs_role_name=name) == find_with_package(provider)
        our_requests = [(request.method, request.target) for request in metadata.requests[len(requests) :]]
    assert set(our_requests) == set(requests)


def test_credentials_uri_gives_equal_credentials(constant_content):
    with CredentialsUri(constant_content) as server:
        provider = URLCredentialsProvider(uri=server.uri)
        assert find_with_collection({"ALIBABA_CLOUD_CREDENTIALS_URI": server.uri}) == find_with_package(provider)
        assert server.log == ["GET /keys"] * 2


def test_cloud_sso_gives_equal_credentials_and_requests(tmp_path, constant_content):
    with CloudSsoServer(constant_content, "the-token", AccountId="1", AccessConfigurationId="ac-1") as sso:
        profile = {
            "name": "p",
            "mode": "CloudSSO",
            "cloud_sso_sign_in_url": f"{sso.url}/device/login",
            "cloud_sso_account_id": "1",
            "cloud_sso_access_config": "ac-1",
            "access_token": "the-token",
            "cloud_sso_access_token_expire": int(time.time()) + 600,
        }
        file = tmp_path / "config.json"
        file.write_text(json.dumps({"current": "p", "profiles": [profile]}), encoding="utf-8")
        provider = CLIProfileCredentialsProvider(profile_file=str(file))
        assert find_with_collection(profile="p", credentials_file=str(file)) == find_with_package(provider)
        first, second = sso.requests
    assert json.loads(first.body) == json.loads(second.body)


@pytest.fixture(name="write_profile")
def make_oauth_profile(tmp_path):
    """Return a function that writes a profile of mode OAuth and returns the file and the fields."""

    def write(**fields):
        sign_in = {"oauth_access_token": "the-token", "oauth_access_token_expire": int(time.time()) + 3600}
        profile = {"name": "p", "mode": "OAuth", "oauth_site_type": "CN", **sign_in, **fields}
        file = tmp_path / "config.json"
        file.write_text(json.dumps({"current": "p", "profiles": [profile]}), encoding="utf-8")
        return str(file), profile

    return write


def test_stored_oauth_credentials_are_equal(write_profile):
    file, _profile = write_profile(**PAIR, sts_token="their-token", sts_expiration=int(time.time()) + 3600)
    provider = CLIProfileCredentialsProvider(profile_file=file)
    assert (
        find_with_collection(profile="p", credentials_file=file)
        == find_with_package(provider)
        == ("the-id", "the-secret", "their-token")
    )


def test_oauth_token_gives_equal_credentials_and_requests(write_profile, monkeypatch, constant_content):
    file, profile = write_profile()
    with OAuthServer(constant_content, "the-token") as oauth:
        monkeypatch.setattr(profile_files, "_OAUTH_URLS", {"CN": oauth.url})
        provider = OAuthCredentialsProvider(
            client_id="x",
            sign_in_url=oauth.url,
            access_token=profile["oauth_access_token"],
            access_token_expire=profile["oauth_access_token_expire"],
        )
        assert find_with_collection(profile="p", credentials_file=file) == find_with_package(provider)
        first, second = oauth.requests
    for one in (first, second):
        assert (one.method, one.target, one.body) == ("POST", "/v1/exchange", b"")
    assert first.headers["Authorization"] == second.headers["Authorization"]
    assert first.headers["Content-Type"] == second.headers["Content-Type"]


@pytest.mark.parametrize("site", ["CN", "INTL"])
def test_oauth_hosts_are_equal(write_profile, site):
    file, profile = write_profile(oauth_site_type=site)
    provider = CLIProfileCredentialsProvider(profile_file=file)
    inner = provider._get_credentials_provider({"profiles": [profile]}, "p")
    assert inner._sign_in_url == profile_files._OAUTH_URLS[site]
