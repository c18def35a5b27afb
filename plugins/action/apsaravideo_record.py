# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module apsaravideo_record in the worker process where the task is local."""

from __future__ import annotations

from typing import Any

from ..module_utils._record import SPEC, operate
from ..plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    """The action of the module of the same name."""

    spec = SPEC
    operate = staticmethod(operate)
    # The variables of the role record that are rarely set.
    variables = (
        ("finalize", "record_finalize"),
        ("wait_for_stream", "record_wait_for_stream"),
        ("start_at", "record_start_at"),
        ("wait", "record_wait"),
        ("wait_timeout", "record_wait_timeout"),
        ("rate_limit", "record_rate_limit"),
        *InProcessAction.variables,
    )

    def _given(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        # The playbooks of the collection take some by shorter names. A variable there that stands for another would be
        # a template for each stream.
        if "record_playbook" in task_vars:
            self.variables = (("finalize", "finalize"), ("start_at", "start_at"), *self.variables)
        return super()._given(task_vars)
