#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of apsaravideo_record_fleet, which is an action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_fleet
short_description: Start, stop, split or schedule the recordings of many live streams
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Brings the recordings of many streams to a state in one task, as fast as the quota of each account allows. Each
    stream is handled and reported as by M(apsaravideo.live.apsaravideo_record).
  - The streams are those of the hosts of the play's batch, of O(hosts), or of O(streams). The task runs once for all of
    them, on the controller, and does not connect to any host.
  - No stream waits for another one. Streams that are not being pushed yet are polled by domain, with one call of
    C(DescribeLiveStreamsOnlineList) per O(watch_interval) whatever their number. The notify log is read by domain as
    well.
  - The variables C(domain_name), C(app_name) and C(stream_name) of a host identify its stream. Its variables may also
    set any other option of M(apsaravideo.live.apsaravideo_record) but the state, and then take precedence over the
    options of the task. Those of the connection have the prefix C(apsaravideo_), as C(apsaravideo_profile), and the
    others C(record_), as C(record_wait). C(record_rate_limit) is accepted as well.
  - An error of one stream, such as a variable that cannot be evaluated, does not affect the others.
  - If several hosts have the same stream, each command is sent once.
  - When C(ansible-playbook) is interrupted (SIGINT, SIGTERM), nothing more is sent. The task waits up to 3 seconds for
    pending responses, and reports the result of each stream. When it is killed, nothing more is sent either.
  - The task shows its progress, and at the end a summary with failures grouped by cause.
extends_documentation_fragment:
  - apsaravideo.live.command
  - apsaravideo.live.connection
  - apsaravideo.live.run
  - apsaravideo.live.report
  - apsaravideo.live.attributes
options:
  state:
    description:
      - V(started), V(stopped) and V(restarted) are those of M(apsaravideo.live.apsaravideo_record).
      - With V(scheduled), each stream is started and stopped according to its recording windows. They are set in the
        variables of a host, or in an entry of O(streams). Either the list C(record_windows), in which each entry has
        C(start) and either C(stop) or C(duration), or one window as C(window_start) and either C(window_stop) or
        C(window_duration). With an empty list, the stream is skipped.
      - Times are in ISO 8601 with a time zone, or in seconds since 1970. Durations are in the format V(2h), V(1h30m),
        V(90m) or V(01:30:00), which needs quotes in YAML, or in seconds. Windows of one stream that overlap or adjoin
        are merged.
      - If a window has begun already, the stream is started at once. An interrupted task can be run again.
    type: str
    choices: [started, stopped, restarted, scheduled]
    default: started
  hosts:
    description:
      - The pattern of the hosts whose streams are brought to the state, within C(--limit).
      - Default is the hosts of the play's batch.
    type: str
  streams:
    description:
      - A list of streams, for a play on one host. Each entry has C(domain_name), C(app_name) and C(stream_name), and
        may set any other option of M(apsaravideo.live.apsaravideo_record) but the state, and windows.
      - An entry with C(host) also uses the variables of that host of the inventory. An entry with C(like) uses only its
        variables of the connection.
    type: list
    elements: dict
  only:
    description:
      - Of the hosts, handle only those whose streams are in this list, such as C(keep) of an event. Each entry is
        C(domain/app/stream), in which each part is percent-encoded, so that no name can be a template or a pattern.
        Streams that no host stands for are ignored.
      - A host with recording windows is left out unless one of them is open.
    type: list
    elements: str
  keep:
    description:
      - With O(state=scheduled), whether a stream is started again if it is pushed anew within its window. A recording
        that was started by command ends with the push.
      - A viewer who returns to a stream that is pulled on trigger begins a new push as well.
      - With O(state=started), the same during the seconds of O(wait_for_stream).
      - This takes one call per domain and O(watch_interval), not one per stream.
    type: bool
    default: false
  watch_interval:
    description:
      - The seconds between reads of a domain's online streams, and of its notify log; at least 1.
      - If a stream needs the notify log to find the effect of its command, at most 5 seconds pass between reads.
      - A stream that waits for its push fails at the first read after O(wait_for_stream). The failed attempts of a read
        take at most 5 seconds, or O(retry_timeout) if that is less, and are followed by another read.
    type: float
    default: 5
  window_retry:
    description:
      - With O(state=scheduled), the seconds between attempts to start a stream that failed to start, until its window
        ends. V(0) means no further attempts, or one every 30 seconds with O(keep).
    type: float
    default: 0
  window_recheck:
    description:
      - With O(state=scheduled), the seconds between checks, each of which sends C(start) for every stream whose window
        is open. V(0) means no checks. O(keep) has the same effect with fewer calls.
    type: float
    default: 0
  window_grace:
    description:
      - With O(state=scheduled), the seconds before the task within which a window may have ended for its stream still
        to be stopped. The stream fails unless the notify log shows that it was recorded in the window.
      - If a window ended earlier, its stream fails without a call, because the times are probably wrong.
    type: float
    default: 600
  window_over:
    description: Whether to refuse or to stop a stream whose window ended longer ago than O(window_grace).
    type: str
    choices: [refuse, stop]
    default: refuse
  title:
    description: The title of progress and summary.
    type: str
    default: record
attributes:
  check_mode:
    support: full
    details:
      - Predicts from the online streams and the notify log of each domain, without waiting.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - The same applies as to M(apsaravideo.live.apsaravideo_record).
notes:
  - Progress and summary are shown in addition to the result of the task.
  - At most 500 calls are made at once.
seealso:
  - module: apsaravideo.live.apsaravideo_record
"""

EXAMPLES = r"""
- name: Record the streams of the hosts of the play, each as soon as it is pushed, within five minutes
  apsaravideo.live.apsaravideo_record_fleet:
    wait_for_stream: 300

- name: Stop the streams of a group, handle failures later, and write reports for people and for the pipeline
  apsaravideo.live.apsaravideo_record_fleet:
    hosts: streams
    state: stopped
    fail: false
    report: [stop.html, stop.xml]
  register: stopped

- name: Record two streams that are not hosts
  apsaravideo.live.apsaravideo_record_fleet:
    streams:
      - {domain_name: live.example.com, app_name: news, stream_name: studio1}
      - {domain_name: live.example.com, app_name: news, stream_name: studio2, wait_for_stream: 60}

- name: Record a stream in a window, and start it again after an interruption of its push
  apsaravideo.live.apsaravideo_record_fleet:
    state: scheduled
    keep: true
    streams:
      - domain_name: live.example.com
        app_name: news
        stream_name: studio1
        window_start: "{{ now().timestamp() }}"
        window_duration: 5s
"""

RETURN = r"""
counts:
  description: The numbers of streams by RV(streams[].status), and of those that were changed.
  type: dict
  returned: always
  sample: {streams: 300, ok: 296, failed: 4, not_tried: 0, changed: 290}
streams:
  description: One entry for each stream.
  type: list
  elements: dict
  returned: if the task does not fail
  contains:
    host:
      description: The host, null for a stream without one.
      type: str
      returned: always
      sample: studio1
    stream:
      description: The stream, null if the variables do not name one.
      type: dict
      returned: always
      sample: {domain_name: live.example.com, app_name: news, stream_name: studio1}
    status:
      description: The status of the stream.
      type: str
      returned: always
      choices: [ok, failed, not_tried]
      sample: ok
    changed:
      description: Whether the recording was changed.
      type: bool
      returned: always
      sample: true
    state:
      description: The state after the task, as M(apsaravideo.live.apsaravideo_record) returns it.
      type: str
      returned: success
      sample: recording
    previous_state:
      description: The state before the task.
      type: str
      returned: success
      sample: stopped
    state_source:
      description: The source of RV(streams[].state).
      type: str
      returned: success
      sample: command
    commands:
      description: The record commands, in order.
      type: list
      elements: str
      returned: success
      sample: [start]
    sent_at:
      description: The time at which the first command was sent, in ISO 8601, null if none was.
      type: str
      returned: if anything was to be sent
      sample: "2026-01-02T12:00:00.004Z"
    seconds:
      description: The seconds from the stream's turn to its end.
      type: float
      returned: if anything was to be sent
      sample: 0.074
    api_calls:
      description: The number of requests that may have reached the cloud, without those for whole domains.
      type: int
      returned: if anything was to be sent
      sample: 1
    throttled:
      description: The number of these that the cloud rejected because a quota was exhausted.
      type: int
      returned: if anything was to be sent
      sample: 0
    waited_seconds:
      description: The seconds that the stream waited.
      type: float
      returned: if anything was to be sent
      sample: 0.02
    request_ids:
      description: The IDs that the cloud assigned to the requests.
      type: list
      elements: str
      returned: if anything was to be sent
      sample: [16A96B9A-F203-4EC5-8E43-CB92E68F4CD8]
    late_seconds:
      description: The delay of the first command after O(start_at).
      type: float
      returned: with O(start_at)
      sample: 0.004
    advice:
      description: Advice on what to do next.
      type: str
      returned: failure
      sample: >-
        Check domain_name, app_name and stream_name, begin the push, or set wait_for_stream; a triggered pull needs a
        viewer, because it runs only while somebody watches.
    msg:
      description: The error message, with advice on what to do next.
      type: str
      returned: failure
      sample: "start of live.example.com/news/studio1 was refused: the stream is not being pushed (StreamNotFound, ...)"
    error:
      description: The error as M(apsaravideo.live.apsaravideo_record) returns it, null if there was none.
      type: dict
      returned: always
      sample: null
failed_hosts:
  description: The hosts that failed or were not tried, including those of earlier batches of the same task.
  type: list
  elements: str
  returned: always
  sample: [studio2]
failed_patterns:
  description: For each of RV(failed_hosts), a pattern that matches only this host, whatever its name.
  type: list
  elements: str
  returned: always
  sample: ['~studio2\Z']
healthy_pattern:
  description: A pattern that matches only one host that did not fail, null if there is none.
  type: str
  returned: always
  sample: '~studio1\Z'
ended:
  description: Whether no further batch should begin because more than O(max_fail) failed or the run was interrupted.
  type: bool
  returned: always
  sample: false
timing:
  description: The times of the first and the last record command, in seconds since 1970, and their rate.
  type: dict
  returned: always
  sample: {first_call: 1767355200.1, last_call: 1767355206.3, calls_per_second: 48.0}
calls:
  description: The numbers of calls by API operation.
  type: dict
  returned: always
  sample: {RealTimeRecordCommand: 300}
summary:
  description: The lines of the summary.
  type: list
  elements: str
  returned: always
  sample: ["record: 300 streams, 300 recording. 290 changed. 300 calls, 0 throttled."]
api_calls:
  description: The number of requests that may have reached the cloud.
  type: int
  returned: always
  sample: 300
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
      sample: StreamNotFound
    message:
      description: One sentence that says what happened.
      type: str
      returned: failure
      sample: "record: 4 of 300 streams failed or were not tried."
    request_id:
      description: The ID of the request, null if none was received.
      type: str
      returned: failure
      sample: 16A96B9A-F203-4EC5-8E43-CB92E68F4CD8
    http_status:
      description: The HTTP status, null if there was no response.
      type: int
      returned: failure
      sample: 409
    action:
      description: The API operation, null if none was called.
      type: str
      returned: failure
      sample: RealTimeRecordCommand
"""
