# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Required libraries that this Python may lack."""

from __future__ import annotations

import sys

MISSING_LIBRARIES: dict[str, ImportError] = {}  # by name; each module adds the libraries that it could not import


def explain_missing_libraries() -> str | None:
    """Return which libraries are missing and the command that installs them; None if none is missing."""
    if not MISSING_LIBRARIES:
        return None
    names = " and ".join(MISSING_LIBRARIES)
    return f"{sys.executable} does not find {names}. Run: {sys.executable} -m pip install {' '.join(MISSING_LIBRARIES)}"
