# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Request parameters: declared in tables, checked in one place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from .clock import parse_iso
from .errors import ErrorTable

BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Text:
    """A text parameter; `choices` limits it to some values, `pattern` to a form; `may_be_empty`: empty is a value."""

    name: str
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    may_be_empty: bool = False

    def parse(self, text: str) -> str:
        """Return the value; raise ValueError with the rule that it breaks."""
        if self.choices and text not in self.choices:
            raise ValueError(f"It must be one of {', '.join(self.choices)}.")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise ValueError("It does not have the documented form.")
        return text


@dataclass(frozen=True)
class Integer:
    """An integer parameter in plain decimal digits, within a range or one of some values."""

    name: str
    required: bool = False
    default: int | None = None
    minimum: int = 1
    maximum: int = 2**31 - 1
    choices: tuple[int, ...] = ()

    def parse(self, text: str) -> int:
        """Return the value; raise ValueError with the rule that it breaks."""
        if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
            raise ValueError("It must be a number.")
        value = int(text)
        if self.choices and value not in self.choices:
            raise ValueError(f"It must be one of {', '.join(map(str, self.choices))}.")
        if not self.choices and not self.minimum <= value <= self.maximum:
            raise ValueError(f"It must be from {self.minimum} to {self.maximum}.")
        return value


@dataclass(frozen=True)
class Boolean:
    """A boolean parameter, `true` or `false` in upper or lower case, because the Python SDK capitalises it."""

    name: str
    required: bool = False
    default: bool | None = None

    def parse(self, text: str) -> bool:
        """Return the value; raise ValueError with the rule that it breaks."""
        if text.lower() not in BOOLEANS:
            raise ValueError("It must be true or false.")
        return BOOLEANS[text.lower()]


@dataclass(frozen=True)
class Moment:
    """A time parameter `yyyy-MM-ddTHH:mm:ssZ` in UTC; the value is its real epoch in seconds."""

    name: str
    required: bool = False
    default: float | None = None

    def parse(self, text: str) -> float:
        """Return the value; raise ValueError if the form is another."""
        return parse_iso(text)


@dataclass(frozen=True)
class Items:
    """A list parameter: `Name.1`, `Name.2` or, if it has fields, `Name.1.Field`; the value is a list."""

    name: str
    fields: tuple[Field, ...] = ()
    required: bool = False


Field = Union[Text, Integer, Boolean, Moment]
Parameter = Union[Field, Items]


def read_parameters(table: Sequence[Parameter], raw: Mapping[str, str], errors: ErrorTable) -> dict[str, Any]:
    """Check the raw parameters against a table; raise GatewayError for the first missing or malformed one.

    An empty text counts as absent, unless the table says otherwise. Parameters that are not in the table are ignored,
    as the gateway does.
    """
    return {
        entry.name: _read_items(entry, raw, errors)
        if isinstance(entry, Items)
        else _read_field(entry, entry.name, raw, errors)
        for entry in table
    }


def _read_field(entry: Field, name: str, raw: Mapping[str, str], errors: ErrorTable) -> Any:
    text = raw.get(name, "")
    if not text:
        if isinstance(entry, Text) and entry.may_be_empty and name in raw:
            return ""
        if entry.required:
            raise errors.missing_parameter(name)
        return entry.default
    try:
        return entry.parse(text)
    except ValueError as error:
        raise errors.malformed_parameter(name, str(error)) from None


def _read_items(entry: Items, raw: Mapping[str, str], errors: ErrorTable) -> list[Any]:
    pattern = re.compile(rf"{re.escape(entry.name)}\.(\d+)" + (r"\.\w+" if entry.fields else ""), re.ASCII)
    numbers = sorted({int(match[1]) for name in raw if (match := pattern.fullmatch(name))})
    if entry.required and not numbers:
        raise errors.missing_parameter(entry.name)
    return [_read_item(entry, f"{entry.name}.{number}", raw, errors) for number in numbers]


def _read_item(entry: Items, prefix: str, raw: Mapping[str, str], errors: ErrorTable) -> Any:
    if not entry.fields:
        return raw[prefix]
    return {field.name: _read_field(field, f"{prefix}.{field.name}", raw, errors) for field in entry.fields}
