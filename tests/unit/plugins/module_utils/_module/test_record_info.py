# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of apsaravideo_record_info: windows of time, scopes and queries."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import (
    Scope,
    Stream,
    TimeWindow,
    format_time,
    parse_time,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.module_utils._util.query import Query

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
SECONDS = st.integers(1, 40 * 86400)


@given(SECONDS, SECONDS)
def test_parts_cover_a_window_without_gaps(length, longest):
    window = TimeWindow(NOON, NOON + timedelta(seconds=length))
    parts = list(window.split(timedelta(seconds=max(longest, length // 50))))
    assert parts[0].start == window.start and parts[-1].end == window.end
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]], "nothing falls between them"
    assert all(timedelta(0) < part.end - part.start <= timedelta(seconds=max(longest, length // 50)) for part in parts)
    assert len(parts) == -(-length // max(longest, length // 50)), "as few as can be"


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)))
def test_time_is_parsed_as_it_is_formatted(when):
    whole = when.replace(microsecond=0, tzinfo=timezone.utc)
    assert parse_time(format_time(whole)) == whole


@pytest.mark.parametrize("text", [None, "", "2026-01-02", "2026-01-02T03:04:05", "2026-02-30T03:04:05Z", 7, {}])
def test_invalid_time_is_none(text):
    assert parse_time(text) is None
    assert not TimeWindow(NOON, NOON + timedelta(days=1)).contains(parse_time(text))


@given(st.sampled_from([None, "a", "b"]), st.sampled_from([None, "s", "t"]))
def test_scope_has_the_parameters_of_its_names(app, stream):
    scope = Scope.from_names("live.example.com", app, stream)
    assert scope.stream == (Stream("live.example.com", app, stream) if app and stream else None)
    assert list(scope.parameters().values()) == [name for name in scope if name]


STREAMS = [{"stream_name": "a", "online": True}, {"stream_name": "b", "online": False}]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[?online].stream_name", ["a"]),
        ("length(@)", 2),
        ("[].stream_name | join('/', @)", "a/b"),
        ("merge({a: `1`}, {b: `2`}, {c: `3`})", {"a": 1, "b": 2, "c": 3}),
        ("[*].{name: stream_name}[0]", {"name": "a"}),
        ("sort_by(@, &stream_name)[-1].stream_name", "b"),
        ("[?not_null(nothing, online)].stream_name", ["a"]),
    ],
)
def test_result_of_a_query(expression, expected):
    assert Query("query", expression).search(STREAMS) == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "cannot be empty"),
        ("[?", "ncomplete expression"),
        ("a b", "column 2"),
        ("#", "Unknown token"),
        ("foo(@)", "uses foo(), which is not a function"),
        ("[?online && (bar(@) || baz(@))]", "uses bar()"),
        ("sort_by(@, &qux(@))", "uses qux()"),
        ("{a: length()}", "gives length() 0 arguments, and it takes 1"),
        ("length(@, @)", "gives length() 2 arguments, and it takes 1"),
        ("join('/')", "gives join() 1 arguments, and it takes 2"),
        ("merge()", "it takes 1 or more"),
    ],
)
def test_invalid_query_is_refused_before_it_is_applied(expression, words):
    with pytest.raises(InvalidOption) as caught:
        Query("query", expression)
    assert "option query" in str(caught.value) and words in str(caught.value)
    assert "\n" not in str(caught.value) and "jmespath.org" in str(caught.value)


def test_query_that_does_not_fit_its_value_is_refused():
    with pytest.raises(InvalidOption, match="query cannot be used: In function"):
        Query("query", "join('/', @)").search(STREAMS)


@given(st.text(alphabet="[]?.{}:&@'`\"|()*ab1,<=!# \n", max_size=30))
def test_any_expression_has_a_result_or_is_refused(expression):
    try:
        Query("query", expression).search(STREAMS)
    except InvalidOption as error:
        assert "\n" not in error.happened


@pytest.mark.parametrize("text", ["{0} {0}", "a[?b == {0} {0}]", "'{0}", "[?`{0}]", "a.{0}#"])
def test_word_that_may_be_a_secret_is_not_quoted(text):
    with pytest.raises(InvalidOption, match="The option query cannot be used: ") as raised:
        Query("query", text.format("PlantedSecret9"))
    assert "PlantedSecret9" not in str(raised.value)
