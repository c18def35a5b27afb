# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the requirements of a dependency group, one a line: group.py pyproject.toml NAME."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any


def expand(groups: dict[str, Any], name: str) -> list[str]:
    lines: list[str] = []
    for entry in groups[name]:
        lines += [entry] if isinstance(entry, str) else expand(groups, entry["include-group"])
    return lines


if __name__ == "__main__":
    print("\n".join(expand(tomllib.loads(Path(sys.argv[1]).read_text())["dependency-groups"], sys.argv[2])))
