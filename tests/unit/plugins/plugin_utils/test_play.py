# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets to see the summary."""

from __future__ import annotations

import pytest
from ansible import constants

from ansible_collections.apsaravideo.live.plugins.plugin_utils import _play


@pytest.mark.parametrize(
    ("callback", "shown"), [("default", True), ("community.general.yaml", True), ("ansible.posix.json", False)]
)
def test_a_callback_for_programs_is_not_disturbed(monkeypatch, capsys, callback, shown):
    def setting(name):
        return callback if name == "DEFAULT_STDOUT_CALLBACK" else "normal"

    monkeypatch.setattr(constants.config, "get_config_value", setting)
    _play.show(["start: 1 stream"], bad=False)
    assert ("start: 1 stream" in capsys.readouterr().out) == shown
