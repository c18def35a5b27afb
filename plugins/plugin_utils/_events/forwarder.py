# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forward events to the rule engine, from the loop in which it runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from .batch import MAX_EVENTS, Window, make_batch
from .buffer import Buffer
from .event import Event
from .keeper import Keeper
from .spool import Spool

RETRY_SECONDS = 1.0  # after which an event is put again that could not be put
MAX_ATTEMPTS = 5  # an event with which a filter fails each time must not keep back the others
PRUNE_SECONDS = 15.0

logger = logging.getLogger("apsaravideo.live.events")


class Forwarder:
    """The task that takes events from a buffer, gathers them in batches, and puts them into the engine's queue.

    With a `feedback` queue an event counts as forwarded once the engine has confirmed it.
    """

    def __init__(
        self,
        queue: Any,
        buffer: Buffer,
        *,
        batch_window: float,
        details: bool = True,
        hosts: bool = True,
        feedback: Any = None,
        stopped: Iterable[str] = (),
        save_stopped: Callable[[list[str]], None] | None = None,
    ) -> None:
        self._queue = queue
        self._buffer = buffer
        self._feedback = feedback
        self._batch_window = batch_window
        self._details = details
        self._hosts = hosts
        self._window = Window(batch_window)
        self._keeper = Keeper(stopped)
        self._save_stopped = save_stopped
        self._saved = set(stopped)
        self._gathered = 0  # events of the buffer that the window has counted
        self._arrived = asyncio.Event()
        self.forwarded = 0
        self.dropped = 0

    def wake(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell the task, which runs in this loop, from any thread that an event has arrived."""
        loop.call_soon_threadsafe(self._arrived.set)

    async def run(self) -> None:
        """Forward events until cancelled; no fault ends it."""
        while True:
            try:
                await self._forward()
            except Exception as error:
                # The text of an exception might quote an event.
                logger.error("Events could not be forwarded: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _forward(self) -> None:
        await self._gather()
        entries = self._buffer.peek()
        if not self._batch_window:
            entries = entries[:1]
        now = time.time()
        for received, event in entries:
            self._keeper.add(event, received)
        keep = self._keeper.take_due(now) if self._batch_window else []
        if entries or keep:
            for event in self._make_events([event for _received, event in entries], keep):
                await self._put(event)
            self._buffer.remove(len(entries), time.time())
            self.forwarded += len(entries)
            self._save()

    def _make_events(self, events: list[Event], keep: list[str]) -> list[Event]:
        if not self._batch_window:
            return [event if self._hosts else _without_hosts(event) for event in events]
        return [make_batch(events, keep, self._details, self._hosts)]

    async def _put(self, event: Event) -> None:
        """Put an event into the queue of the engine, which may be busy for long."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                await self._queue.put(event)
                break
            except Exception as error:
                logger.error("Attempt %d to forward an event failed: %s", attempt, type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
        else:
            self.dropped += 1
            return
        if self._feedback is not None:
            await self._feedback.get()

    async def _gather(self) -> None:
        """Wait until a batch has ended, or a stream is due."""
        self._window.close()
        self._gathered = 0
        while not self._is_ready(time.time()):
            self._arrived.clear()
            if self._is_ready(time.time()):
                break
            moments = [moment for moment in (self._window.ends_at(), self._keeper.next_due()) if moment is not None]
            wait = min(moments, default=time.time() + PRUNE_SECONDS) - time.time()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), max(0.001, wait))
            if not moments:
                self._buffer.prune(time.time())

    def _is_ready(self, now: float) -> bool:
        if len(self._buffer) > self._gathered:
            self._gathered = len(self._buffer)
            self._window.add(now)
        end, due = self._window.ends_at(), self._keeper.next_due()
        is_full = self._gathered >= MAX_EVENTS
        return (
            is_full or (end is not None and end <= now) or (due is not None and due <= now and bool(self._batch_window))
        )

    def _save(self) -> None:
        stopped = self._keeper.stopped()
        if self._save_stopped and set(stopped) != self._saved:
            self._saved = set(stopped)
            try:
                self._save_stopped(stopped)
            except OSError as error:
                logger.warning("The list of stopped streams could not be written: %s", error.strerror)


def make_forwarder(
    queue: Any, buffer: Buffer, options: Mapping[str, Any], feedback: Any, spool: Spool | None
) -> Forwarder:
    """Return the forwarder that the options describe."""
    return Forwarder(
        queue,
        buffer,
        batch_window=options["batch_window"],
        details=options["batch_details"],
        hosts=options["meta_hosts"],
        feedback=feedback,
        stopped=spool.read_stopped() if spool else (),
        save_stopped=spool.write_stopped if spool else None,
    )


def _without_hosts(event: Event) -> Event:
    return {**event, "meta": {name: value for name, value in event["meta"].items() if name != "hosts"}}
