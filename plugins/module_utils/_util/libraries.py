# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries that the collection requires and that Python may not find."""

from __future__ import annotations

import sys

MISSING_LIBRARIES: dict[str, ImportError] = {}  # by name; the modules that import one add it


def missing_libraries() -> str | None:
    """Return what to say where a library is missing that is required, None where none is."""
    if not MISSING_LIBRARIES:
        return None
    names = " and ".join(MISSING_LIBRARIES)
    return f"{sys.executable} does not find {names}. Run: {sys.executable} -m pip install {' '.join(MISSING_LIBRARIES)}"
