# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host names: unique, usable in patterns and as file names, whatever a stream is called."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import printable
from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.host_name import default_name, host_name

DOMAIN = "live.example.com"

STRANGE = {
    "a b": "a%20b",
    "-x": "%2Dx",
    "!x": "%21x",
    "@x": "%40x",
    "../../etc/passwd": "%2E.%2F..%2Fetc%2Fpasswd",
    "a\nb": "a%0Ab",
    "x[1:3]": "x%5B1%3A3%5D",
    "a,b": "a%2Cb",
    "{{ x }}": "%7B%7B%20x%20%7D%7D",
    "100%": "100%25",
    "studio_1-a.b+c=d": "studio_1-a.b+c=d",
    "直播": "直播",
    "\ud800": "%ED%A0%80",
}


@pytest.mark.parametrize(("name", "expected"), STRANGE.items(), ids=STRANGE.values())
def test_special_characters_of_default_names_are_escaped(name, expected):
    assert default_name(Stream(DOMAIN, "my@app", name)) == f"{expected}@my%40app@live.example.com"


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.text(
    "ab/@%![]:,.-~&*?{} _\n", min_size=1, max_size=8
)
ANY_STREAM = st.builds(Stream, st.just(DOMAIN), ANY_TEXT, ANY_TEXT)


@given(ANY_STREAM)
def test_a_default_name_identifies_its_stream(stream):
    name = default_name(stream)
    assert "~" in name or tuple(unquote(part) for part in name.split("@")) == (*reversed(stream),)


@given(st.lists(st.text("a{直\ud800", min_size=10, max_size=300), min_size=2, max_size=2, unique=True))
def test_long_names_are_shortened_and_stay_distinct(names):
    made = [default_name(Stream(DOMAIN, name, name)) for name in names]
    assert made[0] != made[1]
    assert all(len(name.encode()) < 220 and name.endswith("@live.example.com") for name in made)
    made = [host_name(name, ()) for name in names]
    assert made[0] != made[1]
    assert all(len(name.encode()) <= 200 for name in made)


@given(st.lists(ANY_STREAM, min_size=1, max_size=6, unique=True))
def test_default_names_are_unique_and_valid_patterns(streams):
    manager = InventoryManager(DataLoader())
    names = [default_name(stream) for stream in streams]
    manager.add_group("streams")
    for name in names:
        manager.add_host(name, "streams")
    assert len(manager.hosts) == len(streams)
    for name in names:
        assert "/" not in name and name.isprintable() and name[0] not in "-.~!&@"
        for pattern in (name, f"streams:&{name}", f"{name}:{name}", f"{name},"):
            assert [host.name for host in manager.get_hosts(pattern)] == [name]
        manager.subset(name)
        assert [host.name for host in manager.get_hosts("streams")] == [name]
        manager.subset(None)
        assert {host.name for host in manager.get_hosts(f"streams:!{name}")} == {*names} - {name}


@pytest.mark.parametrize(
    ("text", "slash", "expected"),
    [
        ("news-one", False, "news-one"),
        ("one@news", False, "one@news"),
        ("news/one", False, "news%2Fone"),
        ("news/one", True, "news/one"),
        ("news/../one", True, "news/%2E./one"),
        ("news/-one", True, "news/%2Done"),
        ("/etc//x", True, "%/etc/%/x"),
        ("x" * 200, False, "x" * 200),
        ("x" * 201, False, "x" * 167 + "~84a0678c90937f5dcf9994d5866668da"),
        ("all", False, "%61ll"),
        ("localhost", False, "%6Cocalhost"),
        ("ALL", False, "ALL"),
    ],
)
def test_names_from_templates_are_escaped(text, slash, expected):
    assert host_name(text, {"all", "localhost"}, slash) == expected


@given(ANY_TEXT, ANY_TEXT, st.booleans())
def test_names_from_templates_stay_distinct(one, other, slash):
    assert (host_name(one, {"all"}, slash) == host_name(other, {"all"}, slash)) == (one == other)


def test_control_characters_of_names_are_escaped_in_messages():
    assert printable(str(Stream(DOMAIN, "news", "one"))) == "live.example.com/news/one"
    assert printable(str(Stream(DOMAIN, "a", "x\n\x1b[31m\u202e"))) == "live.example.com/a/x\\n\\x1b[31m\\u202e"
