# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers for shared slots. Where there is none, the tests say so."""

from __future__ import annotations

import pytest

from support.certificates import Authority
from support.store import PROGRAM, Store


def pytest_collection_modifyitems(items):
    if not PROGRAM:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="neither redis-server nor valkey-server is installed"))


@pytest.fixture
def store():
    with Store() as server:
        yield server


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def tls_store(authority):
    issued = authority.issue("127.0.0.1")
    with Store(tls=(authority.ca_path, issued, issued)) as server:
        yield server
