# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masking of secrets in text."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

MASK = "********"
_MIN_LENGTH = 6  # characters; what is shorter is no secret, and may be a part of any word
_SECRET_NAME = re.compile(r"(?i)(access|auth)_?key|secret|token|password")  # of an option or a variable
_NAMED_SIGNATURE = re.compile("(?<=Signature=)[0-9A-Za-z%+/=]+")
_SIGNATURE_LENGTH = 64
_HEXADECIMAL = re.compile(f"[0-9a-f]{{{_SIGNATURE_LENGTH},}}")


class Redactor:
    """Masks the secrets of a task and its clients in text. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._longest_first: tuple[str, ...] = ()
        # Each request adds one. They are looked up, not searched for, so that thousands take no time.
        self._signatures: set[str] = set()

    def learn(self, *secrets: str) -> None:
        """Remember texts to mask, also in percent-encoded form."""
        if self._known.issuperset(secrets):
            return
        forms = {form for secret in secrets for form in (secret, quote(secret, safe="", errors="surrogatepass"))}
        with self._lock:
            known = self._known | forms.union(secrets)
            secrets_of_size = (form for form in known if len(form) >= _MIN_LENGTH)
            self._longest_first = tuple(sorted(secrets_of_size, key=len, reverse=True))
            self._known = known  # Last, because a thread that finds its secrets here relies on their being masked.

    def learn_signature(self, signature: str) -> None:
        """Remember the signature of a request to mask, which is 64 hexadecimal digits."""
        self._signatures.add(signature)

    def learn_named(self, values: Mapping[str, Any]) -> None:
        """Remember the values to mask of options or variables whose names say that they are secret."""
        self.learn(*(str(value) for name, value in values.items() if _SECRET_NAME.search(name)))

    def mask(self, text: str) -> str:
        """Return the text with every secret replaced; the longest first, because one may be a part of another."""
        text = self._mask_signatures(text)
        for secret in self._longest_first:
            text = text.replace(secret, MASK)
        return _NAMED_SIGNATURE.sub(MASK, text)

    def _mask_signatures(self, text: str) -> str:
        found = set()
        for digits in _HEXADECIMAL.finditer(text):
            for start in range(digits.start(), digits.end() - _SIGNATURE_LENGTH + 1):
                part = text[start : start + _SIGNATURE_LENGTH]
                if part in self._signatures:  # Parts are not collected: a response may have millions of them.
                    found.add(part)
        for signature in found:
            text = text.replace(signature, MASK)
        return text
