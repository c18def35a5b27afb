# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording of a stream under all relevant switches, with a simulated clock."""

from __future__ import annotations

import pytest
from apsaravideo_emulator.behaviour import Behaviour
from apsaravideo_emulator.clock import Clock
from apsaravideo_emulator.cloud import Cloud
from apsaravideo_emulator.record_model import RecordConfig, RecordFormat
from apsaravideo_emulator.recording import CommandRefused
from apsaravideo_emulator.resources import Domain, NotifyConfig
from hypothesis import given
from hypothesis import strategies as st

DOMAIN, INGEST = "live.example.com", "push.example.com"
KEY = (DOMAIN, "app", "one")
AUTOMATIC, CALLBACK, INGEST_PARAMETER, MANUAL = 0, 1, 2, 7
HOUR, DAY = 3600, 86400


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

    def configure(self, app="*", stream="*", mode=MANUAL, delay=60, cycle=HOUR, bucket="bucket", start=None, end=None):
        """Add a configuration; `start` and `end` of its period are seconds from now."""
        formats = (RecordFormat("m3u8", cycle, "{StartTime}_{EndTime}"),)
        now = self.cloud.clock.now()
        period = [None if seconds is None else now + seconds for seconds in (start, end)]
        self.cloud.add_config(
            RecordConfig(0, DOMAIN, app, stream, mode, bucket, "oss.example.com", now, delay, formats, (), (), *period)
        )

    def wait(self, seconds):
        self.real += seconds
        self.cloud.settle()

    def push(self, **options):
        self.cloud.begin_push(INGEST, "app", "one", **options)

    def drop(self):
        self.cloud.end_push(INGEST, "app", "one")

    def set_viewers(self, viewers):
        self.cloud.set_viewers(DOMAIN, "app", "one", viewers)

    def __call__(self, *commands):
        """Execute commands; return for the last one whether it changed the state, or the reason for its refusal."""
        outcome = None
        for command in commands:
            try:
                outcome = self.cloud.record(command, KEY, f"request of {command}")
            except CommandRefused as error:
                outcome = error.reason
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
    pushed = Bench()
    pushed.push()
    return pushed


# The four commands


def test_second_start_is_refused(bench):
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


def test_cancel_delay_creates_the_file_at_once(bench):
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
def test_start_during_the_delay_resumes_or_starts_a_file(behaviour, durations, events):
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


def test_restart_splits_the_recording(bench):
    bench("start")
    bench.wait(10)
    assert bench("restart") is True
    assert (bench.state, bench.durations) == ("recording", [10])
    bench.wait(5)
    bench("restart")
    assert bench.durations == [10, 5]
    assert (bench.recorder.ledger.starts, bench.recorder.ledger.splits) == (1, 2)


def test_restart_of_a_stopped_recording_starts_a_task(bench):
    bench("start")
    bench.wait(10)
    bench("stop")
    bench.wait(5)
    assert bench("restart") is True
    assert (bench.state, bench.durations) == ("recording", [10])
    assert (bench.recorder.ledger.starts, bench.recorder.ledger.splits) == (2, 0)


@pytest.mark.parametrize("command", ["stop", "cancel_delay", "restart"])
@pytest.mark.parametrize("switch", ["ok", "error"])
def test_commands_without_a_task_follow_their_switches(command, switch):
    bench = Bench(idle_stop=switch, idle_cancel=switch, idle_restart=switch)
    bench.push()
    expected = "no_task" if switch == "error" else command == "restart"
    assert bench(command) == expected
    assert bench.state == ("recording" if expected is True else "idle")
    assert len(bench.recorder.ledger.changes) == (expected is True)


@pytest.mark.parametrize(("switch", "outcome"), [("ok", False), ("error", "no_task")])
def test_repeated_stop_and_untimely_cancel_change_nothing(switch, outcome):
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


def test_ledger_contains_only_commands_that_changed_the_state(bench):
    bench("start", "start", "stop", "stop", "cancel_delay", "cancel_delay", "restart", "start")
    commands = [change["command"] for change in bench.recorder.ledger.changes]
    assert commands == ["start", "stop", "cancel_delay", "restart"]
    assert bench.recorder.ledger.changes[0]["request_id"] == "request of start"


# Streams and configurations


@pytest.mark.parametrize("command", ["start", "stop", "cancel_delay", "restart"])
def test_commands_for_an_offline_stream_are_refused(command):
    bench = Bench()
    assert bench(command) == "stream_not_found"
    assert not bench.cloud.streams
    bench.push()
    bench.drop()
    assert bench(command) == "stream_not_found"


@pytest.mark.parametrize("command", ["start", "stop", "cancel_delay", "restart"])
def test_commands_without_a_configuration_are_refused(command):
    bench = Bench(mode=None)
    bench.push()
    assert bench(command) == "config_not_found"


@pytest.mark.parametrize(("effect", "outcome"), [("next-push", "config_not_found"), ("at-once", True)])
def test_added_configuration_applies_from_the_next_push(effect, outcome):
    bench = Bench(mode=None, config_effect=effect)
    bench.push()
    bench.configure()
    assert bench("start") == outcome
    bench.drop()
    bench.push()
    assert bench("start") is True


def test_changed_configuration_applies_from_the_next_push(bench):
    bench.cloud.change_config(DOMAIN, "*", "*", bucket="other")
    bench("start", "restart")
    bench.drop()
    bench.push()
    bench("restart", "restart")
    assert [file.config.bucket for file in bench.recorder.files] == ["bucket", "bucket", "other"]


@pytest.mark.parametrize(("effect", "outcome"), [("at-once", "config_not_found"), ("next-push", True)])
def test_deleted_configuration_stops_applying_as_configured(effect, outcome):
    bench = Bench(deleted_config=effect)
    bench.push()
    bench.cloud.delete_config(DOMAIN, "*", "*")
    assert bench("start") == outcome
    bench.drop()
    bench.push()
    assert bench("start") == "config_not_found"


def test_replaced_configuration_applies_from_the_next_push(bench):
    bench.cloud.delete_config(DOMAIN, "*", "*")
    bench.configure()
    assert bench("start") == "config_not_found"
    bench.drop()
    bench.push()
    assert bench("start") is True


@pytest.mark.parametrize(
    ("names", "app_first", "stream_first"),
    [
        ("**", "**", "**"),
        ("** a*", "a* **", "a* **"),
        ("a* a1 **", "a1 a* **", "a1 a* **"),
        ("*1 **", "*1 **", "*1 **"),
        ("** *1 a* a1", "a1 a* *1 **", "a1 *1 a* **"),
        ("*1 a*", "a* *1", "*1 a*"),
        ("b* a2 A1 *2", "", ""),
    ],
)
def test_best_matching_configuration_comes_first(names, app_first, stream_first):
    for order, expected in (("app-first", app_first), ("stream-first", stream_first)):
        bench = Bench(mode=None, config_match=order)
        for app, stream in names.split():
            bench.configure(app, stream)
        found = bench.cloud.matching_configs(DOMAIN, "a", "1")
        assert " ".join(config.app + config.stream for config in found) == expected
        bench.cloud.begin_push(INGEST, "a", "1")
        config = bench.cloud.streams[(DOMAIN, "a", "1")].recorder.push.config
        assert (config and config.app + config.stream) == (expected[:2] or None)


def add(bench):
    bench.configure("app", "one", bucket="exact")


def update(bench):
    bench.cloud.change_config(DOMAIN, "*", "*", bucket="changed")


def delete(bench):
    bench.cloud.delete_config(DOMAIN, "app", "one")


def widen(bench):
    bench.configure("app", "*", bucket="wide")


NO_CONFIG = "config_not_found"


@pytest.mark.parametrize(
    ("exact", "act", "behaviour", "running", "after_push"),
    [
        # An exact configuration is added while the wildcard is effective.
        (False, add, {}, "bucket", "exact"),
        (False, add, {"config_effect": "at-once"}, "exact", "exact"),
        # The wildcard is changed, which does not affect a stream with an exact configuration.
        (False, update, {}, "bucket", "changed"),
        (False, update, {"config_effect": "at-once"}, "changed", "changed"),
        (True, update, {"config_effect": "at-once"}, "exact", "exact"),
        # The exact configuration is deleted, and the wildcard remains.
        (True, delete, {}, NO_CONFIG, "bucket"),
        (True, delete, {"deleted_config": "fallback"}, "bucket", "bucket"),
        (True, delete, {"deleted_config": "next-push"}, "exact", "bucket"),
        (True, delete, {"config_effect": "at-once"}, "bucket", "bucket"),
        # A better wildcard is added, which still matches less well than an exact configuration.
        (False, widen, {}, "bucket", "wide"),
        (False, widen, {"config_effect": "at-once"}, "wide", "wide"),
        (True, widen, {}, "exact", "exact"),
        (True, widen, {"config_effect": "at-once"}, "exact", "exact"),
    ],
)
def test_configuration_changes_take_effect_as_configured(exact, act, behaviour, running, after_push):
    bench = Bench(**behaviour)
    if exact:
        add(bench)
    bench.push()
    act(bench)
    outcome = bench("start")
    assert (bench.recorder.task.config.bucket if outcome is True else outcome) == running
    bench.drop()
    bench.wait(HOUR)
    bench.push()
    assert bench("start") is True
    assert bench.recorder.task.config.bucket == after_push


def test_fallback_is_a_configuration_that_matched_at_the_push():
    bench = Bench(deleted_config="fallback")
    add(bench)
    bench.push()
    update(bench)
    widen(bench)
    delete(bench)
    assert bench("start") is True
    assert bench.recorder.task.config.bucket == "bucket"
    bench.cloud.delete_config(DOMAIN, "*", "*")
    assert bench("restart") == NO_CONFIG


# Periods


def test_automatic_recording_starts_and_ends_with_its_period():
    bench = Bench(mode=None)
    bench.configure("app", "one", AUTOMATIC, start=100, end=400)
    bench.push()
    bench.wait(99)
    assert bench.state == "idle"
    bench.wait(1)
    assert bench.state == "recording"
    bench.wait(300)
    assert (bench.state, bench.durations) == ("paused", [])
    bench.wait(60)
    assert (bench.state, bench.durations) == ("idle", [300])
    assert bench.events == ["record_started", "record_paused", "file_created"]
    times = [event.time - 1_000_000 for event in bench.cloud.notify_log]
    assert times == [100, 400, 460]
    bench.drop()
    bench.push()
    bench.wait(HOUR)
    assert bench.state == "idle"


def test_period_changes_apply_at_their_own_instants():
    bench = Bench(mode=None)
    bench.configure("app", "one", AUTOMATIC, start=100, end=400, cycle=250)
    bench.push()
    bench.cloud.advance(10_000)
    assert bench.durations == [250, 50]
    assert [event.time - 1_000_000 for event in bench.cloud.notify_log] == [100, 350, 400, 460]


@pytest.mark.parametrize(("switch", "created"), [("delay", 460), ("at-once", 400)])
def test_files_are_created_after_the_period_as_configured(switch, created):
    bench = Bench(mode=None, period_end=switch)
    bench.configure("app", "one", AUTOMATIC, end=400, cycle=400)
    bench.push()
    bench.wait(HOUR)
    (file,) = bench.recorder.files
    assert (file.duration, file.stopped - 1_000_000, file.created - 1_000_000) == (400, 400, created)


def test_interruption_beyond_the_period_is_not_resumed():
    bench = Bench(mode=None)
    bench.configure("app", "one", AUTOMATIC, end=100)
    bench.push()
    bench.wait(80)
    bench.drop()
    bench.wait(10)
    bench.push()
    assert bench.state == "recording"
    bench.drop()
    bench.wait(30)
    bench.push()
    assert bench.state == "paused"
    bench.wait(60)
    assert (bench.state, bench.durations) == ("idle", [80])


def test_push_that_ends_before_the_period_is_not_recorded():
    bench = Bench(mode=None)
    bench.configure("app", "one", AUTOMATIC, start=100)
    bench.push()
    bench.wait(50)
    bench.drop()
    bench.wait(100)
    assert bench.state == "idle"
    bench.push()
    assert bench.state == "recording"


def test_period_of_a_manual_configuration_starts_no_recording():
    bench = Bench(mode=None)
    bench.configure("app", "one", MANUAL, start=10, end=20)
    bench.push()
    bench.wait(15)
    assert bench.state == "idle"


@pytest.mark.parametrize("mode", [AUTOMATIC, MANUAL])
def test_commands_ignore_the_period_by_default(mode):
    bench = Bench(mode=None)
    bench.configure("app", "one", mode, start=100, end=200)
    bench.push()
    assert bench("start") is True
    bench.wait(500)
    assert (bench.state, bench.recorder.ledger.starts) == ("recording", 1)
    assert bench("restart") is True


@pytest.mark.parametrize("mode", [AUTOMATIC, MANUAL])
def test_commands_are_bound_to_the_period_if_configured(mode):
    bench = Bench(mode=None, manual_period="bounded")
    bench.configure("app", "one", mode, start=100, end=200)
    bench.push()
    assert (bench("start"), bench("restart"), bench("stop")) == (NO_CONFIG, NO_CONFIG, False)
    bench.wait(110)
    assert bench("start") == ("already_started" if mode == AUTOMATIC else True)
    bench.wait(10)
    assert bench("restart") is True
    bench.wait(80)
    assert bench.state == "paused"
    assert bench("start") == NO_CONFIG
    assert bench("cancel_delay") is True
    assert bench.durations == ([20, 80] if mode == AUTOMATIC else [10, 80])


def test_split_automatic_recording_continues_after_its_period():
    bench = Bench(mode=None)
    bench.configure("app", "one", AUTOMATIC, end=100)
    bench.push()
    bench.wait(50)
    bench("restart")
    bench.wait(100)
    assert (bench.state, bench.durations) == ("recording", [50])


@pytest.mark.parametrize(("switch", "recorded"), [("unrecorded", ["idle"] * 2), ("ignored", ["recording"] * 2)])
def test_start_time_far_from_the_push_is_handled_as_configured(switch, recorded):
    states = []
    for start in (8 * DAY, -8 * DAY):
        bench = Bench(mode=None, distant_start=switch)
        bench.configure("app", "one", AUTOMATIC, start=start)
        bench.push()
        bench.wait(60)
        states.append(bench.state)
    assert states == recorded
    near = Bench(mode=None, distant_start=switch)
    near.configure("app", "one", AUTOMATIC, start=7 * DAY)
    near.push()
    near.wait(7 * DAY)
    assert near.state == "recording"


@pytest.mark.parametrize(("effect", "end"), [("next-push", 100), ("at-once", 300)])
def test_changed_period_takes_effect_as_configured(effect, end):
    bench = Bench(mode=None, config_effect=effect)
    bench.configure("app", "one", AUTOMATIC, end=100)
    bench.push()
    bench.wait(50)
    bench.cloud.change_config(*KEY, end=1_000_300)
    bench.wait(HOUR)
    assert bench.durations == [end]


def test_period_in_the_past_ends_the_recording_at_once():
    bench = Bench(mode=None, config_effect="at-once")
    bench.configure("app", "one", AUTOMATIC)
    bench.push()
    bench.wait(50)
    bench.cloud.change_config(*KEY, end=1_000_010)
    bench.wait(0)
    assert bench.state == "paused"
    bench.wait(HOUR)
    assert bench.durations == [50]


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


def test_manual_recording_is_resumed_by_start_after_a_new_push(bench):
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
def test_push_after_a_manual_stop_records_as_configured(switch, state):
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
def test_push_during_the_delay_resumes_or_starts_a_file(start_in_delay, interrupted, durations):
    """Resume an interrupted recording in any case, but a stopped one only if `start_in_delay` says so."""
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
def test_recording_on_demand_follows_need_record(mode, need_record):
    bench = Bench(mode=mode, on_demand_url="http://callback.example.com/ask")
    bench.push(need_record=need_record)
    assert bench.state == ("recording" if need_record else "idle")
    assert bench("restart") is True


@pytest.mark.parametrize(("mode", "gap", "durations"), [(MANUAL, 40, [20]), (AUTOMATIC, 40, []), (AUTOMATIC, 80, [20])])
def test_last_viewer_leaving_pauses_the_recording(mode, gap, durations):
    bench = Bench(mode=mode)
    bench.set_viewers(0)
    assert bench("start") == "stream_not_found"
    bench.set_viewers(2)
    assert bench("start") == ("already_started" if mode == AUTOMATIC else True)
    bench.wait(20)
    bench.set_viewers(1)
    assert bench.state == "recording"
    bench.set_viewers(0)
    assert bench.state == "paused"
    assert bench("start") == "stream_not_found"
    bench.wait(gap)
    bench.set_viewers(1)
    assert bench.state == ("recording" if mode == AUTOMATIC else "paused" if gap < 60 else "idle")
    bench.wait(60)
    assert bench.durations == durations


@pytest.mark.parametrize("mode", [AUTOMATIC, CALLBACK, INGEST_PARAMETER, MANUAL])
def test_pull_without_viewers_is_never_recorded(mode):
    bench = Bench(mode=mode, on_demand_url="http://decide.example.com/")
    bench.set_viewers(0)
    bench.wait(600)
    assert (bench("start"), bench.events, bench.cloud.streams) == ("stream_not_found", [], {})


def test_recording_by_callback_requires_an_on_demand_url():
    bench = Bench(mode=CALLBACK)
    bench.push(need_record=True)
    assert bench.state == "idle"


@pytest.mark.parametrize(("switch", "outcome"), [("error", "stream_not_found"), ("ok", True)])
def test_cancel_after_the_push_follows_its_switch(switch, outcome):
    bench = Bench(offline_cancel=switch)
    bench.push()
    bench("start", "stop")
    bench.drop()
    assert bench("cancel_delay") == outcome
    assert bool(bench.recorder.files) == (outcome is True)
    assert bench("stop") == "stream_not_found"


# Cycles


def test_recording_is_split_into_cycles():
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


def test_due_changes_apply_in_order():
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


def test_advancing_the_clock_ends_delays(bench):
    bench("start", "stop")
    bench.cloud.advance(179)
    assert bench.state == "paused"
    bench.cloud.advance(1)
    assert bench.state == "idle"


def test_clock_only_moves_forward(bench):
    with pytest.raises(ValueError, match="forward"):
        bench.cloud.advance(-1)


def test_events_are_logged_only_with_a_callback_configuration():
    bench = Bench(notify=False)
    bench.push()
    bench("start")
    bench.cloud.notify_configs[DOMAIN] = NotifyConfig("http://callback.example.com/")
    bench("stop", "cancel_delay", "start")
    assert bench.events == ["file_created"]
    bench.cloud.notify_configs[DOMAIN] = NotifyConfig("http://callback.example.com/", status_events=True)
    bench("stop")
    assert bench.events == ["file_created", "record_paused"]


def test_callback_bodies_have_the_documented_form(bench):
    bench.behaviour.update({"status_event_time": "on"})
    bench("start")
    bench.wait(10)
    bench("stop", "cancel_delay")
    started, _paused, created = (bench.cloud.content.body(event) for event in bench.cloud.notify_log)
    assert started == (
        '{"domain":"live.example.com","app":"app","stream":"one",'
        '"event":"record_started","time":"1970-01-12T13:46:40Z"}'
    )
    assert created == (
        '{"domain":"live.example.com","app":"app","stream":"one",'
        '"uri":"1970-01-12-13:46:40_1970-01-12-13:46:50.m3u8","duration":10.0,'
        '"start_time":1000000,"stop_time":1000010}'
    )


def test_callback_signature_matches_the_documented_sample():
    """Use the documented sample, which signs host, time and key, joined by bars."""
    bench = Bench(notify=False)
    bench.real = 1519375990.0
    bench.cloud.notify_configs[DOMAIN] = NotifyConfig(
        "http://learn.aliyundoc.com:8080/x", status_events=True, auth=True, auth_key="yourkey"
    )
    bench.push()
    bench("start")
    assert bench.cloud.content.headers(bench.cloud.notify_log[0]) == {
        "Content-Type": "application/json; charset=utf-8",
        "ALI-LIVE-TIMESTAMP": "1519375990",
        "ALI-LIVE-SIGNATURE": "9e226fc2c250be266e3657e156f68c12",
    }


def test_variables_in_stream_names_are_not_replaced():
    bench = Bench(mode=None)
    formats = (RecordFormat("mp4", HOUR, "{AppName}/{StreamName}/{Sequence}_{StartTime}_{EndTime}_{Unknown}"),)
    bench.cloud.add_config(RecordConfig(0, DOMAIN, "*", "*", MANUAL, "b", "e", 0, 60, formats))
    bench.cloud.begin_push(INGEST, "app", "{Sequence}")
    key = (DOMAIN, "app", "{Sequence}")
    for command in ("start", "stop", "cancel_delay"):
        bench.cloud.record(command, key, "r")
    name = bench.cloud.content.object_name(key, bench.cloud.streams[key].recorder.files[0])
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
    st.none() | st.tuples(st.integers(-50, 500), st.integers(1, 700)),
    st.sampled_from(["ignored", "bounded"]),
    st.sampled_from(["delay", "at-once"]),
)
def test_any_history_is_consistent(steps, mode, start_in_delay, stop_delay, repush, period, manual_period, period_end):
    bench = Bench(
        mode=mode,
        cycle=150,
        start_in_delay=start_in_delay,
        stop_delay=stop_delay,
        repush_after_stop=repush,
        manual_period=manual_period,
        period_end=period_end,
    )
    start, end = (None, None) if period is None else (period[0], sum(period))
    if period:
        bench.configure("app", "one", mode, cycle=150, start=start, end=end)
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
    if period and (manual_period == "bounded" or not {"start", "restart"} & set(steps)):
        for file in recorder.files:
            assert start <= file.started - 1_000_000 <= file.stopped - 1_000_000 <= end
    times = [event.time for event in bench.cloud.notify_log]
    assert times == sorted(times)
