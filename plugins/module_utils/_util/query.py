# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JMESPath expressions as options give them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .._errors import InvalidOption

with suppress(ImportError):  # _client says which library is missing
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

_ADVICE = "Correct the expression, see https://jmespath.org."
_MIN_WORD = 3  # characters


class Query:
    """A JMESPath expression, which is found fault with as far as can be before there is anything to apply it to."""

    def __init__(self, option: str, expression: str) -> None:
        """Raises InvalidOption for what is no expression, and for functions that there are not."""
        self._option = option
        try:
            self._compiled = jmespath.compile(expression)
        except JMESPathError as error:
            raise self._fault(error) from None
        self._check(self._compiled.parsed)

    def search(self, value: Any) -> Any:
        """What the expression makes of a value; raises InvalidOption where it does not fit."""
        try:
            return self._compiled.search(value)
        except JMESPathError as error:
            raise self._fault(error) from None

    def _check(self, node: dict[str, Any]) -> None:
        """jmespath itself looks functions up when it reaches them, which it may do for some values only."""
        if node["type"] == "function_expression":
            name, count = node["value"], len(node["children"])
            known = Functions.FUNCTION_TABLE.get(name)
            if known is None:
                raise InvalidOption(f"The option {self._option} uses {name}(), which is no function", _ADVICE)
            least = len(known["signature"])
            variadic = least > 0 and known["signature"][-1].get("variadic", False)
            if count < least or (count > least and not variadic):
                raise InvalidOption(
                    f"The option {self._option} gives {name}() {count} arguments, and it takes {least}"
                    f"{' or more' if variadic else ''}",
                    _ADVICE,
                )
        for child in node["children"]:
            if isinstance(child, dict):
                self._check(child)

    def _fault(self, error: JMESPathError) -> InvalidOption:
        """The first line of jmespath's message; the others repeat the expression with a mark under it."""
        said = str(error).split("\n", maxsplit=1)[0].rstrip(" :.")
        token = str(getattr(error, "token_value", None) or "")
        if len(token) >= _MIN_WORD:  # a word where there should be none may be a secret
            said = said.replace(token, "...")
        return InvalidOption(f"The option {self._option} cannot be used: {said}", _ADVICE)
