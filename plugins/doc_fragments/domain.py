# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option that identifies a domain."""

from __future__ import annotations


class ModuleDocFragment:
    """The option of `argspec.DOMAIN`."""

    DOCUMENTATION = r"""
options:
  domain_name:
    description: The main streaming (playback) domain, not its ingest domain.
    type: str
    required: true
    aliases: [domain]
"""
