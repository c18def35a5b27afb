# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to events between their receipt and the rule engine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events import spool as spool_module
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.batch import Window, count_fitting, make_batch
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.buffer import Buffer
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.callback import parse_content, parse_query
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.event import make_event
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.forwarder import Forwarder
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.keeper import BURST, Keeper
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.options import (
    EVENTS,
    check_receiver,
    read_options,
)
from ansible_collections.apsaravideo.live.plugins.plugin_utils._events.spool import Spool

NOW = 1_795_000_000.0
ID = "live.example.com/app/one"


def push(action="publish", stream="one", at=NOW):
    query = {"action": action, "app": "live.example.com", "appname": "app", "id": stream, "time": str(int(at))}
    return make_event(parse_query(query), int(at))


def record(kind, stream="one", at=NOW):
    content = {"domain": "live.example.com", "app": "app", "stream": stream, "event": kind}
    return make_event(parse_content(content), int(at))


# --- which streams to start ------------------------------------------------------------------------------------------


def test_stream_whose_push_begins_is_due_once():
    keeper = Keeper()
    keeper.add(push(at=NOW), NOW)
    keeper.add(push(at=NOW + 1), NOW)
    assert keeper.take_due(NOW + 2) == [ID]
    assert keeper.take_due(NOW + 100) == []


@pytest.mark.parametrize("order", [["record_paused", "publish_done"], ["publish_done", "record_paused"]])
def test_recording_that_ended_with_its_push_is_started_again(order):
    keeper = Keeper()
    for number, kind in enumerate(order):
        at = NOW + 5 * number
        keeper.add(record(kind, at=at) if kind.startswith("record") else push(kind, at=at), at)
    keeper.add(push(at=NOW + 20), NOW + 20)
    assert keeper.take_due(NOW + 20) == [ID]


def test_recording_that_somebody_stopped_is_not_started_again_until_somebody_does():
    keeper = Keeper()
    keeper.add(record("record_started", at=NOW), NOW)
    keeper.add(record("record_paused", at=NOW + 10), NOW + 10)
    assert keeper.take_due(NOW + 20) == []  # the push goes on
    keeper.add(push("publish_done", at=NOW + 60), NOW + 60)
    keeper.add(push(at=NOW + 61), NOW + 61)
    assert keeper.take_due(NOW + 100) == []
    assert keeper.stopped() == [ID]
    keeper = Keeper(keeper.stopped())  # another process
    keeper.add(push(at=NOW + 200), NOW + 200)
    assert keeper.take_due(NOW + 300) == []
    keeper.add(record("record_started", at=NOW + 400), NOW + 400)
    keeper.add(push("publish_done", at=NOW + 500), NOW + 500)
    keeper.add(push(at=NOW + 501), NOW + 501)
    assert keeper.take_due(NOW + 510) == [ID]


def test_stream_that_is_recorded_or_gone_by_then_is_not_due():
    keeper = Keeper()
    keeper.add(push(at=NOW), NOW)
    keeper.add(record("record_started", at=NOW), NOW)
    keeper.add(push(stream="two", at=NOW), NOW)
    keeper.add(push("publish_done", stream="two", at=NOW), NOW)
    assert keeper.take_due(NOW + 1) == []


def test_flapping_stream_causes_no_storm_and_is_started_in_the_end():
    keeper, started = Keeper(), []
    for second in range(0, 600, 3):
        keeper.add(push(at=NOW + second), NOW + second)
        started += keeper.take_due(NOW + second)
        keeper.add(push("publish_done", at=NOW + second + 2), NOW + second + 2)
        started += keeper.take_due(NOW + second + 2)
    assert BURST <= len(started) <= BURST + 600 / 20
    keeper.add(push(at=NOW + 600), NOW + 600)
    later = keeper.next_due()
    assert later is None or later <= NOW + 620
    assert keeper.take_due(NOW + 620) == [ID]


def test_late_events_of_an_earlier_push_change_nothing():
    keeper = Keeper()
    keeper.add(push(at=NOW + 12), NOW + 12)
    keeper.add(record("record_started", at=NOW + 13), NOW + 13)
    keeper.add(push("publish_done", at=NOW + 10), NOW + 14)
    keeper.add(record("record_paused", at=NOW + 10), NOW + 14)
    keeper.add(push("publish_done", at=NOW + 60), NOW + 60)
    assert keeper.stopped() == []
    keeper.add(push(at=NOW + 55), NOW + 61)  # of the push that has ended
    assert keeper.take_due(NOW + 100) == []
    keeper.add(push(at=NOW + 110), NOW + 110)
    assert keeper.take_due(NOW + 110) == [ID]


def test_late_start_does_not_hide_a_deliberate_stop():
    keeper = Keeper()
    keeper.add(push(at=NOW), NOW)
    keeper.add(record("record_paused", at=NOW + 30), NOW + 30)
    keeper.add(record("record_started", at=NOW + 2), NOW + 31)
    keeper.add(push("publish_done", at=NOW + 60), NOW + 60)
    assert keeper.stopped() == [ID]


def test_flapping_stream_does_not_delay_others():
    keeper = Keeper()
    for second in range(100):
        keeper.add(push(at=NOW + second), NOW + second)
        keeper.take_due(NOW + second)
    keeper.add(push(stream="two", at=NOW + 100), NOW + 100)
    assert "live.example.com/app/two" in keeper.take_due(NOW + 100)


# --- batches ---------------------------------------------------------------------------------------------------------


def test_window_ends_soon_after_a_single_event_and_is_longer_for_a_crowd():
    window = Window(1.0)
    window.add(NOW)
    assert window.ends_at() == pytest.approx(NOW + 0.15)
    window.close()
    lengths = []
    for _batch in range(5):
        now = NOW
        window.add(now)
        while window.ends_at() > now:
            now += 0.01
            window.add(now)
        lengths.append(round(now - NOW))
        window.close()
    assert lengths == [1, 2, 4, 4, 4]
    window.add(NOW)
    window.close()
    window.add(NOW)
    window.add(NOW + 0.99)
    assert window.ends_at() == pytest.approx(NOW + 1)


def test_batch_names_streams_by_type_and_hosts_of_streams_to_keep():
    events = [push(), record("record_paused"), record("record_paused", "two"), record("record_paused", at=NOW + 9)]
    batch = make_batch(events, [ID, "live.example.com/app/%7B"], details=False, hosts=True)
    assert batch["counts"] == {"stream_online": 1, "record_paused": 3}
    assert batch["streams"]["record_paused"] == [ID, "live.example.com/app/two"]
    assert batch["meta"]["hosts"] == [
        "one@app@live.example.com",
        "two@app@live.example.com",
        "%7B@app@live.example.com",
    ]
    assert "events" not in batch
    assert make_batch(events, [], True, False)["meta"]["uuid"] == batch["meta"]["uuid"]
    assert make_batch([], [ID], True, True)["meta"]["hosts"] == ["one@app@live.example.com"]


@given(st.lists(st.integers(1, 300), max_size=60))
def test_any_batch_fits_in_an_argument(lengths):
    events = [push(stream="x" * 50 + str(number)) for number in lengths] * 40
    count = count_fitting(events)
    assert count == len(events) or count >= 1
    assert sum(len(host) + 1 for event in events[:count] for host in event["meta"]["hosts"]) <= 100_000


# --- buffer and spool ------------------------------------------------------------------------------------------------


def test_full_buffer_refuses_and_accepts_the_repetition_later():
    buffer = Buffer(lambda: None, size=1)
    assert buffer.store(push(), NOW) == "accepted"
    assert buffer.store(push(stream="two"), NOW) == "full"
    buffer.remove(1, NOW)
    assert buffer.store(push(stream="two"), NOW) == "accepted"
    assert buffer.store(push(), NOW) == "full"


def test_spool_is_replayed_by_the_next_process_without_a_torn_line(tmp_path):
    path = tmp_path / "spool"
    first = Spool(str(path))
    for number in range(3):
        assert first.append((NOW + number, push(stream=str(number))))
    first.close()
    with (tmp_path / "spool.1").open("ab") as file:
        file.write(b'[1795000000.0,{"type":"stream_on')
    second = Spool(str(path))
    buffer = Buffer(lambda: None, second)
    assert buffer.replay(NOW) == 3
    assert [event["stream_name"] for _received, event in buffer.peek()] == ["0", "1", "2"]
    assert buffer.store(push(stream="1"), NOW) == "duplicates"
    assert buffer.store(push(stream="3"), NOW) == "accepted"
    second.close()
    assert len(Spool(str(path)).replay(NOW)) == 4
    assert oct(os.stat(tmp_path / "spool.1").st_mode & 0o777) == "0o600"


def test_spool_is_deleted_a_while_after_its_last_event_was_forwarded(tmp_path):
    spool = Spool(str(tmp_path / "spool"))
    buffer = Buffer(lambda: None, spool)
    buffer.store(push(), NOW)
    buffer.store(push(stream="two"), NOW + 100)  # in another file
    buffer.remove(1, NOW + 101)
    buffer.prune(NOW + 150)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spool.1", "spool.2", "spool.lock"]
    buffer.prune(NOW + 200)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spool.2", "spool.lock"]
    buffer.remove(1, NOW + 201)
    buffer.prune(NOW + 300)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spool.lock"]
    buffer.store(push(stream="three"), NOW + 301)
    assert (tmp_path / "spool.1").exists()


def test_spool_that_is_full_or_cannot_be_written_makes_the_buffer_full(tmp_path):
    buffer = Buffer(lambda: None, Spool(str(tmp_path / "spool"), max_bytes=1000))
    stored = [buffer.store(push(stream=str(number)), NOW) for number in range(10)]
    assert stored[0] == "accepted" and stored[-1] == "full"
    (tmp_path / "other.1").mkdir()
    assert Buffer(lambda: None, Spool(str(tmp_path / "other"))).store(push(), NOW) == "full"


def test_spool_is_for_one_process_at_a_time(tmp_path):
    first = Spool(str(tmp_path / "spool"))
    with pytest.raises(OSError, match="another process"):
        Spool(str(tmp_path / "spool"))
    first.close()
    Spool(str(tmp_path / "spool")).close()


def test_spool_is_not_written_through_a_link(tmp_path):
    (tmp_path / "target").touch()
    (tmp_path / "spool.1").symlink_to(tmp_path / "target")
    assert Buffer(lambda: None, Spool(str(tmp_path / "spool"))).store(push(), NOW) == "full"
    assert (tmp_path / "target").read_bytes() == b""


def test_stopped_streams_are_known_to_the_next_process(tmp_path):
    spool = Spool(str(tmp_path / "spool"))
    assert spool.read_stopped() == []
    spool.write_stopped([ID])
    assert spool.read_stopped() == [ID]
    (tmp_path / "spool.stopped").write_text("{")
    assert spool.read_stopped() == []


# --- forwarding ------------------------------------------------------------------------------------------------------


def run_forwarder(queue, events, seconds, **options):
    """Forward events for a while, and return the buffer."""
    kept = []

    async def run():
        loop = asyncio.get_running_loop()
        buffer = Buffer(lambda: forwarder.wake(loop))
        forwarder = Forwarder(queue, buffer, **{"batch_window": 0.2, **options})
        kept.append(buffer)
        task = loop.create_task(forwarder.run())
        for event in events:
            buffer.store(event, time.time())
        await asyncio.sleep(seconds)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
    return kept[0]


class Queue:
    def __init__(self, faults=0):
        self.events, self.faults = [], faults

    async def put(self, event):
        if self.faults:
            self.faults -= 1
            raise RuntimeError("a filter that fails")
        self.events.append(event)


def test_events_are_forwarded_as_one_batch_or_each_alone():
    events = [push(stream=str(number)) for number in range(5)]
    queue = Queue()
    assert len(run_forwarder(queue, events, 0.5)) == 0
    assert [event["counts"] for event in queue.events] == [{"stream_online": 5}]
    assert len(queue.events[0]["keep"]) == 5
    queue = Queue()
    run_forwarder(queue, events, 0.5, batch_window=0)
    assert queue.events == events


def test_full_batch_does_not_wait_for_the_end_of_the_window():
    queue = Queue()
    events = [push(stream=str(number)) for number in range(2500)]
    assert len(run_forwarder(queue, events, 1.5, batch_window=60)) == 500
    assert [event["counts"] for event in queue.events] == [{"stream_online": 1000}] * 2


def test_event_that_could_not_be_put_is_put_again():
    queue = Queue(faults=1)
    assert len(run_forwarder(queue, [push()], 2.0)) == 0
    assert [event["counts"] for event in queue.events] == [{"stream_online": 1}]
    assert queue.events[0]["keep"] == [ID]


def test_event_is_kept_until_the_engine_confirms_it():
    class Feedback:
        async def get(self):
            await asyncio.sleep(60)

    queue = Queue()
    assert len(run_forwarder(queue, [push()], 0.6, feedback=Feedback())) == 1
    assert len(queue.events) == 1


# --- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_options",
    [
        {},
        {"port": "x", "allow_unsigned": True},
        {"port": 70000, "allow_unsigned": True},
        {"prot": 1, "allow_unsigned": True},
        {"recording_auth_keys": "short"},
        {"ingest_domains": "push.example.com", "allow_unsigned": True},
        {"path": "no slash", "allow_unsigned": True},
        {"certfile": "/nonexistent", "allow_unsigned": True},
        {"allow_unsigned": "perhaps"},
        {"batch_window": float("nan"), "allow_unsigned": True},
    ],
)
def test_invalid_arguments_are_refused_without_quoting_keys(given_options):
    with pytest.raises(InvalidOption) as refused:
        check_receiver(read_options(EVENTS, given_options))
    assert "short" not in str(refused.value)


def test_arguments_may_be_texts_as_variables_of_rulebooks_are():
    options = read_options(EVENTS, {"port": "8443", "allow_unsigned": "true", "spool": None, "feedback": True})
    assert (options["port"], options["allow_unsigned"], options["spool"]) == (8443, True, None)


def test_spool_module_keeps_files_longer_than_a_run_for_a_thousand_streams():
    assert spool_module.KEEP_SECONDS > 1000 / 48 + 30
