# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on the states of streams, in which a stream that should be recorded and is not has failed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ...module_utils._api.models import Stream
from ...module_utils._errors import printable
from ...module_utils._module.argspec import CONNECTION
from ...module_utils._module.task import Task
from .._report.document import COMPLETE, Measures, make_run
from .._report.entries import make_entry
from .._report.reporter import Reporter
from .._util.run_directory import RUN_DIRECTORY
from .status import OFFLINE, UNKNOWN

_MESSAGES = {
    OFFLINE: "it should be recorded, and is not being pushed",
    UNKNOWN: "it should be recorded, and its recording state is not known",
}
_NOT_RECORDED = "it should be recorded, and is not"
_ADVICE = "Push the stream if it is offline, and run start."


class StatusReport:
    """The report of a task with apsaravideo_record_status; `name` identifies the task."""

    def __init__(self, task: Task, name: str) -> None:
        """Begin the run; raise InvalidOption if a file cannot be that of a report."""
        self._task = task
        self._began = task.clock.now()
        self._reporter = Reporter(task.options["report"], RUN_DIRECTORY, f"{name}-{time.time_ns()}", task.environ)

    def write(
        self,
        found: Iterable[Mapping[str, Any]],
        missing: Collection[Mapping[str, Any]],
        connections: Iterable[Mapping[str, Any]],
        cloud_count: Mapping[str, Any] | None,
    ) -> None:
        """Write the report on these rows of `status`, without the secrets in the options of their connections."""
        if not self._reporter.paths:
            return
        task, now = self._task, self._task.clock.now()
        calls, warnings = task.traffic, [printable(text) for text in task.warnings]
        measures = Measures(
            self._began, now, calls.api_calls, calls.throttled, dict(calls.by_operation), warnings=warnings
        )
        run = make_run("status", task.check_mode, COMPLETE, make_entries(found, missing), measures, cloud_count)
        secrets = _list_secrets([task.options, *connections])
        for warning in self._reporter.write(remove_values(run, secrets) if secrets else run, now):
            task.warn(warning)


def _list_secrets(connections: Iterable[Mapping[str, Any]]) -> set[str]:
    names = [name for name, option in CONNECTION.items() if option.get("no_log")]
    return {str(values[name]) for values in connections for name in names if values.get(name)}


def make_entries(found: Iterable[Mapping[str, Any]], missing: Collection[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the entry of each row of `status`; `missing` are the rows of streams that should be recorded."""
    failed = {id(row) for row in missing}
    return [_make_entry(row, id(row) in failed) for row in found]


def _make_entry(row: Mapping[str, Any], is_missing: bool) -> dict[str, Any]:
    names = {field: row[field] for field in Stream._fields}
    result = {"state": row["recording"], "state_source": row["state_source"], "changed": False}
    if row["failed"]:
        result.update(failed=True, msg=row["reason"], error=row["error"])
        return make_entry(row["host"], names, result)
    if is_missing:
        result.update(failed=True, msg=row["reason"] or _MESSAGES.get(row["recording"], _NOT_RECORDED))
        return make_entry(row["host"], names, result, _ADVICE)
    return make_entry(row["host"], names, result)
