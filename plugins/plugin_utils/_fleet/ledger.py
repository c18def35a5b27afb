# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger of the results of a play's earlier batches, in the directory of the ansible-playbook process."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any, NamedTuple

from .._report.document import Measures


class Batch(NamedTuple):
    """The result of a batch: an entry for each stream, and the calls that were made."""

    entries: list[dict[str, Any]]
    measures: Measures


class Ledger:
    """The file in which the batches of a run, which all name the same `run`, append their results."""

    def __init__(self, directory: str, run: str) -> None:
        self._path = os.path.join(directory, f"apsaravideo-fleet-{run}")

    def read(self) -> list[Batch]:
        """Return the earlier batches."""
        found = []
        with suppress(OSError), open(self._path, encoding="utf-8") as file:
            for line in file:
                with suppress(ValueError, TypeError):  # a line that is cut off because the disk was full
                    entries, measures = json.loads(line)
                    found.append(Batch(entries, Measures(*measures)))
        return found

    def add(self, batch: Batch) -> None:
        """Append a batch; raise OSError if the file cannot be written."""
        with open(self._path, "a", encoding="utf-8", opener=_open_private) as file:
            file.write(json.dumps(batch) + "\n")


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
