# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials from profiles in the `config.json` of the Alibaba Cloud CLI or the ini file of the SDKs."""

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
# The fields from which the CLI infers the mode of a profile that names none, in its order
_MODE_FIELDS = (
    ("ststoken", (*_PAIR, "sts_token")),
    ("ramrolearn", (*_PAIR, "ram_role_arn")),
    ("ak", _PAIR),
    ("ecsramrole", ("ram_role_name",)),
    ("external", ("process_command",)),
    ("oidc", ("oidc_provider_arn", "oidc_token_file", "ram_role_arn")),
    ("cloudsso", ("cloud_sso_sign_in_url",)),
)
_RECREATE = "Write it anew with the command aliyun configure."
_URI_VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_URI"
_OAUTH_URLS = {"CN": "https://oauth.aliyun.com", "INTL": "https://oauth.alibabacloud.com"}
_ACCESS_BY_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


class ProfileFile(NamedTuple):
    """The path of a file of profiles and the setting that names it; None for a default path, which may be missing."""

    path: str
    named_by: str | None = None


class ProfileProvider:
    """A provider of the credentials of the profile `name`, from the first of several files that has it.

    Without a name it is the default profile of the first file that exists.
    """

    def __init__(self, context: Context, files: Sequence[ProfileFile], name: str | None) -> None:
        self._context = context
        self._files = files
        self._name = name

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key; raises CredentialsError, which names the file, the profile and the field at fault."""
        provider = self._create_provider()
        return provider.get_access_key(expired) if provider else None

    def _create_provider(self) -> Provider | None:
        """Create the provider that the profile describes; return None if there is no file and no name."""
        existing = [file for file in self._files if file.named_by or os.path.exists(file.path)]
        if not existing and not self._name:
            return None
        contents = (_FileContent.read(file, self._context) for file in existing or self._files[:1])
        errors = []
        for content in contents:
            name = self._name or content.default
            if name in content.profiles:
                return content.create_provider(name, self._context)
            which = "of the name that is asked for" if self._name else "that it names as the current one"
            errors.append(content.error(f"has no profile {which}", "Name one of its profiles in profile."))
            if not self._name:
                break
        raise errors[0]


class _FileContent:
    """The profiles of one file by name, and the name of the default one."""

    def __init__(self, path: str, profiles: dict[str, Mapping[str, Any]], default: str, is_ini: bool) -> None:
        self.path = path
        self.profiles = profiles
        self.default = default
        self._is_ini = is_ini

    @classmethod
    def read(cls, file: ProfileFile, context: Context) -> _FileContent:
        """Read a file of either format; raises CredentialsError, which quotes nothing of it."""
        path = file.path
        try:
            with open(open_file(path), encoding="utf-8-sig") as opened:
                if os.fstat(opened.fileno()).st_mode & _ACCESS_BY_OTHERS:
                    context.warn(
                        f"Others can read or change the credentials file {path}. Run: chmod 600 {path}, and replace "
                        "the keys in it if somebody may have read them."
                    )
                text = opened.read()
        except OSError as error:
            # The value of a setting may be a secret by mistake, rather than a path.
            shown = f"that {file.named_by} names" if file.named_by else path
            raise _error(shown, f"cannot be read: {error.strerror}", "Check its path and permissions.") from None
        except ValueError:
            raise _error(path, "is not UTF-8 text", _RECREATE) from None
        return cls._parse_json(path, text) if text.lstrip().startswith("{") else cls._parse_ini(path, text)

    @classmethod
    def _parse_json(cls, path: str, text: str) -> _FileContent:
        try:
            config = json.loads(text)
        except (ValueError, RecursionError):
            raise _error(path, "is not JSON", _RECREATE) from None
        profiles = config.get("profiles")
        if not isinstance(profiles, list) or not all(isinstance(profile, dict) for profile in profiles):
            raise _error(path, "holds no list of profiles", _RECREATE)
        by_name = {profile["name"]: profile for profile in reversed(profiles) if isinstance(profile.get("name"), str)}
        current = config.get("current") or "default"
        if not isinstance(current, str):
            raise _error(path, "names no current profile", _RECREATE)
        return cls(path, by_name, current, is_ini=False)

    @classmethod
    def _parse_ini(cls, path: str, text: str) -> _FileContent:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(text)
        except configparser.Error:
            raise _error(path, "is neither JSON nor an ini file", _RECREATE) from None
        sections: dict[str, Mapping[str, Any]] = {
            name: {field: value.split("#")[0].strip() for field, value in parser.items(name)}
            for name in parser.sections()
        }
        return cls(path, sections, "default", is_ini=True)

    def error(self, happened: str, advice: str) -> CredentialsError:
        """Return an error about this file."""
        return _error(self.path, happened, advice)

    def create_provider(self, name: str, context: Context, dependents: tuple[str, ...] = ()) -> Provider:
        """Create the provider that a profile describes; `dependents` are the profiles that are based on it."""
        if name in dependents:
            raise self.error(
                f"has the profile {name}, which is based on itself", "Name another profile in source_profile."
            )
        if name not in self.profiles:
            raise self.error(
                f"has no profile {name}, which the profile {dependents[-1]} is based on",
                "Name an existing profile in source_profile.",
            )
        fields = _Fields(self.profiles[name], name, self.path)
        if self._is_ini:
            return _create_sdk_provider(fields, context)
        if fields.get_lower("mode") == "chainableramrolearn":
            base = self.create_provider(fields.require("source_profile"), context, (*dependents, name))
            return AssumeRoleProvider(context, base, _parse_cli_role(fields, context))
        return _create_cli_provider(fields, context)


def _error(path: str, happened: str, advice: str) -> CredentialsError:
    return CredentialsError(f"The credentials file {path} {happened}", advice)


class _Fields:
    """The fields of a profile; a method that finds one of a wrong type raises CredentialsError."""

    def __init__(self, values: Mapping[str, Any], name: str, path: str) -> None:
        self._values = values
        self.name = name
        self._path = path
        self.origin = f"profile {name} of {path}"

    def require(self, field: str) -> str:
        """Return the text of a field; raises CredentialsError if it is missing."""
        text = self.get_text(field)
        if not text:
            raise self._error(f"has no {field} in profile {self.name}", f"Complete the profile {self.name}.")
        return text

    def get_text(self, *fields: str) -> str | None:
        """Return the text of the first of these fields that is set; None if none is."""
        for field in fields:
            value = self._values.get(field)
            if value is not None and not isinstance(value, str):
                raise self._error(f"has a {field} that is not text in profile {self.name}", "Write it in quotes.")
            if value and value.strip():
                return value
        return None

    def get_integer(self, field: str) -> int | None:
        """Return the whole number of a field; None if it is missing or 0."""
        value = self._values.get(field) or 0
        if not isinstance(value, int):
            raise self._error(
                f"has a {field} that is not a whole number in profile {self.name}", "Give a number without quotes."
            )
        return value or None

    def get_choice(self, field: str, choices: Collection[str]) -> str:
        """Return the text of a field in upper case, which must be one of `choices`; the first if it is missing."""
        value = (self.get_text(field) or next(iter(choices))).upper()
        if value not in choices:
            raise self._error(
                f"has another {field} than {' or '.join(choices)} in profile {self.name}", "Sign in again with the CLI."
            )
        return value

    def get_boolean(self, field: str) -> bool | None:
        """Return the truth value of a field; None if it is missing."""
        value = self._values.get(field)
        if value is not None and not isinstance(value, bool):
            raise self._error(
                f"has a {field} that is neither true nor false in profile {self.name}",
                "Give true or false without quotes.",
            )
        return value

    def get_lower(self, field: str) -> str:
        """Return the text of a field in lower case; an empty text if it is missing."""
        return (self.get_text(field) or "").lower()

    def infer_mode(self) -> str:
        """Return the mode that the CLI infers from the fields of a profile that names none."""
        found = (mode for mode, names in _MODE_FIELDS if all(self.get_text(name) for name in names))
        return next(found, "ak")

    def unsupported_error(self, field: str, supported: str) -> CredentialsError:
        """Return the error for a profile whose mode or type is none of those supported."""
        kind = self.get_text(field) or "none"
        return self._error(
            f"has the {field} {kind} in profile {self.name}, which is not supported", f"Use one of {supported}."
        )

    def _error(self, happened: str, advice: str) -> CredentialsError:
        return _error(self._path, happened, advice)


def _parse_cli_role(fields: _Fields, context: Context) -> Role:
    host, region = fields.get_text("sts_endpoint"), fields.get_text("sts_region")
    url = sts_url(context, host, region, fields.get_boolean("enable_vpc"))
    return Role(
        fields.require("ram_role_arn"),
        fields.get_text("ram_session_name", "role_session_name"),
        fields.get_integer("expired_seconds"),
        fields.get_text("external_id"),
        fields.get_text("policy"),
        url,
    ).validate(fields.origin)


def _create_static_provider(fields: _Fields, token: str | None = None) -> StaticProvider:
    key_id, secret = fields.require("access_key_id"), fields.require("access_key_secret")
    return StaticProvider(AccessKey(key_id, secret, token, fields.origin))


def _create_cli_provider(fields: _Fields, context: Context) -> Provider:
    """Create the provider for the mode of a CLI profile, which is case-insensitive as in the CLI."""
    mode = fields.get_lower("mode") or fields.infer_mode()
    if mode == "ak":
        return _create_static_provider(fields)
    if mode == "ststoken":
        return _create_static_provider(fields, fields.require("sts_token"))
    if mode == "ramrolearn":
        static = _create_static_provider(fields, fields.get_text("sts_token"))
        return AssumeRoleProvider(context, static, _parse_cli_role(fields, context))
    if mode == "ecsramrole":
        return EcsRamRoleProvider(context, fields.get_text("ram_role_name"), required=True)
    if mode in ("ramrolearnwithrolename", "ramrolearnwithecs"):
        base = EcsRamRoleProvider(context, fields.get_text("ram_role_name"), required=True)
        return AssumeRoleProvider(context, base, _parse_cli_role(fields, context))
    if mode == "oidc":
        role = _parse_cli_role(fields, context)
        provider_arn, token_file = fields.require("oidc_provider_arn"), fields.require("oidc_token_file")
        return OidcProvider(context, role, provider_arn, token_file, fields.origin)
    if mode == "external":
        return ExternalProvider(context, fields.require("process_command"), fields.origin)
    if mode == "credentialsuri":
        uri = fields.get_text("credentials_uri") or context.environ.get(_URI_VARIABLE)
        return UriProvider(context, uri or fields.require("credentials_uri"), fields.origin)
    if mode == "cloudsso":
        return _create_cloud_sso_provider(fields, context)
    if mode == "oauth":
        return OAuthProvider(context, _parse_oauth_sign_in(fields), fields.origin)
    raise fields.unsupported_error(
        "mode",
        "AK, StsToken, RamRoleArn, EcsRamRole, RamRoleArnWithRoleName, OIDC, ChainableRamRoleArn, External, "
        "CredentialsURI, CloudSSO, OAuth",
    )


def _create_cloud_sso_provider(fields: _Fields, context: Context) -> CloudSsoProvider:
    return CloudSsoProvider(
        context,
        fields.require("cloud_sso_sign_in_url"),
        fields.require("cloud_sso_account_id"),
        fields.require("cloud_sso_access_config"),
        fields.require("access_token"),
        fields.get_integer("cloud_sso_access_token_expire"),
    )


def _parse_oauth_sign_in(fields: _Fields) -> OAuthSignIn:
    site = fields.get_choice("oauth_site_type", _OAUTH_URLS)
    end = fields.get_integer("sts_expiration") or 0
    key_id, secret, token = (fields.get_text(name) for name in (*_PAIR, "sts_token"))
    stored = (
        AccessKey(key_id, secret, token, fields.origin, renew_at=end - RENEWAL_MARGIN)
        if key_id and secret and token
        else None
    )
    return OAuthSignIn(
        _OAUTH_URLS[site],
        f"aliyun configure --mode OAuth --oauth-site-type {site} --profile {shlex.quote(fields.name)}",
        stored,
        end,
        fields.get_text("oauth_access_token") or "",
        fields.get_integer("oauth_access_token_expire") or 0,
    )


def _create_sdk_provider(fields: _Fields, context: Context) -> Provider:
    """Create the provider for the type of a section in the SDKs' file."""
    kind = fields.get_lower("type")
    if kind == "access_key":
        return _create_static_provider(fields)
    if kind == "ecs_ram_role":
        return EcsRamRoleProvider(context, fields.get_text("role_name"), required=True)
    if kind in ("ram_role_arn", "oidc_role_arn"):
        role = Role(
            fields.require("role_arn"),
            fields.get_text("role_session_name"),
            policy=fields.get_text("policy"),
            url=sts_url(context),
        ).validate(fields.origin)
        if kind == "ram_role_arn":
            return AssumeRoleProvider(context, _create_static_provider(fields), role)
        return OidcProvider(
            context,
            role,
            fields.require("oidc_provider_arn"),
            fields.require("oidc_token_file_path"),
            fields.origin,
        )
    raise fields.unsupported_error("type", "access_key, ram_role_arn, oidc_role_arn, ecs_ram_role")
