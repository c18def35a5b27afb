# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content that only the processes of one run can read, for files that may outlive the run.

The key is made when `ansible-playbook` loads this, before it forks its workers, which inherit it. It is in the memory
of these processes and nowhere else, so that a file which a killed run leaves behind can be read by nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import os

_KEY = os.urandom(32)
_NONCE = 16  # bytes
_TAG = hashlib.sha256().digest_size


def name_of(text: str) -> str:
    """Return a name for a text that tells nothing about it, the same in all processes of the run and in no other."""
    return hmac.new(_KEY, b"name" + text.encode(), hashlib.sha256).hexdigest()[:32]


def sealed(content: bytes) -> bytes:
    """Return content encrypted and authenticated."""
    nonce = os.urandom(_NONCE)
    hidden = _combined(nonce, content)
    return nonce + hidden + _tag(nonce + hidden)


def unsealed(content: bytes) -> bytes:
    """Return what was sealed in this run; raises ValueError for anything else."""
    body, tag = content[:-_TAG], content[-_TAG:]
    if len(body) < _NONCE or not hmac.compare_digest(tag, _tag(body)):
        raise ValueError("this was not sealed in this run")
    return _combined(body[:_NONCE], body[_NONCE:])


def _combined(nonce: bytes, content: bytes) -> bytes:
    """Return content combined with a stream that only the key gives, which both hides it and brings it back."""
    stream = hashlib.shake_256(b"stream" + _KEY + nonce).digest(len(content))
    return bytes(one ^ other for one, other in zip(content, stream))


def _tag(body: bytes) -> bytes:
    return hmac.new(_KEY, b"tag" + body, hashlib.sha256).digest()
