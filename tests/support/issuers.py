# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins on loopback for services that provide credentials.

They replace the ECS metadata service, a credentials URI, CloudSSO, OAuth, and STS.

    with Metadata({"recorder": content}) as metadata:
        ...  # use metadata.url; content() returns the credentials
        assert metadata.log == ["PUT /latest/api/token", ...]
"""

from __future__ import annotations

import json
import ssl
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from support.scripted import Request

# Called for each response of a service; returns the credentials in it.
Content = Callable[[], Mapping[str, Any]]

TOKEN_TTL = "X-aliyun-ecs-metadata-token-ttl-seconds"
TOKEN = "X-aliyun-ecs-metadata-token"
_ROLES = "/latest/meta-data/ram/security-credentials/"


def new_credentials(seconds: float = 3600) -> dict[str, str]:
    """Return random credentials that no cloud accepts."""
    end = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return {
        "AccessKeyId": f"STS.{uuid.uuid4().hex}",
        "AccessKeySecret": f"secret{uuid.uuid4().hex}",
        "SecurityToken": f"token{uuid.uuid4().hex}",
        "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


class Service:
    """An HTTP server that responds with its method `reply` and records all requests; a context manager.

    It speaks TLS if it is given a context.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self.port = 0
        self._tls = tls

    def reply(self, request: Request) -> tuple[int, str]:
        """Return status and body for a request."""
        raise NotImplementedError

    @property
    def log(self) -> list[str]:
        """Return method and path of each request."""
        return [f"{request.method} {urlsplit(request.target).path}" for request in self.requests]

    def __enter__(self) -> Service:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, self.headers, body)
                service.requests.append(request)
                status, text = service.reply(request)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_PUT = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.port = self._server.server_port
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Metadata(Service):
    """The metadata service of an ECS instance with these roles, in these versions of the protocol."""

    def __init__(self, roles: Mapping[str, Content], versions: tuple[int, ...] = (1, 2)) -> None:
        super().__init__()
        self._roles = roles
        self._versions = versions
        self._tokens: set[str] = set()

    def reply(self, request: Request) -> tuple[int, str]:
        """Return a token for a valid PUT, otherwise the list of roles or the credentials of one role."""
        if request.method == "PUT" and request.target == "/latest/api/token" and 2 in self._versions:
            if not 1 <= int(request.headers.get(TOKEN_TTL, "0")) <= 21600:
                return 400, "bad ttl"
            token = uuid.uuid4().hex
            self._tokens.add(token)
            return 200, token
        if request.method != "GET" or not request.target.startswith(_ROLES):
            return 404, "not found"
        given = request.headers.get(TOKEN)
        if (given not in self._tokens) if given else (1 not in self._versions):
            return 403, "forbidden"
        name = unquote(request.target[len(_ROLES) :])
        if not name:
            return (200, "\n".join(self._roles)) if self._roles else (404, "not found")
        if name not in self._roles:
            return 404, "not found"
        return 200, json.dumps({"Code": "Success", **self._roles[name]()})


class CredentialsUri(Service):
    """A server that provides credentials at one path."""

    def __init__(self, content: Content, path: str = "/keys?for=me") -> None:
        super().__init__()
        self._content = content
        self._path = path

    @property
    def uri(self) -> str:
        """Return the URI of the credentials."""
        return self.url + self._path

    def reply(self, request: Request) -> tuple[int, str]:
        if (request.method, request.target) != ("GET", self._path):
            return 404, "not found"
        return 200, json.dumps({"Code": "Success", **self._content()})


class CloudSsoServer(Service):
    """The sign-in host of CloudSSO, which knows one user."""

    def __init__(self, content: Content, token: str, **access: str) -> None:
        super().__init__()
        self._content = content
        self._token = token
        self._access = access

    def reply(self, request: Request) -> tuple[int, str]:
        """Return credentials for the user's token and access configuration."""
        if (request.method, request.target) != ("POST", "/cloud-credentials"):
            return 404, "not found"
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return 401, json.dumps({"ErrorCode": "Unauthorized", "token": request.headers.get("Authorization")})
        if json.loads(request.body) != self._access:
            return 400, "no such access configuration"
        return 200, json.dumps({"RequestId": "R", "CloudCredential": self._content()})


class OAuthServer(Service):
    """The OAuth service of the CLI, which knows one access token; `NAMES` are the hosts of its two sites."""

    NAMES = ("oauth.aliyun.com", "oauth.alibabacloud.com")

    def __init__(self, content: Content, token: str, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self._content = content
        self._token = token

    def reply(self, request: Request) -> tuple[int, str]:
        """Return credentials for the user's token."""
        if (request.method, request.target) != ("POST", "/v1/exchange"):
            return 404, "not found"
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return 401, json.dumps({"error": "expired_token", "token": request.headers.get("Authorization")})
        return 200, json.dumps({"RequestId": "R", **self._content()})


class Sts(Service):
    """A Security Token Service that provides credentials for any role; the emulator is stricter."""

    def __init__(self, content: Content = new_credentials) -> None:
        super().__init__()
        self._content = content

    def calls(self) -> list[dict[str, str]]:
        """Return the parameters of each call, including its action."""
        return [
            {
                "Action": request.headers.get("x-acs-action", ""),
                **dict(parse_qsl(urlsplit(request.target).query) + parse_qsl(request.body.decode())),
            }
            for request in self.requests
        ]

    def reply(self, request: Request) -> tuple[int, str]:
        return 200, json.dumps({"RequestId": str(uuid.uuid4()), "Credentials": self._content()})
