# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operation of the module apsaravideo_record_config: one recording configuration of a domain."""

from __future__ import annotations

from typing import Any

from . import _argspec, _change, _configs
from ._change import DELETE, Change
from ._live import RECORD_MODES, Live
from ._task import Task

_FORMAT: dict[str, Any] = {
    "format": {"type": "str", "required": True},
    "cycle_duration": {"type": "int"},
    "slice_duration": {"type": "int"},
    "oss_object_prefix": {"type": "str"},
    "slice_oss_object_prefix": {"type": "str"},
}
SPEC = _argspec.Spec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **_argspec.DOMAIN,
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
        **_argspec.CONNECTION,
    }
)

_LATER = (
    "The configuration takes effect at the next push of a stream; until then, what was in effect when its push began "
    "goes on applying."
)


class _Present(_change.Resource):
    """A configuration that should be there, in the form of `_live.record_config`."""

    def __init__(self, live: Live, wanted: dict[str, Any]) -> None:
        super().__init__(live)
        self.wanted = wanted

    def read(self) -> dict[str, Any] | None:
        configs = self.live.record_configs(self.wanted["domain_name"])
        return next((config for config in configs if _configs.same_names(config, self.wanted)), None)

    def add(self, config: dict[str, Any]) -> None:
        self.live.add_record_config(config)

    def update(self, config: dict[str, Any]) -> None:
        self.live.update_record_config(config)

    def delete(self, config: dict[str, Any]) -> None:
        self.live.delete_record_config(config)

    def change(self, found: dict[str, Any] | None) -> Change | None:
        return _configs.change(found, self.wanted)

    def differences(self, found: dict[str, Any] | None) -> list[str]:
        return _configs.differences(found, self.wanted) if found else ["state"]

    def shown(self, config: dict[str, Any] | None) -> dict[str, Any] | None:
        return config


class _Absent(_Present):
    """A configuration that should not be there; only the names of what is wanted count."""

    def change(self, found: dict[str, Any] | None) -> Change | None:
        return Change(DELETE, None) if found else None

    def differences(self, found: dict[str, Any] | None) -> list[str]:
        return ["state"] if found else []


def operate(task: Task) -> dict[str, Any]:
    """The result of one run; raises LiveError where the configuration cannot be brought to what is wanted."""
    present = task.options["state"] == "present"
    wanted = _configs.checked(task.options, task.clock.now()) if present else _configs.checked_names(task.options)
    resource = (_Present if present else _Absent)(task.live(), wanted)
    outcome = _change.predict(resource) if task.check_mode else _change.carry_out(resource)
    if not task.check_mode:
        task.warnings += _change.doubt(resource, outcome)
        if present and outcome.changed:
            task.warnings.append(_LATER)
    if present and outcome.changed:
        task.warnings += _configs.doubtful_durations(wanted)
    return {**_change.result(resource, outcome), "replaced": outcome.replaced}
