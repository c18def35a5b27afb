# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the gateway, written from the published signature rules and independent of the emulator's code.

Everything can be overridden, so that tests can get each part of a request wrong.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import ssl
import time
import uuid
import xml.etree.ElementTree
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from support.emulator import KEY

VERSION = "2016-11-01"
FORM = "application/x-www-form-urlencoded"


def now_text(offset: float = 0) -> str:
    """Return the time `offset` seconds from now as the UTC text that the API uses."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))


@dataclass
class Response:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body parsed as JSON."""
        return json.loads(self.body)

    @property
    def xml(self) -> xml.etree.ElementTree.Element:
        """Return the body parsed as XML."""
        return xml.etree.ElementTree.fromstring(self.body)

    @property
    def code(self) -> str | None:
        """Return the error code in a JSON body; None for success."""
        code: str | None = self.json.get("Code") if self.status != 200 else None
        return code


def _quote(text: str) -> str:
    return quote(text, safe="~")


def _query(parameters: dict[str, str]) -> str:
    return "&".join(f"{_quote(name)}={_quote(value)}" for name, value in sorted(parameters.items()))


class SigningClient:
    """A client that signs and sends requests, with ACS3 headers (`call`) or HMAC-SHA1 parameters (`call_v1`)."""

    def __init__(self, endpoint: str, key: tuple[str, str] = KEY, token: str | None = None, ca: str | None = None):
        self.url = urlsplit(endpoint)
        self.key_id, self.secret = key
        self.token = token
        self.ca = ca

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Response:
        """Send a request exactly as given, on a connection of its own."""
        if self.url.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca)
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(self.url.netloc, context=context)
        else:
            connection = http.client.HTTPConnection(self.url.netloc)
        connection.timeout = 10
        try:
            connection.request(method, target, body or None, headers)
            response = connection.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, received, response.read())
        finally:
            connection.close()

    def call(self, action: str, version: str = VERSION, method: str = "POST", **parameters: Any) -> Response:
        """Send a request signed with ACS3; `__` in parameter names stands for a dot."""
        query = _query({name.replace("__", "."): str(value) for name, value in parameters.items()})
        headers = self.headers(action, version, method, query)
        return self.send(method, f"/?{query}", headers)

    def headers(
        self, action: str, version: str = VERSION, method: str = "POST", query: str = "", **changes: str | None
    ) -> dict[str, str]:
        """Return signed headers; `changes` are made before signing, with `_` for `-`, and None omits a header."""
        headers: dict[str, str] = {
            "host": self.url.netloc,
            "x-acs-action": action,
            "x-acs-version": version,
            "x-acs-date": now_text(),
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        }
        if self.token:
            headers["x-acs-security-token"] = self.token
        for name, value in changes.items():
            headers.pop(name.replace("_", "-"), None)
            if value is not None:
                headers[name.replace("_", "-")] = value
        headers["Authorization"] = self.authorization(headers, method, query)
        return headers

    def authorization(self, headers: dict[str, str], method: str = "POST", query: str = "") -> str:
        """Return the Authorization header for exactly these headers."""
        names = sorted(headers)
        lines = [f"{name}:{headers[name]}" for name in names]
        payload = headers.get("x-acs-content-sha256", "")
        canonical = "\n".join([method, "/", query, *lines, "", ";".join(names), payload])
        text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        mac = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"ACS3-HMAC-SHA256 Credential={self.key_id},SignedHeaders={';'.join(names)},Signature={mac}"

    def v1_parameters(self, action: str, method: str = "POST", **parameters: Any) -> dict[str, str]:
        """Return parameters with an HMAC-SHA1 signature; None omits a common parameter before signing."""
        values: dict[str, Any] = {
            "Action": action,
            "Version": VERSION,
            "Format": "JSON",
            "AccessKeyId": self.key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": uuid.uuid4().hex,
            "Timestamp": now_text(),
            "SecurityToken": self.token,
            **{name.replace("__", "."): value for name, value in parameters.items()},
        }
        signed = {name: str(value) for name, value in values.items() if value is not None}
        text = f"{method}&%2F&{_quote(_query(signed))}"
        digest = hmac.new(f"{self.secret}&".encode(), text.encode(), hashlib.sha1).digest()
        return {**signed, "Signature": base64.b64encode(digest).decode()}

    def call_v1(self, action: str, method: str = "POST", form: bool = False, **parameters: Any) -> Response:
        """Send a request signed with HMAC-SHA1, with the parameters in the query or in a form body."""
        values = self.v1_parameters(action, method, **parameters)
        if form:
            return self.send(method, "/", {"Content-Type": FORM}, urlencode(values).encode())
        return self.send(method, "/?" + urlencode(values), {})

    def call_unsigned(self, action: str, method: str = "POST", **parameters: Any) -> Response:
        """Send an unsigned request, with the parameters in the query (GET) or a form body; None omits a parameter."""
        common = {"Action": action, "Version": VERSION, "Format": "JSON", "Timestamp": now_text()}
        values = {name: str(value) for name, value in {**common, **parameters}.items() if value is not None}
        if method == "GET":
            return self.send(method, "/?" + urlencode(values), {})
        return self.send(method, "/", {"Content-Type": FORM}, urlencode(values).encode())
