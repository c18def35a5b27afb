# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the programs of many streams side by side.

One thread decides: it advances the programs, and keeps what they wait for. The threads of a pool only make calls. So a
stream that waits for its push, its moment, a slow response or another attempt holds nothing that another stream needs.
Time comes from a clock and calls go through a pool, both of which a test can put in the place of the real ones.
"""

from __future__ import annotations

import copy
import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import count
from typing import Any

from ...module_utils._api.error_codes import STREAM_ABSENT
from ...module_utils._api.live import CommandAttempts, Live
from ...module_utils._api.models import CommandResponse, Stream, format_time
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
from ...module_utils._errors import EndpointUnusable, LiveError, NotSent, ParentExited
from ...module_utils._module.steps import perform
from ...module_utils._util.clock import Clock
from .pool import Inbox, Pool
from .program import Program, Result
from .steps import At, AwaitNewPush
from .watch import AWAY, LogWatch, PushWatch

LEAD = 1.0  # seconds before a moment that its first calls are made ready
MAX_UNSENT = 12  # calls of one account that may be connecting, or waiting for their slots, at once
MAX_READY = 60  # calls of one account that may stand in line; further streams begin when it is shorter
MAX_TICK = 0.5  # seconds after which the clock and the run are looked at again
RESOLVE_SECONDS = 0.01  # that may be spent on reading streams before calls are looked after again
FIRST_PROBE, MAX_PROBE = 0.25, 8.0  # seconds between attempts to reach an endpoint that is down
DRAIN_SECONDS = 3.0  # for responses that are still to come when a run is interrupted


class Member:
    """A stream of the fleet, and what has become of it."""

    def __init__(self, stream: Stream, live: Live, program: Program, finish: Callable[[Member], None]) -> None:
        self.stream = stream
        self.live = live
        self.program = program
        self.result: Result | None = None
        self.failure: BaseException | None = None
        self.done = False
        self.begun: float | None = None  # by the monotonic clock
        self.ended: float | None = None
        self.sending = False  # a command was sent, and its response has not come
        self.give_up: float | None = None  # by the wall clock
        self.commanded_at = 0.0  # when the last command left, by this machine's clock
        self.push: str | None = None  # when the push began that was seen last, AWAY where there was none
        self._finish = finish

    def commanded(self) -> str:
        """Return when the last command left, by the cloud's clock as far as responses have told of it by now."""
        cloud_time = self.commanded_at + self.live.client.ahead
        return format_time(datetime.fromtimestamp(int(cloud_time), timezone.utc))

    def finish(self, result: Result | None, failure: BaseException | None, now: float) -> None:
        """Take what the program came to."""
        self.result, self.failure, self.done, self.ended = result, failure, True, now
        self.program.close()
        self._finish(self)


class Lane:
    """The streams of one account, whose commands share a quota.

    `new_live` returns what to make calls for whole domains with. `down_since` is when the endpoint was found not to
    accept connections, by the monotonic clock: one call at a time then probes it on behalf of all.
    """

    def __init__(self, new_live: Callable[[], Live], retry_timeout: float) -> None:
        self.new_live = new_live
        self.retry_timeout = retry_timeout if retry_timeout >= 0 else float("inf")
        self.pending: deque[Member] = deque()  # not begun
        self.ready: deque[tuple[Member, CommandAttempts, str]] = deque()
        self.in_doubt: set[Member] = set()  # those that read what became of their command
        self.pausing: set[Member] = set()  # those that do so when the notify log is complete
        self.looks: deque[tuple[Member, ReadContents, Callable[..., None]]] = deque()
        self.looking = 0  # looks at record contents that are under way
        self.unsent = 0
        self.down_since: float | None = None
        self.cause: tuple[LiveError, str] | None = None
        self.probe_at = 0.0
        self.probe_pause = FIRST_PROBE
        self.last_failed = float("-inf")
        self.was_reached = False
        self.pushes: dict[str, PushWatch] = {}
        self.logs: dict[str, LogWatch] = {}


class Engine:
    """Runs a fleet to its end.

    `tick` is called now and then, and `is_over` tells that nothing more may be sent. `single`: there is one stream, for
    which the notify log need not be read by the domain.
    """

    def __init__(
        self,
        clock: Clock,
        interval: float,
        tick: Callable[[], None] = lambda: None,
        is_over: Callable[[], bool] = lambda: False,
        pool: Pool | None = None,
        inbox: Inbox | None = None,
        single: bool = False,
    ) -> None:
        self.clock = clock
        self.interval = interval
        self.inbox = inbox or Inbox()
        self.pool = pool or Pool(self.inbox)
        self.lanes: list[Lane] = []
        self.waiting = 0  # members between the begin and the end of their programs
        self.first_sent: float | None = None
        self.last_sent: float | None = None
        self.sent = 0
        self._tick = tick
        self._is_over = is_over
        self._single = single
        self._due: list[tuple[float, int, Callable[[], None]]] = []  # by the monotonic clock
        self._moments: list[tuple[float, int, Callable[[], None]]] = []  # by the wall clock
        self._number = count()
        self.over = False

    def run(self, resolve: Iterator[Any]) -> bool:
        """Carry out all programs; return whether they came to their ends.

        Each step of `resolve` reads one more stream, and adds it to the lane of its account.
        """
        unresolved = True
        while not self.over:
            if unresolved:
                unresolved = self._resolve(resolve)
            self._begin()
            self._dispatch()
            if not unresolved and self._is_done():
                return True
            self.inbox.handle(0 if unresolved else self._seconds_to_next())
            self._wake()
            self._tick()
            self.over = self._is_over()
        self._drain()
        return not unresolved and self._is_done()

    def _is_done(self) -> bool:
        return not self.waiting and not any(lane.pending for lane in self.lanes)

    def count_waiting(self) -> int:
        """Return how many streams wait for a push, a moment or another attempt."""
        ready = sum(len(lane.ready) for lane in self.lanes)
        return max(0, self.waiting - ready - self.pool.busy)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something in so many seconds."""
        heapq.heappush(self._due, (self.clock.monotonic() + seconds, next(self._number), call))

    def at(self, moment: float, call: Callable[[], None]) -> None:
        """Call something at a moment of the wall clock."""
        heapq.heappush(self._moments, (moment, next(self._number), call))

    # --- the streams ---------------------------------------------------------------------------------------------

    def _resolve(self, resolve: Iterator[Any]) -> bool:
        """Read some more streams; return whether there may be more."""
        until = self.clock.monotonic() + RESOLVE_SECONDS
        while self.clock.monotonic() < until:
            if next(resolve, StopIteration) is StopIteration:
                return False
        return True

    def _begin(self) -> None:
        """Begin the programs of further streams where the line of their account is short."""
        for lane in self.lanes:
            while lane.pending and len(lane.ready) + self._reading(lane) < MAX_READY:
                member = lane.pending.popleft()
                member.begun = self.clock.monotonic()
                self.waiting += 1
                self._advance(lane, member)

    def _reading(self, lane: Lane) -> int:
        """Return how many streams read the notify log before they send anything."""
        return sum(watch.count_readers() for watch in lane.logs.values())

    def _advance(self, lane: Lane, member: Member, answer: Any = None, error: BaseException | None = None) -> None:
        """Have a program take the answer to its last step, and take its next step unless the run is over."""
        if isinstance(error, ParentExited):
            return  # it is no failure of the stream, and what became of that is found in the end
        lane.in_doubt.discard(member)
        try:
            step = member.program.throw(error) if error else member.program.send(answer)
        except StopIteration as end:
            self._finish(member, end.value, None)
        except Exception as failure:
            self._finish(member, None, failure)
        else:
            if isinstance(step, (ReadHistory, ReadContents)):
                lane.in_doubt.add(member)
            if not self.over:
                self._take(lane, member, step)

    def _finish(self, member: Member, result: Result | None, failure: BaseException | None) -> None:
        self.waiting -= 1
        member.finish(result, failure, self.clock.monotonic())

    def _take(self, lane: Lane, member: Member, step: Any) -> None:
        def answer(value: Any = None, error: BaseException | None = None) -> None:
            self._advance(lane, member, value, error)

        if isinstance(step, Send):
            attempts = member.live.command_attempts(member.stream, step.command)
            lane.ready.append((member, attempts, step.command))
        elif isinstance(step, At):
            self._wait_for_moment(member, step, answer)
        elif isinstance(step, AwaitPush):
            self._pushes(lane, member).await_push(member.stream, step.poll.deadline, answer)
        elif isinstance(step, AwaitNewPush):
            member.live.client.traffic.retry_seconds = 0.0
            self._pushes(lane, member).await_new_push(member, step.until - LEAD, answer)
        elif isinstance(step, ReadState):
            self._pushes(lane, member).read(member.stream, answer)
        elif isinstance(step, ReadLog) and step.pause:
            self._read_later(lane, member, step, answer)
        elif isinstance(step, (ReadLog, ReadHistory)) and self._single:
            self._read_alone(lane, member, step, answer)
        elif isinstance(step, ReadLog):
            self._logs(lane, member).read(member.stream, answer)
        elif isinstance(step, ReadHistory):
            self._read_history(lane, member, step, answer)
        elif isinstance(step, ReadContents):
            lane.looks.append((member, step, answer))
        elif isinstance(step, PollLog):
            self._logs(lane, member).poll(member.stream, step.since, step.poll.deadline, answer)
        else:
            raise TypeError(f"a program yielded {step!r}")

    def _read_alone(self, lane: Lane, member: Member, step: ReadLog | ReadHistory, answer: Callable[..., None]) -> None:
        live = lane.new_live()
        self.pool.submit(lambda: perform(step, live, member.stream), answer)

    def _read_later(self, lane: Lane, member: Member, step: ReadLog, answer: Callable[..., None]) -> None:
        def read() -> None:
            lane.pausing.discard(member)
            lane.in_doubt.add(member)
            if self._single:
                self._read_alone(lane, member, ReadLog(), answer)
            else:
                self._logs(lane, member).read(member.stream, answer, fresh=True)

        lane.pausing.add(member)
        self.after(step.pause, read)

    def _read_history(self, lane: Lane, member: Member, step: ReadHistory, answer: Callable[..., None]) -> None:
        def with_time(events: Any = None, error: BaseException | None = None) -> None:
            # The clocks are compared only now, because the read may have been the first to tell how they differ.
            answer(None if error else History(events, member.live.cloud_seconds(step.lost_at)), error)

        self._logs(lane, member).read(member.stream, with_time, fresh=True)

    def _wait_for_moment(self, member: Member, step: At, answer: Callable[..., None]) -> None:
        member.give_up = step.give_up
        member.live.client.traffic.retry_seconds = 0.0  # what begins at a moment is like a task of its own
        member.live.client.timing.not_before = step.moment
        self.at(step.moment - LEAD, answer)

    def _pushes(self, lane: Lane, member: Member) -> PushWatch:
        domain = member.stream.domain_name
        if domain not in lane.pushes:
            lane.pushes[domain] = PushWatch(self, lane.new_live(), domain)
        return lane.pushes[domain]

    def _logs(self, lane: Lane, member: Member) -> LogWatch:
        domain = member.stream.domain_name
        if domain not in lane.logs:
            lane.logs[domain] = LogWatch(self, lane.new_live(), domain, lane.retry_timeout)
        return lane.logs[domain]

    # --- the commands --------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Hand calls to threads, as many of each account as can be made ready for its next slots."""
        for lane in self.lanes:
            while lane.looks and lane.looking < MAX_UNSENT and not self.pool.is_full:
                self._look(lane, *lane.looks.popleft())
            if lane.down_since is None:
                while lane.ready and lane.unsent < MAX_UNSENT and not self.pool.is_full:
                    self._send(lane, *lane.ready.popleft())
            elif lane.ready and not lane.unsent and self.clock.monotonic() >= lane.probe_at:
                self._send(lane, *lane.ready.popleft())

    def _look(self, lane: Lane, member: Member, step: ReadContents, answer: Callable[..., None]) -> None:
        """Read the record contents of a stream, which can be read for one stream at a time only."""
        lane.looking += 1

        def done(contents: Any, error: BaseException | None) -> None:
            lane.looking -= 1
            answer(contents, error)

        self.pool.submit(lambda: perform(step, member.live, member.stream), done)

    def _send(self, lane: Lane, member: Member, attempts: CommandAttempts, command: str) -> None:
        if member.give_up is not None and self.clock.now() >= member.give_up:
            cause = lane.cause[0].happened if lane.cause else "other calls came first"
            late = f"{command} of {member.stream} was not sent before the end of its window: {cause}"
            self._advance(lane, member, error=LiveError(late, "Run it again, or widen the window."))
            return
        client = member.live.client
        was_sent = False
        client.timing.on_sent = lambda: self.inbox.put(sent)  # called in the thread that sends
        lane.unsent += 1

        def sent() -> None:
            nonlocal was_sent
            if not was_sent:
                was_sent = True
                lane.unsent -= 1
            member.sending = True
            now = self.clock.now()
            member.commanded_at, member.push = now, None
            self.first_sent = self.first_sent or now
            self.last_sent = now
            self.sent += 1
            self._is_up(lane)

        def done(answer: Any, error: BaseException | None) -> None:
            client.timing.on_sent = None  # what is read next is no command
            member.sending = False
            if not was_sent:
                lane.unsent -= 1
            if isinstance(error, (NotSent, EndpointUnusable)) and not was_sent:
                self._is_down(lane, member, attempts, command, error)
            elif isinstance(error, LiveError):
                self._attempt_again(lane, member, attempts, command, error)
            else:
                if isinstance(answer, CommandResponse) and answer.meaning == STREAM_ABSENT:
                    member.push = AWAY
                self._advance(lane, member, answer, error)

        self.pool.submit(attempts.make, done)

    def _attempt_again(
        self, lane: Lane, member: Member, attempts: CommandAttempts, command: str, error: LiveError
    ) -> None:
        """Make another attempt later, where the rules of the call and the stream's time allow one."""
        try:
            pause = attempts.pause_after(error)
            if self.over or member.give_up is not None and self.clock.now() + pause >= member.give_up:
                raise error
        except LiveError as final:
            self._advance(lane, member, error=final)
            return
        member.live.client.traffic.waited_seconds += pause
        self.after(pause, lambda: lane.ready.append((member, attempts, command)))

    # --- an endpoint that is down --------------------------------------------------------------------------------

    def _is_up(self, lane: Lane) -> None:
        lane.down_since, lane.cause, lane.probe_pause, lane.was_reached = None, None, FIRST_PROBE, True

    def _is_down(self, lane: Lane, member: Member, attempts: CommandAttempts, command: str, error: LiveError) -> None:
        """Find once for all streams of an account that its endpoint cannot be reached."""
        now = self.clock.monotonic()
        lane.cause = (error, f"{command} of {member.stream}")
        lane.ready.appendleft((member, attempts, command))
        if error.retryable and lane.down_since is not None and now < lane.probe_at:
            return  # it was under way together with the one that found this
        if not error.retryable and not lane.was_reached and lane.unsent:
            lane.down_since = now if lane.down_since is None else lane.down_since
            return  # the others that are under way may still reach it, for example where one look-up in many fails
        if lane.down_since is None or now - lane.last_failed > max(2 * MAX_PROBE, lane.retry_timeout):
            lane.down_since, lane.probe_pause = now, FIRST_PROBE
        lane.last_failed = now
        # An endpoint that was reached before has the right name.
        if (not error.retryable and not lane.was_reached) or now - lane.down_since >= lane.retry_timeout:
            self._fail_all(lane)
            return
        pause = random.uniform(lane.probe_pause / 2, lane.probe_pause)
        lane.probe_pause = min(MAX_PROBE, 2 * lane.probe_pause)
        lane.probe_at = min(now + pause, lane.down_since + lane.retry_timeout)
        self.after(lane.probe_at - now, lambda: None)

    def _fail_all(self, lane: Lane) -> None:
        """Fail every stream that has something to send, each with the same cause."""
        while lane.ready or lane.pending:
            if not lane.ready:
                self._begin()
                if not lane.ready:
                    return
            cause, subject = lane.cause or (None, "")
            member, attempts, command = lane.ready.popleft()
            failure = copy.copy(cause)
            if failure is None:
                return
            failure.after_lost_response = failure.may_have_changed = attempts.was_lost
            failure.happened = failure.happened.replace(subject, f"{command} of {member.stream}")
            self._advance(lane, member, error=failure)

    # --- time ----------------------------------------------------------------------------------------------------

    def _seconds_to_next(self) -> float:
        """Return the seconds until something is due, at most a tick."""
        left = [MAX_TICK]
        if self._due:
            left.append(self._due[0][0] - self.clock.monotonic())
        if self._moments:
            left.append(self._moments[0][0] - self.clock.now())
        return max(0.0, min(left))

    def _wake(self) -> None:
        """Call what is due, in the order of its moments."""
        while self._due and self._due[0][0] <= self.clock.monotonic():
            heapq.heappop(self._due)[2]()
        while self._moments and self._moments[0][0] <= self.clock.now():
            heapq.heappop(self._moments)[2]()

    def _drain(self) -> None:
        """Wait a moment for responses that are still to come, which tell what became of their streams.

        What is known of a command whose response was lost is no less known where nothing is read any more.
        """
        for lane in self.lanes:
            lane.ready.clear()
            lane.looks.clear()
        until = self.clock.monotonic() + DRAIN_SECONDS
        while self.pool.busy and (left := until - self.clock.monotonic()) > 0:
            self.inbox.handle(left)
        for lane in self.lanes:
            while undecided := lane.in_doubt or lane.pausing:
                member = next(iter(undecided))  # its program may have something else to read, which is not read either
                lane.pausing.discard(member)
                self._advance(lane, member, error=LiveError("the run has ended", "Run it again."))
