# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that a run of Ansible makes for itself and its workers, and removes at its end."""

from __future__ import annotations

from ansible import constants as C

RUN_DIRECTORY: str = C.DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]
