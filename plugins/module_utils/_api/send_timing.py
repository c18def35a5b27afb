# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timing of requests: not before a set time, and in the slots of the rate limiter."""

from __future__ import annotations

from collections.abc import Callable

from .._util.clock import Clock
from .rate_limiter import RateLimiter
from .traffic import Traffic

# Seconds after its slot that a request may be sent; with the share of the quota in use, no second holds more than that.
MAX_SLOT_DELAY = 0.04
_MAX_MISSED_SLOTS = 5
_MAX_IDLE = 5.0  # seconds that a connection may be idle before its request
_CONNECT_AHEAD = 1.0  # seconds before its slot that a connection is made where the queue is longer than that


class SendTiming:
    """Waits of one client before its requests are sent, and the times at which they were.

    No request is sent before `not_before`. `first_sent_at` and `sent_at` are the times of the first and the last
    request, all three in seconds since the epoch; `sent_monotonic` is that of the current request by the monotonic
    clock. Before a request is sent they are None. `on_sent` is called for each request in the thread that sends it.
    """

    def __init__(self, clock: Clock, traffic: Traffic) -> None:
        self.not_before = 0.0
        self.first_sent_at: float | None = None
        self.sent_at = 0.0
        self.sent_monotonic: float | None = None
        self.on_sent: Callable[[], None] | None = None
        self._clock = clock
        self._traffic = traffic

    def wait(self, seconds: float) -> None:
        """Wait, and count the seconds."""
        if seconds > 0:
            self._clock.sleep(seconds)
            self._traffic.waited_seconds += seconds

    def queue(self, limiter: RateLimiter) -> float | None:
        """Wait in a long queue before there is a connection, which might not last; return the slot that was reserved.

        In a short queue return None: how long connecting takes is not known, so a slot reserved now might be missed.
        """
        if limiter.measure_backlog() <= _MAX_IDLE:
            return None
        slot = limiter.reserve()
        self._wait_until(slot - _CONNECT_AHEAD)
        return slot

    def before_send(self, limiter: RateLimiter, slot: float | None) -> None:
        """Wait for the time and the slot of a request that is about to be written, and record that it was sent."""
        self._clock.sleep_until(self.not_before)
        self._wait_for_slot(limiter, slot)
        self._clock.check()
        self.sent_at = self._clock.now()
        self.first_sent_at = self.first_sent_at or self.sent_at
        self.sent_monotonic = self._clock.monotonic()
        if self.on_sent:
            self.on_sent()

    def _wait_for_slot(self, limiter: RateLimiter, slot: float | None) -> None:
        """Wait for the reserved slot; if missed, reserve again, at most _MAX_MISSED_SLOTS times."""
        for _attempt in range(_MAX_MISSED_SLOTS):
            time = limiter.reserve() if slot is None else slot
            self._wait_until(time)
            if self._clock.monotonic() - time <= MAX_SLOT_DELAY:
                return
            slot = None

    def _wait_until(self, monotonic_time: float) -> None:
        self.wait(monotonic_time - self._clock.monotonic())
