# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations of the Security Token Service, API version 2015-04-01: roles to assume, and the identity of a caller."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import Any

from . import oidc
from .clock import format_iso
from .errors import GatewayError
from .identity import ROOT, Role
from .limits import Limit
from .operations.call import Call, Operation
from .parameters import Text

STS_VERSION = "2015-04-01"
MIN_SESSION_SECONDS = 900
DEFAULT_SESSION_SECONDS = 3600


def _assume_role(call: Call) -> dict[str, Any]:
    if call.key.principal.name == ROOT:
        raise GatewayError("NoPermission", 403, "Roles may not be assumed by root accounts.")
    _check_session_name(call)
    role = _find_role(call)
    if role.principal.account != call.account or role.external_id not in (None, call["ExternalId"]):
        raise GatewayError("NoPermission", 403, "You are not authorized to do this action.")
    return _create_session(call, role)


def _assume_role_with_oidc(call: Call) -> dict[str, Any]:
    _check_session_name(call)
    if not call["OIDCToken"]:
        raise oidc.token_error("Invalid", "The OIDCToken can not empty.")
    provider = call.cloud.identities.providers.get(call["OIDCProviderArn"])
    if provider is None:
        raise _authentication_error("No such OIDC Provider registered.")
    token = provider.identify(call["OIDCToken"], call.cloud.clock.wall())
    role = _find_role(call)
    if role.principal.account != provider.account or provider.name not in role.providers:
        raise _authentication_error("There is no permission.")
    return {"OIDCTokenInfo": token, **_create_session(call, role)}


def _get_caller_identity(call: Call) -> dict[str, Any]:
    principal = call.key.principal
    arn = f"acs:ram::{principal.account}"
    if principal.name == ROOT:
        user = principal.account
        return _make_identity("Account", principal.account, f"{arn}:root", user, {"UserId": user})
    number = _make_number(f"{principal.account} {principal.name}")
    if call.key.token is None:
        return _make_identity("RAMUser", principal.account, f"{arn}:user/{principal.name}", number, {"UserId": number})
    session = f"{number}:{call.key.session_name}"
    arn = f"{arn}:assumed-role/{principal.name}/{call.key.session_name}"
    return _make_identity("AssumedRoleUser", principal.account, arn, session, {"RoleId": number})


def _make_identity(kind: str, account: str, arn: str, principal: str, ids: dict[str, str]) -> dict[str, Any]:
    return {"IdentityType": kind, "AccountId": account, "Arn": arn, "PrincipalId": principal, **ids}


def _make_number(name: str) -> str:
    """Return the number of a user or a role, the same each time."""
    return f"{int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**18:018d}"


def _authentication_error(message: str) -> GatewayError:
    return GatewayError("AuthenticationFail.NoPermission", 401, message)


def _check_session_name(call: Call) -> None:
    if not re.fullmatch(r"[A-Za-z0-9.@_-]{2,64}", call["RoleSessionName"]):
        raise _invalid_parameter_error("RoleSessionName", "The parameter RoleSessionName is wrongly formed.")


def _create_session(call: Call, role: Role) -> dict[str, Any]:
    seconds = _read_duration(call["DurationSeconds"], role)
    _check_policy(call["Policy"])
    name = call["RoleSessionName"]
    session = call.cloud.identities.create_session(role, seconds, call.cloud.clock.wall(), name)
    return {
        "AssumedRoleUser": {
            "Arn": f"{role.arn}/{name}",
            "AssumedRoleId": f"{secrets.randbelow(10**18):018d}:{name}",
        },
        "Credentials": {
            "AccessKeyId": session.key_id,
            "AccessKeySecret": session.secret,
            "SecurityToken": session.token,
            "Expiration": format_iso(session.expires),
        },
    }


def _find_role(call: Call) -> Role:
    arn = call["RoleArn"]
    parts = arn.split(":")
    if parts[:3] != ["acs", "ram", ""] or not parts[-1].startswith("role/"):
        raise _invalid_parameter_error("RoleArn", "The parameter RoleArn is wrongly formed.")
    role = call.cloud.identities.roles.get(arn)
    if role is None:
        raise GatewayError("EntityNotExist.Role", 404, f"The role not exists: {arn}.")
    return role


def _read_duration(text: str | None, role: Role) -> int:
    if text is None:
        return min(DEFAULT_SESSION_SECONDS, role.max_seconds)
    if not text.isdigit() or not MIN_SESSION_SECONDS <= int(text) <= role.max_seconds:
        raise _invalid_parameter_error(
            "DurationSeconds", f"DurationSeconds must be from {MIN_SESSION_SECONDS} to {role.max_seconds}."
        )
    return int(text)


def _check_policy(policy: str | None) -> None:
    if policy is None:
        return
    try:
        content = json.loads(policy)
    except ValueError:
        content = None
    if not isinstance(content, dict) or "Statement" not in content:
        raise GatewayError("InvalidParameter.PolicyGrammar", 400, "The parameter Policy has not passed grammar check.")


def _invalid_parameter_error(name: str, message: str) -> GatewayError:
    return GatewayError(f"InvalidParameter.{name}", 400, message)


_SESSION = (
    Text("RoleArn", required=True),
    Text("RoleSessionName", required=True),
    Text("DurationSeconds"),
    Text("Policy"),
)
# The limits of the service are not documented; this value only stops runaway loops.
_LIMIT = Limit(100)

OPERATIONS = {
    "AssumeRole": Operation(
        name="AssumeRole",
        parameters=(*_SESSION, Text("ExternalId")),
        execute=_assume_role,
        limit=_LIMIT,
        permission="sts:AssumeRole",
    ),
    "AssumeRoleWithOIDC": Operation(
        name="AssumeRoleWithOIDC",
        parameters=(*_SESSION, Text("OIDCProviderArn", required=True), Text("OIDCToken")),
        execute=_assume_role_with_oidc,
        limit=_LIMIT,
        permission="sts:AssumeRoleWithOIDC",
        signed=False,
    ),
    "GetCallerIdentity": Operation(
        name="GetCallerIdentity",
        parameters=(),
        execute=_get_caller_identity,
        limit=_LIMIT,
        permission="",
    ),
}
