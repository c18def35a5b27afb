# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a configuration that the cloud has to the one that is wanted, with calls that must not be repeated blindly.

Whether a call took effect is not always told: its answer may be lost, or its refusal may mean that somebody else came
first, for which the codes are not documented. So after such a failure this looks at what is there, and goes on from
that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from .._api.live import Live
from .._errors import ApiError, LiveError

ADD = "add"
UPDATE = "update"
REPLACE = "replace"  # delete and add, where an update cannot express the change
DELETE = "delete"

_MOST_ROUNDS = 3  # where somebody else changes the same configuration meanwhile
_UNSEEN = "The cloud accepted the change, but does not show it: {} differ from what was sent."


class Change(NamedTuple):
    """What to do, and the whole configuration that comes of it: None after DELETE."""

    kind: str
    config: Any


class Outcome(NamedTuple):
    """What became of a configuration, None being that there is none. After a prediction, what would become of it."""

    changed: bool
    before: Any
    after: Any
    replaced: bool = False


class Resource(ABC):
    """One configuration in the cloud, and what is wanted of it. The calls raise LiveError.

    The form of a configuration is the subclass's; two of them are the same where they are equal.
    """

    def __init__(self, live: Live) -> None:
        self.live = live

    @abstractmethod
    def read(self) -> Any:
        """What the cloud has."""

    @abstractmethod
    def add(self, config: Any) -> None:
        """Create it."""

    @abstractmethod
    def update(self, config: Any) -> None:
        """Change it to this one; always given whole."""

    @abstractmethod
    def delete(self, config: Any) -> None:
        """Remove it."""

    @abstractmethod
    def change(self, found: Any) -> Change | None:
        """What is to be done about what was found. Raises InvalidOption where the options do not suffice for it."""

    @abstractmethod
    def differences(self, found: Any) -> list[str]:
        """The options that what was found does not fulfil, as far as it can be seen."""

    @abstractmethod
    def shown(self, config: Any) -> dict[str, Any] | None:
        """The configuration as results have it, without secrets."""


def predict(resource: Resource) -> Outcome:
    """What `carry_out` would do, from one look."""
    found = resource.read()
    change = resource.change(found)
    if change is None:
        return Outcome(False, found, found)
    return Outcome(True, found, change.config, change.kind == REPLACE)


def carry_out(resource: Resource) -> Outcome:
    """Look, change what differs, and look again.

    Raises LiveError; its `may_have_changed` tells whether a call took effect, or may have.
    """
    run = _Run(resource)
    try:
        return run.outcome()
    except LiveError as error:
        error.may_have_changed = error.may_have_changed or run.touched
        raise


def result(resource: Resource, outcome: Outcome) -> dict[str, Any]:
    """The entries of a result about a configuration."""
    before, after = resource.shown(outcome.before), resource.shown(outcome.after)
    # When it was created is not a setting, and is not known beforehand.
    settings = [
        {name: value for name, value in (one or {}).items() if name != "create_time"} for one in (before, after)
    ]
    return {
        "changed": outcome.changed,
        "config": after,
        "before": before,
        "diff": {"before": settings[0], "after": settings[1]},
    }


def doubt(resource: Resource, outcome: Outcome) -> list[str]:
    """A warning where the cloud took a change and shows something else."""
    different = resource.differences(outcome.after)
    return [_UNSEEN.format(", ".join(different))] if outcome.changed and different else []


class _Overtaken(Exception):
    """A call failed, and what is there now is neither what was there before nor what was wanted."""

    def __init__(self, found: Any, error: LiveError) -> None:
        super().__init__(error.happened)
        self.found = found
        self.error = error


class _Run:
    """One way to what is wanted. `touched`: a call of it took effect, or may have."""

    def __init__(self, resource: Resource) -> None:
        self.touched = False
        self._resource = resource
        self._before: Any = None
        self._replaced = False

    def outcome(self) -> Outcome:
        found = self._resource.read()
        for rounds_left in reversed(range(_MOST_ROUNDS)):
            self._saw(found)
            try:
                after = self._bring(found)
                return Outcome(self.touched, self._before, after, self._replaced)
            except _Overtaken as overtaken:
                found, error = overtaken.found, overtaken.error
                if not rounds_left:
                    error.happened += "; something else changes it at the same time"
                    error.advice = "See to it that only one task at a time manages the configuration, and run again."
                    raise error from None
        raise AssertionError("the last round ends in one of two ways")

    def _saw(self, found: Any) -> None:
        """What was there before this run did anything is the last that was seen before it did."""
        if not self.touched:
            self._before = found

    def _bring(self, found: Any) -> Any:
        """One round from what was found; returns what is there after it."""
        change = self._resource.change(found)
        if change is None:
            return found
        if change.kind == REPLACE:
            self._replace(found, change.config)
        else:
            calls = {ADD: self._resource.add, UPDATE: self._resource.update, DELETE: self._resource.delete}
            given = found if change.kind == DELETE else change.config
            self._make(lambda: calls[change.kind](given), self._fulfilled, found)
        try:
            return self._resource.read()
        except LiveError as error:
            error.happened += "; the change before it took effect"
            raise

    def _fulfilled(self, found: Any) -> bool:
        return not self._resource.differences(found)

    def _make(self, call: Callable[[], None], reached: Callable[[Any], bool], before: Any) -> bool:
        """Whether a call was accepted; False where it failed and a look finds that its aim is `reached`.

        `before` is what was there before the call. Where that is there still, a call whose answer was lost is made
        once more if there is time for it.
        """
        again = self._resource.live.client.may_retry()
        while True:
            try:
                call()
            except LiveError as error:
                self.touched = self.touched or error.outcome_unknown or error.after_lost_response
                found = self._look(error)
                if found != before:
                    if reached(found):
                        self._saw(found)
                        return False
                    raise _Overtaken(found, error) from error
                if not error.outcome_unknown:
                    raise
                if not again:
                    error.happened += "; a look right after it found nothing changed"
                    error.advice = "Run again."
                    raise
                again = False
            else:
                self.touched = True
                return True

    def _look(self, error: LiveError) -> Any:
        """What is there after a call failed; raises its error where that tells enough, or where nothing can be seen."""
        refused = isinstance(error, ApiError) and not error.retryable
        if not refused and not error.outcome_unknown:
            raise error
        try:
            return self._resource.read()
        except LiveError:
            raise error from None

    def _replace(self, old: Any, new: Any) -> None:
        try:
            self._make(lambda: self._resource.delete(old), lambda found: found is None, old)
        except LiveError as error:
            if error.outcome_unknown:
                error.advice += f" If the configuration is gone, it was {self._resource.shown(old)}."
            raise
        self._replaced = True
        try:
            self._make(lambda: self._resource.add(new), self._fulfilled, None)
        except LiveError as error:
            self._put_back(old, error)
            raise

    def _put_back(self, old: Any, error: LiveError) -> None:
        """After the new configuration was not accepted; `error` then tells what became of the old one."""
        try:
            accepted = self._make(lambda: self._resource.add(old), lambda found: found is not None, None)
        except LiveError as second:
            gone = "may be gone" if second.outcome_unknown else "is gone"
            error.happened += f", and the old one, which had been removed for it, {gone}: {second.happened}"
            error.advice += f" What {gone} is {self._resource.shown(old)}."
        else:
            became = "was put back" if accepted else "is gone, and there is another now"
            error.happened += f"; the old configuration, which had been removed for it, {became}"
