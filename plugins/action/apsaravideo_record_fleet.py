# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the recordings of many streams to a state, in one task of one host."""

from __future__ import annotations

from typing import Any

from ..plugin_utils._action.in_process import InProcessAction
from ..plugin_utils._fleet.operation import SPEC, Operation


class ActionModule(InProcessAction):
    """The action of the module of the same name, which is documentation only."""

    BYPASS_HOST_LOOP = True
    _supports_async = False

    spec = SPEC
    variables = ()  # those of each stream count instead

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what became of the streams of the batch, of a pattern, or of a list."""
        self.operate = Operation(self, task_vars or {}).run
        result = super().run(tmp, task_vars)
        result.pop("invocation", None)  # a list of streams would fill the screen
        return result

    def _runs_here(self) -> bool:
        return True
