# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of the hosts that are left, for `--limit @file`, and names of hosts that Ansible takes for nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from contextlib import suppress

from .._util.files import lock_directory, require_regular_file, write_atomically


def host_pattern(host: str) -> str:
    """Return the pattern that only this host matches in `hosts` of a play, whatever its name looks like."""
    return "~" + "".join(mark if mark.isalnum() and mark.isascii() else rf"\U{ord(mark):08x}" for mark in host) + r"\Z"


def limit_line(host: str) -> str:
    """The line that stands for this host in a file for `--limit @file`, whatever its name looks like.

    Ansible takes a line for the host of that name, unless it begins with a mark that patterns begin with.
    """
    if host.isprintable() and host == host.strip() and not host.startswith(("!", "&")):
        return host
    return "~" + "".join(re.escape(mark) if mark.isprintable() else rf"\U{ord(mark):08x}" for mark in host) + r"\Z"


def left_over(lines: Iterable[str], covered: Collection[str], left: Iterable[str]) -> list[str]:
    """Return the new lines of a retry file: those that are about no host of this run, and the hosts that are `left`."""
    mine = {limit_line(host) for host in covered}
    return [line for line in lines if line and line not in mine] + [limit_line(host) for host in left]


def write_retry_file(path: str, covered: Collection[str], left: Iterable[str]) -> int:
    """Bring the file up to date and return how many hosts it names; a file that would name none is removed.

    An empty file would not do: Ansible takes `--limit` with one for all hosts. Raises OSError, also for what is not a
    regular file: opening a pipe would wait for its other end.
    """
    with lock_directory(path):
        before: list[str] = []
        if require_regular_file(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                before = file.read().removesuffix("\n").split("\n")
        lines = left_over(before, covered, left)
        if not lines:
            with suppress(FileNotFoundError):
                os.remove(path)
        elif lines != before:
            write_atomically(path, "".join(f"{line}\n" for line in lines))
        return len(lines)
