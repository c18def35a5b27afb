# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of streams in the list of a fleet."""

from __future__ import annotations

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.targets import (
    choose_targets,
    make_entry_targets,
    make_host_targets,
)

NOW = 1_795_000_000
NAMES = {"app_name": "news", "stream_name": "studio1"}


@pytest.mark.parametrize("entry", [NAMES, {**NAMES, "domain_name": None}], ids=["not set", "null"])
def test_an_entry_without_a_domain_is_reported_with_that_of_the_task(entry):
    (target,) = make_entry_targets([entry], lambda host, names: {}, "live.example.com")
    assert target.names == {**NAMES, "domain_name": "live.example.com"}
    assert target.read() == NAMES


def choose(hosts, ids):
    targets = make_host_targets(hosts, lambda host, names: hosts[host])
    return list(choose_targets(targets, ids, NOW))


def test_only_hosts_whose_streams_are_named_are_chosen_and_read_once_more():
    hosts = {name: {**NAMES, "domain_name": "live.example.com", "stream_name": name} for name in ("a b", "b", "c", "7")}
    hosts["7"]["stream_name"] = 7
    chosen = choose(hosts, ["live.example.com/news/a%20b", "live.example.com/news/7", "other.example.com/news/b", "x"])
    assert [target.host for target in chosen] == ["a b", "7"]
    assert chosen[0].read()["stream_name"] == "a b"


@pytest.mark.parametrize(
    "start, stop, chosen", [(-60, 60, True), (-60, -1, False), (1, 60, False), (0, 60, True), (-60, 0, False)]
)
def test_host_with_a_window_is_chosen_only_while_it_is_open(start, stop, chosen):
    variables = {**NAMES, "domain_name": "live.example.com", "window_start": NOW + start, "window_stop": NOW + stop}
    assert bool(choose({"a": variables}, ["live.example.com/news/studio1"])) is chosen


def test_host_with_invalid_windows_fails_and_does_not_affect_others():
    good = {**NAMES, "domain_name": "live.example.com"}
    chosen = choose({"a": {**good, "record_windows": "x"}, "b": good}, ["live.example.com/news/studio1"])
    with pytest.raises(InvalidOption, match="record_windows"):
        chosen[0].read()
    assert chosen[1].read() == good
