# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy a checkout to where Ansible looks for a collection: sync.py CHECKOUT .../ansible_collections/NAMESPACE/NAME.

Ansible's tools take a collection from such a path only, and ansible-test does not accept a symbolic link there.
Only files that differ are written, each in one go, so that a run still at work in the copy is not disturbed.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

# made by tools in the copy, and slow to make again
KEPT = {".ansible", ".git", ".hypothesis", "__pycache__", "output"}


def git(directory: Path, *arguments: str, stdin: str = "", **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env={**inherited, **environment},
        input=stdin,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout


def listed(checkout: Path) -> list[str]:
    """Name the files of a checkout, uncommitted ones too; without a repository its .gitignore is heeded, too."""
    others = ["ls-files", "-z", "--others", "--exclude-standard"]
    if (checkout / ".git").exists():
        output = git(checkout, *others, "--cached")
    else:
        empty = checkout / ".cache" / "no.git"
        git(checkout, "init", "--quiet", "--bare", str(empty))
        output = git(checkout, f"--git-dir={empty}", f"--work-tree={checkout}", *others, "--exclude=/.cache")
    return sorted({name for name in output.split("\0") if name and os.path.lexists(checkout / name)})


def same(source: Path, target: Path) -> bool:
    if source.is_symlink() or target.is_symlink():
        return source.is_symlink() and target.is_symlink() and source.readlink() == target.readlink()
    if not target.is_file() or source.stat().st_mode != target.stat().st_mode:
        return False
    return filecmp.cmp(source, target, shallow=False)


def copy(source: Path, target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy2(source, part, follow_symlinks=False)
    part.replace(target)


def prune(directory: Path, wanted: set[Path]) -> None:
    """Remove what is no longer in the checkout."""
    for path in list(directory.iterdir()):
        if path.is_symlink() or not path.is_dir():
            if path not in wanted:
                path.unlink()
        elif path in wanted:
            prune(path, wanted)
        elif path.name not in KEPT:
            shutil.rmtree(path)


def main(checkout: Path, live: Path) -> None:
    names = listed(checkout)
    if "galaxy.yml" not in names:
        sys.exit(f"no galaxy.yml among the {len(names)} files of {checkout}")
    live.mkdir(parents=True, exist_ok=True)
    files = {live / name for name in names}
    prune(live, files | {parent for file in files for parent in file.parents})
    for name in names:
        if not same(checkout / name, live / name):
            copy(checkout / name, live / name)
    # A repository of its own: ansible-test would ask the enclosing one, which ignores .cache, and test nothing.
    git(live, "init", "--quiet")
    index = live / ".git" / f"index.{os.getpid()}"
    add = ["add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"]
    git(live, *add, stdin="\0".join(names), GIT_INDEX_FILE=str(index), GIT_LITERAL_PATHSPECS="1")
    index.replace(live / ".git" / "index")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
