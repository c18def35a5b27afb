# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the server that the tests of rate_limit_store start, or install it as root on a Debian or Ubuntu."""

from __future__ import annotations

import shutil

import debian

PROGRAMS = ("redis-server", "valkey-server")


def find() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def ensure() -> bool:
    """Return whether there is a server, which is installed if that is possible."""
    if not find():
        debian.install("redis-server")
    return find() is not None


if __name__ == "__main__":
    raise SystemExit(not ensure())
