# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option that writes reports."""

from __future__ import annotations


class ModuleDocFragment:
    """The option of `reporter.REPORT`."""

    DOCUMENTATION = r"""
options:
  report:
    description:
      - Files on the controller to write a report of the run to. Their endings name the forms, which are C(.json),
        C(.csv), C(.xml) for JUnit, C(.md), C(.prom) for the textfile collector of Prometheus' node_exporter, and
        C(.html) for a page. C(docs/reports.md) of the collection describes them.
      - Each file is written atomically, also if the run fails or is interrupted, which the report says. Another ending,
        a directory that does not exist, and a link, a directory or a pipe of this name are refused before any call. A
        file that cannot be written later causes a warning.
      - The runs of one C(ansible-playbook) that name the same file share it. Another C(ansible-playbook) replaces it.
      - If E(GITHUB_STEP_SUMMARY) is set and there is a file in C(.md), the report is also appended to that summary.
      - Check mode writes the report as well, because it is output and no change.
      - Default is no report.
    type: list
    elements: str
    default: []
"""
