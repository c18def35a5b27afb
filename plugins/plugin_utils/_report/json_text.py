# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JSON, which `docs/report.schema.json` describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def format_json(document: Mapping[str, Any]) -> str:
    """Return a document with a line for each run and each stream; whatever is not ASCII is escaped."""
    head = json.dumps({name: value for name, value in document.items() if name != "runs"})
    return f'{head[:-1]}, "runs": [\n' + ",\n".join(_format_run(run) for run in document["runs"]) + "\n]}\n"


def _format_run(run: Mapping[str, Any]) -> str:
    head = json.dumps({name: value for name, value in run.items() if name != "streams"})
    rows = ",\n".join(map(json.dumps, run["streams"]))
    return f'{head[:-1]}, "streams": [\n{rows}\n]}}'
