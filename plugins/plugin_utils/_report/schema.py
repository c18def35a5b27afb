# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a document against `docs/report.schema.json`, of whose language this knows the words that it uses."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

PATH = os.path.join(os.path.dirname(__file__), "..", "..", "..", "docs", "report.schema.json")
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class Schema:
    """A JSON Schema."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    @classmethod
    def load(cls) -> Schema:
        """Return the schema of reports; raise OSError if the collection is installed without it."""
        with open(PATH, encoding="utf-8") as file:
            return cls(json.load(file))

    def find_problem(self, value: Any) -> str | None:
        """Return the place of the first value that the schema does not allow; None if there is none."""
        return next(self._find(self._root, value, "the report"), None)

    def _find(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if "$ref" in schema:
            yield from self._find(self._root["$defs"][schema["$ref"].rpartition("/")[2]], value, place)
        if "anyOf" in schema and all(next(self._find(one, value, place), None) for one in schema["anyOf"]):
            yield place
        if not _has_type(schema, value) or not _has_value(schema, value):
            yield place
        elif isinstance(value, dict):
            yield from self._find_in_object(schema, value, place)
        elif isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                yield from self._find(schema["items"], item, f"{place}[{number}]")

    def _find_in_object(self, schema: Mapping[str, Any], value: Mapping[str, Any], place: str) -> Iterator[str]:
        yield from (f"{place}.{name}" for name in schema.get("required", ()) if name not in value)
        others = schema.get("additionalProperties", True)
        for name, item in value.items():
            of_name = schema.get("properties", {}).get(name, others)
            if of_name is False:
                yield f"{place}.{name}"
            elif of_name is not True:
                yield from self._find(of_name, item, f"{place}.{name}")


def _has_type(schema: Mapping[str, Any], value: Any) -> bool:
    names = schema.get("type")
    if names is None:
        return True
    return any(
        isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
        for name in ([names] if isinstance(names, str) else names)
    )


def _has_value(schema: Mapping[str, Any], value: Any) -> bool:
    """Return whether a value has one of the values, the bound, the pattern and the length of a schema."""
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed is not None and not any(type(value) is type(one) and value == one for one in allowed):
        return False
    if "minimum" in schema and not value >= schema["minimum"]:
        return False
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    return not isinstance(value, list) or schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
