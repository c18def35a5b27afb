# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is one of several is recognized by what AWX and GitLab say."""

from __future__ import annotations

import pytest

from ansible_collections.apsaravideo.live.plugins.plugin_utils._fleet.slices import warn_of_slices

SLICE = {"job_template_name": "Record", "job_template_id": 7, "workflow_job_name": "Record", "workflow_job_id": 9}


@pytest.mark.parametrize("prefix", ["awx", "tower"])
def test_a_slice_is_recognized_by_the_name_of_its_workflow(prefix):
    variables = {f"{prefix}_{name}": value for name, value in SLICE.items()}
    (warning,) = warn_of_slices(variables, {})
    assert "one of several job slices" in warning and "apsaravideo_rate_limit_store" in warning


def test_a_slice_is_recognized_by_the_number_of_slices():
    assert warn_of_slices({"awx_job_slice_count": 4}, {})


def test_a_parallel_job_of_gitlab_is_recognized():
    (warning,) = warn_of_slices({}, {"CI_NODE_TOTAL": "3", "CI_NODE_INDEX": "1"})
    assert "one of several parallel jobs" in warning


@pytest.mark.parametrize(
    ("variables", "environ"),
    [
        ({}, {}),
        ({}, {"CI_NODE_TOTAL": "1"}),
        ({}, {"CI_NODE_TOTAL": "x"}),
        ({"awx_job_slice_count": 1, "awx_job_template_name": "Record"}, {}),
        ({"awx_job_template_name": "Record", "awx_workflow_job_name": "Every morning"}, {}),
        ({"awx_job_template_name": "", "awx_workflow_job_name": ""}, {}),
    ],
)
def test_a_run_of_its_own_is_not_warned(variables, environ):
    assert warn_of_slices(variables, environ) == []
