# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module's operation in the worker process of the task instead of in a Python process of its own.

An ordinary module takes about a quarter of a second of CPU time before it does anything. This runs the same operation,
with the same validation and the same results. It does not depend on the worker being forked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ...module_utils._api.models import name_as_text
from ...module_utils._errors import InvalidOption, LiveError, ParentExited
from ...module_utils._http import transport
from ...module_utils._module.argspec import CONNECTION, STREAM, Spec
from ...module_utils._module.task import Task, execute
from ...module_utils._util.clock import Clock
from ...module_utils._util.libraries import explain_missing_libraries
from .._util.external_process import may_set
from .._util.plain import to_module_arguments, to_plain
from .._util.run_directory import RUN_DIRECTORY
from .hosts import evaluate

transport.preload_certificates()  # Ansible loads action plugins before it forks a process for each host.
_LOADED_BY = os.getpid()


def is_orphan() -> bool:
    """Return whether ansible-playbook has exited and left this worker behind."""
    return _LOADED_BY not in (os.getpid(), os.getppid())


class WorkerClock(Clock):
    """A clock whose `sleep` raises once ansible-playbook has exited.

    If it is killed, its workers go on waiting, for `start_at` or for a retry, and a request that they send later could
    undo what somebody has done since.
    """

    def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds; at the end, raise ParentExited if ansible-playbook has exited."""
        super().sleep(seconds)
        self.check()

    def check(self) -> None:
        """Raise ParentExited if ansible-playbook has exited."""
        if is_orphan():
            raise ParentExited("The run that this task is a part of has ended", "Run it again.")


class InProcessAction(ActionBase):
    """The base class of action plugins; a subclass sets `spec` and `operate` to those of its module.

    `variables` pairs options with the variables that set them where the task does not.
    """

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = True

    spec: Spec
    operate: Callable[[Task], dict[str, Any]]
    variables: tuple[tuple[str, str], ...] = tuple((name, f"apsaravideo_{name}") for name in CONNECTION)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task, of which only a local one runs in this process."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        if result.get("skipped"):
            return result
        try:
            given = self._collect_options(task_vars or {})
            given.update(self._convert_names(given))
        except InvalidOption as error:
            result.update(self._make_failure(error))
            return result
        arguments = to_module_arguments(given) if self._runs_here() else None
        if arguments is not None:
            with self._task_environment():
                result.update(self._execute_here(arguments, task_vars or {}))
        else:  # also for arguments that cannot be sent, which Ansible reports
            wrapped = bool(self._task.async_val) and not self._connection.has_native_async
            result.update(self._execute_module(module_args=given, task_vars=task_vars, wrap_async=wrapped))
        return result

    @contextmanager
    def _task_environment(self) -> Iterator[None]:
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        with _set_environment(environment):
            yield

    def _runs_here(self) -> bool:
        return self._connection.transport == "local" and not self._task.async_val and self._connection.become is None

    def _collect_options(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the task's options, and those that variables set."""
        given = dict(self._task.args)
        for name, variable in self.variables:
            spellings = (name, *self.spec.options[name].get("aliases", ()))
            value = task_vars.get(variable)
            if value is not None and not any(key in given for key in spellings):
                found = evaluate(self._templar, variable, value, task_vars.get("omit"))
                if found is not None and may_set(variable, found, self._loader):
                    given[name] = found
        return given

    def _convert_names(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Return the options that name a stream as text; raises InvalidOption for a boolean and the like.

        Ansible's validation would convert YAML's true and 1.1 to text, which is rarely the name that was meant.
        """
        spellings = {
            spelling: name
            for name in STREAM.keys() & self.spec.options
            for spelling in (name, *self.spec.options[name].get("aliases", ()))
        }
        values = {key: to_plain(given[key]) for key in spellings.keys() & given if not isinstance(given[key], str)}
        return {key: name_as_text(spellings[key], value) for key, value in values.items() if value is not None}

    def _make_failure(self, error: LiveError) -> dict[str, Any]:
        """Return the result of a task that fails before its operation begins."""

        def refuse(_task: Task) -> dict[str, Any]:
            raise error

        return execute(refuse, Task(self.spec.fill({}), os.environ))

    def _execute_here(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the result that AnsibleModule would return for these arguments."""
        checked = ArgumentSpecValidator(self.spec.options, **self.spec.rules).validate(arguments)
        options = checked.validated_parameters
        if checked.error_messages:
            result: dict[str, Any] = {"failed": True, "msg": self._format_errors(checked.errors)}
        elif explain_missing_libraries():
            result = {"failed": True, "msg": explain_missing_libraries()}
        else:
            task = Task(
                self.spec.fill(options), os.environ, self._task.check_mode, WorkerClock(), run_directory=RUN_DIRECTORY
            )
            result = execute(self.operate, task)
            for line in task.debug:
                Display().vvv(task.mask(line))
        duplicates = [f"Both option {row['option']} and its alias {row['alias']} are set." for row in checked._warnings]
        warnings = duplicates + result.pop("warnings", [])
        if warnings:
            result["warnings"] = warnings
        if checked._deprecations:
            result["deprecations"] = [
                {"msg": row.get("msg"), "version": row.get("version"), "date": row.get("date")}
                for row in checked._deprecations
            ]
        if _shows_invocation(task_vars):
            result["invocation"] = {"module_args": options}
        return dict(remove_values(to_plain(result), checked._no_log_values))

    def _format_errors(self, errors: Any) -> str:
        if isinstance(errors[0], UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {errors.msg}"
        return str(errors.msg)


def _shows_invocation(task_vars: dict[str, Any]) -> bool:
    """Return whether results include the module's arguments; True if ansible-core has no setting for it yet."""
    try:
        return bool(C.config.get_config_value("INJECT_INVOCATION", variables=task_vars))
    except AnsibleError:
        return True


@contextmanager
def _set_environment(changes: Mapping[str, Any]) -> Iterator[None]:
    """Set the variables of the task's `environment` while it runs; requests reads proxies and certificates there."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update({name: str(value) for name, value in changes.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
