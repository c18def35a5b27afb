# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of nox that run in an environment of ours, several of them by hand, and all of them for a verdict."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import environments
import nox
import sync
from environments import CACHE, CHECKOUT, LIVE
from nox.command import CommandFailed

NO_TEST = "There is no such test."
NO_TEST_STATUS = 5  # of pytest
ENVIRONMENTS: dict[str, tuple[str, ...]] = {}  # that each step needs


class Step:
    """A session in the copy of the checkout, with an environment that this project makes."""

    def __init__(self, session: nox.Session, environment: str) -> None:
        self.session = session
        self.name = session.name
        self.arguments = session.posargs
        self.log = Path(os.environ.get("TEST_LOG") or CACHE / "log" / "single")
        self.variables = environments.variables(environment)

    def run(
        self, program: str, *arguments: str | Path, variables: Mapping[str, str] | None = None, **options: Any
    ) -> Any:
        """Run a program of the environment; `options` are those of `nox.Session.run`."""
        found = shutil.which(program, path=self.variables["PATH"])
        if found is None:
            self.session.error(f"There is no {program}.")
        env = {**self.variables, **(variables or {})}
        patience: dict[str, Any] = {"interrupt_timeout": 10, "terminate_timeout": 10}
        return self.session.run(found, *arguments, env=env, include_outer_env=False, **patience, **options)

    def tests(self, path: str, *arguments: str, workers: int = 2, **variables: str) -> None:
        """Run pytest; also that it finds no test is a failure."""
        if not (LIVE / path).exists():
            self.session.error(f"There is no {path}.")
        own = [
            f"--numprocesses={os.environ.get('WORKERS') or workers}",
            "--dist=worksteal",
            f"--override-ini=cache_dir={CACHE / 'pytest' / self.name}",
            f"--junitxml={self.log / 'junit' / self.name}.xml",
        ]
        try:
            self.run("python", "-m", "pytest", *own, path, *arguments, *self.arguments, variables=variables)
        except CommandFailed as failure:
            if failure.return_code == NO_TEST_STATUS:
                self.session.error(NO_TEST)
            raise

    def note(self, text: str) -> None:
        """Add to the line about this step."""
        with (self.log / f"{self.name}.note").open("a") as notes:
            notes.write(f"{text}\n")


def step(*needed: str) -> Callable[[Callable[[Step], None]], Any]:
    """Make a session of a function; it runs in the first of the environments, and may use the others."""

    def register(function: Callable[[Step], None]) -> Any:
        name = function.__name__.replace("_", "-")
        ENVIRONMENTS[name] = needed

        @nox.session(name=name, venv_backend="none")
        @functools.wraps(function)
        def session_of_step(session: nox.Session) -> None:
            if environments.python_of(needed[0]) is None:
                # A step among others may be left out, but a step that was asked for may not.
                leave = session.skip if "TEST_PREPARED" in os.environ else session.error
                leave(f"no Python {' or '.join(environments.versions(needed[0]))} on this machine")
            prepare(session, *needed)
            made = Step(session, needed[0])
            (made.log / "junit").mkdir(parents=True, exist_ok=True)
            session.chdir(LIVE)
            function(made)

        return session_of_step

    return register


def prepare(session: nox.Session, *needed: str) -> None:
    """Make what is needed, unless that has been done for all steps of a run."""
    if "TEST_PREPARED" not in os.environ:
        try:
            environments.set_up(*needed)
        except subprocess.CalledProcessError as error:
            session.error(str(error))
        sync.main(CHECKOUT, LIVE)


def command(name: str, report: Path, arguments: list[str]) -> list[str | Path]:
    """Return the command that runs one step in a process of its own."""
    report.unlink(missing_ok=True)
    noxfile = CHECKOUT / "noxfile.py"
    return [sys.executable, "-m", "nox", "--noxfile", noxfile, "--report", report, "-s", name, "--", *arguments]


def verdict(report: Path) -> tuple[str, str]:
    """Return whether a step gave `success`, `skipped`, `failed` or `aborted`, and why."""
    try:
        session = json.loads(report.read_text())["sessions"][0]
    except (OSError, ValueError, LookupError):
        return "failed", ""
    return session["result"], session["reason"] or ""


def several(session: nox.Session, names: list[str], arguments: list[str]) -> None:
    """Run steps by hand, all of them; an argument such as -k may leave one without a test, but not all."""
    prepare(session, *{name for step_name in names for name in ENVIRONMENTS[step_name]})
    results = {}
    for name in names:
        report = CACHE / "log" / "single" / f"{name}.json"
        report.parent.mkdir(parents=True, exist_ok=True)
        session.run(
            *command(name, report, arguments),
            env={"TEST_PREPARED": "yes"},
            success_codes=range(256),
            log=False,
            interrupt_timeout=30,
            terminate_timeout=30,
        )
        results[name], reason = verdict(report)
        if reason == NO_TEST and arguments:
            results[name] = "no test"
    words = {"success": "ok", "skipped": "skip", "no test": "none"}
    print("", *(f"{words.get(result, 'FAIL'):4}  {name}" for name, result in results.items()), sep="\n", flush=True)
    if not words.keys() >= set(results.values()):
        session.error("A step has failed.")
    if "success" not in results.values():
        session.error("Nothing was run.")
