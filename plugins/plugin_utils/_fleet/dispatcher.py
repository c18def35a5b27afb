# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dispatcher that hands the calls of each account to the pool, as fast as its quota allows, and retries them."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from ...module_utils._api.error_codes import STREAM_ABSENT
from ...module_utils._api.live import CommandAttempts
from ...module_utils._api.models import CommandResponse
from ...module_utils._domain.steps import ReadContents
from ...module_utils._errors import EndpointUnusable, LiveError, NotSent
from ...module_utils._module.steps import perform
from .lane import MAX_PROBE_PAUSE, MIN_PROBE_PAUSE, CallQueue, Lane
from .member import NOT_PUSHED, Member
from .pool import Inbox
from .scheduler import Scheduler
from .steps import CheckFiles, ReadFiles

MAX_UNSENT = 12  # commands of one account in the pool that connect or wait for their slots


class Dispatcher:
    """Sends commands, reads record contents and file lists, and waits together for an endpoint that is down.

    `advance(lane, member, result, error)` continues a member's program; `begin(lane)` begins those of pending members.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        inbox: Inbox,
        advance: Callable[..., None],
        begin: Callable[[Lane], None],
    ) -> None:
        self.sent = 0  # commands, or pages of file lists
        self.first_sent: float | None = None  # seconds since the epoch
        self.last_sent: float | None = None
        self.by_second: Counter[int] = Counter()  # the same by the second of the wall clock
        self._scheduler = scheduler
        self._clock = scheduler.clock
        self._pool = scheduler.pool
        self._inbox = inbox
        self._advance = advance
        self._begin = begin
        self._is_stopped = False

    def dispatch(self, lane: Lane) -> None:
        """Submit queued calls to the pool: reads of contents, and commands, of which at most MAX_UNSENT are unsent."""
        while lane.contents_reads and lane.running_reads < MAX_UNSENT and not self._pool.is_full:
            self._read_contents(lane, *lane.contents_reads.popleft())
        for queue in lane.queues.values():
            while queue.waiting and queue.running < queue.limit and not self._pool.is_full:
                self._perform(lane, queue, *queue.waiting.popleft())
        if lane.down_since is None:
            while lane.ready and lane.unsent < MAX_UNSENT and not self._pool.is_full:
                self._send(lane, *lane.ready.popleft())
        elif lane.ready and not lane.unsent and self._clock.monotonic() >= lane.probe_at:
            self._send(lane, *lane.ready.popleft())

    def stop(self, lane: Lane) -> None:
        """Send nothing more, and retry nothing."""
        self._is_stopped = True
        lane.ready.clear()
        lane.contents_reads.clear()
        for queue in lane.queues.values():
            queue.waiting.clear()

    def _read_contents(self, lane: Lane, member: Member, step: ReadContents, resume: Callable[..., None]) -> None:
        """Read the record contents of one stream; the API has no list of them by domain."""
        lane.running_reads += 1

        def done(contents: Any, error: BaseException | None) -> None:
            lane.running_reads -= 1
            resume(contents, error)

        self._pool.submit(lambda: perform(step, member.live, member.stream), done)

    def _perform(
        self, lane: Lane, queue: CallQueue, member: Member, step: ReadFiles | CheckFiles, resume: Callable[..., None]
    ) -> None:
        """Carry out a step in the pool; while the endpoint cannot be reached, a file list fails without a call."""
        is_list = isinstance(step, ReadFiles)
        if is_list and lane.unreachable:
            resume(None, copy.copy(lane.unreachable))
            return
        client = member.live.client
        if is_list:
            client.timing.on_sent = lambda: self._inbox.put(self._count)  # called in the thread that sends
        queue.running += 1

        def done(result: Any, error: BaseException | None) -> None:
            client.timing.on_sent = None
            queue.running -= 1
            if is_list:
                lane.unreachable = error if isinstance(error, (NotSent, EndpointUnusable)) else None
            resume(result, error)

        self._pool.submit(lambda: step.perform(member.live, member.stream), done)

    def _count(self) -> None:
        """Count a call that was sent just now."""
        now = self._clock.now()
        self.first_sent = self.first_sent or now
        self.last_sent = now
        self.sent += 1
        self.by_second[int(now)] += 1

    # --- commands ------------------------------------------------------------------------------------------------

    def _send(self, lane: Lane, member: Member, attempts: CommandAttempts, command: str) -> None:
        if member.deadline is not None and self._clock.now() >= member.deadline:
            self._fail_late(lane, member, command)
            return
        client = member.live.client
        was_sent = False
        client.timing.on_sent = lambda: self._inbox.put(sent)  # called in the thread that sends
        lane.unsent += 1

        def sent() -> None:
            nonlocal was_sent
            if not was_sent:
                was_sent = True
                lane.unsent -= 1
            member.awaits_response, member.sent_at, member.push = True, self._clock.now(), None
            self._count()
            lane.mark_up()

        def done(response: Any, error: BaseException | None) -> None:
            client.timing.on_sent = None  # The next call of this client may be a read, which is not counted.
            member.awaits_response = False
            if not was_sent:
                lane.unsent -= 1
            if isinstance(error, (NotSent, EndpointUnusable)) and not was_sent:
                self._handle_unreachable(lane, member, attempts, command, error)
            elif isinstance(error, LiveError):
                self._retry(lane, member, attempts, command, error)
            else:
                if isinstance(response, CommandResponse) and response.meaning == STREAM_ABSENT:
                    member.push = NOT_PUSHED
                self._advance(lane, member, response, error)

        self._pool.submit(attempts.make, done)

    def _fail_late(self, lane: Lane, member: Member, command: str) -> None:
        cause = lane.cause[0].happened if lane.cause else "other calls came first"
        late = f"{command} of {member.stream} was not sent before the end of its window: {cause}"
        self._advance(lane, member, error=LiveError(late, "Run it again, or widen the window."))

    def _retry(self, lane: Lane, member: Member, attempts: CommandAttempts, command: str, error: LiveError) -> None:
        """Queue the command again after a pause, if its retry rules and the member's deadline allow another attempt."""
        try:
            pause = attempts.pause_after(error)
            if self._is_stopped or member.deadline is not None and self._clock.now() + pause >= member.deadline:
                raise error
        except LiveError as final:
            self._advance(lane, member, error=final)
            return
        member.live.client.traffic.waited_seconds += pause
        self._scheduler.after(pause, lambda: lane.ready.append((member, attempts, command)))

    # --- an endpoint that is down --------------------------------------------------------------------------------

    def _handle_unreachable(
        self, lane: Lane, member: Member, attempts: CommandAttempts, command: str, error: LiveError
    ) -> None:
        """Queue the command again; probe the endpoint later, or fail all members of the account after the timeout."""
        now = self._clock.monotonic()
        lane.cause = (error, f"{command} of {member.stream}")
        lane.ready.appendleft((member, attempts, command))
        if error.retryable and lane.down_since is not None and now < lane.probe_at:
            return  # The command was in the pool already when another one found the endpoint down.
        if not error.retryable and not lane.was_reached and lane.unsent:
            # The other commands in the pool may still reach it, for example if one name look-up of many fails.
            lane.down_since = now if lane.down_since is None else lane.down_since
            return
        if lane.down_since is None or now - lane.last_failure > max(2 * MAX_PROBE_PAUSE, lane.retry_timeout):
            lane.down_since, lane.probe_pause = now, MIN_PROBE_PAUSE
        lane.last_failure = now
        # An endpoint that was reached before has a valid name, so that even this error may pass.
        is_final = not error.retryable and not lane.was_reached
        if is_final or now - lane.down_since >= lane.retry_timeout:
            self._fail_all(lane)
            return
        pause = random.uniform(lane.probe_pause / 2, lane.probe_pause)
        lane.probe_pause = min(MAX_PROBE_PAUSE, 2 * lane.probe_pause)
        lane.probe_at = min(now + pause, lane.down_since + lane.retry_timeout)
        self._scheduler.after(lane.probe_at - now, lambda: None)  # wakes the engine, which dispatches the probe

    def _fail_all(self, lane: Lane) -> None:
        """Fail every stream of the lane whose command has not been sent, because the endpoint cannot be reached."""
        while lane.ready or lane.pending:
            if not lane.ready:
                self._begin(lane)
                if not lane.ready:
                    return
            if lane.cause is None:
                return
            cause, subject = lane.cause
            member, attempts, command = lane.ready.popleft()
            failure = cause.with_context(
                happened=cause.happened.replace(subject, f"{command} of {member.stream}"),
                after_lost_response=attempts.was_lost,
                may_have_changed=attempts.was_lost,
            )
            self._advance(lane, member, error=failure)
