# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make events of callbacks, equal ones of equal callbacks wherever they were received."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, unquote

from ...module_utils._api.models import TIME_FORMAT, Stream, parse_time
from .._inventory.host_name import default_name
from .callback import INGEST, Callback

ONLINE, OFFLINE = "stream_online", "stream_offline"
PAUSED, STARTED, RESUMED = "record_paused", "record_started", "record_resumed"
STATUS = frozenset({ONLINE, OFFLINE, PAUSED, STARTED, RESUMED})

Event = dict[str, Any]

_NAMESPACE = uuid.UUID("6f6d0b6e-3a0c-5d3c-9c7e-2f1f6a1f5a11")
_TEMPLATE = "{%#"  # after a brace, what begins something that Ansible evaluates
_MAX_EPOCH = 253_402_300_799  # the last second of the year 9999


def make_event(callback: Callback, stamp: int, domains: Mapping[str, str] | None = None) -> Event:
    """Return the event of a callback.

    `stamp` is the time of the callback, in seconds since the epoch: that of its signature or, without one, of its
    receipt. `domains` maps ingest domains to the streaming domains that they push to.
    """
    domain = (domains or {}).get(callback.domain, callback.domain) if callback.kind == INGEST else callback.domain
    names = (domain, callback.app, callback.stream)
    time = _find_time(callback, stamp)
    identity = [callback.kind, callback.type, *names, _find_occasion(callback, time)]
    event: Event = {
        "type": callback.type,
        **dict(zip(Stream._fields, names)),
        "stream_id": make_id(*names),
        "time": datetime.fromtimestamp(time, timezone.utc).strftime(TIME_FORMAT),
        "raw": callback.content,
        "meta": {
            "uuid": str(uuid.uuid5(_NAMESPACE, "\n".join(quote(part, safe="") for part in identity))),
        },
    }
    if callback.stream:
        event["meta"]["hosts"] = [default_name(Stream(*names))]
    return disarm(event)


def make_id(domain: str, app: str, stream: str) -> str:
    """Return `domain/app/stream`, each percent-encoded, so that it is neither a template nor a pattern."""
    return "/".join(quote(name, safe="", errors="replace") for name in (domain, app, stream))


def parse_event_time(event: Event) -> float:
    """Return when an event happened, in seconds since the epoch."""
    return datetime.strptime(event["time"], TIME_FORMAT).replace(tzinfo=timezone.utc).timestamp()


def split_id(stream_id: str) -> Stream:
    """Return the stream that `make_id` has named."""
    domain, app, stream = map(unquote, stream_id.split("/"))
    return Stream(domain, app, stream)


def make_host(stream_id: str) -> str:
    """Return the name that the inventory plugin gives to a stream, which is not a pattern."""
    return default_name(split_id(stream_id))


def disarm(value: Any) -> Any:
    """Return a value in whose texts `%7B` stands for each brace that would begin a template.

    Events reach playbooks as extra variables, which Ansible evaluates as templates, and anybody who may push a stream
    chooses its name.
    """
    if isinstance(value, str):
        return _disarm_text(value) if "{" in value else value
    if isinstance(value, dict):
        return {disarm(name): disarm(item) for name, item in value.items()}
    return [disarm(item) for item in value] if isinstance(value, list) else value


def _disarm_text(text: str) -> str:
    following = text[1:] + " "
    return "".join("%7B" if char == "{" and after in _TEMPLATE else char for char, after in zip(text, following))


def _find_time(callback: Callback, stamp: int) -> int:
    """Return when it happened: the time in the content, and otherwise that of the callback."""
    content = callback.content
    for name in ("time", "stop_time", "EventTime"):
        seconds = _read_seconds(content.get(name))
        if seconds is not None:
            return seconds
    return stamp


def _read_seconds(value: Any) -> int | None:
    if isinstance(value, str) and not value.isdigit():
        time = parse_time(value)
        return int(time.timestamp()) if time else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    seconds = int(value) if len(str(value)) <= len(str(_MAX_EPOCH)) and str(value).isascii() else -1
    return seconds if 0 <= seconds <= _MAX_EPOCH else None


def _find_occasion(callback: Callback, time: int) -> str:
    """Return what tells this happening from others of the same type and stream."""
    content = callback.content
    if callback.type == "file_created":
        return f"{content.get('uri')} {content.get('start_time')} {content.get('stop_time')}"
    return f"{content.get('VideoId', '')} {time}"
