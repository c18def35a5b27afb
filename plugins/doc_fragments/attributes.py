# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of what the modules support."""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes of all modules; a module adds its own support of check mode, diff and idempotence."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: The action group for C(module_defaults) that the module belongs to.
    support: full
    membership:
      - apsaravideo.live.all
  check_mode:
    description: Can run in check mode and say what would change without changing it.
  diff_mode:
    description: Returns what changed, or would change, in diff mode.
  idempotent:
    description: Running it again with the same options changes nothing.
notes:
  - Each option of the connection can also be given as a variable with C(apsaravideo_) in front, such as
    C(apsaravideo_profile) for a group of the inventory. An option of the task or its C(module_defaults) comes first.
  - C(module_defaults) of C(group/apsaravideo.live.all) may set the options of the connection and C(domain_name), which
    all modules of the group have.
"""
