# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that only a fleet takes, besides those of `module_utils/_steps.py`: waiting for moments and for pushes."""

from __future__ import annotations

from typing import NamedTuple


class At(NamedTuple):
    """Wait for a moment of the wall clock, in seconds since the epoch; the next command leaves then and not before.

    From `give_up` on, nothing that failed until then is attempted again, because something else is due.
    """

    moment: float
    give_up: float | None = None


class AwaitNewPush(NamedTuple):
    """Wait for a push that began after the one that is going on, until a moment of the wall clock.

    Answered by True, or by False where the moment came first.
    """

    until: float
