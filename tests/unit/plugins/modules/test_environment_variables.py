# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of each option of the connection names the environment variables that replace it."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from pathlib import Path

import pytest

from ansible_collections.apsaravideo.live.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import LiveError
from ansible_collections.apsaravideo.live.plugins.module_utils._module.argspec import CONNECTION, Spec
from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task

yaml = pytest.importorskip("yaml")
OPTIONS = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
SOURCES = Path(__file__).parents[4] / "plugins" / "module_utils"
# Names that can only be meant as variables of the environment.
OF_CLOUD = re.compile("(ALIBABA_CLOUD|ALIBABACLOUD|ALICLOUD|APSARAVIDEO)_[A-Z0-9_]+")
READ_BY_REQUESTS = {"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"}
NO_OPTION = {"HOME"}
ACCESS_KEY = {"access_key_id": "the-id", "access_key_secret": "the-secret"}
ROLE = {**ACCESS_KEY, "role_arn": "acs:ram::1234567890123456:role/recorder"}


class Environment(dict):
    """Variables of the environment that remember which of them were asked for."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.read = set()

    def get(self, name, default=None):
        self.read.add(name)
        return super().get(name, default)


def named_in_documentation(option):
    description = OPTIONS[option]["description"]
    return set(re.findall(r"E\((\w+)\)", " ".join([description] if isinstance(description, str) else description)))


def named_in_code():
    found = set()
    for path in SOURCES.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and OF_CLOUD.fullmatch(str(node.value)):
                found.add(node.value)
            elif isinstance(node, ast.Call) and re.search(r"environ\.get$", ast.unparse(node.func)):
                found |= {name.value for name in node.args[:1] if isinstance(name, ast.Constant)}
    return found


@pytest.fixture(name="read_by_task")
def reading_task(tmp_path):
    """Return the variables that a task with these options reads, without reaching any server."""

    def read(options):
        environ = Environment(
            HOME=str(tmp_path),
            XDG_RUNTIME_DIR=str(tmp_path),
            ALIBABA_CLOUD_ECS_METADATA_DISABLED="true",
            ALIBABA_CLOUD_STS_ENDPOINT="http://127.0.0.1:1",
        )
        task = Task(Spec(CONNECTION).fill({"retry_timeout": 0, **options}), environ)
        with suppress(LiveError):
            task.open_live()
        task.close()
        return environ.read

    return read


def test_variables_in_the_documentation_are_those_that_the_code_reads(read_by_task):
    read = named_in_code() | read_by_task({})
    assert {"ALIBABACLOUD_OIDC_TOKEN_FILE", "REQUESTS_CA_BUNDLE", "XDG_RUNTIME_DIR"} <= read
    documented = set().union(*map(named_in_documentation, OPTIONS))
    assert documented - READ_BY_REQUESTS == read - NO_OPTION


@pytest.mark.parametrize(
    ("option", "value", "others"),
    [
        ("role_arn", ROLE["role_arn"], ACCESS_KEY),
        ("role_session_name", "ansible", ROLE),
        ("role_session_duration", 3600, ROLE),
        ("external_id", "an-id", ROLE),
        ("sts_endpoint", "http://127.0.0.1:1", ROLE),
        ("region_id", "cn-shanghai", ACCESS_KEY),
        ("endpoint", "https://live.example.com", ACCESS_KEY),
    ],
)
def test_variables_that_are_read_only_without_an_option_are_documented_with_it(read_by_task, option, value, others):
    common = {"region_id": None if option == "region_id" else "cn-shanghai", **others}
    replacing = read_by_task(common) - read_by_task({**common, option: value})
    assert replacing and replacing <= named_in_documentation(option)


@pytest.mark.parametrize(
    ("option", "pattern"),
    [
        ("access_key_id", r"\w+(?<!SECRET)_ACCESS_KEY(_ID)?"),
        ("access_key_secret", r"\w+_SECRET(_\w+)?"),
        ("security_token", r"\w+_SECURITY_TOKEN"),
        ("profile", r"\w+CLOUD_PROFILE"),
        ("credentials_file", r"\w+_CREDENTIALS_FILE"),
    ],
)
def test_variables_of_a_credential_are_documented_with_its_option(read_by_task, option, pattern):
    expected = {name for name in read_by_task({}) if re.fullmatch(pattern, name)}
    assert len(expected) > 1 and expected <= named_in_documentation(option)
