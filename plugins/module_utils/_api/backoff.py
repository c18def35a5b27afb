# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constants of how the rate falls after a dropped call and rises again, the same wherever slots are kept."""

from __future__ import annotations

BACKOFF_FACTOR = 0.75  # of the rate, after a call was dropped
DEBOUNCE_SECONDS = 0.3  # during which further dropped calls count as the same event
MIN_FACTOR = 0.05  # of the full rate
RECOVERY = 0.02  # of the full rate, regained each second
MAX_SLOTS_AHEAD = 10_000  # a later slot cannot come from a queue
