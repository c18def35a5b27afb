#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and entry of the module apsaravideo_record_info; what it does is in module_utils/_record_info.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_info
short_description: Tell what is known about the recording of live streams
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Tells of one live stream of Alibaba Cloud ApsaraVideo Live, of those of an application, or of those of a domain,
    which are being pushed, which are being recorded, and what was recorded.
  - The API cannot tell whether a stream is being recorded. RV(streams[].recording) rests on the notify log, which is
    the history of recording callbacks, and is V(unknown) where that says nothing. For it to say something, the domain
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
    description: The application of the streams, exactly. Without it, all of the domain are looked at.
    type: str
    aliases: [app]
  stream_name:
    description:
      - The name of one stream, exactly, for which O(app_name) is needed. Without it, all of the application or the
        domain are looked at.
    type: str
    aliases: [stream]
  gather:
    description:
      - What to gather, beside which streams are online. That takes a call for each 3,000 streams.
      - V(state) reads the notify log of about the last 7 days, with a call for each 500 callbacks. The number of calls
        does not depend on the number of streams otherwise.
      - V(ingest_type) takes a call for each stream that is online, of which the cloud allows 100 a second, unless the
        list of these says RV(streams[].ingest_type) already.
      - V(config) reads all recording configurations of the domain, with a call for each 30 of them.
      - V(events) reads the notify log from O(start_time) to O(end_time), and nothing more where V(state) is gathered
        too. Streams that it names are returned, too, when they are offline.
      - V(tasks) and V(files) take a call or more for each stream and each 4 days, of which the cloud allows 50 and 15 a
        second, so for many streams they take their time.
    type: list
    elements: str
    choices: [state, ingest_type, config, tasks, files, events]
    default: [state]
  start_time:
    description:
      - The begin of the time to gather V(tasks), V(files) and V(events) of, in ISO 8601 with a zone, such as
        V(2026-01-02T20:00:00+08:00), or in seconds since 1970.
      - Default is 24 hours before O(end_time).
      - The cloud keeps the notify log for 7 days, and lists what was recorded for 6 months. What lies farther back is
        left out with a warning.
    type: str
  end_time:
    description: The end of that time, which is now at the latest.
    type: str
  query:
    description: A JMESPath expression to apply to RV(streams), of which RV(result) is what comes out.
    type: str
notes:
  - Streams that the service makes by transcoding others are not listed among those that are online.
  - When streams come and go while a list of several pages is read, one may be missed.
attributes:
  check_mode:
    support: full
    details:
      - It changes nothing anyway.
  diff_mode:
    support: N/A
    details:
      - It changes nothing.
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Is a stream being recorded?
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
  register: studio1

- name: Show what is known and how
  ansible.builtin.debug:
    msg: "{{ studio1.streams[0].recording }} ({{ studio1.streams[0].reason or studio1.streams[0].state_source }})"

- name: Name the streams of a domain that are online, and not known to be recorded
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    query: "[?online && recording != 'recording'].stream_name"
  register: unrecorded

- name: See what happened to an application's streams in the last hour, and with which configuration they are recorded
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    app_name: news
    gather: [config, events]
    start_time: "{{ now().timestamp() - 3600 }}"

- name: Name the streams that are pulled on trigger, whose recordings end when nobody watches
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    gather: [ingest_type]
    query: "[?ingest_type == 'pull'].stream_name"
  register: pulled

- name: List what was recorded of a stream in the last 24 hours
  apsaravideo.live.apsaravideo_record_info:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    gather: [tasks, files]
"""

RETURN = r"""
streams:
  description:
    - The streams, in the order of their names. The stream that the options name is always there. Otherwise these are
      those that are online, and those that gathered V(events) name.
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
      description: When the push began that goes on now, null where none does.
      type: str
      returned: always
      sample: "2026-01-02T03:00:00Z"
    ingest_type:
      description:
        - V(push), or V(pull) for a stream that is pulled on trigger. That one is there only while somebody watches, and
          its recording ends with the last viewer.
        - Null for a stream that is offline, and where the list of streams that are online does not say it. With
          V(ingest_type) in O(gather), the cloud is asked for it then.
      type: str
      returned: always
      choices: [push, pull]
      sample: push
    recording:
      description:
        - What is known about the recording. V(offline) means that the stream is not being pushed or pulled, so nothing
          new can be recorded.
        - V(unknown) means that it is online and that the notify log tells nothing. RV(streams[].reason) says why.
          Events from before RV(streams[].publish_time) tell nothing about the push that goes on now.
        - The notify log may be some seconds late, so what has just happened may be missing. Where a recording has moved
          between OSS and VOD, only events of the storage type count to which it goes now.
      type: str
      returned: always
      choices: [recording, stopped, offline, unknown]
      sample: recording
    state_source:
      description:
        - How RV(streams[].recording) is known. V(notify_log) is the log of recording callbacks, V(stream_state) the
          list of streams that are online, and V(none) means that it is not known.
      type: str
      returned: always
      choices: [stream_state, notify_log, none]
      sample: notify_log
    recording_since:
      description:
        - The time of the event that says that the stream is being recorded, null where none does. It is when the
          recording began, was continued, or was split.
      type: str
      returned: always
      sample: "2026-01-02T03:04:05Z"
    reason:
      description: Why RV(streams[].recording) is V(unknown), null otherwise.
      type: str
      returned: always
      sample: null
    config:
      description:
        - The recording configuration that fits the stream best, null where none does. An exact name comes before V(*).
        - A configuration takes effect at the next push, so one whose C(create_time) is later than
          RV(streams[].publish_time) is not in effect yet.
        - Configurations of recordings that go to VOD are not looked at.
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
        - The recording tasks, by their C(start_time). The API's documentation does not say whether a task that still
          runs is among them, and which C(end_time) it has, so they tell nothing about the present.
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
        - The M3U8 index files, by their C(start_time). Files of other formats are named by the V(events) of the type
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
        - The callbacks of the notify log, by their C(time).
        - Their C(type) is C(record_started), C(record_paused), C(record_resumed), C(record_error), C(file_created),
          C(transformat_error) or C(record_force_transcode_fail). C(content) is the body that was sent, and C(delivered)
          tells whether the receiver took it.
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
  description: What O(query) makes of RV(streams).
  type: raw
  returned: with O(query)
  sample: [studio1]
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

from ..module_utils._module.record_info import SPEC, operate
from ..module_utils._module.runner import run


def main() -> None:
    """Entry of the module."""
    run(SPEC, operate)


if __name__ == "__main__":
    main()
