# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run nox in an environment of its own, which is made first: with_nox.py [ARGUMENT of nox...]."""

from __future__ import annotations

import os
import subprocess
import sys

import environments

if __name__ == "__main__":
    try:
        environments.make("pip")
        environments.make("nox")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    python = environments.directory("nox") / "bin" / "python"
    noxfile = environments.CHECKOUT / "noxfile.py"
    os.execv(python, [python, "-m", "nox", "--noxfile", noxfile, *sys.argv[1:]])
