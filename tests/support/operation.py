# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module's operation in this process against an emulator, and let another client act in between."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.apsaravideo.live.plugins.module_utils._api.client import Client
from ansible_collections.apsaravideo.live.plugins.module_utils._api.operations import Operation
from ansible_collections.apsaravideo.live.plugins.module_utils._api.traffic import ApiResponse
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from support.emulator import Emulator
from support.playbook import environment


class Rival:
    """Another client, which acts just before a call of the task is sent."""

    def __init__(self) -> None:
        self._acts: dict[tuple[str, int], Callable[[], Any]] = {}

    def before(self, number: int, action: str, act: Callable[[], Any]) -> None:
        """Plan to act before the `number`th call of an API operation."""
        self._acts[action, number] = act

    def meet(self, client: Client) -> None:
        """Watch a client's calls, and act before those that were planned."""
        attempt = client.attempt
        counts: dict[str, int] = {}

        def watched(operation: Operation, parameters: Mapping[str, str], subject: str) -> ApiResponse:
            counts[operation.action] = counts.get(operation.action, 0) + 1
            act = self._acts.pop((operation.action, counts[operation.action]), None)
            if act:
                act()
            return attempt(operation, parameters, subject)

        client.attempt = watched  # type: ignore[method-assign]


def made_task(module: Any, cloud: Emulator, check_mode: bool = False, **options: Any) -> Task:
    """Return a task for a module of the core, as an ordinary module or an action plugin would make it."""
    checked = ArgumentSpecValidator(module.SPEC.options, **module.SPEC.rules).validate(options)
    if checked.error_messages:
        raise ValueError(checked.error_messages)
    environ = {**os.environ, **environment(cloud)}
    return Task(module.SPEC.fill(checked.validated_parameters), environ, check_mode)


def operated(
    module: Any, cloud: Emulator, check_mode: bool = False, rival: Rival | None = None, **options: Any
) -> dict[str, Any]:
    """Run a task and return its result; unless its options say otherwise, it does not retry and has no rate limit."""
    task = made_task(module, cloud, check_mode, **{"retry_timeout": 0, "rate_limit": 1e6, **options})
    if rival:
        live = task.open_live()
        rival.meet(live.client)
        task.open_live = lambda account=None: live  # type: ignore[method-assign]
    return execute(module.operate, task)


def actions(cloud: Emulator) -> list[str]:
    """Return the API operations that were called since the last time, and clear the log."""
    made = [str(call["action"]) for call in cloud.calls()]
    cloud.clear_calls()
    return made


def comparable(result: Mapping[str, Any]) -> str:
    """Return a result as text, without values that differ between any two runs."""
    chance = ("request_ids", "waited_seconds", "invocation", "ansible_facts", "failed", "exception")
    text = repr(sorted((name, value) for name, value in result.items() if name not in chance and name[0] != "_"))
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:]+Z", "TIME", re.sub(r"RequestId [0-9A-F-]+", "ID", text))
