# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of strangers: bounded, and without duplicates, NaN or lone surrogates."""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import Any

_LONGEST_NUMBER = 18  # digits
# Texts and separators of values in one answer, of which a page of 3,000 online streams has 130,000. What is sent with
# three bytes may take seventy.
_MAX_VALUES = 500_000
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def whole_number(value: Any) -> int | None:
    """A whole number of an answer, which may come as a text; None for anything else."""
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parsed_json(text: str, max_values: int = _MAX_VALUES) -> Any:
    """Return what a JSON text says.

    Raises ValueError or RecursionError where it says a thing twice, or what nobody means, or has too many values.
    """
    if _has_more_values(text, max_values):
        raise ValueError("too many values")
    content = json.loads(
        text, object_pairs_hook=unique, parse_int=_integer, parse_float=_finite, parse_constant=_finite
    )
    # Half of a character cannot be written anywhere; a stream may bear such a name, because anybody may push one.
    return _whole(content) if _SURROGATE.search(text) else content


_SEPARATORS = ",[{"
_BESIDE_MARKS = bytes(set(range(256)) - set(('"' + _SEPARATORS).encode()))
_MARKS = re.compile(rb'"[^"]*"|[,\[{]')


def _has_more_values(text: str, number: int) -> bool:
    """Return whether a JSON text has more texts and separators of values than a number, without making any value.

    What is inside of texts does not count: strangers choose the names of streams.
    """
    if sum(text.count(mark) for mark in _SEPARATORS) <= number:
        return False
    unescaped = text.encode("utf-8", errors="replace").replace(rb"\\", b"").replace(rb"\"", b"")
    marks = _MARKS.finditer(unescaped.translate(None, _BESIDE_MARKS))
    return next(islice(marks, number, None), None) is not None


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("no number of the cloud is as long")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("no number")
    return number


def _whole(content: Any) -> Any:
    return json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", errors="replace"))
