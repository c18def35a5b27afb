# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of ApsaraVideo Live, API version 2016-11-01: parameters -> response.

Each module is one subject. The table at its end names its operations, each with a function of one `Call`, its
documented call limit and its parameters. Ranges, defaults and shapes are those of the official SDK's models and of the
help pages.
"""

from __future__ import annotations

from . import domains, ingest_notifications, notifications, record_configs, recordings, streams, usage

LIVE_VERSION = "2016-11-01"
OPERATIONS = {
    operation.name: operation
    for subject in (recordings, streams, record_configs, notifications, ingest_notifications, domains, usage)
    for operation in subject.OPERATIONS
}
