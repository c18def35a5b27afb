# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values without what Ansible adds to them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common import json as ansible_json


def _argument_encoding() -> dict[str, Any]:
    """Return how ansible-core encodes the arguments of a module, as options of `json.dumps`."""
    if hasattr(ansible_json, "get_module_encoder"):  # 2.19 and newer
        to_module = ansible_json.Direction.CONTROLLER_TO_MODULE
        return {"cls": ansible_json.get_module_encoder("legacy", to_module)}
    return {"cls": ansible_json.AnsibleJSONEncoder, "vault_to_text": True}


_ARGUMENT_ENCODING = _argument_encoding()


def to_plain(value: Any) -> Any:
    """Return a copy in Python's own types; vaulted texts are decrypted by this."""
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):  # newer versions of ansible-core have types of their own made of these
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def to_module_arguments(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return arguments as a module would receive them, or None where Ansible cannot send them to one.

    Dates, sets, bytes and keys that are no text are sent differently by each version of ansible-core.
    """
    try:
        received: dict[str, Any] = json.loads(json.dumps(arguments, **_ARGUMENT_ENCODING))
    except TypeError:
        return None
    return received


def redact_values(message: str) -> str:
    """Return what ansible-core says of an option that it cannot use, without the value: it may be a secret astray."""
    return re.sub(r"(?s)(unable to convert to \w+).*|(one of: .*), got: .*", r"\1\2", message)
