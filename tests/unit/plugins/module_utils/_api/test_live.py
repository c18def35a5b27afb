# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the API's objects to those of the modules, and back to parameters, against a server that answers by script."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.live import Live
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream, check_domain
from ansible_collections.apsaravideo.live.plugins.module_utils._api.rows import parse_ingest_type, parse_record_config
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from support.client import make_client
from support.scripted import ScriptedServer, answer

OK = answer(200, json.dumps({"RequestId": "OK-1"}))
PREFIX = "{StartTime}_{EndTime}"
SLICES = "{UnixTimestamp}_{Sequence}"
# As the documentation's example of DescribeLiveRecordConfig shows it, and everything else that the SDK's model has.
ROW = {
    "DomainName": "live.example.com",
    "AppName": "news",
    "StreamName": "studio1",
    "OnDemond": 7,
    "DelayTime": 180,
    "OssBucket": "bkt",
    "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
    "CreateTime": "2026-01-01T09:33:38Z",
    "StartTime": "2026-01-02T00:00:00Z",
    "EndTime": "2026-01-03T00:00:00Z",
    "RecordFormatList": {
        "RecordFormat": [
            {
                "Format": "m3u8",
                "CycleDuration": 3600,
                "SliceDuration": 30,
                "OssObjectPrefix": PREFIX,
                "SliceOssObjectPrefix": SLICES,
            }
        ]
    },
    "TranscodeRecordFormatList": {
        "RecordFormat": [{"Format": "mp4", "CycleDuration": 1800, "OssObjectPrefix": PREFIX}]
    },
    "TranscodeTemplates": {"Templates": ["sd", "hd"]},
}
CONFIG = {
    "domain_name": "live.example.com",
    "app_name": "news",
    "stream_name": "studio1",
    "mode": "manual",
    "delay_time": 180,
    "oss_bucket": "bkt",
    "oss_endpoint": "oss-cn-shanghai.aliyuncs.com",
    "start_time": "2026-01-02T00:00:00Z",
    "end_time": "2026-01-03T00:00:00Z",
    "formats": [
        {
            "format": "m3u8",
            "cycle_duration": 3600,
            "slice_duration": 30,
            "oss_object_prefix": PREFIX,
            "slice_oss_object_prefix": SLICES,
        }
    ],
    "transcode_formats": [
        {
            "format": "mp4",
            "cycle_duration": 1800,
            "slice_duration": None,
            "oss_object_prefix": PREFIX,
            "slice_oss_object_prefix": None,
        }
    ],
    "transcode_templates": ["sd", "hd"],
    "create_time": "2026-01-01T09:33:38Z",
}


def make_live(server):
    return Live(make_client(server.url, retry_timeout=0))


def parse_request(server):
    """Action and parameters of the requests that arrived."""
    return [
        (request.headers["x-acs-action"], dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True)))
        for request in server.requests
    ]


def test_a_recording_configuration_is_parsed():
    assert parse_record_config(ROW) == CONFIG


@pytest.mark.parametrize(
    ("row", "config"),
    [
        ({"OnDemond": "0"}, {"mode": "automatic"}),
        ({"OnDemond": 1}, {"mode": "callback"}),
        ({"OnDemond": 2}, {"mode": "ingest_parameter"}),
        ({"OnDemond": 9}, {"mode": "9"}),
        ({"OnDemond": None}, {"mode": None}),
        ({"DelayTime": "15"}, {"delay_time": 15}),
        ({"DelayTime": 0}, {"delay_time": None}),
        ({"DelayTime": "soon"}, {"delay_time": None}),
        ({"StartTime": "", "EndTime": None}, {"start_time": None, "end_time": None}),
        ({"StreamName": ""}, {"stream_name": "*"}),
        ({"StreamName": None, "AppName": None}, {"stream_name": "*", "app_name": "*"}),
        ({"RecordFormatList": None}, {"formats": []}),
        ({"RecordFormatList": {"RecordFormat": [None, "x"]}}, {"formats": []}),
        ({"RecordFormatList": ROW["RecordFormatList"]["RecordFormat"]}, {"formats": CONFIG["formats"]}),
        ({"TranscodeTemplates": {}}, {"transcode_templates": []}),
        ({"TranscodeTemplates": {"Templates": None}}, {"transcode_templates": []}),
    ],
)
def test_other_forms_of_a_configuration_are_parsed(row, config):
    assert parse_record_config({**ROW, **row}) == {**CONFIG, **config}


def test_a_mode_spelled_as_in_requests_is_parsed():
    row = {name: value for name, value in ROW.items() if name != "OnDemond"}
    assert parse_record_config({**row, "OnDemand": 2})["mode"] == "ingest_parameter"
    assert parse_record_config(row)["mode"] is None


def test_a_format_in_capitals_with_numbers_as_texts_is_parsed_without_its_slices():
    item = {"Format": "MP4", "CycleDuration": "60", "SliceDuration": 30, "SliceOssObjectPrefix": "x"}
    (found,) = parse_record_config({**ROW, "RecordFormatList": {"RecordFormat": [item]}})["formats"]
    assert found == {
        "format": "mp4",
        "cycle_duration": 60,
        "slice_duration": None,
        "oss_object_prefix": None,
        "slice_oss_object_prefix": None,
    }


@pytest.mark.parametrize("total", [2, "2"])
def test_all_configurations_of_a_domain_are_read_without_a_filter(total):
    def page(*rows):
        listed = {"LiveAppRecord": list(rows)}
        return answer(200, json.dumps({"RequestId": "P", "TotalPage": total, "LiveAppRecordList": listed}))

    with ScriptedServer(page(ROW, None), page({**ROW, "AppName": "*"})) as server:
        found = make_live(server).record_configs("live.example.com")
        assert found == [CONFIG, {**CONFIG, "app_name": "*"}]
        assert parse_request(server) == [
            ("DescribeLiveRecordConfig", {"DomainName": "live.example.com", "PageNum": number, "PageSize": "30"})
            for number in ("1", "2")
        ]


NAMES = {"DomainName": "live.example.com", "AppName": "news", "StreamName": "studio1"}
CHANGEABLE = {
    **NAMES,
    "OssEndpoint": "oss-cn-shanghai.aliyuncs.com",
    "OnDemand": "7",
    "DelayTime": "180",
    "StartTime": "2026-01-02T00:00:00Z",
    "EndTime": "2026-01-03T00:00:00Z",
    "RecordFormat.1.Format": "m3u8",
    "RecordFormat.1.CycleDuration": "3600",
    "RecordFormat.1.SliceDuration": "30",
    "TranscodeRecordFormat.1.Format": "mp4",
    "TranscodeRecordFormat.1.CycleDuration": "1800",
    "TranscodeTemplates.1": "sd",
    "TranscodeTemplates.2": "hd",
}
FIXED = {
    "OssBucket": "bkt",
    "RecordFormat.1.OssObjectPrefix": PREFIX,
    "RecordFormat.1.SliceOssObjectPrefix": SLICES,
    "TranscodeRecordFormat.1.OssObjectPrefix": PREFIX,
}


@pytest.mark.parametrize(
    ("call", "action", "parameters"),
    [
        (Live.add_record_config, "AddLiveAppRecordConfig", {**CHANGEABLE, **FIXED}),
        (Live.update_record_config, "UpdateLiveAppRecordConfig", CHANGEABLE),
        (Live.delete_record_config, "DeleteLiveAppRecordConfig", NAMES),
    ],
)
def test_a_configuration_is_sent_in_the_form_of_the_operation(call, action, parameters):
    with ScriptedServer(OK) as server:
        call(make_live(server), CONFIG)
        assert parse_request(server) == [(action, parameters)]


@pytest.mark.parametrize("name", ["", " ", "*", "rtmp://x/y", "live.example.com:80", "a b", "a\nb", "me@x"])
def test_invalid_domains_are_refused(name):
    with pytest.raises(InvalidOption, match="domain_name"):
        check_domain(name)


NAMES = {"domain_name": "live.example.com", "app_name": "app", "stream_name": "s1"}


@pytest.mark.parametrize(("value", "name"), [("s1", "s1"), (12345, "12345"), (0, "0"), (-1, "-1"), ("00123", "00123")])
def test_names_from_variables_become_text(value, name):
    assert Stream.from_values({**NAMES, "stream_name": value, "other": 1}) == Stream("live.example.com", "app", name)


def test_only_control_characters_and_line_ends_are_refused_in_names():
    refused = {chr(code) for code in (*range(0x20), *range(0x80, 0xA0), 0x2028, 0x2029)}
    for mark in map(chr, (*range(0x3100), *range(0xFE00, 0x10000), 0x1F3FB, 0xE0001)):
        try:
            Stream.from_names("live.example.com", f"a{mark}", f"{mark}b")
        except InvalidOption as error:
            assert mark in refused and "a line end or another control character" in str(error)
        else:
            assert mark not in refused
    assert Stream.from_names("live.example.com", "\u3000", "\u200b")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "stream_name is true, which is a boolean in YAML"),
        (False, "stream_name is false, which is a boolean in YAML"),
        (1.1, "stream_name is 1.1, which is a floating-point number in YAML"),
        (["s1"], "stream_name is neither text nor a number in YAML"),
        ({"a": 1}, "stream_name is neither text nor a number in YAML"),
        (None, "stream_name is empty"),
        ("", "stream_name is empty"),
    ],
)
def test_names_that_yaml_may_have_changed_are_refused(value, words):
    with pytest.raises(InvalidOption) as raised:
        Stream.from_values({**NAMES, "stream_name": value})
    assert words in raised.value.happened
    assert "in YAML" not in words or "Quote the name" in raised.value.advice


@pytest.mark.parametrize(
    ("said", "told"),
    [("push", "push"), ("pull", "pull"), ("PULL", "pull"), ("edge", None), ("", None), (None, None), (["pull"], None)],
)
def test_an_unknown_ingest_type_is_none(said, told):
    assert parse_ingest_type(said) == told
