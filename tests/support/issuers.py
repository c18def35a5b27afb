# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins on loopback for what issues keys: the ECS metadata service, a credentials URI, CloudSSO, OAuth, and STS.

with Metadata({"recorder": content}) as metadata:
    ...  # use metadata.url; content() makes the keys
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

# What a service answers as keys; a new one each time.
Content = Callable[[], Mapping[str, Any]]

TOKEN_TTL = "X-aliyun-ecs-metadata-token-ttl-seconds"
TOKEN = "X-aliyun-ecs-metadata-token"
_ROLES = "/latest/meta-data/ram/security-credentials/"


def made_up(seconds: float = 3600) -> dict[str, str]:
    """Keys that no cloud knows."""
    end = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return {
        "AccessKeyId": f"STS.{uuid.uuid4().hex}",
        "AccessKeySecret": f"secret{uuid.uuid4().hex}",
        "SecurityToken": f"token{uuid.uuid4().hex}",
        "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


class Service:
    """An HTTP server that answers by its method `reply` and keeps what it was asked; a context manager.

    Where there is a context for it, it speaks TLS.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self.port = 0
        self._tls = tls

    def reply(self, request: Request) -> tuple[int, str]:
        """Status and body for a request."""
        raise NotImplementedError

    @property
    def log(self) -> list[str]:
        """Method and path of each request."""
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
    """The metadata service of an ECS instance with these roles, speaking these versions of it."""

    def __init__(self, roles: Mapping[str, Content], versions: tuple[int, ...] = (1, 2)) -> None:
        super().__init__()
        self._roles = roles
        self._versions = versions
        self._tokens: set[str] = set()

    def reply(self, request: Request) -> tuple[int, str]:
        """A token for a PUT that says how long it is to last; else the list of roles, or a role's keys."""
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
    """A server that gives keys at one path."""

    def __init__(self, content: Content, path: str = "/keys?for=me") -> None:
        super().__init__()
        self._content = content
        self._path = path

    @property
    def uri(self) -> str:
        """Where the keys are."""
        return self.url + self._path

    def reply(self, request: Request) -> tuple[int, str]:
        """The keys, on their path."""
        if (request.method, request.target) != ("GET", self._path):
            return 404, "not found"
        return 200, json.dumps({"Code": "Success", **self._content()})


class CloudSsoProvider(Service):
    """The sign-in host of CloudSSO, which knows one user."""

    def __init__(self, content: Content, token: str, **access: str) -> None:
        super().__init__()
        self._content = content
        self._token = token
        self._access = access

    def reply(self, request: Request) -> tuple[int, str]:
        """The keys, for the user's token and access configuration."""
        if (request.method, request.target) != ("POST", "/cloud-credentials"):
            return 404, "not found"
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return 401, json.dumps({"ErrorCode": "Unauthorized", "token": request.headers.get("Authorization")})
        if json.loads(request.body) != self._access:
            return 400, "no such access configuration"
        return 200, json.dumps({"RequestId": "R", "CloudCredential": self._content()})


class OAuthProvider(Service):
    """The OAuth service of the CLI's users, which knows one access token. `NAMES` are the hosts of its two sites."""

    NAMES = "DNS:oauth.aliyun.com,DNS:oauth.alibabacloud.com"

    def __init__(self, content: Content, token: str, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self._content = content
        self._token = token

    def reply(self, request: Request) -> tuple[int, str]:
        """The keys, for the user's token."""
        if (request.method, request.target) != ("POST", "/v1/exchange"):
            return 404, "not found"
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return 401, json.dumps({"error": "expired_token", "token": request.headers.get("Authorization")})
        return 200, json.dumps({"RequestId": "R", **self._content()})


class Sts(Service):
    """A Security Token Service that gives keys to everyone who asks for a role; the emulator is more exact."""

    def __init__(self, content: Content = made_up) -> None:
        super().__init__()
        self._content = content

    def asked(self) -> list[dict[str, str]]:
        """The parameters of each call, its action among them."""
        return [
            {
                "Action": request.headers.get("x-acs-action", ""),
                **dict(parse_qsl(urlsplit(request.target).query) + parse_qsl(request.body.decode())),
            }
            for request in self.requests
        ]

    def reply(self, request: Request) -> tuple[int, str]:
        """New keys."""
        return 200, json.dumps({"RequestId": str(uuid.uuid4()), "Credentials": self._content()})
