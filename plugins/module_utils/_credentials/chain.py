# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the places that keys come from, which are those of the vendor's SDKs and of alibaba.alicloud.

What a task's options name comes first: keys, a profile, an ECS role. Otherwise these are asked, and the first that
holds anything counts: `ALIBABA_CLOUD_*`, `ALIBABACLOUD_*`, `ALICLOUD_*`, the OIDC token of a container, the CLI's
file, the SDKs' file, the machine's ECS role, a credentials URI. Last, with any of these keys, the role of the options
is assumed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._api.access_key import AccessKey, Credentials
from .._errors import CredentialsError, InvalidOption
from .ecs_ram_role import EcsRamRoleProvider
from .profile_files import File, Profile
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
    """The keys for a task's options and environment. Raises CredentialsError or InvalidOption for what is unusable."""
    base: Provider = ProviderChain(lambda: _places(context))
    role = _role(context)
    return Credentials((AssumeRoleProvider(context, base, role) if role else base).keys, context.clock.now)


class ProviderChain:
    """The first of several places that holds keys; those after it are not even made."""

    def __init__(self, places: Callable[[], Iterable[Provider]]) -> None:
        self._places = places

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Its keys; None where no place holds any."""
        found = (place.keys(expired) for place in self._places())
        return next((keys for keys in found if keys), None)


class MappingProvider:
    """Keys in a mapping, and the names under which id, secret and token stand in it."""

    def __init__(self, values: Mapping[str, Any], names: Sequence[Sequence[str]], source: str) -> None:
        self._values = values
        self._names = names
        self._source = source

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Raises CredentialsError where some, but not both, of id and secret are set."""
        key_id, secret, token = (self._first(names) for names in self._names)
        if not key_id and not secret and not token:
            return None
        if not key_id or not secret:
            missing = self._names[1 if key_id else 0][0]
            raise CredentialsError(
                f"The access keys in {self._source} are incomplete",
                f"Set {missing} there too, or unset all of them to use another source.",
            )
        return AccessKey(key_id, secret, token, self._source)

    def _first(self, names: Sequence[str]) -> str | None:
        return next((str(self._values[name]) for name in names if self._values.get(name)), None)


class OidcVariables:
    """A role that a container assumes with the token it was given, as variables of the environment say.

    The one with the role alone says nothing: it is set for other programs too.
    """

    def __init__(self, context: Context, prefix: str) -> None:
        self._context = context
        self._names = (f"{prefix}_ROLE_ARN", f"{prefix}_OIDC_PROVIDER_ARN", f"{prefix}_OIDC_TOKEN_FILE")

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Raises CredentialsError where one of the variables is missing."""
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
        role = Role(arn, session_name, url=sts_url(context)).checked(self._names[0])
        return OidcProvider(context, role, provider, file, self._names[2]).keys(expired)


def _places(context: Context) -> Iterator[Provider]:
    """The places to look in, in order."""
    options, environ = context.options, context.environ
    yield MappingProvider(options, _OPTIONS, "the task's options")
    if options.get("profile") or options.get("credentials_file"):
        yield _profile(context)
        return
    if options.get("ecs_role_name"):
        yield EcsRamRoleProvider(context, options["ecs_role_name"], required=True)
        return
    yield MappingProvider(environ, _SDK_VARIABLES, "the environment (ALIBABA_CLOUD_*)")
    yield MappingProvider(environ, _CLI_VARIABLES, "the environment (ALIBABACLOUD_*)")
    yield MappingProvider(environ, _ALICLOUD_VARIABLES, "the environment (ALICLOUD_*)")
    yield OidcVariables(context, "ALIBABA_CLOUD")
    yield OidcVariables(context, "ALIBABACLOUD")
    yield _profile(context)
    ecs_role = environ.get("ALIBABA_CLOUD_ECS_METADATA") or environ.get("ALICLOUD_ECS_ROLE_NAME")
    yield EcsRamRoleProvider(context, ecs_role, required=bool(ecs_role))
    uri = environ.get("ALIBABA_CLOUD_CREDENTIALS_URI")
    if uri:
        yield UriProvider(context, uri, "ALIBABA_CLOUD_CREDENTIALS_URI")


def _profile(context: Context) -> Profile:
    name = context.first("profile", "ALIBABA_CLOUD_PROFILE", "ALICLOUD_PROFILE")
    if context.options.get("credentials_file"):
        files = [File(context.options["credentials_file"], "the option credentials_file")]
    else:
        files = [*_cli_files(context), *_sdk_files(context.environ)]
    return Profile(context, [File(_expanded(file.path, context.environ), file.named_by) for file in files], name)


def _cli_files(context: Context) -> list[File]:
    if context.is_set("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") and not context.options.get("profile"):
        return []
    named = context.environ.get("ALICLOUD_SHARED_CREDENTIALS_FILE")
    return [File(named, "ALICLOUD_SHARED_CREDENTIALS_FILE") if named else File(_CLI_FILE)]


def _sdk_files(environ: Mapping[str, str]) -> list[File]:
    named = environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE")
    return [File(named, "ALIBABA_CLOUD_CREDENTIALS_FILE")] if named else [File(path) for path in _SDK_FILES]


def _expanded(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME")
    if home and path.startswith("~/"):
        return os.path.join(home, path[2:])
    return os.path.expanduser(path)


def _role(context: Context) -> Role | None:
    """The role to assume with whatever keys were found."""
    options = context.options
    arn = context.first("role_arn", "ALICLOUD_ASSUME_ROLE_ARN")
    if not arn:
        for name in ("role_policy", "external_id"):
            if options.get(name):
                raise InvalidOption(f"The option {name} is set without role_arn", "Set role_arn, or leave it out.")
        return None
    seconds = context.first("role_session_duration", "ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION")
    if seconds is not None and not str(seconds).isdecimal():
        raise InvalidOption("The length of the role's session is no number", "Give whole seconds.")
    return Role(
        arn,
        context.first("role_session_name", *_SESSION_VARIABLES),
        int(seconds) if seconds else None,
        options.get("external_id"),
        options.get("role_policy"),
        sts_url(context),
    ).checked("role_arn")
