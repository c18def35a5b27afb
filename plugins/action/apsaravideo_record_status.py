# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the recordings of all streams of an inventory, with a few calls for each domain, in one task of one host."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.utils.display import Display

from ..module_utils._api.models import Stream, name_as_text
from ..module_utils._errors import InvalidOption, printable
from ..module_utils._module import record_info
from ..module_utils._module.argspec import CONNECTION, Spec
from ..module_utils._module.task import Task, execute
from ..module_utils._util.instant import parse_duration
from ..plugin_utils._action import status
from ..plugin_utils._action.hosts import HostVariables
from ..plugin_utils._action.in_process import InProcessAction
from ..plugin_utils._action.status import Host, Wanted
from ..plugin_utils._fleet.summary import show
from ..plugin_utils._util.files import require_regular, write_whole
from ..plugin_utils._util.plain import plain, without_values
from ..plugin_utils._util.run_directory import RUN_DIRECTORY

_OWN: dict[str, Any] = {
    "hosts": {"type": "str"},
    "domain_name": {"type": "str", "aliases": ["domain"]},
    "wanted": {"type": "str"},
    "allow_empty": {"type": "bool", "default": False},
    "strays": {"type": "bool", "default": False},
    "max_duration": {"type": "str"},
    "stop_unknown": {"type": "bool", "default": False},
    "expect_recording": {"type": "bool", "default": False},
    "accept_unknown": {"type": "bool", "default": False},
    "show_all": {"type": "bool", "default": False},
    "ingest_types": {"type": "bool", "default": False},
    "dest": {"type": "path"},
}
_MAX_NAMES = 10
_VARIABLES = {f"apsaravideo_{name}": name for name in CONNECTION}
_CONNECTION = {spelling for name, option in CONNECTION.items() for spelling in (name, *option.get("aliases", ()))}


class ActionModule(InProcessAction):
    """The action of the module of the same name, which is documentation only."""

    spec = Spec({**_OWN, **CONNECTION})
    variables = ()  # those of the first host of each domain count instead

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the entries of all streams."""
        variables = task_vars or {}
        self.operate = lambda task: self._overview(task, variables)
        result = super().run(tmp, task_vars)
        result["_ansible_verbose_override"] = True  # the table has been shown, and the rest is for programs
        return result

    def _runs_here(self) -> bool:
        return True

    def _overview(self, task: Task, variables: Mapping[str, Any]) -> dict[str, Any]:
        options, inventory = task.options, HostVariables(self, variables)
        _check_dest(options["dest"])
        limit = options["max_duration"] and parse_duration("max_duration", options["max_duration"])
        read = self._reader(inventory, options["domain_name"])
        hosts = {name: read(name) for name in inventory.of_play(options["hosts"])}
        should = hosts
        if options["wanted"] is not None:
            # What --limit and the option hosts leave out is wanted all the same.
            strange = inventory.named_by_strangers(options["wanted"])
            known = inventory.known(options["wanted"])
            should = {name: hosts[name] if name in hosts else read(name) for name in known if name not in strange}
            if strange:
                task.warn(_passed_over(strange))
        if not options["allow_empty"]:
            _require(options["hosts"], hosts)
            _require(options["wanted"], should)
        wanted, chosen = Wanted.of(should), _chosen(hosts)
        looks = {domain: self._look(task, domain, hosts[name]) for domain, name in chosen.items()}
        found = status.entries(hosts, wanted, looks, task.clock.now(), limit)
        for warning in inventory.warnings():
            task.warn(warning)
        excess, unclear = status.excess(found, wanted, options["stop_unknown"])
        if unclear:
            names = ", ".join(printable(name) for name in sorted(wanted.unclear)[:_MAX_NAMES])
            task.warn(
                f"{len(unclear)} recordings that should perhaps not run are left out of excess, because they may be "
                f"those of hosts that are wanted and cannot be read: {names}."
            )
        if not options["strays"]:
            found = [row for row in found if row["host"]]
        missing = status.missing(found, options["accept_unknown"])
        lines = status.table(found, options["show_all"] or Display().verbosity > 0) + status.offline_note(missing)
        show(lines, bad=bool(missing))
        if options["dest"] and not task.check_mode:
            _write(options["dest"], found)
        verdict, counts = status.verdict(missing, found), status.counts(found)
        if verdict and options["expect_recording"]:
            return {"failed": True, "changed": False, "msg": verdict, "counts": counts}
        return {
            "changed": False,
            "streams": found,
            "counts": counts,
            "excess": [{**row, "like": chosen[row["domain_name"]]} for row in excess],
            "missing": [row["host"] for row in missing],
            "verdict": verdict,
            "summary": lines,
        }

    def _reader(self, inventory: HostVariables, domain: str | None) -> Callable[[str], Host]:
        """Return a function that reads a host, whose connection is the one of the task as far as that sets it.

        `domain` is that of the hosts that name none.
        """
        own = {name: value for name, value in self._task.args.items() if name in _CONNECTION}
        defaults = {"domain_name": domain} if domain is not None else {}

        @cache
        def problem(connection: str) -> str | None:
            checked = ArgumentSpecValidator(CONNECTION).validate(json.loads(connection))
            found = checked.error_messages
            return f"The options of the connection cannot be used: {without_values(found[0])}." if found else None

        def read(name: str) -> Host:
            try:
                values = {**defaults, **inventory.read(name, (*Stream._fields, *_VARIABLES))}
                stream = Stream.from_values(values)
            except InvalidOption as error:
                return _unreadable(inventory, name, str(error), defaults)
            connection = {option: values[variable] for variable, option in _VARIABLES.items() if variable in values}
            connection = plain({**connection, **own})
            return Host(stream, problem(json.dumps(connection, sort_keys=True)), connection=connection)

        return read

    def _look(self, task: Task, domain: str, host: Host) -> dict[str, Any]:
        """Return the result of apsaravideo_record_info for a domain, reached as one of its hosts says."""
        gather = [record_info.STATE, *([record_info.INGEST_TYPE] if task.options["ingest_types"] else [])]
        given = {**host.connection, "domain_name": domain, "gather": gather}
        checked = ArgumentSpecValidator(record_info.SPEC.options).validate(given)
        look = Task(
            record_info.SPEC.filled(checked.validated_parameters),
            os.environ,
            task.check_mode,
            key_directory=RUN_DIRECTORY,
        )
        look.traffic = task.traffic
        result = execute(record_info.operate, look)
        for warning in result.get("warnings", ()):
            task.warn(warning)
        return result


def _unreadable(inventory: HostVariables, name: str, problem: str, defaults: Mapping[str, str]) -> Host:
    """Return a host with those of its names that can be read all the same."""
    names: dict[str, str] = {}
    for field in Stream._fields:
        with suppress(InvalidOption):
            names[field] = name_as_text(field, {**defaults, **inventory.read(name, (field,))}.get(field))
    try:
        return Host(Stream.from_values(names), problem)
    except InvalidOption:
        domain, app, stream = (names.get(field) or None for field in Stream._fields)
        return Host(None, problem, (domain, app, stream))


def _passed_over(names: Collection[str]) -> str:
    shown = ", ".join(printable(name) for name in sorted(names)[:_MAX_NAMES])
    return (
        f"{len(names)} hosts do not count as wanted, because their names were chosen by whoever pushes their streams: "
        f"{shown}. Name a group, or list what is wanted in the option streams of the inventory."
    )


def _chosen(hosts: Mapping[str, Host]) -> dict[str, str]:
    """Return the first host of each domain that the domain can be reached with."""
    chosen: dict[str, str] = {}
    for name, host in hosts.items():
        if host.stream and not host.problem:
            chosen.setdefault(host.stream.domain_name, name)
    return chosen


def _require(pattern: str | None, hosts: Collection[str]) -> None:
    """Raises InvalidOption where a pattern, or the play, has no host."""
    if not hosts:
        what = "is in the play" if pattern is None else f"matches {pattern}"
        raise InvalidOption(
            f"No host {what}",
            "Check the name, --limit and the sources of the inventory, of which one may have failed "
            "(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED makes that an error), or set allow_empty where it is meant.",
        )


def _check_dest(path: str | None) -> None:
    """Raises InvalidOption, before any call, for what would be refused in the end."""
    try:
        if path:
            require_regular(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _write(path: str, found: list[dict[str, Any]]) -> None:
    try:
        text = json.dumps(found, indent=1, ensure_ascii=False)
        # A person may look at the file, too; for programs, what is escaped is the same.
        shown = (mark if mark.isprintable() or mark == "\n" else json.dumps(mark)[1:-1] for mark in text)
        write_whole(path, "".join(shown) + "\n")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: str | None, error: OSError) -> InvalidOption:
    return InvalidOption(
        f"The option dest is {path}, which cannot be written: {error.strerror}", "Name a file of its own."
    )
