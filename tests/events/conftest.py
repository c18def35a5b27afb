# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leave out tests that need Java, and say so."""

from __future__ import annotations

import shutil
import subprocess

import pytest

MIN_JAVA = 17


def find_java() -> str:
    """Return why there is no usable Java, or nothing."""
    if shutil.which("java") is None:
        return "there is no java"
    shown = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = shown.partition('"')[2].partition(".")[0]
    return "" if version.isdigit() and int(version) >= MIN_JAVA else f"java is older than {MIN_JAVA}"


@pytest.fixture(scope="session")
def java() -> None:
    reason = find_java()
    if reason:
        pytest.skip(f"left out, since {reason}: ansible-rulebook needs Java {MIN_JAVA} (openjdk-17-jre-headless)")
