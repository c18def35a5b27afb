#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and entry of the module apsaravideo_record_notify; what it does stands in module_utils."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_record_notify
short_description: Manage the recording callback of a streaming domain
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Creates, changes or removes the recording callback of a domain of Alibaba Cloud ApsaraVideo Live, which tells a URL
    of yours about files that were recorded, and about recordings that begin and pause. A domain has at most one.
  - Status events are also what M(apsaravideo.live.apsaravideo_record) reads from the notify log, to tell whether a
    stream is being recorded.
extends_documentation_fragment:
  - apsaravideo.live.domain
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  state:
    description:
      - V(present) creates the callback or changes what differs. What the task does not set stays as it is, but for
        O(auth_key).
      - V(absent) removes it. Of the options, only O(domain_name) counts then.
    type: str
    choices: [present, absent]
    default: present
  notify_url:
    description:
      - The URL that is told, with C(http://) or C(https://), percent-encoded where it holds spaces or special
        characters. Needed to create a callback.
    type: str
  on_demand_url:
    description:
      - The URL that is asked whether to record a stream, for
        O(apsaravideo.live.apsaravideo_record_config#module:mode=callback). Written as O(notify_url).
      - An empty text takes it away. For that the callback is removed and created again, which RV(replaced) tells,
        because an update is not sure to remove anything. Should the cloud refuse the new one, the old one is put back.
    type: str
  status_events:
    description: Whether to tell also when a recording begins, pauses and goes on. A new callback does not by default.
    type: bool
  auth_key:
    description:
      - The key that callbacks are signed with, 16 to 32 letters and digits. Without it, callbacks are not signed.
      - The cloud may not show the key that it has, so that it cannot be compared. See O(update_auth_key).
      - A changed key counts from the next push of a stream. What is being pushed goes on being signed with the key
        before, so receivers should accept both until all streams have been pushed anew.
    type: str
  update_auth_key:
    description:
      - When to send O(auth_key) for a callback that is signed already.
      - V(on_create) sends it only together with another change. Where the cloud has, or may have, another key, the
        module warns.
      - V(always) sends it unless the cloud shows that it has this very key. Where it shows none, each run reports a
        change, with a warning that there may be none. It is not the default, because the module would never be
        finished then. Use it to change the key.
    type: str
    choices: [always, on_create]
    default: on_create
attributes:
  check_mode:
    support: full
    details:
      - Reads the callback and changes nothing.
  diff_mode:
    support: full
    details:
      - The key is not shown.
  idempotent:
    support: partial
    details:
      - With O(update_auth_key=always) only where the cloud shows the key.
seealso:
  - module: apsaravideo.live.apsaravideo_record
  - module: apsaravideo.live.apsaravideo_record_config
"""

EXAMPLES = r"""
- name: Be told of files and of recordings that begin and pause
  apsaravideo.live.apsaravideo_record_notify:
    domain_name: live.example.com
    notify_url: https://callback.example.com/recording
    status_events: true

- name: Be told with a signature
  apsaravideo.live.apsaravideo_record_notify:
    domain_name: live.example.com
    notify_url: https://callback.example.com/recording
    auth_key: "{{ callback_key | default('0123456789abcdef') }}"

- name: Change the key
  apsaravideo.live.apsaravideo_record_notify:
    domain_name: live.example.com
    auth_key: "{{ new_callback_key | default('fedcba9876543210') }}"
    update_auth_key: always

- name: Be told nothing any more
  apsaravideo.live.apsaravideo_record_notify:
    domain_name: live.example.com
    state: absent
"""

RETURN = r"""
config:
  description:
    - The callback after the run, as the cloud shows it, null where there is none; in check mode, what a run would lead
      to. The key is never in it.
  type: dict
  returned: success
  contains:
    domain_name:
      description: The domain.
      type: str
      returned: success
      sample: live.example.com
    notify_url:
      description: The URL that is told.
      type: str
      returned: success
      sample: https://callback.example.com/recording
    on_demand_url:
      description: The URL that is asked whether to record, null where there is none.
      type: str
      returned: success
      sample: null
    status_events:
      description: Whether it is told when a recording begins, pauses and goes on.
      type: bool
      returned: success
      sample: true
    signed:
      description: Whether callbacks are signed.
      type: bool
      returned: success
      sample: false
before:
  description: The callback before the run, in the same form, null where there was none.
  type: dict
  returned: success
  sample: null
replaced:
  description: Whether the callback was, or in check mode would be, removed and created again.
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
        AddLiveRecordNotifyConfig of live.example.com was refused: the RAM user or role may not call this operation
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
      sample: AddLiveRecordNotifyConfig
"""

from ..module_utils._module.record_notify import SPEC, operate
from ..module_utils._module.runner import run


def main() -> None:
    """Entry of the module."""
    run(SPEC, operate)


if __name__ == "__main__":
    main()
