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
  - Brings the recordings of many streams to a state in one task, as fast as the quota of each account allows. What is
    decided and reported of each stream is the same as by M(apsaravideo.live.apsaravideo_record).
  - The streams are those of the hosts of the play's batch, of O(hosts), or of O(streams). The task runs once for all of
    them, on the controller, and logs in to no host.
  - No stream waits for another one. Streams that are not being pushed yet are watched by the domain, with one call of
    C(DescribeLiveStreamsOnlineList) in O(watch_interval) whatever their number, and the notify log is read by the
    domain likewise.
  - A host says which stream it is by the variables C(domain_name), C(app_name) and C(stream_name). Its variables
    C(record_finalize), C(record_wait_for_stream), C(record_start_at), C(record_wait), C(record_wait_timeout),
    C(record_rate_limit) and those of the connection, such as C(apsaravideo_profile), win over the options of the task.
  - What is wrong with one stream, such as a variable that cannot be evaluated, is no matter of the others.
  - A stream that several hosts name is sent each command once.
  - When ansible-playbook is interrupted (SIGINT, SIGTERM), nothing more is sent. The task waits up to 3 seconds for
    answers that are still to come, and says what became of each stream. When it is killed, nothing more is sent either.
  - While it runs, it says how far it is, and at its end what became of all, the failures by their cause.
extends_documentation_fragment:
  - apsaravideo.live.command
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  state:
    description:
      - V(started), V(stopped) and V(restarted) are those of M(apsaravideo.live.apsaravideo_record).
      - With V(scheduled), each stream is started and stopped as its windows say. These are either the list
        C(record_windows), of which each entry has C(start) and either C(stop) or C(duration), or one window as
        C(window_start) and either C(window_stop) or C(window_duration); in the variables of a host, or in an entry of
        O(streams). An empty list leaves a stream alone.
      - Times are in ISO 8601 with a zone, or in seconds since 1970. Durations are such as V(2h), V(1h30m), V(90m) or
        V(01:30:00), which needs quotes in YAML, or in seconds. Windows of one stream that overlap or touch are one.
      - Of a window that is open, the stream is started at once. Running the task again goes on as it should.
    type: str
    choices: [started, stopped, restarted, scheduled]
    default: started
  hosts:
    description:
      - A pattern of the hosts whose streams to bring to the state, within C(--limit).
      - Default is the hosts of the play's batch.
    type: str
  streams:
    description:
      - The streams themselves, for a play on one host. Each entry has C(domain_name), C(app_name) and C(stream_name),
        and may set the options C(finalize), C(wait_for_stream), C(start_at), C(wait), C(wait_timeout), windows, and
        options of the connection.
      - An entry may be the stream of a C(host) of the inventory, whose variables then count too, or be reached C(like)
        one.
    type: list
    elements: dict
  domain_name:
    description:
      - The domain of the streams whose hosts, or entries of O(streams), name none. A domain that they name comes first.
    type: str
    aliases: [domain]
  keep:
    description:
      - With O(state=scheduled), whether a stream whose push begins anew within its window is started again. A recording
        that was started by command ends with the push.
      - A viewer who comes back to a stream that is pulled on trigger begins a new push, too.
      - With O(state=started) and O(wait_for_stream), the same for so many seconds.
      - Costs one call for each domain in O(watch_interval), not one for each stream.
    type: bool
    default: false
  watch_interval:
    description:
      - Seconds between looks at what is being pushed in a domain, and at its notify log; at least 1.
      - Where a stream needs the notify log to tell what became of its command, at most 5 seconds pass between looks.
      - A stream that waits for its push gives up at the first look after O(wait_for_stream). The failed attempts of a
        look take at most 5 seconds, or O(retry_timeout) where that is less, and are followed by another look.
    type: float
    default: 5
  window_retry:
    description:
      - With O(state=scheduled), seconds between attempts to start a stream that failed to start, as long as its window
        lasts. V(0) means none; with O(keep), a failed start is repeated every 30 seconds then.
    type: float
    default: 0
  window_recheck:
    description:
      - With O(state=scheduled), seconds between checks, each of which sends C(start) to every stream whose window is
        open. V(0) means none. O(keep) does the same with fewer calls.
    type: float
    default: 0
  window_grace:
    description:
      - With O(state=scheduled), how many seconds before the task a window may have ended whose stream is still
        stopped. It then fails, unless the notify log says that it was recorded in the window.
      - A window that ended earlier fails without a call, because it is more likely a slip.
    type: float
    default: 600
  window_over:
    description: Whether to stop the streams, too, whose windows ended longer ago than O(window_grace).
    type: str
    choices: [refuse, stop]
    default: refuse
  max_fail:
    description:
      - The percentage of the streams of a batch that may fail. RV(ended) says whether more did, so that a playbook can
        begin no further batch.
    type: float
    default: 100
  fail:
    description:
      - Whether the task fails where a stream does. With V(false), failures are reported only.
      - A task that fails returns neither RV(streams) nor RV(request_ids), because Ansible would show them all.
    type: bool
    default: true
  title:
    description: What progress and summary begin with.
    type: str
    default: record
  progress:
    description:
      - How to show the progress. V(bar) is one moving line, V(lines) a line every ten seconds.
      - V(auto) takes the bar on a terminal, unless one of the variables E(CI), E(AWX_ISOLATED_DATA_DIR) and
        E(RUNNER_OMIT_EVENTS) is set or E(TERM) is V(dumb), and lines elsewhere. With a callback that writes JSON there
        is none.
    type: str
    choices: [auto, bar, lines, none]
    default: auto
  retry_file:
    description:
      - A file on the controller that lists the hosts that are left, for C(--limit @file). From the beginning of the run
        it lists all that are not done yet. It is removed when none is left, but for hosts of other runs in it.
      - Default is none. Check mode does not write it.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    details:
      - Predicts from the list of what is being pushed and from the notify log of each domain, without waiting.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - As M(apsaravideo.live.apsaravideo_record) is.
notes:
  - Progress and summary are lines of the output besides the result of the task.
  - At most 500 calls are under way at once.
seealso:
  - module: apsaravideo.live.apsaravideo_record
"""

EXAMPLES = r"""
- name: Record the streams of the hosts of the play, each as soon as it is pushed, within five minutes
  apsaravideo.live.apsaravideo_record_fleet:
    wait_for_stream: 300

- name: Stop the streams of a group, and look at what failed later
  apsaravideo.live.apsaravideo_record_fleet:
    hosts: streams
    state: stopped
    fail: false
  register: stopped

- name: Record two streams that are no hosts
  apsaravideo.live.apsaravideo_record_fleet:
    streams:
      - {domain_name: live.example.com, app_name: news, stream_name: studio1}
      - {domain_name: live.example.com, app_name: news, stream_name: studio2, wait_for_stream: 60}

- name: Record a stream in a window, and start it again when its push was interrupted
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
  description: The numbers of streams, by how they went.
  type: dict
  returned: always
  sample: {streams: 300, ok: 296, failed: 4, not_tried: 0, changed: 290}
streams:
  description: An entry for each stream.
  type: list
  elements: dict
  returned: where the task does not fail
  contains:
    host:
      description: The host, null for a stream that is none.
      type: str
      returned: always
      sample: studio1
    stream:
      description: The stream, null where the variables do not name one.
      type: dict
      returned: always
      sample: {domain_name: live.example.com, app_name: news, stream_name: studio1}
    status:
      description: How it went.
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
      description: The state, as M(apsaravideo.live.apsaravideo_record) returns it.
      type: str
      returned: success
      sample: recording
    previous_state:
      description: The state before.
      type: str
      returned: success
      sample: stopped
    state_source:
      description: How RV(streams[].state) is known.
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
      description: When the first command left, in ISO 8601; null where none did.
      type: str
      returned: where anything was to be sent
      sample: "2026-01-02T12:00:00.004Z"
    seconds:
      description: How long it took from the stream's turn to its end.
      type: float
      returned: where anything was to be sent
      sample: 0.074
    api_calls:
      description: How many requests of the stream may have reached the cloud, those for whole domains left out.
      type: int
      returned: where anything was to be sent
      sample: 1
    throttled:
      description: How many of them the cloud dropped.
      type: int
      returned: where anything was to be sent
      sample: 0
    waited_seconds:
      description: How many seconds the stream waited.
      type: float
      returned: where anything was to be sent
      sample: 0.02
    request_ids:
      description: The ids that the cloud gave to the requests.
      type: list
      elements: str
      returned: where anything was to be sent
      sample: [16A96B9A-F203-4EC5-8E43-CB92E68F4CD8]
    late_seconds:
      description: How long after O(start_at) the first command left.
      type: float
      returned: with O(start_at)
      sample: 0.004
    advice:
      description: What to do next.
      type: str
      returned: failure
      sample: >-
        Check domain_name, app_name and stream_name, begin the push, or set wait_for_stream; a triggered pull needs a
        viewer, because it runs only while somebody watches.
    msg:
      description: What happened, and what to do next.
      type: str
      returned: failure
      sample: "start of live.example.com/news/studio1 was refused: the stream is not being pushed (StreamNotFound, ...)"
    error:
      description: The error as M(apsaravideo.live.apsaravideo_record) returns it, null where there was none.
      type: dict
      returned: always
      sample: null
failed_hosts:
  description: The hosts that failed or were not tried, those of earlier batches of the same task included.
  type: list
  elements: str
  returned: always
  sample: [studio2]
failed_patterns:
  description: For each of RV(failed_hosts) a pattern that matches no other host, whatever its name looks like.
  type: list
  elements: str
  returned: always
  sample: ['~studio2\Z']
healthy_pattern:
  description: Such a pattern of a host that did not fail, null where there is none.
  type: str
  returned: always
  sample: '~studio1\Z'
ended:
  description: Whether no further batch should begin, because more than O(max_fail) failed or the run was interrupted.
  type: bool
  returned: always
  sample: false
timing:
  description: When the first and the last record command left, in seconds since 1970, and how many a second.
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
  description: How many requests may have reached the cloud.
  type: int
  returned: always
  sample: 300
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
      sample: StreamNotFound
    message:
      description: What happened, in one sentence.
      type: str
      returned: failure
      sample: "record: 4 of 300 streams failed or were not tried."
    request_id:
      description: The id of the request, null where none was received.
      type: str
      returned: failure
      sample: 16A96B9A-F203-4EC5-8E43-CB92E68F4CD8
    http_status:
      description: The HTTP status, null where no answer came.
      type: int
      returned: failure
      sample: 409
    action:
      description: The API operation, null where none was called.
      type: str
      returned: failure
      sample: RealTimeRecordCommand
"""
