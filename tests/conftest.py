# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make `ansible_collections.apsaravideo.live` importable, through Ansible's own loader where there is Ansible.

This happens on import, because the conftest of a directory below may import the collection.

Property-based tests try other examples each time, but in a run of all checks, which has to give the same verdict twice.
TEST_EXAMPLES says how many each of them tries.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

COLLECTIONS = Path(__file__).resolve().parents[4]
try:
    from ansible.plugins.loader import init_plugin_loader
    from ansible.utils.collection_loader import AnsibleCollectionConfig
except ImportError:
    sys.path.insert(0, str(COLLECTIONS))
else:
    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader([str(COLLECTIONS)])

# A deadline of a test would only tell that the machine is busy.
if os.environ.get("TEST_SAME_EXAMPLES"):
    settings.register_profile("chosen", derandomize=True, deadline=None)
elif os.environ.get("TEST_EXAMPLES"):
    settings.register_profile("chosen", max_examples=int(os.environ["TEST_EXAMPLES"]), deadline=None)
else:
    settings.register_profile("chosen", deadline=None)
settings.load_profile("chosen")
