# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several controllers on one account: each is a process with a home and a runtime directory of its own.

Quotas are a quarter above the rate limit, so that the load of the machine does not matter; the benchmark measures how
close to the quota the rate is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from support.emulator import ACCOUNT, KEY, PROGRAM, ROLE, Emulator
from support.playbook import WAYS, Ansible, environment, streams
from support.store import Store

ACTION = "RealTimeRecordCommand"
NAMES = [f"live.example.com/app/stream{number:03}" for number in range(150)]
RATE = 20
COUNT = 3
SECOND_KEY = ("secondAccessKeyId", "secondAccessKeySecret")
SECOND_USER = {
    "id": ACCOUNT,
    "users": [{"name": "second", "allow": ["live:*"]}],
    "access_keys": [{"id": SECOND_KEY[0], "secret": SECOND_KEY[1], "user": "second"}],
}
WARNING = "of rate_limit_store could not be used all the time"


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as one:
        yield one


@pytest.fixture
def cloud(emulator):
    emulator.reset()
    emulator.behave(limits={ACTION: RATE * 5 // 4})
    emulator.add_accounts(SECOND_USER)
    emulator.push(*NAMES)
    return emulator


@pytest.fixture
def make_controller(cloud, tmp_path):
    def make(key=KEY, **environ):
        directory = tmp_path / f"controller{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        sts = {"APSARAVIDEO_STS_ENDPOINT": cloud.endpoint}
        return Ansible(directory, {**environment(cloud, key), **sts, **environ})

    return make


def run_all(controllers, names, during=lambda: None, **variables):
    """Start a part of the streams with each controller at the same time, and return the runs."""
    with ExitStack() as stack:
        processes = []
        for number, ansible in enumerate(controllers):
            inventory = str(ansible.inventory(streams(names[number :: len(controllers)])))
            given = json.dumps({"record_rate_limit": RATE, **variables})
            begun = ansible.begin("apsaravideo.live.start", "-i", inventory, "-e", given)
            processes.append((ansible, stack.enter_context(begun)))
        during()
        return [ansible.end(process) for ansible, process in processes]


def wait_until_all_work(cloud):
    """Wait until each controller has made some calls."""
    until = time.monotonic() + 60
    counts = [0]
    while min(counts) < 4 and time.monotonic() < until:
        time.sleep(0.1)
        sent = {call["params"]["StreamName"] for call in cloud.calls(ACTION)}
        counts = [len(sent.intersection(name[-9:] for name in NAMES[number::COUNT])) for number in range(COUNT)]
    assert min(counts) >= 4


def recording(cloud):
    return {stream["stream_name"] for stream in cloud.state()["streams"] if stream["recording"] == "recording"}


def throttled(cloud):
    return [call for call in cloud.calls(ACTION) if call["throttled"]]


def count_warnings(run):
    return " ".join(run.output.split()).count(WARNING)


def assert_all_recorded(cloud, runs, names):
    assert [run.exit_code for run in runs] == [0] * len(runs), runs[0].output
    assert len(recording(cloud)) == len(names)


@pytest.mark.parametrize("keys", [3 * [KEY], [KEY, SECOND_KEY, KEY]], ids=["one key", "two keys"])
def test_controllers_share_the_quota(cloud, store, make_controller, keys):
    controllers = [make_controller(key, APSARAVIDEO_RATE_LIMIT_STORE=store.url) for key in keys]
    runs = run_all(controllers, NAMES[:90])
    assert_all_recorded(cloud, runs, NAMES[:90])
    assert throttled(cloud) == [] and len(cloud.calls(ACTION)) == 90
    # One round trip of each call, and further ones where a busy machine has missed a slot.
    assert store.count("evalsha") - 2 * COUNT <= 1.5 * 90
    assert len(store.keys()) == 1
    assert {count_warnings(run) for run in runs} == {0}
    asked = len(cloud.calls("GetCallerIdentity"))
    assert asked == COUNT, "each controller has a directory of its own to remember the account in"


def test_a_controller_remembers_its_account(cloud, store, make_controller):
    ansible = make_controller(APSARAVIDEO_RATE_LIMIT_STORE=store.url)
    for end in (2, 4):
        assert_all_recorded(cloud, run_all([ansible], NAMES[:end]), NAMES[:end])
    assert len(cloud.calls("GetCallerIdentity")) == 1


def test_two_access_keys_of_one_machine_share_the_quota_without_a_server(cloud, make_controller, tmp_path):
    shared = {"XDG_RUNTIME_DIR": str(tmp_path)}
    first, second = make_controller(**shared), make_controller(SECOND_KEY, **shared)
    assert_all_recorded(cloud, run_all([first], NAMES[:1]), NAMES[:1])
    assert cloud.calls("GetCallerIdentity") == [], "there is nobody to share with yet"
    assert_all_recorded(cloud, run_all([second], NAMES[1:2]), NAMES[:2])
    assert_all_recorded(cloud, run_all([first, second], NAMES[2:62]), NAMES[:62])
    assert throttled(cloud) == []
    assert len(cloud.calls("GetCallerIdentity")) == 2


def test_a_role_and_an_access_key_share_the_quota(cloud, store, make_controller):
    of_role = make_controller(APSARAVIDEO_RATE_LIMIT_STORE=store.url, ALICLOUD_ASSUME_ROLE_ARN=ROLE)
    runs = run_all([make_controller(APSARAVIDEO_RATE_LIMIT_STORE=store.url), of_role], NAMES[:60])
    assert_all_recorded(cloud, runs, NAMES[:60])
    assert throttled(cloud) == []
    assert len(store.keys()) == 1


def test_shares_keep_controllers_without_a_server_below_the_quota(cloud, make_controller):
    runs = run_all([make_controller() for _number in range(COUNT)], NAMES[:45], apsaravideo_rate_limit_share=1 / COUNT)
    assert_all_recorded(cloud, runs, NAMES[:45])
    assert throttled(cloud) == []


def kill(store):
    store.kill()
    time.sleep(2)
    store.start()


def freeze(store):
    store.freeze()
    time.sleep(2)
    store.thaw()


def flush(store):
    store.command("FLUSHALL")


def change_password(store):
    store.set_password("another-password")


FAULTS = {"killed": (kill, 1), "frozen": (freeze, 1), "flushed": (flush, 0), "password": (change_password, 1)}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_fails_in_the_middle_of_a_run_is_one_warning(cloud, make_controller, fault):
    with Store(requirepass="the-password") as store:
        password = {"APSARAVIDEO_RATE_LIMIT_STORE_PASSWORD": "the-password"}
        controllers = [make_controller(APSARAVIDEO_RATE_LIMIT_STORE=store.url, **password) for _number in range(COUNT)]
        fail, warnings = FAULTS[fault]

        def during():
            wait_until_all_work(cloud)
            fail(store)

        runs = run_all(controllers, NAMES, during, apsaravideo_rate_limit_share=0.33)
    assert_all_recorded(cloud, runs, NAMES)
    assert len(cloud.calls(ACTION)) <= 1.2 * len(NAMES), "the benchmark measures that there are hardly any more"
    assert [count_warnings(run) for run in runs] == [warnings] * COUNT, runs[0].output
    assert not any("-password" in run.output for run in runs)


def test_a_restarted_server_goes_on(cloud, store, make_controller):
    controllers = [make_controller(APSARAVIDEO_RATE_LIMIT_STORE=store.url) for _number in range(COUNT)]

    def during():
        wait_until_all_work(cloud)
        store.restart()

    runs = run_all(controllers, NAMES, during, apsaravideo_rate_limit_share=0.33)
    assert_all_recorded(cloud, runs, NAMES)
    assert len(cloud.calls(ACTION)) <= 1.2 * len(NAMES), "the benchmark measures that there are hardly any more"
    assert all(count_warnings(run) <= 1 for run in runs)


NOWHERE = "redis://recorder:the-pass%2Fword@127.0.0.1:1/0"


def test_a_server_that_cannot_be_reached_is_a_warning_without_secrets(cloud, make_controller):
    ansible = make_controller(APSARAVIDEO_RATE_LIMIT_STORE=NOWHERE)
    inventory = str(ansible.inventory(streams(NAMES[:5])))
    run = ansible.playbook("apsaravideo.live.start", "-vvvv", "-i", inventory)
    assert_all_recorded(cloud, [run], NAMES[:5])
    output = " ".join(run.output.split())
    assert count_warnings(run) == 1
    assert "The server 127.0.0.1:1 of rate_limit_store" in output and "Connection refused" in output
    assert "the-pass" not in run.output and "pass/word" not in run.output


@pytest.mark.parametrize("way", WAYS)
def test_an_option_with_a_password_is_shown_nowhere(cloud, make_controller, way):
    ansible = make_controller()
    names = dict(zip(("domain_name", "app_name", "stream_name"), NAMES[0].split("/")))
    task = {"apsaravideo.live.apsaravideo_record": {**names, "rate_limit_store": NOWHERE}}
    run = ansible.play([{**task, "register": "found"}, {"debug": {"var": "found"}}], "-vvvv", **WAYS[way])
    assert_all_recorded(cloud, [run], NAMES[:1])
    assert count_warnings(run) >= 1
    assert "the-pass" not in run.output and "pass/word" not in run.output


def test_a_required_server_that_cannot_be_used_prevents_every_call(cloud, make_controller):
    ansible = make_controller(APSARAVIDEO_RATE_LIMIT_STORE=NOWHERE, ALICLOUD_ASSUME_ROLE_ARN=ROLE)
    (run,) = run_all([ansible], NAMES[:3], apsaravideo_rate_limit_store_required=True)
    assert run.exit_code != 0
    assert "127.0.0.1:1 of rate_limit_store cannot be used: it cannot be reached: Connection refused" in " ".join(
        run.output.split()
    )
    assert "the-pass" not in run.output
    assert cloud.calls() == []


def test_a_required_server_that_is_not_named_is_refused(cloud, make_controller):
    (run,) = run_all([make_controller()], NAMES[:1], apsaravideo_rate_limit_store_required=True)
    assert "rate_limit_store_required is set without rate_limit_store" in " ".join(run.output.split())
    assert cloud.calls() == []


@pytest.mark.parametrize("share", [0, -1, 1.01, "nan"])
def test_an_invalid_share_is_refused_before_any_call(cloud, make_controller, share):
    (run,) = run_all([make_controller()], NAMES[:1], apsaravideo_rate_limit_share=share)
    assert "rate_limit_share is" in run.output
    assert cloud.calls() == []


def test_an_unknown_account_is_a_line_for_who_looks_for_it(cloud, store, make_controller):
    ansible = make_controller(APSARAVIDEO_RATE_LIMIT_STORE=store.url, APSARAVIDEO_STS_ENDPOINT="http://127.0.0.1:1")
    inventory = str(ansible.inventory(streams(NAMES[:1])))
    run = ansible.playbook("apsaravideo.live.start", "-vvv", "-i", inventory)
    assert_all_recorded(cloud, [run], NAMES[:1])
    assert "The account of an access key is not known" in " ".join(run.output.split())


SLICE = {"awx_job_template_name": "Record", "awx_workflow_job_name": "Record"}


@pytest.mark.parametrize("kind", ["alone", "share", "server"])
def test_a_slice_without_server_and_share_is_warned(cloud, store, make_controller, kind):
    ansible = make_controller(**({"APSARAVIDEO_RATE_LIMIT_STORE": store.url} if kind == "server" else {}))
    share = {"apsaravideo_rate_limit_share": 0.5} if kind == "share" else {}
    (run,) = run_all([ansible], NAMES[:1], **SLICE, **share)
    assert_all_recorded(cloud, [run], NAMES[:1])
    assert ("one of several job slices" in " ".join(run.output.split())) == (kind == "alone")


def test_the_library_is_imported_only_for_a_server(tmp_path):
    program = (
        "import sys\n"
        "from ansible_collections.apsaravideo.live.plugins.module_utils._module.argspec import CONNECTION, Spec\n"
        "from ansible_collections.apsaravideo.live.plugins.module_utils._module.task import Task\n"
        "options = {'access_key_id': 'id', 'access_key_secret': 'secret', 'rate_limit_store': sys.argv[1] or None}\n"
        "Task(Spec(CONNECTION).fill(options), {'XDG_RUNTIME_DIR': sys.argv[2]}).open_live()\n"
        "print('redis' in sys.modules)\n"
    )
    paths = {"PYTHONPATH": str(PROGRAM.parents[6])}
    for url, is_imported in (("", "False"), (NOWHERE, "True")):
        command = [sys.executable, "-c", program, url, str(tmp_path)]
        done = subprocess.run(command, env=paths, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == is_imported
