# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognize the files that are sources of the inventory plugin."""

from __future__ import annotations

import os
import re

_FILE_NAME = re.compile(r"(?:.*\.)?apsaravideo(?:_streams)?\.ya?ml", re.DOTALL)
_PLUGIN = re.compile(r"^plugin:\s*[\"']?apsaravideo\.live\.apsaravideo_streams\b", re.MULTILINE)
_MAX_HEAD = 65536  # characters in which a source names its plugin


def has_source_name(path: str) -> bool:
    """Return whether a file has one of the names that the plugin accepts."""
    return bool(_FILE_NAME.fullmatch(os.path.basename(path)))


def is_misnamed_source(path: str) -> bool:
    """Return whether a file's content names the plugin, although its name does not."""
    if has_source_name(path) or not path.endswith((".yml", ".yaml")):
        return False
    if not os.path.isfile(path):  # opening a pipe would block
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        return bool(_PLUGIN.search(file.read(_MAX_HEAD)))
