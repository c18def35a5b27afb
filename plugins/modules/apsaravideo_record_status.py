#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of apsaravideo_record_status, which is an action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_status
short_description: Look at the recordings of all streams of an inventory
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Shows a table of the streams that the hosts stand for, and returns one entry for each, with what
    M(apsaravideo.live.apsaravideo_record_info) finds out about their domains. That is a few calls for each domain,
    whatever the number of its streams.
  - The table has first the streams that need attention. Those are wanted and not recorded, of unknown state, failed,
    overdue, or recorded and not wanted. A stream that is known to be pulled on trigger is C(pulled) there.
  - Runs on the controller and sends no command. Run it for one host, with C(run_once) and the strategy C(linear).
  - Each domain is reached with the connection options of the task, and for what it does not set with the variables of
    the first host of the domain whose variables can be used, such as C(apsaravideo_profile).
  - A host with a variable that cannot be used, such as an undefined one, has an entry that says why, and keeps no
    other from being looked at.
  - The playbooks C(apsaravideo.live.status) and C(apsaravideo.live.sweep) rest on it.
extends_documentation_fragment:
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  hosts:
    description:
      - A pattern of the hosts to look at, within C(--limit).
      - Default is the hosts of the play.
    type: str
  domain_name:
    description:
      - The domain of the streams whose hosts name none. A domain that a host names comes first.
    type: str
    aliases: [domain]
  wanted:
    description:
      - A pattern of the hosts whose streams should be recorded. Those count whatever C(--limit) and O(hosts) say, and
        whichever host stands for the stream.
      - While the variables of one of them cannot be read, no recording that may be its stream's is in RV(excess),
        unless it is overdue.
      - A host of the inventory P(apsaravideo.live.apsaravideo_streams#inventory) whose name comes from its option
        C(hostnames), and not from the user, counts only where the pattern names a group of it. There is a warning.
      - Default is all of O(hosts).
    type: str
  allow_empty:
    description: Whether to accept that O(hosts) or O(wanted) matches no host, instead of failing.
    type: bool
    default: false
  strays:
    description: Whether to return also the streams of the same domains that no host stands for.
    type: bool
    default: false
  max_duration:
    description:
      - How long a recording may run before it is marked as RV(streams[].overdue), as V(2h), V(1h30m), V(90m),
        V(01:30:00) or in seconds. For four hours write V(4h), not V(4:00), which YAML reads as the number 240.
    type: str
  expect_recording:
    description:
      - Whether to fail where a stream that should be recorded is not known to be. The result is then RV(verdict) as
        the message, and RV(counts), but not the streams, because Ansible prints the result of a failure.
      - To have them all the same, leave this out and fail in another task, as in the example.
    type: bool
    default: false
  accept_unknown:
    description: Whether a stream of which nothing is known is left out of RV(missing) and RV(verdict).
    type: bool
    default: false
  show_all:
    description: Whether the table has all streams, as with C(-v), and not only the first 40.
    type: bool
    default: false
  ingest_types:
    description:
      - Whether to ask the cloud for each online stream of the domains whether it is pushed or pulled on trigger, with
        the operation C(DescribeLiveStreamState). A call for each, of which an account has 100 a second.
    type: bool
    default: false
  stop_unknown:
    description:
      - Whether RV(excess) has also the streams that are online, should not be recorded, and of which nothing is known.
    type: bool
    default: false
  dest:
    description:
      - A file on the controller to write RV(streams) to, as JSON. Check mode does not write it.
      - It is written whole or not at all, and never where a link or a pipe has its name.
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
- name: Look at all streams
  apsaravideo.live.apsaravideo_record_status:
    hosts: streams
    max_duration: 12h
    accept_unknown: true
  run_once: true
  register: record_status

- name: See how many are recorded
  ansible.builtin.debug:
    msg: "{{ record_status.counts.recording }} of {{ record_status.counts.streams }} are being recorded."
  run_once: true

- name: Fail where one is not
  ansible.builtin.fail:
    msg: "{{ record_status.verdict }}"
  when: record_status.missing | length > 0
  run_once: true
"""

RETURN = r"""
summary:
  description: The lines of the table as they were shown.
  type: list
  elements: str
  returned: success
  sample: []
counts:
  description: The number of streams, and of those in each RV(streams[].recording).
  type: dict
  returned: success
  sample: {streams: 3, recording: 2, stopped: 0, offline: 1, unknown: 0}
missing:
  description: The hosts whose streams should be recorded and are not known to be.
  type: list
  elements: str
  returned: success
  sample: [studio2]
verdict:
  description: A sentence about them, of at most 300 characters; empty where there are none.
  type: str
  returned: success
  sample: "Not known to be recorded: 1 of 3 streams: studio2."
excess:
  description:
    - The entries that are recorded and should not be, or no longer, each with C(like), a host whose connection options
      lead to the domain.
  type: list
  elements: dict
  returned: success
  sample: []
streams:
  description: One entry for each host in the order of the inventory, and then the strays.
  type: list
  elements: dict
  returned: success
  contains:
    host:
      description: The host that stands for the stream, null for a stray.
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
      description: Whether it should be recorded.
      type: bool
      returned: always
      sample: true
    online:
      description: Whether it is being pushed or pulled, null where the domain could not be looked at.
      type: bool
      returned: always
      sample: true
    publish_time:
      description: When the push began, null where that is not known.
      type: str
      returned: always
      sample: "2026-01-02T03:00:00Z"
    ingest_type:
      description:
        - V(push), or V(pull) for a stream that is pulled on trigger, null where that is not known, as it may be without
          O(ingest_types).
      type: str
      returned: always
      choices: [push, pull]
      sample: push
    recording:
      description: Whether it is being recorded, as far as is known.
      type: str
      returned: always
      choices: [recording, stopped, offline, unknown]
      sample: recording
    state_source:
      description: How that is known.
      type: str
      returned: always
      choices: [stream_state, notify_log, none]
      sample: notify_log
    recording_since:
      description: When the recording began, null where that is not known.
      type: str
      returned: always
      sample: "2026-01-02T03:04:05Z"
    recording_seconds:
      description: How long ago that was.
      type: int
      returned: always
      sample: 3600
    overdue:
      description: Whether it is known to have been recorded for longer than O(max_duration).
      type: bool
      returned: always
      sample: false
    reason:
      description: Why RV(streams[].recording) is V(unknown).
      type: str
      returned: always
      sample: null
    failed:
      description: Whether it could not be looked at.
      type: bool
      returned: always
      sample: false
    error:
      description: The error, as M(apsaravideo.live.apsaravideo_record_info) returns it.
      type: dict
      returned: always
      sample: null
api_calls:
  description: How many requests may have reached the cloud.
  type: int
  returned: always
  sample: 1
throttled:
  description: How many of them the cloud dropped because a quota was used up.
  type: int
  returned: always
  sample: 0
waited_seconds:
  description: How many seconds the task waited, for its turn, before tries, and for something to happen.
  type: float
  returned: always
  sample: 0.0
request_ids:
  description: The ids that the cloud gave to the requests. Its support asks for them.
  type: list
  elements: str
  returned: always
  sample: [16A96B9A-F203-4EC5-8E43-CB92E68F4CD8]
error:
  description: What the cloud answered, or what was found before or instead of an answer.
  type: dict
  returned: failure
  contains:
    code:
      description: The API's error code, null where none was received.
      type: str
      returned: failure
      sample: InvalidDomain.NotFound
    message:
      description: What happened, in one sentence.
      type: str
      returned: failure
      sample: "DescribeLiveStreamsOnlineList of x.example.com was refused: the account has no such streaming domain"
    request_id:
      description: The id of the request, null where none was received.
      type: str
      returned: failure
      sample: 16A96B9A-F203-4EC5-8E43-CB92E68F4CD8
    http_status:
      description: The HTTP status, null where no answer came.
      type: int
      returned: failure
      sample: 404
    action:
      description: The API operation, null where none was called.
      type: str
      returned: failure
      sample: DescribeLiveStreamsOnlineList
"""
