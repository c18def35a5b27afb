#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of apsaravideo_record_report, which is an action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_report
short_description: Summarize the recordings of all hosts
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Shows a summary of the results of M(apsaravideo.live.apsaravideo_record) for all hosts of a play. They must be
    registered in the variable C(record_result) of each host. Failed streams are grouped by cause.
  - Returns one entry for each stream, and writes the list of hosts to retry.
  - Runs on the controller and sends no requests. Run it for one host, with C(run_once) and the strategy C(linear), in a
    play after the one that records. Hosts that failed in that play are included.
  - The playbooks of the collection use this module.
extends_documentation_fragment:
  - apsaravideo.live.report
options:
  title:
    description: The title of the summary.
    type: str
    default: record
  hosts:
    description:
      - The pattern of the hosts to summarize, within C(--limit).
      - Default is the hosts of the play.
    type: str
  results:
    description:
      - The results of a task with a loop over streams on one host, which replace those registered by hosts. Set it to
        the variable that the task registers, or to the list of results in it.
      - Mutually exclusive with O(hosts) and O(retry_file).
    type: raw
  reports:
    description:
      - Reports to merge into one, instead of summarizing hosts, such as those of the slices of a job. These are paths
        of C(.json) files that O(report) has written, or patterns such as C(reports/*.json).
      - Runs of the same title become one run, whose counts and calls are the sums. A stream that several reports name
        is counted as often. The merged report is written to O(report).
      - A file that is not a report is refused, and nothing is written.
      - Mutually exclusive with O(hosts), O(results) and O(retry_file).
    type: list
    elements: str
  retry_file:
    description:
      - A file on the controller that lists the hosts that failed or were not tried, for C(--limit @file).
      - The entries of this run's hosts are replaced. Entries of other hosts of the inventory are preserved. If no host
        is left, the file is removed.
      - Default is no file. Check mode does not change it.
    type: str
    default: ""
requirements:
  - python >= 3.9
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Returns what changed.
    support: none
"""

EXAMPLES = r"""
- name: Show the summary
  apsaravideo.live.apsaravideo_record_report:
    title: news
    retry_file: news.retry
  run_once: true
  register: record_report

- name: Record streams in a loop, and summarize even if some fail
  connection: local
  run_once: true
  block:
    - name: Record the streams
      apsaravideo.live.apsaravideo_record:
        domain_name: live.example.com
        app_name: news
        stream_name: "{{ item }}"
      loop: [studio1, studio2]
      register: recorded
  always:
    - name: Show the summary
      apsaravideo.live.apsaravideo_record_report:
        results: "{{ recorded }}"
        report: [slice1.json]

- name: Merge the reports of all slices
  apsaravideo.live.apsaravideo_record_report:
    reports: [slice*.json]
    report: [all.html, all.json]
  run_once: true

- name: Check that at least nine of ten streams are recorded
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
  description: The numbers of streams by RV(streams[].status), of those that were changed, and of calls.
  type: dict
  returned: success
  sample: {streams: 300, ok: 300, failed: 0, not_tried: 0, changed: 300, api_calls: 300, throttled: 0}
outcome:
  description: Whether the runs of the merged reports were complete, ended early, or interrupted.
  type: str
  returned: with O(reports)
  choices: [complete, ended_early, interrupted]
  sample: complete
streams:
  description: One entry for each host, in the order of the inventory, or for each of O(results).
  type: list
  elements: dict
  returned: without O(reports)
  contains:
    host:
      description: The host of the stream, null for an item of O(results).
      type: str
      returned: always
      sample: studio1
    stream:
      description: Its C(domain_name), C(app_name) and C(stream_name), null if the host has no such variables.
      type: dict
      returned: always
      sample: {domain_name: live.example.com, app_name: news, stream_name: studio1}
    status:
      description: The status of the stream.
      type: str
      returned: always
      choices: [ok, failed, not_tried]
      sample: ok
    error:
      description: The error as M(apsaravideo.live.apsaravideo_record) returns it, null if there was none.
      type: dict
      returned: always
      sample: null
    result:
      description: The result of M(apsaravideo.live.apsaravideo_record), null if it was not run.
      type: dict
      returned: always
      sample: {changed: true, state: recording}
"""
