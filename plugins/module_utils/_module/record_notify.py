# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options and the operation of the module apsaravideo_record_notify."""

from __future__ import annotations

from typing import Any

from .._api.models import AUTH_KEY, STREAMING_DOMAIN, NotifyConfig
from . import argspec, notify
from .task import Task

SPEC = argspec.Spec({**notify.OPTIONS, "on_demand_url": {"type": "str"}, "status_events": {"type": "bool"}})


class _Present(notify.Callback):
    """A recording callback that should exist."""

    kind = "recording callback"
    domain_kind = STREAMING_DOMAIN
    defaults = {"notify_url": None, "on_demand_url": None, "status_events": False, "signed": False}
    urls = ("notify_url", "on_demand_url")
    removable_url = "on_demand_url"
    auth_key = AUTH_KEY
    key_length = "16 to 32"

    def read(self) -> NotifyConfig | None:
        return self._live.notify_config(self._domain_name)

    def add(self, config: NotifyConfig) -> None:
        self._live.add_notify_config(self._with_key(config))

    def update(self, config: NotifyConfig) -> None:
        self._live.update_notify_config(config)

    def delete(self, config: NotifyConfig) -> None:
        self._live.delete_notify_config(config)


class _Absent(notify.AbsentCallback, _Present):
    """A recording callback that should not exist."""


def operate(task: Task) -> dict[str, Any]:
    """Create, change or remove the recording callback of a domain, and return the result; raise LiveError."""
    return notify.manage(task, _Present if task.options["state"] == "present" else _Absent)
