# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the document's streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def get_row_name(row: Mapping[str, Any]) -> str:
    """Return app/stream, followed by the host if its name says something else, or else what is known."""
    host, names = row.get("host"), [row[field] for field in ("app_name", "stream_name") if row.get(field)]
    if not names:
        return host or "?"
    return "/".join(names) if host in (None, names[-1]) else f"{'/'.join(names)} ({host})"
