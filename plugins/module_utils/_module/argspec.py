# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several modules share, as arguments of AnsibleModule; the doc fragments document them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

DOMAIN: dict[str, Any] = {"domain_name": {"type": "str", "required": True, "aliases": ["domain"]}}

STREAM: dict[str, Any] = {
    **DOMAIN,
    "app_name": {"type": "str", "required": True, "aliases": ["app"]},
    "stream_name": {"type": "str", "required": True, "aliases": ["stream"]},
}

CONNECTION: dict[str, Any] = {
    "access_key_id": {"type": "str", "no_log": True, "aliases": ["alicloud_access_key", "access_key"]},
    "access_key_secret": {
        "type": "str",
        "no_log": True,
        "aliases": ["alicloud_secret_key", "secret_access_key", "secret_key"],
    },
    "security_token": {"type": "str", "no_log": True, "aliases": ["alicloud_security_token"]},
    "profile": {"type": "str"},
    "credentials_file": {"type": "path", "aliases": ["shared_credentials_file"]},
    "role_arn": {"type": "str", "aliases": ["alicloud_assume_role_arn", "assume_role_arn"]},
    "role_session_name": {
        "type": "str",
        "aliases": ["alicloud_assume_role_session_name", "assume_role_session_name"],
    },
    "role_session_duration": {
        "type": "int",
        "aliases": ["alicloud_assume_role_session_expiration", "assume_role_session_expiration"],
    },
    "role_policy": {"type": "json"},
    "external_id": {"type": "str"},
    "ecs_role_name": {"type": "str", "aliases": ["role_name"]},
    "sts_endpoint": {"type": "str"},
    "allow_external_process": {"type": "bool"},
    "region_id": {"type": "str", "aliases": ["alicloud_region", "region"]},
    "endpoint": {"type": "str"},
    "allow_http": {"type": "bool", "default": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "connect_timeout": {"type": "float", "default": 5},
    "read_timeout": {"type": "float", "default": 10},
    "rate_limit": {"type": "float"},
    "rate_limit_share": {"type": "float", "default": 1},
    "rate_limit_store": {"type": "str", "no_log": True},
    "rate_limit_store_required": {"type": "bool", "default": False},
    "rate_limit_account": {"type": "str"},
    "retry_timeout": {"type": "float", "default": 60},
}


class Spec(NamedTuple):
    """The argument spec of a module: its options, including CONNECTION, and the rules between them."""

    options: dict[str, Any]
    rules: dict[str, Any] = {}

    def fill(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options, with defaults for those that are not set or null."""
        return {
            name: option.get("default") if given.get(name) is None else given[name]
            for name, option in self.options.items()
        }
