# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the online streams of a plan's domains."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._module.task import Task
from .._util.external_process import ALLOW_EXTERNAL_PROCESS
from .plan import Plan, Row, fill_defaults


def read_online(
    plan: Plan, transcoded: bool, allowed: Any, run_directory: str
) -> tuple[list[list[Row]], list[dict[str, Any]]]:
    """Return the online streams of each listing, and the outcome of each task that made calls.

    Listings with equal connections share a task. `allowed` is what the extra variables say about programs, None if
    nothing.
    """
    keys = [json.dumps(listing.connection, sort_keys=True) for listing in plan.listings]
    tasks = {
        key: Task(fill_defaults(_restrict(listing.connection, allowed)), os.environ, run_directory=run_directory)
        for key, listing in zip(keys, plan.listings)
    }
    lives = {key: task.open_live() for key, task in tasks.items()}  # missing credentials are found before any call
    found = [listing.read(lives[key], transcoded) for key, listing in zip(keys, plan.listings)]
    for task in tasks.values():
        task.close()
    return found, [task.summarize() for task in tasks.values()]


def find_permission(extra_variables: Mapping[str, Any], templar: Any) -> Any:
    """Return what an extra variable (-e) says about running programs, None if nothing."""
    templar.available_variables = extra_variables
    return templar.template(extra_variables.get(ALLOW_EXTERNAL_PROCESS))


def _restrict(connection: dict[str, Any], allowed: Any) -> dict[str, Any]:
    """Return connection options in which only an extra variable allows programs to run; a source can only forbid it."""
    name = "allow_external_process"
    if allowed is not None:
        return {**connection, name: boolean(allowed, strict=False)}
    return {key: value for key, value in connection.items() if key != name or not value}
