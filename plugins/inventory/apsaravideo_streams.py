# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory whose hosts are live streams; see `plugin_utils/_inventory` for how a source is read."""

from __future__ import annotations

DOCUMENTATION = r"""
name: apsaravideo_streams
short_description: Live streams of Alibaba Cloud ApsaraVideo Live as hosts
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Makes a host of each stream that is online, and of each stream that the source lists, whether it is online or not. A
    stream that the cloud pulls on trigger is online while somebody watches it.
  - A source is a YAML file called C(apsaravideo.yml) or C(apsaravideo_streams.yml), or whose name ends in
    C(.apsaravideo.yml) or C(.apsaravideo_streams.yml). The extension C(.yaml) is accepted, too.
  - Every host has the variables C(domain_name), C(app_name), C(stream_name), C(online), C(publish_time), which is null
    for a stream that is not online, and C(ansible_connection), which is V(local). Online streams may also have
    C(publish_type), C(publish_domain), C(transcoded), C(client_ip), C(server_ip), C(width), C(height), C(frame_rate),
    C(video_data_rate), C(audio_data_rate), C(video_codec_id) and C(audio_codec_id), as far as the API returns them.
    C(online) is the state at the time of the listing, which may come from the cache.
  - Whoever pushes a stream chooses its name. Values from the API are therefore never used as templates, and no host or
    group named by them takes the name of another one. A stream that the source does not list, and that no command can
    name because of control characters or a wildcard, is left out with a warning.
  - A listing takes one call for each domain and each 3,000 online streams of it.
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
      - An entry is a name, or a dictionary with C(domain_name) and settings for this domain. These are C(apps) instead
        of O(apps), any connection option, and further variables of its hosts.
      - An entry with its own credentials, such as C(profile), uses neither the credentials nor the role of the source.
        With only a C(role_arn) of its own, that role is assumed with the source's credentials.
      - The connection options of an entry also become variables of its hosts, such as C(apsaravideo_profile), so that
        tasks reach the domain in the same way. Access keys and tokens never do. Use a profile to make them available to
        tasks.
    type: list
    elements: raw
    default: []
  apps:
    description:
      - The applications whose streams are hosts. By default, those of all applications are.
      - With one app, the API lists only that app. With several, the whole domain is listed.
    type: list
    elements: str
    default: []
  streams:
    description:
      - Streams that are hosts whether they are online or not, and regardless of O(apps). Their domains are listed, too.
      - An entry is C(domain/app/stream), or a dictionary with C(domain_name), C(app_name) and C(stream_name) and
        further variables of the host.
    type: list
    elements: raw
    default: []
  # The following are those of the fragment `connection`, with what is different here.
  role_policy:
    type: raw # only modules have the type json
  role_arn:
    env:
      - name: ALICLOUD_ASSUME_ROLE_ARN
  region_id:
    env: # the last one that is set counts
      - name: ALICLOUD_REGION_ID
      - name: ALICLOUD_REGION
      - name: ALIBABACLOUD_REGION_ID
      - name: ALIBABA_CLOUD_REGION_ID
  endpoint:
    env:
      - name: APSARAVIDEO_ENDPOINT
  transcoded:
    description: Whether streams that the service creates by transcoding others are hosts, too.
    type: bool
    default: false
  query:
    description:
      - A JMESPath expression that selects streams from a list of objects, whose fields are the variables from the API,
        sorted by domain, app and stream.
      - Its result must be a list of streams. It may leave fields out and add others, but must keep C(domain_name),
        C(app_name) and C(stream_name).
    type: str
  filters:
    description:
      - Conditions that are evaluated for each stream after O(query). The first one that holds decides. With C(include),
        the stream is a host, with C(exclude), it is not. A stream for which none holds is a host, so end a list of
        C(include) with C(exclude) V(true).
      - Conditions are Jinja2 expressions over the variables of the host and C(inventory_hostname).
      - A condition that cannot be evaluated for a stream does not hold, with a warning, or is an error with O(strict).
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
      - The names of hosts, in order of preference. An entry is a Jinja2 template, or without braces an expression such
        as the name of a variable. The first entry whose result is not empty is used.
      - If there is none, the name is C(stream@app@domain), which is unique.
      - Names consist of letters, digits and C(_.@+=-). All other characters are escaped as in URLs, so that names work
        in patterns, in C(--limit) and as file names. A slash is kept if the template contains one. The end of a very
        long name is replaced by a C(~) and a checksum.
      - A stream whose name is already that of another host or of a group gets a longer one with a warning, which is
        C(stream@app@domain) unless that is taken, too. Streams of O(streams) come first, then those that have been
        online for longest. The hosts and groups of other sources keep their names, also those of files that Ansible
        reads after this source. Sources that are programs or use other plugins should come before it.
      - With this option, whoever pushes a stream chooses the name of its host. If a name matters, as with C(--limit),
        list the stream in O(streams), or do not use this option. A host that is named by its stream and not listed has
        the variable C(apsaravideo_found_stream), and never counts as wanted in the playbook C(sweep) by its name.
    type: list
    elements: str
    default: []
  group:
    description: The group of all hosts. The playbooks of this collection expect V(streams).
    type: str
    default: streams
notes:
  - Top-level connection options are used to read the inventory, and do not become variables. For tasks, set
    C(apsaravideo_profile) and the like in C(group_vars), or use the environment for both. These options may be
    templates with lookups and extra variables. O(allow_external_process) can only forbid here.
  - With O(cache), a listing is stored separately for each file, endpoint, account and set of options. Reading it needs
    neither calls nor credentials. It may contain streams that are no longer online and lack newer ones.
  - O(query), O(filters), O(hostnames) and O(compose) may be changed without another listing.
  - With O(keyed_groups) of names and without a prefix, whoever pushes a stream chooses its groups, and may choose one
    of yours. A group with the name of a host is left out with a warning.
  - Ansible needs about half a millisecond to evaluate an expression for a host. An expression over variables from the
    API, without functions and with Jinja2's own filters only, is evaluated once for all hosts with the same values,
    such as those of an app. With thousands of streams, use such expressions, or O(query), which is faster still.
  - Ansible ignores an inventory source that it cannot read, with a warning. Set
    E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) in pipelines.
"""

EXAMPLES = r"""
# live.apsaravideo.yml: all streams that are online
plugin: apsaravideo.live.apsaravideo_streams
domains:
  - live.example.com

---
# event.apsaravideo.yml: the listed streams of an event, and all other online streams of two apps
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
# accounts.apsaravideo.yml: domains of two accounts, whose credentials are profiles of the Alibaba Cloud CLI
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
# chosen.apsaravideo.yml: high resolutions only, without tests, listed every ten minutes at most
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

import os
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils._api.models import Stream
from ..module_utils._errors import InvalidOption, LiveError, printable
from ..module_utils._module.argspec import CONNECTION
from ..module_utils._util.libraries import explain_missing_libraries
from ..plugin_utils._inventory.evaluator import Condition, Evaluator
from ..plugin_utils._inventory.host_builder import HostBuilder, Rules, format_names
from ..plugin_utils._inventory.listing_cache import identify_account, make_digest, make_entry, read_entry
from ..plugin_utils._inventory.names import FOUND_STREAM, KnownHosts, Names, join_names
from ..plugin_utils._inventory.online import find_permission, read_online
from ..plugin_utils._inventory.plan import Plan, Row
from ..plugin_utils._inventory.query import compile_query
from ..plugin_utils._inventory.source_file import has_source_name, is_misnamed_source
from ..plugin_utils._inventory.static import list_sources, merge, read_static
from ..plugin_utils._inventory.unsafe import mark_unsafe
from ..plugin_utils._util.run_directory import RUN_DIRECTORY

_ALIASES = {alias for option in CONNECTION.values() for alias in option.get("aliases", ())}
_MAX_RENAMINGS = 3  # of hosts whose names are those of groups of the same source


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin."""

    NAME = "apsaravideo.live.apsaravideo_streams"
    inventory: Any  # from the base class, which has none before `parse`
    _evaluator: Evaluator
    _builder: HostBuilder

    def verify_file(self, path: str) -> bool:
        """Return whether a file has a name of this plugin's sources; warn of a source that has another one."""
        if not super().verify_file(path):
            return False
        if is_misnamed_source(path):
            self.display.warning(
                f"{path} is an inventory source of {self.NAME} by its content, but not by its name, and is left out. "
                "Call it apsaravideo.yml or apsaravideo_streams.yml, or something that ends in .apsaravideo.yml or "
                ".apsaravideo_streams.yml."
            )
        return has_source_name(path)

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
            select = compile_query(self.get_option("query"))
            rules = Rules.read(*(self.get_option(name) for name in Rules._fields))
            self._add(plan, select(plan.merge(self._find(plan, path, cache))), rules)
        except LiveError as error:
            raise AnsibleParserError(str(error)) from None

    def _refuse_unknown(self, config: Mapping[str, Any]) -> None:
        """Raise InvalidOption for an unknown option, which Ansible would ignore."""
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

    def _find(self, plan: Plan, path: str, cache: bool) -> list[list[Row]]:
        """Return the online streams of each listing, from the cache if it may be used and has them."""
        if not self.get_option("cache"):
            return self._read(plan)
        query = [[listing.describe_query() for listing in plan.listings], self.get_option("transcoded")]
        key = f"{self.get_cache_key(path)}_{make_digest(query)}"
        account = identify_account(os.environ)
        stored = read_entry(self._cache.get(key), account) if cache else None
        if stored is not None and len(stored) == len(plan.listings):
            return [listing.read_stored(rows) for listing, rows in zip(plan.listings, stored)]
        found = self._read(plan)
        self._cache[key] = make_entry(found, account)
        return found

    def _read(self, plan: Plan) -> list[list[Row]]:
        allowed = find_permission(self._vars or {}, self.templar)
        found, outcomes = read_online(plan, self.get_option("transcoded"), allowed, RUN_DIRECTORY)
        for outcome in outcomes:
            request_ids = printable(", ".join(outcome["request_ids"]))
            self.display.v(f"{self.NAME}: {outcome['api_calls']} calls, RequestIds {request_ids}")
            for warning in outcome.get("warnings", ()):
                self.display.warning(warning)
        return found

    def _add(self, plan: Plan, streams: Mapping[Stream, Row], rules: Rules) -> None:
        """Add the hosts and groups to the inventory, so that no name means two things."""
        self._evaluator = Evaluator(self.templar, super()._compose, self._api_fields(plan, streams))
        self._builder = HostBuilder(plan, rules, self._evaluator)
        static = InventoryData()
        if rules.hostnames:
            static = read_static(list_sources(), self.loader, self.inventory.processed_sources)
        known = KnownHosts((self.inventory, static), self.templar)
        own = (self.get_option("group"), *map(self._sanitize_group_name, self.get_option("groups")))
        reserved = {"all", "ungrouped", *C.LOCALHOST, *own, *self.inventory.groups, *static.groups}
        taken = set(reserved)
        for _attempt in range(_MAX_RENAMINGS):
            hosts = self._builder.build(streams, Names(taken, known))
            part = self._build_inventory(hosts)
            clashing = {name for name in part.groups if FOUND_STREAM in hosts.get(name, ())} - reserved
            taken |= clashing
            if not clashing:
                break
        new_groups = part.groups.keys() - reserved
        left_out = {name for name in new_groups if name in hosts or (name in known and not known.is_found(name))}
        self._warn(left_out)
        merge(part, self.inventory, left_out)

    def _api_fields(self, plan: Plan, streams: Mapping[Stream, Row]) -> frozenset[str]:
        if self.get_option("use_extra_vars"):  # these may replace any variable
            return frozenset()
        return plan.api_fields(streams) - set(self.get_option("compose"))

    def _warn(self, left_out: set[str]) -> None:
        for warning in self._builder.list_warnings():
            self.display.warning(warning)
        if left_out:
            self.display.warning(
                f"The groups {format_names(left_out)} of the option keyed_groups are left out, because hosts are "
                "called so. Give the option a prefix."
            )

    def _compose(self, template: Any, variables: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Return the value of an expression; Constructable calls this for `compose` and `keyed_groups`."""
        return self._evaluator.evaluate(template, variables, *args, **kwargs)

    def _build_inventory(self, hosts: Mapping[str, dict[str, Any]]) -> InventoryData:
        """Return a separate inventory with the hosts and their groups."""
        whole, self.inventory = self.inventory, InventoryData()  # Constructable adds to self.inventory
        self.inventory.current_source = whole.current_source
        try:
            self._fill(hosts, whole)
            return self.inventory
        finally:
            self.inventory = whole

    def _fill(self, hosts: Mapping[str, dict[str, Any]], whole: InventoryData) -> None:
        strict, compose, keyed_groups = (self.get_option(name) for name in ("strict", "compose", "keyed_groups"))
        groups = [
            (self._sanitize_group_name(name), Condition(f"The condition of {name} in the option groups", text))
            for name, text in self.get_option("groups").items()
        ]
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
                host.set_variable(FOUND_STREAM, mark_unsafe(join_names(host.vars)))  # the option compose may rename it
            for chosen, condition in groups:
                if self._builder.holds(condition, scope):
                    self.inventory.add_host(name, group=self.inventory.add_group(chosen))
            self._add_host_to_keyed_groups(keyed_groups, scope, name, strict=strict, fetch_hostvars=False)
