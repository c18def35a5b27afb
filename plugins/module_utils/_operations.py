# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API operations in use, as a table. Quotas are those of the operations' documentation pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

VERSION = "2016-11-01"


class Operation(NamedTuple):
    """One API operation.

    `calls_per_second` is the documented quota of an account. `items` is the JMESPath expression of the listed objects
    in an answer, and `page`, `page_size` name the parameters of its paging, `largest_page` being the most that one
    page may hold. `unrepeatable_commands` are the values of the parameter `Command` that must not be sent again
    when an answer was lost, because of the `harm` that a second one does.
    """

    action: str
    calls_per_second: float
    items: str | None = None
    page: str | None = None
    page_size: str | None = None
    largest_page: int = 0
    unrepeatable_commands: frozenset[str] = frozenset()
    harm: str = ""

    def may_repeat(self, parameters: Mapping[str, str]) -> bool:
        """Whether the call may be sent again although an earlier one may have taken effect."""
        return parameters.get("Command") not in self.unrepeatable_commands


RECORD_COMMAND = Operation(
    "RealTimeRecordCommand",
    calls_per_second=50,
    unrepeatable_commands=frozenset({"restart"}),
    harm="a second one would split the recording again; look at the notify log or the recorded files",
)
STREAM_STATE = Operation("DescribeLiveStreamState", calls_per_second=100)
NOTIFY_RECORDS = Operation(
    "DescribeLiveRecordNotifyRecords",
    calls_per_second=100,
    # The vendor's diagnosis skill shows the second form; the SDK's model is the first.
    items="CallbackList || RecordNotifyRecordList.RecordNotifyRecord",
    page="PageNumber",
    page_size="PageSize",
    largest_page=500,
)
