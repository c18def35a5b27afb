# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: the keys that the Security Token Service issues, API version 2015-04-01."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._api.access_key import AccessKey, Credentials, parse_issued_key
from .._api.client import Client
from .._api.operations import ASSUME_ROLE, ASSUME_ROLE_WITH_OIDC, Operation
from .._errors import ApiError, CredentialsError, LiveError
from .._http.endpoint import Endpoint
from .._util.regular_file import open_file
from .provider import CachedProvider, Context, Provider

DEFAULT_SESSION_NAME = "ansible"
_DEFAULT_URL = "https://sts.aliyuncs.com"
_SHORTEST_SESSION = 900  # seconds
_NOT_ALLOWED = re.compile(r"NoPermission.*|Forbidden.*|AuthenticationFail\.NoPermission|EntityNotExist.*")
_BAD_TOKEN = re.compile(r"AuthenticationFail\.OIDCToken.*")


class Role(NamedTuple):
    """A role to assume, and how. `seconds` None means what the service takes, which is an hour.

    `url` is that of the service where the role's source names one; the option `sts_endpoint` comes before it.
    """

    arn: str
    session_name: str | None = None
    seconds: int | None = None
    external_id: str | None = None
    policy: str | None = None
    url: str | None = None

    def checked(self, where: str) -> Role:
        """The role; raises CredentialsError, naming where it was given, for one that no call could be made for."""
        if not re.fullmatch(r"acs:ram::[0-9]+:role/\S+", self.arn):
            raise CredentialsError(
                f"The role in {where} is no role's name", "Give it as acs:ram::<account id>:role/<name>."
            )
        if self.seconds is not None and self.seconds < _SHORTEST_SESSION:
            raise CredentialsError(
                f"The session of the role in {where} is to last {self.seconds} seconds",
                f"Give {_SHORTEST_SESSION} seconds or more, or nothing.",
            )
        return self

    def parameters(self) -> dict[str, str]:
        """The parameters of the operation."""
        given = {
            "RoleArn": self.arn,
            "RoleSessionName": self.session_name or DEFAULT_SESSION_NAME,
            "DurationSeconds": str(self.seconds) if self.seconds else None,
            "ExternalId": self.external_id,
            "Policy": self.policy,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def account(self) -> str:
        """The id of the account that the role belongs to."""
        return self.arn.split(":")[3]


def sts_url(context: Context, host: str | None = None, region: str | None = None, vpc: bool | None = None) -> str:
    """Return the service's address from a host, else from a region, else as the variables of the SDKs say.

    `ALIBABA_CLOUD_STS_ENDPOINT` comes before a region, as in the CLI.
    """
    host = host or context.environ.get("ALIBABA_CLOUD_STS_ENDPOINT")
    if host:
        return host if "://" in host else f"https://{host}"
    region = region or context.environ.get("ALIBABA_CLOUD_STS_REGION")
    if not region:
        return _DEFAULT_URL
    internal = context.is_set("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED") if vpc is None else vpc
    return f"https://{'sts-vpc' if internal else 'sts'}.{region}.aliyuncs.com"


class AssumeRoleProvider:
    """A role that is assumed with the keys of another source."""

    def __init__(self, context: Context, base: Provider, role: Role) -> None:
        self._context = context
        external_id = role.external_id or context.environ.get("ALIBABA_CLOUD_EXTERNAL_ID")
        self._role = role._replace(external_id=external_id)
        self._base = Credentials(base.keys, context.clock.now)

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The role's keys."""
        context, role, base = self._context, self._role, self._base
        endpoint = _endpoint(context, role)
        parts = ("role", endpoint.url, base.access_key().identity, repr(role.parameters()))

        def issue() -> AccessKey:
            return _ask(context, endpoint, ASSUME_ROLE, role, role.parameters(), base)

        return CachedProvider(context, parts, issue, role.account).keys(expired)


class OidcProvider:
    """A role that is assumed with a token of an OIDC provider, which a file holds and something else renews."""

    def __init__(self, context: Context, role: Role, provider_arn: str, token_file: str, where: str) -> None:
        self._context = context
        self._where = where
        self._role = role
        self._provider_arn = provider_arn
        self._token_file = token_file

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The role's keys."""
        context, role = self._context, self._role
        endpoint = _endpoint(context, role)
        parameters = {**role.parameters(), "OIDCProviderArn": self._provider_arn}
        parts = ("oidc", endpoint.url, self._token_file, repr(parameters))

        def issue() -> AccessKey:
            return _ask(context, endpoint, ASSUME_ROLE_WITH_OIDC, role, {**parameters, "OIDCToken": self._token()})

        return CachedProvider(context, parts, issue, role.account).keys(expired)

    def _token(self) -> str:
        try:
            with open(open_file(self._token_file), encoding="ascii") as file:
                token = file.read().strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it holds something other than ASCII"
            raise self._bad_token(f"cannot be read: {reason}") from None
        if not token:
            raise self._bad_token("is empty")
        return token

    def _bad_token(self, why: str) -> CredentialsError:
        return CredentialsError(
            f"The file of the OIDC token of {self._where} {why}", "Check the path, and what writes the token there."
        )


def _endpoint(context: Context, role: Role) -> Endpoint:
    url = context.first("sts_endpoint", "APSARAVIDEO_STS_ENDPOINT") or role.url or sts_url(context)
    return Endpoint.parse(url, name="sts_endpoint")


def _ask(
    context: Context,
    endpoint: Endpoint,
    operation: Operation,
    role: Role,
    parameters: dict[str, str],
    credentials: Credentials | None = None,
) -> AccessKey:
    settings = context.settings._replace(endpoint=endpoint)
    client = Client(settings, context.limits, credentials, context.clock, context.traffic)
    try:
        content = client.call(operation, parameters).content
    except CredentialsError:
        raise
    except LiveError as error:
        raise _refusal(error, operation) from None
    return parse_issued_key(content.get("Credentials"), f"role {role.arn}", context.clock.now())


def _refusal(error: LiveError, operation: Operation) -> CredentialsError:
    """The error as one of credentials, so that nobody takes it for the answer to a call that was to be signed."""
    advice = error.advice.replace("the option endpoint", "the option sts_endpoint")
    if isinstance(error, ApiError) and _NOT_ALLOWED.fullmatch(error.code or ""):
        advice = (
            f"Check that there is such a role, that its trust policy names who is to assume it, and that the RAM user "
            f"or role that assumes it may call sts:{operation.action}; the root of an account cannot."
        )
    elif _BAD_TOKEN.fullmatch(error.code or ""):
        advice = (
            "Check that what writes the file of the OIDC token still does, and that the token is for this provider."
        )
    return CredentialsError(
        error.happened,
        advice,
        code=error.code,
        request_id=error.request_id,
        http_status=error.http_status,
        action=error.action,
    )
