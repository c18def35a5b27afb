# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name hosts after streams, in characters that patterns, `--limit` and file names take literally."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from ...module_utils._api.models import Stream

_SAFE = r"\w.+=-"  # besides @, which joins the parts of a default name
_SAFE_NAME = re.compile(rf"\w[{_SAFE}]*")
# File names end at 255 bytes, and Ansible's fact cache ends the run where it cannot use the name of a host.
_MAX_PART_BYTES = 72
_MAX_NAME_BYTES = 200
_DIGEST_LENGTH = 32


def default_name(stream: Stream) -> str:
    """Return `stream@app@domain`, which is unique to the stream."""
    return "@".join(_escape(part, _SAFE, _MAX_PART_BYTES) for part in reversed(stream))


def host_name(text: str, taken: Iterable[str], slash: bool = False) -> str:
    """Return a usable host name for the result of a template.

    Special characters are escaped as in URLs, and so is the first character of a name that is `taken` by something
    else. `slash` keeps slashes. The end of a long name is replaced by a digest.
    """
    parts = text.split("/") if slash else [text]
    name = "/".join(_escape(part, f"@{_SAFE}", _MAX_NAME_BYTES) or "%" for part in parts)
    return _percent_encode(name[0]) + name[1:] if name in taken else name


def _escape(text: str, kept: str, max_bytes: int) -> str:
    bare = str.__str__(text)  # ansible-inventory would not print text that is marked as unsafe as a name
    if _SAFE_NAME.fullmatch(bare):
        name = bare
    else:
        name = re.sub(rf"^\W|[^{kept}]", lambda found: _percent_encode(found[0]), bare)
    if len(name.encode()) <= max_bytes:
        return name
    # Only shortened names contain a ~, so no stream can be named to collide with one.
    digest = hashlib.sha256(bare.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    return f"{name.encode()[: max_bytes - _DIGEST_LENGTH - 1].decode(errors='ignore')}~{digest}"


def _percent_encode(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
