# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API operations in use, as a table. Quotas are those of the operations' documentation pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

VERSION = "2016-11-01"
_SUBJECT_PARAMETERS = ("DomainName", "AppName", "StreamName", "RoleArn")
_MAX_SHOWN_NAME = 100  # characters of a name in a message


class Operation(NamedTuple):
    """One API operation.

    `calls_per_second`: the documented quota of an account.
    `items`: for a list, the JMESPath expression of its objects, each of which has a text under each of `names`.
    `page`, `page_size`: the parameters of its paging, None for an operation without pages.
    `max_page_size`: the most objects that one page may hold.
    `max_list_size`: bytes of memory for all pages together, where the usual limit is too wide.
    `field`: for anything but a list, what its response holds: one of `values` in any case of letters, or an object or
    null where there are no values.
    `repeatable`, `unrepeatable_commands`: whether the call, or one with these values of the parameter `Command`, may be
    sent again although its response was lost; `repeat_warning` says why not, and what to look at.
    `version`: that of the API which has the operation.
    """

    action: str
    calls_per_second: float
    items: str | None = None
    page: str | None = None
    page_size: str | None = None
    max_page_size: int = 0
    max_list_size: int | None = None
    names: tuple[str, ...] = ()
    field: str | None = None
    values: frozenset[str] = frozenset()
    repeatable: bool = True
    unrepeatable_commands: frozenset[str] = frozenset()
    repeat_warning: str = ""
    version: str = VERSION

    def describe(self, parameters: Mapping[str, str]) -> str:
        """Return what a call is about, such as `start of live.example.com/app/stream`."""
        names = [parameters[name] for name in _SUBJECT_PARAMETERS if name in parameters]
        cut = (f"{name[:_MAX_SHOWN_NAME]}..." if len(name) > _MAX_SHOWN_NAME else name for name in names)
        return parameters.get("Command", self.action) + (f" of {'/'.join(cut)}" if names else "")

    @property
    def max_response_size(self) -> int:
        """Return the bytes that a response may have; a page of 3,000 online streams, the longest, takes about 2 MB."""
        return 8 * 1024 * 1024 if self.items else 1024 * 1024

    def may_repeat(self, parameters: Mapping[str, str]) -> bool:
        """Return whether the call may be sent again although an earlier attempt may have taken effect."""
        return self.repeatable and parameters.get("Command") not in self.unrepeatable_commands


RECORD_COMMAND = Operation(
    "RealTimeRecordCommand",
    calls_per_second=50,
    unrepeatable_commands=frozenset({"restart"}),
    repeat_warning="a second one would split the recording again; look at the notify log or the recorded files",
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
    max_page_size=3000,
    max_list_size=64 * 1024 * 1024,  # of 40,000 streams and more
    names=("AppName", "StreamName"),
)
PUBLISH_LIST = Operation(
    "DescribeLiveStreamsPublishList",
    calls_per_second=3,
    items="PublishInfo.LiveStreamPublishInfo",
    page="PageNumber",
    page_size="PageSize",
    max_page_size=3000,
    names=("AppName", "StreamName"),
)
INGEST_RECORDS = Operation(
    "DescribeLiveStreamsNotifyRecords",
    calls_per_second=100,
    items="NotifyRecordsInfo.LiveStreamNotifyRecordsInfo",
    page="PageNumber",
    page_size="PageSize",
    max_page_size=500,
)
NOTIFY_RECORDS = Operation(
    "DescribeLiveRecordNotifyRecords",
    calls_per_second=100,
    # The vendor's diagnosis skill shows the second form; the SDK's model is the first.
    items="not_null(CallbackList, RecordNotifyRecordList.RecordNotifyRecord)",
    page="PageNumber",
    page_size="PageSize",
    max_page_size=500,
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
    max_page_size=30,
    names=("RecordId",),
)
RECORD_USAGE = Operation("DescribeLiveDomainRecordUsageData", calls_per_second=10, items="RecordUsageData.DataModule")
RECORD_CONFIGS = Operation(
    "DescribeLiveRecordConfig",
    calls_per_second=100,
    items="LiveAppRecordList.LiveAppRecord",
    page="PageNum",
    page_size="PageSize",
    max_page_size=30,
)
_REREAD_CONFIGS = "it may have taken effect; look at the configurations of the domain"
ADD_RECORD_CONFIG = Operation(
    "AddLiveAppRecordConfig", calls_per_second=30, repeatable=False, repeat_warning=_REREAD_CONFIGS
)
UPDATE_RECORD_CONFIG = Operation("UpdateLiveAppRecordConfig", calls_per_second=30)
DELETE_RECORD_CONFIG = Operation(
    "DeleteLiveAppRecordConfig", calls_per_second=50, repeatable=False, repeat_warning=_REREAD_CONFIGS
)
NOTIFY_CONFIG = Operation("DescribeLiveRecordNotifyConfig", calls_per_second=50, field="LiveRecordNotifyConfig")
ADD_NOTIFY_CONFIG = Operation(
    "AddLiveRecordNotifyConfig", calls_per_second=30, repeatable=False, repeat_warning=_REREAD_CONFIGS
)
UPDATE_NOTIFY_CONFIG = Operation("UpdateLiveRecordNotifyConfig", calls_per_second=30)
DELETE_NOTIFY_CONFIG = Operation(
    "DeleteLiveRecordNotifyConfig", calls_per_second=30, repeatable=False, repeat_warning=_REREAD_CONFIGS
)
STREAM_NOTIFY_CONFIG = Operation(
    # The pages contradict each other on its quota; this is the lower one.
    "DescribeLiveStreamsNotifyUrlConfig",
    calls_per_second=1000 / 60,
    field="LiveStreamsNotifyConfig",
)
SET_STREAM_NOTIFY_CONFIG = Operation("SetLiveStreamsNotifyUrlConfig", calls_per_second=15)
DELETE_STREAM_NOTIFY_CONFIG = Operation(
    "DeleteLiveStreamsNotifyUrlConfig", calls_per_second=15, repeatable=False, repeat_warning=_REREAD_CONFIGS
)

_STS_VERSION = "2015-04-01"
# The quota of the Security Token Service is not documented; a run needs far less than this.
ASSUME_ROLE = Operation("AssumeRole", calls_per_second=20, version=_STS_VERSION)
ASSUME_ROLE_WITH_OIDC = Operation("AssumeRoleWithOIDC", calls_per_second=20, version=_STS_VERSION)
# It needs no permission.
GET_CALLER_IDENTITY = Operation("GetCallerIdentity", calls_per_second=20, version=_STS_VERSION)
