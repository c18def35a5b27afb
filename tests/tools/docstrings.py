# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the docstrings that begin with a question word instead of saying what is done: docstrings.py DIRECTORY..."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

QUESTIONS = {"how", "what", "whatever", "when", "where", "whether", "which", "who", "whose", "why"}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def questions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            first = text.split(maxsplit=1)[0].strip("`'\",.:")
            if first.lower() in QUESTIONS:
                yield f"{path}:{node.body[0].lineno}: the docstring begins with {first}: {text.splitlines()[0]}"


if __name__ == "__main__":
    found = [line for name in sys.argv[1:] for path in sorted(Path(name).rglob("*.py")) for line in questions(path)]
    print("\n".join(found))
    sys.exit(bool(found))
