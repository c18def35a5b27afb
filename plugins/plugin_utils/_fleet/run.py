# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of apsaravideo_record_fleet, from the options of its task to its result."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ...module_utils._api.models import Stream
from ...module_utils._domain.recording_state import STOPPED
from ...module_utils._errors import InvalidOption, ParentExited
from ...module_utils._module.argspec import CONNECTION
from ...module_utils._module.task import Task
from .._action.hosts import HostVariables
from .._action.in_process import WorkerClock, is_orphan
from .._report.entries import OK, make_entry
from .._report.reporter import Reporter
from .._util import terminal
from .._util.run_directory import RUN_DIRECTORY
from . import progress, summary
from .fleet import Fleet, Settings
from .ledger import Batch, Ledger
from .options import check
from .program import SCHEDULED, VERIFIED, Policy
from .result import format_failure, make_diff, make_measures, make_result, mark_failed
from .retry_file import Remaining, list_remaining, write_retry_file
from .slices import warn_of_slices
from .standing import Standing
from .targets import STREAM_OPTIONS, Requests, Target, choose_targets, make_entry_targets, make_host_targets

_SAVE_SECONDS = 2.0  # between updates of the retry file


class RunClock(WorkerClock):
    """A clock that raises once its run is interrupted, so that no thread that was waiting sends anything afterwards."""

    def __init__(self, is_interrupted: Callable[[], bool]) -> None:
        self._is_interrupted = is_interrupted

    def check(self) -> None:
        """Raise ParentExited if the run was interrupted."""
        if self._is_interrupted():
            raise ParentExited("The run has ended", "Run it again.")


class FleetRun:
    """One execution of a task with apsaravideo_record_fleet."""

    def __init__(self, action: ActionBase, variables: Mapping[str, Any], task: Task) -> None:
        """Prepare the run; raise InvalidOption if its options or its targets are not valid."""
        self._check_options(task.options)
        self._action = action
        self._variables = variables
        self._task = task
        self._options = task.options
        self._signal: int | None = None
        self._last_save = float("-inf")
        self._warnings: list[str] = []
        task.clock = RunClock(self._is_interrupted)
        self._host_variables = HostVariables(action, variables)
        hosts, self._targets = self._read_targets()
        self._all_hosts = self._list_all_hosts(hosts)
        self._began = task.clock.now()
        name = f"{action._task._uuid}-{task.options.get('state', VERIFIED)}"
        self._ledger = Ledger(RUN_DIRECTORY, name)
        self._earlier = self._ledger.read() if self._is_batch() else []
        # A loop runs the same task several times; each is a run of its own.
        key = name if self._is_batch() else f"{name}-{time.time_ns()}"
        self._reporter = Reporter(self._options["report"], RUN_DIRECTORY, key, task.environ)
        self._fleet = self._make_fleet()
        self._progress = self._make_progress()

    def run(self) -> dict[str, Any]:
        """Carry out the run and return the result of the task."""
        self._save_retry_file()
        with self._signal_handlers():
            # If it is interrupted when nothing is left to do, its result has no reader either.
            is_complete = self._fleet.run(self._targets) and not self._is_interrupted()
            result = self._finish(is_complete)
        if not is_complete and is_orphan():
            os._exit(1)  # No process reads the result, so that writing it would block.
        return result

    def _finish(self, is_complete: bool) -> dict[str, Any]:
        """Show and write what became of the streams, and return the result of the task."""
        self._progress.clear()
        remaining = self._save_retry_file()
        task = self._task
        task.traffic = self._fleet.sum_traffic()
        task.warnings += [*self._warnings, *self._fleet.warnings(), *self._host_variables.warnings()]
        if not self._fleet.accounts.is_shared():
            task.warnings += warn_of_slices(self._variables, os.environ)
        for line in self._fleet.accounts.debug_lines():
            Display().vvv(line)
        warnings = remove_values(task.warnings, self._fleet.no_log)
        measures = make_measures(self._fleet, self._began, task.clock.now(), warnings)
        batch = Batch(self._make_entries(), measures)
        if self._is_batch():
            self._add_to_ledger(batch)
        standing = self._stand(batch, is_complete)
        lines = self._show(standing, remaining)
        self._write_report(standing)
        return self._make_result(standing, lines)

    @staticmethod
    def _check_options(options: Mapping[str, Any]) -> None:
        check(options)

    def _make_title(self) -> str:
        """Return the title of the summary."""
        title: str = self._options["title"]
        return f"{title}, predicted by check mode" if self._task.check_mode else title

    # --- targets -------------------------------------------------------------------------------------------------

    def _read_targets(self) -> tuple[list[str], list[Target]]:
        """Return the targets, and the hosts that they are; no hosts if the option `streams` is set."""
        hosts, options = self._host_variables, self._options
        if options["streams"] is not None:
            return [], list(make_entry_targets(options["streams"], hosts.read, options["domain_name"]))
        pattern = options["hosts"]
        names = hosts.list_hosts(pattern)
        if not names:
            raise InvalidOption(
                f"No host matches {pattern}", "Check the name, --limit, and the sources of the inventory."
            )
        targets = make_host_targets(names, hosts.read)
        only = options.get("only")
        if only is None:
            return names, list(targets)
        chosen = list(choose_targets(targets, only, self._task.clock.now()))
        return [str(target.host) for target in chosen], chosen

    def _is_batch(self) -> bool:
        """Return whether the play has other batches of hosts, earlier or later ones."""
        if self._action._task.args.get("hosts") or self._action._task.args.get("streams") is not None:
            return False
        return len(self._variables["ansible_play_batch"]) < len(self._variables["ansible_play_hosts_all"])

    def _add_to_ledger(self, batch: Batch) -> None:
        try:
            self._ledger.add(batch)
        except OSError as error:
            self._task.warn(f"The summary of later batches will not have this one: {error.strerror}.")

    def _list_all_hosts(self, hosts: list[str]) -> list[str]:
        """Return the hosts of all batches; `hosts` are those of this batch."""
        if self._options["streams"] is not None:
            return [str(entry["host"]) for entry in self._options["streams"] if entry.get("host")]
        return hosts if self._options["hosts"] else list(self._variables["ansible_play_hosts_all"])

    def _make_fleet(self) -> Fleet:
        task, options = self._task, self._options
        policy = Policy(
            task.clock,
            task.check_mode,
            options["keep"],
            options["window_retry"],
            options["window_recheck"],
            None if options["window_over"] == "stop" else options["window_grace"],
        )
        settings = Settings(options["state"], policy, task.environ, RUN_DIRECTORY)
        common = {name: options[name] for name in (*STREAM_OPTIONS, *CONNECTION)}
        state = STOPPED if options["state"] == SCHEDULED else options["state"]
        requests = Requests(common, state, options["domain_name"])
        size = len(self._targets)
        return Fleet(settings, requests, options["watch_interval"], self._tick, self._is_interrupted, size)

    # --- while it runs -------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = self._task.clock.monotonic()
        self._progress.show(now, self._make_numbers)
        if now - self._last_save > _SAVE_SECONDS and self._fleet.done:
            self._save_retry_file()

    def _is_interrupted(self) -> bool:
        return self._signal is not None or is_orphan()

    @contextmanager
    def _signal_handlers(self) -> Iterator[None]:
        """Have SIGINT and SIGTERM end the run in order."""

        def save(number: int, _frame: Any) -> None:
            self._signal = number

        before = {number: signal.signal(number, save) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _make_progress(self) -> progress.Progress:
        kind = self._options["progress"]
        if kind == "auto":
            kind = progress.BAR if terminal.is_terminal(os.environ) else progress.LINES
        if self._action._task.no_log or not summary.is_for_people():
            kind = progress.NONE
        return progress.Progress(kind, self._options["title"], _display, terminal.width)

    def _make_numbers(self) -> progress.Numbers:
        fleet = self._fleet
        return progress.Numbers(
            len(self._targets),
            fleet.done,
            fleet.changed,
            fleet.failed,
            fleet.engine.count_waiting(),
            fleet.engine.dispatcher.sent,
            fleet.accounts.quota(),
        )

    def _save_retry_file(self) -> Remaining | None:
        """Write the hosts that are not done to the retry file; return what it holds, or None if there is no file."""
        path = self._options["retry_file"]
        if not path or self._task.check_mode:
            return None
        self._last_save = time.monotonic()
        entries = self._fleet.entries
        targets = [(row["host"], row["status"] == OK) for batch in self._earlier for row in batch.entries]
        targets += [(entry.host, entry.is_ok()) for entry in entries]
        targets += [(target.host, False) for target in self._targets[len(entries) :]]
        hosts = list_remaining(self._all_hosts, targets)
        try:
            lines = write_retry_file(os.path.expanduser(path), self._all_hosts, hosts)
            return Remaining(hosts, lines - len(hosts))
        except OSError as error:
            warning = f"{path} does not list the hosts that are left: {error.strerror}."
            if warning not in self._warnings:
                self._warnings.append(warning)
            return None

    # --- the result ----------------------------------------------------------------------------------------------

    def _make_entries(self) -> list[dict[str, Any]]:
        """Return an entry for each target, in which values of `no_log` options are masked."""
        fleet = self._fleet
        made = [make_entry(entry.host, entry.names, entry.result, entry.advice) for entry in fleet.entries]
        made += [self._make_untried(target.host, target.names) for target in self._targets[len(made) :]]
        return list(remove_values(made, fleet.no_log)) if fleet.no_log else made

    def _make_untried(self, host: str | None, names: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the entry of a stream that had no turn, for a report with the names that its host's variables say.

        An interrupted run does not read them, because that would delay its end.
        """
        if names is None and host and self._reporter.paths and not self._is_interrupted():
            known = {"domain_name": self._options["domain_name"]} if self._options["domain_name"] else {}
            names = {**known, **self._host_variables.read_plain(host, Stream._fields)}
        return make_entry(host, names, None)

    def _stand(self, batch: Batch, is_complete: bool) -> Standing:
        """Return how the run stands after this batch."""
        failures = sum(row["status"] != OK for row in batch.entries)
        ended = not is_complete or 100 * failures / max(1, len(batch.entries)) > self._options["max_fail"]
        tried = {row["host"] for part in (*self._earlier, batch) for row in part.entries}
        hosts = self._all_hosts if ended else self._variables["ansible_play_hosts"] if self._is_batch() else []
        untried = [host for host in hosts if host not in tried]
        # The reports between batches do without names: reading those of all hosts takes longer than a small batch.
        left = [self._make_untried(host) if ended else make_entry(host, None, None) for host in untried]
        return Standing([*self._earlier, batch], left, ended, is_complete)

    def _make_result(self, standing: Standing, lines: list[str]) -> dict[str, Any]:
        options, entries = self._options, standing.batches[-1].entries
        result = make_result(self._fleet, entries, standing.entries, standing.ended, lines)
        if self._action._task.diff:
            result["diff"] = make_diff(entries)
        if not standing.is_complete:
            mark_failed(result, f"Interrupted. {lines[0]}")
            # The interrupted ansible-playbook reads no more, so that a result larger than a pipe's buffer would block.
            for name in ("failed_hosts", "failed_patterns", "diff"):
                result.pop(name, None)
            self._action._task.args.pop("streams", None)  # Ansible sends the arguments along with the result.
        elif options["fail"] and any(row["status"] != OK for row in entries):
            mark_failed(result, format_failure(options["title"], entries))
        if result.get("failed"):
            self._task.traffic.request_ids = []
        return result

    def _show(self, standing: Standing, remaining: Remaining | None) -> list[str]:
        """Show and return the summary."""
        lines = standing.summarize(self._make_title())
        if remaining and remaining.hosts and not standing.has_more:
            shown = {row["host"] for row in standing.list_shown()}
            earlier = sum(host not in shown for host in remaining.hosts)
            numbers = len(remaining.hosts) - earlier, earlier, remaining.others
            lines.append(summary.format_remaining(*numbers, self._options["retry_file"]))
        if not self._action._task.no_log:
            summary.show(lines, bad=any(row["status"] != OK for row in standing.list_shown()))
        if not standing.is_complete:
            terminal.write_last_words(lines)
        return lines

    def _write_report(self, standing: Standing) -> None:
        if not self._reporter.paths:
            return
        run = standing.make_run(self._options["title"], self._task.check_mode)
        for warning in self._reporter.write(run, self._task.clock.now(), is_last=not standing.has_more):
            self._task.warn(warning)
        if not standing.has_more and not self._action._task.no_log:
            summary.show_written(self._reporter.written)


def _display(text: str, ends: bool) -> None:
    if terminal.has_reader():
        Display().display(text, newline=ends, screen_only=not ends)
