# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory whose hosts are live streams; what a source means stands in plugin_utils/_streams.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: apsaravideo_streams
short_description: Live streams of Alibaba Cloud ApsaraVideo Live as hosts
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Makes each stream that is being pushed a host, and each stream that the source names, whether it is being pushed or
    not. One that the cloud pulls on trigger counts as pushed while somebody watches it.
  - A source is a YAML file called C(apsaravideo.yml) or C(apsaravideo_streams.yml), or whose name ends in
    C(.apsaravideo.yml) or C(.apsaravideo_streams.yml). The extension C(.yaml) does as well.
  - A host has the variables C(domain_name), C(app_name), C(stream_name), C(online) and C(publish_time), of which the
    last is null for a stream that is not online, and C(ansible_connection), which is V(local). For what is online, the
    API also tells C(publish_type), C(publish_domain), C(transcoded), C(client_ip), C(server_ip), C(width), C(height),
    C(frame_rate), C(video_data_rate), C(audio_data_rate), C(video_codec_id) and C(audio_codec_id), as far as they are
    known. A stream is online when it was at the time of the listing, which may come from the cache.
  - Whoever pushes a stream chooses its name. What the API tells is therefore never used as a template, and no host or
    group that comes of it takes the name of something else. A stream that the source does not name, and that no command
    can name because of control characters or a wildcard, is left out with a warning.
  - A listing costs one call for each domain and every 3,000 streams online there.
extends_documentation_fragment:
  - apsaravideo.live.connection
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [apsaravideo.live.apsaravideo_streams]
  domains:
    description:
      - The main streaming (playback) domains whose streams are hosts.
      - An entry is a name, or a dictionary with C(domain_name) and whatever else is particular to the domain. That is
        C(apps) instead of those of the source, any option of the connection, and further variables of its hosts.
      - An entry with keys of its own, such as C(profile), uses neither the keys nor the role that the source has for
        all. A C(role_arn) alone is assumed with the source's keys.
      - What an entry says about the connection also becomes variables of its hosts, such as C(apsaravideo_profile), so
        that tasks reach the domain in the same way. Keys and tokens never do. Use a profile where tasks are to find
        them.
    type: list
    elements: raw
    default: []
  apps:
    description:
      - The applications whose streams are hosts. Default is all of them.
      - One app is left to the API to choose. With several apps, the whole domain is listed.
    type: list
    elements: str
    default: []
  streams:
    description:
      - Streams that are hosts whether they are online or not, and whatever O(apps) says. Their domains are listed too.
      - An entry is C(domain/app/stream), or a dictionary with C(domain_name), C(app_name) and C(stream_name) and
        further variables of the host.
    type: list
    elements: raw
    default: []
  role_policy: # again, because only modules have the type json
    description: A policy in the language of RAM. What it does not allow, the keys of O(role_arn) may not do.
    type: raw
  transcoded:
    description: Whether streams that the service makes of others, by transcoding, are hosts too.
    type: bool
    default: false
  query:
    description:
      - A JMESPath expression that chooses among the streams, each an object with the variables that the API tells.
        They are sorted by domain, app and stream.
      - Its result is a list of streams, from which fields may be missing or to which others may be added, but not
        C(domain_name), C(app_name) and C(stream_name).
    type: str
  filters:
    description:
      - Conditions that a stream goes through after O(query) until one holds. It is then a host if the condition is
        an C(include), and none if it is an C(exclude). A stream for which no condition holds is a host, so a list of
        what to include ends with C(exclude) V(true).
      - Conditions are Jinja2 expressions over the variables of the host and C(inventory_hostname).
      - One that cannot be evaluated for a stream does not hold, and there is a warning; with O(strict) it is an error.
    type: list
    elements: dict
    default: []
    suboptions:
      include:
        description: The condition for a stream to be a host.
        type: raw
      exclude:
        description: The condition for a stream not to be one.
        type: raw
  hostnames:
    description:
      - What hosts are called, in order of preference. An entry is a Jinja2 template, or without braces an expression
        such as the name of a variable. The first that gives a name is used.
      - Where none does, the name is C(stream@app@domain), which is unique.
      - Names consist of letters, digits and C(_.@+=-). Whatever else there is in the names of streams, or in what a
        template gives, is escaped as in URLs, so that names work in patterns, in C(--limit) and as names of files. A
        slash is kept where the template has one. The end of a very long name is replaced by a C(~) and a checksum.
      - A stream whose name is that of another host or of a group has a longer one, C(stream@app@domain) unless that is
        taken, too, and there is a warning. Streams of O(streams) come first, and then those that have been pushed for
        longest. The hosts and groups of other sources keep their names, also those in files that Ansible reads after
        this source. What it reads from programs and other plugins should come before it.
      - So whoever pushes a stream chooses the name of its host. Where a name decides about something, as with
        C(--limit), name the stream in O(streams), or leave this option out. A host that only got its name so has the
        variable C(apsaravideo_found_stream), and never counts as wanted in the playbook C(sweep) because of its name.
    type: list
    elements: str
    default: []
  group:
    description: The group that all hosts are in. The playbooks of this collection expect V(streams).
    type: str
    default: streams
notes:
  - Options of the connection that stand beside O(domains) are used to read the inventory, and do not become variables.
    Set C(apsaravideo_profile) and the like in C(group_vars) where tasks need them, or use the environment for both.
    They may be templates with lookups and extra variables in them. O(allow_external_process) can only forbid here.
  - With O(cache), a listing is kept apart from those of other files, endpoints, accounts and options, and reading it
    takes neither calls nor keys. It may hold streams that have ended and lack some that have begun since.
  - O(query), O(filters), O(hostnames) and O(compose) may be changed without another listing.
  - With O(keyed_groups) of names and without a prefix, whoever pushes a stream chooses its groups, and may choose one
    of yours. A group that would be called like a host is left out, with a warning.
  - An expression takes Ansible about half a millisecond for each host. One over what the API tells, with no functions
    and no filters but those of Jinja2, is evaluated once for all hosts that are alike, such as those of an app. With
    thousands of streams, use such expressions, or O(query), which is faster still.
  - Ansible goes on without an inventory that it cannot read. Set E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) in
    pipelines.
"""

EXAMPLES = r"""
# live.apsaravideo.yml: all streams that are being pushed
plugin: apsaravideo.live.apsaravideo_streams
domains:
  - live.example.com

---
# event.apsaravideo.yml: an event with a list of its streams, and those of two apps that were not foreseen
plugin: apsaravideo.live.apsaravideo_streams
domains:
  - live.example.com
apps: [news, sports]
streams:
  - live.example.com/news/studio1
  - domain_name: live.example.com
    app_name: news
    stream_name: studio2
    title: The evening news
keyed_groups:
  - key: app_name
    prefix: app
groups:
  missing: not online

---
# accounts.apsaravideo.yml: domains of two accounts, whose keys are profiles of the Alibaba Cloud CLI
plugin: apsaravideo.live.apsaravideo_streams
domains:
  - domain_name: live.example.com
    profile: news
    team: newsroom
  - domain_name: live.example.org
    profile: sports
    apps: [stadium]
    team: events
hostnames:
  - "{{ team }}-{{ app_name }}-{{ stream_name }}"

---
# chosen.apsaravideo.yml: large pictures only, without tests, read from the cloud every ten minutes at most
plugin: apsaravideo.live.apsaravideo_streams
domains:
  - live.example.com
query: "[?height >= `720`]"
filters:
  - exclude: stream_name.startswith('test-')
  - include: app_name in ['news', 'sports']
  - exclude: true
compose:
  pixels: width * height
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/apsaravideo
cache_timeout: 600
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils._api.models import Stream
from ..module_utils._errors import InvalidOption, LiveError, printable
from ..module_utils._module.argspec import CONNECTION
from ..module_utils._module.task import Task
from ..module_utils._util.libraries import explain_missing_libraries
from ..plugin_utils._action.hosts import PROGRAMS, reason
from ..plugin_utils._inventory.names import FOUND_STREAM, KnownHosts, Names, merge, read_static, stream_of
from ..plugin_utils._inventory.streams import Plan, Row, default_name, filled, host_name, selection
from ..plugin_utils._inventory.templates import complaint, decided_by, is_template
from ..plugin_utils._inventory.unsafe import unsafe
from ..plugin_utils._util.run_directory import RUN_DIRECTORY

_ALIASES = {alias for option in CONNECTION.values() for alias in option.get("aliases", ())}
_SCALARS = (str, int, float, type(None), type(...))
_FILE_NAME = re.compile(r"(?:.*\.)?apsaravideo(?:_streams)?\.ya?ml", re.DOTALL)
_PLUGIN = re.compile(r"^plugin:\s*[\"']?apsaravideo\.live\.apsaravideo_streams\b", re.MULTILINE)
_BEGINNING = 65536  # characters in which a source says whose it is
_MAX_RENAMINGS = 3  # of hosts that groups of the same source are called like
_MAX_SHOWN = 10  # names in a warning


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin."""

    NAME = "apsaravideo.live.apsaravideo_streams"
    inventory: Any  # from the base class, which has none before `parse`
    _told: frozenset[str]  # variables that the API told, none of which is a template
    _known: dict[Any, Any]  # what expressions gave for values that they depend on
    _unusable: list[str]  # streams that no command can name
    _failed: dict[str, list[str]]  # conditions, and the hosts for which they could not be evaluated
    _moved: list[str]  # the names that streams could not have

    def verify_file(self, path: str) -> bool:
        """Return whether a file is named as sources of this plugin are; warn of one that is a source by its content."""
        if not super().verify_file(path):
            return False
        if _FILE_NAME.fullmatch(os.path.basename(path)):
            return True
        if path.endswith((".yml", ".yaml")) and _is_source(path):
            self.display.warning(
                f"{path} is an inventory source of {self.NAME} by its content, but not by its name, and is left out. "
                "Call it apsaravideo.yml or apsaravideo_streams.yml, or something that ends in .apsaravideo.yml or "
                ".apsaravideo_streams.yml."
            )
        return False

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Read a source and add its hosts; everything that can be wrong with it is found before any call."""
        super().parse(inventory, loader, path, cache)
        missing = explain_missing_libraries()
        if missing:
            raise AnsibleParserError(missing)
        config = self._read_config_data(path)
        try:
            self._refuse_unknown(config)
            plan = self._plan()
            select = selection(self.get_option("query"))
            filters = self._filters()
            self._check_templates(filters)
            streams = select(plan.streams(self._found(plan, path, cache)))
            self._add(plan, streams, filters)
        except LiveError as error:
            raise AnsibleParserError(str(error)) from None

    def _refuse_unknown(self, config: Mapping[str, Any]) -> None:
        """Ansible passes over what it does not know, and a misspelt option would go unnoticed."""
        unknown = sorted({str(name) for name in config} - set(self.get_options()) - _ALIASES)
        if unknown:
            raise InvalidOption(
                f"The source has no option {unknown[0]}", f"ansible-doc -t inventory {self.NAME} lists the options."
            )

    def _plan(self) -> Plan:
        self.templar.available_variables = self._vars or {}
        connection = {
            name: self.get_option(name)
            for name, option in CONNECTION.items()
            if self.get_option(name) != option.get("default")
        }
        return Plan.read(self.get_options(), connection, self.templar.template)

    def _filters(self) -> list[tuple[bool, Any]]:
        """Conditions, and whether a stream for which one holds is a host."""
        filters = []
        for number, entry in enumerate(self.get_option("filters"), 1):
            names = list(entry) if isinstance(entry, Mapping) else []
            if names not in (["include"], ["exclude"]) or not isinstance(entry[names[0]], (str, bool)):
                raise InvalidOption(
                    f"Entry {number} of the option filters is not one condition",
                    "Give each entry one condition, named include or exclude.",
                )
            filters.append((names == ["include"], entry[names[0]]))
        return filters

    def _check_templates(self, filters: Iterable[tuple[bool, Any]]) -> None:
        texts = [
            (f"The condition {number} of the option filters", text) for number, (_wanted, text) in enumerate(filters, 1)
        ]
        texts += [
            (f"Entry {number} of the option hostnames", text)
            for number, text in enumerate(self.get_option("hostnames"), 1)
        ]
        for place, text in texts:
            if isinstance(text, bool):
                continue
            if not isinstance(text, str):
                raise InvalidOption(f"{place} is no text", "Put it in quotes.")
            wrong = complaint(text)
            if wrong:
                raise InvalidOption(
                    f"{place} cannot be read by Jinja2: {wrong}", "Look at its braces, quotes and words."
                )

    def _found(self, plan: Plan, path: str, cache: bool) -> list[list[Row]]:
        """What is online, for each listing of the plan: from the cache where that may be used and has it."""
        if not self.get_option("cache"):
            return self._read(plan)
        asked = [[listing.asks(os.environ) for listing in plan.listings], self.get_option("transcoded")]
        key = f"{self.get_cache_key(path)}_{_digest(asked)}"
        account = _account(os.environ)
        stored = _held(self._cache.get(key), account) if cache else None
        if stored is not None and len(stored) == len(plan.listings):
            return [listing.stored(rows) for listing, rows in zip(plan.listings, stored)]
        found = self._read(plan)
        # One text, because Ansible copies and inspects each value of what it stores.
        self._cache[key] = {"account": account, "found": json.dumps(found)}
        return found

    def _read(self, plan: Plan) -> list[list[Row]]:
        ways = [json.dumps(listing.connection, sort_keys=True) for listing in plan.listings]
        tasks = {
            way: Task(filled(self._admitted(listing.connection)), os.environ, key_directory=RUN_DIRECTORY)
            for way, listing in zip(ways, plan.listings)
        }
        lives = {way: task.live() for way, task in tasks.items()}  # whatever has no keys is found before any call
        transcoded = self.get_option("transcoded")
        found = [listing.read(lives[way], transcoded) for way, listing in zip(ways, plan.listings)]
        for task in tasks.values():
            task.close()
            outcome = task.outcome()
            request_ids = printable(", ".join(outcome["request_ids"]))
            self.display.v(f"{self.NAME}: {outcome['api_calls']} calls, RequestIds {request_ids}")
            for warning in outcome.get("warnings", ()):
                self.display.warning(warning)
        return found

    def _admitted(self, connection: dict[str, Any]) -> dict[str, Any]:
        """Return options of a connection, of which an extra variable (-e) alone may allow programs to run."""
        name = "allow_external_process"
        extra_variables = self._vars or {}
        self.templar.available_variables = extra_variables
        allowed = self.templar.template(extra_variables.get(PROGRAMS))
        if allowed is not None:
            return {**connection, name: boolean(allowed, strict=False)}
        return {key: value for key, value in connection.items() if key != name or not value}

    def _add(self, plan: Plan, streams: Mapping[Stream, Row], filters: list[tuple[bool, Any]]) -> None:
        """Add the hosts and groups to the inventory, where no name may come to mean two things."""
        self._told = self._fields(plan, streams)
        self._known = {}
        static = InventoryData()
        if self.get_option("hostnames"):
            static = read_static(_sources(), self.loader, self.inventory.processed_sources)
        known = KnownHosts((self.inventory, static), self.templar)
        own = (self.get_option("group"), *map(self._sanitize_group_name, self.get_option("groups")))
        users = {"all", "ungrouped", *C.LOCALHOST, *own, *self.inventory.groups, *static.groups}
        taken = set(users)
        for _attempt in range(_MAX_RENAMINGS):
            hosts = self._hosts(plan, streams, filters, Names(taken, known))
            part = self._part(hosts)
            clashing = {name for name in part.groups if FOUND_STREAM in hosts.get(name, ())} - users
            taken |= clashing
            if not clashing:
                break
        strange = part.groups.keys() - users
        left_out = {name for name in strange if name in hosts or (name in known and not known.is_found(name))}
        self._warn(left_out)
        merge(part, self.inventory, left_out)

    def _warn(self, left_out: Iterable[str]) -> None:
        """Warn of filters that failed, and of names that clashed."""
        for condition, names in self._failed.items():
            self.display.warning(
                f"{self._place('filters', condition)} could not be evaluated for {len(names)} streams "
                f"and was taken not to hold for them, {names[0]} among them. Set strict to see why."
            )
        if self._unusable:
            self.display.warning(
                f"No command can name the streams {_shown(self._unusable)}, which are left out: their names hold "
                "control characters, or could stand for others."
            )
        if self._moved:
            self.display.warning(
                f"Other hosts or groups are called like {_shown(self._moved)}, so that streams have longer names. List "
                "the streams that are to keep theirs in the option streams, or have the option hostnames tell them "
                "apart."
            )
        if left_out:
            self.display.warning(
                f"The groups {_shown(left_out)} of the option keyed_groups are left out, because hosts are called so. "
                "Give the option a prefix."
            )

    def _hosts(
        self, plan: Plan, streams: Mapping[Stream, Row], filters: list[tuple[bool, Any]], names: Names
    ) -> dict[str, dict[str, Any]]:
        """The variables of each host by its name, for the streams that the filters let through."""
        self._failed, self._moved, self._unusable = {}, [], []
        found: dict[Stream, tuple[str, dict[str, Any]]] = {}
        for stream in sorted(streams, key=lambda stream: _precedence(plan, stream, streams[stream])):
            is_listed = stream in plan.named
            if not is_listed and not _is_usable(stream):
                self._unusable.append(str(stream))
                continue
            variables = {name: unsafe(value) for name, value in streams[stream].items()}
            variables.update(plan.variables(stream))
            preferred = self._name(variables, names.groups) or default_name(stream)
            name = names.choose(preferred, stream, is_listed)
            if filters and not self._passes(filters, {**variables, "inventory_hostname": name}):
                continue
            names.give(name, stream)
            if name != preferred:
                self._moved.append(preferred)
            elif not is_listed and name != default_name(stream) and name not in names.known:
                variables[FOUND_STREAM] = unsafe(str(stream))
            found[stream] = name, {"ansible_connection": "local", **variables}
        return dict(found[stream] for stream in streams if stream in found)

    def _fields(self, plan: Plan, streams: Mapping[Stream, Row]) -> frozenset[str]:
        if self.get_option("use_extra_vars"):
            return frozenset()
        fields = {name for row in streams.values() for name in row}
        own = {name for variables in plan.named.values() for name in variables}
        own.update(name for listing in plan.listings for name in listing.variables)
        return frozenset(fields - own - set(self.get_option("compose")))

    def _name(self, variables: dict[str, Any], taken: Iterable[str]) -> str:
        """What the option hostnames calls a stream; empty where it does not tell."""
        for number, entry in enumerate(self.get_option("hostnames"), 1):
            try:
                value = self._evaluated(entry, variables)
            except Exception as error:  # whatever a template can come to
                if self.get_option("strict"):
                    raise AnsibleParserError(
                        f"Entry {number} of the option hostnames failed: {reason(error)}."
                    ) from None
                continue
            text = "" if value is None else str(value)
            if text.strip():
                return host_name(text, taken, slash="/" in entry)
        return ""

    def _evaluated(self, entry: str, variables: dict[str, Any]) -> Any:
        if is_template(entry):
            self.templar.available_variables = variables
            return self.templar.template(entry)
        if entry.isidentifier() and entry not in variables:
            return None
        return self._compose(entry, variables)

    def _passes(self, filters: Iterable[tuple[bool, Any]], variables: dict[str, Any]) -> bool:
        return next((wanted for wanted, text in filters if self._holds("filters", text, variables)), True)

    def _holds(self, option: str, condition: Any, variables: dict[str, Any]) -> bool:
        """Whether a condition holds; one that cannot be evaluated does not, unless that is an error."""
        if isinstance(condition, bool):
            return condition
        try:
            return bool(self._once(condition, variables, lambda: self._condition(condition, variables), "if"))
        except Exception as error:  # whatever an expression can come to
            name = variables["inventory_hostname"]
            if self.get_option("strict"):
                raise AnsibleParserError(
                    f"{self._place(option, condition)} failed for {name}: {reason(error)}."
                ) from None
            if option == "filters":
                self._failed.setdefault(condition, []).append(name)
            return False

    def _place(self, option: str, condition: str) -> str:
        """Return what to call a condition in a message, which does not quote it."""
        given = self.get_option(option)
        if option == "groups":
            group = next(name for name, text in given.items() if text == condition)
            return f"The condition of {group} in the option groups"
        number = next(number for number, entry in enumerate(given, 1) if condition in entry.values())
        return f"The condition {number} of the option {option}"

    def _condition(self, condition: str, variables: dict[str, Any]) -> bool:
        self.templar.available_variables = variables
        if hasattr(self.templar, "evaluate_conditional"):  # from ansible-core 2.19 on
            return bool(self.templar.evaluate_conditional(condition))
        text = f"{{% if {condition} %}}true{{% else %}}false{{% endif %}}"
        return bool(boolean(self.templar.template(text)))

    def _compose(self, template: Any, variables: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The value of an expression, for `compose` and `keyed_groups`, too."""
        if isinstance(template, str) and template in self._told and isinstance(variables.get(template), str):
            return variables[template]
        evaluate = super()._compose
        return self._once(template, variables, lambda: evaluate(template, variables, *args, **kwargs), "value")

    def _once(self, text: Any, variables: dict[str, Any], evaluate: Callable[[], Any], kind: str) -> Any:
        """What `evaluate` gives for a text, evaluated once for all streams that are alike in what decides about it."""
        names = decided_by(text) if isinstance(text, str) else None
        if names is None or not names <= self._told:
            return evaluate()
        values = [variables.get(name, ...) for name in sorted(names)]
        key = (kind, text, *((type(value), value) for value in values))
        if not all(isinstance(value, _SCALARS) for value in values):
            return evaluate()
        if key not in self._known:
            self._known[key] = evaluate()
        return self._known[key]

    def _part(self, hosts: Mapping[str, dict[str, Any]]) -> InventoryData:
        """Return an inventory of its own with the hosts and their groups."""
        whole, self.inventory = self.inventory, InventoryData()
        self.inventory.current_source = whole.current_source
        try:
            self._fill(hosts, whole)
            return self.inventory
        finally:
            self.inventory = whole

    def _fill(self, hosts: Mapping[str, dict[str, Any]], whole: InventoryData) -> None:
        strict, compose, groups, keyed_groups = (
            self.get_option(name) for name in ("strict", "compose", "groups", "keyed_groups")
        )
        group = self.inventory.add_group(self.get_option("group"))
        for name, variables in hosts.items():
            self.inventory.add_host(name, group=group)
            host = self.inventory.hosts[name]
            earlier = whole.hosts[name].vars if name in whole.hosts else {}
            for variable, value in {**earlier, **variables}.items():
                host.set_variable(variable, value)
            scope = {**variables, "inventory_hostname": name}
            if compose:
                self._set_composite_vars(compose, scope, name, strict=strict)
                scope.update(host.vars)
            if FOUND_STREAM in variables:
                host.set_variable(FOUND_STREAM, unsafe(stream_of(host.vars)))  # the option compose may rename it
            for chosen, condition in groups.items():
                if self._holds("groups", condition, scope):
                    self.inventory.add_host(name, group=self.inventory.add_group(self._sanitize_group_name(chosen)))
            self._add_host_to_keyed_groups(keyed_groups, scope, name, strict=strict, fetch_hostvars=False)


def _sources() -> list[str]:
    """The inventory sources of this run, in whose files the user may have named hosts and groups."""
    given = context.CLIARGS.get("inventory") or ()
    return [given] if isinstance(given, str) else list(given)


def _precedence(plan: Plan, stream: Stream, row: Row) -> tuple[bool, str, Stream]:
    """The place of a stream among those that would have the same name: listed ones first, newcomers last."""
    return stream not in plan.named, str(row.get("publish_time") or "~"), stream


def _is_usable(stream: Stream) -> bool:
    """Return whether a stream can be named in a call."""
    try:
        Stream.from_names(*stream)
    except InvalidOption:
        return False
    return True


def _shown(names: Iterable[str]) -> str:
    found = sorted(set(names))
    more = f" and {len(found) - _MAX_SHOWN} more" if len(found) > _MAX_SHOWN else ""
    return printable(", ".join(found[:_MAX_SHOWN])) + more


def _is_source(path: str) -> bool:
    if not os.path.isfile(path):  # a pipe would hold up whoever opens it
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        return bool(_PLUGIN.search(file.read(_BEGINNING)))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _account(environ: Mapping[str, str]) -> str:
    """A mark of whose keys the environment names; empty where it names none, as it may when there is no network."""
    prefixes = ("ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_")
    names = {
        name: value
        for name, value in environ.items()
        if value and name.startswith(prefixes) and "SECRET" not in name and "TOKEN" not in name
    }
    return _digest(names) if names else ""


def _held(entry: Any, account: str) -> list[Any] | None:
    """What a cache entry holds; None where there is none, or one of another account."""
    try:
        if account and entry["account"] != account:
            return None
        found: list[Any] | None = json.loads(entry["found"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None
