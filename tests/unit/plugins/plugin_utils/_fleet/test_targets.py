# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of streams in the list of a fleet."""

from __future__ import annotations

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.targets import make_entry_targets

NAMES = {"app_name": "news", "stream_name": "studio1"}


@pytest.mark.parametrize("entry", [NAMES, {**NAMES, "domain_name": None}], ids=["not set", "null"])
def test_an_entry_without_a_domain_is_reported_with_that_of_the_task(entry):
    (target,) = make_entry_targets([entry], lambda host, names: {}, "live.example.com")
    assert target.names == {**NAMES, "domain_name": "live.example.com"}
    assert target.read() == NAMES
