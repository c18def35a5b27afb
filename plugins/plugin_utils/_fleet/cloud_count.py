# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's own count of recordings beside that of the streams that are known to be recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._errors import printable
from .status import RECORDING


def combine_counts(counts: Mapping[str, Mapping[str, Any]], found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the cloud's counts of domains, each with the number of its streams that are known to be recorded."""
    recorded = [row["domain_name"] for row in found if row["recording"] == RECORDING]
    return {"domains": {domain: {**count, "believed": recorded.count(domain)} for domain, count in counts.items()}}


def format_counts(cloud_count: Mapping[str, Any]) -> list[str]:
    """Return a line for each domain."""
    return [_format_count(printable(domain), count) for domain, count in cloud_count["domains"].items()]


def _format_count(domain: str, count: Mapping[str, Any]) -> str:
    cloud = "lists none this month" if count["counted"] is None else f"{count['counted']:,} at {count['at']}"
    peak = "" if count["peak"] is None else f", peak of the month {count['peak']:,} at {count['peak_at']}"
    return f"{domain}: cloud {cloud}, believed {count['believed']:,}{peak}"


def format_failures(failures: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a warning for the results of domains whose count could not be read, none if there are none."""
    if not failures:
        return []
    first = failures[0]
    more = f" It is missing for {len(failures) - 1} more domains." if len(failures) > 1 else ""
    return [
        f"The cloud's own count of recordings is missing. {first['msg']}{more} To skip it, set cloud_count to false."
    ]
