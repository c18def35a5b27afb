# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resources of the cloud: domains, callback configurations, events and streams."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .record_model import RecordedFile
from .recording import Recorder
from .state import storable


class ConfigExists(Exception):
    """An attempt to add a second configuration for a triple (domain, app, stream) or a domain."""


class ConfigNotFound(Exception):
    """An attempt to use a configuration that does not exist."""


class UnknownDomain(Exception):
    """A domain name that no account has."""


@storable
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
    def push_domains(self) -> tuple[str, ...]:
        """Return the domains that streams are pushed to: the ingest domains or, without any, the domain itself."""
        return self.ingest or (self.name,)


@storable
@dataclass(frozen=True)
class NotifyConfig:
    """The recording callback configuration of a domain."""

    url: str
    on_demand_url: str = ""
    status_events: bool = False
    auth: bool = False
    auth_key: str = field(default="", repr=False)


@storable
@dataclass(frozen=True)
class IngestNotifyConfig:
    """The callback configuration of an ingest domain; only `url`, for pushes, is ever called."""

    url: str = ""
    exception_url: str = ""
    switch_url: str = ""
    auth: bool = False
    auth_key: str = field(default="", repr=False)


@storable
@dataclass
class NotifyEvent:
    """A recording callback that was sent, or is being sent; `result` is empty until the delivery has ended.

    `sent_at` is the Unix time in its headers, `reason` the cause of a failure, `storage` the kind of storage that holds
    the recording (`oss` or `vod`).
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
    sent_at: int = 0
    file: RecordedFile | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    storage: str = "oss"


@storable
@dataclass
class IngestEvent:
    """A callback for the beginning or the end of a push, like `NotifyEvent`; `usrargs` are its ingest parameters."""

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
    sent_at: int = 0


@storable
@dataclass(frozen=True)
class ControlEntry:
    """An entry in the history of stream control; `command` marks recording commands."""

    domain: str
    app: str
    stream: str
    action: str
    time: float
    client_ip: str
    command: bool = False


@storable
@dataclass
class Publish:
    """One ingest of a stream, for the ingest history; `kind` is `push` or `pull`.

    `record_decision` is the state of the request to the OnDemandUrl (`waiting`, `record`, `leave` or `failed`; empty if
    none was sent), `announce_at` the instant at which the `publish` event is due, and `query` the parameters of the
    ingest URL. `auth_key` signs its recording callbacks and `ingest_auth_key` those of the push itself; both are copied
    because a changed key applies from the next push.
    """

    ingest: str
    started: float
    kind: str = "push"
    stopped: float | None = None
    need_record: bool = False
    record_decision: str = ""
    announce_at: float | None = None
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
        """Return whether the stream is being pushed or pulled now."""
        return self.recorder.push is not None

    @property
    def publish(self) -> Publish:
        """Return the current or, if the stream is offline, the last ingest."""
        return self.history[-1]

    @property
    def key(self) -> tuple[str, str, str]:
        """Return the names of its domain, its application and itself."""
        return self.domain, self.app, self.name

    def next_due(self) -> float:
        """Return the instant of the next scheduled change; infinity if there is none."""
        announce_at = self.publish.announce_at if self.history else None
        return min(self.recorder.next_due(), math.inf if announce_at is None else announce_at)
