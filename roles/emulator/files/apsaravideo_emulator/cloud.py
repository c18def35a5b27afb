# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated cloud: domains, streams, configurations, recordings and the notify log.

Every method calls `Cloud.settle` before it reads or changes anything, so that changes that have fallen due (the end of
a delay, the end of a cycle) take effect first, in their order.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from . import on_demand
from .behaviour import Behaviour
from .callback_content import CallbackContent
from .callbacks import MAX_RETRIES, Callback, Deliverer, Outcome, is_loopback
from .clock import Clock
from .files import Files
from .identity import Identities
from .record_model import AUTOMATIC, CALLBACK, INGEST_PARAMETER, Push, RecordConfig, RecordedFile
from .recording import FILE_CREATED, CommandRefused, Recorder
from .resources import (
    ConfigExists,
    ConfigNotFound,
    ControlEntry,
    Domain,
    IngestEvent,
    IngestNotifyConfig,
    NotifyConfig,
    NotifyEvent,
    Publish,
    Stream,
    UnknownDomain,
)
from .state import Stateful
from .timeline import Step, Timeline

PUBLISH_EVENT_DELAY = 2
ARGUMENT_PREFIX = "callback_"
ERROR_EVENTS = ("record_error", "transformat_error")


class Cloud(Stateful):
    """The state of the whole cloud; not thread-safe, the gateway serialises access."""

    STATE_FIELDS = (
        "clock",
        "identities",
        "domains",
        "record_configs",
        "notify_configs",
        "notify_log",
        "ingest_configs",
        "ingest_log",
        "control_log",
        "viewers",
        "timeline",
        "files",
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
        self.viewers: dict[tuple[str, str, str], int] = {}  # of each stream pulled on trigger
        self.timeline = Timeline()
        self.files = Files()
        self._step_time: float | None = None  # of the step that is happening
        self._streaming_of: dict[str, str] = {}
        self._dues: list[tuple[float, tuple[str, str, str]]] = []
        self._config_number = 0
        self.content = CallbackContent(clock, behaviour)
        self._deliverer = deliverer or Deliverer()
        self._events: dict[tuple[str, str, str], list[NotifyEvent]] = {}

    # State

    def snapshot(self) -> dict[str, Any]:
        streams = {key: (stream.history, stream.recorder.snapshot()) for key, stream in self.streams.items()}
        return {**super().snapshot(), "streams": streams}

    def restore(self, content: dict[str, Any]) -> None:
        """Restore a state; changes that fell due in the meantime happen with the next `settle`."""
        super().restore(content)
        self.streams.clear()
        for key, (history, recorder) in content["streams"].items():
            domain, app, name = key
            self.streams[key] = Stream(domain, app, name, self._recorder(key), history)
            self.streams[key].recorder.restore(recorder)
        self._rebuild_indexes()

    def _rebuild_indexes(self) -> None:
        """Rebuild everything that follows from the restored state, and send the callbacks that are still pending."""
        self._streaming_of = {ingest: domain.name for domain in self.domains.values() for ingest in domain.ingest}
        self._dues.clear()
        for key in self.streams:
            self._schedule(key)
        self._events.clear()
        for event in self.notify_log:
            self._events.setdefault((event.domain, event.app, event.stream), []).append(event)
        undecided: list[NotifyEvent | IngestEvent] = [event for event in self.notify_log if not event.result]
        undecided += [event for event in self.ingest_log if not event.result]
        for pending in undecided:
            self._deliver(pending)
        for stream in self.streams.values():
            if stream.online and stream.publish.record_decision == "waiting":
                self._request_decision(stream)

    # Time

    def settle(self) -> float:
        """Apply every change and step that has fallen due, in order, and return the present instant.

        While a step happens, its instant is the present.
        """
        if self._step_time is not None:
            return self._step_time
        now = self.clock.now()
        while self.timeline.next_due() <= now:
            step = self.timeline.pop()
            self._settle_streams(step.time)
            self._happen(step)
        self._settle_streams(now)
        return now

    def _settle_streams(self, now: float) -> None:
        while self._dues and self._dues[0][0] <= now:
            due, key = heapq.heappop(self._dues)
            stream = self.streams[key]
            if stream.next_due() == due:
                stream.recorder.settle(due)
                if stream.publish.announce_at == due:
                    stream.publish.announce_at = None
                    self._log_ingest_event(stream, "publish", due)
                self._schedule(key)

    def _happen(self, step: Step) -> None:
        """Carry out a step; a refused command changes nothing, as for a client that ignores the error."""
        self._step_time = step.time
        try:
            if step.action == "push":
                self.begin_push(*step.names, need_record=step.need_record, query=step.query)
            elif step.action == "drop":
                self.end_push(*step.names)
            elif step.action == "resume":
                self.repeat_push(*step.names)
            elif step.action in ERROR_EVENTS:
                with contextlib.suppress(ConfigNotFound):
                    self._add_error_event(step)
            else:
                with contextlib.suppress(CommandRefused):
                    self.record(step.action, self.stream_key(*step.names), f"step-{step.number}")
        finally:
            self._step_time = None

    def _add_error_event(self, step: Step) -> None:
        """Add an error; that of a conversion is about the latest file of the stream that is converted, if any."""
        key = self.stream_key(*step.names)
        files = self.streams[key].recorder.files if key in self.streams else []
        converted = [file for file in files if file.format.kind != "m3u8"]
        file = converted[-1] if converted and step.action == "transformat_error" else None
        self.add_event(key, step.action, 0, json.loads(step.content), file=file)

    def add_steps(self, plan: list[tuple[tuple[str, str, str], Mapping[str, Any]]]) -> None:
        """Add steps for streams, see `Timeline.add`; those that are due already happen at once."""
        for names, _fields in plan:
            self.stream_key(*names)
        self.timeline.add(self.settle(), plan)
        self.settle()

    def stream_key(self, domain_name: str, app: str, name: str) -> tuple[str, str, str]:
        """Return the key of a stream, which may be given by its ingest domain and need never have been pushed."""
        domain = self.resolve_domain(domain_name)
        if domain is None:
            raise UnknownDomain(domain_name)
        return domain.name, app, name

    def _schedule(self, key: tuple[str, str, str]) -> None:
        due = self.streams[key].next_due()
        if due < math.inf:
            heapq.heappush(self._dues, (due, key))

    def advance(self, seconds: float) -> None:
        """Advance the clock; a change that falls due on the way happens at its own instant."""
        self.clock.advance(seconds)
        self.settle()

    # Domains

    def add_domain(self, domain: Domain) -> None:
        """Add a streaming domain and its ingest domains."""
        self.domains[domain.name] = domain
        for ingest in domain.ingest:
            self._streaming_of[ingest] = domain.name

    def streaming_domain(self, name: str, account: str | None = None) -> Domain | None:
        """Return the streaming domain of this name, if any; of one account only, if given."""
        domain = self.domains.get(name)
        return domain if domain and account in (None, domain.account) else None

    def resolve_domain(self, name: str, account: str | None = None) -> Domain | None:
        """Return the streaming domain for the name of a streaming or an ingest domain, if any."""
        return self.streaming_domain(self._streaming_of.get(name, name), account)

    # Ingest

    def begin_push(
        self, domain_name: str, app: str, name: str, *, kind: str = "push", need_record: bool = False, query: str = ""
    ) -> Stream:
        """Begin a push, or a pull because of a viewer; a stream that is already online stays unchanged.

        `need_record` is the decision of the callback or of the ingest parameter, for configurations that use one;
        `query` contains the parameters of the ingest URL.
        """
        now = self.settle()
        domain = self.resolve_domain(domain_name)
        if domain is None:
            raise UnknownDomain(domain_name)
        key = (domain.name, app, name)
        stream = self.streams.get(key)
        if stream is None:
            stream = self.streams[key] = Stream(domain.name, app, name, self._recorder(key))
        if kind == "pull":
            self.viewers[key] = self.viewers.get(key) or 1
        if not stream.online:
            ingest = domain_name if domain_name != domain.name else domain.push_domains[0]
            notify, ingest_notify = self.notify_configs.get(domain.name), self.ingest_configs.get(ingest)
            publish = Publish(
                ingest,
                now,
                kind,
                need_record=need_record,
                announce_at=now + PUBLISH_EVENT_DELAY,
                query=query,
                auth_key=notify.auth_key if notify else "",
                ingest_auth_key=ingest_notify.auth_key if ingest_notify else "",
            )
            stream.history.append(publish)
            self._begin_recording(stream)
        return stream

    def _begin_recording(self, stream: Stream) -> None:
        """Begin the push in the recorder, with the configurations of this moment."""
        publish, matching = stream.publish, self.matching_configs(*stream.key)
        config = matching[0] if matching else None
        is_deferred = self._uses_on_demand_url(config)
        automatic = not is_deferred and self._is_recorded_automatically(config, publish.need_record)
        stream.recorder.begin_push(Push(publish.started, config, automatic, tuple(matching[1:])))
        if is_deferred:
            self._request_decision(stream)
        self._schedule(stream.key)

    def _uses_on_demand_url(self, config: RecordConfig | None) -> bool:
        if config is None or config.mode != CALLBACK or self.behaviour.notify_result != "deliver":
            return False
        notify = self.notify_configs.get(config.domain)
        return notify is not None and is_loopback(notify.on_demand_url)

    def _request_decision(self, stream: Stream) -> None:
        """Ask the OnDemandUrl whether to record a push; the decision applies as long as the push continues."""
        publish, notify = stream.publish, self.notify_configs.get(stream.domain)
        if notify is None:
            publish.record_decision = "failed"
            return

        def done(outcome: Outcome) -> None:
            now = self.settle()
            publish.record_decision = "failed"
            push = stream.recorder.push
            if push is None or push.config is None or stream.publish is not publish or outcome.body is None:
                return
            with contextlib.suppress(ValueError):
                config = on_demand.decide(push.config, outcome.body)
                publish.record_decision = "record" if config else "leave"
                if config:
                    stream.recorder.begin_push(replace(push, config=config, automatic=True, since=now))
                    self._schedule(stream.key)

        publish.record_decision = "waiting"
        url = on_demand.build_url(notify.on_demand_url, stream.key)
        retries_left = MAX_RETRIES if self.behaviour.is_on("on_demand_retries") else 0
        self._enqueue(Callback(url, done, headers=dict(on_demand.HEADERS), retries_left=retries_left))

    def _log_ingest_event(self, stream: Stream, action: str, instant: float) -> None:
        """Log the beginning or the end of a push and send its callback, if its ingest domain has a callback URL."""
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

    def _enqueue(self, callback: Callback) -> None:
        callback.retry_any_failure = self.behaviour.callback_retries == "any"
        self._deliverer.put(callback)

    def _is_recorded_automatically(self, config: RecordConfig | None, need_record: bool) -> bool:
        if config is None:
            return False
        if config.mode == CALLBACK:
            notify = self.notify_configs.get(config.domain)
            return need_record and notify is not None and notify.on_demand_url != ""
        return config.mode == AUTOMATIC or (config.mode == INGEST_PARAMETER and need_record)

    def end_push(self, domain_name: str, app: str, name: str) -> Stream | None:
        """End a push or a pull, and remove its viewers; return None if there is no such stream."""
        now = self.settle()
        stream = self.find_stream(domain_name, app, name)
        if stream is not None and stream.key in self.viewers:
            self.viewers[stream.key] = 0
        if stream is not None and stream.online:
            stream.publish.stopped = now
            if stream.publish.announce_at is None:
                self._log_ingest_event(stream, "publish_done", now)
            stream.publish.announce_at = None
            stream.recorder.end_push(now)
            self._schedule((stream.domain, app, name))
        return stream

    def repeat_push(self, domain_name: str, app: str, name: str) -> Stream:
        """Push or pull again with the parameters of the last ingest."""
        stream = self.find_stream(domain_name, app, name)
        if stream is None:
            return self.begin_push(domain_name, app, name)
        last = stream.publish
        return self.begin_push(last.ingest, app, name, kind=last.kind, need_record=last.need_record, query=last.query)

    def set_viewers(self, domain_name: str, app: str, name: str, viewers: int, need_record: bool | None = None) -> None:
        """Set the number of viewers of a stream pulled on trigger; the pull lasts as long as there is at least one.

        A push of the same stream does not depend on viewers. If `need_record` is None, the value of the last pull
        applies.
        """
        domain = self.resolve_domain(domain_name)
        if domain is None:
            raise UnknownDomain(domain_name)
        key = (domain.name, app, name)
        stream = self.streams.get(key)
        if viewers:
            last = stream.publish.need_record if stream else False
            self.begin_push(*key, kind="pull", need_record=last if need_record is None else need_record)
        elif stream and stream.online and stream.publish.kind == "pull":
            self.end_push(*key)
        self.viewers[key] = viewers

    def find_stream(self, domain_name: str, app: str, name: str) -> Stream | None:
        """Return the stream on a streaming or an ingest domain, if it was ever pushed."""
        domain = self.resolve_domain(domain_name)
        return self.streams.get((domain.name, app, name)) if domain else None

    def streams_of(self, domain: str) -> Iterator[Stream]:
        """Return the streams of a streaming domain."""
        return (stream for stream in self.streams.values() if stream.domain == domain)

    # Recording

    def record(self, command: str, key: tuple[str, str, str], request_id: str) -> bool:
        """Execute a RealTimeRecordCommand; return and raise as `Recorder.command` does."""
        changed = self._command(command, key, request_id)
        now = self.settle()
        self.control_log.append(ControlEntry(*key, "RealTimeRecordCommand", now, "127.0.0.1", True))
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
        """Apply the present configurations to a running push, if configurations take effect at once."""
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

    def mark_files(self, fields: Mapping[str, Any]) -> None:
        """Mark files, whose domain may be given by its ingest domain; see `Files.add`."""
        domain = self.resolve_domain(str(fields.get("domain_name")))
        self.files.add({**fields, "domain_name": domain.name} if domain else fields)

    # Record configurations

    def matching_configs(self, domain: str, app: str, stream: str) -> list[RecordConfig]:
        """Return the configurations for a stream, the best match first: exact names beat `*` at each level."""
        mixed = [(app, "*"), ("*", stream)]
        if self.behaviour.config_match == "stream-first":
            mixed.reverse()
        keys = ((domain, *names) for names in ((app, stream), *mixed, ("*", "*")))
        return [self.record_configs[key] for key in keys if key in self.record_configs]

    def _apply_config_change(self, domain: str) -> None:
        if self.behaviour.config_effect == "at-once":
            now = self.clock.now()
            for stream in self.streams_of(domain):
                key = (domain, stream.app, stream.name)
                self._refresh_push(stream.recorder, key, now)
                self._schedule(key)

    def add_config(self, config: RecordConfig) -> None:
        """Add a configuration; raise ConfigExists if the triple already has one."""
        self.settle()
        key = (config.domain, config.app, config.stream)
        if key in self.record_configs:
            raise ConfigExists
        self._config_number += 1
        self.record_configs[key] = replace(config, number=self._config_number)
        self._apply_config_change(config.domain)

    def change_config(self, domain: str, app: str, stream: str, **changes: Any) -> RecordConfig:
        """Change a configuration; raise ConfigNotFound if there is none."""
        self.settle()
        config = self.record_configs.get((domain, app, stream))
        if config is None:
            raise ConfigNotFound
        changed = self.record_configs[(domain, app, stream)] = replace(config, **changes)
        self._apply_config_change(domain)
        return changed

    def delete_config(self, domain: str, app: str, stream: str) -> None:
        """Delete a configuration; raise ConfigNotFound if there is none."""
        self.settle()
        if self.record_configs.pop((domain, app, stream), None) is None:
            raise ConfigNotFound
        self._apply_config_change(domain)

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
        self._record_event(NotifyEvent(*key, kind, instant, config, file=file, extra=extra))

    def _record_event(self, event: NotifyEvent) -> None:
        """Log an event, and send its callback or, while callbacks are only simulated, set the configured result."""
        self.notify_log.append(event)
        self._events.setdefault((event.domain, event.app, event.stream), []).append(event)
        self._deliver(event)

    def _deliver(self, event: NotifyEvent | IngestEvent) -> None:
        if self.behaviour.notify_result != "deliver":
            event.sent_at = int(self.clock.epoch(event.time))
            event.result = self.behaviour.notify_result
            event.response = "ok" if event.result == "success" else ""
            return

        def done(outcome: Outcome) -> None:
            event.response = (outcome.body or b"").decode("utf-8", "replace")
            event.reason = outcome.reason
            event.result = "failed" if outcome.body is None else "success"

        event.sent_at = int(self.clock.wall())
        headers = self.content.headers(event)
        if isinstance(event, IngestEvent):
            url = on_demand.add_query(event.config.url, self.content.ingest_parameters(event))
            self._enqueue(Callback(url, done, headers=headers))
        else:
            self._enqueue(Callback(event.config.url, done, self.content.body(event).encode(), headers))

    def add_event(
        self,
        key: tuple[str, str, str],
        kind: str,
        age: float,
        extra: dict[str, Any] | None = None,
        storage: str = "oss",
        file: RecordedFile | None = None,
    ) -> NotifyEvent:
        """Add a callback of any kind to the notify log, dated `age` seconds ago; `file` is the one that it is about."""
        config = self.notify_configs.get(key[0])
        if config is None:
            raise ConfigNotFound
        instant = self.settle() - age
        event = NotifyEvent(*key, kind, instant, config, file=file, extra=extra or {}, storage=storage)
        self._record_event(event)
        for rows in (self.notify_log, self._events[key]):
            rows.sort(key=lambda row: row.time)
        return event

    def events(self, domain: str, app: str | None, stream: str | None) -> list[NotifyEvent]:
        """Return the callbacks of a domain, optionally of one application or of one stream name, oldest first."""
        if app is not None and stream is not None:
            return self._events.get((domain, app, stream), [])
        return [
            event
            for event in self.notify_log
            if event.domain == domain and app in (None, event.app) and stream in (None, event.stream)
        ]

    def add_control_entry(self, key: tuple[str, str, str], action: str, age: float, client_ip: str) -> None:
        """Add an entry to the history of stream control, dated `age` seconds ago."""
        self.control_log.append(ControlEntry(*key, action, self.settle() - age, client_ip))
        self.control_log.sort(key=lambda entry: entry.time)


def _callback_arguments(query: str) -> dict[str, str]:
    """Return the ingest parameters that file callbacks repeat; of several with the same name, the first counts."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return {name: value for name, value in reversed(pairs) if name.startswith(ARGUMENT_PREFIX)}
