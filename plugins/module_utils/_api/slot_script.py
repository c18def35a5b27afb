# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that a Redis or Valkey server runs to reserve slots.

It reads only the server's own clock, so that durations alone cross the network and no client's clock matters. It uses
one key, as a cluster requires, and writes it with one command, whatever was there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .backoff import BACKOFF_FACTOR, DEBOUNCE_SECONDS, MAX_SLOTS_AHEAD, MIN_FACTOR, RECOVERY

SETTLE_SECONDS = 2.0  # after a new state, during which all callers tell what they know of the queue


class ScriptRequest(NamedTuple):
    """The arguments of the script, which reserves `slots` at a rate, and lowers the rate if a call was dropped.

    `ahead`: the seconds until the slot after the last one that the caller knows of. It counts where there is no state,
    and for a caller that `is_joining` after it had slots of its own.
    """

    rate: float
    slots: int = 0
    ahead: float = 0.0
    dropped: bool = False
    is_joining: bool = False

    def arguments(self) -> tuple[str | int, ...]:
        """Return the arguments of the script."""
        return repr(self.rate), self.slots, int(self.ahead * 1e6), int(self.dropped), int(self.is_joining)

    def parse(self, response: Any) -> tuple[float, float]:
        """Return the seconds until the slot and between slots; raises ValueError or TypeError for what cannot be."""
        wait, gap = (int(number) / 1e6 for number in response)
        max_gap = 1 / (self.rate * MIN_FACTOR)
        if not 0 <= wait <= 2 * MAX_SLOTS_AHEAD * max_gap or not 0 <= gap <= max_gap:
            raise ValueError("not a slot")
        return wait, gap


# Times are in microseconds. The state is the time of the last call, that of the next free slot, the share of the full
# rate in use since the last dropped call, the time of that call, and that of the first one. A state from the future is
# one of another clock, as after a failover. Where there is no usable state, as after a flush, what callers know of the
# queue is all there is: `ahead`, the time until the slot after their last one. In the long run it would add up errors.
SCRIPT = f"""
pcall(redis.replicate_commands)
local rate, count, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local dropped, is_joining = ARGV[4] == '1', ARGV[5] == '1'
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local free, factor, cut, born = now + ahead, 1, 0, now
local found = redis.pcall('GET', KEYS[1])
if type(found) == 'string' then
  local a, f, s, c, b = string.match(found, '^slots1 (%d+) (%d+) (%d%.%d+) (%d+) (%d+)$')
  a, f, s, c, b = tonumber(a), tonumber(f), tonumber(s), tonumber(c), tonumber(b)
  if a and a <= now and c <= a and f <= now + {MAX_SLOTS_AHEAD} * 1000000 / (rate * {MIN_FACTOR})
      and s >= {MIN_FACTOR} and s <= 1 then
    free, factor, cut, born = f, s, c, b
    if is_joining or now - born < {SETTLE_SECONDS} * 1000000 then free = math.max(free, now + ahead) end
  end
end
local share = math.min(1, factor + {RECOVERY} * (now - cut) / 1000000)
if dropped and now - cut >= {DEBOUNCE_SECONDS} * 1000000 then
  share = math.max({MIN_FACTOR}, share * {BACKOFF_FACTOR})
  factor, cut = share, now
end
local slot = math.max(now, free)
local gap = 1000000 / (rate * share)
if count > 0 or dropped then
  free = slot + count * gap
  local kept = 60000 + (free - now) / 1000 + (1 - share) / {RECOVERY} * 1000
  local state = string.format('slots1 %.0f %.0f %.6f %.0f %.0f', now, free, factor, cut, born)
  redis.call('SET', KEYS[1], state, 'PX', string.format('%.0f', kept))
end
return {{math.floor(slot - now), math.floor(gap)}}
"""
