# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the places that keys come from, and that a mistake in one never leads to the keys of another."""

from __future__ import annotations

import json

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._credentials import find_keys, sources
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import CredentialsError

OPTIONS = {"access_key_id": "option-id", "access_key_secret": "option-secret"}
SDK = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "sdk-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "sdk-secret"}
ALICLOUD = {"ALICLOUD_ACCESS_KEY": "ali-id", "ALICLOUD_SECRET_KEY": "ali-secret"}
PROFILES = [
    {"name": "default", "mode": "AK", "access_key_id": "file-id", "access_key_secret": "file-secret"},
    {
        "name": "guest",
        "mode": "StsToken",
        "access_key_id": "sts-id",
        "access_key_secret": "sts-secret",
        "sts_token": "sts-token",
    },
    {"name": "role", "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s", "ram_role_arn": "r"},
    {"name": "half", "mode": "AK", "access_key_id": "half-id", "access_key_secret": ""},
    {"name": "old", "access_key_id": "old-id", "access_key_secret": "old-secret"},
]


@pytest.fixture(name="home")
def home_with_profiles(tmp_path):
    file = tmp_path / ".aliyun" / "config.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"current": "default", "profiles": PROFILES}), encoding="utf-8")
    return tmp_path


def keys(options=None, environ=None, home="/nonexistent"):
    return find_keys(sources(options or {}, {"HOME": str(home), **(environ or {})}))


def refusal(options=None, environ=None, home="/nonexistent"):
    with pytest.raises(CredentialsError) as caught:
        keys(options, environ, home)
    return str(caught.value)


def test_order(home):
    everything = {**SDK, **ALICLOUD}
    assert keys(OPTIONS, everything, home).access_key_id == "option-id"
    assert keys({"profile": "guest"}, everything, home).access_key_id == "sts-id"
    assert keys({}, everything, home).access_key_id == "sdk-id"
    assert keys({}, ALICLOUD, home).access_key_id == "ali-id"
    assert keys({}, {}, home).access_key_id == "file-id"


def test_profile_named_in_the_environment_comes_after_keys_there(home):
    assert keys({}, {"ALIBABA_CLOUD_PROFILE": "guest"}, home).security_token == "sts-token"
    assert keys({}, {"ALICLOUD_PROFILE": "guest"}, home).security_token == "sts-token"
    assert keys({}, {"ALIBABA_CLOUD_PROFILE": "guest", **SDK}, home).access_key_id == "sdk-id"


def test_second_spelling_of_the_incumbent_s_variables():
    found = keys({}, {"ALICLOUD_ACCESS_KEY_ID": "i", "ALICLOUD_SECRET_ACCESS_KEY": "s", "ALICLOUD_SECURITY_TOKEN": "t"})
    assert (found.access_key_id, found.access_key_secret, found.security_token) == ("i", "s", "t")


def test_tokens_stay_with_their_keys(home):
    assert keys(OPTIONS, {"ALIBABA_CLOUD_SECURITY_TOKEN": "t"}, home).security_token is None
    assert keys({**OPTIONS, "security_token": "t"}).security_token == "t"


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        ({"access_key_id": "i"}, SDK),
        ({"access_key_secret": "s"}, SDK),
        ({"security_token": "t"}, SDK),
        ({}, {"ALIBABA_CLOUD_ACCESS_KEY_ID": "i", **ALICLOUD}),
        ({}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s", **ALICLOUD}),
        ({}, {"ALICLOUD_ACCESS_KEY": "i"}),
    ],
)
def test_half_a_pair_is_refused_although_other_keys_exist(home, options, environ):
    assert "incomplete" in refusal(options, environ, home)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("nobody", "no profile nobody"),
        ("role", "mode RamRoleArn in profile role"),
        ("half", "no access_key_secret in profile half"),
    ],
)
@pytest.mark.parametrize("by", ["option", "variable"])
def test_unusable_profile_is_named(home, profile, words, by):
    told = (
        refusal({"profile": profile}, SDK, home)
        if by == "option"
        else refusal({}, {"ALIBABA_CLOUD_PROFILE": profile}, home)
    )
    assert words in told
    assert str(home) in told


@pytest.mark.parametrize(
    "content", ["", "nonsense", "[]", "{}", '{"profiles": {}}', '{"profiles": [1]}', "[" * 100_000, b"\xff\xfe"]
)
def test_malformed_file_is_named(tmp_path, content):
    file = tmp_path / "config.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert str(file) in refusal({"credentials_file": str(file)}, SDK)


def test_missing_file_matters_only_where_it_was_asked_for(tmp_path):
    assert keys({}, SDK, tmp_path).access_key_id == "sdk-id"
    assert "No such file" in refusal({"credentials_file": str(tmp_path / "none")}, SDK)
    assert "No such file" in refusal({"profile": "x"}, SDK, tmp_path)


def test_unreadable_file_is_named(tmp_path):
    assert "Is a directory" in refusal({"credentials_file": str(tmp_path)}, SDK)


def test_the_file_may_be_named_by_the_incumbent_s_variable(home):
    path = str(home / ".aliyun" / "config.json")
    assert keys({}, {"ALICLOUD_SHARED_CREDENTIALS_FILE": path}).access_key_id == "file-id"


def test_a_profile_without_mode_holds_keys(home):
    assert keys({"profile": "old"}, {}, home).access_key_id == "old-id"


def test_the_file_can_be_left_out(home):
    assert "No access keys" in refusal({}, {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}, home)


def test_no_keys_at_all_says_what_to_set():
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in refusal()


@pytest.mark.parametrize("value", ["two words", "line\n", "\tx", "中文", "nul\0"])
def test_keys_that_no_header_can_carry_are_refused_without_showing_them(value):
    told = refusal({"access_key_id": "i", "access_key_secret": value})
    assert "access_key_secret" in told
    assert value not in told


def test_a_repr_shows_no_secret():
    shown = repr(keys({**OPTIONS, "security_token": "the-token"}))
    assert "option-secret" not in shown and "the-token" not in shown
