# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start recordings with the official SDK: sdk_client.py loop|pool FILE, a file of lines domain/app/stream.

`loop` makes one call after the other. `pool` has threads make the calls behind an ideal limiter, whose slots are evenly
spaced by 1/48 second. Neither retries what the SDK does not retry itself; what failed is counted on the output.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from alibabacloud_live20161101.client import Client
from alibabacloud_live20161101.models import RealTimeRecordCommandRequest
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config

RATE = 48  # calls per second, what the collection allows itself
THREADS = 64


class Limiter:
    """A limiter with evenly spaced slots; an unused slot is lost."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for the next slot."""
        with self._lock:
            slot = max(self._next, time.monotonic())
            self._next = slot + self._interval
        time.sleep(max(0.0, slot - time.monotonic()))


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
    limiter = Limiter(RATE)

    def start(stream: str) -> str:
        domain, app, name = stream.split("/")
        request = RealTimeRecordCommandRequest(command="start", domain_name=domain, app_name=app, stream_name=name)
        if way == "pool":
            limiter.wait()
        try:
            client.real_time_record_command(request)
        except AlibabaCloudException as error:
            return str(error.code)
        return "ok"

    if way == "loop":
        print(Counter(map(start, streams)))
    else:
        first = start(
            streams[0]
        )  # Alone, because the SDK loads most of its modules then, which would block other threads.
        with ThreadPoolExecutor(THREADS) as pool:
            print(Counter([first, *pool.map(start, streams[1:])]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").split())
