# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page for people."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from ...module_utils._errors import printable


def make_page(document: Mapping[str, Any]) -> str:
    """Return the page of a document."""
    lines = [f"{run['title']}: {run['counts']}" for run in document["runs"]]
    shown = "".join(f"<p>{html.escape(printable(line))}</p>\n" for line in lines)
    return f"<!DOCTYPE html>\n<meta charset=utf-8>\n<title>Report</title>\n{shown}"
