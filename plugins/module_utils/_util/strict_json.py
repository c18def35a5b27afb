# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict JSON parser for untrusted text: bounded, and without duplicates, NaN or lone surrogates."""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import Any

_MAX_DIGITS = 18
# Strings and separators in one response. A page of 3,000 online streams has 130,000 of them. The limit bounds the
# memory, because a value of three bytes may take seventy when it is parsed.
_MAX_VALUES = 500_000
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SEPARATORS = ",[{"
_UNCOUNTED_BYTES = bytes(set(range(256)) - set(('"' + _SEPARATORS).encode()))
_COUNTED = re.compile(rb'"[^"]*"|[,\[{]')


def parse_integer(value: Any) -> int | None:
    """Return a whole number of a response, which may be written as text; None for any other value."""
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_json(text: str, max_values: int = _MAX_VALUES) -> Any:
    """Parse a JSON text.

    Raises ValueError or RecursionError if it is malformed, nested too deeply or has more than `max_values` strings and
    separators, and for duplicate names, NaN, infinity and integers of more than 18 digits.
    """
    if _has_more_values(text, max_values):
        raise ValueError("too many values")
    content = json.loads(
        text,
        object_pairs_hook=build_unique_dict,
        parse_int=_parse_int,
        parse_float=_parse_float,
        parse_constant=_parse_float,
    )
    # A lone surrogate cannot be encoded when it is written out, and anybody may push a stream with one in its name.
    return _replace_surrogates(content) if _SURROGATE.search(text) else content


def build_unique_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a dict of these pairs; raises ValueError if a name occurs twice."""
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _has_more_values(text: str, limit: int) -> bool:
    """Return whether a JSON text has more strings and separators than `limit`, without parsing it.

    Separators inside strings do not count, because anybody may choose the name of a stream.
    """
    if sum(text.count(separator) for separator in _SEPARATORS) <= limit:
        return False
    unescaped = text.encode("utf-8", errors="replace").replace(rb"\\", b"").replace(rb"\"", b"")
    counted = _COUNTED.finditer(unescaped.translate(None, _UNCOUNTED_BYTES))
    return next(islice(counted, limit, None), None) is not None


def _parse_int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"integer has more than {_MAX_DIGITS} digits")
    return int(text)


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number is not finite")
    return number


def _replace_surrogates(content: Any) -> Any:
    """Return JSON content in which a question mark stands for each lone surrogate."""
    return json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", errors="replace"))
