# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which results a task registers by itself. That they are the same either way is for the integration tests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.apsaravideo.live.plugins.plugin_utils._register import register

PLAIN = {"found": "_task.polymorphic_result"}
RESULT = {"changed": True, "api_calls": 1}


class Action:
    """As an action plugin of ansible-core 2.21."""

    _supports_async = True

    def __init__(self, wanted, **keywords):
        nothing = dict.fromkeys(("loop", "async_val", "changed_when", "failed_when", "until", "retries"))
        self._task = SimpleNamespace(register=wanted, **{**nothing, **keywords})
        self.registered = None

    def register_host_variables(self, variables):
        assert not self._supports_async, "ansible-core refuses it"
        self.registered = variables


def test_a_plain_one_is_registered_and_no_longer_asked_for():
    action = Action({**PLAIN, "also": "_task.polymorphic_result"})
    register(action, RESULT)
    whole = {"changed": True, "failed": False, "api_calls": 1}
    assert action.registered == {"found": whole, "also": whole}
    assert action._task.register is None


@pytest.mark.parametrize(
    "wanted, result, keywords",
    [
        (None, RESULT, {}),
        ("found", RESULT, {}),
        ({"found": "_task.result.api_calls"}, RESULT, {}),
        ({**PLAIN, "calls": "_task.result.api_calls"}, RESULT, {}),
        (PLAIN, {**RESULT, "failed": True}, {}),
        (PLAIN, {**RESULT, "skipped": True}, {}),
        (PLAIN, {**RESULT, "warnings": ["Mind the gap."]}, {}),
        (PLAIN, RESULT, {"loop": [1]}),
        (PLAIN, RESULT, {"async_val": 5}),
        (PLAIN, RESULT, {"changed_when": ["false"]}),
        (PLAIN, RESULT, {"failed_when": ["false"]}),
        (PLAIN, RESULT, {"until": ["true"]}),
        (PLAIN, RESULT, {"retries": 2}),
    ],
)
def test_anything_else_is_left_to_ansible(wanted, result, keywords):
    action = Action(wanted, **keywords)
    register(action, result)
    assert action.registered is None
    assert action._task.register == wanted


def test_so_is_everything_where_actions_cannot_register():
    class Older(Action):
        register_host_variables = property()

    action = Older(PLAIN)
    register(action, RESULT)
    assert action._task.register == PLAIN
