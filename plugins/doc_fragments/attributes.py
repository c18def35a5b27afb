# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the attributes that the modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes of all modules; a module adds its own support of check mode, diff and idempotence."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Belongs to this action group, for use with C(module_defaults).
    support: full
    membership:
      - apsaravideo.live.all
  check_mode:
    description: Can run in check mode and report what would change without changing it.
  diff_mode:
    description: Returns what changed, or would change, in diff mode.
  idempotent:
    description: A second run with the same options changes nothing.
notes:
  - Each option of the connection can also be set by a variable with the prefix C(apsaravideo_), such as
    C(apsaravideo_profile) for a group of the inventory. Options of the task and its C(module_defaults) take precedence.
  - C(module_defaults) of C(group/apsaravideo.live.all) may set the options of the connection and C(domain_name), which
    all modules of the group have.
"""
