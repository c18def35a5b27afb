# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Totals of pytest's JUnit reports."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path


def count(*reports: Path) -> Counter[str]:
    """Count the tests that passed, failed and were skipped."""
    totals: Counter[str] = Counter()
    for report in reports:
        for case in ET.parse(report).iter("testcase"):
            found = {child.tag for child in case}
            totals["failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"] += 1
    return totals


def summary(totals: Counter[str]) -> str:
    line = f"{totals['passed']} passed, {totals['failed']} failed"
    return f"{line}, {totals['skipped']} skipped" if totals["skipped"] else line
