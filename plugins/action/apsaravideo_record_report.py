# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums up what apsaravideo_record did for all hosts of a play, in one task of one host."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._errors import InvalidOption
from ..module_utils._live import Stream
from ..plugin_utils import _record_report as report
from ..plugin_utils._hosts import HostVariables
from ..plugin_utils._plain import plain
from ..plugin_utils._play import hosts_of, show

_SPEC = {
    "title": {"type": "str", "default": "record"},
    "hosts": {"type": "str"},
    "results": {"type": "raw"},
    "retry_file": {"type": "str", "default": ""},
    "fail": {"type": "bool", "default": False},
}
_APART = [("results", "hosts"), ("results", "retry_file"), ("results", "fail")]


class ActionModule(ActionBase):
    """The action of the module of the same name, which is documentation only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The summary of all hosts, or with `fail` the verdict on this one."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _checked, options = self.validate_argument_spec(argument_spec=_SPEC, mutually_exclusive=_APART)
        if options["fail"]:
            return _verdict(variables)
        if options["results"] is None:
            hosts = hosts_of(options["hosts"], variables)
            entries = self._entries(hosts, variables)
        else:
            hosts = []
            entries = [report.entry(None, result) for result in _listed(options["results"])]
        title = f"{options['title']}, foretold by check mode" if self._task.check_mode else options["title"]
        lines, warnings = report.summary(title, entries), []
        if options["retry_file"] and not self._task.check_mode:
            try:
                lines += _note_left_over(options["retry_file"], hosts, entries)
            except OSError as error:
                warnings.append(f"{options['retry_file']} does not list the hosts that are left: {error.strerror}.")
        show(lines, bad=any(found["status"] != report.OK for found in entries))
        return {
            "changed": False,
            "counts": report.counts(entries),
            "streams": entries,
            "summary": lines,
            **({"warnings": warnings} if warnings else {}),
            # With -v, each result has been shown already.
            "_ansible_verbose_override": True,
        }

    def _entries(self, hosts: list[str], variables: dict[str, Any]) -> list[dict[str, Any]]:
        hostvars, inventory = variables["hostvars"], HostVariables(self, variables)
        reported = {row["host"]: _request_ids(row["result"]) for row in _earlier(variables)}
        entries = []
        for host in hosts:
            result = hostvars.raw_get(host).get("record_result")
            if result is not None and _request_ids(result) and _request_ids(result) == reported.get(host):
                result = None  # of an earlier run over the same hosts by the same ansible-playbook
            names = None if result and result.get("stream") else _names(inventory, host)
            entries.append(report.entry(host, plain(result) if result else None, names))
        return entries


def _listed(given: Any) -> list[dict[str, Any]]:
    """Return the results of a loop, given as they are or as the registered variable."""
    value = plain(given)
    found = value.get("results", [value]) if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(isinstance(result, dict) for result in found):
        raise AnsibleActionFail(
            "The option results holds something else than results. Give the variable that the task with the loop "
            "registers, or its list of results."
        )
    return found


def _earlier(variables: dict[str, Any]) -> list[dict[str, Any]]:
    found = variables.get("record_report") or {}
    return found.get("streams") or []


def _request_ids(result: dict[str, Any] | None) -> list[str]:
    return list((result or {}).get("request_ids") or [])


def _names(inventory: HostVariables, host: str) -> dict[str, str] | None:
    try:
        return Stream.from_values(inventory.read(host, Stream._fields))._asdict()
    except InvalidOption:
        return None


def _verdict(variables: dict[str, Any]) -> dict[str, Any]:
    found = report.entry(variables["inventory_hostname"], plain(variables.get("record_result")))
    if found["status"] == report.OK:
        return {"changed": False, "msg": "The stream is in the wanted state."}
    why = report.cause(found) if found["status"] == report.FAILED else "not tried"
    return {"failed": True, "changed": False, "msg": why}


def _note_left_over(path: str, hosts: list[str], entries: list[dict[str, Any]]) -> list[str]:
    left = [found["host"] for found in entries if found["status"] != report.OK]
    if len(left) == len(entries) and not any(found["result"] for found in entries):
        return []  # nothing was tried, as with --start-at-task
    listed = report.write_retry_file(os.path.expanduser(path), hosts, left)
    return [f"To go on with the {listed} that are left: --limit @{path}"] if listed else []
