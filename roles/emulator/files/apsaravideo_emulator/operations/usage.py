# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usage of recording: concurrent recordings and converted seconds of domains, for each interval of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..parameters import Moment, Text
from ..record_model import RecordedFile, Task
from ..resources import Domain
from .call import DAY, Call, operation

DEFAULT_INTERVAL, LONG_INTERVAL = 300, DAY
MONTH = 31 * DAY
# Maximum span of a query and retention of the data in seconds, by interval.
LIMITS = {60: (DAY, 60 * DAY), 300: (MONTH, 90 * DAY), 3600: (MONTH, 180 * DAY), DAY: (90 * DAY, 366 * DAY)}
FIXED_LIMITS = (MONTH, 90 * DAY)
REGIONS = (
    "cn-beijing",
    "cn-shanghai",
    "cn-shenzhen",
    "cn-qingdao",
    "ap-southeast-1",
    "eu-central-1",
    "ap-northeast-1",
    "ap-southeast-5",
)
GROUPINGS = frozenset(("domain", "record_fmt"))
SOURCE_FORMAT = "m3u8"  # the other formats are converted from its segments


@dataclass
class Group:
    """The recordings that are counted together, as their spans of time, and the converted files among them."""

    fields: dict[str, str]
    spans: list[tuple[float, float]] = field(default_factory=list)
    files: list[RecordedFile] = field(default_factory=list)


@dataclass(frozen=True)
class Bucket:
    """An interval of time with the usage in it."""

    begin: float
    count: int
    duration: float


def _describe_record_usage(call: Call) -> dict[str, Any]:
    call = _with_times(call)
    interval = _interval(call)
    limits = LIMITS[interval] if call.behaviour.usage_limits == "by-interval" else FIXED_LIMITS
    start, end = call.window(retention=limits[1], span=limits[0])
    groups = _collect_groups(call, _domains(call)).values()
    show = call.cloud.clock.show
    rows = [
        (bucket.begin, {"TimeStamp": show(bucket.begin), **group.fields, **_describe_usage(bucket)})
        for group in groups
        for bucket in _buckets(call, group, start, end, interval)
    ]
    rows.sort(key=lambda row: row[0])
    return {
        "StartTime": show(start),
        "EndTime": show(end),
        "RecordUsageData": {"DataModule": [row for _begin, row in rows]},
    }


def _describe_usage(bucket: Bucket) -> dict[str, int]:
    return {"Duration": round(bucket.duration), "Count": bucket.count}


def _with_times(call: Call) -> Call:
    """Return the call with both times: by default the last 24 hours."""
    end = call["EndTime"] or call.cloud.clock.epoch(call.now) // 1
    start = call["StartTime"] or end - DAY
    return replace(call, values={**call.values, "StartTime": start, "EndTime": end})


def _interval(call: Call) -> int:
    """Return the interval: one that is not supported means the default, which depends on the span of the query."""
    text = call["Interval"] or ""
    if text.isascii() and text.isdigit() and int(text) in LIMITS:
        return int(text)
    return DEFAULT_INTERVAL if call["EndTime"] - call["StartTime"] <= MONTH else LONG_INTERVAL


def _domains(call: Call) -> list[Domain]:
    """Return the domains to count, all of the account unless the call names some."""
    if call["DomainName"]:
        domains = [call.cloud.streaming_domain(name, call.account) for name in call["DomainName"].split(",")]
    else:
        domains = [domain for domain in call.cloud.domains.values() if domain.account == call.account]
    found = [domain for domain in domains if domain is not None]
    if len(found) < len(domains):
        raise call.errors.domain_not_found()
    return [domain for domain in found if call["Region"] in (None, domain.region)]


def _groupings(call: Call) -> frozenset[str]:
    text = "" if call["SplitBy"] == "null" else call["SplitBy"]
    groupings = frozenset(text.split(",")) - {""}
    if groupings - GROUPINGS:
        raise call.errors.malformed_parameter("SplitBy", "It must consist of domain and record_fmt.")
    # Without a domain in the request, the data of all domains is merged.
    return groupings if call["DomainName"] else groupings - {"domain"}


def _collect_groups(call: Call, domains: list[Domain]) -> dict[tuple[str, ...], Group]:
    groupings = _groupings(call)
    groups: dict[tuple[str, ...], Group] = {}
    for domain, task, kind in _recordings(call, domains, "record_fmt" in groupings):
        fields = {"Domain": domain.name} if "domain" in groupings else {}
        fields["Region"] = domain.region
        if "record_fmt" in groupings:
            fields["Type"] = kind.upper() if call.behaviour.usage_type_case == "upper" else kind
        group = groups.setdefault(tuple(fields.values()), Group(fields))
        group.spans += _spans(call, task)
    for domain, file in _converted_files(call, domains):
        kind = file.format.kind.upper() if call.behaviour.usage_type_case == "upper" else file.format.kind
        for group in groups.values():
            if group.fields.get("Domain", domain.name) == domain.name and group.fields.get("Type", kind) == kind:
                group.files.append(file)
    return groups


def _recordings(call: Call, domains: list[Domain], by_format: bool) -> Iterator[tuple[Domain, Task, str]]:
    """Yield each recording with each of its formats, or once if formats do not count by themselves."""
    every = by_format or call.behaviour.usage_formats == "each"
    for domain in domains:
        for stream in call.cloud.streams_of(domain.name):
            for task in stream.recorder.tasks:
                kinds = [item.kind for item in task.config.formats]
                for kind in kinds if every else kinds[:1]:
                    yield domain, task, kind


def _spans(call: Call, task: Task) -> list[tuple[float, float]]:
    if call.behaviour.usage_paused == "counted":
        return [(task.started, call.now if task.ended is None else task.ended)]
    running = [] if task.stretch is None else [(task.stretch, call.now)]
    return task.stretches + running


def _converted_files(call: Call, domains: list[Domain]) -> Iterator[tuple[Domain, RecordedFile]]:
    for domain in domains:
        for stream in call.cloud.streams_of(domain.name):
            for file in stream.recorder.files:
                if file.format.kind != SOURCE_FORMAT:
                    yield domain, file


def _buckets(call: Call, group: Group, start: float, end: float, interval: int) -> Iterator[Bucket]:
    """Yield the intervals of a group that are listed: those with usage, up to the delay of the data."""
    behaviour, clock = call.behaviour, call.cloud.clock
    newest = call.now - behaviour.usage_delay
    begin = clock.instant(clock.epoch(start) // interval * interval)
    changes = sorted([(since, 1) for since, _until in group.spans] + [(until, -1) for _since, until in group.spans])
    changes.reverse()  # the earliest is popped first
    level = 0
    while begin < min(end, newest):
        stop = begin + interval
        if stop > newest and behaviour.usage_running == "unlisted":
            return
        level, sample, peak = _count(changes, level, begin, min(stop, newest))
        count = peak if behaviour.usage_count == "peak" else sample
        duration = sum(file.duration for file in group.files if begin <= file.created < min(stop, newest))
        if count or duration or behaviour.usage_empty == "listed":
            yield Bucket(begin, count, duration)
        begin = stop


def _count(changes: list[tuple[float, int]], level: int, begin: float, stop: float) -> tuple[int, int, int]:
    """Return the number of recordings at the end, at the beginning and at most; remove the changes that are counted."""
    while changes and changes[-1][0] <= begin:
        level += changes.pop()[1]
    sample = peak = level
    while changes and changes[-1][0] < stop:
        level += changes.pop()[1]
        peak = max(peak, level)
    return level, sample, peak


OPERATIONS = (
    operation(
        "DescribeLiveDomainRecordUsageData",
        _describe_record_usage,
        10,
        Text("DomainName"),
        Moment("StartTime"),
        Moment("EndTime"),
        Text("Interval"),
        Text("Region", choices=REGIONS),
        Text("SplitBy", default="domain,record_fmt", may_be_empty=True),
    ),
)
