# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spans of time as sorted pairs of seconds that neither overlap nor adjoin; each begins before it ends."""

from __future__ import annotations

import math
from collections.abc import Iterable

Span = tuple[float, float]
Spans = tuple[Span, ...]

ALWAYS: Spans = ((-math.inf, math.inf),)


def normalize(spans: Iterable[Span]) -> Spans:
    """Return any spans in order, with those that overlap or adjoin merged, and without empty ones."""
    found: list[Span] = []
    for start, stop in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return tuple(found)


def intersect(left: Spans, right: Spans) -> Spans:
    """Return the time that is in both."""
    found = []
    first = second = 0
    while first < len(left) and second < len(right):
        start = max(left[first][0], right[second][0])
        stop = min(left[first][1], right[second][1])
        if start < stop:
            found.append((start, stop))
        if left[first][1] < right[second][1]:
            first += 1
        else:
            second += 1
    return tuple(found)


def invert(spans: Spans) -> Spans:
    """Return all time that is not in the spans."""
    edges = [-math.inf, *(edge for span in spans for edge in span), math.inf]
    return tuple((start, stop) for start, stop in zip(edges[::2], edges[1::2]) if start < stop)


def subtract(spans: Spans, others: Spans) -> Spans:
    """Return the time of the first spans that is not in the others."""
    return intersect(spans, invert(others))


def measure(spans: Spans) -> float:
    """Return the length of all spans together, in seconds."""
    return sum(stop - start for start, stop in spans)
