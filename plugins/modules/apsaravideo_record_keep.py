#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of apsaravideo_record_keep, which is an action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_keep
short_description: Wait for a phase of a plan, and keep streams recording meanwhile
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Waits, once for all hosts of a play, until a phase of a plan that P(apsaravideo.live.record_phases#filter) has made.
  - As often as O(retry) and O(recheck) say, it sends C(start) for the streams that should be recorded then, as
    M(apsaravideo.live.apsaravideo_record) would. The answer tells whether a stream was being recorded, and where it was
    not, it is from then on. Eight calls are under way at once, from the controller.
  - Shows a line for each thing that it finds out.
  - Run it for one host, with C(run_once). The playbook C(apsaravideo.live.window) does all this.
options:
  plan:
    description:
      - The plan. Its hosts stand for streams. Their variables C(domain_name), C(app_name), C(stream_name),
        C(record_rate_limit) and C(apsaravideo_...) count as they do for the role P(apsaravideo.live.record#role).
    type: dict
    required: true
  number:
    description: Which of its phases to wait for, from 0. One whose moment has passed is not waited for.
    type: int
    required: true
  ahead:
    description: Seconds before that moment at which the task ends.
    type: float
    default: 0
  missing:
    description: The hosts that could not be started in the phase before, as their C(record_result) says.
    type: list
    elements: str
    default: []
  before:
    description: What this module returned for the phase before, so that it goes on with that knowledge.
    type: dict
    default: {}
  retry:
    description: Seconds between tries for hosts whose last try failed. 0 for none.
    type: float
    default: 0
  recheck:
    description: Seconds between checks of all that should be recorded, with one call for each. 0 for none.
    type: float
    default: 0
attributes:
  check_mode:
    support: full
    details:
      - Does not wait and sends nothing.
  diff_mode:
    support: none
  action:
    support: full
  async:
    support: none
  bypass_host_loop:
    support: none
  platform:
    platforms: all
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.flow
"""

EXAMPLES = r"""
- name: Plan a window, which is over here, so that nothing is waited for
  ansible.builtin.set_fact:
    plan: "{{ {'studio1': window} | apsaravideo.live.record_phases(['studio1']) }}"
  vars:
    window:
      window_start: "2026-01-02T20:00:00+08:00"
      window_duration: 2h

- name: Wait for the time to stop it
  apsaravideo.live.apsaravideo_record_keep:
    plan: "{{ plan }}"
    number: 0
  run_once: true
"""

RETURN = r"""
failed_hosts:
  description: The hosts that were not recorded at all in a window that ends with this phase or did before.
  type: dict
  returned: success
  sample: {}
missing:
  description: The hosts that could not be started in their window, with the result of the last try for each.
  type: dict
  returned: success
  sample: {}
lost:
  description: The hosts that were recorded but whose last try failed, with its result.
  type: dict
  returned: success
  sample: {}
retried:
  description: When failed tries were last repeated, in seconds since 1970.
  type: float
  returned: success
  sample: 1767355200.0
rechecked:
  description: When all hosts were last checked, in seconds since 1970, null where there was none to check.
  type: float
  returned: success
  sample: 1767355200.0
"""
