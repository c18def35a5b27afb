# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mark text from outside, so that Ansible never takes it for a template."""

from __future__ import annotations

from typing import Any

from ansible.utils.unsafe_proxy import AnsibleUnsafeText


def mark_unsafe(value: Any) -> Any:
    """Return a JSON value with every text in it marked.

    Up to ansible-core 2.18 the mark is a type of its own. From 2.19 on only text that is marked as trusted is a
    template, and the same call removes that mark.
    """
    if isinstance(value, str):
        return AnsibleUnsafeText(value)
    if isinstance(value, dict):
        return {mark_unsafe(name): mark_unsafe(item) for name, item in value.items()}
    if isinstance(value, list):
        return [mark_unsafe(item) for item in value]
    return value
