# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a task, in which the earlier runs of the same ansible-playbook have their places."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from .._util.files import write_atomically
from .document import make_document
from .files import append_step_summary, check_paths, get_ending, write_reports

REPORT: dict[str, Any] = {"report": {"type": "list", "elements": "str", "default": []}}  # options of a task
_PREFIX = "apsaravideo-report-"


class Reporter:
    """The files of a task's option `report`, of which several tasks of an ansible-playbook may name the same.

    `directory` is that of the ansible-playbook process, where each run is saved under its `key` for later tasks.
    Batches of one run have the same key, and the last one has the streams of all.
    """

    def __init__(self, paths: Sequence[str], directory: str, key: str, environ: Mapping[str, str]) -> None:
        """Read the earlier runs; raise InvalidOption if a path cannot be that of a report."""
        given = (path.strip() for path in paths)
        self.paths = [os.path.abspath(os.path.expanduser(path)) for path in given if path]
        self._file = os.path.join(directory, f"{_PREFIX}{key}.json")
        self._environ = environ
        self.written: list[str] = []
        # They are read now, because the directory may be gone when an interrupted run ends.
        saved = dict(_read_runs(directory)) if self.paths else {}
        self._earlier = [run for path, run in saved.items() if path != self._file]
        check_paths("report", self.paths, {path for run in saved.values() for path in run["paths"]})

    def write(self, run: Mapping[str, Any], now: float, is_last: bool = True) -> list[str]:
        """Write the report, and return warnings; `is_last` is false for a batch that others follow."""
        warnings: list[str] = []
        places: dict[tuple[int, ...], list[str]] = {}
        for path in dict.fromkeys(self.paths):
            shared = tuple(number for number, saved in enumerate(self._earlier) if path in saved["paths"])
            places.setdefault(shared, []).append(path)
        for shared, paths in places.items():
            runs = [*(self._earlier[number]["run"] for number in shared), run]
            warnings += self._write(make_document(runs, now), paths)
        if places:
            self._save(run)
        return warnings + (self._append_step_summary(make_document([run], now)) if is_last else [])

    def write_document(self, document: Mapping[str, Any]) -> list[str]:
        """Write a document of its own, without earlier runs, and return warnings."""
        return self._write(document, self.paths) + self._append_step_summary(document)

    def _write(self, document: Mapping[str, Any], paths: Sequence[str]) -> list[str]:
        found = {path: write_reports(document, [path]) for path in paths}
        self.written += [path for path in found if not found[path]]
        return [warning for warnings in found.values() for warning in warnings]

    def _append_step_summary(self, document: Mapping[str, Any]) -> list[str]:
        path = self._environ.get("GITHUB_STEP_SUMMARY")
        has_markdown = any(get_ending(name) == ".md" for name in self.paths)
        return append_step_summary(document, path) if path and has_markdown else []

    def _save(self, run: Mapping[str, Any]) -> None:
        with suppress(OSError):  # The directory is gone once ansible-playbook has ended.
            write_atomically(self._file, json.dumps({"paths": self.paths, "run": run}))


def _read_runs(directory: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the files of saved runs and what they hold, in the order in which they ended."""
    found = glob.glob(os.path.join(glob.escape(directory), f"{_PREFIX}*.json"))
    with suppress(OSError):
        for path in sorted(found, key=os.path.getmtime):
            with suppress(ValueError), open(path, encoding="utf-8") as file:
                yield path, json.load(file)
