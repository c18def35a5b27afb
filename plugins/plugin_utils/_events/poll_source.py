# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source that polls the API, from its arguments to its end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._errors import InvalidOption, LiveError
from ...module_utils._module.argspec import CONNECTION, Spec
from ...module_utils._module.task import Task
from .._util.files import require_regular_file, write_atomically
from .buffer import FULL, Buffer
from .event import parse_event_time
from .forwarder import Forwarder, make_forwarder
from .options import POLL, read_options
from .poller import Poller
from .spool import KEEP_SECONDS, Spool

MAX_STATE_BYTES = 64 * 1024 * 1024

logger = logging.getLogger("apsaravideo.live.events")


async def run(queue: Any, arguments: Mapping[str, Any]) -> None:
    """Poll and forward events until cancelled; raises LiveError or OSError at the start only."""
    options = read_options(POLL, arguments)
    if options["domains"] is None:
        raise InvalidOption("The argument domains is missing", "Give a list of streaming domains, or [] for none.")
    if not options["domains"]:
        await asyncio.Event().wait()  # A source that ends would end the whole rulebook.
    loop = asyncio.get_running_loop()
    spool = Spool(options["spool"]) if options["spool"] else None
    forwarders: list[Forwarder] = []
    buffer = Buffer(lambda: forwarders[0].wake(loop), spool)
    forwarders.append(make_forwarder(queue, buffer, options, arguments.get("eda_feedback_queue"), spool))
    buffer.replay(time.time())
    task = make_task(options["connection"])
    state = StateFile(options["state_file"])
    with ThreadPoolExecutor(1, "apsaravideo-poll") as pool:
        live = await loop.run_in_executor(pool, task.open_live)
        poller = Poller(live, options["domains"], options["ingest_domains"], options["overlap"], state.read())
        polling = loop.create_task(_poll(pool, poller, buffer, task, state, options["interval"]))
        try:
            await forwarders[0].run()
        finally:
            polling.cancel()
            task.close()
            if spool:
                spool.close()


def make_task(connection: Any) -> Task:
    """Return access to the API with these connection options; raises InvalidOption."""
    checked = ArgumentSpecValidator(CONNECTION).validate(connection if isinstance(connection, dict) else {})
    if checked.error_messages or not isinstance(connection, dict):
        raise InvalidOption("The argument connection is not valid", "Give connection options as a mapping.")
    return Task(Spec(CONNECTION).fill(checked.validated_parameters), os.environ)


class StateFile:
    """A file with the state of a poller, as it was a while ago: the rule engine may be killed before it has acted."""

    def __init__(self, path: str | None) -> None:
        self._path = os.path.expanduser(path) if path else None
        self._snapshots: deque[tuple[float, str]] = deque()

    def read(self) -> dict[str, Any]:
        """Return the state, which is empty without a readable file."""
        if not self._path or not require_regular_file(self._path) or os.path.getsize(self._path) > MAX_STATE_BYTES:
            return {}
        try:
            with open(self._path, encoding="utf-8") as file:
                content = json.load(file)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    def save(self, state: Mapping[str, Any], now: float) -> None:
        """Take a snapshot, and write the newest one that is old enough."""
        if not self._path:
            return
        if not self._snapshots or now - self._snapshots[-1][0] >= KEEP_SECONDS / 3:
            self._snapshots.append((now, json.dumps(state)))
        due = None
        while self._snapshots and now - self._snapshots[0][0] >= KEEP_SECONDS:
            due = self._snapshots.popleft()[1]
        if due is not None:
            write_atomically(self._path, due)


async def _poll(
    pool: ThreadPoolExecutor, poller: Poller, buffer: Buffer, task: Task, state: StateFile, interval: float
) -> None:
    """Poll until cancelled; no fault ends it."""
    loop = asyncio.get_running_loop()
    while True:
        began = time.monotonic()
        try:
            for event in await loop.run_in_executor(pool, poller.poll):
                # When it happened, not when it was read, tells in which order and how soon things followed each other.
                at = min(time.time(), parse_event_time(event))
                while buffer.store(event, at) == FULL:
                    await asyncio.sleep(1)
            if not len(buffer):
                state.save(poller.state(), time.time())
        except LiveError as error:
            logger.warning("The events could not be read, which is tried again: %s", task.mask(str(error)))
        except Exception as error:
            # The text of an exception might quote an event.
            logger.error("The events could not be read, which is tried again: %s", type(error).__name__)
        await asyncio.sleep(max(0.1, interval - (time.monotonic() - began)))
