# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that bring the recording of one stream to a state.

`record.py` decides which step comes next and never makes a call. One stream in a module and thousands in a fleet are
thus decided about by the same code; `_module/steps.py` and the fleet's engine carry the steps out.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, NamedTuple, Union

from .._api.models import NotifyEvent, RecordTask, TimeWindow
from .._util.poll import Poll
from .verdicts import Verdict


class Send(NamedTuple):
    """Send a record command. Answered by its CommandResponse."""

    command: str


class ReadState(NamedTuple):
    """Read whether the stream is being pushed. Answered by a boolean."""


class ReadLog(NamedTuple):
    """Read all events of the stream in the notify log, after a pause in seconds. Answered by a list of NotifyEvent."""

    pause: float = 0.0


class ReadHistory(NamedTuple):
    """Read the notify log after a response was lost; no reading from before that will do. Answered by a History.

    `lost_at` is when the request was sent, by this machine's clock.
    """

    lost_at: float


class ReadContents(NamedTuple):
    """Read the record contents after a response was lost. Answered by Contents.

    `lost_at` is when the request was sent, by this machine's clock.
    """

    lost_at: float


class AwaitPush(NamedTuple):
    """Wait until the stream is being pushed. Answered by True, or by False if that does not happen in time."""

    poll: Poll


class PollLog(NamedTuple):
    """Pause, and read the notify log from `since` on.

    Answered by a list of NotifyEvent, or by None when the time of `poll` is over.
    """

    since: datetime
    poll: Poll


class History(NamedTuple):
    """The events of a stream, and the second, or a few, in which a request was sent by the cloud's clock."""

    events: list[NotifyEvent]
    sent: TimeWindow


class Contents(NamedTuple):
    """The recording tasks of a stream, and the second, or a few, in which a request was sent by the cloud's clock."""

    tasks: list[RecordTask]
    sent: TimeWindow


Step = Union[Send, ReadState, ReadLog, ReadHistory, ReadContents, AwaitPush, PollLog]
Steps = Generator[Step, Any, Verdict]
