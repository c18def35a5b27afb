# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry file, which lists remaining hosts for `--limit @file`, and patterns that match exactly one host."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import NamedTuple

from .._util.files import lock_directory, require_regular_file, write_atomically


class Remaining(NamedTuple):
    """Hold the content of a retry file: hosts of this run that are not done, and the number of hosts of other runs."""

    hosts: list[str]
    others: int


def make_host_pattern(host: str) -> str:
    """Return a pattern for `hosts` of a play that matches only this host, even if its name looks like a pattern."""
    return "~" + "".join(char if char.isalnum() and char.isascii() else rf"\U{ord(char):08x}" for char in host) + r"\Z"


def make_limit_line(host: str) -> str:
    """Return a line for `--limit @file` that only this host matches.

    Ansible takes a line as the name of a host unless it begins with a character that begins a pattern.
    """
    if host.isprintable() and host == host.strip() and not host.startswith(("!", "&")):
        return host
    return "~" + "".join(re.escape(char) if char.isprintable() else rf"\U{ord(char):08x}" for char in host) + r"\Z"


def list_remaining(hosts: Iterable[str], targets: Iterable[tuple[str | None, bool]]) -> list[str]:
    """Return those of the hosts that are not done; `targets` are hosts, each with whether one stream of it is done.

    Several targets may name one host, which is done if all of them are.
    """
    is_done: dict[str | None, bool] = {}
    for host, is_ok in targets:
        is_done[host] = is_ok and is_done.get(host, True)
    return [host for host in dict.fromkeys(hosts) if not is_done.get(host)]


def update_lines(lines: Iterable[str], covered: Collection[str], remaining: Iterable[str]) -> list[str]:
    """Return the lines of a retry file, without those of hosts in `covered`, and with those of `remaining` hosts."""
    own = {make_limit_line(host) for host in covered}
    return [line for line in lines if line and line not in own] + [make_limit_line(host) for host in remaining]


def write_retry_file(path: str, covered: Collection[str], remaining: Iterable[str]) -> int:
    """Update the retry file for the hosts of a run, `covered`, and return the number of its lines.

    Remove a file without lines, because Ansible takes `--limit` with an empty file as all hosts. Raise OSError if the
    file cannot be written or is not a regular file: opening a pipe would block.
    """
    with lock_directory(path):
        before: list[str] = []
        if require_regular_file(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                before = file.read().removesuffix("\n").split("\n")
        lines = update_lines(before, covered, remaining)
        if not lines:
            with suppress(FileNotFoundError):
                os.remove(path)
        elif lines != before:
            write_atomically(path, "".join(f"{line}\n" for line in lines))
        return len(lines)
