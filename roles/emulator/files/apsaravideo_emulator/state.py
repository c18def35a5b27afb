# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program knows, in a file, so that the next one can go on where it ended.

The file is JSON: reading one that somebody else has written can fail, but it cannot run anything.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tempfile
from collections import deque
from typing import Any, ClassVar, TypeVar

FORMAT = 1
_KINDS: dict[str, type] = {}
_Kind = TypeVar("_Kind", bound=type)


class BadState(ValueError):
    """The state cannot be used; the message says why."""


def stored(kind: _Kind) -> _Kind:
    """Let the objects of a dataclass be part of a state."""
    _KINDS[kind.__name__] = kind
    return kind


def pack(value: Any) -> Any:
    """A value as JSON can hold it; only what is not a plain value or a list says of what kind it is."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, deque)):
        return [pack(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [pack(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[pack(name), pack(item)] for name, item in value.items()]}
    name = type(value).__name__
    if not dataclasses.is_dataclass(value) or _KINDS.get(name) is not type(value):
        raise TypeError(f"{name} is not stored")
    return {name: {field.name: pack(getattr(value, field.name)) for field in dataclasses.fields(value)}}


def unpack(value: Any) -> Any:
    """The value that was packed."""
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((name, content),) = value.items()
    if name == "tuple":
        return tuple(unpack(item) for item in content)
    if name == "dict":
        return {unpack(key): unpack(item) for key, item in content}
    return _KINDS[name](**{field: unpack(item) for field, item in content.items()})


class Kept:
    """An object whose state is the attributes named in ``KEPT``."""

    KEPT: ClassVar[tuple[str, ...]] = ()

    def snapshot(self) -> dict[str, Any]:
        """The state, ready for JSON."""
        return {name: _content(getattr(self, name)) for name in self.KEPT}

    def restore(self, content: dict[str, Any]) -> None:
        """Take over a state that :meth:`snapshot` gave."""
        for name in self.KEPT:
            part = getattr(self, name)
            if isinstance(part, Kept):
                part.restore(content[name])
            else:
                setattr(self, name, unpack(content[name]))


def _content(value: Any) -> Any:
    return value.snapshot() if isinstance(value, Kept) else pack(value)


def save(path: str, content: Kept) -> None:
    """Write a state to a file that only its owner can read."""
    write_privately(path, json.dumps({"format": FORMAT, "content": content.snapshot()}))


def load(path: str, content: Kept) -> None:
    """Take over the state in a file; nothing happens when there is none, BadState when it cannot be used."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        if found["format"] != FORMAT:
            raise BadState(f"the state in {path} was written by another version of the emulator")
        content.restore(found["content"])
    except FileNotFoundError:
        return
    except BadState:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadState(f"cannot use the state in {path}: {error!r}") from None


def write_privately(path: str, text: str) -> None:
    """Write a file all at once, readable for its owner only."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)))
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
