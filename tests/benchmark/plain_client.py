# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send calls that were signed beforehand as fast as possible: plain_client.py FILE.

FILE is JSON with `url`, `ca_path` and `calls`, each a mapping of `query` and `headers`. Each call has its own
connection, like the calls of Ansible's workers.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

THREADS = 8


def sign_calls(endpoint: str, key: tuple[str, str], streams: Iterable[str]) -> list[dict[str, Any]]:
    """Return a signed `start` for each stream `domain/app/stream`; it is valid for 15 minutes."""
    from ansible_collections.apsaravideo.live.plugins.module_utils._api.signature import (
        build_canonical_query,
        sign_headers,
    )

    calls = []
    for stream in streams:
        domain, app, name = stream.split("/")
        query = {"Command": "start", "DomainName": domain, "AppName": app, "StreamName": name}
        headers = sign_headers(
            method="POST",
            host=urlsplit(endpoint).netloc,
            action="RealTimeRecordCommand",
            version="2016-11-01",
            query=query,
            access_key_id=key[0],
            access_key_secret=key[1],
            security_token=None,
            date=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            nonce=uuid.uuid4().hex,
        )
        del headers["host"]  # The sender adds it.
        calls.append({"query": build_canonical_query(query), "headers": headers})
    return calls


def main(file: Path) -> None:
    work = json.loads(file.read_text(encoding="utf-8"))
    address = urlsplit(work["url"])
    context = ssl.create_default_context(cafile=work["ca_path"])

    def send(call: dict[str, Any]) -> int:
        connection = http.client.HTTPSConnection(address.hostname or "", address.port, context=context, timeout=30)
        try:
            connection.request("POST", f"/?{call['query']}", headers=call["headers"])
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        statuses = set(pool.map(send, work["calls"]))
    if statuses != {200}:
        sys.exit(f"responses with the status {statuses}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
