# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which variables may allow a credentials program to run."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import load_extra_vars

ALLOW_EXTERNAL_PROCESS = "apsaravideo_allow_external_process"


def may_set(name: str, value: Any, loader: DataLoader) -> bool:
    """Return whether a variable may have this value: only an extra variable (-e) may allow programs to run.

    Inventories and files of variables come from many sources, and none of them may run a program with the credentials
    of the environment. All of them may forbid it.
    """
    return name != ALLOW_EXTERNAL_PROCESS or name in load_extra_vars(loader) or not boolean(value, strict=False)
