# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of recording configurations, and the changes between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._api.rows import parse_record_config
from ansible_collections.apsaravideo.live.plugins.module_utils._domain import record_config as record_config_module
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.reconcile import ADD, REPLACE, UPDATE
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from support import configurations

PREFIX = "{AppName}/{StreamName}/{StartTime}_{EndTime}"
SLICES = "{UnixTimestamp}_{Sequence}"
NOTHING = dict.fromkeys(configurations.OPTIONS)
STREAM = {"domain_name": "live.example.com", "app_name": "news", "stream_name": "studio1", "mode": "manual"}
PLACE = {"oss_bucket": "b", "oss_endpoint": "oss-cn-shanghai.aliyuncs.com"}


def make_format(name, **fields):
    return {**dict.fromkeys(configurations.FORMAT_OPTIONS), "format": name, **fields}


def make_desired(**options):
    return parse_options({**NOTHING, **STREAM, **options})


def parse_options(options):
    return record_config_module.parse_options(options, configurations.MONDAY.timestamp())


def make_created(**options):
    """Return a new configuration as the service would return it."""
    return fill_defaults(record_config_module.plan_change(None, make_desired(**PLACE, **options)).config)


def fill_defaults(config):
    """Return a configuration with the defaults of the service."""
    formats = {
        name: [
            {
                **row,
                "cycle_duration": row["cycle_duration"] or 3600,
                "slice_duration": row["slice_duration"] or (30 if row["format"] in configurations.SLICED else None),
            }
            for row in config[name]
        ]
        for name in ("formats", "transcode_formats")
    }
    return {**config, **formats, "delay_time": config["delay_time"] or 180, "create_time": "2026-01-01T09:33:38Z"}


MP4 = make_format("mp4")
M3U8 = make_format("m3u8", oss_object_prefix=PREFIX, slice_oss_object_prefix=SLICES)

REFUSED = [
    ({"domain_name": "*.example.com"}, "domain_name", "without scheme"),
    ({"app_name": ""}, "app_name", "\\* for all"),
    ({"stream_name": "a\nb"}, "stream_name", "\\* for all"),
    ({"oss_bucket": " "}, "oss_bucket", "leave the option out"),
    ({"oss_endpoint": "https://oss-cn-shanghai.aliyuncs.com"}, "oss_endpoint", "without scheme"),
    ({"oss_endpoint": ""}, "oss_endpoint", "host name"),
    ({"delay_time": 14}, "delay_time is 14", "15 to 21600"),
    ({"delay_time": 21601}, "delay_time is 21601", "15 to 21600"),
    ({"formats": [MP4, make_format("avi")]}, "formats\\[1\\].format is avi", "m3u8, flv, mp4, cmaf"),
    ({"formats": [MP4, M3U8, make_format("MP4")]}, "formats\\[2\\] names mp4 again", "once"),
    ({"formats": [make_format("mp4", cycle_duration=0)]}, "formats\\[0\\].cycle_duration is 0", "above 0"),
    ({"formats": [MP4, {**M3U8, "slice_duration": 4}]}, "formats\\[1\\].slice_duration is 4", "5 to 30"),
    ({"transcode_formats": [{**M3U8, "slice_duration": 31}]}, "transcode_formats\\[0\\].slice_duration", "5 to 30"),
    (
        {"formats": [make_format("mp4", slice_duration=10)]},
        "formats\\[0\\].slice_duration is set for .* mp4",
        "m3u8 and cmaf",
    ),
    (
        {"formats": [make_format("flv", slice_oss_object_prefix=SLICES)]},
        "slice_oss_object_prefix is set",
        "Leave it out",
    ),
    (
        {"formats": [{**M3U8, "slice_oss_object_prefix": None}]},
        "formats\\[0\\] .* slice_oss_object_prefix is miss",
        "both",
    ),
    ({"formats": [{**M3U8, "oss_object_prefix": None}]}, "formats\\[0\\] .* oss_object_prefix is missing", "both"),
    (
        {"formats": [make_format("mp4", oss_object_prefix="")]},
        "formats\\[0\\].oss_object_prefix lacks {StartTime}",
        "Add it",
    ),
    (
        {"formats": [make_format("mp4", oss_object_prefix="{StartTime}")]},
        "lacks {EndTime} or {EscapedEndTime}",
        "Add it",
    ),
    (
        {"formats": [make_format("mp4", oss_object_prefix=PREFIX + "{Appname}")]},
        "{Appname}, which is not a variable",
        "{AppName}",
    ),
    (
        {"formats": [{**M3U8, "slice_oss_object_prefix": "{Sequence}"}]},
        "slice_oss_object_prefix lacks {UnixTi",
        "Add it",
    ),
    ({"formats": [{**M3U8, "slice_oss_object_prefix": "{UnixTimestamp}"}]}, "lacks {Sequence}", "Add it"),
    ({"formats": [make_format("mp4", oss_object_prefix=PREFIX + "直" * 80)]}, "has 284 bytes", "at most 255"),
    ({"transcode_templates": ["sd", ""]}, "transcode_templates\\[1\\]", "leave the option out"),
    ({"transcode_templates": ["sd", "hd", "sd"]}, "transcode_templates\\[2\\] names sd again", "once"),
    ({"start_time": "2026-01-02T18:00:00"}, "start_time is 2026-01-02T18:00:00", "with its zone"),
    ({"end_time": "tomorrow"}, "end_time is tomorrow", "with its zone"),
    ({"start_time": "2026-02-30T18:00:00Z"}, "start_time", "with its zone"),
    ({"start_time": ""}, "start_time", "with its zone"),
    ({"stream_name": "*", "start_time": "2026-01-02T18:00:00Z"}, "start_time is set for all streams", "single stream"),
    (
        {"start_time": "2026-01-02T18:00:00Z", "end_time": "2026-01-03T01:59:59+08:00"},
        "end_time is not after start_time",
        "Give a later end_time",
    ),
    ({"start_time": "2026-01-02T18:00:00Z", "end_time": "2026-01-09T18:00:01Z"}, "more than 7 days", "at most 7"),
]


@pytest.mark.parametrize(("options", "words", "advice"), REFUSED)
def test_options_that_the_service_would_refuse_are_refused_before_any_call(options, words, advice):
    with pytest.raises(InvalidOption, match=f"(?s){words}.*{advice}"):
        make_desired(**options)


def test_options_at_their_limits_are_accepted():
    make_desired(
        delay_time=15,
        formats=[
            make_format("mp4", oss_object_prefix=PREFIX + "x" * (255 - len(PREFIX))),
            {**M3U8, "slice_duration": 30},
        ],
        transcode_formats=[make_format("CMAF", slice_duration=5)],
        start_time="2026-01-02T18:00:00Z",
        end_time="2026-01-09T18:00:00Z",
    )


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2026-01-02T18:00:00Z", "2026-01-02T18:00:00Z"),
        ("2026-01-02 18:00:00+08:00", "2026-01-02T10:00:00Z"),
        ("2026-01-02T18:00+0530", "2026-01-02T12:30:00Z"),
        ("2026-01-02T18:00:00.987-03", "2026-01-02T21:00:00Z"),
        ("1767376800", "2026-01-02T18:00:00Z"),
    ],
)
def test_times_are_sent_in_utc(text, sent):
    assert make_desired(start_time=text)["start_time"] == sent


def test_new_format_has_prefixes_that_the_service_accepts():
    config = make_created(formats=[make_format("m3u8"), MP4], transcode_formats=[make_format("Cmaf")])
    assert [row["oss_object_prefix"] for row in config["formats"]] == [
        "record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}"
    ] * 2
    assert config["formats"][0]["slice_oss_object_prefix"] == "record/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}"
    assert config["formats"][1]["slice_oss_object_prefix"] is None
    (transcoded,) = config["transcode_formats"]
    assert transcoded["oss_object_prefix"].startswith("transcoded/")
    assert transcoded["slice_oss_object_prefix"].startswith("transcoded/")
    make_desired(formats=config["formats"], transcode_formats=config["transcode_formats"])


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({}, "oss_bucket, oss_endpoint, formats"),
        ({**PLACE, "formats": []}, "formats"),
        ({"oss_bucket": "b", "transcode_formats": [MP4]}, "oss_endpoint"),
    ],
)
def test_creating_without_required_options_names_them(options, missing):
    with pytest.raises(InvalidOption, match=f"live.example.com/news/studio1, and creating it needs {missing}\\."):
        record_config_module.plan_change(None, make_desired(**options))


BASE = {"formats": [M3U8, MP4], "transcode_templates": ["sd", "hd"], "delay_time": 60}
CHANGES = [
    ({}, None),
    ({"formats": [make_format("MP4"), make_format("M3U8")]}, None),
    ({"formats": [make_format("mp4", cycle_duration=3600), make_format("m3u8", slice_duration=30)]}, None),
    ({"transcode_templates": ["hd", "sd"]}, None),
    ({"oss_endpoint": "OSS-CN-shanghai.aliyuncs.com"}, None),
    ({"transcode_formats": []}, None),
    ({"domain_name": "LIVE.example.com"}, None),
    ({"mode": "automatic"}, UPDATE),
    ({"delay_time": 61}, UPDATE),
    ({"oss_endpoint": "oss-cn-beijing.aliyuncs.com"}, UPDATE),
    ({"formats": [make_format("m3u8", slice_duration=10), MP4]}, UPDATE),
    ({"formats": [M3U8, make_format("mp4", cycle_duration=60)]}, UPDATE),
    ({"transcode_templates": ["sd", "hd", "ud"]}, UPDATE),
    ({"start_time": "2026-01-02T18:00:00Z"}, UPDATE),
    ({"oss_bucket": "other"}, REPLACE),
    ({"formats": [MP4]}, REPLACE),
    ({"formats": [M3U8, MP4, make_format("flv")]}, REPLACE),
    ({"formats": [M3U8, make_format("mp4", oss_object_prefix=PREFIX + "_")]}, REPLACE),
    ({"formats": [{**M3U8, "slice_oss_object_prefix": SLICES + "_"}, MP4]}, REPLACE),
    ({"transcode_formats": [MP4]}, REPLACE),
    ({"formats": [], "transcode_formats": [MP4]}, REPLACE),
    ({"transcode_templates": ["sd"]}, REPLACE),
    ({"transcode_templates": []}, REPLACE),
    ({"transcode_templates": ["sd", "ud"]}, REPLACE),
]


@pytest.mark.parametrize(("options", "kind"), CHANGES)
def test_only_set_options_are_compared_and_an_update_is_preferred(options, kind):
    found = make_created(**BASE)
    change = record_config_module.plan_change(found, make_desired(**options))
    assert (change and change.kind) == kind
    different = record_config_module.list_differences(found, make_desired(**options))
    assert different == [name for name in options if kind]
    if change:
        assert record_config_module.list_differences(change.config, make_desired(**options)) == []
        untouched = set(found) - {*options, "create_time"}
        assert all(change.config[name] == found[name] for name in untouched)


def test_removal_of_the_last_format_is_refused():
    with pytest.raises(InvalidOption, match="No format would be left"):
        record_config_module.plan_change(make_created(formats=[MP4]), make_desired(formats=[]))


@pytest.mark.parametrize("end", ["2026-01-01T00:00:00Z", "2026-01-10T00:00:00Z"])
def test_invalid_period_with_one_end_from_the_cloud_is_refused(end):
    found = make_created(formats=[MP4], start_time="2026-01-02T00:00:00Z")
    with pytest.raises(InvalidOption, match="end_time"):
        record_config_module.plan_change(found, make_desired(end_time=end))


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ({"oss_bucket": None}, "oss_bucket"),
        (
            {"formats": [make_format("m3u8")]},
            "oss_object_prefix of m3u8 in formats, slice_oss_object_prefix of m3u8 in formats",
        ),
    ],
)
def test_replacement_is_refused_if_the_old_configuration_could_not_be_restored(row, missing):
    found = {**make_created(formats=[M3U8]), **row}
    with pytest.raises(InvalidOption, match=f"does not show all that this takes: {missing}\\. .*state=absent"):
        record_config_module.plan_change(found, make_desired(transcode_formats=[MP4], **PLACE))


def test_configuration_has_the_fields_that_are_compared():
    assert set(parse_record_config({})) == set(make_desired())


@given(configurations.PAIRS)
def test_created_or_changed_configuration_needs_no_further_change(pair):
    first, second = ({**options, "domain_name": "live.example.com"} for options in pair)
    add = record_config_module.plan_change(None, parse_options(first))
    assert add.kind == ADD
    config = fill_defaults(add.config)
    assert record_config_module.plan_change(config, parse_options(first)) is None
    assert record_config_module.plan_change(config, parse_options(config)) is None, "what is read can be given again"
    change = record_config_module.plan_change(config, parse_options(second))
    if change:
        after = fill_defaults(change.config)
        assert record_config_module.list_differences(config, parse_options(second))
        assert record_config_module.plan_change(after, parse_options(second)) is None
        assert record_config_module.plan_change(after, parse_options(after)) is None
        if change.kind == UPDATE:
            assert select_unchangeable(after) == select_unchangeable(config)
            assert set(after["transcode_templates"]) >= set(config["transcode_templates"])


def select_unchangeable(config):
    """Return the parts of a configuration that no update changes."""
    kept = ("format", "oss_object_prefix", "slice_oss_object_prefix")
    formats = [[row[name] for name in kept] for name in ("formats", "transcode_formats") for row in config[name]]
    return config["oss_bucket"], formats


def make_names(app, stream):
    return {"app_name": app, "stream_name": stream}


@given(st.lists(st.builds(make_names, st.sampled_from("ab*"), st.sampled_from("st*"))), st.randoms())
def test_the_best_configuration_is_the_first_of_four_pairs_of_names_in_any_order(configs, random):
    pairs = [("a", "s"), ("a", "*"), ("*", "s"), ("*", "*")]
    expected = next((make_names(*pair) for pair in pairs if make_names(*pair) in configs), None)
    random.shuffle(configs)
    assert record_config_module.find_best_config(configs, Stream("d", "a", "s")) == expected
