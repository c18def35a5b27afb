# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cache entries: which are read, and for which account."""

from __future__ import annotations

import pytest

from ansible_collections.apsaravideo.live.plugins.plugin_utils._inventory.listing_cache import read_entry


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {},
        [],
        "text",
        {"found": "[]"},
        {"account": "a", "found": "no JSON"},
        {"account": "a", "found": 7},
        {"account": "a", "found": "{}"},
    ],
)
def test_an_invalid_entry_is_not_used(entry):
    assert read_entry(entry, "a") is None


def test_an_entry_is_read_for_its_account_or_without_an_account():
    entry = {"account": "a", "found": "[[]]"}
    assert [read_entry(entry, account) for account in ("a", "", "b")] == [[[]], [[]], None]
