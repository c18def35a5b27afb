# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of a domain that each serve all streams of a run which need them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ...module_utils._api.live import Live
from ...module_utils._errors import LiveError, ParentExited
from .pool import Pool
from .steps import ReadShared

Callback = Callable[..., None]  # takes a result and an error


class _Read:
    """A read from a time on; its result serves every stream that needs a later part."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.outcome: tuple[Any, LiveError | None] | None = None
        self.callbacks: list[Callback] = []


class SharedReads:
    """The reads of one account, each made once, in the pool. Errors are shared as well."""

    def __init__(self) -> None:
        self._reads: dict[tuple[str, str], list[_Read]] = {}

    def count_readers(self) -> int:
        """Return how many streams wait for a read."""
        return sum(len(read.callbacks) for reads in self._reads.values() for read in reads)

    def read(self, step: ReadShared, pool: Pool, new_live: Callable[..., Live], callback: Callback) -> None:
        """Call back with the result of a read that begins early enough, or with its error."""
        reads = self._reads.setdefault(step.key, [])
        read = next((read for read in reads if read.since <= step.since), None)
        if read is None:
            read = _Read(step.since)
            reads.append(read)
            live = new_live(is_patient=True)
            begun = read
            pool.submit(lambda: step.read(live), lambda result, error: self._done(begun, result, error))
        if read.outcome is None:
            read.callbacks.append(callback)
        else:
            _call_back(callback, *read.outcome)

    def _done(self, read: _Read, result: Any, error: BaseException | None) -> None:
        callbacks, read.callbacks = read.callbacks, []
        if isinstance(error, ParentExited):
            return
        if error is not None and not isinstance(error, LiveError):
            what = f"a list of the domain could not be read: {type(error).__name__}"
            error = LiveError(what, "Report it as a bug of the collection.")
        read.outcome = (result, error)
        for callback in callbacks:
            _call_back(callback, result, error)


def _call_back(callback: Callback, result: Any, error: LiveError | None) -> None:
    callback(result, copy.copy(error) if error else None)
