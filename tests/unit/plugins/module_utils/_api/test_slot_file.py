# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots: evenly spaced, shared by processes, and there whatever state the shared file is in."""

from __future__ import annotations

import itertools
import os
import stat
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.module_utils._api import slot_file
from ansible_collections.apsaravideo.live.plugins.module_utils._api.slot_file import (
    SlotFile,
    make_shared_directory,
)

RATE = 50.0
NUMBERS = itertools.count()


class Time:
    """Monotonic time and wall clock, moved by hand, since a start of the machine; without a name on some systems."""

    def __init__(self, now=1000.0, origin=1_700_000_000.0, boot=b"first"):
        self.now, self.origin, self.boot = now, origin, boot

    def monotonic(self):
        return self.now

    def wall(self):
        return self.origin + self.now


def make_limiter(directory, time, account="account", action="action", rate=RATE):
    return SlotFile(directory and str(directory), account, action, rate, time.monotonic, time.wall, lambda: time.boot)


@pytest.fixture(name="time")
def a_time():
    return Time()


@pytest.fixture(params=["shared", "alone"])
def make(request, tmp_path, time):
    """Makes pacers of one account, as each process would have its own; unshared ones are all of this process."""
    account = f"account {next(NUMBERS)}"

    def made(**changes):
        return make_limiter(tmp_path if request.param == "shared" else None, time, **{"account": account, **changes})

    return made


def test_slots_are_evenly_spaced_for_all_limiters(make, time):
    slots = [make().reserve() for _process in range(100)]
    assert slots == pytest.approx([time.now + number / RATE for number in range(100)])


def test_the_slot_is_now_if_the_queue_is_empty(make, time):
    make().reserve()
    time.now += 60
    assert make().reserve() == time.now
    assert make().reserve() == pytest.approx(time.now + 1 / RATE), "idle time is not saved up"


def test_the_backlog_is_the_wait_of_the_next_caller(make, time):
    assert make().measure_backlog() == 0
    for _call in range(100):
        make().reserve()
    assert make().measure_backlog() == pytest.approx(100 / RATE)
    time.now += 1
    assert make().measure_backlog() == pytest.approx(100 / RATE - 1)
    assert make().reserve() == pytest.approx(time.now + 100 / RATE - 1), "looking takes no slot"


def test_accounts_and_operations_do_not_wait_for_each_other(make, time):
    for _call in range(20):
        make().reserve()
    assert make(account="another").reserve() == time.now
    assert make(action="another").reserve() == time.now


def test_another_rate_takes_effect_at_once(make, time):
    make(rate=1).reserve()
    assert make(rate=RATE).reserve() == pytest.approx(time.now + 1)
    assert make(rate=RATE).reserve() == pytest.approx(time.now + 1 + 1 / RATE)


def test_a_dropped_call_slows_all_limiters_down_and_the_rate_recovers(make, time):
    make().reserve()
    make().slow_down()
    time.now += 1
    first, second = make().reserve(), make().reserve()
    assert 1 / RATE < second - first <= 1 / (RATE * 0.7)
    time.now += 60
    first, second = make().reserve(), make().reserve()
    assert second - first == pytest.approx(1 / RATE)


def test_calls_dropped_together_count_once(make, time):
    for _call in range(10):
        make().slow_down()
    first, second = make().reserve(), make().reserve()
    assert second - first <= 1 / (RATE * 0.7)


def test_the_rate_never_falls_below_its_minimum(make, time):
    for _call in range(100):
        time.now += 0.5
        make().slow_down()
    first, second = make().reserve(), make().reserve()
    assert second - first <= 1 / (RATE * slot_file.MIN_FACTOR) + 1e-6


def find_file(directory):
    (path,) = directory.iterdir()
    return path


@pytest.fixture(name="path")
def path_of_a_used_pacer(tmp_path, time):
    for _call in range(10):
        make_limiter(tmp_path, time).reserve()
    return find_file(tmp_path)


def test_the_file_is_private_and_contains_no_names(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "account" not in str(path.name) and b"account" not in path.read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"x" * 40,
        b"x" * 4000,
        struct.pack("<8sdddd", b"apsara01", float("nan"), float("nan"), float("nan"), float("nan")),
        struct.pack("<8sdddd", b"apsara01", 1_700_000_000.0, float("inf"), 1.0, 0.0),
        struct.pack("<8sdddd", b"apsara01", 1_700_000_000.0, 1e300, 1.0, 0.0),
        struct.pack("<8sdddd", b"apsara01", 1_700_000_000.0, 1000.0, 0.0, 0.0),
        struct.pack("<8sdddd", b"apsara01", 1_700_000_000.0, 1000.0, -1.0, 0.0),
        struct.pack("<8sdddd", b"apsara01", 1_700_000_000.0, 1000.0, 1e9, 0.0),
        struct.pack("<8sdddd", b"apsara01", 1_700_000_000.0, 1000.0, 0.5, 1e9),
    ],
)
def test_a_corrupt_or_foreign_file_is_overwritten(path, tmp_path, time, content):
    path.write_bytes(content)
    ours = make_limiter(tmp_path, time)
    assert ours.reserve() == time.now
    assert ours.reserve() == pytest.approx(time.now + 1 / RATE)
    assert ours.problem is None


@given(content=st.binary(max_size=60))
def test_any_content_of_the_file_leaves_slots_in_the_near_future(tmp_path_factory, content):
    directory = tmp_path_factory.mktemp("pacer")
    time = Time()
    make_limiter(directory, time).reserve()
    find_file(directory).write_bytes(content)
    assert time.now <= make_limiter(directory, time).reserve() <= time.now + 1e4 / (RATE * slot_file.MIN_FACTOR)


@pytest.mark.parametrize("boot", [b"second", b""])
def test_slots_of_an_earlier_boot_are_dropped(path, tmp_path, boot):
    later = Time(now=5.0, origin=1_700_500_000.0, boot=boot)
    assert make_limiter(tmp_path, later).reserve() == 5.0


def test_a_reboot_is_detected_by_the_clock_without_a_boot_id(tmp_path):
    earlier = Time(now=1000.0, boot=b"")
    make_limiter(tmp_path, earlier).reserve()
    assert make_limiter(tmp_path, Time(now=5.0, origin=1_700_500_000.0, boot=b"")).reserve() == 5.0


@pytest.mark.parametrize("step", [-7200, -5.5, 5.5, 7200])
def test_a_clock_that_is_set_changes_no_slot(make, time, step):
    slots = [make().reserve() for _call in range(10)]
    time.origin += step
    slots += [make().reserve() for _call in range(10)]
    assert slots == pytest.approx([time.now + number / RATE for number in range(20)])


def test_linux_has_a_boot_id():
    assert len(slot_file._boot_id()) == (36 if sys.platform == "linux" else 0)


def test_a_missing_directory_means_slots_of_this_process(tmp_path, time):
    ours = make_limiter(tmp_path / "nowhere", time, account=f"gone {next(NUMBERS)}")
    assert [ours.reserve() for _call in range(3)] == pytest.approx([time.now + number / RATE for number in range(3)])
    assert "No such file" in ours.problem


def test_an_unusable_directory_leaves_the_slots_of_the_run(tmp_path, time):
    (tmp_path / "run").mkdir()

    def process():
        directories = {"directory": str(tmp_path / "nowhere"), "run_directory": str(tmp_path / "run")}
        return SlotFile(account="account", action="action", rate=RATE, clock=time.monotonic, **directories)

    ours = [process() for _process in range(5)]
    slot_file._local_states.clear()
    slots = [one.reserve() for one in ours]
    assert slots == pytest.approx([time.now + number / RATE for number in range(5)])
    assert slot_file._local_states == {}, "each process has slots from the run's directory"
    assert not ours[0].is_alone() and "nowhere" in ours[0].problem
    assert ours[0].reserve() == pytest.approx(time.now + 5 / RATE)


@pytest.mark.parametrize("kind", ["link", "directory", "pipe"])
def test_a_path_of_another_kind_is_not_used(path, tmp_path, time, kind):
    target = tmp_path.parent / "precious"
    target.write_bytes(b"precious")
    path.unlink()
    {"link": lambda: path.symlink_to(target), "directory": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()
    ours = make_limiter(tmp_path, time, account="account")
    assert ours.reserve() >= time.now
    assert ours.problem
    assert target.read_bytes() == b"precious"


def test_a_full_disk_means_slots_of_this_process(tmp_path, time, monkeypatch):
    monkeypatch.setattr(slot_file.os, "pwrite", lambda *_arguments: 0)
    ours = make_limiter(tmp_path, time, account=f"full {next(NUMBERS)}")
    assert ours.reserve() == time.now
    assert "No space left" in ours.problem
    assert ours.reserve() == pytest.approx(time.now + 1 / RATE)


def test_a_file_of_another_user_is_not_used(path, tmp_path, time, monkeypatch):
    monkeypatch.setattr(slot_file.os, "getuid", lambda: os.geteuid() + 1)
    ours = make_limiter(tmp_path, time, account="account")
    ours.reserve()
    assert "another user" in ours.problem


def test_the_shared_directory_is_private(tmp_path):
    made = Path(make_shared_directory({"XDG_RUNTIME_DIR": str(tmp_path)}))
    assert made.parent == tmp_path and stat.S_IMODE(made.stat().st_mode) == 0o700
    made.chmod(0o777)
    assert stat.S_IMODE(Path(make_shared_directory({"XDG_RUNTIME_DIR": str(tmp_path)})).stat().st_mode) == 0o700


def test_without_a_runtime_directory_it_is_named_after_the_user(tmp_path, monkeypatch):
    monkeypatch.setattr(slot_file.tempfile, "gettempdir", lambda: str(tmp_path))
    expected = str(tmp_path / f"apsaravideo-live-{os.getuid()}")
    assert make_shared_directory({}) == make_shared_directory({"XDG_RUNTIME_DIR": "/nonexistent"}) == expected


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make files of another user")
def test_directories_of_another_user_are_not_used(tmp_path, monkeypatch):
    """As a runtime directory is for root after `sudo -E`, and anything in a directory that all may write to."""
    monkeypatch.setattr(slot_file.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    expected = tmp_path / "tmp" / f"apsaravideo-live-{os.getuid()}"
    assert make_shared_directory({"XDG_RUNTIME_DIR": str(tmp_path / "theirs")}) == str(expected)
    assert os.listdir(tmp_path / "theirs") == []
    os.chown(expected, 12345, 12345)
    with pytest.raises(OSError, match="another user"):
        make_shared_directory({})


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_shared_directory_that_is_a_file_or_link_is_refused(tmp_path, kind):
    path = tmp_path / "apsaravideo-live"
    (tmp_path / "elsewhere").mkdir()
    path.symlink_to(tmp_path / "elsewhere") if kind == "link" else path.touch()
    with pytest.raises(OSError, match="another user"):
        make_shared_directory({"XDG_RUNTIME_DIR": str(tmp_path)})


PROCESS = """
import sys
from ansible_collections.apsaravideo.live.plugins.module_utils._api.slot_file import SlotFile
pacer = SlotFile(sys.argv[1], "account", "action", 50.0)
for number in range(int(sys.argv[2])):
    print(pacer.reserve(), flush=True)
    if number == int(sys.argv[3]):
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
"""


def start(directory, calls, killed_at=-1):
    environ = {**os.environ, "PYTHONPATH": str(Path(slot_file.__file__).parents[6])}
    arguments = [sys.executable, "-c", PROCESS, str(directory), str(calls), str(killed_at)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environ, text=True)


def test_processes_share_the_slots(tmp_path):
    processes = [start(tmp_path, 100) for _process in range(4)]
    slots = sorted(float(line) for process in processes for line in process.communicate()[0].split())
    gaps = [later - earlier for earlier, later in zip(slots, slots[1:])]
    assert len(slots) == 400
    assert min(gaps) > 1 / RATE - 1e-6


def test_a_killed_process_does_not_block_the_others(tmp_path):
    processes = [start(tmp_path, 50, killed_at=number) for number in range(4)]
    for process in processes:
        process.communicate()
    before = float(start(tmp_path, 1).communicate()[0])
    after = float(start(tmp_path, 1).communicate()[0])
    assert after - before < 1


def test_threads_share_the_slots(tmp_path, time):
    slots = []
    threads = [
        threading.Thread(target=lambda: slots.extend(make_limiter(tmp_path, time).reserve() for _call in range(50)))
        for _thread in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slots) == pytest.approx([time.now + number / RATE for number in range(200)])
