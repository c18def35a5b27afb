# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sum pytest's JUnit reports as `N passed, N failed`: totals.py OTHER_FAILURES REPORT..."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections import Counter


def count(report: str) -> Counter[str]:
    verdicts: Counter[str] = Counter()
    for case in ET.parse(report).iter("testcase"):
        found = {child.tag for child in case}
        verdicts["failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"] += 1
    return verdicts


if __name__ == "__main__":
    total = sum((count(report) for report in sys.argv[2:]), Counter(failed=int(sys.argv[1])))
    line = f"{total['passed']} passed, {total['failed']} failed"
    print(f"{line}, {total['skipped']} skipped" if total["skipped"] else line)
