# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Emulators and clients for tests with the official SDKs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "sdk")]

from official_clients import CLIENTS, OfficialClient

from support.emulator import Emulator


@pytest.fixture(scope="session", params=["new", "old"])
def running(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Start an emulator of each error generation, which refuses commands without a task."""
    with Emulator(generation=request.param, idle_stop="error", idle_cancel="error", idle_restart="error") as emulator:
        yield emulator
        assert emulator.error_output() == ""


@pytest.fixture
def cloud(running: Emulator) -> Emulator:
    """Reset the emulator."""
    running.reset()
    return running


@pytest.fixture(params=CLIENTS, ids=lambda kind: kind.label)
def client(request: pytest.FixtureRequest, cloud: Emulator) -> OfficialClient:
    """Return each official client in turn."""
    made: OfficialClient = request.param(cloud)
    return made


@pytest.fixture(scope="session")
def secure() -> Iterator[Emulator]:
    """Start an emulator that requires TLS, as the real service does."""
    with Emulator(tls=True, require_tls=True) as emulator:
        yield emulator
        assert emulator.error_output() == ""
