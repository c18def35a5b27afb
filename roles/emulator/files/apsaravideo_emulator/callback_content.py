# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of callbacks: bodies, headers with signatures, and the names of recorded files."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import quote, urlsplit

from .behaviour import Behaviour
from .clock import Clock
from .record_model import RecordedFile
from .recording import FILE_CREATED
from .resources import IngestEvent, NotifyEvent

# What an error event says unless its content is given.
ERRORS = {
    "record_error": {"code": "BucketNotFound", "message": "Bucket not found"},
    "transformat_error": {"code": "InvalidParameter.ResourceContentBad", "message": "The resource is not usable."},
}


class CallbackContent:
    """The content of callbacks, as the switches and the clock determine it."""

    def __init__(self, clock: Clock, behaviour: Behaviour) -> None:
        self._clock = clock
        self.endpoint = ""  # of this emulator
        self._behaviour = behaviour

    def ingest_parameters(self, event: IngestEvent) -> dict[str, str]:
        """Return the parameters of an ingest callback, whose `app` is the ingest domain."""
        content = {
            "action": event.kind,
            "ip": "192.0.2.1",
            "id": event.stream,
            "app": event.ingest,
            "appname": event.app,
            "time": str(int(self._clock.epoch(event.time))),
            "usrargs": event.usrargs,
            "node": "192.0.2.2",
        }
        return {**content, "height": "720", "width": "1280"} if event.kind == "publish" else content

    def body(self, event: NotifyEvent) -> str:
        """Return the JSON body of a callback; that of a created file has no `event` field."""
        content: dict[str, Any] = {"domain": event.domain, "app": event.app, "stream": event.stream}
        key = (event.domain, event.app, event.stream)
        if event.file is not None and event.kind == FILE_CREATED:
            content.update(self._file_body(key, event.file))
        else:
            content["event"] = event.kind
            if event.kind in ERRORS:
                content["error_info"] = ERRORS[event.kind]
            if event.file is not None:
                body = self._file_body(key, event.file)
                content["file_info"] = {name: body[name] for name in ("uri", "start_time", "stop_time")}
            if self._behaviour.is_on("status_event_time"):
                content["time"] = self._clock.show(event.time)
        content.update(event.extra)
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    def headers(self, event: NotifyEvent | IngestEvent) -> dict[str, str]:
        """Return the headers of a callback, with the authentication headers if the configuration requires them."""
        config = event.config
        headers = {} if isinstance(event, IngestEvent) else {"Content-Type": "application/json; charset=utf-8"}
        if not config.auth:
            return headers
        text = f"{self._domain_to_sign(event)}|{event.sent_at}|{config.auth_key}"
        signature = hashlib.md5(text.encode()).hexdigest()
        if self._behaviour.callback_case == "upper":
            signature = signature.upper()
        return {**headers, "ALI-LIVE-TIMESTAMP": str(event.sent_at), "ALI-LIVE-SIGNATURE": signature}

    def _domain_to_sign(self, event: NotifyEvent | IngestEvent) -> str | None:
        """Return the domain in a signature: for ingest callbacks the configured one, else the host of the URL."""
        if isinstance(event, IngestEvent):
            return event.ingest
        url = urlsplit(event.config.url)
        return url.netloc.rpartition("@")[2] if self._behaviour.callback_host == "with-port" else url.hostname

    def _file_body(self, key: tuple[str, str, str], file: RecordedFile) -> dict[str, Any]:
        return {
            "uri": self.file_url(key, file) if self._behaviour.callback_uri == "url" else self.object_name(key, file),
            "duration": round(file.duration, 3),
            "start_time": int(self._clock.epoch(file.started)),
            "stop_time": int(self._clock.epoch(file.stopped)),
        }

    def file_url(self, key: tuple[str, str, str], file: RecordedFile) -> str:
        """Return the URL of a file: in its bucket or, if files are served, at this emulator."""
        name = self.object_name(key, file)
        if self._behaviour.files == "served":
            return f"{self.endpoint}/files/{quote(file.config.bucket, safe='')}/{quote(name)}"
        return f"http://{file.config.bucket}.{file.config.endpoint}/{name}"

    def file_facts(self, key: tuple[str, str, str], file: RecordedFile) -> dict[str, str]:
        """Return the properties by which marks select a file."""
        return {
            "bucket": file.config.bucket,
            "object": self.object_name(key, file),
            **dict(zip(("domain_name", "app_name", "stream_name"), key)),
            "format": file.format.kind,
            "sequence": str(file.sequence),
            "record_id": file.record_id,
        }

    def object_name(self, key: tuple[str, str, str], file: RecordedFile) -> str:
        """Return the object name of a file in its bucket: the configured prefix filled in, and the extension.

        An index file created on request has its full name already and gets no extension.
        """
        started, stopped = self._clock.show(file.started), self._clock.show(file.stopped)
        values = {
            "AppName": key[1],
            "StreamName": key[2],
            "Sequence": str(file.sequence),
            "UnixTimestamp": str(int(self._clock.epoch(file.started))),
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
