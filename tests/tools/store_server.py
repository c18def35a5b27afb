# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the server that the tests of rate_limit_store start, or install it as root on a Debian or Ubuntu."""

from __future__ import annotations

import os
import shutil
import subprocess

PROGRAMS = ("redis-server", "valkey-server")


def find() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def ensure() -> bool:
    """Return whether there is a server, which is installed if that is possible."""
    apt_get = shutil.which("apt-get")
    if not find() and apt_get and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", "redis-server"]):
            subprocess.run([apt_get, "-qq", *words], env=quiet, stdout=subprocess.DEVNULL, check=False)
    return find() is not None


if __name__ == "__main__":
    raise SystemExit(not ensure())
