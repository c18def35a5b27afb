# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of credentials providers, in the order of the vendor's SDKs and of alibaba.alicloud.

An access key, a profile or an ECS role among the options comes first. Otherwise the first of these is used that has
credentials: the variables `ALIBABA_CLOUD_*`, `ALIBABACLOUD_*` and `ALICLOUD_*`, the OIDC token of a container, the file
of the CLI, that of the SDKs, the machine's ECS role, a credentials URI. If the options name a role to assume, it is
assumed with the credentials that were found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._api.access_key import AccessKey, Credentials
from .._errors import CredentialsError, InvalidOption
from .ecs_ram_role import EcsRamRoleProvider
from .profile_files import ProfileFile, ProfileProvider
from .provider import Context, Provider
from .sts import AssumeRoleProvider, OidcProvider, Role, sts_url
from .uri import UriProvider

_OPTIONS = (("access_key_id",), ("access_key_secret",), ("security_token",))
_SDK_VARIABLES = (
    ("ALIBABA_CLOUD_ACCESS_KEY_ID",),
    ("ALIBABA_CLOUD_ACCESS_KEY_SECRET",),
    ("ALIBABA_CLOUD_SECURITY_TOKEN",),
)
_CLI_VARIABLES = (
    ("ALIBABACLOUD_ACCESS_KEY_ID",),
    ("ALIBABACLOUD_ACCESS_KEY_SECRET",),
    ("ALIBABACLOUD_SECURITY_TOKEN",),
)
# The names of alibaba.alicloud come first, then its second spelling, and then that of the CLI.
_ALICLOUD_VARIABLES = (
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_ACCESS_KEY_ID"),
    ("ALICLOUD_SECRET_KEY", "ALICLOUD_SECRET_ACCESS_KEY", "ALICLOUD_ACCESS_KEY_SECRET"),
    ("ALICLOUD_SECURITY_TOKEN",),
)
_CLI_FILE = "~/.aliyun/config.json"
_SDK_FILES = ("~/.alibabacloud/credentials", "~/.alibabacloud/credentials.ini")
_SESSION_VARIABLES = ("ALIBABA_CLOUD_ROLE_SESSION_NAME", "ALICLOUD_ASSUME_ROLE_SESSION_NAME")


def build_credentials(context: Context) -> Credentials:
    """Return the credentials for a task's options and environment, which are fetched when they are needed.

    Raises CredentialsError or InvalidOption for options that cannot be used.
    """
    base: Provider = ProviderChain(lambda: _list_providers(context))
    role = _parse_role(context)
    provider = AssumeRoleProvider(context, base, role) if role else base
    return Credentials(provider.get_access_key, context.clock.now)


class ProviderChain:
    """A chain of providers. It is evaluated lazily: a provider is created only if those before it have nothing."""

    def __init__(self, providers: Callable[[], Iterable[Provider]]) -> None:
        self._providers = providers

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key of the first provider that has one; None if none has."""
        found = (provider.get_access_key(expired) for provider in self._providers())
        return next((access_key for access_key in found if access_key), None)


class MappingProvider:
    """A provider of an access key in a mapping, such as the environment.

    `names` are the names of the id, of the secret and of the token, each with its alternatives. `origin` is the name of
    the mapping for error messages.
    """

    def __init__(self, values: Mapping[str, Any], names: Sequence[Sequence[str]], origin: str) -> None:
        self._values = values
        self._names = names
        self._origin = origin

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key, None if it is not set; raises CredentialsError if it is incomplete."""
        key_id, secret, token = (self._find(names) for names in self._names)
        if not key_id and not secret and not token:
            return None
        if not key_id or not secret:
            missing = self._names[1 if key_id else 0][0]
            raise CredentialsError(
                f"The access keys in {self._origin} are incomplete",
                f"Set {missing} there too, or unset all of them to use another source.",
            )
        return AccessKey(key_id, secret, token, self._origin)

    def _find(self, names: Sequence[str]) -> str | None:
        return next((str(self._values[name]) for name in names if self._values.get(name)), None)


class OidcEnvironmentProvider:
    """A provider of the credentials of a role that a container assumes with its OIDC token; variables name both.

    The variable of the role alone does not count, because other programs use it, too.
    """

    def __init__(self, context: Context, prefix: str) -> None:
        self._context = context
        self._names = (f"{prefix}_ROLE_ARN", f"{prefix}_OIDC_PROVIDER_ARN", f"{prefix}_OIDC_TOKEN_FILE")

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key of the role, None without a token; raises CredentialsError if a variable is missing."""
        context = self._context
        arn, provider, file = (context.environ.get(name) for name in self._names)
        if not provider and not file:
            return None
        if not arn or not provider or not file:
            missing = next(name for name in self._names if not context.environ.get(name))
            raise CredentialsError(
                "The variables of the environment for an OIDC token are incomplete", f"Set {missing} too."
            )
        session_name = context.environ.get(_SESSION_VARIABLES[0])
        role = Role(arn, session_name, url=sts_url(context)).validate(self._names[0])
        return OidcProvider(context, role, provider, file, self._names[2]).get_access_key(expired)


def _list_providers(context: Context) -> Iterator[Provider]:
    """Yield the providers in the order in which they are tried."""
    options, environ = context.options, context.environ
    yield MappingProvider(options, _OPTIONS, "the task's options")
    if options.get("profile") or options.get("credentials_file"):
        yield _create_profile_provider(context)
        return
    if options.get("ecs_role_name"):
        yield EcsRamRoleProvider(context, options["ecs_role_name"], required=True)
        return
    yield MappingProvider(environ, _SDK_VARIABLES, "the environment (ALIBABA_CLOUD_*)")
    yield MappingProvider(environ, _CLI_VARIABLES, "the environment (ALIBABACLOUD_*)")
    yield MappingProvider(environ, _ALICLOUD_VARIABLES, "the environment (ALICLOUD_*)")
    yield OidcEnvironmentProvider(context, "ALIBABA_CLOUD")
    yield OidcEnvironmentProvider(context, "ALIBABACLOUD")
    yield _create_profile_provider(context)
    ecs_role = environ.get("ALIBABA_CLOUD_ECS_METADATA") or environ.get("ALICLOUD_ECS_ROLE_NAME")
    yield EcsRamRoleProvider(context, ecs_role, required=bool(ecs_role))
    uri = environ.get("ALIBABA_CLOUD_CREDENTIALS_URI")
    if uri:
        yield UriProvider(context, uri, "ALIBABA_CLOUD_CREDENTIALS_URI")


def _create_profile_provider(context: Context) -> ProfileProvider:
    name = context.lookup("profile", "ALIBABA_CLOUD_PROFILE", "ALICLOUD_PROFILE")
    if context.options.get("credentials_file"):
        files = [ProfileFile(context.options["credentials_file"], "the option credentials_file")]
    else:
        files = [*_list_cli_files(context), *_list_sdk_files(context.environ)]
    expanded = [file._replace(path=_expand_home(file.path, context.environ)) for file in files]
    return ProfileProvider(context, expanded, name)


def _list_cli_files(context: Context) -> list[ProfileFile]:
    if context.is_true("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") and not context.options.get("profile"):
        return []
    named = context.environ.get("ALICLOUD_SHARED_CREDENTIALS_FILE")
    return [ProfileFile(named, "ALICLOUD_SHARED_CREDENTIALS_FILE") if named else ProfileFile(_CLI_FILE)]


def _list_sdk_files(environ: Mapping[str, str]) -> list[ProfileFile]:
    named = environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE")
    if named:
        return [ProfileFile(named, "ALIBABA_CLOUD_CREDENTIALS_FILE")]
    return [ProfileFile(path) for path in _SDK_FILES]


def _expand_home(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME")
    if home and path.startswith("~/"):
        return os.path.join(home, path[2:])
    return os.path.expanduser(path)


def _parse_role(context: Context) -> Role | None:
    """Return the role to assume with the credentials of the chain; None if none is set."""
    options = context.options
    arn = context.lookup("role_arn", "ALICLOUD_ASSUME_ROLE_ARN")
    if not arn:
        for name in ("role_policy", "external_id"):
            if options.get(name):
                raise InvalidOption(f"The option {name} is set without role_arn", "Set role_arn, or leave it out.")
        return None
    seconds = context.lookup("role_session_duration", "ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION")
    if seconds is not None and not str(seconds).isdecimal():
        raise InvalidOption("The length of the role's session is not a number", "Give whole seconds.")
    return Role(
        arn,
        context.lookup("role_session_name", *_SESSION_VARIABLES),
        int(seconds) if seconds else None,
        options.get("external_id"),
        options.get("role_policy"),
        sts_url(context),
    ).validate("role_arn")
