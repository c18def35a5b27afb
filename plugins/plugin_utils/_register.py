# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `register` does, without the expression that ansible-core 2.21 and later compile for it in each worker.

That costs each stream as much CPU time as the TLS connection of its call. An action plugin may register variables by
itself there, and then no expression is asked for. Whatever is not as plain as the result of a task that went well is
left to Ansible, and so is everything in older versions, where the process of the play registers the result as it is.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

_WHOLE_RESULT = "_task.polymorphic_result"  # the expression that `register: name` stands for
_OF_ANSIBLE = ("failed", "skipped", "warnings", "deprecations", "exception", "ansible_facts")


def register(action: ActionBase, result: dict[str, Any]) -> None:
    """Register the result of a task where Ansible would register just that, and need not do it any more."""
    task = action._task
    wanted = task.register
    if (
        not hasattr(action, "register_host_variables")
        or not isinstance(wanted, dict)
        or any(expression != _WHOLE_RESULT for expression in wanted.values())
        or any(result.get(key) for key in _OF_ANSIBLE)
        or any((task.loop, task.async_val, task.changed_when, task.failed_when, task.until, task.retries))
    ):
        return
    plain = {key: value for key, value in result.items() if key not in _OF_ANSIBLE}
    whole = {"changed": False, "failed": False, **plain}
    action._supports_async = False  # which this task makes no use of; one that does may register nothing
    action.register_host_variables(dict.fromkeys(wanted, whole))
    task.register = None
