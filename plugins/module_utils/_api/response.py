# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came back over HTTP, as a dictionary or as an exception.

The cloud answers JSON when asked to; gateways and proxies on the way answer XML or HTML. Error bodies are
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

_LONGEST_MESSAGE = 300
_LONGEST_PAUSE = 30.0  # seconds; half of the default of retry_timeout, so that another attempt is left
_LARGEST_XML = 64 * 1024  # characters; only errors come as XML, from gateways that were not asked for it
_STATUS_REDIRECT = 300
_STATUS_ERROR = 400
_STATUS_TIMEOUT = 408
_STATUS_SERVER_ERROR = 500
_ID = re.compile(r"[!-~]{1,128}")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,127}")
_SUCCESS_CODES = frozenset({"ok", "success"})  # what Code may be in a listing, beside a number


def read(
    answer: HttpResponse, action: str, subject: str, now: float, hidden: Callable[[str], str] = str
) -> dict[str, Any]:
    """The content of a successful answer; raises the LiveError that anything else stands for.

    `subject` names what the call was about, `now` is the local time in seconds since the epoch, and `hidden` masks the
    secrets that the server may have echoed, all three for messages.
    A body under the key `<action>Response` is unwrapped. An error code counts whatever the HTTP status is.
    """
    content = _parsed(answer.body)
    if isinstance(content, dict):
        content = content.get(f"{action}Response", content)
    if not isinstance(content, dict):
        raise _no_code(answer, action, subject)
    code = _text(content, _CODE, "Code", "code")
    if answer.status < _STATUS_REDIRECT:
        if not request_id(content):
            raise _no_code(answer, action, subject)
        if not code or code.lower() in _SUCCESS_CODES:
            return content
    if not code:
        raise _no_code(answer, action, subject)
    raise _api_error(answer, content, code, action, subject, now, hidden)


def request_id(content: Mapping[str, Any]) -> str:
    """The RequestId of an answer that `read` returned."""
    return _text(content, _ID, "RequestId", "requestId") or ""


def _parsed(body: bytes) -> Any:
    """What a body holds; None where it is neither JSON nor flat XML, or says one thing twice."""
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    try:
        if text.startswith("<"):
            return _parsed_xml(text)
        return parse_json(text)
    except (ValueError, RecursionError):
        return None


def _parsed_xml(text: str) -> dict[str, str] | None:
    """The texts directly below the root; None where there is more to it, which a flat dictionary would misreport."""
    if "<!" in text or len(text) > _LARGEST_XML:
        return None  # a document type can define entities that grow without bound, and the cloud sends none
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    if root.tag != "Error" and any(len(child) for child in root):
        return None
    return build_unique_dict([(child.tag, (child.text or "").strip()) for child in root])


_ANY = re.compile(r"(?s).+")


def _text(content: Mapping[str, Any], pattern: re.Pattern[str], *names: str) -> str | None:
    """The first of these entries that is a text of this form."""
    for name in names:
        value = content.get(name)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
    return None


def _api_error(
    answer: HttpResponse,
    content: dict[str, Any],
    code: str,
    action: str,
    subject: str,
    now: float,
    hidden: Callable[[str], str],
) -> ApiError:
    explanation = explain(code, _message(content, hidden), action)
    kind = classify_error(code, answer.status)
    error = kind(
        f"{subject} was refused: {explanation.happened}",
        explanation.advice,
        code=code,
        request_id=request_id(content) or None,
        http_status=answer.status,
        action=action,
    )
    if isinstance(error, Throttled):
        error.retry_after = _retry_after(answer.headers)
    if isinstance(error, ClockWrong):
        there = server_time(answer.headers)
        error.ahead = None if there is None else there - now
        error.happened += _skew(error.ahead)
    return error


def _message(content: dict[str, Any], hidden: Callable[[str], str]) -> str:
    """The server's message on one line; what follows "string to sign" is cut, because keys and tokens stand there."""
    said = _text(content, _ANY, "Message", "message", "Description") or ""
    message = printable(hidden(" ".join(said.split())))  # before it is cut, because a part of a secret is not masked
    cut = re.split(r"(?i)string ?to ?sign", message)[0].rstrip(" .:")
    return cut[:_LONGEST_MESSAGE]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `x-acs-retry-after`, which is in milliseconds (the SDK's sleep function takes them as such)."""
    value = headers.get("x-acs-retry-after", "")
    return min(int(value) / 1000, _LONGEST_PAUSE) if re.fullmatch(r"[0-9]{1,18}", value) else None


def _skew(ahead: float | None) -> str:
    if ahead is None or abs(ahead) < 1:
        return ""
    return f" (this machine is {format_duration(abs(ahead))} {'behind' if ahead > 0 else 'ahead'})"


def _no_code(answer: HttpResponse, action: str, subject: str) -> LiveError:
    """An answer that is neither a result nor an error of the cloud: something in between spoke."""
    status = answer.status
    if status == TOO_MANY_REQUESTS:
        return Throttled(
            f"{subject} was dropped on the way, because of too many calls (HTTP {status}, {_kind(answer)})",
            "Run fewer clients at once, raise retry_timeout, or look at any proxy in between.",
            http_status=status,
            action=action,
            retry_after=_retry_after(answer.headers),
        )
    if status < _STATUS_REDIRECT or status == _STATUS_TIMEOUT or status >= _STATUS_SERVER_ERROR:
        return _unreadable(answer, action, subject)
    if status < _STATUS_ERROR:
        happened = f"{subject} failed: the endpoint redirects elsewhere (HTTP {status}), and keys are not sent on"
    else:
        happened = f"{subject} failed: something other than the cloud refused it (HTTP {status}, {_kind(answer)})"
    advice = "Check the option endpoint and the proxy settings of the machine that runs the task."
    return EndpointUnusable(happened, advice, http_status=status, action=action)


def _unreadable(answer: HttpResponse, action: str, subject: str) -> ResponseLost:
    return ResponseLost(
        f"{subject} got no usable answer (HTTP {answer.status}, {_kind(answer)}), and may or may not have taken effect",
        "Check the option endpoint and any proxy in between, then run again.",
        http_status=answer.status,
        action=action,
    )


def _kind(answer: HttpResponse) -> str:
    if not answer.body:
        return "an empty body"
    kind = answer.headers.get("content-type", "").split(";")[0].strip()
    kind = kind if re.fullmatch(r"[A-Za-z0-9.+-]{1,40}/[A-Za-z0-9.+-]{1,40}", kind) else "unknown content"
    return f"{len(answer.body)} bytes of {kind}"
