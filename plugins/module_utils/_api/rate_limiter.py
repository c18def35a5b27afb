# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the next call of an operation may leave, across all processes of a user on one machine.

The cloud counts calls per account and operation and drops what exceeds the quota. Ansible runs each host in a process
of its own, so the processes share a small file for each account and operation: whoever wants to call takes the next of
evenly spaced slots from it, first come, first served, and waits for that slot without holding the file.

When the cloud drops a call all the same, because something else calls with the same account, the rate is lowered for
all of them at once and then rises again slowly.
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

_LAYOUT = struct.Struct("<8s36sdddd")
_MAGIC = b"apsara02"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"  # of Linux
_CUT = 0.75  # what remains of the rate when a call was dropped
_SETTLE = 0.3  # seconds during which further dropped calls are taken for the same event
_LOWEST = 0.05  # of the full rate
_RECOVERY = 0.02  # of the full rate, regained each second
_FARTHEST = 10_000  # slots; a later one cannot come from a queue
_DRIFT = 5.0  # seconds between wall clock and monotonic time that are no sign of a new start, where there is no boot id
_NEXT_LOOK = 0.002  # seconds at most between looks at a file that another process holds
_LONGEST_LOCK = 5.0  # seconds; nobody who is at work holds the file for more than a moment
_PRIVATE_DIRECTORY = 0o700


class _State(NamedTuple):
    """What the processes share.

    `boot`: which start of the machine the times are of, as Linux names it; empty elsewhere. `origin`: the wall clock
    when monotonic time was 0, which tells the same less surely, because somebody may set the clock. `free`: when the
    next slot is. `factor`: the share of the full rate that was in use at the time `cut`.
    """

    boot: bytes
    origin: float
    free: float
    factor: float = 1.0
    cut: float = -math.inf

    def factor_at(self, now: float) -> float:
        """The share of the full rate in use now."""
        return min(1.0, self.factor + _RECOVERY * max(0.0, now - self.cut)) if self.factor < 1 else 1.0


class RateLimiter:
    """The slots of one operation on one account. Times are seconds of `time.monotonic`, which all processes share.

    In place of a `directory` that is None or cannot be used, `run_directory` serves, which only the processes of this
    run share, and without that slots of this process alone. `problem` then says why.
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
        self._paths = tuple(os.path.join(place, name) for place in (directory, run_directory) if place)
        self._rate = rate
        self._clock = clock
        self._wall_clock = wall_clock
        self._boot = (boot or _boot_id)()
        self.problem: str | None = None

    def is_alone(self) -> bool:
        """Return whether no other process shares these slots."""
        return not self._paths

    def reserve(self) -> float:
        """Take the next slot and return its time, which may be now."""

        def take(state: _State, now: float) -> tuple[_State, float]:
            slot = max(now, state.free)
            return state._replace(free=slot + 1 / (self._rate * state.factor_at(now))), slot

        return self._change(take)

    def measure_backlog(self) -> float:
        """Seconds from now until the next slot that nobody has taken."""
        return self._change(lambda state, now: (state, max(0.0, state.free - now)))

    def slow_down(self) -> None:
        """Lower the rate for all, because a call was dropped.

        How long the cloud asks to wait is a matter of that call alone: it may have dropped it for a reason of its own.
        """

        def lower(state: _State, now: float) -> tuple[_State, float]:
            if now - state.cut < _SETTLE:
                return state, now
            return state._replace(factor=max(_LOWEST, state.factor_at(now) * _CUT), cut=now), now

        self._change(lower)

    def _change(self, change: Callable[[_State, float], tuple[_State, float]]) -> float:
        for path in self._paths:
            try:
                return self._change_shared(path, change)
            except OSError as error:
                self.problem = self.problem or f"{path}: {error.strerror}"
                self._paths = tuple(other for other in self._paths if other != path)
        with _OWN_LOCK:
            now = self._clock()
            _OWN[self._name], result = change(self._checked(_OWN.get(self._name), now), now)
            return result

    def _change_shared(self, path: str, change: Callable[[_State, float], tuple[_State, float]]) -> float:
        with lock_file(path, _LONGEST_LOCK, _NEXT_LOOK) as file:
            now = self._clock()
            state, result = change(self._checked(_unpacked(os.pread(file, _LAYOUT.size, 0)), now), now)
            if os.pwrite(file, _LAYOUT.pack(_MAGIC, *state), 0) < _LAYOUT.size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return result

    def _checked(self, state: _State | None, now: float) -> _State:
        """A state that can have been written on this machine since it started; else a new one."""
        origin = self._wall_clock() - now
        if (
            state is None
            or state.boot != self._boot
            or not (self._boot or abs(state.origin - origin) < _DRIFT)
            or not state.free < now + _FARTHEST / (self._rate * _LOWEST)
            or not _LOWEST <= state.factor <= 1
            or not state.cut <= now
        ):
            return _State(self._boot, origin, now)
        return state._replace(origin=origin)


# Slots of this process alone, by account and operation
_OWN: dict[str, _State] = {}
_OWN_LOCK = threading.Lock()


def _unpacked(content: bytes) -> _State | None:
    if len(content) != _LAYOUT.size:
        return None
    magic, boot, *values = _LAYOUT.unpack(content)
    return _State(boot.rstrip(b"\0"), *values) if magic == _MAGIC else None


@cache
def _boot_id() -> bytes:
    """Return what names this start of the machine; nothing where the system does not tell."""
    try:
        with open(_BOOT_ID, "rb") as file:
            return file.read(36)
    except OSError:
        return b""


def make_shared_directory(environ: Mapping[str, str]) -> str:
    """A directory of this user alone, made if need be. Raises OSError where there can be none.

    Below `XDG_RUNTIME_DIR` where that is set, which the system empties when the user has left, else below the directory
    for temporary files, where a directory that somebody else has put there is not used. After `sudo -E` the variable
    names a directory of the user that called it, for whom something of root there would be in the way.
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
    """Return the warning that calls are paced together with those of this run only, or of this process `alone`."""
    here, together = ("process", "processes") if alone else ("run", "runs")
    return (
        f"Calls are spread over time in this {here} alone, so that several {together} together may exceed the quota: "
        f"{why}. Set XDG_RUNTIME_DIR to a directory of your own."
    )
