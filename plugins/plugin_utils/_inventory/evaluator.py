# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate the expressions of a source, which takes Ansible half a millisecond each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ansible.module_utils.parsing.convert_bool import boolean

from .templates import find_dependencies, is_template

_SCALARS = (str, int, float, type(None), type(...))


class Condition(NamedTuple):
    """An expression that is true or false, with a label for messages, which must not quote it."""

    label: str
    expression: str | bool


class Evaluator:
    """An evaluator of expressions, memoised on the values of the variables that each expression depends on.

    `api_fields` are the variables that come from the API alone: they are never templates, so that equal values give
    equal results. `compose` evaluates an expression as Ansible's constructed inventories do.
    """

    def __init__(self, templar: Any, compose: Callable[..., Any], api_fields: frozenset[str]) -> None:
        self._templar = templar
        self._compose = compose
        self._api_fields = api_fields
        self._results: dict[Any, Any] = {}

    def evaluate(self, expression: Any, variables: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Return the value of an expression, such as those of `compose` and `keyed_groups`."""
        if isinstance(expression, str) and expression in self._api_fields:
            value = variables.get(expression)
            if isinstance(value, str):
                return value
        return self._evaluate_cached(
            "value", expression, variables, lambda: self._compose(expression, variables, *args, **kwargs)
        )

    def evaluate_host_name(self, entry: str, variables: dict[str, Any]) -> Any:
        """Return the value of an entry of the option `hostnames`, which is a template or an expression."""
        if is_template(entry):
            self._templar.available_variables = variables
            return self._templar.template(entry)
        if entry.isidentifier() and entry not in variables:
            return None
        return self.evaluate(entry, variables)

    def is_true(self, expression: str | bool, variables: dict[str, Any]) -> bool:
        """Return whether a condition holds; raises whatever its evaluation raises."""
        if isinstance(expression, bool):
            return expression
        return bool(
            self._evaluate_cached("condition", expression, variables, lambda: self._is_true(expression, variables))
        )

    def _is_true(self, expression: str, variables: dict[str, Any]) -> bool:
        self._templar.available_variables = variables
        if hasattr(self._templar, "evaluate_conditional"):  # ansible-core 2.19 and newer
            return bool(self._templar.evaluate_conditional(expression))
        text = f"{{% if {expression} %}}true{{% else %}}false{{% endif %}}"
        return bool(boolean(self._templar.template(text)))

    def _evaluate_cached(
        self, kind: str, expression: Any, variables: dict[str, Any], compute: Callable[[], Any]
    ) -> Any:
        """Return the result of `compute`, memoised on the values of the variables that the expression depends on."""
        names = find_dependencies(expression) if isinstance(expression, str) else None
        if names is None or not names <= self._api_fields:
            return compute()
        values = [variables.get(name, ...) for name in sorted(names)]
        if not all(isinstance(value, _SCALARS) for value in values):
            return compute()
        key = (kind, expression, *((type(value), value) for value in values))
        if key not in self._results:
            self._results[key] = compute()
        return self._results[key]
