# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a source is understood, which streams a query chooses, and what hosts are called."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption, printable
from ansible_collections.apsaravideo.live.plugins.module_utils._module.argspec import CONNECTION
from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.streams import (
    _KEYS,
    _ROLE,
    Plan,
    default_name,
    host_name,
    selection,
)

DOMAIN = "live.example.com"
NEWS1, NEWS2, SPORTS1 = (Stream(DOMAIN, *names.split("/")) for names in ("news/one", "news/two", "sports/one"))
PROFILE = {"profile": "all", "role_arn": "acs:ram::1:role/r", "retry_timeout": 1.0}


def plan(connection=None, templated=lambda value: value, **options):
    return Plan.read({"domains": [], "apps": [], "streams": [], **options}, connection or {}, templated)


def row(stream, **fields):
    return {**stream._asdict(), **fields}


@pytest.mark.parametrize("app", [2026, 0])
def test_names_that_are_integers_are_used_as_their_text(app):
    made = plan(
        domains=[{"domain_name": DOMAIN, "apps": app}, {"domain_name": "live.example.org"}],
        apps=[app],
        streams=[{"domain_name": DOMAIN, "app_name": app, "stream_name": app}],
    )
    assert [listing.apps for listing in made.listings] == [{str(app)}] * 2
    assert list(made.named) == [Stream(DOMAIN, str(app), str(app))]


def test_entries_of_domains():
    made = plan(
        {"endpoint": "http://127.0.0.1:1", "retry_timeout": 1.0},
        domains=[
            "Live.Example.COM",
            {"domain": "live.example.org", "apps": ["stadium"], "region": "cn-shanghai", "team": "events"},
            {"domain_name": "live.example.net", "apps": []},
        ],
        apps=["news", "sports"],
    )
    first, second, third = made.listings
    assert first.domain_name == "live.example.com", "domain names know no case"
    assert first.apps == third.apps == {"news", "sports"}
    assert first.connection == {"endpoint": "http://127.0.0.1:1", "retry_timeout": 1.0}
    assert first.variables == {}
    assert second.apps == {"stadium"}
    assert second.connection == {**first.connection, "region_id": "cn-shanghai"}
    assert second.variables == {"apsaravideo_region_id": "cn-shanghai", "team": "events"}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, PROFILE),
        ({"rate_limit": 5.0}, {**PROFILE, "rate_limit": 5.0}),
        ({"retry_timeout": 2.0}, {**PROFILE, "retry_timeout": 2.0}),
        ({"profile": "mine"}, {"profile": "mine", "retry_timeout": 1.0}),
        ({"profile": None}, PROFILE),
        (
            {"access_key": "id", "secret_key": "secret"},
            {"access_key_id": "id", "access_key_secret": "secret", "retry_timeout": 1.0},
        ),
        ({"ecs_role_name": "r"}, {"ecs_role_name": "r", "retry_timeout": 1.0}),
        ({"assume_role_arn": "acs:ram::2:role/r"}, {**PROFILE, "role_arn": "acs:ram::2:role/r"}),
    ],
    ids="+".join,
)
def test_keys_of_a_domain_are_not_mixed_with_those_of_the_source(own, expected):
    made = plan(PROFILE, domains=[{"domain_name": DOMAIN, **own}])
    assert made.listings[0].connection == expected


def test_every_option_about_keys_and_roles_is_known():
    where = {"region_id", "endpoint", "sts_endpoint", "allow_http", "validate_certs", "ca_path"}
    how = {"connect_timeout", "read_timeout", "rate_limit", "retry_timeout", "allow_external_process"}
    assert set(CONNECTION) == _KEYS | _ROLE | where | how, "decide what a new option is, for domains and caches"


def test_secrets_do_not_become_variables():
    keys = {"access_key_id": "id", "access_key_secret": "secret", "security_token": "token"}
    (listing,) = plan(domains=[{"domain_name": DOMAIN, **keys, "endpoint": "https://a.example.com"}]).listings
    assert listing.variables == {"apsaravideo_endpoint": "https://a.example.com"}
    assert listing.connection == {**keys, "endpoint": "https://a.example.com"}


def test_named_streams():
    made = plan(
        domains=[{"domain_name": DOMAIN, "apps": ["news"], "team": "a", "title": "none"}],
        streams=[
            "live.example.com/news/one",
            {"domain": DOMAIN, "app": "sports", "stream": "one", "title": "Final"},
            "live.example.org/app/a/slash",
        ],
    )
    first, second = made.listings
    assert first.named == {NEWS1, SPORTS1}
    assert (second.domain_name, second.apps) == ("live.example.org", frozenset())
    assert second.named == {Stream("live.example.org", "app", "a/slash")}
    assert made.variables(NEWS1) == {"team": "a", "title": "none"}
    assert made.variables(SPORTS1) == {"team": "a", "title": "Final"}


def test_a_stream_has_the_variables_of_the_entry_that_it_fits():
    made = plan(
        domains=[
            {"domain_name": DOMAIN, "apps": ["news"], "team": "a"},
            {"domain_name": DOMAIN, "apps": ["sports"], "team": "b"},
        ]
    )
    assert [made.variables(stream)["team"] for stream in (NEWS1, SPORTS1)] == ["a", "b"]


def test_connection_options_are_evaluated_and_checked():
    made = plan({"profile": "{{ p }}"}, lambda value: "5" if value == "{{ r }}" else value, domains=[DOMAIN])
    assert made.listings[0].connection == {"profile": "{{ p }}"}
    made = plan({"rate_limit": "{{ r }}"}, lambda value: "5" if value == "{{ r }}" else value, domains=[DOMAIN])
    assert made.listings[0].connection == {"rate_limit": 5.0}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "names no domain and no stream"),
        ({"domains": [""]}, "is empty, or is not a valid domain"),
        ({"domains": [None]}, "Entry 1 of the option domains is neither a name nor a mapping"),
        ({"domains": [7]}, "Entry 1 of the option domains is neither a name nor a mapping"),
        ({"domains": ["https://live.example.com"]}, "is not a valid domain"),
        ({"domains": [{"apps": ["a"]}]}, "is not a valid domain"),
        ({"domains": [{"domain_name": DOMAIN, "app_name": "a"}]}, "sets app_name, which has no place there"),
        ({"domains": [{"domain_name": DOMAIN, "stream": "a"}]}, "sets stream_name, which has no place there"),
        ({"domains": [{"domain_name": DOMAIN, "online": True}]}, "sets online, which cannot be a variable"),
        ({"domains": [{"domain_name": DOMAIN, "a-b": 1}]}, "sets a-b, which cannot be a variable"),
        ({"domains": [{"domain_name": DOMAIN, "class": 1}]}, "sets class, which cannot be a variable"),
        ({"domains": [{"domain_name": DOMAIN, "vars": {"a": 1}}]}, "sets vars, which cannot be a variable"),
        ({"domains": [{"domain_name": DOMAIN, "rate_limit": "x"}]}, "cannot be made: argument 'rate_limit'"),
        ({"domains": [DOMAIN], "apps": ["*"]}, "The option apps holds an empty name, or one with a wildcard"),
        ({"domains": [DOMAIN], "apps": [""]}, "The option apps holds an empty name, or one with a wildcard"),
        ({"domains": [{"domain_name": DOMAIN, "apps": [1.5]}]}, "The option apps is 1.5, which is a floating"),
        ({"domains": [True]}, "Entry 1 of the option domains is neither a name nor a mapping"),
        ({"streams": [{"domain_name": DOMAIN, "app_name": "a", "stream_name": True}]}, "stream_name is true"),
        ({"streams": ["live.example.com/app"]}, "The option stream_name is empty"),
        ({"streams": ["live.example.com/app/*"]}, "takes no wildcard"),
        ({"streams": [{"domain": DOMAIN, "app": "a"}]}, "The option stream_name is empty"),
        ({"streams": ["live.example.com/app/a\nb"]}, "line end"),
        ({"streams": [["a"]]}, "Entry 1 of the option streams is neither a name nor a mapping"),
        (
            {"streams": [{"domain": DOMAIN, "app": "a", "stream": "b", "secret_key": "x"}]},
            "sets access_key_secret, which has no place there",
        ),
        (
            {"streams": [{"domain": DOMAIN, "app": "a", "stream": "b", "publish_time": "x"}]},
            "sets publish_time, which cannot be a variable",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named(options, words):
    with pytest.raises(InvalidOption) as caught:
        plan(**options)
    assert words in str(caught.value)


class Recorder:
    """Stands for the API: notes what is asked, and answers with rows."""

    def __init__(self, *rows):
        self.rows = rows
        self.asked = []

    def online_streams(self, domain_name, app_name=None, transcoded=False):
        self.asked.append((domain_name, app_name, transcoded))
        return list(self.rows)


@pytest.mark.parametrize(
    ("options", "app", "kept"),
    [
        ({"domains": [DOMAIN]}, None, [NEWS1, NEWS2, SPORTS1]),
        ({"domains": [DOMAIN], "apps": ["news"]}, "news", [NEWS1, NEWS2]),
        ({"domains": [DOMAIN], "apps": ["news", "other"]}, None, [NEWS1, NEWS2]),
        ({"domains": [DOMAIN], "apps": ["news"], "streams": [str(SPORTS1)]}, None, [NEWS1, NEWS2, SPORTS1]),
        ({"domains": [DOMAIN], "apps": ["news"], "streams": [str(NEWS1)]}, "news", [NEWS1, NEWS2]),
        ({"streams": [str(NEWS1)]}, "news", [NEWS1]),
        ({"streams": [str(NEWS1), str(SPORTS1)]}, None, [NEWS1, SPORTS1]),
    ],
    ids=str,
)
def test_what_is_asked_of_the_api_and_what_is_kept(options, app, kept):
    (listing,) = plan(**options).listings
    live = Recorder(*(row(stream) for stream in (SPORTS1, NEWS2, NEWS1)))
    assert sorted(tuple(found.values()) for found in listing.read(live, True)) == sorted(kept)
    assert live.asked == [(DOMAIN, app, True)]


def test_rows_without_names_are_passed_over():
    (listing,) = plan(domains=[DOMAIN]).listings
    rows = [{}, {"app_name": "a", "stream_name": ""}, {"app_name": "a", "stream_name": 7}]
    rows.append({"domain_name": "LIVE.example.com", "app_name": "news", "stream_name": "one"})
    assert listing.read(Recorder(*rows), False) == [row(NEWS1)]


def test_streams_are_sorted_and_merged():
    made = plan(domains=[DOMAIN], streams=[str(NEWS2), str(SPORTS1)])
    found = [[row(SPORTS1, publish_time="t", width=1)], [row(NEWS1), row(SPORTS1, publish_time="u")]]
    assert list(made.streams(found).items()) == [
        (NEWS1, row(NEWS1, online=True, publish_time=None)),
        (NEWS2, row(NEWS2, online=False, publish_time=None)),
        (SPORTS1, row(SPORTS1, online=True, publish_time="t", width=1)),
    ]


def test_what_is_asked_tells_caches_apart():
    def asked(connection=None, environ=None, **options):
        return [listing.asks(environ or {}) for listing in plan(connection, **options).listings]

    options = [
        asked(domains=[DOMAIN]),
        asked(domains=["live.example.org"]),
        asked(domains=[DOMAIN, "live.example.org"]),
        asked(domains=[DOMAIN], apps=["news"]),
        asked(domains=[DOMAIN], streams=[str(NEWS1)]),
        asked(streams=[str(NEWS1)]),
        asked({"endpoint": "https://a.example.com"}, domains=[DOMAIN]),
        asked({"region_id": "cn-shanghai"}, domains=[DOMAIN]),
        asked({"profile": "a"}, domains=[DOMAIN]),
        asked({"role_arn": "a"}, domains=[DOMAIN]),
        asked({"access_key_id": "a", "access_key_secret": "s"}, domains=[DOMAIN]),
        asked({"access_key_id": "b", "access_key_secret": "s"}, domains=[DOMAIN]),
    ]
    assert len({str(asks) for asks in options}) == len(options)
    assert "'s'" not in str(options), "the secret decides nothing"
    same = asked({"retry_timeout": 0.0, "validate_certs": False}, domains=[DOMAIN])
    assert same == options[0]
    assert asked(environ={"APSARAVIDEO_ENDPOINT": "https://a.example.com"}, domains=[DOMAIN]) == options[6]


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
def test_query(query, kept):
    assert list(selection(query)(STREAMS)) == kept


def test_a_query_may_change_fields():
    made = selection(
        "[].{domain_name: domain_name, app_name: app_name, stream_name: stream_name, wide: width > `1000`}"
    )(STREAMS)
    assert made[NEWS2] == row(NEWS2, online=True, publish_time=None, wide=False)


@pytest.mark.parametrize("query", ["[?x=", "[?nope(width)]"])
def test_a_bad_query_is_found_before_its_use(query):
    with pytest.raises(InvalidOption, match="The option query"):
        selection(query)


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
def test_a_query_whose_result_is_no_list_of_streams(query):
    with pytest.raises(InvalidOption, match="The option query "):
        selection(query)(STREAMS)


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
def test_default_names(name, expected):
    assert default_name(Stream(DOMAIN, "my@app", name)) == f"{expected}@my%40app@live.example.com"


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.text(
    "ab/@%![]:,.-~&*?{} _\n", min_size=1, max_size=8
)
ANY_STREAM = st.builds(Stream, st.just(DOMAIN), ANY_TEXT, ANY_TEXT)


@given(ANY_STREAM)
def test_a_default_name_tells_its_stream(stream):
    name = default_name(stream)
    assert "~" in name or tuple(unquote(part) for part in name.split("@")) == (*reversed(stream),)


@given(st.lists(st.text("a{直\ud800", min_size=10, max_size=300), min_size=2, max_size=2, unique=True))
def test_long_names_are_cut_and_stay_apart(names):
    made = [default_name(Stream(DOMAIN, name, name)) for name in names]
    assert made[0] != made[1]
    assert all(len(name.encode()) < 220 and name.endswith("@live.example.com") for name in made)
    made = [host_name(name, ()) for name in names]
    assert made[0] != made[1]
    assert all(len(name.encode()) <= 200 for name in made)


@given(st.lists(ANY_STREAM, min_size=1, max_size=6, unique=True))
def test_default_names_are_unique_and_patterns(streams):
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
def test_names_from_templates(text, slash, expected):
    assert host_name(text, {"all", "localhost"}, slash) == expected


@given(ANY_TEXT, ANY_TEXT, st.booleans())
def test_names_from_templates_stay_apart(one, other, slash):
    assert (host_name(one, {"all"}, slash) == host_name(other, {"all"}, slash)) == (one == other)


def test_strange_names_stay_on_one_line_of_a_message():
    assert printable(str(NEWS1)) == "live.example.com/news/one"
    assert printable(str(Stream(DOMAIN, "a", "x\n\x1b[31m\u202e"))) == "live.example.com/a/x\\n\\x1b[31m\\u202e"
