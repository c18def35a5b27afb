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
    in an answer, each of which holds a text under each of `names`, and `page`, `page_size` name the parameters of its
    paging, `largest_page` being the most that one page may hold. `largest_list` bounds the memory of all pages together
    in bytes, where the usual bound is too wide. An answer that is no list holds under `field` one of the `values`, in
    any case of letters, or an object or null where there are none. An operation that is not `repeatable`, or whose
    parameter `Command` is one of the `unrepeatable_commands`, must not be sent again blindly when an answer was
    lost; `harm` says why, and what to look at. `version` is that of the API that has the operation.
    """

    action: str
    calls_per_second: float
    items: str | None = None
    page: str | None = None
    page_size: str | None = None
    largest_page: int = 0
    largest_list: int | None = None
    names: tuple[str, ...] = ()
    field: str | None = None
    values: frozenset[str] = frozenset()
    repeatable: bool = True
    unrepeatable_commands: frozenset[str] = frozenset()
    harm: str = ""
    version: str = VERSION

    @property
    def largest_answer(self) -> int:
        """Bytes that an answer may have: a page of 3,000 online streams, the longest there is, takes about 2 MB."""
        return 8 * 1024 * 1024 if self.items else 1024 * 1024

    def may_repeat(self, parameters: Mapping[str, str]) -> bool:
        """Whether the call may be sent again although an earlier one may have taken effect."""
        return self.repeatable and parameters.get("Command") not in self.unrepeatable_commands


RECORD_COMMAND = Operation(
    "RealTimeRecordCommand",
    calls_per_second=50,
    unrepeatable_commands=frozenset({"restart"}),
    harm="a second one would split the recording again; look at the notify log or the recorded files",
)
STREAM_STATE = Operation(
    "DescribeLiveStreamState", calls_per_second=100, field="StreamState", values=frozenset({"online", "offline"})
)
ONLINE_STREAMS = Operation(
    "DescribeLiveStreamsOnlineList",
    calls_per_second=10_000 / 60,
    items="OnlineInfo.LiveStreamOnlineInfo",
    page="PageNum",
    page_size="PageSize",
    largest_page=3000,
    largest_list=64 * 1024 * 1024,  # of 40,000 streams and more
    names=("AppName", "StreamName"),
)
NOTIFY_RECORDS = Operation(
    "DescribeLiveRecordNotifyRecords",
    calls_per_second=100,
    # The vendor's diagnosis skill shows the second form; the SDK's model is the first.
    items="not_null(CallbackList, RecordNotifyRecordList.RecordNotifyRecord)",
    page="PageNumber",
    page_size="PageSize",
    largest_page=500,
)
RECORD_CONTENTS = Operation(
    "DescribeLiveStreamRecordContent", calls_per_second=50, items="RecordContentInfoList.RecordContentInfo"
)
INDEX_FILES = Operation(
    "DescribeLiveStreamRecordIndexFiles",
    calls_per_second=15,
    items="RecordIndexInfoList.RecordIndexInfo",
    page="PageNum",
    page_size="PageSize",
    largest_page=30,
    names=("RecordId",),
)
RECORD_CONFIGS = Operation(
    "DescribeLiveRecordConfig",
    calls_per_second=100,
    items="LiveAppRecordList.LiveAppRecord",
    page="PageNum",
    page_size="PageSize",
    largest_page=30,
)
_REREAD_CONFIGS = "it may have taken effect; look at the configurations of the domain"
ADD_RECORD_CONFIG = Operation("AddLiveAppRecordConfig", calls_per_second=30, repeatable=False, harm=_REREAD_CONFIGS)
UPDATE_RECORD_CONFIG = Operation("UpdateLiveAppRecordConfig", calls_per_second=30)
DELETE_RECORD_CONFIG = Operation(
    "DeleteLiveAppRecordConfig", calls_per_second=50, repeatable=False, harm=_REREAD_CONFIGS
)
NOTIFY_CONFIG = Operation("DescribeLiveRecordNotifyConfig", calls_per_second=50, field="LiveRecordNotifyConfig")
ADD_NOTIFY_CONFIG = Operation("AddLiveRecordNotifyConfig", calls_per_second=30, repeatable=False, harm=_REREAD_CONFIGS)
UPDATE_NOTIFY_CONFIG = Operation("UpdateLiveRecordNotifyConfig", calls_per_second=30)
DELETE_NOTIFY_CONFIG = Operation(
    "DeleteLiveRecordNotifyConfig", calls_per_second=30, repeatable=False, harm=_REREAD_CONFIGS
)

_STS_VERSION = "2015-04-01"
# The quota of the Security Token Service is not documented; a run needs far less than this.
ASSUME_ROLE = Operation("AssumeRole", calls_per_second=20, version=_STS_VERSION)
ASSUME_ROLE_WITH_OIDC = Operation("AssumeRoleWithOIDC", calls_per_second=20, version=_STS_VERSION)
