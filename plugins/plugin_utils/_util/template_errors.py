# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say why a template cannot be evaluated without quoting it, because its text may hold a secret."""

from __future__ import annotations

import re

# The only parts of an exception's text that cannot hold the text of a template.
_QUOTABLE = re.compile(
    r"'[\w.]{1,80}' is undefined"
    r"|'[\w. ]{1,80}' has no attribute '\w{1,80}'"
    r"|No (?:filter|test) named '[\w.]{1,80}'"
    r"|Could not load \"[\w.]{1,80}\""
)
_MISSING_PLUGIN = re.compile(r'Could not load "(.*)"')
_RECURSIVE = re.compile("recursive loop|recursion depth", re.IGNORECASE)
_ENCRYPTED = re.compile("vault|decrypt", re.IGNORECASE)


def describe_failure(error: Exception) -> str:
    """Return why a value cannot be evaluated, in words that hold no secret."""
    found = _QUOTABLE.search(str(error))
    if found:
        return _MISSING_PLUGIN.sub(r"No filter or test named '\1'", found[0])
    if _ENCRYPTED.search(f"{type(error).__name__} {error}"):
        return "it is encrypted, and no vault password of this run opens it"
    return "its template refers to itself" if _RECURSIVE.search(str(error)) else "its template fails"
