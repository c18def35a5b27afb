# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that identify a stream."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of `argspec.STREAM`."""

    DOCUMENTATION = r"""
options:
  domain_name:
    description: The main streaming (playback) domain of the stream, not its ingest domain.
    type: str
    required: true
    aliases: [domain]
  app_name:
    description: The exact name of the application. A wildcard is refused.
    type: str
    required: true
    aliases: [app]
  stream_name:
    description:
      - The exact name of the stream. A wildcard is refused.
      - Quote a name that YAML would read as something else than text, such as C("00123"), C("1.10"), C("1:30") or
        C("yes"). An integer is converted to text. A boolean or a floating-point number is refused. The same applies to
        O(app_name).
    type: str
    required: true
    aliases: [stream]
"""
