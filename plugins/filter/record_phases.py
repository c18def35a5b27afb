# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter record_phases, which plans the playbook window; what it does stands in module_utils/_windows.py."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError
from jinja2.exceptions import UndefinedError

from ..module_utils._errors import InvalidOption
from ..module_utils._windows import Window, doubts, phases, windows
from ..plugin_utils._keep import named

DOCUMENTATION = r"""
name: record_phases
short_description: Plan what to start and stop when, from the times at which streams shall be recorded
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Makes one plan of the windows of all streams. The playbook C(apsaravideo.live.window) acts on it.
  - Windows of one stream that overlap or touch are one window. One that is open is started at once. One that is over
    is stopped at once, whenever it ended.
  - Times need a zone. What cannot be is not left out, but named in RV(_value.problems).
positional: hosts
options:
  _input:
    description:
      - The variables of each host by its name, such as C(hostvars).
      - A host's windows are either the list C(record_windows), of which each entry has C(start) and either C(stop) or
        C(duration), or one window as C(window_start) and either C(window_stop) or C(window_duration).
      - Times are in ISO 8601 with a zone, or in seconds since 1970; durations as V(2h), V(1h30m), V(90m), V(01:30:00),
        or in seconds. For two hours write V(2h) or V(02:00:00), not V(2:00), which YAML reads as the number 120, and so
        as two minutes. A number below 300 has a warning.
    type: dict
    required: true
  hosts:
    description: The names of the hosts to plan for.
    type: list
    elements: str
    required: true
  now:
    description: Seconds since 1970 to plan from, in place of the present time.
    type: float
"""

EXAMPLES = r"""
- name: Show when the recordings of all streams begin and end
  ansible.builtin.debug:
    msg: "{{ (hostvars | apsaravideo.live.record_phases(groups['streams'])).phases }}"
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    problems:
      description: What is wrong with the windows of which hosts, a sentence each. With any, the plan is not complete.
      type: list
      elements: str
      sample: []
    warnings:
      description: Which durations are numbers so small that they may be a mistake, a sentence each.
      type: list
      elements: str
      sample: []
    phases:
      description: What to do, in order.
      type: list
      elements: dict
      contains:
        number:
          description: Its place in the list, from 0.
          type: int
          sample: 0
        at:
          description: The moment, in ISO 8601.
          type: str
          sample: "2026-01-02T20:00:00+08:00"
        due:
          description: Whether it is to be done at once.
          type: bool
          sample: false
        state:
          description: The state to bring the hosts to.
          type: str
          choices: [started, stopped]
          sample: started
        count:
          description: How many hosts that are.
          type: int
          sample: 300
    hosts:
      description: The names of the hosts of each phase.
      type: list
      elements: list
      sample: [[studio1, studio2], [studio1, studio2]]
    own:
      description: The phases that each host is part of, by its name.
      type: dict
      sample: {}
"""

_Phase = dict[str, Any]


def record_phases(hostvars: Mapping[str, Any], hosts: Iterable[str], now: float | None = None) -> dict[str, Any]:
    """The plan as the documentation says."""
    moment = time.time() if now is None else float(now)
    found: dict[str, list[Window]] = {}
    problems: dict[str, list[str]] = {}
    doubtful: dict[str, list[str]] = {}
    for host in map(str, hosts):
        try:
            found[host] = windows(hostvars[host], moment)
            for text in doubts(hostvars[host]):
                doubtful.setdefault(text, []).append(host)
        except (InvalidOption, AnsibleError, UndefinedError) as error:  # the latter two from templates
            found[host] = []
            problems.setdefault(str(error), []).append(host)
    planned = phases(found, moment)
    own: dict[str, list[_Phase]] = {host: [] for host in found}
    listed: list[_Phase] = []
    for at, state, streams in planned:
        entry = {
            "number": len(listed),
            "at": at.text,
            "due": at.epoch <= moment,
            "state": state,
            "count": len(streams),
        }
        listed.append(entry)
        for host in streams:
            own[host].append(entry)
    return {
        "problems": [f"{named(affected)}: {text}" for text, affected in problems.items()],
        "warnings": [f"{named(affected)}: {text}" for text, affected in doubtful.items()],
        "phases": listed,
        "hosts": [phase.streams for phase in planned],
        "own": own,
    }


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names."""
        return {"record_phases": record_phases}
