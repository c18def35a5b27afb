# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places other than STS that issue keys: the ECS metadata service, a URI, CloudSSO, OAuth, and a user's program."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlsplit

from ._answer import HttpAnswer
from ._endpoint import Endpoint, is_loopback
from ._errors import AnswerLost, CredentialsError, InvalidOption, NotSent
from ._http import Transport
from ._keys import Keys, digest, issued, renewal
from ._sources import Context, Issued, asked, parsed

_METADATA_URL = "http://100.100.100.200"
_METADATA_SECONDS = 1.0  # for connecting, and for an answer
_METADATA_TOKEN_SECONDS = 21600
_ROLE_PATH = "latest/meta-data/ram/security-credentials/"
_PROGRAM_SECONDS = 60
_KEPT_IN_URLS = "!$%&'()*+,/:;=?@[]~"  # what RFC 3986 gives a meaning to, or has already been quoted
_STATUS_OK = 200
_STATUS_NOT_FOUND = 404
_TOKEN_REFUSED = (400, 401)  # HTTP statuses; which one an expired token gets is not documented


class EcsRole:
    """The role of the ECS instance that this runs on. Without a `name`, whichever it has, if any.

    The metadata service answers on a fixed address inside the instance only, so no proxy is used, and only a loopback
    address, as of a test, is taken in its place. It is asked with a token first, as its second version wants it.
    """

    def __init__(self, context: Context, name: str | None, required: bool) -> None:
        self._context = context
        self._name = name
        self._required = required
        self._v1_allowed = not context.is_set("ALIBABA_CLOUD_IMDSV1_DISABLED")
        self._what = "the ECS metadata service"

    def keys(self, expired: Keys | None = None) -> Keys | None:
        """The role's keys; None where this is no ECS instance, or one without a role, and none is required."""
        context = self._context
        if context.is_set("ALIBABA_CLOUD_ECS_METADATA_DISABLED"):
            if self._required:
                raise self._unusable(
                    "it is disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED", "Unset that, or use other keys."
                )
            return None
        url = context.environ.get("APSARAVIDEO_METADATA_ENDPOINT") or _METADATA_URL
        endpoint = Endpoint.parse(url, allow_http=True, name="metadata endpoint")
        if url != _METADATA_URL and not is_loopback(str(urlsplit(url).hostname)):
            raise InvalidOption(
                f"The metadata endpoint {url} is neither {_METADATA_URL} nor on this machine",
                "Unset APSARAVIDEO_METADATA_ENDPOINT.",
            )
        settings = context.settings._replace(
            endpoint=endpoint,
            connect_timeout=_METADATA_SECONDS,
            read_timeout=_METADATA_SECONDS,
            use_proxies=False,
        )
        parts = ("ecs", url, self._name, str(self._required))
        return Issued(context, parts, lambda: self._issue(Transport(settings))).keys(expired)

    def _issue(self, transport: Transport) -> Keys | None:
        try:
            token = self._token(transport)
            name = self._name or self._only_role(transport, token)
            answer = self._get(transport, name, token) if name else None
        except NotSent as error:
            return self._without(error.happened)
        except AnswerLost:
            raise self._unusable("it did not answer in time", "Run again.") from None
        if answer is None:
            return self._without("the instance has no role")
        if answer.status != _STATUS_OK:
            raise self._unusable(
                f"it answered with HTTP status {answer.status} about the role {name}",
                "Check that the role is attached to the instance, and ecs_role_name.",
            )
        return issued(parsed(answer.body, self._what), self._what, self._context.clock.now())

    def _without(self, why: str) -> Keys | None:
        """No keys; raises CredentialsError where there should be some."""
        if self._required:
            raise self._unusable(why, "Run on an ECS instance that has the role, or use other keys.")
        return None

    def _token(self, transport: Transport) -> str | None:
        """A token for the service's second version; None where only the first is spoken, and that may be used."""
        wanted = {"x-aliyun-ecs-metadata-token-ttl-seconds": str(_METADATA_TOKEN_SECONDS)}
        try:
            answer = transport.send("PUT", "latest/api/token", wanted)
        except AnswerLost:
            answer = HttpAnswer(0, {}, b"")
        token = answer.body.decode("ascii", errors="replace").strip()
        if answer.status == _STATUS_OK and re.fullmatch(r"[!-~]+", token):
            return token
        if not self._v1_allowed:
            raise self._unusable(
                "it gave no token, and its first version, which needs none, is disabled",
                "Unset ALIBABA_CLOUD_IMDSV1_DISABLED, or look at the instance's metadata options.",
            )
        return None

    def _only_role(self, transport: Transport, token: str | None) -> str | None:
        answer = self._get(transport, "", token)
        if answer.status == _STATUS_NOT_FOUND:
            return None
        if answer.status != _STATUS_OK:
            raise self._unusable(
                f"it answered with HTTP status {answer.status}", "Look at the instance's metadata options."
            )
        return answer.body.decode("utf-8", errors="replace").strip()

    def _get(self, transport: Transport, name: str, token: str | None) -> HttpAnswer:
        path = _ROLE_PATH + quote(name, safe="", errors="replace")
        answer = transport.send("GET", path, {"x-aliyun-ecs-metadata-token": token} if token else {})
        if answer.status != _STATUS_OK and token and self._v1_allowed:
            return transport.send("GET", path, {})
        return answer

    def _unusable(self, why: str, advice: str) -> CredentialsError:
        return CredentialsError(f"No keys from {self._what}: {why}", advice)


class KeysUri:
    """Keys that a server gives on request, such as one beside a container."""

    def __init__(self, context: Context, uri: str, where: str) -> None:
        if context.is_set("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"):
            raise _disabled("A credentials URI", where)
        self._context = context
        self._uri = uri

    def keys(self, expired: Keys | None = None) -> Keys | None:
        """The keys."""
        return Issued(self._context, ("uri", self._uri), self._issue).keys(expired)

    def _issue(self) -> Keys:
        context = self._context
        allow_http = context.options.get("allow_http", False)
        endpoint, target = _divided(self._uri, "credentials URI", allow_http)
        what = f"the credentials URI at {endpoint.host}"
        transport = Transport(context.settings._replace(endpoint=endpoint))
        return issued(asked(transport, what, "GET", target, {}), what, context.clock.now())


class CloudSso:
    """Keys of CloudSSO, for as long as the CLI's user is signed in: until `end`, in seconds since the epoch."""

    def __init__(
        self, context: Context, sign_in_url: str, account: str, configuration: str, token: str, end: int | None
    ) -> None:
        self._context = context
        self._url = sign_in_url
        self._content = {"AccountId": account, "AccessConfigurationId": configuration}
        self._token = token
        self._end = end

    def keys(self, expired: Keys | None = None) -> Keys | None:
        """The keys."""
        parts = ("sso", self._url, *self._content.values())
        return Issued(self._context, parts, self._issue, self._content["AccountId"]).keys(expired)

    def _issue(self) -> Keys:
        now = self._context.clock.now()
        endpoint, _target = _divided(self._url, "sign-in URL of CloudSSO")
        what = f"CloudSSO at {endpoint.host}"
        if self._end and self._end <= now:
            raise CredentialsError(f"No keys from {what}: the sign-in has ended", "Sign in again with the CLI.")
        transport = Transport(self._context.settings._replace(endpoint=endpoint))
        body = json.dumps(self._content).encode()
        answer = asked(transport, what, "POST", "cloud-credentials", _with_token(self._token, what), body)
        return issued(answer.get("CloudCredential") if isinstance(answer, dict) else None, what, now)


@dataclass(frozen=True)
class OAuthSignIn:
    """An OAuth sign-in as the CLI stores it. Each end is in seconds since the epoch, 0 where there is none.

    `command` is what signs in again.
    """

    url: str
    command: str
    stored: Keys | None
    stored_end: int
    access_token: str = field(repr=False)
    access_token_end: int


class OAuth:
    """Keys of an OAuth sign-in with the CLI: those that it has stored, else others for its access token.

    An access token that has expired is not renewed. The refresh token changes with that, and unless the new one were
    written to the CLI's file, the user would be signed out.
    """

    def __init__(self, context: Context, sign_in: OAuthSignIn, where: str) -> None:
        self._context = context
        self._sign_in = sign_in
        self._what = f"the OAuth sign-in of {where}"
        self._account = digest("oauth", where)

    def keys(self, expired: Keys | None = None) -> Keys | None:
        """Return the keys; raises CredentialsError where the user has to sign in again."""
        sign_in, now = self._sign_in, self._context.clock.now()
        stored = sign_in.stored and replace(sign_in.stored, account=self._account)
        if stored and expired and stored.same_as(expired):
            stored = None
        if stored and now < stored.renew_at:
            return stored
        if sign_in.access_token and now < sign_in.access_token_end:
            parts = ("oauth", sign_in.url, sign_in.access_token)
            return Issued(self._context, parts, self._exchange, self._account).keys(expired)
        if stored and now < sign_in.stored_end:
            return replace(stored, renew_at=sign_in.stored_end)
        raise self._unusable("it has expired")

    def _exchange(self) -> Keys:
        """Return the keys that the access token is exchanged for."""
        endpoint = Endpoint.parse(self._sign_in.url)
        transport = Transport(self._context.settings._replace(endpoint=endpoint))
        headers = _with_token(self._sign_in.access_token, self._what)
        try:
            answer = asked(transport, f"OAuth at {endpoint.host}", "POST", "v1/exchange", headers)
        except CredentialsError as error:
            if error.http_status in _TOKEN_REFUSED:
                raise self._unusable("its access token was refused", error.http_status) from None
            raise
        fields = answer if isinstance(answer, dict) else {}
        # The CLI takes the names with a small first letter as well.
        content = {name[:1].upper() + name[1:]: value for name, value in fields.items()}
        return issued(content, self._what, self._context.clock.now())

    def _unusable(self, why: str, http_status: int | None = None) -> CredentialsError:
        return CredentialsError(
            f"No keys from {self._what}: {why}, and only the CLI can renew it",
            f"Run a command of the CLI with that profile, or sign in again with: {self._sign_in.command}.",
            http_status=http_status,
        )


def _with_token(token: str, what: str) -> dict[str, str]:
    """Return headers with an access token; raises CredentialsError for one that no header can carry."""
    if not re.fullmatch(r"[!-~]+", token):
        raise CredentialsError(
            f"No keys from {what}: the access token holds a space, a line end or a character outside ASCII",
            "Sign in again with the CLI.",
        )
    return {"accept": "application/json", "content-type": "application/json", "authorization": f"Bearer {token}"}


def _divided(url: str, name: str, allow_http: bool = False) -> tuple[Endpoint, str]:
    """Where a URL leads, and its path and query, which may be secret; raises InvalidOption, which shows neither."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidOption(f"The {name} is no URL", "Correct it.") from None
    target = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    endpoint = Endpoint.parse(f"{parts.scheme}://{parts.netloc}", allow_http, name)
    return endpoint, quote(target, safe=_KEPT_IN_URLS, errors="replace")


class Program:
    """Keys that a program of the user's prints, as the CLI's mode `External` has it. It must be allowed to run."""

    def __init__(self, context: Context, command: str, where: str) -> None:
        if context.is_set("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"):
            raise _disabled("A program", where)
        allowed = context.options.get("allow_external_process")
        if not (context.is_set("APSARAVIDEO_ALLOW_EXTERNAL_PROCESS") if allowed is None else allowed):
            raise CredentialsError(
                f"A program would give the keys of {where}, and it is not allowed to run",
                "Where you trust it, set allow_external_process in the task, apsaravideo_allow_external_process with "
                "-e, or APSARAVIDEO_ALLOW_EXTERNAL_PROCESS in the environment; other variables do not count.",
            )
        self._context = context
        self._command = command
        self._what = f"the program of {where}"

    def keys(self, expired: Keys | None = None) -> Keys | None:
        """The keys."""
        return Issued(self._context, ("program", self._command), self._issue).keys(expired)

    def _issue(self) -> Keys:
        content = parsed(self._output(), self._what)
        fields = content if isinstance(content, dict) else {}
        key_id, secret, token, end = (
            fields.get(name) or None for name in ("access_key_id", "access_key_secret", "sts_token", "expiration")
        )
        wanted = [key_id, secret, token] if fields.get("mode") == "StsToken" or token else [key_id, secret]
        if not all(isinstance(value, str) for value in [*wanted, end or ""]):
            raise self._unusable("it printed no keys", "Have it print the fields that the CLI's mode External needs.")
        renew_at = renewal(str(end), self._what, self._context.clock.now()) if end else math.inf
        return Keys(str(key_id), str(secret), token, self._what, renew_at=renew_at)

    def _output(self) -> bytes:
        """What it prints; what it says on its error output may hold secrets and is not read."""
        try:
            # There is no module here whose run_command could be called, and that has no time-out.
            with subprocess.Popen(  # pylint: disable=ansible-bad-function
                shlex.split(self._command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(self._context.environ),
                start_new_session=True,
            ) as program:
                try:
                    output, _errors = program.communicate(timeout=_PROGRAM_SECONDS)
                except subprocess.TimeoutExpired:
                    os.killpg(program.pid, signal.SIGKILL)
                    raise self._unusable(f"it did not end within {_PROGRAM_SECONDS} seconds", "Look at it.") from None
        except OSError as error:
            raise self._unusable(f"it cannot be run: {error.strerror}", "Correct process_command.") from None
        except ValueError:
            raise self._unusable("process_command is no command", "Correct process_command.") from None
        if program.returncode:
            raise self._unusable(f"it ended with status {program.returncode}", "Run it by hand to see why.")
        return output

    def _unusable(self, why: str, advice: str) -> CredentialsError:
        return CredentialsError(f"No keys from {self._what}: {why}", advice)


def _disabled(what: str, where: str) -> CredentialsError:
    return CredentialsError(
        f"{what} would give the keys of {where}, and ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS is set",
        "Unset it, or use other keys.",
    )
