# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record many streams while network, gateway and processes fail, and judge each report by the cloud's ledger.

What a report may say if its own responses are lost, or if other controllers act on the same stream:

* A change in the cloud's ledger that the task's own commands made is always reported. One exception: `stopped`
  compares the notify log before its command with the final state, so that it does not count a recording that another
  client began after the log was read and that its command stopped.
* A change that is reported was made by the task itself, or one of its responses was lost, or (`stopped`) the
  recording was still running, or not finalized, when the task read the log.
* `restarted` splits once if it succeeds, at most once if not, and a failure is reported as one. One exception: a
  split by another client in the seconds of a lost request cannot be told from the task's own.

The reports of a client that is alone must be as exact as what can be known allows, see `Known`.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.apsaravideo.live.plugins.module_utils._module import record
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task, execute
from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock
from support.clock import WrongClock
from support.emulator import ACCOUNT, Emulator
from support.playbook import ANSIBLE_PLAYBOOK, FLEET, Ansible, environment, streams

FAULTS: dict[str, Any] = {
    "delay": {"seconds": [0.005, 0.5]},
    "reset_before": 0.05,
    "reset_after": 0.05,
    "status_503": 0.03,
    "status_500": 0.03,
    "html": 0.02,
    "truncate": 0.02,
    "throttle": {"probability": 0.05, "seconds": [0.01, 0.2]},
}
OPEN_QUESTIONS = {
    "generation": ("new", "old"),
    "answers": ("unwrapped", "wrapped"),
    "idle_stop": ("ok", "error"),
    "idle_cancel": ("ok", "error"),
    "start_in_delay": ("resume", "new"),
    "stop_delay": ("fixed", "config"),
    "notify_order": ("asc", "desc"),
    "retry_after": ("off", "on"),
    "throttle_status": ("400", "429"),
    "throttle_code": ("Throttling.User", "Throttling", "Throttling.Api"),
    "http_status": ({}, {"TaskAlreadyStarted": 500, "CodeTaskNotStarted": 503}),
}
WHAT_CONTENTS_LIST = {"running_content": ("unlisted", "listed"), "running_end": ("now", "absent", "window-end")}
# Additional lost responses, of commands only, to test how they are resolved.
LOSSES: dict[str, Any] = {
    "reset_before": 0.1,
    "reset_after": 0.15,
    "status_502": {"probability": 0.03, "processed": True},
    "status_504": {"probability": 0.03, "processed": True},
}
QUIET = "quiet.example.com"  # a domain without a recording callback
READ_LOG, READ_CONTENTS = "DescribeLiveRecordNotifyRecords", "DescribeLiveStreamRecordContent"
CLOCKS_OFF = (0.0, 0.0, -7.0, 600.0, -600.0, 5 * 3600.0, -5 * 3600.0)  # seconds
MAX_CALLS = 60  # of one task
DEFAULTS = {name: option.get("default") for name, option in record.SPEC.options.items()}
ASSUMPTION = re.compile(r"A change is assumed\.(?: \((\d+) streams\))?$")
MAX_CONFUSION = 2.0  # seconds before a lost request in which another split cannot be told from its own
_AFTER = {"start": "recording", "restart": "recording", "stop": "paused", "cancel_delay": "idle"}


@dataclass(frozen=True)
class Job:
    """The desired state of all streams.

    `name` begins with that of the controller; it is the RegionId of its calls, which identifies them in the log.
    """

    name: str
    state: str
    finalize: bool = False


@dataclass(frozen=True)
class Outcome:
    """The result that a controller reports for one stream."""

    job: Job
    stream: str
    result: Mapping[str, Any]


class Controller:
    """A client that runs the operation for many streams at once, as the workers of ansible-playbook do."""

    def __init__(
        self, cloud: Emulator, directory: str, clock: Clock, threads: int = 64, retry_timeout: int = 60
    ) -> None:
        self._retry_timeout = retry_timeout
        self._environ = {**environment(cloud), "XDG_RUNTIME_DIR": directory}
        self._clock = clock
        self._threads = threads
        self._ca_path = cloud.ca_path

    def run(self, job: Job, streams: Iterable[str]) -> list[Outcome]:
        """Run a job and return the outcomes, in the order of the streams."""
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(lambda stream: self._one(job, stream), streams))

    def _one(self, job: Job, stream: str) -> Outcome:
        names = dict(zip(("domain_name", "app_name", "stream_name"), stream.split("/", 2)))
        wanted = {"state": job.state, "finalize": job.finalize, "region_id": job.name, "rate_limit": 2000.0}
        bounds = {"retry_timeout": self._retry_timeout, "ca_path": self._ca_path}
        options = {**DEFAULTS, **names, **wanted, **bounds}
        return Outcome(job, stream, execute(record.operate, Task(options, self._environ, clock=self._clock)))


@dataclass
class Evidence:
    """The emulator's streams before and after a phase, and the calls in between."""

    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]
    calls: dict[tuple[str, str], list[dict[str, Any]]]

    def changes(self, stream: str) -> list[dict[str, Any]]:
        """Return the commands that changed a stream, in their order."""
        known = len(self.before[stream]["ledger"]["changes"])
        made: list[dict[str, Any]] = self.after[stream]["ledger"]["changes"][known:]
        return made

    def states_between(self, stream: str, since: float, until: float) -> set[str]:
        """Return the states of a recording between two times."""
        state = self.before[stream]["recording"]
        found = set()
        for change in self.changes(stream):
            if change["time"] > until:
                break
            if change["time"] > since:
                found.add(state)
            state = _AFTER[change["command"]]
        return found | {state}


def streams_of(cloud: Emulator) -> dict[str, dict[str, Any]]:
    """Return the state of all streams, by their names."""
    rows = cloud.state()["streams"]
    return {f"{row['domain_name']}/{row['app_name']}/{row['stream_name']}": row for row in rows}


def calls_of(cloud: Emulator) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the logged calls by job and stream, without those that read a whole domain."""
    found = defaultdict(list)
    for call in cloud.calls():
        given = call["params"]
        if "StreamName" not in given:
            continue
        found[given["RegionId"], "/".join(given[name] for name in ("DomainName", "AppName", "StreamName"))].append(call)
    return found


class Known(NamedTuple):
    """The evidence that a client can read if no other client acts on its streams.

    `callbacks`: the notify log has status events. `contents`: the record contents list a running recording.
    `own_reads`: the log is read by stream, not by domain.
    """

    callbacks: bool
    contents: bool
    own_reads: bool = True


@dataclass
class Verdict:
    """The errors of an outcome, and its excusable inaccuracies."""

    wrong: list[str] = field(default_factory=list)
    assumed: bool = False
    overtaken: bool = False
    attributed: bool = False  # it claims a split of another client
    unseen: bool = False  # a split of unknown outcome took effect
    doubtful: bool = False  # a warning must say that a change is assumed
    lost: bool = False  # a response to one of its commands was lost
    reads: bool = False  # the notify log has to be read for it


def judge(outcome: Outcome, seen: Evidence, outage: bool = False, known: Known | None = None) -> Verdict:
    """Compare a report with the ledger.

    `outage`: the emulator was restarted, so that its log may have gaps. `known` is set if the client was alone.
    """
    case = _Case(outcome, seen, outage, known)
    case.verdict()
    if known:
        _LoneCase(case, known).check()
    return case.made


class _Case:
    def __init__(self, outcome: Outcome, seen: Evidence, outage: bool, known: Known | None) -> None:
        self.outcome, self.seen, self.outage = outcome, seen, outage
        self._may_assume = known is not None and not known.callbacks  # _LoneCase checks what it may assume
        self.result = outcome.result
        self.calls = seen.calls[outcome.job.name, outcome.stream]
        ids = {call["request_id"] for call in self.calls}
        self.own = [change for change in seen.changes(outcome.stream) if change["request_id"] in ids]
        self.made = Verdict()

    def verdict(self) -> None:
        self.made.lost = self.uncertain()
        self._check_counts()
        if self.result.get("failed"):
            self._check_failure()
        elif self.result["changed"]:
            self._check_claimed_change()
        else:
            self._check_denied_change()

    def expect(self, truth: bool, words: str) -> None:
        if not truth:
            calls = [(call["params"].get("Command", "look"), call["fault"], call["code"]) for call in self.calls]
            self.made.wrong.append(
                f"{self.outcome.job} {self.outcome.stream}: {words}; {dict(self.result)}; calls {calls}; "
                f"own changes {self.own}; all changes {self.seen.changes(self.outcome.stream)}"
            )

    def _check_counts(self) -> None:
        """Check that every call is counted, and that there are not too many."""
        counted, logged = self.result["api_calls"], len(self.calls)
        self.expect(counted == logged or (self.outage and counted > logged), f"{counted} calls reported, {logged} seen")
        dropped = sum(call["throttled"] for call in self.calls)
        self.expect(self.result["throttled"] == dropped, f"{dropped} calls were dropped")
        unknown = set(self.result["request_ids"]) - {call["request_id"] for call in self.calls}
        self.expect(not unknown, f"answers that nobody gave: {unknown}")
        self.expect(counted <= MAX_CALLS, "too many calls")

    def lost(self, command: str | None = None) -> list[dict[str, Any]]:
        """Return its commands whose response was lost or does not tell their outcome."""
        arrived = set(self.result["request_ids"])
        return [
            call
            for call in self.calls
            if call["action"] == "RealTimeRecordCommand" and command in (None, call["params"]["Command"])
            if call["request_id"] not in arrived or call["code"] in ("InternalError", "ServiceUnavailable")
        ]

    def uncertain(self) -> bool:
        """Return whether a response to one of its commands was lost, perhaps together with its log entry."""
        return bool(self.lost()) or self.result["api_calls"] > len(self.calls)

    def _check_failure(self) -> None:
        """Check a failure: only a split may fail, and only because its outcome is unknown."""
        self.expect(self.outcome.job.state == "restarted", "it failed")
        self.expect("Outcome unknown" in self.result["msg"], "the failure is none of an unknown outcome")
        self.expect(bool(self.result["changed"]), "what may have changed is not called unchanged")
        self.expect(self.uncertain(), "the outcome was known")
        self.expect(len(self.own) <= 1, "it was split twice")
        self.made.unseen = bool(self.own)

    def _check_claimed_change(self) -> None:
        if self.outcome.job.state == "restarted":
            self.made.attributed = not self.own and self._resembles_own()
            self.expect(len(self.own) == 1 or self.made.attributed, "it was not split once")
        if self.own:
            return
        self.made.assumed = True
        looked = self.outcome.job.state == "stopped" and self._state_at_look() & {"recording", "paused"}
        self.expect(self.uncertain() or bool(looked) or self._may_assume, "a change that was none")

    def _resembles_own(self) -> bool:
        """Return whether another client split the stream when its own split was lost, so that the two look alike.

        After an outage, the time of a lost call may be unknown.
        """
        not_logged = -math.inf if self.uncertain() else math.inf
        since = min((call["time"] for call in self.lost()), default=not_logged) - MAX_CONFUSION
        changes = [row for row in self.seen.changes(self.outcome.stream) if row["time"] >= since]
        began = any(row["command"] in ("restart", "start") for row in changes)
        return began and self.result.get("state_source") in ("notify_log", "record_contents")

    def _check_denied_change(self) -> None:
        if not self.own:
            return
        self.made.overtaken = True
        others = [change for change in self.seen.changes(self.outcome.stream) if change not in self.own]
        looked = self.outcome.job.state == "stopped" and others and self._state_at_look() - {"recording"}
        self.expect(bool(looked), "a change that is denied")

    def _state_at_look(self) -> set[str]:
        """Return the states that the task may have seen in the notify log, before its first command.

        A fleet reads the log of a whole domain, at any time before.
        """
        looks = [call["time"] for call in self.calls if call["action"] != "RealTimeRecordCommand"]
        commands = [call for call in self.calls if call["action"] == "RealTimeRecordCommand"]
        since = looks[-1] if looks else -math.inf
        return self.seen.states_between(self.outcome.stream, since, commands[0]["time"])


class _LoneCase:
    """A report of the only client that acted on the stream."""

    def __init__(self, case: _Case, known: Known) -> None:
        self._case, self._known = case, known
        self._result, self._made, self._expect = case.result, case.made, case.expect
        self._state = case.outcome.job.state
        self._lost = bool(case.lost())

    def check(self) -> None:
        self._made.doubtful = self._is_doubtful()
        if self._result.get("failed"):
            known = self._known.callbacks or self._known.contents
            self._expect(not self._case.own or not known, "what became of it could have been known")
        else:
            self._verdict()
        self._calls()

    def _last_code(self, command: str) -> str | None:
        """Return the error code of the last response to a command, None for success."""
        codes = [call["code"] for call in self._case.calls if call["params"].get("Command") == command]
        return str(codes[-1]) if codes and codes[-1] else None

    def _is_doubtful(self) -> bool:
        """Return whether neither responses nor a log show what a command has changed."""
        if self._result.get("failed"):
            return False
        if self._known.callbacks:
            # The log has whole seconds, so that it may not show the state before a stream's first event.
            is_first = not self._case.seen.before[self._case.outcome.stream]["ledger"]["changes"]
            unknown = self._state == "started" and self._result["previous_state"] == "unknown"
            return is_first and unknown and self._lost
        if self._state == "started":
            return bool(self._case.lost("start")) and self._last_code("start") is not None
        commands = ["stop", "cancel_delay"] if self._case.outcome.job.finalize else ["stop"]
        doubts = [self._last_code(name) is None or bool(self._case.lost(name)) for name in commands]
        return self._state == "stopped" and any(doubts)

    def _verdict(self) -> None:
        result, stream = self._result, self._case.outcome.stream
        before, after = (state[stream]["recording"] for state in (self._case.seen.before, self._case.seen.after))
        may_assume = self._made.doubtful and not self._known.callbacks
        changed = bool(self._case.own)
        self._expect(result["changed"] == changed or (result["changed"] and may_assume), "changed is wrong")
        self._expect(result["state"] == ("stopped" if self._state == "stopped" else "recording"), "the state is wrong")
        self._expect((after == "recording") == (result["state"] == "recording"), "the state is not that of the cloud")
        previous = "recording" if before == "recording" else "stopped"
        allowed = {previous, *(["unknown"] if self._made.doubtful or self._state == "restarted" else [])}
        self._expect(result["previous_state"] in allowed, "the previous state is wrong")
        if self._known.own_reads:
            assumed = [text for text in result.get("warnings", []) if ASSUMPTION.search(text)]
            self._expect(len(assumed) == self._made.doubtful, "a change is assumed silently, or doubted for nothing")

    def _calls(self) -> None:
        """Check that each command has one response, and that lists are read once, and only if they are needed."""
        arrived = set(self._result["request_ids"])
        lost = self._case.lost()
        # Before a clock that is wrong by hours is corrected, its calls are refused or have impossible times.
        clean = Counter(
            call["params"].get("Command", call["action"])
            for call in self._case.calls
            if call["request_id"] in arrived and not call["throttled"] and call not in lost
            if not call["code"] or ("Command" in call["params"] and not call["code"].startswith("InvalidTimeStamp"))
        )
        expected: Counter[str] = Counter()
        if self._state == "restarted":
            expected.update([READ_LOG] if self._lost else ["restart"])
            shown = self._result.get("state_source") == "notify_log"
            expected.update([READ_CONTENTS] if self._lost and not shown else [])
        elif self._state == "started":
            read = self._case.lost("start") and self._last_code("start")
            expected.update(["start", *([READ_LOG] if read else [])])
        else:
            expected.update([READ_LOG, "stop", *(["cancel_delay"] if self._case.outcome.job.finalize else [])])
            # The log may be late, so it is read again after a stop that may have been accepted and seems to have
            # changed nothing.
            accepted = any("Command" in call["params"] and not call["code"] for call in self._case.calls)
            expected.update([READ_LOG] if not self._result["changed"] and (accepted or lost) else [])
        self._made.reads = READ_LOG in expected
        if not self._known.own_reads:
            del expected[READ_LOG]
        self._expect(clean == expected, f"the calls are not {dict(expected)}, but {dict(clean)}")


@dataclass
class Report:
    """The figures of a scenario."""

    seed: int
    tasks: int = 0
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failed_splits: int = 0
    assumed: int = 0
    overtaken: int = 0
    attributed: int = 0
    unseen: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    def with_more(self, other: Report) -> Report:
        """Return the sums of this report and another of the same seed."""
        names = [item.name for item in fields(self) if item.name != "seed"]
        return Report(self.seed, **{name: getattr(self, name) + getattr(other, name) for name in names})


class Scenario:
    """Several phases, for which a seed chooses the faults and the behaviors that the documentation leaves open.

    `haste` is the factor by which waits are shortened. The streams belong to the `domains` in turn.
    """

    domains: tuple[str, ...] = ("live.example.com",)
    losses: Mapping[str, Any] = {}
    retry_timeout = 60

    def __init__(self, cloud: Emulator, directory: str, seed: int, streams: int, haste: float = 1.0) -> None:
        self.cloud = cloud
        self.report = Report(seed)
        self.random = random.Random(seed)
        domains = [self.domains[number % len(self.domains)] for number in range(streams)]
        self.streams = [f"{domain}/chaos/stream{number:04}" for number, domain in enumerate(domains)]
        cloud.reset()
        if QUIET in self.domains:
            add_quiet_domain(cloud)
        quotas = {"RealTimeRecordCommand": 100_000, "DescribeLiveRecordNotifyRecords": 100_000}
        chosen = {name: self.random.choice(values) for name, values in OPEN_QUESTIONS.items()}
        cloud.behave(limits=quotas, **chosen)
        cloud.push(*self.streams)
        self._controllers = {
            name: Controller(
                cloud, directory, WrongClock(self.random.choice(CLOCKS_OFF), haste), retry_timeout=self.retry_timeout
            )
            for name in "ab"
        }

    def short(self) -> Report:
        """Run a few phases with a bit of everything."""
        self.phase(Job("a-start", "started"), Job("b-start", "started"), outage=True)
        self.expect("recording")
        self.phase(Job("a-split", "restarted"))
        self.expect("recording")
        self.phase(Job("a-race", "started"), Job("b-race", "stopped"))
        self.phase(Job("b-end", "stopped", True), outage=True)
        self.expect("idle")
        return self.report

    def long(self) -> Report:
        """Run each command alone, by two controllers at once, and against its opposite."""
        self.phase(Job("a-start", "started"))
        self.expect("recording")
        self.phase(Job("b-again", "started"), outage=True)
        self.expect("recording")
        self.phase(Job("a-split", "restarted"))
        self.expect("recording")
        self.expect_files()
        self.phase(Job("a-stop", "stopped", True), Job("b-stop", "stopped", True))
        self.expect("idle")
        self.phase(Job("a-both", "started"), Job("b-both", "started"))
        self.expect("recording")
        self.phase(Job("a-race", "started"), Job("b-race", "stopped", self.random.random() < 0.5), outage=True)
        self.phase(Job("b-mend", "started"))
        self.expect("recording")
        self.phase(Job("a-cut", "restarted"), Job("b-cut", "restarted"), outage=True)
        self.expect("recording")
        self.phase(Job("a-pause", "stopped"))
        self.expect("paused")
        self.phase(Job("b-rest", "stopped"))
        self.expect("paused")
        self.phase(Job("a-end", "stopped", True))
        self.expect("idle")
        self.phase(Job("a-idle", "stopped", True), outage=True)
        self.expect("idle")
        return self.report

    def phase(self, *jobs: Job, outage: bool = False) -> None:
        """Run jobs at the same time, then judge what each of them reports for each stream."""
        cloud = self.cloud
        cloud.advance(5)
        before = streams_of(cloud)
        cloud.clear_calls()
        cloud.disturb(self.random.randrange(1 << 30), **FAULTS)
        if self.losses:
            cloud.disturb(self.random.randrange(1 << 30), action="RealTimeRecordCommand", **self.losses)
        outcomes = self._outcomes(jobs, outage)
        self.report.faults.update(cloud.clear_faults())
        seen = Evidence(before, streams_of(cloud), calls_of(cloud))
        self.report.tasks += len(outcomes)
        self.report.calls += sum(len(rows) for rows in seen.calls.values())
        for outcome in outcomes:
            self._take(outcome, judge(outcome, seen, outage, self.known(outcome)))
        self._check_splits(jobs, seen)

    def known(self, _outcome: Outcome) -> Known | None:
        """Return what can be known of the stream, None if other clients act on it."""
        return None

    def _take(self, outcome: Outcome, verdict: Verdict) -> None:
        report = self.report
        report.wrong += verdict.wrong
        report.assumed += verdict.assumed
        report.overtaken += verdict.overtaken
        report.attributed += verdict.attributed
        report.unseen += verdict.unseen
        report.lost += verdict.lost
        report.failed_splits += bool(outcome.result.get("failed"))

    def _outcomes(self, jobs: Sequence[Job], outage: bool) -> list[Outcome]:
        found: list[Outcome] = []
        errors: list[BaseException] = []

        def drive(job: Job) -> None:
            try:
                found.extend(self._controllers[job.name[0]].run(job, self.random_order(job)))
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=drive, args=[job]) for job in jobs]
        for thread in threads:
            thread.start()
        if outage:
            threading.Event().wait(self.random.uniform(0.2, 1.0))
            self.cloud.restart(down=self.random.uniform(0, 0.5))
            self.report.faults["outage"] += 1
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return found

    def random_order(self, job: Job) -> list[str]:
        """Return the streams in an order of the job's own."""
        return random.Random(f"{self.report.seed} {job.name}").sample(self.streams, len(self.streams))

    def _check_splits(self, jobs: Sequence[Job], seen: Evidence) -> None:
        for stream in self.streams:
            splits = seen.after[stream]["ledger"]["splits"] - seen.before[stream]["ledger"]["splits"]
            most = sum(job.state == "restarted" for job in jobs)
            if splits > most:
                self.report.wrong.append(f"{stream} was split {splits} times by {most} tasks")

    def expect(self, state: str) -> None:
        """Add an error for each stream that is not in this state."""
        for stream, row in streams_of(self.cloud).items():
            if row["recording"] != state:
                self.report.wrong.append(f"{stream} is {row['recording']}, not {state}: {row['ledger']}")

    def expect_files(self) -> None:
        """Add an error for each stream on which a split has not closed one file for each format."""
        for stream, row in streams_of(self.cloud).items():
            tasks = [file["task"] for file in row["files"]]
            if len(tasks) != 2 * row["ledger"]["splits"]:
                self.report.wrong.append(f"{stream} has files of the tasks {tasks}: {row['ledger']}")


class LoneScenario(Scenario):
    """Phases of a single client, whose reports must be as exact as what can be known.

    Before, a third of the streams is being recorded, a third was recorded and is stopped, and a third never was. Half
    of the streams belong to a domain without callbacks.
    """

    domains = ("live.example.com", QUIET)
    losses = LOSSES
    retry_timeout = 300  # long enough for all reads, however many calls fail

    def __init__(self, cloud: Emulator, directory: str, seed: int, streams: int, haste: float = 1.0) -> None:
        super().__init__(cloud, directory, seed, streams, haste)
        chosen = {name: self.random.choice(values) for name, values in WHAT_CONTENTS_LIST.items()}
        cloud.behave(**chosen)
        self._lists_running = chosen["running_content"] == "listed"
        self._clean = Controller(cloud, directory, Clock())
        self._thirds = [
            [stream for number, stream in enumerate(self.streams) if number // len(self.domains) % 3 == third]
            for third in range(3)
        ]

    def long(self) -> Report:
        """Run each command once with faults, after preparations without any."""
        running, stopped, _new = self._thirds
        self._prepare("started", [*running, *stopped])
        self._prepare("stopped", stopped)
        self.phase(Job("a-start", "started"))
        self.expect("recording")
        self.cloud.advance(60)
        self._prepare("stopped", stopped)
        self.phase(Job("a-stop", "stopped", self.random.random() < 0.5))
        self._prepare("started", self.streams)
        self.phase(Job("a-split", "restarted"))
        self.expect("recording")
        self.expect_files_of_splits()
        return self.report

    def _prepare(self, state: str, streams: Iterable[str]) -> None:
        """Change streams to a state, and let a minute pass, or more than the delay of a stop."""
        finalize = state == "stopped" and self.random.random() < 0.5
        for outcome in self._clean.run(Job("a-before", state, finalize), streams):
            assert not outcome.result.get("failed"), outcome
        self.cloud.advance(self.random.choice((60, 600)))

    def known(self, outcome: Outcome) -> Known:
        return Known(QUIET not in outcome.stream, self._lists_running, outcome.result.get("way") != "fleet")

    def expect_files_of_splits(self) -> None:
        """Add an error for each stream on which a split has not closed the files that were being recorded."""
        for stream, row in streams_of(self.cloud).items():
            if len({file["task"] for file in row["files"]}) < row["ledger"]["splits"]:
                self.report.wrong.append(f"{stream} was split without files: {row}")


class LonePlaybookScenario(LoneScenario):
    """The phases of a single client through the module, the role and the fleet, each in one run of ansible-playbook."""

    def __init__(self, cloud: Emulator, directory: str, seed: int, streams: int) -> None:
        super().__init__(cloud, directory, seed, streams)
        self._directory = Path(directory)

    def _outcomes(self, jobs: Sequence[Job], outage: bool) -> list[Outcome]:
        (job,) = jobs
        directory = self._directory / f"lone-{job.name}"
        directory.mkdir()
        ansible = Ansible(directory, environment(self.cloud))
        by_host = {name.rsplit("/", 1)[1]: name for name in self.random_order(job)}
        inventory = ansible.inventory(streams(list(by_host.values())), ansible_connection="local")
        plays = [self._play(way, hosts, job) for way, hosts in zip(_WAYS, self._shares(list(by_host)))]
        file = directory / "playbook.json"
        file.write_text(json.dumps(plays), encoding="utf-8")
        rate = {"apsaravideo_rate_limit": 2000, "record_rate_limit": 2000}
        settings = {"apsaravideo_region_id": job.name, "apsaravideo_retry_timeout": self.retry_timeout, **rate}
        run = ansible.playbook(str(file), "-i", str(inventory), "-e", json.dumps(settings), "--forks", "10")
        assert run.exit_code == 0, run.output
        found = []
        for row in run.rows:
            rows = row["result"]["streams"] if row["task"] == "fleet" else [{**row["result"], "host": row["host"]}]
            for each in rows:
                status = each["status"] if row["task"] == "fleet" else row["status"]
                result = {**each, "way": row["task"], "failed": status in ("failed", "ignored")}
                found.append(Outcome(job, by_host[each["host"]], result))
        if len(found) != len(by_host):
            self.report.wrong.append(f"{job}: {len(found)} reports of {len(by_host)} streams")
        (self._fleet,) = (row["result"] for row in run.rows if row["task"] == "fleet")
        self._of_fleet: list[tuple[str, Verdict]] = []
        return found

    @staticmethod
    def _shares(hosts: list[str]) -> list[list[str]]:
        return [hosts[number :: len(_WAYS)] for number in range(len(_WAYS))]

    @staticmethod
    def _play(way: str, hosts: list[str], job: Job) -> dict[str, Any]:
        names = {name: f"{{{{ {name} }}}}" for name in ("domain_name", "app_name", "stream_name")}
        wanted = {"state": job.state, "finalize": job.finalize}
        task: dict[str, Any] = {"name": way, "ignore_errors": True}
        if way == "module":
            task["apsaravideo.live.apsaravideo_record"] = {**names, **wanted}
        elif way == "role":
            task["ansible.builtin.import_role"] = {"name": "apsaravideo.live.record"}
            task["vars"] = {f"record_{name}": value for name, value in wanted.items()}
        else:
            task["apsaravideo.live.apsaravideo_record_fleet"] = {**wanted, "fail": False}
        return {"name": way, "hosts": hosts, "gather_facts": False, "tasks": [task]}

    def _take(self, outcome: Outcome, verdict: Verdict) -> None:
        super()._take(outcome, verdict)
        if outcome.result["way"] == "fleet":
            self._of_fleet.append((outcome.stream.split("/")[0], verdict))

    def phase(self, *jobs: Job, outage: bool = False) -> None:
        """Judge also what the fleet assumes and reads for all of its streams together."""
        super().phase(*jobs, outage=outage)
        found = [ASSUMPTION.search(text) for text in self._fleet.get("warnings", [])]
        assumed = sum(int(match[1] or 1) for match in found if match)
        doubtful = sum(verdict.doubtful for _domain, verdict in self._of_fleet)
        calls = [call["params"] for call in self.cloud.calls(READ_LOG)]
        read = {params["DomainName"] for params in calls if "StreamName" not in params}
        needed = {domain for domain, verdict in self._of_fleet if verdict.reads}
        if assumed != doubtful:
            warnings = self._fleet.get("warnings")
            self.report.wrong.append(f"{jobs}: the fleet assumes {assumed} changes, not {doubtful}: {warnings}")
        if read != needed:
            self.report.wrong.append(f"{jobs}: the fleet read the notify log of {read}, and needed that of {needed}")


_WAYS = ("module", "role", "fleet")


def add_quiet_domain(cloud: Emulator) -> None:
    """Add a domain that is like the built-in one, but has no callback."""
    names = {"DomainName": QUIET, "AppName": "*", "OssBucket": "b", "OssEndpoint": "oss-cn-shanghai.aliyuncs.com"}
    formats = [
        {"Format": name, "OssObjectPrefix": "{AppName}/{StreamName}/{StartTime}_{EndTime}"} for name in ("mp4", "flv")
    ]
    config = {**names, "OnDemand": 7, "RecordFormat": formats}
    cloud.add_accounts({"id": ACCOUNT, "domains": [{"name": QUIET}], "record_configs": [config]})


class PlaybookScenario(Scenario):
    """Phases of runs of ansible-playbook, some of which are killed in the middle."""

    def __init__(self, cloud: Emulator, directory: str, seed: int, streams: int) -> None:
        super().__init__(cloud, directory, seed, streams)
        self.killed = 0  # commands that the killed runs had sent
        self._directory = Path(directory)

    def short(self) -> Report:
        """Run each command; one of two controllers is killed."""
        self.phase(Job("a-killed", "started"), Job("b-start", "started"), outage=True)
        self.expect("recording")
        self.phase(Job("a-split", "restarted"))
        self.expect_files()
        self.phase(Job("a-stop", "stopped", True))
        self.expect("idle")
        return self.report

    def long(self) -> Report:
        """Run two controllers at once, one of which is killed and run again, and opposite commands."""
        self.phase(Job("a-killed", "started"), Job("b-start", "started"), outage=True)
        self.phase(Job("a-again", "started"))
        self.expect("recording")
        self.phase(Job("a-split", "restarted"))
        self.expect("recording")
        self.expect_files()
        self.phase(Job("a-race", "started"), Job("b-race", "stopped"))
        self.phase(Job("a-stop", "stopped", True), Job("b-killed", "stopped", True), outage=True)
        self.expect("idle")
        return self.report

    def _outcomes(self, jobs: Sequence[Job], outage: bool) -> list[Outcome]:
        runs = [PlaybookRun(self.cloud, self._directory / job.name, job, self.random_order(job)) for job in jobs]
        if outage:
            runs[0].await_calls()
            self.cloud.restart(down=self.random.uniform(0, 0.5))
            self.report.faults["outage"] += 1
        found: list[Outcome] = []
        for run in sorted(runs, key=lambda run: not run.job.name.endswith("-killed")):
            if run.job.name.endswith("-killed"):
                self.killed += run.kill()
                self.report.faults["killed run"] += 1
                continue
            outcomes = run.end()
            missing = len(self.streams) - len(outcomes)
            if missing:
                self.report.wrong.append(f"{run.job}: nothing is said of {missing} streams")
            found += outcomes
        return found


class PlaybookRun:
    """A run of ansible-playbook that can be observed and killed before its end.

    Runs in directories of the same parent share their slots.
    """

    _PLAYBOOKS = {"started": "start", "restarted": "split", "stopped": "stop"}
    _SOME = 5

    def __init__(self, cloud: Emulator, directory: Path, job: Job, names: list[str]) -> None:
        directory.mkdir()
        self.job = job
        self._cloud = cloud
        self._streams = {name.rsplit("/", 1)[1]: name for name in names}
        self._ansible = Ansible(directory, {**environment(cloud), "XDG_RUNTIME_DIR": str(directory.parent)})
        wanted = {"apsaravideo_region_id": job.name, "finalize": job.finalize, "record_rate_limit": 500}
        inventory = str(self._ansible.inventory(streams(names)))
        arguments = ["-i", inventory, "-e", json.dumps(wanted), "--forks", "10"]
        self._output = directory / "output"
        with self._output.open("w", encoding="utf-8") as output:
            self._process = subprocess.Popen(
                [ANSIBLE_PLAYBOOK, f"apsaravideo.live.{self._PLAYBOOKS[job.state]}", *arguments],
                cwd=directory,
                env=self._ansible.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def results(self) -> list[Outcome]:
        """Return the outcomes that it has reported so far."""
        file = self._ansible.results_file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        rows = [row for row in map(json.loads, lines) if row["task"].endswith(FLEET)]
        return [
            Outcome(self.job, self._streams[row["host"]], {**row, "failed": row["status"] == "failed"})
            for result in rows
            for row in result["result"]["streams"]
        ]

    def sent(self) -> int:
        """Return how many of its commands the emulator has received."""
        calls = self._cloud.calls("RealTimeRecordCommand")
        return sum(call["params"].get("RegionId") == self.job.name for call in calls)

    def await_calls(self) -> None:
        """Wait until it has sent some of its commands."""
        patience = time.monotonic() + 60
        while self.sent() < self._SOME and self._process.poll() is None:
            assert time.monotonic() < patience
            time.sleep(0.02)

    def kill(self) -> int:
        """Kill its process group, and return how many commands it had sent by then.

        Newer versions of ansible-core give a worker a session of its own, so that it is not in the group.
        """
        self.await_calls()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        return self.sent()

    def end(self) -> list[Outcome]:
        """Wait for its end and return all outcomes."""
        self._process.wait(600)
        found = self.results()
        failed = any(outcome.result.get("failed") for outcome in found)
        assert self._process.returncode == (2 if failed else 0), self._output.read_text(encoding="utf-8")
        return found
