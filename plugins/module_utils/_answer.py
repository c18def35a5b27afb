# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came back over HTTP, as a dictionary or as an exception.

The cloud answers JSON when asked to; gateways and proxies on the way answer XML or HTML. Error bodies are
`{"RequestId", "HostId", "Code", "Message"}` or the same as XML below `<Error>`.
"""

from __future__ import annotations

import json
import re
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from xml.etree import ElementTree

from ._errors import (
    AnswerLost,
    ApiError,
    EndpointUnusable,
    LiveError,
    Throttled,
    error_class,
    explain,
)

_LONGEST_MESSAGE = 300
_STATUS_OK = 200
_STATUS_REDIRECT = 300
_STATUS_ERROR = 400
_STATUS_SERVER_ERROR = 500


class HttpAnswer(NamedTuple):
    """An answer as received: status, headers with names in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes


def read(answer: HttpAnswer, action: str, subject: str, now: float) -> dict[str, Any]:
    """The content of a successful answer; raises the LiveError that anything else stands for.

    `subject` names what the call was about, and `now` is the local time in seconds since the epoch, both for messages.
    A body under the key `<action>Response` is unwrapped.
    """
    content = _parsed(answer.body)
    if isinstance(content, dict):
        content = content.get(f"{action}Response", content)
    code = _text(content, "Code", "code") if isinstance(content, dict) else None
    if answer.status < _STATUS_REDIRECT:
        if isinstance(content, dict) and _text(content, "RequestId", "requestId"):
            return content
        raise _unreadable(answer, action, subject)
    if not isinstance(content, dict) or not code:
        raise _no_code(answer, action, subject)
    raise _api_error(answer, content, code, action, subject, now)


def request_id(content: dict[str, Any]) -> str:
    """The RequestId of an answer that `read` returned."""
    return _text(content, "RequestId", "requestId") or ""


def whole_number(value: Any) -> int | None:
    """A whole number of an answer, which may come as a text; None for anything else."""
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else None


def _parsed(body: bytes) -> Any:
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    if text.startswith("<"):
        return _parsed_xml(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parsed_xml(text: str) -> dict[str, str] | None:
    """The texts directly below the root; None where there is more to it, which a flat dictionary would misreport."""
    if "<!" in text:
        return None  # a document type can define entities that grow without bound, and the cloud sends none
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    if root.tag != "Error" and any(len(child) for child in root):
        return None
    return {child.tag: (child.text or "").strip() for child in root}


def _text(content: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = content.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _api_error(
    answer: HttpAnswer, content: dict[str, Any], code: str, action: str, subject: str, now: float
) -> ApiError:
    explanation = explain(code, _message(content), action)
    kind = error_class(code, answer.status)
    error = kind(
        f"{subject} was refused: {explanation.happened}",
        explanation.advice,
        code=code,
        request_id=_text(content, "RequestId", "requestId"),
        http_status=answer.status,
        action=action,
    )
    if isinstance(error, Throttled):
        error.retry_after = _retry_after(answer.headers)
    if code.startswith("InvalidTimeStamp"):
        error.happened += _skew(answer, now)
    return error


def _message(content: dict[str, Any]) -> str:
    """The server's message on one line; what follows "string to sign" is cut, because keys and tokens stand there."""
    message = " ".join((_text(content, "Message", "message", "Description") or "").split())
    cut = re.split(r"(?i)string ?to ?sign", message)[0].rstrip(" .:")
    return cut[:_LONGEST_MESSAGE]


def _retry_after(headers: dict[str, str]) -> float | None:
    """Seconds of `x-acs-retry-after`, which is in milliseconds (the SDK's sleep function takes them as such)."""
    value = headers.get("x-acs-retry-after", "")
    return int(value) / 1000 if re.fullmatch(r"[0-9]{1,9}", value) else None


def _skew(answer: HttpAnswer, now: float) -> str:
    try:
        server = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError, IndexError):
        return ""
    seconds = now - server
    if abs(seconds) < 1:
        return ""
    return f" (this machine is {abs(seconds) / 60:.0f} minutes {'ahead' if seconds > 0 else 'behind'})"


def _no_code(answer: HttpAnswer, action: str, subject: str) -> LiveError:
    """An answer that says it failed, but not with an error of the cloud: something in between spoke."""
    status = answer.status
    if status >= _STATUS_SERVER_ERROR:
        return _unreadable(answer, action, subject)
    if status < _STATUS_ERROR:
        happened = f"{subject} failed: the endpoint redirects elsewhere (HTTP {status}), and keys are not sent on"
    else:
        happened = f"{subject} failed: something other than the cloud refused it (HTTP {status}, {_kind(answer)})"
    advice = "Check the option endpoint and the proxy settings of the machine that runs the task."
    return EndpointUnusable(happened, advice, http_status=status, action=action)


def _unreadable(answer: HttpAnswer, action: str, subject: str) -> AnswerLost:
    return AnswerLost(
        f"{subject} got no usable answer (HTTP {answer.status}, {_kind(answer)}), and may or may not have taken effect",
        "Check the option endpoint and any proxy in between, then run again.",
        http_status=answer.status,
        action=action,
    )


def _kind(answer: HttpAnswer) -> str:
    if not answer.body:
        return "an empty body"
    kind = answer.headers.get("content-type", "").split(";")[0].strip()
    return f"{len(answer.body)} bytes of {kind or 'unknown content'}"
