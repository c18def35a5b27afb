# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording callbacks that another client changes while a task changes them."""

from __future__ import annotations

from types import SimpleNamespace

from ansible_collections.apsaravideo.live.plugins.module_utils._api.models import NotifyConfig
from ansible_collections.apsaravideo.live.plugins.module_utils._module import record_notify

OPTIONS = {
    "state": "present",
    "domain_name": "live.example.com",
    "notify_url": "https://example.com/callback",
    "on_demand_url": None,
    "status_events": True,
    "auth_key": "0123456789abcdef01",
    "update_auth_key": "on_create",
}


class Cloud:
    """A cloud with one callback, which another client removes as soon as it was changed."""

    def __init__(self, config):
        self.config = config

    def notify_config(self, domain_name):
        return self.config

    def update_notify_config(self, config):
        self.config = None


def test_a_callback_that_is_removed_right_after_its_change_is_a_warning():
    settings = {
        "domain_name": "live.example.com",
        "notify_url": "https://example.com/old",
        "on_demand_url": None,
        "status_events": False,
        "signed": False,
    }
    live = Cloud(NotifyConfig(settings, None))
    live.client = SimpleNamespace(may_retry=lambda: True)
    task = SimpleNamespace(options=OPTIONS, check_mode=False, warnings=[], open_live=lambda: live)
    result = record_notify.operate(task)
    assert result["changed"] and result["config"] is None
    assert any("does not show it: state differ" in warning for warning in task.warnings)
