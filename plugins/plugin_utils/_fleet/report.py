# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summarize the results of apsaravideo_record for all hosts of a play, or of a loop, in one task."""

from __future__ import annotations

import os
import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ...module_utils._api.models import Stream
from ...module_utils._errors import InvalidOption
from ...module_utils._module.task import make_failure
from .._action.hosts import HostVariables
from .._report.document import COMPLETE, Measures, make_run
from .._report.entries import NOT_TRIED, OK, count_statuses, make_entry
from .._report.merge import list_files, merge_documents, read_documents, restore_entries
from .._report.reporter import REPORT, Reporter
from .._util.plain import to_plain
from .._util.run_directory import RUN_DIRECTORY
from . import summary
from .retry_file import write_retry_file

_Named = tuple[str | None, dict[str, Any] | None, dict[str, Any] | None]

_SPEC = {
    "title": {"type": "str", "default": "record"},
    "hosts": {"type": "str"},
    "results": {"type": "raw"},
    "retry_file": {"type": "str", "default": ""},
    "reports": {"type": "list", "elements": "str"},
    **REPORT,
}
_EXCLUSIVE = [("results", "hosts", "reports"), ("results", "retry_file"), ("reports", "retry_file")]


class ReportAction(ActionBase):
    """The action of the module `apsaravideo_record_report`, which is documentation only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Count and display what became of each host of the play, or of each result of a loop; return the counts."""
        super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(argument_spec=_SPEC, mutually_exclusive=_EXCLUSIVE)
        key = f"{self._task._uuid}-{time.time_ns()}"
        try:
            reporter = Reporter(options["report"], RUN_DIRECTORY, key, os.environ)
            if options["reports"] is not None:
                return self._merge(options["reports"], reporter)
        except InvalidOption as error:
            return make_failure(error)
        return self._sum_up(options, reporter, task_vars or {})

    def _sum_up(self, options: dict[str, Any], reporter: Reporter, variables: dict[str, Any]) -> dict[str, Any]:
        results = self._collect_results(options, variables)
        rows = [make_entry(host, names, result) for host, names, result in results]
        calls, throttled = (sum(row.get(field, 0) for row in rows) for field in ("api_calls", "throttled"))
        lines, warnings = self._summarize(options["title"], self._task.check_mode, rows, calls, throttled), []
        if options["retry_file"] and not self._task.check_mode:
            try:
                lines += _save_retry_file(options["retry_file"], rows)
            except OSError as error:
                warnings.append(f"{options['retry_file']} does not list the hosts that are left: {error.strerror}.")
        summary.show(lines, bad=any(row["status"] != OK for row in rows))
        if reporter.paths:
            now = time.time()
            measures = Measures(now, now, calls, throttled)
            run = make_run(options["title"], self._task.check_mode, COMPLETE, rows, measures)
            warnings += reporter.write(run, now)
            summary.show_written(reporter.written)
        return {
            **_make_result({**count_statuses(rows), "api_calls": calls, "throttled": throttled}, lines, warnings),
            "streams": [
                {**{name: row[name] for name in ("host", "stream", "status", "error")}, "result": result}
                for row, (_host, _names, result) in zip(rows, results)
            ],
        }

    def _merge(self, patterns: list[str], reporter: Reporter) -> dict[str, Any]:
        """Merge reports into another one; raise InvalidOption if a file is not a report."""
        paths = list_files(patterns)
        both = [path for path in paths if path in reporter.paths]
        if both:
            raise InvalidOption(
                f"Both options reports and report name {both[0]}, which would be counted again the next time",
                "Write the merged report to another directory, or name the reports one by one.",
            )
        document = merge_documents(read_documents(paths), time.time())
        lines: list[str] = []
        for run in document["runs"]:
            calls = run["calls"]
            lines += self._summarize(
                run["title"], run["check_mode"], restore_entries(run), calls["total"], calls["throttled"]
            )
        counts = document["counts"]
        summary.show(lines, bad=counts["ok"] < counts["streams"])
        calls, throttled = (sum(run["calls"][name] for run in document["runs"]) for name in ("total", "throttled"))
        warnings = reporter.write_document(document)
        summary.show_written(reporter.written)
        result = _make_result({**counts, "api_calls": calls, "throttled": throttled}, lines, warnings)
        return {**result, "outcome": document["outcome"]}

    def _summarize(self, title: str, predicted: bool, rows: list[dict[str, Any]], calls: int, drops: int) -> list[str]:
        return summary.format_summary(f"{title}, predicted by check mode" if predicted else title, rows, calls, drops)

    def _collect_results(self, options: dict[str, Any], variables: dict[str, Any]) -> list[_Named]:
        """Return the host, the names and the result of each stream, each of which may be None."""
        if options["results"] is not None:
            return [(None, None, result) for result in _read_loop(options["results"])]
        inventory = HostVariables(self, variables)
        return self._collect_of_hosts(inventory.list_play_hosts(options["hosts"]), inventory, variables)

    def _collect_of_hosts(self, hosts: list[str], inventory: HostVariables, variables: dict[str, Any]) -> list[_Named]:
        hostvars = variables["hostvars"]
        reported = {row["host"]: _request_ids(row["result"]) for row in _read_earlier_report(variables)}
        found: list[_Named] = []
        for host in hosts:
            result = hostvars.raw_get(host).get("record_result")
            if result is not None and _request_ids(result) and _request_ids(result) == reported.get(host):
                result = None  # that of an earlier play of this ansible-playbook, already reported
            names = None if result and result.get("stream") else _read_names(inventory, host)
            found.append((host, names, to_plain(result) if result else None))
        return found


def _make_result(counts: dict[str, int], lines: list[str], warnings: list[str]) -> dict[str, Any]:
    return {
        "changed": False,
        "counts": counts,
        "summary": lines,
        **({"warnings": warnings} if warnings else {}),
        # With -v, the tasks themselves have displayed the results.
        "_ansible_verbose_override": True,
    }


def _read_loop(given: Any) -> list[dict[str, Any]]:
    """Return the results of a loop from the list of them or from the registered variable."""
    value = to_plain(given)
    found = value.get("results", [value]) if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(isinstance(result, dict) for result in found):
        raise AnsibleActionFail(
            "The option results holds something else than results. Give the variable that the task with the loop "
            "registers, or its list of results."
        )
    return found


def _read_earlier_report(variables: dict[str, Any]) -> list[dict[str, Any]]:
    found = variables.get("record_report") or {}
    return found.get("streams") or []


def _request_ids(result: dict[str, Any] | None) -> list[str]:
    return list((result or {}).get("request_ids") or [])


def _read_names(inventory: HostVariables, host: str) -> dict[str, str] | None:
    try:
        return Stream.from_values(inventory.read(host, Stream._fields))._asdict()
    except InvalidOption:
        return None


def _save_retry_file(path: str, rows: list[dict[str, Any]]) -> list[str]:
    """Update the retry file, and return the line that names it if hosts are left."""
    if all(row["status"] == NOT_TRIED for row in rows):
        return []  # as with --start-at-task
    left = [row["host"] for row in rows if row["status"] != OK]
    lines = write_retry_file(os.path.expanduser(path), [row["host"] for row in rows], left)
    return [summary.format_remaining(len(left), 0, lines - len(left), path)] if left else []
