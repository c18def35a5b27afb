# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert values from and to the types that Ansible adds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common import json as ansible_json


def _argument_encoding() -> dict[str, Any]:
    """Return the options of `json.dumps` with which ansible-core encodes the arguments of a module."""
    if hasattr(ansible_json, "get_module_encoder"):  # 2.19 and newer
        to_module = ansible_json.Direction.CONTROLLER_TO_MODULE
        return {"cls": ansible_json.get_module_encoder("legacy", to_module)}
    return {"cls": ansible_json.AnsibleJSONEncoder, "vault_to_text": True}


_ARGUMENT_ENCODING = _argument_encoding()


def to_plain(value: Any) -> Any:
    """Return a copy of a value in Python's own types; vaulted texts are decrypted."""
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):  # ansible-core 2.19 and newer have subclasses of these
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def to_module_arguments(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return arguments as a module would receive them, None if JSON cannot hold them.

    Versions of ansible-core differ in how they send dates, sets, bytes and keys that are not text.
    """
    try:
        received: dict[str, Any] = json.loads(json.dumps(arguments, **_ARGUMENT_ENCODING))
    except TypeError:
        return None
    return received


def redact_values(message: str) -> str:
    """Return an error message of ansible-core without the value of the option, which may be a misplaced secret."""
    return re.sub(r"(?s)(unable to convert to \w+).*|(one of: .*), got: .*", r"\1\2", message)
