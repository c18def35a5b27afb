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
    """Send a record command. The result is its CommandResponse."""

    command: str


class ReadState(NamedTuple):
    """Read whether the stream is being pushed. The result is a boolean."""


class ReadLog(NamedTuple):
    """Pause for some seconds, and read the notify log of the stream. The result is a list of NotifyEvent."""

    pause: float = 0.0


class ReadHistory(NamedTuple):
    """Read the notify log after a response was lost; an earlier reading is not sufficient. The result is a History.

    `lost_at` is when the request was sent, by this machine's clock.
    """

    lost_at: float


class ReadContents(NamedTuple):
    """Read the record contents after a response was lost. The result is Contents.

    `lost_at` is when the request was sent, by this machine's clock.
    """

    lost_at: float


class AwaitPush(NamedTuple):
    """Wait until the stream is being pushed. The result is True, or False if that does not happen in time."""

    poll: Poll


class PollLog(NamedTuple):
    """Pause, and read the notify log from `since` on.

    The result is a list of NotifyEvent, or None when the time of `poll` is over.
    """

    since: datetime
    poll: Poll


class History(NamedTuple):
    """The events of a stream, and the seconds of the cloud's clock in one of which a request was sent."""

    events: list[NotifyEvent]
    sent: TimeWindow


class Contents(NamedTuple):
    """The recording tasks of a stream, and the seconds of the cloud's clock in one of which a request was sent."""

    tasks: list[RecordTask]
    sent: TimeWindow


Step = Union[Send, ReadState, ReadLog, ReadHistory, ReadContents, AwaitPush, PollLog]
Steps = Generator[Step, Any, Verdict]
