#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and entry point of the module apsaravideo_record_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_info
short_description: Gather information about the recording of live streams
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Returns the push and recording state of one stream, of an application or of a domain of Alibaba Cloud ApsaraVideo
    Live, and its past recordings.
  - The API has no operation that tells whether a stream is being recorded. RV(streams[].recording) is taken from the
    notify log, which is the history of recording callbacks, and is V(unknown) if the log does not show it. The domain
    needs a recording callback with status events, see M(apsaravideo.live.apsaravideo_record_notify).
extends_documentation_fragment:
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  domain_name:
    description: The main streaming (playback) domain of the streams, not their ingest domain.
    type: str
    required: true
    aliases: [domain]
  app_name:
    description: The exact name of the application. Without it, all applications of the domain are included.
    type: str
    aliases: [app]
  stream_name:
    description:
      - The exact name of one stream, which requires O(app_name). Without it, all streams of the application or the
        domain are included.
    type: str
    aliases: [stream]
  gather:
    description:
      - The information to gather in addition to the list of online streams, which takes one call for each 3,000
        streams.
      - V(state) reads the notify log of about the last 7 days, with one call for each 500 callbacks. Otherwise, the
        number of calls does not depend on the number of streams.
      - V(ingest_type) takes one call for each online stream, unless the list of online streams contains
        RV(streams[].ingest_type). The cloud allows 100 of these calls per second.
      - V(config) reads all recording configurations of the domain, with one call for each 30 of them.
      - V(events) reads the notify log from O(start_time) to O(end_time). It takes no further call if V(state) is
        gathered too. Offline streams that it contains are returned as well.
      - V(tasks) and V(files) take at least one call for each stream and each 4 days. The cloud allows 50 and 15 of
        these calls per second, so they are slow for many streams.
    type: list
    elements: str
    choices: [state, ingest_type, config, tasks, files, events]
    default: [state]
  start_time:
    description:
      - The beginning of the period to gather V(tasks), V(files) and V(events) for, in ISO 8601 with a time zone, such
        as V(2026-01-02T20:00:00+08:00), or in seconds since 1970.
      - Default is 24 hours before O(end_time).
      - The cloud keeps the notify log for 7 days, and lists recordings for 6 months. An older part of the period is
        left out with a warning.
    type: str
  end_time:
    description: The end of the period, in the same format as O(start_time). Default, and latest time, is now.
    type: str
  query:
    description: A JMESPath expression to apply to RV(streams), which results in RV(result).
    type: str
notes:
  - Transcoded streams are not included.
  - If streams begin or end while a list of several pages is read, one may be missing.
attributes:
  check_mode:
    support: full
    details:
      - The module never changes anything.
  diff_mode:
    support: N/A
    details:
      - The module never changes anything.
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Get the recording state of a stream
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
  register: studio1

- name: Show the state with its source
  ansible.builtin.debug:
    msg: "{{ studio1.streams[0].recording }} ({{ studio1.streams[0].reason or studio1.streams[0].state_source }})"

- name: List the online streams of a domain that are not known to be recorded
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    query: "[?online && recording != 'recording'].stream_name"
  register: unrecorded

- name: Get the events of an application's streams in the last hour, and their recording configurations
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    app_name: news
    gather: [config, events]
    start_time: "{{ now().timestamp() - 3600 }}"

- name: List the streams that are pulled on trigger, whose recordings end with the last viewer
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    gather: [ingest_type]
    query: "[?ingest_type == 'pull'].stream_name"
  register: pulled

- name: List the recordings of a stream in the last 24 hours
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    gather: [tasks, files]
"""

RETURN = r"""
streams:
  description:
    - The streams, sorted by name. A stream that the options name is always included. Otherwise these are the online
      streams, and those in gathered V(events).
  type: list
  elements: dict
  returned: success
  contains:
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
    online:
      description: Whether the stream is being pushed, or pulled by the service.
      type: bool
      returned: always
      sample: true
    publish_time:
      description: The beginning of the current push, null if there is none.
      type: str
      returned: always
      sample: "2026-01-02T03:00:00Z"
    ingest_type:
      description:
        - V(push), or V(pull) for a stream that is pulled on trigger. Such a stream is online only while somebody
          watches, and its recording ends with the last viewer.
        - Null for an offline stream, and if the list of online streams does not contain it. With V(ingest_type) in
          O(gather), it is then read for each stream.
      type: str
      returned: always
      choices: [push, pull]
      sample: push
    recording:
      description:
        - The recording state. V(offline) means that the stream is not being pushed or pulled, so nothing new can be
          recorded.
        - V(unknown) means that the stream is online and that the notify log does not show the state.
          RV(streams[].reason) says why. Events from before RV(streams[].publish_time) are ignored, because they are
          about an earlier push.
        - The notify log may be some seconds late, so the latest events may be missing. If a recording has moved between
          OSS and VOD, only events of the current storage type count.
      type: str
      returned: always
      choices: [recording, stopped, offline, unknown]
      sample: recording
    state_source:
      description:
        - The source of RV(streams[].recording). V(notify_log) is the log of recording callbacks, V(stream_state) the
          list of online streams, and V(none) means that the state is unknown.
      type: str
      returned: always
      choices: [stream_state, notify_log, none]
      sample: notify_log
    recording_since:
      description:
        - The time of the event that shows that the stream is being recorded, null if there is none. At that time, the
          recording began, was resumed, or was split.
      type: str
      returned: always
      sample: "2026-01-02T03:04:05Z"
    reason:
      description: The reason why RV(streams[].recording) is V(unknown), null otherwise.
      type: str
      returned: always
      sample: null
    config:
      description:
        - The most specific recording configuration that applies to the stream, null if there is none. An exact name
          takes precedence over V(*).
        - A configuration takes effect at the next push, so one whose C(create_time) is later than
          RV(streams[].publish_time) is not in effect yet.
        - Configurations of recordings to VOD are not included.
      type: dict
      returned: with V(config) in O(gather)
      sample:
        domain_name: live.example.com
        app_name: news
        stream_name: "*"
        mode: manual
        oss_bucket: recordings
        oss_endpoint: oss-cn-shanghai.aliyuncs.com
        delay_time: 180
        formats:
          - format: mp4
            cycle_duration: 3600
            slice_duration: null
            oss_object_prefix: "{AppName}/{StreamName}/{EscapedStartTime}_{EscapedEndTime}"
            slice_oss_object_prefix: null
        transcode_formats: []
        transcode_templates: []
        start_time: null
        end_time: null
        create_time: "2026-01-01T09:33:38Z"
    tasks:
      description:
        - The recording tasks, sorted by C(start_time). The API's documentation does not say whether a running task is
          included, and with which C(end_time), so they do not show the current state.
      type: list
      elements: dict
      returned: with V(tasks) in O(gather)
      sample:
        - start_time: "2026-01-02T03:04:05Z"
          end_time: "2026-01-02T04:04:05Z"
          duration: 3600.0
          oss_bucket: recordings
          oss_endpoint: oss-cn-shanghai.aliyuncs.com
          oss_object_prefix: "{AppName}/{StreamName}/{EscapedStartTime}_{EscapedEndTime}"
    files:
      description:
        - The M3U8 index files, sorted by C(start_time). For files of other formats, see V(events) of the type
          C(file_created).
      type: list
      elements: dict
      returned: with V(files) in O(gather)
      sample:
        - record_id: c4d7f0a4-b506-43f9-8de3-07732c3f0000
          record_url: http://recordings.oss-cn-shanghai.aliyuncs.com/news/studio1/1.m3u8
          format: m3u8
          start_time: "2026-01-02T03:04:05Z"
          end_time: "2026-01-02T04:04:05Z"
          create_time: "2026-01-02T04:07:05Z"
          duration: 3600.0
          width: 1280
          height: 720
          oss_bucket: recordings
          oss_endpoint: oss-cn-shanghai.aliyuncs.com
          oss_object: news/studio1/1.m3u8
    events:
      description:
        - The callbacks in the notify log, sorted by C(time).
        - Their C(type) is C(record_started), C(record_paused), C(record_resumed), C(record_error), C(file_created),
          C(transformat_error) or C(record_force_transcode_fail). C(content) is the body that was sent, and C(delivered)
          is whether the receiver accepted it.
      type: list
      elements: dict
      returned: with V(events) in O(gather)
      sample:
        - time: "2026-01-02T03:04:05Z"
          type: record_started
          storage_type: oss
          delivered: true
          content: {domain: live.example.com, app: news, stream: studio1, event: record_started}
result:
  description: The result of applying O(query) to RV(streams).
  type: raw
  returned: with O(query)
  sample: [studio1]
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

from ..module_utils._module.record_info import SPEC, operate
from ..module_utils._module.runner import run


def main() -> None:
    """Run the module."""
    run(SPEC, operate)


if __name__ == "__main__":
    main()
