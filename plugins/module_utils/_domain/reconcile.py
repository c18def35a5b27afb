# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a configuration from its current to its desired state, with calls that must not be repeated blindly.

It is not always known whether a call took effect: its response may be lost, or it may be refused because somebody else
made the change first, for which the error codes are not documented. After such a failure the current state is read
again, and decides what comes next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from .._errors import ApiError, LiveError

ADD = "add"
UPDATE = "update"
REPLACE = "replace"  # delete and add, for a change that an update cannot express
DELETE = "delete"

MAX_ROUNDS = 3  # of which each but the last ended because somebody else changed the configuration
_UNSEEN = "The cloud accepted the change, but does not show it: {} differ from what was sent."


class Change(NamedTuple):
    """A kind of change, and the whole configuration that results from it, None after DELETE."""

    kind: str
    config: Any


class Outcome(NamedTuple):
    """The effect of a task on a configuration, or the predicted one. A configuration that is absent is None."""

    changed: bool
    before: Any
    after: Any
    replaced: bool = False


class Resource(ABC):
    """One configuration in the cloud, and its desired state. The methods that call the cloud raise LiveError.

    A subclass decides what a configuration is; equal objects are the same configuration.
    """

    @abstractmethod
    def read(self) -> Any:
        """Return the current configuration."""

    @abstractmethod
    def add(self, config: Any) -> None:
        """Create a configuration."""

    @abstractmethod
    def update(self, config: Any) -> None:
        """Change the current configuration to this one, which is complete."""

    @abstractmethod
    def delete(self, config: Any) -> None:
        """Delete a configuration."""

    @abstractmethod
    def may_retry(self) -> bool:
        """Return whether there is time to make a call once more."""

    @abstractmethod
    def plan(self, found: Any) -> Change | None:
        """Return the change that leads to the desired state; raise InvalidOption if options for it are missing."""

    @abstractmethod
    def list_differences(self, found: Any) -> list[str]:
        """Return the options whose desired value the current configuration visibly lacks."""

    @abstractmethod
    def render(self, config: Any) -> dict[str, Any] | None:
        """Return a configuration as results show it, without secrets."""


def predict(resource: Resource) -> Outcome:
    """Return what `apply` would do, from one read."""
    found = resource.read()
    change = resource.plan(found)
    if change is None:
        return Outcome(False, found, found)
    return Outcome(True, found, change.config, change.kind == REPLACE)


def apply(resource: Resource) -> Outcome:
    """Read the configuration, change it if it differs from the desired state, and read it again.

    Raise LiveError, whose `may_have_changed` says whether a call took effect or may have.
    """
    run = _Run(resource)
    try:
        return run.reach_desired_state()
    except LiveError as error:
        error.may_have_changed = error.may_have_changed or run.touched
        raise


def make_result(resource: Resource, outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as the entries of a result."""
    before, after = resource.render(outcome.before), resource.render(outcome.after)
    # The time of creation is not a setting, and cannot be predicted.
    settings = [
        {name: value for name, value in (config or {}).items() if name != "create_time"} for config in (before, after)
    ]
    return {
        "changed": outcome.changed,
        "config": after,
        "before": before,
        "diff": {"before": settings[0], "after": settings[1]},
    }


def verification_warnings(resource: Resource, outcome: Outcome) -> list[str]:
    """Return a warning if the cloud accepted a change and shows something else."""
    different = resource.list_differences(outcome.after)
    return [_UNSEEN.format(", ".join(different))] if outcome.changed and different else []


class ConcurrentModification(Exception):
    """A call failed, and the configuration is now neither what it was before nor what it was to become."""

    def __init__(self, found: Any, error: LiveError) -> None:
        super().__init__(error.happened)
        self.found = found
        self.error = error


class _Effect(Enum):
    """The effect of a call that led to its goal."""

    ACCEPTED = "the call was accepted"
    FOUND = "the call failed, and its goal was found to be reached all the same"


class _Run:
    """The calls of one `apply`. `touched`: one of them took effect, or may have."""

    def __init__(self, resource: Resource) -> None:
        self.touched = False
        self._resource = resource
        self._before: Any = None
        self._replaced = False

    def reach_desired_state(self) -> Outcome:
        found = self._resource.read()
        for _round in range(MAX_ROUNDS):
            self._remember_before(found)
            try:
                after = self._run_round(found)
                return Outcome(self.touched, self._before, after, self._replaced)
            except ConcurrentModification as conflict:
                found, error = conflict.found, conflict.error
        error.happened += "; something else changes it at the same time"
        error.advice = "Make sure that only one task at a time manages the configuration, and run again."
        raise error from None

    def _remember_before(self, found: Any) -> None:
        """Save the configuration as the one from before this run, as long as no call of it took effect."""
        if not self.touched:
            self._before = found

    def _run_round(self, found: Any) -> Any:
        """Change the configuration that was found, if needed, and return the configuration after that."""
        change = self._resource.plan(found)
        if change is None:
            return found
        if change.kind == REPLACE:
            self._replace(found, change.config)
        else:
            self._make_single_change(found, change)
        try:
            return self._resource.read()
        except LiveError as error:
            error.happened += "; the change before it took effect"
            raise

    def _make_single_change(self, found: Any, change: Change) -> None:
        calls = {ADD: self._resource.add, UPDATE: self._resource.update, DELETE: self._resource.delete}
        config = found if change.kind == DELETE else change.config
        self._apply(lambda: calls[change.kind](config), self._is_desired, found)

    def _is_desired(self, found: Any) -> bool:
        return not self._resource.list_differences(found)

    def _apply(self, call: Callable[[], None], is_reached: Callable[[Any], bool], before: Any) -> _Effect:
        """Make a call, at most twice: again if a response was lost, nothing has changed and there is time.

        `before` is the configuration from before the call, and `is_reached` tells whether one is the goal of the call.
        Raise ConcurrentModification, or the LiveError of the call.
        """
        may_retry = self._resource.may_retry()
        while True:
            try:
                call()
            except LiveError as error:
                self.touched = self.touched or error.outcome_unknown or error.after_lost_response
                found = self._read_after(error)
                if found != before:
                    return self._accept_if_reached(found, is_reached, error)
                if not error.outcome_unknown:
                    raise
                if not may_retry:
                    error.happened += "; a read right after it found nothing changed"
                    error.advice = "Run again."
                    raise
                may_retry = False
            else:
                self.touched = True
                return _Effect.ACCEPTED

    def _read_after(self, error: LiveError) -> Any:
        """Return the configuration after a call failed; raise its error if that suffices, or if the read fails."""
        is_refused = isinstance(error, ApiError) and not error.retryable
        if not is_refused and not error.outcome_unknown:
            raise error
        try:
            return self._resource.read()
        except LiveError:
            raise error from None

    def _accept_if_reached(self, found: Any, is_reached: Callable[[Any], bool], error: LiveError) -> _Effect:
        if not is_reached(found):
            raise ConcurrentModification(found, error) from error
        self._remember_before(found)
        return _Effect.FOUND

    def _replace(self, old: Any, new: Any) -> None:
        try:
            self._apply(lambda: self._resource.delete(old), lambda found: found is None, old)
        except LiveError as error:
            if error.outcome_unknown:
                error.advice += f" If the configuration is gone, it was {self._resource.render(old)}."
            raise
        self._replaced = True
        try:
            self._apply(lambda: self._resource.add(new), self._is_desired, None)
        except LiveError as error:
            self._restore(old, error)
            raise

    def _restore(self, old: Any, error: LiveError) -> None:
        """Add the old configuration again after the new one was refused, and have `error` say what became of it."""
        try:
            effect = self._apply(lambda: self._resource.add(old), lambda found: found is not None, None)
        except LiveError as second:
            gone = "may be gone" if second.outcome_unknown else "is gone"
            error.happened += f", and the old one, which had been removed for it, {gone}: {second.happened}"
            error.advice += f" What {gone} is {self._resource.render(old)}."
        else:
            became = "was put back" if effect is _Effect.ACCEPTED else "is gone, and there is another now"
            error.happened += f"; the old configuration, which had been removed for it, {became}"
