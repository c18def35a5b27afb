# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to this machine under a name other than `local`, so that modules run as on any other machine."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = r"""
name: elsewhere
short_description: This machine, as if it were another
description: The connection C(local) under another name.
author: The apsaravideo.live authors (@apsaravideo)
options:
  become_success_timeout:
    description: As for C(local).
    type: int
    default: 10
  become_strip_preamble:
    description: As for C(local).
    type: bool
    default: true
extends_documentation_fragment:
  - connection_pipelining
"""


class Connection(LocalConnection):
    """The connection `local` under another name."""

    transport = "elsewhere"
