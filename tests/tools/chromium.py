# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The browser that looks at the reports' pages: `chromium.py` prints its path, and installs it where it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import debian

NAMES = ("chromium", "google-chrome-stable", "google-chrome")
# Without a font there would be no text to look at.
PACKAGES = ("chromium", "fonts-dejavu-core")
MISSING = "no Chromium on this machine, and it is not installed without apt-get and root"


def find() -> str | None:
    """Return the path of a browser that starts: some systems have a program that only says how to install one."""
    for path in filter(None, (os.environ.get("TEST_CHROMIUM"), *map(shutil.which, NAMES))):
        try:
            done = subprocess.run([path, "--version"], capture_output=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return path
    return None


def find_or_install() -> str | None:
    """Return the path of a browser, or None if there is none and none can be installed."""
    if (found := find()) is None:
        debian.install(*PACKAGES)
        found = find()
    return found


if __name__ == "__main__":
    path = find_or_install()
    print(path and Path(path) or MISSING)
    sys.exit(path is None)
