# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event filter that makes events of callbacks which another source has received."""

from __future__ import annotations

DOCUMENTATION = r"""
---
short_description: Make events of callbacks that another source has received
description:
  - The same events as of apsaravideo_events, each alone, from sources that receive JSON by POST, such as
    eda.builtin.webhook and the event streams of EDA controller. Callbacks of recordings are such; those of pushes are
    GET requests, which these sources do not accept.
  - An event that is not a callback goes on as it is.
options:
  recording_auth_keys:
    description: The keys that callbacks of recordings may be signed with. With keys, callbacks without a valid
      signature go no further. This needs the headers of the request in meta.headers.
    type: list
    elements: str
  ingest_auth_keys:
    description: The keys that callbacks of pushes may be signed with.
    type: list
    elements: str
  callback_hosts:
    description: The hosts of the callback URLs, which are part of the signatures. Default is the Host header.
    type: list
    elements: str
  ingest_domains:
    description: The ingest domains, each with the streaming domain that it belongs to.
    type: dict
    default: {}
  max_age:
    description: The seconds by which the time of a signature may differ from this machine's.
    type: float
    default: 300
"""

EXAMPLES = r"""
- eda.builtin.webhook:
    port: 5000
  filters:
    - apsaravideo.live.normalize:
        recording_auth_keys: "{{ recording_auth_key }}"
        callback_hosts: callback.example.com
"""

import sys
from pathlib import Path
from typing import Any

# ansible-rulebook runs this file by its path, without the collections in Python's own path.
sys.path.insert(0, str(Path(__file__).resolve().parents[7]))

from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.normalize import normalize
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.options import NORMALIZE, read_options


def main(event: dict[str, Any], **options: Any) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the event of a callback."""
    return normalize(event, read_options(NORMALIZE, options))
