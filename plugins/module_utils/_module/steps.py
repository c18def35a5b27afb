# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out the steps of one stream with calls, one after another."""

from __future__ import annotations

from typing import Any

from .._api.live import Live
from .._api.models import NotifyEvent, Stream, TimeWindow
from .._domain.steps import (
    AwaitPush,
    Contents,
    History,
    PollLog,
    ReadContents,
    ReadHistory,
    ReadLog,
    ReadState,
    Send,
    Step,
    Steps,
)
from .._domain.verdicts import Verdict
from .._errors import LiveError
from .._util.poll import Poll


def run_steps(steps: Steps, live: Live, stream: Stream) -> Verdict:
    """Carry out all steps of a stream, and return the verdict."""
    result: Any = None
    error: LiveError | None = None
    while True:
        try:
            step = steps.throw(error) if error else steps.send(result)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict
        result = error = None
        try:
            result = perform(step, live, stream)
        except LiveError as failure:
            error = failure


def perform(step: Step, live: Live, stream: Stream) -> Any:
    """Carry out one step, and return its result."""
    if isinstance(step, Send):
        return live.record_command(stream, step.command)
    if isinstance(step, ReadState):
        return live.is_online(stream)
    if isinstance(step, ReadLog):
        live.client.wait(step.pause)
        return live.notify_events(stream)
    if isinstance(step, ReadHistory):
        events = live.notify_events(stream)
        # The clocks are compared after the read, because its response may be the first to tell how they differ.
        return History(events, live.cloud_seconds(step.lost_at))
    if isinstance(step, ReadContents):
        tasks = live.recent_tasks(stream)
        return Contents(tasks, live.cloud_seconds(step.lost_at))
    if isinstance(step, AwaitPush):
        return _await_push(step.poll, live, stream)
    return _poll_log(step, live, stream)


def _await_push(poll: Poll, live: Live, stream: Stream) -> bool:
    while (pause := poll.next_pause()) is not None:
        live.client.wait(pause)
        if live.is_online(stream):
            return True
    return False


def _poll_log(step: PollLog, live: Live, stream: Stream) -> list[NotifyEvent] | None:
    pause = step.poll.next_pause()
    if pause is None:
        return None
    live.client.wait(pause)
    return live.notify_events(stream, TimeWindow(step.since, live.now()))
