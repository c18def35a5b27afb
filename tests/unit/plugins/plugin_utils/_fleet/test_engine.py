# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the engine in virtual time, with a simple model of the cloud."""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.module_utils._api.error_codes import (
    ACCEPTED,
    ALREADY_STARTED,
    NO_TASK,
    STREAM_ABSENT,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import (
    CommandResponse,
    NotifyEvent,
    RecordTask,
    Stream,
    TimeWindow,
    format_time,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.recording_state import LOG_DELAY
from ansible_collections.apsaravideo.live.plugins.module_utils._domain.windows import Window, merge
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import (
    ApiError,
    EndpointUnusable,
    NotSent,
    OutcomeUnknown,
    ResponseLost,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._module.record import SPEC
from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock
from ansible_collections.apsaravideo.live.plugins.module_utils._util.instant import Instant
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.dispatcher import MAX_UNSENT
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.engine import Engine
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.lane import MAX_PROBE_PAUSE, Lane
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.member import Member
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.program import (
    Policy,
    keep_recording,
    reach_state,
    record_windows,
)
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.scheduler import MAX_IDLE_SECONDS

NOON = 1_767_355_200.0
INTERVAL = 5.0
RETRY_TIMEOUT = 60.0
RATE = 48.0
DOMAIN = "live.example.com"
NAMES = {name: None for name in SPEC.options}


class World(Clock):
    """A clock, an inbox, a pool and a cloud in virtual time.

    `pushes` maps the names of streams to their pushes, which are pairs of seconds since the start of the test.
    """

    def __init__(self, pushes=(), latency=lambda stream, number: 0.03, faults=None, down=()):
        self.time = 0.0
        self.pushes = dict(pushes)
        self.latency = latency
        self.faults = faults or {}
        self.down = down  # pairs of seconds between which no connection is accepted
        self.unnamed = ()  # streams and attempts whose look-up of the endpoint fails
        self.list_error = None
        self.lists_unknown_streams = False  # whether commands fail to find the streams that the list shows
        self.sent = []  # (time, stream, command, meaning)
        self.list_reads = []
        self.log = []
        self.log_reads = []
        self.contents = {}  # recording tasks by name
        self.content_reads = []
        self.recorded = {}  # the push that is being recorded, by name
        self.slot = 0.0
        self.busy = 0
        self.most_busy = 0
        self._events = []
        self._number = 0
        self._calls = {}

    # --- the clock, the inbox and the pool

    def now(self):
        return NOON + self.time

    def monotonic(self):
        return self.time

    def sleep(self, seconds):
        raise AssertionError("the engine's thread never sleeps")

    is_full = False

    def put(self, message):
        self._push(self.time, message)

    def handle(self, seconds):
        until = self.time + seconds
        if not self._events or self._events[0][0] > until:
            self.time = until
            return
        self.time = max(self.time, self._events[0][0])
        while self._events and self._events[0][0] <= self.time:
            heapq.heappop(self._events)[2]()

    def _push(self, at, message):
        self._number += 1
        heapq.heappush(self._events, (at, self._number, message))

    def submit(self, call, done):
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        owner = getattr(call, "__self__", None)
        ends, result, error = owner.run() if isinstance(owner, Attempts) else self._simple(call)

        def finish():
            self.busy -= 1
            done(result, error)

        self._push(ends, finish)

    def _simple(self, call):
        try:
            return self.time + 0.03, call(), None
        except Exception as error:
            return self.time + 0.03, None, error

    # --- the cloud

    def push_of(self, name, at):
        return next((push for push in self.pushes.get(name, ()) if push[0] <= at < push[1]), None)

    def command(self, name, command, at):
        push = None if self.lists_unknown_streams else self.push_of(name, at)
        recording = push is not None and self.recorded.get(name) == push
        if command == "start":
            meaning = STREAM_ABSENT if push is None else ALREADY_STARTED if recording else ACCEPTED
            if push is not None:
                self.recorded[name] = push
        else:
            meaning = STREAM_ABSENT if push is None else ACCEPTED if recording else NO_TASK
            self.recorded.pop(name, None)
        self.sent.append((at, name, command, meaning))
        return meaning

    def commands(self, name, command=None):
        return [row for row in self.sent if row[1] == name and command in (None, row[2])]


class Attempts:
    """The attempts of one command, each of which connects, waits for its slot, sends, and waits for the response."""

    def __init__(self, world, client, stream, command):
        self.world, self.client, self.stream, self.command = world, client, stream, command
        self.made = 0
        self.lost_at = None

    @property
    def was_lost(self):
        return self.lost_at is not None

    def make(self):
        raise AssertionError("the pool runs it")

    def run(self):
        world, name = self.world, self.stream.stream_name
        self.made += 1
        if (name, self.made) in world.unnamed:
            return world.time + 0.01, None, EndpointUnusable(f"{self.command} of {self.stream} was not sent", "Check.")
        if any(start <= world.time < end for start, end in world.down):
            return world.time + 0.01, None, NotSent(f"{self.command} of {self.stream} was not sent: down", "Check.")
        leaves = max(world.time, self.client.timing.not_before - NOON, world.slot)
        world.slot = leaves + 1 / RATE
        world._push(leaves, self.client.timing.on_sent)
        fault = world.faults.get((name, self.command, self.made))
        if fault:
            error = ApiError("throttled", "Wait.") if fault == "final" else ResponseLost("lost", "Run again.")
            if fault != "final":
                self.lost_at = self.lost_at or NOON + leaves
            if fault == "took effect":
                world.command(name, self.command, leaves)
            return leaves + 0.5, None, error
        meaning = world.command(name, self.command, leaves)
        error = ApiError("absent", "Push it.") if meaning == STREAM_ABSENT else None
        sent = datetime.fromtimestamp(NOON + int(leaves), timezone.utc)
        return leaves + world.latency(name, self.made), CommandResponse(meaning, error, self.lost_at, sent), None

    def pause_after(self, error):
        if not error.retryable:
            raise error
        if self.command == "restart":
            unknown = OutcomeUnknown("Outcome unknown: lost", "Look.")
            unknown.lost_at, unknown.may_have_changed = self.lost_at, True
            raise unknown
        self.client.traffic.retry_seconds += 2.0
        if self.client.traffic.retry_seconds >= RETRY_TIMEOUT:
            raise error
        return 2.0


def make_live(world):
    traffic = SimpleNamespace(retry_seconds=0.0, waited_seconds=0)
    timing = SimpleNamespace(not_before=0.0, on_sent=None)
    client = SimpleNamespace(timing=timing, ahead=0.0, traffic=traffic, wait=lambda seconds: None)

    def online(domain):
        assert domain == DOMAIN
        world.list_reads.append(world.time)
        if world.list_error:
            raise world.list_error
        rows = []
        for name in world.pushes:
            push = world.push_of(name, world.time)
            if push:
                began = datetime.fromtimestamp(NOON + push[0], timezone.utc)
                rows.append({"app_name": "app", "stream_name": name, "publish_time": format_time(began)})
        return rows

    def log(where, window=None):
        world.log_reads.append(world.time)
        return [row for row in world.log if row.stream.domain_name == where.domain_name]

    def contents(stream):
        world.content_reads.append((world.time, stream.stream_name))
        return world.contents.get(stream.stream_name, [])

    def cloud_seconds(at):
        second = datetime.fromtimestamp(int(at), timezone.utc)
        return TimeWindow(second, second)

    return SimpleNamespace(
        client=client,
        recent_tasks=contents,
        command_attempts=lambda stream, command: Attempts(world, client, stream, command),
        online_streams=online,
        notify_events=log,
        cloud_seconds=cloud_seconds,
        now=lambda: datetime.fromtimestamp(NOON + int(world.time), timezone.utc),
    )


class Ended:
    """The members of a run that has ended, by name."""

    def __init__(self, world, members):
        self.world = world
        self.members = members

    def __getitem__(self, name):
        return self.members[name]


def run(world, programs, until=None, retry_timeout=RETRY_TIMEOUT, interval=INTERVAL, is_single=False):
    """Run the programs of streams by name, and interrupt the run at `until` if that is set."""

    def is_interrupted():
        return until is not None and world.time >= until

    engine = Engine(world, interval, is_interrupted=is_interrupted, pool=world, inbox=world, is_single=is_single)
    lane = Lane(lambda: make_live(world), retry_timeout)
    engine.lanes.append(lane)
    members, finished = {}, []

    def resolve():
        for name, program in programs.items():
            member = Member(stream_of(name), make_live(world), program(stream_of(name)), finished.append)
            members[name] = member
            lane.pending.append(member)
            world.time += 0.0005  # for reading the variables of a host
            yield None

    whole = engine.run(resolve())
    assert whole is (until is None or world.time < until or len(finished) == len(programs))
    assert len(finished) == len(set(map(id, finished))), "a stream ended twice"
    return Ended(world, members)


def stream_of(name):
    return Stream(DOMAIN, "app", name)


def options(**given):
    return {
        **NAMES,
        "state": "started",
        "finalize": False,
        "wait_for_stream": 0,
        "wait": False,
        "wait_timeout": 300,
        **given,
    }


def start_program(world, keep=False, **given):
    rules = Policy(world, keep=keep)
    return lambda stream: (keep_recording if keep else reach_state)(stream, options(**given), rules, [])


def window_program(world, *windows, began=None, warnings=None, **rules):
    found = merge(Window(make_instant(start), make_instant(stop)) for start, stop in windows)
    given = options(state="stopped")
    return lambda stream: record_windows(stream, given, found, Policy(world, **rules), [])


def make_instant(seconds):
    epoch = NOON + seconds
    return Instant(epoch, datetime.fromtimestamp(epoch, timezone.utc).isoformat())


ALWAYS = [(-1000.0, 1e9)]
name_lists = st.integers(1, 60).map(lambda number: [f"s{index}" for index in range(number)])


# --- starting and stopping -------------------------------------------------------------------------------------------


@given(name_lists, st.data())
@settings(deadline=None)
def test_every_stream_ends_and_is_commanded_once(names, data):
    faults = {}
    for name in names:
        for attempt in range(1, data.draw(st.integers(0, 3)) + 1):
            faults[name, "start", attempt] = data.draw(st.sampled_from(["lost", "final"]))
    world = World(dict.fromkeys(names, ALWAYS), faults=faults)
    ended = run(world, {name: start_program(world) for name in names})
    for name in names:
        member = ended[name]
        assert member.is_done and bool(member.result) is not bool(member.failure)
        expected = next((n for n in range(1, 5) if faults.get((name, "start", n)) != "lost"), None)
        failed = faults.get((name, "start", expected)) == "final"
        assert bool(member.failure) is failed
        assert len(world.commands(name)) == (0 if failed else 1)


@given(name_lists, st.integers(0, 30), st.integers(0, 40), st.data())
@settings(deadline=None)
def test_streams_without_a_push_do_not_delay_the_others(names, number, seconds, data):
    """Pushed streams are started at the full rate, and the others within one interval of their push."""
    away = {name: data.draw(st.floats(0.5, 60)) for name in names[:number]}
    world = World({name: [(away[name], 1e9)] if name in away else ALWAYS for name in names})
    ended = run(world, {name: start_program(world, wait_for_stream=seconds) for name in names})
    there = [world.commands(name, "start")[-1][0] for name in names if name not in away]
    assert all(at <= (len(names) + 12) / RATE + 0.5 for at in there)
    for name, pushed in away.items():
        starts = [row for row in world.commands(name) if row[3] != STREAM_ABSENT]
        if pushed <= seconds:
            assert len(starts) == 1
            assert starts[0][0] <= pushed + INTERVAL + len(names) / RATE + 0.2
        elif pushed > seconds + INTERVAL + 1:
            assert not starts and "did not appear" in ended[name].failure.happened if seconds else not starts
    gaps = [later - earlier for earlier, later in zip(world.list_reads, world.list_reads[1:])]
    assert all(gap >= INTERVAL - 1e-6 for gap in gaps), "more than one read of the list per interval"


@given(st.integers(20, 200), st.floats(0.05, 9), st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_slow_responses_do_not_delay_other_streams(number, seconds, every):
    names = [f"s{index}" for index in range(number)]
    world = World(
        dict.fromkeys(names, ALWAYS), latency=lambda name, _made: seconds if int(name[1:]) % every == 0 else 0.03
    )
    run(world, {name: start_program(world) for name in names})
    times = sorted(row[0] for row in world.sent)
    assert times[-1] - times[0] <= (number - 1) / RATE + 0.1


@pytest.mark.parametrize("unnamed", [["s0"], ["s3"], ["s0", "s5", "s11"], ["s20"]])
def test_a_failed_lookup_of_the_endpoint_is_repeated(unnamed):
    """This includes the first look-up of all, which ends while others are running."""
    names = [f"s{number}" for number in range(30)]
    world = World(dict.fromkeys(names, ALWAYS))
    world.unnamed = [(name, 1) for name in unnamed]
    ended = run(world, {name: start_program(world) for name in names})
    assert all(ended[name].result for name in names)
    assert len(world.sent) == 30


def test_an_unknown_endpoint_fails_all_streams_at_once():
    names = [f"s{number}" for number in range(30)]
    world = World(dict.fromkeys(names, ALWAYS))
    world.unnamed = [(name, attempt) for name in names for attempt in range(9)]
    ended = run(world, {name: start_program(world) for name in names})
    assert all(isinstance(ended[name].failure, EndpointUnusable) for name in names)
    assert world.time < 2 and not world.sent


def test_an_endpoint_that_is_down_fails_all_streams_after_one_retry_timeout():
    names = [f"s{index}" for index in range(500)]
    world = World(dict.fromkeys(names, ALWAYS), down=[(0, 1e9)])
    ended = run(world, {name: start_program(world) for name in names})
    assert RETRY_TIMEOUT <= world.time <= RETRY_TIMEOUT + 2
    assert {type(ended[name].failure) for name in names} == {NotSent}
    assert all(f"start of {DOMAIN}/app/{name} was not sent" in ended[name].failure.happened for name in names)


def test_all_streams_are_started_when_the_endpoint_comes_back():
    names = [f"s{index}" for index in range(200)]
    world = World(dict.fromkeys(names, ALWAYS), down=[(1, 30)])
    ended = run(world, {name: start_program(world) for name in names})
    assert all(ended[name].result["state"] == "recording" for name in names)
    assert 30 + 100 / RATE < world.time < 30 + MAX_PROBE_PAUSE + 200 / RATE + 1


@given(name_lists, st.floats(0.01, 1.2), st.booleans())
@settings(deadline=None)
def test_an_interrupted_run_sends_no_more_commands(names, until, slow):
    world = World(dict.fromkeys(names, ALWAYS), latency=lambda _name, _made: 2.0 if slow else 0.03)
    ended = run(world, {name: start_program(world) for name in names}, until=until)
    latest = until + MAX_IDLE_SECONDS + MAX_UNSENT / RATE
    assert all(row[0] <= latest for row in world.sent)
    for member in ended.members.values():
        if member.is_done:
            assert member.result["state"] == "recording"


@given(name_lists, st.data())
@settings(deadline=None)
def test_lost_responses_cost_one_read_of_the_log_per_interval(names, data):
    """A recording that ran before is no change, and one that a lost attempt began is; other streams read no log."""
    running = {name for name in names if data.draw(st.booleans())}
    lost = {name for name in names if data.draw(st.booleans())}
    world = World(dict.fromkeys(names, ALWAYS), faults={(name, "start", 1): "took effect" for name in lost})
    for name in running:
        world.recorded[name] = ALWAYS[0]
        hour_ago = datetime.fromtimestamp(NOON - 3600, timezone.utc)
        world.log.append(NotifyEvent("record_started", hour_ago, stream_of(name)))
    ended = run(world, {name: start_program(world) for name in names})
    for name in names:
        result = ended[name].result
        assert result["changed"] is (name not in running)
        before = "recording" if name in running else "unknown" if name in lost else "stopped"
        assert result["previous_state"] == before
        assert len(world.commands(name)) == 1 + (name in lost)
    assert bool(world.log_reads) is bool(lost)
    assert all(later - earlier >= INTERVAL - 1e-6 for earlier, later in zip(world.log_reads, world.log_reads[1:]))
    assert len(world.log_reads) <= 1 + len(names) / RATE / INTERVAL + 1


def test_streams_that_read_the_log_after_a_lost_response_do_not_delay_others():
    names = [f"s{index}" for index in range(300)]
    world = World(dict.fromkeys(names, ALWAYS), faults={(name, "restart", 1): "lost" for name in names[:200]})
    ended = run(world, {name: start_program(world, state="restarted") for name in names})
    assert all(ended[name].failure for name in names[:200]) and len(world.sent) == 100
    assert world.sent[-1][0] <= 300 / RATE + 0.5


@given(name_lists, st.data())
@settings(deadline=None)
def test_a_lost_restart_reads_the_contents_once_if_the_log_does_not_show_it(names, data):
    """The contents show the outcome; they are read only after a lost response, and no stream is split twice."""
    lost = {name for name in names if data.draw(st.booleans())}
    shown = {name for name in names if data.draw(st.booleans())}
    world = World(dict.fromkeys(names, ALWAYS), faults={(name, "restart", 1): "took effect" for name in lost})
    hour_ago, soon = (datetime.fromtimestamp(NOON + seconds, timezone.utc) for seconds in (-3600, 60))
    for name in names:
        world.recorded[name] = ALWAYS[0]
        world.contents[name] = [RecordTask(hour_ago, soon, False)] + [RecordTask(soon, None, True)] * (name in shown)
    ended = run(world, {name: start_program(world, state="restarted") for name in names})
    for name in names:
        if name in lost - shown:
            assert isinstance(ended[name].failure, OutcomeUnknown)
        else:
            assert ended[name].result["changed"]
            assert ended[name].result["state_source"] == ("record_contents" if name in lost else "command")
        assert len(world.commands(name)) == 1
    assert sorted(name for _time, name in world.content_reads) == sorted(lost)


def test_reads_of_record_contents_use_few_threads():
    names = [f"s{index}" for index in range(300)]
    world = World(dict.fromkeys(names, ALWAYS), faults={(name, "restart", 1): "lost" for name in names})
    ended = run(world, {name: start_program(world, state="restarted") for name in names})
    assert len(world.content_reads) == 300
    assert all(isinstance(ended[name].failure, OutcomeUnknown) for name in names)
    assert max(Counter(time for time, _name in world.content_reads).values()) <= MAX_UNSENT


@pytest.mark.parametrize("until", [2, 5.52, 20])
def test_a_lost_restart_is_unknown_if_the_run_is_interrupted_before_the_reads(until):
    names = [f"s{index}" for index in range(20)]
    world = World(dict.fromkeys(names, ALWAYS), faults={(name, "restart", 1): "lost" for name in names})
    ended = run(world, {name: start_program(world, state="restarted") for name in names}, until=until)
    assert len(world.log_reads) == (1 if until == 2 else 2)
    assert {type(ended[name].failure) for name in names} == {OutcomeUnknown}, "advised to run it again"
    assert all(ended[name].failure.may_have_changed for name in names)
    assert not world.sent, "sent twice"


def make_late_log(number):
    """Return streams that are being recorded, and a world whose late log shows only that they were stopped before."""
    names = [f"s{index}" for index in range(number)]
    world = World(dict.fromkeys(names, ALWAYS))
    for name in names:
        world.recorded[name] = ALWAYS[0]
        hour_ago = datetime.fromtimestamp(NOON - 3600, timezone.utc)
        world.log.append(NotifyEvent("record_paused", hour_ago, stream_of(name)))
    return names, world


def test_streams_that_read_the_log_again_after_a_stop_do_not_delay_others():
    names, world = make_late_log(300)
    begun = datetime.fromtimestamp(NOON - 1, timezone.utc)
    shown = [NotifyEvent("record_started", begun, stream_of(name)) for name in names[:100]]
    world._push(LOG_DELAY / 2, lambda: world.log.extend(shown))
    ended = run(world, {name: start_program(world, state="stopped") for name in names})
    assert [ended[name].result["changed"] for name in names] == [True] * 100 + [False] * 200
    assert world.sent[-1][0] <= 300 / RATE + 0.5
    assert world.time <= world.sent[-1][0] + LOG_DELAY + 2 * INTERVAL
    assert all(later - earlier >= INTERVAL - 1e-6 for earlier, later in zip(world.log_reads, world.log_reads[1:]))
    for name in names:
        assert any(at >= world.commands(name)[0][0] + LOG_DELAY for at in world.log_reads), "the log was read too early"


@pytest.mark.parametrize("waits", [False, True])
def test_a_long_interval_does_not_delay_the_second_read_of_the_log_after_a_stop(waits):
    names, world = make_late_log(3)
    world.pushes["waiting"] = ALWAYS
    programs = {name: start_program(world, state="stopped") for name in names}
    if waits:
        programs["waiting"] = start_program(world, wait=True, wait_timeout=20)  # schedules another read, far ahead
    begun = datetime.fromtimestamp(NOON + 2, timezone.utc)
    world._push(3, lambda: world.log.append(NotifyEvent("record_started", begun, stream_of("waiting"))))
    ended = run(world, programs, interval=300)
    assert all(member.failure is None for member in ended.members.values())
    assert world.time <= LOG_DELAY + 2 * INTERVAL
    assert all(later - earlier >= INTERVAL - 1e-6 for earlier, later in zip(world.log_reads, world.log_reads[1:]))


@pytest.mark.parametrize("until", [4, 10])
def test_a_stop_is_reported_as_a_change_if_the_run_is_interrupted_before_the_second_read_of_the_log(until):
    names, world = make_late_log(20)
    ended = run(world, {name: start_program(world, state="stopped") for name in names}, until=until)
    assert {ended[name].result["changed"] for name in names[5:]} == {True}, "although the log was not read again"
    assert {ended[name].result["previous_state"] for name in names[5:]} == {"unknown"}


@pytest.mark.parametrize("until", [4, None])
def test_a_single_stream_reads_the_log_again_after_a_stop(until):
    (name,), world = make_late_log(1)
    ended = run(world, {name: start_program(world, state="stopped")}, until=until, is_single=True)
    assert ended[name].result["changed"] is (until is not None)
    assert world.time == pytest.approx(until or world.commands(name)[0][0] + LOG_DELAY, abs=1)
    assert len(world.log_reads) == (1 if until else 2)


# --- windows ---------------------------------------------------------------------------------------------------------

window_lists = st.lists(st.tuples(st.integers(-2000, 900), st.integers(1, 600)), max_size=4)


@given(st.lists(window_lists, min_size=1, max_size=25))
@settings(deadline=None)
def test_each_window_has_one_start_and_one_stop_on_time(plans):
    """A window that has not ended has one start and one stop, not before their times and not long after them."""
    pairs = {f"s{number}": [(start, start + length) for start, length in plan] for number, plan in enumerate(plans)}
    world = World(dict.fromkeys(pairs, ALWAYS))
    ended = run(world, {name: window_program(world, *windows) for name, windows in pairs.items()})
    slack = 2 * len(pairs) / RATE + 0.2
    for name, windows in pairs.items():
        whole = merge(Window(make_instant(start), make_instant(stop)) for start, stop in windows)
        left = [(w.start.epoch - NOON, w.stop.epoch - NOON) for w in whole if w.stop.epoch > NOON + 0.1]
        if any(0 < w.stop.epoch - NOON <= 0.1 for w in whole):
            continue
        assert ended[name].is_done
        starts, stops = world.commands(name, "start"), world.commands(name, "stop")
        assert len(starts) == len(left)
        for (at, *_rest), (start, stop) in zip(starts, left):
            assert max(0, start) <= at <= max(0, start) + slack or stop - start <= slack
        for (at, *_rest), (_start, stop) in zip(stops[len(stops) - len(left) :], left):
            assert stop <= at <= stop + slack
        over = [w.stop.epoch - NOON for w in whole if w.stop.epoch <= NOON]
        if over and abs(over[-1] + 600) < 1:
            continue  # too close to the limit of the grace to predict
        is_open = bool(left) and left[0][0] <= 0
        late_stop = bool(over) and not is_open and -over[-1] <= 600
        assert len(stops) == len(left) + late_stop
    order = list(world.sent)
    assert order == sorted(order, key=lambda row: row[0])


@given(st.lists(window_lists, min_size=1, max_size=6), st.integers(0, 900), st.integers(0, 500))
@settings(deadline=None)
def test_a_second_run_completes_the_windows_of_an_interrupted_run(plans, until, pause):
    """Other windows may open and close between the two runs."""
    pairs = {f"s{number}": [(start, start + length) for start, length in plan] for number, plan in enumerate(plans)}
    world = World(dict.fromkeys(pairs, ALWAYS))
    run(world, {name: window_program(world, *windows) for name, windows in pairs.items()}, until=until)
    world.time += pause
    world.slot = began = world.time
    run(world, {name: window_program(world, *windows) for name, windows in pairs.items()})
    slack = 2 * len(pairs) / RATE + 0.3
    for name, windows in pairs.items():
        history = world.commands(name)
        for second in range(int(began) + 1, int(began) + 1600, 7):
            edges = [edge for window in windows for edge in window]
            if any(abs(second - edge) <= slack + 1 for edge in [*edges, began]):
                continue
            last = next((row for row in reversed(history) if row[0] <= second), None)
            wanted = any(start <= second < stop for start, stop in windows)
            long_over = edges and max(edges) < began - 600
            assert (last is not None and last[2] == "start") is wanted or long_over


def test_a_window_that_ended_long_ago_is_refused():
    world = World({"s": ALWAYS})
    ended = run(world, {"s": window_program(world, (-9000, -3600))})
    assert not world.sent
    assert "ended 60 minutes before the run began" in ended["s"].failure.happened
    assert "window_over=stop" in ended["s"].failure.advice


def test_a_window_that_ended_long_ago_is_stopped_if_the_grace_is_unlimited():
    world = World({"s": ALWAYS})
    ended = run(world, {"s": window_program(world, (-9000, -3600), grace=None)})
    assert [row[2] for row in world.sent] == ["stop"]
    assert "not recorded, and stopped now" in ended["s"].failure.happened


@given(st.floats(2, 200), st.floats(0.1, 40), st.integers(1, 100))
@settings(deadline=None, max_examples=40)
def test_a_new_push_is_recorded_again_with_keep(dropped, away, number):
    names = [f"s{index}" for index in range(number)]
    world = World({name: [(-100.0, dropped), (dropped + away, 1e9)] for name in names})
    run(world, {name: window_program(world, (-10, 300), keep=True) for name in names})
    back = dropped + away
    for name in names:
        again = [row for row in world.commands(name, "start") if row[0] >= back and row[3] == ACCEPTED]
        assert len(again) == 1
        assert again[0][0] <= back + INTERVAL + number / RATE + 0.5
        assert [row[2] for row in world.commands(name)][-1] == "stop"
    assert all(later - earlier >= INTERVAL - 1e-6 for earlier, later in zip(world.list_reads, world.list_reads[1:]))


def test_a_new_push_is_not_recorded_without_keep():
    world = World({"s": [(-100.0, 20.0), (30.0, 1e9)]})
    run(world, {"s": window_program(world, (-10, 60))})
    assert [row[2] for row in world.sent] == ["start", "stop"] and not world.list_reads


def test_a_push_that_begins_within_the_window_is_recorded_with_keep():
    world = World({"s": [(50.0, 1e9)]})
    ended = run(world, {"s": window_program(world, (-10, 100), keep=True)})
    assert not ended["s"].failure
    first = next(row for row in world.sent if row[3] == ACCEPTED)
    assert 50 <= first[0] <= 50 + INTERVAL + 0.2


def test_retry_repeats_a_failed_start_and_recheck_any_start():
    world = World({"late": [(45.0, 1e9)], "broken": [(-100.0, 20.0), (25.0, 1e9)]})
    ended = run(
        world,
        {
            "late": window_program(world, (-10, 100), retry=10.0),
            "broken": window_program(world, (-10, 100), recheck=30.0),
        },
    )
    assert not ended["late"].failure and not ended["broken"].failure
    late = [round(row[0]) for row in world.commands("late", "start")]
    assert late[:2] == [0, 9] or late[:2] == [0, 10]
    assert [row[3] for row in world.commands("late", "start")].count(ACCEPTED) == 1
    assert [row[3] for row in world.commands("broken", "start")].count(ACCEPTED) == 2


def test_a_stream_that_was_never_recorded_fails_at_the_end_of_its_window():
    world = World({})
    ended = run(world, {"s": window_program(world, (-10, 30), keep=True)})
    assert "absent" in ended["s"].failure.happened
    assert 29 <= world.time <= 32
    assert world.commands("s", "stop"), "not stopped"


# --- failures that must not prevent a stop ---------------------------------------------------------------------------


def test_a_stream_is_stopped_even_if_the_list_is_refused():
    world = World({"s": ALWAYS})
    world.list_error = ApiError("The list was refused", "Grant it.")
    ended = run(world, {"s": window_program(world, (-10, 100), keep=True)})
    assert [row[2] for row in world.sent][0] == "start" and [row[2] for row in world.sent][-1] == "stop"
    assert 100 <= world.commands("s", "stop")[0][0] <= 101 and not ended["s"].failure


def test_the_next_window_is_recorded_even_if_a_stop_fails():
    world = World({"s": ALWAYS}, faults={("s", "stop", 1): "final"})
    ended = run(world, {"s": window_program(world, (10, 40), (60, 90))})
    assert [round(row[0]) for row in world.commands("s", "start")] == [10, 60]
    assert ended["s"].failure.may_have_changed, "although the recording had begun"


def test_waiting_for_the_notify_log_does_not_delay_the_stop():
    world = World({"s": ALWAYS})
    found = [Window(make_instant(10), make_instant(40))]
    given = options(state="stopped", wait=True)
    run(world, {"s": lambda stream: record_windows(stream, given, found, Policy(world), [])})
    assert 40 <= world.commands("s", "stop")[0][0] <= 42


def test_no_start_is_sent_after_the_end_of_its_window():
    world = World({"s": ALWAYS, "t": ALWAYS}, down=[(5, 120)])
    run(world, {"s": window_program(world, (10, 100)), "t": window_program(world, (110, 200))}, retry_timeout=-1)
    assert not world.commands("s", "start"), "after its window"
    assert [row[2] for row in world.commands("t")] == ["start", "stop"]


def test_each_outage_has_its_own_retry_timeout():
    world = World({"early": ALWAYS, "late": ALWAYS}, down=[(100, 170), (3600, 3602)])
    ended = run(world, {"early": window_program(world, (50, 110)), "late": window_program(world, (2000, 3601))})
    assert isinstance(ended["early"].failure, NotSent)
    assert not ended["late"].failure and 3602 <= world.commands("late", "stop")[0][0] < 3604


def test_the_wait_ends_in_time_if_the_list_contradicts_the_commands():
    world = World({"s": ALWAYS})
    world.lists_unknown_streams = True
    ended = run(world, {"s": start_program(world, wait_for_stream=60)})
    assert ended["s"].failure and world.time <= 60 + 2 * INTERVAL
    assert len(world.sent) <= 60 / INTERVAL + 3


def test_a_short_outage_causes_a_short_delay():
    names = [f"s{index}" for index in range(50)]
    world = World(dict.fromkeys(names, ALWAYS), down=[(0, 0.3)])
    run(world, {name: start_program(world) for name in names})
    assert world.sent[0][0] < 1
