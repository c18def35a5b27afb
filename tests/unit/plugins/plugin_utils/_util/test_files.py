# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Atomic writes to regular files, and the lock of their directory."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import stat
import threading
import time

import pytest

pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.plugin_utils._util.files import lock_directory, write_atomically


def test_a_file_is_created_or_replaced_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "status.json"
    write_atomically(str(path), "one\n")
    path.chmod(0o600)
    write_atomically(str(path), "two\n")
    assert path.read_text(encoding="utf-8") == "two\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["status.json"]


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "directory"])
def test_links_pipes_and_directories_are_refused(tmp_path, kind):
    path, other = tmp_path / "status.json", tmp_path / "other"
    if "link" in kind:
        path.symlink_to(other)
        if kind == "link":
            other.write_text("precious", encoding="utf-8")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OSError, match="link"):
        write_atomically(str(path), "new")
    assert sorted(os.listdir(tmp_path)) == before
    assert kind != "link" or other.read_text(encoding="utf-8") == "precious"


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    def fail(*_paths):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "status.json"
    path.write_text("before", encoding="utf-8")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(str(path), "new")
    assert os.listdir(tmp_path) == ["status.json"]
    assert path.read_text(encoding="utf-8") == "before"


def test_lone_surrogates_are_escaped(tmp_path):
    write_atomically(str(tmp_path / "status.json"), json.dumps("直播\udcff", ensure_ascii=False))
    text = (tmp_path / "status.json").read_text(encoding="utf-8")
    assert "直播" in text
    assert json.loads(text) == "直播\udcff"


def test_a_full_disk_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "start.retry"
    path.write_text("before\n", encoding="utf-8")
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        try:
            write_atomically(str(path), "a line that is too long\n")
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == errno.EFBIG
    assert os.listdir(tmp_path) == ["start.retry"]
    assert path.read_text(encoding="utf-8") == "before\n"


def test_the_lock_serializes_updates(tmp_path):
    path, order = str(tmp_path / "start.retry"), []
    entered = threading.Event()

    def other():
        entered.wait(5)
        with lock_directory(path):
            order.append("other")

    thread = threading.Thread(target=other)
    thread.start()
    with lock_directory(path):
        entered.set()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]
    assert os.listdir(tmp_path) == []


def test_a_lock_that_is_held_is_waited_for_at_most_half_a_second(tmp_path):
    path = str(tmp_path / "start.retry")
    with lock_directory(path):
        began = time.monotonic()
        with lock_directory(path):
            assert 0.4 < time.monotonic() - began < 5
