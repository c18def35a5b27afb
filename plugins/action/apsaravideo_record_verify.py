# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of apsaravideo_record_verify, which verifies the recordings of many streams in one task."""

from __future__ import annotations

from typing import Any

from ..plugin_utils._action.in_process import InProcessAction
from ..plugin_utils._fleet.options import VERIFY_SPEC
from ..plugin_utils._fleet.verify_run import VerifyRun


class ActionModule(InProcessAction):
    """The action of the module of the same name, which is only documentation."""

    BYPASS_HOST_LOOP = True
    _supports_async = False

    spec = VERIFY_SPEC
    variables = ()  # Each stream has its own variables for connection options.

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return one result for all streams: of the play's batch, of a pattern, or of a list."""
        self.operate = lambda task: VerifyRun(self, task_vars or {}, task).run()
        result = super().run(tmp, task_vars)
        result.pop("invocation", None)  # It would show the whole list of streams.
        return result

    def _runs_here(self) -> bool:
        return True
