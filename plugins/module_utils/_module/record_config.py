# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options and the operation of the module apsaravideo_record_config."""

from __future__ import annotations

from typing import Any

from .._api.live import Live
from .._api.rows import RECORD_MODES
from .._domain import reconcile, record_config
from .._domain.reconcile import DELETE, Change
from . import argspec
from .task import Task

_FORMAT: dict[str, Any] = {
    "format": {"type": "str", "required": True},
    "cycle_duration": {"type": "int"},
    "slice_duration": {"type": "int"},
    "oss_object_prefix": {"type": "str"},
    "slice_oss_object_prefix": {"type": "str"},
}
SPEC = argspec.Spec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **argspec.DOMAIN,
        "app_name": {"type": "str", "default": "*", "aliases": ["app"]},
        "stream_name": {"type": "str", "default": "*", "aliases": ["stream"]},
        "mode": {"type": "str", "choices": list(RECORD_MODES), "default": "manual"},
        "oss_bucket": {"type": "str"},
        "oss_endpoint": {"type": "str"},
        "delay_time": {"type": "int"},
        "formats": {"type": "list", "elements": "dict", "options": _FORMAT},
        "transcode_formats": {"type": "list", "elements": "dict", "options": _FORMAT},
        "transcode_templates": {"type": "list", "elements": "str"},
        "start_time": {"type": "str"},
        "end_time": {"type": "str"},
        **argspec.CONNECTION,
    }
)

_LATER = (
    "The configuration takes effect at the next push of a stream; until then, what was in effect when its push began "
    "goes on applying."
)


class _Present(reconcile.Resource):
    """A recording configuration that should exist, with the fields of `rows.parse_record_config`."""

    def __init__(self, live: Live, desired: dict[str, Any]) -> None:
        self._live = live
        self._desired = desired

    def read(self) -> dict[str, Any] | None:
        configs = self._live.record_configs(self._desired["domain_name"])
        return next((config for config in configs if record_config.has_same_names(config, self._desired)), None)

    def add(self, config: dict[str, Any]) -> None:
        self._live.add_record_config(config)

    def update(self, config: dict[str, Any]) -> None:
        self._live.update_record_config(config)

    def delete(self, config: dict[str, Any]) -> None:
        self._live.delete_record_config(config)

    def may_retry(self) -> bool:
        return self._live.client.may_retry()

    def plan(self, found: dict[str, Any] | None) -> Change | None:
        return record_config.plan_change(found, self._desired)

    def list_differences(self, found: dict[str, Any] | None) -> list[str]:
        return record_config.list_differences(found, self._desired) if found else ["state"]

    def render(self, config: dict[str, Any] | None) -> dict[str, Any] | None:
        return config


class _Absent(_Present):
    """A recording configuration that should not exist; only the desired names matter."""

    def plan(self, found: dict[str, Any] | None) -> Change | None:
        return Change(DELETE, None) if found else None

    def list_differences(self, found: dict[str, Any] | None) -> list[str]:
        return ["state"] if found else []


def operate(task: Task) -> dict[str, Any]:
    """Create, change or remove a recording configuration, and return the result; raise LiveError."""
    present = task.options["state"] == "present"
    if present:
        desired = record_config.parse_options(task.options, task.clock.now())
    else:
        desired = record_config.parse_names(task.options)
    resource = (_Present if present else _Absent)(task.open_live(), desired)
    outcome = reconcile.predict(resource) if task.check_mode else reconcile.apply(resource)
    if not task.check_mode:
        task.warnings += reconcile.verification_warnings(resource, outcome)
        if present and outcome.changed:
            task.warnings.append(_LATER)
    if present and outcome.changed:
        task.warnings += record_config.warn_of_durations(desired)
    return {**reconcile.make_result(resource, outcome), "replaced": outcome.replaced}
