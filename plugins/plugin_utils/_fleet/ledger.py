# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the results of the earlier batches of a run for the later ones, in the run's own directory."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any, NamedTuple


class Batch(NamedTuple):
    """The result of a batch: an entry for each stream, and the numbers of its calls."""

    entries: list[dict[str, Any]]
    api_calls: int
    throttled: int


class Ledger:
    """The batches of a run; all of them have the same `run`."""

    def __init__(self, directory: str, run: str) -> None:
        self._path = os.path.join(directory, f"apsaravideo-fleet-{run}")

    def read(self) -> list[Batch]:
        """Return the batches before."""
        found = []
        with suppress(OSError), open(self._path, encoding="utf-8") as file:
            for line in file:
                with suppress(ValueError, TypeError):  # half a line, where the disk was full
                    found.append(Batch(*json.loads(line)))
        return found

    def add(self, batch: Batch) -> None:
        """Add a batch. Raises OSError."""
        with open(self._path, "a", encoding="utf-8", opener=_private) as file:
            file.write(json.dumps(batch) + "\n")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
