# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of apsaravideo_record_config as hypothesis draws them, all of which the service takes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

FORMATS = ("m3u8", "flv", "mp4", "cmaf")
SLICED = ("m3u8", "cmaf")
FORMAT_OPTIONS = ("format", "cycle_duration", "slice_duration", "oss_object_prefix", "slice_oss_object_prefix")
OPTIONS = (
    *("domain_name", "app_name", "stream_name", "mode", "oss_bucket", "oss_endpoint", "delay_time", "formats"),
    *("transcode_formats", "transcode_templates", "start_time", "end_time"),
)
PREFIXES = ("{AppName}/{StartTime}_{EndTime}", "直播/{Sequence}_{EscapedStartTime}-{EscapedEndTime}")
SLICE_PREFIXES = ("s/{UnixTimestamp}_{Sequence}", "{AppName}/{StreamName}/{Sequence}{UnixTimestamp}")
MONDAY = datetime(2026, 1, 5, tzinfo=timezone.utc)


def in_either_case(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from((name, name.upper()))


@st.composite
def one_format(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A format, of which anything but the name may be left out."""
    item: dict[str, Any] = dict.fromkeys(FORMAT_OPTIONS)
    item["format"] = draw(in_either_case(name))
    item["cycle_duration"] = draw(st.none() | st.integers(1, 21_600))
    prefixed = draw(st.booleans())
    if prefixed:
        item["oss_object_prefix"] = draw(st.sampled_from(PREFIXES))
    if name in SLICED:
        item["slice_duration"] = draw(st.none() | st.integers(5, 30))
        if prefixed:
            item["slice_oss_object_prefix"] = draw(st.sampled_from(SLICE_PREFIXES))
    return item


@st.composite
def formats(draw: st.DrawFn, least: int = 0) -> list[dict[str, Any]]:
    """Some formats, each once."""
    names = draw(st.lists(st.sampled_from(FORMATS), unique=True, min_size=least, max_size=3))
    return [draw(one_format(name)) for name in names]


@st.composite
def period(draw: st.DrawFn) -> tuple[str, str]:
    """Start and end within 7 days, written in any zone."""
    start = MONDAY + timedelta(minutes=draw(st.integers(0, 100_000)))
    end = start + timedelta(minutes=draw(st.integers(1, 7 * 24 * 60)))
    zones = [timezone(timedelta(minutes=draw(st.sampled_from((-720, -210, 0, 480, 525))))) for _end in (0, 1)]
    return start.astimezone(zones[0]).isoformat(), end.astimezone(zones[1]).isoformat()


@st.composite
def options(draw: st.DrawFn, app_name: str, stream_name: str, complete: bool = True) -> dict[str, Any]:
    """All options, null for what is left out. `complete`: enough to create a configuration."""
    drawn: dict[str, Any] = dict.fromkeys(OPTIONS)
    drawn.update(domain_name="live.example.com", app_name=app_name, stream_name=stream_name)
    drawn["mode"] = draw(st.sampled_from(("automatic", "callback", "ingest_parameter", "manual")))
    bucket = st.sampled_from(("bucket-a", "bucket-b"))
    endpoint = st.sampled_from(("oss-cn-shanghai.aliyuncs.com", "OSS-cn-shanghai.aliyuncs.com", "oss-me.aliyuncs.com"))
    drawn["oss_bucket"] = draw(bucket if complete else st.none() | bucket)
    drawn["oss_endpoint"] = draw(endpoint if complete else st.none() | endpoint)
    drawn["delay_time"] = draw(st.none() | st.integers(15, 21_600))
    drawn["formats"] = draw(formats(1) if complete else st.none() | formats(1))
    drawn["transcode_formats"] = draw(st.none() | formats())
    drawn["transcode_templates"] = draw(st.none() | st.lists(st.sampled_from(("sd", "hd", "ud")), unique=True))
    if stream_name != "*" and draw(st.booleans()):
        drawn["start_time"], drawn["end_time"] = draw(period())
    return drawn


NAMES = st.tuples(st.sampled_from(("*", "news", "直播 a/b")), st.sampled_from(("*", "studio 1")))
PAIRS = NAMES.flatmap(lambda names: st.tuples(options(*names), options(*names, complete=False)))
