# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options and the operation of the module apsaravideo_stream_notify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._api.live import Live
from .._api.models import INGEST_DOMAIN, STREAM_AUTH_KEY, NotifyConfig
from .._domain.reconcile import Outcome
from . import argspec, notify
from .task import Task

SPEC = argspec.Spec(
    {
        **notify.OPTIONS,
        "exception_notify_url": {"type": "str"},
        "switch_notify_url": {"type": "str"},
        "update_switch_notify_url": notify.UPDATE_SECRET,
    }
)

_UNSEEN = "Whether the cloud has this switch_notify_url or another is unknown, because it does not show it."
_NOT_SENT = " It was not sent; update_switch_notify_url=always has it sent."
_NO_KNOWN_CHANGE = " It is sent each time, and a change is reported without knowing that there is one."


class _Present(notify.Callback):
    """An ingest callback that should exist. The cloud does not show its URL for switches."""

    kind = "ingest callback"
    domain_kind = INGEST_DOMAIN
    defaults = {"notify_url": None, "exception_notify_url": None, "signed": False}
    urls = ("notify_url", "exception_notify_url", "switch_notify_url")
    removable_url = "exception_notify_url"
    auth_key = STREAM_AUTH_KEY
    key_length = "16 to 64"

    def __init__(self, live: Live, options: Mapping[str, Any]) -> None:
        super().__init__(live, options)
        self._switch_notify_url = options["switch_notify_url"]
        self._sends_switch_notify_url = bool(
            self._switch_notify_url and options["update_switch_notify_url"] == notify.ALWAYS
        )

    def read(self) -> NotifyConfig | None:
        return self._live.stream_notify_config(self._domain_name)

    def add(self, config: NotifyConfig) -> None:
        self.update(self._with_key(config))

    def update(self, config: NotifyConfig) -> None:
        self._live.set_stream_notify_config(config, self._switch_notify_url)

    def delete(self, config: NotifyConfig) -> None:
        self._live.delete_stream_notify_config(config)

    def list_warnings(self, outcome: Outcome) -> list[str]:
        """Return warnings about values that the cloud may not show: the key, and the URL for switches."""
        warnings = super().list_warnings(outcome)
        if outcome.before is None or not self._switch_notify_url:
            return warnings
        if not outcome.changed:
            return [*warnings, _UNSEEN + _NOT_SENT]
        only_sent = outcome.after is not None and outcome.before.settings == outcome.after.settings
        has_known_change = not only_sent or self._find_key_problem(outcome.before)
        return warnings if has_known_change else [*warnings, _UNSEEN + _NO_KNOWN_CHANGE]

    def _must_send(self, found: NotifyConfig) -> bool:
        return self._sends_switch_notify_url or super()._must_send(found)


class _Absent(notify.AbsentCallback, _Present):
    """An ingest callback that should not exist."""


def operate(task: Task) -> dict[str, Any]:
    """Create, change or remove the ingest callback of a domain, and return the result; raise LiveError."""
    return notify.manage(task, _Present if task.options["state"] == "present" else _Absent)
