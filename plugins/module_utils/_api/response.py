# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP responses of the API, as a dictionary or as an exception.

The cloud sends JSON as requested; gateways and proxies on the way send XML or HTML. Error bodies are
`{"RequestId", "HostId", "Code", "Message"}` or the same as XML below `<Error>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from .._errors import ApiError, ClockWrong, EndpointUnusable, LiveError, ResponseLost, Throttled, printable
from .._http.response import HttpResponse, server_time
from .._util.strict_json import build_unique_dict, parse_json
from .._util.text import format_duration
from .error_codes import TOO_MANY_REQUESTS, classify_error, explain

_MAX_MESSAGE = 300  # characters
_MAX_RETRY_AFTER = 30.0  # seconds; half of the default of retry_timeout, so that another attempt is left
_MAX_XML = 64 * 1024  # characters; only errors come as XML, from gateways that do not heed the Accept header
_STATUS_REDIRECT = 300
_STATUS_ERROR = 400
_STATUS_TIMEOUT = 408
_STATUS_SERVER_ERROR = 500
_ID = re.compile(r"[!-~]{1,128}")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,127}")
_SUCCESS_CODES = frozenset({"ok", "success"})  # what Code may be in a listing, beside a number


def read(
    received: HttpResponse, action: str, subject: str, now: float, mask: Callable[[str], str] = str
) -> dict[str, Any]:
    """Return the content of a successful response; raises the LiveError that any other response stands for.

    `subject` names the call in messages, `now` is the local time in seconds since the epoch, and `mask` masks secrets
    that the server may have echoed. A body under the key `<action>Response` is unwrapped. An error code counts whatever
    the HTTP status is.
    """
    content = _parse(received.body)
    if isinstance(content, dict):
        content = content.get(f"{action}Response", content)
    if not isinstance(content, dict):
        raise _error_without_code(received, action, subject)
    code = _find_text(content, _CODE, "Code", "code")
    if received.status < _STATUS_REDIRECT:
        if not get_request_id(content):
            raise _error_without_code(received, action, subject)
        if not code or code.lower() in _SUCCESS_CODES:
            return content
    if not code:
        raise _error_without_code(received, action, subject)
    raise _api_error(received, content, code, action, subject, now, mask)


def get_request_id(content: Mapping[str, Any]) -> str:
    """Return the RequestId of a response's content, an empty text if there is none."""
    return _find_text(content, _ID, "RequestId", "requestId") or ""


def _parse(body: bytes) -> Any:
    """Return the content of a body; None if it is neither JSON nor flat XML, or has duplicate keys."""
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    try:
        if text.startswith("<"):
            return _parse_xml(text)
        return parse_json(text)
    except (ValueError, RecursionError):
        return None


def _parse_xml(text: str) -> dict[str, str] | None:
    """Return the texts directly below the root; None for nested elements, which a flat dictionary would misreport."""
    if "<!" in text or len(text) > _MAX_XML:
        return None  # A document type can define entities that grow without bound, and the cloud sends none.
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    if root.tag != "Error" and any(len(child) for child in root):
        return None
    return build_unique_dict([(child.tag, (child.text or "").strip()) for child in root])


_ANY = re.compile(r"(?s).+")


def _find_text(content: Mapping[str, Any], pattern: re.Pattern[str], *names: str) -> str | None:
    """Return the first of the named values that is a text matching the pattern, None if none does."""
    for name in names:
        value = content.get(name)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
    return None


def _api_error(
    received: HttpResponse,
    content: dict[str, Any],
    code: str,
    action: str,
    subject: str,
    now: float,
    mask: Callable[[str], str],
) -> ApiError:
    explanation = explain(code, _clean_message(content, mask), action)
    kind = classify_error(code, received.status)
    ahead = _measure_skew(received, now) if kind is ClockWrong else None
    error = kind(
        f"{subject} was refused: {explanation.happened}{_describe_skew(ahead)}",
        explanation.advice,
        code=code,
        request_id=get_request_id(content) or None,
        http_status=received.status,
        action=action,
    )
    if isinstance(error, Throttled):
        error.retry_after = _parse_retry_after(received.headers)
    if isinstance(error, ClockWrong):
        error.ahead = ahead
    return error


def _measure_skew(received: HttpResponse, now: float) -> float | None:
    """Return the seconds by which the cloud's clock is ahead, None without a usable `Date`."""
    date = server_time(received.headers)
    return None if date is None else date - now


def _clean_message(content: dict[str, Any], mask: Callable[[str], str]) -> str:
    """Return the server's message on one line, cut at "string to sign", which is followed by access keys and tokens."""
    text = _find_text(content, _ANY, "Message", "message", "Description") or ""
    message = printable(mask(" ".join(text.split())))  # It is masked before it is cut, which might split a secret.
    cut = re.split(r"(?i)string ?to ?sign", message)[0].rstrip(" .:")
    return cut[:_MAX_MESSAGE]


def _parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `x-acs-retry-after`, which is in milliseconds, as the SDK takes it."""
    value = headers.get("x-acs-retry-after", "")
    return min(int(value) / 1000, _MAX_RETRY_AFTER) if re.fullmatch(r"[0-9]{1,18}", value) else None


def _describe_skew(ahead: float | None) -> str:
    if ahead is None or abs(ahead) < 1:
        return ""
    return f" (this machine is {format_duration(abs(ahead))} {'behind' if ahead > 0 else 'ahead'})"


def _error_without_code(received: HttpResponse, action: str, subject: str) -> LiveError:
    """Return the error of a response that is not the cloud's, but of something in between."""
    status = received.status
    if status == TOO_MANY_REQUESTS:
        return Throttled(
            f"{subject} was dropped on the way, because of too many calls (HTTP {status}, {_describe_body(received)})",
            "Run fewer clients at once, raise retry_timeout, or look at any proxy in between.",
            http_status=status,
            action=action,
            retry_after=_parse_retry_after(received.headers),
        )
    if status < _STATUS_REDIRECT or status == _STATUS_TIMEOUT or status >= _STATUS_SERVER_ERROR:
        return _unreadable_error(received, action, subject)
    if status < _STATUS_ERROR:
        happened = (
            f"{subject} failed: the endpoint redirects elsewhere (HTTP {status}), and credentials are not sent on"
        )
    else:
        happened = (
            f"{subject} failed: something other than the cloud refused it (HTTP {status}, {_describe_body(received)})"
        )
    advice = "Check the option endpoint and the proxy settings of the machine that runs the task."
    return EndpointUnusable(happened, advice, http_status=status, action=action)


def _unreadable_error(received: HttpResponse, action: str, subject: str) -> ResponseLost:
    return ResponseLost(
        f"{subject} got no usable response (HTTP {received.status}, {_describe_body(received)}), and may or may not "
        "have taken effect",
        "Check the option endpoint and any proxy in between, then run again.",
        http_status=received.status,
        action=action,
    )


def _describe_body(received: HttpResponse) -> str:
    if not received.body:
        return "an empty body"
    kind = received.headers.get("content-type", "").split(";")[0].strip()
    kind = kind if re.fullmatch(r"[A-Za-z0-9.+-]{1,40}/[A-Za-z0-9.+-]{1,40}", kind) else "unknown content"
    return f"{len(received.body)} bytes of {kind}"
