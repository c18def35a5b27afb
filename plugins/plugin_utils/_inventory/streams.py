# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory source asks for, which streams answer it, and what their hosts are called."""

from __future__ import annotations

import hashlib
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._api.live import Live
from ...module_utils._api.models import Stream, check_domain, name_as_text
from ...module_utils._api.rows import parse_stored_stream
from ...module_utils._errors import InvalidOption
from ...module_utils._http.endpoint import DEFAULT_ENDPOINT
from ...module_utils._module.argspec import CONNECTION, STREAM, Spec
from ...module_utils._util.query import Query
from .._util.plain import plain, without_values

Row = dict[str, Any]

ALWAYS = (*Stream._fields, "online", "publish_time")  # fields of every stream

_SPELLINGS = {
    spelling: name
    for name, option in {**STREAM, **CONNECTION}.items()
    for spelling in (name, *option.get("aliases", ()))
}
_SECRET = frozenset(name for name, option in CONNECTION.items() if option.get("no_log"))
_KEYS = frozenset(
    {"access_key_id", "access_key_secret", "security_token", "profile", "credentials_file", "ecs_role_name"}
)
_ROLE = frozenset({"role_arn", "role_session_name", "role_session_duration", "role_policy", "external_id"})
_ACCOUNT = (_KEYS | _ROLE) - _SECRET | {"access_key_id"}


class Listing(NamedTuple):
    """A domain to list.

    `apps`: those whose streams are hosts, None for all. `named`: streams that are hosts in any case. `connection`:
    options to reach the domain with. `variables`: those of its hosts.
    """

    domain_name: str
    apps: frozenset[str] | None
    connection: dict[str, Any]
    variables: dict[str, Any]
    named: frozenset[Stream] = frozenset()

    def read(self, live: Live, transcoded: bool) -> list[Row]:
        """The wanted streams that are online.

        One app is for the API to choose. Several are chosen here: the whole domain comes in pages of 3,000 streams,
        which takes fewer calls than one listing for each app unless the domain is large and the apps are few.
        """
        apps = None if self.apps is None else self.apps | {stream.app_name for stream in self.named}
        only = next(iter(apps)) if apps is not None and len(apps) == 1 else None
        return self.wanted(live.online_streams(self.domain_name, only, transcoded=transcoded))

    def wanted(self, rows: Iterable[Row]) -> list[Row]:
        """Return those of the rows that this asks for, all of them of its domain."""
        return [row for row in ({**row, "domain_name": self.domain_name} for row in rows) if self._wants(row)]

    def stored(self, rows: Any) -> list[Row]:
        """Return the rows of a cache, of which somebody may have written any, with nothing that `read` cannot give."""
        return self.wanted(parse_stored_stream(row) for row in (rows if isinstance(rows, list) else ()))

    def _wants(self, row: Row) -> bool:
        stream = identity(row)
        return stream is not None and (self.apps is None or stream.app_name in self.apps or stream in self.named)

    def asks(self, environ: Mapping[str, str]) -> list[Any]:
        """What decides about the answer, without secrets: the endpoint, whose keys, and what is asked for."""
        endpoint = self.connection.get("endpoint") or environ.get("APSARAVIDEO_ENDPOINT") or DEFAULT_ENDPOINT
        whose = {name: value for name, value in sorted(self.connection.items()) if name in _ACCOUNT}
        apps = None if self.apps is None else sorted(self.apps)
        return [endpoint, self.connection.get("region_id"), whose, self.domain_name, apps, sorted(self.named)]


class Plan(NamedTuple):
    """A source, understood: the domains to list, and the streams it names with variables of their own."""

    listings: list[Listing]
    named: dict[Stream, dict[str, Any]]

    @classmethod
    def read(cls, options: Mapping[str, Any], connection: Mapping[str, Any], templated: Callable[[Any], Any]) -> Plan:
        """From the options `domains`, `apps` and `streams`, and those of the connection that are set.

        `templated` evaluates what may be a template. Raises InvalidOption naming the entry that cannot be used.
        """
        named = dict(_named(place, entry) for place, entry in _entries("streams", options["streams"]))
        listings = [
            _listing(place, entry, options["apps"], connection)
            for place, entry in _entries("domains", options["domains"])
        ]
        others = {stream.domain_name for stream in named} - {listing.domain_name for listing in listings}
        listings += [Listing(domain, frozenset(), dict(connection), {}) for domain in sorted(others)]
        if not listings:
            raise InvalidOption("The source names no domain and no stream", "Set the option domains, or streams.")
        pending = set(named)
        for number, listing in enumerate(listings):
            mine = frozenset(stream for stream in pending if stream.domain_name == listing.domain_name)
            listings[number] = listing._replace(named=mine, connection=_checked(listing, templated))
            pending -= mine
        return cls(listings, named)

    def streams(self, found: Sequence[Iterable[Row]]) -> dict[Stream, Row]:
        """All streams in order, from what was found for each listing, and those that are named but not online."""
        streams: dict[Stream, Row] = {
            stream: {**stream._asdict(), "online": False, "publish_time": None} for stream in self.named
        }
        for row in (row for rows in found for row in rows):
            stream = Stream(*(row[name] for name in Stream._fields))
            if not streams.get(stream, {}).get("online"):
                streams[stream] = {**stream._asdict(), "online": True, "publish_time": None, **row}
        return dict(sorted(streams.items()))

    def variables(self, stream: Stream) -> dict[str, Any]:
        """What the source sets for a stream's host."""
        mine = [listing for listing in self.listings if listing.domain_name == stream.domain_name]
        fitting = [listing for listing in mine if listing.apps is None or stream.app_name in listing.apps]
        return {**(fitting or mine)[0].variables, **self.named.get(stream, {})}


def identity(row: Any) -> Stream | None:
    """The stream that a row is about; None where it does not name one."""
    names: list[Any] = [row.get(name) for name in Stream._fields] if isinstance(row, dict) else [None]
    return Stream(*names) if all(isinstance(name, str) and name for name in names) else None


def _entries(option: str, entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the entries of an option and what to call them: an entry that is wrong may be or hold a secret."""
    for number, entry in enumerate(entries, 1):
        yield f"Entry {number} of the option {option}", entry


def _listing(place: str, entry: Any, apps: Any, connection: Mapping[str, Any]) -> Listing:
    own, variables = _sorted_out(place, {"domain_name": entry} if isinstance(entry, str) else entry)
    own_apps = variables.pop("apps", None)
    domain = _domain(own.pop("domain_name", None))
    _refuse(place, own, STREAM)
    variables = {**{f"apsaravideo_{name}": own[name] for name in own if name not in _SECRET}, **variables}
    return Listing(
        domain, _apps(apps if own_apps in (None, "", []) else own_apps), _combined(connection, own), variables
    )


def _named(place: str, entry: Any) -> tuple[Stream, dict[str, Any]]:
    if isinstance(entry, str):
        entry = dict(zip(Stream._fields, entry.split("/", 2)))
    own, variables = _sorted_out(place, entry)
    _refuse(place, own, CONNECTION)
    names = {name: name_as_text(name, plain(own.get(name))) for name in Stream._fields}
    return Stream.from_names(**{**names, "domain_name": names["domain_name"].lower()}), variables


def _sorted_out(place: str, entry: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options in an entry by their first spellings, and the rest, which are variables."""
    if not isinstance(entry, Mapping):
        raise InvalidOption(f"{place} is neither a name nor a mapping", "Give a name, or a mapping with names in it.")
    own = {_SPELLINGS[name]: value for name, value in entry.items() if name in _SPELLINGS and value is not None}
    variables = {str(name): value for name, value in entry.items() if name not in _SPELLINGS}
    for name in variables:
        if not _is_variable(name) or name in (*ALWAYS, "vars"):
            raise InvalidOption(
                f"{place} sets {name}, which cannot be a variable of a host",
                "Variables stand beside the names; call it otherwise, with letters, digits and underscores.",
            )
    return own, variables


def _is_variable(name: str) -> bool:
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name)


def _refuse(place: str, own: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in own:
        if name in names:
            raise InvalidOption(
                f"{place} sets {name}, which has no place there",
                "Streams are named in the option streams, and options of the connection belong in domains.",
            )


def _domain(name: Any) -> str:
    domain = name_as_text("domain_name", plain(name)).lower()
    check_domain(domain)
    return domain


def _apps(names: Any) -> frozenset[str] | None:
    given = [] if names is None else plain(names)
    apps = [name_as_text("apps", name) for name in (given if isinstance(given, list) else [given])]
    for app in apps:
        if not app.strip() or "*" in app:
            raise InvalidOption(
                "The option apps holds an empty name, or one with a wildcard",
                "Name apps exactly, or leave it out to have them all.",
            )
    return frozenset(apps) or None


def _combined(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a domain over those of the source. Keys of its own leave none of the source's, nor its role."""
    dropped = frozenset() if _KEYS.isdisjoint(own) else _KEYS | _ROLE
    return {**{name: value for name, value in common.items() if name not in dropped}, **own}


def _checked(listing: Listing, templated: Callable[[Any], Any]) -> dict[str, Any]:
    connection = {name: plain(templated(value)) for name, value in listing.connection.items()}
    result = ArgumentSpecValidator(CONNECTION).validate(connection)
    if result.error_messages:
        why = without_values(result.error_messages[0])
        raise InvalidOption(f"The connection of {listing.domain_name} cannot be made: {why}", "Correct the option.")
    return {name: result.validated_parameters[name] for name in connection}


def filled(connection: Mapping[str, Any]) -> dict[str, Any]:
    """All options of the connection, with their defaults."""
    return Spec(CONNECTION).filled(connection)


def selection(expression: str | None) -> Callable[[dict[Stream, Row]], dict[Stream, Row]]:
    """The JMESPath query over the list of streams; raises InvalidOption where it is none, before or on its use.

    It may leave fields out and add others, but not the names that tell the streams apart.
    """
    if not expression:
        return lambda streams: streams
    query = Query("query", expression)

    def select(streams: dict[Stream, Row]) -> dict[Stream, Row]:
        rows = query.search(list(streams.values()))
        chosen: dict[Any, Any] = {identity(row): row for row in rows} if isinstance(rows, list) else {None: rows}
        if not chosen.keys() <= streams.keys():
            raise InvalidOption(
                "The option query does not give a list of streams",
                "Have it choose among the streams, and keep domain_name, app_name and stream_name.",
            )
        for name in {str(name) for row in rows for name in row}:
            if not _is_variable(name):
                raise InvalidOption(
                    f"The option query gives streams the field {name}, which cannot be a variable of a host",
                    "Call it otherwise, with letters, digits and underscores.",
                )
        return {
            stream: {**{name: row[name] for name in ALWAYS}, **chosen[stream]}
            for stream, row in streams.items()
            if stream in chosen
        }

    return select


_UNMISTAKABLE = r"\w.+=-"  # with @, which joins the parts of a default name
_PLAIN = re.compile(rf"\w[{_UNMISTAKABLE}]*")
# Bytes. Names of files end at 255, and Ansible's cache of facts ends the run where one of a host cannot be used.
_LONGEST_PART = 72
_LONGEST_NAME = 200
_DIGEST = 32


def default_name(stream: Stream) -> str:
    """`stream@app@domain`, which no two streams share."""
    return "@".join(_escaped(part, _UNMISTAKABLE, _LONGEST_PART) for part in reversed(stream))


def host_name(text: str, taken: Iterable[str], slash: bool = False) -> str:
    """A name from a template, fit for patterns, --limit, and files that are called after hosts.

    Whatever else a character could mean there is escaped as in URLs, and so is the first one of a name that is
    `taken` by something else. A `slash` is kept where the template itself has one. The end of a long name is replaced.
    """
    parts = text.split("/") if slash else [text]
    name = "/".join(_escaped(part, f"@{_UNMISTAKABLE}", _LONGEST_NAME) or "%" for part in parts)
    return _percent(name[0]) + name[1:] if name in taken else name


def _escaped(text: str, kept: str, longest: int) -> str:
    bare = str.__str__(text)  # with the mark of unsafe text, ansible-inventory would not show it as a name
    name = bare if _PLAIN.fullmatch(bare) else re.sub(rf"^\W|[^{kept}]", lambda found: _percent(found[0]), bare)
    if len(name.encode()) <= longest:
        return name
    # No other name has a ~ in it, so that nobody can choose one that is the same.
    digest = hashlib.sha256(bare.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{name.encode()[: longest - _DIGEST - 1].decode(errors='ignore')}~{digest}"


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
