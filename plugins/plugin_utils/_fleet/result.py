# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of apsaravideo_record_fleet, made of the entries of all streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._errors import printable
from .._report.document import Measures, measure_rate
from .._report.entries import FAILED, NOT_TRIED, OK, count_statuses, get_name, group_failures
from .fleet import Fleet
from .retry_file import make_host_pattern

MAX_MESSAGE_LENGTH = 400  # characters


def make_result(
    fleet: Fleet,
    entries: Sequence[Mapping[str, Any]],
    all_entries: Iterable[Mapping[str, Any]],
    ended: bool,
    lines: Sequence[str],
) -> dict[str, Any]:
    """Return the result of a batch with these entries; `all_entries` includes those of earlier batches."""
    counts = count_statuses(entries)
    hosts = [(row["host"], row["status"]) for row in all_entries if row["host"]]
    failed = [host for host, status in hosts if status != OK]
    healthy = next((host for host, status in hosts if status == OK), None)
    return {
        "changed": counts["changed"] > 0,
        "counts": counts,
        "streams": entries,
        "failed_hosts": failed,
        "failed_patterns": [make_host_pattern(host) for host in failed],
        "healthy_pattern": make_host_pattern(healthy) if healthy else None,
        "ended": ended,
        "timing": _make_timing(fleet),
        "calls": dict(sorted(fleet.sum_traffic().by_operation.items())),
        "summary": lines,
        "_ansible_verbose_override": True,
    }


def mark_failed(result: dict[str, Any], message: str) -> None:
    """Make a result that of a failure, without the streams, because Ansible prints the whole result of a failure."""
    error = {**dict.fromkeys(("code", "request_id", "http_status", "action")), "message": message}
    result.update(failed=True, msg=message, error=error)
    del result["streams"]


def format_failure(title: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on how many streams failed, and for which causes."""
    counts = count_statuses(entries)
    failed = counts[FAILED] + counts[NOT_TRIED]
    causes = [f"{len(names)} x {cause}" for cause, _advice, _code, names in group_failures(entries)]
    text = f"{title}: {failed} of {counts['streams']} streams failed or were not tried. {'; '.join(causes)}"
    return text if len(text) <= MAX_MESSAGE_LENGTH else f"{text[:MAX_MESSAGE_LENGTH]}..."


def make_diff(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the states of changed streams before and after the run, as Ansible's `--diff` shows them."""
    changed = [row for row in entries if row["changed"] and row.get("state")]
    return {
        side: "".join(f"{printable(get_name(row))}: {row.get(field)}\n" for row in changed)
        for side, field in (("before", "previous_state"), ("after", "state"))
    }


def make_measures(fleet: Fleet, began: float, ended: float, warnings: Iterable[str]) -> Measures:
    """Return the calls of a fleet, whose run took from `began` to `ended`."""
    traffic, dispatcher = fleet.sum_traffic(), fleet.engine.dispatcher
    found = Measures(
        began,
        ended,
        traffic.api_calls,
        traffic.throttled,
        dict(traffic.by_operation),
        sorted(dispatcher.by_second.items()),
        dispatcher.first_sent,
        dispatcher.last_sent,
        warnings=[printable(text) for text in warnings],
    )
    found = found._replace(operation=fleet.accounts.operation.action)
    rates = fleet.accounts.sum_rates()
    return found._replace(quota=rates[0], limit=rates[1]) if rates else found


def _make_timing(fleet: Fleet) -> dict[str, Any]:
    dispatcher = fleet.engine.dispatcher
    first, last = dispatcher.first_sent, dispatcher.last_sent
    return {
        "first_call": first,
        "last_call": last,
        "calls_per_second": measure_rate(dispatcher.sent, first, last),
    }
