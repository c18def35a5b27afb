# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dependencies and syntax errors of templates, found without evaluating them."""

from __future__ import annotations

import pytest

from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.templates import (
    find_dependencies,
    find_syntax_error,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("app_name", {"app_name"}),
        ("width * height", {"width", "height"}),
        ("app_name in ['a', 'b'] and not online", {"app_name", "online"}),
        ("app_name | upper | default(stream_name)", {"app_name", "stream_name"}),
        ("title is defined", {"title"}),
        ("[1, 2] | map('string') | list", set()),
        ("[x for_ in y", None),
        ("lookup('env', app_name)", {"lookup", "app_name"}),
        ("now()", {"now"}),
        ("range(5)", {"range"}),
        ("lipsum()", {"lipsum"}),
        ("[1, 2] | random", None),
        ("app_name | hash('md5')", None),
        ("app_name if online else app_name | password_hash", None),
        ("app_name is match('a')", None),
        ("{{ app_name }}-{% if online %}{{ stream_name }}{% endif %}", {"app_name", "online", "stream_name"}),
        ("{% set x = app_name %}{{ x }}", {"app_name"}),
    ],
)
def test_the_variables_that_determine_a_value_are_found(text, names):
    assert find_dependencies(text) == names


@pytest.mark.parametrize(
    ("text", "wrong"), [("a == 'b'", False), ("a is match('b')", False), ("a ===", True), ("{{ a", True), ("a b", True)]
)
def test_syntax_errors_are_found(text, wrong):
    assert bool(find_syntax_error(text)) is wrong
