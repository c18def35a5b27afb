# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attempts of one call: what is sent again after which failure."""

from __future__ import annotations

from collections.abc import Mapping

from .._errors import InvalidOption, LiveError, OutcomeUnknown
from .operations import Operation
from .requester import Requester
from .signature import build_canonical_query
from .traffic import ApiResponse

_MAX_QUERY = 60_000  # bytes, which fits into the request line that servers usually accept


class Attempts:
    """The attempts of one call, each with a time and a nonce of its own, until a response or a final error.

    What was not sent, was dropped, or was refused for a clock or credentials that could be corrected, had no effect and
    is always sent again. What may have had an effect is sent again only where `operation.may_repeat` it. `lost_at` is
    when the first request was sent that may have had an effect and lost its response, None where there is none.
    """

    def __init__(self, requester: Requester, operation: Operation, parameters: Mapping[str, str]) -> None:
        self._requester = requester
        self._operation = operation
        self._parameters = parameters
        self._subject = operation.describe(parameters)
        _check_parameters(parameters, self._subject)
        self._made = 0
        self.lost_at: float | None = None
        self._remedied: set[type[LiveError]] = set()

    def make(self) -> ApiResponse:
        """Make one attempt, or a second at once where the cause of the refusal of the first could be removed.

        Raises the LiveError of the attempt; `after_lost_response` tells whether an earlier one may have taken effect.
        """
        while True:
            self._made += 1
            try:
                response = self._requester.attempt(self._operation, self._parameters, self._subject)
                return response._replace(after_lost_response=self.was_lost)
            except LiveError as error:
                failure = error.with_context(after_lost_response=True) if self.was_lost else error
            if failure.outcome_unknown and self.lost_at is None:
                self.lost_at = self._requester.timing.sent_at
            if type(failure) in self._remedied or not self._requester.remedy(failure):
                raise failure
            self._remedied.add(type(failure))

    @property
    def was_lost(self) -> bool:
        """Return whether an attempt may have taken effect whose response was lost."""
        return self.lost_at is not None

    def pause_after(self, error: LiveError) -> float:
        """Return the seconds to wait before the next attempt; raises the error where there is none.

        Raises OutcomeUnknown where the call may have taken effect and must not be repeated.
        """
        if error.outcome_unknown and not self._operation.may_repeat(self._parameters):
            raise self._outcome_unknown(error) from error
        requester = self._requester
        delay = requester.policy.back_off(error, self._made, requester.traffic) if error.retryable else None
        if delay is None:
            raise error
        return delay

    def _outcome_unknown(self, error: LiveError) -> OutcomeUnknown:
        unknown = OutcomeUnknown(
            f"Outcome unknown: {error.happened}",
            f"It was not repeated, because {self._operation.repeat_warning} before you run it again.",
            code=error.code,
            request_id=error.request_id,
            http_status=error.http_status,
            action=error.action,
        )
        unknown.lost_at = self._requester.timing.sent_at
        return unknown


def _check_parameters(parameters: Mapping[str, str], subject: str) -> None:
    """Raise InvalidOption for parameters that cannot be sent."""
    try:
        length = len(build_canonical_query(parameters))
    except UnicodeEncodeError:
        raise InvalidOption(
            f"{subject} cannot be sent: an option contains a lone surrogate, which is not valid Unicode",
            "Remove that character.",
        ) from None
    if length > _MAX_QUERY:
        raise InvalidOption(
            f"{subject} cannot be sent: with {length} bytes, its options are too long", "Shorten the options."
        )
