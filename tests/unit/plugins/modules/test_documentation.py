# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that is common to several modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
COMMON = ("api_calls", "throttled", "waited_seconds", "request_ids", "error")


def read_documentation(path, name):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return yaml.safe_load(ast.literal_eval(node.value))
    raise AssertionError(f"{path.name} has no {name}")


def calls_the_cloud(path):
    fragments = read_documentation(path, "DOCUMENTATION").get("extends_documentation_fragment", [])
    return "apsaravideo.live.connection" in fragments


MODULES = sorted(filter(calls_the_cloud, Path(__file__).parents[4].glob("plugins/modules/*.py")))


def drop_samples(entry):
    return {
        key: {name: drop_samples(item) for name, item in value.items()} if key == "contains" else value
        for key, value in entry.items()
        if key != "sample"
    }


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_common_results_are_documented_alike_in_every_module(module):
    first, this = (read_documentation(path, "RETURN") for path in (MODULES[0], module))
    for name in COMMON:
        assert drop_samples(this[name]) == drop_samples(first[name])


RUNTIME = yaml.safe_load((MODULES[0].parents[2] / "meta" / "runtime.yml").read_text(encoding="utf-8"))


def test_every_module_that_calls_the_cloud_belongs_to_the_action_group():
    assert sorted(RUNTIME["action_groups"]["all"]) == [path.stem for path in MODULES]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_module_of_the_action_group_has_a_domain(module):
    """`module_defaults` of the group may set it, and an option that one member does not know would fail its tasks."""
    found = read_documentation(module, "DOCUMENTATION")
    options = set(found.get("options", ()))
    for fragment in found["extends_documentation_fragment"]:
        options |= read_fragment(fragment.removeprefix("apsaravideo.live.")).keys()
    assert "domain_name" in options


def read_fragment(name):
    """Return the options of a documentation fragment."""
    source = (MODULES[0].parents[1] / "doc_fragments" / f"{name}.py").read_text(encoding="utf-8")
    (documented,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    for node in documented.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION":
            return yaml.safe_load(ast.literal_eval(node.value)).get("options", {})
    return {}


@pytest.mark.parametrize(
    ("admitted", "versions"),
    [
        (False, "2.15.13 2.16.0 2.16.13 2.17.0 2.17.3 2.17.6 2.18.0 2.18.0rc2"),
        (True, "2.16.14 2.16.19 2.17.7 2.17.14 2.18.1 2.18.1rc1 2.19.0b4 2.19.14 2.20.0 2.21.5 2.22.0.dev0"),
    ],
)
def test_versions_of_ansible_with_a_known_vulnerability_are_refused(admitted, versions):
    is_admitted = pytest.importorskip("ansible.plugins.loader")._does_collection_support_ansible_version
    for version in versions.split():
        assert is_admitted(RUNTIME["requires_ansible"], version) == admitted, version
