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
from collections.abc import Hashable
from typing import Any, ClassVar, TypeVar

FORMAT = 3
PLAIN = (str, int, float, bool, type(None))
_KINDS: dict[str, tuple[type, tuple[str, ...], bool]] = {}
_Kind = TypeVar("_Kind", bound=type)


class BadState(ValueError):
    """The state cannot be used; the message says why."""


def stored(kind: _Kind) -> _Kind:
    """Let the objects of a dataclass be part of a state; those of a frozen one, which are hashable, are shared."""
    names = tuple(field.name for field in dataclasses.fields(kind))
    _KINDS[kind.__name__] = kind, names, issubclass(kind, Hashable)
    return kind


@dataclasses.dataclass(frozen=True)
class Json:
    """A value that is JSON already; there may be too much of it to look at each part."""

    value: Any


class Kept:
    """An object whose state is the attributes named in ``KEPT``."""

    KEPT: ClassVar[tuple[str, ...]] = ()

    def snapshot(self) -> dict[str, Any]:
        """The state: attributes as they are, and of those that are Kept the snapshots."""
        values = {name: getattr(self, name) for name in self.KEPT}
        return {name: value.snapshot() if isinstance(value, Kept) else value for name, value in values.items()}

    def restore(self, content: dict[str, Any]) -> None:
        """Take over a state that :meth:`snapshot` gave."""
        for name in self.KEPT:
            part = getattr(self, name)
            if isinstance(part, Kept):
                part.restore(content[name])
            else:
                setattr(self, name, content[name])


class _Packer:
    """Turns values into what JSON can hold; ``shared`` are the unchanging objects, each of which is there once."""

    def __init__(self) -> None:
        self.shared: list[Any] = []
        self._places: dict[int, int] = {}

    def pack(self, value: Any) -> Any:
        if type(value) in PLAIN:
            return value
        if isinstance(value, (list, deque)):
            return [self.pack(item) for item in value]
        if isinstance(value, tuple):
            return {"tuple": [self.pack(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self.pack(name), self.pack(item)] for name, item in value.items()]}
        if isinstance(value, Json):
            return {"json": value.value}
        return self._pack_object(value)

    def _pack_object(self, value: Any) -> Any:
        if id(value) in self._places:
            return {"shared": self._places[id(value)]}
        name = type(value).__name__
        kind, fields, unchanging = _KINDS.get(name, (None, (), False))
        if kind is None or not isinstance(value, kind):
            raise TypeError(f"{name} is not stored")
        packed = {name: {field: self.pack(getattr(value, field)) for field in fields}}
        if not unchanging:
            return packed
        self._places[id(value)] = len(self.shared)
        self.shared.append(packed)
        return {"shared": self._places[id(value)]}


class _Unpacker:
    """The way back."""

    def __init__(self, shared: list[Any]) -> None:
        self._shared: list[Any] = []
        for packed in shared:
            self._shared.append(self.unpack(packed))

    def unpack(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.unpack(item) for item in value]
        if not isinstance(value, dict):
            return value
        ((name, content),) = value.items()
        if name == "shared":
            return self._shared[content]
        if name == "tuple":
            return tuple(self.unpack(item) for item in content)
        if name == "dict":
            return {self.unpack(key): self.unpack(item) for key, item in content}
        if name == "json":
            return Json(content)
        return _KINDS[name][0](**{field: self.unpack(item) for field, item in content.items()})


def dumps(value: Any) -> str:
    """A snapshot as text."""
    packer = _Packer()
    content = packer.pack(value)
    return json.dumps({"format": FORMAT, "shared": packer.shared, "content": content})


def loads(text: str) -> Any:
    """The snapshot in a text; BadState when it is not one of this version."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise BadState("it was written by another version of the emulator")
        return _Unpacker(found["shared"]).unpack(found["content"])
    except BadState:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadState(f"it is not the state of an emulator: {error!r}") from None


def save(path: str, content: Kept) -> None:
    """Write a state to a file that only its owner can read."""
    write_privately(path, dumps(content.snapshot()))


def load(path: str, content: Kept) -> None:
    """Take over the state in a file; nothing happens when there is none, BadState when it cannot be used."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        content.restore(loads(text))
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadState(f"cannot use the state in {path}: {error}") from None


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
