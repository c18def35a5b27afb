# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipe "add an option" of CONTRIBUTING.md, followed in a copy of the collection, where the new option works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.playbook import STREAM, Ansible, environment, streams

LIVE = Path(__file__).resolve().parents[2]
DIFF = LIVE / "docs/recipes/add-an-option.diff"
RECORD = "apsaravideo.live.apsaravideo_record"
STREAMS = streams([STREAM])
NAMES = STREAMS["stream01"]
WARNING = re.compile(re.escape(STREAM) + r" took \d+\.\d seconds\.")


@pytest.fixture
def changed(cloud, tmp_path):
    """Return an Ansible that sees a copy of the collection in which the diff was applied; each call takes 0.3 s."""
    copy = tmp_path / "ansible_collections/apsaravideo/live"
    for name in ("changelogs/fragments", "meta", "playbooks", "plugins", "roles"):
        shutil.copytree(LIVE / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(LIVE / "galaxy.yml", copy)
    # With a line of context on each side, so that changes further away do not matter.
    command = ["git", "apply", "-C1", DIFF]
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.resolve())}  # In a repository, git skips the files.
    applied = subprocess.run(command, cwd=copy, env=alone, check=False, capture_output=True, text=True)
    assert applied.returncode == 0, f"{applied.stderr}\nBring {DIFF.name} up to date with the files that it changes."
    cloud.behave(latency=300)
    cloud.push(STREAM)
    ansible = Ansible(tmp_path, environment(cloud))
    ansible.environ["ANSIBLE_COLLECTIONS_PATH"] = str(tmp_path)
    return ansible


def test_diff_is_short_and_stands_in_the_recipe():
    text = DIFF.read_text(encoding="utf-8")
    assert f"```diff\n{text}```" in (LIVE / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(re.findall("^diff ", text, re.MULTILINE)) <= 4
    assert len(re.findall(r"^\+(?!\+)", text, re.MULTILINE)) <= 20


@pytest.mark.parametrize("module", ["apsaravideo_record", "apsaravideo_record_fleet"])
def test_new_option_is_documented(changed, module):
    command = [Path(sys.executable).with_name("ansible-doc"), "--json", f"apsaravideo.live.{module}"]
    listed = subprocess.run(command, env=changed.environ, capture_output=True, check=True)
    options = json.loads(listed.stdout)[f"apsaravideo.live.{module}"]["doc"]["options"]
    assert options["warn_after"]["type"] == "float"


def test_new_option_works_in_module_and_fleet(changed):
    entries = [{**NAMES, "warn_after": 0.1}]
    tasks = [
        {"name": "without", RECORD: NAMES},
        {"name": "quick", RECORD: {**NAMES, "warn_after": 60}},
        {"name": "slow", RECORD: {**NAMES, "warn_after": 0.1}},
        {"name": "fleet", f"{RECORD}_fleet": {"streams": [NAMES], "warn_after": 0.1}},
        {"name": "entry", f"{RECORD}_fleet": {"streams": entries}},
        {"name": "quick fleet", f"{RECORD}_fleet": {"streams": [NAMES], "warn_after": 60}},
    ]
    run = changed.play(tasks)
    assert run.exit_code == 0, run.output
    warnings = {row["task"]: row["result"].get("warnings", []) for row in run.rows}
    assert [name for name, said in warnings.items() if said] == ["slow", "fleet", "entry"]
    assert all(WARNING.fullmatch(said[0]) for said in warnings.values() if said)


def test_new_option_is_a_variable_of_hosts_and_of_the_playbooks(changed):
    inventory = str(changed.inventory(STREAMS))
    run = changed.playbook("apsaravideo.live.start", "-i", inventory, "-e", "record_warn_after=0.1")
    assert run.exit_code == 0, run.output
    assert WARNING.search(" ".join(run.output.split())), run.output
    assert "no variable" not in " ".join(run.output.split()).replace("no variable is misspelt", "")
