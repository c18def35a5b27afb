# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of apsaravideo_record_status."""

from __future__ import annotations

from ..plugin_utils._fleet.overview import OverviewAction


class ActionModule(OverviewAction):
    """Shows the recordings of all streams of an inventory."""
