# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option `query`: which streams it selects, and which results are refused."""

from __future__ import annotations

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.query import compile_query

DOMAIN = "live.example.com"
NEWS1, NEWS2, SPORTS1 = (Stream(DOMAIN, *names.split("/")) for names in ("news/one", "news/two", "sports/one"))


def row(stream, **fields):
    return {**stream._asdict(), **fields}


STREAMS = {
    stream: row(stream, online=True, publish_time=None, width=width)
    for stream, width in ((NEWS1, 1280), (NEWS2, 640), (SPORTS1, 1280))
}


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (None, [NEWS1, NEWS2, SPORTS1]),
        ("", [NEWS1, NEWS2, SPORTS1]),
        ("[?width > `1000`]", [NEWS1, SPORTS1]),
        ("reverse(@)[:1]", [SPORTS1]),
        ("[?starts_with(stream_name, 'o')] | [0:1]", [NEWS1]),
        ("[?width > `9000`]", []),
        ("[@[0], @[0]]", [NEWS1]),
    ],
)
def test_a_query_selects_streams(query, kept):
    assert list(compile_query(query)(STREAMS)) == kept


def test_a_query_may_change_fields():
    made = compile_query(
        "[].{domain_name: domain_name, app_name: app_name, stream_name: stream_name, wide: width > `1000`}"
    )(STREAMS)
    assert made[NEWS2] == row(NEWS2, online=True, publish_time=None, wide=False)


@pytest.mark.parametrize("query", ["[?x=", "[?nope(width)]"])
def test_an_invalid_query_is_refused_before_its_use(query):
    with pytest.raises(InvalidOption, match="The option query"):
        compile_query(query)


@pytest.mark.parametrize(
    "query",
    [
        "[].stream_name",
        "[0]",
        "length(@)",
        "streams",
        "[].{stream_name: stream_name}",
        "[].{domain_name: domain_name, app_name: app_name, stream_name: 'other'}",
        '[].{domain_name: domain_name, app_name: app_name, stream_name: stream_name, "a b": width}',
        "sort_by(@, &publish_time)",
    ],
    ids=str,
)
def test_a_result_that_is_not_a_list_of_streams_is_refused(query):
    with pytest.raises(InvalidOption, match="The option query "):
        compile_query(query)(STREAMS)
