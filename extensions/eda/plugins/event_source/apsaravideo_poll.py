# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source that polls ApsaraVideo Live; run it alone to see events: apsaravideo_poll.py '{JSON}'."""

from __future__ import annotations

DOCUMENTATION = r"""
---
short_description: Poll ApsaraVideo Live for events
description:
  - The same events as of apsaravideo_events, for a machine that cannot be reached from the internet. They are read from
    the logs of callbacks of each domain, so the callbacks must be configured, whatever their URL, and from the list of
    online streams where no ingest domain is given.
  - A poll takes one call for each domain and one for each ingest domain, and shares the quota with other runs of the
    same user on this machine.
  - Windows overlap, and only new events are forwarded. At the first poll, all online streams count as new if they are
    read from the list.
options:
  domains:
    description: The streaming domains. With an empty list, the source does nothing.
    type: list
    elements: str
    required: true
  ingest_domains:
    description: The ingest domains, each with its streaming domain. If none is given for a domain, pushes are read from
      the list of online streams. A push that begins and ends between two polls is missed there, and not in the log.
    type: dict
    default: {}
  interval:
    description: The seconds between two polls.
    type: float
    default: 5
  overlap:
    description: The seconds by which each window overlaps the last one. Logs show events some seconds late.
    type: float
    default: 60
  state_file:
    description: A file that the next process goes on from. It is written with a delay of 90 seconds, so that events on
      which the rule engine may not have acted are forwarded again, with the same meta.uuid.
    type: path
  connection:
    description: Connection options of the collection, such as profile. The providers of credentials are those of the
      modules.
    type: dict
    default: {}
  batch_window:
    description: As of apsaravideo_events.
    type: float
    default: 1
  batch_details:
    description: As of apsaravideo_events.
    type: bool
    default: true
  meta_hosts:
    description: As of apsaravideo_events.
    type: bool
    default: true
  spool:
    description: As of apsaravideo_events.
    type: path
  feedback:
    description: As of apsaravideo_events.
    type: bool
    default: false
"""

EXAMPLES = r"""
- apsaravideo.live.apsaravideo_poll:
    domains: [live.example.com]
    ingest_domains: {push.example.com: live.example.com}
    state_file: /var/lib/apsaravideo/poll.json
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

# ansible-rulebook runs this file by its path, without the collections in Python's own path.
sys.path.insert(0, str(Path(__file__).resolve().parents[7]))

from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.poll_source import run


async def main(queue: Any, args: dict[str, Any]) -> None:
    """Poll the API and put events into the queue."""
    await run(queue, args)


if __name__ == "__main__":

    class MockQueue:
        """A queue that prints events."""

        async def put(self, event: dict[str, Any]) -> None:
            """Print an event."""
            print(json.dumps(event), flush=True)

    asyncio.run(main(MockQueue(), json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")))
