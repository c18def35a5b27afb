# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors that a task reports, in words for the person who reads them, and whether another attempt may help."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

_MAX_SENTENCE = 1500  # characters

_Error = TypeVar("_Error", bound="LiveError")


def printable(text: str) -> str:
    """Return the text on one line, with everything that could steer a terminal or hide escaped as in Python's source.

    Texts may come from strangers. One that is printable already stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class LiveError(Exception):
    """Anything foreseeable that keeps a task from its end.

    `happened` and `advice` are one sentence each: what happened, and what to do next. The first may quote options and
    responses, so it is cut and made `printable`. `code`, `request_id` and `http_status` are those of the response, None
    without one. `action` is the API operation. `after_lost_response`: an earlier attempt of the same call may have
    taken effect. `may_have_changed`: the task may have changed something.
    """

    retryable = False
    outcome_unknown = False

    def __init__(
        self,
        happened: str,
        advice: str,
        *,
        code: str | None = None,
        request_id: str | None = None,
        http_status: int | None = None,
        action: str | None = None,
    ) -> None:
        super().__init__(happened)
        self.happened = happened
        self.advice = advice
        self.code = code
        self.request_id = request_id
        self.http_status = http_status
        self.action = action
        self.after_lost_response = False
        self.may_have_changed = False

    @property
    def happened(self) -> str:
        """Return what happened."""
        return self._happened

    @happened.setter
    def happened(self, text: str) -> None:
        self._happened = printable(text if len(text) <= _MAX_SENTENCE else f"{text[:_MAX_SENTENCE]}...")
        self.args = (self._happened,)  # A repr shows no more than the message does.

    def with_context(self: _Error, **attributes: Any) -> _Error:
        """Return a copy with these attributes replaced; raises AttributeError for one that there is not."""
        error = copy.copy(self)
        for name, value in attributes.items():
            if not hasattr(error, name):
                raise AttributeError(f"{type(self).__name__} has no {name}")
            setattr(error, name, value)
        return error

    def __copy__(self: _Error) -> _Error:
        """Return an equal error without traceback and cause; what the default would call may take other arguments."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin

    def __str__(self) -> str:
        marks = [mark for mark in (self.code, self.request_id and f"RequestId {self.request_id}") if mark]
        label = f" ({', '.join(marks)})" if marks else ""
        return printable(f"{self.happened}{label}. {self.advice}")

    def as_result(self) -> dict[str, Any]:
        """Return the entry `error` of a failed result."""
        return {
            "code": self.code,
            "message": self.happened,
            "request_id": self.request_id,
            "http_status": self.http_status,
            "action": self.action,
        }


class InvalidOption(LiveError):
    """An option that no call could be made with; it is found before anything is sent."""


class CredentialsError(LiveError):
    """No credentials, incomplete ones, or a provider of credentials that failed."""


class NotSent(LiveError):
    """The connection failed before the request was sent, so the cloud cannot have acted on it."""

    retryable = True


class EndpointUnusable(LiveError):
    """The endpoint cannot work as it is set: unknown name, no TLS, untrusted certificate, a redirect."""


class ResponseLost(LiveError):
    """The request may have reached the cloud, but no usable response came back."""

    retryable = True
    outcome_unknown = True


class ApiError(LiveError):
    """The cloud responded with an error code."""


class Throttled(ApiError):
    """The call exceeded a quota and was dropped. `retry_after` is the server's wish in seconds, or None."""

    retryable = True

    def __init__(self, *args: Any, retry_after: float | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.retry_after = retry_after


class ServerFault(ApiError):
    """The cloud failed internally; it is not known whether the call took effect."""

    retryable = True
    outcome_unknown = True


class NonceUsed(ApiError):
    """The cloud has seen this very request before, so an earlier copy of it may have taken effect."""

    retryable = True
    outcome_unknown = True


class ClockWrong(ApiError):
    """The cloud refused the request because of its date, before it read anything else in it.

    `ahead`: the seconds by which the cloud's clock is ahead of this machine's, None where the response does not tell.
    """

    ahead: float | None = None


class CredentialsExpired(ApiError):
    """The cloud refused the request because its security token has expired; it had no effect."""


class ParentExited(LiveError):
    """The run that a task belongs to has exited, and nobody would learn what its calls do."""


class OutcomeUnknown(LiveError):
    """The response to a call that must not be repeated blindly was lost.

    `lost_at`: when the request was sent by this machine's clock, in seconds since the epoch.
    """

    outcome_unknown = True
    lost_at = 0.0
