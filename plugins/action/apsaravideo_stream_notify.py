# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module `apsaravideo_stream_notify` in the worker process if the task is local."""

from __future__ import annotations

from ..module_utils._module.stream_notify import SPEC, operate
from ..plugin_utils._action.in_process import InProcessAction


class ActionModule(InProcessAction):
    """Run `apsaravideo_stream_notify` in the worker process if the connection is local, else on the host."""

    spec = SPEC
    operate = staticmethod(operate)
