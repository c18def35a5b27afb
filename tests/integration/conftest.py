# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud of the integration tests: emulators that live as long as the test process, put back before each test."""

from __future__ import annotations

import pytest

from support.emulator import Emulator
from support.playbook import Ansible, environment


@pytest.fixture(scope="session")
def http_cloud():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def https_cloud():
    with Emulator(tls=True) as emulator:
        yield emulator


@pytest.fixture
def cloud(http_cloud):
    http_cloud.reset()
    return http_cloud


@pytest.fixture
def tls_cloud(https_cloud):
    https_cloud.reset()
    return https_cloud


@pytest.fixture
def ansible(cloud, tmp_path):
    return Ansible(tmp_path, environment(cloud))


@pytest.fixture
def tls_ansible(tls_cloud, tmp_path):
    return Ansible(tmp_path, environment(tls_cloud))
