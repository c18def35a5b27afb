# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as they are sent: query, headers and body."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from . import signature
from .access_key import AccessKey
from .operations import Operation

_FORM = "application/x-www-form-urlencoded"
_ACCEPT = {"accept": "application/json"}
_SECRET_PARAMETERS = ("NotifyAuthKey", "OIDCToken")


class Request(NamedTuple):
    """A request; `signature` is that in its headers, None where it is not signed."""

    query: str
    headers: dict[str, str]
    body: bytes = b""
    signature: str | None = None


def build_request(
    operation: Operation, parameters: Mapping[str, str], host: str, key: AccessKey | None, time: float
) -> Request:
    """Return a request dated `time`, in seconds since the epoch, with a nonce of its own.

    Without an access key it is not signed, and its parameters go into the body, because one of them is a secret.
    """
    date = datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    nonce = uuid.uuid4().hex
    query = signature.build_canonical_query(parameters)
    if not key:
        common = {"Action": operation.action, "Version": operation.version, "Format": "JSON", "Timestamp": date}
        unsigned = signature.build_canonical_query({**common, "SignatureNonce": nonce})
        return Request(unsigned, {"content-type": _FORM, **_ACCEPT}, query.encode())
    headers = signature.sign_headers(
        method="POST",
        host=host,
        action=operation.action,
        version=operation.version,
        query=parameters,
        access_key_id=key.access_key_id,
        access_key_secret=key.access_key_secret,
        security_token=key.security_token,
        date=date,
        nonce=nonce,
    )
    return Request(query, {**headers, **_ACCEPT}, signature=headers["Authorization"].rpartition("=")[2])


def secret_parameters(parameters: Mapping[str, str]) -> list[str]:
    """Return the values of those parameters that are secrets."""
    return [parameters[name] for name in _SECRET_PARAMETERS if parameters.get(name)]
