# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the kinds of callbacks apart, and read their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...module_utils._api.models import has_control
from ...module_utils._util.strict_json import parse_json

INGEST, RECORDING, VOD, QUESTION = "ingest", "recording", "vod", "question"

MAX_VALUES = 500  # strings and separators of a body, of which documented ones have a dozen
_MAX_TYPE = 64  # characters
_MAX_NAME = 1024  # characters, as in other names of streams
_INGEST_TYPES = {"publish": "stream_online", "publish_done": "stream_offline"}
_SECRET = "usrargs"  # may hold the key that signs ingest URLs
# The others of a callback of a push. A callback URL may have parameters of its own, which may be secret.
_INGEST_FIELDS = ("action", "ip", "id", "app", "appname", "time", "node", "height", "width")


class Malformed(Exception):
    """A request that is not a callback; its text says why, without quoting it."""


class Callback(NamedTuple):
    """A callback: its kind, the type of its event, the names of its stream, and its content without secrets.

    `domain` is the ingest domain for callbacks of pushes.
    """

    kind: str
    type: str
    domain: str
    app: str
    stream: str
    content: dict[str, Any]


def parse_query(query: Mapping[str, str]) -> Callback:
    """Return the callback of a GET request."""
    if "action" not in query and ("codec" in query or "vbitrate" in query):
        return Callback(QUESTION, "on_demand", "", "", "", {})
    if query.get("action") not in _INGEST_TYPES:
        raise Malformed("a GET request without a known action")
    return _parse_ingest(query)


def parse_body(body: str) -> Callback:
    """Return the callback of a POST request."""
    try:
        content = parse_json(body, MAX_VALUES)
    except (ValueError, RecursionError):
        raise Malformed("a body that is not JSON") from None
    if not isinstance(content, dict):
        raise Malformed("a body that is not an object")
    return parse_content(content)


def parse_content(content: dict[str, Any]) -> Callback:
    """Return the callback with this JSON content; a `usrargs` in it is left out."""
    content = {name: value for name, value in content.items() if name.lower() != _SECRET}
    if "EventType" in content:
        names = _read_names(content, ("DomainName", "AppName", "StreamName"), required=False)
        return Callback(VOD, _read_type(content["EventType"], "vod_"), *names, content)
    if isinstance(content.get("action"), str) and content["action"] in _INGEST_TYPES:
        return _parse_ingest(content)
    names = _read_names(content, ("domain", "app", "stream"))
    if content.get("event"):
        return Callback(RECORDING, _read_type(content["event"]), *names, content)
    if "uri" in content:
        return Callback(RECORDING, "file_created", *names, content)
    raise Malformed("a body with neither event nor uri")


def _parse_ingest(fields: Mapping[str, Any]) -> Callback:
    content = {name: fields[name] for name in _INGEST_FIELDS if name in fields}
    names = _read_names(fields, ("app", "appname", "id"))
    return Callback(INGEST, _INGEST_TYPES[fields["action"]], *names, content)


def _read_type(value: Any, prefix: str = "") -> str:
    text = value if isinstance(value, str) else ""
    if not (text.isascii() and text.replace("_", "").isalnum() and len(text) <= _MAX_TYPE):
        raise Malformed("an event whose type is not a word")
    return prefix + text if prefix else text.lower()


def _read_names(
    content: Mapping[str, Any], fields: tuple[str, str, str], required: bool = True
) -> tuple[str, str, str]:
    names = [content.get(field) for field in fields]
    if not required:
        names = [name if isinstance(name, str) else "" for name in names]
    elif not all(isinstance(name, str) and name.strip() for name in names):
        raise Malformed("a callback without the names of a stream")
    domain, app, stream = map(str, names)
    if any(has_control(name) or len(name) > _MAX_NAME for name in (domain, app, stream)):
        raise Malformed("a name that no stream can have")
    return domain, app, stream
