# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the earlier batches of a run came to, kept for the later ones in the directory that the run makes for itself."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any


class Ledger:
    """The entries of a run; all batches of a task have the same `run`."""

    def __init__(self, directory: str, run: str) -> None:
        self._path = os.path.join(directory, f"apsaravideo-fleet-{run}")

    def read(self) -> list[dict[str, Any]]:
        """Return the entries of the batches before."""
        with suppress(FileNotFoundError), open(self._path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]
        return []

    def add(self, entries: list[dict[str, Any]]) -> None:
        """Add the entries of a batch. Raises OSError."""
        with open(self._path, "a", encoding="utf-8", opener=_private) as file:
            file.writelines(json.dumps(entry) + "\n" for entry in entries)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
