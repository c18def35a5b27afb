# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One emulator shared by the tests and reset before each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "emulator")]
sys.path.append(str(ROOT / "roles" / "emulator" / "files"))

from signing_client import SigningClient

from support.emulator import Emulator


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    """Start an emulator with every switch at its default."""
    with Emulator() as emulator:
        yield emulator
        assert emulator.error_output() == ""


@pytest.fixture
def cloud(running: Emulator) -> Emulator:
    """Reset the shared emulator."""
    running.reset()
    return running


@pytest.fixture
def client(cloud: Emulator) -> SigningClient:
    """Return a client of the shared emulator with an ordinary access key."""
    return SigningClient(cloud.endpoint)
