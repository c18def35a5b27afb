# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environments below .cache/env: which Python each of them has, how it is made, and what a command in it sees."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache"
TREE = CACHE / "tree"
LIVE = TREE / "ansible_collections" / "apsaravideo" / "live"
TOOLS = CHECKOUT / "tests" / "tools"
# A step has a home of its own, and so has a run within a step.
USER_HOME = Path(os.environ.setdefault("TEST_USER_HOME", str(Path.home())))

# The preferred version comes first. The older of the two SDKs does not start on 3.12.
VERSIONS = {
    "enterprise": ["3.11", "3.12", "3.10"],
    "middle": ["3.11", "3.12", "3.13"],
    "oldest": ["3.9"],
    "sdk": ["3.11", "3.10", "3.9"],
    "events": ["3.13", "3.12"],
}
OTHER_VERSIONS = ["3.13", "3.12", "3.14", "3.11"]
OF_THE_USER = ("ALIBABA", "ALICLOUD_", "ANSIBLE_", "APSARAVIDEO_", "NOX", "PYTEST_")


def real_python(version: str) -> str | None:
    """Return an interpreter that can make environments: pyenv's shims are on PATH, but do not always run."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or USER_HOME / ".pyenv")
    candidates = sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    candidates += [Path(directory or ".", f"python{version}") for directory in os.environ["PATH"].split(os.pathsep)]
    about = "import ensurepip, ssl, sys, venv; print(sys._base_executable)"
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            done = subprocess.run([candidate, "-c", about], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout.strip()
    return None


@functools.cache
def pythons() -> dict[str, str]:
    """Return the interpreter of each version; the search is handed on to the processes below."""
    if not os.environ.get("TEST_PYTHONS"):
        wanted = os.environ.get("PYTHONS", "").split() or ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]
        found = {version: python for version in wanted if (python := real_python(version))}
        os.environ["TEST_PYTHONS"] = json.dumps(found)
    answer: dict[str, str] = json.loads(os.environ["TEST_PYTHONS"])
    return answer


def versions(name: str) -> list[str]:
    return VERSIONS.get(name, OTHER_VERSIONS)


def python_of(name: str) -> str | None:
    return next((pythons()[version] for version in versions(name) if version in pythons()), None)


def expand(groups: dict[str, Any], name: str) -> list[str]:
    """Return the requirements of a dependency group and of those that it includes."""
    lines: list[str] = []
    for entry in groups[name]:
        lines += [entry] if isinstance(entry, str) else expand(groups, entry["include-group"])
    return lines


def requirements(name: str) -> list[str]:
    """Return the pins of an environment, and what the collection itself needs there."""
    pins = expand(tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["dependency-groups"], name)
    needed = (CHECKOUT / "requirements.txt").read_text()
    if name in ("newest", "middle", "enterprise", "demo", "store", "bench", "events"):
        pins += needed.splitlines()
    elif name == "oldest":
        pins += needed.replace(">=", "==").splitlines()
    return pins


def directory(name: str) -> Path:
    return CACHE / "env" / name


def make(name: str) -> None:
    """Make an environment, or make it anew when its pins or its Python have changed."""
    python, target = python_of(name), directory(name)
    if python is None:
        return
    made_of = "\n".join([python, *requirements(name)]) + "\n"
    record = target / "made-of"
    if record.is_file() and record.read_text() == made_of:
        return
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)
    fill(name, target, python)
    record.write_text(made_of)


def fill(name: str, target: Path, python: str) -> None:
    own_pip = name in ("pip", "demo")  # The pip that comes with Python: a new user need not wait for another one.
    subprocess.run([python, "-m", "venv", *([] if own_pip else ["--without-pip"]), target], check=True)
    pins = target / "requirements.txt"
    pins.write_text("\n".join(requirements(name)) + "\n")
    quick = ["--disable-pip-version-check", "--prefer-binary", "--no-compile"] if own_pip else []
    pip = [target if own_pip else directory("pip"), "bin/python"]
    command = [Path(*pip), "-m", "pip", "--python", target / "bin/python", "install", "-qq", *quick, "-r", pins]
    subprocess.run(command, check=True)


def set_up(*names: str) -> None:
    """Make environments side by side, and a home for the tools in them."""
    make("pip")
    with ThreadPoolExecutor() as pool:
        for made in [pool.submit(make, name) for name in names]:
            made.result()
    make_home()


def make_home() -> None:
    """Make a home for Ansible's tools, in which the user's settings for pip are still found."""
    home = CACHE / "home"
    config = Path(os.environ.get("XDG_CONFIG_HOME") or USER_HOME / ".config")
    for path in (home / ".config", CACHE / "run", CACHE / "tmp"):
        path.mkdir(parents=True, exist_ok=True)
    for settings, link in ((config / "pip", home / ".config/pip"), (USER_HOME / ".pip", home / ".pip")):
        if settings != link and settings.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(settings)
    (CACHE / "ansible.cfg").write_text("")


def variables(name: str) -> dict[str, str]:
    """Return the variables of a command in an environment, without anything of the user's in its way."""
    away = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    outer = {key: value for key, value in os.environ.items() if not key.startswith(OF_THE_USER) and key not in away}
    path = [directory(name) / "bin", *(Path(python).parent for python in pythons().values())]
    # pyenv's shims would be taken for interpreters.
    path += [Path(part) for part in outer["PATH"].split(os.pathsep) if not part.endswith("/shims")]
    home, oldest = CACHE / "home", directory("oldest") / "bin/python"
    caches = Path(outer.get("XDG_CACHE_HOME") or USER_HOME / ".cache")
    return {
        **outer,
        "PATH": os.pathsep.join(map(str, path)),
        "PIP_CACHE_DIR": outer.get("PIP_CACHE_DIR") or str(caches / "pip"),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_RUNTIME_DIR": str(CACHE / "run"),
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_CONFIG": str(CACHE / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": f"127.0.0.1,localhost,{outer.get('NO_PROXY', '')}",
        "no_proxy": f"127.0.0.1,localhost,{outer.get('no_proxy', '')}",
        "OLDEST_PYTHON": str(oldest) if os.access(oldest, os.X_OK) else "",
        "PYTEST_DEBUG_TEMPROOT": str(CACHE / "tmp"),
    }
