# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the demonstration, which needs one small environment only: demo.py [ARGUMENT of ansible-playbook...]."""

from __future__ import annotations

import os
import subprocess
import sys

import environments
import jobs
import sync
from environments import CACHE, CHECKOUT, LIVE, TREE


def variables() -> dict[str, str]:
    # A demonstration must not find its way to a real account.
    real = ("ALIBABA", "ALICLOUD_", "APSARAVIDEO_")
    home = CACHE / "ansible"
    preferred = {
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_DISPLAY_OK_HOSTS": "0",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "0",
        "ANSIBLE_FORKS": str(4 * (os.cpu_count() or 1)),
        **({"ANSIBLE_FORCE_COLOR": "1"} if sys.stdout.isatty() else {}),
    }
    return {
        **preferred,
        **{name: value for name, value in os.environ.items() if value and not name.startswith(real)},
        "ANSIBLE_CONFIG": str(CACHE / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_REMOTE_TMP": str(home / "tmp"),
        "ANSIBLE_ASYNC_DIR": str(home / "async"),
        "PATH": f"{environments.directory('demo') / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }


def prepare() -> None:
    if not (environments.directory("demo") / "made-of").exists():
        print("Installing ansible-core in .cache/env/demo, once ...", file=sys.stderr)
    environments.make("demo")
    sync.main(CHECKOUT, LIVE)
    (CACHE / "ansible").mkdir(exist_ok=True)
    (CACHE / "ansible.cfg").write_text("")


def main(arguments: list[str]) -> int:
    """Run the playbook, and print the summary that it writes."""
    started: set[jobs.Job] = set()
    summary = CACHE / "demo.txt"
    with jobs.ended(started):
        prepare()
        summary.unlink(missing_ok=True)
        own = ["-e", f"emulator_parent_pid={os.getpid()}", "-e", f"demo_summary={summary}"]
        program = environments.directory("demo") / "bin" / "ansible-playbook"
        job = jobs.Job([program, "apsaravideo.live.demo", *own, *arguments], variables())
        started.add(job)
        status = job.process.wait()
    if status == 0:
        print(summary.read_text(), end="")
    return status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit(130)
