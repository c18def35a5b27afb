# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known names are those that roles, playbooks and modules document; a misspelt one is told from others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
pytest.importorskip("ansible")

from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption
from ansible_collections.apsaravideo.live.plugins.plugin_utils._action.variable_names import (
    KNOWN,
    PREFIXES,
    SHORT,
    find_misspelt,
    refuse_misspelt,
)
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.options import SPEC
from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.targets import _HOST_VARIABLES, WINDOWS

LIVE = Path(__file__).resolve().parents[5]


def options_of(role):
    specs = yaml.safe_load((LIVE / f"roles/{role}/meta/argument_specs.yml").read_text(encoding="utf-8"))
    return {name for entry in specs["argument_specs"].values() for name in entry["options"]}


def listed_by_playbooks():
    """Return the variables that stand in the comments at the top of the playbooks, a line for each or for several."""
    found = set()
    for path in LIVE.glob("playbooks/*.yml"):
        for line in re.findall(r"^#   (\S.*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            found |= set(re.findall(r"\b(?:apsaravideo|record|window)_[a-z_]*[a-z]\b", line.split("  ")[0]))
    return found


def short_listed_by_playbooks():
    """Return the variables without a prefix in the same comments, in a list of variables or one for each line."""
    found = set()
    for path in LIVE.glob("playbooks/*.yml"):
        head = "".join(re.findall(r"^#.*\n", path.read_text(encoding="utf-8"), re.MULTILINE))
        _before, _word, lists = re.sub(r"\([^()]*\)", "", head).partition("# Variables")
        for names in re.findall(r"^#   ((?:[a-z_]+, )*[a-z_]+)(?:  |,$|$| \(| and)", lists, re.MULTILINE):
            found |= set(names.split(", "))
        for names in re.findall(r"^: (.*(?:\n# .*)*?),? as for", lists, re.MULTILINE):
            found |= set(re.findall(r"\b[a-z_]+\b(?!\.)", names)) - {"and"}
        found |= set(re.findall(r"(\w+) is the same as", lists))
    return {name for name in found if not name.startswith((*PREFIXES, "demo_", "keep_"))}


def used_by_the_collection():
    files = [*LIVE.glob("playbooks/**/*.yml"), *LIVE.glob("roles/record*/**/*.yml")]
    return {name for file in files for name in re.findall(r"\b(?:record|window)_\w+", file.read_text(encoding="utf-8"))}


def test_known_are_those_that_are_documented():
    of_fleet = {name for name in SPEC.options if name.startswith(PREFIXES)}
    documented = options_of("record") | options_of("record_config") | listed_by_playbooks()
    assert of_fleet < documented
    assert documented | set(_HOST_VARIABLES) | set(WINDOWS) == KNOWN


def test_short_names_are_those_that_the_playbooks_list():
    assert short_listed_by_playbooks() == SHORT


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("bacth", "batch"),
        ("max_fial", "max_fail"),
        ("maxfail", "max_fail"),
        ("reprot", "report"),
        ("tolerence", "tolerance"),
        ("check_file", "check_files"),
        ("acept_interrupted", "accept_interrupted"),
        ("accept_unknow", "accept_unknown"),
        ("acept_unknow", "accept_unknown"),
        ("sinse", "since"),
        ("ingest_domian", "ingest_domain"),
        ("wanteed", "wanted"),
        ("kepe", "keep"),
        ("tlil", "till"),
        ("finalise", "finalize"),
        ("stray", "strays"),
    ],
)
def test_misspelt_short_name_is_refused_with_the_known_one(name, meant):
    with pytest.raises(InvalidOption) as refused:
        refuse_misspelt(["mine", name])
    assert str(refused.value) == (
        f"There is no variable {name}. Did you mean {meant}? Call a variable of your own something else."
    )


def test_every_short_name_with_two_letters_swapped_is_refused():
    for name in SHORT:
        swapped = {f"{name[:i]}{name[i + 1]}{name[i]}{name[i + 2 :]}" for i in range(len(name) - 1)} - {name}
        for misspelt in swapped - SHORT:
            with pytest.raises(InvalidOption):
                refuse_misspelt([misspelt])


OWN = """
    apps batch2 batches border channel data day deep destination dist domain end env fill hosts keeper kept limit match
    name orders patch path port process region repo reported rest sports start start_up stop tall team test tests tile
    targets time trays unit until_when user version wall watch wait well
"""


@pytest.mark.parametrize("name", OWN.split())
def test_own_variables_pass(name):
    assert refuse_misspelt([name]) == []


def test_reports_without_report_is_a_warning():
    (warning,) = refuse_misspelt(["reports"])
    assert warning == "The variable reports is one of the playbook merge_reports; the others take report."
    assert refuse_misspelt(["reports", "report"]) == []


def test_names_that_the_collection_itself_sets_raise_no_warning():
    names = used_by_the_collection()
    assert {"record_fleet", "record_config_notify_result", "record_playbook"} <= names
    assert find_misspelt(names) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("record_fial_each", "record_fail_each"),
        ("apsaravideo_prefile", "apsaravideo_profile"),
        ("apsaravideo_secret_key", "apsaravideo_access_key_secret"),
        ("record_config_notify_url", "record_config_notify"),
        ("window_durations", "window_duration"),
        ("record_wait_timout", "record_wait_timeout"),
    ],
)
def test_misspelt_extra_variable_is_refused_with_the_known_one(name, meant):
    with pytest.raises(InvalidOption) as refused:
        refuse_misspelt(["target", meant, name])
    assert str(refused.value).startswith(f"There is no variable {name}. Did you mean {meant}?")


def test_every_known_variable_with_two_letters_swapped_is_refused():
    for name in KNOWN:
        prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
        rest = name.removeprefix(prefix)
        if len(rest) > 6:
            with pytest.raises(InvalidOption):
                refuse_misspelt([f"{prefix}{rest[:3]}{rest[4]}{rest[3]}{rest[5:]}_"])


def test_known_variables_and_those_of_other_prefixes_pass():
    assert refuse_misspelt([*KNOWN, "target", "batch", "recrod_wait", "demo_apps", "emulator_parent_pid"]) == []


@pytest.mark.parametrize("name", ["record_owner", "apsaravideo_team", "window_frame", "record_\x1b[31m", "record_1"])
def test_extra_variable_that_looks_like_none_is_a_warning(name):
    (warning,) = refuse_misspelt([name, "other"])
    assert warning.startswith("There is no variable ") and "\x1b" not in warning


def test_extra_variables_whose_names_are_numbers_pass():
    assert refuse_misspelt([1, "target"]) == []


def test_misspelt_variables_of_hosts_raise_a_warning_each():
    names = ["inventory_hostname", "record_owner", "record_wait_timout", "apsaravideo_region", "record_wait"]
    assert find_misspelt(names) == [
        "Nothing reads the variable apsaravideo_region. Did you mean apsaravideo_region_id?",
        "Nothing reads the variable record_wait_timout. Did you mean record_wait_timeout?",
    ]
