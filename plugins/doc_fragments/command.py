# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that say how a recording is brought to a state."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that apsaravideo_record and apsaravideo_record_fleet share."""

    DOCUMENTATION = r"""
options:
  finalize:
    description:
      - With O(state=stopped), also send C(cancel_delay), so that the file is created now. This takes one more call.
      - Ignored for other states.
    type: bool
    default: false
  wait_for_stream:
    description:
      - With O(state=started), the seconds to wait for a stream that is not being pushed yet, or that is pulled on
        trigger and has no viewer yet. The last check is made at their end. If it fails, its attempts may take
        O(retry_timeout) in addition.
      - Ignored for other states.
    type: int
    default: 0
  start_at:
    description:
      - The time before which no command is sent, whatever the state. Credentials and connection are ready by then.
      - It is given in ISO 8601 with a time zone, such as V(2026-01-02T20:00:00+08:00), or in seconds since 1970. A time
        without a time zone is refused.
      - If it has passed, the first request is sent at once, and RV(ignore:late_seconds) shows the delay. A time more
        than ten minutes ago, or more than a year ahead, is refused.
      - The machine's clock is used. If the clock is changed meanwhile, the task notices within a second.
      - Several tasks with the same time begin together, and their calls are made at the rate of O(rate_limit).
      - Check mode does not wait. RV(ignore:waited_seconds) does not include this wait.
    type: str
  wait:
    description:
      - The cloud carries out commands after it has responded. With V(true), the task waits until the notify log
        confirms the command. With O(state=started) and O(state=restarted), the log must show that the recording began,
        with O(state=stopped) that it was paused, or with O(finalize) that a file was created. Only events newer than
        the command count.
      - The clock of the log may be up to 2 seconds behind that of the gateway. So an event that seems up to 2 seconds
        older than the command counts as well if it is new in the log, but only 8 seconds after the command, or at the
        end of O(wait_timeout) if that comes first. Until then, it may be an older event that the log showed late.
      - The log shows these events only if the domain has a recording callback with status events, see
        M(apsaravideo.live.apsaravideo_record_notify). Without one, the task fails after O(wait_timeout), although the
        command was carried out.
      - The task does not wait if no event is expected, because the stream was being recorded already, had been stopped,
        or is not being pushed. That it had been stopped is known from the log only 8 seconds after the command, because
        the log may be late.
      - Reading the log takes one or two calls, and more the longer it takes. Check mode does not wait.
    type: bool
    default: false
  wait_timeout:
    description:
      - With O(wait), the seconds after which the task fails, even if the log cannot be read. The attempts of the last
        read may take O(retry_timeout) in addition. RV(ignore:changed) is reported all the same if the command was
        accepted.
    type: int
    default: 300
notes:
  - A stream that is pulled on trigger is online only while somebody watches it. Without a viewer nothing is recorded,
    whatever the mode of the configuration, and a recording ends when the last viewer leaves.
"""
