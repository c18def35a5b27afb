#!/usr/bin/python
# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and entry point of the module apsaravideo_stream_notify."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apsaravideo_stream_notify
short_description: Manage the ingest callback of an ingest domain
version_added: 0.1.0
author:
  - The apsaravideo.live authors (@apsaravideo)
description:
  - Creates, changes or removes the ingest callback of an ingest domain of Alibaba Cloud ApsaraVideo Live. It sends
    requests to a URL when the push of a stream begins and ends, for example to record a stream as soon as it is pushed.
    A domain has at most one.
  - For requests about recordings, see M(apsaravideo.live.apsaravideo_record_notify).
extends_documentation_fragment:
  - apsaravideo.live.connection
  - apsaravideo.live.attributes
options:
  state:
    description:
      - V(present) creates the callback or changes what differs. Values that the task does not set are preserved, except
        for O(auth_key) and possibly O(switch_notify_url).
      - V(absent) removes the callback. All options except O(domain_name) and those of the connection are ignored then.
    type: str
    choices: [present, absent]
    default: present
  domain_name:
    description:
      - The ingest domain, to which streams are pushed. The other modules take the streaming domain instead, so a
        C(domain_name) in C(module_defaults) of all modules is the wrong one here.
      - If no ingest domain is bound to a streaming domain, streams are pushed to the streaming domain itself.
    type: str
    required: true
    aliases: [domain]
  notify_url:
    description:
      - The callback URL for pushes that begin and end. It begins with C(http://) or C(https://), and spaces and special
        characters are percent-encoded. Required to create a callback.
    type: str
  exception_notify_url:
    description:
      - The callback URL for exceptions of pushes. It has the same format as O(notify_url).
      - An empty string removes it. For this, the callback is removed and created again, see RV(replaced), because an
        update is not documented to remove anything. If the cloud refuses the new callback, the old one is restored,
        with the O(switch_notify_url) of the task.
    type: str
  switch_notify_url:
    description:
      - The callback URL for switches between the two pushes of a dual stream. It has the same format as O(notify_url).
      - The cloud does not return this URL, so it cannot be compared, see O(update_switch_notify_url). If the domain has
        one, set it in each task, because a change that is sent without it may remove it.
      - To remove it, remove the callback with O(state=absent) and create it again.
    type: str
  update_switch_notify_url:
    description:
      - When to send O(switch_notify_url) for a callback that exists already.
      - V(on_create) sends it only together with another change, and otherwise there is a warning.
      - V(always) sends it in each run, which reports a change, with a warning that there may be none. It is not the
        default, because the module would never be idempotent. Use it to change the URL.
    type: str
    choices: [always, on_create]
    default: on_create
  auth_key:
    description:
      - The key that signs the callbacks, 16 to 64 letters and digits. Without it, callbacks are not signed.
      - The signature is made with the ingest domain, while that of a recording callback is made with the host of its
        URL.
      - The cloud may not return its key, so that the keys cannot be compared. See O(update_auth_key).
      - A new key takes effect at the next push of a stream. Until then, its callbacks are signed with the old key, so
        receivers should accept both until all streams have been pushed anew.
    type: str
  update_auth_key:
    description:
      - When to send O(auth_key) for a callback that is signed already.
      - V(on_create) sends it only together with another change. If the cloud has, or may have, another key, there is a
        warning.
      - V(always) sends it unless the cloud shows that it has the same key. If it does not return its key, each run
        reports a change, with a warning that there may be none. It is not the default, because the module would never
        be idempotent. Use it to change the key.
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
      - The diff does not contain the key.
  idempotent:
    support: partial
    details:
      - With O(update_auth_key=always), it is idempotent only if the cloud returns the key; with
        O(update_switch_notify_url=always) and O(switch_notify_url), it is not.
seealso:
  - module: apsaravideo.live.apsaravideo_record_notify
"""

EXAMPLES = r"""
- name: Receive callbacks about pushes that begin and end
  apsaravideo.live.apsaravideo_stream_notify:
    domain_name: push.example.com
    notify_url: https://callback.example.com/push

- name: Receive signed callbacks, and those about exceptions
  apsaravideo.live.apsaravideo_stream_notify:
    domain_name: push.example.com
    notify_url: https://callback.example.com/push
    exception_notify_url: https://callback.example.com/exception
    auth_key: "{{ callback_key | default('0123456789abcdef') }}"

- name: Change the key
  apsaravideo.live.apsaravideo_stream_notify:
    domain_name: push.example.com
    auth_key: "{{ new_callback_key | default('fedcba9876543210') }}"
    update_auth_key: always

- name: Remove the ingest callback
  apsaravideo.live.apsaravideo_stream_notify:
    domain_name: push.example.com
    state: absent
"""

RETURN = r"""
config:
  description:
    - The callback after the task, as the cloud returns it, null if there is none; in check mode, the predicted one. It
      never contains the key or O(switch_notify_url).
  type: dict
  returned: success
  contains:
    domain_name:
      description: The ingest domain.
      type: str
      returned: success
      sample: push.example.com
    notify_url:
      description: The callback URL for pushes, null if there is only one for exceptions.
      type: str
      returned: success
      sample: https://callback.example.com/push
    exception_notify_url:
      description: The callback URL for exceptions, null if there is none.
      type: str
      returned: success
      sample: null
    signed:
      description: Whether callbacks are signed.
      type: bool
      returned: success
      sample: false
before:
  description: The callback before the task, in the same format, null if there was none.
  type: dict
  returned: success
  sample: null
replaced:
  description: Whether the callback was removed and created again; in check mode, whether it would be.
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
        SetLiveStreamsNotifyUrlConfig of push.example.com was refused: the RAM user or role may not call this operation
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
      sample: SetLiveStreamsNotifyUrlConfig
"""

from ..module_utils._module.runner import run
from ..module_utils._module.stream_notify import SPEC, operate


def main() -> None:
    """Run the module."""
    run(SPEC, operate)


if __name__ == "__main__":
    main()
