# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge to Ansible of modules: options in, result or failure out."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._util.libraries import explain_missing_libraries
from .argspec import Spec
from .task import Task, execute


def run(spec: Spec, operate: Callable[[Task], dict[str, Any]]) -> None:
    """Run an operation as an AnsibleModule and exit with its result."""
    module = AnsibleModule(argument_spec=spec.options, supports_check_mode=True, **spec.rules)
    missing = explain_missing_libraries()
    if missing:
        module.fail_json(msg=missing)
    task = Task(spec.fill(module.params), os.environ, module.check_mode)
    result = execute(operate, task)
    for line in task.debug:
        module.debug(line)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
