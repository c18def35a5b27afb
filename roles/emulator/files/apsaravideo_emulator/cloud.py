# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated cloud: domains, streams, configurations, recordings and the notify log.

Everything that happens goes through :meth:`Cloud.settle` first, so the consequences of the past (the end of a delay,
the end of a cycle) have taken effect, in their order, before anything new is looked at or changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import on_demand
from .behaviour import Behaviour
from .callbacks import RETRIES, Callback, Deliverer, Outcome, is_loopback
from .clock import Clock
from .identity import Identities
from .recording import (
    AUTOMATIC,
    CALLBACK,
    FILE_CREATED,
    INGEST_PARAMETER,
    Push,
    RecordConfig,
    RecordedFile,
    Recorder,
)
from .state import Kept, stored

ANNOUNCE_SECONDS = 2
ARGUMENT_PREFIX = "callback_"


class ConfigExists(Exception):
    """The triple (domain, app, stream), or the domain, has a configuration already."""


class ConfigAbsent(Exception):
    """There is no such configuration."""


class UnknownDomain(Exception):
    """The emulator has no such domain at all."""


@stored
@dataclass(frozen=True)
class Domain:
    """A streaming (playback) domain with the ingest domains mapped to it."""

    name: str
    account: str
    ingest: tuple[str, ...]
    region: str = "cn-shanghai"
    status: str = "online"
    resource_group: str = "rg-default"
    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def ingest_or_own(self) -> tuple[str, ...]:
        """The domains that streams are pushed to: its own where no ingest domain is mapped to it."""
        return self.ingest or (self.name,)


@stored
@dataclass(frozen=True)
class NotifyConfig:
    """The recording callback of a domain."""

    url: str
    on_demand_url: str = ""
    status_events: bool = False
    auth: bool = False
    auth_key: str = field(default="", repr=False)


@stored
@dataclass(frozen=True)
class IngestNotifyConfig:
    """The callbacks of an ingest domain; only ``url``, that of pushes, is ever called."""

    url: str = ""
    exception_url: str = ""
    switch_url: str = ""
    auth: bool = False
    auth_key: str = field(default="", repr=False)


@stored
@dataclass
class NotifyEvent:
    """A callback that the platform sent, or tried to send; ``result`` is empty until the delivery is decided.

    ``sent`` is the Unix time in its headers, ``reason`` says why it failed, ``storage`` where the recording is stored.
    """

    domain: str
    app: str
    stream: str
    kind: str
    time: float
    config: NotifyConfig
    result: str = ""
    response: str = ""
    reason: str = ""
    sent: int = 0
    file: RecordedFile | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    storage: str = "oss"


@stored
@dataclass
class IngestEvent:
    """A callback for the beginning or the end of a push, likewise; ``usrargs`` are its ingest parameters."""

    ingest: str
    app: str
    stream: str
    kind: str
    time: float
    config: IngestNotifyConfig
    usrargs: str
    result: str = ""
    response: str = ""
    reason: str = ""
    sent: int = 0


@stored
@dataclass(frozen=True)
class ControlEntry:
    """Something that was done to a stream through the API; ``command`` tells recording commands from the rest."""

    domain: str
    app: str
    stream: str
    action: str
    time: float
    client_ip: str
    command: bool = False


@stored
@dataclass
class Publish:
    """One ingest of a stream, for the ingest history; ``kind`` is push or pull.

    ``asked`` is what came of the question whether to record it (``waiting``, ``record``, ``leave`` or ``failed``; empty
    when nobody was asked), ``announce`` the instant at which its beginning is still to be announced, and ``query`` the
    parameters of the ingest URL.  ``auth_key`` signs its recording callbacks and ``ingest_auth_key`` those of the push
    itself, because a changed key counts from the next push.
    """

    ingest: str
    started: float
    kind: str = "push"
    stopped: float | None = None
    need_record: bool = False
    asked: str = ""
    announce: float | None = None
    query: str = field(default="", repr=False)
    auth_key: str = field(default="", repr=False)
    ingest_auth_key: str = field(default="", repr=False)


@dataclass
class Stream:
    """A stream that has been pushed at least once."""

    domain: str
    app: str
    name: str
    recorder: Recorder
    history: list[Publish] = field(default_factory=list)

    @property
    def online(self) -> bool:
        """Whether it is being pushed now."""
        return self.recorder.push is not None

    @property
    def publish(self) -> Publish:
        """The current or, when offline, the last ingest."""
        return self.history[-1]

    @property
    def key(self) -> tuple[str, str, str]:
        """Its three names."""
        return self.domain, self.app, self.name

    def next_due(self) -> float:
        """The instant of the next change that comes by itself; infinity when there is none."""
        announce = self.publish.announce if self.history else None
        return min(self.recorder.next_due(), math.inf if announce is None else announce)


class Cloud(Kept):
    """The whole state; not thread-safe, the gateway serialises access."""

    KEPT = (
        "clock",
        "identities",
        "domains",
        "record_configs",
        "notify_configs",
        "notify_log",
        "ingest_configs",
        "ingest_log",
        "control_log",
        "_config_number",
    )

    def __init__(self, clock: Clock, behaviour: Behaviour, deliverer: Deliverer | None = None) -> None:
        self.clock = clock
        self.behaviour = behaviour
        self.identities = Identities()
        self.domains: dict[str, Domain] = {}
        self.record_configs: dict[tuple[str, str, str], RecordConfig] = {}
        self.notify_configs: dict[str, NotifyConfig] = {}
        self.streams: dict[tuple[str, str, str], Stream] = {}
        self.notify_log: list[NotifyEvent] = []
        self.ingest_configs: dict[str, IngestNotifyConfig] = {}
        self.ingest_log: list[IngestEvent] = []
        self.control_log: list[ControlEntry] = []
        self._streaming_of: dict[str, str] = {}
        self._dues: list[tuple[float, tuple[str, str, str]]] = []
        self._config_number = 0
        self._deliverer = deliverer or Deliverer()
        self._events: dict[tuple[str, str, str], list[NotifyEvent]] = {}

    # State

    def snapshot(self) -> dict[str, Any]:
        """The state."""
        streams = {key: (stream.history, stream.recorder.snapshot()) for key, stream in self.streams.items()}
        return {**super().snapshot(), "streams": streams}

    def restore(self, content: dict[str, Any]) -> None:
        """Take over a state; what has become due since then happens with the next look at the cloud."""
        super().restore(content)
        self.streams.clear()
        for key, (history, recorder) in content["streams"].items():
            domain, app, name = key
            self.streams[key] = Stream(domain, app, name, self._recorder(key), history)
            self.streams[key].recorder.restore(recorder)
        self._index()

    def _index(self) -> None:
        """Work out what follows from the rest of the state, and send the callbacks that are still to be sent."""
        self._streaming_of = {ingest: domain.name for domain in self.domains.values() for ingest in domain.ingest}
        self._dues.clear()
        for key in self.streams:
            self._schedule(key)
        self._events.clear()
        for event in self.notify_log:
            self._events.setdefault((event.domain, event.app, event.stream), []).append(event)
        undecided: list[NotifyEvent | IngestEvent] = [event for event in self.notify_log if not event.result]
        undecided += [event for event in self.ingest_log if not event.result]
        for sent in undecided:
            self._deliver(sent)
        for stream in self.streams.values():
            if stream.online and stream.publish.asked == "waiting":
                self._ask(stream)

    # Time

    def settle(self) -> float:
        """Let everything that was due happen; the answer is the present instant."""
        now = self.clock.now()
        while self._dues and self._dues[0][0] <= now:
            due, key = heapq.heappop(self._dues)
            stream = self.streams[key]
            if stream.next_due() == due:
                stream.recorder.settle(due)
                if stream.publish.announce == due:
                    stream.publish.announce = None
                    self._announce(stream, "publish", due)
                self._schedule(key)
        return now

    def _schedule(self, key: tuple[str, str, str]) -> None:
        due = self.streams[key].next_due()
        if due < math.inf:
            heapq.heappush(self._dues, (due, key))

    def advance(self, seconds: float) -> None:
        """Move the clock; what becomes due on the way happens at its own instant."""
        self.clock.advance(seconds)
        self.settle()

    # Domains

    def add_domain(self, domain: Domain) -> None:
        """Add a streaming domain and its ingest domains."""
        self.domains[domain.name] = domain
        for ingest in domain.ingest:
            self._streaming_of[ingest] = domain.name

    def streaming_domain(self, name: str, account: str | None = None) -> Domain | None:
        """The streaming domain of this name; of one account only, if given."""
        domain = self.domains.get(name)
        return domain if domain and account in (None, domain.account) else None

    def either_domain(self, name: str, account: str | None = None) -> Domain | None:
        """The streaming domain behind a streaming or an ingest domain."""
        return self.streaming_domain(self._streaming_of.get(name, name), account)

    # Ingest

    def begin_push(
        self, domain_name: str, app: str, name: str, *, kind: str = "push", need_record: bool = False, query: str = ""
    ) -> Stream:
        """A stream is pushed; a stream that is online already stays as it is.

        ``need_record`` is the decision of the callback or of the ingest parameter, for configurations that ask them,
        ``query`` the parameters of the ingest URL.
        """
        now = self.settle()
        domain = self.either_domain(domain_name)
        if domain is None:
            raise UnknownDomain(domain_name)
        key = (domain.name, app, name)
        stream = self.streams.get(key)
        if stream is None:
            stream = self.streams[key] = Stream(domain.name, app, name, self._recorder(key))
        if not stream.online:
            ingest = domain_name if domain_name != domain.name else domain.ingest_or_own[0]
            notify, ingest_notify = self.notify_configs.get(domain.name), self.ingest_configs.get(ingest)
            publish = Publish(
                ingest,
                now,
                kind,
                need_record=need_record,
                announce=now + ANNOUNCE_SECONDS,
                query=query,
                auth_key=notify.auth_key if notify else "",
                ingest_auth_key=ingest_notify.auth_key if ingest_notify else "",
            )
            stream.history.append(publish)
            matching = self.matching_configs(*key)
            config = matching[0] if matching else None
            asks = self._asks_for_real(config)
            automatic = not asks and self._records_by_itself(config, need_record)
            stream.recorder.begin_push(Push(now, config, automatic, tuple(matching[1:])))
            if asks:
                self._ask(stream)
            self._schedule(key)
        return stream

    def _asks_for_real(self, config: RecordConfig | None) -> bool:
        if config is None or config.mode != CALLBACK or self.behaviour.notify_result != "deliver":
            return False
        asked = self.notify_configs.get(config.domain)
        return asked is not None and is_loopback(asked.on_demand_url)

    def _ask(self, stream: Stream) -> None:
        """Ask the OnDemandUrl whether to record a push; the answer counts as long as the push goes on."""
        publish, notify = stream.publish, self.notify_configs.get(stream.domain)
        if notify is None:
            publish.asked = "failed"
            return

        def done(outcome: Outcome) -> None:
            now = self.settle()
            publish.asked = "failed"
            push = stream.recorder.push
            if push is None or push.config is None or stream.publish is not publish or outcome.answer is None:
                return
            with contextlib.suppress(ValueError):
                config = on_demand.decide(push.config, outcome.answer)
                publish.asked = "record" if config else "leave"
                if config:
                    stream.recorder.begin_push(replace(push, config=config, automatic=True, since=now))
                    self._schedule(stream.key)

        publish.asked = "waiting"
        url = on_demand.question(notify.on_demand_url, stream.key)
        retries = RETRIES if self.behaviour.on("on_demand_retries") else 0
        self._put(Callback(url, done, headers=dict(on_demand.HEADERS), retries=retries))

    def _announce(self, stream: Stream, action: str, instant: float) -> None:
        """Write the beginning or the end of a push down, and call back if its ingest domain asks for that."""
        publish = stream.publish
        config = self.ingest_configs.get(publish.ingest)
        if config is None or not config.url:
            return
        if publish.ingest_auth_key:
            config = replace(config, auth_key=publish.ingest_auth_key)
        usrargs = "&".join(filter(None, (f"vhost={publish.ingest}", publish.query)))
        event = IngestEvent(publish.ingest, stream.app, stream.name, action, instant, config, usrargs)
        self.ingest_log.append(event)
        self._deliver(event)

    def ingest_content(self, event: IngestEvent) -> dict[str, str]:
        """Return the parameters of an ingest callback, whose ``app`` is the ingest domain."""
        content = {
            "action": event.kind,
            "ip": "192.0.2.1",
            "id": event.stream,
            "app": event.ingest,
            "appname": event.app,
            "time": str(int(self.clock.epoch(event.time))),
            "usrargs": event.usrargs,
            "node": "192.0.2.2",
        }
        return {**content, "height": "720", "width": "1280"} if event.kind == "publish" else content

    def _put(self, callback: Callback) -> None:
        callback.retries_refusals = self.behaviour.callback_retries == "any"
        self._deliverer.put(callback)

    def _records_by_itself(self, config: RecordConfig | None, need_record: bool) -> bool:
        if config is None:
            return False
        if config.mode == CALLBACK:
            asked = self.notify_configs.get(config.domain)
            return need_record and asked is not None and asked.on_demand_url != ""
        return config.mode == AUTOMATIC or (config.mode == INGEST_PARAMETER and need_record)

    def end_push(self, domain_name: str, app: str, name: str) -> Stream | None:
        """A push ends; the answer is None when there is no such stream."""
        now = self.settle()
        stream = self.find_stream(domain_name, app, name)
        if stream is not None and stream.online:
            stream.publish.stopped = now
            if stream.publish.announce is None:
                self._announce(stream, "publish_done", now)
            stream.publish.announce = None
            stream.recorder.end_push(now)
            self._schedule((stream.domain, app, name))
        return stream

    def repeat_push(self, domain_name: str, app: str, name: str) -> Stream:
        """Push again in the way of the last time."""
        stream = self.find_stream(domain_name, app, name)
        if stream is None:
            return self.begin_push(domain_name, app, name)
        last = stream.publish
        return self.begin_push(last.ingest, app, name, kind=last.kind, need_record=last.need_record, query=last.query)

    def find_stream(self, domain_name: str, app: str, name: str) -> Stream | None:
        """The stream behind a streaming or an ingest domain, if it was ever pushed."""
        domain = self.either_domain(domain_name)
        return self.streams.get((domain.name, app, name)) if domain else None

    def streams_of(self, domain: str) -> Iterator[Stream]:
        """The streams of a streaming domain."""
        return (stream for stream in self.streams.values() if stream.domain == domain)

    # Recording

    def record(self, command: str, key: tuple[str, str, str], request_id: str) -> bool:
        """Carry out a RealTimeRecordCommand; see :meth:`Recorder.command`."""
        changed = self._command(command, key, request_id)
        self.control_log.append(ControlEntry(*key, "RealTimeRecordCommand", self.clock.now(), "127.0.0.1", True))
        return changed

    def _command(self, command: str, key: tuple[str, str, str], request_id: str) -> bool:
        now = self.settle()
        stream = self.streams.get(key)
        recorder = stream.recorder if stream else self._recorder(key)
        self._refresh_push(recorder, key, now)
        try:
            return recorder.command(command, now, request_id, self._config_for_commands(recorder.push))
        finally:
            if stream:
                self._schedule(key)

    def _refresh_push(self, recorder: Recorder, key: tuple[str, str, str], now: float) -> None:
        """Let the present configurations be effective for a running push, where a new one is not needed for that."""
        push, matching = recorder.push, self.matching_configs(*key)
        if push is None or self.behaviour.config_effect != "at-once" or not matching:
            return
        since = push.since if matching[0] == push.config else now
        recorder.push = replace(push, config=matching[0], others=tuple(matching[1:]), since=since)

    def _config_for_commands(self, push: Push | None) -> RecordConfig | None:
        if push is None or push.config is None or self.behaviour.deleted_config == "next-push":
            return push.config if push else None
        candidates = (push.config, *push.others) if self.behaviour.deleted_config == "fallback" else (push.config,)
        return next((config for config in candidates if self._exists(config)), None)

    def _exists(self, config: RecordConfig) -> bool:
        current = self.record_configs.get((config.domain, config.app, config.stream))
        return current is not None and current.number == config.number

    def _recorder(self, key: tuple[str, str, str]) -> Recorder:
        return Recorder(self.behaviour, lambda kind, instant, file: self._notify(key, kind, instant, file))

    # Record configurations

    def matching_configs(self, domain: str, app: str, stream: str) -> list[RecordConfig]:
        """The configurations for a stream, the one that fits best first: exact names beat ``*`` at each level."""
        mixed = [(app, "*"), ("*", stream)]
        if self.behaviour.config_match == "stream-first":
            mixed.reverse()
        keys = ((domain, *names) for names in ((app, stream), *mixed, ("*", "*")))
        return [self.record_configs[key] for key in keys if key in self.record_configs]

    def _configs_changed(self, domain: str) -> None:
        if self.behaviour.config_effect == "at-once":
            now = self.clock.now()
            for stream in self.streams_of(domain):
                key = (domain, stream.app, stream.name)
                self._refresh_push(stream.recorder, key, now)
                self._schedule(key)

    def add_config(self, config: RecordConfig) -> None:
        """Add a configuration; ConfigExists when the triple has one."""
        self.settle()
        key = (config.domain, config.app, config.stream)
        if key in self.record_configs:
            raise ConfigExists
        self._config_number += 1
        self.record_configs[key] = replace(config, number=self._config_number)
        self._configs_changed(config.domain)

    def change_config(self, domain: str, app: str, stream: str, **changes: Any) -> RecordConfig:
        """Change a configuration; ConfigAbsent when there is none."""
        self.settle()
        config = self.record_configs.get((domain, app, stream))
        if config is None:
            raise ConfigAbsent
        changed = self.record_configs[(domain, app, stream)] = replace(config, **changes)
        self._configs_changed(domain)
        return changed

    def delete_config(self, domain: str, app: str, stream: str) -> None:
        """Delete a configuration; ConfigAbsent when there is none."""
        self.settle()
        if self.record_configs.pop((domain, app, stream), None) is None:
            raise ConfigAbsent
        self._configs_changed(domain)

    # Callbacks

    def _notify(self, key: tuple[str, str, str], kind: str, instant: float, file: RecordedFile | None) -> None:
        config = self.notify_configs.get(key[0])
        if config is None or (kind != FILE_CREATED and not config.status_events):
            return
        stream = self.streams.get(key)
        if stream and stream.publish.auth_key:
            config = replace(config, auth_key=stream.publish.auth_key)
        arguments = _callback_arguments(stream.publish.query) if stream and file else {}
        extra = {"push_args": arguments} if arguments else {}
        self._send(NotifyEvent(*key, kind, instant, config, file=file, extra=extra))

    def _send(self, event: NotifyEvent) -> None:
        """Write an event down, and send its callback or decide its delivery without sending it."""
        self.notify_log.append(event)
        self._events.setdefault((event.domain, event.app, event.stream), []).append(event)
        self._deliver(event)

    def _deliver(self, event: NotifyEvent | IngestEvent) -> None:
        if self.behaviour.notify_result != "deliver":
            event.sent = int(self.clock.epoch(event.time))
            event.result = self.behaviour.notify_result
            event.response = "ok" if event.result == "success" else ""
            return

        def done(outcome: Outcome) -> None:
            event.response = (outcome.answer or b"").decode("utf-8", "replace")
            event.reason = outcome.reason
            event.result = "failed" if outcome.answer is None else "success"

        event.sent = int(self.clock.wall())
        headers = self.callback_headers(event)
        if isinstance(event, IngestEvent):
            url = on_demand.with_query(event.config.url, self.ingest_content(event))
            self._put(Callback(url, done, headers=headers))
        else:
            self._put(Callback(event.config.url, done, self.callback_body(event).encode(), headers))

    def callback_body(self, event: NotifyEvent) -> str:
        """The JSON body of a callback; a created file has no ``event`` field."""
        content: dict[str, Any] = {"domain": event.domain, "app": event.app, "stream": event.stream}
        if event.file is not None:
            content.update(self._file_body((event.domain, event.app, event.stream), event.file))
        else:
            content["event"] = event.kind
            if self.behaviour.on("status_event_time"):
                content["time"] = self.clock.show(event.time)
        content.update(event.extra)
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    def callback_headers(self, event: NotifyEvent | IngestEvent) -> dict[str, str]:
        """The headers of a callback, with those of authentication if the configuration asks for them."""
        config = event.config
        headers = {} if isinstance(event, IngestEvent) else {"Content-Type": "application/json; charset=utf-8"}
        if not config.auth:
            return headers
        signed = f"{self._signed_domain(event)}|{event.sent}|{config.auth_key}"
        signature = hashlib.md5(signed.encode()).hexdigest()
        if self.behaviour.callback_case == "upper":
            signature = signature.upper()
        return {**headers, "ALI-LIVE-TIMESTAMP": str(event.sent), "ALI-LIVE-SIGNATURE": signature}

    def _signed_domain(self, event: NotifyEvent | IngestEvent) -> str | None:
        """The domain in a signature: for ingest callbacks that which the URL is set on, else the host of the URL."""
        if isinstance(event, IngestEvent):
            return event.ingest
        url = urlsplit(event.config.url)
        return url.netloc.rpartition("@")[2] if self.behaviour.callback_host == "with-port" else url.hostname

    def add_event(
        self,
        key: tuple[str, str, str],
        kind: str,
        age: float,
        extra: dict[str, Any] | None = None,
        storage: str = "oss",
    ) -> NotifyEvent:
        """Write a callback of any kind to the notify log, as it happened ``age`` seconds ago."""
        config = self.notify_configs.get(key[0])
        if config is None:
            raise ConfigAbsent
        instant = self.settle() - age
        event = NotifyEvent(*key, kind, instant, config, extra=extra or {}, storage=storage)
        self._send(event)
        for rows in (self.notify_log, self._events[key]):
            rows.sort(key=lambda row: row.time)
        return event

    def events(self, domain: str, app: str | None, stream: str | None) -> list[NotifyEvent]:
        """The callbacks of a domain, of one application or of streams of one name, oldest first."""
        if app is not None and stream is not None:
            return self._events.get((domain, app, stream), [])
        return [
            event
            for event in self.notify_log
            if event.domain == domain and app in (None, event.app) and stream in (None, event.stream)
        ]

    def _file_body(self, key: tuple[str, str, str], file: RecordedFile) -> dict[str, Any]:
        return {
            "uri": self.object_name(key, file),
            "duration": round(file.duration, 3),
            "start_time": int(self.clock.epoch(file.started)),
            "stop_time": int(self.clock.epoch(file.stopped)),
        }

    def add_control_entry(self, key: tuple[str, str, str], action: str, age: float, client_ip: str) -> None:
        """Write down that something was done to a stream ``age`` seconds ago."""
        self.control_log.append(ControlEntry(*key, action, self.settle() - age, client_ip))
        self.control_log.sort(key=lambda entry: entry.time)

    # Files

    def object_name(self, key: tuple[str, str, str], file: RecordedFile) -> str:
        """The object of a file in its bucket: the configured prefix filled in, and the extension.

        The name of an index file that somebody asked for is complete without an extension.
        """
        started, stopped = self.clock.show(file.started), self.clock.show(file.stopped)
        values = {
            "AppName": key[1],
            "StreamName": key[2],
            "Sequence": str(file.sequence),
            "UnixTimestamp": str(int(self.clock.epoch(file.started))),
            "Date": started[:10],
            "Hour": started[11:13],
            "Minute": started[14:16],
            "Second": started[17:19],
            "StartTime": started[:-1].replace("T", "-"),
            "EndTime": stopped[:-1].replace("T", "-"),
            "EscapedStartTime": started[:-1].replace("T", "-").replace(":", "-"),
            "EscapedEndTime": stopped[:-1].replace("T", "-").replace(":", "-"),
        }
        template = file.name or f"{file.format.prefix}.{file.format.kind}"
        return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)


def _callback_arguments(query: str) -> dict[str, str]:
    """Return the ingest parameters that callbacks of files repeat; of several of one name, the first counts."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return {name: value for name, value in reversed(pairs) if name.startswith(ARGUMENT_PREFIX)}
