# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: what a task reports about its commands, or predicts in check mode; pure functions."""

from __future__ import annotations

from typing import NamedTuple

from .._api.error_codes import ACCEPTED, ALREADY_STARTED, CONFIG_ABSENT, NO_TASK, STREAM_ABSENT
from .._api.models import CommandResponse
from .._errors import LiveError
from .recording_state import (
    FROM_COMMAND,
    FROM_NOTHING,
    FROM_STREAM_STATE,
    OFFLINE,
    RECORDING,
    STARTED,
    STOPPED,
    UNKNOWN,
    Evidence,
)

_UNCONTROLLED = (
    "The cloud finds no recording configuration in effect for this stream, so whether something records it is unknown."
)


class Verdict(NamedTuple):
    """The result of a task for one stream. `state_source` names the source of `state`."""

    changed: bool
    state: str
    previous_state: str
    state_source: str
    warnings: tuple[str, ...] = ()


def list_commands(desired: str, finalize: bool = False) -> list[str]:
    """Return the record commands that lead to a desired state, in order."""
    if desired == STOPPED:
        return ["stop", "cancel_delay"] if finalize else ["stop"]
    return ["start" if desired == STARTED else "restart"]


def judge_start(response: CommandResponse, before: Evidence) -> Verdict:
    """Return the verdict on `start`; raise the error of a response that is a failure.

    TaskAlreadyStarted after an attempt whose response was lost may be the effect of that attempt. Only then does
    `before` matter, the state before the first attempt as `infer_state_before` finds it.
    """
    if response.meaning == ACCEPTED:
        return Verdict(True, RECORDING, STOPPED, FROM_COMMAND)
    if response.meaning != ALREADY_STARTED:
        raise _get_error(response)
    if not response.after_lost_response:
        return Verdict(False, RECORDING, RECORDING, FROM_COMMAND)
    return Verdict(before.state != RECORDING, RECORDING, before.state, FROM_COMMAND, _warn_if_unknown(before))


def judge_restart(response: CommandResponse) -> Verdict:
    """Return the verdict on `restart`, which always splits the file; raise the error of any other response."""
    if response.meaning == ACCEPTED:
        return Verdict(True, RECORDING, UNKNOWN, FROM_COMMAND)
    raise _get_error(response)


def judge_proven_restart(source: str) -> Verdict:
    """Return the verdict on a `restart` whose response was lost, if a source shows that it took effect."""
    return Verdict(True, RECORDING, UNKNOWN, source)


def judge_stop(response: CommandResponse, before: Evidence) -> Verdict:
    """Return the verdict on `stop`, given the state `before`; raise the error of a response that is a failure.

    Status 200 does not tell whether something was being recorded, so it counts as a change unless the log showed that
    nothing was. After an attempt whose response was lost, "nothing is being recorded" counts as a change as well: it
    may be the effect of that attempt.
    """
    if response.meaning == ACCEPTED:
        return Verdict(before.state != STOPPED, STOPPED, before.state, FROM_COMMAND, _warn_if_unknown(before))
    by_lost_attempt = response.after_lost_response and before.state != STOPPED
    warnings = _warn_if_unknown(before) if by_lost_attempt else ()
    if response.meaning == NO_TASK:
        return Verdict(by_lost_attempt, STOPPED, before.state if by_lost_attempt else STOPPED, FROM_COMMAND, warnings)
    if response.meaning == STREAM_ABSENT:
        return Verdict(by_lost_attempt, OFFLINE, before.state if by_lost_attempt else OFFLINE, FROM_COMMAND, warnings)
    if response.meaning == CONFIG_ABSENT:
        return Verdict(by_lost_attempt, UNKNOWN, before.state, FROM_NOTHING, (_UNCONTROLLED, *warnings))
    raise _get_error(response)


def judge_cancel_delay(response: CommandResponse, before: Evidence, stopped: Verdict) -> Verdict:
    """Return the verdict on `cancel_delay` after `stop`; raise the error of a response that is a failure.

    It counts as a change unless the log showed that the file existed, because status 200 does not tell whether a file
    was pending. "Nothing to finalize" is no change unless an attempt whose response was lost may have finalized it.
    """
    if response.meaning not in (ACCEPTED, NO_TASK, STREAM_ABSENT, CONFIG_ABSENT):
        raise _get_error(response)
    by_lost_attempt = response.after_lost_response and not before.finalized
    finalized_now = by_lost_attempt or (response.meaning == ACCEPTED and not before.finalized)
    warnings = stopped.warnings
    if finalized_now and not set(_warn_if_unknown(before)) <= set(warnings):
        warning = f"Whether a file was still to be made is unknown: {before.reason}. A change is assumed."
        warnings = (*warnings, warning)
    return stopped._replace(changed=stopped.changed or finalized_now, warnings=warnings)


def predict_start(online: bool, evidence: Evidence, waits: bool) -> Verdict | None:
    """Return what `start` would report; None if it would fail because nothing is pushed and the task does not wait."""
    if not online:
        if not waits:
            return None
        hint = "The stream is not being pushed yet; a real run would wait for it."
        return Verdict(True, RECORDING, OFFLINE, FROM_STREAM_STATE, (hint,))
    changed = evidence.state != RECORDING
    return Verdict(changed, RECORDING, evidence.state, evidence.source, _warn_if_unknown(evidence))


def predict_stop(online: bool, evidence: Evidence, finalize: bool) -> Verdict:
    """Return what `stop`, and `cancel_delay` with `finalize`, would report."""
    pending = finalize and evidence.state == STOPPED and not evidence.finalized
    if not online:
        return Verdict(pending, OFFLINE, OFFLINE, FROM_STREAM_STATE)
    changed = evidence.state != STOPPED or pending
    return Verdict(changed, STOPPED, evidence.state, evidence.source, _warn_if_unknown(evidence))


def predict_restart(online: bool) -> Verdict | None:
    """Return what `restart` would report; None if it would fail because nothing is pushed."""
    return Verdict(True, RECORDING, UNKNOWN, FROM_NOTHING) if online else None


def _warn_if_unknown(evidence: Evidence) -> tuple[str, ...]:
    if evidence.state != UNKNOWN:
        return ()
    return (f"The previous state is unknown: {evidence.reason}. A change is assumed.",)


def _get_error(response: CommandResponse) -> LiveError:
    if response.error is None:
        raise ValueError(f"an accepted command has no failure: {response}")
    return response.error
