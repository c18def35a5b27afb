# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README and the module's examples say, done as they say it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from playbook import Ansible, streams

COLLECTION = Path(__file__).resolve().parents[2]
README = (COLLECTION / "README.md").read_text(encoding="utf-8")
NAMED = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)


def test_the_files_and_commands_of_the_readme(cloud, ansible):
    files = dict(NAMED.findall(README))
    for name, content in files.items():
        (ansible.directory / name).write_text(content, encoding="utf-8")
    listed = yaml.safe_load(files["streams.yml"])["streams"]["hosts"].values()
    cloud.push(*listed)
    commands = [line.split("#")[0].split()[1:] for line in README.splitlines() if line.startswith("ansible-playbook ")]
    names = [command[0].removeprefix("apsaravideo.live.") for command in commands if command[0] != "-i"]
    assert names == ["start"] * 3 + ["status", "split", "sweep", "stop", "window", "configure"]
    for command in commands:
        run = ansible.playbook(*command)
        assert run.exit_code == 0, run.output
        cloud.advance(60)
    sent = [call["params"]["Command"] for call in cloud.calls("RealTimeRecordCommand")]
    # The window of the README is over, so that the streams are stopped once more.
    expected = [*["start"] * 4, "restart", "stop", "cancel_delay", "stop"]
    assert sorted(sent) == sorted(expected * len(listed))


def test_the_playbook_has_five_lines():
    lines = [line for line in dict(NAMED.findall(README))["record.yml"].splitlines() if line]
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("module", "changed"),
    [
        ("apsaravideo_record", [True, False, False, False, True, True]),
        ("apsaravideo_record_config", [True, True, True, True]),
        ("apsaravideo_record_info", [False, False, False, False, False]),
        ("apsaravideo_record_notify", [True, True, True, True]),
        ("apsaravideo_record_status", [False, False, False]),
    ],
)
def test_the_examples_of_a_module(cloud, ansible: Ansible, module, changed):
    cloud.push("live.example.com/news/studio1")
    listed = subprocess.run(
        [Path(sys.executable).with_name("ansible-doc"), "--json", f"apsaravideo.live.{module}"],
        env=ansible.environ,
        capture_output=True,
        check=True,
    )
    tasks = yaml.safe_load(json.loads(listed.stdout)[f"apsaravideo.live.{module}"]["examples"])
    run = ansible.play(tasks, "-i", str(ansible.inventory(streams(["live.example.com/news/studio1"]))))
    assert run.exit_code == 0, run.output
    assert [row["result"]["changed"] for row in run.rows] == changed
