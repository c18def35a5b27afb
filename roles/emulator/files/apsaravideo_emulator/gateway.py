# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path of one API request, from its bytes to its response.

The order of checks: TLS, method, action and version, access key, date, signature, nonce, token, policy, call limit,
parameters, and only then the operation. A call that fails a check has no effect.

All checks but that of the parameters happen when a call arrives, before latency and injected delays, so that a slow
call counts against its limit at once.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from . import operations, render, sts
from .clock import parse_iso
from .errors import ErrorTable, GatewayError
from .faults import Fault, Strike
from .gate import GateClosed
from .identity import AccessKey, Principal
from .operations import LIVE_VERSION
from .operations.call import Call, Operation
from .parameters import read_parameters
from .resources import UnknownDomain
from .signatures import ACS3, HttpRequest, is_acs3, read_claim
from .sts import STS_VERSION
from .world import MAX_DATE_DIFFERENCE, World

ARN_PARTS = ("acs", "service", "region", "account", "resource")
FORM_TYPE = "application/x-www-form-urlencoded"

_PRODUCTS: dict[str, dict[str, Operation]] = {
    LIVE_VERSION: operations.OPERATIONS,
    STS_VERSION: sts.OPERATIONS,
}
_HOSTS = {LIVE_VERSION: "live.aliyuncs.com", STS_VERSION: "sts.aliyuncs.com"}


@dataclass
class HttpResponse:
    """A response; `disruption` is None, or the way in which the connection breaks (`reset` or `truncate`).

    A `stream` of so many bytes, or of unknown length, takes the place of the body.
    """

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
    disruption: str | None = None
    code: str | None = None
    stream: Iterator[bytes] | None = None
    length: int | None = None


@dataclass
class Exchange:
    """A request being processed; `refusal` is the error if it was not admitted, else `operation` and `key` are set."""

    request: HttpRequest
    secure: bool
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    operation: Operation | None = None
    key: AccessKey | None = None
    refusal: GatewayError | None = None
    account: str | None = None
    scheme: str | None = None
    throttled: bool = False

    def __post_init__(self) -> None:
        self.acs3 = is_acs3(self.request.headers)
        self.parameters = dict(self.request.query + self.request.form)
        headers = self.request.headers
        self.action = headers.get("x-acs-action", "") if self.acs3 else self.parameters.get("Action", "")
        self.version = headers.get("x-acs-version", "") if self.acs3 else self.parameters.get("Version", "")

    @property
    def wants_json(self) -> bool:
        """Return whether to respond in JSON; without a Format parameter, ACS3 clients get JSON and older ones XML."""
        format_ = self.parameters.get("Format", "")
        return format_.upper() == "JSON" if format_ else self.acs3


class Gateway:
    """The handler of API requests."""

    def __init__(self, world: World) -> None:
        self.world = world

    def respond(self, request: HttpRequest, secure: bool) -> HttpResponse:
        """Process one request and log it."""
        world = self.world
        arrived = time.time()
        exchange = Exchange(request, secure)
        strike = world.faults.pick(exchange.action, exchange.parameters)
        try:
            if strike.fault is None or strike.fault.processed:
                with world.gate:
                    self._receive(exchange)
            time.sleep(world.behaviour.latency / 1000 + strike.delay)
            with world.gate:
                response = self._respond_and_log(exchange, arrived, strike)
        except GateClosed:
            return HttpResponse(0, b"", "", disruption="reset")
        if strike.name == "stall":
            time.sleep(strike.seconds)
        return response

    def _respond_and_log(self, exchange: Exchange, arrived: float, strike: Strike) -> HttpResponse:
        calls = self.world.calls
        response = (
            self._apply_fault(exchange, strike.fault, strike.seconds) if strike.fault else self._process(exchange)
        )
        response.headers.setdefault("x-acs-request-id", exchange.request_id)
        calls.add(
            arrived,
            exchange.action,
            exchange.parameters,
            exchange.request_id,
            account=exchange.account,
            http_status=response.status,
            code=response.code,
            signature=exchange.scheme,
            throttled=exchange.throttled,
            fault=strike.name,
        )
        return response

    def _receive(self, exchange: Exchange) -> None:
        """Authenticate and admit a request, or store the refusal in the exchange."""
        try:
            operation = self._operation(exchange)
            key = self._authenticate(exchange) if operation.signed else self._anonymous_caller(exchange)
            self._authorise(operation, key)
            self._admit(exchange, operation, key)
        except GatewayError as error:
            exchange.refusal = error
        else:
            exchange.operation, exchange.key = operation, key

    def _process(self, exchange: Exchange) -> HttpResponse:
        try:
            content = self._execute(exchange)
        except GatewayError as error:
            return self._failure(exchange, error)
        return self._success(exchange, content)

    def _execute(self, exchange: Exchange) -> dict[str, Any]:
        if exchange.refusal:
            raise exchange.refusal
        operation, key = exchange.operation, exchange.key
        assert operation is not None and key is not None
        behaviour = self.world.behaviour
        generation = behaviour.generations.get(operation.name, behaviour.generation)
        errors = ErrorTable(generation if exchange.version == LIVE_VERSION else "old", behaviour.config_exists_code)
        values = read_parameters(operation.parameters, exchange.parameters, errors)
        with self.world.lock:
            cloud = self.world.cloud
            call = Call(cloud, key, values, errors, exchange.request_id, cloud.settle())
            content = operation.execute(call)
        exchange.account = key.principal.account
        return content

    def _operation(self, exchange: Exchange) -> Operation:
        behaviour = self.world.behaviour
        if behaviour.is_on("require_tls") and not exchange.secure:
            raise GatewayError("InvalidProtocol.NeedSsl", 404, "Your request is denied as lack of ssl protect.")
        if exchange.request.method not in ("GET", "POST"):
            raise GatewayError("UnsupportedHTTPMethod", 400, "This http method is not supported.")
        for name, value in (("Action", exchange.action), ("Version", exchange.version)):
            if not value:
                raise GatewayError(f"Missing{name}", 400, f"{name} is mandatory for this action.")
        if exchange.version not in _PRODUCTS:
            raise GatewayError(behaviour.version_code, 400, "Specified parameter Version is not valid.")
        operation = _PRODUCTS[exchange.version].get(exchange.action)
        if operation is None or exchange.request.path != "/":
            raise GatewayError(
                "InvalidAction.NotFound", 404, "Specified api is not found, please check your url and method."
            )
        if exchange.parameters.get("Format", "JSON").upper() not in ("JSON", "XML"):
            raise GatewayError("InvalidParameter", 400, 'The specified parameter "Format" is not valid.')
        return operation

    def _authenticate(self, exchange: Exchange) -> AccessKey:
        claim = read_claim(exchange.request)
        exchange.scheme = "acs3" if claim.scheme == ACS3 else "hmac-sha1"
        identities = self.world.cloud.identities
        key = identities.find_key(claim.key_id)
        now = self._check_date(claim.date)
        claim.verify(key.secret)
        self.world.nonces.use(key.principal.account, claim.nonce, now)
        identities.check_token(key, claim.token, now)
        exchange.account = key.principal.account
        return key

    def _anonymous_caller(self, exchange: Exchange) -> AccessKey:
        """Return the caller of an unsigned operation, who counts towards the call limit of the account in RoleArn."""
        date = exchange.parameters.get("Timestamp") or exchange.request.headers.get("x-acs-date")
        if not date:
            raise GatewayError("MissingTimestamp", 400, "Timestamp is mandatory for this action.")
        self._check_date(date)
        parts = exchange.parameters.get("RoleArn", "").split(":")
        return AccessKey("", "", Principal(parts[3] if len(parts) == len(ARN_PARTS) else "", "stranger"))

    def _check_date(self, date: str) -> float:
        """Return the gateway's time in epoch seconds; raise GatewayError if the request's date is not close to it."""
        now = self.world.gateway_time()
        try:
            sent = parse_iso(date)
        except ValueError:
            raise GatewayError(
                "InvalidTimeStamp.Format", 400, "Specified time stamp or date value is not well formatted."
            ) from None
        if abs(now - sent) > MAX_DATE_DIFFERENCE:
            raise GatewayError("InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired.")
        return now

    def _authorise(self, operation: Operation, key: AccessKey) -> None:
        behaviour = self.world.behaviour
        if not operation.permission or key.principal.may(operation.permission):
            return
        if behaviour.denial_code == "Forbidden" and operation.permission.startswith("live:"):
            raise GatewayError("Forbidden", 400, "Ram Permission is forbidden.")
        details = {
            "AuthAction": operation.permission,
            "AuthPrincipalDisplayName": key.principal.name,
            "AuthPrincipalOwnerId": key.principal.account,
            "PolicyType": "AccountLevelIdentityBasedPolicy",
            "NoPermissionType": "ImplicitDeny",
        }
        raise GatewayError(
            "Forbidden.RAM",
            403,
            "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
            details=details if behaviour.is_on("access_denied_detail") else None,
        )

    def _admit(self, exchange: Exchange, operation: Operation, key: AccessKey) -> None:
        behaviour = self.world.behaviour
        wait = self.world.windows.admit(
            (key.principal.account, operation.name),
            behaviour.limits.get(operation.name, operation.limit),
            taken=behaviour.other_client.get(operation.name, 0.0),
            count_dropped=behaviour.dropped_calls == "counted",
        )
        if wait:
            raise self._throttling_error(exchange, wait)

    def _throttling_error(self, exchange: Exchange, wait: int) -> GatewayError:
        exchange.throttled = True
        return GatewayError(
            self.world.behaviour.throttle_code,
            int(self.world.behaviour.throttle_status),
            "Request was denied due to user flow control.",
            retry_after=wait,
        )

    def _success(self, exchange: Exchange, content: dict[str, Any]) -> HttpResponse:
        content = {"RequestId": exchange.request_id, **content}
        root = f"{exchange.action}Response"
        if not exchange.wants_json:
            return HttpResponse(200, render.as_xml(root, content), render.XML_TYPE)
        if self.world.behaviour.answers == "wrapped":
            content = {root: content}
        return HttpResponse(200, render.as_json(content), render.JSON_TYPE)

    def _failure(self, exchange: Exchange, error: GatewayError) -> HttpResponse:
        content: dict[str, Any] = {
            "RequestId": exchange.request_id,
            "HostId": _HOSTS.get(exchange.version, _HOSTS[LIVE_VERSION]),
            "Code": error.code,
            "Message": error.message,
            "Recommend": f"https://api.aliyun.com/troubleshoot?q={error.code}&requestId={exchange.request_id}",
        }
        if error.details:
            content["AccessDeniedDetail"] = error.details
        headers = {}
        if error.retry_after is not None and self.world.behaviour.is_on("retry_after"):
            headers["x-acs-retry-after"] = str(error.retry_after)
        status = self.world.behaviour.http_status.get(error.code, error.http_status)
        if exchange.wants_json:
            return HttpResponse(status, render.as_json(content), render.JSON_TYPE, headers, code=error.code)
        return HttpResponse(status, render.as_xml("Error", content), render.XML_TYPE, headers, code=error.code)

    def _apply_fault(self, exchange: Exchange, fault: Fault, seconds: float) -> HttpResponse:
        if fault.fault == "push_ends":
            with self.world.lock, contextlib.suppress(UnknownDomain):
                self.world.cloud.end_push(*fault.stream.split("/", 2))
            return self._process(exchange)
        response = self._process(exchange) if fault.processed else None
        if fault.fault in ("reset_before", "reset_after", "stall"):
            return HttpResponse(0, b"", "", disruption="reset")
        if fault.fault in ("truncate", "half_json", "empty"):
            return _damage(fault.fault, response or self._success(exchange, {}))
        if fault.fault == "bare":
            return self._success(exchange, {})
        if fault.fault in ("html", "redirect"):
            return _intermediary_response(fault)
        if fault.fault == "throttle":
            return self._failure(exchange, self._throttling_error(exchange, max(1, int(seconds * 1000))))
        return self._failure(exchange, _fault_error(fault))


def _intermediary_response(fault: Fault) -> HttpResponse:
    """Return the response of a captive portal or a redirecting proxy."""
    if fault.fault == "redirect":
        return HttpResponse(302, b"", "text/html", {"Location": fault.location})
    return HttpResponse(200, b"<!DOCTYPE html><html><body><h1>Welcome to the network</h1></body></html>", "text/html")


def _damage(kind: str, response: HttpResponse) -> HttpResponse:
    if kind == "truncate":
        response.disruption = "truncate"
    elif kind == "half_json":
        response.body = response.body[: len(response.body) // 2]
    elif kind == "empty":
        response.body = b""
    return response


def _fault_error(fault: Fault) -> GatewayError:
    if fault.fault == "error":
        return GatewayError(fault.code, fault.http_status, fault.message)
    status = HTTPStatus(int(fault.fault.rpartition("_")[2]))
    code = "InternalError" if status == HTTPStatus.INTERNAL_SERVER_ERROR else "ServiceUnavailable"
    return GatewayError(code, status, "The request has failed due to a temporary failure of the server.")


def parse_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> HttpRequest:
    """Parse an HTTP request; the names in `headers` must be in lower case."""
    path, _mark, query = target.partition("?")
    form: tuple[tuple[str, str], ...] = ()
    if body and headers.get("content-type", "").partition(";")[0].strip().lower() == FORM_TYPE:
        form = _pairs(body.decode("utf-8", "replace"))
    return HttpRequest(method, path or "/", _pairs(query), headers, body, form)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="replace"))
