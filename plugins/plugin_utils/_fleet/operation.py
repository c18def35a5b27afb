# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation of apsaravideo_record_fleet: between a task of Ansible and a run over many streams."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ...module_utils._domain.recording_state import RESTARTED, STARTED, STOPPED
from ...module_utils._errors import InvalidOption, ParentExited, printable
from ...module_utils._module import record
from ...module_utils._module.argspec import CONNECTION, Spec
from ...module_utils._module.task import MAX_LATE, Task
from .._action.hosts import HostVariables
from .._action.in_process import WorkerClock, is_orphan
from .._util import terminal
from .._util.run_directory import RUN_DIRECTORY
from . import progress, summary
from . import retry_file as files
from .fleet import Fleet, Settings
from .ledger import Batch, Ledger
from .program import SCHEDULED, Run
from .targets import COMMANDS, Requests, Target, of_entries, of_hosts

SPEC = Spec(
    {
        "state": {"type": "str", "choices": [STARTED, STOPPED, RESTARTED, SCHEDULED], "default": STARTED},
        "hosts": {"type": "str"},
        "streams": {"type": "list", "elements": "dict"},
        "domain_name": {"type": "str", "aliases": ["domain"]},
        **{name: record.SPEC.options[name] for name in COMMANDS},
        "keep": {"type": "bool", "default": False},
        "watch_interval": {"type": "float", "default": 5.0},
        "window_retry": {"type": "float", "default": 0.0},
        "window_recheck": {"type": "float", "default": 0.0},
        "window_grace": {"type": "float", "default": MAX_LATE},
        "window_over": {"type": "str", "choices": ["refuse", "stop"], "default": "refuse"},
        "max_fail": {"type": "float", "default": 100.0},
        "fail": {"type": "bool", "default": True},
        "title": {"type": "str", "default": "record"},
        "progress": {
            "type": "str",
            "choices": ["auto", progress.BAR, progress.LINES, progress.NONE],
            "default": "auto",
        },
        "retry_file": {"type": "str", "default": ""},
        **CONNECTION,
    },
    {"mutually_exclusive": [("hosts", "streams")]},
)
_SAVE_SECONDS = 2.0  # between updates of the retry file
_MAX_MESSAGE = 400  # characters


class RunClock(WorkerClock):
    """The clock of a run that ends when it is interrupted, too: no thread that waits then sends anything."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        self._is_over = is_over

    def check(self) -> None:
        """Raise RunEnded where the run has ended."""
        if self._is_over():
            raise ParentExited("The run has ended", "Run it again.")


class Operation:
    """One task of apsaravideo_record_fleet."""

    def __init__(self, action: ActionBase, variables: Mapping[str, Any]) -> None:
        self._action = action
        self._variables = variables
        self._signal: int | None = None
        self._saved = float("-inf")
        self._tick: Callable[[], None] = lambda: None
        self._warnings: list[str] = []

    def run(self, task: Task) -> dict[str, Any]:
        """Return the result of the task; raises InvalidOption for options that no call can be made with."""
        options = task.options
        _check(options)
        task.clock = RunClock(self._is_over)
        hosts, targets = self._targets(options)
        ledger = Ledger(RUN_DIRECTORY, f"{self._action._task._uuid}-{options['state']}")
        batches = ledger.read() if self._is_a_batch() else []
        before = [row for batch in batches for row in batch.entries]
        covered = self._covered(options, hosts)
        fleet = self._fleet(task, len(targets))
        shown = self._progress(options)
        self._save_left_over(task, covered, before, fleet)

        def tick() -> None:
            now = task.clock.monotonic()
            shown.show(now, lambda: self._numbers(fleet, len(targets)))
            if now - self._saved > _SAVE_SECONDS and fleet.done:
                self._save_left_over(task, covered, before, fleet)

        self._tick = tick
        with self._signals():
            # A run that is interrupted while nothing is left to do is one that nobody listens to any more, too.
            whole = fleet.run(targets) and not self._is_over()
        shown.clear()
        entries = self._entries(fleet, targets)
        left = self._save_left_over(task, covered, before, fleet)
        traffic = fleet.sum_traffic()
        batch = Batch(entries, traffic.api_calls, traffic.throttled)
        if self._is_a_batch():
            self._add(ledger, batch)
        result = self._result(task, fleet, batches, batch, covered, left, whole)
        if not whole and is_orphan():
            os._exit(1)  # Nobody takes the result, so that handing it over would never end.
        return result

    # --- what is asked for ---------------------------------------------------------------------------------------

    def _targets(self, options: Mapping[str, Any]) -> tuple[list[str], list[Target]]:
        self._hosts = hosts = HostVariables(self._action, self._variables)
        if options["streams"] is not None:
            return [], list(of_entries(options["streams"], hosts.read, options["domain_name"]))
        names = hosts.matching(options["hosts"])
        if not names:
            raise InvalidOption(
                f"No host matches {options['hosts']}", "Check the name, --limit, and the sources of the inventory."
            )
        return names, list(of_hosts(names, hosts.read))

    def _is_a_batch(self) -> bool:
        """Return whether the run has other batches, before this one or after it."""
        if self._action._task.args.get("hosts") or self._action._task.args.get("streams") is not None:
            return False
        return len(self._variables["ansible_play_batch"]) < len(self._variables["ansible_play_hosts_all"])

    def _add(self, ledger: Ledger, batch: Batch) -> None:
        try:
            ledger.add(batch)
        except OSError as error:
            self._warnings.append(f"The summary of later batches will not have this one: {error.strerror}.")

    def _covered(self, options: Mapping[str, Any], hosts: list[str]) -> list[str]:
        """Return the hosts of the whole run: those of all batches where the run is over the hosts of the play."""
        if options["streams"] is not None:
            return [str(entry["host"]) for entry in options["streams"] if entry.get("host")]
        return hosts if options["hosts"] else list(self._variables["ansible_play_hosts_all"])

    def _fleet(self, task: Task, size: int) -> Fleet:
        options = task.options
        run = Run(
            task.clock,
            task.check_mode,
            options["keep"],
            options["window_retry"],
            options["window_recheck"],
            None if options["window_over"] == "stop" else options["window_grace"],
        )
        settings = Settings(options["state"], run, task.environ, RUN_DIRECTORY)
        common = {name: options[name] for name in (*COMMANDS, *CONNECTION)}
        state = STOPPED if options["state"] == SCHEDULED else options["state"]
        requests = Requests(common, state, options["domain_name"])
        return Fleet(settings, requests, options["watch_interval"], self._on_tick, self._is_over, size)

    # --- while it runs -------------------------------------------------------------------------------------------

    def _on_tick(self) -> None:
        self._tick()

    def _is_over(self) -> bool:
        return self._signal is not None or is_orphan()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as the wish to end in order."""

        def note(number: int, _frame: Any) -> None:
            self._signal = number

        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _progress(self, options: Mapping[str, Any]) -> progress.Progress:
        kind = options["progress"]
        if kind == "auto":
            kind = progress.BAR if terminal.is_terminal(os.environ) else progress.LINES
        if self._action._task.no_log or not summary.is_for_people():
            kind = progress.NONE
        return progress.Progress(kind, options["title"], _display, terminal.width)

    def _numbers(self, fleet: Fleet, total: int) -> progress.Numbers:
        engine = fleet.engine
        return progress.Numbers(
            total,
            fleet.done,
            fleet.changed,
            fleet.failed,
            engine.count_waiting(),
            engine.sent,
            fleet.quota(),
        )

    def _save_left_over(
        self, task: Task, covered: list[str], before: Iterable[Mapping[str, Any]], fleet: Fleet
    ) -> int | None:
        """Have the retry file list the hosts that are not done yet; return how many these are, None without a file."""
        path = task.options["retry_file"]
        if not path or task.check_mode:
            return None
        self._saved = time.monotonic()
        done = {row["host"] for row in before if row["status"] == summary.OK}
        done |= {entry.host for entry in fleet.entries}
        done -= {entry.host for entry in fleet.entries if not entry.is_well()}
        try:
            left = [host for host in covered if host not in done]
            files.write_retry_file(os.path.expanduser(path), covered, left)
            return len(left)
        except OSError as error:
            warning = f"{path} does not list the hosts that are left: {error.strerror}."
            if warning not in self._warnings:
                self._warnings.append(warning)
            return None

    # --- what came of it -----------------------------------------------------------------------------------------

    def _entries(self, fleet: Fleet, targets: list[Target]) -> list[dict[str, Any]]:
        """Return an entry for each target, without what options with `no_log` hold."""
        found = [summary.entry(entry.host, entry.names, entry.result, entry.advice) for entry in fleet.entries]
        found += [summary.entry(target.host, target.names, None) for target in targets[len(found) :]]
        return list(remove_values(found, fleet.no_log)) if fleet.no_log else found

    def _result(
        self,
        task: Task,
        fleet: Fleet,
        batches: list[Batch],
        batch: Batch,
        covered: list[str],
        left: int | None,
        whole: bool,
    ) -> dict[str, Any]:
        options, entries = task.options, batch.entries
        task.traffic = fleet.sum_traffic()
        task.warnings += [*self._warnings, *fleet.warnings(), *self._hosts.warnings()]
        counts = summary.counts(entries)
        trouble = [row for row in entries if row["status"] != summary.OK]
        ended = not whole or 100 * len(trouble) / max(1, len(entries)) > options["max_fail"]
        everything = [row for part in (*batches, batch) for row in part.entries]
        tried = {row["host"] for row in everything}
        to_come = [host for host in self._variables["ansible_play_hosts"] if host not in tried]
        if ended or not self._is_a_batch():
            to_come = []
        shown = [batch] if to_come else [*batches, batch]
        if ended:
            shown.append(Batch([summary.entry(host, None, None) for host in covered if host not in tried], 0, 0))
        lines = self._lines(task, shown, None if to_come else left, len(to_come))
        failed = [row["host"] for row in everything if row["status"] != summary.OK and row["host"]]
        healthy = next((row["host"] for row in everything if row["status"] == summary.OK and row["host"]), None)
        result = {
            "changed": counts["changed"] > 0,
            "counts": counts,
            "streams": entries,
            "failed_hosts": failed,
            "failed_patterns": [files.host_pattern(host) for host in failed],
            "healthy_pattern": files.host_pattern(healthy) if healthy else None,
            "ended": ended,
            "timing": _timing(fleet),
            "calls": dict(sorted(fleet.sum_traffic().by_operation.items())),
            "summary": lines,
            "_ansible_verbose_override": True,
        }
        if self._action._task.diff:
            result["diff"] = _diff(entries)
        if not whole:
            terminal.write_last_words(lines)
        if not whole or (trouble and options["fail"]):
            message = _message(options["title"], entries) if whole else f"Interrupted. {lines[0]}"
            error = {**dict.fromkeys(("code", "request_id", "http_status", "action")), "message": message}
            result.update(failed=True, msg=message, error=error)
            del result["streams"]  # Ansible prints the whole result of a failure
            task.traffic.request_ids = []
        if not whole:
            # What is longer than a pipe holds would wait for an ansible-playbook that reads no more.
            for name in ("failed_hosts", "failed_patterns", "diff"):
                result.pop(name, None)
        return result

    def _lines(self, task: Task, batches: list[Batch], left: int | None, others: int) -> list[str]:
        """Show and return the summary of the whole run, or a line about a batch that is not the last."""
        title = f"{task.options['title']}, predicted by check mode" if task.check_mode else task.options["title"]
        entries = [row for batch in batches for row in batch.entries]
        calls, throttled = sum(batch.api_calls for batch in batches), sum(batch.throttled for batch in batches)
        lines = summary.lines(title, entries, calls, throttled)
        if others:
            lines = [f"{lines[0]} {others} to come."]
        elif left:
            lines.append(summary.left_line(left, task.options["retry_file"]))
        if not self._action._task.no_log:
            summary.show(lines, bad=any(row["status"] != summary.OK for row in entries))
        return lines


def _check(options: Mapping[str, Any]) -> None:
    """Raises InvalidOption for options of the run that cannot be meant."""
    if options["state"] == SCHEDULED and options["start_at"] not in (None, ""):
        raise InvalidOption(
            f"The option start_at is {options['start_at']}, and windows have their own beginnings",
            "Leave start_at out, or change the windows.",
        )
    for name in ("watch_interval", "window_retry", "window_recheck", "window_grace"):
        least = 1.0 if name == "watch_interval" else 0.0
        if not least <= options[name] < float("inf"):
            raise InvalidOption(f"The option {name} is {options[name]}", f"Give seconds, at least {least:g}.")
    if not options["max_fail"] >= 0:
        raise InvalidOption(f"The option max_fail is {options['max_fail']}", "Give a percentage.")


def _timing(fleet: Fleet) -> dict[str, Any]:
    first, last, sent = fleet.engine.first_sent, fleet.engine.last_sent, fleet.engine.sent
    seconds = last - first if first is not None and last is not None else 0.0
    return {
        "first_call": first,
        "last_call": last,
        "calls_per_second": round((sent - 1) / seconds, 2) if seconds > 0 else None,
    }


def _message(title: str, entries: list[dict[str, Any]]) -> str:
    """Return the sentence of a failure: how many streams failed, and of what."""
    numbers = summary.counts(entries)
    trouble = numbers[summary.FAILED] + numbers[summary.NOT_TRIED]
    causes = [f"{len(names)} x {why}" for why, _advice, names in summary.causes(entries)]
    text = f"{title}: {trouble} of {numbers['streams']} streams failed or were not tried. {'; '.join(causes)}"
    return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}..."


def _diff(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the streams whose state changes, and their states before and after."""
    changed = [row for row in entries if row["changed"] and row.get("state")]
    return {
        side: "".join(f"{printable(summary.name(row))}: {row.get(field)}\n" for row in changed)
        for side, field in (("before", "previous_state"), ("after", "state"))
    }


def _display(text: str, ends: bool) -> None:
    if terminal.is_read():
        Display().display(text, newline=ends, screen_only=not ends)
