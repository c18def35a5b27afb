#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and entry point of the module apsaravideo_record_config."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_config
short_description: Manage a recording configuration of a streaming domain
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Creates, changes or removes a recording configuration of Alibaba Cloud ApsaraVideo Live, which determines which
    streams of a domain are recorded to OSS, when, where and in which formats.
  - A domain has at most one configuration for each pair of O(app_name) and O(stream_name). The most specific one
    applies to a stream.
  - All configurations of the domain are read. Only options that the task sets are compared, so that defaults of the
    service are not reported as differences. O(mode) has a default and is always compared.
  - A new or changed configuration takes effect at the next push of a stream. Until then, the configuration from the
    beginning of its push applies. If there was none, the stream is not recorded, and commands fail for lack of a
    configuration.
extends_documentation_fragment:
  - apsaravideo.live.domain
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  state:
    description:
      - V(present) creates the configuration or changes what differs. An update cannot change O(oss_bucket) or prefixes,
        and is not documented to remove formats and templates. For these, the configuration is removed and created
        again, see RV(replaced). Values that the task does not set are preserved. If the cloud refuses the new
        configuration, the old one is restored. The task takes one call if nothing differs, three for a change and four
        for a replacement, and one more each time for every further 30 configurations of the domain.
      - V(absent) removes the configuration. All options except O(domain_name), O(app_name), O(stream_name) and those of
        the connection are ignored then.
    type: str
    choices: [present, absent]
    default: present
  app_name:
    description: The application to record, or V(*) for all.
    type: str
    default: "*"
    aliases: [app]
  stream_name:
    description: The stream to record, or V(*) for all.
    type: str
    default: "*"
    aliases: [stream]
  mode:
    description:
      - The trigger of a recording.
      - With V(automatic), a recording begins with the push. With V(callback), the response of
        O(apsaravideo.live.apsaravideo_record_notify#module:on_demand_url) of the domain decides, and nothing is
        recorded without that URL. With V(ingest_parameter), C(record_config) in the ingest URL decides.
      - With V(manual), a recording begins with a command, such as M(apsaravideo.live.apsaravideo_record) sends.
        Commands also work in the other modes.
    type: str
    choices: [automatic, callback, ingest_parameter, manual]
    default: manual
  oss_bucket:
    description:
      - The OSS bucket that files are stored in. Required to create a configuration.
      - It must be in the same region as the domain's live center. The cloud does not record across regions, which may
        become visible only later, by missing files or callbacks that report an error.
    type: str
  oss_endpoint:
    description:
      - The endpoint of the bucket, such as V(oss-cn-shanghai.aliyuncs.com). Required to create a configuration.
    type: str
  delay_time:
    description:
      - The seconds, from 15 to 21600, for which a push may be interrupted and continue in the same file.
    type: int
  formats:
    description:
      - The formats in which streams are recorded. Other formats are removed from the configuration.
      - To create a configuration, at least one format is required here or in O(transcode_formats).
      - Streams must have video in H.264, H.265 or MPEG-4 and audio in AAC or MP3. With other codecs there is no file,
        or a file with a black picture or without sound.
    type: list
    elements: dict
    suboptions: &format
      format:
        description: V(m3u8), V(flv), V(mp4) or V(cmaf), in upper or lower case.
        type: str
        required: true
      cycle_duration:
        description:
          - The seconds after which a file ends and the next begins. The default of the service is documented as 6
            hours for V(m3u8) and V(cmaf) and 1 hour for V(flv) and V(mp4).
          - Samples of the vendor have 900 to 21600. Another duration is sent with a warning.
        type: int
      slice_duration:
        description: The seconds of a slice, from 5 to 30, for V(m3u8) and V(cmaf) only. The service has a default.
        type: int
      oss_object_prefix:
        description:
          - The name of the objects in the bucket, without the extension, in at most 255 bytes. It must contain
            V({StartTime}) or V({EscapedStartTime}), and V({EndTime}) or V({EscapedEndTime}). It may contain
            V({AppName}), V({StreamName}) and V({Sequence}).
          - Default for a new format is V(record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}),
            or the same below V(transcoded/) for O(transcode_formats).
        type: str
      slice_oss_object_prefix:
        description:
          - The name of the slices of V(m3u8) and V(cmaf), in at most 255 bytes. It must contain V({UnixTimestamp}) and
            V({Sequence}). It may contain V({AppName}) and V({StreamName}).
          - Required together with O(formats[].oss_object_prefix) of such a format. By default, both are in one
            directory, and the slices are named V({UnixTimestamp}_{Sequence}).
        type: str
  transcode_formats:
    description:
      - The formats in which transcoded streams are recorded. Other formats are removed from the configuration.
    type: list
    elements: dict
    suboptions: *format
  transcode_templates:
    description: The transcoding templates whose streams are recorded. Others are removed from the configuration.
    type: list
    elements: str
  start_time:
    description:
      - The time from which on streams may be recorded, in ISO 8601 with a time zone, such as
        V(2026-01-02T18:00:00+08:00), or in seconds since 1970. It requires a O(stream_name) other than V(*), and must
        be within 7 days of the push.
    type: str
  end_time:
    description: The time at which recording ends, in the same format as O(start_time), and at most 7 days after it.
    type: str
attributes:
  check_mode:
    support: full
    details:
      - Reads the configurations and changes nothing. RV(config) then lacks the defaults of the service.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: apsaravideo.live.apsaravideo_record
  - module: apsaravideo.live.apsaravideo_record_notify
notes:
  - RV(config) can be used as options of the module, except for RV(config.create_time).
  - Recording to ApsaraVideo VOD has a configuration of its own, which is neither read nor changed.
"""

EXAMPLES = r"""
- name: Allow all streams of a domain to be recorded on command
  apsaravideo.live.apsaravideo_record_config:
    domain_name: live.example.com
    oss_bucket: recordings
    oss_endpoint: oss-cn-shanghai.aliyuncs.com
    formats:
      - format: mp4

- name: Record one application automatically, in hourly files that continue after a short interruption
  apsaravideo.live.apsaravideo_record_config:
    domain_name: live.example.com
    app_name: news
    mode: automatic
    oss_bucket: recordings
    oss_endpoint: oss-cn-shanghai.aliyuncs.com
    delay_time: 300
    formats:
      - format: m3u8
        cycle_duration: 3600
        slice_duration: 10
        oss_object_prefix: news/{StreamName}/{EscapedStartTime}_{EscapedEndTime}
        slice_oss_object_prefix: news/{StreamName}/slices/{UnixTimestamp}_{Sequence}
      - format: mp4
        cycle_duration: 3600

- name: Record the transcoded streams of one stream for an evening
  apsaravideo.live.apsaravideo_record_config:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    mode: automatic
    oss_bucket: recordings
    oss_endpoint: oss-cn-shanghai.aliyuncs.com
    transcode_formats:
      - format: mp4
    transcode_templates: [sd, hd]
    start_time: "2026-01-02T18:00:00+08:00"
    end_time: "2026-01-02T23:00:00+08:00"

- name: Remove the configuration of the application
  apsaravideo.live.apsaravideo_record_config:
    domain_name: live.example.com
    app_name: news
    state: absent
"""

RETURN = r"""
config:
  description:
    - The configuration after the task, as the cloud returns it, null if there is none; in check mode, the predicted
      one. It has the names of the options, and null for values that are not set.
  type: dict
  returned: success
  contains:
    domain_name:
      description: The domain.
      type: str
      returned: success
      sample: live.example.com
    app_name:
      description: The application, or V(*).
      type: str
      returned: success
      sample: "*"
    stream_name:
      description: The stream, or V(*).
      type: str
      returned: success
      sample: "*"
    mode:
      description: The trigger of a recording, as in O(mode). A mode that the module does not know is a number.
      type: str
      returned: success
      sample: manual
    oss_bucket:
      description: The bucket.
      type: str
      returned: success
      sample: recordings
    oss_endpoint:
      description: The endpoint of the bucket.
      type: str
      returned: success
      sample: oss-cn-shanghai.aliyuncs.com
    delay_time:
      description: The seconds for which a push may be interrupted and continue in the same file.
      type: int
      returned: success
      sample: 180
    formats:
      description: The formats, as in O(formats), with their names in lower case.
      type: list
      elements: dict
      returned: success
      sample:
        - format: mp4
          cycle_duration: 3600
          slice_duration: null
          oss_object_prefix: record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}
          slice_oss_object_prefix: null
    transcode_formats:
      description: The formats of transcoded streams, as in O(transcode_formats).
      type: list
      elements: dict
      returned: success
      sample: []
    transcode_templates:
      description: The transcoding templates.
      type: list
      elements: str
      returned: success
      sample: [sd, hd]
    start_time:
      description: The time from which on streams may be recorded, in UTC.
      type: str
      returned: success
      sample: "2026-01-02T10:00:00Z"
    end_time:
      description: The time at which recording ends, in UTC.
      type: str
      returned: success
      sample: "2026-01-02T15:00:00Z"
    create_time:
      description: The time at which the configuration was created, in UTC.
      type: str
      returned: success
      sample: "2026-01-01T09:33:38Z"
before:
  description: The configuration before the task, in the same format, null if there was none.
  type: dict
  returned: success
  sample: null
replaced:
  description: Whether the configuration was removed and created again; in check mode, whether it would be.
  type: bool
  returned: success
  sample: false
api_calls:
  description: The number of requests that may have reached the cloud.
  type: int
  returned: always
  sample: 3
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
      sample: >-
        AddLiveAppRecordConfig of live.example.com/*/* was refused: the RAM user or role may not call this operation
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
      sample: AddLiveAppRecordConfig
"""

from ..module_utils._module.record_config import SPEC, operate
from ..module_utils._module.runner import run


def main() -> None:
    """Run the module."""
    run(SPEC, operate)


if __name__ == "__main__":
    main()
