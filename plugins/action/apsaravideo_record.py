# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module apsaravideo_record in the worker process where the task is local."""

from __future__ import annotations

from typing import Any

from ..module_utils._argspec import STREAM
from ..module_utils._record import SPEC, operate
from ..plugin_utils._in_process import InProcessAction

# What the playbooks of the collection leave to variables, some of them by shorter names.
_OF_THE_PLAYBOOKS = (
    ("domain_name", "domain_name"),
    ("app_name", "app_name"),
    ("stream_name", "stream_name"),
    ("state", "record_state"),
    ("finalize", "finalize"),
    ("finalize", "record_finalize"),
    ("wait_for_stream", "record_wait_for_stream"),
    ("start_at", "start_at"),
    ("start_at", "record_start_at"),
    ("wait", "record_wait"),
    ("wait_timeout", "record_wait_timeout"),
    ("rate_limit", "record_rate_limit"),
)


class ActionModule(InProcessAction):
    """The action of the module of the same name."""

    spec = SPEC
    operate = staticmethod(operate)

    def _given(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        if "record_playbook" not in task_vars:
            return super()._given(task_vars)
        self.variables = (*_OF_THE_PLAYBOOKS, *self.variables)
        # A host without a name is told so by the operation, in words about that name.
        return {**dict.fromkeys(STREAM, ""), **super()._given(task_vars)}
