# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs with failures of all kinds; exit code, summary, retry file and recap must agree with the cloud's ledger."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._util.clock import Clock
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.retry_file import make_limit_line
from support.chaos import Controller, Job
from support.emulator import ACCOUNT

CONFIGURED, BARE = "live.example.com", "bare.example.com"
STRANGE_HOSTS = ("news:studio1", "a,b", "a b", "!not", "&and", "all1", "~re", "\u4e2d\u6587")
# The conditions of streams, and sets of those under which no command is sent or succeeds
KINDS = ("idle", "recording", "absent", "no configuration", "undefined", "no text", "unreachable", "lost once")
NEVER_TRIED = frozenset({"undefined", "no text"})
NOT_STARTED = NEVER_TRIED | {"absent", "no configuration", "unreachable"}
NOT_STOPPED = NEVER_TRIED | {"unreachable"}
# A run takes two seconds.
EXAMPLES = int(os.environ.get("TEST_RUNS", "10"))


@dataclass(frozen=True)
class Case:
    """A run: its hosts with the conditions of their streams, and its options."""

    playbook: str
    hosts: dict[str, str]
    limit: tuple[str, ...] | None
    batch: str
    max_fail: int
    each: int
    interrupted_after: int | None
    signal: signal.Signals

    @property
    def selected(self):
        return set(self.hosts if self.limit is None else self.limit)


@st.composite
def make_cases(draw):
    names = [f"s{number:02}" for number in range(draw(st.integers(1, 30)))]
    names += draw(st.lists(st.sampled_from(STRANGE_HOSTS), unique=True, max_size=3))
    healthy = st.sampled_from(("idle", "recording"))
    kinds = draw(st.sampled_from([healthy, st.one_of(healthy, st.sampled_from(KINDS)), st.sampled_from(KINDS)]))
    hosts = {name: draw(kinds) for name in names}
    plain = [name for name in names if name not in STRANGE_HOSTS]
    return Case(
        playbook=draw(st.sampled_from(["start", "stop"])),
        hosts=hosts,
        limit=draw(st.none() | st.lists(st.sampled_from(plain), min_size=1, unique=True).map(tuple)),
        batch=draw(st.sampled_from(["100%", "100%", "7", "1,50%", "3,10"])),
        max_fail=draw(st.sampled_from([100, 100, 100, 0, 30])),
        each=draw(st.sampled_from([20, 2])),
        interrupted_after=draw(st.none() | st.integers(0, len(names))),
        signal=draw(st.sampled_from([signal.SIGINT, signal.SIGTERM])),
    )


def make_variables(number, kind):
    """Return the variables of a host whose stream has this condition."""
    return {
        "domain_name": BARE if kind == "no configuration" else CONFIGURED,
        "app_name": "app",
        "stream_name": {"undefined": "{{ nowhere }}", "no text": True}.get(kind, f"stream{number}"),
    }


@dataclass(frozen=True)
class Prepared:
    """The variables of all hosts, and the streams' names where they are valid."""

    rows: dict[str, dict[str, object]]
    names: dict[str, str]


def prepare(cloud, ansible, case):
    """Set up the streams of a case in the emulator."""
    cloud.reset()
    cloud.add_accounts({"id": ACCOUNT, "domains": [{"name": BARE, "ingest": [f"push.{BARE}"]}]})
    rows = {host: make_variables(number, kind) for number, (host, kind) in enumerate(case.hosts.items())}
    names = {
        host: "/".join(row[name] for name in ("domain_name", "app_name", "stream_name"))
        for host, row in rows.items()
        if case.hosts[host] not in NEVER_TRIED
    }
    cloud.push(*[name for host, name in names.items() if case.hosts[host] != "absent"])
    # A stop would assume a change, with a warning, if the notify log did not show the state before it.
    begun = {"recording"} if case.playbook == "start" else {"recording", "idle", "lost once", "unreachable"}
    for state, kinds in (("started", begun), ("stopped", begun & {"idle"})):
        wanted = [name for host, name in names.items() if case.hosts[host] in kinds]
        outcomes = Controller(cloud, str(ansible.directory), Clock()).run(Job("before", state), wanted)
        assert all(outcome.result["changed"] for outcome in outcomes)
        cloud.advance(5)  # times in the notify log have whole seconds
    for host, name in names.items():
        only = {"action": "RealTimeRecordCommand", "parameters": {"StreamName": name.rsplit("/", 1)[1]}}
        if case.hosts[host] == "unreachable":
            cloud.fault("reset_before", times=1000, **only)
        elif case.hosts[host] == "lost once":
            cloud.fault("reset_after", times=1, **only)
    cloud.clear_calls()
    for file in ansible.directory.glob("*.retry"):
        file.unlink()
    return Prepared(rows, names)


def run(cloud, ansible, case, rows):
    """Run the playbook; if the case says so, interrupt it after a number of calls."""
    values = {"batch": case.batch, "max_fail": case.max_fail, "record_fail_each": case.each}
    values.update(record_rate_limit=40, apsaravideo_retry_timeout=2)
    arguments = ["-i", str(ansible.inventory(rows)), "-e", json.dumps(values)]
    if case.limit is not None:
        arguments += ["--limit", ",".join(case.limit)]
    process = ansible.begin(f"apsaravideo.live.{case.playbook}", *arguments)
    if case.interrupted_after is not None:
        while process.poll() is None and len(cloud.calls()) < case.interrupted_after:
            time.sleep(0.02)
        process.send_signal(case.signal)
    return ansible.end(process)


def is_done(case, row):
    """Return whether a stream is in the desired state; `row` is None if it was never pushed."""
    recording = row is not None and row["recording"] == "recording"
    return recording if case.playbook == "start" else not recording


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # Shrinking would take minutes, because an example takes seconds.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=make_cases())
def test_exit_code_summary_retry_file_and_recap_agree_with_the_ledger(cloud, ansible, case):
    prepared = prepare(cloud, ansible, case)
    known = {row["stream_name"]: len(row["ledger"]["changes"]) for row in cloud.state()["streams"]}
    result = run(cloud, ansible, case, prepared.rows)
    event(f"{case.playbook}, exit code {result.exit_code}, interrupted: {case.interrupted_after is not None}")

    ledger = {row["stream_name"]: row for row in cloud.state()["streams"]}
    stream = {host: name.rsplit("/", 1)[1] for host, name in prepared.names.items()}
    changed = {
        host
        for host, name in stream.items()
        if name in ledger and len(ledger[name]["ledger"]["changes"]) > known.get(name, 0)
    }
    done = {host for host, name in stream.items() if is_done(case, ledger.get(name))}
    retry = ansible.directory / f"{case.playbook}.retry"
    left = retry.read_text(encoding="utf-8").splitlines() if retry.exists() else []
    context = f"{case}\nleft {left}\n{result.output}"

    assert changed <= case.selected, context
    assert "Traceback" not in result.output, context
    if not result.fleets():
        # Ansible was interrupted before the task began or after it ended.
        assert case.interrupted_after is not None and result.exit_code != 0, context
    undone = case.selected - done
    assert (result.exit_code == 0) <= (not undone and not left), context
    assert bool(undone) <= (result.exit_code != 0), context
    assert {make_limit_line(host) for host in undone} <= set(left) or not has_written_retry_file(result, case), context
    if case.interrupted_after is None:
        compare_with_ledger(cloud, case, result, done, changed, left, context)


def has_written_retry_file(result, case):
    """Return whether the run came far enough to write its retry file."""
    return case.interrupted_after is None or f"{case.playbook}: {len(case.selected)} stream" in result.output


def compare_with_ledger(cloud, case, result, done, changed, left, context):
    """Compare the report of a run that was not interrupted with the ledger."""
    failing = NOT_STARTED if case.playbook == "start" else NOT_STOPPED
    failed = {host for host in case.selected if case.hosts[host] in failing}
    summary = result.summary()[0]
    numbers = {words: int(number) for number, words in re.findall(r"(\d+) ([a-z ]+?)(?=[,.] |[,.]$)", summary)}
    not_tried = numbers.get("not tried", 0)
    assert numbers.get("streams", numbers.get("stream")) == len(case.selected), context
    # A command whose response was lost may have changed something.
    perhaps = {host for host, row in result.entries().items() if row["status"] == "failed" and row["changed"]}
    assert perhaps <= {host for host in case.selected if case.hosts[host] == "unreachable"}, context
    assert numbers["changed"] == len(changed | perhaps), context
    assert numbers.get("calls", numbers.get("call")) == len(cloud.calls()), context
    assert set(left) >= {make_limit_line(host) for host in case.selected - done}, context
    if case.max_fail == 100:
        assert not_tried == 0, context
        assert set(left) == {make_limit_line(host) for host in failed}, context
        assert numbers.get("failed", 0) == len(failed), context
    assert (result.exit_code == 2) == bool(left), context
    assert len(left) == numbers.get("failed", 0) + not_tried, context
    if case.playbook == "start":
        tried = case.selected - list_not_tried(case, result)
        assert numbers.get("recording", 0) == len(done & tried), context
    in_recap = result.failed()
    assert bool(in_recap) == bool(left), context
    if left and len(left) <= case.each:
        assert {make_limit_line(host) for host in in_recap} == set(left), context


def list_not_tried(case, result):
    """Return the hosts for which nothing was tried, in later batches too, whatever their state was before."""
    entries = result.entries()
    return {host for host in case.selected if host not in entries or entries[host]["status"] == "not_tried"}
