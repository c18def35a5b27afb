# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API under `/_emulator/`: JSON requests with which a test changes or reads the cloud directly.

There is no authentication, because the listener is on loopback only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Callable

from . import scenario
from .gate import GateClosed
from .record_model import RecordConfig, RecordedFile
from .recording import FILE_CREATED, STATUS_EVENTS
from .resources import ConfigNotFound, IngestEvent, NotifyEvent, Stream, UnknownDomain
from .world import World

PREFIX = "/_emulator/"
MAX_DEPTH = 32  # of the JSON in a request
MAX_AGE = 1e9  # seconds, more than 30 years


class ControlError(Exception):
    """A control request that cannot be carried out."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Control:
    """The handler of control requests; `stopping` asks the listener to end the program after the response."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.stopping = False
        self._routes: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "health"): self._get_health,
            ("GET", "state"): self._get_state,
            ("GET", "calls"): self._get_calls,
            ("DELETE", "calls"): self._clear_calls,
            ("POST", "streams/push"): self._push,
            ("POST", "streams/drop"): self._drop,
            ("POST", "streams/resume"): self._resume,
            ("POST", "streams/viewers"): self._set_viewers,
            ("POST", "streams/steps"): self._add_steps,
            ("POST", "files"): self._mark_files,
            ("DELETE", "files"): self._clear_files,
            ("POST", "clock/advance"): self._advance,
            ("GET", "behaviour"): self._get_behaviour,
            ("POST", "behaviour"): self._change_behaviour,
            ("GET", "faults"): self._get_faults,
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "accounts"): self._add_accounts,
            ("POST", "events"): self._add_events,
            ("POST", "controls"): self._add_controls,
            ("POST", "reset"): self._reset,
            ("POST", "shutdown"): self._shutdown,
        }

    def handle(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        """Return the response to a request for `path` below the prefix; raise ControlError if it is not valid."""
        route = self._routes.get((method, path))
        if route is None:
            known = path in {name for _method, name in self._routes}
            raise ControlError(405 if known else 404, f"there is no {method} {PREFIX}{path}")
        if not isinstance(body, dict):
            raise ControlError(400, "the body must be a JSON object")
        try:
            with self._world.gate, self._world.lock:
                return route({**query, **body})
        except GateClosed:
            raise ControlError(503, "the emulator is ending") from None
        except UnknownDomain as error:
            raise ControlError(404, f"there is no domain {error}") from None
        except KeyError as error:
            raise ControlError(400, f"the field {error} is missing") from None
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise ControlError(400, str(error)) from None

    def _get_health(self, _request: dict[str, Any]) -> Any:
        return {"status": "ok", "advanced": self._world.cloud.clock.advanced}

    def _get_calls(self, request: dict[str, Any]) -> Any:
        return {"calls": self._world.calls.rows(request.get("action"), int(request.get("since", 0)))}

    def _clear_calls(self, _request: dict[str, Any]) -> Any:
        self._world.calls.clear()
        return {}

    def _push(self, request: dict[str, Any]) -> Any:
        for stream in _read_streams(request):
            scenario.add_stream(stream, self._world.cloud)
        return {"count": len(_read_streams(request))}

    def _set_viewers(self, request: dict[str, Any]) -> Any:
        for stream in _read_streams(request):
            self._world.cloud.set_viewers(*_read_names(stream), scenario.read_viewers(stream))
        return {"count": len(_read_streams(request))}

    def _drop(self, request: dict[str, Any]) -> Any:
        dropped = [self._world.cloud.end_push(*_read_names(stream)) for stream in _read_streams(request)]
        return {"count": sum(stream is not None for stream in dropped)}

    def _resume(self, request: dict[str, Any]) -> Any:
        for stream in _read_streams(request):
            self._world.cloud.repeat_push(*_read_names(stream))
        return {"count": len(_read_streams(request))}

    def _add_steps(self, request: dict[str, Any]) -> Any:
        plan = scenario.read_steps(_read_streams(request))
        self._world.cloud.add_steps(plan)
        return {"count": len(plan)}

    def _mark_files(self, request: dict[str, Any]) -> Any:
        for fields in request["files"]:
            self._world.cloud.mark_files(fields)
        return {"count": len(request["files"])}

    def _clear_files(self, _request: dict[str, Any]) -> Any:
        self._world.cloud.files.clear()
        return {}

    def _advance(self, request: dict[str, Any]) -> Any:
        self._world.cloud.advance(float(request["seconds"]))
        return {"advanced": self._world.cloud.clock.advanced}

    def _get_behaviour(self, _request: dict[str, Any]) -> Any:
        return self._world.behaviour.as_dict()

    def _change_behaviour(self, request: dict[str, Any]) -> Any:
        self._world.cloud.settle()
        self._world.behaviour.update(request)
        return self._world.behaviour.as_dict()

    def _get_faults(self, _request: dict[str, Any]) -> Any:
        return self._world.faults.report()

    def _add_faults(self, request: dict[str, Any]) -> Any:
        if "faults" in request:
            return self._world.faults.add(**request)
        seed = request.pop("seed", None)
        return self._world.faults.add([request], seed)

    def _clear_faults(self, _request: dict[str, Any]) -> Any:
        report = self._world.faults.report()
        self._world.faults.clear()
        return report

    def _add_accounts(self, request: dict[str, Any]) -> Any:
        for account in request["accounts"]:
            scenario.add_account(account, self._world.cloud)
        return {"count": len(request["accounts"])}

    def _add_events(self, request: dict[str, Any]) -> Any:
        for event in request["events"]:
            key, content = self._world.cloud.stream_key(*_read_names(event)), event.get("content") or {}
            if not isinstance(content, dict):
                raise ControlError(400, "content must be an object")
            try:
                storage = event.get("storage_type", "oss")
                if storage not in ("oss", "vod"):
                    raise ControlError(400, f"storage_type is oss or vod, not {storage!r}")
                self._world.cloud.add_event(key, str(event["notify_type"]), _read_age(event), content, storage)
            except ConfigNotFound:
                raise ControlError(409, f"the domain {key[0]} has no callback configuration") from None
        return {"count": len(request["events"])}

    def _add_controls(self, request: dict[str, Any]) -> Any:
        for entry in request["controls"]:
            client_ip = str(entry.get("client_ip", "192.0.2.1"))
            key = self._world.cloud.stream_key(*_read_names(entry))
            self._world.cloud.add_control_entry(key, str(entry["action"]), _read_age(entry), client_ip)
        return {"count": len(request["controls"])}

    def _reset(self, _request: dict[str, Any]) -> Any:
        self._world.reset()
        return {}

    def _shutdown(self, _request: dict[str, Any]) -> Any:
        self.stopping = True
        return {}

    def _get_state(self, request: dict[str, Any]) -> Any:
        cloud = self._world.cloud
        cloud.settle()
        selected = [stream for stream in cloud.streams.values() if _is_selected(stream, request)]
        domain = request.get("domain_name")
        return {
            "now": cloud.clock.show(cloud.clock.now()),
            "advanced": cloud.clock.advanced,
            "pending_steps": len(cloud.timeline),
            "streams": [self._describe_stream(stream) for stream in selected],
            "record_configs": [
                {**asdict(config), **self._show_instants(config)}
                for config in cloud.record_configs.values()
                if domain in (None, config.domain)
            ],
            "notify_configs": {
                name: {"url": config.url, "status_events": config.status_events, "auth": config.auth}
                for name, config in cloud.notify_configs.items()
                if domain in (None, name)
            },
            "notify_events": [
                self._describe_event(event.domain, event)
                for event in cloud.notify_log
                if _matches(request, event.domain, event.app, event.stream)
            ],
            "ingest_notify_configs": {
                name: {"url": config.url, "auth": config.auth} for name, config in cloud.ingest_configs.items()
            },
            "ingest_events": [
                self._describe_event(event.ingest, event)
                for event in cloud.ingest_log
                if self._matches_ingest(request, event)
            ],
        }

    def _describe_event(self, domain: str, event: NotifyEvent | IngestEvent) -> dict[str, Any]:
        return {
            "domain_name": domain,
            "app_name": event.app,
            "stream_name": event.stream,
            "notify_type": event.kind,
            "time": self._world.cloud.clock.epoch(event.time),
        }

    def _matches_ingest(self, request: Mapping[str, Any], event: IngestEvent) -> bool:
        """Return whether an event belongs to the requested domain, which may be the ingest or the streaming domain."""
        domain = self._world.cloud.resolve_domain(event.ingest)
        names = {event.ingest, domain.name if domain else event.ingest}
        return any(_matches(request, name, event.app, event.stream) for name in names)

    def _show_instants(self, config: RecordConfig) -> dict[str, str | None]:
        instants = {"created": config.created, "start": config.start, "end": config.end}
        show = self._world.cloud.clock.show
        return {name: None if instant is None else show(instant) for name, instant in instants.items()}

    def _describe_stream(self, stream: Stream) -> dict[str, Any]:
        cloud, recorder = self._world.cloud, stream.recorder
        show, epoch = cloud.clock.show, cloud.clock.epoch
        ledger = asdict(recorder.ledger)
        for change in ledger["changes"]:
            change["time"] = epoch(change["time"])
        return {
            "domain_name": stream.domain,
            "app_name": stream.app,
            "stream_name": stream.name,
            "online": stream.online,
            "viewers": cloud.viewers.get(stream.key),
            "publish_time": show(stream.publish.started),
            "asked": stream.publish.record_decision,
            "recording": recorder.state,
            "ledger": ledger,
            "tasks": [
                {
                    "number": task.number,
                    "started": show(task.started),
                    "ended": None if task.ended is None else show(task.ended),
                    "duration": task.recorded_seconds(cloud.clock.now()),
                }
                for task in recorder.tasks
            ],
            "files": [self._describe_file(stream, file) for file in recorder.files],
        }

    def _describe_file(self, stream: Stream, file: RecordedFile) -> dict[str, Any]:
        show = self._world.cloud.clock.show
        return {
            "record_id": file.record_id,
            "format": file.format.kind,
            "task": file.task,
            "sequence": file.sequence,
            "object": self._world.cloud.content.object_name(stream.key, file),
            "bucket": file.config.bucket,
            "url": self._world.cloud.content.file_url(stream.key, file),
            "started": show(file.started),
            "stopped": show(file.stopped),
            "created": show(file.created),
            "duration": file.duration,
        }


def parse_json(body: bytes) -> Any:
    """Parse the body of a request; raise ControlError if it is not JSON, or nested more than 32 levels deep."""
    try:
        content = json.loads(body or b"{}", parse_constant=_reject_constant)
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ControlError(400, f"the body is not JSON: {error}") from None
    level = [content]
    for _depth in range(MAX_DEPTH):
        level = [item for parent in level for item in _children(parent)]
        if not level:
            return content
    raise ControlError(400, f"the body is nested more than {MAX_DEPTH} levels deep")


def _reject_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a number")


def _children(content: Any) -> Any:
    if isinstance(content, dict):
        return content.values()
    return content if isinstance(content, list) else ()


def _read_age(entry: Mapping[str, Any]) -> float:
    age = float(entry.get("age", 0))
    if not 0 <= age <= MAX_AGE:
        raise ControlError(400, f"an age is from 0 to {MAX_AGE:.0f} seconds")
    return age


NOTIFY_TYPES = (*STATUS_EVENTS, FILE_CREATED, "record_error", "record_force_transcode_fail", "transformat_error")


def _read_streams(request: dict[str, Any]) -> list[dict[str, Any]]:
    streams = request["streams"]
    if not isinstance(streams, list) or not all(isinstance(stream, dict) for stream in streams):
        raise ControlError(400, "streams must be a list of objects")
    return streams


def _read_names(stream: dict[str, Any]) -> tuple[str, str, str]:
    return str(stream["domain_name"]), str(stream["app_name"]), str(stream["stream_name"])


def _is_selected(stream: Stream, request: Mapping[str, Any]) -> bool:
    return _matches(request, stream.domain, stream.app, stream.name)


def _matches(request: Mapping[str, Any], domain: str, app: str, name: str) -> bool:
    pairs = (("domain_name", domain), ("app_name", app), ("stream_name", name))
    return all(request.get(field) in (None, value) for field, value in pairs)
