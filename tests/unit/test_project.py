# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files around the code agree with each other: pins, workflows, the package, and the examples of the READMEs."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
LIVE = Path(__file__).resolve().parents[2]
# The revisions of a hook are tags, which some projects begin with a v.
HOOKS = {"https://github.com/astral-sh/ruff-pre-commit": "ruff", "https://github.com/adrienverge/yamllint": "yamllint"}
BLOCK = re.compile(r"```yaml\n(?:# (\S+)\n)?(.*?)```", re.DOTALL)
READMES = ["README.md", *sorted(str(path.relative_to(LIVE)) for path in LIVE.glob("roles/*/README.md"))]


def read(name):
    return (LIVE / name).read_text(encoding="utf-8")


def tool(name):
    return Path(sys.executable).with_name(name)


def test_hooks_have_the_versions_of_lint():
    pinned = dict(re.findall(r'"(ruff|yamllint)==([0-9.]+)"', read("pyproject.toml")))
    hooks = {
        HOOKS[row["repo"]]: row["rev"].removeprefix("v")
        for row in yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    }
    assert hooks == pinned


def requirements(path):
    """Return the requirements in the documentation of a plugin or of a fragment."""
    text = re.search(r'DOCUMENTATION = r"""(.*?)"""', path.read_text(encoding="utf-8"), re.DOTALL)[1]
    return yaml.safe_load(text).get("requirements")


def test_documented_requirements_are_those_that_are_installed():
    libraries = [line.replace(">=", " >= ") for line in read("requirements.txt").splitlines() if line[0] != "#"]
    python = f"python {yaml.safe_load(read('tests/config.yml'))['modules']['python_requires'].replace('>=', '>= ')}"
    assert requirements(LIVE / "plugins/doc_fragments/connection.py") == [python, *libraries]


def test_every_module_documents_its_requirements():
    for path in LIVE.glob("plugins/modules/*.py"):
        of_fragment = "apsaravideo.live.connection" in path.read_text(encoding="utf-8")
        assert of_fragment != bool(requirements(path)), path.name


def make_targets(workflow):
    """Return the targets that the steps of a workflow make, those of a matrix one by one."""
    targets = []
    for job in yaml.safe_load(read(workflow))["jobs"].values():
        of_matrix = job.get("strategy", {}).get("matrix", {}).get("target", [])
        for step in job["steps"]:
            for target in re.findall(r"^make (\$\{\{ matrix\.target \}\}|\S+)", step.get("run", ""), re.MULTILINE):
                targets += of_matrix if "matrix" in target else [target]
    return targets


def test_what_the_workflows_make_exists():
    workflows = [str(path.relative_to(LIVE)) for path in LIVE.glob(".github/workflows/*.yml")]
    assert len(workflows) == 2
    made = {target for workflow in workflows for target in make_targets(workflow)}
    assert {"lint", "sanity", "unit", "integration", "test"} <= made
    assert made <= set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_and_targets_that_a_page_names_exist(page):
    text = read(page)
    files = [str(path.relative_to(LIVE)) for path in (*LIVE.glob("*.*"), *LIVE.glob("[a-z]*/**/*.*"))]
    named = re.findall(r"`([\w./-]+\.(?:py|yml|md|diff|json))`", text)
    assert len(named) > 10
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []
    directories = re.findall(r"`((?:plugins|roles|tests|docs|module_utils|plugin_utils)/[\w/]+)`", text)
    assert [name for name in directories if not (LIVE / name).exists() and not (LIVE / "plugins" / name).exists()] == []
    targets = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    sessions = re.findall(r"^def (\w+)\(", read("noxfile.py"), re.MULTILINE)
    assert targets <= {
        *re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE),
        *(s.replace("_", "-") for s in sessions),
    }
    assert targets


def test_names_in_the_recipes_exist():
    recipes = read("CONTRIBUTING.md").partition("### Add an operation")[2].partition("\n## ")[0]
    names = re.findall(r"`(\w+)`", recipes)
    sources = "\n".join(
        read(path) for folder in ("plugins", "roles", "tests") for path in LIVE.glob(f"{folder}/**/*.py")
    )
    assert len(names) > 5
    assert [name for name in names if not re.search(rf"\b{name}\b", sources)] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "Makefile"])
def test_every_selection_that_a_page_names_selects_a_test(page):
    selections = re.findall(r"""-k (?:'([\w ]+)'|(\w+))""", read(page))
    assert selections
    tests = {
        f"{path.stem} {name}"
        for path in LIVE.glob("tests/**/test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    for words in ((quoted or word).split(" and ") for quoted, word in selections):
        assert any(all(word in test for word in words) for test in tests), words


@pytest.mark.parametrize("workflow", ["ci.yml", "release.yml"])
def test_workflows_may_only_read(workflow):
    found = yaml.safe_load(read(f".github/workflows/{workflow}"))
    assert found["permissions"] == {"contents": "read"}
    assert not [job for job in found["jobs"].values() if "permissions" in job]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Return the names of the files in the built collection."""
    if not tool("ansible-galaxy").exists():
        pytest.skip("needs ansible-core")
    directory = tmp_path_factory.mktemp("built")
    command = [tool("ansible-galaxy"), "collection", "build", "--output-path", directory, LIVE]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (built,) = directory.iterdir()
    with tarfile.open(built) as archive:
        return {member.name for member in archive if member.isfile()}


def test_package_has_no_tests_and_no_settings_of_a_checkout(package):
    assert {name for name in package if name.startswith("tests/")} == {"tests/config.yml"}
    assert not [
        name for name in package if name.startswith(".") or name in ("Makefile", "noxfile.py", "pyproject.toml")
    ]


def test_package_has_all_that_is_used(package):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "plugins", "roles", "playbooks", "meta", "docs"],
        cwd=LIVE,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split("\0")[:-1]
    assert set(listed) <= package
    assert {"README.md", "LICENSE", "requirements.txt", "MANIFEST.json"} <= package


def is_playbook(text):
    found = yaml.safe_load(text)
    return isinstance(found, list) and all("hosts" in play for play in found)


def test_examples_pass_the_strictest_profile_of_ansible_lint(tmp_path):
    pytest.importorskip("ansiblelint")
    for readme in READMES:
        blocks = BLOCK.findall(read(readme))
        assert blocks, readme
        for number, (name, text) in enumerate(blocks):
            file = (
                tmp_path
                / ("playbooks" if is_playbook(text) else "other")
                / f"{number}-{Path(readme).parent.name}-{name}"
            )
            file.parent.mkdir(exist_ok=True)
            file.with_suffix(".yml").write_text(f"---\n{text}", encoding="utf-8")
    command = [tool("ansible-lint"), "--offline", "--nocolor", "--profile", "production", "--project-dir", ".", "."]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'production'" in done.stderr


@pytest.mark.parametrize("example", ["github-actions.yml", "gitlab-ci.yml"])
def test_slices_of_the_examples_have_each_host_once(example):
    program = re.search(r"'(NR > 1 [^']+)'", read(f"examples/{example}"))[1]
    hosts = [f"host{number}" for number in range(10)]
    listed = "\n".join(["  hosts (10):", *(f"    {host}" for host in hosts)])
    slices = [
        subprocess.run(
            ["awk", "-v", f"slice={number}", "-v", "slices=4", program],
            input=listed,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for number in range(4)
    ]
    assert sorted(host for names in slices for host in names) == hosts
    assert {len(names) for names in slices} == {2, 3}
