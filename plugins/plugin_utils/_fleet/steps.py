# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that only a fleet's program takes, in addition to those of `module_utils/_domain/steps.py`."""

from __future__ import annotations

from typing import NamedTuple


class AwaitTime(NamedTuple):
    """Wait until `epoch`, before which the next command is not sent.

    From `deadline` on, a command that has not been sent by then fails, because something else is due. Both are seconds
    since the epoch.
    """

    epoch: float
    deadline: float | None = None


class AwaitNewPush(NamedTuple):
    """Wait for a push that begins after the current one; results in False if there is none by `until`, else in True.

    `until` is in seconds since the epoch.
    """

    until: float
