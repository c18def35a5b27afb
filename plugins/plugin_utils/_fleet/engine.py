# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that carries out the programs of many streams side by side.

One thread, the engine's, advances all programs and owns all state; the threads of a pool only make calls. So a stream
that waits for its push, for a time, for a slow response or for a retry does not block any other stream. Tests replace
the clock, the pool and the inbox to run it in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...module_utils._domain.steps import (
    AwaitPush,
    History,
    PollLog,
    ReadContents,
    ReadHistory,
    ReadLog,
    ReadState,
    Send,
)
from ...module_utils._errors import LiveError, ParentExited
from ...module_utils._module.steps import perform
from ...module_utils._util.clock import Clock
from .dispatcher import Dispatcher
from .lane import Lane
from .member import Member
from .pool import Inbox, Pool
from .program import Result
from .scheduler import Scheduler
from .steps import AwaitNewPush, AwaitTime, CheckFiles, ReadFiles, ReadShared
from .watch import LogWatch, PushWatch

LEAD_SECONDS = 1.0  # before a command's time that it is prepared and connected
MAX_READY = 60  # commands of one account that are queued; further programs begin when the queue is shorter
MAX_RESOLVE_SECONDS = 0.01  # spent on reading targets before calls are dispatched again
MAX_DRAIN_SECONDS = 3.0  # waited for outstanding responses when a run is interrupted


class Engine:
    """Runs the programs of all members to their ends, or until the run is interrupted.

    `interval` is the least number of seconds between two reads of the same list. `tick` is called in each cycle.
    `is_single`: there is only one stream, so that its notify log is read alone rather than that of its domain.
    """

    def __init__(
        self,
        clock: Clock,
        interval: float,
        tick: Callable[[], None] = lambda: None,
        is_interrupted: Callable[[], bool] = lambda: False,
        pool: Pool | None = None,
        inbox: Inbox | None = None,
        is_single: bool = False,
    ) -> None:
        self.clock = clock
        self.inbox = inbox or Inbox()
        self.pool = pool or Pool(self.inbox)
        self.scheduler = Scheduler(clock, self.pool, interval)
        self.dispatcher = Dispatcher(self.scheduler, self.inbox, self._advance, self._begin)
        self.lanes: list[Lane] = []
        self.active = 0  # programs that have begun and not ended, and accounts that are being opened
        self._tick = tick
        self._is_interrupted = is_interrupted
        self._is_single = is_single
        self._is_over = False

    def run(self, resolve: Iterator[Any]) -> bool:
        """Carry out all programs; return False if the run was interrupted before all of them ended.

        Each step of `resolve` reads one more target and adds its member to a lane.
        """
        may_resolve = True
        while not self._is_over:
            if may_resolve:
                may_resolve = self._resolve(resolve)
            for lane in self.lanes:
                self._begin(lane)
            for lane in self.lanes:
                self.dispatcher.dispatch(lane)
            if not may_resolve and self._is_done():
                return True
            self.inbox.handle(0 if may_resolve else self.scheduler.seconds_to_next())
            self.scheduler.run_due()
            self._tick()
            self._is_over = self._is_interrupted()
        self._drain()
        return not may_resolve and self._is_done()

    def _is_done(self) -> bool:
        return not self.active and not any(lane.pending for lane in self.lanes)

    def count_waiting(self) -> int:
        """Return how many streams wait for a push, a time or a retry."""
        queued = sum(lane.count_queued() for lane in self.lanes)
        return max(0, self.active - queued - self.pool.busy)

    # --- programs ------------------------------------------------------------------------------------------------

    def _resolve(self, resolve: Iterator[Any]) -> bool:
        """Read more targets; return whether there may be further ones."""
        until = self.clock.monotonic() + MAX_RESOLVE_SECONDS
        while self.clock.monotonic() < until:
            if next(resolve, StopIteration) is StopIteration:
                return False
        return True

    def _begin(self, lane: Lane) -> None:
        """Begin the programs of pending members while the lane's queue is short."""
        while lane.pending and lane.count_queued() + lane.shared.count_readers() + lane.count_log_readers() < MAX_READY:
            member = lane.pending.popleft()
            member.began = self.clock.monotonic()
            self.active += 1
            self._advance(lane, member)

    def _advance(self, lane: Lane, member: Member, result: Any = None, error: BaseException | None = None) -> None:
        """Continue a program with the result or the error of its last step, and begin its next step."""
        if isinstance(error, ParentExited):
            return  # This is not a failure of the stream; the fleet reports streams whose programs have not ended.
        lane.in_doubt.discard(member)
        try:
            step = member.program.throw(error) if error else member.program.send(result)
        except StopIteration as end:
            self._finish(member, end.value, None)
        except Exception as failure:
            self._finish(member, None, failure)
        else:
            if isinstance(step, (ReadHistory, ReadContents)):
                lane.in_doubt.add(member)
            if not self._is_over:
                self._carry_out(lane, member, step)

    def _finish(self, member: Member, result: Result | None, failure: BaseException | None) -> None:
        self.active -= 1
        member.finish(result, failure, self.clock.monotonic())

    def _drain(self) -> None:
        """Wait a few seconds for outstanding responses, then end the programs that were reading what they changed.

        What is already known of a command whose response was lost is still reported.
        """
        for lane in self.lanes:
            self.dispatcher.stop(lane)
        until = self.clock.monotonic() + MAX_DRAIN_SECONDS
        while self.pool.busy and (left := until - self.clock.monotonic()) > 0:
            self.inbox.handle(left)
        for lane in self.lanes:
            while undecided := lane.in_doubt or lane.delayed:
                member = next(iter(undecided))  # It stays in the set while its program has something else to read.
                lane.delayed.discard(member)
                self._advance(lane, member, error=LiveError("the run has ended", "Run it again."))

    # --- steps ---------------------------------------------------------------------------------------------------

    def _carry_out(self, lane: Lane, member: Member, step: Any) -> None:
        """Begin a step of a program, which is continued with the step's result."""

        def resume(result: Any = None, error: BaseException | None = None) -> None:
            self._advance(lane, member, result, error)

        if isinstance(step, Send):
            attempts = member.live.command_attempts(member.stream, step.command)
            lane.ready.append((member, attempts, step.command))
        elif isinstance(step, AwaitTime):
            self._await_time(member, step, resume)
        elif isinstance(step, AwaitPush):
            self._push_watch(lane, member).await_push(member.stream, step.poll.deadline, resume)
        elif isinstance(step, AwaitNewPush):
            member.live.client.traffic.retry_seconds = 0.0
            self._push_watch(lane, member).await_new_push(member, step.until - LEAD_SECONDS, resume)
        elif isinstance(step, ReadState):
            self._push_watch(lane, member).read(member.stream, resume)
        elif isinstance(step, ReadLog) and step.pause:
            self._read_log_later(lane, member, step, resume)
        elif isinstance(step, (ReadLog, ReadHistory)) and self._is_single:
            self._read_alone(lane, member, step, resume)
        elif isinstance(step, ReadLog):
            self._log_watch(lane, member).read(member.stream, resume)
        elif isinstance(step, ReadHistory):
            self._read_history(lane, member, step, resume)
        elif isinstance(step, ReadContents):
            lane.contents_reads.append((member, step, resume))
        elif isinstance(step, (ReadFiles, CheckFiles)):
            lane.queues[type(step)].waiting.append((member, step, resume))
        elif isinstance(step, ReadShared):
            lane.shared.read(step, self.pool, lane.new_live, resume)
        elif isinstance(step, PollLog):
            self._log_watch(lane, member).poll(member.stream, step.since, step.poll.deadline, resume)
        else:
            raise TypeError(f"a program yielded {step!r}")

    def _await_time(self, member: Member, step: AwaitTime, resume: Callable[..., None]) -> None:
        member.deadline = step.deadline
        member.live.client.traffic.retry_seconds = 0.0  # What begins then has the whole retry_timeout, like a new task.
        member.live.client.timing.not_before = step.epoch
        self.scheduler.at(step.epoch - LEAD_SECONDS, resume)

    def _read_alone(self, lane: Lane, member: Member, step: ReadLog | ReadHistory, resume: Callable[..., None]) -> None:
        live = lane.new_live()
        self.pool.submit(lambda: perform(step, live, member.stream), resume)

    def _read_log_later(self, lane: Lane, member: Member, step: ReadLog, resume: Callable[..., None]) -> None:
        def read() -> None:
            lane.delayed.discard(member)
            lane.in_doubt.add(member)
            if self._is_single:
                self._read_alone(lane, member, ReadLog(), resume)
            else:
                self._log_watch(lane, member).read(member.stream, resume, must_be_new=True)

        lane.delayed.add(member)
        self.scheduler.after(step.pause, read)

    def _read_history(self, lane: Lane, member: Member, step: ReadHistory, resume: Callable[..., None]) -> None:
        def add_time(events: Any = None, error: BaseException | None = None) -> None:
            # The read may have been the first call to show the offset of the cloud's clock.
            resume(None if error else History(events, member.live.cloud_seconds(step.lost_at)), error)

        self._log_watch(lane, member).read(member.stream, add_time, must_be_new=True)

    def _push_watch(self, lane: Lane, member: Member) -> PushWatch:
        domain = member.stream.domain_name
        if domain not in lane.push_watches:
            lane.push_watches[domain] = PushWatch(self.scheduler, lane.new_live(), domain)
        return lane.push_watches[domain]

    def _log_watch(self, lane: Lane, member: Member) -> LogWatch:
        domain = member.stream.domain_name
        if domain not in lane.log_watches:
            lane.log_watches[domain] = LogWatch(self.scheduler, lane.new_live(), domain, lane.retry_timeout)
        return lane.log_watches[domain]
