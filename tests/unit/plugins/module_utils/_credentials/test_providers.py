# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credentials providers: their order, and that a mistake in one never leads to the credentials of another."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
import time
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.account import Limits
from ansible_collections.apsaravideo.live.plugins.module_utils._api.client import Client
from ansible_collections.apsaravideo.live.plugins.module_utils._api.operations import ASSUME_ROLE
from ansible_collections.apsaravideo.live.plugins.module_utils._api.traffic import Traffic
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials import ecs_ram_role, external, profile_files
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials import sts as sts_module
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.cache import CredentialsCache
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.chain import build_credentials
from ansible_collections.apsaravideo.live.plugins.module_utils._credentials.provider import Context
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import CredentialsError, InvalidOption, Throttled
from ansible_collections.apsaravideo.live.plugins.module_utils._http.endpoint import Endpoint, Settings
from ansible_collections.apsaravideo.live.plugins.module_utils._module import argspec
from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock
from support.issuers import TOKEN, CloudSsoServer, CredentialsUri, Metadata, OAuthServer, Sts, new_credentials
from support.scripted import ScriptedServer, answer, silence

OPTIONS = {"access_key_id": "option-id", "access_key_secret": "option-secret"}
SDK = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "sdk-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "sdk-secret"}
CLI = {"ALIBABACLOUD_ACCESS_KEY_ID": "cli-id", "ALIBABACLOUD_ACCESS_KEY_SECRET": "cli-secret"}
ALICLOUD = {"ALICLOUD_ACCESS_KEY": "ali-id", "ALICLOUD_SECRET_KEY": "ali-secret"}
AK = {"access_key_id": "file-id", "access_key_secret": "file-secret"}
ROLE = "acs:ram::1000000000000001:role/recorder"
PROVIDER = "acs:ram::1000000000000001:oidc-provider/ci"
PROFILES = [
    {"name": "default", "mode": "AK", **AK},
    {
        "name": "guest",
        "mode": "StsToken",
        "access_key_id": "sts-id",
        "access_key_secret": "sts-secret",
        "sts_token": "sts-token",
    },
    {"name": "half", "mode": "AK", "access_key_id": "half-id", "access_key_secret": ""},
    {"name": "old", "access_key_id": "old-id", "access_key_secret": "old-secret"},
]
INI = """
# what the SDKs read
[default]
type = access_key
access_key_id = ini-id          # whose
access_key_secret = ini%secret

[role]
type = ram_role_arn
access_key_id = ini-id
access_key_secret = ini-secret
role_arn = acs:ram::1000000000000001:role/recorder
role_session_name = night
policy = {"Version": "1"}
"""


def write(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(0o600)
    return str(file)


@pytest.fixture(name="home")
def home_with_profiles(tmp_path):
    write(tmp_path / ".aliyun" / "config.json", {"current": "default", "profiles": PROFILES})
    return tmp_path


def make_task(options=None, environ=None, home="/nonexistent", directory=None):
    """Return the credentials, the traffic and the warnings of a task with these options."""
    warnings = []
    options = argspec.Spec(argspec.CONNECTION).fill(options or {})
    # On a machine of the cloud, the tests would otherwise find the role of that.
    environ = {"HOME": str(home), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **(environ or {})}
    context = Context(
        options,
        environ,
        Settings(Endpoint.parse("https://live.aliyuncs.com"), connect_timeout=2, read_timeout=2),
        Limits(retry_timeout=0, rate_limit=1e9),
        Clock(),
        Traffic(),
        CredentialsCache(directory and str(directory), time.time, warnings.append),
        warnings.append,
    )
    return SimpleNamespace(credentials=build_credentials(context), traffic=context.traffic, warnings=warnings)


def get_access_key(options=None, environ=None, home="/nonexistent", directory=None):
    return make_task(options, environ, home, directory).credentials.get_access_key()


def get_refusal(options=None, environ=None, home="/nonexistent", kind=CredentialsError):
    with pytest.raises(kind) as caught:
        get_access_key(options, environ, home)
    return str(caught.value)


def use_profile(home, environ=None, **fields):
    """Return the access key for a CLI profile with these fields."""
    path = write(home / "one.json", {"profiles": [{"name": "p", **fields}]})
    return get_access_key({"profile": "p", "credentials_file": path}, environ, home)


# --- the order --------------------------------------------------------------------------------------------------------


def with_id(name):
    return lambda: {**new_credentials(), "AccessKeyId": name}


@pytest.fixture(scope="module")
def services():
    sts, ecs, uri = Sts(with_id("oidc-id")), Metadata({"r": with_id("ecs-id")}), CredentialsUri(with_id("uri-id"))
    with sts, ecs, uri:
        yield SimpleNamespace(sts=sts, ecs=ecs, uri=uri)


ORDER = ["option-id", "sdk-id", "cli-id", "ali-id", "oidc-id", "file-id", "ini-id", "ecs-id", "uri-id"]


@given(places=st.sets(st.sampled_from(ORDER), min_size=1))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_first_provider_with_credentials_is_used(tmp_path_factory, services, places):
    home = tmp_path_factory.mktemp("home")
    environ = {"APSARAVIDEO_STS_ENDPOINT": services.sts.url}
    if "sdk-id" in places:
        environ.update(SDK)
    if "cli-id" in places:
        environ.update(CLI)
    if "ali-id" in places:
        environ.update(ALICLOUD)
    if "oidc-id" in places:
        environ.update(oidc_variables(home))
    if "file-id" in places:
        write(home / ".aliyun" / "config.json", {"current": "default", "profiles": PROFILES})
    if "ini-id" in places:
        write(home / ".alibabacloud" / "credentials", INI)
    if "ecs-id" in places:
        environ.update(metadata_variables(services.ecs))
    if "uri-id" in places:
        environ["ALIBABA_CLOUD_CREDENTIALS_URI"] = services.uri.uri
    found = get_access_key(OPTIONS if "option-id" in places else {}, environ, home)
    assert found.access_key_id == min(places, key=ORDER.index)


def oidc_variables(home, token="oidc-token\n", prefix="ALIBABA_CLOUD"):
    return {
        f"{prefix}_ROLE_ARN": ROLE,
        f"{prefix}_OIDC_PROVIDER_ARN": PROVIDER,
        f"{prefix}_OIDC_TOKEN_FILE": write(home / "token", token),
    }


def metadata_variables(service):
    return {"APSARAVIDEO_METADATA_ENDPOINT": service.url, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": ""}


def test_options_come_before_the_environment(home, services):
    everything = {**SDK, **ALICLOUD, **metadata_variables(services.ecs)}
    assert get_access_key({"profile": "guest"}, everything, home).access_key_id == "sts-id"
    assert get_access_key({"ecs_role_name": "r"}, everything, home).access_key_id == "ecs-id"
    assert get_access_key({"ecs_role_name": "r", "profile": "guest"}, everything, home).access_key_id == "sts-id"
    assert (
        get_access_key({"ecs_role_name": "r", "profile": "guest", **OPTIONS}, everything, home).access_key_id
        == "option-id"
    )


def test_a_profile_in_the_environment_comes_after_an_access_key_there(home):
    assert get_access_key({}, {"ALIBABA_CLOUD_PROFILE": "guest"}, home).security_token == "sts-token"
    assert get_access_key({}, {"ALICLOUD_PROFILE": "guest"}, home).security_token == "sts-token"
    assert get_access_key({}, {"ALIBABA_CLOUD_PROFILE": "guest", **SDK}, home).access_key_id == "sdk-id"


def test_both_spellings_of_the_alicloud_variables_are_read():
    found = get_access_key(
        {}, {"ALICLOUD_ACCESS_KEY_ID": "i", "ALICLOUD_SECRET_ACCESS_KEY": "s", "ALICLOUD_SECURITY_TOKEN": "t"}
    )
    assert (found.access_key_id, found.access_key_secret, found.security_token) == ("i", "s", "t")


@pytest.mark.parametrize("prefix", ["ALIBABA_CLOUD", "ALIBABACLOUD", "ALICLOUD"])
def test_access_keys_are_read_by_all_names_of_the_cli(prefix):
    names = {f"{prefix}_{name}": name for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")}
    found = get_access_key({}, names)
    assert (found.access_key_id, found.access_key_secret, found.security_token) == tuple(names.values())


def test_an_oidc_token_is_read_by_the_names_of_the_cli(tmp_path):
    with Sts() as sts:
        environ = {"APSARAVIDEO_STS_ENDPOINT": sts.url, **oidc_variables(tmp_path, prefix="ALIBABACLOUD")}
        assert get_access_key({}, environ).security_token
        del environ["ALIBABACLOUD_ROLE_ARN"]
        message = get_refusal({}, {**environ, "ALIBABA_CLOUD_ROLE_ARN": ROLE})
    assert "incomplete" in message and "Set ALIBABACLOUD_ROLE_ARN too" in message
    assert [(call["Action"], call["OIDCToken"]) for call in sts.calls()] == [("AssumeRoleWithOIDC", "oidc-token")]


def test_a_security_token_is_not_used_with_another_access_key(home):
    assert get_access_key({}, {**CLI, "ALICLOUD_SECURITY_TOKEN": "t"}).security_token is None
    assert get_access_key(OPTIONS, {"ALIBABA_CLOUD_SECURITY_TOKEN": "t"}, home).security_token is None
    assert get_access_key({**OPTIONS, "security_token": "t"}).security_token == "t"


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        ({"access_key_id": "i"}, SDK),
        ({"access_key_secret": "s"}, SDK),
        ({"security_token": "t"}, SDK),
        ({}, {"ALIBABA_CLOUD_ACCESS_KEY_ID": "i", **ALICLOUD}),
        ({}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s", **ALICLOUD}),
        ({}, {"ALIBABACLOUD_ACCESS_KEY_ID": "i", **ALICLOUD}),
        ({}, {"ALIBABACLOUD_ACCESS_KEY_SECRET": "s", **ALICLOUD}),
        ({}, {"ALIBABACLOUD_SECURITY_TOKEN": "t", **ALICLOUD}),
        ({}, {"ALICLOUD_ACCESS_KEY": "i"}),
        ({}, {"ALICLOUD_ACCESS_KEY_SECRET": "s"}),
        ({}, {"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "f", "ALIBABA_CLOUD_ROLE_ARN": ROLE}),
        ({}, {"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "f", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER}),
        ({}, {"ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER, "ALIBABA_CLOUD_ROLE_ARN": ROLE}),
    ],
)
def test_incomplete_credentials_are_refused_although_others_exist(home, options, environ):
    assert "incomplete" in get_refusal(options, environ, home)


def test_a_role_alone_in_the_environment_is_ignored(home):
    assert get_access_key({}, {"ALIBABA_CLOUD_ROLE_ARN": ROLE}, home).access_key_id == "file-id"


def test_missing_credentials_advise_what_to_set():
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in get_refusal()


@pytest.mark.parametrize("value", ["two words", "line\n", "\tx", "中文", "nul\0"])
def test_access_keys_unfit_for_headers_are_refused_without_showing_them(value):
    message = get_refusal({"access_key_id": "i", "access_key_secret": value})
    assert "access_key_secret" in message
    assert value not in message


def test_the_repr_of_an_access_key_shows_no_secret():
    shown = repr(get_access_key({**OPTIONS, "security_token": "the-token"}))
    assert "option-secret" not in shown and "the-token" not in shown


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [("nobody", "no profile of the name that is asked for"), ("half", "no access_key_secret in profile half")],
)
@pytest.mark.parametrize("by", ["option", "variable"])
def test_an_unusable_profile_is_named(home, name, words, by):
    if by == "option":
        message = get_refusal({"profile": name}, SDK, home)
    else:
        message = get_refusal({}, {"ALIBABA_CLOUD_PROFILE": name}, home)
    assert words in message
    assert str(home) in message


@pytest.mark.parametrize(
    "content",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"profiles": {}}',
        '{"profiles": [1]}',
        '{"profiles": [], "current": 5}',
        '{"profiles": [',
        "[" * 100_000,
        '{"x":' * 100_000,
        b"\xff\xfe",
        "[default]\nsecretWithoutName\n",
        "[default]\n[default]\n",
        "type = access_key\n",
    ],
)
@pytest.mark.parametrize("place", ["named", "cli", "sdk", "sdk.ini"])
def test_a_malformed_file_is_named(tmp_path, content, place):
    places = {
        "cli": ".aliyun/config.json",
        "sdk": ".alibabacloud/credentials",
        "sdk.ini": ".alibabacloud/credentials.ini",
    }
    file = write(tmp_path / places.get(place, "file"), content)
    message = get_refusal({"credentials_file": file}, SDK) if place == "named" else get_refusal({}, {}, tmp_path)
    assert file in message
    assert "secretWithoutName" not in message


@given(content=st.binary(max_size=200))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_content_of_a_file_causes_a_credentials_error(tmp_path, content):
    assert str(tmp_path) in get_refusal({"credentials_file": write(tmp_path / "file", content)})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MODES = ["AK", "StsToken", "RamRoleArn", "OIDC", "ChainableRamRoleArn", "CredentialsURI", "CloudSSO", "External"]
MODES += ["OAuth", "x", ""]
FIELDS = [
    *("access_key_id", "access_key_secret", "sts_token", "ram_role_arn", "expired_seconds", "source_profile"),
    *("enable_vpc", "sts_region", "sts_endpoint", "process_command", "credentials_uri", "oidc_token_file", "policy"),
    *("cloud_sso_sign_in_url", "cloud_sso_access_token_expire", "access_token"),
    *("oauth_site_type", "oauth_access_token", "oauth_access_token_expire", "sts_expiration"),
]


@given(mode=st.sampled_from(MODES), fields=st.dictionaries(st.sampled_from(FIELDS), JSON))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_fields_of_a_profile_give_credentials_or_a_clear_error(tmp_path, monkeypatch, mode, fields):
    monkeypatch.setattr(profile_files, "_OAUTH_URLS", {"CN": "http://127.0.0.1:9"})
    path = write(tmp_path / "file", {"profiles": [{"name": "p", "mode": mode, **fields}]})
    # Nothing answers there, should a profile happen to be complete.
    environ = {"APSARAVIDEO_STS_ENDPOINT": "http://127.0.0.1:9"}
    try:
        found = get_access_key({"credentials_file": path, "profile": "p"}, environ)
    except (CredentialsError, InvalidOption) as error:
        assert str(error).endswith(".")
    else:
        assert mode in ("AK", "StsToken", "OAuth", "")
        assert found.access_key_id == fields["access_key_id"]


def test_a_missing_file_is_an_error_only_if_it_was_named(tmp_path):
    assert get_access_key({}, SDK, tmp_path).access_key_id == "sdk-id"
    assert "No such file" in get_refusal({"credentials_file": str(tmp_path / "none")}, SDK)
    assert "No such file" in get_refusal({"profile": "x"}, SDK, tmp_path)
    assert "No such file" in get_refusal({}, {"ALICLOUD_SHARED_CREDENTIALS_FILE": "/nonexistent/c"}, tmp_path)
    assert "No such file" in get_refusal({}, {"ALIBABA_CLOUD_CREDENTIALS_FILE": "/nonexistent/c"}, tmp_path)


def test_a_directory_in_place_of_the_file_is_refused(tmp_path):
    assert "Is a directory" in get_refusal({"credentials_file": str(tmp_path)}, SDK)


def test_files_named_by_variables_are_read(home):
    path = str(home / ".aliyun" / "config.json")
    assert get_access_key({}, {"ALICLOUD_SHARED_CREDENTIALS_FILE": path}).access_key_id == "file-id"
    assert get_access_key({}, {"ALIBABA_CLOUD_CREDENTIALS_FILE": write(home / "ini", INI)}).access_key_id == "ini-id"


def test_a_profile_without_mode_may_hold_an_access_key(home):
    assert get_access_key({"profile": "old"}, {}, home).access_key_id == "old-id"


STS_PAIR = {**AK, "sts_token": "file-token"}
WITHOUT_MODE = {
    "keys": (AK, "file-id", None),
    "temporary keys": (STS_PAIR, "file-id", None),
    "keys and a role": ({**AK, "ram_role_arn": ROLE}, "STS.", "AssumeRole"),
    "temporary keys and a role": ({**STS_PAIR, "ram_role_arn": ROLE}, "file-id", None),
    "the instance's role": ({"ram_role_name": "r"}, "ecs-id", None),
    "an OIDC token": ({"ram_role_arn": ROLE, "oidc_provider_arn": PROVIDER}, "STS.", "AssumeRoleWithOIDC"),
}


@pytest.mark.parametrize("case", WITHOUT_MODE)
@pytest.mark.parametrize("mode", [{}, {"mode": ""}])
def test_a_missing_mode_is_inferred_as_by_the_cli(tmp_path, services, case, mode):
    fields, key_id, action = WITHOUT_MODE[case]
    if case == "an OIDC token":
        fields = {**fields, "oidc_token_file": write(tmp_path / "t", "a.b")}
    with Sts() as sts:
        environ = {"APSARAVIDEO_STS_ENDPOINT": sts.url, **metadata_variables(services.ecs)}
        found = use_profile(tmp_path, environ, **mode, **fields)
    assert found.access_key_id.startswith(key_id)
    assert [call["Action"] for call in sts.calls()] == ([action] if action else [])
    assert found.security_token == fields.get("sts_token", found.security_token)


def test_a_mode_that_is_named_is_not_inferred(tmp_path):
    assert use_profile(tmp_path, mode="AK", **STS_PAIR).security_token is None


def test_a_program_of_a_profile_without_mode_needs_permission_to_run(tmp_path):
    with pytest.raises(CredentialsError) as caught:
        use_profile(tmp_path, process_command=f"touch {tmp_path}/ran")
    assert "not allowed to run" in str(caught.value) and not (tmp_path / "ran").exists()


def test_the_file_of_the_cli_can_be_disabled(home):
    without = {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}
    assert "No access keys" in get_refusal({}, without, home)
    assert get_access_key({"profile": "old"}, without, home).access_key_id == "old-id", "the option is more exact"


def test_a_named_profile_is_found_in_either_file(home, services):
    write(home / ".alibabacloud" / "credentials.ini", INI.replace("[role]", "[only-here]"))
    environ = {"APSARAVIDEO_STS_ENDPOINT": services.sts.url}
    assert get_access_key({"profile": "only-here"}, environ, home).access_key_id == "oidc-id"
    assert "no profile of the name that is asked for" in get_refusal({"profile": "nobody"}, environ, home)
    assert get_access_key({"profile": "default"}, {}, home).access_key_id == "file-id"


def test_the_first_of_the_two_sdk_files_is_used(tmp_path):
    write(tmp_path / ".alibabacloud" / "credentials.ini", INI.replace("ini-id", "second-id"))
    assert get_access_key({}, {}, tmp_path).access_key_id == "second-id"
    write(tmp_path / ".alibabacloud" / "credentials", INI)
    found = get_access_key({}, {}, tmp_path)
    assert (found.access_key_id, found.access_key_secret) == ("ini-id", "ini%secret")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o604, 0o620, 0o602])
def test_a_file_accessible_by_others_causes_a_warning(home, mode):
    (home / ".aliyun" / "config.json").chmod(mode)
    found = make_task({}, {}, home)
    assert found.credentials.get_access_key().access_key_id == "file-id"
    assert [text for text in found.warnings if "chmod 600" in text and str(home) in text] == found.warnings
    assert bool(found.warnings) is bool(mode & 0o066)


# --- the modes of a profile -------------------------------------------------------------------------------------------


def role_fields(**more):
    return {"ram_role_arn": ROLE, **more}


@pytest.mark.parametrize("mode", ["RamRoleArn", "ramrolearn", "RAMROLEARN"])
def test_the_role_of_a_profile_is_assumed(tmp_path, mode):
    fields = role_fields(ram_session_name="night", expired_seconds=1200, external_id="x-1", policy='{"Version": "1"}')
    with Sts() as sts:
        found = use_profile(tmp_path, {"APSARAVIDEO_STS_ENDPOINT": sts.url}, mode=mode, **AK, **fields)
    assert found.access_key_id.startswith("STS.")
    assert found.account == "1000000000000001"
    (call,) = sts.calls()
    assert call == {
        "Action": "AssumeRole",
        "RoleArn": ROLE,
        "RoleSessionName": "night",
        "DurationSeconds": "1200",
        "ExternalId": "x-1",
        "Policy": '{"Version": "1"}',
    }
    assert "Credential=file-id," in sts.requests[0].headers["Authorization"]
    assert sts.requests[0].headers["x-acs-version"] == "2015-04-01"


def test_the_role_of_a_profile_is_assumed_with_its_security_token(tmp_path):
    with Sts() as sts:
        environ = {"APSARAVIDEO_STS_ENDPOINT": sts.url}
        use_profile(tmp_path, environ, mode="RamRoleArn", **AK, **role_fields(sts_token="file-token"))
        use_profile(tmp_path, environ, mode="RamRoleArn", **AK, **role_fields(sts_token=""))
    with_token, without = (request.headers for request in sts.requests)
    assert with_token["x-acs-security-token"] == "file-token"
    assert "x-acs-security-token" not in without


def test_unset_parameters_of_a_role_are_not_sent(tmp_path):
    with Sts() as sts:
        use_profile(tmp_path, {"APSARAVIDEO_STS_ENDPOINT": sts.url}, mode="RamRoleArn", **AK, ram_role_arn=ROLE)
    assert sts.calls() == [{"Action": "AssumeRole", "RoleArn": ROLE, "RoleSessionName": "ansible"}]


def test_chained_roles_are_assumed_one_after_the_other(tmp_path):
    profiles = [
        {"name": "base", "mode": "AK", **AK},
        {"name": "one", "mode": "ChainableRamRoleArn", "source_profile": "base", "ram_role_arn": f"{ROLE}1"},
        {"name": "two", "mode": "ChainableRamRoleArn", "source_profile": "one", "ram_role_arn": f"{ROLE}2"},
    ]
    path = write(tmp_path / "c", {"profiles": profiles})
    with Sts() as sts:
        get_access_key({"profile": "two", "credentials_file": path, "sts_endpoint": sts.url})
    assert [call["RoleArn"] for call in sts.calls()] == [f"{ROLE}1", f"{ROLE}2"]
    first, second = (request.headers for request in sts.requests)
    assert "Credential=file-id," in first["Authorization"] and "Credential=STS." in second["Authorization"]
    assert second["x-acs-security-token"].startswith("token")


@pytest.mark.parametrize(("source", "words"), [("p", "based on itself"), ("q", "no profile q"), (None, "no source")])
def test_a_circular_or_broken_chain_of_profiles_is_refused(tmp_path, source, words):
    path = write(
        tmp_path / "c",
        {"profiles": [{"name": "p", "mode": "ChainableRamRoleArn", "source_profile": source, "ram_role_arn": ROLE}]},
    )
    assert words in get_refusal({"profile": "p", "credentials_file": path})


@pytest.mark.parametrize("session", ["ram_session_name", "role_session_name"])
def test_the_role_of_an_oidc_profile_is_assumed_with_its_token(tmp_path, session):
    fields = {"oidc_provider_arn": PROVIDER, "oidc_token_file": write(tmp_path / "t", "a.b+c\n"), session: "night"}
    with Sts() as sts:
        found = use_profile(tmp_path, {"APSARAVIDEO_STS_ENDPOINT": sts.url}, mode="OIDC", **role_fields(**fields))
    assert found.account == "1000000000000001"
    (request,) = sts.requests
    assert "Authorization" not in request.headers
    assert "a.b" not in request.target, "the token is in the body alone"
    (call,) = sts.calls()
    assert {name: call[name] for name in ("Action", "Version", "OIDCToken", "OIDCProviderArn", "RoleSessionName")} == {
        "Action": "AssumeRoleWithOIDC",
        "Version": "2015-04-01",
        "OIDCToken": "a.b+c",
        "OIDCProviderArn": PROVIDER,
        "RoleSessionName": "night",
    }


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), ("", "is empty"), ("\n", "is empty"), ("ä", "other than ASCII")]
)
def test_an_unusable_oidc_token_file_is_refused_without_its_path(tmp_path, content, words):
    environ = oidc_variables(tmp_path, content or "")
    if content is None:
        os.unlink(environ["ALIBABA_CLOUD_OIDC_TOKEN_FILE"])
    message = get_refusal({}, environ)
    assert words in message and "The file of the OIDC token of ALIBABA_CLOUD_OIDC_TOKEN_FILE" in message
    assert str(tmp_path) not in message, "it may be the token itself"


@pytest.mark.parametrize("mode", ["RamRoleArnWithRoleName", "RamRoleArnWithEcs"])
def test_a_role_is_assumed_with_the_role_of_the_instance(tmp_path, mode):
    with Metadata({"r": new_credentials}) as ecs, Sts() as sts:
        environ = {**metadata_variables(ecs), "APSARAVIDEO_STS_ENDPOINT": sts.url}
        use_profile(tmp_path, environ, mode=mode, ram_role_name="r", **role_fields())
    assert ecs.log[-1].endswith("/r")
    assert sts.requests[0].headers["x-acs-security-token"].startswith("token")


def test_all_types_of_the_sdk_file_are_supported(tmp_path):
    token = write(tmp_path / "t", "a.b")
    sections = f"""
    [ecs]
    type = ecs_ram_role
    role_name = r
    [oidc]
    type = oidc_role_arn
    role_arn = {ROLE}
    oidc_provider_arn = {PROVIDER}
    oidc_token_file_path = {token}
    """
    path = write(tmp_path / "ini", INI + "\n".join(line.strip() for line in sections.splitlines()))
    with Metadata({"r": new_credentials}) as ecs, Sts() as sts:
        environ = {**metadata_variables(ecs), "APSARAVIDEO_STS_ENDPOINT": sts.url}
        for name in ("role", "ecs", "oidc"):
            assert get_access_key({"credentials_file": path, "profile": name}, environ).security_token.startswith(
                "token"
            )
    role, with_oidc = sts.calls()
    assert (role["RoleSessionName"], role["Policy"]) == ("night", '{"Version": "1"}')
    assert with_oidc["OIDCToken"] == "a.b"
    assert ecs.log[-1].endswith("/r")


@pytest.mark.parametrize("mode", ["RsaKeyPair", "BearerToken", "Anonymous", "New"])
def test_an_unsupported_mode_is_named(tmp_path, mode):
    with pytest.raises(CredentialsError) as caught:
        use_profile(tmp_path, mode=mode)
    assert f"mode {mode} in profile p" in str(caught.value) and "RamRoleArn" in str(caught.value)


@pytest.mark.parametrize("kind", ["rsa_key_pair", "", "new"])
def test_an_unsupported_type_is_named(tmp_path, kind):
    message = get_refusal({"credentials_file": write(tmp_path / "ini", f"[default]\ntype = {kind}\n")})
    assert f"type {kind or 'none'} in profile default" in message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"access_key_id": 5}, "access_key_id that is not text"),
        ({"access_key_secret": ["secret"]}, "access_key_secret that is not text"),
        ({"mode": 5}, "mode that is not text"),
        ({"expired_seconds": "900"}, "expired_seconds that is not a whole number"),
        ({"expired_seconds": 899}, "is to last 899 seconds"),
        ({"mode": "EcsRamRole", "ram_role_name": 5}, "ram_role_name that is not text"),
        ({"enable_vpc": "yes"}, "enable_vpc that is neither true nor false"),
        ({"ram_role_arn": "recorder"}, "is not the ARN of a role"),
        ({"ram_role_arn": ""}, "no ram_role_arn"),
    ],
)
def test_an_invalid_field_is_named(tmp_path, fields, words):
    with pytest.raises(CredentialsError) as caught:
        use_profile(tmp_path, **{"mode": "RamRoleArn", **AK, "ram_role_arn": ROLE, **fields})
    assert words in str(caught.value) and "profile p" in str(caught.value) and str(tmp_path) in str(caught.value)


# --- STS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "environ", "host"),
    [
        ({}, {}, "sts.aliyuncs.com"),
        ({}, {"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}, "sts.cn-beijing.aliyuncs.com"),
        (
            {},
            {"ALIBABA_CLOUD_STS_REGION": "cn-beijing", "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"},
            "sts-vpc.cn-beijing.aliyuncs.com",
        ),
        ({"sts_region": "r1"}, {"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}, "sts.r1.aliyuncs.com"),
        ({"sts_region": "r1", "enable_vpc": True}, {}, "sts-vpc.r1.aliyuncs.com"),
        (
            {"sts_region": "r1", "enable_vpc": False},
            {"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"},
            "sts.r1.aliyuncs.com",
        ),
        ({"sts_endpoint": "sts.example.com", "sts_region": "r1"}, {}, "sts.example.com"),
        ({"sts_region": "r1"}, {"ALIBABA_CLOUD_STS_ENDPOINT": "sts.example.com"}, "sts.example.com"),
        ({"sts_endpoint": "x"}, {"ALIBABA_CLOUD_STS_ENDPOINT": "sts.example.com"}, "x"),
        (
            {},
            {"ALIBABA_CLOUD_STS_ENDPOINT": "https://sts.example.com", "ALIBABA_CLOUD_STS_REGION": "r1"},
            "sts.example.com",
        ),
        (
            {},
            {"ALIBABA_CLOUD_STS_ENDPOINT": "x", "APSARAVIDEO_STS_ENDPOINT": "https://mine.example.com"},
            "mine.example.com",
        ),
        ({"sts_endpoint": "https://sts.example.com"}, {}, "sts.example.com"),
        ({"sts_endpoint": "x"}, {"APSARAVIDEO_STS_ENDPOINT": "https://mine.example.com"}, "mine.example.com"),
    ],
)
def test_the_sts_endpoint_is_chosen_by_precedence(tmp_path, monkeypatch, fields, environ, host):
    def ask(_context, endpoint, *_rest):
        raise CredentialsError(endpoint.host, "")

    monkeypatch.setattr(sts_module, "_request_access_key", ask)
    with pytest.raises(CredentialsError) as caught:
        use_profile(tmp_path, environ, mode="RamRoleArn", **AK, **role_fields(**fields))
    assert caught.value.happened == host


@pytest.mark.parametrize("url", ["http://sts.example.com", "sts.example.com", "https://sts.example.com/path"])
def test_an_unsafe_sts_endpoint_is_refused(url):
    message = get_refusal({**OPTIONS, "role_arn": ROLE, "sts_endpoint": url, "allow_http": True}, kind=InvalidOption)
    assert "sts_endpoint" in message


def test_a_role_is_assumed_with_the_credentials_of_each_provider(home, services):
    with Sts() as sts:
        environ = {"APSARAVIDEO_STS_ENDPOINT": sts.url}
        for options, variables, used in [
            (OPTIONS, {}, "option-id"),
            ({"profile": "guest"}, {}, "sts-id"),
            ({}, SDK, "sdk-id"),
            ({}, {"ALIBABA_CLOUD_CREDENTIALS_URI": services.uri.uri, "HOME": "/nonexistent"}, "uri-id"),
            ({"ecs_role_name": "r"}, metadata_variables(services.ecs), "ecs-id"),
        ]:
            found = get_access_key({"role_arn": ROLE, **options}, {**environ, **variables}, home)
            assert found.access_key_id.startswith("STS.")
            assert f"Credential={used}," in sts.requests[-1].headers["Authorization"]
        get_access_key({"role_arn": ROLE}, {**environ, **oidc_variables(home)}, home)
    assert [call["Action"] for call in sts.calls()][-2:] == ["AssumeRoleWithOIDC", "AssumeRole"]


def test_the_external_id_of_the_environment_is_the_default(tmp_path):
    with Sts() as sts:
        environ = {"APSARAVIDEO_STS_ENDPOINT": sts.url, "ALIBABA_CLOUD_EXTERNAL_ID": "of-environ"}
        get_access_key({**OPTIONS, "role_arn": ROLE}, environ)
        get_access_key({**OPTIONS, "role_arn": ROLE, "external_id": "of-option"}, environ)
        use_profile(tmp_path, environ, mode="RamRoleArn", **AK, **role_fields())
        use_profile(tmp_path, environ, mode="RamRoleArn", **AK, **role_fields(external_id="of-profile"))
        get_access_key({}, {**environ, **oidc_variables(tmp_path)})
    found = [(call["Action"], call.get("ExternalId")) for call in sts.calls()]
    assert found == [
        ("AssumeRole", "of-environ"),
        ("AssumeRole", "of-option"),
        ("AssumeRole", "of-environ"),
        ("AssumeRole", "of-profile"),
        ("AssumeRoleWithOIDC", None),
    ]


def test_the_options_and_variables_of_a_role_are_sent():
    named = {
        "ALICLOUD_ASSUME_ROLE_ARN": ROLE,
        "ALICLOUD_ASSUME_ROLE_SESSION_NAME": "theirs",
        "ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION": "1800",
    }
    more = {"external_id": "x-1", "role_policy": '{"Version": "1"}'}
    with Sts() as sts:
        environ = {"APSARAVIDEO_STS_ENDPOINT": sts.url, **named}
        get_access_key({**OPTIONS, **more}, environ)
        get_access_key({**OPTIONS, "role_session_name": "ours", "role_session_duration": 900}, environ)
        get_access_key(OPTIONS, {**environ, "ALIBABA_CLOUD_ROLE_SESSION_NAME": "sdk"})
    first, second, third = sts.calls()
    assert first == {
        "Action": "AssumeRole",
        "RoleArn": ROLE,
        "RoleSessionName": "theirs",
        "DurationSeconds": "1800",
        "ExternalId": "x-1",
        "Policy": '{"Version": "1"}',
    }
    assert (second["RoleSessionName"], second["DurationSeconds"]) == ("ours", "900")
    assert third["RoleSessionName"] == "sdk"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"role_arn": "recorder"}, "is not the ARN of a role"),
        ({"role_arn": ROLE, "role_session_duration": 60}, "60 seconds"),
        ({"role_arn": ROLE, "role_session_duration": -1}, "Give whole seconds"),
        ({"role_policy": "{}"}, "role_policy is set without role_arn"),
        ({"external_id": "x"}, "external_id is set without role_arn"),
    ],
)
def test_invalid_options_of_a_role_are_refused(options, words):
    assert words in get_refusal({**OPTIONS, **options}, kind=(CredentialsError, InvalidOption))


def refuse_with(code, status=403, message=""):
    return answer(status, json.dumps({"RequestId": "R-1", "Code": code, "Message": message}))


@pytest.mark.parametrize(
    ("step", "words", "advice"),
    [
        (refuse_with("NoPermission"), "may not call", "sts:AssumeRole"),
        (refuse_with("EntityNotExist.Role", 404, "The role not exists."), "The role not exists", "trust policy"),
        (refuse_with("InvalidParameter.RoleArn", 400, "is wrongly formed."), "is wrongly formed", "error table"),
        (refuse_with("SignatureDoesNotMatch", 400), "the access key secret is wrong", "access_key_secret"),
        (refuse_with("Throttling.User", 400), "quota", "retry_timeout"),
        (answer(302, "", location="/"), "redirects", "the option sts_endpoint"),
        (answer(200, '{"RequestId": "R"}'), "holds no credentials", "Check what"),
        (answer(200, '{"RequestId": "R", "Credentials": {"AccessKeyId": 5}}'), "holds no credentials", "Check what"),
        (answer(200, "<html>"), "no usable response", "sts_endpoint"),
    ],
)
def test_a_refusal_by_sts_is_a_credentials_error(step, words, advice):
    with ScriptedServer(step) as server:
        found = make_task({**OPTIONS, "role_arn": ROLE, "sts_endpoint": server.url})
        with pytest.raises(CredentialsError) as caught:
            found.credentials.get_access_key()
    assert words in str(caught.value) and advice in str(caught.value)
    assert found.traffic.api_calls == 1
    if "RequestId R-1" in str(caught.value):
        assert (caught.value.action, caught.value.request_id) == ("AssumeRole", "R-1")


def test_the_calls_of_a_task_share_its_retry_timeout():
    with ScriptedServer(*[refuse_with("Throttling.User", 400)] * 3) as server:
        settings = Settings(Endpoint.parse(server.url))
        traffic = Traffic(retry_seconds=59.9999)
        for _client in range(3):
            caller = Client(settings, Limits(60, rate_limit=1e9), make_task(OPTIONS).credentials, Clock(), traffic)
            with pytest.raises(Throttled):
                caller.call(ASSUME_ROLE, {})
    assert traffic.waited_seconds < 1


def test_an_echoed_oidc_token_is_masked(tmp_path):
    with ScriptedServer(
        refuse_with("AuthenticationFail.OIDCToken.Invalid", message="bad token my.oidc.token")
    ) as server:
        environ = {**oidc_variables(tmp_path, "my.oidc.token"), "APSARAVIDEO_STS_ENDPOINT": server.url}
        message = get_refusal({}, environ)
    assert "bad token ********" in message


def test_the_credentials_that_assume_a_role_are_renewed_when_expired():
    ends = refuse_with("InvalidSecurityToken.Expired", 400)
    good = answer(200, json.dumps({"RequestId": "R", "Credentials": new_credentials()}))
    with Metadata({"r": new_credentials}) as ecs, ScriptedServer(ends, good) as server:
        options = {"ecs_role_name": "r", "role_arn": ROLE, "sts_endpoint": server.url}
        assert get_access_key(options, metadata_variables(ecs)).access_key_id.startswith("STS.")
    first, second = (request.headers["x-acs-security-token"] for request in server.requests)
    assert first != second


# --- the metadata service ---------------------------------------------------------------------------------------------

GET = "GET /latest/meta-data/ram/security-credentials/"
PUT = "PUT /latest/api/token"


@pytest.mark.parametrize("versions", [(1, 2), (2,), (1,)])
@pytest.mark.parametrize("named", [True, False])
def test_the_role_of_the_instance_is_found(versions, named):
    with Metadata({"my role": new_credentials}, versions) as ecs:
        found = get_access_key({"ecs_role_name": "my role"} if named else {}, metadata_variables(ecs))
    assert found.security_token.startswith("token")
    assert ecs.log == [PUT, *([] if named else [GET]), GET + "my%20role"]
    assert all((TOKEN in request.headers) is (2 in versions) for request in ecs.requests[1:])


def test_a_metadata_service_without_tokens_is_called_without_one(monkeypatch):
    monkeypatch.setattr(ecs_ram_role, "_TIMEOUT", 0.2)
    good = answer(200, json.dumps({"Code": "Success", **new_credentials()}))
    with ScriptedServer(silence, good) as server:
        get_access_key({"ecs_role_name": "r"}, metadata_variables(server))


def test_version_1_of_the_metadata_service_can_be_disabled():
    with Metadata({"r": new_credentials}, (1,)) as ecs:
        message = get_refusal({}, {**metadata_variables(ecs), "ALIBABA_CLOUD_IMDSV1_DISABLED": "true"})
    assert "gave no token" in message
    assert ecs.log == [PUT]


def test_a_refused_metadata_token_is_left_out_if_version_1_is_allowed():
    good = answer(200, json.dumps({"Code": "Success", **new_credentials()}))
    with ScriptedServer(answer(200, "t"), answer(403, ""), good) as server:
        get_access_key({"ecs_role_name": "r"}, metadata_variables(server))
    assert [TOKEN in request.headers for request in server.requests] == [False, True, False]
    with ScriptedServer(answer(200, "t"), answer(403, "")) as server:
        environ = {**metadata_variables(server), "ALIBABA_CLOUD_IMDSV1_DISABLED": "true"}
        assert "HTTP status 403 about the role r" in get_refusal({"ecs_role_name": "r"}, environ)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([answer(200, "t"), answer(500, "x"), answer(500, "x")], "HTTP status 500"),
        ([answer(200, "t"), answer(200, "r"), answer(200, "<html>")], "answered something else"),
        ([answer(200, "t"), answer(200, "r"), answer(200, '{"Code": "Failed"}')], "holds no credentials"),
        ([answer(200, "t"), answer(200, "r"), answer(200, "[1]")], "holds no credentials"),
        (
            [answer(200, "t"), answer(200, "r"), answer(200, json.dumps({"Code": "Busy", **new_credentials()}))],
            "not Success",
        ),
        (
            [answer(200, "t"), answer(200, "r"), answer(200, json.dumps({**new_credentials(), "Expiration": "soon"}))],
            "a time",
        ),
        ([answer(200, "t"), silence], "did not answer in time"),
    ],
)
def test_an_invalid_response_of_the_metadata_service_is_refused(monkeypatch, steps, words):
    monkeypatch.setattr(ecs_ram_role, "_TIMEOUT", 0.2)
    with ScriptedServer(*steps) as server:
        assert words in get_refusal({}, metadata_variables(server))


def test_a_machine_without_metadata_service_has_no_role(services):
    nowhere = {"APSARAVIDEO_METADATA_ENDPOINT": "http://127.0.0.1:9", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": ""}
    assert "No access keys" in get_refusal({}, nowhere)
    assert "No credentials from the ECS metadata service" in get_refusal({"ecs_role_name": "r"}, nowhere)
    assert "No credentials from the ECS metadata service" in get_refusal({}, {**nowhere, "ALICLOUD_ECS_ROLE_NAME": "r"})
    after = {**nowhere, "ALIBABA_CLOUD_CREDENTIALS_URI": services.uri.uri}
    assert get_access_key({}, after).access_key_id == "uri-id"


def test_an_instance_without_a_role_has_no_credentials():
    with Metadata({}) as ecs:
        assert "No access keys" in get_refusal({}, metadata_variables(ecs))
        assert "HTTP status 404 about the role r" in get_refusal({"ecs_role_name": "r"}, metadata_variables(ecs))


def test_the_metadata_service_can_be_disabled(services):
    asked = len(services.ecs.requests)
    disabled = {**metadata_variables(services.ecs), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    assert "No access keys" in get_refusal({}, disabled)
    assert "is disabled by" in get_refusal({"ecs_role_name": "r"}, disabled)
    assert len(services.ecs.requests) == asked


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254", "https://metadata.example.com", "http://100.100.100.201", "http://127.0.0.1/path"]
)
def test_another_address_of_the_metadata_service_is_refused(url):
    environ = {"APSARAVIDEO_METADATA_ENDPOINT": url, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": ""}
    message = get_refusal({}, environ, kind=InvalidOption)
    assert "The metadata endpoint holds more than" in message if url.endswith("/path") else url in message


def test_the_metadata_service_is_reached_without_proxies(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    with Metadata({"r": new_credentials}) as ecs:
        get_access_key({}, metadata_variables(ecs))


# --- other services ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["variable", "profile", "profile and variable"])
def test_credentials_are_read_from_a_uri(tmp_path, by):
    with CredentialsUri(new_credentials) as server:
        variable = {"ALIBABA_CLOUD_CREDENTIALS_URI": server.uri}
        if by == "variable":
            get_access_key({}, variable)
        elif by == "profile":
            other = {"ALIBABA_CLOUD_CREDENTIALS_URI": "http://127.0.0.1:9"}
            use_profile(tmp_path, other, mode="CredentialsURI", credentials_uri=server.uri)
        else:
            use_profile(tmp_path, variable, mode="CredentialsURI", credentials_uri="")
    assert server.log == ["GET /keys"]


def test_a_profile_without_credentials_uri_is_refused(tmp_path):
    with pytest.raises(CredentialsError) as caught:
        use_profile(tmp_path, mode="CredentialsURI")
    assert "no credentials_uri in profile p" in str(caught.value)


@pytest.mark.parametrize(("code", "is_good"), [("Success", True), (None, True), ("Failed", False), (5, False)])
def test_credentials_with_a_failure_code_are_refused(code, is_good):
    good = {**new_credentials(), "Code": code}
    if code is None:
        del good["Code"]
    with ScriptedServer(answer(200, json.dumps(good))) as server:
        environ = {"ALIBABA_CLOUD_CREDENTIALS_URI": server.url}
        if is_good:
            assert get_access_key({}, environ).access_key_id == good["AccessKeyId"]
        else:
            message = get_refusal({}, environ)
            assert "its Code is not Success" in message and good["AccessKeySecret"] not in message


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://keys.example.com/my-secret-path", "plain http"),
        ("file:///my-secret-path", "not a full URL"),
        ("https://user:my-secret-path@keys.example.com", "more than scheme"),
        ("http://[::1/my-secret-path", "is not a URL"),
        ("http://127.0.0.1:9/my-secret-path", "does not accept a connection"),
    ],
)
def test_an_unusable_credentials_uri_is_refused_without_showing_it(uri, words):
    message = get_refusal({}, {"ALIBABA_CLOUD_CREDENTIALS_URI": uri}, kind=(CredentialsError, InvalidOption))
    assert words in message
    assert "my-secret-path" not in message


def test_the_path_of_a_credentials_uri_is_quoted():
    with ScriptedServer(answer(404, "")) as server:
        get_refusal({}, {"ALIBABA_CLOUD_CREDENTIALS_URI": f"{server.url}/the keys/é%20?a=[b]&c=ü"})
    (request,) = server.requests
    assert request.target == "/the%20keys/%C3%A9%20?a=[b]&c=%C3%BC"


def test_an_invalid_response_of_a_credentials_uri_is_refused_without_showing_it():
    with CredentialsUri(lambda: {"AccessKeySecret": "shown?"}) as server:
        message = get_refusal({}, {"ALIBABA_CLOUD_CREDENTIALS_URI": server.uri})
        assert "holds no credentials" in message and "shown?" not in message
        message = get_refusal({}, {"ALIBABA_CLOUD_CREDENTIALS_URI": server.url})
        assert "HTTP status 404" in message


SSO = {"cloud_sso_account_id": "1", "cloud_sso_access_config": "ac-1", "access_token": "sso-token"}


def test_cloud_sso_gives_credentials_while_signed_in(tmp_path):
    with CloudSsoServer(new_credentials, "sso-token", AccountId="1", AccessConfigurationId="ac-1") as sso:
        url = f"{sso.url}/start/page?x=y"
        found = use_profile(tmp_path, mode="CloudSSO", cloud_sso_sign_in_url=url, **SSO)
        assert found.account == "1"
        with pytest.raises(CredentialsError) as caught:
            use_profile(tmp_path, mode="CloudSSO", cloud_sso_sign_in_url=url, **{**SSO, "access_token": "other-token"})
        assert "HTTP status 401" in str(caught.value) and "other-token" not in str(caught.value)
        with pytest.raises(CredentialsError) as caught:
            end = {"cloud_sso_access_token_expire": int(time.time()) - 1}
            use_profile(tmp_path, mode="CloudSSO", cloud_sso_sign_in_url=url, **SSO, **end)
        assert "the sign-in has ended" in str(caught.value)
    assert sso.log == ["POST /cloud-credentials"] * 2


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "中文"])
def test_an_access_token_unfit_for_headers_is_refused_without_showing_it(tmp_path, oauth, token):
    with pytest.raises(CredentialsError) as caught:
        use_profile(
            tmp_path, mode="CloudSSO", cloud_sso_sign_in_url="https://127.0.0.1:9", **{**SSO, "access_token": token}
        )
    assert "the access token holds" in str(caught.value) and token not in str(caught.value)
    with pytest.raises(CredentialsError) as caught:
        use_profile(tmp_path, mode="OAuth", **make_sign_in(token=token))
    assert "the access token holds" in str(caught.value) and token not in str(caught.value)
    assert not oauth.requests


# --- OAuth ------------------------------------------------------------------------------------------------------------


def make_sign_in(token="oauth-token", left=3600, **fields):
    """Return the fields that the CLI stores for a sign-in whose access token is valid for `left` seconds more."""
    return {
        "oauth_site_type": "INTL",
        "oauth_access_token": token,
        "oauth_access_token_expire": int(time.time()) + left,
        "oauth_refresh_token": "refresh-token",
        **fields,
    }


def make_stored(left):
    """Return the fields of stored credentials that are valid for `left` seconds more."""
    return {**STS_PAIR, "sts_expiration": int(time.time()) + left}


@pytest.fixture(name="oauth")
def oauth_of_the_international_site(monkeypatch):
    with OAuthServer(new_credentials, "oauth-token") as service:
        monkeypatch.setattr(profile_files, "_OAUTH_URLS", {"CN": "http://127.0.0.1:9", "INTL": service.url})
        yield service


@pytest.mark.parametrize("token_left", [3600, -1])
def test_stored_credentials_are_used_until_they_are_due_for_renewal(tmp_path, oauth, token_left):
    fields = make_stored(1000)
    found = use_profile(tmp_path, mode="OAuth", **make_sign_in(left=token_left, **fields))
    assert (found.access_key_id, found.access_key_secret, found.security_token) == (
        "file-id",
        "file-secret",
        "file-token",
    )
    assert found.renew_at == fields["sts_expiration"] - 300
    assert not oauth.requests


@pytest.mark.parametrize(
    "fields",
    [{}, make_stored(-1), make_stored(299), {**make_stored(1000), "sts_token": ""}, {**STS_PAIR, "sts_expiration": 0}],
)
@pytest.mark.parametrize("mode", ["OAuth", "oauth"])
def test_a_valid_access_token_is_exchanged_for_credentials(tmp_path, oauth, fields, mode):
    found = use_profile(tmp_path, mode=mode, **make_sign_in(**fields))
    assert found.access_key_id.startswith("STS.") and found.security_token.startswith("token")
    (request,) = oauth.requests
    assert (request.method, request.target, request.body) == ("POST", "/v1/exchange", b"")
    assert request.headers["Authorization"] == "Bearer oauth-token"


def test_stored_credentials_are_used_to_their_end_without_a_valid_access_token(tmp_path, oauth):
    fields = make_stored(100)
    found = use_profile(tmp_path, mode="OAuth", **make_sign_in(left=-1, **fields))
    assert (found.access_key_id, found.renew_at) == ("file-id", fields["sts_expiration"])
    assert not oauth.requests


def test_stored_credentials_that_the_cloud_rejected_are_replaced(tmp_path, oauth):
    path = write(tmp_path / "c", {"profiles": [{"name": "p", "mode": "OAuth", **make_sign_in(**make_stored(1000))}]})
    found = make_task({"profile": "p", "credentials_file": path}).credentials
    first = found.get_access_key()
    assert found.renew(first) and found.get_access_key().access_key_id.startswith("STS.")
    assert first.account == found.get_access_key().account, "they use up the same quota"
    assert oauth.log == ["POST /v1/exchange"]


def test_each_access_token_is_exchanged_once_in_a_run(tmp_path, oauth):
    (tmp_path / "run").mkdir(0o700)
    for token in ("oauth-token", "oauth-token", "other-token"):
        path = write(tmp_path / "c", {"profiles": [{"name": "p", "mode": "OAuth", **make_sign_in(token)}]})
        with contextlib.suppress(CredentialsError):
            get_access_key({"profile": "p", "credentials_file": path}, directory=tmp_path / "run")
    assert [request.headers["Authorization"] for request in oauth.requests] == [
        "Bearer oauth-token",
        "Bearer other-token",
    ]


@pytest.mark.parametrize("name", ["p", "my profile"])
@pytest.mark.parametrize("fields", [{}, make_stored(-1)])
@pytest.mark.parametrize("token", [{"left": -1}, {"left": -int(time.time())}, {"token": ""}])
def test_an_expired_sign_in_is_not_renewed(tmp_path, oauth, name, fields, token):
    content = {"profiles": [{"name": name, "mode": "OAuth", **make_sign_in(**token, **fields)}]}
    path = write(tmp_path / "c", content)
    message = get_refusal({"profile": name, "credentials_file": path})
    assert f"the OAuth sign-in of profile {name} of {path}: it has expired" in message
    assert f"aliyun configure --mode OAuth --oauth-site-type INTL --profile {shlex.quote(name)}." in message
    assert "refresh-token" not in message
    assert not oauth.requests
    assert json.loads((tmp_path / "c").read_text(encoding="utf-8")) == content, "the file is only read"


def test_a_refused_access_token_is_not_shown(tmp_path, oauth):
    with pytest.raises(CredentialsError) as caught:
        use_profile(tmp_path, mode="OAuth", **make_sign_in("other-token"))
    assert "its access token was refused" in str(caught.value) and "aliyun configure --mode OAuth" in str(caught.value)
    assert "other-token" not in str(caught.value)
    assert caught.value.http_status == 401
    assert oauth.log == ["POST /v1/exchange"]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (answer(400, '{"error": "expired_token"}'), "its access token was refused"),
        (answer(503, ""), "HTTP status 503"),
        (answer(302, "", location="https://example.com/"), "HTTP status 302"),
        (answer(200, "<html>"), "answered something else"),
        (answer(200, "[1]"), "holds no credentials"),
        (answer(200, '{"error": "x", "AccessKeySecret": "shown?"}'), "holds no credentials"),
    ],
)
def test_a_failed_exchange_is_reported_without_secrets(tmp_path, monkeypatch, step, words):
    with ScriptedServer(step) as server:
        monkeypatch.setattr(profile_files, "_OAUTH_URLS", {"INTL": server.url})
        with pytest.raises(CredentialsError) as caught:
            use_profile(tmp_path, mode="OAuth", **make_sign_in())
    assert words in str(caught.value)
    assert "shown?" not in str(caught.value) and "oauth-token" not in str(caught.value)


def test_fields_of_the_exchange_may_begin_with_a_small_letter(tmp_path, monkeypatch):
    good = new_credentials()
    small = {name[0].lower() + name[1:]: value for name, value in good.items()}
    with ScriptedServer(answer(200, json.dumps({"requestId": "R", **small}))) as server:
        monkeypatch.setattr(profile_files, "_OAUTH_URLS", {"INTL": server.url})
        assert use_profile(tmp_path, mode="OAuth", **make_sign_in()).security_token == good["SecurityToken"]


@pytest.mark.parametrize("site", ["http://127.0.0.1:9", "XX", 5])
def test_a_profile_cannot_set_the_host_of_the_exchange(tmp_path, site):
    with pytest.raises(CredentialsError) as caught:
        use_profile(tmp_path, mode="OAuth", **make_sign_in(oauth_site_type=site))
    assert "oauth_site_type" in str(caught.value)


def test_a_role_is_assumed_with_the_credentials_of_a_sign_in(tmp_path, oauth):
    profiles = [
        {"name": "base", "mode": "OAuth", **make_sign_in()},
        {"name": "p", "mode": "ChainableRamRoleArn", "source_profile": "base", "ram_role_arn": ROLE},
    ]
    path = write(tmp_path / "c", {"profiles": profiles})
    with Sts() as sts:
        get_access_key({"profile": "p", "credentials_file": path, "sts_endpoint": sts.url})
    assert sts.requests[0].headers["x-acs-security-token"].startswith("token")
    assert oauth.log == ["POST /v1/exchange"]


PROGRAM = """
import json, os, sys
print(os.environ["WHAT"])
print("my-error-output", file=sys.stderr)
sys.exit(int(os.environ.get("STATUS", 0)))
"""
STS_TOKEN = {"mode": "StsToken", "access_key_id": "i", "access_key_secret": "s", "sts_token": "t"}


@pytest.fixture(name="run_program")
def a_program(tmp_path):
    """Return a function that uses a profile of the mode External whose program prints its argument."""
    script = tmp_path / "print keys.py"
    script.write_text(PROGRAM, encoding="utf-8")

    def run(output, options=None, environ=None, command=f"'{sys.executable}' '{script}'"):
        path = write(tmp_path / "c", {"profiles": [{"name": "p", "mode": "External", "process_command": command}]})
        text = output if isinstance(output, str) else json.dumps(output)
        return get_access_key(
            {
                "credentials_file": path,
                "profile": "p",
                **({"allow_external_process": True} if options is None else options),
            },
            {"WHAT": text, **(environ or {})},
        )

    return run


def test_the_output_of_a_program_is_read(run_program):
    found = run_program({**STS_TOKEN, "expiration": "2050-01-02T03:04:05Z"})
    assert (found.access_key_id, found.access_key_secret, found.security_token) == ("i", "s", "t")
    assert (
        run_program({"mode": "AK", "access_key_id": "i", "access_key_secret": "s", "sts_token": ""}).security_token
        is None
    )
    assert run_program({**STS_TOKEN, "expiration": "2050-01-02T03:04:05.5+08:00"}).renew_at < found.renew_at


def test_a_program_needs_permission_to_run(run_program):
    allowing = {"APSARAVIDEO_ALLOW_EXTERNAL_PROCESS": "true"}
    assert run_program(STS_TOKEN, {}, allowing).access_key_id == "i"
    for options, environ in [
        ({}, {}),
        ({"allow_external_process": False}, allowing),
        ({"allow_external_process": True}, {"ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS": "1"}),
    ]:
        with pytest.raises(CredentialsError) as caught:
            run_program(STS_TOKEN, options, environ)
        assert "profile p of" in str(caught.value)


def test_a_credentials_uri_is_disabled_along_with_programs():
    environ = {"ALIBABA_CLOUD_CREDENTIALS_URI": "http://127.0.0.1:9", "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS": "1"}
    assert "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS is set" in get_refusal({}, environ)


@pytest.mark.parametrize(
    ("output", "status", "words"),
    [
        ("my-output", "0", "answered something else"),
        ('["my-output"]', "0", "printed no credentials"),
        ({"mode": "AK", "access_key_id": "my-output"}, "0", "printed no credentials"),
        ({**STS_TOKEN, "sts_token": None, "access_key_id": "my-output"}, "0", "printed no credentials"),
        ({**STS_TOKEN, "access_key_secret": 5, "access_key_id": "my-output"}, "0", "printed no credentials"),
        ({**STS_TOKEN, "expiration": "my-output"}, "0", "a time that cannot be read"),
        ("my-output", "3", "ended with status 3"),
    ],
)
def test_invalid_output_of_a_program_is_refused_without_showing_it(run_program, output, status, words):
    with pytest.raises(CredentialsError) as caught:
        run_program(output, environ={"STATUS": status})
    assert words in str(caught.value)
    assert "my-output" not in str(caught.value) and "my-error-output" not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/nonexistent/program --secret x", "No such file"),
        ("'unclosed", "is not a valid command line"),
        ("/dev/null", "Permission denied"),
    ],
)
def test_a_program_that_cannot_run_is_reported(run_program, command, words):
    with pytest.raises(CredentialsError) as caught:
        run_program("", command=command)
    assert words in str(caught.value)
    assert "--secret" not in str(caught.value)


def test_a_program_that_does_not_end_is_killed_with_its_children(run_program, monkeypatch, tmp_path):
    monkeypatch.setattr(external, "_TIMEOUT", 0.5)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        began = time.monotonic()
        with pytest.raises(CredentialsError) as caught:
            run_program("", command=f"sh -c 'exec 3>{pipe}; sleep 30 & sleep 30'")
        assert "did not end" in str(caught.value)
        assert time.monotonic() - began < 20
        os.set_blocking(reader.fileno(), True)
        assert reader.read() == b"", "nobody has it open any more"
