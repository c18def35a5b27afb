# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options of a run over many streams."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that apsaravideo_record_fleet and apsaravideo_record_verify have in common."""

    DOCUMENTATION = r"""
options:
  domain_name:
    description:
      - The domain of the streams whose hosts, or entries of O(streams), name none. A domain that they name comes first.
    type: str
    aliases: [domain]
  max_fail:
    description:
      - The percentage of the streams of a batch that may fail. RV(ended) says whether more failed, so that a playbook
        can skip further batches.
    type: float
    default: 100
  fail:
    description:
      - Whether the task fails if a stream fails. With V(false), failures are only reported.
      - A failed task returns neither RV(streams) nor RV(request_ids), because Ansible would show them all.
    type: bool
    default: true
  progress:
    description:
      - The form of the progress. V(bar) is a progress bar, V(lines) a line every ten seconds.
      - V(auto) means a bar on a terminal, unless E(CI), E(AWX_ISOLATED_DATA_DIR) or E(RUNNER_OMIT_EVENTS) is set or
        E(TERM) is V(dumb). Otherwise it means lines, or none with a callback plugin that writes JSON.
    type: str
    choices: [auto, bar, lines, none]
    default: auto
  retry_file:
    description:
      - A file on the controller that lists the hosts to retry, for C(--limit @file). During the run, it lists all hosts
        that are not done yet. When none is left, it is removed, unless it lists hosts of other runs.
      - Default is no file. Check mode does not write it.
    type: str
    default: ""
"""
