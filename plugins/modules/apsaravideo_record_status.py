#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of apsaravideo_record_status, which is an action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_status
short_description: Show the recording state of all streams of an inventory
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Shows a table of the streams of the hosts, and returns one entry for each. The state comes from
    M(apsaravideo.live.apsaravideo_record_info), with a few calls for each domain, whatever the number of its streams.
  - The table begins with the streams that need attention. These are the streams that are wanted and not recorded, of
    unknown state, failed, overdue, or recorded and not wanted. A stream that is known to be pulled on trigger is shown
    as C(pulled).
  - Runs on the controller and sends no command. Run it for one host, with C(run_once) and the strategy C(linear).
  - For each domain, connection options that the task does not set are taken from the variables of the first host of the
    domain with valid variables, such as C(apsaravideo_profile).
  - A host with an invalid variable, such as an undefined one, has an entry with the error, and does not affect the
    others.
  - The playbooks C(apsaravideo.live.status) and C(apsaravideo.live.sweep) use this module.
extends_documentation_fragment:
  - apsaravideo.live.connection
  - apsaravideo.live.report
  - apsaravideo.live.attributes
options:
  hosts:
    description:
      - The pattern of the hosts whose streams are shown, within C(--limit).
      - Default is the hosts of the play.
    type: str
  domain_name:
    description:
      - The domain of the streams whose hosts name none. A domain that a host names comes first.
    type: str
    aliases: [domain]
  wanted:
    description:
      - The pattern of the hosts whose streams should be recorded. It is independent of C(--limit) and O(hosts), and
        applies to a stream if it matches any host of the stream.
      - If the variables of one of these hosts cannot be read, a recording that may be of its stream is not included in
        RV(excess), unless it is overdue.
      - A host of the inventory P(apsaravideo.live.apsaravideo_streams#inventory) whose name comes from its option
        C(hostnames), and not from the user, counts only if the pattern names a group that it belongs to. There is a
        warning.
      - Default is all of O(hosts).
    type: str
  allow_empty:
    description: Whether O(hosts) or O(wanted) may match no host. Otherwise the task fails then.
    type: bool
    default: false
  strays:
    description: Whether to return also the streams of the same domains that have no host.
    type: bool
    default: false
  max_duration:
    description:
      - The duration after which a recording is marked as RV(streams[].overdue), in the format V(2h), V(1h30m), V(90m)
        or V(01:30:00), or in seconds. For four hours write V(4h), not V(4:00), which YAML reads as the number 240.
    type: str
  expect_recording:
    description:
      - Whether to fail if a stream that should be recorded is not known to be. The result then has RV(verdict) as the
        message, and RV(counts), but not RV(streams), because Ansible prints the result of a failure.
      - If RV(streams) is needed, do not set this option, and fail in another task, as in the example.
    type: bool
    default: false
  accept_unknown:
    description: Whether streams of unknown state are left out of RV(missing) and RV(verdict).
    type: bool
    default: false
  show_all:
    description: Whether the table has all streams, as with C(-v), instead of the first 40.
    type: bool
    default: false
  ingest_types:
    description:
      - Whether to read for each online stream of the domains whether it is pushed or pulled on trigger, with the
        operation C(DescribeLiveStreamState). This takes one call per stream. An account may make 100 of these per
        second.
    type: bool
    default: false
  cloud_count:
    description:
      - Whether to read also how many recordings the cloud itself counts, with the operation
        C(DescribeLiveDomainRecordUsageData), and to return RV(cloud_count). This takes at most two calls per domain,
        and no callbacks. An account may make 10 of these calls per second.
      - If it cannot be read, there is a warning. It never changes RV(missing) and RV(verdict).
      - How old the latest count is, whether it is a maximum or a sample of its minute, and whether a recording in two
        formats counts twice in the bill is not documented. RV(cloud_count) is that of the format with the most
        recordings, so it is too low if streams are recorded in different formats.
    type: bool
    default: false
  stop_unknown:
    description:
      - Whether RV(excess) also includes online streams of unknown state that should not be recorded.
    type: bool
    default: false
  dest:
    description:
      - A file on the controller to write RV(streams) to, as JSON. Check mode does not write it.
      - It is written atomically. A link or a pipe of this name is refused.
    type: path
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Show the state of all streams
  apsaravideo.live.apsaravideo_record_status:
    hosts: streams
    max_duration: 12h
    accept_unknown: true
  run_once: true
  register: record_status

- name: Show the number of recordings
  ansible.builtin.debug:
    msg: "{{ record_status.counts.recording }} of {{ record_status.counts.streams }} are being recorded."
  run_once: true

- name: Fail if a stream is not recorded
  ansible.builtin.fail:
    msg: "{{ record_status.verdict }}"
  when: record_status.missing | length > 0
  run_once: true
"""

RETURN = r"""
summary:
  description: The lines of the table.
  type: list
  elements: str
  returned: success
  sample: []
counts:
  description: The numbers of all streams, and of streams by RV(streams[].recording).
  type: dict
  returned: success
  sample: {streams: 3, recording: 2, stopped: 0, offline: 1, unknown: 0}
cloud_count:
  description:
    - The number of recordings that the cloud counts, for each domain that could be read. Null without
      O(cloud_count).
  type: dict
  returned: success
  contains:
    domains:
      description:
        - For each domain C(counted), the latest number of concurrent recordings, and C(at), the minute that it belongs
          to (or the hour if no minute of the last three hours is listed), which may be some time ago.
        - C(believed) is the number of streams of the domain, with and without a host, that are known to be recorded.
        - C(peak) is the maximum since the beginning of the month in UTC, and C(peak_at) its hour or minute.
        - C(counted) and C(peak) are null if the cloud lists nothing in this month.
      type: dict
      returned: success
      sample:
        live.example.com:
          counted: 297
          at: "2026-01-02T03:04:00Z"
          believed: 300
          peak: 310
          peak_at: "2026-01-01T20:00:00Z"
missing:
  description: The hosts whose streams should be recorded and are not known to be.
  type: list
  elements: str
  returned: success
  sample: [studio2]
verdict:
  description: A sentence about RV(missing), of at most 300 characters, empty if there are none.
  type: str
  returned: success
  sample: "Not known to be recorded: 1 of 3 streams: studio2."
excess:
  description:
    - The entries of streams that are recorded and should not be, or not for this long. Each has C(like), a host with
      the connection options for the domain.
  type: list
  elements: dict
  returned: success
  sample: []
streams:
  description: One entry for each host in the order of the inventory, then one for each stream without a host.
  type: list
  elements: dict
  returned: success
  contains:
    host:
      description: The host of the stream, null if there is none.
      type: str
      returned: always
      sample: studio1
    domain_name:
      description: The streaming domain.
      type: str
      returned: always
      sample: live.example.com
    app_name:
      description: The application.
      type: str
      returned: always
      sample: news
    stream_name:
      description: The name of the stream.
      type: str
      returned: always
      sample: studio1
    wanted:
      description: Whether the stream should be recorded.
      type: bool
      returned: always
      sample: true
    online:
      description: Whether the stream is being pushed or pulled, null if the domain could not be read.
      type: bool
      returned: always
      sample: true
    publish_time:
      description: The beginning of the current push, null if it is not known.
      type: str
      returned: always
      sample: "2026-01-02T03:00:00Z"
    ingest_type:
      description:
        - V(push), or V(pull) for a stream that is pulled on trigger, null if it is not known. It may be unknown without
          O(ingest_types).
      type: str
      returned: always
      choices: [push, pull]
      sample: push
    recording:
      description: The recording state.
      type: str
      returned: always
      choices: [recording, stopped, offline, unknown]
      sample: recording
    state_source:
      description: The source of RV(streams[].recording).
      type: str
      returned: always
      choices: [stream_state, notify_log, none]
      sample: notify_log
    recording_since:
      description: The beginning of the recording, null if it is not known.
      type: str
      returned: always
      sample: "2026-01-02T03:04:05Z"
    recording_seconds:
      description: The seconds since RV(streams[].recording_since).
      type: int
      returned: always
      sample: 3600
    overdue:
      description: Whether the stream is known to have been recorded for longer than O(max_duration).
      type: bool
      returned: always
      sample: false
    reason:
      description: The reason why RV(streams[].recording) is V(unknown).
      type: str
      returned: always
      sample: null
    failed:
      description: Whether the state could not be read.
      type: bool
      returned: always
      sample: false
    error:
      description: The error, as M(apsaravideo.live.apsaravideo_record_info) returns it.
      type: dict
      returned: always
      sample: null
api_calls:
  description: The number of requests that may have reached the cloud.
  type: int
  returned: always
  sample: 1
throttled:
  description: The number of these that the cloud rejected because a quota was exhausted.
  type: int
  returned: always
  sample: 0
waited_seconds:
  description: The seconds that the task waited for its turn, before retries, and for events.
  type: float
  returned: always
  sample: 0.0
request_ids:
  description: The IDs that the cloud assigned to the requests. Its support asks for them.
  type: list
  elements: str
  returned: always
  sample: [16A96B9A-F203-4EC5-8E43-CB92E68F4CD8]
error:
  description: The error that the cloud responded with, or that occurred before or instead of a response.
  type: dict
  returned: failure
  contains:
    code:
      description: The API's error code, null if none was received.
      type: str
      returned: failure
      sample: InvalidDomain.NotFound
    message:
      description: One sentence that says what happened.
      type: str
      returned: failure
      sample: "DescribeLiveStreamsOnlineList of x.example.com was refused: the account has no such streaming domain"
    request_id:
      description: The ID of the request, null if none was received.
      type: str
      returned: failure
      sample: 16A96B9A-F203-4EC5-8E43-CB92E68F4CD8
    http_status:
      description: The HTTP status, null if there was no response.
      type: int
      returned: failure
      sample: 404
    action:
      description: The API operation, null if none was called.
      type: str
      returned: failure
      sample: DescribeLiveStreamsOnlineList
"""
