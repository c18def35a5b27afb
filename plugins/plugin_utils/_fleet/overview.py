# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report the recordings of all streams of an inventory in one task, with a few calls for each domain."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.utils.display import Display

from ...module_utils._api.models import Stream, name_as_text
from ...module_utils._errors import InvalidOption, printable
from ...module_utils._module import record_info, recording_count
from ...module_utils._module.argspec import CONNECTION, Spec
from ...module_utils._module.task import Task, execute
from ...module_utils._util.instant import parse_duration
from .._action.hosts import HostVariables
from .._action.in_process import InProcessAction
from .._report.reporter import REPORT
from .._util.files import require_regular_file, write_atomically
from .._util.plain import redact_values, to_plain
from .._util.run_directory import RUN_DIRECTORY
from . import status
from .cloud_count import combine_counts, format_counts, format_failures
from .status import Host, Wanted
from .status_report import StatusReport
from .summary import show

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
    "cloud_count": {"type": "bool", "default": False},
    "dest": {"type": "path"},
    **REPORT,
}
_MAX_NAMES = 10
_VARIABLES = {f"apsaravideo_{name}": name for name in CONNECTION}
_CONNECTION = {spelling for name, option in CONNECTION.items() for spelling in (name, *option.get("aliases", ()))}


class OverviewAction(InProcessAction):
    """The action of the module `apsaravideo_record_status`, which is documentation only."""

    spec = Spec({**_OWN, **CONNECTION})
    variables = ()  # those of the first host of each domain are used instead

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        variables = task_vars or {}
        self.operate = lambda task: self._report(task, variables)
        result = super().run(tmp, task_vars)
        result["_ansible_verbose_override"] = True  # the table is displayed already, and the rest is for programs
        return result

    def _runs_here(self) -> bool:
        return True

    def _report(self, task: Task, variables: Mapping[str, Any]) -> dict[str, Any]:
        options, inventory = task.options, HostVariables(self, variables)
        _check_dest(options["dest"])
        report = StatusReport(task, self._task._uuid)
        limit = options["max_duration"] and parse_duration("max_duration", options["max_duration"])
        read = self._make_reader(inventory, options["domain_name"])
        hosts = {name: read(name) for name in inventory.list_play_hosts(options["hosts"])}
        wanted_hosts = hosts if options["wanted"] is None else _read_wanted(task, inventory, hosts, read)
        if not options["allow_empty"]:
            _require_hosts(options["hosts"], hosts)
            _require_hosts(options["wanted"], wanted_hosts)
        wanted, chosen = Wanted.from_hosts(wanted_hosts), _choose_hosts(hosts)
        results = {domain: self._fetch(task, domain, hosts[name]) for domain, name in chosen.items()}
        found = status.build_entries(hosts, wanted, results, task.clock.now(), limit)
        cloud_count = _read_cloud_count(task, found, {name: hosts[chosen[name]] for name in _list_readable(results)})
        for warning in inventory.warnings():
            task.warn(warning)
        excess, unclear = status.find_excess(found, wanted, options["stop_unknown"])
        if unclear:
            task.warn(_format_unclear(len(unclear), wanted))
        if not options["strays"]:
            found = [row for row in found if row["host"]]
        missing = status.find_missing(found, options["accept_unknown"])
        lines = _show_table(found, missing, cloud_count, options["show_all"] or Display().verbosity > 0)
        if options["dest"] and not task.check_mode:
            _write_entries(options["dest"], found)
        report.write(found, missing, [host.connection for host in hosts.values()], cloud_count)
        verdict, counts = status.format_verdict(missing, found), status.count_states(found)
        if verdict and options["expect_recording"]:
            return {"failed": True, "changed": False, "msg": verdict, "counts": counts}
        return {
            "changed": False,
            "streams": found,
            "counts": counts,
            "cloud_count": cloud_count,
            "excess": [{**row, "like": chosen[row["domain_name"]]} for row in excess],
            "missing": [row["host"] for row in missing],
            "verdict": verdict,
            "summary": lines,
        }

    def _make_reader(self, inventory: HostVariables, domain: str | None) -> Callable[[str], Host]:
        """Return a function that reads a host; connection options of the task override the host's.

        `domain` is that of the hosts that do not name one.
        """
        own = {name: value for name, value in self._task.args.items() if name in _CONNECTION}
        defaults = {"domain_name": domain} if domain is not None else {}

        @cache
        def find_problem(connection: str) -> str | None:
            checked = ArgumentSpecValidator(CONNECTION).validate(json.loads(connection))
            found = checked.error_messages
            return f"The options of the connection cannot be used: {redact_values(found[0])}." if found else None

        def read(name: str) -> Host:
            try:
                values = {**defaults, **inventory.read(name, (*Stream._fields, *_VARIABLES))}
                stream = Stream.from_values(values)
            except InvalidOption as error:
                return _read_partly(inventory, name, str(error), defaults)
            connection = {option: values[variable] for variable, option in _VARIABLES.items() if variable in values}
            connection = to_plain({**connection, **own})
            return Host(stream, find_problem(json.dumps(connection, sort_keys=True)), connection=connection)

        return read

    def _fetch(self, task: Task, domain: str, host: Host) -> dict[str, Any]:
        """Return the result of apsaravideo_record_info for a domain, with the connection of one of its hosts."""
        gather = [record_info.STATE, *([record_info.INGEST_TYPE] if task.options["ingest_types"] else [])]
        result = _execute(task, record_info.SPEC, record_info.operate, host, domain_name=domain, gather=gather)
        for warning in result.get("warnings", ()):
            task.warn(warning)
        return result


def _show_table(
    found: list[dict[str, Any]],
    missing: list[Mapping[str, Any]],
    cloud_count: Mapping[str, Any] | None,
    show_all: bool,
) -> list[str]:
    """Display the table, and return its lines."""
    lines = status.format_table(found, show_all) + status.explain_offline(missing)
    lines += format_counts(cloud_count) if cloud_count else []
    show(lines, bad=bool(missing))
    return lines


def _execute(
    task: Task, spec: Spec, operate: Callable[[Task], dict[str, Any]], host: Host, **given: Any
) -> dict[str, Any]:
    """Return the result of another operation with the connection of a host; its calls count as those of the task."""
    checked = ArgumentSpecValidator(spec.options).validate({**host.connection, **given})
    options = spec.fill(checked.validated_parameters)
    other = Task(options, os.environ, task.check_mode, run_directory=RUN_DIRECTORY)
    other.traffic = task.traffic
    return execute(operate, other)


def _list_readable(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [domain for domain, result in results.items() if not result.get("failed")]


def _read_cloud_count(task: Task, found: list[dict[str, Any]], hosts: Mapping[str, Host]) -> dict[str, Any] | None:
    """Return the cloud's count of the domains of these hosts; a warning names those that could not be read."""
    if not task.options["cloud_count"]:
        return None
    results = {
        domain: _execute(task, recording_count.SPEC, recording_count.operate, host, domain_name=domain)
        for domain, host in hosts.items()
    }
    for warning in format_failures([result for result in results.values() if result.get("failed")]):
        task.warn(warning)
    return combine_counts({domain: results[domain]["count"] for domain in _list_readable(results)}, found)


def _read_wanted(
    task: Task, inventory: HostVariables, hosts: Mapping[str, Host], read: Callable[[str], Host]
) -> dict[str, Host]:
    """Return the hosts of the option `wanted`, regardless of --limit and the option `hosts`."""
    stranger_named = inventory.find_stranger_named(task.options["wanted"])
    if stranger_named:
        task.warn(_format_stranger_named(stranger_named))
    names = [name for name in inventory.list_all_hosts(task.options["wanted"]) if name not in stranger_named]
    return {name: hosts[name] if name in hosts else read(name) for name in names}


def _read_partly(inventory: HostVariables, name: str, problem: str, defaults: Mapping[str, str]) -> Host:
    """Return a host with the names that can be read although others cannot."""
    names: dict[str, str] = {}
    for field in Stream._fields:
        with suppress(InvalidOption):
            names[field] = name_as_text(field, {**defaults, **inventory.read(name, (field,))}.get(field))
    try:
        return Host(Stream.from_values(names), problem)
    except InvalidOption:
        domain, app, stream = (names.get(field) or None for field in Stream._fields)
        return Host(None, problem, (domain, app, stream))


def _format_unclear(count: int, wanted: Wanted) -> str:
    names = ", ".join(printable(name) for name in sorted(wanted.unclear)[:_MAX_NAMES])
    return (
        f"{count} recordings that should perhaps not run are left out of excess, because they may be those of hosts "
        f"that are wanted and cannot be read: {names}."
    )


def _format_stranger_named(names: Collection[str]) -> str:
    shown = ", ".join(printable(name) for name in sorted(names)[:_MAX_NAMES])
    return (
        f"{len(names)} hosts do not count as wanted, because their names were chosen by whoever pushes their streams: "
        f"{shown}. Name a group, or list what is wanted in the option streams of the inventory."
    )


def _choose_hosts(hosts: Mapping[str, Host]) -> dict[str, str]:
    """Return for each domain its first host whose connection options are usable."""
    chosen: dict[str, str] = {}
    for name, host in hosts.items():
        if host.stream and not host.problem:
            chosen.setdefault(host.stream.domain_name, name)
    return chosen


def _require_hosts(pattern: str | None, hosts: Collection[str]) -> None:
    """Raise InvalidOption if a pattern, or the play, has no host."""
    if not hosts:
        what = "is in the play" if pattern is None else f"matches {pattern}"
        raise InvalidOption(
            f"No host {what}",
            "Check the name, --limit and the sources of the inventory, of which one may have failed "
            "(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED makes that an error), or set allow_empty where it is meant.",
        )


def _check_dest(path: str | None) -> None:
    """Raise InvalidOption if the file for the result is not a regular one; this is called before anything is sent."""
    try:
        if path:
            require_regular_file(path)
    except OSError as error:
        raise _make_write_error(path, error) from error


def _write_entries(path: str, found: list[dict[str, Any]]) -> None:
    try:
        text = json.dumps(found, indent=1, ensure_ascii=False)
        # People may read the file on a terminal, too; for programs, escaped characters are the same.
        shown = (mark if mark.isprintable() or mark == "\n" else json.dumps(mark)[1:-1] for mark in text)
        write_atomically(path, "".join(shown) + "\n")
    except OSError as error:
        raise _make_write_error(path, error) from error


def _make_write_error(path: str | None, error: OSError) -> InvalidOption:
    return InvalidOption(
        f"The option dest is {path}, which cannot be written: {error.strerror}", "Name a file of its own."
    )
