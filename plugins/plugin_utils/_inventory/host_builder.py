# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make hosts of streams: which of them the filters let through, their names and their variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible.errors import AnsibleParserError

from ...module_utils._api.models import Stream
from ...module_utils._errors import InvalidOption, printable
from .._util.template_errors import describe_failure
from .evaluator import Condition, Evaluator
from .host_name import default_name, host_name
from .names import FOUND_STREAM, Names
from .plan import Plan, Row
from .templates import find_syntax_error
from .unsafe import mark_unsafe

_MAX_NAMES = 10  # in a warning


class Filter(NamedTuple):
    """A condition for a stream to be a host, or with `is_include` false, not to be one."""

    condition: Condition
    is_include: bool


class Rules(NamedTuple):
    """The options `filters`, `hostnames` and `strict`, which choose and name hosts."""

    filters: list[Filter]
    hostnames: list[str]
    strict: bool

    @classmethod
    def read(cls, filters: Iterable[Any], hostnames: Iterable[Any], strict: bool) -> Rules:
        """Return the rules of these options; raises InvalidOption for an entry that cannot be used."""
        rules = cls([_read_filter(number, entry) for number, entry in enumerate(filters, 1)], list(hostnames), strict)
        for one in rules.filters:
            if not isinstance(one.condition.expression, bool):
                _check_syntax(one.condition.label, one.condition.expression)
        for number, text in enumerate(rules.hostnames, 1):
            _check_syntax(f"Entry {number} of the option hostnames", text)
        return rules


def _read_filter(number: int, entry: Any) -> Filter:
    names = list(entry) if isinstance(entry, Mapping) else []
    if names not in (["include"], ["exclude"]) or not isinstance(entry[names[0]], (str, bool)):
        raise InvalidOption(
            f"Entry {number} of the option filters is not one condition",
            "Give each entry one condition, named include or exclude.",
        )
    return Filter(Condition(f"The condition {number} of the option filters", entry[names[0]]), names == ["include"])


def _check_syntax(label: str, text: Any) -> None:
    if not isinstance(text, str):
        raise InvalidOption(f"{label} is not text", "Put it in quotes.")
    problem = find_syntax_error(text)
    if problem:
        raise InvalidOption(f"{label} cannot be read by Jinja2: {problem}", "Look at its braces, quotes and words.")


class HostBuilder:
    """A builder of a source's hosts, with their names and variables; it also collects warnings."""

    def __init__(self, plan: Plan, rules: Rules, evaluator: Evaluator) -> None:
        self._plan = plan
        self._rules = rules
        self._evaluator = evaluator
        self._unusable: list[Stream] = []  # no command can name them
        self._failures: dict[str, list[str]] = {}  # by filter, the hosts for which it could not be evaluated
        self._renamed: list[str] = []  # preferred names that were taken

    def build(self, streams: Mapping[Stream, Row], names: Names) -> dict[str, dict[str, Any]]:
        """Return the variables of each host by its name, in the order of the streams."""
        self._failures, self._renamed, self._unusable = {}, [], []
        found: dict[Stream, tuple[str, dict[str, Any]]] = {}
        for stream in sorted(streams, key=lambda stream: self._precedence(stream, streams[stream])):
            is_listed = stream in self._plan.named
            if not is_listed and not _is_usable(stream):
                self._unusable.append(stream)
                continue
            variables = {name: mark_unsafe(value) for name, value in streams[stream].items()}
            variables.update(self._plan.variables(stream))
            preferred = self._evaluate_name(variables, names.groups) or default_name(stream)
            name = names.choose(preferred, stream, is_listed)
            if not self._is_included({**variables, "inventory_hostname": name}):
                continue
            names.assign(name, stream)
            if name != preferred:
                self._renamed.append(preferred)
            elif not is_listed and name != default_name(stream) and name not in names.known:
                variables[FOUND_STREAM] = mark_unsafe(str(stream))
            found[stream] = name, {"ansible_connection": "local", **variables}
        return dict(found[stream] for stream in streams if stream in found)

    def _precedence(self, stream: Stream, row: Row) -> tuple[bool, str, Stream]:
        """Return the sort key that decides who gets a name: listed streams first, the latest pushed last."""
        return stream not in self._plan.named, str(row.get("publish_time") or "~"), stream

    def _evaluate_name(self, variables: dict[str, Any], taken: Iterable[str]) -> str:
        """Return the name by the option `hostnames`; empty if no entry gives one."""
        for number, entry in enumerate(self._rules.hostnames, 1):
            try:
                value = self._evaluator.evaluate_host_name(entry, variables)
            except Exception as error:  # a template can raise anything
                if self._rules.strict:
                    raise AnsibleParserError(
                        f"Entry {number} of the option hostnames failed: {describe_failure(error)}."
                    ) from None
                continue
            text = "" if value is None else str(value)
            if text.strip():
                return host_name(text, taken, slash="/" in entry)
        return ""

    def _is_included(self, variables: dict[str, Any]) -> bool:
        for one in self._rules.filters:
            if self.holds(one.condition, variables, self._failures):
                return one.is_include
        return True

    def holds(
        self, condition: Condition, variables: dict[str, Any], failures: dict[str, list[str]] | None = None
    ) -> bool:
        """Return whether a condition holds for a host; one that cannot be evaluated does not, or is an error if strict.

        `failures` collects the hosts for which it could not be evaluated.
        """
        try:
            return self._evaluator.is_true(condition.expression, variables)
        except Exception as error:  # an expression can raise anything
            name = variables["inventory_hostname"]
            if self._rules.strict:
                raise AnsibleParserError(f"{condition.label} failed for {name}: {describe_failure(error)}.") from None
            if failures is not None:
                failures.setdefault(condition.label, []).append(name)
            return False

    def list_warnings(self) -> Iterator[str]:
        """Yield the warnings of the last build."""
        for label, names in self._failures.items():
            yield (
                f"{label} could not be evaluated for {len(names)} streams and was taken not to hold for them, "
                f"{names[0]} among them. Set strict to see why."
            )
        if self._unusable:
            yield (
                f"No command can name the streams {format_names(map(str, self._unusable))}, which are left out: their "
                "names hold control characters, or could stand for others."
            )
        if self._renamed:
            yield (
                f"Other hosts or groups are called like {format_names(self._renamed)}, so that streams have longer "
                "names. List the streams that are to keep theirs in the option streams, or have the option hostnames "
                "tell them apart."
            )


def format_names(names: Iterable[str]) -> str:
    """Return names for a message, only the first of many."""
    found = sorted(set(names))
    more = f" and {len(found) - _MAX_NAMES} more" if len(found) > _MAX_NAMES else ""
    return printable(", ".join(found[:_MAX_NAMES])) + more


def _is_usable(stream: Stream) -> bool:
    """Return whether a command can name the stream."""
    try:
        Stream.from_names(*stream)
    except InvalidOption:
        return False
    return True
