#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of apsaravideo_record_verify, which is an action plugin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_verify
short_description: Verify that live streams were recorded in their windows
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Compares the windows of many streams with the files that exist, in one task, and returns a verdict for each stream.
    It sends no command.
  - V(complete) means that files cover the windows, and V(interrupted) that they do so except where the stream was not
    pushed. V(incomplete) means that the stream was pushed for longer than O(tolerance) while it was not recorded,
    V(nothing_recorded) that no file exists, and V(unknown) that what can be read does not decide.
  - A source that cannot be read, for example because of a missing permission, is named in a warning. It leads to
    V(unknown) where the others do not decide, and never to a better verdict. RV(streams[].verified_by) names
    the sources.
  - Files are those of C(DescribeLiveStreamRecordIndexFiles), which lists only index files of recordings in m3u8, and
    those that the callbacks of the last 7 days name, in any format. A recording in several formats counts once, and is
    complete if one of them is.
  - When a file must exist follows from the recording configuration, that is, from its longest cycle and its
    C(DelayTime). Where the pushes cannot be read, it is a day, because short pauses of a push make a recording longer
    than its cycle. Until then, what has no file is V(unknown) unless the recording is known to have ended. A callback
    with status events shows that (M(apsaravideo.live.apsaravideo_record_notify)).
  - A window that has not ended is judged up to now minus that delay, which RV(streams[].reason) says. One that has not
    begun is V(unknown).
  - Pushes are read only if the files do not cover everything. They come from the callbacks of O(ingest_domain), or else
    from C(DescribeLiveStreamsPublishList), read by domain for 30 days. A push that began more than 7 days before the
    window and has ended since may be missing there. If a file without pauses shows that a push is missing, the times
    without a push that it contradicts are unknown. For windows that are older than 30 days, the list is trusted from
    the first push of the domain on that it shows, because it is not documented how long pushes are kept.
  - The streams are those of the hosts of the play's batch, of O(hosts), or of O(streams), as for
    M(apsaravideo.live.apsaravideo_record_fleet). Their windows are set by the same variables as there. A stream with an
    empty list of windows is skipped.
  - Each stream takes at least one call of C(DescribeLiveStreamRecordIndexFiles), of which an account may make 15 in a
    second. A window of more than four days takes one for each four days. The task shows at its beginning how long that
    takes at least. Everything else is read once for each domain.
  - When C(ansible-playbook) is interrupted (SIGINT, SIGTERM), streams without a verdict count as not tried.
extends_documentation_fragment:
  - apsaravideo.live.connection
  - apsaravideo.live.run
  - apsaravideo.live.report
  - apsaravideo.live.attributes
options:
  hosts:
    description:
      - The pattern of the hosts whose streams are verified, within C(--limit).
      - Default is the hosts of the play's batch.
    type: str
  streams:
    description:
      - A list of streams, for a play on one host. Each entry has C(domain_name), C(app_name) and C(stream_name), and
        may set windows.
      - An entry with C(host) also uses the variables of that host of the inventory. An entry with C(like) uses only its
        variables of the connection.
    type: list
    elements: dict
  since:
    description:
      - The beginning of one span for all streams, which replaces their windows. In ISO 8601 with a time zone, in
        seconds since 1970, or as a duration with a unit before now, such as V(2h) or V(90m).
    type: str
  until:
    description:
      - The end of that span. As a variable of a play, C(until) is a reserved name of Ansible.
      - Default is now.
    type: str
    aliases: [till]
  tolerance:
    description:
      - The seconds that may be missing in one place. Recordings begin with a key frame, which comes some seconds after
        the push, and the times of the API are whole seconds.
    type: float
    default: 10
  file_delay:
    description:
      - The seconds after the end of a recording after which its file exists.
      - Default is C(DelayTime) of the recording configuration, at least 180, and 6 hours if the configuration cannot be
        read, is newer than the window or leaves the formats to a callback.
    type: float
  ingest_domain:
    description:
      - The domain that streams are pushed to. Its log of ingest callbacks, which goes back 7 days, is used if it begins
        before the windows of a stream and names the stream, and if a callback is still configured.
    type: str
  accept_unknown:
    description: Whether a stream with the verdict V(unknown) does not fail.
    type: bool
    default: false
  accept_interrupted:
    description: Whether a stream with the verdict V(interrupted) does not fail.
    type: bool
    default: true
  check_files:
    description:
      - Whether to request the first 4 KiB of each file at its address. A file that is missing, is empty or does not
        begin like one of its format does not count. If it cannot be read, for example in a private bucket, it counts as
        unchecked.
      - The requests have the TLS settings and the proxy of the connection, but neither signature nor credentials. They
        follow no redirects. The segments of an index file are not requested.
      - Files that only callbacks name have an address if the recording configuration names their bucket.
    type: bool
    default: false
  allow_private_addresses:
    description:
      - Whether to request files at addresses that are not on the public internet, such as those of a VPC. They are
        refused otherwise, because the addresses come from outside, except if O(endpoint) is a loopback address.
      - If a proxy is used, it resolves names, and only literal addresses are refused.
    type: bool
    default: false
  ffprobe:
    description:
      - Whether to run C(ffprobe) on each file that O(check_files) has found readable. A file whose duration is shorter
        than listed by more than O(tolerance) does not count.
      - It is allowed HTTP and HTTPS only, and a minute for each file. It requests what an index file names, at any
        address.
    type: bool
    default: false
  ffprobe_path:
    description: The name or the path of the program. The task fails without a call if it is missing.
    type: str
    default: ffprobe
  title:
    description: The title of progress and summary.
    type: str
    default: verify
attributes:
  check_mode:
    support: full
    details:
      - Reads the same, because nothing is changed. The retry file is not written.
  diff_mode:
    support: none
  idempotent:
    support: full
notes:
  - Progress and summary are shown in addition to the result of the task.
  - Index files are listed for 6 months. Older windows are V(unknown).
  - An index file that was created on request (C(CreateLiveStreamRecordIndexFiles)) while a recording ran is taken for a
    file of that recording, so that what was recorded before it counts as missing until the recording has its own file.
  - Recordings to ApsaraVideo VOD are not listed. A stream that is recorded only there may count as not recorded.
  - The logs of callbacks are taken for whole from their first event on, as the API does not show when callbacks were
    configured. If they were removed for a time, a verdict that rests on them may be wrong for that time.
  - A file that somebody has deleted from the bucket is still listed. O(check_files) finds it missing.
seealso:
  - module: apsaravideo.live.apsaravideo_record_fleet
  - module: apsaravideo.live.apsaravideo_record_info
"""

EXAMPLES = r"""
- name: Verify the recordings of the hosts of the play in their windows
  apsaravideo.live.apsaravideo_record_verify:

- name: Verify what was recorded of two streams since noon, and read the beginnings of the files
  apsaravideo.live.apsaravideo_record_verify:
    since: "2026-01-02T12:00:00+08:00"
    check_files: true
    streams:
      - {domain_name: live.example.com, app_name: news, stream_name: studio1}
      - {domain_name: live.example.com, app_name: news, stream_name: studio2}
    fail: false
  register: verified

- name: Show where something is missing
  ansible.builtin.debug:
    msg: "{{ item.stream.stream_name }}: {{ item.gaps | default([]) }}"
  loop: "{{ verified.streams }}"
"""

RETURN = r"""
counts:
  description: The numbers of streams by RV(streams[].status).
  type: dict
  returned: always
  sample: {streams: 300, ok: 292, failed: 8, not_tried: 0, changed: 0}
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
      description: Always false.
      type: bool
      returned: always
      sample: false
    verdict:
      description: The verdict, which is also RV(streams[].state).
      type: str
      returned: if what was recorded could be read
      choices: [complete, interrupted, incomplete, nothing_recorded, unknown]
      sample: incomplete
    reason:
      description: The reason for the verdict, empty if there is nothing to say.
      type: str
      returned: if what was recorded could be read
      sample: 5 minutes of 2 hours are not recorded although the stream was pushed
    verified_by:
      description:
        - The sources of the verdict, of V(index_files), V(notify_log), V(ingest_log), V(publish_list) and
          V(file_contents).
      type: list
      elements: str
      returned: if what was recorded could be read
      sample: [index_files, notify_log, publish_list]
    windows:
      description: The windows, each as its beginning and its end.
      type: list
      elements: list
      returned: if what was recorded could be read
      sample: [["2026-01-02T12:00:00Z", "2026-01-02T14:00:00Z"]]
    expected_seconds:
      description: The length of the windows as far as they are judged.
      type: float
      returned: if what was recorded could be read
      sample: 7200.0
    recorded_seconds:
      description: The seconds of these that usable files hold, at least.
      type: float
      returned: if what was recorded could be read
      sample: 6900.0
    files:
      description: The files that hold a part of the windows.
      type: list
      elements: dict
      returned: if what was recorded could be read
      contains:
        start:
          description: The beginning of the recording.
          type: str
          returned: always
          sample: "2026-01-02T12:00:00Z"
        stop:
          description: The end of the recording.
          type: str
          returned: always
          sample: "2026-01-02T13:00:00Z"
        duration:
          description: The recorded seconds.
          type: float
          returned: if listed
          sample: 3600.0
        format:
          description: The format.
          type: str
          returned: always
          sample: m3u8
        object:
          description: The name of the object in its bucket.
          type: str
          returned: always
          sample: record/news/studio1/0.m3u8
        url:
          description: The address, without a query, which may hold a signature.
          type: str
          returned: if known
          sample: http://recordings.oss-cn-shanghai.aliyuncs.com/record/news/studio1/0.m3u8
        status:
          description:
            - V(ok), V(missing) and V(damaged) are those of O(check_files). V(error) means that the notify log says that
              the file could not be made.
          type: str
          returned: always
          choices: [ok, missing, damaged, error, unchecked]
          sample: unchecked
        size:
          description: The size in bytes.
          type: int
          returned: with O(check_files), if the server tells it
          sample: 18234
        note:
          description: The reason for the status.
          type: str
          returned: if there is anything to say
          sample: the address holds no file
    gaps:
      description: The parts of the windows without a usable file that are longer than O(tolerance).
      type: list
      elements: dict
      returned: if what was recorded could be read
      contains:
        start:
          description: The beginning.
          type: str
          returned: always
          sample: "2026-01-02T13:00:00Z"
        stop:
          description: The end.
          type: str
          returned: always
          sample: "2026-01-02T13:05:00Z"
        cause:
          description:
            - The cause. V(push) means that the stream was not pushed, V(recording) that it was, and V(file) that a file
              should hold this time and cannot be used.
          type: str
          returned: always
          choices: [push, recording, file, unknown]
          sample: recording
        seconds:
          description: The missing seconds, which may be anywhere between beginning and end.
          type: float
          returned: if a file is shorter than its times
          sample: 60.0
    state:
      description: The verdict.
      type: str
      returned: if what was recorded could be read
      sample: incomplete
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
    advice:
      description: Advice on what to do next.
      type: str
      returned: failure
      sample: >-
        Look at the gaps in the result; for coming windows, set keep, or record automatically.
    msg:
      description: The error message, with advice on what to do next.
      type: str
      returned: failure
      sample: "live.example.com/news/studio1 is incomplete: 5 minutes of 2 hours are not recorded although ..."
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
  description: The times of the first and the last call for a list of files, in seconds since 1970, and their rate.
  type: dict
  returned: always
  sample: {first_call: 1767355200.1, last_call: 1767355220.9, calls_per_second: 14.4}
calls:
  description: The numbers of calls by API operation.
  type: dict
  returned: always
  sample: {DescribeLiveRecordConfig: 1, DescribeLiveRecordNotifyRecords: 1, DescribeLiveStreamRecordIndexFiles: 300}
summary:
  description: The lines of the summary.
  type: list
  elements: str
  returned: always
  sample: ["verify: 300 streams, 280 complete, 12 interrupted, 8 failed. 0 changed. 304 calls, 0 throttled."]
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
      sample: Forbidden.RAM
    message:
      description: One sentence that says what happened.
      type: str
      returned: failure
      sample: "verify: 8 of 300 streams failed or were not tried."
    request_id:
      description: The ID of the request, null if none was received.
      type: str
      returned: failure
      sample: 16A96B9A-F203-4EC5-8E43-CB92E68F4CD8
    http_status:
      description: The HTTP status, null if there was no response.
      type: int
      returned: failure
      sample: 403
    action:
      description: The API operation, null if none was called.
      type: str
      returned: failure
      sample: DescribeLiveStreamRecordIndexFiles
"""
