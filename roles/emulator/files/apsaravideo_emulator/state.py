# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state file, which lets the next process continue from the end of this one.

The file is JSON: reading a file from an untrusted source can fail, but cannot execute code.
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

FORMAT = 5
PLAIN_TYPES = (str, int, float, bool, type(None))
_KINDS: dict[str, tuple[type, tuple[str, ...], bool]] = {}
_Kind = TypeVar("_Kind", bound=type)


class StateError(ValueError):
    """A state that cannot be used; the message gives the reason."""


def storable(kind: _Kind) -> _Kind:
    """Register a dataclass whose objects may be part of a state; those of a frozen one are stored once and shared."""
    names = tuple(field.name for field in dataclasses.fields(kind))
    _KINDS[kind.__name__] = kind, names, issubclass(kind, Hashable)
    return kind


@dataclasses.dataclass(frozen=True)
class Json:
    """A value that is JSON already, stored without visiting its parts because there may be very many."""

    value: Any


class Stateful:
    """An object whose state is the attributes named in `STATE_FIELDS`."""

    STATE_FIELDS: ClassVar[tuple[str, ...]] = ()

    def snapshot(self) -> dict[str, Any]:
        """Return the state: the attributes, with those that are Stateful replaced by their snapshots."""
        values = {name: getattr(self, name) for name in self.STATE_FIELDS}
        return {name: value.snapshot() if isinstance(value, Stateful) else value for name, value in values.items()}

    def restore(self, content: dict[str, Any]) -> None:
        """Restore a state that `snapshot` returned."""
        for name in self.STATE_FIELDS:
            part = getattr(self, name)
            if isinstance(part, Stateful):
                part.restore(content[name])
            else:
                setattr(self, name, content[name])


class _Packer:
    """A converter of values to JSON; `shared` contains each immutable object once."""

    def __init__(self) -> None:
        self.shared: list[Any] = []
        self._positions: dict[int, int] = {}

    def pack(self, value: Any) -> Any:
        if type(value) in PLAIN_TYPES:
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
        if id(value) in self._positions:
            return {"shared": self._positions[id(value)]}
        name = type(value).__name__
        kind, fields, immutable = _KINDS.get(name, (None, (), False))
        if kind is None or not isinstance(value, kind):
            raise TypeError(f"{name} is not stored")
        packed = {name: {field: self.pack(getattr(value, field)) for field in fields}}
        if not immutable:
            return packed
        self._positions[id(value)] = len(self.shared)
        self.shared.append(packed)
        return {"shared": self._positions[id(value)]}


class _Unpacker:
    """The inverse of `_Packer`."""

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
    """Return a snapshot as text."""
    packer = _Packer()
    content = packer.pack(value)
    return json.dumps({"format": FORMAT, "shared": packer.shared, "content": content})


def loads(text: str) -> Any:
    """Return the snapshot in a text; raise StateError if it is not valid or of another version."""
    try:
        packed = json.loads(text)
        if packed["format"] != FORMAT:
            raise StateError("it was written by another version of the emulator")
        return _Unpacker(packed["shared"]).unpack(packed["content"])
    except StateError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise StateError(f"it is not the state of an emulator: {error!r}") from None


def save(path: str, content: Stateful) -> None:
    """Write a state to a file that only its owner can read."""
    write_private_file(path, dumps(content.snapshot()))


def load(path: str, content: Stateful) -> None:
    """Restore the state in a file; do nothing if there is none, raise StateError if it cannot be used."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        content.restore(loads(text))
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(f"cannot use the state in {path}: {error}") from None


def write_private_file(path: str, text: str) -> None:
    """Write a file atomically, readable by its owner only."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)))
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
