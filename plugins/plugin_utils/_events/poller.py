# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events from the API, for those who cannot receive callbacks: what is new in the logs and the list of streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from ...module_utils._api.live import NOTIFY_LOG_KEPT
from ...module_utils._api.models import NotifyEvent, Scope, TimeWindow, parse_time
from .callback import INGEST, Callback, Malformed, parse_content
from .event import OFFLINE, ONLINE, Event, make_event, make_id, split_id

_AHEAD = timedelta(minutes=5)  # by which the end of a window is later than now, since the clocks may differ
_KEPT = timedelta(hours=1)  # for which events are remembered beyond the windows that may show them again


class Api(Protocol):
    """The part of the API that a poller reads."""

    def now(self) -> datetime:
        """Return the cloud's time."""

    def notify_events(self, where: Scope, window: TimeWindow) -> list[NotifyEvent]:
        """Return callbacks of recordings."""

    def ingest_callbacks(self, ingest_domain: str, window: TimeWindow) -> list[NotifyEvent]:
        """Return callbacks of pushes."""

    def online_streams(self, domain_name: str) -> list[dict[str, Any]]:
        """Return the online streams."""


class Poller:
    """A memory of what has been read, which tells what is new.

    Each window overlaps the last one, since logs show events late. Pushes are read from the log of the ingest domains
    that are given for a domain, whose events equal its callbacks, and otherwise from the list of online streams.
    """

    def __init__(
        self,
        api: Api,
        domains: list[str],
        ingest_domains: Mapping[str, str],
        overlap: float,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._api = api
        self._domains = domains
        self._ingest_domains = ingest_domains
        self._overlap = timedelta(seconds=overlap)
        known = _read_state(state or {})
        self._until: datetime | None = known[0]
        self._seen: dict[str, float] = known[1]
        self._online: dict[str, dict[str, str]] = known[2]

    def poll(self) -> list[Event]:
        """Return the new events in the order of their times; raises LiveError, after which nothing is lost."""
        now = self._api.now()
        since = max((self._until or now) - self._overlap, now - NOTIFY_LOG_KEPT)
        window = TimeWindow(since, now + _AHEAD)
        events: list[Event] = []
        online: dict[str, dict[str, str]] = {}
        for domain in self._domains:
            events += self._read_log(self._api.notify_events(Scope(domain), window))
            ingest = [name for name, streaming in self._ingest_domains.items() if streaming == domain]
            for name in ingest:
                events += self._read_log(self._api.ingest_callbacks(name, window))
            if not ingest:
                online[domain] = _list_online(self._api.online_streams(domain))
                events += self._compare(domain, online[domain], now)
        fresh = sorted(self._find_new(events, now), key=lambda event: str(event["time"]))
        self._until, self._online = now, online
        return fresh

    def state(self) -> dict[str, Any]:
        """Return what the next process needs to go on."""
        return {"until": self._until.timestamp() if self._until else None, "seen": self._seen, "online": self._online}

    def _read_log(self, rows: list[NotifyEvent]) -> Iterator[Event]:
        for row in rows:
            content = row.content
            if content is None or row.time is None:
                continue
            try:
                callback = parse_content(content)
            except Malformed:
                continue
            yield make_event(callback, row.stamp or int(row.time.timestamp()), self._ingest_domains)

    def _compare(self, domain: str, online: Mapping[str, str], now: datetime) -> Iterator[Event]:
        """Yield the pushes that have begun or ended since the last list; all have begun at the first one."""
        before = self._online.get(domain, {})
        for stream_id, publish_time in online.items():
            if before.get(stream_id) != publish_time:
                yield _make_change(ONLINE, stream_id, parse_time(publish_time) or now, publish_time)
        for stream_id in before.keys() - online.keys():
            yield _make_change(OFFLINE, stream_id, now, before[stream_id])

    def _find_new(self, events: list[Event], now: datetime) -> Iterator[Event]:
        oldest = (now - self._overlap - _AHEAD - _KEPT).timestamp()
        self._seen = {key: at for key, at in self._seen.items() if at >= oldest}
        for event in events:
            key = event["meta"]["uuid"]
            if key not in self._seen:
                yield event
            self._seen[key] = now.timestamp()


def _list_online(rows: list[dict[str, Any]]) -> dict[str, str]:
    names = ("domain_name", "app_name", "stream_name")
    return {
        make_id(*(row[name] for name in names)): str(row.get("publish_time", ""))
        for row in rows
        if all(row.get(name) for name in names)
    }


def _make_change(kind: str, stream_id: str, at: datetime, publish_time: str) -> Event:
    content = {"publish_time": publish_time}
    return make_event(Callback(INGEST, kind, *split_id(stream_id), content), int(at.timestamp()))


def _read_state(state: Mapping[str, Any]) -> tuple[datetime | None, dict[str, float], dict[str, dict[str, str]]]:
    until, seen, online = state.get("until"), state.get("seen"), state.get("online")
    return (
        datetime.fromtimestamp(until, timezone.utc) if isinstance(until, (int, float)) else None,
        {str(key): float(at) for key, at in seen.items()} if isinstance(seen, dict) else {},
        {str(domain): dict(found) for domain, found in online.items()} if isinstance(online, dict) else {},
    )
