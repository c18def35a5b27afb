# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Java for ansible-rulebook where that is possible; tests that need it are left out elsewhere, and say so."""

from __future__ import annotations

import shutil

import debian
from steps import Step

PACKAGE = "openjdk-17-jre-headless"


def install(step: Step) -> None:
    """Install Java with apt-get if it is missing, and note what that means for the tests if it cannot be done."""
    path = step.variables["PATH"]
    if shutil.which("java", path=path) is None:
        debian.install(PACKAGE)
    if shutil.which("java", path=path) is None:
        step.note(f"no java, so that the tests with ansible-rulebook are left out; they need {PACKAGE}")
