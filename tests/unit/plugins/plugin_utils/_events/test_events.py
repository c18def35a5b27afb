# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callbacks, their signatures, and the events made of them, wherever they were received."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import format_time, has_control
from ansible_collections.apsaravideo.live.plugins.module_utils._api.rows import parse_notify_event
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.buffer import Buffer
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.callback import (
    Malformed,
    parse_body,
    parse_content,
    parse_query,
)
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.event import make_event
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.normalize import normalize
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.options import (
    EVENTS,
    NORMALIZE,
    read_options,
)
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.poller import Poller
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.receiver import Receiver, Refused
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.seen import Seen
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.signature import (
    is_fresh,
    is_valid,
    sign,
    with_and_without_port,
)

NOW = 1_795_000_000
RECORDING_KEY, INGEST_KEY = "recordingKey0123456789", "ingestKey0123456789abcdef"
DOMAINS = {"push.example.com": "live.example.com"}
KEYS = {"recording_auth_keys": [RECORDING_KEY], "ingest_auth_keys": [INGEST_KEY]}
HOST = "callback.example.com"

names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30).filter(
    lambda text: text.strip() and not has_control(text)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def receive(method, query, body, headers, **options):
    """Return the events that a receiver stores for one request."""
    buffer = Buffer(lambda: None)
    given_options = {"ingest_domains": DOMAINS, "callback_hosts": [HOST], **KEYS, **options}
    Receiver(read_options(EVENTS, given_options), buffer).receive(method, query, body, headers)
    return [event for _received, event in buffer.peek()]


def make_headers(domain, key, stamp):
    return {"ALI-LIVE-TIMESTAMP": str(stamp), "ALI-LIVE-SIGNATURE": sign(domain, str(stamp), key), "Host": HOST}


class Log:
    """The API of a cloud whose logs have these rows."""

    def __init__(self, recordings=(), pushes=(), online=()):
        self.recordings, self.pushes, self.online = list(recordings), list(pushes), list(online)
        self.windows = []

    def now(self):
        return datetime.fromtimestamp(NOW, timezone.utc)

    def notify_events(self, where, window):
        self.windows.append(window)
        return [parse_notify_event(where.domain_name, row) for row in self.recordings]

    def ingest_callbacks(self, ingest_domain, window):
        return [parse_notify_event(ingest_domain, row) for row in self.pushes]

    def online_streams(self, domain_name):
        return self.online


def make_row(content, domain, app, stream, stamp, kind="x"):
    return {
        "AppName": app,
        "StreamName": stream,
        "NotifyType": kind,
        "NotifyTime": format_time(datetime.fromtimestamp(stamp, timezone.utc)),
        "NotifyHeader": json.dumps({"ALI-LIVE-TIMESTAMP": [str(stamp)], "ALI-LIVE-SIGNATURE": ["x"]}),
        "NotifyContent": json.dumps(content),
        "NotifyResult": "success",
    }


# --- signatures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "domain, expected",
    [
        ("learn.aliyundoc.com", "9e226fc2c250be266e3657e156f68c12"),
        ("push.example.com", "31c82cb54cdd93419c5da5ce233edce6"),
    ],
)
def test_signature_of_the_documented_samples_is_valid(domain, expected):
    assert sign(domain, "1519375990", "yourkey") == expected
    assert is_valid(expected.upper(), "1519375990", ["other.example.com", domain], ["old", "yourkey"])
    assert not is_valid(expected, "1519375991", [domain], ["yourkey"])
    assert not is_valid(expected, "1519375990", [domain], ["old"])
    assert not is_valid(expected, "1519375990", [], ["yourkey"])


@given(st.text(), st.text(), st.text())
def test_any_other_text_is_not_a_valid_signature(signature, timestamp, domain):
    assert not is_valid(signature, timestamp, [domain], ["key"])


@pytest.mark.parametrize("text, fresh", [("1000", True), ("700", True), ("699", False), ("1301", False), ("x", False)])
def test_timestamp_is_fresh_within_the_maximum_age(text, fresh):
    assert is_fresh(text, 1000, 300) is fresh


def test_hosts_are_accepted_with_and_without_port():
    forms = with_and_without_port(["Callback.example.com:8443", "[::1]:80"])
    assert {"callback.example.com", "callback.example.com:8443", "Callback.example.com", "[::1]"} <= set(forms)


@pytest.mark.parametrize("signed_host", [HOST, f"{HOST}:8443"])
def test_recording_callback_signed_with_or_without_port_is_accepted(monkeypatch, signed_host):
    monkeypatch.setattr("time.time", lambda: NOW)
    body = json.dumps({"domain": "live.example.com", "app": "a", "stream": "s", "event": "record_started"})
    headers = make_headers(signed_host, RECORDING_KEY, NOW)
    assert receive("POST", {}, body, headers, callback_hosts=[f"{HOST}:8443"])[0]["type"] == "record_started"


@pytest.mark.parametrize(
    "domain, key, stamp, kind",
    [
        ("live.example.com", INGEST_KEY, NOW, "signature"),  # the rule of the other kind
        (HOST, INGEST_KEY, NOW, "signature"),
        ("push.example.com", RECORDING_KEY, NOW, "signature"),
        ("push.example.com", INGEST_KEY, NOW - 301, "stale"),
        ("push.example.com", INGEST_KEY, NOW + 301, "stale"),
    ],
)
def test_ingest_callback_with_another_signature_is_refused(monkeypatch, domain, key, stamp, kind):
    monkeypatch.setattr("time.time", lambda: NOW)
    query = {"action": "publish", "app": "push.example.com", "appname": "a", "id": "s", "time": str(NOW)}
    with pytest.raises(Refused) as refused:
        receive("GET", query, "", make_headers(domain, key, stamp))
    assert (refused.value.kind, refused.value.status) == (kind, 403)


def test_callbacks_of_unknown_ingest_domains_are_refused(monkeypatch):
    monkeypatch.setattr("time.time", lambda: NOW)
    query = {"action": "publish", "app": "evil.example.com", "appname": "a", "id": "s", "time": str(NOW)}
    with pytest.raises(Refused):
        receive("GET", query, "", make_headers("evil.example.com", INGEST_KEY, NOW))


def test_on_demand_question_is_refused_with_a_clear_word():
    with pytest.raises(Refused) as refused:
        receive("GET", {"domain": "d", "app": "a", "stream": "s", "codec": "h264", "vbitrate": "2000"}, "", {})
    assert refused.value.status == 501
    assert "OnDemandUrl" in refused.value.text


# --- content ---------------------------------------------------------------------------------------------------------


@given(st.text(max_size=300) | json_values.map(json.dumps))
def test_any_body_is_a_callback_or_malformed(body):
    try:
        callback = parse_body(body)
    except Malformed:
        return
    make_event(callback, NOW, DOMAINS)


@given(
    st.dictionaries(
        st.sampled_from(["domain", "app", "stream", "event", "uri", "EventType", "time", "action"]), json_values
    )
)
def test_any_object_is_a_callback_or_malformed(content):
    try:
        callback = parse_content(content)
    except Malformed:
        return
    event = make_event(callback, NOW, DOMAINS)
    assert len(event["stream_id"].split("/")) == 3


@given(names, names, st.text())
def test_any_usrargs_go_nowhere(app, stream, secret):
    query = {"action": "publish", "app": "push.example.com", "appname": app, "id": stream, "time": str(NOW)}
    with_secret = {**query, "usrargs": f"auth_key={secret}", "token": secret}
    assert make_event(parse_query(with_secret), NOW) == make_event(parse_query(query), NOW)
    assert make_event(parse_content(with_secret), NOW) == make_event(parse_query(query), NOW)


@given(names, names, names)
def test_any_names_in_events_are_neither_templates_nor_patterns(app, stream, argument):
    content = {
        "domain": "live.example.com",
        "app": app,
        "stream": stream,
        "uri": "x",
        "push_args": {argument: argument},
    }
    event = make_event(parse_content(content), NOW)
    templar = Templar(DataLoader(), variables={})
    for text in _texts(event):
        assert not templar.is_template(text), text
    assert [unquote(part) for part in event["stream_id"].split("/")] == ["live.example.com", app, stream]
    assert not set(event["stream_id"]) & set("{}[]*?!&:,\\ \"'")
    (host,) = event["meta"]["hosts"]
    assert not set(host) & set("{}[]*?!&:,/\\ \"'") and host[0] not in "~@!&-"


def _texts(value):
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def test_template_in_the_name_of_a_stream_is_not_evaluated():
    content = {
        "domain": "live.example.com",
        "app": "a",
        "stream": "{{{ lookup('pipe', 'id') }}{%{#",
        "event": "record_error",
    }
    event = make_event(parse_content(content), NOW)
    assert event["stream_name"] == "%7B%7B{ lookup('pipe', 'id') }}%7B%%7B#"


# --- equal events ----------------------------------------------------------------------------------------------------


@given(
    names,
    names,
    st.sampled_from(["record_started", "record_paused", "record_resumed", "record_error", "file"]),
    st.booleans(),
)
def test_any_recording_callback_makes_equal_events_in_all_three_ways(app, stream, kind, timed):
    content = {"domain": "live.example.com", "app": app, "stream": stream}
    content.update(
        {"uri": "a/b.mp4", "start_time": NOW - 60, "stop_time": NOW - 5} if kind == "file" else {"event": kind}
    )
    if timed:
        content["time"] = "2026-11-18T10:26:38Z"
    headers = make_headers(HOST, RECORDING_KEY, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: NOW + 1.5)
        (received,) = receive("POST", {}, json.dumps(content), headers)
    hook = {"payload": content, "meta": {"endpoint": "x", "headers": headers}}
    filtered = normalize(hook, read_options(NORMALIZE, {**KEYS, "callback_hosts": HOST}), NOW + 2)
    polled = Poller(Log([make_row(content, "live.example.com", app, stream, NOW)]), ["live.example.com"], DOMAINS, 60)
    assert [received] == [filtered] == polled.poll()


@given(names, names, st.sampled_from(["publish", "publish_done"]))
def test_any_ingest_callback_makes_equal_events_in_all_three_ways(app, stream, action):
    content = {"action": action, "app": "push.example.com", "appname": app, "id": stream, "time": str(NOW - 3)}
    headers = make_headers("push.example.com", INGEST_KEY, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: NOW)
        (received,) = receive("GET", {**content, "usrargs": "auth_key=x"}, "", headers)
    options = read_options(NORMALIZE, {**KEYS, "ingest_domains": DOMAINS})
    filtered = normalize({"payload": content, "meta": {"headers": headers}}, options, NOW)
    row = make_row({**content, "usrargs": "auth_key=x"}, "push.example.com", app, stream, NOW)
    polled = Poller(Log(pushes=[row]), ["live.example.com"], DOMAINS, 60)
    assert [received] == [filtered] == polled.poll()
    assert received["domain_name"] == "live.example.com"


def test_filter_drops_callbacks_without_a_valid_signature_and_leaves_other_events():
    content = {"domain": "live.example.com", "app": "a", "stream": "s", "event": "record_started"}
    options = read_options(NORMALIZE, KEYS)
    assert normalize({"payload": content, "meta": {"headers": {}}}, options, NOW) == []
    assert normalize({"payload": {"alert": 1}}, options, NOW) == {"payload": {"alert": 1}}
    assert normalize(content, read_options(NORMALIZE, {}), NOW)["type"] == "record_started"


# --- polling ---------------------------------------------------------------------------------------------------------


def test_poll_returns_what_is_new_and_windows_overlap():
    content = {"domain": "live.example.com", "app": "a", "stream": "s", "event": "record_started"}
    log = Log([make_row(content, "live.example.com", "a", "s", NOW - 50)])
    poller = Poller(log, ["live.example.com"], DOMAINS, 60)
    assert [event["type"] for event in poller.poll()] == ["record_started"]
    assert poller.poll() == []
    log.recordings.append(make_row({**content, "event": "record_paused"}, "live.example.com", "a", "s", NOW - 40))
    again = Poller(log, ["live.example.com"], DOMAINS, 60, json.loads(json.dumps(poller.state())))
    assert [event["type"] for event in again.poll()] == ["record_paused"]
    assert all(window.start <= log.now() - timedelta(seconds=60) for window in log.windows)


def test_poll_of_the_online_list_shows_begun_and_ended_pushes():
    row = {
        "domain_name": "live.example.com",
        "app_name": "a",
        "stream_name": "s",
        "publish_time": "2026-01-01T00:00:00Z",
    }
    log = Log(online=[row])
    poller = Poller(log, ["live.example.com"], {}, 60)
    assert [event["type"] for event in poller.poll()] == ["stream_online"]
    assert poller.poll() == []
    log.online = [{**row, "publish_time": "2026-01-01T00:00:05Z"}]
    assert [event["time"] for event in poller.poll()] == ["2026-01-01T00:00:05Z"]
    log.online = []
    assert [event["type"] for event in poller.poll()] == ["stream_offline"]


def test_poll_leaves_out_rows_that_are_not_callbacks():
    rows = [{"AppName": "a", "StreamName": "s", "NotifyContent": text} for text in ("", "[]", "{", '{"a": 1}')]
    log = Log([{**row, "NotifyTime": "2026-01-01T00:00:00Z"} for row in rows])
    assert Poller(log, ["live.example.com"], DOMAINS, 60).poll() == []


# --- repetitions -----------------------------------------------------------------------------------------------------


def test_callback_is_repeated_with_another_timestamp_until_another_status_comes():
    def event(kind, stamp):
        content = {"domain": "live.example.com", "app": "a", "stream": "s", "event": kind}
        return make_event(parse_content(content), stamp)

    seen = Seen()
    assert not seen.is_repeated(event("record_started", NOW), NOW)
    assert seen.is_repeated(event("record_started", NOW + 6), NOW + 6)
    assert not seen.is_repeated(event("record_paused", NOW + 7), NOW + 7)
    assert not seen.is_repeated(event("record_started", NOW + 8), NOW + 8)
    assert seen.is_repeated(event("record_paused", NOW + 7), NOW + 9)


def test_errors_and_files_are_repeated_only_with_the_same_content():
    def event(stamp, **content):
        names_of = {"domain": "live.example.com", "app": "a", "stream": "s"}
        return make_event(parse_content({**names_of, **content}), stamp)

    seen = Seen()
    assert not seen.is_repeated(event(NOW, uri="a", start_time=1, stop_time=2), NOW)
    assert seen.is_repeated(event(NOW + 9, uri="a", start_time=1, stop_time=2), NOW)
    assert not seen.is_repeated(event(NOW, uri="b", start_time=1, stop_time=2), NOW)
    assert not seen.is_repeated(event(NOW, event="record_error"), NOW)
    assert not seen.is_repeated(event(NOW + 1, event="record_error"), NOW)


def test_ids_are_percent_encoded():
    content = {"domain": "live.example.com", "app": "a/b", "stream": "ü?", "event": "record_started"}
    assert make_event(parse_content(content), NOW)["stream_id"] == f"live.example.com/a%2Fb/{quote('ü?')}"
