# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JMESPath expressions of options."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .._errors import InvalidOption

with suppress(ImportError):  # The paging module of the API client records it as missing.
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

_ADVICE = "Check the expression against the syntax at https://jmespath.org."
_MIN_SECRET_LENGTH = 3  # characters


class Query:
    """A JMESPath expression, validated on construction."""

    def __init__(self, option: str, expression: str) -> None:
        """Raise InvalidOption if the expression is malformed or calls an unknown function."""
        self._option = option
        try:
            self._compiled = jmespath.compile(expression)
        except JMESPathError as error:
            raise self._to_invalid_option(error) from None
        self._check(self._compiled.parsed)

    def search(self, value: Any) -> Any:
        """Return the result of the expression for a value; raises InvalidOption if it cannot be applied to it."""
        try:
            return self._compiled.search(value)
        except JMESPathError as error:
            raise self._to_invalid_option(error) from None

    def _check(self, node: dict[str, Any]) -> None:
        """Raise InvalidOption for unknown functions and wrong numbers of arguments, which jmespath would find late."""
        if node["type"] == "function_expression":
            name, count = node["value"], len(node["children"])
            known = Functions.FUNCTION_TABLE.get(name)
            if known is None:
                raise InvalidOption(
                    f"The option {self._option} uses {name}(), which is not a function of JMESPath", _ADVICE
                )
            required = len(known["signature"])
            variadic = required > 0 and known["signature"][-1].get("variadic", False)
            if count < required or (count > required and not variadic):
                raise InvalidOption(
                    f"The option {self._option} gives {name}() {count} arguments, and it takes {required}"
                    f"{' or more' if variadic else ''}",
                    _ADVICE,
                )
        for child in node["children"]:
            if isinstance(child, dict):
                self._check(child)

    def _to_invalid_option(self, error: JMESPathError) -> InvalidOption:
        """Translate an error of jmespath by the first line of its message; the other lines repeat the expression."""
        message = str(error).split("\n", maxsplit=1)[0].rstrip(" :.")
        token = str(getattr(error, "token_value", None) or "")
        if len(token) >= _MIN_SECRET_LENGTH:  # An unexpected word may be a secret that was pasted here.
            message = message.replace(token, "...")
        return InvalidOption(f"The option {self._option} cannot be used: {message}", _ADVICE)
