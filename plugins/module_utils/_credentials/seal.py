# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encryption of files that only the processes of one run can read, even if a killed run leaves them behind.

The key is made when `ansible-playbook` imports this module, before it forks its workers, which inherit it. It exists in
the memory of these processes only.
"""

from __future__ import annotations

import hashlib
import hmac
import os

_KEY = os.urandom(32)
_NONCE_SIZE = 16  # bytes
_TAG_SIZE = hashlib.sha256().digest_size


def derive_name(text: str) -> str:
    """Return a file name for a text that reveals nothing about it; it is the same in all processes of the run."""
    return hmac.new(_KEY, b"name" + text.encode(), hashlib.sha256).hexdigest()[:32]


def encrypt(content: bytes) -> bytes:
    """Return content encrypted and authenticated."""
    nonce = os.urandom(_NONCE_SIZE)
    encrypted = _apply_keystream(nonce, content)
    return nonce + encrypted + _compute_tag(nonce + encrypted)


def decrypt(content: bytes) -> bytes:
    """Return the content that `encrypt` was given; raises ValueError unless it was encrypted in this run."""
    body, tag = content[:-_TAG_SIZE], content[-_TAG_SIZE:]
    if len(body) < _NONCE_SIZE or not hmac.compare_digest(tag, _compute_tag(body)):
        raise ValueError("this was not encrypted in this run")
    return _apply_keystream(body[:_NONCE_SIZE], body[_NONCE_SIZE:])


def _apply_keystream(nonce: bytes, content: bytes) -> bytes:
    """Combine content with a stream derived from key and nonce, which encrypts it and, applied again, decrypts it."""
    stream = hashlib.shake_256(b"stream" + _KEY + nonce).digest(len(content))
    return bytes(one ^ other for one, other in zip(content, stream))


def _compute_tag(body: bytes) -> bytes:
    return hmac.new(_KEY, b"tag" + body, hashlib.sha256).digest()
