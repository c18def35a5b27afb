# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets of a fleet, which are hosts with variables or entries of a list, and the requests for their streams."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn
from urllib.parse import unquote

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._api.models import Stream
from ...module_utils._domain.windows import VARIABLES as WINDOWS
from ...module_utils._domain.windows import parse_windows
from ...module_utils._errors import InvalidOption
from ...module_utils._module.argspec import CONNECTION, STREAM, Spec
from ...module_utils._module.record import SPEC as RECORD
from .._util.plain import redact_values

# The options of a stream besides its names and its state.
STREAM_OPTIONS = tuple(name for name in RECORD.options if name not in {"state", *STREAM, *CONNECTION})
# The options that a host's variables may set, by the names of the variables.
_HOST_VARIABLES = {
    **{f"record_{name}": name for name in (*STREAM_OPTIONS, "rate_limit")},
    **{f"apsaravideo_{name}": name for name in CONNECTION},
}
_CONNECTION_VARIABLES = tuple(name for name in _HOST_VARIABLES if name.startswith("apsaravideo_"))
_OPTIONS = Spec({name: option for name, option in RECORD.options.items() if name not in STREAM}, RECORD.rules)
_ENTRY_KEYS = {*Stream._fields, *STREAM_OPTIONS, *WINDOWS, *CONNECTION, "host", "like"}


class Target(NamedTuple):
    """A host or an entry of a list that stands for a stream; `host` is None for an entry without one.

    `read` returns the stream's variables, by the names of options and windows; it raises InvalidOption if one of them
    cannot be evaluated. `names` are those of the stream if they are known before.
    """

    host: str | None
    read: Callable[[], dict[str, Any]]
    names: Mapping[str, Any] | None = None


class Request(NamedTuple):
    """The request for one stream: its names, its validated options, and its windows as they were given."""

    stream: Stream
    options: dict[str, Any]
    windows: dict[str, Any]
    key: str  # the same for all requests with the same options
    no_log: frozenset[str]


def make_host_targets(hosts: Iterable[str], read: Callable[[str, Iterable[str]], dict[str, Any]]) -> Iterator[Target]:
    """Yield a target for each host; `read(host, names)` returns those variables of a host that are set."""
    names = (*Stream._fields, *_HOST_VARIABLES, *WINDOWS)
    for host in hosts:
        yield Target(host, lambda host=host: _rename_to_options(read(host, names)))  # type: ignore[misc]


def make_entry_targets(
    entries: Iterable[Mapping[str, Any]],
    read: Callable[[str, Iterable[str]], dict[str, Any]],
    domain: str | None = None,
) -> Iterator[Target]:
    """Yield a target for each entry; options that it leaves out may come from the variables of a host that it names.

    `domain` is that of entries that name none.
    """

    def read_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
        unknown = sorted(str(name) for name in entry if name not in _ENTRY_KEYS)
        if unknown:
            raise InvalidOption(
                f"An entry of the option streams sets {', '.join(unknown)}", "Leave it out, or check its spelling."
            )
        host = entry.get("host") or entry.get("like")
        names = (*_HOST_VARIABLES, *WINDOWS) if entry.get("host") else _CONNECTION_VARIABLES
        common = _rename_to_options(read(str(host), names)) if host else {}
        own = {name: value for name, value in entry.items() if value is not None and name not in ("host", "like")}
        return {**common, **own}

    for entry in entries:
        given = {"domain_name": domain, **{name: value for name, value in entry.items() if value is not None}}
        names = {name: given.get(name) if isinstance(given.get(name), (str, int)) else "?" for name in Stream._fields}
        yield Target(entry.get("host"), lambda entry=entry: read_entry(entry), names)  # type: ignore[misc]


def choose_targets(targets: Iterable[Target], ids: Iterable[str], now: float) -> Iterator[Target]:
    """Yield the targets whose streams are named by `domain/app/stream`, each part percent-encoded.

    A stream with recording windows is left out unless one of them is open. A host whose names cannot be read may stand
    for none of these streams, and is left out; one whose windows are not valid fails.
    """
    wanted = {tuple(map(unquote, name.split("/"))) for name in ids}
    for target in targets:
        try:
            found = target.read()
        except InvalidOption:
            continue
        if tuple(str(found.get(name)) for name in Stream._fields) not in wanted:
            continue
        try:
            if _is_open(found, now):
                yield target._replace(read=lambda found=found: found)  # type: ignore[misc]
        except InvalidOption as error:
            yield target._replace(read=functools.partial(_fail, error))


def _fail(error: InvalidOption) -> NoReturn:
    raise error


def _is_open(variables: Mapping[str, Any], now: float) -> bool:
    """Return whether variables set no recording window, or one that is open."""
    if all(variables.get(name) in (None, "") for name in WINDOWS):
        return True
    windows = parse_windows({name: variables.get(name) for name in WINDOWS}, now)
    return any(window.start.epoch <= now < window.stop.epoch for window in windows)


def _rename_to_options(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables by the names of the options that they set; `apsaravideo_` ones override `record_` ones."""
    return {_HOST_VARIABLES.get(name, name): value for name, value in variables.items()}


class Requests:
    """Requests for targets; options that are the same for many streams are validated once.

    `domain` is that of streams that name none.
    """

    def __init__(self, common: Mapping[str, Any], state: str, domain: str | None = None) -> None:
        self._domain = domain
        self._common = {**{name: value for name, value in common.items() if value is not None}, "state": state}
        self._validated: dict[str, tuple[dict[str, Any], frozenset[str]] | InvalidOption] = {}

    def make(self, target: Target) -> Request:
        """Read a target's variables and validate them; raise InvalidOption if they are not valid."""
        given = {"domain_name": self._domain, **target.read()}
        stream = Stream.from_values({name: given.get(name) for name in Stream._fields})
        windows = {name: given[name] for name in WINDOWS if name in given}
        own = {name: value for name, value in given.items() if name in _OPTIONS.options}
        key = repr(sorted(own.items()))
        if key not in self._validated:
            self._validated[key] = self._validate(own)
        validated = self._validated[key]
        if isinstance(validated, InvalidOption):
            raise validated
        return Request(stream, validated[0], windows, key, validated[1])

    def _validate(self, own: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]] | InvalidOption:
        """Return the validated options and the values of those with `no_log`, or the error to raise for all of them."""
        checked = ArgumentSpecValidator(_OPTIONS.options, **_OPTIONS.rules).validate({**self._common, **own})
        if checked.error_messages:
            why = redact_values(checked.errors.msg)
            advice = "Change the variables or the entry that set them."
            return InvalidOption(f"The options of this stream cannot be used: {why}", advice)
        options = {name: checked.validated_parameters.get(name) for name in _OPTIONS.options}
        secrets = frozenset(str(value) for value in checked._no_log_values)
        return _OPTIONS.fill(options), secrets
