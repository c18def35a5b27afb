# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of apsaravideo_record_fleet."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from ...module_utils._api.models import check_domain
from ...module_utils._domain.recording_state import RESTARTED, STARTED, STOPPED
from ...module_utils._errors import InvalidOption
from ...module_utils._module import record
from ...module_utils._module.argspec import CONNECTION, Spec
from ...module_utils._module.task import MAX_LATE
from .._report.reporter import REPORT
from . import progress
from .program import SCHEDULED
from .targets import STREAM_OPTIONS

_TARGETS: dict[str, Any] = {
    "hosts": {"type": "str"},
    "streams": {"type": "list", "elements": "dict"},
    "domain_name": {"type": "str", "aliases": ["domain"]},
}
_RUN: dict[str, Any] = {
    "max_fail": {"type": "float", "default": 100.0},
    "fail": {"type": "bool", "default": True},
    "progress": {
        "type": "str",
        "choices": ["auto", progress.BAR, progress.LINES, progress.NONE],
        "default": "auto",
    },
    "retry_file": {"type": "str", "default": ""},
    **REPORT,
    **CONNECTION,
}
_RULES = {"mutually_exclusive": [("hosts", "streams")]}

SPEC = Spec(
    {
        "state": {"type": "str", "choices": [STARTED, STOPPED, RESTARTED, SCHEDULED], "default": STARTED},
        **_TARGETS,
        "only": {"type": "list", "elements": "str"},
        **{name: record.SPEC.options[name] for name in STREAM_OPTIONS},
        "keep": {"type": "bool", "default": False},
        "watch_interval": {"type": "float", "default": 5.0},
        "window_retry": {"type": "float", "default": 0.0},
        "window_recheck": {"type": "float", "default": 0.0},
        "window_grace": {"type": "float", "default": MAX_LATE},
        "window_over": {"type": "str", "choices": ["refuse", "stop"], "default": "refuse"},
        "title": {"type": "str", "default": "record"},
        **_RUN,
    },
    {"mutually_exclusive": [("hosts", "streams"), ("only", "streams")]},
)

# Recordings begin with a key frame, which comes some seconds after the push, and times of the API are whole seconds.
DEFAULT_TOLERANCE = 10.0

VERIFY_SPEC = Spec(
    {
        **_TARGETS,
        "since": {"type": "str"},
        "until": {"type": "str", "aliases": ["till"]},
        "tolerance": {"type": "float", "default": DEFAULT_TOLERANCE},
        "file_delay": {"type": "float"},
        "ingest_domain": {"type": "str"},
        "accept_unknown": {"type": "bool", "default": False},
        "accept_interrupted": {"type": "bool", "default": True},
        "check_files": {"type": "bool", "default": False},
        "allow_private_addresses": {"type": "bool", "default": False},
        "ffprobe": {"type": "bool", "default": False},
        "ffprobe_path": {"type": "str", "default": "ffprobe"},
        "title": {"type": "str", "default": "verify"},
        **_RUN,
    },
    _RULES,
)


def check(options: Mapping[str, Any]) -> None:
    """Raise InvalidOption if the run's own options contradict each other or are out of range."""
    _check_max_fail(options["max_fail"])
    if options["state"] == SCHEDULED and options["start_at"] not in (None, ""):
        raise InvalidOption(
            f"The option start_at is {options['start_at']}, and windows have their own beginnings",
            "Leave start_at out, or change the windows.",
        )
    for name in ("watch_interval", "window_retry", "window_recheck", "window_grace"):
        least = 1.0 if name == "watch_interval" else 0.0
        if not least <= options[name] < float("inf"):
            raise InvalidOption(f"The option {name} is {options[name]}", f"Give seconds, at least {least:g}.")


def check_verify(options: Mapping[str, Any]) -> None:
    """Raise InvalidOption if an option of a run that verifies streams is out of range."""
    _check_max_fail(options["max_fail"])
    for name in ("tolerance", "file_delay"):
        if options[name] is not None and not 0 <= options[name] < float("inf"):
            raise InvalidOption(f"The option {name} is {options[name]}", "Give seconds, at least 0.")
    if options["until"] and not options["since"]:
        raise InvalidOption("The option till (until) is set and since is not", "Set both, or none to use the windows.")
    if options["ffprobe"] and not options["check_files"]:
        raise InvalidOption("The option ffprobe is set and check_files is not", "Set check_files as well.")
    if options["ffprobe"] and not shutil.which(options["ffprobe_path"]):
        raise InvalidOption(
            f"There is no program {options['ffprobe_path']}", "Install ffprobe, or name its path in ffprobe_path."
        )
    if options["ingest_domain"] is not None:
        check_domain(options["ingest_domain"])


def _check_max_fail(percentage: float) -> None:
    if not percentage >= 0:
        raise InvalidOption(f"The option max_fail is {percentage}", "Give a percentage.")
