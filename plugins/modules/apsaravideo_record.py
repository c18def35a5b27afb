#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and entry point of the module apsaravideo_record."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record
short_description: Start, stop or split the recording of a live stream
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Brings the recording of one live stream of Alibaba Cloud ApsaraVideo Live to the desired state, with the API
    operation C(RealTimeRecordCommand).
  - The API controls a recording only while the stream is being pushed and a recording configuration is in effect for
    it. A recording that was started by command ends when the push is interrupted, and does not resume by itself. Run
    the task again then.
  - The API has no operation that tells whether a stream is being recorded. RV(state_source) names the source of what
    the module returns.
extends_documentation_fragment:
  - apsaravideo.live.stream
  - apsaravideo.live.command
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  state:
    description:
      - V(started) sends C(start), which takes one call. The response shows whether the stream was being recorded
        already. If a response is lost and the next one says that the stream is being recorded, the notify log is read
        once to find whether it was before.
      - V(stopped) reads the notify log and sends C(stop), which takes two calls. The file appears after a delay, by
        default 180 seconds, in case the recording is resumed. More calls are needed only if the notify log holds over
        500 entries of the stream, or if nothing seems to have changed although the cloud accepted the command. The log
        is then read again after 8 seconds, because it may have been late and have missed a recording that had just
        begun.
      - V(restarted) sends C(restart), which closes the current file and begins another. It always reports a change. It
        is not repeated when its response is lost, because that could split the recording twice. Instead, the notify log
        is read once, and if that shows nothing, the record contents. Unless one of them shows that a recording ended
        and another began since the request, the task fails, because the outcome is unknown.
    type: str
    choices: [started, stopped, restarted]
    default: started
notes:
  - In the role P(apsaravideo.live.record#role), all options can be set by variables, such as C(record_state) for
    O(state). Elsewhere only the options of the connection can, such as O(profile) by C(apsaravideo_profile).
attributes:
  check_mode:
    support: full
    details:
      - Predicts from the ingest state and the notify log, with up to two calls that change nothing. If nothing is
        known, it reports a change with a warning.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - V(started) is idempotent. V(stopped) is idempotent if the notify log shows that the stream was stopped, for
        which the domain needs a recording callback with status events. V(restarted) is not idempotent.
"""

EXAMPLES = r"""
- name: Record a stream
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1

- name: Record a stream as soon as it is pushed, within five minutes
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    wait_for_stream: 300

- name: Record a stream, and wait until the notify log shows that the recording has begun
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    wait: true
    wait_timeout: 60

- name: Start the recording at a given time, here in two seconds
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    start_at: "{{ now().timestamp() + 2 }}"

- name: Close the current file and continue in another
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    state: restarted

- name: Stop the recording, and wait until the file has been created
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    state: stopped
    finalize: true
    wait: true
"""

RETURN = r"""
state:
  description:
    - The state after the task; in check mode, the predicted state.
    - V(offline) means that the stream is not being pushed, so nothing new can be recorded.
  type: str
  returned: success
  choices: [recording, stopped, offline, unknown]
  sample: recording
previous_state:
  description: The state before the task, V(unknown) if no source shows it.
  type: str
  returned: success
  choices: [recording, stopped, offline, unknown]
  sample: stopped
state_source:
  description:
    - The source of RV(state). V(command) is the cloud's response to a command, which is proof.
    - V(stream_state) is the ingest state. V(notify_log) is the log of recording callbacks, outside check mode only with
      O(wait), or for O(state=restarted) if the response was lost. V(record_contents) is the list of recordings, only
      for O(state=restarted) if the response was lost. V(none) means that the state is assumed.
    - The delay of the notify log is not documented. It is expected to be complete after 8 seconds, so check mode may
      miss events of the last seconds.
  type: str
  returned: success
  choices: [command, stream_state, notify_log, record_contents, none]
  sample: command
commands:
  description: The record commands that were sent, in order; in check mode, those that would be sent.
  type: list
  elements: str
  returned: success
  sample: [start]
stream:
  description: The stream.
  type: dict
  returned: if the options name one
  sample: {domain_name: live.example.com, app_name: news, stream_name: studio1}
start_at:
  description: The time before which no request was to be sent, in ISO 8601.
  type: str
  returned: with O(start_at)
  sample: "2026-01-02T20:00:00+08:00"
late_seconds:
  description: The delay of the first request after RV(start_at), null in check mode and if none was sent.
  type: float
  returned: with O(start_at)
  sample: 0.004
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
      sample: StreamNotFound
    message:
      description: One sentence that says what happened.
      type: str
      returned: failure
      sample: "start of live.example.com/news/studio1 was refused: the stream is not being pushed"
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

from ..module_utils._module.record import SPEC, operate
from ..module_utils._module.runner import run


def main() -> None:
    """Run the module."""
    run(SPEC, operate)


if __name__ == "__main__":
    main()
