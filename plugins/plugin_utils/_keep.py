# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a moment, and seeing meanwhile that streams go on being recorded.

A recording ends when the push is interrupted, and does not begin again with it; only another `start` tells whether it
runs, and begins it where it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ..module_utils._client import Clock
from ..module_utils._errors import printable

Result = dict[str, Any]
_MOST_NAMED = 10


class Every(NamedTuple):
    """Seconds between tries for the streams whose last one failed, and between checks of all; 0: never."""

    retry: float
    recheck: float


class Known(NamedTuple):
    """What is known of the streams that should be recorded, and when it was learned, in seconds since the epoch.

    `missing` could not be started in their window. `lost` were recorded in it, but the last try failed. Both have the
    result of that try.
    """

    missing: dict[str, Result]
    lost: dict[str, Result]
    retried: float
    rechecked: float

    def failing(self) -> list[str]:
        """The streams whose last try failed."""
        return [*self.missing, *self.lost]

    def after(self, results: Iterable[tuple[str, Result]]) -> Known:
        """What is known after another try for some streams."""
        missing, lost = dict(self.missing), dict(self.lost)
        for stream, result in results:
            if not result.get("failed"):
                missing.pop(stream, None)
                lost.pop(stream, None)
            elif stream in missing:
                missing[stream] = result
            else:
                lost[stream] = result
        return self._replace(missing=missing, lost=lost)


def keep(
    until: float,
    streams: list[str],
    known: Known,
    every: Every,
    start: Callable[[list[str]], Iterable[tuple[str, Result]]],
    tell: Callable[[str], None],
    clock: Clock,
) -> Known:
    """Wait until a moment of the wall clock, start streams that are not recorded as often as `every` says, and return
    what is known then.

    `start` sends `start` for streams, and gives the results of those for which there was time. `tell` is given a line
    where something was found.
    """
    while True:
        retry_at = known.retried + every.retry if every.retry and known.failing() else until
        recheck_at = known.rechecked + every.recheck if every.recheck and streams else until
        clock.sleep_until(min(retry_at, recheck_at, until))
        now = clock.now()
        if now >= until:
            return known
        tried = streams if recheck_at <= now else known.failing()
        results = list(start(tried))
        for line in _lines(results, known):
            tell(line)
        known = known.after(results)._replace(retried=now, rechecked=now if recheck_at <= now else known.rechecked)


def _lines(results: list[tuple[str, Result]], before: Known) -> list[str]:
    """What a round of tries has found that was not known before."""
    found: dict[str, list[str]] = {}
    for stream, result in results:
        if result.get("failed"):
            if stream not in before.failing():
                found.setdefault(f"start failed ({_cause(result)})", []).append(stream)
        elif stream in before.missing:
            found.setdefault("Recorded at last", []).append(stream)
        elif result.get("changed"):
            found.setdefault("Not recorded any more, and started again", []).append(stream)
    return [f"{words}: {named(streams)}" for words, streams in found.items()]


def _cause(result: Result) -> str:
    return str((result.get("error") or {}).get("code") or "see the result of the task")


def named(hosts: list[str]) -> str:
    """The first few names, and how many more there are. Names may come from strangers: nothing steers a terminal."""
    shown = [printable(host) for host in hosts[:_MOST_NAMED]]
    more = [f"{len(hosts) - _MOST_NAMED} more"] if len(hosts) > _MOST_NAMED else []
    return ", ".join(shown + more)
