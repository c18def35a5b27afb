# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles: the `config.json` of the Alibaba Cloud CLI and the ini file of the SDKs."""

from __future__ import annotations

import configparser
import json
import os
import shlex
import stat
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from .._api.access_key import RENEWAL_MARGIN, AccessKey
from .._errors import CredentialsError
from .._util.regular_file import open_file
from .cloud_sso import CloudSsoProvider
from .ecs_ram_role import EcsRamRoleProvider
from .external import ExternalProvider
from .oauth import OAuthProvider, OAuthSignIn
from .provider import Context, Provider, StaticProvider
from .sts import AssumeRoleProvider, OidcProvider, Role, sts_url
from .uri import UriProvider

_PAIR = ("access_key_id", "access_key_secret")
# The fields by which the CLI recognises the mode of a profile that names none, in its order.
_RECOGNISED = (
    ("ststoken", (*_PAIR, "sts_token")),
    ("ramrolearn", (*_PAIR, "ram_role_arn")),
    ("ak", _PAIR),
    ("ecsramrole", ("ram_role_name",)),
    ("external", ("process_command",)),
    ("oidc", ("oidc_provider_arn", "oidc_token_file", "ram_role_arn")),
    ("cloudsso", ("cloud_sso_sign_in_url",)),
)
_URI_VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_URI"
_OAUTH_URLS = {"CN": "https://oauth.aliyun.com", "INTL": "https://oauth.alibabacloud.com"}
_OF_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


class File(NamedTuple):
    """A file of profiles, and what names it; without that it is in a usual place, and may be missing."""

    path: str
    named_by: str | None = None


class Profile:
    """A profile of the first of several files that has it; without a name, the default one of the first that exists."""

    def __init__(self, context: Context, files: Sequence[File], name: str | None) -> None:
        self._context = context
        self._files = files
        self._name = name

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The keys; raises CredentialsError naming file, profile and field that cannot be used."""
        source = self._source()
        return source.keys(expired) if source else None

    def _source(self) -> Provider | None:
        existing = [file for file in self._files if file.named_by or os.path.exists(file.path)]
        if not existing and not self._name:
            return None
        contents = (_Content.read(file, self._context) for file in existing or self._files[:1])
        lacking = []
        for content in contents:
            name = self._name or content.default
            if name in content.profiles:
                return content.source(name, self._context)
            which = "of the name that is asked for" if self._name else "that it names as the current one"
            lacking.append(content.error(f"has no profile {which}", "Name one of its profiles in profile."))
            if not self._name:
                break
        raise lacking[0]


class _Content:
    """What a file holds: profiles by name, and the name of the default one."""

    def __init__(self, path: str, profiles: dict[str, Mapping[str, Any]], default: str, is_ini: bool) -> None:
        self.path = path
        self.profiles = profiles
        self.default = default
        self._is_ini = is_ini

    @classmethod
    def read(cls, place: File, context: Context) -> _Content:
        """The content of a file in either form; raises CredentialsError, which shows nothing of it."""
        path = place.path
        try:
            with open(open_file(path), encoding="utf-8-sig") as file:
                if os.fstat(file.fileno()).st_mode & _OF_OTHERS:
                    context.warn(
                        f"Others can read or change the credentials file {path}. Run: chmod 600 {path}, and replace "
                        "the keys in it if somebody may have read them."
                    )
                text = file.read()
        except OSError as error:
            # What is no path may be a secret that has gone astray.
            shown = f"that {place.named_by} names" if place.named_by else path
            raise _error(shown, f"cannot be read: {error.strerror}", "Check its path and permissions.") from None
        except ValueError:
            raise _error(path, "is no text in UTF-8", _ANEW) from None
        return cls._of_json(path, text) if text.lstrip().startswith("{") else cls._of_ini(path, text)

    @classmethod
    def _of_json(cls, path: str, text: str) -> _Content:
        try:
            config = json.loads(text)
        except (ValueError, RecursionError):
            raise _error(path, "is not JSON", _ANEW) from None
        profiles = config.get("profiles")
        if not isinstance(profiles, list) or not all(isinstance(profile, dict) for profile in profiles):
            raise _error(path, "holds no list of profiles", _ANEW)
        named = {profile["name"]: profile for profile in reversed(profiles) if isinstance(profile.get("name"), str)}
        current = config.get("current") or "default"
        if not isinstance(current, str):
            raise _error(path, "names no current profile", _ANEW)
        return cls(path, named, current, is_ini=False)

    @classmethod
    def _of_ini(cls, path: str, text: str) -> _Content:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(text)
        except configparser.Error:
            raise _error(path, "is neither JSON nor an ini file", _ANEW) from None
        sections: dict[str, Mapping[str, Any]] = {
            name: {field: value.split("#")[0].strip() for field, value in parser.items(name)}
            for name in parser.sections()
        }
        return cls(path, sections, "default", is_ini=True)

    def error(self, happened: str, advice: str) -> CredentialsError:
        """An error about this file."""
        return _error(self.path, happened, advice)

    def source(self, name: str, context: Context, above: tuple[str, ...] = ()) -> Provider:
        """Where the keys of a profile come from. `above`: the profiles that are based on it."""
        if name in above:
            raise self.error(f"has the profile {name}, which is based on itself", "Correct source_profile.")
        if name not in self.profiles:
            raise self.error(
                f"has no profile {name}, which the profile {above[-1]} is based on", "Correct source_profile."
            )
        fields = _Fields(self.profiles[name], name, self.path)
        if self._is_ini:
            return _ini_source(fields, context)
        if fields.kind("mode") == "chainableramrolearn":
            base = self.source(fields.text("source_profile"), context, (*above, name))
            return AssumeRoleProvider(context, base, _cli_role(fields, context))
        return _cli_source(fields, context)


_ANEW = "Write it anew with the command aliyun configure."


def _error(path: str, happened: str, advice: str) -> CredentialsError:
    return CredentialsError(f"The credentials file {path} {happened}", advice)


class _Fields:
    """The fields of a profile. Asking for one that is missing or of a wrong type raises a CredentialsError."""

    def __init__(self, values: Mapping[str, Any], name: str, path: str) -> None:
        self._values = values
        self.name = name
        self._path = path
        self.where = f"profile {name} of {path}"

    def text(self, field: str) -> str:
        """A text that must be there."""
        text = self.text_if_any(field)
        if not text:
            raise self._error(f"has no {field} in profile {self.name}", f"Complete the profile {self.name}.")
        return text

    def text_if_any(self, *fields: str) -> str | None:
        """The first of these texts that there is."""
        for field in fields:
            value = self._values.get(field)
            if value is not None and not isinstance(value, str):
                raise self._error(f"has a {field} that is no text in profile {self.name}", "Write it in quotes.")
            if value and value.strip():
                return value
        return None

    def number_if_any(self, field: str) -> int | None:
        """A whole number, if there is one; 0 stands for none."""
        value = self._values.get(field) or 0
        if not isinstance(value, int):
            raise self._error(
                f"has a {field} that is no whole number in profile {self.name}", "Give a number without quotes."
            )
        return value or None

    def choice(self, field: str, choices: Collection[str]) -> str:
        """Return one of these texts in upper case; the first where there is none."""
        value = (self.text_if_any(field) or next(iter(choices))).upper()
        if value not in choices:
            raise self._error(
                f"has another {field} than {' or '.join(choices)} in profile {self.name}", "Sign in again with the CLI."
            )
        return value

    def flag_if_any(self, field: str) -> bool | None:
        """True or false, if it is there."""
        value = self._values.get(field)
        if value is not None and not isinstance(value, bool):
            raise self._error(f"has a {field} that is neither true nor false in profile {self.name}", "Correct it.")
        return value

    def kind(self, field: str) -> str:
        """Return what kind of profile it is, in lower case; an empty text where it does not say."""
        return (self.text_if_any(field) or "").lower()

    def recognised_mode(self) -> str:
        """Return the mode of a profile of the CLI that names none."""
        found = (mode for mode, names in _RECOGNISED if all(self.text_if_any(name) for name in names))
        return next(found, "ak")

    def unsupported(self, field: str, known: str) -> CredentialsError:
        """The error for a profile of another kind."""
        kind = self.text_if_any(field) or "none"
        return self._error(
            f"has the {field} {kind} in profile {self.name}, which is not supported", f"Use one of {known}."
        )

    def _error(self, happened: str, advice: str) -> CredentialsError:
        return _error(self._path, happened, advice)


def _cli_role(fields: _Fields, context: Context) -> Role:
    host, region = fields.text_if_any("sts_endpoint"), fields.text_if_any("sts_region")
    url = sts_url(context, host, region, fields.flag_if_any("enable_vpc"))
    return Role(
        fields.text("ram_role_arn"),
        fields.text_if_any("ram_session_name", "role_session_name"),
        fields.number_if_any("expired_seconds"),
        fields.text_if_any("external_id"),
        fields.text_if_any("policy"),
        url,
    ).checked(fields.where)


def _held(fields: _Fields, token: str | None = None) -> StaticProvider:
    return StaticProvider(
        AccessKey(fields.text("access_key_id"), fields.text("access_key_secret"), token, fields.where)
    )


def _cli_source(fields: _Fields, context: Context) -> Provider:
    """A profile of the CLI by its mode, which the CLI compares without regard to case."""
    mode = fields.kind("mode") or fields.recognised_mode()
    if mode == "ak":
        return _held(fields)
    if mode == "ststoken":
        return _held(fields, fields.text("sts_token"))
    if mode == "ramrolearn":
        return AssumeRoleProvider(context, _held(fields, fields.text_if_any("sts_token")), _cli_role(fields, context))
    if mode == "ecsramrole":
        return EcsRamRoleProvider(context, fields.text_if_any("ram_role_name"), required=True)
    if mode in ("ramrolearnwithrolename", "ramrolearnwithecs"):
        base = EcsRamRoleProvider(context, fields.text_if_any("ram_role_name"), required=True)
        return AssumeRoleProvider(context, base, _cli_role(fields, context))
    if mode == "oidc":
        role = _cli_role(fields, context)
        return OidcProvider(
            context, role, fields.text("oidc_provider_arn"), fields.text("oidc_token_file"), fields.where
        )
    if mode == "external":
        return ExternalProvider(context, fields.text("process_command"), fields.where)
    if mode == "credentialsuri":
        uri = fields.text_if_any("credentials_uri") or context.environ.get(_URI_VARIABLE)
        return UriProvider(context, uri or fields.text("credentials_uri"), fields.where)
    if mode == "cloudsso":
        return _cloud_sso(fields, context)
    if mode == "oauth":
        return OAuthProvider(context, _oauth_sign_in(fields), fields.where)
    raise fields.unsupported(
        "mode",
        "AK, StsToken, RamRoleArn, EcsRamRole, RamRoleArnWithRoleName, OIDC, ChainableRamRoleArn, External, "
        "CredentialsURI, CloudSSO, OAuth",
    )


def _cloud_sso(fields: _Fields, context: Context) -> CloudSsoProvider:
    return CloudSsoProvider(
        context,
        fields.text("cloud_sso_sign_in_url"),
        fields.text("cloud_sso_account_id"),
        fields.text("cloud_sso_access_config"),
        fields.text("access_token"),
        fields.number_if_any("cloud_sso_access_token_expire"),
    )


def _oauth_sign_in(fields: _Fields) -> OAuthSignIn:
    site = fields.choice("oauth_site_type", _OAUTH_URLS)
    end = fields.number_if_any("sts_expiration") or 0
    key_id, secret, token = (fields.text_if_any(name) for name in (*_PAIR, "sts_token"))
    stored = (
        AccessKey(key_id, secret, token, fields.where, renew_at=end - RENEWAL_MARGIN)
        if key_id and secret and token
        else None
    )
    return OAuthSignIn(
        _OAUTH_URLS[site],
        f"aliyun configure --mode OAuth --oauth-site-type {site} --profile {shlex.quote(fields.name)}",
        stored,
        end,
        fields.text_if_any("oauth_access_token") or "",
        fields.number_if_any("oauth_access_token_expire") or 0,
    )


def _ini_source(fields: _Fields, context: Context) -> Provider:
    """A section of the SDKs' file by its type."""
    kind = fields.kind("type")
    if kind == "access_key":
        return _held(fields)
    if kind == "ecs_ram_role":
        return EcsRamRoleProvider(context, fields.text_if_any("role_name"), required=True)
    if kind in ("ram_role_arn", "oidc_role_arn"):
        role = Role(
            fields.text("role_arn"),
            fields.text_if_any("role_session_name"),
            policy=fields.text_if_any("policy"),
            url=sts_url(context),
        ).checked(fields.where)
        if kind == "ram_role_arn":
            return AssumeRoleProvider(context, _held(fields), role)
        return OidcProvider(
            context, role, fields.text("oidc_provider_arn"), fields.text("oidc_token_file_path"), fields.where
        )
    raise fields.unsupported("type", "access_key, ram_role_arn, oidc_role_arn, ecs_ram_role")
