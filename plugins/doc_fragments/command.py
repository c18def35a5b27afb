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
      - With O(state=stopped), also send C(cancel_delay), so that the file appears now. One more call.
      - Ignored for other states.
    type: bool
    default: false
  wait_for_stream:
    description:
      - With O(state=started), seconds to wait for a stream that is not being pushed yet, or that is pulled on trigger
        and has no viewer yet. The last look is at their end, and the attempts of one that fails may take
        O(retry_timeout) in addition.
      - Ignored for other states.
    type: int
    default: 0
  start_at:
    description:
      - The time before which no command leaves, whatever the state. Keys and connection are ready by then.
      - In ISO 8601 with a zone, such as V(2026-01-02T20:00:00+08:00), or in seconds since 1970. A time without a zone
        is refused.
      - When it has passed, the first call leaves at once; RV(ignore:late_seconds) says how late it was. A time that was
        more than ten minutes ago, or is more than a year ahead, is refused.
      - The machine's clock decides. Where somebody sets it meanwhile, the task sees that within a second.
      - Several tasks at once begin together, and their calls leave at the rate of O(rate_limit).
      - Check mode does not wait. RV(ignore:waited_seconds) does not count it.
    type: str
  wait:
    description:
      - The cloud carries commands out after it has answered. With V(true), wait until the notify log shows that it
        did. With O(state=started) and O(state=restarted) that the recording began, with O(state=stopped) that it was
        paused, or with O(finalize) that a file was made. Only what is newer than the command counts.
      - The clock of the log may be behind that of the gateway by up to 2 seconds. An event that seems older than the
        command by no more than that counts if it is new in the log, but only 8 seconds after the command, or at the end
        of O(wait_timeout) where that comes first. Until then it may be one from before the command that the log showed
        late.
      - The log shows this only where the domain has a recording callback with status events, see
        M(apsaravideo.live.apsaravideo_record_notify). Without one, this fails after O(wait_timeout), although the
        command was carried out.
      - Nothing is waited for where no event can be expected, because the stream was being recorded already, had been
        stopped, or is not being pushed. That it had been stopped counts as known from the log only 8 seconds after the
        command, because the log may be late.
      - It costs a call or two that read the log, and more the longer it takes. In check mode nothing is waited for.
    type: bool
    default: false
  wait_timeout:
    description:
      - With O(wait), seconds after which that fails, also where the log cannot be read; the attempts of the last look
        may take O(retry_timeout) in addition. It then reports RV(ignore:changed) all the same where the
        command was accepted.
    type: int
    default: 300
notes:
  - A stream that the cloud pulls on trigger is there only while somebody watches it. Nothing is recorded without a
    viewer, whatever the mode of the configuration, and a recording ends when the last one leaves.
"""
