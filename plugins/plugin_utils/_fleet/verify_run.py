# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of apsaravideo_record_verify: a fleet whose programs only read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display

from ...module_utils._api.operations import INDEX_FILES
from ...module_utils._domain.coverage import Spans, normalize
from ...module_utils._domain.recording_state import STARTED
from ...module_utils._domain.windows import VARIABLES, Window, parse_windows, warn_of_short_durations
from ...module_utils._errors import InvalidOption
from ...module_utils._module.argspec import CONNECTION
from ...module_utils._module.task import Task
from ...module_utils._util.clock import Clock
from ...module_utils._util.instant import Instant, parse_duration
from ...module_utils._util.text import format_duration
from .._report.entries import make_entry
from .._util import terminal
from .._util.run_directory import RUN_DIRECTORY
from . import summary
from .file_checks import FileChecker
from .fleet import Fleet, Settings
from .options import check_verify
from .program import VERIFIED, Policy, Program
from .run import FleetRun
from .targets import Request, Requests
from .verify_program import VerifyPolicy, count_lists, verify_stream
from .verify_warnings import warn_of_verdicts


class VerifyFleet(Fleet):
    """Many streams whose recordings are verified. `lists` counts the calls that their file lists take at least."""

    def __init__(self, policy: VerifyPolicy, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lists = 0
        self._policy = policy

    def _make_program(self, request: Request, task: Task) -> Program | None:
        policy, windows = self._policy, self._policy.span
        if windows is None:
            found = _parse_windows(request.windows, policy.clock.now())
            task.warnings += warn_of_short_durations(request.windows)
            windows = normalize((window.start.epoch, window.stop.epoch) for window in found)
        if not windows:
            return None
        self.lists += count_lists(windows, policy.clock.now())
        return verify_stream(request.stream, windows, policy, task.warnings)

    def warnings(self) -> list[str]:
        """Return the warnings of all streams, and those about files and accepted doubts."""
        rows = [make_entry(entry.host, entry.names, entry.result) for entry in self.entries]
        judged = [row for row in rows if row.get("verdict")]
        return [*super().warnings(), *warn_of_verdicts(judged, self._policy.check is not None)]

    def _report_interrupted(self) -> None:
        """Leave streams without a verdict as not tried: nothing was sent that could have changed them."""


class VerifyRun(FleetRun):
    """One execution of a task with apsaravideo_record_verify."""

    _plan_is_shown = False

    @staticmethod
    def _check_options(options: Mapping[str, Any]) -> None:
        check_verify(options)

    def _make_title(self) -> str:
        title: str = self._options["title"]
        return title  # Check mode reads the same, and predicts nothing.

    def _make_fleet(self) -> Fleet:
        task, options = self._task, self._options
        policy = VerifyPolicy(
            task.clock,
            options["tolerance"],
            _parse_span(options, task.clock),
            options["ingest_domain"],
            options["file_delay"],
            options["accept_unknown"],
            options["accept_interrupted"],
            FileChecker(options, task.clock).check if options["check_files"] else None,
        )
        common = Policy(task.clock, task.check_mode)
        settings = Settings(VERIFIED, common, task.environ, RUN_DIRECTORY, INDEX_FILES)
        requests = Requests({name: options[name] for name in CONNECTION}, STARTED, options["domain_name"])
        return VerifyFleet(policy, settings, requests, 1.0, self._tick, self._is_interrupted, len(self._targets))

    def _tick(self) -> None:
        super()._tick()
        rates = self._fleet.accounts.sum_rates()
        if rates and not self._plan_is_shown and len(self._fleet.entries) == len(self._targets):
            self._plan_is_shown = True
            self._show_plan(*rates)

    def _show_plan(self, quota: float, limit: float) -> None:
        """Say how long the run takes at least, once all targets are known."""
        lists = getattr(self._fleet, "lists", 0)
        if lists and not self._action._task.no_log and summary.is_for_people() and terminal.has_reader():
            self._progress.clear()
            Display().display(format_plan(self._options["title"], len(self._targets), lists, quota, limit))


def format_plan(title: str, streams: int, lists: int, quota: float, limit: float) -> str:
    """Return a line on the calls of a run, and the time that they take."""
    thing = "stream" if streams == 1 else "streams"
    listed = "file list" if lists == 1 else "file lists"
    seconds = lists / limit
    least = format_duration(seconds) if round(seconds) > 1 else "1 second"
    return f"{title}: {streams} {thing}, {lists} {listed} at {quota:g} a second, at least {least}."


def _parse_span(options: Mapping[str, Any], clock: Clock) -> Spans | None:
    """Return the span of `since` and `until`, None without them; raise InvalidOption."""
    if not options["since"]:
        return None
    now = clock.now()
    start = _parse_since(options["since"], now)
    until = Instant.parse("until", options["until"], now) if options["until"] else None
    stop = until.epoch if until else now
    if start >= stop:
        raise InvalidOption(
            f"The option since is {options['since']}, which is not before {until.text if until else 'now'}",
            "Give an earlier since, or a later until.",
        )
    return ((start, stop),)


def _parse_windows(variables: Mapping[str, Any], now: float) -> list[Window]:
    """Return the windows that variables set; raise InvalidOption, which offers `since` if there are none."""
    if not any(variables.get(name) not in (None, "") for name in VARIABLES):
        raise InvalidOption(
            "No recording window is defined",
            "Set since, for example to 2h, or window_start and window_stop, or record_windows.",
        )
    return parse_windows(variables, now)


def _parse_since(text: str, now: float) -> float:
    """Return the seconds since the epoch of a time, or of a duration with a unit before now."""
    if text.strip()[-1:] in tuple("dhms"):
        try:
            return now - parse_duration("since", text)
        except InvalidOption as error:
            raise error.with_context(advice=f"{error.advice} Or give a time, such as 2026-01-02T12:00:00Z.") from None
    return Instant.parse("since", text, now).epoch
