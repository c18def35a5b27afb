# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module apsaravideo_record in the worker process where the task is local."""

from __future__ import annotations

from typing import Any

from ..module_utils._argspec import STREAM
from ..module_utils._record import SPEC, operate
from ..plugin_utils._in_process import InProcessAction

_ROLE = "apsaravideo.live.record"
# What the role and the playbooks leave to variables: as templates in their tasks, each would be compiled anew for each
# stream, which takes Ansible one to two milliseconds, whether it is set or not.
_OF_THE_ROLE = (
    ("domain_name", "domain_name"),
    ("app_name", "app_name"),
    ("stream_name", "stream_name"),
    ("state", "record_state"),
    ("finalize", "record_finalize"),
    ("wait_for_stream", "record_wait_for_stream"),
    ("start_at", "record_start_at"),
    ("wait", "record_wait"),
    ("wait_timeout", "record_wait_timeout"),
    ("rate_limit", "record_rate_limit"),
)
_OF_THE_PLAYBOOKS = (("finalize", "finalize"), ("start_at", "start_at"))


class ActionModule(InProcessAction):
    """The action of the module of the same name."""

    spec = SPEC
    operate = staticmethod(operate)

    def _given(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        of_a_playbook = "record_playbook" in task_vars
        if not of_a_playbook and task_vars.get("ansible_role_name") != _ROLE:
            return super()._given(task_vars)
        # The playbooks of the collection take some by shorter names.
        self.variables = (*(_OF_THE_PLAYBOOKS if of_a_playbook else ()), *_OF_THE_ROLE, *self.variables)
        # A host without a name is told so by the operation, in words about that name.
        return {**dict.fromkeys(STREAM, ""), **super()._given(task_vars)}
