# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of apsaravideo_record_report."""

from __future__ import annotations

from ..plugin_utils._fleet.report import ReportAction


class ActionModule(ReportAction):
    """Sums up the results of apsaravideo_record."""
