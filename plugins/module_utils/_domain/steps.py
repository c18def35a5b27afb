# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps by which the recording of one stream is brought to a state, and how a module carries them out alone.

`_record.steps` decides which step comes next and never makes a call. That way one stream in a module and thousands in a
fleet are decided about by the same code.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, NamedTuple, Union

from .._api.live import Live
from .._api.models import CommandResponse, NotifyEvent, RecordTask, Stream, TimeWindow
from .._errors import LiveError
from .._util.poll import Poll
from .recording_state import Verdict


class Send(NamedTuple):
    """Send a record command. Answered by its CommandAnswer."""

    command: str

    def alone(self, live: Live, stream: Stream) -> CommandResponse:
        return live.record_command(stream, self.command)


class ReadState(NamedTuple):
    """Read whether the stream is being pushed. Answered by a boolean."""

    def alone(self, live: Live, stream: Stream) -> bool:
        return live.is_online(stream)


class ReadLog(NamedTuple):
    """Read all that the notify log holds of the stream, after a pause in seconds. Answered by a list of NotifyEvent."""

    pause: float = 0.0

    def alone(self, live: Live, stream: Stream) -> list[NotifyEvent]:
        live.client.wait(self.pause)
        return live.notify_events(stream)


class History(NamedTuple):
    """Events of a stream, and the seconds, by the cloud's clock, in one of which a request left."""

    events: list[NotifyEvent]
    sent: TimeWindow


class ReadHistory(NamedTuple):
    """Read the notify log after a response was lost, to find what was before the request; nothing older will do.

    `lost_at` is when the request left by this machine's clock. Answered by a History.
    """

    lost_at: float

    def alone(self, live: Live, stream: Stream) -> History:
        events = live.notify_events(stream)
        return History(events, live.cloud_seconds(self.lost_at))


class Contents(NamedTuple):
    """Recording tasks of a stream, and the seconds, by the cloud's clock, in one of which a request left."""

    tasks: list[RecordTask]
    sent: TimeWindow


class ReadContents(NamedTuple):
    """Read the record contents after a response was lost, where the notify log did not tell what became of the request.

    `lost_at` is when the request left by this machine's clock. Answered by Contents.
    """

    lost_at: float

    def alone(self, live: Live, stream: Stream) -> Contents:
        tasks = live.recent_tasks(stream)
        return Contents(tasks, live.cloud_seconds(self.lost_at))


class AwaitPush(NamedTuple):
    """Wait until the stream is being pushed. Answered by True, or by False where that does not happen in time."""

    poll: Poll

    def alone(self, live: Live, stream: Stream) -> bool:
        while (pause := self.poll.next_pause()) is not None:
            live.client.wait(pause)
            if live.is_online(stream):
                return True
        return False


class PollLog(NamedTuple):
    """Read the notify log from `since` on, a while after the last time.

    Answered by a list of NotifyEvent, or by None where the time for it is over.
    """

    since: datetime
    poll: Poll

    def alone(self, live: Live, stream: Stream) -> list[NotifyEvent] | None:
        pause = self.poll.next_pause()
        if pause is None:
            return None
        live.client.wait(pause)
        return live.notify_events(stream, TimeWindow(self.since, live.now()))


Step = Union[Send, ReadState, ReadLog, ReadHistory, ReadContents, AwaitPush, PollLog]
Steps = Generator[Step, Any, Verdict]


def run_alone(steps: Steps, live: Live, stream: Stream) -> Verdict:
    """Carry out the steps of one stream, one after another, and return the verdict they come to."""
    answer: Any = None
    error: LiveError | None = None
    while True:
        try:
            step = steps.throw(error) if error else steps.send(answer)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict
        answer = error = None
        try:
            answer = step.alone(live, stream)
        except LiveError as failure:
            error = failure
