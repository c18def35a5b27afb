# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source for the callbacks of ApsaraVideo Live; run it alone to see events: apsaravideo_events.py '{JSON}'."""

from __future__ import annotations

DOCUMENTATION = r"""
---
short_description: Receive callbacks of ApsaraVideo Live
description:
  - An HTTP server for the callbacks of pushes (GET, of ingest domains) and of recordings (POST, of streaming domains).
    Each is verified with its own rule, stored, and answered at once; events are forwarded when the rule engine is
    ready.
  - The schema of the events is docs/event.schema.json in the collection, and docs/keep-recording.md the guide.
  - A repeated callback is answered, and leads to no second event.
  - Answers 503 when 10,000 events are waiting. GET /health returns counters, also those of refused requests.
options:
  host:
    description: The address to listen on.
    type: str
    default: 127.0.0.1
  port:
    description: The port to listen on.
    type: int
    default: 8080
  path:
    description: The path of the callback URLs. Others are refused. Signatures do not cover it, so choose a secret one.
    type: str
    default: /
  certfile:
    description: A file with the certificate chain, to serve HTTPS.
    type: path
  keyfile:
    description: The file with its private key.
    type: path
  recording_auth_keys:
    description: The keys that callbacks of recordings may be signed with. A changed key applies from the next push, so
      list the old one as well for that time.
    type: list
    elements: str
  ingest_auth_keys:
    description: The keys that callbacks of pushes may be signed with.
    type: list
    elements: str
  callback_hosts:
    description: The hosts of the callback URLs of recordings, which are part of their signatures, each with or without
      its port. Default is the Host header of each request; a proxy may change it.
    type: list
    elements: str
  allow_unsigned:
    description: Whether to accept callbacks of a kind for which no key is given.
    type: bool
    default: false
  ingest_domains:
    description: The ingest domains, each with the streaming domain that it belongs to. Callbacks of other ingest
      domains are refused if any is given. One that is not given is taken for the streaming domain itself.
    type: dict
    default: {}
  max_age:
    description: The seconds by which the time of a signature may differ from this machine's.
    type: float
    default: 300
  batch_window:
    description:
      - The seconds in which events are gathered into one event of the type batch. It ends earlier if nothing comes for
        a seventh of it, and is longer while a crowd of events comes.
      - With 0, each event is forwarded alone.
    type: float
    default: 1
  batch_details:
    description: Whether a batch contains its events, or only their counts and streams.
    type: bool
    default: true
  meta_hosts:
    description: Whether events have meta.hosts, to which ansible-rulebook limits playbooks. These are the names that
      the inventory plugin apsaravideo_streams gives to the streams.
    type: bool
    default: true
  spool:
    description: A path at which events are also stored in files, PATH.1 and so on, and replayed when the source is
      started again. An event may then come twice, with the same meta.uuid. The files survive the end of the process,
      and take at most 64 MiB. They are not synchronized with the disk.
    type: path
  feedback:
    description: Whether to wait until the rule engine has confirmed an event, which it does only with a persistence id.
    type: bool
    default: false
  max_rate:
    description: The requests per second beyond which the others are refused.
    type: float
    default: 1000
  max_body:
    description: The maximum size of a request body in bytes.
    type: int
    default: 65536
  read_timeout:
    description: The seconds in which a request must have come.
    type: float
    default: 5
"""

EXAMPLES = r"""
- apsaravideo.live.apsaravideo_events:
    host: 0.0.0.0
    port: 8443
    path: /q8Jw2v
    certfile: /etc/apsaravideo/cert.pem
    keyfile: /etc/apsaravideo/key.pem
    recording_auth_keys: "{{ recording_auth_key }}"
    ingest_auth_keys: "{{ ingest_auth_key }}"
    ingest_domains: {push.example.com: live.example.com}
    spool: /var/lib/apsaravideo/events
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

# ansible-rulebook runs this file by its path, without the collections in Python's own path.
sys.path.insert(0, str(Path(__file__).resolve().parents[7]))

from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.source import run


async def main(queue: Any, args: dict[str, Any]) -> None:
    """Receive callbacks and put their events into the queue."""
    await run(queue, args)


if __name__ == "__main__":

    class MockQueue:
        """A queue that prints events."""

        async def put(self, event: dict[str, Any]) -> None:
            """Print an event."""
            print(json.dumps(event), flush=True)

    asyncio.run(main(MockQueue(), json.loads(sys.argv[1] if len(sys.argv) > 1 else '{"allow_unsigned": true}')))
