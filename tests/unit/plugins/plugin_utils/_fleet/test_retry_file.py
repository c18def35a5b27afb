# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the retry file, and patterns for hosts with unusual names."""

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
def test_the_retry_file_lists_the_remaining_hosts(tmp_path, before, covered, left, after):
    file = tmp_path / "start.retry"
    if before:
        file.write_text("".join(f"{line}\n" for line in before), encoding="utf-8")
    assert retry_file.write_retry_file(str(file), covered, left) == len(after)
    found = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    assert found == after
    assert file.exists() == bool(after), "--limit takes an empty file as all hosts"
    assert os.listdir(tmp_path) == (["start.retry"] if after else [])


@pytest.mark.parametrize(
    ("targets", "left"),
    [
        ([], ["a", "b"]),
        ([("a", True)], ["b"]),
        ([("a", True), ("b", False)], ["b"]),
        ([("a", True), ("a", False), ("b", True)], ["a"]),
        ([("a", False), ("a", True), ("b", True)], ["a"]),
        ([("a", True), ("a", True), (None, False), ("b", True)], []),
    ],
)
def test_a_host_is_done_if_all_its_streams_are(targets, left):
    assert retry_file.list_remaining(["a", "b", "a"], targets) == left


def test_the_retry_file_has_default_permissions(tmp_path):
    (tmp_path / "any").touch()
    retry_file.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert (tmp_path / "retry").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_missing_directory_raises_oserror(tmp_path):
    with pytest.raises(OSError):
        retry_file.write_retry_file(str(tmp_path / "nowhere" / "retry"), HOSTS, ["a"])


def test_a_pipe_is_refused_without_blocking(tmp_path):
    os.mkfifo(tmp_path / "retry")
    with pytest.raises(OSError, match="not a file of its own"):
        retry_file.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])


def test_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "precious").write_text("content", encoding="utf-8")
    (tmp_path / "retry").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="not a file of its own"):
        retry_file.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "content"


def test_a_failed_write_keeps_the_old_file_and_no_other(tmp_path, monkeypatch):
    (tmp_path / "retry").write_text("b\n", encoding="utf-8")

    def raise_no_space(*_names):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "replace", raise_no_space)
    with pytest.raises(OSError, match="no space"):
        retry_file.write_retry_file(str(tmp_path / "retry"), HOSTS, ["a"])
    assert os.listdir(tmp_path) == ["retry"]
    assert (tmp_path / "retry").read_text(encoding="utf-8") == "b\n"


@pytest.mark.parametrize("name", UNUSUAL, ids=repr)
def test_a_pattern_matches_only_its_host(name):
    inventory = InventoryManager(DataLoader(), sources=None)
    for other_name in (*UNUSUAL, "plain"):
        inventory.add_host(other_name, "all")
    assert {host.name for host in inventory.get_hosts([retry_file.make_host_pattern(name)])} == {name}


def match(directory, lines, names):
    """Return the hosts of an inventory that `--limit @file` selects."""
    file = directory / "limit"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    inventory = InventoryManager(DataLoader(), sources=None)
    for name in names:
        inventory.add_host(name, "all")
    inventory.subset(f"@{file}")
    return {host.name for host in inventory.get_hosts("all")}


@pytest.mark.parametrize("name", UNUSUAL, ids=repr)
def test_a_line_matches_only_its_host(tmp_path, name):
    assert match(tmp_path, [retry_file.make_limit_line(name)], [*UNUSUAL, "plain"]) == {name}


@given(
    st.lists(st.text(st.sampled_from("a*?![]&~@:,. -\\^$0\n\r\x85"), min_size=1, max_size=4), min_size=1, unique=True)
)
def test_lines_match_only_their_hosts(tmp_path_factory, names):
    wanted = names[::2]
    lines = [retry_file.make_limit_line(name) for name in wanted]
    assert match(tmp_path_factory.getbasetemp(), lines, names) == set(wanted)
