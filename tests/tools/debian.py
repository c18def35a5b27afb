# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Debian's packages that tests need, on machines where that is possible."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys

from environments import CACHE


def install(*packages: str) -> None:
    """Install packages as root with apt-get; elsewhere, do nothing, so that the caller looks for what it needs."""
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # The steps of a run are beside each other, and apt-get must not be.
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            subprocess.run([apt_get, "--quiet", *words], env=quiet, stdout=sys.stderr, check=False)
