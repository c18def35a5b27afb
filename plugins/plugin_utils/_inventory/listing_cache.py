# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Store listings in the inventory cache, and read them back for the same account only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_PREFIXES = ("ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_")


def make_digest(value: Any) -> str:
    """Return a short identifier of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def identify_account(environ: Mapping[str, str]) -> str:
    """Return an identifier of the account that the environment names, without secrets; empty if it names none.

    A cache may be read without credentials, as on a machine without network.
    """
    names = {
        name: value
        for name, value in environ.items()
        if value and name.startswith(_PREFIXES) and "SECRET" not in name and "TOKEN" not in name
    }
    return make_digest(names) if names else ""


def make_entry(found: list[list[dict[str, Any]]], account: str) -> dict[str, str]:
    """Return listings as a cache entry: as one text, because Ansible copies and inspects every value that it stores."""
    return {"account": account, "found": json.dumps(found)}


def read_entry(entry: Any, account: str) -> list[Any] | None:
    """Return the listings of a cache entry, None if it cannot be read or belongs to another account."""
    try:
        if account and entry["account"] != account:
            return None
        found: list[Any] | None = json.loads(entry["found"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None
