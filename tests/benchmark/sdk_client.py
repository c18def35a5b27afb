# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start recordings with the official SDK: sdk_client.py loop|pool FILE, a file of lines domain/app/stream.

`loop` makes one call after the other. `pool` has a thread make each call, and an ideal limiter that lets one call go
every 1/48 second. Both send a throttled call again after about a second.
"""

from __future__ import annotations

import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from alibabacloud_live20161101.client import Client
from alibabacloud_live20161101.models import RealTimeRecordCommandRequest
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config

RATE = 48  # calls per second, what the collection allows itself
THREADS = 32


def main(way: str, streams: list[str]) -> None:
    address = urlsplit(os.environ["APSARAVIDEO_ENDPOINT"])
    client = Client(
        Config(
            access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            endpoint=address.netloc,
            protocol=address.scheme,
            ca=os.environ["REQUESTS_CA_BUNDLE"],
        )
    )

    def start(stream: str) -> None:
        domain, app, name = stream.split("/")
        request = RealTimeRecordCommandRequest(command="start", domain_name=domain, app_name=app, stream_name=name)
        while True:
            try:
                client.real_time_record_command(request)
                return
            except AlibabaCloudException as error:
                if not str(error.code).startswith("Throttling"):
                    raise
                time.sleep(random.uniform(0.5, 1.5))

    if way == "loop":
        for stream in streams:
            start(stream)
        return
    with ThreadPoolExecutor(THREADS) as pool:
        slot = time.monotonic()
        pending = []
        for stream in streams:
            time.sleep(max(0.0, slot - time.monotonic()))
            slot = max(slot, time.monotonic()) + 1 / RATE
            pending.append(pool.submit(start, stream))
        for call in pending:
            call.result()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").split())
