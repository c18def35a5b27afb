# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks, checked: each must fail on one planted fault, for that fault, and pass without it.

A plant goes into a throw-away checkout that borrows the environments of the real one. It is no repository, so that the
way around git is taken here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

LIVE = Path(__file__).resolve().parents[2]
CACHE = LIVE.parents[2].parent
HEADER = "".join(Path(__file__).read_text(encoding="utf-8").splitlines(keepends=True)[:3]) + "\n"
MODULE = '''#!/usr/bin/python
{header}from __future__ import annotations

DOCUMENTATION = r"""
module: planted
short_description: A planted module
version_added: 0.1.0
description:
  - See O({option}).
author:
  - The apsaravideo.live authors (@apsaravideo)
options:
  name:
    description: A name.
    type: {type}
    required: true
"""

EXAMPLES = r"""
- name: Run the planted module
  apsaravideo.live.planted:
    name: a
"""

RETURN = r"""
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(argument_spec={{"name": {{"type": "str", "required": True}}}}, supports_check_mode=True)
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
'''


def python(text: str) -> str:
    return f"{HEADER}{text}"


def documented(text: str) -> str:
    return python(f'\n\ndef planted() -> int:\n    """{text}"""\n    return 1\n')


def module(option: str = "name", kind: str = "str") -> str:
    return MODULE.format(header=HEADER, option=option, type=kind)


def playbook(task: str) -> str:
    return f"---\n- name: Planted\n  hosts: localhost\n  gather_facts: false\n  tasks:\n    - name: Planted\n{task}"


def test_file(verdict: bool) -> str:
    return python(f"\ndef test_planted() -> None:\n    assert {verdict}\n")


test_file.__test__ = False  # type: ignore[attr-defined]


@dataclass
class Plant:
    """The step that must find the fault, what it says then, and the fault: files to write, after others are removed."""

    step: str
    says: str
    faulty: dict[str, str]
    sound: dict[str, str]
    removed: list[str] = field(default_factory=list)


def in_tests(step: str, directory: str) -> Plant:
    """A test that fails, alone in its directory: what else is tested there does not matter here."""
    path = f"{directory}/test_planted.py"
    return Plant(step, "1 failed", {path: test_file(False)}, {path: test_file(True)}, [directory])


SOURCE = "plugins/module_utils/_planted.py"
SOUND = {SOURCE: python("planted: int = 1\n")}
LOWER = "plugins/module_utils/_util/planted.py"
SOUND_LOWER = {LOWER: python("from .._errors import LiveError\n")}
PLAYBOOK = "playbooks/planted.yml"
SOUND_PLAYBOOK = {PLAYBOOK: playbook("      ansible.builtin.debug:\n        msg: planted\n")}
PLANTED = "plugins/modules/planted.py"
WAYS = "tests/integration/test_ways.py"
PLANTS = [
    Plant("ruff-check", "F401", {SOURCE: python("import os\n")}, SOUND),
    Plant("ruff-check", "D401", {SOURCE: documented("Returns one.")}, {SOURCE: documented("Return one.")}),
    Plant("ruff-check", "D400", {SOURCE: documented("Return one")}, {SOURCE: documented("Return one.")}),
    Plant(
        "docstrings", "begins with Whether", {SOURCE: documented("Whether one.")}, {SOURCE: documented("Return one.")}
    ),
    Plant("ruff-format", "1 file would be reformatted", {SOURCE: python("planted: int=1\n")}, SOUND),
    Plant("mypy", "Incompatible types in assignment", {SOURCE: python("planted: int = 'one'\n")}, SOUND),
    Plant(
        "layers", r"_util\.planted ->\s+\S+_api\.client", {LOWER: python("from .._api import client\n")}, SOUND_LOWER
    ),
    Plant("layers", r"_util\.planted ->\s+ansible", {LOWER: python("import ansible.errors\n")}, SOUND_LOWER),
    Plant("yamllint", "too many spaces after colon", {PLAYBOOK: playbook("      meta:   noop\n")}, SOUND_PLAYBOOK),
    Plant(
        "ansible-lint playbooks/planted.yml",
        r"fqcn\[",
        {PLAYBOOK: playbook("      debug:\n        msg: planted\n")},
        SOUND_PLAYBOOK,
    ),
    Plant(
        "changelog",
        "invalid section: planted",
        {"changelogs/fragments/planted.yml": "---\nplanted:\n  - A change.\n"},
        {"changelogs/fragments/planted.yml": "---\nbugfixes:\n  - A change.\n"},
    ),
    Plant("plugin-docs", "no_such_option", {PLANTED: module(option="no_such_option")}, {PLANTED: module()}),
    Plant(
        "shell",
        "SC2086",
        {"tests/planted.sh": "#!/usr/bin/env bash\necho $1\n"},
        {"tests/planted.sh": '#!/usr/bin/env bash\necho "$1"\n'},
    ),
    Plant("sanity --test validate-modules", "doc-type-does-not-match", {PLANTED: module(kind="int")}, SOUND),
    Plant("sanity --test compile", "_planted.py", {SOURCE: python("planted = (\n")}, SOUND),
    Plant("sanity --test pep8", "E231", {SOURCE: python("planted = (1,2)\n")}, SOUND),
    in_tests("unit-newest", "tests/unit"),
    in_tests("unit-enterprise", "tests/unit"),
    in_tests("unit-oldest", "tests/unit/plugins/module_utils"),
    in_tests("emulator", "tests/emulator"),
    in_tests("integration-newest", "tests/integration"),
    Plant("ways-middle", "1 failed", {WAYS: test_file(False)}, {WAYS: test_file(True)}),
    in_tests("integration-enterprise", "tests/integration"),
    in_tests("chaos", "tests/chaos"),
    in_tests("sdk", "tests/sdk"),
    in_tests("page", "tests/page"),
]


class Checkout:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in subprocess.run(
            ["git", "ls-files", "-z"], cwd=LIVE, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.split("\0")[:-1]:
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(LIVE / name, target, follow_symlinks=False)
        (directory / ".cache/env").mkdir(parents=True)
        for borrowed in [CACHE / "home", CACHE / "ansible.cfg", *(CACHE / "env").iterdir()]:
            (directory / ".cache" / borrowed.relative_to(CACHE)).symlink_to(borrowed)
        if (CACHE / "mypy").is_dir():
            shutil.copytree(CACHE / "mypy", directory / ".cache/mypy")

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        shutil.rmtree(self.directory / name, ignore_errors=True)

    def run(self, *command: str, **variables: str) -> tuple[int, str]:
        outer = {"MAKEFLAGS", "MAKELEVEL", "TEST_LOG", "TEST_PREPARED"}
        environment = {name: value for name, value in os.environ.items() if name not in outer}
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**environment, **variables, "WORKERS": "0"},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        return done.returncode, done.stdout

    def step(self, step: str, **variables: str) -> tuple[int, str]:
        """Run a step, leaving out a test that this machine has no Python for."""
        name, *arguments = step.split()
        nox = ["tests/python", "tests/tools/with_nox.py", "-s", name, "--", *arguments]
        status, said = self.run(*nox, **variables)
        if missing := re.search("no (Python|Chromium) .*on this machine.*", said):
            pytest.skip(missing[0])
        return status, said


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.step)
def test_fault_is_found(plant: Plant, checkout: Checkout) -> None:
    for name in plant.removed:
        checkout.remove(name)
    checkout.write(plant.faulty)
    status, said = checkout.step(plant.step)
    assert status != 0, said
    assert re.search(plant.says, said), said


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.step)
def test_no_fault_is_made_up(plant: Plant, checkout: Checkout) -> None:
    for name in plant.removed:
        checkout.remove(name)
    checkout.write(plant.sound)
    status, said = checkout.step(plant.step)
    assert status == 0, said


def test_lint_fails_when_one_of_its_checks_does(checkout: Checkout) -> None:
    checkout.write({SOURCE: python("planted: int=1\n")})
    status, said = checkout.step("lint ruff-check ruff-format shell")
    assert status != 0, said
    assert "\nok    ruff-check\nFAIL  ruff-format\nok    shell\n" in said, said


@pytest.mark.parametrize("step", ["unit-newest", "emulator", "integration-newest", "sdk"])
def test_directory_without_a_test_fails(step: str, checkout: Checkout) -> None:
    directory = "tests/" + step.split("-", maxsplit=1)[0]
    checkout.remove(directory)
    checkout.write({f"{directory}/helper.py": HEADER})
    status, said = checkout.step(step)
    assert status != 0, said
    assert "There is no such test." in said


def test_missing_directory_fails(checkout: Checkout) -> None:
    checkout.remove("tests/sdk")
    status, said = checkout.step("sdk")
    assert status != 0, said
    assert "There is no tests/sdk" in said


def test_sanity_that_sees_no_file_fails(checkout: Checkout) -> None:
    """In a copy that is no repository ansible-test asks the one around it, which ignores the copy, and is content."""
    status, said = checkout.step("sync")
    assert status == 0, said
    copy = checkout.directory / ".cache/tree/ansible_collections/apsaravideo/live"
    shutil.rmtree(copy / ".git")
    subprocess.run(["git", "init", "--quiet"], cwd=checkout.directory, check=True)
    status, said = checkout.step("sanity --test pep8", TEST_PREPARED="yes")
    assert status != 0, said
    assert "0 sanity checks" in said


def test_requirement_that_cannot_be_had_fails(checkout: Checkout) -> None:
    pins = checkout.directory / "pyproject.toml"
    text = pins.read_text(encoding="utf-8")
    assert "mypy==" in text
    pins.write_text(re.sub("mypy==[0-9.]+", "mypy==0.0.1.dev999", text), encoding="utf-8")
    (checkout.directory / ".cache/env/newest").unlink()
    status, said = checkout.run(".ci/run")
    assert status != 0, said
    assert "No matching distribution found for mypy" in said
    assert said.splitlines()[-1] == "0 passed, 1 failed", said
    assert not (checkout.directory / ".cache/env/newest/made-of").exists()
