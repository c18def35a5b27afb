# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run over many streams, from their targets to the result of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ...module_utils._api.models import Stream
from ...module_utils._api.operations import RECORD_COMMAND, Operation
from ...module_utils._api.traffic import Traffic
from ...module_utils._domain.recording_state import STARTED
from ...module_utils._domain.windows import parse_windows, warn_of_short_durations
from ...module_utils._errors import InvalidOption, LiveError
from ...module_utils._module import record
from ...module_utils._module.argspec import CONNECTION
from ...module_utils._module.task import Task, make_failure
from .accounts import Accounts, OpenAccount, wrap_unexpected
from .engine import Engine
from .member import Member
from .program import SCHEDULED, WINDOWED, Policy, Program, keep_recording, reach_state, record_windows
from .targets import Request, Requests, Target

_ACCOUNT_OPTIONS = tuple(name for name in CONNECTION if name != "retry_timeout")


class Settings(NamedTuple):
    """The desired state, the policy of all programs, and the directory in which processes share credentials.

    `operation` is the one whose quota bounds the run.
    """

    state: str
    policy: Policy
    environ: Mapping[str, str]
    run_directory: str | None
    operation: Operation = RECORD_COMMAND


class Entry:
    """A target of the run, and its result so far."""

    def __init__(self, target: Target) -> None:
        self.host = target.host
        self.names = target.names
        self.member: Member | None = None
        self.task: Task | None = None
        self.request: Any = None  # what is requested for the stream, to be compared with that of a twin
        self.twin: Entry | None = None  # an earlier entry that names the same stream
        self.result: dict[str, Any] | None = None
        self.advice: str | None = None

    def is_ok(self) -> bool:
        """Return whether the stream is in its desired state."""
        result = (self.twin or self).result
        return result is not None and not result.get("failed")

    def fail(self, error: LiveError) -> None:
        """Set the result to that of an error."""
        self.result, self.advice = make_failure(error), error.advice


class Fleet:
    """Many streams that are changed to one state, or recorded in their windows, in one run.

    `size` is the number of targets.
    """

    def __init__(
        self,
        settings: Settings,
        requests: Requests,
        interval: float,
        tick: Callable[[], None],
        is_interrupted: Callable[[], bool],
        size: int,
    ) -> None:
        self.settings = settings
        self.entries: list[Entry] = []
        self.no_log: set[str] = set()  # values that must not be shown
        self.failed = 0
        self.changed = 0
        self.done = 0
        self.engine = Engine(settings.policy.clock, interval, tick, is_interrupted, is_single=size == 1)
        self.accounts = Accounts(self.engine, settings.operation)
        self._requests = requests
        self._streams: dict[tuple[Stream, str], Entry] = {}

    def run(self, targets: Iterable[Target]) -> bool:
        """Carry out the run; return False if it was interrupted."""
        try:
            return self.engine.run(self._resolve(targets))
        finally:
            self._report_interrupted()
            self._copy_to_twins()
            self.accounts.close()

    def warnings(self) -> list[str]:
        """Return each different warning of the run, with the number of streams that it concerns."""
        counts: Counter[str] = Counter()
        for task in self._tasks():
            counts.update(set(task.warnings))
        texts = [text if number == 1 else f"{text} ({number} streams)" for text, number in counts.items()]
        return list(dict.fromkeys(texts + self.accounts.warnings()))

    def sum_traffic(self) -> Traffic:
        """Return the traffic of the whole run."""
        total = Traffic()
        for part in (task.traffic for task in self._tasks()):
            total.api_calls += part.api_calls
            total.throttled += part.throttled
            total.waited_seconds += part.waited_seconds
            total.request_ids += part.request_ids
            total.by_operation.update(part.by_operation)
        return total

    def _tasks(self) -> list[Task]:
        return [*self.accounts.tasks, *(entry.task for entry in self.entries if entry.task)]

    # --- from targets to members -------------------------------------------------------------------------------------

    def _resolve(self, targets: Iterable[Target]) -> Iterator[None]:
        """Read one target per step; an error concerns only its own target."""
        for target in targets:
            entry = Entry(target)
            self.entries.append(entry)
            try:
                self._add(entry, self._requests.make(target))
            except LiveError as error:
                entry.fail(error)
                self._count(entry)
            yield None

    def _add(self, entry: Entry, request: Request) -> None:
        entry.names = request.stream._asdict()
        self.no_log.update(request.no_log)
        record.check(request.options)
        account_key = repr([request.options[name] for name in _ACCOUNT_OPTIONS])
        entry.request = (request.key, request.windows)
        twin = self._streams.setdefault((request.stream, account_key), entry)
        if twin is not entry:
            self._add_twin(entry, twin, request.stream)
            return
        task = Task(
            # Windows have their own times; a host's start_at is for the other states.
            {**request.options, "start_at": None} if self.settings.state in WINDOWED else request.options,
            self.settings.environ,
            self.settings.policy.check_mode,
            self.settings.policy.clock,
            self.settings.run_directory,
        )
        task.parse_retry_timeout()  # validates the only connection option that may differ within an account
        entry.task = task
        task.known["stream"] = entry.names
        program = self._make_program(request, task)
        if program is None:
            entry.result = {"skipped": True, "changed": False, "state": "left alone"}
            self._count(entry)
            return
        self.accounts.open(account_key, task, lambda opened: self._join(entry, request, program, opened))

    def _add_twin(self, entry: Entry, twin: Entry, stream: Stream) -> None:
        if twin.request != entry.request:
            raise InvalidOption(
                f"{stream} is the stream of {twin.host or 'another entry'}, too, with other options",
                "Let one host stand for the stream; several windows belong into its record_windows.",
            )
        entry.twin = twin
        self.done += 1

    def _make_program(self, request: Request, task: Task) -> Program | None:
        """Return the program of a stream, or None if it has no windows and is left alone."""
        policy, stream, options = self.settings.policy, request.stream, request.options
        if self.settings.state == SCHEDULED:
            found = parse_windows(request.windows, policy.clock.now())
            task.warnings += warn_of_short_durations(request.windows)
            return record_windows(stream, task.options, found, policy, task.warnings) if found else None
        start_at = task.parse_start_at()
        options = {**options, "start_epoch": start_at.epoch if start_at else None}
        if policy.keep and self.settings.state == STARTED and options["wait_for_stream"]:
            return keep_recording(stream, options, policy, task.warnings)
        return reach_state(stream, options, policy, task.warnings)

    def _join(self, entry: Entry, request: Request, program: Program, opened: OpenAccount | LiveError) -> None:
        """Queue a stream in the lane of its account."""
        task = entry.task
        if task is None:
            raise TypeError("an entry without a task joins an account")
        try:
            if isinstance(opened, LiveError):
                raise opened
            live = task.open_live(opened.account)
        except LiveError as error:
            entry.fail(error)
            self._count(entry)
            return
        entry.member = Member(request.stream, live, program, lambda member: self._finish(entry))
        opened.lane.pending.append(entry.member)

    # --- from members to results -------------------------------------------------------------------------------------

    def _finish(self, entry: Entry) -> None:
        member, task = entry.member, entry.task
        if member is None or task is None:
            return
        if isinstance(member.failure, LiveError):
            entry.fail(member.failure)
        elif isinstance(member.failure, Exception):
            entry.fail(wrap_unexpected(task, member.failure))
        else:
            entry.result = dict(member.result or {})
            entry.advice = entry.result.pop("advice", None)
        self._complete(entry)
        self._count(entry)

    def _complete(self, entry: Entry) -> None:
        """Add the stream's traffic and times to its result."""
        member, task = entry.member, entry.task
        if member is None or task is None or entry.result is None:
            return
        sent_at = member.live.client.timing.first_sent_at
        entry.result = {
            **entry.result,
            **task.summarize(with_warnings=False),
            "sent_at": _format_time(sent_at) if sent_at else None,
            "seconds": self._seconds(member),
        }

    def _seconds(self, member: Member) -> float | None:
        if member.began is None:
            return None
        return round((member.ended or self.settings.policy.clock.monotonic()) - member.began, 3)

    def _count(self, entry: Entry) -> None:
        self.done += 1
        self.failed += bool(entry.result and entry.result.get("failed"))
        self.changed += bool(entry.result and entry.result.get("changed"))

    def _report_interrupted(self) -> None:
        """Set the results of streams to which commands were sent and whose programs have not ended."""
        for entry in self.entries:
            member = entry.member
            if member is None or member.is_done:
                continue
            if member.awaits_response or member.live.client.timing.first_sent_at:
                error = self._make_interruption_error(member)
                entry.fail(error.with_context(may_have_changed=True))
                self._complete(entry)

    def _make_interruption_error(self, member: Member) -> LiveError:
        if member.awaits_response:
            return LiveError(
                "A command of this stream was sent, and the run ended before the response came",
                "Run again; for a split, look at the notify log first.",
            )
        if self.settings.state == SCHEDULED:
            return LiveError(
                "The run ended in the window of this stream, which nothing stops now",
                "Run it again, which goes on as it should, or stop the stream.",
            )
        return LiveError("The run ended before this stream was done", "Run it again.")

    def _copy_to_twins(self) -> None:
        """Copy results to the entries that name the same streams again."""
        for entry in self.entries:
            if entry.twin and entry.twin.result:
                entry.result, entry.advice = {**entry.twin.result, "changed": False, "api_calls": 0}, entry.twin.advice
                entry.task = None


def _format_time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
