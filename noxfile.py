# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of this collection: `make` lists the common ones, `make STEP ARGS=...` runs any session of this file.

Each step is a session. It runs in a copy of the checkout, .cache/tree/ansible_collections/apsaravideo/live, with one of
the environments in .cache/env, whose pins stand in pyproject.toml. How that is done is in tests/tools.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).resolve().parent / "tests" / "tools"))

import attacks
import chromium
import demo as demonstration
import environments
import everything
import java
import jobs
import store_server
import sync as synchronisation
from environments import CACHE, CHECKOUT, LIVE, TOOLS, TREE
from steps import Step, several, step

ENVIRONMENTS = ["newest", "middle", "enterprise", "oldest", "sdk", "events", "store", "lint", "browser"]
LINT = [
    "ruff-check",
    "ruff-format",
    "mypy",
    "layers",
    "docstrings",
    "yamllint",
    "ansible-lint",
    "changelog",
    "plugin-docs",
    "shell",
]
UNIT = ["unit-newest", "unit-enterprise", "unit-oldest", "emulator"]
INTEGRATION = ["integration-newest", "ways-middle", "integration-enterprise"]
SANITY = ["sanity", "documentation-enterprise"]
# Tests of properties go by their names.
PROPERTIES = "test_any or test_whatever or test_anything or names_ or default_name"

nox.options.sessions = ["test"]
nox.options.default_venv_backend = "none"
jobs.handle_signals(signal.default_int_handler)

# --- several steps ---------------------------------------------------------------------------------------------------


@nox.session
def test(session: nox.Session) -> None:
    """Run every check there is."""
    # Playbooks keep two cores busy most of the time. So they are not beside each other, and what is beside them is
    # content with one core.
    everything.main([*INTEGRATION, "store"], ["lint", *SANITY, *UNIT, "chaos", "sdk", "events", "page", "gate"])


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and documentation; arguments are the checks to run."""
    several(session, session.posargs or LINT, [])


@nox.session
def unit(session: nox.Session) -> None:
    """Run the unit tests on each Python and ansible-core."""
    several(session, UNIT, session.posargs)


@nox.session
def integration(session: nox.Session) -> None:
    """Run playbooks against the emulator."""
    several(session, INTEGRATION, session.posargs)


# --- preparations ----------------------------------------------------------------------------------------------------


@nox.session
def setup(session: nox.Session) -> None:
    """Make the environments."""
    environments.set_up(*ENVIRONMENTS)


@nox.session
def sync(session: nox.Session) -> None:
    """Put the checkout under .cache/tree/ansible_collections."""
    synchronisation.main(CHECKOUT, LIVE)


@nox.session
def demo(session: nox.Session) -> None:
    """Record 50 emulated streams."""
    sys.exit(demonstration.main(session.posargs))


# --- lint ------------------------------------------------------------------------------------------------------------


@step("newest")
def ruff_check(step: Step) -> None:
    step.run("ruff", "check", "--cache-dir", CACHE / "ruff", ".", *step.arguments)


@step("newest")
def ruff_format(step: Step) -> None:
    step.run("ruff", "format", "--cache-dir", CACHE / "ruff", "--check", "--diff", ".", *step.arguments)


@step("newest")
def mypy(step: Step) -> None:
    live = LIVE.relative_to(TREE)
    step.session.chdir(TREE)
    options = ["--config-file", LIVE / "pyproject.toml", "--cache-dir", CACHE / "mypy"]
    paths = [live / path for path in ("plugins", "roles/emulator/files", "tests/support")]
    step.run("mypy", *options, *step.arguments, *paths)


@step("lint")
def layers(step: Step) -> None:
    """Check which package imports which."""
    options = ["--no-logo", "--cache-dir", CACHE / "layers"]
    step.run("lint-imports", *options, *step.arguments, variables={"PYTHONPATH": str(TREE)})


@step("newest")
def docstrings(step: Step) -> None:
    """Check that no docstring begins with a question word, which ruff has no rule for."""
    step.run("python", "tests/tools/docstrings.py", *(step.arguments or ["plugins", "roles/emulator"]))


@step("newest")
def yamllint(step: Step) -> None:
    step.run("yamllint", "--strict", *step.arguments, ".")


@step("newest")
def ansible_lint(step: Step) -> None:
    step.run("ansible-lint", "--offline", "--nocolor", *step.arguments)


@step("newest")
def changelog(step: Step) -> None:
    step.run("antsibull-changelog", "lint", *step.arguments)


@step("newest")
def plugin_docs(step: Step) -> None:
    options = ["--plugin-docs", "--skip-rstcheck", "--validate-collection-refs", "self"]
    step.run("antsibull-docs", "lint-collection-docs", *options, *step.arguments, ".")


@step("newest")
def shell(step: Step) -> None:
    files = step.run("git", "ls-files", "tests/python", ".ci/run", "*.sh", silent=True, log=False).split()
    step.run("shellcheck", *step.arguments, *files)


# --- ansible-test ----------------------------------------------------------------------------------------------------


@step("newest")
def sanity(step: Step) -> None:
    """Run ansible-test sanity."""
    ansible_test_sanity(step, *step.arguments)


@step("enterprise")
def sanity_enterprise(step: Step) -> None:
    """Run ansible-test sanity of ansible-core 2.16, which costs as much again and is not part of `test`."""
    ansible_test_sanity(step, *step.arguments)


@step("enterprise")
def documentation_enterprise(step: Step) -> None:
    """Check the documentation as ansible-core 2.16 understands it."""
    ansible_test_sanity(step, "--test", "ansible-doc", "--test", "validate-modules", *step.arguments)


def ansible_test_sanity(step: Step, *arguments: str) -> None:
    """Fail, too, when ansible-test believes that there is nothing to test."""
    scripts = Path(step.variables["HOME"], ".ansible/test/cache")
    scripts.mkdir(parents=True, exist_ok=True)
    step.run("python", TOOLS / "get_pip.py", "--install", scripts)
    output = step.log / f"{step.name}.output"
    tee = 'set -o pipefail; ansible-test sanity --local --color no "$@" 2>&1 | tee "$0"'
    try:
        step.run("bash", "-c", tee, output, *arguments)
    finally:
        checks = sum(line.startswith("Running sanity test") for line in output.read_text().splitlines())
        step.note(f"{checks} checks")
    least = 1 if arguments else 20
    if checks < least:
        step.session.error(f"ansible-test ran {checks} sanity checks; at least {least} were to be expected.")


# --- tests -----------------------------------------------------------------------------------------------------------


@step("newest", "oldest")
def unit_newest(step: Step) -> None:
    """Run the unit tests, and measure what they cover."""
    if step.arguments:
        step.tests("tests/unit")
        return
    # The tracer that also follows branches would double the time of the tests.
    measured = {"COVERAGE_FILE": str(step.log / "coverage"), "COVERAGE_CORE": "sysmon"}
    step.tests("tests/unit", "--cov=plugins", "--cov-report=", **measured)
    # Without a test that uses a plugin there is nothing to report, and the exit status is 1.
    report = step.run("coverage", "report", "--format=total", silent=True, success_codes=[0, 1], variables=measured)
    step.note(f"lines of plugins covered, in %: {report.strip()}")


@step("enterprise", "oldest")
def unit_enterprise(step: Step) -> None:
    """Run the unit tests without the core, which knows nothing of Ansible: the other two steps test it."""
    step.tests("tests/unit", "--ignore", "tests/unit/plugins/module_utils")


@step("oldest")
def unit_oldest(step: Step) -> None:
    """Run the unit tests of the core without Ansible, as on a managed node."""
    step.tests("tests/unit/plugins/module_utils")


@step("newest", "oldest")
def emulator(step: Step) -> None:
    """Run the tests of the emulator."""
    step.tests("tests/emulator")


@step("newest", "oldest")
def integration_newest(step: Step) -> None:
    """Run playbooks, which wait more than they work, so that four at a time share two cores well."""
    step.tests("tests/integration", workers=4)


@step("middle", "oldest")
def ways_middle(step: Step) -> None:
    """See that both ways give the same result where the arguments of modules are neither old nor new."""
    step.tests("tests/integration/test_ways.py")


@step("enterprise", "oldest")
def integration_enterprise(step: Step) -> None:
    """Run playbooks, without tests that run no Ansible or are about processes and time rather than its versions."""
    names = ["record", "record_info", "record_config", "record_notify", "wait", "trust", "pacing", "policies"]
    names += [
        "answers",
        "bad_input",
        "credentials",
        "domains",
        "late_log",
        "others",
        "pull",
        "stream_notify",
        "verdicts",
    ]
    names += ["verify"]
    large = "tests/integration/test_playbooks.py::test_of_three_hundred_streams_exactly_those_four_fail"
    without = [f"--ignore=tests/integration/test_{name}.py" for name in names]
    step.tests("tests/integration", *without, f"--deselect={large}", workers=4)


@step("newest", "oldest")
def chaos(step: Step) -> None:
    """Run playbooks and operations while everything fails now and then."""
    step.tests("tests/chaos")


@step("newest", "oldest")
def soak(step: Step) -> None:
    """Do what `chaos` does for long; arguments are the seeds."""
    step.run("python", "tests/chaos/soak.py", *step.arguments)


@step("store")
def store(step: Step) -> None:
    """Share a quota through a real server, which is installed where that is possible."""
    if not store_server.ensure():
        step.note("left out: there is neither redis-server nor valkey-server")
    step.tests("tests/store", workers=1)


@step("sdk")
def sdk(step: Step) -> None:
    """Use the emulator through the official SDKs."""
    step.tests("tests/sdk")


@step("events")
def events(step: Step) -> None:
    """Run event sources, and the rulebook with a real ansible-rulebook, which needs Java 17."""
    java.install(step)
    step.tests("tests/events")


@step("events")
def events_soak(step: Step) -> None:
    """Measure the rulebook, and run it for ten minutes; arguments are the measurements."""
    java.install(step)
    names = step.arguments or ["drop", "crowd", "stall", "kill", "soak", "soak_source"]
    step.run("python", "tests/events/measure.py", *names, variables={"PYTHONPATH": str(TREE)})


@step("browser")
def page(step: Step) -> None:
    """Look at the reports' pages in a real browser, which is installed where it is missing."""
    if chromium.find_or_install() is None:
        # As with a Python that is missing: one step among others may be left out, and says so.
        leave = step.session.skip if "TEST_PREPARED" in os.environ else step.session.error
        leave(chromium.MISSING)
    step.tests("tests/page")


@step("newest", *ENVIRONMENTS)
def gate(step: Step) -> None:
    """Plant faults and see that the checks find them."""
    step.tests("tests/gate")


@step("newest", "oldest")
def fuzz(step: Step) -> None:
    """Run the property-based tests with other examples each time, and many of them."""
    examples = {"TEST_EXAMPLES": step.variables.get("TEST_EXAMPLES", "3000")}
    step.tests("tests/unit", "-k", PROPERTIES, "--timeout=3600", **examples)


# --- other -----------------------------------------------------------------------------------------------------------


@step("newest", "oldest")
def attack(step: Step) -> None:
    """Attack with hostile servers, files, names and secrets, other ones each time, for about so many minutes."""
    attacks.main(step, int(step.arguments[0]) if step.arguments else 5, f"{PROPERTIES} or thousands")


@step("bench")
def bench(step: Step) -> None:
    """Measure the speed beside other ways; without arguments, write docs/benchmark.md."""
    step.run("python", "tests/benchmark/benchmark.py", "--output", CHECKOUT / "docs", *step.arguments)


@step("store")
def bench_controllers(step: Step) -> None:
    """Measure several controllers that share a quota through a real server."""
    store_server.ensure()
    step.run("python", "tests/benchmark/controllers.py", *step.arguments)


@step("newest", "browser")
def docs(step: Step) -> None:
    """Write the plugins' reference pages to .cache/docs, and the README's pictures, of a real run, to docs."""
    pages = CACHE / "docs"
    pages.mkdir(exist_ok=True)
    options = ["--use-current", "--squash-hierarchy", "--output-format=simplified-rst", "--fail-on-error"]
    step.run("antsibull-docs", "collection", *options, "--dest-dir", pages, "apsaravideo.live")
    step.session.log(f"The pages are in {pages}.")
    if chromium.find_or_install() is None:
        step.session.log(f"The pictures are left out: {chromium.MISSING}.")
    else:
        playbook = environments.directory("newest") / "bin" / "ansible-playbook"
        Step(step.session, "browser").run("python", "tests/tools/pictures.py", playbook, CHECKOUT / "docs")
