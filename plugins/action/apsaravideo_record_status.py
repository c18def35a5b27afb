# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the recordings of all streams of an inventory, with a few calls for each domain, in one task of one host."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils import _record_info
from ..module_utils._argspec import CONNECTION, Spec
from ..module_utils._errors import InvalidOption, printable
from ..module_utils._instant import duration
from ..module_utils._live import Stream
from ..module_utils._task import Task, execute
from ..plugin_utils import _record_status as status
from ..plugin_utils._in_process import InProcessAction
from ..plugin_utils._plain import plain
from ..plugin_utils._play import hosts_of, show
from ..plugin_utils._run_directory import RUN_DIRECTORY

_SHOWN = 10  # names in the message of a failure
_OWN: dict[str, Any] = {
    "hosts": {"type": "str"},
    "wanted": {"type": "str"},
    "strays": {"type": "bool", "default": False},
    "max_duration": {"type": "str"},
    "stop_unknown": {"type": "bool", "default": False},
    "expect_recording": {"type": "bool", "default": False},
    "accept_unknown": {"type": "bool", "default": False},
    "dest": {"type": "path"},
}


class ActionModule(InProcessAction):
    """The action of the module of the same name, which is documentation only."""

    spec = Spec({**_OWN, **CONNECTION})
    variables = ()  # those of the host that stands for each domain count instead

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The entries of all streams."""
        variables = task_vars or {}
        self.operate = lambda task: self._overview(task, variables)
        return super().run(tmp, task_vars)

    def _runs_here(self) -> bool:
        return True

    def _overview(self, task: Task, variables: Mapping[str, Any]) -> dict[str, Any]:
        options = task.options
        limit = options["max_duration"] and duration("max_duration", options["max_duration"])
        hosts = {host: _stream(variables["hostvars"], host) for host in hosts_of(options["hosts"], variables)}
        wanted = hosts if options["wanted"] is None else hosts_of(options["wanted"], variables)
        chosen: dict[str, str] = {}  # a host for each domain
        for host, stream in hosts.items():
            if isinstance(stream, Stream):
                chosen.setdefault(stream.domain_name, host)
        looks = {domain: self._look(task, domain, host, variables) for domain, host in chosen.items()}
        found = status.entries(hosts, wanted, looks, task.clock.now(), limit)
        if not options["strays"]:
            found = [row for row in found if row["host"]]
        excess = status.excess(found, options["stop_unknown"])
        lines = status.table(found)
        missing = status.missing(found, options["accept_unknown"]) if options["expect_recording"] else []
        show(lines, bad=bool(missing))
        if options["dest"] and not task.check_mode:
            _write(options["dest"], found)
        result = {
            "changed": False,
            "streams": found,
            "counts": status.counts(found),
            "excess": [{**row, "like": chosen[row["domain_name"]]} for row in excess],
            "summary": lines,
        }
        return {**result, **_verdict(missing, found)}

    def _look(self, task: Task, domain: str, host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The result of apsaravideo_record_info for a domain, reached as the variables of one of its hosts say."""
        own = variables["hostvars"][host]
        given = {name: own.get(f"apsaravideo_{name}") for name in CONNECTION}
        given = {name: value for name, value in given.items() if value is not None}
        given.update({name: value for name, value in self._task.args.items() if name not in _OWN})
        checked = ArgumentSpecValidator(_record_info.SPEC.options).validate(plain({**given, "domain_name": domain}))
        if checked.error_messages:
            msg = f"The options of the connection that {host} has cannot be used: {checked.errors.msg}."
            return {"failed": True, "msg": msg}
        look = Task(
            _record_info.SPEC.filled(checked.validated_parameters),
            os.environ,
            task.check_mode,
            key_directory=RUN_DIRECTORY,
        )
        look.traffic = task.traffic
        result = execute(_record_info.operate, look)
        task.warnings += [warning for warning in result.get("warnings", ()) if warning not in task.warnings]
        return result


def _stream(hostvars: Mapping[str, Any], host: str) -> Stream | str:
    """The stream that a host stands for, or why it stands for none."""
    own = hostvars[host]
    try:
        return Stream.checked(*(plain(own.get(name)) for name in Stream._fields))
    except InvalidOption as error:
        return str(error)


def _verdict(missing: list[Mapping[str, Any]], found: list[dict[str, Any]]) -> dict[str, Any]:
    if not missing:
        return {}
    names = ", ".join(printable(str(row["host"])) for row in missing[:_SHOWN])
    more = f", and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    wanted = sum(row["wanted"] for row in found)
    return {"failed": True, "msg": f"Not known to be recorded: {len(missing)} of {wanted} streams: {names}{more}."}


def _write(path: str, found: list[dict[str, Any]]) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1, ensure_ascii=False)
            file.write("\n")
    except OSError as error:
        raise InvalidOption(
            f"The option dest is {path}, which cannot be written: {error.strerror}", "Correct it."
        ) from error
