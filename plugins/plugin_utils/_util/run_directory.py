# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The temporary directory of a run of Ansible, which its workers share, and which it removes at its end."""

from __future__ import annotations

from ansible import constants as C

RUN_DIRECTORY: str = C.DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]
