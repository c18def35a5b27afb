#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of apsaravideo_record_report, which is an action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_report
short_description: Sum up the recordings of all hosts
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Shows in a few lines what M(apsaravideo.live.apsaravideo_record) did for all hosts of a play, as it was registered
    in the variable C(record_result) of each, and names the streams that failed, those with the same cause together.
  - Returns one entry for each stream, and writes the list of hosts that are left for another run.
  - Runs on the controller and sends nothing. Run it for one host, with C(run_once) and the strategy C(linear), in a
    play after the one that records. The hosts that failed are summed up although they no longer take part.
  - The playbooks of the collection do all this.
options:
  title:
    description: What the summary begins with.
    type: str
    default: record
  hosts:
    description:
      - A pattern of the hosts to sum up, within C(--limit).
      - Default is the hosts of the play.
    type: str
  results:
    description:
      - In place of what hosts have registered, the results of a task with a loop over streams on one host. Give the
        variable that it registers, or the list of results in it.
      - Mutually exclusive with O(hosts) and O(retry_file).
    type: raw
  retry_file:
    description:
      - A file on the controller that lists the hosts that failed or were not tried, for C(--limit @file).
      - The hosts of this run are struck from what it held and those that are left are added. What it held of other
        hosts of the inventory remains. A file that would name no host is removed.
      - Check mode does not touch it. Empty for none.
    type: str
    default: ""
requirements:
  - python >= 3.9
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Returns what changes.
    support: none
"""

EXAMPLES = r"""
- name: Sum up
  apsaravideo.live.apsaravideo_record_report:
    title: news
    retry_file: news.retry
  run_once: true
  register: record_report

- name: Record streams in a loop, and sum up also where some fail
  connection: local
  run_once: true
  block:
    - name: Record them
      apsaravideo.live.apsaravideo_record:
        domain_name: live.example.com
        app_name: news
        stream_name: "{{ item }}"
      loop: [studio1, studio2]
      register: recorded
  always:
    - name: Sum up
      apsaravideo.live.apsaravideo_record_report:
        results: "{{ recorded }}"

- name: See that at least nine of ten streams are recorded
  ansible.builtin.assert:
    that: record_report.counts.ok >= record_report.counts.streams * 0.9
  run_once: true
"""

RETURN = r"""
summary:
  description: The lines that were shown.
  type: list
  elements: str
  returned: success
  sample: ["news: 300 streams, 300 recording. 300 changed. 300 calls, 0 throttled."]
counts:
  description: Numbers of streams, by RV(streams[].status) and of those that were changed, and of calls.
  type: dict
  returned: success
  sample: {streams: 300, ok: 300, failed: 0, not_tried: 0, changed: 300, api_calls: 300, throttled: 0}
streams:
  description: One entry for each host, in the order of the inventory, or for each of O(results).
  type: list
  elements: dict
  returned: success
  contains:
    host:
      description: The host that stands for the stream, null for an item of O(results).
      type: str
      returned: always
      sample: studio1
    stream:
      description: Its C(domain_name), C(app_name) and C(stream_name), null where the host has no such variables.
      type: dict
      returned: always
      sample: {domain_name: live.example.com, app_name: news, stream_name: studio1}
    status:
      description: How it went.
      type: str
      returned: always
      choices: [ok, failed, not_tried]
      sample: ok
    error:
      description: The error as M(apsaravideo.live.apsaravideo_record) returns it, null where there was none.
      type: dict
      returned: always
      sample: null
    result:
      description: The result of M(apsaravideo.live.apsaravideo_record), null where it was not run.
      type: dict
      returned: always
      sample: {changed: true, state: recording}
"""
