# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of RAM roles from the Security Token Service, API version 2015-04-01."""

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
_MIN_SESSION_SECONDS = 900
_NOT_ALLOWED = re.compile(r"NoPermission.*|Forbidden.*|AuthenticationFail\.NoPermission|EntityNotExist.*")
_BAD_TOKEN = re.compile(r"AuthenticationFail\.OIDCToken.*")


class Role(NamedTuple):
    """A RAM role to assume and the parameters of the session, which lasts an hour if `seconds` is None.

    `url` is an address of the service that comes with the role; the option `sts_endpoint` overrides it.
    """

    arn: str
    session_name: str | None = None
    seconds: int | None = None
    external_id: str | None = None
    policy: str | None = None
    url: str | None = None

    def validate(self, origin: str) -> Role:
        """Return the role itself; raises CredentialsError, which names its `origin`, if it is invalid."""
        if not re.fullmatch(r"acs:ram::[0-9]+:role/\S+", self.arn):
            raise CredentialsError(
                f"The role in {origin} is not the ARN of a role", "Give it as acs:ram::<account id>:role/<name>."
            )
        if self.seconds is not None and self.seconds < _MIN_SESSION_SECONDS:
            raise CredentialsError(
                f"The session of the role in {origin} is to last {self.seconds} seconds",
                f"Give {_MIN_SESSION_SECONDS} seconds or more, or nothing.",
            )
        return self

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the operation, without those that are not set."""
        parameters = {
            "RoleArn": self.arn,
            "RoleSessionName": self.session_name or DEFAULT_SESSION_NAME,
            "DurationSeconds": str(self.seconds) if self.seconds else None,
            "ExternalId": self.external_id,
            "Policy": self.policy,
        }
        return {name: value for name, value in parameters.items() if value}

    @property
    def account(self) -> str:
        """Return the id of the account that owns the role."""
        return self.arn.split(":")[3]


def sts_url(context: Context, host: str | None = None, region: str | None = None, vpc: bool | None = None) -> str:
    """Return the URL of the service for a host, else for a region, else for the environment variables of the SDKs.

    `ALIBABA_CLOUD_STS_ENDPOINT` overrides a region, as in the CLI.
    """
    host = host or context.environ.get("ALIBABA_CLOUD_STS_ENDPOINT")
    if host:
        return host if "://" in host else f"https://{host}"
    region = region or context.environ.get("ALIBABA_CLOUD_STS_REGION")
    if not region:
        return _DEFAULT_URL
    internal = context.is_true("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED") if vpc is None else vpc
    return f"https://{'sts-vpc' if internal else 'sts'}.{region}.aliyuncs.com"


class AssumeRoleProvider:
    """A provider of the credentials of a role that is assumed with those of another provider."""

    def __init__(self, context: Context, base: Provider, role: Role) -> None:
        self._context = context
        external_id = role.external_id or context.environ.get("ALIBABA_CLOUD_EXTERNAL_ID")
        self._role = role._replace(external_id=external_id)
        self._base = Credentials(base.get_access_key, context.clock.now)

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return a temporary access key of the role."""
        context, role, base = self._context, self._role, self._base
        endpoint = _parse_endpoint(context, role)
        parts = ("role", endpoint.url, base.get_access_key().identity, repr(role.parameters()))

        def fetch() -> AccessKey:
            return _request_access_key(context, endpoint, ASSUME_ROLE, role, role.parameters(), base)

        return CachedProvider(context, parts, fetch, role.account).get_access_key(expired)


class OidcProvider:
    """A provider of the credentials of a role that is assumed with the token of an OIDC provider.

    Another program writes the token to a file and renews it. `origin` names the setting that names the file, for error
    messages, because the path may be a secret by mistake.
    """

    def __init__(self, context: Context, role: Role, provider_arn: str, token_file: str, origin: str) -> None:
        self._context = context
        self._origin = origin
        self._role = role
        self._provider_arn = provider_arn
        self._token_file = token_file

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return a temporary access key of the role."""
        context, role = self._context, self._role
        endpoint = _parse_endpoint(context, role)
        parameters = {**role.parameters(), "OIDCProviderArn": self._provider_arn}
        parts = ("oidc", endpoint.url, self._token_file, repr(parameters))

        def fetch() -> AccessKey:
            return _request_access_key(
                context, endpoint, ASSUME_ROLE_WITH_OIDC, role, {**parameters, "OIDCToken": self._read_token()}
            )

        return CachedProvider(context, parts, fetch, role.account).get_access_key(expired)

    def _read_token(self) -> str:
        try:
            with open(open_file(self._token_file), encoding="ascii") as file:
                token = file.read().strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it holds something other than ASCII"
            raise self._token_error(f"cannot be read: {reason}") from None
        if not token:
            raise self._token_error("is empty")
        return token

    def _token_error(self, reason: str) -> CredentialsError:
        return CredentialsError(
            f"The file of the OIDC token of {self._origin} {reason}", "Check the path, and what writes the token there."
        )


def _parse_endpoint(context: Context, role: Role) -> Endpoint:
    url = context.lookup("sts_endpoint", "APSARAVIDEO_STS_ENDPOINT") or role.url or sts_url(context)
    return Endpoint.parse(url, name="sts_endpoint")


def _request_access_key(
    context: Context,
    endpoint: Endpoint,
    operation: Operation,
    role: Role,
    parameters: dict[str, str],
    credentials: Credentials | None = None,
) -> AccessKey:
    settings = context.settings._replace(endpoint=endpoint)
    limits = context.limits._replace(store=None)  # The service has a quota of its own, which a run hardly uses.
    client = Client(settings, limits, credentials, context.clock, context.traffic, redactor=context.redactor)
    try:
        content = client.call(operation, parameters).content
    except CredentialsError:
        raise
    except LiveError as error:
        raise _to_credentials_error(error, operation) from None
    return parse_issued_key(content.get("Credentials"), f"role {role.arn}", context.clock.now())


def _to_credentials_error(error: LiveError, operation: Operation) -> CredentialsError:
    """Translate the error of the service, so that it is not mistaken for that of the call to be signed."""
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
