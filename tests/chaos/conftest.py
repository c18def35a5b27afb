# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the chaos tests."""

from __future__ import annotations

import pytest

from support.emulator import Emulator


@pytest.fixture(scope="module")
def cloud():
    with Emulator() as emulator:
        yield emulator
        assert emulator.error_output() == ""
