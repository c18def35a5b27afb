# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of playbooks that are interrupted, killed, shown on a terminal, or whose output is closed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest

from support.emulator import stream_fields
from support.playbook import streams

MANY = [f"live.example.com/app/s{number:03}" for number in range(150)]
FEW = MANY[:20]
MOVING = re.compile(r"\[#* *\] start: \d+/\d+, ")


def hosts(names):
    return {name.rsplit("/", 1)[1] for name in names}


def command(name, inventory, *arguments, **variables):
    return f"apsaravideo.live.{name}", "-i", inventory, "-e", json.dumps(variables), *arguments


def recorded(cloud):
    return {row["stream_name"] for row in cloud.state()["streams"] if row["recording"] == "recording"}


def retry_file(ansible, name="start.retry"):
    file = ansible.directory / name
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else None


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def processes(ansible):
    """Return the processes that a run has started, which have its directory in their environment."""
    mark = f"HOME={ansible.directory}".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (directory / "environ").read_bytes().split(b"\0"):
                found.append(int(directory.name))
    return found


def assert_no_process_remains(ansible, seconds=8):
    wait_until(lambda: not processes(ansible), seconds)


class Terminal:
    """A pseudo-terminal with a run in it, and the output so far."""

    def __init__(self, ansible, arguments, **environ):
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 100)) if hasattr(termios, "tcsetwinsize") else None
        self.before = termios.tcgetattr(slave)
        self.shown = ""
        self.process = ansible.begin(
            *arguments,
            environ={"TERM": "xterm", **environ},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self._slave = slave

    def read_until(self, condition, seconds=60):
        """Read the output until a condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.shown
            if select.select([self.master], [], [], 0.05)[0]:
                self.shown += os.read(self.master, 65536).decode("utf-8", "replace")

    def end(self):
        """Read the output to the end of the run, and return its exit code."""
        self.read_until(lambda: self.process.poll() is not None)
        while select.select([self.master], [], [], 0.2)[0]:
            self.shown += os.read(self.master, 65536).decode("utf-8", "replace")
        self.after = termios.tcgetattr(self._slave)
        os.close(self._slave)
        os.close(self.master)
        return self.process.returncode

    def screen(self):
        """Return the final lines, as a terminal of unlimited height shows them."""
        lines, row, column = [""], 0, 0
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+|\x1b", self.shown):
            if part == "\r":
                column = 0
            elif part == "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            elif part == "\x1b[A":
                row = max(0, row - 1)
            elif part == "\x1b[K":
                lines[row] = lines[row][:column]
            elif part == "\x1b[J":
                lines[row:] = [lines[row][:column]]
            elif not part.startswith("\x1b"):
                line = lines[row].ljust(column)
                lines[row] = line[:column] + part + line[column + len(part) :]
                column += len(part)
        return lines


def test_a_terminal_shows_one_moving_line_and_then_the_summary(cloud, ansible):
    cloud.push(*FEW)
    inventory = str(ansible.inventory(streams(FEW)))
    terminal = Terminal(ansible, command("start", inventory, record_rate_limit=6))
    terminal.read_until(lambda: len(MOVING.findall(terminal.shown)) > 4)
    assert terminal.end() == 0, terminal.shown
    assert recorded(cloud) == hosts(FEW)
    seen = terminal.screen()
    assert not [line for line in seen if MOVING.search(line)], "the moving line was not erased"
    assert "start: 20 streams, 20 recording. 20 changed. 20 calls, 0 throttled." in seen
    assert terminal.after == terminal.before


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}, {"AWX_ISOLATED_DATA_DIR": "/tmp"}], ids=str)
def test_no_moving_line_is_shown_in_ci_or_on_a_dumb_terminal(cloud, ansible, environ):
    cloud.push(*FEW[:8])
    inventory = str(ansible.inventory(streams(FEW[:8])))
    terminal = Terminal(ansible, command("start", inventory, record_rate_limit=6), **environ)
    assert terminal.end() == 0, terminal.shown
    assert "start: 8 streams, 8 recording." in terminal.shown
    assert not MOVING.search(terminal.shown)
    assert "\x1b[K" not in terminal.shown and "\x1b[J" not in terminal.shown


def test_a_pipe_gets_a_plain_line_every_ten_seconds(cloud, ansible):
    cloud.push(*FEW)
    inventory = str(ansible.inventory(streams(FEW)))
    run = ansible.playbook(*command("start", inventory, record_rate_limit=1.6), environ={"TERM": "xterm"})
    assert run.exit_code == 0, run.output
    lines = [line for line in run.output.splitlines() if re.match(r"start: \d+/20, ", line)]
    assert len(lines) == 1 and "0 failed" in lines[0] and "of 1.6 calls/s" in lines[0], run.output
    assert "\x1b" not in run.output


def test_ctrl_c_ends_the_run_and_the_retry_file_completes_it(cloud, ansible):
    cloud.push(*MANY)
    inventory = str(ansible.inventory(streams(MANY)))
    terminal = Terminal(ansible, command("start", inventory))
    wait_until(lambda: len(cloud.calls()) > 40)
    os.write(terminal.master, b"\x03")
    assert terminal.end() != 0
    assert_no_process_remains(ansible)
    calls = len(cloud.calls())
    assert calls < 150
    assert terminal.after == terminal.before, "the terminal was not restored"
    assert set(retry_file(ansible)) == hosts(MANY) - recorded(cloud)
    text = "\n".join(terminal.screen())
    assert re.search(r"start: 150 streams, \d+ recording, .*\d+ not tried", text), text
    assert "--limit @start.retry" in text
    time.sleep(1.5)
    assert len(cloud.calls()) == calls, "sent after the end"
    complete_with_retry_file(cloud, ansible, inventory)


def complete_with_retry_file(cloud, ansible, inventory):
    """Run again with the retry file, and check that each stream was started once."""
    run = ansible.playbook(*command("start", inventory, "--limit", "@start.retry"))
    assert run.exit_code == 0, run.output
    assert recorded(cloud) == hosts(MANY)
    assert retry_file(ansible) is None
    assert {row["ledger"]["starts"] for row in cloud.state()["streams"]} == {1}


@pytest.mark.parametrize(
    ("number", "batch"),
    [(signal.SIGINT, 150), (signal.SIGINT, 30), (signal.SIGTERM, 150), (signal.SIGKILL, 150)],
    ids=["SIGINT", "SIGINT in the second batch", "SIGTERM", "SIGKILL"],
)
def test_a_signal_ends_the_run_and_the_retry_file_completes_it(cloud, ansible, number, batch):
    cloud.push(*MANY)
    inventory = str(ansible.inventory(streams(MANY)))
    (ansible.directory / "start.retry").write_text("s000\ns001\n", encoding="utf-8")
    process = ansible.begin(*command("start", inventory, batch=batch))
    wait_until(lambda: len(cloud.calls()) > 40)
    process.send_signal(number)
    ended = time.time()
    run = ansible.end(process)
    assert run.exit_code != 0
    assert_no_process_remains(ansible)
    calls = [call["time"] for call in cloud.calls()]
    assert len(calls) < 150
    assert max(calls) < ended + 1, "sent after the signal"
    time.sleep(1.5)
    assert len(cloud.calls()) == len(calls)
    left = set(retry_file(ansible))
    assert left >= hosts(MANY) - recorded(cloud)
    if number != signal.SIGKILL:
        assert left == hosts(MANY) - recorded(cloud)
    assert re.search(r"start: 150 streams, \d+ recording, .*\d+ not tried", run.output), "no summary"
    assert not list(ansible.directory.glob(".apsaravideo-*")), "temporary files remain"
    complete_with_retry_file(cloud, ansible, inventory)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_queued_commands_are_not_sent_after_a_signal(cloud, ansible, number):
    cloud.push(*FEW)
    process = ansible.begin(*command("start", str(ansible.inventory(streams(FEW))), record_rate_limit=3))
    wait_until(lambda: len(cloud.calls()) > 3)
    process.send_signal(number)
    ended = time.time()
    run = ansible.end(process)
    assert_no_process_remains(ansible)
    assert max(call["time"] for call in cloud.calls()) < ended + 0.7, "queued commands have slots every 0.3 s"
    assert "failed" not in run.output.split("start: 20 streams")[1].splitlines()[0], "failed instead of not tried"
    assert set(retry_file(ansible)) == hosts(FEW) - recorded(cloud)


def test_an_interrupted_run_waits_only_seconds_for_missing_responses(cloud, ansible):
    cloud.push(*FEW)
    hanging = hosts(FEW[:3])
    for name in hanging:
        cloud.fault("delay", action="RealTimeRecordCommand", parameters={"StreamName": name}, seconds=30)
    process = ansible.begin(*command("start", str(ansible.inventory(streams(FEW)))))
    wait_until(lambda: recorded(cloud) >= hosts(FEW) - hanging)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    run = ansible.end(process)
    assert_no_process_remains(ansible)
    assert time.monotonic() - began < 10
    assert run.exit_code != 0
    assert set(retry_file(ansible)) == hanging
    assert "3 x A command of this stream was sent, and the run ended before the response came" in run.output


def test_the_retry_file_lists_all_hosts_from_the_beginning(cloud, ansible):
    cloud.push(*FEW)
    inventory = str(ansible.inventory(streams(FEW)))
    (ansible.directory / "start.retry").write_text("s001\nelsewhere\n", encoding="utf-8")
    process = ansible.begin(*command("start", inventory, start_at=f"{time.time() + 60:.3f}"))
    wait_until(lambda: len(retry_file(ansible)) > 2)
    process.kill()
    assert ansible.end(process).exit_code != 0
    assert retry_file(ansible) == ["elsewhere", *sorted(hosts(FEW))]
    assert_no_process_remains(ansible)
    assert cloud.calls() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_killed_run_sends_nothing_at_start_at(cloud, ansible, number):
    cloud.push(*FEW)
    inventory = str(ansible.inventory(streams(FEW)))
    start_at = time.time() + 7
    process = ansible.begin(*command("start", inventory, start_at=f"{start_at:.3f}"))
    wait_until(lambda: retry_file(ansible))
    assert len(processes(ansible)) > 1
    time.sleep(max(0.0, start_at - 0.5 - time.time()))  # Now the first calls are connected.
    process.send_signal(number)
    ansible.end(process)
    time.sleep(max(0.0, start_at + 1 - time.time()))
    assert cloud.calls() == []
    assert_no_process_remains(ansible)


def test_a_retry_of_an_interrupted_split_splits_each_stream_once(cloud, ansible):
    names = MANY[:80]
    cloud.push(*names)
    inventory = str(ansible.inventory(streams(names)))
    assert ansible.playbook(*command("start", inventory)).exit_code == 0
    cloud.advance(60)
    cloud.clear_calls()
    process = ansible.begin(*command("split", inventory))
    wait_until(lambda: len(cloud.calls()) > 20)
    process.send_signal(signal.SIGINT)
    assert ansible.end(process).exit_code != 0
    assert_no_process_remains(ansible)
    run = ansible.playbook(*command("split", inventory, "--limit", "@split.retry"))
    assert run.exit_code == 0, run.output
    assert {row["ledger"]["splits"] for row in cloud.state()["streams"]} == {1}


@pytest.mark.parametrize("reader", ["head -1", "grep -q TASK", "true"])
def test_a_closed_output_does_not_stop_the_work(cloud, ansible, reader):
    cloud.push(*FEW[:-1])
    inventory = str(ansible.inventory(streams(FEW)))
    process = ansible.begin(*command("start", inventory, record_rate_limit=10), "-v")
    with subprocess.Popen(reader.split(), stdin=process.stdout, stdout=subprocess.DEVNULL) as reading:
        process.stdout.close()
        reading.wait(60)
        process.wait(60)
    assert process.returncode != 0
    assert_no_process_remains(ansible)
    if reader == "true" and not cloud.calls():
        return  # Ansible ended at its first line of output, before any call.
    assert set(retry_file(ansible)) == hosts(FEW) - recorded(cloud)
    assert recorded(cloud) == hosts(FEW[:-1])


def test_two_runs_share_one_retry_file(cloud, ansible):
    one, other = MANY[:30], MANY[30:60]
    cloud.push(*one[2:], *other[3:])
    inventory = str(ansible.inventory(streams(one + other)))
    runs = [
        ansible.begin(
            *command("start", inventory, "--limit", ",".join(sorted(hosts(names)))), stdout=subprocess.DEVNULL
        )
        for names in (one, other)
    ]
    assert [run.wait(120) for run in runs] == [2, 2]
    assert sorted(retry_file(ansible)) == sorted(hosts(one[:2]) | hosts(other[:3]))
    cloud.push(*one[:2])
    assert ansible.playbook(*command("start", inventory, "--limit", "s000,s001")).exit_code == 0
    assert sorted(retry_file(ansible)) == sorted(hosts(other[:3]))
    assert sorted(path.name for path in ansible.directory.glob("*retry*")) == ["start.retry"]


def test_the_number_that_is_left_is_that_of_the_retry_file(cloud, ansible):
    cloud.push(*FEW[1:])
    inventory = str(ansible.inventory(streams(FEW)))
    (ansible.directory / "start.retry").write_text("s001\nelsewhere\nanother\n", encoding="utf-8")
    run = ansible.playbook(*command("start", inventory))
    assert retry_file(ansible) == ["elsewhere", "another", "s000"]
    said = "To go on with the 3 that are left (1 of this run, 2 of other runs): --limit @start.retry"
    assert run.summary()[-1] == said


def test_hosts_that_failed_in_an_earlier_play_are_told_from_those_of_the_run(cloud, ansible):
    cloud.push(*FEW[1:])
    inventory = str(ansible.inventory(streams(FEW)))
    plays = [{"ansible.builtin.import_playbook": f"apsaravideo.live.{name}"} for name in ("start", "stop")]
    file = ansible.directory / "site.json"
    file.write_text(json.dumps(plays), encoding="utf-8")
    run = ansible.playbook(str(file), "-i", inventory)
    assert retry_file(ansible, "stop.retry") == ["s000"]
    output = " ".join(run.output.split())
    assert "stop: 19 streams, 19 stopped." in output
    assert "To go on with the 1 that is left (1 failed in an earlier play): --limit @stop.retry" in output


def test_an_interrupted_run_of_thousands_of_entries_ends(cloud, ansible):
    cloud.push(*MANY)
    rows = [{**row, "host": host} for host, row in streams(MANY).items()]
    options = {"streams": [*rows[:1], *rows[1:-1] * 40, {**rows[-1], "host": "s000"}], "retry_file": "start.retry"}
    tasks = [{"apsaravideo.live.apsaravideo_record_fleet": {**options, "state": "started", "rate_limit": 5}}]
    file = ansible.directory / "twice.json"
    file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    process = ansible.begin(str(file), "-i", str(ansible.inventory(streams(MANY))))
    wait_until(cloud.calls)
    process.send_signal(signal.SIGINT)
    assert ansible.end(process).exit_code != 0
    assert "s000" in retry_file(ansible)


def test_a_retry_file_that_cannot_be_written_is_a_warning(cloud, ansible):
    cloud.push(*FEW[1:4])
    inventory = str(ansible.inventory(streams(FEW[:4])))
    (ansible.directory / "a").mkdir()
    os.mkfifo(ansible.directory / "pipe")
    for name in ("results.jsonl", "ansible", "tmp"):
        (ansible.directory / name).touch() if "." in name else (ansible.directory / name).mkdir(exist_ok=True)
    before = set(ansible.directory.iterdir())
    for path in ("a", "pipe"):
        run = ansible.playbook(*command("start", inventory, retry_file=path))
        assert run.exit_code == 2
        assert recorded(cloud) == hosts(FEW[1:4])
        assert f"{path} does not list the hosts that are left" in " ".join(run.output.split())
        assert "--limit" not in run.output
    assert not [path for path in set(ansible.directory.iterdir()) - before if path.name[:16] != "apsaravideo-live"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_large_run_leaves_no_process(cloud, ansible, number):
    """Its complete result would not fit into a pipe that is no longer read."""
    names = [f"live.example.com/app/{'long-' * 10}{index:04}" for index in range(2000)]
    cloud.push(*names[:200])
    process = ansible.begin(*command("start", str(ansible.inventory(streams(names)))))
    wait_until(lambda: len(cloud.calls()) > 40)
    process.send_signal(number)
    run = ansible.end(process)
    assert run.exit_code != 0
    assert_no_process_remains(ansible, 15)
    assert "start: 2000 streams, " in run.output
    assert set(retry_file(ansible)) == hosts(names) - recorded(cloud)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_an_interrupted_run_reports_stops_that_wait_for_the_notify_log(cloud, ansible, number):
    """All responses have come, so that no work remains, and the result is no longer read."""
    names = [f"live.example.com/app/{'long-' * 10}{index:03}" for index in range(150)]
    cloud.push(*names)
    cloud.add_events(*({**stream_fields(name), "notify_type": "record_paused", "age": 60} for name in names))
    process = ansible.begin(*command("stop", str(ansible.inventory(streams(names)))))
    wait_until(lambda: len(cloud.calls("RealTimeRecordCommand")) == len(names))
    time.sleep(1)
    process.send_signal(number)
    run = ansible.end(process)
    assert run.exit_code != 0
    assert_no_process_remains(ansible)
    assert "stop: 150 streams, 150 stopped. 150 changed." in run.output
