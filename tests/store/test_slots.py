# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots on a real server: evenly spaced, and there whatever the server holds or does."""

from __future__ import annotations

import hashlib
import sys
import threading
import time

import pytest

from ansible_collections.apsaravideo.live.plugins.module_utils._api.backoff import MIN_FACTOR
from ansible_collections.apsaravideo.live.plugins.module_utils._api.slot_server import (
    ServerSlots,
    SlotServer,
    find_server,
)
from ansible_collections.apsaravideo.live.plugins.module_utils._api.store_address import StoreAddress
from ansible_collections.apsaravideo.live.plugins.module_utils._errors import InvalidOption, LiveError
from support.certificates import Authority
from support.store import ACL, Store

RATE = 50.0
SPREAD = 0.05  # seconds that a busy machine may take between two clocks


def connect(store, *, url=None, password=None, share=1.0, monotonic=time.monotonic, validate_certs=True, ca_path=None):
    address = StoreAddress.parse(url or store.url, password, validate_certs, ca_path)
    return SlotServer(address, share, monotonic)


def make_slots(server, *, account="account", action="action", rate=RATE, monotonic=time.monotonic):
    return ServerSlots(server, account, action, rate, monotonic)


def with_user(store, user):
    return store.url.replace("://", f"://{user}@")


def read_state(store):
    """Return the numbers of the only key: the last call, the next free slot, the share of the rate, the last drop."""
    return [float(number) for number in store.command("GET", store.keys()[0]).splitlines()[1].split()[1:]]


@pytest.fixture(params=["loopback", "socket"])
def any_store(request):
    with Store(on_socket=request.param == "socket") as server:
        yield server


def test_slots_are_evenly_spaced_for_all_clients(any_store):
    clients = [make_slots(connect(any_store)) for _client in range(4)]
    first = clients[0].reserve()
    assert first <= time.monotonic()
    slots = [first, *(clients[number % 4].reserve() for number in range(1, 40))]
    assert slots[-1] - slots[0] == pytest.approx(39 / RATE, abs=SPREAD)
    assert slots == sorted(slots)


def test_a_slot_takes_exactly_its_time_at_the_server(store):
    ours, theirs = make_slots(connect(store)), make_slots(connect(store))
    for _call in range(10):
        ours.reserve()
    state = store.command("GET", store.keys()[0]).splitlines()[1].split()
    state[5] = str(int(state[5]) - 10_000_000)  # A new state takes into account what its clients know of the queue.
    store.command("SET", store.keys()[0], " ".join(state))
    before = read_state(store)
    for _call in range(10):
        theirs.reserve()
    assert read_state(store)[1] - before[1] == pytest.approx(10 * 1_000_000 / RATE, abs=20)


def test_idle_time_is_not_saved_up(store):
    ours = make_slots(connect(store))
    ours.reserve()
    time.sleep(0.2)
    first, second = ours.reserve(), ours.reserve()
    assert second - first == pytest.approx(1 / RATE, abs=SPREAD)


def test_each_call_takes_one_round_trip_and_the_first_one_two(store):
    ours = make_slots(connect(store))
    for _call in range(100):
        ours.measure_backlog()
        ours.reserve()
    assert store.count("evalsha") + store.count("eval") == 102, "a look, the script itself, and the calls"
    assert store.count("eval") == 1


def test_a_new_client_knows_the_queue(store):
    for _call in range(50):
        make_slots(connect(store)).reserve()
    assert make_slots(connect(store)).measure_backlog() == pytest.approx(1, abs=0.3)


def test_accounts_and_operations_do_not_wait_for_each_other(store):
    server = connect(store)
    for _call in range(50):
        make_slots(server).reserve()
    for other in ({"account": "another"}, {"action": "another"}):
        assert make_slots(server, **other).reserve() <= time.monotonic()
    assert len(store.keys()) == 3


def test_keys_hold_no_names_and_stay_on_one_node_of_a_cluster(store):
    make_slots(connect(store), account="live.aliyuncs.com 1234567890123456").reserve()
    (key,) = store.keys()
    assert "1234" not in key
    assert key.startswith("apsaravideo-live:{") and key.endswith("}")


def test_a_key_expires_after_its_last_use(store):
    make_slots(connect(store)).reserve()
    (key,) = store.keys()
    assert 55_000 < int(store.command("PTTL", key).splitlines()[0][1:]) < 65_000


def test_a_dropped_call_slows_all_clients_down_and_the_rate_recovers(store):
    ours, theirs = make_slots(connect(store)), make_slots(connect(store))
    for _call in range(10):
        assert ours.slow_down(), "calls that are dropped together count once"
    assert read_state(store)[2] == pytest.approx(0.75)
    theirs.reserve()
    before = read_state(store)[1]
    ours.reserve()
    assert read_state(store)[1] - before == pytest.approx(1_000_000 / (RATE * 0.75), rel=0.02)
    state = store.command("GET", store.keys()[0]).splitlines()[1].split()
    state[4] = str(int(state[4]) - 60_000_000)  # the time of the dropped call
    store.command("SET", store.keys()[0], " ".join(state))
    theirs.reserve()
    before = read_state(store)[1]
    ours.reserve()
    assert read_state(store)[1] - before == pytest.approx(1_000_000 / RATE, abs=2)


def test_the_rate_never_falls_below_its_minimum(store, monkeypatch):
    now = int(time.time() * 1e6)
    ours = make_slots(connect(store))
    ours.reserve()
    (key,) = store.keys()
    for _call in range(20):
        state = store.command("GET", key).splitlines()[1].split()
        state[4] = str(now - 1_000_000)
        store.command("SET", key, " ".join(state))
        ours.slow_down()
    first, second = ours.reserve(), ours.reserve()
    assert second - first <= 1 / (RATE * MIN_FACTOR) + SPREAD


STATES = [
    "",
    "x",
    "x" * 4000,
    "slots1",
    "slots1 nan nan nan nan nan",
    "slots1 1 1 0.5 1",
    "slots1 1 1 2.5 1 1",
    "slots1 1 1 0.0 1 1",
    "slots1 1 99999999999999999 1.0 1 1",
    "slots1 1 9999999999999999999999999999 1.0 1 1",
    "slots1 9999999999999999 1 1.0 1 1",
    "slots1 1 1 0.5 9999999999999999 1",
    "slots2 1 1 0.5 1 1",
    "\x00\xff",
]


@pytest.mark.parametrize("content", STATES)
def test_a_foreign_or_corrupt_state_is_replaced(store, content):
    make_slots(connect(store)).reserve()
    (key,) = store.keys()
    store.command("SET", key, content)
    ours = make_slots(connect(store))
    first, second = ours.reserve(), ours.reserve()
    assert first <= time.monotonic()
    assert second - first == pytest.approx(1 / RATE, abs=SPREAD)


@pytest.mark.parametrize("command", [("LPUSH", "a"), ("HSET", "a", "b"), ("SADD", "a")])
def test_a_key_of_another_type_is_replaced(store, command):
    make_slots(connect(store)).reserve()
    (key,) = store.keys()
    store.command("DEL", key)
    store.command(command[0], key, *command[1:])
    ours = make_slots(connect(store))
    assert ours.reserve() <= time.monotonic()
    assert ours.reserve() > time.monotonic()


def test_a_flushed_server_goes_on_behind_what_its_clients_have_reserved(store):
    ours, theirs = make_slots(connect(store)), make_slots(connect(store))
    before = [(ours, theirs)[number % 2].reserve() for number in range(50)]
    store.command("FLUSHALL")
    store.command("SCRIPT", "FLUSH")
    after = [(theirs, ours)[number % 2].reserve() for number in range(10)]
    assert after[0] - before[-1] > -SPREAD
    assert after[-1] - before[-1] == pytest.approx(10 / RATE, abs=2 * SPREAD)


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_client_whose_wall_clock_is_wrong_gets_the_same_slots(store, monkeypatch, seconds):
    right = make_slots(connect(store))
    before = [right.reserve() for _call in range(10)]
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    wrong = make_slots(connect(store))
    assert wrong.reserve() - before[-1] == pytest.approx(1 / RATE, abs=SPREAD)


def test_the_least_commands_and_keys_are_enough(store):
    store.command("ACL", "SETUSER", "recorder", "on", ">the-password", *ACL.split())
    store.command("ACL", "SETUSER", "default", "resetpass", "-@all", "+ping", "+acl", "+info")
    server = connect(store, url=with_user(store, "recorder:the-password"))
    assert make_slots(server).reserve() is not None
    assert make_slots(server).slow_down()
    assert server.warning is None


def test_a_password_from_the_environment_is_used(store):
    store.command("CONFIG", "SET", "requirepass", "the-password")
    assert make_slots(connect(store, password="the-password")).reserve() is not None


@pytest.mark.parametrize("password", ["p@ss/wo:rd?#%", "pässwörd"])
def test_a_percent_encoded_password_is_used(store, password):
    from urllib.parse import quote

    store.command("CONFIG", "SET", "requirepass", password)
    assert make_slots(connect(store, url=with_user(store, f":{quote(password, safe='')}"))).reserve() is not None


def test_a_trusted_certificate_is_accepted(tls_store, authority):
    assert make_slots(connect(tls_store, ca_path=authority.ca_path)).reserve() is not None
    assert make_slots(connect(tls_store, validate_certs=False)).reserve() is not None


@pytest.mark.parametrize("kind", ["other authority", "system", "other name"])
def test_an_untrusted_certificate_is_not_used(tls_store, authority, tmp_path, kind):
    url = tls_store.url.replace("127.0.0.1", "localhost") if kind == "other name" else None
    others = {"other authority": Authority(tmp_path, "other").ca_path, "system": None}
    server = connect(tls_store, url=url, ca_path=others.get(kind, authority.ca_path))
    assert make_slots(server).reserve() is None
    assert "its certificate is not trusted" in server.warning


def refuse_password(store):
    store.set_password("another-password")


def replicate(store):
    store.command("REPLICAOF", "127.0.0.1", "1")


FAILURES = {
    "killed": (Store.kill, "it cannot be reached: Connection refused"),
    "frozen": (Store.freeze, "it did not respond within 1 s"),
    "password": (refuse_password, "it refused the user or the password"),
    "replica": (replicate, "it is a read-only replica"),
    "memory": (lambda store: store.command("CONFIG", "SET", "maxmemory", "1"), "it is out of memory"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_server_that_fails_is_left_alone_with_one_warning(store, failure):
    fail, reason = FAILURES[failure]
    fail(store)
    now = [1000.0]
    server = connect(store, url=with_user(store, ":the-password") if failure == "password" else None, share=0.5)
    server._monotonic = lambda: now[0]
    ours = make_slots(server)
    began = time.monotonic()
    assert [ours.reserve() for _call in range(20)] == [None] * 20
    assert ours.measure_backlog() is None and not ours.slow_down()
    assert time.monotonic() - began < 1.5, "only one call has waited"
    assert reason in server.warning and "50 % of the rate limit" in server.warning
    assert "the-password" not in server.warning
    now[0] += 9.9
    assert ours.reserve() is None
    if failure == "frozen":
        store.thaw()
    else:
        store.password = None
        store.restart()
        if failure == "password":
            store.set_password("the-password")
    assert ours.reserve() is None, "it is not asked before its time"
    now[0] += 0.2
    assert ours.reserve() is not None
    assert reason in server.warning


def test_a_node_of_a_cluster_that_is_down_is_explained():
    with Store(cluster_enabled="yes") as node:
        server = connect(node)
        assert make_slots(server).reserve() is None
        assert "cluster" in server.warning


def test_a_node_of_a_cluster_with_all_slots_is_used():
    with Store(cluster_enabled="yes") as node:
        node.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        until = time.monotonic() + 5
        while "cluster_state:ok" not in node.command("CLUSTER", "INFO") and time.monotonic() < until:
            time.sleep(0.05)
        assert make_slots(connect(node)).reserve() is not None


def test_many_threads_wait_for_a_frozen_server_together_and_then_not_at_all(store):
    ours = make_slots(connect(store))
    run_in_threads(ours.reserve, 30)
    store.freeze()
    began = time.monotonic()
    assert run_in_threads(lambda: (ours.reserve(), ours.reserve()), 30) == [(None, None)] * 30
    assert time.monotonic() - began < 2
    store.thaw()


def test_one_thread_alone_asks_a_frozen_server_again(store):
    server = connect(store)
    ours = make_slots(server)
    store.freeze()
    assert ours.reserve() is None
    server._retry_at = 0.0
    began = time.monotonic()
    waited = run_in_threads(lambda: (ours.reserve(), time.monotonic() - began)[1], 20)
    assert sum(seconds > 0.5 for seconds in waited) == 1
    store.thaw()


def run_in_threads(function, count):
    results = []
    threads = [threading.Thread(target=lambda: results.append(function())) for _thread in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_threads_share_connections_that_the_server_may_close(store):
    ours = make_slots(connect(store))
    run_in_threads(ours.reserve, 10)
    store.command("CLIENT", "KILL", "TYPE", "normal")
    assert None not in run_in_threads(ours.reserve, 10)
    assert ours.server.warning is None


def test_a_required_server_is_checked_with_a_reservation(store):
    server = connect(store)
    server.require()
    replicate(store)
    with pytest.raises(LiveError, match="read-only replica"):
        server.require()


@pytest.mark.parametrize(
    "response", ["x", "5", "{1}", "{-1, 1}", "{1, -1}", "{9000000000000000, 1}", "{1, 900000000}", "{}"]
)
def test_a_response_that_is_no_slot_is_a_failure(store, monkeypatch, response):
    from ansible_collections.apsaravideo.live.plugins.module_utils._api import slot_server

    script = f"return {response}"
    monkeypatch.setattr(slot_server, "SCRIPT", script)
    monkeypatch.setattr(slot_server, "_SCRIPT_HASH", hashlib.sha1(script.encode()).hexdigest())
    ours = make_slots(connect(store))
    assert ours.reserve() is None
    assert "it responded with" in ours.server.warning


def test_accounts_and_tasks_of_a_process_share_a_server(store):
    address = StoreAddress.parse(store.url, None, True, None)
    assert find_server(address, 0.5) is find_server(address, 0.5)
    assert find_server(address, 0.5) is not find_server(address, 1.0)


def test_a_missing_library_is_an_invalid_option(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(InvalidOption, match="needs the Python library redis"):
        connect(store)


def test_an_old_library_is_an_invalid_option(store, monkeypatch):
    import redis

    monkeypatch.setattr(redis, "__version__", "4.4.4")
    with pytest.raises(InvalidOption, match=r"4\.5 or newer, not 4\.4\.4"):
        connect(store)


@pytest.mark.parametrize(
    "url",
    ["", "redis:", "http://host", "redis://", "redis://:the-password@", "redis://h:the-password", "redis://[::1", "\n"],
)
def test_an_invalid_url_is_refused_and_not_quoted(url):
    with pytest.raises(InvalidOption, match="rate_limit_store") as caught:
        connect(None, url=url or "host")
    assert "the-password" not in str(caught.value)


def test_an_invalid_database_is_refused(store):
    with pytest.raises(InvalidOption, match="cannot use the URL"):
        connect(store, url=f"{store.url}?socket_keepalive=perhaps&db=x")
