# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of the hosts that are left, and names of hosts that mean nothing else."""

from __future__ import annotations

import errno
import os

import pytest

pytest.importorskip("ansible")

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet import retry_file

UNUSUAL = [
    "a*",
    "ab",
    "!a",
    "&a",
    "~a",
    "~.*",
    "@a",
    "a,b",
    "a:b",
    "a[0]",
    "[a-z]",
    "a b",
    " a ",
    "ungrouped",
    "中文",
    "a?",
    "a\nb",
    "a\r",
    "\u2028",
    "\udc80",
]

HOSTS = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("before", "covered", "left", "after"),
    [
        ([], HOSTS, [], []),
        ([], HOSTS, ["b", "d"], ["b", "d"]),
        (["b", "d"], ["b", "d"], ["d"], ["d"]),
        (["b", "d"], HOSTS, [], []),
        (["b", "d"], ["e"], [], ["b", "d"]),
        (["b", "d"], ["d", "e"], ["e"], ["b", "e"]),
        (["b", "of another run", "", "d"], ["e"], [], ["b", "of another run", "d"]),
        (["of another run"], ["e"], [], ["of another run"]),
    ],
)
def test_the_retry_file_holds_what_is_left(tmp_path, before, covered, left, after):
    file = tmp_path / "start.retry"
    if before:
        file.write_text("".join(f"{line}\n" for line in before), encoding="utf-8")
    assert retry_file.write_retry_file(str(file), covered, left) == len(after)
    found = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    assert found == after
    assert file.exists() == bool(after), "with an empty file, --limit would mean all hosts"
    assert os.listdir(tmp_path) == (["start.retry"] if after else [])


def test_others_may_read_the_retry_file_as_any_other(tmp_path):
    (tmp_path / "any").touch()
    retry_file.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert (tmp_path / "retry").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_retry_file_that_cannot_be_written_is_an_oserror(tmp_path):
    with pytest.raises(OSError):
        retry_file.write_retry_file(str(tmp_path / "nowhere" / "retry"), HOSTS, ["a"])


def test_a_retry_file_that_is_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "retry")
    with pytest.raises(OSError, match="not a file of its own"):
        retry_file.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("content", encoding="utf-8")
    (tmp_path / "retry").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="not a file of its own"):
        retry_file.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "content"


def test_what_could_not_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    (tmp_path / "retry").write_text("b\n", encoding="utf-8")

    def full(*_names):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        retry_file.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert os.listdir(tmp_path) == ["retry"]
    assert (tmp_path / "retry").read_text(encoding="utf-8") == "b\n"


@pytest.mark.parametrize("name", UNUSUAL, ids=repr)
def test_a_pattern_stands_for_its_host_alone(name):
    inventory = InventoryManager(DataLoader(), sources=None)
    for other_name in (*UNUSUAL, "plain"):
        inventory.add_host(other_name, "all")
    assert {host.name for host in inventory.get_hosts([retry_file.host_pattern(name)])} == {name}


def matched(directory, lines, names):
    """The hosts that `--limit @file` leaves of an inventory."""
    file = directory / "limit"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    inventory = InventoryManager(DataLoader(), sources=None)
    for name in names:
        inventory.add_host(name, "all")
    inventory.subset(f"@{file}")
    return {host.name for host in inventory.get_hosts("all")}


@pytest.mark.parametrize("name", UNUSUAL, ids=repr)
def test_a_line_stands_for_its_host_alone(tmp_path, name):
    assert matched(tmp_path, [retry_file.limit_line(name)], [*UNUSUAL, "plain"]) == {name}


@given(
    st.lists(st.text(st.sampled_from("a*?![]&~@:,. -\\^$0\n\r\x85"), min_size=1, max_size=4), min_size=1, unique=True)
)
def test_lines_stand_for_their_hosts(tmp_path_factory, names):
    wanted = names[::2]
    lines = [retry_file.limit_line(name) for name in wanted]
    assert matched(tmp_path_factory.getbasetemp(), lines, names) == set(wanted)
