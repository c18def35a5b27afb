# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots in a file that all processes of a user on one machine share.

Ansible runs each host in a process of its own, so the processes share a small file for each account and operation. A
process reserves a slot under a lock, and waits for it without the lock.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import stat
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from .._util.file_lock import lock_file, require_own
from .backoff import BACKOFF_FACTOR, DEBOUNCE_SECONDS, MAX_SLOTS_AHEAD, MIN_FACTOR, RECOVERY

_LAYOUT = struct.Struct("<8s36sdddd")
_MAGIC = b"apsara02"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"  # of Linux
# Seconds by which wall clock and monotonic time may drift apart without a sign of a reboot, if there is no boot id.
_MAX_DRIFT = 5.0
_MAX_POLL_INTERVAL = 0.002  # seconds between attempts to lock a file
_MAX_LOCK_WAIT = 5.0  # seconds; a process that works holds the lock for a few microseconds
_PRIVATE_DIRECTORY = 0o700


class _State(NamedTuple):
    """The state of the slots, which processes share; times are in seconds of the monotonic clock.

    `boot`: the boot id of Linux, empty on other systems. Monotonic time begins anew with each boot.
    `origin`: the wall clock at monotonic time 0. It tells boots apart where there is no boot id.
    `free`: the time of the next free slot.
    `cut`: when the rate was last lowered. `factor`: the share of the full rate in use from then on.
    """

    boot: bytes
    origin: float
    free: float
    factor: float = 1.0
    cut: float = -math.inf

    def factor_at(self, now: float) -> float:
        """Return the share of the full rate that is in use now."""
        return min(1.0, self.factor + RECOVERY * max(0.0, now - self.cut)) if self.factor < 1 else 1.0


class SlotFile:
    """The slots of one operation on one account. Times are in seconds of the monotonic clock, which processes share.

    If `directory` is None or unusable, only the processes of this run share slots, in `run_directory`; if that is
    unusable too, this process has slots of its own. `problem` then says why.
    """

    def __init__(
        self,
        directory: str | None,
        account: str,
        action: str,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        boot: Callable[[], bytes] | None = None,
        run_directory: str | None = None,
    ) -> None:
        name = hashlib.sha256(f"{account}\n{action}".encode()).hexdigest()[:32]
        self._name = name
        self._paths = tuple(os.path.join(path, name) for path in (directory, run_directory) if path)
        self._rate = rate
        self._clock = clock
        self._wall_clock = wall_clock
        self._boot = (boot or _boot_id)()
        self.problem: str | None = None

    def is_alone(self) -> bool:
        """Return whether no other process shares these slots."""
        return not self._paths

    def reserve(self, not_before: float = 0.0) -> float:
        """Reserve the next slot that is not before a time, and return its time, which may be now."""

        def take(state: _State, now: float) -> tuple[_State, float]:
            slot = max(now, state.free, not_before)
            return state._replace(free=slot + 1 / (self._rate * state.factor_at(now))), slot

        return self._change(take)

    def measure_backlog(self) -> float:
        """Return the seconds from now until the next free slot."""
        return self._change(lambda state, now: (state, max(0.0, state.free - now)))

    def slow_down(self) -> None:
        """Lower the rate for all processes after a call was dropped.

        The `retry_after` of the call does not count here: it may have been dropped for a reason of its own.
        """

        def lower(state: _State, now: float) -> tuple[_State, float]:
            if now - state.cut < DEBOUNCE_SECONDS:
                return state, now
            return state._replace(factor=max(MIN_FACTOR, state.factor_at(now) * BACKOFF_FACTOR), cut=now), now

        self._change(lower)

    def _change(self, change: Callable[[_State, float], tuple[_State, float]]) -> float:
        for path in self._paths:
            try:
                return self._change_shared(path, change)
            except OSError as error:
                self.problem = self.problem or f"{path}: {error.strerror}"
                self._paths = tuple(other for other in self._paths if other != path)
        with _local_lock:
            now = self._clock()
            _local_states[self._name], result = change(self._validate(_local_states.get(self._name), now), now)
            return result

    def _change_shared(self, path: str, change: Callable[[_State, float], tuple[_State, float]]) -> float:
        with lock_file(path, _MAX_LOCK_WAIT, _MAX_POLL_INTERVAL) as file:
            now = self._clock()
            state, result = change(self._validate(_unpack(os.pread(file, _LAYOUT.size, 0)), now), now)
            if os.pwrite(file, _LAYOUT.pack(_MAGIC, *state), 0) < _LAYOUT.size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return result

    def _validate(self, state: _State | None, now: float) -> _State:
        """Return the state if it can have been written since this machine was booted, else a new one."""
        origin = self._wall_clock() - now
        if (
            state is None
            or state.boot != self._boot
            or not (self._boot or abs(state.origin - origin) < _MAX_DRIFT)
            or not state.free < now + MAX_SLOTS_AHEAD / (self._rate * MIN_FACTOR)
            or not MIN_FACTOR <= state.factor <= 1
            or not state.cut <= now
        ):
            return _State(self._boot, origin, now)
        return state._replace(origin=origin)


# Slots of this process alone, by account and operation
_local_states: dict[str, _State] = {}
_local_lock = threading.Lock()


def _unpack(content: bytes) -> _State | None:
    if len(content) != _LAYOUT.size:
        return None
    magic, boot, *values = _LAYOUT.unpack(content)
    return _State(boot.rstrip(b"\0"), *values) if magic == _MAGIC else None


@cache
def _boot_id() -> bytes:
    """Return the boot id, empty on a system without one."""
    try:
        with open(_BOOT_ID, "rb") as file:
            return file.read(36)
    except OSError:
        return b""


def make_shared_directory(environ: Mapping[str, str]) -> str:
    """Return a private directory of this user, which is made if need be; raises OSError if that is not possible.

    It is below `XDG_RUNTIME_DIR`, unless that belongs to another user, as after `sudo -E`, whom a directory of root
    would hinder. Otherwise it is below the directory for temporary files; one that another user has made there is
    refused.
    """
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime) and os.stat(runtime).st_uid == os.getuid():
        path = os.path.join(runtime, "apsaravideo-live")
    else:
        path = os.path.join(tempfile.gettempdir(), f"apsaravideo-live-{os.getuid()}")
    with suppress(FileExistsError):
        os.mkdir(path, _PRIVATE_DIRECTORY)
    found = os.lstat(path)
    require_own(found, stat.S_ISDIR(found.st_mode))
    if stat.S_IMODE(found.st_mode) != _PRIVATE_DIRECTORY:
        os.chmod(path, _PRIVATE_DIRECTORY)
    return path


def local_pacing_warning(why: str, alone: bool) -> str:
    """Return a warning that calls are paced within this run only, or within this process if `alone`."""
    here, together = ("process", "processes") if alone else ("run", "runs")
    return (
        f"Calls are spread over time in this {here} alone, so that several {together} together may exceed the quota: "
        f"{why}. Set XDG_RUNTIME_DIR to a directory of your own."
    )
