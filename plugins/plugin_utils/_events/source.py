# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source for callbacks, from its arguments to its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from .buffer import Buffer
from .forwarder import Forwarder, make_forwarder
from .options import EVENTS, check_receiver, read_options
from .receiver import Receiver
from .server import Server
from .spool import Spool

logger = logging.getLogger("apsaravideo.live.events")


async def run(queue: Any, arguments: Mapping[str, Any]) -> None:
    """Receive callbacks and forward their events until cancelled; raises InvalidOption or OSError at the start only."""
    options = read_options(EVENTS, arguments)
    check_receiver(options)
    loop = asyncio.get_running_loop()
    spool = Spool(options["spool"]) if options["spool"] else None
    forwarders: list[Forwarder] = []
    buffer = Buffer(lambda: forwarders[0].wake(loop), spool)
    forwarder = make_forwarder(queue, buffer, options, arguments.get("eda_feedback_queue"), spool)
    forwarders.append(forwarder)
    replayed = buffer.replay(time.time())
    server = Server(options, Receiver(options, buffer), lambda: forwarder.forwarded)
    server.start()
    logger.info("Receiving callbacks at port %d, %d events of an earlier run.", server.port, replayed)
    try:
        await forwarder.run()
    finally:
        server.stop()
        if spool:
            spool.close()
