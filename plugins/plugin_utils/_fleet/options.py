# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of apsaravideo_record_fleet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._domain.recording_state import RESTARTED, STARTED, STOPPED
from ...module_utils._errors import InvalidOption
from ...module_utils._module import record
from ...module_utils._module.argspec import CONNECTION, Spec
from ...module_utils._module.task import MAX_LATE
from .._report.reporter import REPORT
from . import progress
from .program import SCHEDULED
from .targets import STREAM_OPTIONS

SPEC = Spec(
    {
        "state": {"type": "str", "choices": [STARTED, STOPPED, RESTARTED, SCHEDULED], "default": STARTED},
        "hosts": {"type": "str"},
        "streams": {"type": "list", "elements": "dict"},
        "only": {"type": "list", "elements": "str"},
        "domain_name": {"type": "str", "aliases": ["domain"]},
        **{name: record.SPEC.options[name] for name in STREAM_OPTIONS},
        "keep": {"type": "bool", "default": False},
        "watch_interval": {"type": "float", "default": 5.0},
        "window_retry": {"type": "float", "default": 0.0},
        "window_recheck": {"type": "float", "default": 0.0},
        "window_grace": {"type": "float", "default": MAX_LATE},
        "window_over": {"type": "str", "choices": ["refuse", "stop"], "default": "refuse"},
        "max_fail": {"type": "float", "default": 100.0},
        "fail": {"type": "bool", "default": True},
        "title": {"type": "str", "default": "record"},
        "progress": {
            "type": "str",
            "choices": ["auto", progress.BAR, progress.LINES, progress.NONE],
            "default": "auto",
        },
        "retry_file": {"type": "str", "default": ""},
        **REPORT,
        **CONNECTION,
    },
    {"mutually_exclusive": [("hosts", "streams"), ("only", "streams")]},
)


def check(options: Mapping[str, Any]) -> None:
    """Raise InvalidOption if the run's own options contradict each other or are out of range."""
    if options["state"] == SCHEDULED and options["start_at"] not in (None, ""):
        raise InvalidOption(
            f"The option start_at is {options['start_at']}, and windows have their own beginnings",
            "Leave start_at out, or change the windows.",
        )
    for name in ("watch_interval", "window_retry", "window_recheck", "window_grace"):
        least = 1.0 if name == "watch_interval" else 0.0
        if not least <= options[name] < float("inf"):
            raise InvalidOption(f"The option {name} is {options[name]}", f"Give seconds, at least {least:g}.")
    if not options["max_fail"] >= 0:
        raise InvalidOption(f"The option max_fail is {options['max_fail']}", "Give a percentage.")
