# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the get-pip.py that ansible-test would download, so that a package index is all that a run needs.

get_pip.py --install CACHE, run by a Python that has ansible-test: put this file where that ansible-test looks for it.
get_pip_X_Y.py --disable-pip-version-check pip==X.Y --no-setuptools --no-wheel: what ansible-test does with it then.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def install(cache: str) -> None:
    from types import SimpleNamespace

    from ansible_test._internal.python_requirements import get_venv_packages

    versions = [f"3.{minor}" for minor in range(9, 16)]
    for pip in {get_venv_packages(SimpleNamespace(version=version))["pip"] for version in versions}:
        shutil.copy(__file__, Path(cache) / f"get_pip_{pip.replace('.', '_')}.py")


def bootstrap(arguments: list[str]) -> None:
    # ensurepip in a process of its own: it removes PIP_* from its environment
    subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
    wanted = [argument for argument in arguments if not argument.startswith("--no-")]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-warn-script-location"]
    subprocess.check_call([*pip, *wanted])


if __name__ == "__main__":
    if sys.argv[1] == "--install":
        install(sys.argv[2])
    else:
        bootstrap(sys.argv[1:])
