# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge requests that claim to be callbacks, and store their events; this does not depend on the server."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from .buffer import ACCEPTED, FULL, REPEATED, Buffer
from .callback import INGEST, QUESTION, RECORDING, Callback, Malformed, parse_body, parse_query
from .event import make_event
from .signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_fresh, is_valid, with_and_without_port

LOG_SECONDS = 60.0  # between lines about refused requests of one kind

logger = logging.getLogger("apsaravideo.live.events")


class Reply(NamedTuple):
    """A response: its status, and one line of text."""

    status: int
    text: str


class Refused(Exception):
    """A request that is refused; `kind` names the counter."""

    def __init__(self, kind: str, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.status = status
        self.text = text


class Bucket:
    """A token bucket that bounds the rate of requests; it holds those of two seconds."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._tokens = 2 * rate
        self._at = time.monotonic()

    def take(self) -> bool:
        """Take a token, or return False."""
        now = time.monotonic()
        self._tokens = min(2 * self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Receiver:
    """A judge of requests, with a buffer for verified events, counters, and a log without secrets."""

    def __init__(self, options: Mapping[str, Any], buffer: Buffer) -> None:
        self._options = options
        self._buffer = buffer
        self._bucket = Bucket(options["max_rate"])
        self._logged: dict[str, tuple[float, int]] = {}
        self.counters: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def allow(self) -> None:
        """Raise Refused if there are too many requests."""
        if not self._bucket.take():
            raise Refused("rate", HTTPStatus.TOO_MANY_REQUESTS, "Too many requests.")

    def receive(self, method: str, query: Mapping[str, str], body: str, headers: Mapping[str, str]) -> Reply:
        """Verify a request and store its event; raises Refused."""
        now = time.time()
        try:
            callback = parse_query(query) if method == "GET" else parse_body(body)
        except Malformed as error:
            raise Refused("malformed", HTTPStatus.BAD_REQUEST, f"This is {error}.") from None
        if callback.kind == QUESTION:
            raise Refused(
                "question",
                HTTPStatus.NOT_IMPLEMENTED,
                "This address receives events and does not decide about on-demand recording. Change OnDemandUrl.",
            )
        stamp = self._verify(callback, headers, now)
        outcome = self._buffer.store(make_event(callback, stamp, self._options["ingest_domains"]), now)
        if outcome == FULL:
            raise Refused("full", HTTPStatus.SERVICE_UNAVAILABLE, "The buffer is full.")
        self.counters["received"] += outcome == ACCEPTED
        self.counters["duplicates"] += outcome == REPEATED
        return Reply(HTTPStatus.OK, "ok")

    def refuse(self, refusal: Refused) -> Reply:
        """Count a refused request, and log it unless another of its kind was logged just before."""
        self.refused[refusal.kind] += 1
        now = time.monotonic()
        logged_at, skipped = self._logged.get(refusal.kind, (float("-inf"), 0))
        if now - logged_at < LOG_SECONDS:
            self._logged[refusal.kind] = (logged_at, skipped + 1)
        else:
            more = f" {skipped} more since the last such line." if skipped else ""
            logger.warning("Refused a request (%s): %s%s", refusal.kind, refusal.text, more)
            self._logged[refusal.kind] = (now, 0)
        return Reply(refusal.status, refusal.text)

    def health(self, forwarded: int) -> dict[str, Any]:
        """Return the counters."""
        return {
            "status": "ok",
            "received": self.counters["received"],
            "duplicates": self.counters["duplicates"],
            "closed": self.counters["closed"],
            "buffered": len(self._buffer),
            "forwarded": forwarded,
            "refused": dict(self.refused),
        }

    def _verify(self, callback: Callback, headers: Mapping[str, str], now: float) -> int:
        """Return the time of a callback whose signature is valid; raises Refused."""
        options = self._options
        keys = {INGEST: options["ingest_auth_keys"], RECORDING: options["recording_auth_keys"]}.get(callback.kind, [])
        timestamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
        if not keys:
            if not options["allow_unsigned"]:
                raise Refused("unsigned", HTTPStatus.FORBIDDEN, "There is no key for callbacks of this kind.")
            return int(timestamp) if timestamp.isascii() and is_fresh(timestamp, now, options["max_age"]) else int(now)
        if not (timestamp and signature):
            raise Refused("unsigned", HTTPStatus.FORBIDDEN, "The request is not signed.")
        if not is_valid(signature, timestamp, self._domains(callback, headers), keys):
            raise Refused("signature", HTTPStatus.FORBIDDEN, "The signature is not valid.")
        if not is_fresh(timestamp, now, options["max_age"]):
            raise Refused("stale", HTTPStatus.FORBIDDEN, "The request is too old, or one of the clocks is wrong.")
        return int(timestamp)

    def _domains(self, callback: Callback, headers: Mapping[str, str]) -> list[str]:
        """Return what may have been signed: the ingest domain, or forms of the host of the callback URL."""
        known = self._options["ingest_domains"]
        if callback.kind == INGEST:
            return [callback.domain] if not known or callback.domain in known else []
        return with_and_without_port(self._options["callback_hosts"] or [headers.get("Host", "")])
