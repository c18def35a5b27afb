#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and entry of the module apsaravideo_record_config; what it does stands in module_utils."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_config
short_description: Manage a recording configuration of a streaming domain
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Creates, changes or removes a recording configuration of Alibaba Cloud ApsaraVideo Live, which says which streams of
    a domain are recorded to OSS, when, where and in which formats.
  - A domain has at most one configuration for each pair of O(app_name) and O(stream_name). The one that fits a stream
    best applies to it.
  - All configurations of the domain are read, and only what the task sets is compared, so that what the service fills
    in is no difference. O(mode) has a default and is always compared.
  - A new or changed configuration takes effect at the next push of a stream. What is being pushed goes on with what was
    in effect when its push began, and where that was none, it is not recorded and commands find no configuration.
extends_documentation_fragment:
  - apsaravideo.live.domain
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  state:
    description:
      - V(present) creates the configuration or changes what differs. An update cannot change O(oss_bucket) or prefixes,
        and is not sure to remove formats and templates. For these the configuration is removed and created again,
        with what the task does not set taken over, which RV(replaced) tells. Should the cloud refuse the new one, the
        old one is put back. One call where nothing differs, three for a change and four for a replacement, and one
        more each time for every further 30 configurations of the domain.
      - V(absent) removes it. Of the options, only O(domain_name), O(app_name) and O(stream_name) count then.
    type: str
    choices: [present, absent]
    default: present
  app_name:
    description: The application that is recorded, or V(*) for all.
    type: str
    default: "*"
    aliases: [app]
  stream_name:
    description: The stream that is recorded, or V(*) for all.
    type: str
    default: "*"
    aliases: [stream]
  mode:
    description:
      - What starts a recording.
      - V(automatic) means the push. V(callback) means what
        O(apsaravideo.live.apsaravideo_record_notify#module:on_demand_url) of the domain answers, and nothing is
        recorded without one. V(ingest_parameter) means C(record_config) in the ingest URL.
      - V(manual) means a command, as M(apsaravideo.live.apsaravideo_record) sends it. Commands act in the other modes
        too.
    type: str
    choices: [automatic, callback, ingest_parameter, manual]
    default: manual
  oss_bucket:
    description:
      - The OSS bucket that files are stored in. Needed to create a configuration.
      - It must be in the same region as the domain's live centre. The cloud does not record across regions, which may
        show only later, by files that are missing or callbacks that report an error.
    type: str
  oss_endpoint:
    description: The endpoint of the bucket, such as V(oss-cn-shanghai.aliyuncs.com). Needed to create a configuration.
    type: str
  delay_time:
    description:
      - Seconds, from 15 to 21600. A push that is interrupted for no longer goes on in the same file.
    type: int
  formats:
    description:
      - The formats in which streams are recorded. What is configured besides is removed.
      - To create a configuration, at least one format is needed here or in O(transcode_formats).
      - Streams must have video in H.264, H.265 or MPEG-4 and audio in AAC or MP3. With other codecs there is no file,
        or one with a black picture or no sound.
    type: list
    elements: dict
    suboptions: &format
      format:
        description: V(m3u8), V(flv), V(mp4) or V(cmaf), in either case.
        type: str
        required: true
      cycle_duration:
        description:
          - Seconds after which a file ends and the next begins. The service has a default, 6 hours for V(m3u8) and
            V(cmaf) and 1 hour for V(flv) and V(mp4) by its documentation.
          - From 900 to 21600 by samples of the vendor's. Another duration is sent, with a warning.
        type: int
      slice_duration:
        description: Seconds of a slice, from 5 to 30, for V(m3u8) and V(cmaf) only. The service has a default.
        type: int
      oss_object_prefix:
        description:
          - The name of the objects in the bucket, up to the extension, in at most 255 bytes. It holds
            V({StartTime}) or V({EscapedStartTime}), and V({EndTime}) or V({EscapedEndTime}), and may hold V({AppName}),
            V({StreamName}) and V({Sequence}).
          - A new format has V(record/{AppName}/{StreamName}/{Sequence}_{EscapedStartTime}_{EscapedEndTime}) by default,
            and one of O(transcode_formats) the same below V(transcoded/).
        type: str
      slice_oss_object_prefix:
        description:
          - The name of the slices of V(m3u8) and V(cmaf), in at most 255 bytes. It holds V({UnixTimestamp}) and
            V({Sequence}), and may hold V({AppName}) and V({StreamName}).
          - Set it when O(formats[].oss_object_prefix) of such a format is set. By default both stand in one directory,
            the slices as V({UnixTimestamp}_{Sequence}).
        type: str
  transcode_formats:
    description:
      - The formats in which transcoded streams are recorded. What is configured besides is removed.
    type: list
    elements: dict
    suboptions: *format
  transcode_templates:
    description: The transcoding templates whose streams are recorded. What is configured besides is removed.
    type: list
    elements: str
  start_time:
    description:
      - When recording may begin, in ISO 8601 with a zone, such as V(2026-01-02T18:00:00+08:00), or in seconds since
        1970. For a configuration with a O(stream_name) only, and within 7 days of the push.
    type: str
  end_time:
    description: When recording ends, as O(start_time), and at most 7 days after it.
    type: str
attributes:
  check_mode:
    support: full
    details:
      - Reads the configurations and changes nothing. RV(config) then lacks what the service would fill in.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: apsaravideo.live.apsaravideo_record
  - module: apsaravideo.live.apsaravideo_record_notify
notes:
  - What RV(config) returns, but for RV(config.create_time), can be given to the module again.
  - Storing to ApsaraVideo VOD is configured elsewhere, and neither read nor changed.
"""

EXAMPLES = r"""
- name: Let all streams of a domain be recorded on command
  apsaravideo.live.apsaravideo_record_config:
    domain_name: live.example.com
    oss_bucket: recordings
    oss_endpoint: oss-cn-shanghai.aliyuncs.com
    formats:
      - format: mp4

- name: Record one application automatically, in hourly files that go on after a short interruption
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

- name: Record the transcoded forms of one stream for an evening
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

- name: Record nothing of that application any more
  apsaravideo.live.apsaravideo_record_config:
    domain_name: live.example.com
    app_name: news
    state: absent
"""

RETURN = r"""
config:
  description:
    - The configuration after the run, as the cloud shows it, null where there is none; in check mode, what a run would
      lead to. It has the names of the options, and null for what is not set.
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
      description: What starts a recording, as O(mode). A mode that the module does not know is its number.
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
      description: Seconds that an interruption may last within one file.
      type: int
      returned: success
      sample: 180
    formats:
      description: The formats, as O(formats), with format names in small letters.
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
      description: The formats of transcoded streams, in the same form.
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
      description: When recording may begin, in UTC.
      type: str
      returned: success
      sample: "2026-01-02T10:00:00Z"
    end_time:
      description: When recording ends, in UTC.
      type: str
      returned: success
      sample: "2026-01-02T15:00:00Z"
    create_time:
      description: When the configuration was created, in UTC.
      type: str
      returned: success
      sample: "2026-01-01T09:33:38Z"
before:
  description: The configuration before the run, in the same form, null where there was none.
  type: dict
  returned: success
  sample: null
replaced:
  description: Whether the configuration was, or in check mode would be, removed and created again.
  type: bool
  returned: success
  sample: false
api_calls:
  description: How many requests may have reached the cloud.
  type: int
  returned: always
  sample: 3
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
      sample: Forbidden.RAM
    message:
      description: What happened, in one sentence.
      type: str
      returned: failure
      sample: >-
        AddLiveAppRecordConfig of live.example.com/*/* was refused: the RAM user or role may not call this operation
    request_id:
      description: The id of the request, null where none was received.
      type: str
      returned: failure
      sample: 16A96B9A-F203-4EC5-8E43-CB92E68F4CD8
    http_status:
      description: The HTTP status, null where no answer came.
      type: int
      returned: failure
      sample: 403
    action:
      description: The API operation, null where none was called.
      type: str
      returned: failure
      sample: AddLiveAppRecordConfig
"""

from ..module_utils._module.record_config import SPEC, operate
from ..module_utils._module.runner import run


def main() -> None:
    """Entry of the module."""
    run(SPEC, operate)


if __name__ == "__main__":
    main()
