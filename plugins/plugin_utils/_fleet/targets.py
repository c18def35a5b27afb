# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the streams of a fleet and their options from hosts with variables, or from entries of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._api.models import Stream
from ...module_utils._domain.windows import VARIABLES as WINDOWS
from ...module_utils._errors import InvalidOption
from ...module_utils._module.argspec import CONNECTION, STREAM, Spec
from ...module_utils._module.record import SPEC as RECORD
from .._util.plain import without_values

# The options of a stream besides its names and its state.
COMMANDS = tuple(name for name in RECORD.options if name not in {"state", *STREAM, *CONNECTION})
# The options that a host's variables may set, by the names of these.
OF_HOSTS = {
    **{f"record_{name}": name for name in (*COMMANDS, "rate_limit")},
    **{f"apsaravideo_{name}": name for name in CONNECTION},
}
_OF_CONNECTION = tuple(name for name in OF_HOSTS if name.startswith("apsaravideo_"))
_OPTIONS = Spec({name: option for name, option in RECORD.options.items() if name not in STREAM}, RECORD.rules)
_ENTRY = {*Stream._fields, *COMMANDS, *WINDOWS, *CONNECTION, "host", "like"}


class Target(NamedTuple):
    """A stream that is to be brought to a state.

    `host` is None for one that is no host. `read` returns the variables of the stream, by the names of options or of
    windows; it raises InvalidOption for what cannot be evaluated.
    """

    host: str | None
    read: Callable[[], dict[str, Any]]
    names: Mapping[str, Any] | None = None


class Request(NamedTuple):
    """A request for one stream: its names, its validated options, and its windows as they were given."""

    stream: Stream
    options: dict[str, Any]
    windows: dict[str, Any]
    key: str  # the same for all requests with the same options
    no_log: frozenset[str]


def of_hosts(hosts: Iterable[str], read: Callable[[str, Iterable[str]], dict[str, Any]]) -> Iterator[Target]:
    """Yield the streams that hosts stand for."""
    names = (*Stream._fields, *OF_HOSTS, *WINDOWS)
    for host in hosts:
        yield Target(host, lambda host=host: _by_options(read(host, names)))  # type: ignore[misc]


def of_entries(
    entries: Iterable[Mapping[str, Any]],
    read: Callable[[str, Iterable[str]], dict[str, Any]],
    domain: str | None = None,
) -> Iterator[Target]:
    """Yield the streams of a list. An entry may name a host whose variables count where it sets nothing itself."""

    def variables(entry: Mapping[str, Any]) -> dict[str, Any]:
        unknown = sorted(str(name) for name in entry if name not in _ENTRY)
        if unknown:
            raise InvalidOption(
                f"An entry of the option streams sets {', '.join(unknown)}", "Leave it out, or correct its name."
            )
        host = entry.get("host") or entry.get("like")
        names = (*OF_HOSTS, *WINDOWS) if entry.get("host") else _OF_CONNECTION
        common = _by_options(read(str(host), names)) if host else {}
        own = {name: value for name, value in entry.items() if value is not None and name not in ("host", "like")}
        return {**common, **own}

    for entry in entries:
        given = {"domain_name": domain, **entry}
        names = {name: given.get(name) if isinstance(given.get(name), (str, int)) else "?" for name in Stream._fields}
        yield Target(entry.get("host"), lambda entry=entry: variables(entry), names)  # type: ignore[misc]


def _by_options(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables by the names of the options that they set; those of the connection come last."""
    return {OF_HOSTS.get(name, name): value for name, value in variables.items()}


class Requests:
    """Makes requests of targets. Options that are the same for many streams are validated once.

    `domain` is that of the streams that name none.
    """

    def __init__(self, common: Mapping[str, Any], state: str, domain: str | None = None) -> None:
        self._domain = domain
        self._common = {**{name: value for name, value in common.items() if value is not None}, "state": state}
        self._validated: dict[str, tuple[dict[str, Any], frozenset[str]] | InvalidOption] = {}

    def make(self, target: Target) -> Request:
        """Read a target; raises InvalidOption where no call can be made for it."""
        given = {"domain_name": self._domain, **target.read()}
        stream = Stream.from_values({name: given.get(name) for name in Stream._fields})
        windows = {name: given[name] for name in WINDOWS if name in given}
        own = {name: value for name, value in given.items() if name in _OPTIONS.options}
        key = repr(sorted(own.items()))
        if key not in self._validated:
            self._validated[key] = self._validate(own)
        found = self._validated[key]
        if isinstance(found, InvalidOption):
            raise found
        return Request(stream, found[0], windows, key, found[1])

    def _validate(self, own: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]] | InvalidOption:
        checked = ArgumentSpecValidator(_OPTIONS.options, **_OPTIONS.rules).validate({**self._common, **own})
        if checked.error_messages:
            why = without_values(checked.errors.msg)
            return InvalidOption(f"The options of this stream cannot be used: {why}", "Correct them.")
        options = {name: checked.validated_parameters.get(name) for name in _OPTIONS.options}
        secrets = frozenset(str(value) for value in checked._no_log_values)
        return _OPTIONS.filled(options), secrets
