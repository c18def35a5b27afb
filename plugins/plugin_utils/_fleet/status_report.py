# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of a report on the states of streams, in which a stream that should be recorded and is not has failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ...module_utils._api.models import Stream
from .._report.entries import make_entry
from .status import OFFLINE, UNKNOWN

_MESSAGES = {
    OFFLINE: "it should be recorded, and is not being pushed",
    UNKNOWN: "it should be recorded, and its recording state is not known",
}
_NOT_RECORDED = "it should be recorded, and is not"
_ADVICE = "Push the stream if it is offline, and run start."


def make_entries(found: Iterable[Mapping[str, Any]], missing: Collection[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the entry of each row of `status`; `missing` are the rows of streams that should be recorded."""
    failed = {id(row) for row in missing}
    return [_make_entry(row, id(row) in failed) for row in found]


def _make_entry(row: Mapping[str, Any], is_missing: bool) -> dict[str, Any]:
    names = {field: row[field] for field in Stream._fields}
    result = {"state": row["recording"], "state_source": row["state_source"], "changed": False}
    if row["failed"]:
        result.update(failed=True, msg=row["reason"], error=row["error"])
        return make_entry(row["host"], names, result)
    if is_missing:
        result.update(failed=True, msg=row["reason"] or _MESSAGES.get(row["recording"], _NOT_RECORDED))
        return make_entry(row["host"], names, result, _ADVICE)
    return make_entry(row["host"], names, result)
