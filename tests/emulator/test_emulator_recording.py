# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording of a stream under every switch that matters, with a clock of the test."""

from __future__ import annotations

import pytest
from apsaravideo_emulator.behaviour import Behaviour
from apsaravideo_emulator.clock import Clock
from apsaravideo_emulator.cloud import Cloud, Domain, NotifyConfig
from apsaravideo_emulator.recording import RecordConfig, RecordFormat, Refused
from hypothesis import given
from hypothesis import strategies as st

DOMAIN, INGEST = "live.example.com", "push.example.com"
KEY = (DOMAIN, "app", "one")
AUTOMATIC, CALLBACK, INGEST_PARAMETER, MANUAL = 0, 1, 2, 7
HOUR = 3600


class Bench:
    """A cloud with one domain, and a clock that only the test moves."""

    def __init__(self, mode=MANUAL, delay=60, cycle=HOUR, notify=True, on_demand_url="", **behaviour):
        self.real = 1_000_000.0
        self.behaviour = Behaviour()
        self.behaviour.update(behaviour)
        self.cloud = Cloud(Clock(lambda: self.real), self.behaviour)
        self.cloud.add_domain(Domain(DOMAIN, "1", (INGEST,)))
        if notify:
            self.cloud.notify_configs[DOMAIN] = NotifyConfig(
                "http://callback.example.com/", on_demand_url, status_events=True
            )
        if mode is not None:
            self.configure(mode=mode, delay=delay, cycle=cycle)

    def configure(self, app="*", stream="*", mode=MANUAL, delay=60, cycle=HOUR):
        formats = (RecordFormat("m3u8", cycle, "{StartTime}_{EndTime}"),)
        created = self.cloud.clock.now()
        self.cloud.add_config(
            RecordConfig(0, DOMAIN, app, stream, mode, "bucket", "oss.example.com", created, delay, formats)
        )

    def wait(self, seconds):
        self.real += seconds
        self.cloud.settle()

    def push(self, **options):
        self.cloud.begin_push(INGEST, "app", "one", **options)

    def drop(self):
        self.cloud.end_push(INGEST, "app", "one")

    def __call__(self, *commands):
        """Carry out commands; the last one's outcome: whether it changed anything, or why it was refused."""
        outcome = None
        for command in commands:
            try:
                outcome = self.cloud.record(command, KEY, f"request of {command}")
            except Refused as refused:
                outcome = refused.reason
        return outcome

    @property
    def recorder(self):
        return self.cloud.streams[KEY].recorder

    @property
    def state(self):
        return self.recorder.state

    @property
    def durations(self):
        return [file.duration for file in self.recorder.files]

    @property
    def events(self):
        return [event.kind for event in self.cloud.notify_log]


@pytest.fixture
def bench():
    made = Bench()
    made.push()
    return made


# The four commands


def test_start_once(bench):
    assert bench("start") is True
    assert bench.state == "recording"
    assert bench("start") == "already_started"
    assert bench.events == ["record_started"]
    assert bench.recorder.ledger.starts == 1


@pytest.mark.parametrize(("behaviour", "delay"), [({}, 180), ({"stop_delay": "config"}, 60)])
def test_file_appears_after_the_delay(behaviour, delay):
    bench = Bench(delay=60, **behaviour)
    bench.push()
    bench("start")
    bench.wait(10)
    assert bench("stop") is True
    bench.wait(delay - 1)
    assert (bench.state, bench.durations) == ("paused", [])
    bench.wait(1)
    assert (bench.state, bench.durations) == ("idle", [10])
    file = bench.recorder.files[0]
    assert file.created - file.stopped == delay
    assert bench.events == ["record_started", "record_paused", "file_created"]


def test_cancel_delay_makes_the_file_at_once(bench):
    bench("start")
    bench.wait(10)
    assert bench("stop", "cancel_delay") is True
    assert (bench.state, bench.durations) == ("idle", [10])
    bench.wait(HOUR)
    assert bench.durations == [10]


@pytest.mark.parametrize(
    ("behaviour", "durations", "events"),
    [
        ({}, [25], ["record_started", "record_paused", "record_resumed", "record_paused", "file_created"]),
        (
            {"start_in_delay": "new"},
            [10, 15],
            ["record_started", "record_paused", "file_created", "record_started", "record_paused", "file_created"],
        ),
    ],
)
def test_start_during_the_delay(behaviour, durations, events):
    bench = Bench(**behaviour)
    bench.push()
    bench("start")
    bench.wait(10)
    bench("stop")
    bench.wait(100)
    assert bench("start") is True
    bench.wait(15)
    bench("stop", "cancel_delay")
    assert bench.durations == durations
    assert bench.events == events
    assert len(bench.recorder.tasks) == len(durations)


def test_restart_splits(bench):
    bench("start")
    bench.wait(10)
    assert bench("restart") is True
    assert (bench.state, bench.durations) == ("recording", [10])
    bench.wait(5)
    bench("restart")
    assert bench.durations == [10, 5]
    assert (bench.recorder.ledger.starts, bench.recorder.ledger.splits) == (1, 2)


def test_restart_of_a_stopped_recording(bench):
    bench("start")
    bench.wait(10)
    bench("stop")
    bench.wait(5)
    assert bench("restart") is True
    assert (bench.state, bench.durations) == ("recording", [10])
    assert (bench.recorder.ledger.starts, bench.recorder.ledger.splits) == (2, 0)


@pytest.mark.parametrize("command", ["stop", "cancel_delay", "restart"])
@pytest.mark.parametrize("switch", ["ok", "error"])
def test_commands_without_a_task(command, switch):
    bench = Bench(idle_stop=switch, idle_cancel=switch, idle_restart=switch)
    bench.push()
    expected = "no_task" if switch == "error" else command == "restart"
    assert bench(command) == expected
    assert bench.state == ("recording" if expected is True else "idle")
    assert len(bench.recorder.ledger.changes) == (expected is True)


@pytest.mark.parametrize(("switch", "outcome"), [("ok", False), ("error", "no_task")])
def test_second_stop_and_early_or_late_cancel(switch, outcome):
    bench = Bench(idle_stop=switch, idle_cancel=switch)
    bench.push()
    bench("start")
    assert bench("cancel_delay") == outcome
    bench("stop")
    due = bench.recorder.next_due()
    bench.wait(1)
    assert bench("stop") == outcome
    assert bench.recorder.next_due() == due
    bench("cancel_delay")
    assert bench("cancel_delay") == outcome
    assert len(bench.recorder.files) == 1


def test_ledger_has_only_what_changed_something(bench):
    bench("start", "start", "stop", "stop", "cancel_delay", "cancel_delay", "restart", "start")
    commands = [change["command"] for change in bench.recorder.ledger.changes]
    assert commands == ["start", "stop", "cancel_delay", "restart"]
    assert bench.recorder.ledger.changes[0]["request_id"] == "request of start"


# Streams and configurations


@pytest.mark.parametrize("command", ["start", "stop", "cancel_delay", "restart"])
def test_absent_stream(command):
    bench = Bench()
    assert bench(command) == "stream_absent"
    assert not bench.cloud.streams
    bench.push()
    bench.drop()
    assert bench(command) == "stream_absent"


@pytest.mark.parametrize("command", ["start", "stop", "cancel_delay", "restart"])
def test_absent_configuration(command):
    bench = Bench(mode=None)
    bench.push()
    assert bench(command) == "config_absent"


@pytest.mark.parametrize(("effect", "outcome"), [("next-push", "config_absent"), ("at-once", True)])
def test_configuration_needs_a_new_push(effect, outcome):
    bench = Bench(mode=None, config_effect=effect)
    bench.push()
    bench.configure()
    assert bench("start") == outcome
    bench.drop()
    bench.push()
    assert bench("start") is True


def test_changed_configuration_needs_a_new_push(bench):
    bench.cloud.change_config(DOMAIN, "*", "*", bucket="other")
    bench("start", "restart")
    bench.drop()
    bench.push()
    bench("restart", "restart")
    assert [file.config.bucket for file in bench.recorder.files] == ["bucket", "bucket", "other"]


@pytest.mark.parametrize(("effect", "outcome"), [("at-once", "config_absent"), ("next-push", True)])
def test_deleted_configuration(effect, outcome):
    bench = Bench(deleted_config=effect)
    bench.push()
    bench.cloud.delete_config(DOMAIN, "*", "*")
    assert bench("start") == outcome
    bench.drop()
    bench.push()
    assert bench("start") == "config_absent"


def test_replaced_configuration_needs_a_new_push(bench):
    bench.cloud.delete_config(DOMAIN, "*", "*")
    bench.configure()
    assert bench("start") == "config_absent"
    bench.drop()
    bench.push()
    assert bench("start") is True


@pytest.mark.parametrize(
    ("triples", "best"),
    [
        ([("*", "*")], ("*", "*")),
        ([("*", "*"), ("app", "*")], ("app", "*")),
        ([("app", "*"), ("app", "one"), ("*", "*")], ("app", "one")),
        ([("*", "one"), ("*", "*")], ("*", "one")),
        ([("*", "one"), ("app", "*")], ("app", "*")),
        ([("other", "*"), ("app", "two"), ("App", "one")], None),
    ],
)
def test_best_configuration(triples, best):
    bench = Bench(mode=None)
    for app, stream in triples:
        bench.configure(app, stream)
    found = bench.cloud.best_config(*KEY)
    assert (found and (found.app, found.stream)) == best


# Interruptions


def test_manual_recording_does_not_continue_on_a_new_push(bench):
    bench("start")
    bench.wait(10)
    bench.drop()
    assert bench.state == "paused"
    bench.push()
    bench.wait(30)
    assert bench.state == "paused"
    bench.wait(30)
    assert (bench.state, bench.durations) == ("idle", [10])


def test_manual_recording_may_be_started_again_after_a_new_push(bench):
    bench("start")
    bench.wait(10)
    bench.drop()
    bench.wait(20)
    bench.push()
    assert bench("start") is True
    bench.wait(5)
    bench("stop", "cancel_delay")
    assert bench.durations == [15]


@pytest.mark.parametrize(("gap", "durations"), [(59, [30]), (61, [10, 20])])
def test_automatic_recording_continues_within_the_delay_time(gap, durations):
    bench = Bench(mode=AUTOMATIC, delay=60)
    bench.push()
    assert bench.state == "recording"
    bench.wait(10)
    bench.drop()
    bench.wait(gap)
    bench.push()
    bench.wait(20)
    bench.drop()
    bench.wait(60)
    assert bench.durations == durations
    assert ("record_resumed" in bench.events) == (len(durations) == 1)


def test_automatic_recording_refuses_start(bench):
    bench = Bench(mode=AUTOMATIC)
    bench.push()
    assert bench("start") == "already_started"


@pytest.mark.parametrize(("switch", "state"), [("auto", "recording"), ("off", "idle")])
def test_push_after_a_manual_stop_of_an_automatic_recording(switch, state):
    bench = Bench(mode=AUTOMATIC, repush_after_stop=switch)
    bench.push()
    bench("stop")
    bench.wait(200)
    assert bench.state == "idle"
    bench.drop()
    bench.push()
    assert bench.state == state
    if state == "idle":
        assert bench("start") is True
        bench.drop()
        bench.wait(200)
        bench.push()
        assert bench.state == "recording"


@pytest.mark.parametrize(
    ("start_in_delay", "interrupted", "durations"),
    [("resume", False, [15]), ("new", False, [10, 5]), ("resume", True, [15]), ("new", True, [15])],
)
def test_push_during_a_delay(start_in_delay, interrupted, durations):
    """An interrupted recording always goes on in its file; a stopped one as after a start."""
    bench = Bench(mode=AUTOMATIC, start_in_delay=start_in_delay)
    bench.push()
    bench.wait(10)
    if not interrupted:
        bench("stop")
    bench.drop()
    bench.wait(20)
    bench.push()
    bench.wait(5)
    bench("stop", "cancel_delay")
    assert bench.durations == durations


@pytest.mark.parametrize("mode", [CALLBACK, INGEST_PARAMETER])
@pytest.mark.parametrize("need_record", [False, True])
def test_recording_on_demand(mode, need_record):
    bench = Bench(mode=mode, on_demand_url="http://callback.example.com/ask")
    bench.push(need_record=need_record)
    assert bench.state == ("recording" if need_record else "idle")
    assert bench("restart") is True


def test_recording_by_callback_needs_somebody_to_ask():
    bench = Bench(mode=CALLBACK)
    bench.push(need_record=True)
    assert bench.state == "idle"


@pytest.mark.parametrize(("switch", "outcome"), [("error", "stream_absent"), ("ok", True)])
def test_cancel_after_the_push_has_ended(switch, outcome):
    bench = Bench(offline_cancel=switch)
    bench.push()
    bench("start", "stop")
    bench.drop()
    assert bench("cancel_delay") == outcome
    assert bool(bench.recorder.files) == (outcome is True)
    assert bench("stop") == "stream_absent"


# Cycles


def test_cycles():
    bench = Bench(cycle=100)
    bench.push()
    bench("start")
    bench.wait(250)
    bench("stop", "cancel_delay")
    assert bench.durations == [100, 100, 50]
    assert [file.sequence for file in bench.recorder.files] == [0, 1, 2]
    assert [file.created for file in bench.recorder.files] == [1_000_100, 1_000_200, 1_000_250]
    assert len(bench.recorder.tasks) == 1
    assert bench.recorder.tasks[0].duration == 250


def test_pauses_do_not_count_towards_a_cycle():
    bench = Bench(cycle=100, mode=AUTOMATIC, delay=60)
    bench.push()
    bench.wait(70)
    bench.drop()
    bench.wait(50)
    bench.push()
    bench.wait(29)
    assert bench.durations == []
    bench.wait(1)
    assert bench.durations == [100]
    assert bench.recorder.files[0].stopped - bench.recorder.files[0].started == 150


# Time and events


def test_what_was_due_happens_in_its_order_when_looked_at_late():
    bench = Bench(cycle=100)
    bench.cloud.begin_push(INGEST, "app", "two")
    bench.push()
    bench("start")
    bench.wait(30)
    bench.cloud.record("start", (DOMAIN, "app", "two"), "r")
    bench.real += 240
    bench.cloud.settle()
    times = [(event.stream, event.time - 1_000_000) for event in bench.cloud.notify_log if event.kind == "file_created"]
    assert times == [("one", 100), ("two", 130), ("one", 200), ("two", 230)]


def test_advancing_makes_the_past_older(bench):
    bench("start")
    before = bench.cloud.clock.show(bench.recorder.tasks[0].started)
    bench.cloud.advance(HOUR)
    after = bench.cloud.clock.show(bench.recorder.tasks[0].started)
    assert (before, after) == ("1970-01-12T13:46:40Z", "1970-01-12T12:46:40Z")
    assert bench.cloud.clock.show(bench.cloud.clock.now()) == before


def test_advancing_lets_delays_end(bench):
    bench("start", "stop")
    bench.cloud.advance(179)
    assert bench.state == "paused"
    bench.cloud.advance(1)
    assert bench.state == "idle"


def test_time_moves_forward_only(bench):
    with pytest.raises(ValueError, match="forward"):
        bench.cloud.advance(-1)


def test_only_events_after_the_callback_was_configured_are_logged():
    bench = Bench(notify=False)
    bench.push()
    bench("start")
    bench.cloud.notify_configs[DOMAIN] = NotifyConfig("http://callback.example.com/")
    bench("stop", "cancel_delay", "start")
    assert bench.events == ["file_created"]
    bench.cloud.notify_configs[DOMAIN] = NotifyConfig("http://callback.example.com/", status_events=True)
    bench("stop")
    assert bench.events == ["file_created", "record_paused"]


def test_bodies(bench):
    bench.behaviour.update({"status_event_time": "on"})
    bench("start")
    bench.wait(10)
    bench("stop", "cancel_delay")
    started, _paused, created = (bench.cloud.callback_body(event) for event in bench.cloud.notify_log)
    assert started == (
        '{"domain":"live.example.com","app":"app","stream":"one","event":"record_started","time":1000000}'
    )
    assert created == (
        '{"domain":"live.example.com","app":"app","stream":"one",'
        '"uri":"1970-01-12-13:46:40_1970-01-12-13:46:50.m3u8","duration":10.0,'
        '"start_time":1000000,"stop_time":1000010,"push_args":{}}'
    )


def test_callback_authentication():
    """The sample of the documentation: host, time and key, joined by bars."""
    bench = Bench(notify=False)
    bench.real = 1519375990.0
    bench.cloud.notify_configs[DOMAIN] = NotifyConfig(
        "http://learn.aliyundoc.com:8080/x", status_events=True, auth=True, auth_key="yourkey"
    )
    bench.push()
    bench("start")
    assert bench.cloud.callback_headers(bench.cloud.notify_log[0]) == {
        "ALI-LIVE-TIMESTAMP": "1519375990",
        "ALI-LIVE-SIGNATURE": "9e226fc2c250be266e3657e156f68c12",
    }


def test_names_in_a_prefix_are_not_templates():
    bench = Bench(mode=None)
    formats = (RecordFormat("mp4", HOUR, "{AppName}/{StreamName}/{Sequence}_{StartTime}_{EndTime}_{Unknown}"),)
    bench.cloud.add_config(RecordConfig(0, DOMAIN, "*", "*", MANUAL, "b", "e", 0, 60, formats))
    bench.cloud.begin_push(INGEST, "app", "{Sequence}")
    key = (DOMAIN, "app", "{Sequence}")
    for command in ("start", "stop", "cancel_delay"):
        bench.cloud.record(command, key, "r")
    name = bench.cloud.object_name(key, bench.cloud.streams[key].recorder.files[0])
    assert name == "app/{Sequence}/0_1970-01-12-13:46:40_1970-01-12-13:46:40_{Unknown}.mp4"


STEPS = st.lists(
    st.one_of(st.sampled_from(["start", "stop", "cancel_delay", "restart", "push", "drop"]), st.integers(1, 400)),
    max_size=40,
)


@given(
    STEPS,
    st.sampled_from([AUTOMATIC, MANUAL]),
    st.sampled_from(["resume", "new"]),
    st.sampled_from(["fixed", "config"]),
    st.sampled_from(["auto", "off"]),
)
def test_any_history_is_consistent(steps, mode, start_in_delay, stop_delay, repush):
    bench = Bench(mode=mode, cycle=150, start_in_delay=start_in_delay, stop_delay=stop_delay, repush_after_stop=repush)
    for step in steps:
        if step == "push":
            bench.push()
        elif step == "drop":
            bench.drop()
        elif isinstance(step, int):
            bench.wait(step)
        else:
            bench(step)
        stream = bench.cloud.streams.get(KEY)
        assert not (stream and stream.recorder.state == "recording" and not stream.online)
    if KEY not in bench.cloud.streams:
        return
    bench.drop()
    bench.wait(1000)
    recorder = bench.recorder
    assert recorder.state == "idle"
    assert recorder.ledger.files == len(recorder.files)
    assert len(recorder.tasks) == recorder.ledger.starts + recorder.ledger.splits
    assert len(recorder.files) == len(recorder.tasks) + recorder.ledger.cycles
    assert all(task.ended is not None for task in recorder.tasks)
    for task in recorder.tasks:
        durations = [file.duration for file in recorder.files if file.task == task.number]
        assert sum(durations) == pytest.approx(task.duration)
        assert all(duration <= 150 for duration in durations)
    assert all(earlier.stopped <= later.started for earlier, later in zip(recorder.files, recorder.files[1:]))
    times = [event.time for event in bench.cloud.notify_log]
    assert times == sorted(times)
