# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands and files of the README and the examples of the modules, executed as written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from support.playbook import Ansible, streams

COLLECTION = Path(__file__).resolve().parents[2]
README = (COLLECTION / "README.md").read_text(encoding="utf-8")
NAMED = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)


def test_the_files_and_commands_of_the_readme_work(cloud, ansible):
    files = dict(NAMED.findall(README))
    for name, content in files.items():
        (ansible.directory / name).write_text(content, encoding="utf-8")
    pushed = yaml.safe_load(files["streams.yml"])["streams"]["hosts"].values()
    cloud.push(*pushed)
    commands = [line.split("#")[0].split()[1:] for line in README.splitlines() if line.startswith("ansible-playbook ")]
    names = [command[0].removeprefix("apsaravideo.live.") for command in commands if command[0] != "-i"]
    further = ["status", "split", "sweep", "stop", "window", "verify", "start", "fleet.yml", "loop.yml", "configure"]
    assert names == ["start"] * 3 + further + ["start"]
    soon = ""
    for command in commands:
        if command[0].endswith(".verify"):  # the window before, whose files exist after the delay
            cloud.advance(300)
            soon = f"={int(soon[1:]) - 60 - 300}"
        else:  # The moments of the README are far away.
            soon = f"={time.time() + 2:.0f}"
        run = ansible.playbook(*(re.sub(r"=2027-[-T0-9:+]+$", soon, word).replace("=2h", "=9s") for word in command))
        assert run.exit_code == 0, run.output
        cloud.advance(60)
    sent = [call["params"]["Command"] for call in cloud.calls("RealTimeRecordCommand")]
    expected = [*["start"] * 6, "restart", "stop", "cancel_delay", "start", "stop", "start", "start"]
    assert sorted(sent) == sorted(expected * len(pushed))
    assert (ansible.directory / "start.html").exists() and (ansible.directory / "start.xml").exists()


def test_the_playbook_has_five_lines():
    lines = [line for line in dict(NAMED.findall(README))["record.yml"].splitlines() if line]
    assert len(lines) == 5


def load_examples(ansible, module):
    """Return the example tasks of a module's documentation."""
    listed = subprocess.run(
        [Path(sys.executable).with_name("ansible-doc"), "--json", f"apsaravideo.live.{module}"],
        env=ansible.environ,
        capture_output=True,
        check=True,
    )
    return yaml.safe_load(json.loads(listed.stdout)[f"apsaravideo.live.{module}"]["examples"])


def test_the_examples_of_the_fleet_work(cloud, ansible: Ansible):
    names = [f"live.example.com/news/studio{number}" for number in (1, 2)]
    cloud.push(*names)
    inventory = ansible.inventory(streams(names))
    run = ansible.play(load_examples(ansible, "apsaravideo_record_fleet"), "-i", str(inventory), hosts="streams")
    assert run.exit_code == 0, run.output
    assert [row["result"]["changed"] for row in run.rows] == [True] * 4
    sent = [call["params"]["Command"] for call in cloud.calls("RealTimeRecordCommand")]
    assert sent == ["start"] * 2 + ["stop"] * 2 + ["start"] * 2 + ["start", "stop"]


@pytest.mark.parametrize(
    ("module", "changed"),
    [
        ("apsaravideo_record", [True, False, False, False, True, True]),
        ("apsaravideo_record_config", [True, True, True, True]),
        ("apsaravideo_record_info", [False, False, False, False, False, False]),
        ("apsaravideo_record_notify", [True, True, True, True]),
        ("apsaravideo_record_status", [False, False, False]),
        ("apsaravideo_stream_notify", [True, True, True, True]),
    ],
)
def test_the_examples_of_each_module_work(cloud, ansible: Ansible, module, changed):
    name = "live.example.com/news/studio1"
    cloud.push(name)
    run = ansible.play(load_examples(ansible, module), "-i", str(ansible.inventory(streams([name]))))
    assert run.exit_code == 0, run.output
    assert [row["result"]["changed"] for row in run.rows] == changed
