# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probabilities of faults."""

from __future__ import annotations

import random

import pytest
from apsaravideo_emulator.faults import NO_STRIKE, Faults
from apsaravideo_emulator.state import dumps, loads
from hypothesis import given
from hypothesis import strategies as st

KINDS = st.sampled_from(["reset_before", "reset_after", "html", "status_503"])


def make_faults(faults, seed=1):
    rules = Faults()
    rules.add(faults, seed)
    return rules


def pick_all(rules, calls):
    return [rules.pick(action, parameters) for action, parameters in calls]


def names_of(strikes):
    return [strike.name for strike in strikes]


CALLS = [("A", {"StreamName": str(number), "SignatureNonce": "n"}) for number in range(20_000)]


def test_faults_strike_with_their_probabilities():
    weights = {"reset_before": 0.05, "reset_after": 0.05, "status_503": 0.03}
    rows = [{"fault": kind, "probability": share} for kind, share in weights.items()]
    rules = make_faults([*rows, {"fault": "delay", "seconds": [0.005, 0.5], "probability": 0.5}])
    strikes = pick_all(rules, CALLS)
    struck = rules.report()["struck"]
    for kind, share in {**weights, "delay": 0.5}.items():
        assert struck[kind] == pytest.approx(share * len(CALLS), rel=0.15)
    delays = [strike.delay for strike in strikes if strike.delay]
    assert 0.005 <= min(delays) < 0.01
    assert 0.49 < max(delays) <= 0.5
    assert sum(delays) / len(delays) == pytest.approx(0.2525, rel=0.03)
    both = sum(1 for strike in strikes if strike.delay and strike.fault)
    assert both == pytest.approx(0.065 * len(CALLS), rel=0.15)


def test_seeds_differ_and_separate_faults_are_independent():
    row = [{"fault": "html", "probability": 0.5}]
    assert names_of(pick_all(make_faults(row, 1), CALLS[:100])) != names_of(pick_all(make_faults(row, 2), CALLS[:100]))
    rules = make_faults(row)
    rules.add([{"fault": "empty", "probability": 0.5}], 1)
    struck = names_of(pick_all(rules, CALLS[:1000]))
    assert struck.count("html") == pytest.approx(500, rel=0.15)
    assert struck.count("empty") == pytest.approx(250, rel=0.15)


def test_missing_seed_is_generated_and_reported():
    rules = Faults()
    first, second = (rules.add([{"fault": "html"}]) for _number in range(2))
    assert first["seed"] != second["seed"]
    assert rules.report()["mixtures"] == [first, second]


@given(
    st.lists(st.tuples(KINDS, st.floats(0, 0.25)), max_size=4),
    st.integers(),
    st.lists(st.integers(0, 5), max_size=30),
    st.randoms(use_true_random=False),
)
def test_any_order_of_calls_gives_the_same_strikes(mixture, seed, calls, shuffler):
    """Verify that the outcome of the n-th equal call depends neither on the other calls, nor on nonces or times."""
    rows = [{"fault": kind, "probability": share} for kind, share in mixture]
    rows.append({"fault": "delay", "seconds": [0, 1], "probability": 0.5})

    def collect_strikes(order):
        rules, strikes = make_faults(rows, seed), {}
        for name in order:
            parameters = {
                "StreamName": str(name),
                "SignatureNonce": str(random.random()),
                "StartTime": str(len(strikes)),
            }
            strike = rules.pick("A", parameters)
            strikes.setdefault(name, []).append((strike.name, strike.delay))
        return strikes

    shuffled = list(calls)
    shuffler.shuffle(shuffled)
    assert collect_strikes(calls) == collect_strikes(shuffled)


@given(st.integers(0, 40))
def test_strikes_continue_after_a_restart(when):
    rows = [{"fault": "html", "probability": 0.5, "times": 9}, {"fault": "delay", "seconds": [1, 2]}]
    calls = [("A", {"StreamName": str(number % 3)}) for number in range(40)]
    rules, other = make_faults(rows), Faults()
    expected = pick_all(make_faults(rows), calls)
    started = pick_all(rules, calls[:when])
    other.restore(loads(dumps(rules.snapshot())))
    ended = pick_all(other, calls[when:])
    assert [(s.name, s.delay) for s in started + ended] == [(s.name, s.delay) for s in expected]
    assert other.report()["struck"]["html"] <= 9


def test_calls_are_not_counted_without_faults():
    rules = Faults()
    assert rules.pick("A", {}) is NO_STRIKE
    assert rules.snapshot()["_call_counts"] == {}
