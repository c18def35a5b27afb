# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options and the operation that read the cloud's own count of recordings for apsaravideo_record_status."""

from __future__ import annotations

from typing import Any

from .._api.models import check_domain
from .._domain.recording_count import read_count
from . import argspec
from .task import Task

SPEC = argspec.Spec({"domain_name": argspec.STREAM["domain_name"], **argspec.CONNECTION})

MAX_RETRY_SECONDS = 10.0  # because people wait for the states of their streams, beside which the count is shown


def operate(task: Task) -> dict[str, Any]:
    """Return the count of a domain; raise LiveError if it cannot be read."""
    domain_name = task.options["domain_name"]
    check_domain(domain_name)
    seconds = task.parse_retry_timeout()
    retry_timeout = MAX_RETRY_SECONDS if seconds < 0 else min(seconds, MAX_RETRY_SECONDS)
    task.options = {**task.options, "retry_timeout": retry_timeout}
    return {"changed": False, "count": read_count(task.open_live(), domain_name)._asdict()}
