# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same events from receivers that know nothing of ApsaraVideo Live, such as eda.builtin.webhook."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .callback import INGEST, RECORDING, Callback, Malformed, parse_content
from .event import Event, make_event
from .signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_fresh, is_valid, with_and_without_port

REFUSED: list[Event] = []  # which a filter returns instead of an event that goes no further


def normalize(event: Mapping[str, Any], options: Mapping[str, Any], now: float | None = None) -> Event | list[Event]:
    """Return the event of a callback that another source received; one that is not a callback as it is.

    With keys, callbacks whose signature is not valid are dropped.
    """
    now = time.time() if now is None else now
    payload = event.get("payload", event)
    try:
        callback = parse_content(payload) if isinstance(payload, dict) else None
    except Malformed:
        callback = None
    if callback is None:
        return dict(event)
    headers = _find_headers(event)
    if not _is_accepted(callback, headers, options, now):
        return REFUSED
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    stamp = int(timestamp) if is_fresh(timestamp, now, options["max_age"]) else int(now)
    return make_event(callback, stamp, options["ingest_domains"])


def _find_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that the source has put into the event, with names in upper case but for the host's."""
    meta = event.get("meta")
    found = meta.get("headers") if isinstance(meta, dict) else None
    items = found.items() if isinstance(found, dict) else ()
    return {str(name).upper(): value for name, value in items if isinstance(value, str)}


def _is_accepted(callback: Callback, headers: Mapping[str, str], options: Mapping[str, Any], now: float) -> bool:
    keys = {INGEST: options["ingest_auth_keys"], RECORDING: options["recording_auth_keys"]}.get(callback.kind, [])
    if not keys:
        return not (options["ingest_auth_keys"] or options["recording_auth_keys"])
    hosts = options["callback_hosts"] or [headers.get("HOST", "")]
    domains = [callback.domain] if callback.kind == INGEST else with_and_without_port(hosts)
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    valid = is_valid(headers.get(SIGNATURE_HEADER, ""), timestamp, domains, keys)
    return valid and is_fresh(timestamp, now, options["max_age"])
