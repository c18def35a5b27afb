# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a source: the domains to list, how to reach them, and the streams and variables that it names."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._api.live import Live
from ...module_utils._api.models import Stream, check_domain, name_as_text
from ...module_utils._api.rows import parse_stored_stream
from ...module_utils._errors import InvalidOption
from ...module_utils._http.endpoint import DEFAULT_ENDPOINT
from ...module_utils._module.argspec import CONNECTION, STREAM, Spec
from .._util.plain import redact_values, to_plain

Row = dict[str, Any]

FIELDS = (*Stream._fields, "online", "publish_time")  # of every stream

_OPTION_NAMES = {
    spelling: name
    for name, option in {**STREAM, **CONNECTION}.items()
    for spelling in (name, *option.get("aliases", ()))
}
_SECRET = frozenset(name for name, option in CONNECTION.items() if option.get("no_log"))
_CREDENTIALS = frozenset(
    {"access_key_id", "access_key_secret", "security_token", "profile", "credentials_file", "ecs_role_name"}
)
_ROLE = frozenset({"role_arn", "role_session_name", "role_session_duration", "role_policy", "external_id"})
_ACCOUNT = (_CREDENTIALS | _ROLE) - _SECRET | {"access_key_id"}


class Listing(NamedTuple):
    """A domain to list.

    `apps` are those whose streams are hosts, None for all; `named` are streams that are hosts in any case.
    `connection` are the options to reach the domain with, `variables` those of its hosts.
    """

    domain_name: str
    apps: frozenset[str] | None
    connection: dict[str, Any]
    variables: dict[str, Any]
    named: frozenset[Stream] = frozenset()

    def read(self, live: Live, transcoded: bool) -> list[Row]:
        """Return the online streams of the domain that are selected.

        The API filters by one app. With several, the whole domain is listed in pages of 3,000 streams and filtered
        here, which takes fewer calls than a listing of each app unless the domain is large and the apps are few.
        """
        apps = None if self.apps is None else self.apps | {stream.app_name for stream in self.named}
        only = next(iter(apps)) if apps is not None and len(apps) == 1 else None
        return self._select(live.online_streams(self.domain_name, only, transcoded=transcoded))

    def read_stored(self, rows: Any) -> list[Row]:
        """Return the selected rows of a cache, which anyone may have written: only fields that `read` can return."""
        return self._select(parse_stored_stream(row) for row in (rows if isinstance(rows, list) else ()))

    def _select(self, rows: Iterable[Row]) -> list[Row]:
        return [row for row in ({**row, "domain_name": self.domain_name} for row in rows) if self._is_selected(row)]

    def _is_selected(self, row: Row) -> bool:
        stream = stream_of_row(row)
        return stream is not None and (self.apps is None or stream.app_name in self.apps or stream in self.named)

    def describe_query(self) -> list[Any]:
        """Return everything that the result of the listing depends on, without secrets, as values for JSON."""
        account = {name: value for name, value in sorted(self.connection.items()) if name in _ACCOUNT}
        apps = None if self.apps is None else sorted(self.apps)
        endpoint = self.connection.get("endpoint") or DEFAULT_ENDPOINT
        return [endpoint, self.connection.get("region_id"), account, self.domain_name, apps, sorted(self.named)]


class Plan(NamedTuple):
    """A validated source: the domains to list, and the streams that it names with their own variables."""

    listings: list[Listing]
    named: dict[Stream, dict[str, Any]]

    @classmethod
    def read(cls, options: Mapping[str, Any], connection: Mapping[str, Any], template: Callable[[Any], Any]) -> Plan:
        """Return the plan of the options `domains`, `apps` and `streams`, and of the connection options that are set.

        `template` evaluates values that may be templates. Raises InvalidOption naming the entry that cannot be used.
        """
        named = dict(_read_stream(label, entry) for label, entry in _label_entries("streams", options["streams"]))
        listings = [
            _read_domain(label, entry, options["apps"], connection)
            for label, entry in _label_entries("domains", options["domains"])
        ]
        others = {stream.domain_name for stream in named} - {listing.domain_name for listing in listings}
        listings += [Listing(domain, frozenset(), dict(connection), {}) for domain in sorted(others)]
        if not listings:
            raise InvalidOption("The source names no domain and no stream", "Set the option domains, or streams.")
        pending = set(named)
        for number, listing in enumerate(listings):
            own = frozenset(stream for stream in pending if stream.domain_name == listing.domain_name)
            listings[number] = listing._replace(named=own, connection=_validate_connection(listing, template))
            pending -= own
        return cls(listings, named)

    def merge(self, found: Sequence[Iterable[Row]]) -> dict[Stream, Row]:
        """Return all streams, sorted: the rows found for each listing, and the named streams that are not online."""
        streams: dict[Stream, Row] = {
            stream: {**stream._asdict(), "online": False, "publish_time": None} for stream in self.named
        }
        for row in (row for rows in found for row in rows):
            stream = Stream(*(row[name] for name in Stream._fields))
            if not streams.get(stream, {}).get("online"):
                streams[stream] = {**stream._asdict(), "online": True, "publish_time": None, **row}
        return dict(sorted(streams.items()))

    def variables(self, stream: Stream) -> dict[str, Any]:
        """Return the variables that the source sets for the stream's host."""
        own = [listing for listing in self.listings if listing.domain_name == stream.domain_name]
        matching = [listing for listing in own if listing.apps is None or stream.app_name in listing.apps]
        return {**(matching or own)[0].variables, **self.named.get(stream, {})}

    def api_fields(self, streams: Mapping[Stream, Row]) -> frozenset[str]:
        """Return the names of the variables in the API's rows, without those that the inventory file sets."""
        fields = {name for row in streams.values() for name in row}
        own = {name for variables in self.named.values() for name in variables}
        own.update(name for listing in self.listings for name in listing.variables)
        return frozenset(fields - own)


def stream_of_row(row: Any) -> Stream | None:
    """Return the stream that a row names, None if it does not name one."""
    names: list[Any] = [row.get(name) for name in Stream._fields] if isinstance(row, dict) else [None]
    return Stream(*names) if all(isinstance(name, str) and name for name in names) else None


def is_variable_name(name: str) -> bool:
    """Return whether a host can have a variable of this name."""
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name)


def fill_defaults(connection: Mapping[str, Any]) -> dict[str, Any]:
    """Return all connection options, those that are not set with their defaults."""
    return Spec(CONNECTION).fill(connection)


def _label_entries(option: str, entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the entries of an option, each with a label for messages, which must not quote it: it may be a secret."""
    for number, entry in enumerate(entries, 1):
        yield f"Entry {number} of the option {option}", entry


def _read_domain(label: str, entry: Any, apps: Any, connection: Mapping[str, Any]) -> Listing:
    own, variables = _split_entry(label, {"domain_name": entry} if isinstance(entry, str) else entry)
    own_apps = variables.pop("apps", None)
    domain = _read_domain_name(own.pop("domain_name", None))
    _refuse_options(label, own, STREAM)
    variables = {**{f"apsaravideo_{name}": own[name] for name in own if name not in _SECRET}, **variables}
    own_or_common_apps = _read_apps(apps if own_apps in (None, "", []) else own_apps)
    return Listing(domain, own_or_common_apps, _override(connection, own), variables)


def _read_stream(label: str, entry: Any) -> tuple[Stream, dict[str, Any]]:
    if isinstance(entry, str):
        entry = dict(zip(Stream._fields, entry.split("/", 2)))
    own, variables = _split_entry(label, entry)
    _refuse_options(label, own, CONNECTION)
    names = {name: name_as_text(name, to_plain(own.get(name))) for name in Stream._fields}
    return Stream.from_names(**{**names, "domain_name": names["domain_name"].lower()}), variables


def _split_entry(label: str, entry: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options in an entry, by their main names, and the rest, which are variables."""
    if not isinstance(entry, Mapping):
        raise InvalidOption(f"{label} is neither a name nor a mapping", "Give a name, or a mapping with names in it.")
    options = {
        _OPTION_NAMES[name]: value for name, value in entry.items() if name in _OPTION_NAMES and value is not None
    }
    variables = {str(name): value for name, value in entry.items() if name not in _OPTION_NAMES}
    for name in variables:
        if not is_variable_name(name) or name in (*FIELDS, "vars"):
            raise InvalidOption(
                f"{label} sets {name}, which cannot be a variable of a host",
                "Variables stand beside the names; call it otherwise, with letters, digits and underscores.",
            )
    return options, variables


def _refuse_options(label: str, own: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in own:
        if name in names:
            raise InvalidOption(
                f"{label} sets {name}, which has no place there",
                "Streams are named in the option streams, and options of the connection belong in domains.",
            )


def _read_domain_name(name: Any) -> str:
    domain = name_as_text("domain_name", to_plain(name)).lower()
    check_domain(domain)
    return domain


def _read_apps(names: Any) -> frozenset[str] | None:
    given = [] if names is None else to_plain(names)
    apps = [name_as_text("apps", name) for name in (given if isinstance(given, list) else [given])]
    for app in apps:
        if not app.strip() or "*" in app:
            raise InvalidOption(
                "The option apps holds an empty name, or one with a wildcard",
                "Name apps exactly, or leave it out to have them all.",
            )
    return frozenset(apps) or None


def _override(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source's connection options with those of a domain over them.

    A domain with credentials of its own uses neither the credentials nor the role of the source.
    """
    dropped = frozenset() if _CREDENTIALS.isdisjoint(own) else _CREDENTIALS | _ROLE
    return {**{name: value for name, value in common.items() if name not in dropped}, **own}


def _validate_connection(listing: Listing, template: Callable[[Any], Any]) -> dict[str, Any]:
    connection = {name: to_plain(template(value)) for name, value in listing.connection.items()}
    result = ArgumentSpecValidator(CONNECTION).validate(connection)
    if result.error_messages:
        why = redact_values(result.error_messages[0])
        raise InvalidOption(
            f"The connection of {listing.domain_name} cannot be made: {why}", "Set the option to a valid value."
        )
    return {name: result.validated_parameters[name] for name in connection}
