#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and entry of the module apsaravideo_record; what it does stands in module_utils/_record.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record
short_description: Start, stop or split the recording of a live stream
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Brings the recording of one live stream of Alibaba Cloud ApsaraVideo Live to the wanted state, with the API
    operation C(RealTimeRecordCommand).
  - The API controls a recording only while the stream is being pushed and a recording configuration is in effect for
    it. A recording that was started by command ends when the push is interrupted, and does not begin again by itself.
    Run the task again then.
  - The API cannot tell whether a stream is being recorded. RV(state_source) says how the module knows what it returns.
extends_documentation_fragment:
  - apsaravideo.live.stream
  - apsaravideo.live.command
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  state:
    description:
      - V(started) sends C(start). The answer tells whether the stream was being recorded already. One call. Where an
        answer is lost and the next one says that the recording runs, the notify log is read once to find whether it
        did before.
      - V(stopped) reads the notify log and sends C(stop). The file appears after a delay, by default 180 seconds, in
        case the recording is resumed. Two calls, and more only where the notify log holds over 500 entries of the
        stream, or where nothing seems to have changed although the cloud accepted the command. The log may be late then
        and not have shown a recording that had just begun, so it is read again after 8 seconds.
      - V(restarted) sends C(restart), which closes the file being recorded and begins another. It always changes
        something. It is not repeated when its answer is lost, because that could split the recording twice. The notify
        log is read once then, and where it says nothing the record contents. Unless one of them shows that a recording
        ended and another began since the request, the task fails, because the outcome is unknown.
    type: str
    choices: [started, stopped, restarted]
    default: started
notes:
  - In the role P(apsaravideo.live.record#role) the options are variables, such as C(record_state) for O(state).
    Elsewhere only those of the connection are, such as C(apsaravideo_profile) for O(profile).
attributes:
  check_mode:
    support: full
    details:
      - Predicts from the ingest state and the notify log, with up to two calls that change nothing. Where nothing is
        known, it reports a change and warns.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - V(started) is idempotent. V(stopped) is as far as the notify log tells, for which the domain needs a recording
        callback with status events. V(restarted) is not.
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

- name: Record a stream, and go on when the notify log shows that the recording has begun
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    wait: true
    wait_timeout: 60

- name: Begin the recording at a time, here in two seconds
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    start_at: "{{ now().timestamp() + 2 }}"

- name: Close the file and go on recording into another
  apsaravideo.live.apsaravideo_record:
    domain_name: live.example.com
    app_name: news
    stream_name: studio1
    state: restarted

- name: Stop recording, have the file now, and go on when it has been made
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
    - The state after the run; in check mode, the state that a run would lead to.
    - V(offline) means that the stream is not being pushed, so nothing new can be recorded.
  type: str
  returned: success
  choices: [recording, stopped, offline, unknown]
  sample: recording
previous_state:
  description: The state before the run, V(unknown) where nothing told it.
  type: str
  returned: success
  choices: [recording, stopped, offline, unknown]
  sample: stopped
state_source:
  description:
    - How RV(state) is known. V(command) is the cloud's answer to a command, which is proof.
    - V(stream_state) is the ingest state, V(notify_log) the log of recording callbacks (in a real run only with
      O(wait), or for V(restarted) when the answer was lost), V(none) means that it is assumed.
    - How late the notify log may be is not documented. It is taken to be complete after 8 seconds, so check mode may
      miss what happened in the last seconds.
  type: str
  returned: success
  choices: [command, stream_state, notify_log, record_contents, none]
  sample: command
commands:
  description: The record commands that were sent, in order; in check mode, those that would be.
  type: list
  elements: str
  returned: success
  sample: [start]
stream:
  description: The stream.
  type: dict
  returned: when the options name one
  sample: {domain_name: live.example.com, app_name: news, stream_name: studio1}
start_at:
  description: The time before which no call was to leave, in ISO 8601.
  type: str
  returned: with O(start_at)
  sample: "2026-01-02T20:00:00+08:00"
late_seconds:
  description: How long after RV(start_at) the first call left, null in check mode and where none did.
  type: float
  returned: with O(start_at)
  sample: 0.004
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
      sample: StreamNotFound
    message:
      description: What happened, in one sentence.
      type: str
      returned: failure
      sample: "start of live.example.com/news/studio1 was refused: the stream is not being pushed"
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

from ..module_utils._module.record import SPEC, operate
from ..module_utils._module.runner import run


def main() -> None:
    """Entry of the module."""
    run(SPEC, operate)


if __name__ == "__main__":
    main()
