# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options and the operation of the module apsaravideo_record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._api.models import Stream
from .._domain import record
from .._domain.recording_state import RESTARTED, STARTED, STOPPED
from .._errors import InvalidOption
from . import argspec
from .steps import run_steps
from .task import Task

SPEC = argspec.Spec(
    {
        **argspec.STREAM,
        "state": {"type": "str", "choices": [STARTED, STOPPED, RESTARTED], "default": STARTED},
        "finalize": {"type": "bool", "default": False},
        "wait_for_stream": {"type": "int", "default": 0},
        "start_at": {"type": "str"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 300},
        **argspec.CONNECTION,
    }
)


def operate(task: Task) -> dict[str, Any]:
    """Bring the recording of a stream to a state, and return the result.

    Raise LiveError if the state cannot be reached, or is not confirmed in time.
    """
    options = task.options
    stream = Stream.from_names(options["domain_name"], options["app_name"], options["stream_name"])
    task.known["stream"] = stream._asdict()
    check(options)
    live = task.open_live()
    task.wait_for_start()
    verdict = run_steps(record.decide(stream, options, task.check_mode, task.clock), live, stream)
    task.warnings += verdict.warnings
    return record.make_result(verdict, options)


def check(options: Mapping[str, Any]) -> None:
    """Raise InvalidOption for options that no call can be made with."""
    if options["wait_for_stream"] < 0:
        seconds = options["wait_for_stream"]
        raise InvalidOption(f"The option wait_for_stream is {seconds}", "Give seconds, 0 not to wait.")
    if not options["wait_timeout"] > 0:
        raise InvalidOption(f"The option wait_timeout is {options['wait_timeout']}", "Give seconds, more than 0.")
