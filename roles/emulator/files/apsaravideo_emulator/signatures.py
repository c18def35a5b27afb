# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification of the gateway's two signature schemes.

`ACS3-HMAC-SHA256` (headers) is sent by the current SDKs, `HMAC-SHA1` version 1.0 (query parameters) by older clients.
Everything here is a pure function of the request; the callers check whether the access key exists, the date is recent
and the nonce is new.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from .errors import GatewayError

ACS3 = "ACS3-HMAC-SHA256"
HMAC_SHA1 = "HMAC-SHA1"

COMMON_PARAMETERS = frozenset(
    {
        "AccessKeyId",
        "Action",
        "Format",
        "SecurityToken",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureType",
        "SignatureVersion",
        "Timestamp",
        "Version",
    }
)

_AUTHORIZATION = re.compile(
    r"ACS3-HMAC-SHA256 +Credential=(?P<key>[^,\s]+), ?SignedHeaders=(?P<headers>[^,\s]+), ?Signature=(?P<mac>[^,\s]+)"
)


@dataclass(frozen=True)
class HttpRequest:
    """The signed parts of a request: `query` and `form` are decoded pairs, header names are in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""
    form: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Claim:
    """The sender and the signature that a request states, not yet verified.

    `signed_text` is the text to be signed and `canonical` the canonical request in it (ACS3 only).
    """

    scheme: str
    key_id: str
    signature: str
    date: str
    nonce: str
    token: str | None
    signed_text: str = field(repr=False)
    canonical: str = field(default="", repr=False)

    def compute_signature(self, secret: str) -> str:
        """Return the signature that a holder of `secret` would have sent."""
        if self.scheme == ACS3:
            return hmac.new(secret.encode(), self.signed_text.encode(), hashlib.sha256).hexdigest()
        digest = hmac.new(f"{secret}&".encode(), self.signed_text.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()

    def verify(self, secret: str) -> None:
        """Raise SignatureDoesNotMatch, with the server's string to sign in the message, unless the secret matches."""
        if hmac.compare_digest(self.compute_signature(secret).encode(), self.signature.encode()):
            return
        details = f"server string to sign is:{self.signed_text}"
        if self.canonical:
            details += f", server canonical request is:{self.canonical}"
        raise GatewayError(
            "SignatureDoesNotMatch", 400, f"Specified signature is not matched with our calculation. {details}"
        )


def percent_encode(text: str) -> str:
    """Encode as RFC 3986 requires, leaving only `A-Z a-z 0-9 - _ . ~` as they are."""
    return quote(text, safe="~")


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the pairs sorted by raw name (byte order), encoded and joined."""
    ordered = sorted(pairs, key=lambda pair: (pair[0].encode(), pair[1].encode()))
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in ordered)


def is_acs3(headers: Mapping[str, str]) -> bool:
    """Return whether the request is signed in its headers, which then also contain the common parameters."""
    return headers.get("authorization", "").startswith("ACS3-") or "x-acs-content-sha256" in headers


def read_claim(request: HttpRequest) -> Claim:
    """Read the signature of a request of either scheme; raise GatewayError if parts are missing or malformed."""
    return _read_acs3_claim(request) if is_acs3(request.headers) else _read_hmac_sha1_claim(request)


def _read_acs3_claim(request: HttpRequest) -> Claim:
    headers = request.headers
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
    if not match:
        raise _incomplete_signature_error("The Authorization header is absent or malformed.")
    names = match["headers"].split(";")
    _check_signed_headers(headers, names)
    payload = hashlib.sha256(request.body).hexdigest()
    if headers["x-acs-content-sha256"] != payload:
        raise _incomplete_signature_error("The header x-acs-content-sha256 is not the hash of the body.")
    canonical = "\n".join(
        [
            request.method,
            request.path,
            canonical_query(request.query),
            *(f"{name}:{headers[name].strip()}" for name in sorted(names)),
            "",
            ";".join(names),
            payload,
        ]
    )
    return Claim(
        scheme=ACS3,
        key_id=match["key"],
        signature=match["mac"],
        date=headers["x-acs-date"],
        nonce=headers["x-acs-signature-nonce"],
        token=headers.get("x-acs-security-token") or None,
        signed_text=f"{ACS3}\n{hashlib.sha256(canonical.encode()).hexdigest()}",
        canonical=canonical,
    )


def _check_signed_headers(headers: Mapping[str, str], names: list[str]) -> None:
    for required in ("x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"):
        if not headers.get(required):
            raise GatewayError("MissingParameter", 400, f"The header {required} is mandatory for this action.")
    if names != sorted(set(names)):
        raise _incomplete_signature_error("SignedHeaders must be sorted, in lower case and without repetition.")
    required_names = {"host"} | {name for name in headers if name.startswith("x-acs-")}
    if headers.get("content-type") and has_body(headers):
        required_names.add("content-type")
    unsigned = sorted(required_names - set(names))
    if unsigned:
        raise _incomplete_signature_error(f"These headers must be signed: {', '.join(unsigned)}.")
    absent = sorted(set(names) - set(headers))
    if absent:
        raise _incomplete_signature_error(f"These signed headers were not sent: {', '.join(absent)}.")


def has_body(headers: Mapping[str, str]) -> bool:
    """Return whether the headers announce a body of at least one byte."""
    return headers.get("content-length", "0") != "0"


def _read_hmac_sha1_claim(request: HttpRequest) -> Claim:
    pairs = request.query + request.form
    values = dict(pairs)
    for name in ("AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"):
        if not values.get(name):
            raise GatewayError(f"Missing{name}", 400, f"{name} is mandatory for this action.")
    if values["SignatureMethod"] != HMAC_SHA1 or values["SignatureVersion"] != "1.0":
        raise _incomplete_signature_error("Only SignatureMethod HMAC-SHA1 with SignatureVersion 1.0 is supported.")
    query = canonical_query(pair for pair in pairs if pair[0] != "Signature")
    return Claim(
        scheme=HMAC_SHA1,
        key_id=values["AccessKeyId"],
        signature=values["Signature"],
        date=values["Timestamp"],
        nonce=values["SignatureNonce"],
        token=values.get("SecurityToken") or None,
        signed_text=f"{request.method}&{percent_encode('/')}&{percent_encode(query)}",
    )


def _incomplete_signature_error(why: str) -> GatewayError:
    return GatewayError(
        "IncompleteSignature", 400, f"The request signature does not conform to Aliyun standards. {why}"
    )
