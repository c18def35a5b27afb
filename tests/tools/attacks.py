# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile servers, files, names and secrets for a number of minutes, other ones each time."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial

from nox.command import CommandFailed
from steps import Step
from totals import count

INTERRUPTED = 124  # the exit status of `timeout`


def main(step: Step, minutes: int, properties: str) -> None:
    """Attack until the time is over, niced, and go on after a failure."""
    os.nice(10)
    seed = random.randrange(2**30)
    end = time.monotonic() + 60 * minutes
    step.session.log(f"seed {seed}")
    step.variables["TEST_SEED"] = str(seed)
    step.variables.setdefault("TEST_EXAMPLES", str(40 * minutes))
    step.variables.setdefault("TEST_RUNS", str(4 * minutes))
    files = ["honest_runs", "strangers", "others", "secrets", "answers"]
    random.Random(seed).shuffle(files)
    script = ["tests/attack/attack.py", "--seed", str(seed), "--seconds", str(30 * minutes)]
    attacks: list[Callable[[], object]] = [
        partial(step.run, "python", *script),
        partial(until, step, end, 1 / 3, "tests/unit", "-k", properties),
        *[partial(until, step, end, 1, f"tests/integration/test_{name}.py") for name in files],
    ]
    if [attack for attack in attacks if not is_clean(attack)]:
        step.session.error("The attack has found something.")


def is_clean(attack: Callable[[], object]) -> bool:
    try:
        attack()
    except CommandFailed:
        return False
    return True


def until(step: Step, end: float, share: float, *arguments: str) -> None:
    """Run tests, and interrupt them, as Ctrl-C does, when their share of the time that is left is over."""
    left = int(share * (end - time.monotonic()))
    if left < 10:
        step.session.log(f"no time left for {arguments[0]}")
        return
    report = step.log / "junit" / "attack.xml"
    timeout = ["timeout", "--signal=INT", "--kill-after=60", str(left)]
    options = ["-q", "-p", "no:cacheprovider", "--hypothesis-seed", step.variables["TEST_SEED"], "--junitxml", report]
    step.run(*timeout, "python", "-m", "pytest", *options, *arguments, success_codes=[0, INTERRUPTED])
    if count(report)["failed"]:
        raise CommandFailed
