# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a source: domains, connections, named streams and variables."""

from __future__ import annotations

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import Stream
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.module_utils._module.argspec import CONNECTION
from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.plan import _CREDENTIALS, _ROLE, Plan

DOMAIN = "live.example.com"
NEWS1, NEWS2, SPORTS1 = (Stream(DOMAIN, *names.split("/")) for names in ("news/one", "news/two", "sports/one"))
PROFILE = {"profile": "all", "role_arn": "acs:ram::1:role/r", "retry_timeout": 1.0}


def plan(connection=None, template=lambda value: value, **options):
    return Plan.read({"domains": [], "apps": [], "streams": [], **options}, connection or {}, template)


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


def test_domain_entries_override_the_options_of_the_source():
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
def test_credentials_of_a_domain_replace_those_of_the_source(own, expected):
    made = plan(PROFILE, domains=[{"domain_name": DOMAIN, **own}])
    assert made.listings[0].connection == expected


def test_every_connection_option_is_classified():
    where = {"region_id", "endpoint", "sts_endpoint", "allow_http", "validate_certs", "ca_path"}
    how = {"connect_timeout", "read_timeout", "rate_limit", "retry_timeout", "allow_external_process"}
    how |= {"rate_limit_share", "rate_limit_store", "rate_limit_store_required", "rate_limit_account"}
    assert set(CONNECTION) == _CREDENTIALS | _ROLE | where | how, "decide what a new option is, for domains and caches"


def test_secrets_do_not_become_host_variables():
    keys = {"access_key_id": "id", "access_key_secret": "secret", "security_token": "token"}
    (listing,) = plan(domains=[{"domain_name": DOMAIN, **keys, "endpoint": "https://a.example.com"}]).listings
    assert listing.variables == {"apsaravideo_endpoint": "https://a.example.com"}
    assert listing.connection == {**keys, "endpoint": "https://a.example.com"}


def test_named_streams_are_assigned_to_their_domain():
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


def test_a_stream_has_the_variables_of_the_matching_domain_entry():
    made = plan(
        domains=[
            {"domain_name": DOMAIN, "apps": ["news"], "team": "a"},
            {"domain_name": DOMAIN, "apps": ["sports"], "team": "b"},
        ]
    )
    assert [made.variables(stream)["team"] for stream in (NEWS1, SPORTS1)] == ["a", "b"]


def test_connection_options_are_evaluated_and_validated():
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
def test_an_invalid_entry_is_named_in_the_error(options, words):
    with pytest.raises(InvalidOption) as caught:
        plan(**options)
    assert words in str(caught.value)


class FakeLive:
    """An API that returns the given rows and records the requests."""

    def __init__(self, *rows):
        self.rows = rows
        self.requests = []

    def online_streams(self, domain_name, app_name=None, transcoded=False):
        self.requests.append((domain_name, app_name, transcoded))
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
def test_one_app_is_filtered_by_the_api_and_several_locally(options, app, kept):
    (listing,) = plan(**options).listings
    live = FakeLive(*(row(stream) for stream in (SPORTS1, NEWS2, NEWS1)))
    assert sorted(tuple(found.values()) for found in listing.read(live, True)) == sorted(kept)
    assert live.requests == [(DOMAIN, app, True)]


def test_rows_without_a_stream_name_are_ignored():
    (listing,) = plan(domains=[DOMAIN]).listings
    rows = [{}, {"app_name": "a", "stream_name": ""}, {"app_name": "a", "stream_name": 7}]
    rows.append({"domain_name": "LIVE.example.com", "app_name": "news", "stream_name": "one"})
    assert listing.read(FakeLive(*rows), False) == [row(NEWS1)]


def test_listings_and_named_streams_are_merged_in_order():
    made = plan(domains=[DOMAIN], streams=[str(NEWS2), str(SPORTS1)])
    found = [[row(SPORTS1, publish_time="t", width=1)], [row(NEWS1), row(SPORTS1, publish_time="u")]]
    assert list(made.merge(found).items()) == [
        (NEWS1, row(NEWS1, online=True, publish_time=None)),
        (NEWS2, row(NEWS2, online=False, publish_time=None)),
        (SPORTS1, row(SPORTS1, online=True, publish_time="t", width=1)),
    ]


def test_the_description_of_a_query_has_everything_its_result_depends_on():
    def describe(connection=None, **options):
        return [listing.describe_query() for listing in plan(connection, **options).listings]

    options = [
        describe(domains=[DOMAIN]),
        describe(domains=["live.example.org"]),
        describe(domains=[DOMAIN, "live.example.org"]),
        describe(domains=[DOMAIN], apps=["news"]),
        describe(domains=[DOMAIN], streams=[str(NEWS1)]),
        describe(streams=[str(NEWS1)]),
        describe({"endpoint": "https://a.example.com"}, domains=[DOMAIN]),
        describe({"region_id": "cn-shanghai"}, domains=[DOMAIN]),
        describe({"profile": "a"}, domains=[DOMAIN]),
        describe({"role_arn": "a"}, domains=[DOMAIN]),
        describe({"access_key_id": "a", "access_key_secret": "s"}, domains=[DOMAIN]),
        describe({"access_key_id": "b", "access_key_secret": "s"}, domains=[DOMAIN]),
    ]
    assert len({str(description) for description in options}) == len(options)
    assert "'s'" not in str(options), "the secret must not be part of it"
    same = describe({"retry_timeout": 0.0, "validate_certs": False}, domains=[DOMAIN])
    assert same == options[0]
