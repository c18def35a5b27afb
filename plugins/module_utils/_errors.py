# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, in words for the person who reads them, and whether it is worth another try.

Error codes are those of the product (both generations of its documentation) and of the RPC gateway. Decisions rest on
the code alone: the HTTP status of one code differs between gateways, and 409 stands for `TaskAlreadyStarted` as well as
for `StreamNotFound`.
"""

from __future__ import annotations

from typing import Any

_LONGEST_SENTENCE = 1500  # characters


def printable(text: str) -> str:
    """Return a text in which nothing steers a terminal, ends a line or hides: texts may come from strangers.

    Whatever else there is in it stands there as in Python's source: `\\x1b`, `\\u200b`. It may be printable already.
    """
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


class LiveError(Exception):
    """Anything foreseeable that keeps a task from its end.

    `happened` and `advice` are one sentence each: what happened, which may quote what was given or answered and is made
    `printable`, and what to do next. `code`, `request_id` and
    `http_status` are what the cloud answered, None where it answered nothing. `action` is the API operation.
    `after_lost_response`: an earlier try of the same call may have taken effect. `may_have_changed`: so may the task.
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
        """What happened."""
        return self._happened

    @happened.setter
    def happened(self, text: str) -> None:
        cut = text if len(text) <= _LONGEST_SENTENCE else f"{text[:_LONGEST_SENTENCE]}..."
        self._happened = printable(cut)

    def __copy__(self) -> LiveError:
        """Return an error of its own that says the same, for another task that fails of the same cause."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin

    def __str__(self) -> str:
        marks = [mark for mark in (self.code, self.request_id and f"RequestId {self.request_id}") if mark]
        label = f" ({', '.join(marks)})" if marks else ""
        return printable(f"{self.happened}{label}. {self.advice}")

    def as_result(self) -> dict[str, Any]:
        """The `error` entry of a failed result."""
        return {
            "code": self.code,
            "message": self.happened,
            "request_id": self.request_id,
            "http_status": self.http_status,
            "action": self.action,
        }


class InvalidOption(LiveError):
    """An option that no call could be made with; found before anything is sent."""


class CredentialsError(LiveError):
    """No keys, half a pair of keys, or a source of keys that cannot be read."""


class NotSent(LiveError):
    """The connection failed before the request left, so the cloud cannot have acted on it."""

    retryable = True


class EndpointUnusable(LiveError):
    """The endpoint cannot work as it is set: unknown name, no TLS, untrusted certificate, a redirect."""


class ResponseLost(LiveError):
    """The request may have reached the cloud, but no usable answer came back."""

    retryable = True
    outcome_unknown = True


class ApiError(LiveError):
    """The cloud answered with an error code."""


class Throttled(ApiError):
    """The call exceeded a quota and was dropped. `retry_after` is the server's wish in seconds, or None."""

    retryable = True

    def __init__(self, *args: Any, retry_after: float | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.retry_after = retry_after


class ServerFault(ApiError):
    """The cloud failed inside; whether the call took effect is not known."""

    retryable = True
    outcome_unknown = True


class NonceUsed(ApiError):
    """The cloud has seen this very request before, so an earlier copy of it may have taken effect."""

    retryable = True
    outcome_unknown = True


class ClockWrong(ApiError):
    """The cloud refused the request because of its time, before looking at anything else in it.

    `ahead`: the seconds by which the cloud's clock is ahead of this machine's, None where the answer does not tell.
    """

    ahead: float | None = None


class CredentialsExpired(ApiError):
    """The cloud refused the request because its temporary keys have expired; it had no effect."""


class ParentExited(LiveError):
    """The run that a task is a part of has ended, and nobody would learn what came of its calls."""


class OutcomeUnknown(LiveError):
    """A call that must not be repeated blindly lost its answer.

    `lost_at`: when it left by this machine's clock, in seconds since the epoch.
    """

    outcome_unknown = True
    lost_at = 0.0
