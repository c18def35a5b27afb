# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACS3-HMAC-SHA256, the signature algorithm of the current Alibaba Cloud SDKs, as a pure function.

Only `host` and the `x-acs-*` headers are signed, so that a proxy may rewrite the others.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

ALGORITHM = "ACS3-HMAC-SHA256"


def percent_encode(text: str) -> str:
    """Encode a text by RFC 3986 as UTF-8; only letters, digits and `-_.~` stay as they are."""
    return quote(text, safe="~")


def build_canonical_query(query: Mapping[str, str]) -> str:
    """Return the query string as it is signed and sent: encoded pairs in the byte order of their unencoded names."""
    ordered = sorted(query.items(), key=lambda pair: pair[0].encode())
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in ordered)


def sign_headers(
    *,
    method: str,
    host: str,
    action: str,
    version: str,
    query: Mapping[str, str],
    access_key_id: str,
    access_key_secret: str,
    security_token: str | None,
    date: str,
    nonce: str,
    body: bytes = b"",
) -> dict[str, str]:
    """Return the headers of a signed call of an RPC-style operation at path `/`, `Authorization` included.

    `host` is the Host header as sent, with the port only where it is not the scheme's own. `date` is UTC in the form
    `2026-01-02T03:04:05Z`; `nonce` must never have been used before by this access key.
    """
    payload = hashlib.sha256(body).hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": payload,
        "x-acs-date": date,
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    if security_token:
        headers["x-acs-security-token"] = security_token
    names = sorted(headers)
    canonical_headers = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    request = "\n".join((method, "/", build_canonical_query(query), canonical_headers, ";".join(names), payload))
    string_to_sign = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(access_key_secret.encode(), string_to_sign.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"{ALGORITHM} Credential={access_key_id},SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return headers
