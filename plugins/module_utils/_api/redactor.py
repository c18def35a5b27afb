# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masking of secrets in text."""

from __future__ import annotations

from collections.abc import Iterable

_SHORTEST_SECRET = 6  # characters


def masked(text: str, secrets: Iterable[str]) -> str:
    """A text without these secrets, but for what is so short that it is none, and may be a part of any word."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "********")
    return text
