# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of a report, each in the form that its ending names."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ...module_utils._errors import InvalidOption, printable
from .._util.files import require_regular_file, write_atomically
from . import csv_text, json_text, junit, markdown, page, prometheus

WRITERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    ".json": json_text.format_json,
    ".csv": csv_text.format_csv,
    ".xml": junit.format_junit,
    ".md": markdown.format_markdown,
    ".prom": prometheus.format_metrics,
    ".html": page.make_page,
}
_MIN_ROOM = 2000  # bytes


def check_paths(option: str, paths: Sequence[str], known: Collection[str] = ()) -> None:
    """Raise InvalidOption if the ending of a path names no form, or if no file can be there.

    The directory of a `known` path existed when an earlier run began; that it is gone by now must not stop this one.
    """
    for path in paths:
        if get_ending(path) not in WRITERS:
            raise InvalidOption(
                f"The option {option} has {path}, whose ending names no form of a report",
                f"Use one of {' '.join(WRITERS)}.",
            )
        if path not in known and not os.path.isdir(os.path.dirname(path)):
            raise InvalidOption(
                f"The option {option} has {path}, whose directory does not exist", "Create it, or name another one."
            )
        try:
            require_regular_file(path)
        except OSError as error:
            raise InvalidOption(
                f"The option {option} has {path}, which cannot be written: {error.strerror}",
                "Name a file of its own.",
            ) from error


def write_reports(document: Mapping[str, Any], paths: Sequence[str]) -> list[str]:
    """Write a document to each path, whole or not at all, and return a warning for each that cannot be written."""
    warnings = []
    texts: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        ending = get_ending(path)
        try:
            if ending not in texts:
                texts[ending] = WRITERS[ending](document)
            write_atomically(path, texts[ending])
        except OSError as error:
            warnings.append(f"The report {printable(path)} was not written: {error.strerror}.")
        except Exception as error:  # The result of the run matters more than a bug in one of its forms.
            warnings.append(f"The report {printable(path)} was not written: an unexpected {type(error).__name__}.")
    return warnings


def append_step_summary(document: Mapping[str, Any], path: str) -> list[str]:
    """Append a document to the summary of a step of GitHub Actions, as far as there is room; return warnings."""
    try:
        found = require_regular_file(path)
        room = markdown.MAX_BYTES - (found.st_size if found else 0)
        if room < _MIN_ROOM:
            return [f"The step summary {printable(path)} has no room for the report."]
        with open(path, "a", encoding="utf-8") as file:
            file.write(markdown.format_markdown(document, room))
    except OSError as error:
        return [f"The step summary {printable(path)} does not have the report: {error.strerror}."]
    return []


def get_ending(path: str) -> str:
    """Return the ending of a path, which says the form of the report."""
    return os.path.splitext(path)[1].lower()
