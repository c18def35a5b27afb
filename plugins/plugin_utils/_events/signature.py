# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify the signature of a callback.

It covers a domain, a time and a key, and neither the path nor the content. The domain is the ingest domain for
callbacks of pushes, and the host of the callback URL for those of recordings; whether that includes a port is not
documented.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

TIMESTAMP_HEADER = "ALI-LIVE-TIMESTAMP"
SIGNATURE_HEADER = "ALI-LIVE-SIGNATURE"

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[0-9a-fA-F]{32}")
_PORT = re.compile(r":[0-9]{1,5}\Z")


def sign(domain: str, timestamp: str, key: str) -> str:
    """Return the signature of a callback, in lower case."""
    return hashlib.md5(f"{domain}|{timestamp}|{key}".encode(errors="replace"), usedforsecurity=False).hexdigest()


def is_valid(signature: str, timestamp: str, domains: Iterable[str], keys: Iterable[str]) -> bool:
    """Return whether a signature was made with one of the domains and one of the keys, in constant time."""
    if not (_SIGNATURE.fullmatch(signature) and _TIMESTAMP.fullmatch(timestamp)):
        return False
    known = list(keys)
    matches = [
        hmac.compare_digest(sign(domain, timestamp, key), signature.lower()) for domain in domains for key in known
    ]
    return any(matches)


def is_fresh(timestamp: str, now: float, max_age: float) -> bool:
    """Return whether a timestamp differs from now by at most `max_age` seconds; the clocks may differ either way."""
    return bool(_TIMESTAMP.fullmatch(timestamp)) and abs(now - int(timestamp)) <= max_age


def with_and_without_port(hosts: Iterable[str]) -> list[str]:
    """Return each host as it is and without its port, in lower case and as it was given."""
    forms: dict[str, None] = {}
    for host in hosts:
        for form in (host, _PORT.sub("", host)):
            forms[form] = forms[form.lower()] = None
    return list(forms)
