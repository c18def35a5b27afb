# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's operation in this process against an emulator, with somebody else acting in between."""

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
    """Somebody else, who acts just before a call of the task is sent."""

    def __init__(self) -> None:
        self._acts: dict[tuple[str, int], Callable[[], Any]] = {}

    def before(self, number: int, action: str, act: Callable[[], Any]) -> None:
        """Act before the call of an operation that is the `number`th of its kind."""
        self._acts[action, number] = act

    def meet(self, client: Client) -> None:
        """Be there when this client calls."""
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
    """A task of a module's core (its `SPEC` and `operate`), as either edge would make it."""
    checked = ArgumentSpecValidator(module.SPEC.options, **module.SPEC.rules).validate(options)
    if checked.error_messages:
        raise ValueError(checked.error_messages)
    environ = {**os.environ, **environment(cloud)}
    return Task(module.SPEC.filled(checked.validated_parameters), environ, check_mode)


def operated(
    module: Any, cloud: Emulator, check_mode: bool = False, rival: Rival | None = None, **options: Any
) -> dict[str, Any]:
    """The result of a task that waits for no retries and no pace unless its options say so."""
    task = made_task(module, cloud, check_mode, **{"retry_timeout": 0, "rate_limit": 1e6, **options})
    if rival:
        live = task.live()
        rival.meet(live.client)
        task.live = lambda account=None: live  # type: ignore[method-assign]
    return execute(module.operate, task)


def actions(cloud: Emulator) -> list[str]:
    """The operations that were called since the last time."""
    made = [str(call["action"]) for call in cloud.calls()]
    cloud.clear_calls()
    return made


def comparable(result: Mapping[str, Any]) -> str:
    """A result without what differs between any two runs."""
    chance = ("request_ids", "waited_seconds", "invocation", "ansible_facts", "failed", "exception")
    text = repr(sorted((name, value) for name, value in result.items() if name not in chance and name[0] != "_"))
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:]+Z", "TIME", re.sub(r"RequestId [0-9A-F-]+", "ID", text))
