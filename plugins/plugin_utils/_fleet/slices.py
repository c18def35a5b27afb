# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognize a run that is one of several which share a quota, and do not know of each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PREFIXES = ("awx", "tower")  # of the variables that AWX and automation controller set


def warn_of_slices(variables: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Return a warning if the variables of AWX or of GitLab say that this run is one of several."""
    kind = _name_kind(variables, environ)
    if not kind:
        return []
    return [
        f"This run is {kind}, and nothing says how the calls share the account's quota, so that they may be throttled. "
        f"Set apsaravideo_rate_limit_store to a server that all of them reach, or apsaravideo_rate_limit_share to one "
        f"divided by their number."
    ]


def _name_kind(variables: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    if any(_is_slice(variables, prefix) for prefix in _PREFIXES):
        return "one of several job slices"
    if _is_several(environ.get("CI_NODE_TOTAL")):
        return "one of several parallel jobs"
    return None


def _is_slice(variables: Mapping[str, Any], prefix: str) -> bool:
    """Return whether a job is a slice: AWX runs the slices of a template in a workflow that has the template's name."""
    if _is_several(variables.get(f"{prefix}_job_slice_count")):
        return True
    template, workflow = (variables.get(f"{prefix}_{name}") for name in ("job_template_name", "workflow_job_name"))
    return bool(template) and template == workflow


def _is_several(number: Any) -> bool:
    text = str(number)
    return text.isdecimal() and int(text) > 1
