# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run over many streams: from targets to entries that say what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ...module_utils._api.account import Account
from ...module_utils._api.live import Live
from ...module_utils._api.models import Stream
from ...module_utils._api.operations import RECORD_COMMAND
from ...module_utils._api.traffic import Traffic
from ...module_utils._domain.recording_state import STARTED
from ...module_utils._domain.windows import doubts, windows
from ...module_utils._errors import InvalidOption, LiveError, ParentExited
from ...module_utils._module import record
from ...module_utils._module.argspec import CONNECTION
from ...module_utils._module.task import Task, failure, unexpected
from .engine import Engine, Lane, Member
from .program import SCHEDULED, Program, Run, kept, once, scheduled
from .targets import Request, Requests, Target

_READ_SECONDS = 5.0  # for the attempts of a read that serves a whole domain; it is repeated when it is needed again
_CONNECTION = tuple(name for name in CONNECTION if name != "retry_timeout")


class Settings(NamedTuple):
    """The desired state of a run, how its programs run, and the directory in which processes share credentials."""

    state: str
    run: Run
    environ: Mapping[str, str]
    key_directory: str | None


class Entry:
    """A stream of the run, and what became of it."""

    def __init__(self, target: Target) -> None:
        self.host = target.host
        self.names = target.names
        self.member: Member | None = None
        self.task: Task | None = None
        self.asked: Any = None  # for the stream
        self.twin: Entry | None = None  # the entry that names the same stream, and was there before
        self.result: dict[str, Any] | None = None
        self.advice: str | None = None

    def is_well(self) -> bool:
        """Return whether the stream is in the wanted state."""
        found = (self.twin or self).result
        return found is not None and not found.get("failed")

    def fail(self, error: LiveError) -> None:
        """Take an error as the result."""
        self.result, self.advice = failure(error), error.advice


class Fleet:
    """Brings many streams to a state, or records them in their windows."""

    def __init__(
        self,
        settings: Settings,
        requests: Requests,
        interval: float,
        tick: Callable[[], None],
        is_over: Callable[[], bool],
        size: int,
    ) -> None:
        self.settings = settings
        self.entries: list[Entry] = []
        self.no_log: set[str] = set()
        self.failed = 0
        self.changed = 0
        self.done = 0
        self.engine = Engine(settings.run.clock, interval, tick, is_over, single=size == 1)
        self._requests = requests
        self._accounts: dict[str, Lane | LiveError | list[Callable[[], None]]] = {}
        self._shared: dict[str, Account] = {}
        self._tasks: list[Task] = []
        self._streams: dict[tuple[Stream, str], Entry] = {}

    def run(self, targets: Iterable[Target]) -> bool:
        """Carry out the run; return whether it came to its end."""
        try:
            return self.engine.run(self._resolve(targets))
        finally:
            self._take_interrupted()
            for account in self._shared.values():
                account.close()

    def warnings(self) -> list[str]:
        """Return the warnings of the run, each once, with the number of streams that it is about."""
        found: Counter[str] = Counter()
        for task in self._all_tasks():
            found.update(set(task.warnings))
        texts = [text if number == 1 else f"{text} ({number} streams)" for text, number in found.items()]
        texts += [text for account in self._shared.values() for text in account.warnings()]
        return list(dict.fromkeys(texts))

    def quota(self) -> float | None:
        """Return the commands a second that the run may send, None where several accounts have one each."""
        limits = [account.limits.rate_limit for account in self._shared.values()]
        return (limits[0] or RECORD_COMMAND.calls_per_second) if len(limits) == 1 else None

    def sum_traffic(self) -> Traffic:
        """Return the traffic of the whole run."""
        total = Traffic()
        for part in (task.traffic for task in self._all_tasks()):
            total.api_calls += part.api_calls
            total.throttled += part.throttled
            total.waited_seconds += part.waited_seconds
            total.request_ids += part.request_ids
            total.by_operation.update(part.by_operation)
        return total

    def _all_tasks(self) -> list[Task]:
        return [*self._tasks, *(entry.task for entry in self.entries if entry.task)]

    # --- from targets to members -------------------------------------------------------------------------------------

    def _resolve(self, targets: Iterable[Target]) -> Iterator[None]:
        """Read one target after another; what is wrong with one of them is no matter of the others."""
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
        lane_key = repr([request.options[name] for name in _CONNECTION])
        twin = self._streams.setdefault((request.stream, lane_key), entry)
        entry.asked = (request.key, request.windows)
        if twin is not entry:
            if twin.asked != entry.asked:
                raise InvalidOption(
                    f"{request.stream} is the stream of {twin.host or 'another entry'}, too, with other options",
                    "Let one host stand for the stream; several windows belong into its record_windows.",
                )
            entry.twin = twin
            self.done += 1
            return
        is_scheduled = self.settings.state == SCHEDULED
        task = Task(
            # A start_at of a host is for other states; windows have their own moments.
            {**request.options, "start_at": None} if is_scheduled else request.options,
            self.settings.environ,
            self.settings.run.check_mode,
            self.settings.run.clock,
            self.settings.key_directory,
        )
        task.retry_timeout()  # the one option of the connection that is no matter of the account
        entry.task = task
        task.known["stream"] = entry.names
        program = self._program(request, task)
        if program is None:
            entry.result = {"skipped": True, "changed": False, "state": "left alone"}
            self._count(entry)
            return
        self._in_lane(lane_key, task, lambda: self._join(entry, request, program, lane_key))

    def _program(self, request: Request, task: Task) -> Program | None:
        """Return the program of a stream; None for one to leave alone."""
        run, stream, options = self.settings.run, request.stream, request.options
        if self.settings.state == SCHEDULED:
            found = windows(request.windows, run.clock.now())
            task.warnings += doubts(request.windows)
            return scheduled(stream, task.options, found, run, task.warnings) if found else None
        start_at = task.start_at()
        options = {**options, "start_epoch": start_at.epoch if start_at else None}
        if run.keep and self.settings.state == STARTED and options["wait_for_stream"]:
            return kept(stream, options, run, task.warnings)
        return once(stream, options, run, task.warnings)

    def _in_lane(self, key: str, task: Task, join: Callable[[], None]) -> None:
        """Let a stream join the others of its account, which is opened in a thread when its first stream comes."""
        found = self._accounts.get(key)
        if isinstance(found, list):
            found.append(join)
        elif found is not None:
            join()
        else:
            self._accounts[key] = [join]
            self.engine.waiting += 1
            opener = Task(task.options, task.environ, task.check_mode, task.clock, task.key_directory)
            self._tasks.append(opener)
            self.engine.pool.submit(opener.account, lambda account, error: self._opened(key, opener, account, error))

    def _opened(self, key: str, opener: Task, account: Account | None, error: BaseException | None) -> None:
        self.engine.waiting -= 1
        joining = self._accounts[key]
        if isinstance(error, ParentExited):
            return
        if isinstance(error, LiveError):
            self._accounts[key] = error
        elif isinstance(error, Exception) or not account:
            self._accounts[key] = _unexpected(
                opener, error if isinstance(error, Exception) else TypeError("no account")
            )
        else:
            self._shared[key] = account
            lane = Lane(lambda: self._new_live(opener, account), opener.options["retry_timeout"])
            self._accounts[key] = lane
            self.engine.lanes.append(lane)
        for join in joining if isinstance(joining, list) else ():
            join()

    def _new_live(self, opener: Task, account: Account) -> Live:
        """Return what to make calls for a whole domain with; its traffic belongs to no stream."""
        seconds = opener.options["retry_timeout"]
        bounded = min(seconds, _READ_SECONDS) if seconds >= 0 else _READ_SECONDS
        options = {**opener.options, "start_at": None, "retry_timeout": bounded}
        task = Task(options, opener.environ, False, opener.clock, opener.key_directory)
        self._tasks.append(task)
        return task.live(account)

    def _join(self, entry: Entry, request: Request, program: Program, key: str) -> None:
        lane, task = self._accounts[key], entry.task
        if task is None or isinstance(lane, list):
            raise TypeError("a stream joins an account that is not open")
        try:
            if isinstance(lane, LiveError):
                raise lane
            live = task.live(self._shared[key])
        except LiveError as error:
            entry.fail(error)
            self._count(entry)
            return
        entry.member = Member(request.stream, live, program, lambda member: self._ended(entry))
        lane.pending.append(entry.member)

    # --- what became of them -----------------------------------------------------------------------------------------

    def _ended(self, entry: Entry) -> None:
        member, task = entry.member, entry.task
        if member is None or task is None:
            return
        if isinstance(member.failure, LiveError):
            entry.fail(member.failure)
        elif isinstance(member.failure, Exception):
            entry.fail(_unexpected(task, member.failure))
        else:
            entry.result = member.result
        self._complete(entry)
        self._count(entry)

    def _complete(self, entry: Entry) -> None:
        """Add to a result what the stream's calls were, and when the first of its commands left."""
        member, task = entry.member, entry.task
        if member is None or task is None or entry.result is None:
            return
        sent_at = member.live.client.timing.first_sent_at
        entry.result = {
            **entry.result,
            **task.outcome(with_warnings=False),
            "sent_at": _iso(sent_at) if sent_at else None,
            "seconds": self._seconds(member),
        }

    def _seconds(self, member: Member) -> float | None:
        if member.begun is None:
            return None
        return round((member.ended or self.settings.run.clock.monotonic()) - member.begun, 3)

    def _count(self, entry: Entry) -> None:
        self.done += 1
        self.failed += bool(entry.result and entry.result.get("failed"))
        self.changed += bool(entry.result and entry.result.get("changed"))

    def _take_interrupted(self) -> None:
        """Say what is known of streams whose programs did not end, and of those that another entry names, too."""
        for entry in self.entries:
            member = entry.member
            if member and not member.done and member.sending:
                error = LiveError(
                    "A command of this stream was sent, and the run ended before the response came",
                    "Run again; for a split, look at the notify log first.",
                )
                error.may_have_changed = True
                entry.fail(error)
                self._complete(entry)
            elif member and not member.done and member.live.client.timing.first_sent_at:
                error = self._unfinished()
                error.may_have_changed = True
                entry.fail(error)
                self._complete(entry)
        for entry in self.entries:
            if entry.twin and entry.twin.result:
                entry.result, entry.advice = {**entry.twin.result, "changed": False, "api_calls": 0}, entry.twin.advice
                entry.task = None

    def _unfinished(self) -> LiveError:
        """Return the error of a stream to which something was sent, and which was not done."""
        if self.settings.state == SCHEDULED:
            return LiveError(
                "The run ended in the window of this stream, which nothing stops now",
                "Run it again, which goes on as it should, or stop the stream.",
            )
        return LiveError("The run ended before this stream was done", "Run it again.")


def _unexpected(task: Task, error: Exception) -> LiveError:
    """Return the error of one stream for an exception that is a bug, which is no matter of the other streams."""
    found = LiveError(f"An unexpected error: {unexpected(task, error)}", "Report it as a bug of the collection.")
    found.may_have_changed = True
    return found


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
