# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of the Alibaba Cloud ApsaraVideo Live recording API, for tests and pipelines.

The modules import in one direction only:

    state, gate, errors, render, callbacks      no imports from the package
    clock, limits, behaviour, signatures, oidc,
    identity, record_model, recording,
    on_demand                                   one concern each
    resources, callback_content, cloud          domains, streams, configurations, files, the notify log
    parameters, operations, sts                 request parameters -> response
    scenario, calls, faults, world, gateway     one request from bytes to bytes
    control, server, tls, lifetime, cli         the program
"""

from __future__ import annotations

__version__ = "1.0.0"
